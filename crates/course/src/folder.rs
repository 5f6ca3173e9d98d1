//! A lab's folder: what must lie in it, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::lab::{Kind, Lab};
use crate::readme;

/// The fewest cases of a lab, shown and hidden together, and the most.
const CASES: std::ops::RangeInclusive<usize> = 10..=40;

/// The fewest mutants.
const MUTANTS: usize = 3;

/// What a case file says, as far as the folder goes.
#[derive(Deserialize)]
struct Named {
    case: String,
    rule: String,
}

/// What is wrong with a lab's folder, each as a sentence that begins with the file.
pub fn problems(lab: &Lab) -> Vec<String> {
    let mut problems = Vec::new();
    let shown = names(lab, "cases", &mut problems);
    let hidden = names(lab, "hidden", &mut problems);
    if lab.kind == Kind::Code {
        let cases = shown.len() + hidden.len();
        if !CASES.contains(&cases) {
            problems.push(format!("cases: a lab has {} to {}; it has {cases}", CASES.start(), CASES.end()));
        }
        if hidden.is_empty() {
            problems.push("hidden: there is no case that the README does not show".to_owned());
        }
        if lab.mutants.len() < MUTANTS {
            problems
                .push(format!("lab.toml: a lab has {MUTANTS} mutants or more; it has {}", lab.mutants.len()));
        }
    }
    if !(30..=90).contains(&lab.minutes) {
        problems.push(format!("lab.toml: a lab takes 30 to 90 minutes; it says {}", lab.minutes));
    }
    if lab.mutants.iter().filter(|mutant| mutant.visible).count() > 1 {
        problems.push("lab.toml: more than one mutant is marked visible".to_owned());
    }
    let mut files = BTreeSet::new();
    for mutant in &lab.mutants {
        if !files.insert(&mutant.file) {
            problems.push(format!("lab.toml: two mutants are in {}", mutant.file));
        }
    }
    strays(lab, &shown.union(&hidden).cloned().collect(), &mut problems);
    match std::fs::read_to_string(lab.dir.join("README.md")) {
        Ok(text) => {
            problems.extend(readme::problems(&text, lab));
            let visible = lab.mutants.iter().filter(|mutant| mutant.visible && !text.contains(&mutant.file));
            problems.extend(visible.map(|mutant| {
                format!("README.md: it does not say how to see the visible mutant {}", mutant.file)
            }));
        }
        // That it is missing is said with everything else that is.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => problems.push(format!("README.md: {e}")),
    }
    problems
}

/// The names of the cases in a folder.
fn names(lab: &Lab, folder: &str, problems: &mut Vec<String>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files(&lab.dir.join(folder), problems) {
        if !file.ends_with(".yaml") {
            continue;
        }
        let text = match std::fs::read_to_string(lab.dir.join(folder).join(&file)) {
            Ok(text) => text,
            Err(e) => {
                problems.push(format!("{folder}/{file}: {e}"));
                continue;
            }
        };
        match serde_yaml_ng::from_str::<Vec<Named>>(&text) {
            Ok(cases) => {
                for Named { case, rule } in cases {
                    if rule.contains('\n') || rule.trim().is_empty() {
                        problems.push(format!(
                            "{folder}/{file}: the rule of {case} must be one clause on one line"
                        ));
                    }
                    if !names.insert(case.clone()) {
                        problems.push(format!("{folder}/{file}: there are two cases {case}"));
                    }
                }
            }
            Err(e) => problems.push(format!("{folder}/{file}: {e}")),
        }
    }
    names
}

/// What is missing, and what lies there that belongs to nothing.
fn strays(lab: &Lab, cases: &BTreeSet<String>, problems: &mut Vec<String>) {
    let mut wanted: BTreeSet<String> = ["lab.toml", "README.md", "check.rs"].map(str::to_owned).into();
    wanted.extend(cases.iter().map(|case| format!("snapshots/{case}.snap")));
    wanted.extend(lab.mutants.iter().map(|mutant| format!("mutants/{}", mutant.file)));
    let mut there: BTreeSet<String> = files(&lab.dir, problems).into_iter().collect();
    for folder in ["cases", "hidden", "snapshots", "mutants"] {
        there.remove(folder);
        there.extend(
            files(&lab.dir.join(folder), problems).into_iter().map(|file| format!("{folder}/{file}")),
        );
    }
    let is_case_file =
        |file: &str| (file.starts_with("cases/") || file.starts_with("hidden/")) && file.ends_with(".yaml");
    for file in wanted.difference(&there) {
        let how = if file.starts_with("snapshots/") { "; `cargo xtask lab snapshots` makes it" } else { "" };
        problems.push(format!("{file}: it is missing{how}"));
    }
    for file in there.difference(&wanted).filter(|file| !is_case_file(file)) {
        problems.push(format!("{file}: it belongs to nothing in the lab"));
    }
}

/// The names in a folder, sorted; none if it is not there.
fn files(folder: &Path, problems: &mut Vec<String>) -> Vec<String> {
    if !folder.exists() {
        return Vec::new();
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => {
            problems.push(format!("{}: {e}", folder.display()));
            return Vec::new();
        }
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A sound lab: ten cases, three mutants.
    fn sound() -> (tempfile::TempDir, Lab) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("04-next");
        for folder in ["cases", "hidden", "snapshots", "mutants"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        let mut manifest = "id = \"04\"\ntitle = \"What next?\"\ncrate = \"k\"\nminutes = 75\nfailing = 11\nhints = [\"1\", \"2\", \"3\"]\n\
             [[region]]\nanchor = \"lab04_a\"\nfile = \"src/lib.rs\"\nfunctions = [\"a\"]\n"
            .to_owned();
        for number in 1..=3 {
            manifest += &format!(
                "[[mutant]]\nfile = \"m{number}.rs\"\nregion = \"lab04_a\"\nwrong = \"w\"\ncase = \"c1\"\n"
            );
            fs::write(dir.join(format!("mutants/m{number}.rs")), "").unwrap();
        }
        fs::write(dir.join("lab.toml"), &manifest).unwrap();
        fs::write(dir.join("check.rs"), "").unwrap();
        for number in 1..=10 {
            let folder = if number > 8 { "hidden" } else { "cases" };
            let case = format!("- {{case: c{number}, rule: r, go: g, input: 1}}");
            fs::write(dir.join(format!("{folder}/{number}.yaml")), case).unwrap();
            fs::write(dir.join(format!("snapshots/c{number}.snap")), "").unwrap();
        }
        let lab = Lab::read(&dir).unwrap();
        let mut text =
            format!("# Lab 04 · What next?\n\n<!-- lab -->\n{}\n<!-- /lab -->\n", readme::line(&lab));
        for section in [
            "Goal",
            "Read first",
            "Predict",
            "Steps",
            "See it live",
            "Test your understanding",
            "Going further",
        ] {
            text += &format!("\n## {section}\n");
        }
        fs::write(dir.join("README.md"), text).unwrap();
        (root, lab)
    }

    #[test]
    fn a_sound_lab_has_no_problem() {
        let (_root, lab) = sound();
        assert_eq!(problems(&lab), Vec::<String>::new());
    }

    #[test]
    fn every_stray_and_every_missing_file_is_named() {
        let (_root, lab) = sound();
        for (file, problem) in [
            ("notes.txt", "notes.txt: it belongs to nothing in the lab"),
            ("cases/notes.txt", "cases/notes.txt: it belongs to nothing in the lab"),
            ("snapshots/c99.snap", "snapshots/c99.snap: it belongs to nothing in the lab"),
            ("snapshots/c1.snap.new", "snapshots/c1.snap.new: it belongs to nothing in the lab"),
            ("mutants/m4.rs", "mutants/m4.rs: it belongs to nothing in the lab"),
        ] {
            let path = lab.dir.join(file);
            fs::write(&path, "").unwrap();
            assert_eq!(problems(&lab), [problem]);
            fs::remove_file(&path).unwrap();
        }
        for (file, problem) in [
            ("snapshots/c1.snap", "snapshots/c1.snap: it is missing; `cargo xtask lab snapshots` makes it"),
            ("mutants/m1.rs", "mutants/m1.rs: it is missing"),
            ("check.rs", "check.rs: it is missing"),
        ] {
            let path = lab.dir.join(file);
            fs::remove_file(&path).unwrap();
            assert_eq!(problems(&lab), [problem]);
            fs::write(&path, "").unwrap();
        }
    }

    #[test]
    fn too_few_of_anything_is_a_problem() {
        let (_root, mut lab) = sound();
        lab.mutants.pop();
        lab.minutes = 20;
        fs::remove_file(lab.dir.join("mutants/m3.rs")).unwrap();
        for case in [9, 10] {
            fs::remove_file(lab.dir.join(format!("hidden/{case}.yaml"))).unwrap();
            fs::remove_file(lab.dir.join(format!("snapshots/c{case}.snap"))).unwrap();
        }
        let text = fs::read_to_string(lab.dir.join("README.md")).unwrap();
        fs::write(lab.dir.join("README.md"), readme::with_line(&text, &lab).unwrap()).unwrap();
        assert_eq!(
            problems(&lab),
            [
                "cases: a lab has 10 to 40; it has 8",
                "hidden: there is no case that the README does not show",
                "lab.toml: a lab has 3 mutants or more; it has 2",
                "lab.toml: a lab takes 30 to 90 minutes; it says 20",
            ]
        );
    }

    #[test]
    fn the_readme_says_how_to_see_the_visible_mutant() {
        let (_root, mut lab) = sound();
        lab.mutants[1].visible = true;
        assert_eq!(problems(&lab), ["README.md: it does not say how to see the visible mutant m2.rs"]);
        let path = lab.dir.join("README.md");
        let text = fs::read_to_string(&path).unwrap() + "\nRun with `--mutant m2.rs`.\n";
        fs::write(&path, text).unwrap();
        assert_eq!(problems(&lab), Vec::<String>::new());
        lab.mutants[2].visible = true;
        assert_eq!(problems(&lab)[0], "lab.toml: more than one mutant is marked visible");
    }

    #[test]
    fn a_case_file_that_cannot_be_read_and_a_name_used_twice_are_problems() {
        let (_root, lab) = sound();
        fs::write(lab.dir.join("cases/1.yaml"), "- {case: c1, rule: r}\n- {case: c1, rule: ''}\n").unwrap();
        assert_eq!(
            problems(&lab),
            [
                "cases/1.yaml: the rule of c1 must be one clause on one line",
                "cases/1.yaml: there are two cases c1"
            ]
        );
        fs::write(lab.dir.join("cases/1.yaml"), "case: c1").unwrap();
        assert!(problems(&lab)[0].starts_with("cases/1.yaml: "), "{:?}", problems(&lab));
    }
}
