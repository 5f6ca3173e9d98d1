//! `runAsNonRoot`: a promise that is checked before the container exists.
//!
//! Only numbers can be checked here. What number stands behind a name is written in the image's `/etc/passwd`, which
//! only the runtime reads, so a named user is refused. Mirrors `security_context_others.go`.

use k8s_openapi::api::core::v1::SecurityContext;
use pod_model::{Container, Pod, PodRef};

use crate::{ConfigError, ImageUser};

/// Refuses a container that may not run as root and would, or might.
/// `context` is the container's effective one. Mirrors `verifyRunAsNonRoot`.
///
/// # Errors
/// One variant of [`ConfigError`] for each way in which the promise cannot be kept.
pub(crate) fn verify_run_as_non_root(
    pod: &Pod,
    container: &Container,
    context: &SecurityContext,
    image_user: &ImageUser,
) -> Result<(), ConfigError> {
    if context.run_as_non_root != Some(true) {
        return Ok(());
    }
    let (pod, container) = (PodRef::of(pod), container.name.clone());
    match (context.run_as_user, image_user) {
        (Some(0), _) => Err(ConfigError::RunAsUserIsRoot { pod, container }),
        (Some(_), _) => Ok(()),
        (None, ImageUser::Name(user)) => {
            Err(ConfigError::ImageUserNotNumeric { pod, container, user: user.clone() })
        }
        (None, ImageUser::Uid(0)) => Err(ConfigError::ImageRunsAsRoot { pod, container }),
        (None, &ImageUser::Uid(uid)) if i32::try_from(uid).is_ok_and(|uid| uid >= 0) => Ok(()),
        (None, &ImageUser::Uid(uid)) => Err(ConfigError::ImageUserInvalid { pod, container, uid }),
    }
}
