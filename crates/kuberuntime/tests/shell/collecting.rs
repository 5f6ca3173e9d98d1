//! Removing the dead, their logs and the links to them.

use std::fs;
use std::os::unix::fs::symlink;

use cri_client::fake::Run;
use pod_model::{ContainerState, PodRef, PodUid};
use serde_json::json;

use crate::harness::{Node, names_in, pass, pod, seconds, simple};

/// A pod whose container ended `times` times, with a log and a link for each run.
async fn crashed(node: &Node, times: usize) -> pod_model::Pod {
    node.fake.script("a", [Run::exits_after(seconds(1), 1)]);
    let pod = simple();
    for run in 0..times {
        assert_eq!(node.sync(&pod).await.waiting, []);
        for suffix in ["", ".20260101-120000.gz"] {
            fs::write(node.log_dir(&pod).join(format!("a/{run}.log{suffix}")), "").expect("written");
        }
        let link = node.folder().join(format!("log/containers/web_default_a-{}.log", node.id("a")));
        symlink(node.log_dir(&pod).join(format!("a/{run}.log")), link).expect("a link");
        // Long enough for any back-off so far.
        pass(100).await;
    }
    node.asked();
    pod
}

#[tokio::test(start_paused = true)]
async fn one_dead_container_of_each_name_is_kept_and_the_logs_of_the_others_go() {
    let node = Node::new();
    let pod = crashed(&node, 3).await;
    let ids: Vec<String> = node.fake.containers().into_iter().map(|c| c.id).collect();
    assert!(node.collect(&pod, false).await);
    assert_eq!(node.asked(), [format!("RemoveContainer {}", ids[0]), format!("RemoveContainer {}", ids[1])]);
    assert_eq!(names_in(&node.log_dir(&pod).join("a")), ["2.log", "2.log.20260101-120000.gz"]);
    assert_eq!(node.links(), [format!("web_default_a-{}.log", ids[2])]);
    assert!(!node.collect(&pod, false).await, "nothing is left to do");
    assert_eq!(node.asked(), [] as [&str; 0]);
    // What is kept carries the count on.
    node.sync(&pod).await;
    assert_eq!(node.asked(), ["CreateContainer a#3", "StartContainer a#3"]);
}

#[tokio::test(start_paused = true)]
async fn of_a_pod_that_is_gone_nothing_is_kept() {
    let node = Node::new();
    let pod = crashed(&node, 2).await;
    node.kill(&pod, Some(1)).await.expect("ended");
    node.asked();
    assert!(node.collect(&pod, true).await);
    assert_eq!(
        node.asked().iter().map(|l| l.split(' ').next().unwrap_or_default()).collect::<Vec<_>>(),
        ["RemoveContainer", "RemoveContainer", "StopPodSandbox", "RemovePodSandbox",]
    );
    assert_eq!((node.fake.containers().len(), node.fake.sandboxes().len()), (0, 0));
    assert_eq!(node.links(), [] as [&str; 0]);
    assert!(node.log_dir(&pod).exists());
    node.runtime.collect_logs_of(&PodRef::of(&pod));
    assert!(!node.log_dir(&pod).exists());
    // Twice is as good as once.
    node.runtime.collect_logs_of(&PodRef::of(&pod));
    assert!(!node.collect(&pod, true).await);
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_that_still_holds_a_container_is_not_removed() {
    let node = Node::new();
    let pod = crashed(&node, 1).await;
    node.kill(&pod, Some(1)).await.expect("ended");
    node.asked();
    node.fake.fail("RemoveContainer", 1, cri_client::Code::Unknown, "busy");
    assert!(node.collect(&pod, true).await, "there was something to remove");
    assert_eq!(node.fake.count("RemovePodSandbox"), 0);
    assert_eq!(node.fake.sandboxes().len(), 1);
    node.collect(&pod, true).await;
    assert_eq!((node.fake.containers().len(), node.fake.sandboxes().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_gone_already_does_not_keep_its_sandbox() {
    let node = Node::new();
    let pod = crashed(&node, 1).await;
    node.kill(&pod, Some(1)).await.expect("ended");
    node.fake.fail("RemoveContainer", 1, cri_client::Code::NotFound, "not found");
    node.collect(&pod, true).await;
    assert_eq!(node.fake.sandboxes().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_that_cannot_be_stopped_is_not_removed() {
    let node = Node::new();
    let pod = crashed(&node, 1).await;
    node.kill(&pod, Some(1)).await.expect("ended");
    node.fake.fail("StopPodSandbox", 1, cri_client::Code::Unknown, "busy");
    node.collect(&pod, true).await;
    assert_eq!(node.fake.sandboxes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_runtime_lost_track_of_is_ended_before_it_is_removed() {
    let (node, mut seen) = (Node::new(), 0);
    let pod = pod(json!({"terminationGracePeriodSeconds": 8, "containers": [{"name": "a"}]}));
    node.sync(&pod).await;
    let mut status = node.status(&PodRef::of(&pod)).await;
    status.containers[0].state = ContainerState::Unknown;
    status.sandboxes.clear();
    node.told(&mut seen);
    node.asked();
    let id = node.id("a");

    node.fake.fail("StopContainer", 1, cri_client::Code::Unknown, "stuck");
    node.runtime.collect_garbage(&status, true).await;
    assert_eq!(node.asked(), ["StopContainer a#0 8s"], "it may live: it stays");
    node.runtime.collect_garbage(&status, true).await;
    assert_eq!(node.fake.containers().len(), 0);
    assert_eq!(node.asked(), [format!("StopContainer {id} 8s"), format!("RemoveContainer {id}")]);
    let text = "Normal Killing implicitly required container a: Container is in unknown state, try killing it before removal";
    assert_eq!(node.told(&mut seen), [text, text]);
}

#[tokio::test(start_paused = true)]
async fn log_folders_of_unwanted_pods_go_and_links_that_lead_nowhere() {
    let node = Node::new();
    let logs = &node.settings.pod_logs_dir;
    for name in ["default_gone_u1", "default_here_u2", "not-a-pod"] {
        fs::create_dir_all(logs.join(name).join("a")).expect("made");
    }
    let links = node.folder().join("log/containers");
    let here = logs.join("default_here_u2/a/0.log");
    fs::write(&here, "").expect("written");
    symlink(&here, links.join("here_default_a-aaaaaa.log")).expect("a link");
    let absent = logs.join("default_here_u2/a/1.log");
    // One whose log is being rotated at this moment, one that is dead, and what is no link of ours.
    for name in ["here_default_a-bbbbbb.log", "here_default_a-cccccc.log", "README"] {
        symlink(&absent, links.join(name)).expect("a link");
    }
    node.runtime.collect_logs(|uid| *uid == PodUid::new("u1"), |id| id == "bbbbbb");
    assert_eq!(names_in(logs), ["default_here_u2", "not-a-pod"]);
    assert_eq!(node.links(), ["README", "here_default_a-aaaaaa.log", "here_default_a-bbbbbb.log"]);
}
