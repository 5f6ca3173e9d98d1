//! The end of a pod: who ends when, within which grace.

use cri_client::fake::Run;
use cri_client::v1;
use pod_model::{ContainerState, PodRef};
use serde_json::json;

use crate::harness::{Node, pass, pod, seconds};

fn ends_after(wait: u64) -> Run {
    Run { on_term: Some((seconds(wait), 0)), ..Run::until_stopped() }
}

/// Two sidecars and two containers, all running.
async fn pod_with_sidecars(node: &Node) -> pod_model::Pod {
    let pod = pod(json!({
        "terminationGracePeriodSeconds": 30,
        "initContainers": [{"name": "s", "restartPolicy": "Always"}, {"name": "t", "restartPolicy": "Always"}],
        "containers": [{"name": "a"}, {"name": "b"}],
    }));
    for _ in 0..3 {
        node.sync(&pod).await;
    }
    assert_eq!(node.running(), ["s", "t", "a", "b"]);
    node.asked();
    pod
}

/// `name at grace` of each stop, in order, as seconds since `from`.
fn stops(node: &Node, from: std::time::Duration) -> Vec<String> {
    let name = |id: &str| {
        let found = node.fake.containers().into_iter().find(|c| c.id == id);
        found.and_then(|c| c.metadata).unwrap_or_default().name
    };
    let stop = |call: &cri_client::RecordedCall| {
        use cri_client::Call as _;
        let is_stop = call.rpc == v1::StopContainerRequest::RPC;
        let asked: Option<v1::StopContainerRequest> = is_stop.then(|| prost_decode(&call.request)).flatten();
        asked.map(|asked| {
            format!("{} at {}s for {}s", name(&asked.container_id), (call.at - from).as_secs(), asked.timeout)
        })
    };
    node.fake.calls().iter().filter_map(stop).collect()
}

fn prost_decode<R: cri_client::Call>(bytes: &[u8]) -> Option<R> {
    R::decode(bytes).ok()
}

/// The moment of now, as the fake counts.
async fn moment(node: &Node) -> std::time::Duration {
    node.status(&PodRef { namespace: String::new(), name: String::new(), uid: pod_model::PodUid::new("") })
        .await;
    node.fake.calls().last().expect("a call").at
}

#[tokio::test(start_paused = true)]
async fn sidecars_end_after_the_others_and_in_reverse_order_within_one_grace() {
    let (node, mut seen) = (Node::new(), 0);
    for (name, run) in
        [("s", ends_after(1)), ("t", ends_after(2)), ("a", ends_after(5)), ("b", ends_after(3))]
    {
        node.fake.script(name, [run]);
    }
    let pod = pod_with_sidecars(&node).await;
    node.told(&mut seen);
    let began = moment(&node).await;
    node.kill(&pod, None).await.expect("ended");
    assert_eq!(
        stops(&node, began),
        ["a at 0s for 30s", "b at 0s for 30s", "t at 5s for 25s", "s at 7s for 23s"]
    );
    assert_eq!((moment(&node).await - began).as_secs(), 8);
    // All are told at once; only the signal waits.
    let mut told = node.told(&mut seen);
    told.sort();
    assert_eq!(
        told,
        [
            "Normal Killing spec.containers{a}: Stopping container a",
            "Normal Killing spec.containers{b}: Stopping container b",
            "Normal Killing spec.initContainers{s}: Stopping container s",
            "Normal Killing spec.initContainers{t}: Stopping container t",
        ]
    );
    assert_eq!(node.asked().last().map(String::as_str), Some("StopPodSandbox"));
    assert_eq!(node.fake.count("RemovePodSandbox"), 0, "that is garbage collection's");
}

#[tokio::test(start_paused = true)]
async fn a_deaf_container_uses_up_the_grace_and_sidecars_still_get_two_seconds() {
    let node = Node::new();
    for name in ["s", "t", "a"] {
        node.fake.script(name, [Run::until_stopped().deaf()]);
    }
    let pod = pod_with_sidecars(&node).await;
    let began = moment(&node).await;
    node.kill(&pod, None).await.expect("ended");
    let stops = stops(&node, began);
    assert_eq!(stops[..2], ["a at 0s for 30s", "b at 0s for 30s"]);
    // Their turn comes with the end of the grace, in whatever order.
    let mut late = stops[2..].to_vec();
    late.sort();
    assert_eq!(late, ["s at 30s for 2s", "t at 30s for 2s"]);
    assert_eq!((moment(&node).await - began).as_secs(), 32);
    assert_eq!(node.running(), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_given_grace_replaces_the_pods_own_and_without_any_nobody_waits() {
    for (grace, stopped) in [
        (Some(10), ["a at 0s for 10s", "b at 0s for 10s", "t at 4s for 6s", "s at 4s for 6s"]),
        (Some(1), ["a at 0s for 2s", "b at 0s for 2s", "s at 1s for 2s", "t at 1s for 2s"]),
        (Some(0), ["s at 0s for 2s", "t at 0s for 2s", "a at 0s for 2s", "b at 0s for 2s"]),
    ] {
        let node = Node::new();
        node.fake.script("a", [ends_after(4)]);
        let pod = pod_with_sidecars(&node).await;
        let began = moment(&node).await;
        node.kill(&pod, grace).await.expect("ended");
        assert_eq!(stops(&node, began), stopped, "{grace:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_container_that_cannot_be_ended_does_not_hold_up_the_others() {
    let node = Node::new();
    let pod = pod_with_sidecars(&node).await;
    node.fake.fail("StopContainer", 1, cri_client::Code::Unknown, "stuck");
    let began = moment(&node).await;
    let error = node.kill(&pod, None).await.expect_err("one is stuck");
    assert_eq!(error.message(), "stuck");
    assert_eq!(
        stops(&node, began),
        ["a at 0s for 30s", "b at 0s for 30s", "t at 0s for 30s", "s at 0s for 30s"]
    );
    // The sandbox took it along.
    assert_eq!(node.running(), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_already_is_ended_well() {
    for rpc in ["StopContainer", "StopPodSandbox"] {
        let node = Node::new();
        let pod = pod_with_sidecars(&node).await;
        node.fake.fail(rpc, 4, cri_client::Code::NotFound, "not found");
        node.kill(&pod, None).await.expect("ended");
        node.fake.fail(rpc, 4, cri_client::Code::Unavailable, "connection refused");
        let running = rpc == "StopPodSandbox" || !node.running().is_empty();
        assert_eq!(node.kill(&pod, None).await.is_err(), running, "{rpc}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_only_the_runtime_knows_is_ended_by_what_its_containers_tell() {
    let (node, mut seen) = (Node::new(), 0);
    let pod = pod(json!({"terminationGracePeriodSeconds": 9, "containers": [{"name": "a"}]}));
    node.sync(&pod).await;
    node.told(&mut seen);
    node.asked();
    let status = node.status(&PodRef::of(&pod)).await;
    node.runtime.kill_pod(None, &status, None).await.expect("ended");
    assert_eq!(node.asked(), ["StopContainer a#0 9s", "StopPodSandbox"]);
    assert_eq!(
        node.told(&mut seen),
        ["Normal Killing implicitly required container a: Stopping container a"]
    );
}

#[tokio::test(start_paused = true)]
async fn all_sandboxes_are_stopped_and_what_may_live_is_ended() {
    let node = Node::new();
    let pod = pod(json!({"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}));
    node.sync(&pod).await;
    node.fake.stop_sandbox_quietly(&node.fake.sandboxes()[0].id);
    pass(1).await;
    node.sync(&pod).await;
    node.asked();
    let mut status = node.status(&PodRef::of(&pod)).await;
    let newest = |status: &pod_model::PodStatus, name: &str| {
        status.containers.iter().position(|c| c.name == name).expect("a container")
    };
    let (b, c) = (newest(&status, "b"), newest(&status, "c"));
    status.containers[b].state = ContainerState::Unknown;
    status.containers[c].state = ContainerState::Created;
    node.runtime.kill_pod(Some(&pod), &status, Some(1)).await.expect("ended");
    let mut asked = node.asked();
    asked.sort();
    assert_eq!(asked, ["StopContainer a#1 2s", "StopContainer b#1 2s", "StopPodSandbox", "StopPodSandbox"]);
}
