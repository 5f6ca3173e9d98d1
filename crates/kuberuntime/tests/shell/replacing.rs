//! Containers and sandboxes that must make room for others.

use cri_client::fake::Run;
use cri_client::v1;
use pod_model::{ContainerState, PodRef};
use serde_json::json;

use crate::harness::{Node, pass, pod, seconds, simple};

const CHANGED: &str = "Normal SandboxChanged: Pod sandbox changed, it will be killed and re-created.";

#[tokio::test(start_paused = true)]
async fn a_stopped_sandbox_is_replaced_and_everything_in_it_starts_again() {
    let (node, mut seen) = (Node::new(), 0);
    let pod = pod(json!({
        "initContainers": [{"name": "i"}],
        "containers": [{"name": "a"}],
    }));
    node.fake.script("i", [Run::exits_after(seconds(1), 0)]);
    for _ in 0..2 {
        node.sync(&pod).await;
        pass(2).await;
    }
    let (old, init) = (node.fake.sandboxes()[0].id.clone(), node.id("i"));
    node.fake.stop_sandbox_quietly(&old);
    node.told(&mut seen);
    node.asked();

    assert_eq!(node.sync(&pod).await.waiting, []);
    assert_eq!(
        node.asked(),
        [
            "StopPodSandbox".to_owned(),
            format!("RemoveContainer {init}"),
            "RunPodSandbox #1".into(),
            "CreateContainer i#1".into(),
            "StartContainer i#1".into(),
        ]
    );
    assert_eq!(node.told(&mut seen)[0], CHANGED);
    pass(2).await;
    node.sync(&pod).await;
    assert_eq!(node.asked(), ["CreateContainer a#1", "StartContainer a#1"]);
    let status = node.status(&PodRef::of(&pod)).await;
    assert_ne!(status.containers[0].sandbox_id, old);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_moves_into_another_network_is_ended_gracefully_first_and_nothing_is_told_of_a_change() {
    let (node, mut seen) = (Node::new(), 0);
    node.sync(&simple()).await;
    node.told(&mut seen);
    node.asked();
    let moved =
        pod(json!({"hostNetwork": true, "terminationGracePeriodSeconds": 7, "containers": [{"name": "a"}]}));
    node.sync(&moved).await;
    assert_eq!(
        node.asked(),
        [
            "StopContainer a#0 7s",
            "StopPodSandbox",
            "RunPodSandbox #1",
            "CreateContainer a#1",
            "StartContainer a#1"
        ]
    );
    let told = node.told(&mut seen);
    assert_eq!(told[0], "Normal Killing spec.containers{a}: Stopping container a");
    assert!(!told.contains(&CHANGED.to_owned()), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_container_with_another_definition_is_ended_before_its_successor_starts() {
    let (node, mut seen) = (Node::new(), 0);
    node.fake.add_image("busybox:2", "sha256:bb");
    node.fake.script("a", [Run { on_term: Some((seconds(3), 0)), ..Run::until_stopped() }]);
    node.sync(&simple()).await;
    node.told(&mut seen);
    node.asked();
    let edited = pod(json!({
        "terminationGracePeriodSeconds": 30,
        "containers": [{"name": "a", "image": "busybox:2"}],
    }));
    let before = node.clock.now();
    assert_eq!(node.sync(&edited).await.waiting, []);
    assert_eq!(node.clock.now().duration_since(before).as_secs(), 3, "the old one had its time");
    assert_eq!(node.asked(), ["StopContainer a#0 30s", "CreateContainer a#1", "StartContainer a#1"]);
    let told = node.told(&mut seen);
    assert_eq!(
        told[0],
        "Normal Killing spec.containers{a}: Container a definition changed, will be restarted"
    );
}

#[tokio::test(start_paused = true)]
async fn when_an_unwanted_container_cannot_be_ended_nothing_else_is_done() {
    let node = Node::new();
    node.fake.add_image("busybox:2", "sha256:bb");
    node.sync(&simple()).await;
    node.asked();
    node.fake.fail("StopContainer", 1, cri_client::Code::Unknown, "stuck");
    let edited = pod(json!({"containers": [{"name": "a", "image": "busybox:2"}, {"name": "b"}]}));
    let result = node.sync(&edited).await;
    assert_eq!(
        (result.waiting[0].reason, result.waiting[0].message.as_str()),
        ("KillContainerError", "stuck")
    );
    assert_eq!(node.asked(), ["StopContainer a#0 2s"], "two of one name must not run");
    node.sync(&edited).await;
    assert_eq!(node.running(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_leftover_of_a_killed_agent_is_ended_and_its_successor_stays() {
    let (node, mut seen) = (Node::new(), 0);
    let pod = simple();
    node.sync(&pod).await;
    // The agent looked before the start and was killed during it: the next one starts another.
    let blind = pod_model::PodStatus { containers: vec![], ..node.status(&PodRef::of(&pod)).await };
    std::fs::write(node.log_dir(&pod).join("a/0.log"), "").expect("written");
    pass(1).await;
    node.runtime.sync_pod(&pod, &blind).await;
    assert_eq!(node.running(), ["a", "a"]);
    node.told(&mut seen);
    node.asked();
    node.sync(&pod).await;
    assert_eq!(node.asked(), ["StopContainer a#0 2s"]);
    assert_eq!(
        node.told(&mut seen),
        ["Normal Killing spec.containers{a}: Container a is a leftover beside a newer one"]
    );
    assert!(!node.sync(&pod).await.acted);
}

#[tokio::test(start_paused = true)]
async fn of_an_init_container_only_the_last_run_is_kept() {
    let node = Node::new();
    node.fake.script("i", [Run::exits_after(seconds(1), 1)]);
    let pod = pod(json!({"initContainers": [{"name": "i"}], "containers": [{"name": "a"}]}));
    for _ in 0..4 {
        // Long enough for any back-off so far.
        node.sync(&pod).await;
        pass(100).await;
    }
    let kept = node.fake.containers();
    let attempts: Vec<_> = kept.iter().map(|c| c.metadata.clone().unwrap_or_default().attempt).collect();
    assert_eq!(attempts, [2, 3], "the one before the start is removed by the next sync");
    let removed = node.fake.requests::<v1::RemoveContainerRequest>().len();
    assert_eq!(removed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_init_container_is_ended_once_when_its_pod_starts_over() {
    let (node, mut seen) = (Node::new(), 0);
    let pod = pod(json!({"initContainers": [{"name": "i"}], "containers": [{"name": "a"}]}));
    node.sync(&pod).await;
    let mut status = node.status(&PodRef::of(&pod)).await;
    status.containers[0].state = ContainerState::Unknown;
    status.sandboxes[0].set_state(v1::PodSandboxState::SandboxNotready);
    let id = node.id("i");
    node.told(&mut seen);
    node.asked();
    node.runtime.sync_pod(&pod, &status).await;
    let told = node.told(&mut seen);
    let kills = told.iter().filter(|line| line.starts_with("Normal Killing"));
    assert_eq!(kills.collect::<Vec<_>>(), ["Normal Killing spec.initContainers{i}: Stopping container i"]);
    let asked = node.asked();
    assert_eq!(asked.iter().filter(|line| line.starts_with("StopContainer")).count(), 1, "{asked:?}");
    assert!(asked.contains(&format!("RemoveContainer {id}")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_done_is_ended_with_its_sidecar_and_no_new_sandbox_is_made() {
    let node = Node::new();
    let pod = pod(json!({
        "restartPolicy": "Never",
        "initContainers": [{"name": "s", "restartPolicy": "Always"}],
        "containers": [{"name": "a"}],
    }));
    for _ in 0..2 {
        node.sync(&pod).await;
    }
    node.fake.exit_container(&node.id("a"), 0);
    node.asked();
    let result = node.sync(&pod).await;
    assert_eq!((result.acted, result.waiting), (true, vec![]));
    assert_eq!(node.asked(), ["StopContainer s#0 2s", "StopPodSandbox"]);
    node.sync(&pod).await;
    assert_eq!(node.asked(), ["StopPodSandbox"]);
}
