/// The path of a `unix://` endpoint. A bare absolute path is taken as one, as the kubelet does.
///
/// # Errors
/// Any other scheme, and a path that is not absolute. Mirrors `cri-client/pkg/util/util_unix.go: parseEndpoint`.
pub fn socket_path(endpoint: &str) -> Result<PathBuf, EndpointError> {
    match endpoint.strip_prefix("unix://") {
        Some(path) if Path::new(path).is_absolute() => Ok(PathBuf::from(path)),
        _ => Err(EndpointError {
            endpoint: endpoint.to_owned(),
            why: "an endpoint is unix:// and an absolute path",
        }),
    }
}
