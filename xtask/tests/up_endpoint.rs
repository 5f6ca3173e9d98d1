//! `up --endpoint` on a runtime that somebody else uses.

use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use clock::Clock;
use cri_client::fake::FakeRuntime;
use cri_client::{RuntimeService as _, v1};
use tokio_stream::wrappers::UnixListenerStream;

/// A runtime in memory on a socket in `dir`, with one pod of another kubelet.
async fn runtime_of_somebody_else(dir: &std::path::Path) -> (Arc<FakeRuntime>, String) {
    let runtime = FakeRuntime::new(Clock::system());
    let labels = [
        ("io.kubernetes.pod.name", "precious-node7"),
        ("io.kubernetes.pod.namespace", "production"),
        ("io.kubernetes.pod.uid", "0d6c1f4c1f0e"),
    ];
    let config = v1::PodSandboxConfig {
        metadata: Some(v1::PodSandboxMetadata {
            name: "precious-node7".to_owned(),
            namespace: "production".to_owned(),
            uid: "0d6c1f4c1f0e".to_owned(),
            attempt: 0,
        }),
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect(),
        ..Default::default()
    };
    let request = v1::RunPodSandboxRequest { config: Some(config), runtime_handler: String::new() };
    runtime.run_pod_sandbox(request).await.expect("a sandbox");
    runtime.clear_calls();

    let socket = dir.join("runtime.sock");
    let listener = tokio::net::UnixListener::bind(&socket).expect("a socket");
    tokio::spawn(cri_client::serve(
        runtime.clone(),
        UnixListenerStream::new(listener),
        std::future::pending(),
    ));
    (runtime, format!("unix://{}", socket.display()))
}

async fn up(arguments: &[&str]) -> Output {
    let mut xtask = tokio::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.arg("up").args(arguments).args(["--for", "1"]).kill_on_drop(true);
    tokio::time::timeout(Duration::from_secs(60), xtask.output()).await.expect("an end").expect("started")
}

#[tokio::test]
async fn a_runtime_with_somebody_elses_pods_is_refused_by_name_and_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let (runtime, endpoint) = runtime_of_somebody_else(dir.path()).await;

    let refused = up(&["--endpoint", &endpoint]).await;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("production/precious-node7"), "the pod is named: {said}");
    assert!(said.contains("--adopt"), "the way on is named: {said}");
    let asked: Vec<&str> = runtime.calls().iter().map(|call| call.rpc).collect();
    assert!(!asked.is_empty() && asked.iter().all(|rpc| rpc.starts_with("List")), "only looked: {asked:?}");
    assert_eq!(runtime.sandboxes().len(), 1, "the pod is still there");
}

#[tokio::test]
async fn a_runtime_that_does_not_answer_is_reported_with_its_socket() {
    let dir = tempfile::tempdir().expect("a directory");
    let endpoint = format!("unix://{}/nobody.sock", dir.path().display());
    let refused = up(&["--endpoint", &endpoint]).await;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains(&endpoint), "{said}");
}
