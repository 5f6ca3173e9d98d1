//! What lab 01 asks of the client: an endpoint, an error, and a call that does not wait for ever.

use std::process::ExitCode;
use std::time::Duration;

use clock::Clock;
use cri_client::fake::FakeRuntime;
use cri_client::{Code, GrpcRuntime, ImageService as _, RuntimeError, RuntimeService as _, socket_path, v1};
use lab_check::{Check, Error};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// What a case asks.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Input {
    /// Which socket does this endpoint name?
    Endpoint(String),
    /// What does this gRPC status become?
    Status { rpc: String, object: String, code: String, message: String },
    /// How does this call end?
    Call {
        rpc: Rpc,
        /// What the runtime does with it.
        #[serde(default)]
        runtime: Behaviour,
        /// `runtimeRequestTimeout` in seconds; 120 unless the case says otherwise.
        #[serde(default = "two_minutes")]
        request_timeout: u64,
    },
}

fn two_minutes() -> u64 {
    120
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rpc {
    Version,
    ListPodSandbox,
    /// Of a pod of that name.
    RunPodSandbox(String),
    /// Of a container with that id.
    ContainerStatus(String),
    PullImage(String),
    StopContainer {
        id: String,
        grace: i64,
    },
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Behaviour {
    /// Seconds until it answers.
    takes: u64,
    away: bool,
    fails: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    code: String,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Socket(String),
    Refused(&'static str),
    Error { text: String, means: &'static str, words: String },
    Answered { after_seconds: u64, with: String },
    Failed { after_seconds: u64, error: String, means: &'static str },
}

fn code(name: &str) -> Result<Code, Error> {
    (0..=16)
        .map(Code::from)
        .find(|code| format!("{code:?}") == name)
        .ok_or_else(|| Error::new(format!("{name}: no gRPC code")))
}

fn meaning(error: &RuntimeError) -> &'static str {
    match error {
        RuntimeError::Unavailable { .. } => "the runtime is away",
        RuntimeError::DeadlineExceeded { .. } => "the client gave up",
        RuntimeError::Status { .. } => "the runtime refused",
    }
}

fn endpoint(endpoint: &str) -> Answer {
    match socket_path(endpoint) {
        Ok(path) => Answer::Socket(path.display().to_string()),
        Err(error) if error.to_string().contains(&format!("{endpoint:?}")) => {
            Answer::Refused("with an error that names the endpoint")
        }
        Err(_) => Answer::Refused("with an error that does not name the endpoint"),
    }
}

/// Makes one call through the real client, against a runtime in memory. Time is paused: hours pass at once.
fn call(rpc: &Rpc, behaviour: &Behaviour, request_timeout: u64) -> Result<Answer, Error> {
    let paused = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    paused.block_on(async {
        let runtime = FakeRuntime::new(Clock::system());
        runtime.offer_image("example.invalid/large:1", "sha256:1");
        let name = match rpc {
            Rpc::Version => "Version",
            Rpc::ListPodSandbox => "ListPodSandbox",
            Rpc::RunPodSandbox(_) => "RunPodSandbox",
            Rpc::ContainerStatus(_) => "ContainerStatus",
            Rpc::PullImage(_) => "PullImage",
            Rpc::StopContainer { .. } => "StopContainer",
        };
        runtime.delay(name, Duration::from_secs(behaviour.takes));
        runtime.set_away(behaviour.away);
        if let Some(failure) = &behaviour.fails {
            runtime.fail(name, 1, code(&failure.code)?, &failure.message);
        }
        let client = runtime.connect(Duration::from_secs(request_timeout));
        let began = Instant::now();
        let ended = make(&client, rpc).await;
        let after_seconds = began.elapsed().as_secs();
        Ok(match ended {
            Ok(with) => Answer::Answered { after_seconds, with },
            Err(error) => Answer::Failed { after_seconds, error: error.to_string(), means: meaning(&error) },
        })
    })
}

async fn make(client: &GrpcRuntime, rpc: &Rpc) -> Result<String, RuntimeError> {
    Ok(match rpc {
        Rpc::Version => {
            let version = client.version(v1::VersionRequest::default()).await?;
            format!("version {}", version.version)
        }
        Rpc::ListPodSandbox => {
            let list = client.list_pod_sandbox(v1::ListPodSandboxRequest::default()).await?;
            format!("{} sandboxes", list.items.len())
        }
        Rpc::RunPodSandbox(name) => {
            let (name, uid, namespace) = (name.clone(), "u1".into(), "default".into());
            let metadata = v1::PodSandboxMetadata { name, uid, namespace, attempt: 0 };
            let config = v1::PodSandboxConfig { metadata: Some(metadata), ..Default::default() };
            let request = v1::RunPodSandboxRequest { config: Some(config), ..Default::default() };
            client.run_pod_sandbox(request).await?;
            "a sandbox".into()
        }
        Rpc::ContainerStatus(id) => {
            let request = v1::ContainerStatusRequest { container_id: id.clone(), verbose: false };
            client.container_status(request).await?;
            "a status".into()
        }
        Rpc::PullImage(image) => {
            let spec = v1::ImageSpec { image: image.clone(), ..Default::default() };
            let request = v1::PullImageRequest { image: Some(spec), ..Default::default() };
            format!("image {}", client.pull_image(request).await?.image_ref)
        }
        Rpc::StopContainer { id, grace } => {
            let request = v1::StopContainerRequest { container_id: id.clone(), timeout: *grace };
            client.stop_container(request).await?;
            "stopped".into()
        }
    })
}

fn answer(input: Input) -> Result<Answer, Error> {
    match input {
        Input::Endpoint(given) => Ok(endpoint(&given)),
        Input::Status { rpc, object, code: name, message } => {
            let status = tonic::Status::new(code(&name)?, message);
            let error = RuntimeError::from_status(rpc.leak(), object, &status);
            Ok(Answer::Error { text: error.to_string(), means: meaning(&error), words: error.message() })
        }
        Input::Call { rpc, runtime, request_timeout } => call(&rpc, &runtime, request_timeout),
    }
}

fn main() -> ExitCode {
    Check::new()
        .cases(answer)
        .property(
            "both-spellings-name-one-socket",
            "a path and the same path as a unix endpoint name the same socket",
            "staging/src/k8s.io/cri-client/pkg/util/util_unix.go#parseEndpointWithFallbackProtocol",
            "(/[a-z0-9._-]{1,12}){1,5}",
            |path: String| {
                for endpoint in [path.clone(), format!("unix://{path}")] {
                    let socket = socket_path(&endpoint).map_err(|error| error.to_string())?;
                    if socket.as_os_str() != path.as_str() {
                        return Err(format!("{endpoint} gave {}", socket.display()));
                    }
                }
                Ok(())
            },
        )
        .property(
            "one-code-of-17-means-away",
            "only Unavailable means that the runtime is away",
            "staging/src/k8s.io/cri-client/pkg/remote_runtime.go#Version",
            0..=16,
            |number: i32| {
                let code = Code::from(number);
                let status = tonic::Status::new(code, "words");
                let error = RuntimeError::from_status("Version", String::new(), &status);
                if error.is_unavailable() != (code == Code::Unavailable) {
                    return Err(format!("{code:?} became: {error}"));
                }
                if error.message() != "words" || error.rpc() != "Version" {
                    return Err(format!("{code:?} lost its words or its call: {error}"));
                }
                Ok(())
            },
        )
        .run()
}
