//! Who a pod is.
//!
//! Names are reused, UIDs are not: a pod deleted and made again under the same name is another pod, with another UID.
//! Everything on the node (directories, cgroups, workers, cache entries) is therefore kept by UID, and people are
//! shown `namespace/name`.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};

/// A pod's UID. Cheap to clone.
///
/// A UID becomes a directory name, so [`PodUid::new`] is for values that the node trusts (its own, or the API
/// server's); [`PodUid::checked`] is for values that somebody wrote into a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodUid(Arc<str>);

/// A UID that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("uid {0:?}: must be 1 to 63 letters, digits, '-' or '_', since it names the pod's directory")]
pub struct InvalidUid(String);

impl PodUid {
    /// A UID as given.
    pub fn new(uid: impl AsRef<str>) -> Self {
        Self(Arc::from(uid.as_ref()))
    }

    /// A UID that is safe as one component of a path.
    ///
    /// # Errors
    /// An empty or over-long value, or one with any other character (`/`, `.`, blanks).
    pub fn checked(uid: &str) -> Result<Self, InvalidUid> {
        let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if uid.is_empty() || uid.len() > 63 || !uid.chars().all(fine) {
            return Err(InvalidUid(uid.to_owned()));
        }
        Ok(Self::new(uid))
    }

    /// The UID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PodUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PodUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PodUid({})", self.0)
    }
}

/// A pod's three names. Prints as `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodRef {
    /// The namespace.
    pub namespace: String,
    /// The name; a static pod's carries the node's name at its end.
    pub name: String,
    /// The UID.
    pub uid: PodUid,
}

impl PodRef {
    /// The names of `pod`; what is absent is empty.
    pub fn of(pod: &Pod) -> Self {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        Self { namespace: text(&pod.metadata.namespace), name: text(&pod.metadata.name), uid: uid(pod) }
    }

    /// `name_namespace(uid)`, the form of the kubelet's messages. Mirrors `pkg/kubelet/util/format/pod.go: Pod`.
    pub fn formatted(&self) -> String {
        format!("{}_{}({})", self.name, self.namespace, self.uid)
    }

    /// `name_namespace`, by which two pods of one name are told to wait for each other.
    /// Mirrors `container/runtime.go: GetPodFullName`.
    pub fn full_name(&self) -> String {
        format!("{}_{}", self.name, self.namespace)
    }
}

impl fmt::Display for PodRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The pod's UID, empty if it has none yet.
pub fn uid(pod: &Pod) -> PodUid {
    PodUid::new(pod.metadata.uid.as_deref().unwrap_or_default())
}

/// The pod's spec; a pod without one is refused before it gets this far, and reads as empty.
pub fn spec(pod: &Pod) -> &PodSpec {
    static EMPTY: std::sync::LazyLock<PodSpec> = std::sync::LazyLock::new(PodSpec::default);
    pod.spec.as_ref().unwrap_or(&EMPTY)
}

/// The pod's init containers, in order.
pub fn init_containers(pod: &Pod) -> &[Container] {
    spec(pod).init_containers.as_deref().unwrap_or_default()
}

/// The container of that name, init containers included.
/// Mirrors `container/helpers.go: GetContainerSpec` less ephemeral containers, which have a type of their own.
pub fn container<'a>(pod: &'a Pod, name: &str) -> Option<&'a Container> {
    init_containers(pod).iter().chain(&spec(pod).containers).find(|c| c.name == name)
}

/// An init container that keeps running beside the others: a sidecar.
/// Mirrors `pkg/api/v1/pod/util.go: IsRestartableInitContainer`.
pub fn is_restartable_init(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// The pod lives in the host's network. Mirrors `container/helpers.go: IsHostNetworkPod`.
pub fn is_host_network(pod: &Pod) -> bool {
    spec(pod).host_network == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_from_outside_cannot_leave_its_directory() {
        for fine in ["b2113734d6793ef5b003cd3e17b991ef", "8d8b6a52-3d5a-4b3e-9a49-0d6c1f4c1f0e", "a_b"] {
            assert_eq!(PodUid::checked(fine).expect("fine").as_str(), fine);
        }
        for refused in ["", ".", "..", "a/b", "../../etc", "a b", "a\0b", "ü", &"x".repeat(64)] {
            PodUid::checked(refused).expect_err(refused);
        }
    }

    #[test]
    fn the_forms_of_a_name() {
        let pod = PodRef { namespace: "default".into(), name: "web-node1".into(), uid: PodUid::new("u1") };
        assert_eq!(pod.to_string(), "default/web-node1");
        assert_eq!(pod.formatted(), "web-node1_default(u1)");
        assert_eq!(pod.full_name(), "web-node1_default");
    }
}
