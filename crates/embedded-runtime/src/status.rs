//! What is said about a sandbox or container, from what is known of it.

use cri_client::v1;
use cri_client::v1::{ContainerState, NamespaceMode, PodSandboxState};

use crate::record::{ContainerRecord, MountRecord, SandboxRecord};
use crate::runtime::{Container, Phase};

/// The address of every pod: they all share the machine's network.
const POD_ADDRESS: &str = "127.0.0.1";

impl Phase {
    /// The state in the interface's words.
    pub fn state(&self) -> ContainerState {
        match self {
            Self::Created | Self::Starting => ContainerState::ContainerCreated,
            Self::Running { .. } => ContainerState::ContainerRunning,
            Self::Exited { .. } => ContainerState::ContainerExited,
        }
    }
}

impl SandboxRecord {
    /// The state in the interface's words.
    pub fn state(&self) -> PodSandboxState {
        if self.ready { PodSandboxState::SandboxReady } else { PodSandboxState::SandboxNotready }
    }

    fn metadata(&self) -> v1::PodSandboxMetadata {
        let Self { name, uid, namespace, attempt, .. } = self.clone();
        v1::PodSandboxMetadata { name, uid, namespace, attempt }
    }
}

/// A sandbox in full.
pub(crate) fn sandbox(record: &SandboxRecord) -> v1::PodSandboxStatus {
    // As containerd: a pod on the node's network has no address of its own, and a kubelet that finds none on another
    // pod makes a new sandbox.
    let own_network = record.namespaces.as_ref().is_none_or(|n| n.network != NamespaceMode::Node as i32);
    let ip = if own_network { POD_ADDRESS.to_owned() } else { String::new() };
    v1::PodSandboxStatus {
        id: record.id.clone(),
        metadata: Some(record.metadata()),
        state: record.state().into(),
        created_at: record.created_at,
        network: Some(v1::PodSandboxNetworkStatus { ip, additional_ips: Vec::new() }),
        linux: record.namespaces.as_ref().map(|namespaces| v1::LinuxPodSandboxStatus {
            namespaces: Some(v1::Namespace { options: Some(namespaces.to_cri()) }),
        }),
        labels: record.labels.clone(),
        annotations: record.annotations.clone(),
        runtime_handler: String::new(),
    }
}

/// A sandbox in a list.
pub(crate) fn sandbox_summary(record: &SandboxRecord) -> v1::PodSandbox {
    v1::PodSandbox {
        id: record.id.clone(),
        metadata: Some(record.metadata()),
        state: record.state().into(),
        created_at: record.created_at,
        labels: record.labels.clone(),
        annotations: record.annotations.clone(),
        runtime_handler: String::new(),
    }
}

fn metadata(record: &ContainerRecord) -> v1::ContainerMetadata {
    v1::ContainerMetadata { name: record.name.clone(), attempt: record.attempt }
}

fn image_spec(image: &str, record: &ContainerRecord) -> v1::ImageSpec {
    let user_specified_image = record.user_specified_image.clone();
    v1::ImageSpec { image: image.to_owned(), user_specified_image, ..Default::default() }
}

/// A container in full.
pub(crate) fn container(container: &Container) -> v1::ContainerStatus {
    let (record, phase) = (&container.record, container.phase.borrow());
    let (started, exit) = match &*phase {
        Phase::Created | Phase::Starting => (None, None),
        Phase::Running { started, .. } => (Some(*started), None),
        Phase::Exited { started, exit } => (*started, Some(exit.clone())),
    };
    let log_path = record.log_path.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
    v1::ContainerStatus {
        id: record.id.clone(),
        metadata: Some(metadata(record)),
        state: phase.state().into(),
        created_at: record.created_at,
        started_at: started.map_or(0, |s| s.started_at),
        finished_at: exit.as_ref().map_or(0, |e| e.finished_at),
        exit_code: exit.as_ref().map_or(0, |e| e.code),
        reason: exit.as_ref().map(|e| e.reason.clone()).unwrap_or_default(),
        message: exit.map(|e| e.message).unwrap_or_default(),
        // A list names the image as the request did, the status as the image calls itself.
        image: Some(image_spec(&record.image_name, record)),
        image_ref: record.image_id.clone(),
        image_id: record.image_id.clone(),
        labels: record.labels.clone(),
        annotations: record.annotations.clone(),
        mounts: record.mounts.iter().map(MountRecord::to_cri).collect(),
        log_path,
        stop_signal: record.stop_signal,
        resources: None,
        user: None,
    }
}

/// A container in a list.
pub(crate) fn container_summary(container: &Container) -> v1::Container {
    let record = &container.record;
    v1::Container {
        id: record.id.clone(),
        pod_sandbox_id: record.sandbox_id.clone(),
        metadata: Some(metadata(record)),
        image: Some(image_spec(&record.image, record)),
        image_ref: record.image_id.clone(),
        image_id: record.image_id.clone(),
        state: container.phase.borrow().state().into(),
        created_at: record.created_at,
        labels: record.labels.clone(),
        annotations: record.annotations.clone(),
    }
}
