//! The assembled kubelet on the in-memory runtime, in paused time: what a node may expect of it.

mod support;

use std::time::Duration;

use cri_client::fake::{FakeRuntime, Run};
use cri_client::{RuntimeService as _, v1};
use kubelet::StartError;
use pod_model::labels;
use server::Host as _;
use support::{IMAGE, Machine};

fn manifest(name: &str, more: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  terminationGracePeriodSeconds: 5\n  containers:\n  \
         - {{name: main, image: \"{IMAGE}\", command: [sleep, \"3600\"]}}\n{more}"
    )
}

impl Machine {
    fn put(&self, name: &str) {
        self.manifests.insert(format!("/manifests/{name}.yaml"), manifest(name, ""));
    }

    fn remove(&self, name: &str) {
        self.manifests.remove(format!("/manifests/{name}.yaml"));
    }

    /// `web #0 main #1 running`: pods with ready sandboxes, and their running containers.
    fn running(&self) -> Vec<String> {
        let containers = self.fake.containers();
        let ready =
            self.fake.sandboxes().into_iter().filter(|s| s.state() == v1::PodSandboxState::SandboxReady);
        let mut lines: Vec<String> = ready
            .map(|sandbox| {
                let uid = sandbox.labels.get(labels::POD_UID);
                let metadata = sandbox.metadata.clone().unwrap_or_default();
                let of_pod = containers.iter().filter(|c| c.labels.get(labels::POD_UID) == uid);
                let up = of_pod.filter(|c| c.state() == v1::ContainerState::ContainerRunning);
                let shown: Vec<String> = up
                    .map(|c| {
                        let name = c.metadata.as_ref().map(|m| m.name.clone()).unwrap_or_default();
                        format!(" {name} #{}", c.annotations[labels::RESTART_COUNT])
                    })
                    .collect();
                format!("{} #{}{}", metadata.name, metadata.attempt, shown.concat())
            })
            .collect();
        lines.sort();
        lines
    }

    fn sandbox_of(&self, name: &str) -> String {
        let of_pod = |s: &v1::PodSandboxStatus| s.labels.get(labels::POD_NAME).is_some_and(|n| n == name);
        self.fake.sandboxes().into_iter().rfind(of_pod).expect("a sandbox").id
    }

    fn container_of(&self, name: &str) -> String {
        let of_pod = |c: &v1::ContainerStatus| c.labels.get(labels::POD_NAME).is_some_and(|n| n == name);
        self.fake.containers().into_iter().rfind(of_pod).expect("a container").id
    }
}

/// Something that is done to the runtime behind the agent's back.
type Happening<'a> = &'a dyn Fn(&FakeRuntime);

async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_kept_alive_and_taken_down_with_its_manifest() {
    let machine = Machine::new();
    let _kubelet = machine.start().await;
    machine.put("web");
    pass(0.1).await;
    assert_eq!(machine.running(), ["web-node1 #0 main #0"]);
    machine.fake.exit_container(&machine.container_of("web-node1"), 137);
    pass(0.1).await;
    assert_eq!(machine.running(), ["web-node1 #0 main #1"]);
    machine.remove("web");
    pass(10.0).await;
    assert!(machine.fake.sandboxes().is_empty() && machine.fake.containers().is_empty());
    assert_eq!(machine.fake.count("RemovePodSandbox"), 1, "once is enough");
    assert_eq!(std::fs::read_dir(machine.root.path().join("root/pods")).expect("a folder").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_edited_manifest_is_another_pod_which_waits_until_the_old_one_has_ended() {
    let machine = Machine::new();
    machine.fake.script("main", [Run::until_stopped().deaf()]);
    let _kubelet = machine.start().await;
    machine.put("web");
    pass(0.1).await;
    machine.manifests.insert("/manifests/web.yaml", manifest("web", "  restartPolicy: OnFailure\n"));
    pass(3.0).await;
    assert_eq!(machine.fake.sandboxes().len(), 1, "the old one has five seconds to end");
    pass(3.0).await;
    assert_eq!(machine.running(), ["web-node1 #0 main #0"]);
    assert_eq!(machine.fake.count("RunPodSandbox"), 2);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_stops_or_removes_is_made_again_within_three_seconds() {
    let machine = Machine::new();
    let _kubelet = machine.start().await;
    machine.put("web");
    pass(0.1).await;
    // Counts go on from what is left: the first sandbox and container, which are kept as the newest dead ones. The
    // in-memory runtime writes no logs, so what was removed is not counted; on a real one the log files tell.
    let steps: [(&str, Happening<'_>, &str); 4] = [
        (
            "sandbox stopped",
            &|fake| fake.stop_sandbox_quietly(&machine.sandbox_of("web-node1")),
            "web-node1 #1 main #1",
        ),
        (
            "container removed",
            &|fake| fake.remove_container_quietly(&machine.container_of("web-node1")),
            "web-node1 #1 main #1",
        ),
        (
            "sandbox removed",
            &|fake| fake.remove_sandbox_quietly(&machine.sandbox_of("web-node1")),
            "web-node1 #1 main #1",
        ),
        (
            "event lost",
            &|fake| {
                fake.lose_events(1);
                fake.exit_container(&machine.container_of("web-node1"), 1);
            },
            "web-node1 #1 main #2",
        ),
    ];
    for (what, happen, after) in steps {
        // Far enough apart that no back-off stands in the way.
        pass(700.0).await;
        happen(&machine.fake);
        pass(3.0).await;
        assert_eq!(machine.running(), [after], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_of_nobody_is_ended_but_only_once_every_source_has_spoken() {
    let machine = Machine::new();
    let _kubelet = machine.start().await;
    machine.put("web");
    pass(0.1).await;
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let config = v1::PodSandboxConfig {
        metadata: Some(v1::PodSandboxMetadata { name: "stray".into(), ..Default::default() }),
        labels: [label(labels::POD_UID, "stray"), label(labels::POD_NAME, "stray")].into(),
        ..Default::default()
    };
    let request = v1::RunPodSandboxRequest { config: Some(config), ..Default::default() };
    machine.fake.run_pod_sandbox(request).await.expect("a sandbox");
    pass(1.0).await;
    assert_eq!(machine.running(), ["web-node1 #0 main #0"]);
    pass(120.0).await;
    assert_eq!(machine.fake.sandboxes().len(), 1, "the stray's remains are gone, too");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_killed_and_started_again_changes_nothing() {
    let machine = Machine::new();
    let first = machine.start().await;
    for pod in ["a", "b", "c"] {
        machine.put(pod);
    }
    pass(1.0).await;
    let (before, calls) = (machine.running(), machine.fake.calls().len());
    drop(first);
    pass(5.0).await;
    let _second = machine.start().await;
    pass(300.0).await;
    assert_eq!(machine.running(), before);
    let changing = [
        "RunPodSandbox",
        "CreateContainer",
        "StartContainer",
        "StopContainer",
        "StopPodSandbox",
        "RemoveContainer",
    ];
    let since: Vec<&str> =
        machine.fake.calls()[calls..].iter().map(|c| c.rpc).filter(|rpc| changing.contains(rpc)).collect();
    assert!(since.is_empty(), "{since:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_removed_while_the_agent_was_down_is_ended_by_what_its_labels_tell() {
    let machine = Machine::new();
    let first = machine.start().await;
    machine.put("web");
    machine.put("other");
    pass(1.0).await;
    drop(first);
    machine.remove("web");
    let _second = machine.start().await;
    pass(10.0).await;
    assert_eq!(machine.running(), ["other-node1 #0 main #0"]);
    assert_eq!(machine.fake.sandboxes().len(), 1, "its remains are gone, too");
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_goes_away_is_waited_for_and_nothing_is_started_twice() {
    let machine = Machine::new();
    let kubelet = machine.start().await;
    machine.put("web");
    pass(1.0).await;
    machine.fake.set_away(true);
    machine.fake.exit_container(&machine.container_of("web-node1"), 1);
    machine.put("late");
    pass(20.0).await;
    let warnings = machine.events.lines().iter().filter(|line| line.starts_with("Warning")).count();
    assert_eq!(warnings, 0, "{:?}", machine.events.lines());
    // A watchdog that ended the agent for this would only make it worse.
    assert_eq!(kubelet.host().sync_loop_healthy(), Ok(()));
    machine.fake.set_away(false);
    pass(3.0).await;
    assert_eq!(machine.running(), ["late-node1 #0 main #0", "web-node1 #0 main #1"]);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_pods_are_not_touched_unless_told_to() {
    let machine = Machine::new();
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let config = v1::PodSandboxConfig {
        metadata: Some(v1::PodSandboxMetadata { name: "theirs".into(), ..Default::default() }),
        labels: [
            label(labels::POD_UID, "u9"),
            label(labels::POD_NAME, "theirs"),
            label(labels::POD_NAMESPACE, "prod"),
        ]
        .into(),
        ..Default::default()
    };
    let request = v1::RunPodSandboxRequest { config: Some(config), ..Default::default() };
    machine.fake.run_pod_sandbox(request).await.expect("a sandbox");
    let refused = machine.try_start(false).await.err().expect("refused");
    assert!(matches!(refused, StartError::ForeignPods(_)));
    assert!(
        refused.to_string().contains("prod/theirs") && refused.to_string().contains("--adopt"),
        "{refused}"
    );
    pass(60.0).await;
    assert_eq!(machine.running(), ["theirs #0"]);

    let _kubelet = machine.try_start(true).await.expect("told to");
    pass(10.0).await;
    assert!(machine.running().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_pod_with_volumes_waits_with_an_event_and_disturbs_nobody() {
    let machine = Machine::new();
    let _kubelet = machine.start().await;
    machine
        .manifests
        .insert("/manifests/v.yaml", manifest("v", "  volumes:\n  - {name: data, emptyDir: {}}\n"));
    machine.put("web");
    pass(1.0).await;
    assert_eq!(machine.running(), ["web-node1 #0 main #0"]);
    let told = machine
        .events
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("Warning FailedMount default/v-node1"));
    assert_eq!(told.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_finished_pod_rests_and_its_remains_go_with_its_manifest() {
    let machine = Machine::new();
    machine.fake.script("main", [Run::exits_after(Duration::from_secs(1), 0)]);
    let _kubelet = machine.start().await;
    machine.manifests.insert("/manifests/once.yaml", manifest("once", "  restartPolicy: Never\n"));
    pass(300.0).await;
    assert!(machine.running().is_empty());
    assert_eq!(
        (machine.fake.containers().len(), machine.fake.count("StartContainer")),
        (1, 1),
        "kept, and run once"
    );
    machine.manifests.remove("/manifests/once.yaml");
    pass(10.0).await;
    assert!(machine.fake.containers().is_empty() && machine.fake.sandboxes().is_empty());
}

/// A manifest that names its UID is edited: the same pod has changed, and no other has come.
#[tokio::test(start_paused = true)]
async fn a_finished_pod_does_not_run_again_because_its_manifest_was_edited() {
    let machine = Machine::new();
    machine.fake.script("main", [Run::exits_after(Duration::from_secs(1), 0)]);
    let _kubelet = machine.start().await;
    let once = manifest("once", "  restartPolicy: Never\n").replace("{name: once}", "{name: once, uid: u7}");
    machine.manifests.insert("/manifests/once.yaml", once.clone());
    pass(60.0).await;
    machine.manifests.insert("/manifests/once.yaml", once.replace("Never", "Always"));
    pass(120.0).await;
    assert_eq!((machine.running().len(), machine.fake.count("StartContainer")), (0, 1), "run once");
    machine.manifests.remove("/manifests/once.yaml");
    pass(10.0).await;
    assert!(machine.fake.containers().is_empty(), "still the pod that is removed now");
}

#[tokio::test(start_paused = true)]
async fn a_node_at_rest_asks_its_runtime_for_little() {
    let machine = Machine::new();
    let _kubelet = machine.start().await;
    for pod in 0..40 {
        machine.put(&format!("p{pod}"));
    }
    pass(120.0).await;
    assert_eq!(machine.running().len(), 40);
    machine.fake.clear_calls();
    pass(600.0).await;
    let calls = machine.fake.calls().len();
    // Status each 5 s, and two lists each 2 s as the safety net.
    assert!(calls <= 10 * (12 + 60) + 10, "{calls} calls in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn an_agent_without_a_source_of_pods_runs_on_and_stays_healthy() {
    let machine = Machine::new();
    let mut kubelet = machine.start_on(None, false).await.expect("started");
    tokio::select! {
        biased;
        why = kubelet.failed() => panic!("{why}"),
        () = pass(600.0) => {}
    }
    assert_eq!(kubelet.host().sync_loop_healthy(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_because_its_sandbox_is_going_counts_neither_as_restart_nor_as_crash() {
    let machine = Machine::new();
    let _kubelet = machine.start().await;
    machine.put("web");
    pass(1.0).await;
    // Somebody stops the sandbox: its container ends first, and is started again in a sandbox that is going.
    machine.fake.fail(
        "StartContainer",
        1,
        cri_client::Code::Unknown,
        "namespace path: no such file or directory",
    );
    machine.fake.exit_container(&machine.container_of("web-node1"), 137);
    pass(0.1).await;
    machine.fake.stop_sandbox_quietly(&machine.sandbox_of("web-node1"));
    pass(3.0).await;
    assert_eq!(machine.running(), ["web-node1 #1 main #1"]);
    assert!(
        !machine.events.lines().iter().any(|line| line.contains("BackOff")),
        "{:?}",
        machine.events.lines()
    );
}
