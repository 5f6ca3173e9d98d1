//! The workbook's own git history: a commit before anything of the learner's is replaced, and one after each start.
//!
//! Git is a help, not a condition. Where there is none, or it refuses, the learner's text is kept in a copy beside the
//! file instead.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// What the environment may say about another repository, which this one must not be taken for.
const ELSEWHERE: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
];

/// Where the learner's text of before can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the last commit; with its short name.
    Commit(String),
    /// In copies beside the files.
    Copies(Vec<PathBuf>),
}

/// Makes the workbook a repository, with everything in it as the first commit. Returns why not, where that fails.
pub fn begin(dir: &Path, message: &str) -> Result<(), String> {
    run(dir, &["init", "--quiet", "--initial-branch=main"])
        // Before git 2.28 a new repository could not name its branch.
        .or_else(|_| run(dir, &["init", "--quiet"]))
        .and_then(|_| commit(dir, message))
        .map(drop)
}

/// Commits everything as it is; the short name of what is the last commit then. Nothing to commit is no failure.
pub fn commit(dir: &Path, message: &str) -> Result<String, String> {
    // Without this, git would take the clone around the workbook for the repository.
    if !dir.join(".git").exists() {
        return Err(format!("{} has no history of its own", dir.display()));
    }
    run(dir, &["add", "--all", "."])?;
    if run(dir, &["diff", "--cached", "--quiet"]).is_err() {
        run(dir, &["commit", "--quiet", "--no-verify", "--message", message])?;
    }
    run(dir, &["rev-parse", "--short", "HEAD"])
}

/// Keeps the present text of some files: in a commit, or else in copies beside them.
///
/// # Errors
///
/// When neither is possible. Then nothing may be replaced.
pub fn keep(dir: &Path, files: &[PathBuf], message: &str) -> Result<Kept> {
    match commit(dir, message) {
        Ok(name) => Ok(Kept::Commit(name)),
        Err(_) => {
            let there = files.iter().filter(|file| file.exists());
            there.map(|file| copy_beside(file)).collect::<Result<Vec<_>>>().map(Kept::Copies)
        }
    }
}

impl Kept {
    /// How the learner gets their text of a file back, in one line.
    pub fn said(&self, dir: &Path, file: &Path) -> String {
        match self {
            Self::Commit(name) => {
                let file = file.strip_prefix(dir).unwrap_or(file);
                format!("Your text is kept: git -C '{}' show {name}:{}", dir.display(), file.display())
            }
            Self::Copies(copies) => {
                let copies: Vec<String> = copies.iter().map(|copy| copy.display().to_string()).collect();
                format!("Your text is kept in {}", copies.join(", "))
            }
        }
    }
}

/// Copies a file to `NAME.orig`, or to `NAME.orig.1` and so on where that is taken.
fn copy_beside(file: &Path) -> Result<PathBuf> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let free = (0..)
        .map(|n| if n == 0 { format!("{name}.orig") } else { format!("{name}.orig.{n}") })
        .map(|name| file.with_file_name(name))
        .find(|path| !path.exists())
        .context("no free name for a copy")?;
    std::fs::copy(file, &free)
        .with_context(|| format!("keeping {} as {}", file.display(), free.display()))?;
    Ok(free)
}

/// One git command in the workbook; what it printed.
fn run(dir: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(dir);
    // A name of its own: a learner's machine need not have one configured. No signing, no hooks, no questions.
    git.args(["-c", "user.name=Podwright workbook", "-c", "user.email=workbook@localhost"]);
    git.args(["-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false"]);
    git.args(arguments).stdin(Stdio::null()).env("GIT_TERMINAL_PROMPT", "0");
    for variable in ELSEWHERE {
        git.env_remove(variable);
    }
    let output = git.output().map_err(|e| format!("git: {e}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("git {}: {}", arguments.first().unwrap_or(&""), said.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_can_be_had_again_from_the_history() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("a.rs");
        std::fs::write(&file, "the first").expect("written");
        begin(dir.path(), "The workbook").expect("git");
        std::fs::write(&file, "mine").expect("written");
        let kept = keep(dir.path(), std::slice::from_ref(&file), "Before lab 04").expect("kept");
        let Kept::Commit(name) = &kept else { panic!("{kept:?}") };
        assert_eq!(run(dir.path(), &["show", &format!("{name}:a.rs")]).expect("shown"), "mine");
        assert!(kept.said(dir.path(), &file).ends_with(&format!("show {name}:a.rs")));
        assert_eq!(commit(dir.path(), "nothing new").expect("no failure"), *name);
    }

    #[test]
    fn without_a_history_there_are_copies_and_none_replaces_another() {
        let outer = tempfile::tempdir().expect("a directory");
        std::fs::write(outer.path().join("b"), "").expect("written");
        begin(outer.path(), "somebody else's repository").expect("git");
        let dir = outer.path().join("work book");
        std::fs::create_dir(&dir).expect("made");
        let file = dir.join("a.rs");
        let mut copies = Vec::new();
        for text in ["one", "two"] {
            std::fs::write(&file, text).expect("written");
            let kept = keep(&dir, std::slice::from_ref(&file), "Before").expect("kept");
            let Kept::Copies(paths) = kept else { panic!("committed into {}", outer.path().display()) };
            copies.extend(paths);
        }
        let texts: Vec<String> = copies.iter().map(|p| std::fs::read_to_string(p).expect("there")).collect();
        assert_eq!(texts, ["one", "two"]);
        assert!(copies[1].ends_with("a.rs.orig.1"), "{copies:?}");
    }
}
