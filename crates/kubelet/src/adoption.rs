//! Whose pods are these?
//!
//! A kubelet kills every pod in its runtime that nobody configured. On a node that is its duty; on the machine of somebody
//! who tries this program out it would end their cluster. So an agent that finds pods without a directory under its own
//! root takes them for somebody else's, and does not start unless it is told to.

use cri_client::v1;
use pod_model::{PodRef, PodUid, labels};

/// The runtime holds pods that are not this agent's.
#[derive(Debug, thiserror::Error)]
#[error(
    "the runtime holds {} that this agent did not make under {root}: {}. A kubelet kills pods that nobody configured, so it \
     does not start: stop the other kubelet and pass --adopt to take the pods over, or use another runtime",
    if foreign.len() == 1 { "a pod".to_owned() } else { format!("{} pods", foreign.len()) },
    foreign.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
)]
pub struct ForeignPods {
    /// The root directory that was looked into.
    pub root: String,
    /// The pods, by name.
    pub foreign: Vec<PodRef>,
}

/// The pods of a runtime that are not among `ours`, each once, by name. Sandboxes without a pod's labels were made by no
/// kubelet and are in no danger.
// ANCHOR: foreign_pods
pub fn foreign_pods(sandboxes: &[v1::PodSandbox], ours: impl Fn(&PodUid) -> bool) -> Vec<PodRef> {
    let mut foreign: Vec<PodRef> =
        sandboxes.iter().filter_map(|s| labels::pod_of(&s.labels)).filter(|pod| !ours(&pod.uid)).collect();
    foreign.sort();
    foreign.dedup();
    foreign
}
// ANCHOR_END: foreign_pods

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox(uid: &str) -> v1::PodSandbox {
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let labels = match uid {
            "" => labels::Map::new(),
            uid => [
                label(labels::POD_UID, uid),
                label(labels::POD_NAME, uid),
                label(labels::POD_NAMESPACE, "default"),
            ]
            .into(),
        };
        v1::PodSandbox { labels, ..Default::default() }
    }

    #[test]
    fn pods_that_this_agent_did_not_make_are_named_once() {
        let found = [sandbox("theirs"), sandbox("ours"), sandbox("theirs"), sandbox(""), sandbox("also")];
        let foreign = foreign_pods(&found, |uid| uid.as_str() == "ours");
        let text = ForeignPods { root: "/var/lib/kubelet".into(), foreign }.to_string();
        assert!(text.starts_with("the runtime holds 2 pods that this agent did not make under /var/lib/kubelet: default/also, default/theirs. "), "{text}");
        assert!(foreign_pods(&found, |_| true).is_empty());
    }
}
