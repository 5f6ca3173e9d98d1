//! Image names as people write them.

/// A name that names no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("couldn't parse image name {name:?}: {why}")]
pub struct InvalidImageName {
    name: String,
    why: &'static str,
}

/// The name as the runtime is asked for it: one with neither tag nor digest means `:latest`.
///
/// Nothing else is completed: which registry `busybox` comes from is the runtime's business.
///
/// # Errors
/// What no registry could ever hold: an empty name, upper case in a repository, blanks, a broken tag or digest.
/// Mirrors `images/image_manager.go: applyDefaultImageTag` and `pkg/util/parsers`.
pub fn with_default_tag(name: &str) -> Result<String, InvalidImageName> {
    let refuse = |why| Err(InvalidImageName { name: name.to_owned(), why });
    let (rest, digest) = match name.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (name, None),
    };
    // A colon after the last slash begins the tag; one before it begins a port.
    let path_from = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (repository, tag) = match rest[path_from..].split_once(':') {
        Some((last, tag)) => (&rest[..path_from + last.len()], Some(tag)),
        None => (rest, None),
    };
    let (registry, path) = match repository.split_once('/') {
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => (first, path),
        _ => ("", repository),
    };
    let host_like = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if !registry.chars().all(host_like) {
        return refuse("invalid registry");
    }
    let part_is_fine = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    };
    if path.chars().any(|c| c.is_ascii_uppercase()) {
        return refuse("invalid reference format: repository name must be lowercase");
    }
    if path.len() > 255 || !path.split('/').all(part_is_fine) {
        return refuse("invalid reference format");
    }
    if let Some(tag) = tag {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let fine =
            tag.len() <= 128 && tag.starts_with(word) && tag.chars().all(|c| word(c) || c == '.' || c == '-');
        if !fine {
            return refuse("invalid reference format: invalid tag");
        }
    }
    if let Some(digest) = digest {
        let fine = digest.split_once(':').is_some_and(|(algorithm, hex)| {
            !algorithm.is_empty() && hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
        });
        if !fine {
            return refuse("invalid reference format: invalid digest");
        }
    }
    Ok(if tag.is_none() && digest.is_none() { format!("{name}:latest") } else { name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tag_is_latest_and_nothing_else_is_added() {
        let digest = format!("busybox@sha256:{}", "a".repeat(64));
        for (given, asked) in [
            ("busybox", "busybox:latest"),
            ("busybox:1.36", "busybox:1.36"),
            ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
            ("localhost:5000/a/b:1", "localhost:5000/a/b:1"),
            ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
            (digest.as_str(), digest.as_str()),
        ] {
            assert_eq!(with_default_tag(given).as_deref(), Ok(asked));
        }
    }

    #[test]
    fn names_of_no_image() {
        for name in [
            "",
            "BusyBox",
            "busybox:",
            "busybox:a b",
            "a b",
            "busybox@sha256:xyz",
            "/a",
            "a//b",
            "a/",
            "busybox:-1",
            ":1",
        ] {
            let error = with_default_tag(name).expect_err(name).to_string();
            assert!(error.starts_with(&format!("couldn't parse image name {name:?}")), "{error}");
        }
    }
}
