//! Where the regions of all labs lie, and whether they can be regions.
//!
//! A region is whole functions between its anchors, no two regions share a line, and each mutant is its region with other
//! bodies, written when the region was what it is now.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::lab::{Lab, LabError, Region};
use crate::region::{self, Found};
use crate::variants;

/// Something that is wrong in a lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The lab's id.
    pub lab: String,
    /// What is wrong; begins with the file or the region.
    pub what: String,
    /// What cannot be compiled because of it.
    pub blocks: Blocks,
}

/// What cannot be compiled because of a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocks {
    /// Nothing: it is only to be mended.
    Nothing,
    /// A mutant, by its file.
    Mutant(String),
    /// The lab's regions, and so its check.
    Lab,
}

/// The file of a lab's region, in the workspace at `root`.
///
/// # Errors
///
/// When the workspace does not say where the lab's crate is.
pub fn file(root: &Path, lab: &Lab, region: &Region) -> Result<PathBuf, LabError> {
    let folder = lab.crate_dir(root)?.unwrap_or_default();
    Ok(folder.join(&region.file))
}

/// What is wrong with the regions and mutants of these labs.
pub fn problems(root: &Path, labs: &[Lab]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut taken: BTreeMap<PathBuf, Vec<(Range<usize>, &str)>> = BTreeMap::new();
    for lab in labs {
        for region in &lab.regions {
            match of_region(root, lab, region) {
                Err(what) => {
                    problems.push(Problem { lab: lab.id.clone(), what, blocks: Blocks::Lab });
                }
                Ok((path, found, wrong)) => {
                    problems.extend(wrong);
                    let others = taken.entry(path).or_default();
                    for (range, anchor) in others.iter() {
                        if found.text.start < range.end && range.start < found.text.end {
                            let what = format!("{}: it overlaps with {anchor}", region.anchor);
                            problems.push(Problem { lab: lab.id.clone(), what, blocks: Blocks::Lab });
                        }
                    }
                    others.push((found.text, &region.anchor));
                }
            }
        }
    }
    problems
}

/// Where a region is, and what is wrong with it and its mutants.
fn of_region(root: &Path, lab: &Lab, region: &Region) -> Result<(PathBuf, Found, Vec<Problem>), String> {
    let (path, source) = read(root, lab, region)?;
    let named = |what: &str| format!("{}: {}: {what}", region.anchor, region.file.display());
    let found =
        region::find(&source, &region.anchor, &region.functions).map_err(|e| named(&e.to_string()))?;
    let problem = |what: String, blocks: Blocks| Problem { lab: lab.id.clone(), what, blocks };
    let mut problems: Vec<Problem> = region::objections(&source, &found)
        .iter()
        .map(|objection| problem(named(objection), Blocks::Lab))
        .collect();
    let digest = region::digest(&source[found.text.clone()]);
    for mutant in lab.mutants.iter().filter(|mutant| mutant.region == region.anchor) {
        let file = format!("mutants/{}", mutant.file);
        match std::fs::read_to_string(lab.dir.join(&file)) {
            Err(e) => problems.push(problem(format!("{file}: {e}"), Blocks::Mutant(mutant.file.clone()))),
            Ok(text) => {
                if let Err(e) = variants::bodies(&source, &found, region, &text) {
                    problems.push(problem(format!("{file}: {e}"), Blocks::Mutant(mutant.file.clone())));
                }
            }
        }
        if mutant.reference.is_empty() {
            let what = format!("{file}: it has no `reference` yet; `cargo xtask lab lock` writes it");
            problems.push(problem(what, Blocks::Nothing));
        } else if mutant.reference != digest {
            let what = format!(
                "{file}: {} changed since it was written; look at it again, then `cargo xtask lab lock`",
                region.anchor
            );
            problems.push(problem(what, Blocks::Nothing));
        }
    }
    Ok((path, found, problems))
}

fn read(root: &Path, lab: &Lab, region: &Region) -> Result<(PathBuf, String), String> {
    let path = file(root, lab, region).map_err(|e| e.to_string())?;
    let source = std::fs::read_to_string(&path)
        .map_err(|e| format!("{}: {}: {e}", region.anchor, region.file.display()))?;
    Ok((path, source))
}

/// The digest of a region's text now.
///
/// # Errors
///
/// When the region is not there.
pub fn digest(root: &Path, lab: &Lab, region: &Region) -> Result<String, String> {
    let (_, source) = read(root, lab, region)?;
    let text = region::text(&source, &region.anchor).map_err(|e| e.to_string())?;
    Ok(region::digest(text))
}

/// The text of a `lab.toml` with other `reference`s: `digest_of` says which for a mutant's file.
///
/// Line by line, so that everything else stays as its author wrote it.
pub fn with_references(manifest: &str, digest_of: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::new();
    // The lines of the table being read; a table ends where the next one begins.
    let mut table: Vec<&str> = Vec::new();
    for line in manifest.split_inclusive('\n') {
        if line.trim_start().starts_with('[') && line.trim_end().ends_with(']') && !line.contains('=') {
            text += &of_table(&table, &digest_of);
            table.clear();
        }
        table.push(line);
    }
    text + &of_table(&table, &digest_of)
}

fn of_table(lines: &[&str], digest_of: impl Fn(&str) -> Option<String>) -> String {
    let is_mutant = lines.first().is_some_and(|line| line.trim() == "[[mutant]]");
    let value = |line: &str, key: &str| -> Option<String> {
        let table = line.parse::<toml::Table>().ok()?;
        Some(table.get(key)?.as_str()?.to_owned())
    };
    let file = lines.iter().find_map(|line| value(line, "file"));
    let Some(digest) = file.filter(|_| is_mutant).and_then(|file| digest_of(&file)) else {
        return lines.concat();
    };
    let written = format!("reference = \"{digest}\"\n");
    if let Some(at) = lines.iter().position(|line| value(line, "reference").is_some()) {
        return [&lines[..at].concat(), written.as_str(), &lines[at + 1..].concat()].concat();
    }
    // After the last line that says something.
    let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |at| at + 1);
    let mut before = lines[..end].concat();
    if !before.ends_with('\n') {
        before.push('\n');
    }
    [before, written, lines[end..].concat()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "// ANCHOR: lab04_a\nfn a() -> u32 {\n    1\n}\n// ANCHOR_END: lab04_a\n\
                          // ANCHOR: lab05_b\nfn b() -> u32 {\n    2\n}\n// ANCHOR_END: lab05_b\n";

    struct Course {
        root: tempfile::TempDir,
    }

    impl Course {
        fn new(source: &str) -> Self {
            let root = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(root.path().join("crates/k/src")).unwrap();
            std::fs::write(root.path().join("crates/k/src/lib.rs"), source).unwrap();
            let manifest = "[workspace.dependencies]\nk = { path = \"crates/k\" }\n";
            std::fs::write(root.path().join("Cargo.toml"), manifest).unwrap();
            Self { root }
        }

        fn lab(&self, id: &str, anchor: &str, function: &str, mutant: Option<(&str, &str)>) -> Lab {
            let dir = self.root.path().join(format!("labs/{id}-x"));
            std::fs::create_dir_all(dir.join("mutants")).unwrap();
            let mut manifest = format!(
                "id = \"{id}\"\ntitle = \"t\"\ncrate = \"k\"\nminutes = 30\nhints = [\"1\", \"2\", \"3\"]\n\
                 [[region]]\nanchor = \"{anchor}\"\nfile = \"src/lib.rs\"\nfunctions = [\"{function}\"]\n"
            );
            if let Some((text, reference)) = mutant {
                manifest += &format!(
                    "[[mutant]]\nfile = \"m.rs\"\nregion = \"{anchor}\"\nwrong = \"w\"\ncase = \"c\"\nreference = \"{reference}\"\n"
                );
                std::fs::write(dir.join("mutants/m.rs"), text).unwrap();
            }
            std::fs::write(dir.join("lab.toml"), manifest).unwrap();
            Lab::read(&dir).unwrap()
        }

        fn said(&self, labs: &[Lab]) -> Vec<String> {
            problems(self.root.path(), labs).into_iter().map(|p| format!("{} {}", p.lab, p.what)).collect()
        }
    }

    #[test]
    fn regions_and_mutants_that_fit_have_no_problem() {
        let course = Course::new(SOURCE);
        let digest = region::digest(region::text(SOURCE, "lab04_a").unwrap());
        let labs = [
            course.lab("04", "lab04_a", "a", Some(("fn a() -> u32 {\n    3\n}\n", &digest))),
            course.lab("05", "lab05_b", "b", None),
        ];
        assert_eq!(course.said(&labs), Vec::<String>::new());
        assert_eq!(super::digest(course.root.path(), &labs[0], &labs[0].regions[0]), Ok(digest));
    }

    #[test]
    fn overlapping_regions_are_a_problem() {
        let source = SOURCE.replace("// ANCHOR_END: lab04_a\n", "") + "// ANCHOR_END: lab04_a\n";
        let course = Course::new(&source);
        let labs = [course.lab("04", "lab04_a", "a", None), course.lab("05", "lab05_b", "b", None)];
        assert_eq!(
            course.said(&labs),
            [
                "04 lab04_a: src/lib.rs: b stands between the anchors but is not listed",
                "05 lab05_b: it overlaps with lab04_a"
            ]
        );
    }

    #[test]
    fn a_missing_function_is_a_problem() {
        let course = Course::new(SOURCE);
        let labs = [course.lab("04", "lab04_a", "c", None)];
        assert_eq!(
            course.said(&labs),
            ["04 lab04_a: src/lib.rs: between the anchors lab04_a there is no function c"]
        );
    }

    #[test]
    fn a_mutant_of_another_reference_is_a_problem_and_so_is_one_that_does_not_fit() {
        let course = Course::new(SOURCE);
        let old = course.lab("04", "lab04_a", "a", Some(("fn a() -> u32 {\n    3\n}\n", "0123")));
        assert_eq!(
            course.said(&[old]),
            [
                "04 mutants/m.rs: lab04_a changed since it was written; look at it again, then `cargo xtask lab lock`"
            ]
        );
        let new = course.lab("04", "lab04_a", "a", Some(("fn a() -> u8 {\n    3\n}\n", "")));
        assert_eq!(
            course.said(&[new]),
            [
                "04 mutants/m.rs: its `a` has another signature: `fn a() -> u8` instead of `fn a() -> u32`",
                "04 mutants/m.rs: it has no `reference` yet; `cargo xtask lab lock` writes it",
            ]
        );
    }

    #[test]
    fn references_are_written_and_nothing_else_changes() {
        let manifest = "id = \"04\" # kept\n\n[[region]]\nfile = \"a.rs\"\nfunctions = [\n  \"a\",\n]\n\n\
                        [[mutant]]\nfile = \"a.rs\" # odd\nreference = \"old\"\nvisible = true\n\n[[mutant]]\nfile = \"b.rs\"\n\n\
                        [[mutant]]\nfile = \"c.rs\"\nreference = \"kept\"\n";
        let digest_of = |file: &str| (file != "c.rs").then(|| format!("new {file}"));
        assert_eq!(
            with_references(manifest, digest_of),
            "id = \"04\" # kept\n\n[[region]]\nfile = \"a.rs\"\nfunctions = [\n  \"a\",\n]\n\n\
             [[mutant]]\nfile = \"a.rs\" # odd\nreference = \"new a.rs\"\nvisible = true\n\n[[mutant]]\nfile = \"b.rs\"\nreference = \"new b.rs\"\n\n\
             [[mutant]]\nfile = \"c.rs\"\nreference = \"kept\"\n"
        );
        let bare = "[[mutant]]\nfile = \"b.rs\"";
        assert_eq!(
            with_references(bare, digest_of),
            "[[mutant]]\nfile = \"b.rs\"\nreference = \"new b.rs\"\n"
        );
    }
}
