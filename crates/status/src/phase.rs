//! The one word for a pod's state.
//!
//! Mirrors `kubelet_pods.go: getPhase`.

use std::fmt;

use pod_model::identity::{init_containers, is_restartable_init, spec};
use pod_model::{Container, ContainerState, Pod, PodStatus, restarts_after};

/// A pod's phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodPhase {
    /// Some container has not been started yet.
    Pending,
    /// All are started, and one runs or will be restarted.
    Running,
    /// All regular containers ended with 0 and none will be restarted.
    Succeeded,
    /// All regular containers ended, one of them badly, and none will be restarted; or initialization failed for good.
    Failed,
}

impl PodPhase {
    /// The pod is over: nothing of it will ever run again.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

impl fmt::Display for PodPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

// ANCHOR: pod_phase
/// The phase that a pod's containers give it.
///
/// Init containers first: one that is unfinished keeps the pod pending, one that failed and may not be repeated ends it.
/// Then the regular containers are counted. Sidecars delay the start and never count for the end.
pub fn pod_phase(pod: &Pod, status: &PodStatus) -> PodPhase {
    let containers = &spec(pod).containers;
    let initialized = containers.iter().any(|c| status.container(&c.name).is_some());
    match initialization(pod, status, initialized) {
        Initialization::Failed => return PodPhase::Failed,
        Initialization::Pending => return PodPhase::Pending,
        Initialization::Done => {}
    }
    let ends: Vec<End> = containers.iter().map(|c| end_of(pod, c, status)).collect();
    let sidecar_runs =
        init_containers(pod).iter().filter(|c| is_restartable_init(c)).any(|c| is_running(c, status));
    if ends.contains(&End::NotStarted) {
        PodPhase::Pending
    } else if sidecar_runs || ends.iter().any(|end| matches!(end, End::Running | End::WillRestart)) {
        PodPhase::Running
    } else if ends.iter().all(|end| *end == End::Good) {
        PodPhase::Succeeded
    } else {
        PodPhase::Failed
    }
}
// ANCHOR_END: pod_phase

#[derive(PartialEq)]
enum Initialization {
    Pending,
    Done,
    Failed,
}

fn initialization(pod: &Pod, status: &PodStatus, initialized: bool) -> Initialization {
    let mut pending = false;
    for container in init_containers(pod) {
        let known = status.container(&container.name);
        if is_restartable_init(container) {
            pending |= !initialized && !is_running(container, status);
            continue;
        }
        match known.map(|k| (k.state, k.exit_code)) {
            Some((ContainerState::Exited, 0)) => {}
            Some((ContainerState::Exited, code)) if !restarts_after(pod, container, code) => {
                return Initialization::Failed;
            }
            // The records of finished init containers may have been collected once the pod was initialized.
            None if initialized => {}
            _ => pending = true,
        }
    }
    if pending { Initialization::Pending } else { Initialization::Done }
}

#[derive(PartialEq)]
enum End {
    NotStarted,
    Running,
    WillRestart,
    Good,
    Bad,
}

// ANCHOR: end_of
fn end_of(pod: &Pod, container: &Container, status: &PodStatus) -> End {
    match status.container(&container.name).map(|known| (known.state, known.exit_code)) {
        None | Some((ContainerState::Created | ContainerState::Unknown, _)) => End::NotStarted,
        Some((ContainerState::Running, _)) => End::Running,
        Some((ContainerState::Exited, code)) if restarts_after(pod, container, code) => End::WillRestart,
        Some((ContainerState::Exited, 0)) => End::Good,
        Some((ContainerState::Exited, _)) => End::Bad,
    }
}
// ANCHOR_END: end_of

fn is_running(container: &Container, status: &PodStatus) -> bool {
    status.container(&container.name).is_some_and(|known| known.state == ContainerState::Running)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pod_model::{ContainerStatus, PodRef};

    fn pod(policy: &str) -> Pod {
        serde_json::from_value(serde_json::json!({
            "metadata": {"name": "web", "namespace": "default", "uid": "u1"},
            "spec": {
                "restartPolicy": policy,
                "initContainers": [{"name": "init"}, {"name": "sidecar", "restartPolicy": "Always"}],
                "containers": [{"name": "a"}, {"name": "b"}],
            },
        }))
        .expect("a pod")
    }

    /// `a:run b:0` — a name, and `run`, `new` (created) or an exit code.
    fn status(pod: &Pod, text: &str) -> PodStatus {
        let container = |word: &str| {
            let (name, state) = word.split_once(':').expect("name:state");
            let (state, exit_code) = match state {
                "run" => (ContainerState::Running, 0),
                "new" => (ContainerState::Created, 0),
                code => (ContainerState::Exited, code.parse().expect("a code")),
            };
            let mut status = ContainerStatus::from_cri("s", &Default::default());
            (status.name, status.state, status.exit_code) = (name.to_owned(), state, exit_code);
            status
        };
        let containers = text.split_whitespace().map(container).collect();
        PodStatus { containers, ..PodStatus::empty(PodRef::of(pod)) }
    }

    #[test]
    fn phases() {
        use PodPhase::{Failed, Pending, Running, Succeeded};
        for (policy, containers, phase) in [
            ("Always", "", Pending),
            ("Always", "init:run", Pending),
            ("Always", "init:1", Pending),
            ("Never", "init:1", Failed),
            ("OnFailure", "init:1", Pending),
            ("Always", "init:0 sidecar:run", Pending),
            ("Always", "init:0 sidecar:run a:run", Pending),
            ("Always", "init:0 sidecar:run a:run b:new", Pending),
            ("Always", "init:0 sidecar:run a:run b:run", Running),
            ("Always", "sidecar:run a:run b:run", Running),
            ("Always", "init:0 sidecar:1 a:run b:run", Running),
            ("Always", "init:0 sidecar:run a:0 b:1", Running),
            ("OnFailure", "init:0 sidecar:0 a:0 b:1", Running),
            ("OnFailure", "init:0 sidecar:0 a:0 b:0", Succeeded),
            ("Never", "init:0 sidecar:0 a:0 b:0", Succeeded),
            ("Never", "init:0 sidecar:0 a:0 b:137", Failed),
            ("Never", "init:0 sidecar:run a:0 b:run", Running),
            ("Never", "init:0 sidecar:run a:0 b:0", Running),
        ] {
            let pod = pod(policy);
            assert_eq!(pod_phase(&pod, &status(&pod, containers)), phase, "{policy}: {containers}");
        }
    }
}
