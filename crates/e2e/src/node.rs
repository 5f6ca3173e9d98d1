//! What a runtime holds, in the words of assertions: pods, their containers, and which processes these are.
//!
//! "The container was not touched" means: the same container id, the same pid, the same start time. A pid comes from
//! the verbose answer of `ContainerStatus`, which containerd, CRI-O and the embedded runtime all give as JSON with a
//! field `pid`.

use std::collections::BTreeMap;

use clock::from_nanos;
use cri_client::{RuntimeError, RuntimeService, v1};
use jiff::Timestamp;
use pod_model::{PodRef, labels};

use crate::process::ProcessId;

/// Everything a runtime holds at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeView {
    /// The sandboxes, by pod and attempt.
    pub sandboxes: Vec<SandboxView>,
}

/// One sandbox with its containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxView {
    /// Its id.
    pub id: String,
    /// The pod, by the kubelet's labels; without those, by the sandbox's own metadata.
    pub pod: PodRef,
    /// Whether the kubelet's labels are on it: if not, somebody else made it.
    pub has_kubelet_labels: bool,
    /// How many sandboxes the pod had before.
    pub attempt: u32,
    /// It is ready: its network and its namespaces are there.
    pub ready: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Its containers, by name and attempt.
    pub containers: Vec<ContainerView>,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerView {
    /// Its id.
    pub id: String,
    /// Its name in the pod.
    pub name: String,
    /// The attempt that the runtime was told.
    pub attempt: u32,
    /// The restart count that the kubelet wrote onto it.
    pub restart_count: Option<u32>,
    /// Created, running, exited.
    pub state: v1::ContainerState,
    /// Its process, while it runs.
    pub process: Option<ProcessId>,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its exit code; 0 while it runs.
    pub exit_code: i32,
    /// The runtime's word for why it ended, such as `Completed` or `OOMKilled`.
    pub reason: String,
    /// Its log file.
    pub log_path: String,
}

impl NodeView {
    /// Asks the runtime. What disappears between the listing and the look at it is left out.
    ///
    /// # Errors
    /// Any other failed call.
    pub async fn read(runtime: &dyn RuntimeService) -> Result<Self, RuntimeError> {
        let listed = runtime.list_pod_sandbox(v1::ListPodSandboxRequest::default()).await?.items;
        let mut containers: BTreeMap<String, Vec<ContainerView>> = BTreeMap::new();
        for found in runtime.list_containers(v1::ListContainersRequest::default()).await?.containers {
            let request = v1::ContainerStatusRequest { container_id: found.id.clone(), verbose: true };
            match runtime.container_status(request).await {
                Ok(answer) => {
                    let of_sandbox = containers.entry(found.pod_sandbox_id).or_default();
                    of_sandbox.extend(container_view(answer));
                }
                Err(gone) if gone.is_not_found() => {}
                Err(failed) => return Err(failed),
            }
        }
        let mut sandboxes: Vec<SandboxView> = listed
            .into_iter()
            .map(|sandbox| {
                let containers = containers.remove(&sandbox.id).unwrap_or_default();
                sandbox_view(sandbox, containers)
            })
            .collect();
        sandboxes.sort_by(|a, b| (&a.pod, a.attempt, a.created_at).cmp(&(&b.pod, b.attempt, b.created_at)));
        Ok(Self { sandboxes })
    }

    /// The sandboxes of a pod, by the pod's name, oldest first.
    pub fn of_pod<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a SandboxView> {
        self.sandboxes.iter().filter(move |s| s.pod.name == name)
    }

    /// The containers that run, each under `namespace/pod/container`. A name that runs twice is there twice.
    pub fn running(&self) -> Vec<(String, &ContainerView)> {
        let mut running: Vec<(String, &ContainerView)> = Vec::new();
        for sandbox in &self.sandboxes {
            let up = sandbox.containers.iter().filter(|c| c.state == v1::ContainerState::ContainerRunning);
            running.extend(up.map(|c| (format!("{}/{}", sandbox.pod, c.name), c)));
        }
        running.sort_by(|a, b| a.0.cmp(&b.0));
        running
    }

    /// The processes of the running containers, under `namespace/pod/container`: equal before and after means that
    /// nobody touched them.
    pub fn processes(&self) -> BTreeMap<String, (String, Option<ProcessId>)> {
        self.running().into_iter().map(|(name, c)| (name, (c.id.clone(), c.process))).collect()
    }

    /// Every process of every running container.
    pub fn pids(&self) -> Vec<ProcessId> {
        self.running().into_iter().filter_map(|(_, c)| c.process).collect()
    }

    /// Nothing is up any more: no ready sandbox, no running container.
    pub fn is_quiet(&self) -> bool {
        self.running().is_empty() && !self.sandboxes.iter().any(|s| s.ready)
    }
}

impl std::fmt::Display for NodeView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.sandboxes.is_empty() {
            return f.write_str("no pods");
        }
        for (i, sandbox) in self.sandboxes.iter().enumerate() {
            let ready = if sandbox.ready { "ready" } else { "not ready" };
            write!(f, "{}{} #{} {ready}", if i > 0 { ", " } else { "" }, sandbox.pod, sandbox.attempt)?;
            for c in &sandbox.containers {
                let state = match c.state {
                    v1::ContainerState::ContainerCreated => "created".to_owned(),
                    v1::ContainerState::ContainerRunning => "running".to_owned(),
                    v1::ContainerState::ContainerExited => format!("exited {}", c.exit_code),
                    v1::ContainerState::ContainerUnknown => "unknown".to_owned(),
                };
                write!(f, " [{} #{} {state}]", c.name, c.attempt)?;
            }
        }
        Ok(())
    }
}

fn sandbox_view(sandbox: v1::PodSandbox, mut containers: Vec<ContainerView>) -> SandboxView {
    containers.sort_by(|a, b| (&a.name, a.attempt, a.started_at).cmp(&(&b.name, b.attempt, b.started_at)));
    let metadata = sandbox.metadata.clone().unwrap_or_default();
    let labels = labels::pod_of(&sandbox.labels.clone().into_iter().collect());
    SandboxView {
        ready: sandbox.state() == v1::PodSandboxState::SandboxReady,
        id: sandbox.id,
        has_kubelet_labels: labels.is_some(),
        pod: labels.unwrap_or_else(|| PodRef {
            namespace: metadata.namespace,
            name: metadata.name,
            uid: pod_model::PodUid::new(metadata.uid),
        }),
        attempt: metadata.attempt,
        created_at: from_nanos(sandbox.created_at),
        containers,
    }
}

fn container_view(answer: v1::ContainerStatusResponse) -> Option<ContainerView> {
    let status = answer.status?;
    let metadata = status.metadata.clone().unwrap_or_default();
    let state = status.state();
    let running = state == v1::ContainerState::ContainerRunning;
    Some(ContainerView {
        state,
        process: answer
            .info
            .values()
            .find_map(|json| pid_in(json))
            .filter(|_| running)
            .and_then(ProcessId::of),
        restart_count: status.annotations.get(labels::RESTART_COUNT).and_then(|n| n.parse().ok()),
        id: status.id,
        name: metadata.name,
        attempt: metadata.attempt,
        started_at: from_nanos(status.started_at),
        finished_at: from_nanos(status.finished_at),
        exit_code: status.exit_code,
        reason: status.reason,
        log_path: status.log_path,
    })
}

/// The pid in the JSON of a verbose answer. The field is all that is looked at: the rest differs between runtimes.
fn pid_in(json: &str) -> Option<i32> {
    #[derive(serde::Deserialize)]
    struct Info {
        pid: Option<i32>,
    }
    serde_json::from_str::<Info>(json).ok()?.pid.filter(|pid| *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_of_a_verbose_answer() {
        assert_eq!(pid_in(r#"{"sandboxID":"a","pid":4711,"config":{"pid":"x"}}"#), Some(4711));
        for without in [r#"{"pid":0}"#, "{}", "plain text", r#"{"pid":"7"}"#] {
            assert_eq!(pid_in(without), None, "{without}");
        }
    }

    #[test]
    fn a_sandbox_without_the_kubelets_labels_is_named_by_its_metadata() {
        let metadata = v1::PodSandboxMetadata {
            name: "stray".into(),
            namespace: "other".into(),
            uid: "u9".into(),
            attempt: 2,
        };
        let bare = v1::PodSandbox { id: "s1".into(), metadata: Some(metadata), ..Default::default() };
        let view = sandbox_view(bare.clone(), Vec::new());
        assert_eq!((view.pod.to_string(), view.has_kubelet_labels), ("other/stray".to_owned(), false));
        let labels = [(labels::POD_UID, "u1"), (labels::POD_NAME, "web"), (labels::POD_NAMESPACE, "default")];
        let labels = labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter().collect();
        let view = sandbox_view(v1::PodSandbox { labels, ..bare }, Vec::new());
        assert_eq!((view.pod.to_string(), view.has_kubelet_labels), ("default/web".to_owned(), true));
    }
}
