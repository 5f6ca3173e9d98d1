//! The client: the two traits over gRPC on a unix socket.
//!
//! Mirrors `cri-client/pkg/remote_runtime.go`, `remote_image.go` and `utils.go`. The channel connects when the first
//! call needs it and again whenever the runtime was restarted; a call made while nobody listens fails at once with
//! [`RuntimeError::Unavailable`] and the next one tries again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use crate::call::{image_service_calls, runtime_service_calls};
use crate::v1::image_service_client::ImageServiceClient;
use crate::v1::runtime_service_client::RuntimeServiceClient;
use crate::{Call, EventStream, ImageService, RuntimeError, RuntimeService, v1};

/// `runtimeRequestTimeout`'s default.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// The largest message that is taken or sent: 16 MiB (`utils.go: maxMsgSize`).
pub const MAX_MESSAGE_SIZE: usize = 16 * 1024 * 1024;

/// The socket of a containerd as packages install it.
pub const DEFAULT_ENDPOINT: &str = "unix:///run/containerd/containerd.sock";

/// An endpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("runtime endpoint {endpoint:?}: {why}")]
pub struct EndpointError {
    endpoint: String,
    why: &'static str,
}

// ANCHOR: lab01_endpoint
/// The path of a `unix://` endpoint. A bare absolute path is taken as one, as the kubelet does.
///
/// # Errors
/// Any other scheme, and a path that is not absolute. Mirrors `cri-client/pkg/util/util_unix.go: parseEndpoint`.
pub fn socket_path(endpoint: &str) -> Result<PathBuf, EndpointError> {
    let refuse = |why| Err(EndpointError { endpoint: endpoint.to_owned(), why });
    let path = match endpoint.split_once("://") {
        Some(("unix", path)) => path,
        Some(_) => return refuse("only unix:// sockets are supported"),
        None => endpoint,
    };
    if !Path::new(path).is_absolute() {
        return refuse(
            "the path of the socket must be absolute, as in unix:///run/containerd/containerd.sock",
        );
    }
    Ok(PathBuf::from(path))
}
// ANCHOR_END: lab01_endpoint

/// A connection to a container runtime. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GrpcRuntime {
    runtime: RuntimeServiceClient<Channel>,
    images: ImageServiceClient<Channel>,
    timeout: Duration,
}

impl GrpcRuntime {
    /// A client for the runtime at `endpoint`; nothing is dialled before the first call.
    ///
    /// # Errors
    /// An endpoint that is not a unix socket.
    pub fn new(endpoint: &str, timeout: Duration) -> Result<Self, EndpointError> {
        let path = socket_path(endpoint)?;
        let connect = service_fn(move |_: Uri| {
            let path = path.clone();
            async move { Ok::<_, std::io::Error>(TokioIo::new(tokio::net::UnixStream::connect(path).await?)) }
        });
        // The URI is never resolved: the connector above knows where to go.
        let channel = Endpoint::from_static("http://runtime.invalid").connect_with_connector_lazy(connect);
        Ok(Self::over(channel, timeout))
    }

    /// A client over a channel that somebody else made, such as one to the fake.
    pub fn over(channel: Channel, timeout: Duration) -> Self {
        Self {
            runtime: RuntimeServiceClient::new(channel.clone())
                .max_decoding_message_size(MAX_MESSAGE_SIZE)
                .max_encoding_message_size(MAX_MESSAGE_SIZE),
            images: ImageServiceClient::new(channel)
                .max_decoding_message_size(MAX_MESSAGE_SIZE)
                .max_encoding_message_size(MAX_MESSAGE_SIZE),
            timeout,
        }
    }

    // ANCHOR: lab01_call
    /// Waits for an answer as long as this call may take, and says what failed about what.
    async fn bounded<R: Call>(
        &self,
        request: R,
        send: impl AsyncFnOnce(R) -> Result<tonic::Response<R::Response>, tonic::Status>,
    ) -> Result<R::Response, RuntimeError> {
        let (object, deadline) = (request.object(), request.deadline(self.timeout));
        let answer = match deadline {
            None => send(request).await,
            Some(limit) => match tokio::time::timeout(limit, send(request)).await {
                Ok(answer) => answer,
                Err(_) => return Err(RuntimeError::DeadlineExceeded { rpc: R::RPC, object, waited: limit }),
            },
        };
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| RuntimeError::from_status(R::RPC, object, &status))
    }
    // ANCHOR_END: lab01_call
}

macro_rules! call_runtime_service {
    ($($(#[$doc:meta])* $method:ident: $rpc:ident($request:ident) -> $response:ident {
        object: $object:expr, deadline: $deadline:expr,
    })*) => {
        #[async_trait]
        impl RuntimeService for GrpcRuntime {
            $(
                async fn $method(&self, request: v1::$request) -> Result<v1::$response, RuntimeError> {
                    let mut client = self.runtime.clone();
                    self.bounded(request, async move |r| client.$method(r).await).await
                }
            )*

            async fn get_container_events(&self) -> Result<EventStream, RuntimeError> {
                let of = |status: &tonic::Status| {
                    RuntimeError::from_status("GetContainerEvents", String::new(), status)
                };
                let mut client = self.runtime.clone();
                // No deadline: the stream lives as long as the runtime does. It is opened when it is first polled, and
                // an error of the opening is its first item: containerd answers the call only with its first event,
                // which may be hours away.
                let opening = async move { client.get_container_events(v1::GetEventsRequest {}).await };
                let events = futures::stream::once(opening).flat_map(move |opened| match opened {
                    Ok(stream) => stream.into_inner().map(move |event| event.map_err(|s| of(&s))).boxed(),
                    Err(status) => futures::stream::iter([Err(of(&status))]).boxed(),
                });
                Ok(events.boxed())
            }
        }
    };
}
runtime_service_calls!(call_runtime_service);

macro_rules! call_image_service {
    ($($(#[$doc:meta])* $method:ident: $rpc:ident($request:ident) -> $response:ident {
        object: $object:expr, deadline: $deadline:expr,
    })*) => {
        #[async_trait]
        impl ImageService for GrpcRuntime {
            $(
                async fn $method(&self, request: v1::$request) -> Result<v1::$response, RuntimeError> {
                    let mut client = self.images.clone();
                    self.bounded(request, async move |r| client.$method(r).await).await
                }
            )*
        }
    };
}
image_service_calls!(call_image_service);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        for (given, path) in [
            ("unix:///run/containerd/containerd.sock", "/run/containerd/containerd.sock"),
            ("/var/run/crio/crio.sock", "/var/run/crio/crio.sock"),
        ] {
            assert_eq!(socket_path(given).expect("usable"), Path::new(path));
        }
        for refused in
            ["tcp://127.0.0.1:3735", "unix://relative.sock", "relative.sock", "npipe:////./pipe/x", ""]
        {
            let why = socket_path(refused).expect_err("refused").to_string();
            assert!(why.contains(&format!("{refused:?}")), "{why}");
        }
    }

    #[test]
    fn deadlines_are_the_kubelets() {
        let base = Duration::from_secs(120);
        let secs = |n| Some(Duration::from_secs(n));
        assert_eq!(v1::VersionRequest::default().deadline(base), secs(120));
        assert_eq!(v1::RunPodSandboxRequest::default().deadline(base), secs(240));
        assert_eq!(v1::StopContainerRequest { timeout: 30, ..Default::default() }.deadline(base), secs(150));
        assert_eq!(v1::StopContainerRequest { timeout: -1, ..Default::default() }.deadline(base), secs(120));
        assert_eq!(v1::ExecSyncRequest { timeout: 5, ..Default::default() }.deadline(base), secs(125));
        assert_eq!(v1::ExecSyncRequest::default().deadline(base), None);
        assert_eq!(v1::PullImageRequest::default().deadline(base), None);
    }
}
