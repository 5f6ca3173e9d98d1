//! What the runs of a lab's check must show. Facts in, problems out.

use course::lab::{Kind, Lab, Mutant};
use lab_check::report::{self, Outcome};

use super::trial::{Seen, brief};

/// How many names a problem lists.
const MOST_NAMES: usize = 5;

/// With the reference, everything is green; and the check asks what a lab's check asks.
pub fn of_reference(lab: &Lab, seen: &Seen) -> Vec<String> {
    let mut problems = not_green("the reference", seen);
    if seen.died.is_some() {
        return problems;
    }
    let (what, kind) = match lab.kind {
        Kind::Code => ("property", report::Kind::Property),
        Kind::Tour => ("observation", report::Kind::Observation),
    };
    if seen.count(kind) == 0 {
        problems.push(format!("check.rs: it has no {what}"));
    }
    problems
}

/// With the reference and another seed, everything is green too.
pub fn of_seed(seed: u64, seen: &Seen) -> Vec<String> {
    not_green(&format!("the reference with --seed {seed}"), seen)
}

/// What is not green, but should be.
fn not_green(what: &str, seen: &Seen) -> Vec<String> {
    if let Some(died) = &seen.died {
        return vec![format!("{what}: {died}")];
    }
    let red = seen.red();
    let problem = |name: &&str| match seen.verdicts.get(*name) {
        Some(verdict) => format!("{what}: {name} is red: {}", brief(&verdict.outcome)),
        None => format!("{what}: {name} has no verdict"),
    };
    red.iter().map(problem).collect()
}

/// At the start everything is red, and it is as much as the README announces.
pub fn of_starter(lab: &Lab, seen: &Seen) -> Vec<String> {
    if let Some(died) = &seen.died {
        return vec![format!("the starter: {died}")];
    }
    let red = seen.red();
    let mut problems: Vec<String> = Vec::new();
    let green = seen.planned.iter().filter(|name| !red.contains(name.as_str()));
    for name in green {
        problems.push(format!("the starter: {name} is green although nothing is written yet"));
    }
    if red.len() != lab.failing {
        problems.push(format!("lab.toml: failing = {}, but {} are red at the start", lab.failing, red.len()));
    }
    problems
}

/// A mutant is caught by the case that it names: with a wrong answer, or a panic of the code under test.
pub fn of_mutant(mutant: &Mutant, seen: &Seen) -> Vec<String> {
    let file = format!("mutants/{}", mutant.file);
    let case = &mutant.case;
    if let Some(died) = &seen.died {
        return vec![format!("{file}: {died}; it must give a wrong answer, not end the check")];
    }
    if !seen.planned.contains(case) {
        return vec![format!("{file}: there is no case {case}")];
    }
    let red = seen.red();
    if red.is_empty() {
        return vec![format!("{file}: it survives: {}, and all is green", mutant.wrong)];
    }
    if !red.contains(case.as_str()) {
        return vec![format!("{file}: {case} is green under it; red are {}", names(red))];
    }
    match seen.verdicts.get(case).map(|verdict| &verdict.outcome) {
        Some(Outcome::Unusable { why }) => vec![format!("{file}: {case} is unusable: {why}")],
        _ => Vec::new(),
    }
}

/// With another lab's regions blank, this lab's check stays green, unless it says that it needs that lab.
pub fn of_other_blank(lab: &Lab, other: &Lab, seen: &Seen) -> Vec<String> {
    let needs = lab.needs.contains(&other.id);
    let red = seen.red();
    let goes_red = seen.died.is_some() || !red.is_empty();
    if let Some(died) = seen.died.as_ref().filter(|_| seen.hung) {
        return vec![format!("with lab {} blank {died}; a check must end", other.id)];
    }
    match (needs, goes_red) {
        (false, true) => {
            let first = red.first().and_then(|name| seen.verdicts.get(*name));
            let why = first.map(|verdict| format!(" ({})", brief(&verdict.outcome))).unwrap_or_default();
            vec![format!(
                "lab.toml: needs lacks {}: with that lab's regions blank {} of {} are red: {}{why}",
                other.id,
                red.len(),
                seen.planned.len(),
                names(red)
            )]
        }
        (true, false) => vec![format!(
            "lab.toml: needs has {}, but all stays green with that lab's regions blank",
            other.id
        )],
        (true, true) | (false, false) => Vec::new(),
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MOST_NAMES].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::time::Duration;

    use lab_check::report::{Kind as Of, Verdict};

    use super::*;

    fn lab(id: &str, needs: &[&str]) -> Lab {
        Lab {
            dir: PathBuf::from("labs"),
            name: format!("{id}-x"),
            id: id.to_owned(),
            title: "t".to_owned(),
            kind: Kind::Code,
            crate_name: Some("k".to_owned()),
            minutes: 30,
            failing: 2,
            needs: needs.iter().map(|&id| id.to_owned()).collect(),
            concepts: Vec::new(),
            dependencies: Vec::new(),
            go: Vec::new(),
            hints: Vec::new(),
            regions: Vec::new(),
            mutants: Vec::new(),
        }
    }

    fn mutant() -> Mutant {
        Mutant {
            file: "m.rs".to_owned(),
            region: "lab04_a".to_owned(),
            wrong: "forgets it".to_owned(),
            case: "one".to_owned(),
            reference: String::new(),
            visible: false,
        }
    }

    /// A run that planned `one` and the property `two`, with these outcomes.
    fn seen(one: Option<Outcome>, two: Option<Outcome>) -> Seen {
        let verdict = |name: &str, kind, outcome| {
            let (rule, go) = ("r".to_owned(), "g".to_owned());
            (name.to_owned(), Verdict { name: name.to_owned(), kind, rule, go, outcome })
        };
        let verdicts: BTreeMap<String, Verdict> = [
            one.map(|outcome| verdict("one", Of::Case, outcome)),
            two.map(|outcome| verdict("two", Of::Property, outcome)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let planned = vec!["one".to_owned(), "two".to_owned()];
        Seen { planned, verdicts, died: None, hung: false, took: Duration::ZERO }
    }

    fn wrong() -> Outcome {
        let [input, expected, got] = ["1", "a: 1\nb: 2\n", "a: 1\nb: 3\n"].map(str::to_owned);
        Outcome::Wrong { input, expected, got }
    }

    #[test]
    fn a_reference_must_be_green_in_everything_that_was_planned() {
        let lab = lab("04", &[]);
        let green = || Some(Outcome::Green);
        assert_eq!(of_reference(&lab, &seen(green(), green())), Vec::<String>::new());
        assert_eq!(
            of_reference(&lab, &seen(Some(wrong()), green())),
            ["the reference: one is red: expected `b: 2`, got `b: 3`"]
        );
        // A check without its property, and one that left something out.
        assert_eq!(
            of_reference(&lab, &seen(green(), None)),
            ["the reference: two has no verdict", "check.rs: it has no property"]
        );
    }

    #[test]
    fn a_case_that_cannot_be_used_catches_no_mutant() {
        let unusable = Outcome::Unusable { why: "no snapshot".to_owned() };
        assert_eq!(
            of_mutant(&mutant(), &seen(Some(unusable), Some(Outcome::Green))),
            ["mutants/m.rs: one is unusable: no snapshot"]
        );
        assert_eq!(of_mutant(&mutant(), &seen(Some(wrong()), Some(Outcome::Green))), Vec::<String>::new());
    }

    #[test]
    fn what_hangs_is_a_problem_everywhere() {
        let hung = || Seen { died: Some("it hangs in one".to_owned()), hung: true, ..seen(None, None) };
        assert_eq!(
            of_mutant(&mutant(), &hung()),
            ["mutants/m.rs: it hangs in one; it must give a wrong answer, not end the check"]
        );
        assert_eq!(of_reference(&lab("04", &[]), &hung()), ["the reference: it hangs in one"]);
        assert_eq!(of_starter(&lab("04", &[]), &hung()), ["the starter: it hangs in one"]);
        for needs in [&[][..], &["02"]] {
            assert_eq!(
                of_other_blank(&lab("04", needs), &lab("02", &[]), &hung()),
                ["with lab 02 blank it hangs in one; a check must end"]
            );
        }
    }

    #[test]
    fn a_lab_that_is_needed_may_end_the_check_and_any_other_may_not() {
        let died = || Seen { died: Some("the process died of signal 6".to_owned()), ..seen(None, None) };
        assert_eq!(of_other_blank(&lab("04", &["02"]), &lab("02", &[]), &died()), Vec::<String>::new());
        let said = of_other_blank(&lab("04", &[]), &lab("02", &[]), &died());
        assert_eq!(
            said,
            ["lab.toml: needs lacks 02: with that lab's regions blank 2 of 2 are red: one, two"]
        );
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(names(["a", "b"]), "a, b");
        assert_eq!(names(["a", "b", "c", "d", "e"]), "a, b, c, d, e");
        assert_eq!(names(["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
    }
}
