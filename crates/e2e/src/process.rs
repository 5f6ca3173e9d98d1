//! Processes by pid and start time, as `/proc` shows them.
//!
//! A pid alone names nobody for long: the kernel gives it to the next process. With its start time it does, and that
//! is what "the same process as before" means in this crate.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A process that cannot be mistaken for a later one with the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcessId {
    /// The pid.
    pub pid: i32,
    /// When it started, in clock ticks since boot (field 22 of `/proc/PID/stat`).
    pub start_time: u64,
}

impl ProcessId {
    /// The process that has this pid now; `None` when there is none, or only its zombie.
    pub fn of(pid: i32) -> Option<Self> {
        stat(pid).map(|s| s.id)
    }

    /// Whether it still runs.
    pub fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends it a signal, if it is still the same process. Returns whether it was.
    pub fn signal(self, signal: Signal) -> bool {
        self.is_alive() && kill(Pid::from_raw(self.pid), signal).is_ok()
    }
}

/// A living process with its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    id: ProcessId,
    parent: i32,
}

/// Every living process for which `wanted` says yes to its command line (program first, then its arguments).
pub fn running(wanted: impl Fn(&[String]) -> bool) -> Vec<ProcessId> {
    all().into_iter().map(|s| s.id).filter(|id| wanted(&command_line(id.pid))).collect()
}

/// Everything that descends from these processes, children of children included.
pub fn descendants(of: &[ProcessId]) -> Vec<ProcessId> {
    below(of, &all())
}

fn below(of: &[ProcessId], all: &[Stat]) -> Vec<ProcessId> {
    let mut parents: Vec<i32> = of.iter().map(|id| id.pid).collect();
    let mut found = Vec::new();
    while let Some(parent) = parents.pop() {
        for child in all.iter().filter(|s| s.parent == parent) {
            if !found.contains(&child.id) {
                found.push(child.id);
                parents.push(child.id.pid);
            }
        }
    }
    found
}

fn all() -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|e| stat(e.file_name().to_str()?.parse().ok()?)).collect()
}

fn command_line(pid: i32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    bytes.split(|b| *b == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?))
}

/// Reads a line of `/proc/PID/stat`; nothing for a zombie. The second field is the program's name in parentheses, and a
/// program may call itself `) R 1`: only the last parenthesis ends it.
fn parse_stat(line: &str) -> Option<Stat> {
    let (pid, rest) = line.split_once(' ')?;
    let rest: Vec<&str> = rest.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |number: usize| rest.get(number - 3).copied();
    if matches!(field(3)?, "Z" | "X") {
        return None;
    }
    let id = ProcessId { pid: pid.parse().ok()?, start_time: field(22)?.parse().ok()? };
    Some(Stat { id, parent: field(4)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_parentheses_does_not_shift_the_fields() {
        let line = "42 (a) R 7 (b c) S 1 42 40 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 1 0 98765 1 2 3";
        let id = ProcessId { pid: 42, start_time: 98765 };
        assert_eq!(parse_stat(line), Some(Stat { id, parent: 1 }));
        assert_eq!(parse_stat(&line.replace(") S ", ") Z ")), None, "a zombie runs no more");
        for cut in ["", "42", "42 (x)", "42 (x) S 1 2", "42 (x S 1 42 40"] {
            assert_eq!(parse_stat(cut), None, "{cut:?}");
        }
    }

    #[test]
    fn descendants_are_found_through_generations_and_strangers_are_not() {
        let process = |pid, parent| Stat { id: ProcessId { pid, start_time: 1 }, parent };
        let all = [process(10, 1), process(11, 10), process(12, 11), process(20, 1), process(21, 20)];
        let pids: Vec<i32> = below(&[all[0].id], &all).iter().map(|id| id.pid).collect();
        assert_eq!(pids, [11, 12]);
    }

    #[test]
    fn this_process_is_alive_and_a_namesake_with_another_start_time_is_not() {
        let me = ProcessId::of(nix::unistd::getpid().as_raw()).expect("this process");
        assert!(me.is_alive());
        assert!(!ProcessId { start_time: me.start_time + 1, ..me }.is_alive());
        assert_eq!(ProcessId::of(i32::MAX), None);
    }
}
