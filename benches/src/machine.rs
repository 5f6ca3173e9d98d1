//! The machine that figures were taken on: without it they mean nothing.

use std::fs;

use serde::Serialize;

/// What the machine is, and how busy it was before the bench began.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Processors that this program may use.
    pub cores: usize,
    /// The processor's name.
    pub processor: String,
    /// The kernel's release.
    pub kernel: String,
    /// All memory, in MiB.
    pub memory_mib: u64,
    /// Load average over one minute when the bench began: well above 0 means that others are working here.
    pub load: f64,
    /// containerd's version.
    pub containerd: String,
}

impl Machine {
    /// Looks at this machine; `containerd` is the version that is measured on. What cannot be read is empty or 0.
    pub fn read(containerd: &str) -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: value_of(&text("/proc/cpuinfo"), "model name"),
            kernel: text("/proc/sys/kernel/osrelease").trim().to_owned(),
            memory_mib: first_number(&value_of(&text("/proc/meminfo"), "MemTotal")).unwrap_or_default()
                / 1024,
            load: text("/proc/loadavg").split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default(),
            containerd: containerd.to_owned(),
        }
    }
}

/// The value of the first line `name : value`.
fn value_of(text: &str, name: &str) -> String {
    let named = |line: &str| {
        line.split_once(':').filter(|(key, _)| key.trim() == name).map(|(_, v)| v.trim().to_owned())
    };
    text.lines().find_map(named).unwrap_or_default()
}

fn first_number(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2: fast\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(value_of(text, "model name"), "Some CPU @ 2: fast");
        assert_eq!(value_of(text, "MemTotal"), "");
        assert_eq!(first_number(&value_of("MemTotal:       16384 kB\n", "MemTotal")), Some(16384));
    }

    #[test]
    fn this_machine_has_cores_memory_and_a_kernel() {
        let machine = Machine::read("1.7.24");
        assert!(machine.cores > 0 && machine.memory_mib > 0 && !machine.kernel.is_empty(), "{machine:?}");
    }
}
