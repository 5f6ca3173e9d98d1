//! The shim: the small program between the runtime and one container.
//!
//! Somebody has to be the parent of the container's process, hold the other end of its output and collect its exit
//! code. If the runtime did so itself, its death would break the pipes and lose the code. containerd solves this with a
//! process per pod, `containerd-shim-runc-v2`; here it is a process per container, and the program is the runtime's own
//! binary, started again with a hidden first argument.
//!
//! ```text
//!   runtime ─ spawns ─▶ shim ─ spawns ─▶ container (own process group)
//!      ▲                 │  ◀═ stdout, stderr ═╝
//!      │                 ├─▶ CRI log file
//!      └── state dir ◀── └─▶ shim.json, started.json, exit.json
//! ```
//!
//! It says nothing to the runtime but through files, so that both may die and come back in any order. It is synchronous
//! on purpose: it must be small, and has two pipes and one child to look after.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, ExitStatus};

use clock::Clock;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use crate::command::in_container;
use crate::process::{ProcessId, kill_descendants};
use crate::record::{ContainerRecord, Exit, Started};
use crate::state_dir::{ContainerDir, at};
use crate::{Error, output};

/// The first argument that makes a binary a shim.
pub const SHIM_ARGUMENT: &str = "embedded-shim";

/// How containerd begins the message of a command that cannot be started; people search for it.
const START_ERROR: &str =
    "failed to create containerd task: failed to create shim task: unable to start container process";

/// Runs the shim when this process was started as one. A binary that uses the embedded runtime calls this first in
/// `main`, before any thread or runtime exists, and exits with what it returns.
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == SHIM_ARGUMENT).then(|| main(arguments))
}

/// The shim's main function. `arguments` are those behind [`SHIM_ARGUMENT`]: the container's directory.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(dir), None) = (arguments.next(), arguments.next()) else {
        eprintln!("{SHIM_ARGUMENT} takes one argument, the directory of a container");
        return ExitCode::FAILURE;
    };
    match run(&ContainerDir::at(PathBuf::from(dir))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(dir: &ContainerDir) -> Result<(), Error> {
    // A session of its own: the terminal's Ctrl-C and hang-up stay with the runtime, and the session's number finds
    // what is left of the container if this process dies.
    let _already_leader = nix::unistd::setsid();
    // Orphans of the container come to this process instead of to init, so that none can run away.
    if let Err(errno) = nix::sys::prctl::set_child_subreaper(true) {
        eprintln!("cannot become a subreaper: {errno}");
    }
    let clock = Clock::system();
    let Some(record) = dir.record()? else { return Ok(()) };
    // Held open until this process ends, however it ends. For reading too, or opening it would wait for a reader.
    let fifo = dir.alive_fifo();
    let _alive = OpenOptions::new().read(true).write(true).open(&fifo).map_err(at(&fifo))?;
    let me = std::process::id().cast_signed();
    if !ProcessId::of(me).map_or(Ok(false), |me| dir.claim(me))? {
        return Ok(());
    }

    let child = match spawn(&record) {
        Ok(child) => child,
        Err(why) => {
            return dir.write_exit(&Exit::start_error(&format!("{START_ERROR}: {why}"), clock.now_nanos()));
        }
    };
    if let Err(error) = announce(dir, &child, &clock) {
        // A container that nobody will hear of must not run.
        let _ended_meanwhile = killpg(pid_of(&child), Signal::SIGKILL);
        return Err(error);
    }
    let exit = attend(child, record.log_path.as_deref(), &clock)?;
    dir.write_exit(&exit)
}

/// Writes down which process the container is, and tells the runtime, which waits for the end of this process's
/// standard output, that what it wants to know is in the files by now.
fn announce(dir: &ContainerDir, child: &Child, clock: &Clock) -> Result<(), Error> {
    // Nobody has reaped the child: even if it has ended already, its entry in /proc is there.
    if let Some(process) = ProcessId::of(pid_of(child).as_raw()) {
        dir.write_started(&Started { process, started_at: clock.now_nanos() })?;
    }
    let null = Path::new("/dev/null");
    let nowhere = File::create(null).map_err(at(null))?;
    nix::unistd::dup2_stdout(&nowhere).map_err(|errno| at(null)(errno.into()))
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// Starts the container's process, or says why not in runc's words.
fn spawn(record: &ContainerRecord) -> Result<Child, String> {
    let (program, arguments) = record.command.split_first().ok_or("no command specified")?;
    if let Err(e) = std::fs::create_dir_all(&record.working_dir) {
        return Err(format!("mkdir {}: {e}", record.working_dir.display()));
    }
    in_container(record, program, arguments)?.spawn().map_err(|e| format!("exec {program}: {e}"))
}

/// Copies output until the container's process has ended and everything that it left behind is gone.
fn attend(mut child: Child, log: Option<&Path>, clock: &Clock) -> Result<Exit, Error> {
    let pipes = (child.stdout.take(), child.stderr.take());
    let pipe_error = |source| Error::Io { path: PathBuf::from("pipe"), source };
    // The reaper holds the writing end; when it is done the copier sees the reading end close. The container's own
    // pipes do not tell: somebody may still hold them open.
    let (ended, ending) = io::pipe().map_err(pipe_error)?;
    let reaper = {
        let clock = clock.clone();
        std::thread::spawn(move || {
            let exit = reap(child, &clock);
            drop(ending);
            exit
        })
    };
    output::copy(pipes, &ended, log, clock);
    reaper.join().map_err(|_| pipe_error(io::Error::other("the reaper panicked")))
}

/// Waits for the container's process, ends whatever it left behind, and says how it ended.
// ANCHOR: reap
fn reap(mut child: Child, clock: &Clock) -> Exit {
    let leader = pid_of(&child);
    // WNOWAIT leaves it a zombie: until it is reaped its number, and so its group's, belongs to nobody else.
    while waitid(Id::Pid(leader), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::EINTR) {}
    let finished_at = clock.now_nanos();
    let _no_one_left = killpg(leader, Signal::SIGKILL);
    let status = child.wait();
    kill_descendants();
    status
        .map_or_else(|_| Exit::unknown(finished_at), |status| Exit::with_code(exit_code(status), finished_at))
}
// ANCHOR_END: reap

/// The exit code of a process as shells and kubelets count: 128 plus the signal for one that a signal ended.
pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255)
}
