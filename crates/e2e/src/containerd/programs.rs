//! Which containerd, and what it needs beside itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The programs of one containerd installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// containerd itself. Its shim must stand beside it or in `PATH`.
    pub containerd: PathBuf,
    /// Its own client, which imports images.
    pub ctr: PathBuf,
    /// The OCI runtime.
    pub runc: PathBuf,
    /// The directory of the CNI plugins.
    pub cni: PathBuf,
    /// containerd's version, such as `1.7.24`.
    pub version: String,
}

impl Programs {
    /// Finds them: containerd by the environment's `PODWRIGHT_CONTAINERD` or in `PATH`, `ctr` beside it or in `PATH`.
    ///
    /// # Errors
    /// What is missing, with the package that has it.
    pub fn find() -> Result<Self> {
        let containerd = match std::env::var_os("PODWRIGHT_CONTAINERD") {
            Some(chosen) => PathBuf::from(chosen),
            None => crate::command::in_path("containerd")
                .context("containerd is not installed (Debian package containerd)")?,
        };
        let beside = containerd.with_file_name("ctr");
        let ctr = Some(beside).filter(|p| p.is_file()).or_else(|| crate::command::in_path("ctr"));
        let cni =
            ["/usr/lib/cni", "/opt/cni/bin"].into_iter().find(|dir| Path::new(dir).join("bridge").is_file());
        let output = Command::new(&containerd)
            .arg("--version")
            .output()
            .with_context(|| format!("{} --version", containerd.display()))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some(version) = version_in(&said) else {
            bail!("{} --version says {said:?}, which is no containerd", containerd.display());
        };
        Ok(Self {
            ctr: ctr.context("ctr is not installed (Debian package containerd)")?,
            runc: crate::command::in_path("runc").context("runc is not installed (Debian package runc)")?,
            cni: cni.context("no CNI plugins (Debian package containernetworking-plugins)")?.into(),
            containerd,
            version,
        })
    }

    /// The first number of the version.
    pub(super) fn major_version(&self) -> u32 {
        self.version.split('.').next().and_then(|n| n.parse().ok()).unwrap_or(1)
    }
}

/// The version in `containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6`, without the packager's part.
fn version_in(said: &str) -> Option<String> {
    let word = said.strip_prefix("containerd ")?.split_whitespace().nth(1)?;
    let number: String =
        word.trim_start_matches('v').chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    number.contains('.').then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_packages_print() {
        for (said, version) in [
            ("containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+deb13u1\n", Some("1.7.24")),
            ("containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+b1\n", Some("1.6.20")),
            ("containerd github.com/containerd/containerd/v2 v2.1.9 abcdef\n", Some("2.1.9")),
            ("containerd github.com/containerd/containerd/v2 2.1.9~ds\n", Some("2.1.9")),
            ("runc version 1.1.5+ds1\n", None),
            ("", None),
        ] {
            assert_eq!(version_in(said).as_deref(), version, "{said:?}");
        }
    }
}
