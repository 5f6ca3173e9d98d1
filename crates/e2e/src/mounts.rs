//! What is mounted where, and unmounting it.

use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, umount2};

/// One line of `/proc/self/mountinfo`, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    at: PathBuf,
    kind: String,
}

/// The mount points of all file systems whose type `wanted` accepts.
pub(crate) fn of_type(wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    all().into_iter().filter(|mount| wanted(&mount.kind)).map(|mount| mount.at).collect()
}

/// Everything mounted at or below `dir`.
pub fn below(dir: &Path) -> Vec<PathBuf> {
    all().into_iter().map(|mount| mount.at).filter(|at| at.starts_with(dir)).collect()
}

/// Unmounts everything at or below `dir`, the newest first. Returns what stayed, with the reason.
pub(crate) fn unmount_below(dir: &Path) -> Vec<(PathBuf, nix::Error)> {
    let mounted = below(dir);
    // Detached, because a dying process may still hold one for a moment.
    let unmount = |at: PathBuf| umount2(&at, MntFlags::MNT_DETACH).err().map(|why| (at, why));
    mounted.into_iter().rev().filter_map(unmount).collect()
}

fn all() -> Vec<Mount> {
    fs::read_to_string("/proc/self/mountinfo").unwrap_or_default().lines().filter_map(parse).collect()
}

/// `36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/sda rw`: fields before the lone dash vary in number.
fn parse(line: &str) -> Option<Mount> {
    let (place, source) = line.split_once(" - ")?;
    Some(Mount { at: unescaped(place.split(' ').nth(4)?), kind: source.split(' ').next()?.to_owned() })
}

/// The kernel writes blanks, tabs, line ends and backslashes as `\` and three octal digits.
fn unescaped(field: &str) -> PathBuf {
    let mut path = Vec::new();
    let mut rest = field.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let octal = after.get(..3).and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        match octal {
            Some(escaped) if byte == b'\\' => {
                path.push(escaped);
                rest = &after[3..];
            }
            _ => {
                path.push(byte);
                rest = after;
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_mountinfo() {
        for (line, at, kind) in [
            ("22 27 0:21 / /proc rw,relatime - proc proc rw", "/proc", "proc"),
            (
                "36 35 98:0 /a /mnt\\040one rw shared:1 master:2 - ext4 /dev/sda rw,errors=x",
                "/mnt one",
                "ext4",
            ),
            ("31 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu", "/sys/fs/cgroup/cpu", "cgroup"),
        ] {
            assert_eq!(parse(line), Some(Mount { at: at.into(), kind: kind.to_owned() }));
        }
        assert_eq!(parse("36 35 98:0 /a /mnt rw shared:1"), None);
    }

    #[test]
    fn the_file_system_of_processes_is_found_by_type() {
        assert!(of_type(|kind| kind == "proc").contains(&PathBuf::from("/proc")));
        assert_eq!(below(Path::new("/no/such/directory")), Vec::<PathBuf>::new());
    }
}
