//! Logs on disk: directories, the links for log collectors, and how often a container was started before.
//!
//! Mirrors `kuberuntime_container.go: calcRestartCountByLogDir, removeContainerLog` and `legacy.go`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pod_model::{PodRef, paths};

/// The restart count that the log files of a container tell: the highest N of `N.log` plus one, 0 when there is none.
///
/// The runtime's own records are better, but may be gone: after a reboot, or when somebody removed the container.
pub fn restart_count_by_log_dir(dir: &Path) -> u32 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()))
        .filter_map(|entry| attempt_of_log(entry.file_name().to_str()?))
        .max()
        .map_or(0, |highest| highest.saturating_add(1))
}

/// The N of `N.log` and of its rotated forms `N.log.…`.
fn attempt_of_log(name: &str) -> Option<u32> {
    let (number, rest) = name.split_once(".log")?;
    if !(rest.is_empty() || rest.starts_with('.')) || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse().ok()
}

/// The folder of links for log collectors: `containers`, beside the folder of pod logs.
pub fn links_dir(pod_logs: &Path) -> PathBuf {
    pod_logs.parent().unwrap_or(Path::new("/var/log")).join("containers")
}

/// Makes the link for a started container, unless its log does not exist (a runtime may log elsewhere).
///
/// # Errors
/// The link could not be made; logging goes on without it.
pub(crate) fn link(links: &Path, pod: &PodRef, container: &str, id: &str, log: &Path) -> io::Result<()> {
    if !log.exists() {
        return Ok(());
    }
    match std::os::unix::fs::symlink(log, links.join(paths::log_link_name(pod, container, id))) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

/// Removes a container's log, its rotated forms, and its link. What is gone already is fine.
pub(crate) fn remove(
    links: &Path,
    pod: &PodRef,
    container: &str,
    id: &str,
    log_dir: &Path,
    restart_count: u32,
) {
    if !paths::is_component(container) || !paths::is_component(id) {
        // Neither was made by us, and neither may lead anywhere else.
        return;
    }
    let container_dir = log_dir.join(container);
    let of_this_run = |name: &str| attempt_of_log(name) == Some(restart_count);
    for entry in fs::read_dir(&container_dir).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(of_this_run) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_file(links.join(paths::log_link_name(pod, container, id)));
}

/// Removes links whose log is gone and that no living container explains.
pub(crate) fn remove_dead_links(links: &Path, is_alive: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(links).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(paths::container_id_of_log_link) else { continue };
        // `exists` follows the link: false means that the log is gone. A log being rotated is gone for a moment, too.
        if !entry.path().exists() && !is_alive(id) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_folder_tells_how_often_a_container_was_started() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(restart_count_by_log_dir(&dir.path().join("absent")), 0);
        assert_eq!(restart_count_by_log_dir(dir.path()), 0);
        for name in
            ["0.log", "2.log.20260101-000000.gz", "1.log", "x.log", "9.txt", "7.logs", "-3.log", ".log"]
        {
            fs::write(dir.path().join(name), "").expect("written");
        }
        fs::create_dir(dir.path().join("8.log")).expect("made");
        assert_eq!(restart_count_by_log_dir(dir.path()), 3);
    }
}
