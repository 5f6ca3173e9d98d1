//! Running a check's program: a process with a bounded life, an environment of its own, and a report that it writes.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use lab_check::report::{self, Event};
use tokio::process::Command;
use tokio::time::Instant;

/// How long the check may go without finishing a case. Cases take milliseconds; a property tries hundreds of values.
const PER_CASE: Duration = Duration::from_secs(20);

/// After this time without a finished case it is said which one runs.
const QUIET: Duration = Duration::from_secs(2);

/// How long all of them may take.
const ALTOGETHER: Duration = Duration::from_secs(180);

/// The most seconds that a check may compute, on all its threads together: one whose watcher was killed ends, too.
const MOST_WORK: u64 = 600;

/// How often the report is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The most address space that a check may ask for, in KiB: a loop that collects for ever ends, and the machine does not.
const MEMORY_KIB: u64 = 8 * 1024 * 1024;

/// How much of what the learner's code prints is shown.
const MOST_OUTPUT: u64 = 16 * 1024;

/// All that a check is given of the environment as it is.
const GIVEN: [&str; 5] = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL"];

/// Says to a tour where the running node is.
const UP: &str = "LAB_UP";

/// What a run of the check left behind.
#[derive(Debug)]
pub struct Ran {
    /// The report, as far as it was written.
    pub events: Vec<Event>,
    /// How the process ended.
    pub ended: Ended,
    /// What the code printed, the beginning of it.
    pub printed: String,
}

/// How a check's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal: an abort, a stack that ran over.
    Signalled(i32),
    /// It went on and on, and was ended.
    Hung,
}

/// Runs a check.
///
/// # Errors
///
/// When the program cannot be started, or its report cannot be read.
pub async fn run(program: &Path, lab: &Path, seed: Option<u64>) -> Result<Ran> {
    let seed = seed.map(|seed| ("LAB_SEED".to_owned(), OsString::from(seed.to_string())));
    run_and_tell(program, lab, seed.as_slice(), |name| {
        eprintln!("waiting for {name}; a case that takes {} s is ended", PER_CASE.as_secs());
    })
    .await
}

/// Runs a check that is given more of an environment.
///
/// # Errors
///
/// When the program cannot be started, or its report cannot be read.
pub async fn run_with(program: &Path, lab: &Path, environment: &[(String, OsString)]) -> Result<Ran> {
    run_and_tell(program, lab, environment, |_| {}).await
}

/// Runs a check, and tells which case it is that takes its time.
async fn run_and_tell(
    program: &Path,
    lab: &Path,
    environment: &[(String, OsString)],
    tell: impl Fn(&str),
) -> Result<Ran> {
    let scratch =
        tempfile::Builder::new().prefix("podwright-check-").tempdir().context("a place for the report")?;
    let report = scratch.path().join("report.jsonl");
    let printed = scratch.path().join("printed");
    let output = std::fs::File::create(&printed).context("a file for what is printed")?;

    // The shell only sets the limits, then becomes the program. What is written to one file is limited too.
    let limits =
        format!("ulimit -c 0; ulimit -t {MOST_WORK}; ulimit -v {MEMORY_KIB}; ulimit -f 262144; exec \"$0\"");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(limits).arg(program).current_dir(scratch.path()).env_clear();
    command.envs(GIVEN.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))));
    command.env("LAB_DIR", lab).env("LAB_REPORT", &report).env("RUST_BACKTRACE", "0");
    if let Some(up) = std::env::var_os(UP).filter(|up| !up.is_empty()) {
        // The check runs in another folder.
        command.env(UP, std::path::absolute(Path::new(&up))?);
    }
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output).kill_on_drop(true);
    let mut process = command.spawn().with_context(|| program.display().to_string())?;

    let (began, mut moved, mut size, mut is_told) = (Instant::now(), Instant::now(), 0, false);
    let ended = loop {
        tokio::select! {
            status = process.wait() => break ended(status.context("the check")?),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let written = std::fs::metadata(&report).map_or(0, |file| file.len());
        if written != size {
            (size, moved, is_told) = (written, Instant::now(), false);
        }
        if moved.elapsed() > QUIET && !is_told {
            is_told = true;
            if let Some(name) = running(&events(&report)?) {
                tell(name);
            }
        }
        if moved.elapsed() > PER_CASE || began.elapsed() > ALTOGETHER {
            process.kill().await.context("ending the check")?;
            break Ended::Hung;
        }
    };
    Ok(Ran { events: events(&report)?, ended, printed: beginning(&printed) })
}

/// What a report says so far.
fn events(report: &Path) -> Result<Vec<Event>> {
    match std::fs::read(report) {
        Ok(bytes) => report::read(bytes.as_slice()).context("the check's report"),
        // Nothing was written yet.
        Err(_) => Ok(Vec::new()),
    }
}

/// The case that was begun last and is not done.
fn running(events: &[Event]) -> Option<&str> {
    match events.last() {
        Some(Event::Begin { name }) => Some(name),
        _ => None,
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, signal) => Ended::Signalled(signal.unwrap_or_default()),
    }
}

/// The beginning of a file, as text.
fn beginning(path: &Path) -> String {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST_OUTPUT).read_to_end(&mut bytes));
    if read.is_err() {
        return String::new();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
