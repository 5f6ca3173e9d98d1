//! What the runtime says about a pod, in the kubelet's words.
//!
//! A relist and the events of the runtime end here: CRI messages in, one [`PodStatus`] out, newest first. Every
//! decision about a pod is a comparison of its spec with this value.
//!
//! Mirrors `container/runtime.go: PodStatus, Status` and `kuberuntime_container.go: toKubeContainerStatus`.

use cri_client::v1;
use jiff::Timestamp;

use crate::labels;
use crate::{PodRef, PodUid};

/// Where a container is in its life. It never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Prepared and never started; or its start is under way.
    Created,
    /// Its process lives.
    Running,
    /// Its process ended.
    Exited,
    /// The runtime lost track of it: it may or may not live.
    Unknown,
}

impl From<v1::ContainerState> for ContainerState {
    fn from(state: v1::ContainerState) -> Self {
        match state {
            v1::ContainerState::ContainerCreated => Self::Created,
            v1::ContainerState::ContainerRunning => Self::Running,
            v1::ContainerState::ContainerExited => Self::Exited,
            v1::ContainerState::ContainerUnknown => Self::Unknown,
        }
    }
}

impl std::fmt::Display for ContainerState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Exited => "exited",
            Self::Unknown => "unknown",
        })
    }
}

/// One container, alive or dead, as the runtime last described it.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerStatus {
    /// The runtime's id.
    pub id: String,
    /// The sandbox that holds it.
    pub sandbox_id: String,
    /// The name in the pod's spec.
    pub name: String,
    /// Where it is in its life.
    pub state: ContainerState,
    /// The [container hash](crate::container_hash) that it was made with.
    pub hash: u64,
    /// How often a container of this name was started before it.
    pub restart_count: u32,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When its process began.
    pub started_at: Option<Timestamp>,
    /// When its process ended.
    pub finished_at: Option<Timestamp>,
    /// The exit code; 128 + n when signal n ended it. Means something only once it has exited.
    pub exit_code: i32,
    /// Why it is in this state: `Completed`, `Error`, `OOMKilled`, or the runtime's own word.
    pub reason: String,
    /// The runtime's explanation.
    pub message: String,
    /// The image as the runtime shows it.
    pub image: String,
    /// The image's id.
    pub image_id: String,
    /// The runtime's reference to the image.
    pub image_ref: String,
    /// Seconds of grace that the pod's spec asked for when the container was made.
    pub termination_grace_period: Option<i64>,
    /// Seconds of grace that a deletion asked for when the container was made.
    pub deletion_grace_period: Option<i64>,
}

impl ContainerStatus {
    /// Reads a CRI status. Annotations that are missing or unreadable count as zero: an old or strange container must
    /// not stop its pod. `sandbox_id` comes from the list: the long form of a status does not name it.
    pub fn from_cri(sandbox_id: &str, status: &v1::ContainerStatus) -> Self {
        let note = |key: &str| status.annotations.get(key).map(String::as_str);
        let number = |key: &str| note(key).and_then(|text| text.parse::<i64>().ok());
        let exited = status.state() == v1::ContainerState::ContainerExited;
        let image = status.image.as_ref();
        Self {
            id: status.id.clone(),
            sandbox_id: sandbox_id.to_owned(),
            name: status
                .labels
                .get(labels::CONTAINER_NAME)
                .or(status.metadata.as_ref().map(|m| &m.name))
                .cloned()
                .unwrap_or_default(),
            state: status.state().into(),
            hash: note(labels::CONTAINER_HASH)
                .and_then(|text| u64::from_str_radix(text, 16).ok())
                .unwrap_or(0),
            restart_count: number(labels::RESTART_COUNT).and_then(|n| n.try_into().ok()).unwrap_or(0),
            created_at: clock::from_nanos(status.created_at),
            started_at: clock::from_nanos(status.started_at),
            finished_at: if exited { clock::from_nanos(status.finished_at) } else { None },
            exit_code: if exited { status.exit_code } else { 0 },
            reason: if exited { status.reason.clone() } else { String::new() },
            message: if exited { status.message.clone() } else { String::new() },
            image: image.map(|i| i.image.clone()).unwrap_or_default(),
            // image_id came with 1.30; older runtimes say it only in image_ref.
            image_id: if status.image_id.is_empty() { &status.image_ref } else { &status.image_id }.clone(),
            image_ref: status.image_ref.clone(),
            termination_grace_period: number(labels::TERMINATION_GRACE_PERIOD),
            deletion_grace_period: number(labels::DELETION_GRACE_PERIOD),
        }
    }
}

impl ContainerStatus {
    /// Its process never lived: it was only created, or its start failed.
    pub fn never_ran(&self) -> bool {
        match self.state {
            ContainerState::Created => true,
            ContainerState::Exited => self.started_at.is_none(),
            ContainerState::Running | ContainerState::Unknown => false,
        }
    }
}

/// One pod as the runtime last described it.
#[derive(Clone, Debug, PartialEq)]
pub struct PodStatus {
    /// Which pod.
    pub pod: PodRef,
    /// Its addresses, the primary one first; empty in the host's network.
    pub ips: Vec<String>,
    /// Its sandboxes, newest first.
    pub sandboxes: Vec<v1::PodSandboxStatus>,
    /// Its containers, newest first, the dead ones included.
    pub containers: Vec<ContainerStatus>,
}

impl PodStatus {
    /// The status of a pod that the runtime has nothing of.
    pub fn empty(pod: PodRef) -> Self {
        Self { pod, ips: Vec::new(), sandboxes: Vec::new(), containers: Vec::new() }
    }

    /// Puts together what the runtime said: sandboxes, and containers with the id of their sandbox. `last_ips` are the addresses known before: a stopped sandbox has lost its
    /// own, and the pod keeps them until it is gone (`pleg/generic.go: getPodIPs`).
    pub fn from_cri(
        pod: PodRef,
        mut sandboxes: Vec<v1::PodSandboxStatus>,
        containers: &[(String, v1::ContainerStatus)],
        last_ips: &[String],
    ) -> Self {
        let attempt = |s: &v1::PodSandboxStatus| s.metadata.as_ref().map_or(0, |m| m.attempt);
        sandboxes.sort_by_key(|s| std::cmp::Reverse((s.created_at, attempt(s))));
        let mut containers: Vec<_> =
            containers.iter().map(|(sandbox, c)| ContainerStatus::from_cri(sandbox, c)).collect();
        containers.sort_by_key(|c| std::cmp::Reverse((c.created_at, c.restart_count)));
        let ips = match sandboxes.first() {
            Some(newest) if newest.state() == v1::PodSandboxState::SandboxReady => sandbox_ips(newest),
            Some(_) => last_ips.to_vec(),
            None => Vec::new(),
        };
        Self { pod, ips, sandboxes, containers }
    }

    /// The newest container of that name. Mirrors `FindContainerStatusByName`.
    pub fn container(&self, name: &str) -> Option<&ContainerStatus> {
        self.containers.iter().find(|c| c.name == name)
    }

    /// All containers whose process lives or may live.
    pub fn running(&self) -> impl Iterator<Item = &ContainerStatus> {
        self.containers
            .iter()
            .filter(|c| matches!(c.state, ContainerState::Running | ContainerState::Unknown))
    }

    /// Whether a container runs or a sandbox is up: whether there is anything to stop.
    pub fn is_alive(&self) -> bool {
        self.running().next().is_some()
            || self.sandboxes.iter().any(|s| s.state() == v1::PodSandboxState::SandboxReady)
    }

    /// The pod's UID.
    pub fn uid(&self) -> &PodUid {
        &self.pod.uid
    }
}

/// The addresses that a sandbox reports. Mirrors `determinePodSandboxIPs`; what is no address is left out.
pub fn sandbox_ips(sandbox: &v1::PodSandboxStatus) -> Vec<String> {
    let Some(network) = &sandbox.network else { return Vec::new() };
    let valid = |ip: &str| ip.parse::<std::net::IpAddr>().is_ok();
    if !valid(&network.ip) {
        return Vec::new();
    }
    let more = network.additional_ips.iter().map(|a| &a.ip).filter(|ip| valid(ip));
    std::iter::once(&network.ip).chain(more).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, created_at: i64, state: v1::ContainerState) -> v1::ContainerStatus {
        v1::ContainerStatus {
            id: format!("{name}-{created_at}"),
            labels: [(labels::CONTAINER_NAME.to_owned(), name.to_owned())].into(),
            annotations: [
                (labels::CONTAINER_HASH.to_owned(), "e3b3a006".to_owned()),
                (labels::RESTART_COUNT.to_owned(), "2".to_owned()),
                (labels::TERMINATION_GRACE_PERIOD.to_owned(), "not a number".to_owned()),
            ]
            .into(),
            created_at,
            started_at: created_at + 1,
            finished_at: created_at + 2,
            exit_code: 137,
            reason: "Error".into(),
            state: state.into(),
            ..Default::default()
        }
    }

    fn sandbox(attempt: u32, state: v1::PodSandboxState, ip: &str) -> v1::PodSandboxStatus {
        v1::PodSandboxStatus {
            id: format!("s{attempt}"),
            metadata: Some(v1::PodSandboxMetadata { attempt, ..Default::default() }),
            created_at: 10,
            state: state.into(),
            network: Some(v1::PodSandboxNetworkStatus { ip: ip.into(), additional_ips: Vec::new() }),
            ..Default::default()
        }
    }

    fn pod() -> PodRef {
        PodRef { namespace: "default".into(), name: "web".into(), uid: PodUid::new("u1") }
    }

    #[test]
    fn the_newest_comes_first_and_unreadable_notes_count_as_absent() {
        use v1::ContainerState::{ContainerExited, ContainerRunning};
        let status = PodStatus::from_cri(
            pod(),
            vec![
                sandbox(0, v1::PodSandboxState::SandboxNotready, ""),
                sandbox(1, v1::PodSandboxState::SandboxReady, "10.0.0.2"),
            ],
            &[
                ("s0".into(), container("a", 5, ContainerExited)),
                ("s1".into(), container("a", 9, ContainerRunning)),
            ],
            &[],
        );
        assert_eq!(status.sandboxes[0].id, "s1");
        assert_eq!(status.ips, ["10.0.0.2"]);
        let newest = status.container("a").expect("a container");
        assert_eq!(
            (newest.id.as_str(), newest.state, newest.hash, newest.restart_count),
            ("a-9", ContainerState::Running, 0xe3b3_a006, 2)
        );
        assert_eq!((newest.exit_code, newest.finished_at), (0, None), "a running container has not finished");
        assert_eq!(newest.termination_grace_period, None);
        assert_eq!(status.containers[1].exit_code, 137);
        assert_eq!(status.running().count(), 1);
    }

    #[test]
    fn a_stopped_sandbox_keeps_the_addresses_known_before() {
        let last = ["10.0.0.2".to_owned()];
        let stopped = vec![sandbox(0, v1::PodSandboxState::SandboxNotready, "")];
        assert_eq!(PodStatus::from_cri(pod(), stopped, &[], &last).ips, last);
        assert!(PodStatus::from_cri(pod(), Vec::new(), &[], &last).ips.is_empty());
    }

    #[test]
    fn what_is_no_address_is_left_out() {
        assert!(sandbox_ips(&sandbox(0, v1::PodSandboxState::SandboxReady, "not-an-ip")).is_empty());
        assert!(sandbox_ips(&v1::PodSandboxStatus::default()).is_empty());
    }
}
