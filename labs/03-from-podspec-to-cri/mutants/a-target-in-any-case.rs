/// The namespaces of a container; with a target, it sees that container's processes instead of its own.
///
/// A target changes nothing in a pod whose containers already see each other.
/// Mirrors `kuberuntime_container_linux.go: generateLinuxContainerConfig`.
///
/// # Errors
/// As [`namespaces`].
pub(crate) fn container_namespaces(
    pod: &Pod,
    target_id: Option<&str>,
) -> Result<NamespaceOption, ConfigError> {
    let mut options = namespaces(pod)?;
    if let Some(target) = target_id {
        options.set_pid(NamespaceMode::Target);
        options.target_id = target.to_owned();
    }
    Ok(options)
}
