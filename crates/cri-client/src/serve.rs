//! The other side of the wire: any implementation of the two traits, served over gRPC.
//!
//! The fake and the embedded runtime are served by this one adapter, so that the real client talks to them exactly as
//! it talks to containerd.

use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::{Request, Response, Status};

use crate::call::{image_service_calls, runtime_service_calls};
use crate::grpc::MAX_MESSAGE_SIZE;
use crate::v1::image_service_server::{ImageService as ImageServer, ImageServiceServer};
use crate::v1::runtime_service_server::{RuntimeService as RuntimeServer, RuntimeServiceServer};
use crate::{ImageService, RuntimeService, v1};

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

struct Served<T>(Arc<T>);

/// Serves `runtime` on every connection that `incoming` yields, until `stop` resolves.
///
/// # Errors
/// When the transport fails to start; a broken connection ends only itself.
pub async fn serve<T, IO, E>(
    runtime: Arc<T>,
    incoming: impl Stream<Item = Result<IO, E>>,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error>
where
    T: RuntimeService + ImageService,
    IO: AsyncRead + AsyncWrite + tonic::transport::server::Connected + Unpin + Send + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    tonic::transport::Server::builder()
        .add_service(
            RuntimeServiceServer::new(Served(runtime.clone()))
                .max_decoding_message_size(MAX_MESSAGE_SIZE)
                .max_encoding_message_size(MAX_MESSAGE_SIZE),
        )
        .add_service(
            ImageServiceServer::new(Served(runtime))
                .max_decoding_message_size(MAX_MESSAGE_SIZE)
                .max_encoding_message_size(MAX_MESSAGE_SIZE),
        )
        .serve_with_incoming_shutdown(incoming, stop)
        .await
}

macro_rules! serve_runtime_service {
    ($($(#[$doc:meta])* $method:ident: $rpc:ident($request:ident) -> $response:ident {
        object: $object:expr, deadline: $deadline:expr,
    })*) => {
        #[tonic::async_trait]
        impl<T: RuntimeService> RuntimeServer for Served<T> {
            $(
                async fn $method(&self, request: Request<v1::$request>) -> Result<Response<v1::$response>, Status> {
                    self.0.$method(request.into_inner()).await.map(Response::new).map_err(|e| e.to_status())
                }
            )*

            type GetContainerEventsStream = Streamed<v1::ContainerEventResponse>;
            async fn get_container_events(
                &self,
                _: Request<v1::GetEventsRequest>,
            ) -> Result<Response<Self::GetContainerEventsStream>, Status> {
                let events = self.0.get_container_events().await.map_err(|e| e.to_status())?;
                Ok(Response::new(events.map(|event| event.map_err(|e| e.to_status())).boxed()))
            }

            // The streaming twins of the list calls are an alpha feature of 1.36 (CRIListStreaming), off by default.
            type StreamPodSandboxesStream = Streamed<v1::StreamPodSandboxesResponse>;
            async fn stream_pod_sandboxes(
                &self,
                _: Request<v1::StreamPodSandboxesRequest>,
            ) -> Result<Response<Self::StreamPodSandboxesStream>, Status> {
                Err(not_served("StreamPodSandboxes"))
            }
            type StreamContainersStream = Streamed<v1::StreamContainersResponse>;
            async fn stream_containers(
                &self,
                _: Request<v1::StreamContainersRequest>,
            ) -> Result<Response<Self::StreamContainersStream>, Status> {
                Err(not_served("StreamContainers"))
            }
            type StreamContainerStatsStream = Streamed<v1::StreamContainerStatsResponse>;
            async fn stream_container_stats(
                &self,
                _: Request<v1::StreamContainerStatsRequest>,
            ) -> Result<Response<Self::StreamContainerStatsStream>, Status> {
                Err(not_served("StreamContainerStats"))
            }
            type StreamPodSandboxStatsStream = Streamed<v1::StreamPodSandboxStatsResponse>;
            async fn stream_pod_sandbox_stats(
                &self,
                _: Request<v1::StreamPodSandboxStatsRequest>,
            ) -> Result<Response<Self::StreamPodSandboxStatsStream>, Status> {
                Err(not_served("StreamPodSandboxStats"))
            }
            type StreamPodSandboxMetricsStream = Streamed<v1::StreamPodSandboxMetricsResponse>;
            async fn stream_pod_sandbox_metrics(
                &self,
                _: Request<v1::StreamPodSandboxMetricsRequest>,
            ) -> Result<Response<Self::StreamPodSandboxMetricsStream>, Status> {
                Err(not_served("StreamPodSandboxMetrics"))
            }
        }
    };
}
runtime_service_calls!(serve_runtime_service);

macro_rules! serve_image_service {
    ($($(#[$doc:meta])* $method:ident: $rpc:ident($request:ident) -> $response:ident {
        object: $object:expr, deadline: $deadline:expr,
    })*) => {
        #[tonic::async_trait]
        impl<T: ImageService> ImageServer for Served<T> {
            $(
                async fn $method(&self, request: Request<v1::$request>) -> Result<Response<v1::$response>, Status> {
                    self.0.$method(request.into_inner()).await.map(Response::new).map_err(|e| e.to_status())
                }
            )*

            type StreamImagesStream = Streamed<v1::StreamImagesResponse>;
            async fn stream_images(
                &self,
                _: Request<v1::StreamImagesRequest>,
            ) -> Result<Response<Self::StreamImagesStream>, Status> {
                Err(not_served("StreamImages"))
            }
        }
    };
}
image_service_calls!(serve_image_service);

fn not_served(rpc: &str) -> Status {
    Status::unimplemented(format!("method {rpc} not implemented"))
}
