//! The runtime itself: what it holds in memory, and how it is opened and served.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use clock::{Clock, Random};
use cri_client::v1;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep};
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::process::ProcessId;
use crate::record::{ContainerRecord, Exit, SandboxRecord, Started};
use crate::refusal::Refusal;
use crate::state_dir::{ContainerDir, StateDir, at};

/// How many events a slow subscriber may lag behind before its stream ends with an error.
const EVENT_BACKLOG: usize = 1024;

/// How long calls in progress may go on once the server was told to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// How long a lock of the state directory may outlive its runtime.
const LOCK_LIMIT: Duration = Duration::from_millis(500);

/// What a runtime needs to be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything is remembered; made when absent. One runtime at a time.
    pub state_dir: PathBuf,
    /// How to start a shim.
    pub shim: ShimCommand,
    /// Stamps sandboxes and containers; what a shim stamps comes from the machine's clock.
    pub clock: Clock,
    /// Ids are made from it.
    pub random: Random,
}

impl Options {
    /// For a program that calls [`crate::shim::run_if_asked`] first in its `main`, on the machine's own clock.
    ///
    /// # Errors
    /// When the path of the program cannot be found out.
    pub fn new(state_dir: PathBuf) -> io::Result<Self> {
        let (shim, random) = (ShimCommand::this_program()?, Random::from_machine());
        Ok(Self { state_dir, shim, clock: Clock::system(), random })
    }
}

/// The command that runs [`crate::shim::main`]; the directory of the container is appended to it.
#[derive(Clone, Debug)]
pub struct ShimCommand {
    /// The binary.
    pub program: PathBuf,
    /// What makes it a shim.
    pub arguments: Vec<OsString>,
}

impl ShimCommand {
    /// A binary whose `main` calls [`crate::shim::run_if_asked`].
    pub fn of(program: PathBuf) -> Self {
        Self { program, arguments: vec![crate::shim::SHIM_ARGUMENT.into()] }
    }

    /// This very program.
    ///
    /// # Errors
    /// When its path cannot be found out.
    pub fn this_program() -> io::Result<Self> {
        std::env::current_exe().map(Self::of)
    }
}

/// A runtime whose containers are plain processes. It implements [`cri_client::RuntimeService`] and
/// [`cri_client::ImageService`], and can serve them on a socket.
///
/// Dropping it, like killing it, leaves its containers running; the next one on the same directory finds them.
#[derive(Debug)]
pub struct EmbeddedRuntime {
    /// This runtime, for tasks that must not end with the call that began them.
    pub(crate) this: Weak<Self>,
    pub(crate) options: Options,
    pub(crate) state_dir: StateDir,
    inventory: Mutex<Inventory>,
    pub(crate) events: broadcast::Sender<v1::ContainerEventResponse>,
    /// Ends event streams and the tasks that watch containers.
    pub(crate) closing: CancellationToken,
}

/// All that there is, by id. Everything that changes it is short and waits for nothing but small files.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    pub sandboxes: BTreeMap<String, Sandbox>,
    pub containers: BTreeMap<String, Container>,
    /// Their names.
    pub images: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Sandbox {
    pub record: SandboxRecord,
    /// It is being stopped: nothing new starts in it.
    pub stopping: bool,
}

#[derive(Debug)]
pub(crate) struct Container {
    pub record: ContainerRecord,
    pub dir: ContainerDir,
    /// Where it is in its life; whoever waits for a change subscribes.
    pub phase: watch::Sender<Phase>,
    /// It is being removed: it does not start any more.
    pub removing: bool,
}

/// The life of a container.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    Created,
    /// Its shim was asked for and has not answered.
    Starting,
    Running {
        started: Started,
        shim: ProcessId,
    },
    Exited {
        started: Option<Started>,
        exit: Exit,
    },
}

impl EmbeddedRuntime {
    /// Opens a runtime on a state directory and takes up what an earlier one left there.
    ///
    /// # Errors
    /// A directory that cannot be used, that another runtime uses, or whose files this version does not understand.
    pub async fn open(options: Options) -> Result<Arc<Self>, Error> {
        let state_dir = lock(&options.state_dir).await?;
        let inventory = crate::recovery::read_back(&state_dir, &options.clock).await?;
        let runtime = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            options,
            state_dir,
            inventory: Mutex::new(inventory),
            events: broadcast::channel(EVENT_BACKLOG).0,
            closing: CancellationToken::new(),
        });
        for (id, container) in &runtime.inventory().containers {
            if let Phase::Running { started, shim } = *container.phase.borrow() {
                runtime.watch(id.clone(), container.dir.clone(), started, shim);
            }
        }
        Ok(runtime)
    }

    /// Serves the runtime on a unix socket until `stop` resolves, and is closed then. A socket that a dead runtime
    /// left is replaced; the directory is made for this user alone if it is absent.
    ///
    /// # Errors
    /// A path that cannot be bound, a socket on which somebody else answers, a failing transport.
    pub async fn serve(self: Arc<Self>, socket: &Path, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let listener = bind(socket).await?;
        let closing = self.closing.clone();
        let server =
            cri_client::serve(self, UnixListenerStream::new(listener), closing.clone().cancelled_owned());
        let overdue = async {
            stop.await;
            closing.cancel();
            sleep(SHUTDOWN_GRACE).await;
        };
        let served = tokio::select! {
            biased;
            served = server => served,
            () = overdue => Ok(()),
        };
        let _gone_already = fs::remove_file(socket);
        served.map_err(|e| Error::Serve { path: socket.to_owned(), source: e.into() })
    }

    pub(crate) fn inventory(&self) -> MutexGuard<'_, Inventory> {
        // No state is half changed when a panic unwinds: changes are single inserts and removals.
        self.inventory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new id: 64 hexadecimal digits, as containerd's.
    pub(crate) fn new_id(&self) -> String {
        (0..4).map(|_| format!("{:016x}", self.options.random.below(u64::MAX))).collect()
    }
}

impl Drop for EmbeddedRuntime {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

impl Inventory {
    /// A sandbox by its id or an unambiguous beginning of it.
    pub fn sandbox(&self, id: &str) -> Result<&Sandbox, Refusal> {
        find(&self.sandboxes, id).ok_or_else(|| Refusal::NotFound { kind: "sandbox", id: id.to_owned() })
    }

    /// A container by its id or an unambiguous beginning of it.
    pub fn container(&self, id: &str) -> Result<&Container, Refusal> {
        find(&self.containers, id).ok_or_else(|| Refusal::NotFound { kind: "container", id: id.to_owned() })
    }

    /// The containers of a sandbox.
    pub fn members<'a>(&'a self, sandbox_id: &'a str) -> impl Iterator<Item = &'a Container> {
        self.containers.values().filter(move |c| c.record.sandbox_id == sandbox_id)
    }
}

impl Phase {
    pub fn is_exited(&self) -> bool {
        matches!(self, Self::Exited { .. })
    }
}

/// The entry with this id, or the only one whose id begins so.
fn find<'a, T>(entries: &'a BTreeMap<String, T>, id: &str) -> Option<&'a T> {
    let mut matching =
        entries.range(id.to_owned()..).take_while(|(key, _)| !id.is_empty() && key.starts_with(id));
    match (matching.next()?, matching.next()) {
        ((_, only), None) => Some(only),
        ((key, exact), Some(_)) => (key == id).then_some(exact),
    }
}

/// Opens the state directory. A shim that a killed runtime was just spawning holds that runtime's lock for a moment.
async fn lock(state_dir: &Path) -> Result<StateDir, Error> {
    let deadline = Instant::now() + LOCK_LIMIT;
    loop {
        match StateDir::open(state_dir) {
            Err(Error::InUse { .. }) if Instant::now() < deadline => sleep(Duration::from_millis(5)).await,
            opened => return opened,
        }
    }
}

async fn bind(socket: &Path) -> Result<UnixListener, Error> {
    if let Some(dir) = socket.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
    }
    if fs::symlink_metadata(socket).is_ok_and(|meta| meta.file_type().is_socket()) {
        if UnixStream::connect(socket).await.is_ok() {
            return Err(Error::InUse { path: socket.to_owned() });
        }
        fs::remove_file(socket).map_err(at(socket))?;
    }
    let listener = UnixListener::bind(socket).map_err(at(socket))?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600)).map_err(at(socket))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_by_an_unambiguous_beginning() {
        let entries =
            BTreeMap::from([("abc", 1), ("abd", 2), ("abde", 3), ("x", 4)].map(|(k, v)| (k.to_owned(), v)));
        let cases =
            [("abc", Some(1)), ("ab", None), ("abd", Some(2)), ("abde", Some(3)), ("x", Some(4)), ("", None)];
        for (id, expected) in cases {
            assert_eq!(find(&entries, id), expected.as_ref(), "{id:?}");
        }
        assert_eq!(find(&entries, "xy"), None);
    }
}
