//! The life of a workbook: started, written in, reset, solved, and never at the cost of what the learner wrote.

mod learner;

use course::lab::Lab;
use learner::{Learner, clone};

fn labs() -> Vec<Lab> {
    let labs = course::lab::all(&clone()).expect("labs");
    labs.into_iter().filter(|lab| !lab.regions.is_empty()).collect()
}

/// The text of a lab's regions in a workbook, or in the clone.
fn regions(root: &std::path::Path, lab: &Lab) -> Vec<String> {
    let folder = root.join("crates").join(lab.crate_name.as_deref().expect("a crate"));
    let text = |region: &course::lab::Region| {
        let source = std::fs::read_to_string(folder.join(&region.file)).expect("read");
        course::region::text(&source, &region.anchor).expect("a region").to_owned()
    };
    lab.regions.iter().map(text).collect()
}

fn state_of(learner: &Learner, lab: &Lab) -> serde_json::Value {
    let board = learner.lab(&["list", "--json"]).exits(0).json();
    let board = board.as_array().expect("a list").clone();
    board.into_iter().find(|row| row["lab"] == lab.id.as_str()).expect("the lab")
}

#[test]
fn a_lab_is_started_written_reset_and_solved_and_every_text_of_the_learner_is_kept() {
    let learner = Learner::new("one lab");
    let labs = labs();
    let (lab, other) = (&labs[0], &labs[1]);
    let id = lab.id.as_str();

    let early = learner.lab(&["check", id]).exits(2);
    assert!(early.err.contains("there is no workbook") && early.err.contains("lab start"), "{}", early.err);
    assert!(learner.lab(&["next"]).exits(0).out.contains("cargo xtask lab start"));

    let started = learner.lab(&["start", id]).exits(0);
    assert!(
        started.out.contains("Made your workbook") && started.out.contains("README.md"),
        "{}",
        started.out
    );
    assert_eq!(state_of(&learner, lab)["state"], "started");
    assert!(regions(&learner.book, lab).iter().all(|text| text.contains(&format!("todo!(\"lab {id}: "))));
    assert_eq!(regions(&learner.book, other), regions(&clone(), other), "the rest is the reference");

    // Written, and started once more: refused.
    learner.rewrite(lab, |_, _| "unreachable!(\"mine\")".to_owned());
    let again = learner.lab(&["start", id]).exits(1);
    assert!(again.err.contains("is started already") && again.err.contains("lab reset"), "{}", again.err);
    // Another lab is taken out, and this one stays as it is.
    learner.lab(&["start", &other.id]).exits(0);
    assert!(regions(&learner.book, lab).iter().all(|text| text.contains("mine")));
    assert_eq!(state_of(&learner, other)["current"], true);

    let diff = learner.lab(&["diff", id]).exits(1);
    assert!(diff.err.contains("--yes"), "it asks first: {}", diff.err);
    let diff = learner.lab(&["diff", id, "--yes"]).exits(0);
    assert!(diff.out.contains("- ") && diff.out.contains("unreachable!(\"mine\")"), "{}", diff.out);

    let reset = learner.lab(&["reset", id]).exits(0);
    assert!(regions(&learner.book, lab).iter().all(|text| text.contains("todo!")));
    let show = reset.out.lines().find_map(|line| line.strip_prefix("Your text is kept: ")).expect("where");
    let shown = std::process::Command::new("sh").arg("-c").arg(show).output().expect("git");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("mine"), "{show} has it");

    learner.lab(&["solve", id]).exits(1);
    learner.lab(&["solve", id, "--yes"]).exits(0);
    assert_eq!(regions(&learner.book, lab), regions(&clone(), lab), "byte for byte");
    assert_eq!(state_of(&learner, lab)["state"], "solved");
    assert!(learner.lab(&["diff", id]).exits(0).out.contains("is the reference's"));
}

#[test]
fn hints_come_one_by_one_and_are_counted() {
    let learner = Learner::new("hints");
    let lab = &labs()[0];
    learner.lab(&["start", &lab.id]).exits(0);
    assert_eq!(state_of(&learner, lab)["hints"], 1, "the first one stands in the code");
    let second = learner.lab(&["hint"]).exits(0).out;
    assert!(second.contains("2. ") && !second.contains("3. "), "{second}");
    let third = learner.lab(&["hint"]).exits(0).out;
    assert!(third.contains("3. ") && third.contains("lab solve"), "{third}");
    learner.lab(&["hint"]).exits(0);
    assert_eq!(state_of(&learner, lab)["hints"], 3);
}

#[test]
fn from_scratch_takes_every_lab_out() {
    let learner = Learner::new("everything");
    let labs = labs();
    learner.lab(&["start", &labs[0].id, "--from-scratch"]).exits(0);
    for lab in &labs {
        let blank = format!("todo!(\"lab {}: ", lab.id);
        assert!(regions(&learner.book, lab).iter().all(|text| text.contains(&blank)), "lab {}", lab.id);
        assert_eq!(state_of(&learner, lab)["state"], "started");
    }
    assert_eq!(state_of(&learner, &labs[0])["current"], true);
}

#[test]
fn without_git_and_without_a_name_in_it_the_text_is_kept_too() {
    let mut learner = Learner::new("no git");
    // No git at all, nor anything else.
    let nothing = tempfile::tempdir().expect("a directory");
    learner.environment.push(("PATH", nothing.path().display().to_string()));
    let lab = &labs()[0];
    let started = learner.lab(&["start", &lab.id]).exits(0);
    assert!(started.out.contains("it has no git history"), "{}", started.out);
    learner.rewrite(lab, |_, _| "unreachable!(\"mine\")".to_owned());
    let reset = learner.lab(&["reset"]).exits(0);
    assert!(reset.out.contains(".orig"), "{}", reset.out);
    let crate_name = lab.crate_name.as_deref().expect("a crate");
    let copy = format!("crates/{crate_name}/{}.orig", lab.regions[0].file.display());
    assert!(learner.read(&copy).contains("mine"));

    // Git, with nothing configured: not even a home to look in.
    let mut unnamed = Learner::new("no name");
    let home = nothing.path().display().to_string();
    unnamed.environment = vec![("HOME", home), ("GIT_CONFIG_NOSYSTEM", "1".to_owned())];
    // What a hook of another repository would set.
    unnamed.environment.push(("GIT_DIR", clone().join("no-such-repository").display().to_string()));
    let started = unnamed.lab(&["start", &lab.id]).exits(0);
    assert!(started.out.contains("a git history of its own"), "{}", started.out);
    assert!(unnamed.book.join(".git").is_dir());
}

#[test]
fn what_the_learner_changed_without_a_start_is_not_blanked() {
    let learner = Learner::new("early writing");
    let labs = labs();
    learner.lab(&["start", &labs[0].id]).exits(0);
    learner.rewrite(&labs[1], |_, body| format!("// mine\n{body}"));
    let refused = learner.lab(&["start", &labs[1].id]).exits(1);
    assert!(refused.err.contains("another text than the reference"), "{}", refused.err);
    assert!(regions(&learner.book, &labs[1]).iter().all(|text| text.contains("// mine")));
    let reset = learner.lab(&["reset", &labs[1].id]).exits(0);
    assert!(reset.out.contains("Your text is kept"), "{}", reset.out);
}

#[test]
fn nothing_that_is_no_workbook_is_written_into_and_garbage_in_the_progress_is_told() {
    let learner = Learner::new("other things");
    learner.write("thesis.txt", "the only copy");
    let refused = learner.lab(&["start", "01"]).exits(1);
    assert!(refused.err.contains("is no whole workbook"), "{}", refused.err);
    assert!(!learner.book.join("crates").exists());

    learner.write("progress.txt", "current 99\n\u{1}\u{2}\n04 started whenever\n");
    let said = learner.lab(&["list"]).exits(0);
    assert!(
        said.err.contains("progress.txt line 2") && said.err.contains("\"whenever\" is no day"),
        "{}",
        said.err
    );
    let unknown = learner.lab(&["hint"]).exits(1);
    assert!(unknown.err.contains("there is no lab 99"), "{}", unknown.err);
}
