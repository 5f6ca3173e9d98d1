//! What this machine has, piece by piece, and what each piece is needed for.

use std::path::Path;
use std::process::Command;

use crate::versions::{self, Versions};

/// What a piece is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeededFor {
    /// `cargo xtask up` and `cargo xtask test`: without it nothing works.
    Everything,
    /// `up --runtime containerd`, `test --containerd` and `ci`.
    Containerd,
    /// Nothing fails without it; the text says what it is good for.
    Only(&'static str),
}

/// One piece.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its name.
    pub name: &'static str,
    /// What was found; or what is missing and how to get it.
    pub found: Result<String, String>,
    /// What it is needed for.
    pub needed_for: NeededFor,
}

/// Looks at the machine.
pub fn pieces(versions: &Versions) -> Vec<Piece> {
    use NeededFor::{Containerd, Everything, Only};
    let piece = |name, needed_for, found| Piece { name, found, needed_for };
    let package = |name: &str| format!("missing: Debian package {name}");
    let program = |name: &str, of: &str| {
        e2e::command::in_path(name).map(|path| path.display().to_string()).ok_or_else(|| package(of))
    };
    vec![
        piece(
            "Linux",
            Everything,
            match std::env::consts::OS {
                "linux" => Ok(kernel()),
                other => Err(format!("this is {other}: use a virtual machine with Linux")),
            },
        ),
        piece("cargo", Everything, rust(versions)),
        piece("containerd", Containerd, containerd(versions)),
        piece("runc", Containerd, runc(versions)),
        piece("CNI plugins", Containerd, cni_plugins().ok_or_else(|| package("containernetworking-plugins"))),
        piece(
            "busybox (static)",
            Containerd,
            program_at("/bin/busybox").ok_or_else(|| package("busybox-static")),
        ),
        piece("ip", Containerd, program("ip", "iproute2")),
        piece("nsenter", Containerd, program("nsenter", "util-linux")),
        piece(
            "root",
            Containerd,
            match nix::unistd::geteuid() {
                root if root.is_root() => Ok("yes".to_owned()),
                other => Err(format!("you are user {other}: use sudo")),
            },
        ),
        piece(
            "network namespaces",
            Containerd,
            match Path::new("/proc/self/ns/net").exists() {
                true => Ok("yes".to_owned()),
                false => Err("the kernel has none".to_owned()),
            },
        ),
        piece("cgroups", Containerd, cgroups()),
        piece("iptables", Only("hostPort on containerd"), program("iptables", "iptables")),
        piece(
            "browser",
            Only("book check --browser, screenshots"),
            browser().ok_or_else(|| package("chromium-headless-shell")),
        ),
        piece("curl", Only("commands on the book's pages"), program("curl", "curl")),
        piece("pgrep", Only("commands on the book's pages"), program("pgrep", "procps")),
        piece("cargo-deny", Only("licences and bans in ci"), cargo_deny()),
    ]
}

/// The names of the pieces that are missing for real containerd.
pub fn lacking_for_containerd() -> Vec<String> {
    let Ok(versions) = versions::read() else { return vec!["versions.toml".to_owned()] };
    let missing = |p: &Piece| p.found.is_err() && !matches!(p.needed_for, NeededFor::Only(_));
    pieces(&versions).iter().filter(|p| missing(p)).map(|p| p.name.to_owned()).collect()
}

fn said(program: &str, argument: &str) -> Option<String> {
    let path = e2e::command::in_path(program)?;
    let output = Command::new(path).arg(argument).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn kernel() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

fn rust(versions: &Versions) -> Result<String, String> {
    let minimum = &versions.rust.minimum;
    let version = said("cargo", "--version").and_then(|text| versions::first_in(&text));
    match version {
        Some(version) if versions::at_least(&version, minimum) => Ok(version),
        Some(version) => Err(format!("{version}, but {minimum} is needed: rustup update")),
        None => Err(format!("missing: install Rust {minimum} or later from https://rustup.rs")),
    }
}

fn containerd(versions: &Versions) -> Result<String, String> {
    let version = said("containerd", "--version").and_then(|text| versions::first_in(&text));
    let version = version.ok_or("missing: Debian package containerd")?;
    let tested = &versions.containerd.tested;
    let note =
        if tested.contains(&version) { String::new() } else { format!(" (tested: {})", tested.join(", ")) };
    Ok(format!("{version}{note}"))
}

fn runc(versions: &Versions) -> Result<String, String> {
    let minimum = &versions.runc.minimum;
    match said("runc", "--version").and_then(|text| versions::first_in(&text)) {
        Some(version) if versions::at_least(&version, minimum) => Ok(version),
        Some(version) => Err(format!("{version}, but {minimum} is needed")),
        None => Err("missing: Debian package runc".to_owned()),
    }
}

fn cni_plugins() -> Option<String> {
    ["/usr/lib/cni", "/opt/cni/bin"]
        .into_iter()
        .find(|dir| Path::new(dir).join("bridge").is_file())
        .map(str::to_owned)
}

/// The programs that the book's builder takes, in its order (`book/builder/src/browser.rs`).
fn browser() -> Option<String> {
    let programs =
        ["chromium", "chromium-headless-shell", "google-chrome", "google-chrome-stable", "chromium-browser"];
    programs.iter().find_map(|name| e2e::command::in_path(name)).map(|path| path.display().to_string())
}

fn program_at(path: &str) -> Option<String> {
    Path::new(path).is_file().then(|| path.to_owned())
}

fn cargo_deny() -> Result<String, String> {
    said("cargo-deny", "--version")
        .and_then(|text| versions::first_in(&text))
        .ok_or_else(|| "missing: cargo install cargo-deny".to_owned())
}

fn cgroups() -> Result<String, String> {
    let root = Path::new("/sys/fs/cgroup");
    if root.join("cgroup.controllers").is_file() {
        Ok("version 2".to_owned())
    } else if root.join("memory").is_dir() {
        Ok("version 1".to_owned())
    } else {
        Err("none mounted at /sys/fs/cgroup".to_owned())
    }
}
