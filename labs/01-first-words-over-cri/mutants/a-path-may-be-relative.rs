/// The path of a `unix://` endpoint. A bare absolute path is taken as one, as the kubelet does.
///
/// # Errors
/// Any other scheme, and a path that is not absolute. Mirrors `cri-client/pkg/util/util_unix.go: parseEndpoint`.
pub fn socket_path(endpoint: &str) -> Result<PathBuf, EndpointError> {
    match endpoint.split_once("://") {
        Some(("unix", path)) => Ok(PathBuf::from(path)),
        Some(_) => Err(EndpointError {
            endpoint: endpoint.to_owned(),
            why: "only unix:// sockets are supported",
        }),
        None => Ok(PathBuf::from(endpoint)),
    }
}
