//! Whose sandboxes are these?
//!
//! A kubelet ends every pod that it finds in its runtime and has no configuration for: that is how pods go whose manifest
//! was removed while it was down. On a runtime that somebody else uses it would end *their* pods. The mark of a pod that
//! this root directory made is its directory there, named by the pod's UID.

use std::path::Path;

use e2e::{NodeView, SandboxView};
use pod_model::{PodUid, paths};

/// The sandboxes of kubelets that are not this root directory's. Sandboxes without a kubelet's labels are in no danger:
/// an agent does not touch them.
pub fn sandboxes<'a>(node: &'a NodeView, root_dir: &Path) -> Vec<&'a SandboxView> {
    let of_kubelets = node.sandboxes.iter().filter(|sandbox| sandbox.has_kubelet_labels);
    of_kubelets.filter(|sandbox| !is_own(sandbox, root_dir)).collect()
}

/// Whether this root directory made the sandbox.
pub fn is_own(sandbox: &SandboxView, root_dir: &Path) -> bool {
    // Checked, because the UID comes from a label that anybody may have written.
    let uid = PodUid::checked(sandbox.pod.uid.as_str());
    sandbox.has_kubelet_labels && uid.is_ok_and(|uid| paths::pod_dir(root_dir, &uid).is_dir())
}

/// Why `up` will not start, naming the sandboxes.
pub fn refusal(endpoint: &str, foreign: &[&SandboxView]) -> String {
    let names: Vec<String> = foreign
        .iter()
        .map(|s| format!("  {} (sandbox {})", s.pod, s.id.get(..13).unwrap_or(&s.id)))
        .collect();
    format!(
        "the runtime at {endpoint} holds {} that this root directory did not make:\n{}\n\
         The agent would end them, since it has no manifest for them. Use `--runtime containerd` for a runtime of its own, \
         or --adopt if these pods may go.",
        if foreign.len() == 1 { "a pod".to_owned() } else { format!("{} pods", foreign.len()) },
        names.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use pod_model::PodRef;

    use super::*;

    fn sandbox(uid: &str, has_kubelet_labels: bool) -> SandboxView {
        SandboxView {
            id: format!("sandbox-of-{uid}"),
            pod: PodRef { namespace: "default".into(), name: format!("pod-{uid}"), uid: PodUid::new(uid) },
            has_kubelet_labels,
            attempt: 0,
            ready: true,
            created_at: None,
            containers: Vec::new(),
        }
    }

    #[test]
    fn a_sandbox_is_own_when_its_pod_has_a_directory_here() {
        let root = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(root.path().join("pods/u1")).expect("made");
        for (sandbox, own) in [
            (sandbox("u1", true), true),
            (sandbox("u2", true), false),
            (sandbox("u1", false), false),
            (sandbox("", true), false),
            (sandbox("..", true), false),
            (sandbox("u1/..", true), false),
        ] {
            assert_eq!(is_own(&sandbox, root.path()), own, "{}", sandbox.pod.uid);
        }
    }

    #[test]
    fn the_refusal_names_every_foreign_pod_and_the_way_on() {
        let node =
            NodeView { sandboxes: vec![sandbox("u1", true), sandbox("u2", true), sandbox("u3", false)] };
        let said = refusal("unix:///run/x.sock", &sandboxes(&node, Path::new("/nowhere")));
        assert!(said.starts_with("the runtime at unix:///run/x.sock holds 2 pods"), "{said}");
        for part in ["default/pod-u1 (sandbox sandbox-of-u1)", "default/pod-u2", "--adopt"] {
            assert!(said.contains(part), "{part} in {said}");
        }
        assert!(!said.contains("pod-u3"), "made by no kubelet: {said}");
    }
}
