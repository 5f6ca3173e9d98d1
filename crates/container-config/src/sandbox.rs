//! The message that makes a pod's shell.
//!
//! A sandbox is what the containers of a pod have in common: network, host name, cgroup, log folder. It is made before
//! any of them, and a new one means new containers. Mirrors `kuberuntime_sandbox.go`.

use cri_client::v1::security_profile::ProfileType;
use cri_client::v1::{
    DnsConfig, Int64Value, LinuxPodSandboxConfig, LinuxSandboxSecurityContext, PodSandboxConfig,
    PodSandboxMetadata,
};
use k8s_openapi::api::core::v1::SecurityContext;
use pod_model::identity::{init_containers, is_host_network, spec};
use pod_model::{Pod, PodRef, labels};

use crate::namespaces::namespaces;
use crate::ports::port_mappings;
use crate::profiles::profile;
use crate::resources::{sandbox_overhead, sandbox_resources};
use crate::security::{selinux, supplemental_groups, supplemental_groups_policy};
use crate::sysctls::sysctls;
use crate::{ConfigError, NodeFacts};

/// What a sandbox needs that others have found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxInput {
    /// How many sandboxes this pod had before.
    pub attempt: u32,
    /// The kernel's name for the pod's host; not used for a pod in the host's network, which keeps the host's name.
    pub hostname: String,
    /// What goes into `/etc/resolv.conf`. The runtime takes it by value, so even an empty one is sent.
    pub dns: DnsConfig,
    /// The pod's cgroup, in the form of the runtime's cgroup driver.
    pub cgroup_parent: String,
    /// The absolute path of the folder for the pod's logs.
    pub log_directory: String,
}

// ANCHOR: sandbox_config
/// The sandbox of a pod. Mirrors `generatePodSandboxConfig` and `applySandboxResources`.
///
/// # Errors
/// A pod that asks for user namespaces or an unknown group policy.
pub fn sandbox_config(
    pod: &Pod,
    input: SandboxInput,
    node: &NodeFacts,
) -> Result<PodSandboxConfig, ConfigError> {
    let names = PodRef::of(pod);
    Ok(PodSandboxConfig {
        metadata: Some(PodSandboxMetadata {
            name: names.name,
            uid: names.uid.as_str().to_owned(),
            namespace: names.namespace,
            attempt: input.attempt,
        }),
        hostname: if is_host_network(pod) { String::new() } else { input.hostname },
        log_directory: input.log_directory,
        dns_config: Some(input.dns),
        port_mappings: port_mappings(pod),
        labels: labels::sandbox_labels(pod),
        annotations: labels::sandbox_annotations(pod),
        linux: Some(LinuxPodSandboxConfig {
            cgroup_parent: input.cgroup_parent,
            security_context: Some(sandbox_security(pod)?),
            sysctls: sysctls(pod),
            overhead: Some(sandbox_overhead(pod, node)),
            resources: Some(sandbox_resources(pod, node)),
        }),
        windows: None,
    })
}
// ANCHOR_END: sandbox_config

/// The rights of the sandbox itself, whose only process (where it has one) does nothing but wait.
///
/// Its seccomp profile is always the runtime's, so that a pod may have a strict one that a waiting process would not
/// pass. Unlike the kubelet, a pod without a `securityContext` is told its namespaces as well; after defaulting every
/// pod has one. Mirrors `generatePodSandboxLinuxConfig`.
fn sandbox_security(pod: &Pod) -> Result<LinuxSandboxSecurityContext, ConfigError> {
    let context = spec(pod).security_context.as_ref();
    let id = |value: Option<i64>| value.map(|value| Int64Value { value });
    Ok(LinuxSandboxSecurityContext {
        namespace_options: Some(namespaces(pod)?),
        selinux_options: context.and_then(|c| c.se_linux_options.as_ref()).map(selinux),
        run_as_user: id(context.and_then(|c| c.run_as_user)),
        run_as_group: id(context.and_then(|c| c.run_as_group)),
        supplemental_groups: supplemental_groups(context),
        supplemental_groups_policy: supplemental_groups_policy(pod)?.into(),
        privileged: has_privileged_container(pod),
        seccomp: Some(profile(ProfileType::RuntimeDefault, String::new())),
        ..Default::default()
    })
}

/// Some container, of any kind, is privileged; the runtime then makes a sandbox that can hold it.
/// Mirrors `container/helpers.go: HasPrivilegedContainer`.
fn has_privileged_container(pod: &Pod) -> bool {
    let is_privileged =
        |context: &Option<SecurityContext>| context.as_ref().and_then(|c| c.privileged) == Some(true);
    let spec = spec(pod);
    let mut lasting = init_containers(pod).iter().chain(&spec.containers);
    let mut ephemeral = spec.ephemeral_containers.iter().flatten();
    lasting.any(|c| is_privileged(&c.security_context))
        || ephemeral.any(|c| is_privileged(&c.security_context))
}

#[cfg(test)]
mod tests;
