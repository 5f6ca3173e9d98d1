//! Processes as `/proc` shows them: who is alive, who belongs to whom, and how to end them.
//!
//! A pid alone names nobody for long: the kernel gives it to the next process. A pid *with its start time* does, and
//! both survive the death of whoever wrote them down. That pair is what the state directory holds.

use std::fs;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A process that cannot be mistaken for a later one with the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    /// The pid.
    pub pid: i32,
    /// When it started, in clock ticks since boot (field 22 of `/proc/PID/stat`).
    pub start_time: u64,
}

/// The fields of `/proc/PID/stat` that decisions here need.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stat {
    pid: i32,
    state: char,
    parent: i32,
    session: i32,
    start_time: u64,
}

impl ProcessId {
    /// The process that has this pid now.
    pub fn of(pid: i32) -> Option<Self> {
        stat(pid).map(|s| Self { pid, start_time: s.start_time })
    }

    /// Whether it still runs. A zombie does not: it only waits for its parent to read the exit code.
    pub fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|s| s.start_time == self.start_time && !s.is_dead())
    }

    /// Sends `signal` to its process group, if it is alive and leads one.
    pub fn signal_group(self, signal: Signal) {
        if self.is_alive() {
            let _gone_meanwhile = killpg(Pid::from_raw(self.pid), signal);
        }
    }

    /// Kills it alone.
    pub fn kill(self) {
        if self.is_alive() {
            let _gone_meanwhile = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
        }
    }

    /// Kills what is left of the session that it led. The kernel keeps a pid reserved while it names a session, so the
    /// members that are found are really its own, unless the number already has a new owner.
    pub fn kill_session(self) {
        let taken = stat(self.pid).is_some_and(|s| s.start_time != self.start_time);
        if !taken {
            kill_where(|s| s.session == self.pid && s.pid != self.pid && s.start_time >= self.start_time);
        }
    }
}

impl Stat {
    fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// Kills the descendants of this process and reaps them, until there are none.
///
/// This process must be a *subreaper* (`prctl(2)`): orphans below it become its own children, so that having no
/// children means having no descendants.
pub(crate) fn kill_descendants() {
    let me = nix::unistd::getpid();
    loop {
        match nix::sys::wait::waitpid(None, Some(nix::sys::wait::WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return,
            Ok(nix::sys::wait::WaitStatus::StillAlive) => {}
            Ok(_) | Err(_) => continue,
        }
        kill_where(|s| s.pid != me.as_raw() && (s.parent == me.as_raw() || s.session == me.as_raw()));
        // Every child was just killed, so one of them ends now.
        let _reaped = nix::sys::wait::waitpid(None, None);
    }
}

fn kill_where(doomed: impl Fn(&Stat) -> bool) {
    let Ok(entries) = fs::read_dir("/proc") else { return };
    let pids = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
    for found in pids.filter_map(stat).filter(|s| !s.is_dead() && doomed(s)) {
        let _gone_meanwhile = kill(Pid::from_raw(found.pid), Signal::SIGKILL);
    }
}

fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?))
}

/// Reads a line of `/proc/PID/stat`. The second field is the program's name in parentheses, and a program may call
/// itself `) R 1`: only the last parenthesis ends it.
fn parse_stat(line: &str) -> Option<Stat> {
    let (pid, rest) = line.split_once(' ')?;
    let rest: Vec<&str> = rest.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |number: usize| rest.get(number - 3).copied();
    Some(Stat {
        pid: pid.parse().ok()?,
        state: field(3)?.chars().next()?,
        parent: field(4)?.parse().ok()?,
        session: field(6)?.parse().ok()?,
        start_time: field(22)?.parse().ok()?,
    })
}

/// Which boot of the machine this is. Pids and start times of another one mean nothing.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_parentheses_does_not_shift_the_fields() {
        let line = "42 (a) R 7 (b c) S 1 42 40 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 1 0 98765 1 2 3";
        let expected = Stat { pid: 42, state: 'S', parent: 1, session: 40, start_time: 98765 };
        assert_eq!(parse_stat(line), Some(expected));
        for cut in ["", "42", "42 (x)", "42 (x) S 1 2", "42 (x S 1 42 40"] {
            assert_eq!(parse_stat(cut), None, "{cut:?}");
        }
    }

    #[test]
    fn this_process_is_alive_and_a_namesake_with_another_start_time_is_not() {
        let me = ProcessId::of(nix::unistd::getpid().as_raw()).expect("this process");
        assert!(me.is_alive());
        assert!(!ProcessId { start_time: me.start_time + 1, ..me }.is_alive());
        assert_eq!(ProcessId::of(i32::MAX), None);
    }
}
