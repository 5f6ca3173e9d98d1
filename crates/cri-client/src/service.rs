//! The two services as traits: what the rest of the kubelet knows of a runtime.
//!
//! Mirrors `cri-api/pkg/apis/services.go`. There are three implementations: the gRPC client, the in-memory fake and
//! the embedded runtime; `kuberuntime`, `pleg` and `images` cannot tell them apart.

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::call::{image_service_calls, runtime_service_calls};
use crate::{RuntimeError, v1};

/// What `GetContainerEvents` gives: events until the runtime goes away or an error ends the stream.
pub type EventStream = BoxStream<'static, Result<v1::ContainerEventResponse, RuntimeError>>;

macro_rules! declare_runtime_service {
    ($($(#[$doc:meta])* $method:ident: $rpc:ident($request:ident) -> $response:ident {
        object: $object:expr, deadline: $deadline:expr,
    })*) => {
        /// Sandboxes and containers. Every method is one RPC of the interface; a runtime without it answers
        /// `Unimplemented`, which is what the methods do unless they are written.
        #[async_trait]
        pub trait RuntimeService: Send + Sync + 'static {
            $(
                $(#[$doc])*
                async fn $method(&self, request: v1::$request) -> Result<v1::$response, RuntimeError> {
                    Err(unimplemented(stringify!($rpc), crate::Call::object(&request)))
                }
            )*

            /// Every change of every sandbox and container from when the stream is first polled. That the runtime has
            /// no events may be said by the call or by the stream's first item.
            ///
            /// containerd before 1.7 answers `Unimplemented`; containerd 1.7 splits the events between subscribers,
            /// so a node has one subscriber and never trusts events alone.
            async fn get_container_events(&self) -> Result<EventStream, RuntimeError> {
                Err(unimplemented("GetContainerEvents", String::new()))
            }
        }
    };
}
runtime_service_calls!(declare_runtime_service);

macro_rules! declare_image_service {
    ($($(#[$doc:meta])* $method:ident: $rpc:ident($request:ident) -> $response:ident {
        object: $object:expr, deadline: $deadline:expr,
    })*) => {
        /// Images. Every method is one RPC of the interface.
        #[async_trait]
        pub trait ImageService: Send + Sync + 'static {
            $(
                $(#[$doc])*
                async fn $method(&self, request: v1::$request) -> Result<v1::$response, RuntimeError> {
                    Err(unimplemented(stringify!($rpc), crate::Call::object(&request)))
                }
            )*
        }
    };
}
image_service_calls!(declare_image_service);

fn unimplemented(rpc: &'static str, object: String) -> RuntimeError {
    let message = format!("method {rpc} not implemented");
    RuntimeError::Status { rpc, object, code: tonic::Code::Unimplemented, message }
}
