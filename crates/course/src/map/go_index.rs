//! What there is in the Go source: its files with their sizes, and its symbols with their lines.

use std::collections::BTreeMap;
use std::path::Path;

use super::{MapError, read};

/// One Go file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoFile {
    /// Path in the Kubernetes repository.
    pub path: String,
    /// All lines.
    pub lines: usize,
    /// Lines with code; 0 where nobody counted.
    pub code_lines: usize,
    /// Whether it belongs to the kubelet's own directories, every file of which has to be accounted for.
    pub in_kubelet: bool,
    /// Why it needs no counterpart by its nature: generated, a helper of tests, or not for Linux.
    pub exempt: Option<Exemption>,
}

/// Why a file needs no counterpart, whatever is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exemption {
    /// Written by a program.
    Generated,
    /// Only used by the tests of the Go kubelet.
    TestHelper,
    /// Not compiled on Linux.
    OtherSystem,
    /// Nothing but a package's documentation.
    NoCode,
}

impl GoFile {
    /// The directory of the file.
    pub fn directory(&self) -> &str {
        parent(&self.path)
    }
}

/// One named thing of the Go source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoSymbol {
    /// Path of the file.
    pub path: String,
    /// `func`, `method`, `struct`, `interface`, `imethod`, `functype`, `type`, `const` or `var`.
    pub kind: String,
    /// The type that a method belongs to; empty for all else.
    pub receiver: String,
    /// Its name.
    pub name: String,
    /// Its line in the file.
    pub line: usize,
}

impl GoSymbol {
    /// `Type.method`, or the name alone.
    pub fn full_name(&self) -> String {
        if self.receiver.is_empty() { self.name.clone() } else { format!("{}.{}", self.receiver, self.name) }
    }

    /// How a lab or a manifest names it: `path#name`.
    pub fn reference(&self) -> String {
        format!("{}#{}", self.path, self.full_name())
    }

    /// Whether `name` or `Type.name` means this symbol.
    pub fn is_called(&self, name: &str) -> bool {
        match name.split_once('.') {
            Some((receiver, name)) => self.receiver == receiver && self.name == name,
            None => self.name == name,
        }
    }
}

/// The Go source, as far as the project speaks of it.
#[derive(Debug, Clone, Default)]
pub struct GoIndex {
    files: BTreeMap<String, GoFile>,
    symbols: Vec<GoSymbol>,
}

impl GoIndex {
    /// Reads the three tables of `kubelet-map/`.
    ///
    /// # Errors
    /// A table that cannot be read, or a row that has too few columns or a size that is no number.
    pub fn load(folder: &Path) -> Result<Self, MapError> {
        let mut index = Self::default();
        for_each_row(&folder.join("index.tsv"), |cells| {
            let [path, lines, _origin, code_lines, note, constraint, ..] = cells else { return None };
            let exempt = match *note {
                "generated" => Some(Exemption::Generated),
                "testing-helper" => Some(Exemption::TestHelper),
                _ if !builds_on_linux(constraint) => Some(Exemption::OtherSystem),
                // The `package` line itself is one.
                _ if matches!(*code_lines, "0" | "1") => Some(Exemption::NoCode),
                _ => None,
            };
            index.add(path, lines.parse().ok()?, code_lines.parse().ok()?, true, exempt);
            Some(())
        })?;
        for table in ["symbols.tsv", "more.tsv"] {
            for_each_row(&folder.join(table), |cells| {
                let [path, kind, receiver, name, line, ..] = cells else { return None };
                let line = line.parse().ok()?;
                if *kind == "file" {
                    index.add(path, line, 0, false, None);
                    return Some(());
                }
                index.symbols.push(GoSymbol {
                    path: (*path).to_owned(),
                    kind: (*kind).to_owned(),
                    receiver: (*receiver).to_owned(),
                    name: (*name).to_owned(),
                    line,
                });
                Some(())
            })?;
        }
        Ok(index)
    }

    fn add(
        &mut self,
        path: &str,
        lines: usize,
        code_lines: usize,
        in_kubelet: bool,
        exempt: Option<Exemption>,
    ) {
        let file = GoFile { path: path.to_owned(), lines, code_lines, in_kubelet, exempt };
        self.files.insert(path.to_owned(), file);
    }

    /// The file of that path.
    pub fn file(&self, path: &str) -> Option<&GoFile> {
        self.files.get(path)
    }

    /// All files, by path.
    pub fn files(&self) -> impl Iterator<Item = &GoFile> {
        self.files.values()
    }

    /// Whether files lie directly in this directory, or below it.
    pub fn has_directory(&self, path: &str) -> bool {
        self.files.values().any(|file| is_below(&file.path, path))
    }

    /// All symbols, in the order of the tables.
    pub fn symbols(&self) -> &[GoSymbol] {
        &self.symbols
    }

    /// How many functions and methods with a body a file has.
    pub fn functions(&self, path: &str) -> usize {
        self.symbols.iter().filter(|s| s.path == path && matches!(s.kind.as_str(), "func" | "method")).count()
    }

    /// The symbol of a file that is called `name` or `Type.name`.
    pub fn symbol(&self, path: &str, name: &str) -> Option<&GoSymbol> {
        self.symbols.iter().find(|symbol| symbol.path == path && symbol.is_called(name))
    }
}

/// The part before the last `/`.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Whether `path` lies in `directory` or deeper.
pub(super) fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

/// Go's build constraints, as far as these files use them: names, `!`, `&&` and `||`. A name that is no system, such as
/// `ignore_autogenerated`, is not set.
fn builds_on_linux(constraint: &str) -> bool {
    let holds = |term: &str| match term.trim().strip_prefix('!') {
        Some(name) => name != "linux",
        None => term.trim() == "linux",
    };
    constraint.trim().is_empty() || constraint.split("||").any(|all| all.split("&&").all(holds))
}

/// Calls `row` with the cells of each line but the first. `None` from it is a row that cannot be read.
fn for_each_row(path: &Path, mut row: impl FnMut(&[&str]) -> Option<()>) -> Result<(), MapError> {
    let text = read(path)?;
    for (number, line) in (1..).zip(text.lines()).skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        row(&cells).ok_or_else(|| MapError::Row { path: path.to_owned(), line: number })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_constraint_says_whether_a_file_is_for_linux() {
        for (constraint, linux) in [
            ("", true),
            ("linux", true),
            ("!linux", false),
            ("windows", false),
            ("!windows", true),
            ("!linux && !windows", false),
            ("!freebsd && !linux && !windows && !darwin", false),
            ("freebsd || linux || darwin", true),
            ("!ignore_autogenerated", true),
            ("darwin", false),
        ] {
            assert_eq!(builds_on_linux(constraint), linux, "{constraint:?}");
        }
    }

    #[test]
    fn below_means_below_and_not_beside() {
        assert!(is_below("pkg/kubelet/cm/a.go", "pkg/kubelet/cm"));
        assert!(is_below("pkg/kubelet/cm/dra/a.go", "pkg/kubelet/cm"));
        assert!(!is_below("pkg/kubelet/cmx/a.go", "pkg/kubelet/cm"));
        assert!(!is_below("pkg/kubelet/cm", "pkg/kubelet/cm"));
    }
}
