//! The message that makes a container.
//!
//! Mirrors `kuberuntime_container.go: generateContainerConfig`.

use cri_client::v1::{
    ContainerConfig, ContainerMetadata, Image, ImageSpec, KeyValue, LinuxContainerConfig, Mount,
};
use pod_model::paths::container_log_path;
use pod_model::{Container, Pod, labels};

use crate::non_root::verify_run_as_non_root;
use crate::resources::container_resources;
use crate::security::{container_security, effective_security_context};
use crate::{ConfigError, NodeFacts};

/// As whom an image runs when the spec does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageUser {
    /// By number.
    Uid(i64),
    /// By a name that only the image can translate; never empty when it comes from [`image_user`].
    Name(String),
}

/// The user of an image, from the runtime's `ImageStatus`; root where the image names none.
/// Mirrors `helpers.go: getImageUser`.
pub fn image_user(image: &Image) -> ImageUser {
    match &image.uid {
        Some(uid) => ImageUser::Uid(uid.value),
        None if image.username.is_empty() => ImageUser::Uid(0),
        None => ImageUser::Name(image.username.clone()),
    }
}

/// What a container needs that others have found out.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerInput {
    /// How often this container was started before.
    pub restart_count: u32,
    /// The runtime's own reference to the image, as the pull gave it.
    pub image_ref: String,
    /// As whom the image runs by itself.
    pub image_user: ImageUser,
    /// The command, with its references to the environment resolved.
    pub command: Vec<String>,
    /// The arguments, with their references to the environment resolved.
    pub args: Vec<String>,
    /// The environment. The kubelet sends it in no particular order.
    pub envs: Vec<KeyValue>,
    /// Volumes, then `/etc/hosts`, then the file for the termination message.
    pub mounts: Vec<Mount>,
    /// The container whose processes this one should see; only ephemeral containers have one.
    pub target_id: Option<String>,
}

// ANCHOR: lab03_container
/// A container of a pod. Mirrors `generateContainerConfig` and `generateLinuxContainerConfig`.
///
/// # Errors
/// A container that may not run as root and would; a security profile that cannot be used; see [`ConfigError`].
pub fn container_config(
    pod: &Pod,
    container: &Container,
    input: ContainerInput,
    node: &NodeFacts,
) -> Result<ContainerConfig, ConfigError> {
    let context = effective_security_context(pod, container);
    verify_run_as_non_root(pod, container, &context, &input.image_user)?;
    let target = input.target_id.as_deref();
    let security = container_security(pod, container, &context, &input.image_user, target, node)?;
    Ok(ContainerConfig {
        metadata: Some(ContainerMetadata { name: container.name.clone(), attempt: input.restart_count }),
        image: Some(ImageSpec {
            image: input.image_ref,
            user_specified_image: container.image.clone().unwrap_or_default(),
            ..Default::default()
        }),
        command: input.command,
        args: input.args,
        working_dir: container.working_dir.clone().unwrap_or_default(),
        envs: input.envs,
        mounts: input.mounts,
        labels: labels::container_labels(pod, container),
        annotations: labels::container_annotations(pod, container, input.restart_count),
        log_path: container_log_path(&container.name, input.restart_count),
        stdin: container.stdin.unwrap_or(false),
        stdin_once: container.stdin_once.unwrap_or(false),
        tty: container.tty.unwrap_or(false),
        linux: Some(LinuxContainerConfig {
            resources: Some(container_resources(pod, container, node)),
            security_context: Some(security),
        }),
        ..Default::default()
    })
}
// ANCHOR_END: lab03_container
