//! Does the pod need a new sandbox?
//!
//! Mirrors `kuberuntime/util/util.go: PodSandboxChanged`.

use cri_client::v1;
use pod_model::{Pod, PodStatus, identity};

/// What is to happen with the pod's sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxVerdict {
    /// A new one is needed, and everything in the old one has to end.
    pub changed: bool,
    /// The attempt of the sandbox to use: the present one's, or the next one's.
    pub attempt: u32,
    /// The present sandbox, if there is one worth naming.
    pub id: Option<String>,
}

// ANCHOR: sandbox_changed
/// Compares a pod with its sandboxes, newest first. A new one is needed when there is none, when more than one is ready
/// (somebody, perhaps an earlier agent, made two), when the newest is not ready, when the pod moved into or out of the
/// host's network, and when the newest has no address.
pub fn sandbox_changed(pod: &Pod, status: &PodStatus) -> SandboxVerdict {
    let Some(newest) = status.sandboxes.first() else {
        return SandboxVerdict { changed: true, attempt: 0, id: None };
    };
    let attempt = newest.metadata.as_ref().map_or(0, |m| m.attempt);
    // The number is the runtime's: whatever it is, it must not end the agent.
    let next = |id: Option<&String>| SandboxVerdict {
        changed: true,
        attempt: attempt.wrapping_add(1),
        id: id.cloned(),
    };

    let ready = status.sandboxes.iter().filter(|s| s.state() == v1::PodSandboxState::SandboxReady).count();
    if ready > 1 || newest.state() != v1::PodSandboxState::SandboxReady {
        return next(Some(&newest.id));
    }
    if network_of(newest) != container_config::network_mode(pod) {
        return next(None);
    }
    let without_address = newest.network.as_ref().is_some_and(|n| n.ip.is_empty());
    if !identity::is_host_network(pod) && without_address {
        return next(Some(&newest.id));
    }
    SandboxVerdict { changed: false, attempt, id: Some(newest.id.clone()) }
}
// ANCHOR_END: sandbox_changed

fn network_of(sandbox: &v1::PodSandboxStatus) -> v1::NamespaceMode {
    let options = sandbox.linux.as_ref().and_then(|l| l.namespaces.as_ref()).and_then(|n| n.options.as_ref());
    // An absent message reads as its zero value, as in Go.
    options.map_or(v1::NamespaceMode::Pod, v1::NamespaceOption::network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::{pod, status};

    #[test]
    fn verdicts() {
        for (policy, sandboxes, changed, attempt, id) in [
            ("Always: a", "", true, 0, None),
            ("Always: a", "0", false, 0, Some("s0")),
            ("Always: a", "3", false, 3, Some("s3")),
            ("Always: a", "1 0-", false, 1, Some("s1")),
            ("Always: a", "0-", true, 1, Some("s0")),
            ("Always: a", "4- 3", true, 5, Some("s4")),
            ("Always: a", "1 0", true, 2, Some("s1")),
            ("Always: a", "2- 1 0", true, 3, Some("s2")),
            ("Always: a", "0?", true, 1, Some("s0")),
            ("Always host: a", "0h", false, 0, Some("s0")),
            // Another network is no reason to tell of a changed sandbox, so its id is not named.
            ("Always host: a", "0", true, 1, None),
            ("Always: a", "0h", true, 1, None),
            ("Always: a", "4294967295-", true, 0, Some("s4294967295")),
        ] {
            let pod = pod(policy);
            let wanted = SandboxVerdict { changed, attempt, id: id.map(str::to_owned) };
            assert_eq!(sandbox_changed(&pod, &status(&pod, sandboxes)), wanted, "{policy}   {sandboxes}");
        }
    }

    #[test]
    fn a_runtime_that_says_nothing_about_network_and_namespaces_is_believed() {
        let pod = pod("Always: a");
        let mut status = status(&pod, "0");
        (status.sandboxes[0].network, status.sandboxes[0].linux) = (None, None);
        assert!(!sandbox_changed(&pod, &status).changed);
    }
}
