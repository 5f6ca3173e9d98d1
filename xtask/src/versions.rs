//! `versions.toml`: every version outside Cargo that the project depends on, said once.

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// What this program needs of the file.
#[derive(Clone, Debug, Deserialize)]
pub struct Versions {
    /// The container runtime.
    pub containerd: Containerd,
    /// The OCI runtime.
    pub runc: Minimum,
    /// The compiler.
    pub rust: Minimum,
}

/// Versions of containerd.
#[derive(Clone, Debug, Deserialize)]
pub struct Containerd {
    /// The agent was tried on these.
    pub tested: Vec<String>,
    /// The Debian suite whose containerd is installed on Debian 12.
    pub debian_suite: String,
}

/// The oldest version that will do.
#[derive(Clone, Debug, Deserialize)]
pub struct Minimum {
    /// Such as `1.95`.
    pub minimum: String,
}

/// Reads the file.
///
/// # Errors
/// It is not there or lacks one of the above.
pub fn read() -> Result<Versions> {
    let path = crate::workspace::root().join("versions.toml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

/// The first version number in a text: `runc version 1.1.5+ds1` → `1.1.5`.
pub fn first_in(text: &str) -> Option<String> {
    text.split_whitespace()
        .map(|word| word.trim_start_matches('v'))
        .map(|word| word.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect::<String>())
        .find(|number| number.contains('.') && number.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a version is at least another, number by number; a missing number counts as 0.
pub fn at_least(version: &str, minimum: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> { text.split('.').map(|n| n.parse().unwrap_or(0)).collect() };
    let (have, want) = (numbers(version), numbers(minimum));
    let at = |list: &[u32], i: usize| list.get(i).copied().unwrap_or(0);
    let length = have.len().max(want.len());
    (0..length).map(|i| at(&have, i)).ge((0..length).map(|i| at(&want, i)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_this_workspace_can_be_read() {
        let versions = read().expect("versions.toml");
        assert!(!versions.containerd.tested.is_empty());
    }

    #[test]
    fn version_numbers() {
        for (text, number) in [
            ("cargo 1.95.0 (f2d3ce0bd 2026-03-21)", Some("1.95.0")),
            ("runc version 1.1.5+ds1\ncommit: x", Some("1.1.5")),
            ("containerd github.com/containerd/containerd/v2 v2.1.9 x", Some("2.1.9")),
            ("no number here", None),
        ] {
            assert_eq!(first_in(text).as_deref(), number, "{text}");
        }
        for (version, minimum, enough) in
            [("1.95.0", "1.95", true), ("1.100", "1.95", true), ("1.9", "1.95", false), ("2", "1.95.1", true)]
        {
            assert_eq!(at_least(version, minimum), enough, "{version} for {minimum}");
        }
    }
}
