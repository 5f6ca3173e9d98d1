//! Whole runs of a check, as processes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lab_check::report::{self, Change, Event, Kind, Outcome, Verdict};
use tempfile::TempDir;

const CASES: &str = "
- {case: always, rule: Always means always, go: g, input: {policy: Always, code: 0}}
- {case: success, rule: a success stays down, go: g, input: {policy: OnFailure, code: 0}}
";
const HIDDEN: &str = "
- {case: never, rule: Never means never, go: g, input: {policy: Never, code: 1}}
";

/// A lab with its snapshots made.
fn lab() -> TempDir {
    let lab = tempfile::tempdir().unwrap();
    for folder in ["cases", "hidden"] {
        fs::create_dir(lab.path().join(folder)).unwrap();
    }
    fs::write(lab.path().join("cases/a.yaml"), CASES).unwrap();
    fs::write(lab.path().join("hidden/a.yaml"), HIDDEN).unwrap();
    let (output, _) = check(lab.path(), &[("LAB_SNAPSHOTS", "write")]);
    assert!(output.status.success(), "{output:?}");
    lab
}

/// Where cargo put the example: `target/debug/examples`, beside this test's `deps`.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples/restart")
}

/// Runs the check, with a report.
fn check(lab: &Path, environment: &[(&str, &str)]) -> (Output, Vec<Event>) {
    let report = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(example());
    command.env("LAB_DIR", lab).env("LAB_REPORT", report.path()).envs(environment.iter().copied());
    let output = command.output().expect("the example: `cargo test -p lab-check` builds it");
    (output, report::read(fs::read(report.path()).unwrap().as_slice()).unwrap())
}

/// The verdicts of a report, by name.
fn verdicts(events: Vec<Event>) -> BTreeMap<String, Verdict> {
    let verdicts = events.into_iter().filter_map(|event| match event {
        Event::Verdict(verdict) => Some((verdict.name.clone(), verdict)),
        _ => None,
    });
    verdicts.collect()
}

/// The names of what is red.
fn red(events: Vec<Event>) -> Vec<String> {
    verdicts(events).into_values().filter(|v| v.outcome.is_red()).map(|v| v.name).collect()
}

#[test]
fn the_right_code_is_green_from_plan_to_end() {
    let (output, events) = check(lab().path(), &[]);
    assert_eq!(output.status.code(), Some(0));
    let names = ["always", "success", "never", "success-ends-it", "it-is-day"].map(str::to_owned).to_vec();
    assert_eq!(events[0], Event::Plan { seed: lab_check::SEED, names });
    assert_eq!(events.last(), Some(&Event::End));
    let verdicts = verdicts(events);
    assert!(verdicts.values().all(|v| v.outcome == Outcome::Green), "{verdicts:?}");
    assert_eq!(verdicts["never"].kind, Kind::Hidden);
    assert_eq!(verdicts["never"].rule, "Never means never");
}

#[test]
fn a_wrong_answer_is_shown_with_the_right_one_and_the_property_fails_too() {
    let (output, events) = check(lab().path(), &[("RESTART_AS", "wrong")]);
    assert_eq!(output.status.code(), Some(1));
    let verdicts = verdicts(events);
    assert_eq!(
        verdicts["success"].outcome,
        Outcome::Wrong {
            input: "policy: OnFailure\ncode: 0\n".to_owned(),
            expected: "restart: false".to_owned(),
            got: "restart: true\n".to_owned(),
        }
    );
    assert!(matches!(&verdicts["success-ends-it"].outcome, Outcome::Disproved { value, .. } if value == "0"));
    assert_eq!(verdicts["always"].outcome, Outcome::Green);
}

#[test]
fn a_panic_makes_one_case_red_and_the_next_one_runs() {
    let (output, events) = check(lab().path(), &[("RESTART_AS", "todo")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(events.last(), Some(&Event::End));
    let verdicts = verdicts(events);
    for name in ["always", "success", "never", "success-ends-it"] {
        let outcome = &verdicts[name].outcome;
        assert!(
            matches!(outcome, Outcome::Panicked { message, at, .. }
                if message.ends_with("lab 99: who restarts?") && at.contains("restart.rs:")),
            "{name}: {outcome:?}"
        );
    }
    assert_eq!(verdicts["it-is-day"].outcome, Outcome::Green);
}

#[test]
fn code_that_ends_the_process_leaves_a_report_without_an_end() {
    let (output, events) = check(lab().path(), &[("RESTART_AS", "exit")]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(events.last(), Some(&Event::Begin { name: "success".to_owned() }));
}

#[test]
fn instas_own_variables_have_no_say() {
    let lab = lab();
    let snapshot = lab.path().join("snapshots/success.snap");
    let before = fs::read_to_string(&snapshot).unwrap();
    for insta in [
        [("INSTA_UPDATE", "always"), ("INSTA_FORCE_PASS", "1")],
        [("INSTA_UPDATE", "force"), ("INSTA_FORCE_UPDATE_SNAPSHOTS", "1")],
        [("INSTA_FORCE_PASS", "1"), ("INSTA_WORKSPACE_ROOT", "/")],
    ] {
        let (output, events) = check(lab.path(), &[&[("RESTART_AS", "wrong")], &insta[..]].concat());
        assert_eq!(output.status.code(), Some(1), "{insta:?}");
        assert_eq!(red(events), ["success", "success-ends-it"], "{insta:?}");
        assert_eq!(fs::read_to_string(&snapshot).unwrap(), before, "{insta:?}");
    }
    assert_eq!(fs::read_dir(lab.path().join("snapshots")).unwrap().count(), 3);
}

#[test]
fn proptests_own_variables_have_no_say() {
    let none = [("PROPTEST_CASES", "0"), ("PROPTEST_MAX_SHRINK_ITERS", "0"), ("RESTART_AS", "wrong")];
    let (_, events) = check(lab().path(), &none);
    assert_eq!(red(events.clone()), ["success", "success-ends-it"]);
    // Still the smallest of the values that fail.
    let shown = verdicts(events)["success-ends-it"].outcome.clone();
    assert_eq!(shown, Outcome::Disproved { value: "0".to_owned(), why: "it was started".to_owned() });
}

#[test]
fn snapshots_are_written_with_their_rule_and_say_what_changed() {
    let lab = lab();
    let snapshot = lab.path().join("snapshots/success.snap");
    let text = fs::read_to_string(&snapshot).unwrap();
    assert_eq!(
        text,
        "---\nsource: crates/lab-check/src/snapshot.rs\ndescription: a success stays down\n---\nrestart: false\n"
    );
    fs::write(&snapshot, text.replace("false", "true")).unwrap();
    fs::remove_file(lab.path().join("snapshots/never.snap")).unwrap();
    let (output, events) = check(lab.path(), &[("LAB_SNAPSHOTS", "write")]);
    assert!(output.status.success(), "{output:?}");
    let verdicts = verdicts(events);
    let written = |change| Outcome::Written { change };
    assert_eq!(verdicts["always"].outcome, written(Change::Same));
    assert_eq!(verdicts["success"].outcome, written(Change::Changed));
    assert_eq!(verdicts["never"].outcome, written(Change::New));
    assert_eq!(fs::read_to_string(&snapshot).unwrap(), text);
}

#[test]
fn what_was_not_observed_is_red_with_what_was_seen() {
    let (_, events) = check(lab().path(), &[("RESTART_NIGHT", "1")]);
    let outcome = Outcome::Disproved { value: String::new(), why: "it is night".to_owned() };
    assert_eq!(verdicts(events)["it-is-day"].outcome, outcome);
}

#[test]
fn a_case_that_the_check_cannot_use_is_red() {
    let lab = lab();
    let more = "
- {case: unreadable, rule: r, go: g, input: {policy: Always, code: many}}
- {case: unanswered, rule: r, go: g, input: {policy: Sometimes, code: 1}}
- {case: unknown, rule: r, go: g, input: {policy: Always, code: 1}}
";
    fs::write(lab.path().join("hidden/b.yaml"), more).unwrap();
    let verdicts = verdicts(check(lab.path(), &[]).1);
    let unusable = |name: &str| match &verdicts[name].outcome {
        Outcome::Unusable { why } => why.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert!(unusable("unreadable").contains("cannot be read"));
    assert!(unusable("unknown").contains("unknown.snap"));
    assert!(
        matches!(&verdicts["unanswered"].outcome, Outcome::NoAnswer { why, .. } if why == "there is no such policy")
    );
}

#[test]
fn a_check_that_cannot_run_says_why() {
    let lab = lab();
    for (variable, value, says) in [
        ("LAB_DIR", "/no/such/lab", "LAB_DIR=/no/such/lab: there is no such folder"),
        ("LAB_SEED", "dice", "LAB_SEED=dice: not a number"),
        ("LAB_SNAPSHOTS", "accept", "LAB_SNAPSHOTS=accept: only `write` is known"),
    ] {
        let (output, _) = check(lab.path(), &[(variable, value)]);
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn without_a_report_the_text_goes_to_standard_output() {
    let lab = lab();
    let run = Command::new(example()).env("LAB_DIR", lab.path()).env("RESTART_AS", "wrong").output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains("green   always\n"), "{text}");
    assert!(text.contains("RED     success\n  rule: a success stays down\n"), "{text}");
    assert!(text.ends_with("\n2 of 5 are red.\n"), "{text}");
}
