//! Which system calls and which files a container's processes may use at all: seccomp and AppArmor profiles.
//!
//! Both are named at the container, or else at the pod. A profile is the runtime's own (`RuntimeDefault`), none
//! (`Unconfined`), or one that somebody put on the node (`Localhost`).

use std::path::{Component, Path};

use cri_client::v1::SecurityProfile;
use cri_client::v1::security_profile::ProfileType;
use k8s_openapi::api::core::v1::{AppArmorProfile, SeccompProfile};
use pod_model::identity::spec;
use pod_model::{Container, Pod};

use crate::{ConfigError, NodeFacts};

/// Before there was a field, a container's AppArmor profile was an annotation of its pod. Manifests may still have it.
const APPARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

pub(crate) fn profile(profile_type: ProfileType, localhost_ref: String) -> SecurityProfile {
    SecurityProfile { profile_type: profile_type.into(), localhost_ref }
}

/// The container's seccomp profile. Mirrors `helpers.go: getSeccompProfile, fieldSeccompProfile`.
///
/// # Errors
/// A profile on the node that has no name, or lies outside the folder for profiles.
pub(crate) fn seccomp(
    pod: &Pod,
    container: &Container,
    node: &NodeFacts,
) -> Result<SecurityProfile, ConfigError> {
    let own = container.security_context.as_ref().and_then(|s| s.seccomp_profile.as_ref());
    let of_pod = || spec(pod).security_context.as_ref().and_then(|s| s.seccomp_profile.as_ref());
    let Some(wanted) = own.or_else(of_pod) else {
        let default =
            if node.seccomp_default { ProfileType::RuntimeDefault } else { ProfileType::Unconfined };
        return Ok(profile(default, String::new()));
    };
    Ok(match wanted.type_.as_str() {
        "RuntimeDefault" => profile(ProfileType::RuntimeDefault, String::new()),
        "Localhost" => profile(ProfileType::Localhost, seccomp_file(wanted, container, node)?),
        _ => profile(ProfileType::Unconfined, String::new()),
    })
}

/// The path of a profile on the node, which may not lead out of the profiles' folder.
fn seccomp_file(
    wanted: &SeccompProfile,
    container: &Container,
    node: &NodeFacts,
) -> Result<String, ConfigError> {
    let name = wanted.localhost_profile.as_deref().unwrap_or_default();
    if name.is_empty() {
        return Err(ConfigError::SeccompProfileUnnamed { container: container.name.clone() });
    }
    let descends = |c| matches!(c, Component::Normal(_) | Component::CurDir);
    if !Path::new(name).components().all(descends) {
        return Err(ConfigError::SeccompProfileElsewhere {
            container: container.name.clone(),
            profile: name.to_owned(),
        });
    }
    let file = node.seccomp_profile_root.join(name);
    // Collected anew, so that `a//b` and `./b` look as Go's filepath.Join has them.
    let tidy: std::path::PathBuf = file.components().filter(|c| *c != Component::CurDir).collect();
    Ok(tidy.to_string_lossy().into_owned())
}

/// The container's AppArmor profile, as a message and in the old form of one string that older runtimes read.
/// Mirrors `helpers.go: getAppArmorProfile`.
///
/// # Errors
/// A profile on the node that has no name; a type that does not exist.
pub(crate) fn apparmor(
    pod: &Pod,
    container: &Container,
) -> Result<Option<(SecurityProfile, String)>, ConfigError> {
    let Some(wanted) = apparmor_profile(pod, container) else {
        return Ok(None);
    };
    let name = container.name.clone();
    Ok(Some(match wanted.type_.as_str() {
        "RuntimeDefault" => (profile(ProfileType::RuntimeDefault, String::new()), "runtime/default".into()),
        "Unconfined" => (profile(ProfileType::Unconfined, String::new()), "unconfined".into()),
        "Localhost" => {
            let file =
                wanted.localhost_profile.ok_or(ConfigError::AppArmorProfileUnnamed { container: name })?;
            (profile(ProfileType::Localhost, file.clone()), format!("localhost/{file}"))
        }
        _ => {
            return Err(ConfigError::AppArmorTypeUnknown { container: name, profile_type: wanted.type_ });
        }
    }))
}

/// From the container, from the old annotation, or from the pod, in this order.
/// Mirrors `pkg/security/apparmor/helpers.go: GetProfile`.
fn apparmor_profile(pod: &Pod, container: &Container) -> Option<AppArmorProfile> {
    let own = container.security_context.as_ref().and_then(|s| s.app_armor_profile.clone());
    let of_pod = || spec(pod).security_context.as_ref()?.app_armor_profile.clone();
    own.or_else(|| annotated_apparmor(pod, &container.name)).or_else(of_pod)
}

/// Mirrors `getProfileFromPodAnnotations`; an annotation that cannot be read counts as none.
fn annotated_apparmor(pod: &Pod, container: &str) -> Option<AppArmorProfile> {
    let value = pod.metadata.annotations.as_ref()?.get(&format!("{APPARMOR_ANNOTATION}{container}"))?;
    let (type_, localhost_profile) = match value.as_str() {
        "runtime/default" => ("RuntimeDefault", None),
        "unconfined" => ("Unconfined", None),
        other => ("Localhost", Some(other.strip_prefix("localhost/")?.to_owned())),
    };
    Some(AppArmorProfile { type_: type_.into(), localhost_profile })
}
