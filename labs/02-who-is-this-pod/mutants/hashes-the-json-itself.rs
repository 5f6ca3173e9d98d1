/// The hash that decides whether a running container is still the one that its pod describes.
///
/// Only name and image count, so an edit of anything else never restarts a container. Go hashes how its debug printer
/// shows the JSON: a list of decimal bytes behind the type's name.
///
/// Mirrors `container/helpers.go: HashContainer` and `pkg/util/hash/hash.go: DeepHashObject`.
pub fn container_hash(container: &Container) -> u64 {
    let image = container.image.as_deref().unwrap_or_default();
    let json =
        format!("{{\"image\":{},\"name\":{}}}", go_json_string(image), go_json_string(&container.name));
    u64::from(fnv1a_32(json.as_bytes()))
}

/// A JSON string as Go's encoder writes it: `<`, `>` and `&` are escaped as well.
fn go_json_string(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
