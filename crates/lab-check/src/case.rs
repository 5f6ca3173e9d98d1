//! The cases of a lab: what is asked, and which rule it shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::report::Kind;

/// One case, as it stands in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    case: String,
    rule: String,
    go: String,
    input: serde_yaml_ng::Value,
}

/// One case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) rule: String,
    pub(crate) go: String,
    pub(crate) input: serde_yaml_ng::Value,
}

/// All cases of a lab: `cases/*.yaml`, then `hidden/*.yaml`, each folder in the order of its file names.
pub(crate) fn all(lab: &Path) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    let mut names = BTreeSet::new();
    for (folder, kind) in [("cases", Kind::Case), ("hidden", Kind::Hidden)] {
        for file in yaml_files(&lab.join(folder))? {
            let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            let written: Vec<Written> =
                serde_yaml_ng::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?;
            for Written { case: name, rule, go, input } in written {
                if !is_kebab(&name) {
                    return Err(format!("{}: case {name:?} is not in kebab case", file.display()));
                }
                if !names.insert(name.clone()) {
                    return Err(format!("{}: there are two cases named {name}", file.display()));
                }
                cases.push(Case { name, kind, rule, go, input });
            }
        }
    }
    Ok(cases)
}

/// A name also names a snapshot's file, so it has no separators and no dots.
pub(crate) fn is_kebab(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The `.yaml` files of a folder; none if there is no folder.
fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
        if path.extension().is_some_and(|x| x == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(files: &[(&str, &str)]) -> tempfile::TempDir {
        let lab = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = lab.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        lab
    }

    #[test]
    fn shown_cases_come_before_hidden_ones_and_files_in_the_order_of_their_names() {
        let lab = lab(&[
            ("hidden/a.yaml", "- {case: three, rule: r, go: g, input: 3}"),
            ("cases/b.yaml", "- {case: two, rule: r, go: g, input: 2}"),
            ("cases/a.yaml", "- {case: one, rule: r, go: g, input: 1}"),
            ("cases/notes.txt", "not a case"),
        ]);
        let seen: Vec<_> = all(lab.path()).unwrap().into_iter().map(|c| (c.name, c.kind)).collect();
        let expected = [("one", Kind::Case), ("two", Kind::Case), ("three", Kind::Hidden)];
        assert_eq!(seen, expected.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_name() {
        let one = "- {case: one, rule: r, go: g, input: 1}";
        for (files, says) in [
            (
                vec![("cases/a.yaml", one), ("hidden/b.yaml", one)],
                "hidden/b.yaml: there are two cases named one",
            ),
            (
                vec![("cases/a.yaml", "- {case: One, rule: r, go: g, input: 1}")],
                "case \"One\" is not in kebab case",
            ),
            (vec![("cases/a.yaml", "- {case: one, rule: r, input: 1}")], "missing field `go`"),
            (
                vec![("cases/a.yaml", "- {case: one, rule: r, go: g, input: 1, more: 2}")],
                "unknown field `more`",
            ),
        ] {
            let why = all(lab(&files).path()).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }
}
