//! Starting again: from the files of a runtime that died to what there is now.
//!
//! The files say what the runtime wanted and what shims did; only the process table says who is still alive. The four
//! cases of a container that was started:
//!
//! | shim | container | then it is |
//! |---|---|---|
//! | wrote `exit.json` | gone | exited, with its code |
//! | alive | alive or just ended | running; the shim will tell |
//! | dead | alive | running, without a log; its end will be seen without a code |
//! | dead | gone | exited with 255, `Unknown` |

use std::time::Duration;

use clock::Clock;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::Error;
use crate::process::ProcessId;
use crate::record::Exit;
use crate::runtime::{Container, Inventory, Phase, Sandbox};
use crate::state_dir::{ContainerDir, StateDir};

/// How long a shim may take from its claim to the container's process.
const START_LIMIT: Duration = Duration::from_secs(10);

/// Reads the state directory and finds out what is true of it.
pub(crate) async fn read_back(state_dir: &StateDir, clock: &Clock) -> Result<Inventory, Error> {
    let remembered = state_dir.load()?;
    let mut inventory = Inventory { images: remembered.images, ..Inventory::default() };
    for mut record in remembered.sandboxes {
        if remembered.rebooted && record.ready {
            record.ready = false;
            state_dir.save_sandbox(&record)?;
        }
        inventory.sandboxes.insert(record.id.clone(), Sandbox { record, stopping: false });
    }
    for (record, dir) in remembered.containers {
        let phase = if remembered.rebooted { after_boot(&dir, clock)? } else { resume(&dir, clock).await? };
        // Sandboxes are removed after their containers: without its sandbox a container is the work of no kubelet.
        if !inventory.sandboxes.contains_key(&record.sandbox_id) {
            if let Phase::Running { shim, .. } = phase {
                shim.kill_session();
                shim.kill();
            }
            dir.remove()?;
            continue;
        }
        let phase = watch::Sender::new(phase);
        inventory.containers.insert(record.id.clone(), Container { record, dir, phase, removing: false });
    }
    Ok(inventory)
}

/// Where a container is that an earlier runtime of this boot left.
async fn resume(dir: &ContainerDir, clock: &Clock) -> Result<Phase, Error> {
    for command in dir.execs()? {
        command.signal_group(nix::sys::signal::Signal::SIGKILL);
        dir.forget_exec(command.pid);
    }
    if dir.exit()?.is_none() && dir.shim()?.is_none() {
        if !dir.is_launched() {
            return Ok(Phase::Created);
        }
        // The runtime died while it spawned a shim. Whoever claims first has the container: taking the claim here keeps
        // a shim that is late from starting what the kubelet believes is not running.
        if let Some(me) = ProcessId::of(std::process::id().cast_signed())
            && dir.claim(me)?
        {
            let exit = Exit::unknown(clock.now_nanos());
            dir.write_exit(&exit)?;
            return Ok(Phase::Exited { started: None, exit });
        }
    }
    settle(dir, clock).await
}

/// Where a container is whose shim has claimed it, once that shim has got it started or given up.
// ANCHOR: settle
pub(crate) async fn settle(dir: &ContainerDir, clock: &Clock) -> Result<Phase, Error> {
    let deadline = Instant::now() + START_LIMIT;
    let shim = loop {
        let shim = dir.shim()?;
        let decided = dir.started()?.is_some() || dir.exit()?.is_some();
        if decided || !shim.is_some_and(ProcessId::is_alive) || Instant::now() > deadline {
            break shim;
        }
        sleep(Duration::from_millis(2)).await;
    };
    let started = dir.started()?;
    // In this order: a shim writes its last file and then ends.
    let gone = |shim: ProcessId| !shim.is_alive() && !started.is_some_and(|s| s.process.is_alive());
    let ended = shim.is_none_or(gone) || started.is_none();
    match (dir.exit()?, shim, started) {
        (Some(exit), _, started) => Ok(Phase::Exited { started, exit }),
        (None, Some(shim), Some(started)) if !ended => Ok(Phase::Running { started, shim }),
        (None, shim, started) => {
            if let Some(shim) = shim {
                shim.kill_session();
                shim.kill();
            }
            let exit = Exit::unknown(clock.now_nanos());
            dir.write_exit(&exit)?;
            Ok(Phase::Exited { started, exit })
        }
    }
}
// ANCHOR_END: settle

/// Where a container is that ran before the machine was booted.
fn after_boot(dir: &ContainerDir, clock: &Clock) -> Result<Phase, Error> {
    let started = dir.started()?;
    let exit = match dir.exit()? {
        None if !dir.is_launched() => return Ok(Phase::Created),
        Some(exit) => exit,
        None => Exit::unknown(clock.now_nanos()),
    };
    dir.write_exit(&exit)?;
    Ok(Phase::Exited { started, exit })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::record::{ContainerRecord, SandboxRecord, Started};

    fn sandbox(id: &str) -> SandboxRecord {
        SandboxRecord {
            id: id.to_owned(),
            name: "web".to_owned(),
            namespace: "default".to_owned(),
            uid: "uid".to_owned(),
            attempt: 0,
            hostname: "web".to_owned(),
            log_directory: String::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            namespaces: None,
            created_at: 1,
            ready: true,
        }
    }

    fn container(id: &str, sandbox_id: &str) -> ContainerRecord {
        ContainerRecord {
            id: id.to_owned(),
            sandbox_id: sandbox_id.to_owned(),
            name: id.to_owned(),
            attempt: 0,
            image: "busybox".to_owned(),
            user_specified_image: String::new(),
            image_name: "busybox".to_owned(),
            image_id: "sha256:0".to_owned(),
            command: vec!["true".to_owned()],
            environment: BTreeMap::new(),
            working_dir: "/".into(),
            log_path: None,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            mounts: Vec::new(),
            stop_signal: 0,
            created_at: 1,
        }
    }

    /// A state directory with a sandbox `s` and these containers in it.
    fn left_behind(dir: &Path, containers: &[&str]) -> StateDir {
        let state = StateDir::open(dir).expect("free");
        state.load().expect("this boot is noted");
        state.save_sandbox(&sandbox("s")).expect("written");
        for id in containers {
            state.container(id).create(&container(id, "s")).expect("written");
        }
        state
    }

    fn phase(inventory: &Inventory, id: &str) -> Phase {
        inventory.containers[id].phase.borrow().clone()
    }

    /// A process that ran once; the pid may have another owner, the start time cannot.
    const DEAD: ProcessId = ProcessId { pid: 1, start_time: u64::MAX };

    #[tokio::test]
    async fn a_shim_that_is_late_finds_its_container_taken() {
        let dir = tempfile::tempdir().expect("a directory");
        let state = left_behind(dir.path(), &["launched", "created"]);
        state.container("launched").mark_launched().expect("written");
        let inventory = read_back(&state, &Clock::system()).await.expect("read");
        assert!(matches!(phase(&inventory, "created"), Phase::Created));
        let Phase::Exited { started: None, exit } = phase(&inventory, "launched") else {
            panic!("not exited")
        };
        assert_eq!((exit.code, exit.reason.as_str()), (255, "Unknown"));
        assert!(!state.container("launched").claim(DEAD).expect("looked"), "a late shim would start it");
        assert!(state.container("created").claim(DEAD).expect("looked"));
    }

    #[tokio::test]
    async fn the_exit_that_a_shim_wrote_counts_and_without_one_it_is_unknown() {
        let dir = tempfile::tempdir().expect("a directory");
        let state = left_behind(dir.path(), &["told", "untold"]);
        for id in ["told", "untold"] {
            state.container(id).claim(DEAD).expect("claimed");
            state.container(id).write_started(&Started { process: DEAD, started_at: 5 }).expect("written");
        }
        state.container("told").write_exit(&Exit::with_code(3, 9)).expect("written");
        let clock = Clock::system();
        let inventory = read_back(&state, &clock).await.expect("read");
        for (id, code) in [("told", 3), ("untold", 255)] {
            let Phase::Exited { started, exit } = phase(&inventory, id) else {
                panic!("{id} has not exited")
            };
            assert_eq!((started.map(|s| s.started_at), exit.code), (Some(5), code), "{id}");
        }
        // What was found out is remembered.
        assert_eq!(state.container("untold").exit().expect("read").map(|e| e.code), Some(255));
    }

    #[tokio::test]
    async fn after_a_boot_sandboxes_are_not_ready_and_nothing_runs() {
        let dir = tempfile::tempdir().expect("a directory");
        let state = left_behind(dir.path(), &["created", "ran"]);
        let ran = state.container("ran");
        // The files name a process that is alive, but in another boot.
        let me = ProcessId::of(std::process::id().cast_signed()).expect("this process");
        ran.mark_launched().expect("written");
        ran.claim(me).expect("claimed");
        ran.write_started(&Started { process: me, started_at: 5 }).expect("written");
        std::fs::write(dir.path().join("boot"), "\"another\"").expect("written");
        let inventory = read_back(&state, &Clock::system()).await.expect("read");
        assert!(!inventory.sandboxes["s"].record.ready);
        assert!(matches!(phase(&inventory, "created"), Phase::Created));
        assert!(matches!(phase(&inventory, "ran"), Phase::Exited { exit, .. } if exit.code == 255));
    }

    #[tokio::test]
    async fn a_container_without_its_sandbox_is_cleared_away() {
        let dir = tempfile::tempdir().expect("a directory");
        let state = left_behind(dir.path(), &["kept"]);
        state.container("stray").create(&container("stray", "gone")).expect("written");
        let inventory = read_back(&state, &Clock::system()).await.expect("read");
        assert_eq!(inventory.containers.keys().collect::<Vec<_>>(), ["kept"]);
        assert!(!state.container("stray").path().exists());
    }
}
