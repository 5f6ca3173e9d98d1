//! The floor: the calls of a kubelet without the kubelet.
//!
//! A pod is a sandbox on the pod network and one container, with cgroup, log folder and namespaces as a kubelet asks
//! for them. What costs no time worth measuring is left out: labels of its own, `/etc/hosts`, the termination log.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use cri_client::v1::security_profile::ProfileType;
use cri_client::{EventStream, GrpcRuntime, RuntimeService as _, v1};
use e2e::oci_image::BUSYBOX;
use e2e::{PrivateContainerd, ProcessId};
use futures::StreamExt as _;
use pod_model::labels;

use crate::node::SCRIPT;

/// How often the floor looks whether a process has ended.
const LOOK: Duration = Duration::from_millis(1);

/// The grace of a pod that is not needed any more, in seconds. Its process obeys at once.
const GRACE: i64 = 1;

/// A client that makes the calls in order, and decides nothing.
#[derive(Debug)]
pub struct Bare {
    client: GrpcRuntime,
    cgroup: String,
    logs: PathBuf,
}

/// A pod of the floor.
#[derive(Clone, Debug)]
pub struct BarePod {
    /// Its name.
    pub name: String,
    /// Its one container, at the present.
    pub container_id: String,
    sandbox_id: String,
    config: v1::PodSandboxConfig,
}

impl Bare {
    /// A client of this runtime.
    pub fn on(containerd: &PrivateContainerd) -> Self {
        Self {
            client: containerd.client(),
            cgroup: containerd.cgroup_root(),
            logs: containerd.dir().join("bare/logs"),
        }
    }

    /// RunPodSandbox, CreateContainer, StartContainer.
    ///
    /// # Errors
    /// The first call that fails.
    pub async fn run_pod(&self, name: &str) -> Result<BarePod> {
        let config = self.sandbox_config(name);
        let request =
            v1::RunPodSandboxRequest { config: Some(config.clone()), runtime_handler: String::new() };
        let sandbox_id = self.client.run_pod_sandbox(request).await?.pod_sandbox_id;
        let mut pod = BarePod { name: name.to_owned(), container_id: String::new(), sandbox_id, config };
        self.start_container(&mut pod, 0).await?;
        Ok(pod)
    }

    /// CreateContainer, StartContainer: the `attempt`-th after the first.
    ///
    /// # Errors
    /// The first call that fails.
    pub async fn start_container(&self, pod: &mut BarePod, attempt: u32) -> Result<()> {
        let request = v1::CreateContainerRequest {
            pod_sandbox_id: pod.sandbox_id.clone(),
            config: Some(container_config(&pod.name, attempt)),
            sandbox_config: Some(pod.config.clone()),
        };
        let container_id = self.client.create_container(request).await?.container_id;
        self.client.start_container(v1::StartContainerRequest { container_id: container_id.clone() }).await?;
        pod.container_id = container_id;
        Ok(())
    }

    /// The least that a restart can be: the process is seen to end within a millisecond, and the next one is started.
    ///
    /// # Errors
    /// The first call that fails.
    pub async fn restart_when_ended(&self, pod: &mut BarePod, process: ProcessId) -> Result<()> {
        while process.is_alive() {
            tokio::time::sleep(LOOK).await;
        }
        self.start_container(pod, 1).await
    }

    /// The least that a restart can be for somebody who believes the runtime only: the next container is started when
    /// the event arrives that the present one has stopped.
    ///
    /// # Errors
    /// The stream ends, or a call fails.
    pub async fn restart_when_told(&self, pod: &mut BarePod, events: &mut EventStream) -> Result<()> {
        loop {
            let event = events.next().await.context("the runtime's event stream ended")??;
            let stopped = v1::ContainerEventType::ContainerStoppedEvent;
            if event.container_event_type() == stopped && event.container_id == pod.container_id {
                return self.start_container(pod, 1).await;
            }
        }
    }

    /// StopContainer, StopPodSandbox, RemovePodSandbox.
    ///
    /// # Errors
    /// The first call that fails.
    pub async fn remove(&self, pod: BarePod) -> Result<()> {
        let (id, timeout) = (pod.sandbox_id, GRACE);
        let stop = v1::StopContainerRequest { container_id: pod.container_id, timeout };
        self.client.stop_container(stop).await.with_context(|| pod.name.clone())?;
        self.client.stop_pod_sandbox(v1::StopPodSandboxRequest { pod_sandbox_id: id.clone() }).await?;
        self.client.remove_pod_sandbox(v1::RemovePodSandboxRequest { pod_sandbox_id: id }).await?;
        Ok(())
    }

    fn sandbox_config(&self, name: &str) -> v1::PodSandboxConfig {
        v1::PodSandboxConfig {
            metadata: Some(v1::PodSandboxMetadata {
                name: name.to_owned(),
                uid: format!("uid-{name}"),
                namespace: "default".to_owned(),
                attempt: 0,
            }),
            hostname: name.to_owned(),
            log_directory: self.logs.join(name).display().to_string(),
            dns_config: Some(v1::DnsConfig::default()),
            labels: [(labels::POD_NAME.to_owned(), name.to_owned())].into(),
            linux: Some(v1::LinuxPodSandboxConfig {
                cgroup_parent: format!("{}/kubepods/besteffort/pod{name}", self.cgroup),
                security_context: Some(v1::LinuxSandboxSecurityContext {
                    namespace_options: Some(namespaces()),
                    seccomp: Some(v1::SecurityProfile {
                        profile_type: ProfileType::RuntimeDefault.into(),
                        localhost_ref: String::new(),
                    }),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        }
    }
}

fn namespaces() -> v1::NamespaceOption {
    v1::NamespaceOption { pid: v1::NamespaceMode::Container.into(), ..Default::default() }
}

fn container_config(pod: &str, attempt: u32) -> v1::ContainerConfig {
    v1::ContainerConfig {
        metadata: Some(v1::ContainerMetadata { name: "main".to_owned(), attempt }),
        image: Some(v1::ImageSpec { image: BUSYBOX.to_owned(), ..Default::default() }),
        command: ["sh", "-c", SCRIPT].map(str::to_owned).to_vec(),
        log_path: format!("main/{attempt}.log"),
        labels: [(labels::POD_NAME.to_owned(), pod.to_owned())].into(),
        linux: Some(v1::LinuxContainerConfig {
            resources: Some(v1::LinuxContainerResources {
                cpu_shares: 2,
                oom_score_adj: 1000,
                ..Default::default()
            }),
            security_context: Some(v1::LinuxContainerSecurityContext {
                namespace_options: Some(namespaces()),
                ..Default::default()
            }),
        }),
        ..Default::default()
    }
}
