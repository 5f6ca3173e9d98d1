//! The agent's directory for each pod: made before anything of a pod exists in the runtime, removed after everything of it
//! is gone. In between it is the proof that the pod is this agent's.
//!
//! Mirrors `kubelet_pods.go: makePodDataDirs` and `kubelet_volumes.go: cleanupOrphanedPodDirs`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pod_model::{PodUid, paths};

/// The directories below one root.
#[derive(Clone, Debug)]
pub(crate) struct PodDirs {
    root: PathBuf,
}

impl PodDirs {
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes a pod's directory, closed to others. May be repeated.
    pub fn make(&self, uid: &PodUid) -> io::Result<()> {
        kuberuntime::make_pod_dir(&self.root, uid)
    }

    pub fn exists(&self, uid: &PodUid) -> bool {
        paths::pod_dir(&self.root, uid).is_dir()
    }

    /// The pods that have a directory.
    pub fn all(&self) -> Vec<PodUid> {
        let entries = fs::read_dir(paths::pods_dir(&self.root)).into_iter().flatten().flatten();
        entries.filter_map(|entry| PodUid::checked(entry.file_name().to_str()?).ok()).collect()
    }

    /// Removes the directory of a pod of which nothing is left. One with volumes in it is left alone: what is mounted
    /// there may be somebody's data.
    pub fn remove(&self, uid: &PodUid) -> io::Result<()> {
        let dir = paths::pod_dir(&self.root, uid);
        if fs::read_dir(dir.join("volumes")).is_ok_and(|mut volumes| volumes.next().is_some()) {
            let text = format!("orphaned pod {uid} found, but volumes are still in {}", dir.display());
            return Err(io::Error::other(text));
        }
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_comes_and_goes_and_one_with_volumes_stays() {
        let root = tempfile::tempdir().expect("a folder");
        let (dirs, uid) = (PodDirs::new(root.path()), PodUid::new("u1"));
        assert!(dirs.all().is_empty());
        dirs.make(&uid).expect("made");
        dirs.make(&uid).expect("repeated");
        assert_eq!(dirs.all(), std::slice::from_ref(&uid));
        let volume = root.path().join("pods/u1/volumes/kubernetes.io~empty-dir");
        fs::create_dir_all(&volume).expect("made");
        assert!(dirs.remove(&uid).expect_err("kept").to_string().contains("volumes are still in"));
        fs::remove_dir_all(volume).expect("removed");
        dirs.remove(&uid).expect("removed");
        dirs.remove(&uid).expect("repeated");
        assert!(!dirs.exists(&uid));
    }
}
