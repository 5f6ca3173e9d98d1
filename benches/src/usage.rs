//! What a process has used, as `/proc` shows it.

use std::fs;

use anyhow::{Context as _, Result};
use e2e::ProcessId;
use serde::Serialize;

/// How many clock ticks a second has in `/proc/PID/stat`: 100 on every architecture that this project runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// One look at a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Processor time so far, user and system, in clock ticks. The kernel scales it to what it measured exactly, so a
    /// difference is good to a tick however short each single run was.
    pub ticks: u64,
    /// Its memory.
    pub memory: Memory,
    /// How many threads it has.
    pub threads: u64,
}

/// Memory in KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All that is resident: `VmRSS`, the program's own text and libraries included.
    pub resident_kib: u64,
    /// The part that is nobody else's and backed by no file: `RssAnon`.
    pub anonymous_kib: u64,
    /// The most that was ever resident: `VmHWM`.
    pub peak_kib: u64,
}

impl Usage {
    /// Looks at a process.
    ///
    /// # Errors
    /// It is gone.
    pub fn of(process: ProcessId) -> Result<Self> {
        let pid = process.pid;
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).context(path)
        };
        let (ticks, threads) = parse_stat(&read("stat")?).with_context(|| format!("/proc/{pid}/stat"))?;
        let memory = parse_status(&read("status")?).with_context(|| format!("/proc/{pid}/status"))?;
        Ok(Self { ticks, memory, threads })
    }

    /// How much of one core was used since an earlier look, in percent.
    pub fn cpu_percent_since(&self, earlier: &Self, seconds: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a bench does not run for 2⁵² ticks")]
        let ticks = self.ticks.saturating_sub(earlier.ticks) as f64;
        ticks / TICKS_PER_SECOND / seconds * 100.0
    }
}

/// Processor time and number of threads in a line of `/proc/PID/stat`: fields 14, 15 and 20. The second field is the
/// program's name in parentheses and may hold anything, so fields are counted from the last parenthesis.
fn parse_stat(line: &str) -> Option<(u64, u64)> {
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some((field(14)? + field(15)?, field(20)?))
}

/// The memory in `/proc/PID/status`.
fn parse_status(text: &str) -> Option<Memory> {
    let kib = |name: &str| -> Option<u64> {
        let rest = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        rest.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some(Memory { resident_kib: kib("VmRSS")?, anonymous_kib: kib("RssAnon")?, peak_kib: kib("VmHWM")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tpodwright\nState:\tS (sleeping)\nVmPeak:\t  200000 kB\nVmHWM:\t   15000 kB\n\
        VmRSS:\t   14336 kB\nRssAnon:\t    6144 kB\nRssFile:\t    8192 kB\nThreads:\t4\n";

    #[test]
    fn the_name_of_a_program_does_not_shift_the_fields() {
        let line = "42 (a) R 7 (b c) S 1 42 40 0 -1 4194560 9 0 0 0 150 25 3 4 20 0 5 0 98765 1 2 3";
        assert_eq!(parse_stat(line), Some((175, 5)));
        for cut in ["", "42 (x)", "42 (x) S 1 42 40 0 -1 4194560 9 0 0 0 150 25", "42 (x S 1"] {
            assert_eq!(parse_stat(cut), None, "{cut:?}");
        }
    }

    #[test]
    fn memory_is_read_by_name_and_not_by_the_start_of_one() {
        let memory = Memory { resident_kib: 14336, anonymous_kib: 6144, peak_kib: 15000 };
        assert_eq!(parse_status(STATUS), Some(memory));
        assert_eq!(parse_status(&STATUS.replace("VmRSS:", "VmRSSX:")), None, "another field");
        assert_eq!(parse_status(&STATUS.replace("6144 kB", "6144")), None, "another unit");
    }

    #[test]
    fn a_tick_in_a_second_is_one_percent() {
        let memory = parse_status(STATUS).expect("memory");
        let at = |ticks| Usage { ticks, memory, threads: 4 };
        assert!((at(107).cpu_percent_since(&at(100), 1.0) - 7.0).abs() < 1e-9);
        assert!((at(130).cpu_percent_since(&at(100), 60.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn this_process_uses_something() {
        let me = ProcessId::of(i32::try_from(std::process::id()).expect("a pid")).expect("alive");
        let usage = Usage::of(me).expect("this process can be looked at");
        assert!(usage.threads >= 1 && usage.memory.resident_kib >= usage.memory.anonymous_kib, "{usage:?}");
        let gone = Usage::of(ProcessId { pid: i32::MAX, start_time: 1 }).expect_err("nobody");
        assert_eq!(gone.to_string(), "/proc/2147483647/stat");
    }
}
