//! `cargo xtask lab verify`, `snapshots` and `lock`, on small courses made for it: a sound one, and one with every defect.
//!
//! A lab of these courses is one function that adds the lab's number. Their numbers begin at 80: the programs of their
//! checks lie beside those of the real labs.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The sections of a README, in their order.
const SECTIONS: [&str; 7] =
    ["Goal", "Read first", "Predict", "Steps", "See it live", "Test your understanding", "Going further"];

/// A course in a folder that is the same in each run, so that cargo builds it once.
struct Course {
    root: PathBuf,
}

impl Course {
    /// A sound course with these labs, its snapshots made and everything locked.
    fn sound(name: &str, labs: std::ops::RangeInclusive<u32>) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // Nothing of an earlier run, except what was built.
        for folder in ["crates", "labs"] {
            let _not_there = fs::remove_dir_all(root.join(folder));
        }
        let course = Self { root };
        let clone = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the clone");
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\n[workspace.dependencies]\n\
             keeper = {{ path = \"crates/keeper\" }}\nlab-check = {{ path = {:?} }}\n\n\
             [profile.dev]\ndebug = \"line-tables-only\"\n",
            clone.join("crates/lab-check")
        );
        course.put("Cargo.toml", &manifest);
        course.put("Cargo.lock", &fs::read_to_string(clone.join("Cargo.lock")).expect("Cargo.lock"));
        course.put(
            "crates/keeper/Cargo.toml",
            "[package]\nname = \"keeper\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        );
        let mut source = "//! Adds.\n".to_owned();
        for id in labs.clone() {
            let _ = write!(
                source,
                "\n// ANCHOR: lab{id}_add\n/// Adds {id}.\npub fn add{id}(n: u32) -> u32 {{\n    n + {id}\n}}\n// ANCHOR_END: lab{id}_add\n"
            );
            course.put_lab(id);
        }
        course.put("crates/keeper/src/lib.rs", &source);
        let asked: Vec<String> = labs.map(|id| id.to_string()).collect();
        let made = course.lab("snapshots", &asked.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(made.status.success(), "{}", text(&made));
        let locked = course.lab("lock", &[]);
        assert!(locked.status.success(), "{}", text(&locked));
        course
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Changes a file; what is changed must be there.
    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from}:\n{text}");
        self.put(path, &text.replacen(from, to, 1));
    }

    /// A sound lab: ten cases, of which two are hidden, a property and three mutants.
    fn put_lab(&self, id: u32) {
        let lab = format!("labs/{id}-add");
        let mut manifest = format!(
            "id = \"{id}\"\ntitle = \"Add {id}\"\ncrate = \"keeper\"\nminutes = 30\nfailing = 11\nneeds = []\n\
             hints = [\"add\", \"add {id}\", \"n + {id}\"]\n\n\
             [[region]]\nanchor = \"lab{id}_add\"\nfile = \"src/lib.rs\"\nfunctions = [\"add{id}\"]\n"
        );
        for (file, body) in [
            ("one-more.rs", format!("n + {id} + 1")),
            ("nothing.rs", "n".to_owned()),
            ("panics.rs", "panic!(\"{n}\")".to_owned()),
        ] {
            let _ = write!(
                manifest,
                "\n[[mutant]]\nfile = \"{file}\"\nregion = \"lab{id}_add\"\nwrong = \"adds something else\"\ncase = \"c0\"\nreference = \"\"\n"
            );
            self.put(&format!("{lab}/mutants/{file}"), &mutant(id, &body));
        }
        self.put(&format!("{lab}/lab.toml"), &manifest);
        let cases = |numbers: std::ops::Range<u32>| -> String {
            numbers
                .map(|n| format!("- case: c{n}\n  rule: it adds\n  go: adder.go#Add\n  input: {n}\n"))
                .collect()
        };
        self.put(&format!("{lab}/cases/few.yaml"), &cases(0..8));
        self.put(&format!("{lab}/hidden/more.yaml"), &cases(8..10));
        self.put(
            &format!("{lab}/check.rs"),
            &format!(
                "//! What lab {id} asks.\n\nuse std::process::ExitCode;\n\nuse lab_check::{{Check, Error}};\n\n\
                 fn main() -> ExitCode {{\n    Check::new()\n        \
                 .cases(|n: u32| -> Result<u32, Error> {{ Ok(keeper::add{id}(n)) }})\n        \
                 .property(\"grows\", \"the sum is more\", \"adder.go#Add\", 10..99u32, |n| {{\n            \
                 if keeper::add{id}(n) == n + {id} {{ Ok(()) }} else {{ Err(\"another sum\".to_owned()) }}\n        \
                 }})\n        .run()\n}}\n"
            ),
        );
        let mut readme = format!("# Lab {id} · Add {id}\n\n<!-- lab -->\n<!-- /lab -->\n");
        for section in SECTIONS {
            let _ = write!(readme, "\n## {section}\n\nText.\n");
        }
        self.put(&format!("{lab}/README.md"), &readme);
    }

    /// Runs an author's verb.
    fn lab(&self, verb: &str, arguments: &[&str]) -> Output {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        // Other people's crates are built there already.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target");
        xtask.args(["lab", verb, "--course"]).arg(&self.root).args(arguments);
        xtask.env("CARGO_TARGET_DIR", target).output().expect("xtask")
    }

    /// What `verify` says, as JSON.
    fn verify(&self) -> Value {
        let output = self.lab("verify", &["--json"]);
        let found: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}\n{}", text(&output)));
        assert_eq!(output.status.success(), found["ok"] == true);
        found
    }
}

fn mutant(id: u32, body: &str) -> String {
    format!("/// Adds {id}.\npub fn add{id}(n: u32) -> u32 {{\n    {body}\n}}\n")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The problems as `lab problem`.
fn problems(found: &Value) -> Vec<String> {
    let problems = found["problems"].as_array().expect("problems");
    problems
        .iter()
        .map(|problem| {
            let said = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}", said("lab"), said("problem"))
        })
        .collect()
}

#[test]
fn a_sound_course_is_proven_and_locked() {
    let course = Course::sound("lab-verify-sound", 80..=81);
    let found = course.verify();
    assert_eq!(problems(&found), Vec::<String>::new());
    let rows: Vec<[u64; 4]> = found["labs"]
        .as_array()
        .expect("labs")
        .iter()
        .map(|row| {
            ["cases", "red_at_the_start", "mutants", "caught"].map(|key| row[key].as_u64().expect(key))
        })
        .collect();
    assert_eq!(rows, [[11, 11, 3, 3], [11, 11, 3, 3]]);
    assert!(
        course
            .read("labs/80-add/README.md")
            .contains("30 minutes · crate `keeper` · 11 cases are red at the start\n")
    );
    assert!(course.read("labs/80-add/snapshots/c9.snap").ends_with("description: it adds\n---\n89\n"));

    // A case more, one less: its snapshot comes, the other's goes, and the lock notices until it is told.
    course.edit("labs/80-add/hidden/more.yaml", "c9\n", "c10\n");
    let changed = text(&course.lab("snapshots", &["80"]));
    assert!(changed.contains("lab 80: 9 the same\n  new      c10\n  removed  c9\n"), "{changed}");
    let stale = problems(&course.verify());
    let files: Vec<&str> = stale.iter().filter_map(|problem| problem.split_whitespace().nth(2)).collect();
    assert_eq!(
        files,
        ["labs/80-add/hidden/more.yaml", "labs/80-add/snapshots/c10.snap", "labs/80-add/snapshots/c9.snap"],
        "{stale:?}"
    );
    assert!(course.lab("lock", &[]).status.success());
    assert_eq!(problems(&course.verify()), Vec::<String>::new());
}

#[test]
fn each_defect_is_told_and_hides_no_other() {
    let course = Course::sound("lab-verify-broken", 85..=96);
    let source = "crates/keeper/src/lib.rs";

    // A case that asks for nothing.
    course.edit(
        "labs/85-add/check.rs",
        "Ok(keeper::add85(n))",
        "Ok(if n == 3 { 88 } else { keeper::add85(n) })",
    );
    // An answer that the reference does not give.
    course.edit("labs/86-add/snapshots/c0.snap", "---\n86", "---\n87");
    // A check that nobody formatted, and one that warns.
    course.edit("labs/92-add/check.rs", "        .run()", "            .run()");
    course.edit(
        "labs/94-add/check.rs",
        "fn main() -> ExitCode {\n",
        "fn main() -> ExitCode {\n    let unused = 1;\n",
    );
    // A property that holds only for the values of the seed that checks have by themselves.
    course.edit("labs/93-add/check.rs", "10..99u32", "0..1_000_000u32");
    course.edit("labs/93-add/check.rs", "== n + 93 {", "== n + 93 + (n + 8) % 500 / 499 {");
    course.edit("labs/93-add/check.rs", "another sum", "no");
    // A mutant that is right, and a file that belongs to nothing.
    course.put("labs/87-add/mutants/nothing.rs", &mutant(87, "87 + n"));
    course.put("labs/87-add/notes.txt", "later");
    // Mutants that do not compile: alone, and by the signature.
    course.put("labs/88-add/mutants/nothing.rs", &mutant(88, "n + \"88\""));
    course.put("labs/88-add/mutants/one-more.rs", &mutant(88, "n as u32").replace("-> u32", "-> u64"));
    // A mutant that ends the process, and one that ends it otherwise.
    course.put("labs/89-add/mutants/nothing.rs", &mutant(89, "std::process::exit(n as i32)"));
    course.put(
        "labs/89-add/mutants/one-more.rs",
        &mutant(89, "if n == 1 { std::process::abort() } else { n }"),
    );
    // Another number of red cases than announced.
    course.edit("labs/90-add/lab.toml", "failing = 11", "failing = 12");
    // One lab's function calls another's, which no one says; and one says so without need.
    course.edit(source, "n + 91", "add92(n) - 1");
    course.edit("labs/93-add/lab.toml", "needs = []", "needs = [\"85\"]");
    // Regions that overlap.
    course.edit(
        source,
        "// ANCHOR_END: lab94_add\n\n// ANCHOR: lab95_add",
        "\n// ANCHOR: lab95_add\n// Both.\n// ANCHOR_END: lab94_add",
    );
    // A mutant that another case catches than it says, and one that names no case.
    course.put("labs/96-add/mutants/nothing.rs", &mutant(96, "if n > 7 { n } else { n + 96 }"));
    course.edit(
        "labs/96-add/lab.toml",
        "wrong = \"adds something else\"\ncase = \"c0\"",
        "wrong = \"w\"\ncase = \"c99\"",
    );

    // All this is meant, as far as the lock goes. Regions changed, so it wants to know that mutants were looked at.
    let asked = course.lab("lock", &[]);
    assert!(!asked.status.success());
    assert!(
        text(&asked).contains("lab91_add changed since mutants/nothing.rs was written."),
        "{}",
        text(&asked)
    );
    assert!(course.lab("lock", &["--yes"]).status.success());
    // And this is not meant.
    course.edit("labs/86-add/cases/few.yaml", "it adds", "it subtracts");
    course.edit(source, "n + 90", "// As ever.\n    n + 90");

    let expected = [
        "85 lab.toml: failing = 11, but 10 are red at the start",
        "85 the starter: c3 is green although nothing is written yet",
        "86 labs/snapshots.lock: labs/86-add/cases/few.yaml was edited; `git checkout -- labs/86-add/cases/few.yaml` restores it; if it is meant, `cargo xtask lab lock`",
        "86 the reference: c0 is red: expected `87`, got `86`",
        "87 mutants/nothing.rs: it survives: adds something else, and all is green",
        "87 notes.txt: it belongs to nothing in the lab",
        "88 mutants/nothing.rs: it does not compile: error[E0277]: cannot add `&str` to `u32`",
        "88 mutants/one-more.rs: its `add88` has another signature: `pub fn add88(n: u32) -> u64` instead of `pub fn add88(n: u32) -> u32`",
        "89 mutants/nothing.rs: the process ended with code 0 in c0; it must give a wrong answer, not end the check",
        "89 mutants/one-more.rs: the process died of signal 6 in c1; it must give a wrong answer, not end the check",
        "90 lab.toml: failing = 12, but 11 are red at the start",
        "90 mutants/nothing.rs: lab90_add changed since it was written; look at it again, then `cargo xtask lab lock`",
        "90 mutants/one-more.rs: lab90_add changed since it was written; look at it again, then `cargo xtask lab lock`",
        "90 mutants/panics.rs: lab90_add changed since it was written; look at it again, then `cargo xtask lab lock`",
        "91 lab.toml: needs lacks 92: with that lab's regions blank 11 of 11 are red: c0, c1, c2, c3, c4 and 6 more (panicked at crates/keeper/src/lib.rs: not yet implemented: lab 92: add)",
        "92 check.rs: rustfmt would change it",
        "93 lab.toml: needs has 85, but all stays green with that lab's regions blank",
        "93 the reference with --seed 18446744073709551615: grows is red: no",
        "93 the reference with --seed 20261124: grows is red: no",
        "93 the reference with --seed 2: grows is red: no",
        "94 check.rs: it does not compile: error: unused variable: `unused`",
        "95 lab95_add: it overlaps with lab94_add",
        "96 mutants/nothing.rs: c0 is green under it; red are c8, c9, grows",
        "96 mutants/one-more.rs: there is no case c99",
    ];
    let mut found = problems(&course.verify());
    // Line and column in the generated file say nothing here.
    for problem in &mut found {
        if let Some((before, after)) = problem.split_once("lib.rs:")
            && let Some((_, rest)) = after.split_once(": ")
        {
            *problem = format!("{before}lib.rs: {rest}");
        }
    }
    assert_eq!(found, expected, "\n{}", found.join("\n"));
}

#[test]
fn a_lab_that_cannot_be_read_stops_it() {
    let course = Course { root: Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab-verify-unreadable") };
    course.put_lab(80);
    course.edit("labs/80-add/lab.toml", ", \"n + 80\"]", "]");
    let output = course.lab("verify", &[]);
    assert!(!output.status.success());
    assert!(text(&output).contains("labs/80-add/lab.toml: hints must be three"), "{}", text(&output));
}
