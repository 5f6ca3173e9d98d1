//! The RPCs: which method of the runtime answers which call. A call that is not here answers `Unimplemented`.

use async_trait::async_trait;
use cri_client::{Call as _, EventStream, ImageService, RuntimeError, RuntimeService, v1};

use crate::refusal::Refusal;
use crate::runtime::EmbeddedRuntime;

/// The API version that a kubelet insists on, which is not that of the protocol
/// (`kuberuntime_manager.go: kubeRuntimeAPIVersion`).
const KUBELET_API_VERSION: &str = "0.1.0";

macro_rules! answer {
    ($trait:ident: $($method:ident($request:ident) -> $response:ident by $answer:ident;)* { $($more:item)* }) => {
        #[async_trait]
        impl $trait for EmbeddedRuntime {
            $(
                async fn $method(&self, request: v1::$request) -> Result<v1::$response, RuntimeError> {
                    let object = request.object();
                    self.$answer(request).await.map_err(|refusal| refusal.answers::<v1::$request>(object))
                }
            )*
            $($more)*
        }
    };
}

answer! {
    RuntimeService:
    version(VersionRequest) -> VersionResponse by own_version;
    status(StatusRequest) -> StatusResponse by own_status;
    runtime_config(RuntimeConfigRequest) -> RuntimeConfigResponse by own_config;
    update_runtime_config(UpdateRuntimeConfigRequest) -> UpdateRuntimeConfigResponse by take_config;
    run_pod_sandbox(RunPodSandboxRequest) -> RunPodSandboxResponse by run_sandbox;
    stop_pod_sandbox(StopPodSandboxRequest) -> StopPodSandboxResponse by stop_sandbox;
    remove_pod_sandbox(RemovePodSandboxRequest) -> RemovePodSandboxResponse by remove_sandbox;
    pod_sandbox_status(PodSandboxStatusRequest) -> PodSandboxStatusResponse by sandbox_status;
    list_pod_sandbox(ListPodSandboxRequest) -> ListPodSandboxResponse by list_sandboxes;
    create_container(CreateContainerRequest) -> CreateContainerResponse by make_container;
    start_container(StartContainerRequest) -> StartContainerResponse by begin_container;
    stop_container(StopContainerRequest) -> StopContainerResponse by halt_container;
    remove_container(RemoveContainerRequest) -> RemoveContainerResponse by forget_container;
    container_status(ContainerStatusRequest) -> ContainerStatusResponse by one_container;
    list_containers(ListContainersRequest) -> ListContainersResponse by all_containers;
    reopen_container_log(ReopenContainerLogRequest) -> ReopenContainerLogResponse by reopen_log;
    exec_sync(ExecSyncRequest) -> ExecSyncResponse by run_command;
    {
        async fn get_container_events(&self) -> Result<EventStream, RuntimeError> {
            Ok(self.event_stream())
        }
    }
}

answer! {
    ImageService:
    pull_image(PullImageRequest) -> PullImageResponse by pull;
    image_status(ImageStatusRequest) -> ImageStatusResponse by one_image;
    list_images(ListImagesRequest) -> ListImagesResponse by all_images;
    remove_image(RemoveImageRequest) -> RemoveImageResponse by forget_image;
    image_fs_info(ImageFsInfoRequest) -> ImageFsInfoResponse by file_system;
    {}
}

impl EmbeddedRuntime {
    async fn own_version(&self, _: v1::VersionRequest) -> Result<v1::VersionResponse, Refusal> {
        Ok(v1::VersionResponse {
            version: KUBELET_API_VERSION.to_owned(),
            runtime_name: "podwright-embedded".to_owned(),
            // Without what may stand after a `+`, which tells builds apart and not versions.
            runtime_version: concat!(
                env!("CARGO_PKG_VERSION_MAJOR"),
                ".",
                env!("CARGO_PKG_VERSION_MINOR"),
                ".",
                env!("CARGO_PKG_VERSION_PATCH")
            )
            .to_owned(),
            runtime_api_version: "v1".to_owned(),
        })
    }

    async fn own_status(&self, _: v1::StatusRequest) -> Result<v1::StatusResponse, Refusal> {
        let ready =
            |kind: &str| v1::RuntimeCondition { r#type: kind.to_owned(), status: true, ..Default::default() };
        let conditions = vec![ready("RuntimeReady"), ready("NetworkReady")];
        Ok(v1::StatusResponse {
            status: Some(v1::RuntimeStatus { conditions }),
            runtime_handlers: vec![v1::RuntimeHandler::default()],
            ..Default::default()
        })
    }

    async fn own_config(&self, _: v1::RuntimeConfigRequest) -> Result<v1::RuntimeConfigResponse, Refusal> {
        let linux = v1::LinuxRuntimeConfiguration { cgroup_driver: v1::CgroupDriver::Cgroupfs.into() };
        Ok(v1::RuntimeConfigResponse { linux: Some(linux) })
    }

    /// A kubelet tells the range of its pod addresses. There are none here.
    async fn take_config(
        &self,
        _: v1::UpdateRuntimeConfigRequest,
    ) -> Result<v1::UpdateRuntimeConfigResponse, Refusal> {
        Ok(v1::UpdateRuntimeConfigResponse {})
    }
}
