//! As whom a container runs, and what it may do.
//!
//! Mirrors `security_context.go` and `pkg/securitycontext/util.go`.

use cri_client::v1::{
    Capability, Int64Value, LinuxContainerSecurityContext, SeLinuxOption, SupplementalGroupsPolicy,
};
use k8s_openapi::api::core::v1::{Capabilities, PodSecurityContext, SELinuxOptions, SecurityContext};
use pod_model::identity::spec;
use pod_model::{Container, Pod, PodRef};

use crate::namespaces::container_namespaces;
use crate::{ConfigError, ImageUser, NodeFacts, profiles};

/// Paths that show the whole machine, or let a process change it. Mirrors `defaultMaskedPaths`.
const MASKED_PATHS: [&str; 12] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];

/// Paths that may be read but not written. Mirrors `defaultReadonlyPaths`.
const READONLY_PATHS: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

// ANCHOR: effective
/// The container's own security context, with the pod's where the container says nothing.
///
/// Only four fields exist on both levels and mean the same. Mirrors `DetermineEffectiveSecurityContext`.
pub(crate) fn effective_security_context(pod: &Pod, container: &Container) -> SecurityContext {
    let own = container.security_context.clone().unwrap_or_default();
    let Some(of_pod) = &spec(pod).security_context else {
        return own;
    };
    SecurityContext {
        run_as_user: own.run_as_user.or(of_pod.run_as_user),
        run_as_group: own.run_as_group.or(of_pod.run_as_group),
        run_as_non_root: own.run_as_non_root.or(of_pod.run_as_non_root),
        se_linux_options: own.se_linux_options.or_else(|| of_pod.se_linux_options.clone()),
        ..own
    }
}
// ANCHOR_END: effective

/// The security context of a container's message. `context` is the container's effective one.
/// Mirrors `determineEffectiveSecurityContext` and `convertToRuntimeSecurityContext`.
///
/// # Errors
/// A profile that cannot be used, an unknown group policy, a user namespace.
#[expect(deprecated, reason = "older runtimes read only the old field for AppArmor")]
pub(crate) fn container_security(
    pod: &Pod,
    container: &Container,
    context: &SecurityContext,
    image_user: &ImageUser,
    target_id: Option<&str>,
    node: &NodeFacts,
) -> Result<LinuxContainerSecurityContext, ConfigError> {
    let (run_as_user, run_as_username) = user(context.run_as_user, image_user);
    let (apparmor, apparmor_profile) = profiles::apparmor(pod, container)?.unzip();
    let pod_context = spec(pod).security_context.as_ref();
    Ok(LinuxContainerSecurityContext {
        capabilities: context.capabilities.as_ref().map(capabilities),
        privileged: context.privileged.unwrap_or(false),
        namespace_options: Some(container_namespaces(pod, target_id)?),
        selinux_options: context.se_linux_options.as_ref().map(selinux),
        run_as_user,
        run_as_username,
        run_as_group: context.run_as_group.map(|value| Int64Value { value }),
        readonly_rootfs: context.read_only_root_filesystem.unwrap_or(false),
        supplemental_groups: supplemental_groups(pod_context),
        supplemental_groups_policy: supplemental_groups_policy(pod)?.into(),
        // Unset means allowed: a setuid program may then still raise its user's rights.
        no_new_privs: context.allow_privilege_escalation == Some(false),
        masked_paths: masked_paths(context, node),
        readonly_paths: readonly_paths(context),
        seccomp: Some(profiles::seccomp(pod, container, node)?),
        apparmor,
        apparmor_profile: apparmor_profile.unwrap_or_default(),
        ..Default::default()
    })
}

/// The spec's user, or the image's, of which only one form is ever set.
fn user(run_as_user: Option<i64>, image_user: &ImageUser) -> (Option<Int64Value>, String) {
    match (run_as_user, image_user) {
        (Some(value), _) | (None, &ImageUser::Uid(value)) => (Some(Int64Value { value }), String::new()),
        (None, ImageUser::Name(name)) => (None, name.clone()),
    }
}

/// The groups that all of the pod's containers get beside their own: the owner of its volumes comes first.
pub(crate) fn supplemental_groups(context: Option<&PodSecurityContext>) -> Vec<i64> {
    let Some(context) = context else {
        return Vec::new();
    };
    let more = context.supplemental_groups.iter().flatten().copied();
    context.fs_group.into_iter().chain(more).collect()
}

/// Whether the groups that the image lists for its user are added (`Merge`, the default) or not (`Strict`).
pub(crate) fn supplemental_groups_policy(pod: &Pod) -> Result<SupplementalGroupsPolicy, ConfigError> {
    let context = spec(pod).security_context.as_ref();
    let Some(policy) = context.and_then(|c| c.supplemental_groups_policy.as_deref()) else {
        return Ok(SupplementalGroupsPolicy::Merge);
    };
    SupplementalGroupsPolicy::from_str_name(policy).ok_or_else(|| ConfigError::SupplementalGroupsPolicy {
        pod: PodRef::of(pod),
        policy: policy.to_owned(),
    })
}

/// Mirrors `convertToRuntimeCapabilities`.
fn capabilities(given: &Capabilities) -> Capability {
    Capability {
        add_capabilities: given.add.clone().unwrap_or_default(),
        drop_capabilities: given.drop.clone().unwrap_or_default(),
        ..Default::default()
    }
}

/// Mirrors `convertToRuntimeSELinuxOption`.
pub(crate) fn selinux(given: &SELinuxOptions) -> SeLinuxOption {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    SeLinuxOption {
        user: text(&given.user),
        role: text(&given.role),
        r#type: text(&given.type_),
        level: text(&given.level),
    }
}

/// Mirrors `ConvertToRuntimeMaskedPaths`.
fn masked_paths(context: &SecurityContext, node: &NodeFacts) -> Vec<String> {
    if is_unmasked(context) {
        return Vec::new();
    }
    MASKED_PATHS.map(String::from).into_iter().chain(node.thermal_throttle_paths.iter().cloned()).collect()
}

/// Mirrors `ConvertToRuntimeReadonlyPaths`.
fn readonly_paths(context: &SecurityContext) -> Vec<String> {
    if is_unmasked(context) { Vec::new() } else { READONLY_PATHS.map(String::from).to_vec() }
}

/// `procMount: Unmasked` is for containers that run containers themselves.
fn is_unmasked(context: &SecurityContext) -> bool {
    context.proc_mount.as_deref() == Some("Unmasked")
}

#[cfg(test)]
mod tests;
