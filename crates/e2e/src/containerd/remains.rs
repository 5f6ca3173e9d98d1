//! Taking an instance down: processes, mounts, network namespace, cgroups, files.
//!
//! Nothing here trusts that the instance ended well: containerd may be dead, a shim killed, the agent gone. So each
//! kind of thing is looked up where the kernel keeps it. A process is only ended when it is one of ours: a program that
//! was started with a path of the instance's directory, a descendant of such a shim, or a member of its cgroups.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;

use super::Names;
use crate::process::{self, ProcessId};
use crate::{mounts, wait};

/// How long killed processes and busy cgroups may take to go.
const GONE_WITHIN: Duration = Duration::from_secs(15);

/// Where the CNI library keeps what it gave out, for all networks of the machine.
const CNI_RESULTS: &str = "/var/lib/cni/results";

/// Writes down which process made the instance.
pub(super) fn write_owner(names: &Names) -> Result<()> {
    let me = ProcessId::of(nix::unistd::getpid().as_raw()).context("this process in /proc")?;
    Ok(fs::write(names.dir.join("owner"), format!("{} {}", me.pid, me.start_time))?)
}

/// Takes down every instance whose maker is dead: a test program that was killed could not do it.
pub(super) fn clear_orphaned() {
    let Ok(entries) = fs::read_dir("/run") else { return };
    for entry in entries.flatten() {
        let id = entry.file_name().to_string_lossy().into_owned();
        if id.starts_with("pw-") && owner(&entry.path()).is_some_and(|owner| !owner.is_alive()) {
            clear(&Names { id, dir: entry.path() });
        }
    }
}

fn owner(dir: &Path) -> Option<ProcessId> {
    let text = fs::read_to_string(dir.join("owner")).ok()?;
    let (pid, start_time) = text.split_once(' ')?;
    Some(ProcessId { pid: pid.parse().ok()?, start_time: start_time.parse().ok()? })
}

/// Takes an instance down; returns what could not be removed, with the reason.
pub(super) fn clear(names: &Names) -> Vec<String> {
    let mut left = Vec::new();
    let mut note = |what: String, why: &dyn std::fmt::Display| left.push(format!("{what}: {why}"));

    let ended = wait::until_blocking(GONE_WITHIN, || {
        let living = processes(names);
        for process in &living {
            process.signal(Signal::SIGKILL);
        }
        living.is_empty()
    });
    if !ended {
        note(format!("processes {:?}", processes(names)), &"still there after SIGKILL");
    }
    // Before the directory goes, since it names them.
    for socket in shim_sockets(&names.dir) {
        let _gone = fs::remove_file(socket);
    }
    for (path, why) in mounts::unmount_below(&names.dir) {
        note(format!("mount {}", path.display()), &why);
    }
    if names.netns().exists() {
        let removed = Command::new("ip").args(["netns", "del", &names.id]).stderr(Stdio::piped()).output();
        match removed {
            Ok(output) if output.status.success() => {}
            Ok(output) => note(format!("netns {}", names.id), &String::from_utf8_lossy(&output.stderr)),
            Err(why) => note(format!("netns {}", names.id), &why),
        }
    }
    for cgroup in cgroups(names) {
        let mut why = None;
        // A cgroup is busy until its last process has been reaped.
        if !wait::until_blocking(GONE_WITHIN, || {
            why = remove_cgroup(&cgroup).err();
            why.is_none()
        }) {
            note(format!("cgroup {}", cgroup.display()), &why.map(|e| e.to_string()).unwrap_or_default());
        }
    }
    for attachment in cni_results(&names.dir) {
        let _gone = fs::remove_file(attachment);
    }
    // Last, so that a failure above can still be found by the next instance.
    if let Err(why) = fs::remove_dir_all(&names.dir) {
        note(names.dir.display().to_string(), &why);
    }
    left
}

/// Every living process of the instance.
fn processes(names: &Names) -> Vec<ProcessId> {
    let inside = format!("{}/", names.dir.display());
    let own = |command: &[String]| {
        let program = command.first().and_then(|p| p.rsplit('/').next()).unwrap_or_default();
        let ours =
            program == "podwright" || program == "containerd" || program.starts_with("containerd-shim");
        ours && command.iter().skip(1).any(|argument| argument.contains(&inside))
    };
    let mut found = process::running(own);
    found.extend(process::descendants(&found));
    found.extend(cgroups(names).iter().flat_map(|dir| members(dir)));
    found.sort();
    found.dedup();
    found
}

/// The sockets of the shims, which lie outside of the instance's directory; each task's folder names its own: in a file
/// `address` until 1.7, in `bootstrap.json` since.
fn shim_sockets(dir: &Path) -> Vec<PathBuf> {
    let named_by = |task: &PathBuf| -> Option<String> {
        if let Ok(address) = fs::read_to_string(task.join("address")) {
            return Some(address);
        }
        let bootstrap = fs::read(task.join("bootstrap.json")).ok()?;
        let bootstrap: serde_json::Value = serde_json::from_slice(&bootstrap).ok()?;
        Some(bootstrap["address"].as_str()?.to_owned())
    };
    entries(&dir.join("state/io.containerd.runtime.v2.task/k8s.io"))
        .iter()
        .filter_map(named_by)
        .filter_map(|address| Some(PathBuf::from(address.trim().strip_prefix("unix://")?)))
        .filter(|socket| socket.starts_with("/run/containerd/s"))
        .collect()
}

/// The attachments of the instance's pods: a file for each that names the pod's network namespace, which lies below the
/// instance's directory.
fn cni_results(dir: &Path) -> Vec<PathBuf> {
    let inside = format!("{}/", dir.display());
    let names_it = |file: &PathBuf| fs::read_to_string(file).is_ok_and(|text| text.contains(&inside));
    entries(Path::new(CNI_RESULTS)).into_iter().filter(names_it).collect()
}

/// The instance's cgroup in every hierarchy that has it: each controller's of version 1, and the unified one.
fn cgroups(names: &Names) -> Vec<PathBuf> {
    mounts::of_type(|kind| kind == "cgroup" || kind == "cgroup2")
        .into_iter()
        .map(|hierarchy| hierarchy.join(names.cgroup().trim_start_matches('/')))
        .filter(|dir| dir.is_dir())
        .collect()
}

fn members(cgroup: &Path) -> Vec<ProcessId> {
    let own = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let own = own.lines().filter_map(|pid| ProcessId::of(pid.parse().ok()?));
    own.chain(subdirectories(cgroup).iter().flat_map(|sub| members(sub))).collect()
}

fn remove_cgroup(dir: &Path) -> std::io::Result<()> {
    for sub in subdirectories(dir) {
        remove_cgroup(&sub)?;
    }
    match fs::remove_dir(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn subdirectories(dir: &Path) -> Vec<PathBuf> {
    entries(dir).into_iter().filter(|path| path.is_dir()).collect()
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).map(|found| found.flatten().map(|e| e.path()).collect()).unwrap_or_default()
}
