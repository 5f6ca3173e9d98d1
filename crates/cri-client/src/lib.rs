//! The Container Runtime Interface, from the kubelet's side.
//!
//! A kubelet starts no process itself. It asks a *runtime* (containerd, CRI-O, cri-dockerd) over gRPC on a unix socket,
//! and everything it knows of a container it learns from that runtime's answers. This crate is that conversation: the
//! messages, the two services as traits, the client, and a fake runtime for tests.
//!
//! ```text
//!   kuberuntime, pleg, images                        tests
//!            │ RuntimeService, ImageService (traits)    │
//!            ├──────────────▶ GrpcRuntime ══ gRPC ══▶ containerd, CRI-O, the embedded runtime
//!            └──────────────▶ FakeRuntime             (or the fake, served over an in-memory pipe)
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`v1`] | `staging/src/k8s.io/cri-api/pkg/apis/runtime/v1` |
//! | [`RuntimeService`], [`ImageService`] | `cri-api/pkg/apis/services.go` |
//! | [`GrpcRuntime`] | `cri-client/pkg/remote_runtime.go`, `remote_image.go` |
//! | [`socket_path`] | `cri-client/pkg/util/util_unix.go: parseEndpoint` |
//! | [`Call`] | the deadlines spread over `remote_runtime.go` and `remote_image.go` |
//! | [`Recorder`] | none: what `crictl`'s users do with a proxy |
//! | [`fake::FakeRuntime`] | `cri-api/pkg/apis/testing/fake_runtime_service.go`, `fake_image_service.go` |
//!
//! # Left out
//!
//! - the streaming twins of the list calls (`StreamPodSandboxes` and so on): alpha in 1.36 and off by default;
//! - Windows named pipes and TCP endpoints: a node of this project is Linux;
//! - URLs as endpoints: Go parses one, so that `unix:/run/x.sock` works and a host in `unix://host/run/x.sock` is dropped
//!   without a word. Here an endpoint is `unix://` and an absolute path, or the path alone, and anything else is refused;
//! - OpenTelemetry spans around calls: errors name the call and its object, which is what a log has to say.

mod call;
mod error;
pub mod fake;
mod grpc;
mod record;
mod serve;
mod service;

/// The messages and services of the interface, generated from `proto/runtime/v1/api.proto`.
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]
#[rustfmt::skip]
pub mod v1 {
    include!("generated/runtime.v1.rs");
}

pub use call::Call;
pub use error::RuntimeError;
pub use grpc::{
    DEFAULT_ENDPOINT, DEFAULT_REQUEST_TIMEOUT, EndpointError, GrpcRuntime, MAX_MESSAGE_SIZE, socket_path,
};
pub use record::{RecordedCall, Recorder};
pub use serve::serve;
pub use service::{EventStream, ImageService, RuntimeService};
pub use tonic::Code;
