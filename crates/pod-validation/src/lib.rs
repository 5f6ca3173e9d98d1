//! What a pod must look like before a node takes it in.
//!
//! For every other pod the API server has checked this; for a static pod nobody has. A name that is no name would
//! become a directory, a port that is no port would reach the runtime. So the kubelet runs the API server's own checks
//! over a static pod, and so does this crate, as far as a static pod can get. [`validate`] stops at nothing: it collects what
//! is wrong in the order in which the kubelet looks, so that one reading of the error mends the whole file.
//!
//! ```text
//!   Pod, defaults filled in
//!     ├ metadata
//!     └ spec ┬ volume ───────────────────────────────────┐ which volumes are in order
//!            ├ container ┬ environment, volume mounts ◀──┘
//!            │           ├ handler (probes, hooks)
//!            │           └ resources, security
//!            ├ resources, security (of the pod)
//!            └ dns
//!
//!   each tells FieldErrors what it found at which FieldPath; names has the rules for single words
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`validate`], `spec` | `pkg/apis/core/validation/validation.go: ValidatePodCreate`, `ValidatePodSpec` |
//! | `metadata` | `ValidateObjectMeta`, `ValidateAnnotations`, `meta/v1/validation/validation.go: ValidateLabels` |
//! | `container` | `validateContainers`, `validateInitContainers`, `validateContainerCommon` |
//! | `environment` | `ValidateEnv`, `validateObjectFieldSelector`, `validateContainerResourceFieldSelector` |
//! | `handler` | `validateProbe`, `validateHandler`, `validateLifecycle` |
//! | `resources` | `validateResourceRequirements` |
//! | `security` | `validatePodSpecSecurityContext`, `ValidateSecurityContext` |
//! | `volume` | `ValidateVolumes`, `ValidateVolumeMounts`, `ValidateVolumeDevices` |
//! | `dns` | `validatePodDNSConfig`, `ValidateHostAliases` |
//! | `names` | `apimachinery/pkg/api/validate/content`, `pkg/util/validation` |
//! | [`FieldPath`], [`FieldError`] | `apimachinery/pkg/util/validation/field` |
//!
//! # Other than the kubelet
//!
//! - `metadata.uid` must be usable as a directory name. The kubelet takes any text.
//!
//! # Left out
//!
//! - what the scheduler and the controllers read and no node acts upon for a static pod: affinity, topology spread,
//!   tolerations (a static pod tolerates everything that could evict it);
//! - resize policies and updates of pods: a static pod is replaced, never resized or updated in place;
//! - the bodies of references to API objects (keys of secrets, names of claims), which no static pod may have;
//! - annotations that fields have replaced (seccomp, AppArmor), and the size of all annotations, which is etcd's limit;
//! - Windows, and volume types that no plugin of this project mounts.

mod container;
mod dns;
mod environment;
mod field;
mod handler;
mod metadata;
mod names;
mod resources;
mod security;
mod spec;
mod volume;

use k8s_openapi::api::core::v1::Pod;

pub use field::{FieldError, FieldErrors, FieldPath};

/// Checks a pod whose defaults are filled in, and says everything that is wrong with it; nothing if it is fine.
///
/// A name that is absent is not complained about: the node's name has been added to it already.
///
/// Mirrors `validation.go: ValidatePodCreate`.
// ANCHOR: validate
pub fn validate(pod: &Pod) -> Vec<FieldError> {
    let mut errors = FieldErrors::default();
    metadata::check(&pod.metadata, &FieldPath::root().child("metadata"), &mut errors);
    if let Some(spec) = &pod.spec {
        spec::check(spec, &FieldPath::root().child("spec"), &mut errors);
    }
    errors.0
}
// ANCHOR_END: validate
