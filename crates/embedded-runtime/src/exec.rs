//! `ExecSync`: one command beside a running container, waited for.

use std::time::Duration;

use cri_client::{MAX_MESSAGE_SIZE, v1};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::command::in_container;
use crate::process::ProcessId;
use crate::record::ContainerRecord;
use crate::refusal::Refusal;
use crate::runtime::{EmbeddedRuntime, Phase};
use crate::shim::exit_code;
use crate::state_dir::ContainerDir;

/// How much of one stream is kept: two of them must fit into one message. The rest is read and dropped.
const MAX_OUTPUT: usize = MAX_MESSAGE_SIZE / 2 - 64 * 1024;

/// How long output may still come when everything that could write it was killed.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// A process group that ends when this is dropped, be it because the caller lost patience.
struct ExecGroup {
    pid: i32,
    dir: ContainerDir,
}

impl EmbeddedRuntime {
    /// Runs a command with the container's environment and working directory. It ends with the container.
    pub(crate) async fn run_command(
        &self,
        request: v1::ExecSyncRequest,
    ) -> Result<v1::ExecSyncResponse, Refusal> {
        let (record, dir, mut phase) = {
            let inventory = self.inventory();
            let container = inventory.container(&request.container_id)?;
            let state = container.phase.borrow().state();
            if state != v1::ContainerState::ContainerRunning {
                let why = format!("container is in {} state", state.as_str_name());
                return Err(Refusal::Failed(format!("failed to exec in container: {why}")));
            }
            (container.record.clone(), container.dir.clone(), container.phase.subscribe())
        };
        let child = spawn(&record, &request.cmd)?;
        let group = ExecGroup::new(&child, dir)?;
        let collected = group.collect(child);
        let within = async {
            tokio::pin!(collected);
            tokio::select! {
                biased;
                done = &mut collected => Some(done),
                () = exited(&mut phase) => {
                    group.kill();
                    timeout(DRAIN_LIMIT, collected).await.ok()
                }
            }
        };
        let done = match u64::try_from(request.timeout) {
            Ok(seconds) if seconds > 0 => timeout(Duration::from_secs(seconds), within)
                .await
                .map_err(|_| Refusal::ExecTimedOut(request.timeout))?,
            _ => within.await,
        };
        done.unwrap_or_else(|| {
            Err(Refusal::Failed("failed to exec in container: the container has ended".to_owned()))
        })
    }
}

impl ExecGroup {
    fn new(child: &Child, dir: ContainerDir) -> Result<Self, Refusal> {
        let group = Self { pid: child.id().unwrap_or(0).cast_signed(), dir };
        // A runtime that is killed now cannot kill the command: the next one must know of it. (One that is killed just
        // before leaves the command to its own end.)
        if let Some(process) = ProcessId::of(group.pid) {
            group.dir.note_exec(process)?;
        }
        Ok(group)
    }

    fn kill(&self) {
        if self.pid > 0 {
            let _no_one_left = killpg(Pid::from_raw(self.pid), Signal::SIGKILL);
        }
    }

    /// Waits for the command and for the end of its output. What it leaves behind is killed, and so holds neither up.
    async fn collect(&self, mut child: Child) -> Result<v1::ExecSyncResponse, Refusal> {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let ended = async {
            let status = child.wait().await;
            self.kill();
            status
        };
        let (status, stdout, stderr) = tokio::join!(ended, read_all(stdout), read_all(stderr));
        let status = status.map_err(|e| Refusal::Failed(format!("failed to exec in container: {e}")))?;
        Ok(v1::ExecSyncResponse { stdout, stderr, exit_code: exit_code(status) })
    }
}

impl Drop for ExecGroup {
    fn drop(&mut self) {
        self.kill();
        self.dir.forget_exec(self.pid);
    }
}

/// Resolves when the container has ended or was removed.
async fn exited(phase: &mut watch::Receiver<Phase>) {
    let _removed = phase.wait_for(Phase::is_exited).await.is_err();
}

fn spawn(record: &ContainerRecord, command: &[String]) -> Result<Child, Refusal> {
    let refuse = |why: String| {
        let begin = "failed to exec in container: failed to start exec: unable to start container process";
        Refusal::Failed(format!("{begin}: {why}"))
    };
    let (program, arguments) =
        command.split_first().ok_or_else(|| Refusal::Invalid("exec cmd must not be empty".to_owned()))?;
    let prepared = in_container(record, program, arguments).map_err(refuse)?;
    Command::from(prepared).spawn().map_err(|e| refuse(format!("exec {program}: {e}")))
}

/// Reads to the end and keeps the beginning.
async fn read_all(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let (mut kept, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    let Some(mut pipe) = pipe else { return kept };
    while let Ok(read) = pipe.read(&mut buffer).await
        && read > 0
    {
        kept.extend_from_slice(&buffer[..read.min(MAX_OUTPUT - kept.len())]);
    }
    kept
}
