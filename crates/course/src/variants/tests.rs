use std::path::PathBuf;

use super::*;
use crate::lab::Kind;

const SOURCE: &str = "
impl Worker {
    // ANCHOR: lab04_keep
    /// Keeps it?
    pub fn keep(
        &self,
        seen: u32,
    ) -> Option<u32> {
        let kept = self.look(seen)?;
        Some(kept)
    }

    const MOST: u32 = 3;

    fn look(&self, seen: u32) -> Option<u32> {
        (seen < Self::MOST).then_some(seen)
    }
    // ANCHOR_END: lab04_keep
}
";

fn region() -> Region {
    Region {
        anchor: "lab04_keep".to_owned(),
        file: PathBuf::from("src/lib.rs"),
        functions: vec!["Worker::look".to_owned(), "Worker::keep".to_owned()],
    }
}

fn lab() -> Lab {
    Lab {
        dir: PathBuf::from("labs/04-keep"),
        name: "04-keep".to_owned(),
        id: "04".to_owned(),
        title: "Keep it?".to_owned(),
        kind: Kind::Code,
        crate_name: Some("keeper".to_owned()),
        minutes: 30,
        failing: 10,
        needs: Vec::new(),
        concepts: Vec::new(),
        dependencies: Vec::new(),
        go: Vec::new(),
        hints: vec!["look".to_owned(), "look again".to_owned(), "return it".to_owned()],
        regions: vec![region()],
        mutants: Vec::new(),
    }
}

const MUTANT: &str = "
    pub fn keep(&self, seen: u32) -> Option<u32> {
        self.look(seen + 1)
    }

    const MOST: u32 = 3;

    fn look(&self, seen: u32) -> Option<u32> {
        Some(seen)
    }
";

fn fit(mutant: &str) -> Result<Vec<String>, MutantError> {
    let found = region::find(SOURCE, "lab04_keep", &region().functions).expect("found");
    bodies(SOURCE, &found, &region(), mutant)
}

#[test]
fn a_mutants_bodies_are_taken_in_the_order_of_the_reference() {
    let bodies = fit(MUTANT).expect("it fits");
    let bodies: Vec<&str> = bodies.iter().map(|body| body.trim()).collect();
    assert_eq!(bodies, ["self.look(seen + 1)", "Some(seen)"]);
}

#[test]
fn a_mutant_that_changes_more_than_bodies_does_not_fit() {
    let error = |from: &str, to: &str| {
        let mutant = MUTANT.replacen(from, to, 1);
        assert_ne!(mutant, MUTANT);
        fit(&mutant).expect_err(to)
    };
    assert_eq!(error("MOST: u32 = 3", "MOST: u32 = 4"), MutantError::Between);
    assert_eq!(
        error("const MOST", "fn own() {}\n    const MOST"),
        MutantError::More("Worker::own".to_owned())
    );
    assert!(matches!(error("fn look(", "fn looks("), MutantError::Region(RegionError::NoFunction { .. })));
    assert!(matches!(error("Some(seen)\n", "Some(seen\n"), MutantError::Region(RegionError::NotRust { .. })));
    assert_eq!(
        error("seen: u32) -> Option<u32> {\n        self", "mut seen: u32) -> Option<u32> {\n        self")
            .to_string(),
        "its `Worker::keep` has another signature: `pub fn keep(&self, mut seen: u32) -> Option<u32>` instead of \
         `pub fn keep(&self, seen: u32) -> Option<u32>`"
    );
}

#[test]
fn the_source_with_variants_is_rust_and_says_whose_each_line_is() {
    let mutants = [Mutated { file: "keeps-more.rs".to_owned(), text: MUTANT.to_owned() }];
    let text = with_variants(SOURCE, &lab(), &region(), &mutants).expect("made");
    syn::parse_file(&text).expect("Rust");
    let owner_of = |what: &str| {
        let line = text.lines().position(|line| line.contains(what)).expect(what);
        owner(&text, line + 1)
    };
    let of = |file: Option<&str>| Some(("04".to_owned(), file.map(str::to_owned)));
    assert_eq!(owner_of("let kept = self.look(seen)?"), of(None));
    assert_eq!(owner_of("todo!(\"lab 04: look\")"), of(None));
    assert_eq!(owner_of("self.look(seen + 1)"), of(Some("keeps-more.rs")));
    assert_eq!(owner_of("const MOST"), None);
    assert_eq!(owner_of("impl Worker"), None);
}

#[test]
fn what_stands_outside_the_bodies_is_kept() {
    let text = with_variants(SOURCE, &lab(), &region(), &[]).expect("made");
    let found = region::find(&text, "lab04_keep", &region().functions).expect("found");
    let before = region::find(SOURCE, "lab04_keep", &region().functions).expect("found");
    for (now, then) in found.functions.iter().zip(&before.functions) {
        assert_eq!(text[now.signature.clone()], SOURCE[then.signature.clone()]);
    }
    assert_eq!(between(&text, &found), ["const MOST: u32 = 3;"]);
}

#[test]
fn a_mutant_that_does_not_fit_is_named() {
    let mutants = [Mutated { file: "empty.rs".to_owned(), text: String::new() }];
    let error = with_variants(SOURCE, &lab(), &region(), &mutants).expect_err("it is empty").to_string();
    assert!(error.starts_with("mutants/empty.rs: in place of the region it does not fit: "), "{error}");
}
