//! The agent's own files of a pod: `/etc/hosts` and the file for a container's last words.
//!
//! Mirrors `kubelet_pods.go: makeHostsMount, ensureHostsFile` and `kuberuntime_container.go: makeMounts`.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use cri_client::v1;
use pod_environment::hosts;
use pod_model::{Container, Pod, PodUid, identity, paths};

/// Makes the pod's directory, closed to others (0750). May be repeated.
///
/// # Errors
/// The system's, when it cannot be made. Mirrors `kubelet_pods.go: makePodDataDirs`.
pub fn make_pod_dir(root: &Path, uid: &PodUid) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o750).create(paths::pod_dir(root, uid))
}

/// Writes the pod's hosts file and says how it is mounted; `None` when the container mounts that path itself, or the
/// pod has no address yet to be written into it. Written anew for each container start, since addresses change.
pub(crate) fn hosts_mount(
    root: &Path,
    pod: &Pod,
    container: &Container,
    ips: &[String],
    content: impl FnOnce() -> io::Result<Vec<u8>>,
) -> io::Result<Option<v1::Mount>> {
    if !hosts::mounts_hosts_file(pod, container, ips) {
        return Ok(None);
    }
    let uid = identity::uid(pod);
    make_pod_dir(root, &uid)?;
    let path = paths::etc_hosts(root, &uid);
    // Written in place: containers that run already have this very file mounted.
    fs::write(&path, content()?)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(hosts::HOSTS_MODE))?;
    Ok(Some(mount(hosts::HOSTS_PATH, &path)))
}

/// Makes an empty file for the container's last words, writable for whatever user the container has, and says how it is
/// mounted; `None` when the container has no path for it.
pub(crate) fn termination_log_mount(
    root: &Path,
    uid: &PodUid,
    container: &Container,
    random: &clock::Random,
) -> io::Result<Option<v1::Mount>> {
    let Some(inside) = container.termination_message_path.as_deref().filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let dir = paths::container_dir(root, uid, &container.name);
    fs::DirBuilder::new().recursive(true).mode(0o750).create(&dir)?;
    // A file of its own for each start, so that an old message is never taken for a new one.
    let path = loop {
        let path = dir.join(format!("{:08x}", random.below(1 << 32)));
        match fs::OpenOptions::new().write(true).create_new(true).mode(0o666).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => break made.map(|_| path)?,
        }
    };
    // The umask must not take the container's right to write.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666))?;
    Ok(Some(mount(inside, &path)))
}

fn mount(inside: &str, path: &Path) -> v1::Mount {
    v1::Mount {
        container_path: inside.to_owned(),
        host_path: path.to_string_lossy().into_owned(),
        ..v1::Mount::default()
    }
}
