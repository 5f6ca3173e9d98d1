//! What the learner has done so far, in a file that people can read and mend: `progress.txt` in the workbook.
//!
//! ```text
//! current 04
//! 04 started 2026-11-24 red 7 of 17 hints 1
//! 05 started 2026-11-25 green 2026-11-26 hints 0
//! ```
//!
//! A line that makes no sense is said and kept, as a comment; it costs nobody the rest of their progress.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::civil::Date;

/// The file's name in the workbook.
pub const FILE: &str = "progress.txt";

/// How many lines that make no sense are said.
const MOST_COMPLAINTS: usize = 3;

const HEADER: &str =
    "# What was done in this workbook. `cargo xtask lab list` shows it, `cargo xtask lab` writes it.\n";

/// The progress of one workbook.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The lab that `check`, `hint` and the others mean when none is named.
    pub current: Option<String>,
    labs: BTreeMap<String, Entry>,
    /// Lines that could not be read.
    pub unread: Vec<Unread>,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    line: usize,
    text: String,
    why: String,
}

/// What is known of one lab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The day on which its regions were blanked.
    pub started: Option<Date>,
    /// What the last check said; `None` before the first one.
    pub last: Option<Count>,
    /// The day of the first green check.
    pub green: Option<Date>,
    /// The day on which the reference was written into the regions.
    pub solved: Option<Date>,
    /// How many hints were taken.
    pub hints: usize,
}

/// How many were red, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many were red.
    pub red: usize,
    /// How many there were.
    pub of: usize,
}

/// Where a lab stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its regions are the reference's.
    NotStarted,
    /// Its regions were blanked, and it has not been checked since.
    Started,
    /// The last check was red.
    Red(Count),
    /// The last check was green; with the day of the first green one.
    Green(Date),
    /// The reference was taken.
    Solved,
}

impl Entry {
    /// Where the lab stands.
    pub fn state(&self) -> State {
        match (self.solved, self.last, self.green) {
            (Some(_), _, _) => State::Solved,
            (None, Some(count), _) if count.red > 0 => State::Red(count),
            (None, Some(_), Some(day)) => State::Green(day),
            (None, _, _) if self.started.is_some() => State::Started,
            _ => State::NotStarted,
        }
    }

    /// Whether the learner's own work stands in its regions, finished or not.
    pub fn is_under_way(&self) -> bool {
        self.started.is_some() && self.solved.is_none()
    }

    /// Notes what a check said.
    pub fn checked(&mut self, count: Count, today: Date) {
        self.last = Some(count);
        if count.red == 0 {
            self.green.get_or_insert(today);
        }
    }
}

impl Progress {
    /// Reads the progress of the workbook in `dir`; none when there is no file yet.
    ///
    /// # Errors
    ///
    /// When the file is there and cannot be read at all.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = path(dir);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Self::parse(&String::from_utf8_lossy(&bytes))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(e).with_context(|| path.display().to_string()),
        }
    }

    /// Writes it back.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let path = path(dir);
        // Whole or not at all: this is the one file that nothing else can give back.
        let unfinished = path.with_extension("txt.new");
        std::fs::write(&unfinished, self.to_text())
            .and_then(|()| std::fs::rename(&unfinished, &path))
            .with_context(|| path.display().to_string())
    }

    /// What is known of a lab.
    pub fn of(&self, lab: &str) -> Entry {
        self.labs.get(lab).cloned().unwrap_or_default()
    }

    /// The entry of a lab, to be changed.
    pub fn entry(&mut self, lab: &str) -> &mut Entry {
        self.labs.entry(lab.to_owned()).or_default()
    }

    /// What could not be read, said with file and line; of many lines the first.
    pub fn complaints(&self, dir: &Path) -> Vec<String> {
        let path = path(dir);
        let mut complaints: Vec<String> = self
            .unread
            .iter()
            .take(MOST_COMPLAINTS)
            .map(|u| {
                format!(
                    "{} line {}: {}; it is left out: {}",
                    path.display(),
                    u.line,
                    u.why,
                    u.text.escape_debug()
                )
            })
            .collect();
        if let Some(more) = self.unread.len().checked_sub(MOST_COMPLAINTS).filter(|more| *more > 0) {
            complaints.push(format!(
                "{}: {more} more lines like these. `cargo xtask lab check NN` notes a lab that you wrote in again",
                path.display()
            ));
        }
        complaints
    }

    fn parse(text: &str) -> Self {
        let mut progress = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Err(why) = progress.take(line) {
                let text: String = line.chars().take(120).collect();
                progress.unread.push(Unread { line: at + 1, text, why });
            }
        }
        progress
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if first == "current" {
            let lab =
                words.next().filter(|word| is_id(word)).ok_or("after `current` comes a lab, such as 04")?;
            self.current = Some(lab.to_owned());
            return Ok(());
        }
        if !is_id(first) {
            return Err("a line begins with `current` or with a lab, such as 04".to_owned());
        }
        let mut entry = Entry::default();
        while let Some(word) = words.next() {
            match word {
                "started" => entry.started = Some(day(words.next())?),
                "green" => entry.green = Some(day(words.next())?),
                "solved" => entry.solved = Some(day(words.next())?),
                "hints" => entry.hints = number(words.next())?,
                "red" => {
                    let red = number(words.next())?;
                    if words.next() != Some("of") {
                        return Err("after `red` come two numbers, such as 7 of 17".to_owned());
                    }
                    entry.last = Some(Count { red, of: number(words.next())? });
                }
                other => return Err(format!("{:?} is no word of this file", cut(other))),
            }
        }
        self.labs.insert(first.to_owned(), entry);
        Ok(())
    }

    fn to_text(&self) -> String {
        let mut text = HEADER.to_owned();
        if let Some(current) = &self.current {
            let _written = writeln!(text, "current {current}");
        }
        for (lab, entry) in &self.labs {
            text.push_str(lab);
            for (word, day) in [("started", entry.started), ("green", entry.green), ("solved", entry.solved)]
            {
                if let Some(day) = day {
                    let _written = write!(text, " {word} {day}");
                }
            }
            if let Some(Count { red, of }) = entry.last {
                let _written = write!(text, " red {red} of {of}");
            }
            let _written = writeln!(text, " hints {}", entry.hints);
        }
        for unread in &self.unread {
            let _written = writeln!(text, "# not understood: {}", unread.text.escape_debug());
        }
        text
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

fn is_id(word: &str) -> bool {
    word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn day(word: Option<&str>) -> Result<Date, String> {
    let word = word.unwrap_or_default();
    word.parse().map_err(|_| format!("{:?} is no day, such as 2026-11-24", cut(word)))
}

fn number(word: Option<&str>) -> Result<usize, String> {
    let word = word.unwrap_or_default();
    word.parse().map_err(|_| format!("{:?} is no number", cut(word)))
}

fn cut(word: &str) -> String {
    word.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> Date {
        jiff::civil::date(2026, 11, 24)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut progress = Progress::default();
        assert_eq!(Progress::read(dir.path()).expect("read"), progress);
        progress.current = Some("04".to_owned());
        *progress.entry("04") = Entry { started: Some(today()), hints: 2, ..Entry::default() };
        progress.entry("04").checked(Count { red: 7, of: 17 }, today());
        progress.entry("05").checked(Count { red: 0, of: 9 }, today());
        progress.entry("06").solved = Some(today());
        progress.write(dir.path()).expect("written");
        assert_eq!(Progress::read(dir.path()).expect("read"), progress);
        let text = std::fs::read_to_string(dir.path().join(FILE)).expect("there");
        assert!(text.contains("\ncurrent 04\n04 started 2026-11-24 red 7 of 17 hints 2\n"), "{text}");
    }

    #[test]
    fn the_state_follows_the_last_check() {
        let mut entry = Entry::default();
        assert_eq!(entry.state(), State::NotStarted);
        entry.started = Some(today());
        assert_eq!((entry.state(), entry.is_under_way()), (State::Started, true));
        entry.checked(Count { red: 3, of: 5 }, today());
        assert_eq!(entry.state(), State::Red(Count { red: 3, of: 5 }));
        entry.checked(Count { red: 0, of: 5 }, today());
        assert_eq!(entry.state(), State::Green(today()));
        let later = jiff::civil::date(2026, 12, 1);
        entry.checked(Count { red: 1, of: 5 }, later);
        assert_eq!(entry.state(), State::Red(Count { red: 1, of: 5 }), "it was broken again");
        entry.checked(Count { red: 0, of: 5 }, later);
        assert_eq!(entry.state(), State::Green(today()), "the day of the first green one stays");
        entry.solved = Some(later);
        assert_eq!((entry.state(), entry.is_under_way()), (State::Solved, false));
    }

    #[test]
    fn garbage_is_named_with_its_line_kept_and_costs_nothing_else() {
        let text = "# a comment\n04 started 2026-11-24 hints 1\n05 started yesterday\n\u{0}\u{fffd}\n06 red 7\ncurrent\n\
                    07 red 1 of x\n08 purple\ncurrent 04\n99999999999999999999 hints 1\n";
        let progress = Progress::parse(text);
        assert_eq!(progress.current.as_deref(), Some("04"));
        assert_eq!(progress.of("04").hints, 1);
        let complaints = progress.complaints(Path::new("w"));
        assert_eq!((progress.unread.len(), complaints.len()), (7, 4), "{complaints:#?}");
        assert!(complaints[3].contains("4 more lines"), "{complaints:#?}");
        assert_eq!(
            complaints[0],
            "w/progress.txt line 3: \"yesterday\" is no day, such as 2026-11-24; it is left out: 05 started yesterday"
        );
        let again = Progress::parse(&progress.to_text());
        assert_eq!((again.of("04"), again.unread.len()), (progress.of("04"), 0));
        assert!(progress.to_text().contains("# not understood: 06 red 7\n"), "{}", progress.to_text());
    }
}
