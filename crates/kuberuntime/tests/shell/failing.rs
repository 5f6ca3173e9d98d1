//! What goes wrong on the way, what is told about it, and when the next try is due.

use cri_client::fake::Run;
use kuberuntime::{PodSyncResult, Waiting};
use serde_json::json;

use crate::harness::{Node, names_in, pass, pod, seconds, simple};
use pod_model::{PodUid, paths};

/// `container: reason: message`, the one thing that a sync waits for.
fn only(result: &PodSyncResult) -> &Waiting {
    assert_eq!(result.waiting.len(), 1, "{result:?}");
    &result.waiting[0]
}

fn brief(result: &PodSyncResult) -> Vec<String> {
    result.waiting.iter().map(|w| format!("{}: {}", w.container, w.reason)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_container_that_keeps_ending_waits_longer_each_time() {
    let (node, mut seen) = (Node::new(), 0);
    node.fake.script("a", [Run::exits_after(seconds(1), 1)]);
    let pod = simple();
    node.sync(&pod).await;
    for delay in [None, Some((10, "10s")), Some((20, "20s")), Some((40, "40s")), Some((80, "1m20s"))] {
        pass(1).await;
        let ended = node.clock.now();
        pass(1).await;
        node.told(&mut seen);
        node.asked();
        let result = node.sync(&pod).await;
        let Some((wait, text)) = delay else {
            assert_eq!(result.waiting, [], "the first restart is lawful at once");
            continue;
        };
        let waiting = only(&result);
        assert_eq!((waiting.container.as_str(), waiting.reason), ("a", "CrashLoopBackOff"));
        assert_eq!(
            waiting.message,
            format!("back-off {text} restarting failed container=a pod=web_default(uid-web)")
        );
        assert_eq!(
            waiting.until,
            Some(ended + jiff::SignedDuration::from_secs(wait)),
            "it counts from the end"
        );
        assert!(!result.acted && !waiting.runtime_is_away);
        assert_eq!(node.asked(), [] as [&str; 0]);
        assert_eq!(
            node.told(&mut seen),
            [
                "Warning BackOff spec.containers{a}: Back-off restarting failed container a in pod web_default(uid-web)"
            ]
        );

        // A moment before its time nothing happens, and at its time it starts.
        let until = waiting.until.expect("a time");
        let left = until.duration_since(node.clock.now()).unsigned_abs();
        tokio::time::sleep(left - std::time::Duration::from_millis(1)).await;
        assert_eq!(brief(&node.sync(&pod).await), ["a: CrashLoopBackOff"]);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        assert_eq!(node.sync(&pod).await.waiting, []);
    }
}

#[tokio::test(start_paused = true)]
async fn an_edited_image_and_a_forgotten_pod_start_without_history() {
    let node = Node::new();
    node.fake.add_image("busybox:2", "sha256:bb");
    node.fake.script("a", [Run::exits_after(seconds(1), 1)]);
    let old = simple();
    for _ in 0..2 {
        node.sync(&old).await;
        pass(2).await;
    }
    assert_eq!(brief(&node.sync(&old).await), ["a: CrashLoopBackOff"]);

    let edited = pod(json!({"containers": [{"name": "a", "image": "busybox:2"}]}));
    assert_eq!(node.sync(&edited).await.waiting, [], "it starts at once");
    pass(2).await;
    let result = node.sync(&edited).await;
    assert!(only(&result).message.starts_with("back-off 10s"), "and begins its own curve: {result:?}");

    node.runtime.forget(&pod_model::PodRef::of(&edited));
    assert_eq!(node.sync(&edited).await.waiting, []);
}

#[tokio::test(start_paused = true)]
async fn containers_wait_for_their_own_back_off_only() {
    let node = Node::new();
    node.fake.script("a", [Run::exits_after(seconds(1), 1)]);
    let pod = pod(json!({"containers": [{"name": "a"}, {"name": "b"}]}));
    for _ in 0..2 {
        node.sync(&pod).await;
        pass(2).await;
    }
    node.fake.exit_container(&node.id("b"), 1);
    node.asked();
    let result = node.sync(&pod).await;
    assert_eq!(brief(&result), ["a: CrashLoopBackOff"]);
    assert!(result.acted);
    assert_eq!(node.asked(), ["CreateContainer b#1", "StartContainer b#1"]);
}

#[tokio::test(start_paused = true)]
async fn a_container_without_an_image_says_why() {
    for (image, policy, reason, message) in [
        (
            "nowhere:1",
            "IfNotPresent",
            "ErrImagePull",
            "PullImage of image nowhere:1: failed to pull and unpack image",
        ),
        (
            "nowhere:1",
            "Never",
            "ErrImageNeverPull",
            "Container image \"nowhere:1\" is not present with pull policy",
        ),
        ("Not An Image", "Always", "InvalidImageName", "Failed to apply default image tag \"Not An Image\""),
    ] {
        let (node, mut seen) = (Node::new(), 0);
        let pod = pod(json!({"containers": [
            {"name": "a", "image": image, "imagePullPolicy": policy}, {"name": "b"},
        ]}));
        let result = node.sync(&pod).await;
        let waiting = only(&result);
        assert_eq!((waiting.container.as_str(), waiting.reason, waiting.until), ("a", reason, None));
        assert!(waiting.message.starts_with(message), "{}", waiting.message);
        assert!(!waiting.runtime_is_away);
        let told = node.told(&mut seen);
        assert!(told.contains(&format!("Warning Failed spec.containers{{a}}: Error: {reason}")), "{told:?}");
        assert_eq!(node.running(), ["b"], "the others do not care");
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_inspected_is_told_about_twice_as_in_the_kubelet() {
    let (node, mut seen) = (Node::new(), 0);
    node.fake.fail("ImageStatus", 1, cri_client::Code::Unknown, "disk on fire");
    assert_eq!(brief(&node.sync(&simple()).await), ["a: ImageInspectError"]);
    let told = node.told(&mut seen);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("Warning InspectFailed spec.containers{a}: Failed to inspect image"),
        "{told:?}"
    );
    assert_eq!(told[1], "Warning Failed spec.containers{a}: Error: ImageInspectError");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_cannot_be_made_or_started_says_why() {
    for (rpc, reason, events) in [
        ("CreateContainer", "CreateContainerError", &["Pulled", "Failed"][..]),
        ("StartContainer", "RunContainerError", &["Pulled", "Created", "Failed"]),
    ] {
        let (node, mut seen) = (Node::new(), 0);
        node.fake.fail(rpc, 1, cri_client::Code::Unknown, "exec: \"nope\": not found");
        let pod = pod(json!({"containers": [{"name": "a"}, {"name": "b"}]}));
        let result = node.sync(&pod).await;
        let waiting = only(&result);
        assert_eq!((waiting.reason, waiting.message.as_str()), (reason, "exec: \"nope\": not found"));
        assert!(result.acted && !waiting.runtime_is_away);
        let of_a: Vec<_> = node.told(&mut seen).into_iter().filter(|line| line.contains("{a}")).collect();
        let reasons: Vec<_> = of_a.iter().map(|line| line.split(' ').nth(1).unwrap_or_default()).collect();
        assert_eq!(reasons, events);
        assert_eq!(
            of_a.last().map(String::as_str),
            Some("Warning Failed spec.containers{a}: Error: exec: \"nope\": not found")
        );
        assert_eq!(node.running(), ["b"]);
        // The next try succeeds; one that was made and not started is not used again.
        assert_eq!(node.sync(&pod).await.waiting, []);
        assert_eq!(node.running(), ["b", "a"]);
    }
}

#[tokio::test(start_paused = true)]
async fn events_show_a_containers_name_in_place_of_its_id() {
    let (node, mut seen) = (Node::new(), 0);
    // The fake counts: the sandbox is the first thing it makes.
    node.fake.fail("StartContainer", 1, cri_client::Code::Unknown, "task container-0002: no such file");
    let result = node.sync(&simple()).await;
    assert_eq!(
        only(&result).message,
        "task container-0002: no such file",
        "the status shows the runtime's own words"
    );
    assert_eq!(
        node.told(&mut seen).last().map(String::as_str),
        Some("Warning Failed spec.containers{a}: Error: task a: no such file")
    );
}

#[tokio::test(start_paused = true)]
async fn a_container_whose_configuration_is_refused_leaves_no_files_behind() {
    let (node, mut seen) = (Node::new(), 0);
    let pod = pod(json!({"containers": [{
        "name": "a", "securityContext": {"runAsNonRoot": true}, "terminationMessagePath": "/dev/termination-log",
    }]}));
    for _ in 0..3 {
        let result = node.sync(&pod).await;
        assert_eq!(only(&result).reason, "CreateContainerConfigError");
        assert!(result.acted, "it tried to");
    }
    let told = node.told(&mut seen);
    assert!(
        told[1].starts_with(
            "Warning Failed spec.containers{a}: Error: container has runAsNonRoot and image will run as root"
        ),
        "{told:?}"
    );
    assert_eq!(node.fake.count("CreateContainer"), 0);
    assert_eq!(names_in(&paths::container_dir(node.root(), &PodUid::new("uid-web"), "a")), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_init_container_stops_what_comes_after_it_and_a_sidecar_does_not() {
    let node = Node::new();
    let pod = pod(json!({
        "initContainers": [
            {"name": "s", "restartPolicy": "Always"}, {"name": "i"}, {"name": "t", "restartPolicy": "Always"},
        ],
        "containers": [{"name": "a"}, {"name": "b"}],
    }));
    node.fake.script("i", [Run::exits_after(seconds(1), 0)]);
    for _ in 0..4 {
        node.sync(&pod).await;
        pass(2).await;
    }
    assert_eq!(node.running(), ["s", "t", "a", "b"]);

    // Both sidecars and a container are started in one sync; each fails for itself.
    for name in ["s", "t", "a"] {
        node.fake.exit_container(&node.id(name), 1);
    }
    node.fake.fail("CreateContainer", 1, cri_client::Code::Unknown, "no");
    node.asked();
    assert_eq!(brief(&node.sync(&pod).await), ["s: CreateContainerError"]);
    let asked = [
        "CreateContainer s#1",
        "CreateContainer t#1",
        "StartContainer t#1",
        "CreateContainer a#1",
        "StartContainer a#1",
    ];
    assert_eq!(node.asked(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_regular_container_is_not_started_behind_an_init_container_that_failed_to() {
    let node = Node::new();
    // A sidecar's record is gone and the one in front of it is at its first start: both are due in one sync.
    let pod = pod(json!({
        "initContainers": [{"name": "s", "restartPolicy": "Always"}, {"name": "i"}],
        "containers": [{"name": "a"}],
    }));
    node.sync(&pod).await;
    node.fake.fail("CreateContainer", 1, cri_client::Code::Unknown, "no");
    node.asked();
    assert_eq!(brief(&node.sync(&pod).await), ["i: CreateContainerError"]);
    assert_eq!(node.asked(), ["CreateContainer i#0"]);
    assert_eq!(node.running(), ["s"]);
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_that_cannot_be_made_is_told_about_in_the_kubelets_words() {
    let (node, mut seen) = (Node::new(), 0);
    node.fake.fail("RunPodSandbox", 1, cri_client::Code::Unknown, "failed to setup network for sandbox");
    let result = node.sync(&simple()).await;
    let waiting = only(&result);
    assert_eq!((waiting.container.as_str(), waiting.reason), ("", "CreatePodSandboxError"));
    assert!(result.acted);
    assert_eq!(
        node.told(&mut seen),
        [
            "Warning FailedCreatePodSandBox: Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox"
        ]
    );
    assert_eq!(node.asked(), ["RunPodSandbox #0"]);
    assert_eq!(node.sync(&simple()).await.waiting, []);
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_that_cannot_be_inspected_is_used_by_the_next_sync() {
    let (node, mut seen) = (Node::new(), 0);
    node.fake.fail("PodSandboxStatus", 1, cri_client::Code::Internal, "later");
    assert_eq!(only(&node.sync(&simple()).await).reason, "CreatePodSandboxError");
    assert_eq!(
        node.told(&mut seen),
        [
            "Warning FailedPodSandBoxStatus: Unable to get pod sandbox status: rpc error: code = Internal desc = later"
        ]
    );
    assert_eq!(node.running(), [] as [&str; 0], "without its address nothing starts");
    node.asked();
    assert_eq!(node.sync(&simple()).await.waiting, []);
    assert_eq!(node.asked(), ["CreateContainer a#0", "StartContainer a#0"]);
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_that_cannot_be_described_is_not_blamed_on_the_runtime() {
    let (mut node, mut seen) = (Node::new(), 0);
    let pod = simple();
    node.sync(&pod).await;
    node.fake.exit_container(&node.id("a"), 1);
    let missing = node.folder().join("resolv.conf");
    node.settings.surroundings.resolv_conf = Some(missing.clone());
    node.restart_agent();
    let why =
        format!("read resolver configuration {}: No such file or directory (os error 2)", missing.display());
    let (told_before, _) = (node.told(&mut seen), node.asked());
    assert!(!told_before.is_empty());

    // It has its sandbox: nothing new can be started in it, and that is all.
    assert_eq!(only(&node.sync(&pod).await).reason, "ConfigPodSandboxError");
    let text = format!("GeneratePodSandboxConfig for pod \"web_default(uid-web)\" failed: {why}");
    assert_eq!(node.told(&mut seen), [format!("Warning FailedSync: Error syncing pod, skipping: {text}")]);

    node.fake.stop_sandbox_quietly(&node.fake.sandboxes()[0].id);
    assert_eq!(only(&node.sync(&pod).await).reason, "CreatePodSandboxError");
    let told = node.told(&mut seen);
    assert_eq!(
        told.last(),
        Some(&format!("Warning FailedCreatePodSandBox: Failed to create pod sandbox: {why}"))
    );
    assert_eq!(node.fake.count("RunPodSandbox"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_is_away_is_waited_for_without_a_word() {
    // At each call on the way, the runtime goes away.
    for rpc in ["RunPodSandbox", "PodSandboxStatus", "ImageStatus", "CreateContainer", "StartContainer"] {
        let (node, mut seen) = (Node::new(), 0);
        let pod = simple();
        node.fake.fail(rpc, 1, cri_client::Code::Unavailable, "connection refused");
        let result = node.sync(&pod).await;
        let waiting = only(&result);
        assert!(waiting.runtime_is_away && waiting.until.is_none(), "{rpc}: {waiting:?}");
        let told = node.told(&mut seen);
        let worries: Vec<_> = told.iter().filter(|line| line.starts_with("Warning Failed")).collect();
        assert!(worries.is_empty(), "{rpc}: {worries:?}");
        // And is taken up where it was left.
        assert_eq!(node.sync(&pod).await.waiting, [], "{rpc}");
        assert_eq!(node.running(), ["a"], "{rpc}");
        assert_eq!(node.fake.sandboxes().len(), 1, "{rpc}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_is_away_while_something_should_end_is_waited_for() {
    let node = Node::new();
    let pod = pod(json!({"restartPolicy": "Never", "containers": [{"name": "a"}]}));
    node.sync(&pod).await;
    node.fake.exit_container(&node.id("a"), 0);
    for (code, away) in [(cri_client::Code::Unavailable, true), (cri_client::Code::Unknown, false)] {
        node.fake.fail("StopPodSandbox", 1, code, "not now");
        let result = node.sync(&pod).await;
        let waiting = only(&result);
        assert_eq!((waiting.reason, waiting.runtime_is_away), ("KillPodSandboxError", away));
        assert!(result.acted);
    }
    assert_eq!(node.sync(&pod).await.waiting, []);
}
