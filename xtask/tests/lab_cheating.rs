//! What a tired learner may try, and what must not turn a check green.
//!
//! Whoever reads the clone finds every answer: the checks guard against reflex, not against intent. All tests here share one
//! workbook and what is built from it; one after the other holds it.

mod learner;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use course::lab::Lab;
use learner::{Learner, clone};
use serde_json::Value;

/// The lab with the smallest crate.
const LAB: &str = "06";

/// Its file with a region in it.
const FILE: &str = "crates/pod-config/src/diff.rs";

/// The shared workbook, with the lab's functions as the reference has them.
struct Book {
    learner: Learner,
    lab: Lab,
    solved: String,
}

impl Book {
    /// Waits for its turn, and puts everything right that the one before has changed.
    fn take() -> MutexGuard<'static, Book> {
        static BOOK: OnceLock<Mutex<Book>> = OnceLock::new();
        let book = BOOK.get_or_init(|| {
            let learner = Learner::new("cheating");
            learner.lab(&["start", LAB]).exits(0);
            learner.lab(&["solve", LAB, "--yes"]).exits(0);
            let solved = learner.read(FILE);
            Mutex::new(Book { learner, lab: course::lab::one(&clone(), LAB).expect("the lab"), solved })
        });
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        book.learner.environment.clear();
        book.learner.write(FILE, &book.solved);
        book
    }

    /// The check's report, which must have this exit code.
    #[track_caller]
    fn check(&self, code: i32) -> Value {
        self.learner.lab(&["check", LAB, "--json"]).exits(code).json()
    }

    fn blank(&self) {
        self.learner.rewrite(&self.lab, |_, _| format!("todo!(\"lab {LAB}: not yet\")"));
    }

    /// Puts a line before the body of one function.
    fn begin_with(&self, function: &str, line: &str) {
        self.learner.rewrite(&self.lab, |name, body| {
            if name == function { format!("{line}\n{body}") } else { body.to_owned() }
        });
    }
}

/// How many cases of a kind are red.
fn red(report: &Value, kind: &str) -> usize {
    let cases = report["cases"].as_array().expect("cases");
    cases.iter().filter(|case| case["kind"] == kind && case["outcome"] != "green").count()
}

#[test]
fn the_reference_is_green_and_a_blank_region_is_red_everywhere() {
    let book = Book::take();
    let report = book.check(0);
    assert_eq!((&report["green"], &report["red"]), (&Value::from(true), &Value::from(0)), "{report:#}");
    book.blank();
    let report = book.check(1);
    assert_eq!(report["red"], Value::from(book.lab.failing), "{report:#}");
    let said = book.learner.lab(&["check", LAB]).exits(1).out;
    assert!(said.contains("Nothing is written yet"), "{said}");
}

#[test]
fn no_environment_variable_makes_a_check_green() {
    let mut book = Book::take();
    book.blank();
    let all = book.check(1);
    let everywhere = clone().display().to_string();
    book.learner.environment = vec![
        ("INSTA_UPDATE", "always".to_owned()),
        ("INSTA_FORCE_PASS", "1".to_owned()),
        ("INSTA_FORCE_UPDATE", "1".to_owned()),
        ("INSTA_FORCE_UPDATE_SNAPSHOTS", "1".to_owned()),
        ("INSTA_WORKSPACE_ROOT", everywhere.clone()),
        ("INSTA_SNAPSHOT_REFERENCES_FILE", format!("{everywhere}/target/none")),
        ("INSTA_OUTPUT", "none".to_owned()),
        ("PROPTEST_CASES", "0".to_owned()),
        ("PROPTEST_MAX_SHRINK_ITERS", "0".to_owned()),
        ("LAB_SNAPSHOTS", "write".to_owned()),
        ("LAB_DIR", book.learner.book.display().to_string()),
        ("LAB_REPORT", "/dev/null".to_owned()),
        ("LAB_SEED", "no number".to_owned()),
        ("RUSTFLAGS", "--cfg lab_is_green".to_owned()),
        ("CARGO_TARGET_DIR", "/dev/null".to_owned()),
        ("CARGO_PROFILE_DEV_PANIC", "abort".to_owned()),
    ];
    assert_eq!(book.check(1), all);
    assert!(!clone().join("labs").join(&book.lab.name).join("snapshots").join("none.snap").exists());
}

#[test]
fn what_lies_in_the_workbook_has_no_say() {
    let book = Book::take();
    book.blank();
    let all = book.check(1);
    // Cases that ask nothing, snapshots that want nothing, a check that says yes, and settings for cargo.
    let folder = format!("labs/{}", book.lab.name);
    book.learner.write(&format!("{folder}/cases/00.yaml"), "[]\n");
    book.learner.write(&format!("{folder}/snapshots/a-new-pod-is-added.snap"), "---\n---\nanything\n");
    book.learner.write(&format!("{folder}/check.rs"), "fn main() {}\n");
    book.learner.write("labs/snapshots.lock", "");
    let config = book.learner.read(".cargo/config.toml");
    let swayed = "\n[env]\nINSTA_FORCE_PASS = { value = \"1\", force = true }\n";
    book.learner.write(".cargo/config.toml", &format!("{config}{swayed}"));
    // A build script of the learner's crate, too, speaks to that crate only.
    let script = "fn main() {\n    println!(\"cargo::rustc-env=INSTA_FORCE_PASS=1\");\n    \
                  println!(\"cargo::rustc-env=LAB_SNAPSHOTS=write\");\n}\n";
    book.learner.write("crates/pod-config/build.rs", script);
    assert_eq!(book.check(1), all);
    std::fs::remove_file(book.learner.book.join("crates/pod-config/build.rs")).expect("removed");
    book.learner.write(".cargo/config.toml", &config);
}

#[test]
fn a_todo_that_is_commented_out_is_told_by_the_compiler() {
    let book = Book::take();
    book.learner.rewrite(&book.lab, |_, _| "// todo!(\"later\")".to_owned());
    let report = book.check(1);
    assert_eq!(
        (&report["ended"], &report["green"]),
        (&"does-not-compile".into(), &false.into()),
        "{report:#}"
    );
    let said = book.learner.lab(&["check", LAB]).exits(1).out;
    assert!(said.contains("error[E0308]") && said.contains("It does not compile"), "{said}");
    assert!(said.contains("diff.rs"), "{said}");
}

#[test]
fn answers_for_the_shown_cases_alone_fail_the_hidden_ones_and_the_properties() {
    let book = Book::take();
    // As if learned by heart: right for every pod that the README shows, and for no other.
    let mut shown = Vec::new();
    let folder = clone().join("labs").join(&book.lab.name).join("cases");
    let pods = regex::Regex::new(r"name: ([a-z0-9-]+), uid: ([a-z0-9-]+)").expect("a pattern");
    for entry in std::fs::read_dir(folder).expect("cases") {
        let text = std::fs::read_to_string(entry.expect("a case").path()).expect("read");
        shown.extend(pods.captures_iter(&text).map(|pod| (pod[1].to_owned(), pod[2].to_owned())));
    }
    let by_heart = format!(
        "let shown: &[(&str, &str)] = &{shown:?};\n\
         let is_shown = |pod: &Arc<Pod>| {{\n    let of = PodRef::of(pod);\n    \
         shown.iter().any(|(name, uid)| of.name == *name && of.uid.as_str() == *uid)\n}};\n\
         if !new.iter().all(is_shown) {{\n    return Changes::default();\n}}"
    );
    book.begin_with("diff", &by_heart);
    let report = book.check(1);
    assert_eq!(red(&report, "case"), 0, "{report:#}");
    assert!(red(&report, "hidden") > 0 && red(&report, "property") > 0, "{report:#}");
}

#[test]
fn a_program_that_ends_itself_is_red() {
    let book = Book::take();
    for line in [
        "std::process::exit(0);",
        "std::panic::set_hook(Box::new(|_| std::process::exit(0)));\npanic!(\"away\");",
        "std::process::abort();",
        // Nothing is left of the report.
        "if let Some(report) = std::env::var_os(\"LAB_REPORT\") {\n    let _gone = std::fs::remove_file(report);\n}\n\
         std::process::exit(0);",
    ] {
        book.begin_with("diff", line);
        let report = book.check(1);
        assert_eq!(
            (&report["ended"], &report["green"]),
            (&"died".into(), &false.into()),
            "{line}: {report:#}"
        );
        assert_eq!(report["red"], report["of"], "{line}");
        let list = book.learner.lab(&["list", "--json"]).exits(0).json();
        let entry = list.as_array().expect("labs").iter().find(|lab| lab["lab"] == LAB).expect("the lab");
        assert!(entry["red"].as_u64() > Some(0), "{line}: {entry:#}");
        book.learner.write(FILE, &book.solved);
    }
}

#[test]
fn a_loop_without_an_end_is_ended_and_told_with_the_case_that_ran() {
    let book = Book::take();
    book.begin_with("diff", "if !old.is_empty() {\n    loop {}\n}");
    let report = book.check(1);
    assert_eq!(report["ended"], "hung", "{report:#}");
    let reason = report["reason"].as_str().expect("a reason");
    let running = report["cases"].as_array().expect("cases").iter().find(|case| case["outcome"] == "missing");
    let running = running.expect("one that was not reached")["name"].as_str().expect("a name");
    assert!(reason.contains(running) && reason.contains("loop"), "{reason}");
}
