//! The real gRPC client against the fake, over an in-memory pipe, in paused time.

use std::time::Duration;

use clock::Clock;
use cri_client::fake::{FakeRuntime, Run};
use cri_client::{Code, GrpcRuntime, ImageService as _, RuntimeError, RuntimeService as _, v1};
use futures::{FutureExt as _, StreamExt as _};

const TIMEOUT: Duration = Duration::from_secs(120);

fn sandbox(name: &str, attempt: u32) -> v1::RunPodSandboxRequest {
    let metadata =
        v1::PodSandboxMetadata { name: name.into(), uid: "u".into(), namespace: "default".into(), attempt };
    let config = v1::PodSandboxConfig { metadata: Some(metadata), ..Default::default() };
    v1::RunPodSandboxRequest { config: Some(config), ..Default::default() }
}

fn container(sandbox: &str, name: &str) -> v1::CreateContainerRequest {
    let metadata = v1::ContainerMetadata { name: name.into(), attempt: 0 };
    let config = v1::ContainerConfig { metadata: Some(metadata), ..Default::default() };
    v1::CreateContainerRequest { pod_sandbox_id: sandbox.into(), config: Some(config), ..Default::default() }
}

async fn started(client: &GrpcRuntime, name: &str) -> String {
    let sandbox = client.run_pod_sandbox(sandbox(name, 0)).await.expect("a sandbox").pod_sandbox_id;
    let id = client.create_container(container(&sandbox, name)).await.expect("a container").container_id;
    client.start_container(v1::StartContainerRequest { container_id: id.clone() }).await.expect("started");
    id
}

/// A stream that the runtime has heard of: it is opened by polling it, and answered in order.
async fn listening(client: &GrpcRuntime) -> cri_client::EventStream {
    let mut events = client.get_container_events().await.expect("a stream");
    assert!(events.next().now_or_never().is_none());
    client.version(v1::VersionRequest::default()).await.expect("an answer");
    events
}

async fn status(client: &GrpcRuntime, id: &str) -> v1::ContainerStatus {
    let request = v1::ContainerStatusRequest { container_id: id.into(), verbose: false };
    client.container_status(request).await.expect("a status").status.expect("a status")
}

#[tokio::test(start_paused = true)]
async fn a_container_runs_ends_by_itself_and_every_step_is_an_event() {
    let fake = FakeRuntime::new(Clock::system());
    fake.script("app", [Run::exits_after(Duration::from_secs(3), 7)]);
    let client = fake.connect(TIMEOUT);
    let mut events = listening(&client).await;

    let id = started(&client, "app").await;
    let mut kinds = Vec::new();
    while kinds.len() < 5 {
        let event = events.next().await.expect("an event").expect("no error");
        assert!(event.pod_sandbox_status.is_some());
        kinds.push(event.container_event_type().as_str_name());
    }
    assert_eq!(
        kinds,
        [
            "CONTAINER_CREATED_EVENT",
            "CONTAINER_STARTED_EVENT",
            "CONTAINER_CREATED_EVENT",
            "CONTAINER_STARTED_EVENT",
            "CONTAINER_STOPPED_EVENT"
        ]
    );
    let status = status(&client, &id).await;
    assert_eq!((status.exit_code, status.reason.as_str()), (7, "Error"));
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_an_obedient_process_and_kills_a_deaf_one_after_its_grace() {
    let fake = FakeRuntime::new(Clock::system());
    fake.script("deaf", [Run::until_stopped().deaf()]);
    let client = fake.connect(TIMEOUT);
    for (name, waited, code) in [("obedient", 0, 0), ("deaf", 30, 137)] {
        let id = started(&client, name).await;
        let before = tokio::time::Instant::now();
        client
            .stop_container(v1::StopContainerRequest { container_id: id.clone(), timeout: 30 })
            .await
            .expect("stopped");
        assert_eq!(before.elapsed().as_secs(), waited, "{name}");
        assert_eq!(status(&client, &id).await.exit_code, code, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_name_the_call_and_the_object() {
    let fake = FakeRuntime::new(Clock::system());
    let client = fake.connect(TIMEOUT);
    client.run_pod_sandbox(sandbox("web", 0)).await.expect("a sandbox");
    let again = client.run_pod_sandbox(sandbox("web", 0)).await.expect_err("the name is taken").to_string();
    assert!(
        again.starts_with("RunPodSandbox of pod default/web, attempt 0: failed to reserve sandbox name"),
        "{again}"
    );

    let absent = v1::ContainerStatusRequest { container_id: "nobody".into(), verbose: false };
    let error = client.container_status(absent).await.expect_err("not there");
    assert!(error.is_not_found());
    assert!(error.to_string().starts_with("ContainerStatus of container nobody: "), "{error}");

    assert!(
        client
            .container_stats(v1::ContainerStatsRequest::default())
            .await
            .expect_err("left out")
            .is_unimplemented()
    );

    let spec = v1::ImageSpec { image: "example.invalid/a:1".into(), ..Default::default() };
    let pull = v1::PullImageRequest { image: Some(spec), ..Default::default() };
    let error = client.pull_image(pull).await.expect_err("nobody offers it").to_string();
    assert!(error.starts_with("PullImage of image example.invalid/a:1: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_up_at_its_deadline_and_injected_failures_end() {
    let fake = FakeRuntime::new(Clock::system());
    let client = fake.connect(Duration::from_secs(10));
    fake.delay("RunPodSandbox", Duration::from_secs(25));
    let late = client.run_pod_sandbox(sandbox("web", 0)).await.expect_err("too slow");
    assert!(
        matches!(late, RuntimeError::DeadlineExceeded { waited, .. } if waited == Duration::from_secs(20)),
        "{late}"
    );

    fake.fail("Version", 1, Code::Internal, "not today");
    assert!(
        client
            .version(v1::VersionRequest::default())
            .await
            .expect_err("injected")
            .to_string()
            .contains("not today")
    );
    client.version(v1::VersionRequest::default()).await.expect("only once");
}

#[tokio::test(start_paused = true)]
async fn the_client_finds_a_runtime_that_was_away() {
    let fake = FakeRuntime::new(Clock::system());
    let client = fake.connect(TIMEOUT);
    let mut events = listening(&client).await;
    fake.set_away(true);
    assert!(events.next().await.is_none(), "the stream ends with the runtime");
    assert!(client.version(v1::VersionRequest::default()).await.expect_err("away").is_unavailable());
    fake.set_away(false);
    client.version(v1::VersionRequest::default()).await.expect("back");
    assert_eq!(fake.requests::<v1::VersionRequest>().len(), 3);

    fake.without_events();
    let first = client.get_container_events().await.expect("a stream").next().await.expect("an answer");
    assert!(first.expect_err("there are none").is_unimplemented());
}

#[tokio::test]
async fn a_socket_where_nobody_listens_is_unavailable_and_a_later_one_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("runtime.sock");
    let client = GrpcRuntime::new(&format!("unix://{}", socket.display()), TIMEOUT).expect("a client");
    assert!(client.version(v1::VersionRequest::default()).await.expect_err("nobody").is_unavailable());

    for round in 0..2 {
        let listener = tokio::net::UnixListener::bind(&socket).expect("bound");
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
        let server = tokio::spawn(cri_client::serve(FakeRuntime::new(Clock::system()), incoming, async {
            let _ = stopped.await;
        }));
        client.version(v1::VersionRequest::default()).await.unwrap_or_else(|e| panic!("round {round}: {e}"));
        stop.send(()).expect("still serving");
        server.await.expect("no panic").expect("a clean end");
        std::fs::remove_file(&socket).expect("removed");
    }
}
