//! Container logs as `kubectl logs` and the kubelet's rotation find them.

mod common;

use std::fs;

use common::{Node, eventually};
use cri_client::{RuntimeService as _, v1};

#[tokio::test]
async fn a_log_has_both_streams_in_the_order_of_arrival() {
    let node = Node::start().await;
    let sandbox = node.sandbox("talk").await;
    let script = "for i in 1 2 3; do echo out $i; sleep 0.05; echo err $i >&2; sleep 0.05; done; printf end";
    let status = node.exited(&node.run(&sandbox, "app", script).await).await;
    assert_eq!(status.log_path, node.dir.path().join("logs/talk/app/0.log").display().to_string());
    let log: Vec<_> =
        node.log(&status).into_iter().map(|(stream, tag, text)| format!("{stream} {tag} {text}")).collect();
    let expected = ["stdout F out 1", "stderr F err 1", "stdout F out 2", "stderr F err 2", "stdout F out 3"];
    assert_eq!(log, [&expected[..], &["stderr F err 3", "stdout P end"]].concat());
}

#[tokio::test]
async fn a_long_line_comes_in_parts() {
    let node = Node::start().await;
    let sandbox = node.sandbox("long").await;
    let script = "head -c 40000 /dev/zero | tr '\\0' x; echo; echo short";
    let log = node.log(&node.exited(&node.run(&sandbox, "app", script).await).await);
    let shape: Vec<_> = log.iter().map(|(_, tag, text)| (tag.as_str(), text.len())).collect();
    assert_eq!(shape, [("P", 16384), ("P", 16384), ("F", 7232), ("F", 5)]);
}

#[tokio::test]
async fn much_output_of_a_short_life_is_there_when_the_exit_is() {
    let node = Node::start().await;
    let sandbox = node.sandbox("burst").await;
    let log = node.log(&node.exited(&node.run(&sandbox, "app", "seq 1 50000").await).await);
    assert_eq!(log.len(), 50000);
    assert!(log.iter().zip(1..).all(|((_, _, text), number)| *text == number.to_string()));
}

#[tokio::test]
async fn rotation_loses_no_line() {
    let node = Node::start().await;
    let sandbox = node.sandbox("rotated").await;
    let id = node
        .run(&sandbox, "app", "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo $i; sleep 0.002; done")
        .await;
    let path = node.status(&id).await.expect("a status").log_path;
    let mut parts = Vec::new();
    for round in 0..4 {
        eventually("there is something to rotate", async || {
            fs::metadata(&path).is_ok_and(|meta| meta.len() > 500).then_some(())
        })
        .await;
        let rotated = format!("{path}.{round}");
        fs::rename(&path, &rotated).expect("rotated");
        let request = v1::ReopenContainerLogRequest { container_id: id.clone() };
        node.client.reopen_container_log(request).await.expect("reopened");
        assert!(fs::exists(&path).expect("looked"), "the file is there when the call returns");
        parts.push(rotated);
    }
    node.exited(&id).await;
    parts.push(path);
    let all: String = parts.iter().map(|part| fs::read_to_string(part).expect("a part")).collect();
    let numbers: Vec<u32> =
        all.lines().map(|l| common::parse_record(l).2.parse().expect("a number")).collect();
    assert_eq!(numbers, (1..=400).collect::<Vec<_>>());
    let request = v1::ReopenContainerLogRequest { container_id: id };
    let refused = node.client.reopen_container_log(request).await.expect_err("refused");
    assert_eq!(refused.message(), "container is not running");
}

#[tokio::test]
async fn a_container_without_a_log_path_runs_all_the_same() {
    let node = Node::start().await;
    let sandbox = node.sandbox("silent").await;
    let config = v1::ContainerConfig { log_path: String::new(), ..node.config("app", "seq 1 20000; exit 6") };
    let id = node.create(&sandbox, config).await.expect("created");
    node.start_container(&id).await.expect("started");
    let status = node.exited(&id).await;
    assert_eq!((status.exit_code, status.log_path.as_str()), (6, ""));
}
