//! The runtime as a value inside this process, which is how the agent has it, with shims of the test's choosing.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{BINARY, Node, assert_counted, count_to, eventually};
use cri_client::v1::ContainerState;
use cri_client::{RuntimeService as _, v1};
use embedded_runtime::{EmbeddedRuntime, Error, Options, ShimCommand};

fn options(node: &Node, shim: ShimCommand) -> Options {
    let state_dir = node.dir.path().join("state-in-process");
    Options { state_dir, shim, clock: clock::Clock::system(), random: clock::Random::seeded(1) }
}

/// A shim that does something else first.
fn shim_after(first: &str) -> ShimCommand {
    let script = format!("{first}; exec {BINARY} embedded-shim \"$0\"");
    ShimCommand { program: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()] }
}

/// A runtime with such shims, and a created container of it.
async fn created(node: &Node, shim: ShimCommand, script: &str) -> (Arc<EmbeddedRuntime>, String, String) {
    let runtime = EmbeddedRuntime::open(options(node, shim)).await.expect("opened");
    let request =
        v1::RunPodSandboxRequest { config: Some(node.sandbox_config("inside", 0)), ..Default::default() };
    let sandbox = runtime.run_pod_sandbox(request).await.expect("a sandbox").pod_sandbox_id;
    let config = Some(node.config("app", script));
    let request =
        v1::CreateContainerRequest { pod_sandbox_id: sandbox.clone(), config, sandbox_config: None };
    let id = runtime.create_container(request).await.expect("created").container_id;
    (runtime, sandbox, id)
}

async fn status(runtime: &EmbeddedRuntime, id: &str) -> v1::ContainerStatus {
    let request = v1::ContainerStatusRequest { container_id: id.to_owned(), verbose: false };
    runtime.container_status(request).await.expect("a status").status.expect("a status")
}

#[tokio::test]
async fn a_sandbox_that_is_stopped_while_a_container_starts_ends_that_container_too() {
    let node = Node::start().await;
    let (runtime, sandbox, id) = created(&node, shim_after("sleep 0.3"), "exec sleep 1000").await;
    let start = runtime.start_container(v1::StartContainerRequest { container_id: id.clone() });
    let launched = node.dir.path().join("state-in-process/containers").join(&id).join("launched");
    let stop = async {
        eventually("the shim is launched", async || launched.exists().then_some(())).await;
        runtime.stop_pod_sandbox(v1::StopPodSandboxRequest { pod_sandbox_id: sandbox.clone() }).await
    };
    let (started, stopped) = tokio::join!(start, stop);
    started.expect("started");
    stopped.expect("stopped");
    let after = status(&runtime, &id).await;
    assert_eq!((after.state(), after.exit_code), (ContainerState::ContainerExited, 137));
    runtime
        .remove_pod_sandbox(v1::RemovePodSandboxRequest { pod_sandbox_id: sandbox })
        .await
        .expect("removed");
    node.no_process_is_left().await;
}

#[tokio::test]
async fn a_start_goes_on_when_its_caller_loses_patience() {
    let node = Node::start().await;
    let (runtime, sandbox, id) = created(&node, shim_after("sleep 0.3"), "exec sleep 1000").await;
    let start = runtime.start_container(v1::StartContainerRequest { container_id: id.clone() });
    tokio::time::timeout(Duration::from_millis(20), start).await.expect_err("the shim is slow");
    assert_eq!(status(&runtime, &id).await.state(), ContainerState::ContainerCreated);
    let again = runtime.start_container(v1::StartContainerRequest { container_id: id.clone() }).await;
    assert!(again.expect_err("it is starting").message().contains("is in CONTAINER_CREATED state"));
    eventually("it runs", async || {
        (status(&runtime, &id).await.state() == ContainerState::ContainerRunning).then_some(())
    })
    .await;
    runtime
        .remove_pod_sandbox(v1::RemovePodSandboxRequest { pod_sandbox_id: sandbox })
        .await
        .expect("removed");
    node.no_process_is_left().await;
}

#[tokio::test]
async fn a_shim_that_does_not_work_is_a_start_error_with_its_words() {
    let node = Node::start().await;
    let (runtime, _, id) = created(&node, shim_after("echo no luck >&2; exit 1"), "exit 0").await;
    let start = runtime.start_container(v1::StartContainerRequest { container_id: id.clone() }).await;
    assert_eq!(start.expect_err("refused").message(), "shim: no luck");
    let after = status(&runtime, &id).await;
    assert_eq!((after.state(), after.exit_code), (ContainerState::ContainerExited, 128));
    assert_eq!(after.reason, "StartError");
}

#[tokio::test]
async fn a_runtime_inside_the_process_behaves_the_same() {
    let node = Node::start().await;
    let options = options(&node, ShimCommand::of(BINARY.into()));
    let runtime = EmbeddedRuntime::open(options.clone()).await.expect("opened");
    assert!(matches!(EmbeddedRuntime::open(options.clone()).await, Err(Error::InUse { .. })));
    let request =
        v1::RunPodSandboxRequest { config: Some(node.sandbox_config("inside", 0)), ..Default::default() };
    let sandbox = runtime.run_pod_sandbox(request).await.expect("a sandbox").pod_sandbox_id;
    let config = Some(node.config("app", &count_to(50, "exit 3")));
    let request =
        v1::CreateContainerRequest { pod_sandbox_id: sandbox.clone(), config, sandbox_config: None };
    let id = runtime.create_container(request).await.expect("created").container_id;
    runtime.start_container(v1::StartContainerRequest { container_id: id.clone() }).await.expect("started");
    drop(runtime);
    let runtime = EmbeddedRuntime::open(options).await.expect("opened again");
    let status = eventually("it has exited", async || {
        let request = v1::ContainerStatusRequest { container_id: id.clone(), verbose: false };
        let status = runtime.container_status(request).await.expect("a status").status.expect("a status");
        (status.state() == ContainerState::ContainerExited).then_some(status)
    })
    .await;
    assert_eq!(status.exit_code, 3);
    assert_counted(&node, &status, 50);
    let missing = v1::ContainerStatusRequest { container_id: "nobody".to_owned(), verbose: false };
    let error = runtime.container_status(missing).await.expect_err("absent").to_string();
    assert_eq!(
        error,
        "ContainerStatus of container nobody: an error occurred when try to find container \"nobody\": not found (NotFound)"
    );
    runtime
        .remove_pod_sandbox(v1::RemovePodSandboxRequest { pod_sandbox_id: sandbox })
        .await
        .expect("removed");
    node.no_process_is_left().await;
}
