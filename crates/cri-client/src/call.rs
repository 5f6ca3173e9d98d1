//! The table of calls: everything about an RPC that is not in its messages, said once.
//!
//! A row gives the method, the RPC's name and messages, how an error names the object, and how long the kubelet
//! waits. The traits ([`crate::RuntimeService`], [`crate::ImageService`]), the gRPC client, the server and the fake
//! are all made from this table, so that none of them can forget a call.
//!
//! Deadlines mirror `cri-client/pkg/remote_runtime.go` and `remote_image.go`: most calls wait for
//! `runtimeRequestTimeout` (2 minutes), a new sandbox twice that, a stop
//! adds the grace period, an exec adds its own time-out and waits for ever without one, and a pull has no deadline.

use std::time::Duration;

use crate::v1;

/// What the client must know of a request besides its fields.
pub trait Call: prost::Message + Clone + Default + 'static {
    /// The RPC's name in the interface.
    const RPC: &'static str;
    /// What the runtime answers.
    type Response: prost::Message + Default + 'static;
    /// How an error names the object: ` of container 3f2a`, or nothing for a call about the whole runtime.
    fn object(&self) -> String;
    /// How long to wait when the kubelet's `runtimeRequestTimeout` is `timeout`; `None` is for ever.
    fn deadline(&self, timeout: Duration) -> Option<Duration>;
}

/// Calls the macro `$generate` with every unary RPC of `RuntimeService`.
macro_rules! runtime_service_calls {
    ($generate:ident) => {
        $generate! {
            /// Name and version of the runtime, and of the API that it speaks.
            version: Version(VersionRequest) -> VersionResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// Makes and starts a sandbox; the answer has its id.
            run_pod_sandbox: RunPodSandbox(RunPodSandboxRequest) -> RunPodSandboxResponse {
                object: |r| pod(r.config.as_ref().and_then(|c| c.metadata.as_ref())),
                deadline: |_, timeout| Some(timeout * 2),
            }
            /// Ends all processes of a sandbox and frees its network. May be repeated.
            stop_pod_sandbox: StopPodSandbox(StopPodSandboxRequest) -> StopPodSandboxResponse {
                object: |r| sandbox(&r.pod_sandbox_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// Removes a sandbox with all its containers.
            remove_pod_sandbox: RemovePodSandbox(RemovePodSandboxRequest) -> RemovePodSandboxResponse {
                object: |r| sandbox(&r.pod_sandbox_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// One sandbox in full, with its addresses.
            pod_sandbox_status: PodSandboxStatus(PodSandboxStatusRequest) -> PodSandboxStatusResponse {
                object: |r| sandbox(&r.pod_sandbox_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// Sandboxes that match a filter, briefly.
            list_pod_sandbox: ListPodSandbox(ListPodSandboxRequest) -> ListPodSandboxResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// Creates a container in a sandbox; the answer has its id.
            create_container: CreateContainer(CreateContainerRequest) -> CreateContainerResponse {
                object: |r| member(&r.pod_sandbox_id, r.config.as_ref().and_then(|c| c.metadata.as_ref())),
                deadline: |_, timeout| Some(timeout),
            }
            /// Starts a created container.
            start_container: StartContainer(StartContainerRequest) -> StartContainerResponse {
                object: |r| container(&r.container_id),
                deadline: |_, timeout| Some(timeout),
            }
            // ANCHOR: stop_container_row
            /// Stops a container within a grace period in seconds.
            stop_container: StopContainer(StopContainerRequest) -> StopContainerResponse {
                object: |r| container(&r.container_id),
                deadline: |r, timeout| Some(timeout + seconds(r.timeout)),
            }
            // ANCHOR_END: stop_container_row
            /// Removes a container, by force if it runs.
            remove_container: RemoveContainer(RemoveContainerRequest) -> RemoveContainerResponse {
                object: |r| container(&r.container_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// Containers that match a filter, briefly.
            list_containers: ListContainers(ListContainersRequest) -> ListContainersResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// One container in full.
            container_status: ContainerStatus(ContainerStatusRequest) -> ContainerStatusResponse {
                object: |r| container(&r.container_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// Changes the limits of a running container.
            update_container_resources: UpdateContainerResources(UpdateContainerResourcesRequest) -> UpdateContainerResourcesResponse {
                object: |r| container(&r.container_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// Makes the runtime open the log file anew after rotation.
            reopen_container_log: ReopenContainerLog(ReopenContainerLogRequest) -> ReopenContainerLogResponse {
                object: |r| container(&r.container_id),
                deadline: |_, timeout| Some(timeout),
            }
            // ANCHOR: exec_sync_row
            /// Runs a command in a container and waits for it. A command that fails is an answer, not an error.
            exec_sync: ExecSync(ExecSyncRequest) -> ExecSyncResponse {
                object: |r| container(&r.container_id),
                deadline: |r, timeout| if r.timeout > 0 { Some(timeout + seconds(r.timeout)) } else { None },
            }
            // ANCHOR_END: exec_sync_row
            /// Prepares a streaming exec; the answer has a URL.
            exec: Exec(ExecRequest) -> ExecResponse {
                object: |r| container(&r.container_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// Prepares a streaming attach; the answer has a URL.
            attach: Attach(AttachRequest) -> AttachResponse {
                object: |r| container(&r.container_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// Prepares a port forward; the answer has a URL.
            port_forward: PortForward(PortForwardRequest) -> PortForwardResponse {
                object: |r| sandbox(&r.pod_sandbox_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// What one container uses.
            container_stats: ContainerStats(ContainerStatsRequest) -> ContainerStatsResponse {
                object: |r| container(&r.container_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// What the containers that match a filter use.
            list_container_stats: ListContainerStats(ListContainerStatsRequest) -> ListContainerStatsResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// What one pod uses.
            pod_sandbox_stats: PodSandboxStats(PodSandboxStatsRequest) -> PodSandboxStatsResponse {
                object: |r| sandbox(&r.pod_sandbox_id),
                deadline: |_, timeout| Some(timeout),
            }
            /// What the pods that match a filter use.
            list_pod_sandbox_stats: ListPodSandboxStats(ListPodSandboxStatsRequest) -> ListPodSandboxStatsResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// Tells the runtime the node's pod network.
            update_runtime_config: UpdateRuntimeConfig(UpdateRuntimeConfigRequest) -> UpdateRuntimeConfigResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// Whether the runtime and its network are ready.
            status: Status(StatusRequest) -> StatusResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// Writes a container's memory to an archive.
            checkpoint_container: CheckpointContainer(CheckpointContainerRequest) -> CheckpointContainerResponse {
                object: |r| container(&r.container_id),
                deadline: |r, timeout| if r.timeout > 0 { Some(seconds(r.timeout)) } else { Some(timeout) },
            }
            /// Which metrics the runtime has.
            list_metric_descriptors: ListMetricDescriptors(ListMetricDescriptorsRequest) -> ListMetricDescriptorsResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// Metrics of all pods.
            list_pod_sandbox_metrics: ListPodSandboxMetrics(ListPodSandboxMetricsRequest) -> ListPodSandboxMetricsResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// The runtime's own settings: the cgroup driver.
            runtime_config: RuntimeConfig(RuntimeConfigRequest) -> RuntimeConfigResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// Tells the runtime about a pod's new limits.
            update_pod_sandbox_resources: UpdatePodSandboxResources(UpdatePodSandboxResourcesRequest) -> UpdatePodSandboxResourcesResponse {
                object: |r| sandbox(&r.pod_sandbox_id),
                deadline: |_, timeout| Some(timeout),
            }
        }
    };
}
pub(crate) use runtime_service_calls;

/// Calls the macro `$generate` with every unary RPC of `ImageService`.
macro_rules! image_service_calls {
    ($generate:ident) => {
        $generate! {
            /// Images that match a filter.
            list_images: ListImages(ListImagesRequest) -> ListImagesResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
            /// One image; an absent one is an empty answer.
            image_status: ImageStatus(ImageStatusRequest) -> ImageStatusResponse {
                object: |r| image(r.image.as_ref()),
                deadline: |_, timeout| Some(timeout),
            }
            /// Fetches an image; the answer has its reference.
            pull_image: PullImage(PullImageRequest) -> PullImageResponse {
                object: |r| image(r.image.as_ref()),
                deadline: |_, _| None,
            }
            /// Removes an image. Removing an absent one succeeds.
            remove_image: RemoveImage(RemoveImageRequest) -> RemoveImageResponse {
                object: |r| image(r.image.as_ref()),
                deadline: |_, timeout| Some(timeout),
            }
            /// What image and container file systems hold.
            image_fs_info: ImageFsInfo(ImageFsInfoRequest) -> ImageFsInfoResponse {
                object: |_| String::new(),
                deadline: |_, timeout| Some(timeout),
            }
        }
    };
}
pub(crate) use image_service_calls;

macro_rules! describe_calls {
    ($($(#[$doc:meta])* $method:ident: $rpc:ident($request:ident) -> $response:ident {
        object: $object:expr, deadline: $deadline:expr,
    })*) => {
        $(impl Call for v1::$request {
            const RPC: &'static str = stringify!($rpc);
            type Response = v1::$response;

            fn object(&self) -> String {
                let name: fn(&Self) -> String = $object;
                name(self)
            }

            fn deadline(&self, timeout: Duration) -> Option<Duration> {
                let limit: fn(&Self, Duration) -> Option<Duration> = $deadline;
                limit(self, timeout)
            }
        })*
    };
}
runtime_service_calls!(describe_calls);
image_service_calls!(describe_calls);

fn seconds(grace: i64) -> Duration {
    Duration::from_secs(u64::try_from(grace).unwrap_or(0))
}

fn sandbox(id: &str) -> String {
    format!(" of sandbox {id}")
}

fn container(id: &str) -> String {
    format!(" of container {id}")
}

fn pod(metadata: Option<&v1::PodSandboxMetadata>) -> String {
    metadata.map(|m| format!(" of pod {}/{}, attempt {}", m.namespace, m.name, m.attempt)).unwrap_or_default()
}

fn member(sandbox: &str, metadata: Option<&v1::ContainerMetadata>) -> String {
    let name =
        metadata.map(|m| format!(" of container {}, attempt {},", m.name, m.attempt)).unwrap_or_default();
    format!("{name} in sandbox {sandbox}")
}

fn image(spec: Option<&v1::ImageSpec>) -> String {
    spec.map(|s| format!(" of image {}", s.image)).unwrap_or_default()
}
