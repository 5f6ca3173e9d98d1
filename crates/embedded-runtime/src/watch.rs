//! How the end of a container is noticed: by the end-of-file of a FIFO that only its shim holds open.
//!
//! The kernel closes it when the shim ends, for whatever reason, and wakes the reader at once. It does not matter who
//! spawned the shim, so that a runtime that was started again watches as the first one did. `exit.json` then says how
//! the container ended; when it is missing the shim was killed, and the container's process is watched instead, by
//! looking at it now and then: nobody is told of the end of a process that is not its child.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

use nix::fcntl::OFlag;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::events::Change;
use crate::process::ProcessId;
use crate::record::{Exit, Started};
use crate::runtime::{EmbeddedRuntime, Phase};
use crate::state_dir::ContainerDir;

/// How often a process without a shim is looked at.
const ORPHAN_PERIOD: Duration = Duration::from_millis(200);

impl EmbeddedRuntime {
    /// Watches a running container in a task of its own, until it has ended or the runtime closes.
    pub(crate) fn watch(&self, id: String, dir: ContainerDir, started: Started, shim: ProcessId) {
        let (this, closing, clock) = (self.this.clone(), self.closing.clone(), self.options.clock.clone());
        tokio::spawn(async move {
            let ended = async {
                if let Some(exit) = exit_from_shim(&dir, shim).await {
                    return exit;
                }
                warn!(
                    container = id,
                    pid = started.process.pid,
                    "the shim is dead; the container goes on unlogged"
                );
                while started.process.is_alive() {
                    sleep(ORPHAN_PERIOD).await;
                }
                shim.kill_session();
                let exit = Exit::unknown(clock.now_nanos());
                if let Err(error) = dir.write_exit(&exit) {
                    warn!(container = id, %error, "the container's end cannot be remembered");
                }
                exit
            };
            let exit = tokio::select! {
                biased;
                () = closing.cancelled() => return,
                exit = ended => exit,
            };
            if let Some(runtime) = this.upgrade() {
                runtime.ended(&id, started, exit);
            }
        });
    }

    fn ended(&self, id: &str, started: Started, exit: Exit) {
        let inventory = self.inventory();
        let Some(container) = inventory.containers.get(id) else { return };
        info!(
            container = id,
            name = container.record.name,
            code = exit.code,
            reason = exit.reason,
            "container exited"
        );
        // Both under the lock: whoever waits for the phase removes the container next, and that has an event of its own.
        container.phase.send_replace(Phase::Exited { started: Some(started), exit });
        self.publish(&inventory, id, &container.record.sandbox_id, Change::Stopped);
    }
}

/// What the shim wrote before it ended; `None` when it wrote nothing.
// ANCHOR: exit_from_shim
async fn exit_from_shim(dir: &ContainerDir, shim: ProcessId) -> Option<Exit> {
    if let Ok(Some(mut alive)) = open_alive(dir) {
        while matches!(alive.read(&mut [0; 16]).await, Ok(read) if read > 0) {}
    }
    let mut pause = Duration::from_millis(1);
    loop {
        // The kernel closes the FIFO a moment before the process table says that the shim is gone.
        let alive = shim.is_alive();
        match dir.exit() {
            Ok(Some(exit)) => return Some(exit),
            Ok(None) | Err(_) if !alive => return None,
            Ok(None) | Err(_) => sleep(pause).await,
        }
        pause = (pause * 2).min(ORPHAN_PERIOD);
    }
}
// ANCHOR_END: exit_from_shim

/// The reading end of the FIFO, unless nobody holds the other one any more.
fn open_alive(dir: &ContainerDir) -> io::Result<Option<pipe::Receiver>> {
    let flags = OFlag::O_NONBLOCK.bits();
    let mut fifo = OpenOptions::new().read(true).custom_flags(flags).open(dir.alive_fifo())?;
    // This must be a read: the kernel tells a poller of the end only if a writer was seen since the FIFO was opened. A
    // reader it tells at once.
    match fifo.read(&mut [0; 1]) {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => pipe::Receiver::from_file(fifo).map(Some),
        ended => ended.map(|_| None),
    }
}
