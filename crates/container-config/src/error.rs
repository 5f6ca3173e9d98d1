//! Pods that cannot be put into a message.

use pod_model::PodRef;

/// Why a pod cannot be put into a message.
///
/// The text becomes the message of the container's waiting state (`CreateContainerConfigError`) or of the event
/// `FailedCreatePodSandBox`. Where the kubelet has words for it they are used as they are, so that whoever watches a
/// node reads the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// `runAsNonRoot` with `runAsUser: 0`.
    #[error("container's runAsUser breaks non-root policy (pod: \"{}\", container: {container})", pod.formatted())]
    RunAsUserIsRoot {
        /// Which pod.
        pod: PodRef,
        /// Which container.
        container: String,
    },
    /// `runAsNonRoot`, and the image's own user is root.
    #[error("container has runAsNonRoot and image will run as root (pod: \"{}\", container: {container})", pod.formatted())]
    ImageRunsAsRoot {
        /// Which pod.
        pod: PodRef,
        /// Which container.
        container: String,
    },
    /// `runAsNonRoot`, and the image names its user: only the runtime will know the number behind the name.
    #[error(
        "container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root (pod: \"{}\", container: {container})",
        pod.formatted()
    )]
    ImageUserNotNumeric {
        /// Which pod.
        pod: PodRef,
        /// Which container.
        container: String,
        /// The image's user.
        user: String,
    },
    /// `runAsNonRoot`, and the image's user is no user id that Linux has.
    #[error(
        "container has runAsNonRoot and image has an invalid user id ({uid}). (Must be 1-(2147483647)): must be between 0 and 2147483647, inclusive (pod: \"{}\", container: {container})",
        pod.formatted()
    )]
    ImageUserInvalid {
        /// Which pod.
        pod: PodRef,
        /// Which container.
        container: String,
        /// The image's user.
        uid: i64,
    },
    /// A seccomp profile of type `Localhost` without a name.
    #[error("localhostProfile must be set if seccompProfile type is Localhost.")]
    SeccompProfileUnnamed {
        /// Which container.
        container: String,
    },
    /// A seccomp profile that would be read from somewhere else than the profiles' folder. The API server does not let
    /// such a pod pass.
    #[error(
        "container {container}: seccompProfile.localhostProfile {profile:?}: must be a relative path without '..'"
    )]
    SeccompProfileElsewhere {
        /// Which container.
        container: String,
        /// The profile's path as it was written.
        profile: String,
    },
    /// An AppArmor profile of type `Localhost` without a name.
    #[error("missing localhost apparmor profile name")]
    AppArmorProfileUnnamed {
        /// Which container.
        container: String,
    },
    /// An AppArmor profile of a type that does not exist.
    #[error("unknown apparmor profile type: {profile_type:?}")]
    AppArmorTypeUnknown {
        /// Which container.
        container: String,
        /// The type as it was written.
        profile_type: String,
    },
    /// A `supplementalGroupsPolicy` that is neither `Merge` nor `Strict`.
    #[error("unsupported supplementalGroupsPolicy: {policy}")]
    SupplementalGroupsPolicy {
        /// Which pod.
        pod: PodRef,
        /// The policy as it was written.
        policy: String,
    },
    /// The pod wants users of its own, which this kubelet cannot give it.
    #[error("pod {pod}: can't set `spec.hostUsers: false`, this kubelet does not support user namespaces")]
    UserNamespace {
        /// Which pod.
        pod: PodRef,
    },
}
