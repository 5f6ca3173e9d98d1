//! Only so many pods start at a time.

use std::time::Duration;

use cri_client::RecordedCall;
use futures::future::join_all;
use serde_json::json;

use crate::harness::{Node, named, seconds};

fn at(node: &Node, rpc: &str) -> Vec<Duration> {
    let of = |call: &&RecordedCall| call.rpc == rpc;
    node.fake.calls().iter().filter(of).map(|call| call.at).collect()
}

/// How many calls of that kind were under way at once, at most, if each took `long`.
fn most_at_once(node: &Node, rpc: &str, long: Duration) -> usize {
    let begins = at(node, rpc);
    begins
        .iter()
        .map(|now| begins.iter().filter(|b| *b <= now && **b + long > *now).count())
        .max()
        .unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn four_pods_start_at_a_time_and_each_is_finished_before_another_begins() {
    let node = Node::new();
    node.fake.delay("RunPodSandbox", seconds(10));
    node.fake.delay("StartContainer", seconds(1));
    let pods: Vec<_> =
        (0..12).map(|n| named(&format!("web{n}"), json!({"containers": [{"name": "a"}]}))).collect();
    let results = join_all(pods.iter().map(|pod| node.sync(pod))).await;
    assert!(results.iter().all(|result| result.waiting.is_empty()), "{results:?}");
    assert_eq!(node.running().len(), 12);
    assert_eq!(most_at_once(&node, "RunPodSandbox", seconds(10)), 4);
    // Three rounds of 11 s: the sandbox, then its container, and only then the next pod.
    let begins: Vec<u64> = at(&node, "RunPodSandbox").iter().map(Duration::as_secs).collect();
    assert_eq!(begins, [0, 0, 0, 0, 11, 11, 11, 11, 22, 22, 22, 22]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_fetches_an_image_lets_others_start() {
    let node = Node::new();
    node.fake.offer_image("far:1", "sha256:ff");
    node.fake.delay("RunPodSandbox", seconds(1));
    node.fake.delay("PullImage", seconds(600));
    let far = |n| named(&format!("far{n}"), json!({"containers": [{"name": "a", "image": "far:1"}]}));
    let near = |n| named(&format!("near{n}"), json!({"containers": [{"name": "a"}]}));
    let far: Vec<_> = (0..6).map(far).collect();
    let near: Vec<_> = (0..4).map(near).collect();
    let fetching = join_all(far.iter().map(|pod| node.sync(pod)));
    let others = async {
        tokio::time::sleep(seconds(5)).await;
        // All of them have their sandbox by now, and wait for the image.
        assert_eq!(node.fake.sandboxes().len(), 6);
        join_all(near.iter().map(|pod| node.sync(pod))).await;
        node.clock.now()
    };
    let began = node.clock.now();
    let (results, others_ran) = tokio::join!(fetching, others);
    assert_eq!(others_ran.duration_since(began).as_secs(), 6, "nobody waited for the image");
    assert!(results.iter().all(|result| result.waiting.is_empty()), "{results:?}");
    assert_eq!(node.running().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn after_the_image_a_place_is_waited_for_again() {
    let node = Node::new();
    node.fake.delay("StartContainer", seconds(10));
    node.fake.offer_image("far:1", "sha256:ff");
    let pods: Vec<_> = (0..9)
        .map(|n| {
            named(
                &format!("far{n}"),
                json!({"containers": [{"name": "a", "image": "far:1", "imagePullPolicy": "Always"}]}),
            )
        })
        .collect();
    join_all(pods.iter().map(|pod| node.sync(pod))).await;
    assert_eq!(node.running().len(), 9);
    assert_eq!(most_at_once(&node, "StartContainer", seconds(10)), 4);
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_is_called_off_and_one_that_fails_give_their_places_back() {
    let node = Node::new();
    node.fake.delay("RunPodSandbox", seconds(10));
    let pods: Vec<_> =
        (0..4).map(|n| named(&format!("off{n}"), json!({"containers": [{"name": "a"}]}))).collect();
    let all = join_all(pods.iter().map(|pod| node.sync(pod)));
    assert!(tokio::time::timeout(seconds(1), all).await.is_err(), "they are still starting");

    node.fake.fail("RunPodSandbox", 4, cri_client::Code::Unknown, "no");
    for pod in &pods {
        assert_eq!(node.sync(pod).await.waiting[0].reason, "CreatePodSandboxError");
    }
    let began = node.clock.now();
    node.sync(&pods[0]).await;
    assert_eq!(node.clock.now().duration_since(began).as_secs(), 10, "there was room at once");
    assert_eq!(node.running(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_restart_takes_nobodys_place() {
    let node = Node::new();
    node.fake.script("a", [cri_client::fake::Run::exits_after(seconds(1), 1)]);
    let loops: Vec<_> =
        (0..4).map(|n| named(&format!("loop{n}"), json!({"containers": [{"name": "a"}]}))).collect();
    for _ in 0..2 {
        join_all(loops.iter().map(|pod| node.sync(pod))).await;
        tokio::time::sleep(seconds(2)).await;
    }
    let results = join_all(loops.iter().map(|pod| node.sync(pod))).await;
    assert!(results.iter().all(|result| result.waiting[0].reason == "CrashLoopBackOff"), "{results:?}");
    node.sync(&named("other", json!({"containers": [{"name": "b"}]}))).await;
    assert_eq!(node.running(), ["b"]);
}
