//! What the node is, read from the kernel.
//!
//! Mirrors what `cadvisor_linux.go: MachineInfo` and `util_linux.go: IsCgroup2UnifiedMode` tell the kubelet.

use std::fs;
use std::io;
use std::path::Path;

use container_config::{CgroupVersion, NodeFacts, Swap};

/// Reads the facts from `/proc` and `/sys`.
///
/// # Errors
/// `/proc/meminfo` cannot be read or understood: without the amount of memory no container can be given its share.
pub fn read_node_facts() -> io::Result<NodeFacts> {
    let meminfo = fs::read_to_string("/proc/meminfo")?;
    let memory = memory_total(&meminfo).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "/proc/meminfo has no usable MemTotal line")
    })?;
    let cgroup = if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        CgroupVersion::V2
    } else {
        CgroupVersion::V1
    };
    Ok(NodeFacts {
        hugepage_sizes: hugepage_sizes(Path::new("/sys/kernel/mm/hugepages")),
        cgroup,
        swap: swap(cgroup),
        ..NodeFacts::new(memory)
    })
}

/// `MemTotal` in bytes.
fn memory_total(meminfo: &str) -> Option<i64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The sizes of huge pages, in the order in which the kernel lists them. Mirrors runc's `HugePageSizes`.
fn hugepage_sizes(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).into_iter().flatten().flatten();
    names.filter_map(|entry| page_size(entry.file_name().to_str()?)).collect()
}

/// `hugepages-2048kB` is `2MB`.
fn page_size(name: &str) -> Option<String> {
    let kib: u64 = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
    Some(match kib {
        0 => return None,
        k if k % (1 << 20) == 0 => format!("{}GB", k >> 20),
        k if k % (1 << 10) == 0 => format!("{}MB", k >> 10),
        k => format!("{k}KB"),
    })
}

/// Whether containers can be kept from swapping. Mirrors `kuberuntime_container_linux.go: checkSwapControllerAvailability`.
fn swap(cgroup: CgroupVersion) -> Swap {
    let file = match cgroup {
        CgroupVersion::V1 => "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes".into(),
        CgroupVersion::V2 => {
            let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
            let own = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/").to_owned();
            format!("/sys/fs/cgroup{own}/memory.swap.max")
        }
    };
    if Path::new(&file).exists() { Swap::NoSwap } else { Swap::NoController }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_from_what_the_kernel_writes() {
        assert_eq!(memory_total("MemTotal:       24557384 kB\nMemFree: 1 kB\n"), Some(24_557_384 * 1024));
        assert_eq!(memory_total("MemFree: 1 kB\n"), None);
        assert_eq!(memory_total("MemTotal: lots\n"), None);
        for (name, size) in [
            ("hugepages-2048kB", Some("2MB")),
            ("hugepages-1048576kB", Some("1GB")),
            ("hugepages-64kB", Some("64KB")),
            ("hugepages-0kB", None),
            ("other", None),
        ] {
            assert_eq!(page_size(name).as_deref(), size);
        }
        assert!(read_node_facts().expect("this machine has memory").memory_capacity > 0);
    }
}
