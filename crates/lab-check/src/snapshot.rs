//! What the answer to a case must be: `snapshots/CASE.snap`, a file of insta's.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use insta::{Settings, Snapshot};

use crate::report::Change;

/// The file of a case's snapshot.
fn file(lab: &Path, case: &str) -> PathBuf {
    lab.join("snapshots").join(format!("{case}.snap"))
}

/// Reads what the answer must be.
pub(crate) fn read(lab: &Path, case: &str) -> Result<String, String> {
    let file = file(lab, case);
    if !file.exists() {
        return Err(format!("there is no {}: `cargo xtask lab snapshots` makes it", file.display()));
    }
    let snapshot = Snapshot::from_file(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    match snapshot.as_text() {
        Some(text) => Ok(text.to_string()),
        None => Err(format!("{}: not a text", file.display())),
    }
}

/// Whether an answer is what a snapshot says. Blank lines at either end do not matter.
pub(crate) fn same(expected: &str, got: &str) -> bool {
    expected.trim_matches('\n') == got.trim_matches('\n')
}

/// Makes an answer the snapshot. The process must be one of [`writing_process`].
pub(crate) fn write(lab: &Path, case: &str, rule: &str, answer: &str) -> Result<Change, String> {
    let before = file(lab, case).exists().then(|| read(lab, case)).transpose()?;
    let mut settings = Settings::new();
    settings.set_snapshot_path(lab.join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_description(rule);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, answer));
    let after = read(lab, case)?;
    if !same(&after, answer) {
        return Err(format!("{} was not written: is INSTA_UPDATE=force set?", file(lab, case).display()));
    }
    Ok(match before {
        None => Change::New,
        Some(before) if same(&before, answer) => Change::Same,
        Some(_) => Change::Changed,
    })
}

/// Set in a process whose insta writes.
const WRITING: &str = "LAB_WRITING";

/// insta takes what it does from the environment, which a process cannot safely change for itself: the check starts
/// itself once more with the right one. `None` if this is that process already.
pub(crate) fn writing_process(lab: &Path) -> io::Result<Option<ExitStatus>> {
    if std::env::var_os(WRITING).is_some() {
        return Ok(None);
    }
    // Paths in a snapshot's header are relative to this, and so the same on every machine.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(std::env::current_exe()?);
    command
        .current_dir(&workspace)
        .env("INSTA_WORKSPACE_ROOT", &workspace)
        .env("INSTA_UPDATE", "force")
        .env("INSTA_FORCE_PASS", "1")
        .env("INSTA_OUTPUT", "none")
        .env("LAB_DIR", lab)
        .env(WRITING, "1");
    if let Some(report) = std::env::var_os("LAB_REPORT") {
        command.env("LAB_REPORT", std::path::absolute(report)?);
    }
    Ok(Some(command.status()?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_snapshot_is_read_as_insta_wrote_it() {
        let lab = tempfile::tempdir().unwrap();
        fs::create_dir(lab.path().join("snapshots")).unwrap();
        let text = "---\nsource: crates/lab-check/src/snapshot.rs\ndescription: it stays down\n---\nrestart: false\n";
        fs::write(lab.path().join("snapshots/never.snap"), text).unwrap();
        let expected = read(lab.path(), "never").unwrap();
        assert!(same(&expected, "restart: false\n"), "{expected:?}");
        assert!(!same(&expected, "restart: true\n"));
        assert!(!same(&expected, "restart: false\nmore: 1\n"));
    }

    #[test]
    fn a_snapshot_that_is_missing_or_broken_is_named() {
        let lab = tempfile::tempdir().unwrap();
        let why = read(lab.path(), "never").unwrap_err();
        assert!(why.contains("never.snap") && why.contains("lab snapshots"), "{why}");
        fs::create_dir(lab.path().join("snapshots")).unwrap();
        fs::write(lab.path().join("snapshots/never.snap"), "---\n: [\n---\n").unwrap();
        let why = read(lab.path(), "never").unwrap_err();
        assert!(why.contains("never.snap"), "{why}");
    }
}
