//! What is written down of sandboxes and containers. These are the JSON files of the state directory, meant to
//! be read by people too; the interface's own messages have no JSON form here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cri_client::v1;
use serde::{Deserialize, Serialize};

use crate::process::ProcessId;

/// Labels or annotations.
pub(crate) type Labels = BTreeMap<String, String>;

/// A sandbox: a name and a state. It has no process of its own, because there is no namespace to hold open.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SandboxRecord {
    pub id: String,
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub attempt: u32,
    pub hostname: String,
    pub log_directory: String,
    pub labels: Labels,
    pub annotations: Labels,
    /// The namespace modes that were asked for, given back as they came: a kubelet compares them.
    pub namespaces: Option<Namespaces>,
    pub created_at: i64,
    pub ready: bool,
}

/// `NamespaceOption` of the interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Namespaces {
    pub network: i32,
    pub pid: i32,
    pub ipc: i32,
    pub target_id: String,
}

/// A container: what to run and what to say about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ContainerRecord {
    pub id: String,
    pub sandbox_id: String,
    pub name: String,
    pub attempt: u32,
    /// The image as the request named it, which is an id when it comes from a kubelet.
    pub image: String,
    pub user_specified_image: String,
    /// The image's own name and id.
    pub image_name: String,
    pub image_id: String,
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    pub working_dir: PathBuf,
    /// Where its log goes; `None` is nowhere.
    pub log_path: Option<PathBuf>,
    pub labels: Labels,
    pub annotations: Labels,
    pub mounts: Vec<MountRecord>,
    pub stop_signal: i32,
    pub created_at: i64,
}

/// A mount, given back as it came and not carried out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MountRecord {
    pub container_path: String,
    pub host_path: String,
    pub readonly: bool,
    pub propagation: i32,
}

/// The shim has started the container's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Started {
    pub process: ProcessId,
    /// Nanoseconds since 1970.
    pub started_at: i64,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exit {
    /// The exit code, or 128 plus the number of the signal that ended it.
    pub code: i32,
    /// `Completed`, `Error`, or why there is no real exit code.
    pub reason: String,
    pub message: String,
    /// Nanoseconds since 1970.
    pub finished_at: i64,
}

impl Exit {
    /// The process ended by itself or by a signal.
    pub fn with_code(code: i32, finished_at: i64) -> Self {
        let reason = if code == 0 { "Completed" } else { "Error" };
        Self { code, reason: reason.to_owned(), message: String::new(), finished_at }
    }

    /// It never ran: containerd's exit code and reason for that.
    pub fn start_error(message: &str, finished_at: i64) -> Self {
        Self { code: 128, reason: "StartError".to_owned(), message: message.to_owned(), finished_at }
    }

    /// It ended and nobody was there to see how: containerd's exit code and reason for that.
    pub fn unknown(finished_at: i64) -> Self {
        Self { code: 255, reason: "Unknown".to_owned(), message: String::new(), finished_at }
    }
}

impl SandboxRecord {
    /// The name that may exist once (containerd's `makeSandboxName`).
    pub fn unique_name(&self) -> String {
        format!("{}_{}_{}_{}", self.name, self.namespace, self.uid, self.attempt)
    }
}

impl Namespaces {
    pub fn from_cri(options: &v1::NamespaceOption) -> Self {
        let v1::NamespaceOption { network, pid, ipc, target_id, .. } = options.clone();
        Self { network, pid, ipc, target_id }
    }

    pub fn to_cri(&self) -> v1::NamespaceOption {
        let Self { network, pid, ipc, target_id } = self.clone();
        v1::NamespaceOption { network, pid, ipc, target_id, userns_options: None }
    }
}

impl MountRecord {
    pub fn from_cri(mount: v1::Mount) -> Self {
        let v1::Mount { container_path, host_path, readonly, propagation, .. } = mount;
        Self { container_path, host_path, readonly, propagation }
    }

    pub fn to_cri(&self) -> v1::Mount {
        let Self { container_path, host_path, readonly, propagation } = self.clone();
        v1::Mount { container_path, host_path, readonly, propagation, ..Default::default() }
    }
}
