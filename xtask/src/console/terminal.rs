//! A terminal in which a command runs on, and how it is ended.

use std::time::Duration;

use e2e::ProcessId;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::time::{Instant, sleep_until};

use super::compare;
use super::printed::Printed;

/// How long a terminal may take to end after Ctrl-C: its pods are taken down first.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// After this time a second Ctrl-C says that it need not be gentle.
const GENTLE: Duration = Duration::from_secs(3);

/// How often it is looked whether a terminal's command still runs.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A terminal in which a command runs on.
#[derive(Debug)]
pub struct Terminal {
    pub process: Child,
    pub printed: Printed,
    /// Up to where the page has been through its lines.
    pub seen: compare::Seen,
}

impl Terminal {
    /// Ends it as a person does: Ctrl-C, once more if it takes long, and its window is closed in the end.
    pub async fn end(mut self) {
        let until = Instant::now() + ENDS_WITHIN;
        end_group(&self.process, Signal::SIGINT);
        self.is_over(Instant::now() + GENTLE).await;
        end_group(&self.process, Signal::SIGINT);
        self.is_over(until).await;
        end_group(&self.process, Signal::SIGKILL);
        let reaped = self.process.wait();
        tokio::select! {
            _ = reaped => {}
            () = sleep_until(until + GENTLE) => {}
        }
    }

    /// Waits until what was started has ended, or nobody can print any more: a process that it left in the background
    /// does not hear Ctrl-C.
    async fn is_over(&mut self, deadline: Instant) {
        let leader = self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(ProcessId::of);
        while leader.is_some_and(ProcessId::is_alive) && Instant::now() < deadline {
            let a_moment = deadline.min(Instant::now() + LOOK_EVERY);
            if self.printed.until(a_moment, |transcript| transcript.ended.then_some(())).await.is_some() {
                return;
            }
        }
    }
}

/// A signal for a process that leads a group, and for all of its group.
pub fn end_group(leader: &Child, signal: Signal) {
    // Without an id it has ended and was waited for: nobody may be called by that number now.
    if let Some(group) = leader.id().and_then(|id| i32::try_from(id).ok()) {
        let _gone_already = killpg(Pid::from_raw(group), signal);
    }
}
