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
