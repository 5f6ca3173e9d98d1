//! Installing what real containerd needs, and what CI looks at the book with, on Debian and Ubuntu.
//!
//! Debian 12 has containerd 1.6, which sends no container events. There the package comes from the next suite instead
//! (`versions.toml` names it), pinned so low that nothing else ever does; runc stays the machine's own, because the next
//! suite's needs a newer C library.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::machine;
use crate::versions::Versions;

/// The suite that gets its containerd from elsewhere.
const DEBIAN_12: &str = "bookworm";

/// What must be there for containerd, and the package that has it.
const FOR_CONTAINERD: [(&str, &str); 7] = [
    ("containerd", "containerd"),
    ("runc", "runc"),
    ("CNI plugins", "containernetworking-plugins"),
    ("busybox (static)", "busybox-static"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("iptables", "iptables"),
];

/// The same, for the check of the rendered book and for the commands on its pages.
const FOR_THE_BOOK: [(&str, &str); 3] =
    [("browser", "chromium-headless-shell"), ("curl", "curl"), ("pgrep", "procps")];

/// What a person asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A private containerd: `up --runtime containerd`.
    Containerd,
    /// Everything that some verb could use: `doctor --install`.
    Everything,
}

/// Installs what is missing, after saying what and why.
///
/// # Errors
/// Not Debian or Ubuntu, not root, or apt fails.
pub async fn install_missing(versions: &Versions, wanted: Wanted) -> Result<()> {
    let packages = missing(versions, wanted);
    if packages.is_empty() {
        return Ok(());
    }
    let release = fs::read_to_string("/etc/os-release").map(|text| os_release(&text)).unwrap_or_default();
    let of = |key: &str| release.get(key).map(String::as_str).unwrap_or_default();
    let family = format!("{} {}", of("ID"), of("ID_LIKE"));
    if !family.split(' ').any(|id| id == "debian" || id == "ubuntu") {
        bail!(
            "missing: {}; they can be installed automatically on Debian and Ubuntu only",
            packages.join(", ")
        );
    }
    if !nix::unistd::geteuid().is_root() {
        bail!("missing: {}; installing them needs root", packages.join(", "));
    }
    println!("This machine lacks {}. Installing with apt-get.", packages.join(", "));
    if packages.contains(&"containerd") {
        println!(
            "Where services are managed by systemd, the package starts a containerd of its own; it is not used."
        );
    }
    run(Command::new("apt-get").args(["update", "-q"])).await?;
    let suite = &versions.containerd.debian_suite;
    let from_next_suite = packages.contains(&"containerd") && of("VERSION_CODENAME") == DEBIAN_12;
    let (later, now): (Vec<&str>, Vec<&str>) =
        packages.into_iter().partition(|package| from_next_suite && *package == "containerd");
    if !now.is_empty() {
        install(&now).await?;
    }
    if !later.is_empty() {
        println!("containerd comes from Debian's {suite}: the one here sends no container events.");
        add_source(suite)?;
        run(Command::new("apt-get").args(["update", "-q"])).await?;
        install(&[&format!("containerd/{suite}")]).await?;
    }
    Ok(())
}

/// The packages of everything that is missing.
fn missing(versions: &Versions, wanted: Wanted) -> Vec<&'static str> {
    let pieces = machine::pieces(versions);
    let is_missing = |name: &str| pieces.iter().any(|p| p.name == name && p.found.is_err());
    let too = (wanted == Wanted::Everything).then_some(FOR_THE_BOOK).into_iter().flatten();
    let packages = FOR_CONTAINERD.into_iter().chain(too);
    packages.filter(|(piece, _)| is_missing(piece)).map(|(_, package)| package).collect()
}

async fn install(packages: &[&str]) -> Result<()> {
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-q", "--no-install-recommends"]).args(packages);
    run(install.env("DEBIAN_FRONTEND", "noninteractive")).await
}

/// Adds a suite, from the same mirror as the machine's own, from which only what is asked for is taken.
fn add_source(suite: &str) -> Result<()> {
    let mirror = Command::new("apt-get")
        .args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Component: main"])
        .arg(format!("Codename: {DEBIAN_12}"))
        .output()
        .context("apt-get indextargets")?;
    let mirror = String::from_utf8_lossy(&mirror.stdout);
    let mirror = mirror.lines().next().with_context(|| format!("apt has no source for {DEBIAN_12}"))?;
    let write = |path: String, text: String| fs::write(&path, text).with_context(|| path.clone());
    write(
        format!("/etc/apt/sources.list.d/podwright-{suite}.sources"),
        format!(
            "Types: deb\nURIs: {mirror}\nSuites: {suite}\nComponents: main\nTargets: Packages\n\
             Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        ),
    )?;
    // Below 100: never an upgrade of what is installed, never a choice for what is not named with the suite.
    write(
        format!("/etc/apt/preferences.d/podwright-{suite}"),
        format!("Package: *\nPin: release n={suite}\nPin-Priority: 50\n"),
    )
}

async fn run(command: &mut Command) -> Result<()> {
    let said = format!("{command:?}").replace('"', "");
    let mut command = tokio::process::Command::from(std::mem::replace(command, Command::new("true")));
    let status = command.stdin(std::process::Stdio::null()).status().await.with_context(|| said.clone())?;
    if !status.success() {
        bail!("{said}: {status}");
    }
    Ok(())
}

/// The lines `KEY=value` and `KEY="value"` of `/etc/os-release`.
fn os_release(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_of_a_distribution() {
        let release = os_release(
            "ID=ubuntu\nID_LIKE=debian\nPRETTY_NAME=\"Ubuntu 24.04 LTS\"\n\nVERSION_CODENAME=noble\n",
        );
        assert_eq!(release["ID_LIKE"], "debian");
        assert_eq!(release["PRETTY_NAME"], "Ubuntu 24.04 LTS");
        assert_eq!(release["VERSION_CODENAME"], "noble");
    }

    #[test]
    fn every_package_belongs_to_a_piece_that_the_doctor_looks_for() {
        let versions = crate::versions::read().expect("versions.toml");
        let pieces = machine::pieces(&versions);
        for (piece, package) in FOR_CONTAINERD.into_iter().chain(FOR_THE_BOOK) {
            assert!(
                pieces.iter().any(|p| p.name == piece),
                "{package} is for {piece}, which nobody looks for"
            );
        }
    }
}
