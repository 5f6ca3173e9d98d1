//! From the container's two pipes to its log file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, PipeReader, Read, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdout};

use clock::Clock;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::log_format::LogEncoder;

/// One stream of output: a pipe, until its end, and what turns it into records.
struct Stream<R> {
    pipe: Option<R>,
    encoder: LogEncoder,
}

/// Copies both streams into `log`, in the order in which output arrives, until `ended` is closed from its other side;
/// then copies what is still in the pipes and returns. Output without a log is read and dropped, so that the container
/// never waits for it.
pub(crate) fn copy(
    (stdout, stderr): (Option<ChildStdout>, Option<ChildStderr>),
    ended: &PipeReader,
    log: Option<&Path>,
    clock: &Clock,
) {
    let mut log = log.map(|path| LogFile::new(path.to_owned()));
    let mut stdout = Stream { pipe: stdout, encoder: LogEncoder::new("stdout") };
    let mut stderr = Stream { pipe: stderr, encoder: LogEncoder::new("stderr") };
    let mut write = |records: &[u8]| {
        if let Some(log) = &mut log {
            log.append(records);
        }
    };
    let mut over = false;
    loop {
        // Once it is over nothing new is coming: what can be read without waiting is all there is.
        let wait = if over { PollTimeout::ZERO } else { PollTimeout::NONE };
        let [out_ready, err_ready, ended_now] =
            ready([stdout.fd(), stderr.fd(), (!over).then(|| ended.as_fd())], wait);
        if over && !out_ready && !err_ready {
            break;
        }
        over |= ended_now;
        if out_ready {
            write(&stdout.read(clock));
        }
        if err_ready {
            write(&stderr.read(clock));
        }
    }
    for encoder in [&mut stdout.encoder, &mut stderr.encoder] {
        let mut records = Vec::new();
        encoder.finish(clock.now(), &mut records);
        write(&records);
    }
}

impl<R: Read + AsFd> Stream<R> {
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads once from a pipe that is ready; its end closes it.
    fn read(&mut self, clock: &Clock) -> Vec<u8> {
        let (mut buffer, mut records) = ([0; 64 * 1024], Vec::new());
        match self.pipe.as_mut().map_or(Ok(0), |pipe| pipe.read(&mut buffer)) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => self.pipe = None,
            Ok(read) => self.encoder.feed(&buffer[..read], clock.now(), &mut records),
        }
        records
    }
}

/// Which of these can be read, or have ended.
fn ready<const N: usize>(fds: [Option<BorrowedFd<'_>>; N], wait: PollTimeout) -> [bool; N] {
    let mut polled: Vec<PollFd<'_>> =
        fds.iter().flatten().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
    // An interruption is an answer like any other: nothing is ready.
    let answered = poll(&mut polled, wait).is_ok();
    let mut answers = polled.iter().map(|fd| answered && fd.any().unwrap_or(true));
    fds.map(|fd| fd.is_some() && answers.next().unwrap_or(false))
}

/// A log file that follows its name: when it was renamed, as rotation does, or removed, the next output opens it anew.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: Option<File>,
}

impl LogFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Appends whole records. A full disk loses output; it does not stop the container.
    pub fn append(&mut self, records: &[u8]) {
        if let Err(error) = self.try_append(records) {
            eprintln!("{}: {error}", self.path.display());
        }
    }

    fn try_append(&mut self, records: &[u8]) -> io::Result<()> {
        let current = self.file.as_ref().is_some_and(|file| same_file(file, &self.path));
        if !current {
            match open_log(&self.path) {
                Ok(file) => self.file = Some(file),
                // The directory is gone or not writable: the old file is better than none.
                Err(error) if self.file.is_none() => return Err(error),
                Err(_) => {}
            }
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(records))
    }
}

/// Opens a container's log for appending, and makes it with its directories when it is absent.
pub(crate) fn open_log(path: &Path) -> io::Result<File> {
    let open = || OpenOptions::new().create(true).append(true).mode(0o640).open(path);
    match (open(), path.parent()) {
        (Err(e), Some(parent)) if e.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(parent)?;
            open()
        }
        (opened, _) => opened,
    }
}

fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_log_is_opened_anew_under_its_own_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, rotated) = (dir.path().join("pod/main/0.log"), dir.path().join("0.log.old"));
        let mut log = LogFile::new(path.clone());
        log.append(b"one\n");
        log.append(b"two\n");
        fs::rename(&path, &rotated).expect("rotated");
        log.append(b"three\n");
        assert_eq!(fs::read_to_string(&rotated).expect("rotated"), "one\ntwo\n");
        assert_eq!(fs::read_to_string(&path).expect("new"), "three\n");
    }

    #[test]
    fn a_log_without_its_directory_keeps_the_open_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, moved) = (dir.path().join("pod/0.log"), dir.path().join("moved"));
        let mut log = LogFile::new(path.clone());
        log.append(b"one\n");
        fs::rename(path.parent().expect("a parent"), &moved).expect("moved");
        fs::write(dir.path().join("pod"), "in the way").expect("written");
        log.append(b"two\n");
        assert_eq!(fs::read_to_string(moved.join("0.log")).expect("kept"), "one\ntwo\n");
    }
}
