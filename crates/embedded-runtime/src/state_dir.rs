//! What the runtime remembers, and what shim and runtime tell each other: files.
//!
//! ```text
//! STATE/lock                          held while a runtime uses the directory
//!       boot                          the boot of the machine that the pids below belong to
//!       images.json                   the names of images
//!       sandboxes/ID.json             the runtime writes it
//!       containers/ID/container.json  the runtime: what to run; a container exists exactly while this file does
//!                     launched        the runtime: a shim was or is about to be spawned
//!                     shim.json       the shim: who I am; made only once, so that a container starts only once
//!                     started.json    the shim: the container's process
//!                     exit.json       the shim: how it ended
//!                     alive           a FIFO that the shim holds open: its end-of-file is the end of the shim
//!                     exec-PID        an ExecSync in progress: the start time of its process
//!                     rootfs/         the default working directory
//!                     shim.log        what the shim has to complain about
//! ```
//!
//! Every file is written beside its place and renamed there: a reader sees it whole or not at all, whenever a writer
//! is killed. (It is not synced: a machine that loses power loses its containers anyway.)

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::process::{ProcessId, boot_id};
use crate::record::{ContainerRecord, Exit, SandboxRecord, Started};

/// The directory of one runtime, locked against a second one.
#[derive(Debug)]
pub(crate) struct StateDir {
    root: PathBuf,
    _lock: Flock<File>,
}

/// The directory of one container: the runtime and the shim meet here.
#[derive(Clone, Debug)]
pub(crate) struct ContainerDir(PathBuf);

/// Everything that a runtime finds when it starts.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub sandboxes: Vec<SandboxRecord>,
    pub containers: Vec<(ContainerRecord, ContainerDir)>,
    pub images: BTreeSet<String>,
    /// The machine was booted since: no process that the files name is alive.
    pub rebooted: bool,
}

impl StateDir {
    /// Opens or makes the directory.
    pub fn open(root: &Path) -> Result<Self, Error> {
        for dir in [root.to_owned(), root.join("sandboxes"), root.join("containers")] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(at(&dir))?;
        }
        // Shims and containers get working directories and paths from here, whatever directory they are in.
        let root = fs::canonicalize(root).map_err(at(root))?;
        let path = root.join("lock");
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(at(&path))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Self { root, _lock: lock }),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(Error::InUse { path: root }),
            Err((_, errno)) => Err(at(&path)(errno.into())),
        }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Reads back what an earlier runtime left, and clears away containers that it was making or removing when it died.
    pub fn load(&self) -> Result<Remembered, Error> {
        let boot = self.root.join("boot");
        let (was, is) = (read_json::<String>(&boot)?, boot_id());
        let mut remembered = Remembered {
            sandboxes: Vec::new(),
            containers: Vec::new(),
            images: read_json(&self.root.join("images.json"))?.unwrap_or_default(),
            rebooted: was.is_some_and(|was| was != is),
        };
        write_json(&boot, &is)?;
        for file in
            children(&self.root.join("sandboxes"))?.filter(|f| f.extension().is_some_and(|e| e == "json"))
        {
            remembered.sandboxes.extend(read_json(&file)?);
        }
        for dir in children(&self.root.join("containers"))?.map(ContainerDir) {
            match dir.record()? {
                Some(record) => remembered.containers.push((record, dir)),
                None => dir.remove()?,
            }
        }
        Ok(remembered)
    }

    pub fn save_sandbox(&self, sandbox: &SandboxRecord) -> Result<(), Error> {
        write_json(&self.sandbox_file(&sandbox.id), sandbox)
    }

    pub fn remove_sandbox(&self, id: &str) -> Result<(), Error> {
        let path = self.sandbox_file(id);
        absent_is_fine(fs::remove_file(&path)).map_err(at(&path))
    }

    pub fn save_images(&self, images: &BTreeSet<String>) -> Result<(), Error> {
        write_json(&self.root.join("images.json"), images)
    }

    /// Where the container's files are or will be.
    pub fn container(&self, id: &str) -> ContainerDir {
        ContainerDir(self.root.join("containers").join(id))
    }

    fn sandbox_file(&self, id: &str) -> PathBuf {
        self.root.join("sandboxes").join(format!("{id}.json"))
    }
}

impl ContainerDir {
    /// The directory that a shim was told to serve.
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn rootfs(&self) -> PathBuf {
        self.0.join("rootfs")
    }

    pub fn alive_fifo(&self) -> PathBuf {
        self.0.join("alive")
    }

    pub fn shim_log(&self) -> PathBuf {
        self.0.join("shim.log")
    }

    /// Makes a container; its record comes last and makes it exist.
    pub fn create(&self, record: &ContainerRecord) -> Result<(), Error> {
        let rootfs = self.rootfs();
        fs::create_dir_all(&rootfs).map_err(at(&rootfs))?;
        let fifo = self.alive_fifo();
        let mode = nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR;
        nix::unistd::mkfifo(&fifo, mode).map_err(|errno| at(&fifo)(errno.into()))?;
        write_json(&self.0.join("container.json"), record)
    }

    /// Forgets the container: its record goes first, the rest is rubbish from then on.
    pub fn remove(&self) -> Result<(), Error> {
        let record = self.0.join("container.json");
        absent_is_fine(fs::remove_file(&record)).map_err(at(&record))?;
        absent_is_fine(fs::remove_dir_all(&self.0)).map_err(at(&self.0))
    }

    pub fn record(&self) -> Result<Option<ContainerRecord>, Error> {
        read_json(&self.0.join("container.json"))
    }

    pub fn shim(&self) -> Result<Option<ProcessId>, Error> {
        read_json(&self.0.join("shim.json"))
    }

    pub fn started(&self) -> Result<Option<Started>, Error> {
        read_json(&self.0.join("started.json"))
    }

    pub fn exit(&self) -> Result<Option<Exit>, Error> {
        read_json(&self.0.join("exit.json"))
    }

    /// Notes that a shim may come, for a runtime that comes after this one.
    pub fn mark_launched(&self) -> Result<(), Error> {
        write_json(&self.0.join("launched"), &true)
    }

    pub fn is_launched(&self) -> bool {
        self.0.join("launched").exists()
    }

    /// Claims the container for this shim. `false` when another one was first.
    pub fn claim(&self, shim: ProcessId) -> Result<bool, Error> {
        // A link, unlike a rename, never replaces what is there.
        let (claim, mine) = (self.0.join("shim.json"), self.0.join(format!("shim-{}.json", shim.pid)));
        write_json(&mine, &shim)?;
        let linked = fs::hard_link(&mine, &claim);
        absent_is_fine(fs::remove_file(&mine)).map_err(at(&mine))?;
        match linked {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
            linked => linked.map(|()| true).map_err(at(&claim)),
        }
    }

    pub fn write_started(&self, started: &Started) -> Result<(), Error> {
        write_json(&self.0.join("started.json"), started)
    }

    pub fn write_exit(&self, exit: &Exit) -> Result<(), Error> {
        write_json(&self.0.join("exit.json"), exit)
    }

    /// Notes that a command runs in the container, for a runtime that comes after this one.
    pub fn note_exec(&self, process: ProcessId) -> Result<(), Error> {
        write_json(&self.exec_file(process.pid), &process)
    }

    pub fn forget_exec(&self, pid: i32) {
        let _removed_with_the_container = fs::remove_file(self.exec_file(pid));
    }

    /// The commands that were running in the container when the last runtime died.
    pub fn execs(&self) -> Result<Vec<ProcessId>, Error> {
        let is_exec = |f: &PathBuf| f.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"exec-"));
        Ok(children(&self.0)?.filter(is_exec).filter_map(|f| read_json(&f).ok().flatten()).collect())
    }

    fn exec_file(&self, pid: i32) -> PathBuf {
        self.0.join(format!("exec-{pid}"))
    }
}

/// Files with one value each: `started.json` and so on.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let bytes = match fs::read(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(at(path))?,
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| Error::Corrupt { path: path.to_owned(), source })
}

fn write_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<(), Error> {
    let corrupt = |source| Error::Corrupt { path: path.to_owned(), source };
    let bytes = serde_json::to_vec_pretty(value).map_err(corrupt)?;
    let beside = path.with_extension(format!("tmp-{}", std::process::id()));
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path)).map_err(at(path))
}

fn children(dir: &Path) -> Result<impl Iterator<Item = PathBuf> + use<>, Error> {
    Ok(fs::read_dir(dir).map_err(at(dir))?.flatten().map(|entry| entry.path()))
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Names the path in an I/O error.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_runtime_at_a_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = StateDir::open(dir.path()).expect("free");
        assert!(matches!(StateDir::open(dir.path()), Err(Error::InUse { .. })));
        drop(first);
        StateDir::open(dir.path()).expect("free again");
    }

    #[test]
    fn a_container_is_claimed_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let container = ContainerDir::at(dir.path().to_owned());
        let shim = |pid| ProcessId { pid, start_time: 1 };
        assert!(container.claim(shim(1)).expect("written"));
        assert!(!container.claim(shim(2)).expect("read"));
        assert_eq!(container.shim().expect("read"), Some(shim(1)));
    }

    #[test]
    fn a_container_without_a_record_is_cleared_away() {
        let dir = tempfile::tempdir().expect("a directory");
        let state = StateDir::open(dir.path()).expect("free");
        let half = state.container("half");
        fs::create_dir_all(half.rootfs()).expect("made");
        assert!(state.load().expect("loaded").containers.is_empty());
        assert!(!half.path().exists());
    }

    #[test]
    fn another_boot_is_noticed_and_a_broken_file_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let state = StateDir::open(dir.path()).expect("free");
        assert!(!state.load().expect("loaded").rebooted);
        assert!(!state.load().expect("loaded").rebooted);
        fs::write(state.root().join("boot"), "\"another\"").expect("written");
        assert!(state.load().expect("loaded").rebooted);
        fs::write(state.root().join("images.json"), "{").expect("written");
        let error = state.load().expect_err("broken").to_string();
        assert!(error.contains("images.json"), "{error}");
    }
}
