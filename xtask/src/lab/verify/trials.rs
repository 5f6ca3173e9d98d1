//! Every check run with every variant that says something about it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use course::lab::{self, Kind, Lab};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::compile::Programs;
use super::generated::{Generated, LeftOut};
use super::trial::{self, Choice, Seen};
use super::{Course, Problem, Row, proof};

/// With these seeds too the reference must be green: who takes the lab may choose any.
const SEEDS: [u64; 3] = [2, 20_261_124, u64::MAX];

/// One run of a check.
enum Trial<'a> {
    Reference,
    /// The reference, with another seed for the values of the properties.
    Seed(u64),
    Starter,
    Mutant(&'a lab::Mutant),
    OtherBlank(&'a Lab),
}

/// Runs the checks of `asked`; what is said of each lab at the end.
///
/// # Errors
///
/// When a check cannot be started.
pub async fn tried(
    course: &Course,
    asked: &[&Lab],
    left_out: &LeftOut,
    generated: &Generated,
    programs: &Programs,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Row>> {
    let mut trials: Vec<(&Lab, Trial<'_>, Choice)> = Vec::new();
    for lab in asked.iter().copied().filter(|lab| programs.contains_key(&lab.id)) {
        if lab.kind == Kind::Code {
            trials.push((lab, Trial::Reference, Choice::new()));
            trials.extend(SEEDS.map(|seed| (lab, Trial::Seed(seed), Choice::new())));
        }
        trials.push((lab, Trial::Starter, trial::blank(lab)));
        for mutant in &lab.mutants {
            // One that does not compile is a problem already.
            if let Some(&number) = generated.numbers.get(&(lab.id.clone(), mutant.file.clone())) {
                let choice = Choice::from([(mutant.region.clone(), number)]);
                trials.push((lab, Trial::Mutant(mutant), choice));
            }
        }
        let others = course.labs.iter().filter(|other| {
            other.id != lab.id && other.kind == Kind::Code && !left_out.labs.contains(&other.id)
        });
        if lab.kind == Kind::Code {
            trials.extend(others.map(|other| (lab, Trial::OtherBlank(other), trial::blank(other))));
        }
    }
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let runs = stream::iter(trials.into_iter().map(|(lab, what, choice)| async move {
        let seed = if let Trial::Seed(seed) = what { Some(seed) } else { None };
        let seen = trial::run(&programs[&lab.id], lab, &choice, seed).await;
        seen.map(|seen| (lab, what, seen)).with_context(|| format!("the check of lab {}", lab.id))
    }));
    // In order: the reference of a lab comes before its mutants.
    let mut seen = runs.buffered(at_once);
    let mut rows: BTreeMap<&str, Row> = asked
        .iter()
        .map(|lab| {
            let row = Row {
                lab: lab.id.clone(),
                title: lab.title.clone(),
                mutants: lab.mutants.len(),
                ..Row::default()
            };
            (lab.id.as_str(), row)
        })
        .collect();
    // With a reference that is red, a red mutant proves nothing.
    let mut unproven: BTreeSet<&str> = BTreeSet::new();
    while let Some((lab, what, seen)) = seen.try_next().await? {
        let said = judged(lab, &what, &seen);
        match what {
            Trial::Reference if !said.is_empty() => {
                unproven.insert(&lab.id);
            }
            Trial::Seed(_) | Trial::Mutant(_) | Trial::OtherBlank(_)
                if unproven.contains(lab.id.as_str()) =>
            {
                continue;
            }
            _ => {}
        }
        if let Some(row) = rows.get_mut(lab.id.as_str()) {
            row.seconds += seen.took.as_secs_f64();
            match what {
                Trial::Starter => {
                    row.cases = seen.planned.len();
                    row.red_at_the_start = seen.red().len();
                }
                Trial::Mutant(_) => row.caught += usize::from(said.is_empty()),
                Trial::Reference | Trial::Seed(_) | Trial::OtherBlank(_) => {}
            }
        }
        problems.extend(said.into_iter().map(|problem| Problem::new(&lab.id, problem)));
    }
    drop(seen);
    Ok(rows.into_values().collect())
}

fn judged(lab: &Lab, what: &Trial<'_>, seen: &Seen) -> Vec<String> {
    match what {
        Trial::Reference => proof::of_reference(lab, seen),
        Trial::Seed(seed) => proof::of_seed(*seed, seen),
        Trial::Starter => proof::of_starter(lab, seen),
        Trial::Mutant(mutant) => proof::of_mutant(mutant, seen),
        Trial::OtherBlank(other) => proof::of_other_blank(lab, other, seen),
    }
}
