//! The log file of a container, read to its end and beyond.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// An open log. The kubelet rotates logs at 10 MiB, so what is there is read in one go.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    /// A record that the runtime has begun to write.
    begun: Vec<u8>,
}

impl LogFile {
    /// Opens the log at `path`.
    ///
    /// # Errors
    /// When it is not there, or may not be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: File::open(path)?, begun: Vec::new() })
    }

    /// The whole records written since the last call, each with its line end. Goes on in the new file after a rotation.
    ///
    /// # Errors
    /// When reading fails.
    pub fn read_new(&mut self) -> io::Result<Vec<u8>> {
        // Asked first: once there is a new file, the runtime writes no more into the old one.
        let successor = self.successor()?;
        self.file.read_to_end(&mut self.begun)?;
        if let Some(file) = successor {
            self.file = file;
            self.file.read_to_end(&mut self.begun)?;
        }
        let whole = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let begun = self.begun.split_off(whole);
        Ok(std::mem::replace(&mut self.begun, begun))
    }

    /// The end of the file, where it has no line end.
    pub fn finish(self) -> Vec<u8> {
        self.begun
    }

    /// The file that has the log's name now, if it is another one. A rotation renames the old one first.
    fn successor(&self) -> io::Result<Option<File>> {
        let now = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (old, new) = (self.file.metadata()?, now.metadata()?);
        Ok(((old.dev(), old.ino()) != (new.dev(), new.ino())).then_some(now))
    }
}

/// The last `count` records of some, or all of them without a count.
///
/// Counts records and not joined lines, as `logs.go: findTailLineStartIndex` does.
pub fn tail(records: &[u8], count: Option<usize>) -> &[u8] {
    let Some(count) = count else { return records };
    let ends = records.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    // The records before the wanted ones end where the one before the first wanted one does.
    let skipped = ends.rev().nth(count).unwrap_or(0);
    &records[skipped..]
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    fn text(log: &mut LogFile) -> String {
        String::from_utf8(log.read_new().expect("readable")).expect("text")
    }

    #[test]
    fn a_record_is_given_once_it_is_whole_and_a_rotation_loses_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("0.log");
        let mut writer = File::create(&path).expect("made");
        let mut log = LogFile::open(&path).expect("opened");
        assert_eq!(text(&mut log), "");
        writer.write_all(b"one\ntw").expect("written");
        assert_eq!(text(&mut log), "one\n");
        writer.write_all(b"o\n").expect("written");
        assert_eq!(text(&mut log), "two\n");

        fs::rename(&path, folder.path().join("0.log.old")).expect("renamed");
        writer.write_all(b"still the old file\n").expect("written");
        assert_eq!(text(&mut log), "still the old file\n");
        writer.write_all(b"its last\n").expect("written");
        fs::write(&path, "the new one\nno end").expect("made");
        assert_eq!(text(&mut log), "its last\nthe new one\n");
        assert_eq!(text(&mut log), "");
        assert_eq!(log.finish(), b"no end");
    }

    #[test]
    fn a_tail_counts_records() {
        let records = b"1\n2\n3\n";
        for (count, left) in [
            (None, "1\n2\n3\n"),
            (Some(0), ""),
            (Some(1), "3\n"),
            (Some(2), "2\n3\n"),
            (Some(3), "1\n2\n3\n"),
            (Some(9), "1\n2\n3\n"),
        ] {
            assert_eq!(tail(records, count), left.as_bytes(), "{count:?}");
        }
        assert_eq!(tail(b"", Some(2)), b"");
    }
}
