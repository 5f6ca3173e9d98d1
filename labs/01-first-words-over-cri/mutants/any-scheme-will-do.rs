/// The path of a `unix://` endpoint. A bare absolute path is taken as one, as the kubelet does.
///
/// # Errors
/// Any other scheme, and a path that is not absolute. Mirrors `cri-client/pkg/util/util_unix.go: parseEndpoint`.
pub fn socket_path(endpoint: &str) -> Result<PathBuf, EndpointError> {
    let path = endpoint.split_once("://").map_or(endpoint, |(_, path)| path);
    if path.is_empty() {
        return Err(EndpointError { endpoint: endpoint.to_owned(), why: "a path is missing" });
    }
    Ok(PathBuf::from(path))
}
