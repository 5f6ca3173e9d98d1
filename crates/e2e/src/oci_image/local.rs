//! The two images that every test pod needs, made from this machine's static busybox.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Entry, Image, ImageConfig};

/// The name of [`busybox_image`].
pub const BUSYBOX: &str = "docker.io/library/busybox:1.36";

/// The name of [`pause_image`]: what a runtime of Kubernetes 1.36's time runs in a sandbox.
pub const PAUSE: &str = "registry.k8s.io/pause:3.10";

/// Debian's package `busybox-static` puts it here.
const PROGRAM: &str = "/bin/busybox";

/// A sandbox's first process: it ends on SIGINT and SIGTERM, and reaps what it inherits.
///
/// The shell's `wait` collects any child that ends, inherited ones too, and a signal that has a trap interrupts it. The
/// sleeper is only there so that there is something to wait for.
const PAUSE_SCRIPT: &str = "trap 'exit 0' INT TERM; while :; do sleep 2147483 & wait $!; done";

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\n\
    nobody:x:65534:65534:nobody:/home:/bin/false\n";
const GROUP: &str = "root:x:0:\nwww-data:x:33:\nnobody:x:65534:\n";

/// Busybox with a link for each of its applets, as [`BUSYBOX`].
///
/// # Errors
/// When there is no `/bin/busybox`, or it is not a static one.
pub fn busybox_image() -> Result<Image> {
    let program = read_program()?;
    let output = Command::new(PROGRAM).arg("--list-full").output().context("busybox --list-full")?;
    let applets = String::from_utf8(output.stdout).context("the list of busybox's applets")?;
    let mut files = BTreeMap::from([
        ("etc/passwd".to_owned(), Entry::File(0o644, PASSWD.into())),
        ("etc/group".to_owned(), Entry::File(0o644, GROUP.into())),
        ("tmp".to_owned(), Entry::Directory(0o1777)),
        ("root".to_owned(), Entry::Directory(0o700)),
        ("home".to_owned(), Entry::Directory(0o755)),
        ("var/www".to_owned(), Entry::Directory(0o755)),
    ]);
    for applet in
        applets.lines().map(|line| line.trim().trim_start_matches('/')).filter(|line| !line.is_empty())
    {
        let name = applet.rsplit('/').next().unwrap_or(applet);
        // The official image has every applet in /bin, wherever a distribution would put it.
        for path in [applet.to_owned(), format!("bin/{name}")] {
            files.insert(path, Entry::Link(PROGRAM.to_owned()));
        }
    }
    files.insert("bin/busybox".to_owned(), Entry::File(0o755, program));
    let config = ImageConfig {
        cmd: vec!["sh".to_owned()],
        env: vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()],
        ..ImageConfig::default()
    };
    Image::build(BUSYBOX, &with_parents(files), &config)
}

/// A pause image whose process is a busybox shell, as [`PAUSE`]; it runs as nobody's user 65535, as the real one does.
///
/// # Errors
/// When there is no `/bin/busybox`, or it is not a static one.
pub fn pause_image() -> Result<Image> {
    let link = || Entry::Link(PROGRAM.to_owned());
    let files = BTreeMap::from([
        ("bin/busybox".to_owned(), Entry::File(0o755, read_program()?)),
        ("bin/sh".to_owned(), link()),
        ("bin/sleep".to_owned(), link()),
    ]);
    let config = ImageConfig {
        entrypoint: ["/bin/sh", "-c", PAUSE_SCRIPT].map(str::to_owned).to_vec(),
        env: vec!["PATH=/bin".to_owned()],
        user: "65535:65535".to_owned(),
        ..ImageConfig::default()
    };
    Image::build(PAUSE, &with_parents(files), &config)
}

fn read_program() -> Result<Vec<u8>> {
    let install = "install it with: apt-get install busybox-static";
    let program = std::fs::read(PROGRAM).with_context(|| format!("{PROGRAM}: {install}"))?;
    if names_a_loader(&program) {
        bail!("{PROGRAM} is not a static program, and the image would lack its libraries; {install}");
    }
    Ok(program)
}

/// Whether a 64-bit ELF file has a program header of type `PT_INTERP`: it needs a dynamic loader.
fn names_a_loader(elf: &[u8]) -> bool {
    const PT_INTERP: u64 = 3;
    let number = |at: usize, len: usize| -> Option<u64> {
        let bytes = elf.get(at..at + len)?;
        Some(bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    };
    let header_types = || -> Option<Vec<u64>> {
        let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        (0..count).map(|i| number(usize::try_from(table + i * size).ok()?, 4)).collect()
    };
    header_types().is_some_and(|types| types.contains(&PT_INTERP))
}

/// The files with every directory above them, parents first.
fn with_parents(mut files: BTreeMap<String, Entry>) -> Vec<(String, Entry)> {
    let parents: BTreeSet<String> = files
        .keys()
        .flat_map(|path| Path::new(path).ancestors().skip(1))
        .map(|dir| dir.display().to_string())
        .filter(|dir| !dir.is_empty())
        .collect();
    for dir in parents {
        files.entry(dir).or_insert(Entry::Directory(0o755));
    }
    files.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_is_told_from_what_is_none() {
        let me = std::fs::read(std::env::current_exe().expect("this program")).expect("its bytes");
        assert!(names_a_loader(&me), "test programs are dynamic on the targets that this project has");
        for other in [&b""[..], b"#!/bin/sh", &me[..40]] {
            assert!(!names_a_loader(other));
        }
    }

    #[test]
    fn parents_come_before_their_children_and_are_made_once() {
        let file = || Entry::File(0o644, Vec::new());
        let files = BTreeMap::from([("a/b/c".to_owned(), file()), ("a/b/d".to_owned(), file())]);
        let paths: Vec<String> = with_parents(files).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["a", "a/b", "a/b/c", "a/b/d"]);
    }
}
