//! The two services, answered from the fake's state.

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;
use tonic::Code;
use v1::ContainerEventType::{ContainerCreatedEvent, ContainerStartedEvent, ContainerStoppedEvent};

use super::FakeRuntime;
use crate::{Call, EventStream, ImageService, RuntimeError, RuntimeService, v1};

fn refuse<R: Call>(request: &R, code: Code, message: impl Into<String>) -> RuntimeError {
    RuntimeError::Status { rpc: R::RPC, object: request.object(), code, message: message.into() }
}

fn matches(
    wanted: &std::collections::BTreeMap<String, String>,
    labels: &std::collections::BTreeMap<String, String>,
) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

#[async_trait]
impl RuntimeService for FakeRuntime {
    async fn version(&self, request: v1::VersionRequest) -> Result<v1::VersionResponse, RuntimeError> {
        self.arrive(&request).await?;
        Ok(v1::VersionResponse {
            version: "0.1.0".into(),
            runtime_name: "fake".into(),
            runtime_version: "1".into(),
            runtime_api_version: "v1".into(),
        })
    }

    async fn status(&self, request: v1::StatusRequest) -> Result<v1::StatusResponse, RuntimeError> {
        self.arrive(&request).await?;
        let good =
            |kind: &str| v1::RuntimeCondition { r#type: kind.into(), status: true, ..Default::default() };
        let status = v1::RuntimeStatus { conditions: vec![good("RuntimeReady"), good("NetworkReady")] };
        Ok(v1::StatusResponse { status: Some(status), ..Default::default() })
    }

    async fn run_pod_sandbox(
        &self,
        request: v1::RunPodSandboxRequest,
    ) -> Result<v1::RunPodSandboxResponse, RuntimeError> {
        let place = self.arrive(&request).await?;
        let config = request.config.clone().unwrap_or_default();
        let made = self.state().run_sandbox(config, request.runtime_handler.clone(), self.clock.now_nanos());
        let pod_sandbox_id = made.map_err(|m| self.note(place, refuse(&request, Code::Unknown, m)))?;
        self.send(&pod_sandbox_id, ContainerCreatedEvent);
        self.send(&pod_sandbox_id, ContainerStartedEvent);
        let response = v1::RunPodSandboxResponse { pod_sandbox_id };
        self.answered(place, &response);
        Ok(response)
    }

    async fn stop_pod_sandbox(
        &self,
        request: v1::StopPodSandboxRequest,
    ) -> Result<v1::StopPodSandboxResponse, RuntimeError> {
        self.arrive(&request).await?;
        self.stop_sandbox_quietly(&request.pod_sandbox_id);
        Ok(v1::StopPodSandboxResponse {})
    }

    async fn remove_pod_sandbox(
        &self,
        request: v1::RemovePodSandboxRequest,
    ) -> Result<v1::RemovePodSandboxResponse, RuntimeError> {
        self.arrive(&request).await?;
        self.remove_sandbox_quietly(&request.pod_sandbox_id);
        Ok(v1::RemovePodSandboxResponse {})
    }

    async fn pod_sandbox_status(
        &self,
        request: v1::PodSandboxStatusRequest,
    ) -> Result<v1::PodSandboxStatusResponse, RuntimeError> {
        self.arrive(&request).await?;
        let status = self.state().sandboxes.get(&request.pod_sandbox_id).map(|s| s.status.clone());
        match status {
            Some(status) => Ok(v1::PodSandboxStatusResponse { status: Some(status), ..Default::default() }),
            None => {
                Err(refuse(&request, Code::NotFound, "an error occurred when try to find sandbox: not found"))
            }
        }
    }

    async fn list_pod_sandbox(
        &self,
        request: v1::ListPodSandboxRequest,
    ) -> Result<v1::ListPodSandboxResponse, RuntimeError> {
        self.arrive(&request).await?;
        let filter = request.filter.unwrap_or_default();
        let wanted = |s: &v1::PodSandboxStatus| {
            (filter.id.is_empty() || filter.id == s.id)
                && filter.state.is_none_or(|state| state.state == s.state)
                && matches(&filter.label_selector, &s.labels)
        };
        let brief = |s: v1::PodSandboxStatus| v1::PodSandbox {
            id: s.id,
            metadata: s.metadata,
            state: s.state,
            created_at: s.created_at,
            labels: s.labels,
            annotations: s.annotations,
            runtime_handler: s.runtime_handler,
        };
        Ok(v1::ListPodSandboxResponse {
            items: self.sandboxes().into_iter().filter(wanted).map(brief).collect(),
        })
    }

    async fn create_container(
        &self,
        request: v1::CreateContainerRequest,
    ) -> Result<v1::CreateContainerResponse, RuntimeError> {
        let place = self.arrive(&request).await?;
        let log_directory =
            request.sandbox_config.as_ref().map(|c| c.log_directory.clone()).unwrap_or_default();
        let config = request.config.clone().unwrap_or_default();
        let made = self.state().create_container(
            &request.pod_sandbox_id,
            config,
            &log_directory,
            self.clock.now_nanos(),
        );
        let container_id = made.map_err(|m| self.note(place, refuse(&request, Code::Unknown, m)))?;
        self.send(&container_id, ContainerCreatedEvent);
        let response = v1::CreateContainerResponse { container_id };
        self.answered(place, &response);
        Ok(response)
    }

    async fn start_container(
        &self,
        request: v1::StartContainerRequest,
    ) -> Result<v1::StartContainerResponse, RuntimeError> {
        let place = self.arrive(&request).await?;
        let id = request.container_id.clone();
        let started = self.clock.now_nanos();
        let run = self
            .state()
            .start(&id, started)
            .map_err(|m| self.note(place, refuse(&request, Code::Unknown, m)))?;
        self.send(&id, ContainerStartedEvent);
        if let Some((wait, code)) = run.exits {
            // The "process". It needs the runtime to outlive it, which a test's runtime does.
            let this = self.weak_self();
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                if let Some(fake) = this.upgrade()
                    && fake.state().end(&id, code, Some(started), fake.clock.now_nanos())
                {
                    fake.send(&id, ContainerStoppedEvent);
                }
            });
        }
        Ok(v1::StartContainerResponse {})
    }

    async fn stop_container(
        &self,
        request: v1::StopContainerRequest,
    ) -> Result<v1::StopContainerResponse, RuntimeError> {
        self.arrive(&request).await?;
        let id = &request.container_id;
        let on_term = {
            let state = self.state();
            let running =
                state.containers.get(id).filter(|c| c.status.state() == v1::ContainerState::ContainerRunning);
            let Some(container) = running else { return Ok(v1::StopContainerResponse {}) };
            container.run.on_term
        };
        let grace = Duration::from_secs(u64::try_from(request.timeout).unwrap_or(0));
        let (wait, code) = match on_term {
            Some((wait, code)) if wait <= grace && !grace.is_zero() => (wait, code),
            _ => (grace, 137),
        };
        tokio::time::sleep(wait).await;
        self.exit_container(id, code);
        Ok(v1::StopContainerResponse {})
    }

    async fn remove_container(
        &self,
        request: v1::RemoveContainerRequest,
    ) -> Result<v1::RemoveContainerResponse, RuntimeError> {
        self.arrive(&request).await?;
        self.remove_container_quietly(&request.container_id);
        Ok(v1::RemoveContainerResponse {})
    }

    async fn list_containers(
        &self,
        request: v1::ListContainersRequest,
    ) -> Result<v1::ListContainersResponse, RuntimeError> {
        self.arrive(&request).await?;
        let filter = request.filter.unwrap_or_default();
        let state = self.state();
        let wanted = |c: &&super::state::Container| {
            (filter.id.is_empty() || filter.id == c.status.id)
                && filter.state.is_none_or(|s| s.state == c.status.state)
                && (filter.pod_sandbox_id.is_empty() || filter.pod_sandbox_id == c.sandbox)
                && matches(&filter.label_selector, &c.status.labels)
        };
        let brief = |c: &super::state::Container| v1::Container {
            id: c.status.id.clone(),
            pod_sandbox_id: c.sandbox.clone(),
            metadata: c.status.metadata.clone(),
            image: c.status.image.clone(),
            image_ref: c.status.image_ref.clone(),
            state: c.status.state,
            created_at: c.status.created_at,
            labels: c.status.labels.clone(),
            annotations: c.status.annotations.clone(),
            image_id: c.status.image_id.clone(),
        };
        Ok(v1::ListContainersResponse {
            containers: state.containers.values().filter(wanted).map(brief).collect(),
        })
    }

    async fn container_status(
        &self,
        request: v1::ContainerStatusRequest,
    ) -> Result<v1::ContainerStatusResponse, RuntimeError> {
        self.arrive(&request).await?;
        let status = self.state().containers.get(&request.container_id).map(|c| c.status.clone());
        match status {
            Some(status) => Ok(v1::ContainerStatusResponse { status: Some(status), ..Default::default() }),
            None => Err(refuse(
                &request,
                Code::NotFound,
                "an error occurred when try to find container: not found",
            )),
        }
    }

    async fn exec_sync(&self, request: v1::ExecSyncRequest) -> Result<v1::ExecSyncResponse, RuntimeError> {
        let place = self.arrive(&request).await?;
        let answer = {
            let mut state = self.state();
            let container = state.containers.get(&request.container_id);
            let Some(container) =
                container.filter(|c| c.status.state() == v1::ContainerState::ContainerRunning)
            else {
                let message = format!("container {:?} is not running", request.container_id);
                return Err(self.note(place, refuse(&request, Code::Unknown, message)));
            };
            let name = container.status.metadata.as_ref().map(|m| m.name.clone()).unwrap_or_default();
            state.next_answer(&name)
        };
        let limit = Duration::from_secs(u64::try_from(request.timeout).unwrap_or(0));
        if !limit.is_zero() && answer.takes > limit {
            tokio::time::sleep(limit).await;
            let message = format!("timeout {}s exceeded: context deadline exceeded", request.timeout);
            return Err(self.note(place, refuse(&request, Code::DeadlineExceeded, message)));
        }
        tokio::time::sleep(answer.takes).await;
        let response =
            v1::ExecSyncResponse { stdout: answer.stdout, stderr: Vec::new(), exit_code: answer.exit_code };
        self.answered(place, &response);
        Ok(response)
    }

    async fn runtime_config(
        &self,
        request: v1::RuntimeConfigRequest,
    ) -> Result<v1::RuntimeConfigResponse, RuntimeError> {
        self.arrive(&request).await?;
        let linux = v1::LinuxRuntimeConfiguration { cgroup_driver: v1::CgroupDriver::Cgroupfs.into() };
        Ok(v1::RuntimeConfigResponse { linux: Some(linux) })
    }

    async fn get_container_events(&self) -> Result<EventStream, RuntimeError> {
        let refuse = |code, message: &str| {
            RuntimeError::from_status("GetContainerEvents", String::new(), &tonic::Status::new(code, message))
        };
        {
            let faults = self.faults();
            if faults.away {
                return Err(refuse(Code::Unavailable, "connection refused"));
            }
            if faults.without_events {
                return Err(refuse(Code::Unimplemented, "method GetContainerEvents not implemented"));
            }
        }
        let mut away = self.away.subscribe();
        away.mark_unchanged();
        let events =
            BroadcastStream::new(self.events.subscribe()).filter_map(async |event| event.ok().map(Ok));
        let gone = async move {
            // Either the runtime goes away or it is dropped: the stream ends both times.
            let _ = away.changed().await;
        };
        Ok(events.take_until(Box::pin(gone)).boxed())
    }
}

#[async_trait]
impl ImageService for FakeRuntime {
    async fn list_images(
        &self,
        request: v1::ListImagesRequest,
    ) -> Result<v1::ListImagesResponse, RuntimeError> {
        self.arrive(&request).await?;
        Ok(v1::ListImagesResponse { images: self.state().images() })
    }

    async fn image_status(
        &self,
        request: v1::ImageStatusRequest,
    ) -> Result<v1::ImageStatusResponse, RuntimeError> {
        self.arrive(&request).await?;
        let name = request.image.map(|i| i.image).unwrap_or_default();
        Ok(v1::ImageStatusResponse { image: self.state().image(&name), ..Default::default() })
    }

    async fn pull_image(&self, request: v1::PullImageRequest) -> Result<v1::PullImageResponse, RuntimeError> {
        let place = self.arrive(&request).await?;
        let name = request.image.clone().map(|i| i.image).unwrap_or_default();
        let pulled = self.state().pull(&name);
        pulled.map(|image_ref| v1::PullImageResponse { image_ref }).ok_or_else(|| {
            let message = format!(
                "failed to pull and unpack image {name:?}: failed to resolve reference {name:?}: not found"
            );
            self.note(place, refuse(&request, Code::NotFound, message))
        })
    }

    async fn remove_image(
        &self,
        request: v1::RemoveImageRequest,
    ) -> Result<v1::RemoveImageResponse, RuntimeError> {
        self.arrive(&request).await?;
        self.state().remove_image(&request.image.map(|i| i.image).unwrap_or_default());
        Ok(v1::RemoveImageResponse {})
    }
}
