//! A learner at the command line, with a workbook of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use course::lab::Lab;
use course::region;

/// A learner.
pub struct Learner {
    /// The workbook; its path has spaces.
    pub book: PathBuf,
    /// What their environment says besides.
    pub environment: Vec<(&'static str, String)>,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// How it exited.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// The output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:#?}"))
    }

    /// Fails unless the exit code is this.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }
}

/// The root of the clone.
pub fn clone() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    root.to_owned()
}

impl Learner {
    /// A learner without a workbook yet. The place is the same each time, so that what was built there is of use again.
    pub fn new(name: &str) -> Self {
        let book = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("the work book of {name}"));
        match std::fs::remove_dir_all(&book) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => panic!("{}: {e}", book.display()),
            _ => {}
        }
        Self { book, environment: Vec::new() }
    }

    /// `cargo xtask lab …`.
    pub fn lab(&self, arguments: &[&str]) -> Said {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.arg("lab").args(arguments).env("PODWRIGHT_WORKBOOK", &self.book).stdin(Stdio::null());
        xtask.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = xtask.output().expect("xtask");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// A file of the workbook.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.book.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Writes a file of the workbook.
    #[track_caller]
    pub fn write(&self, path: &str, text: &str) {
        let path = self.book.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// Changes the bodies of a lab's functions: `change` is given the name of each and what stands there.
    #[track_caller]
    pub fn rewrite(&self, lab: &Lab, change: impl Fn(&str, &str) -> String) {
        let folder = format!("crates/{}", lab.crate_name.as_deref().expect("a crate"));
        for region in &lab.regions {
            let path = format!("{folder}/{}", region.file.display());
            let source = self.read(&path);
            let found = region::find(&source, &region.anchor, &region.functions).expect("a region");
            let changed = region::with_bodies(&source, &found, |function| {
                change(&function.name, source[function.body.clone()].trim())
            });
            self.write(&path, &changed);
        }
    }
}
