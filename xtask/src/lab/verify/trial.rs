//! One run of a lab's check with one choice of variants, and what it showed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use course::lab::Lab;
use course::variants;
use lab_check::report::{Event, Kind, Outcome, Verdict};
use tokio::time::Instant;

use crate::lab::check::process::{self, Ended, Ran};

/// What a run showed.
#[derive(Debug)]
pub struct Seen {
    /// Everything that was to be asked, in order.
    pub planned: Vec<String>,
    /// What came of it, as far as the check came.
    pub verdicts: BTreeMap<String, Verdict>,
    /// Why the check did not reach its end, if it did not.
    pub died: Option<String>,
    /// Whether that is because it went on and on.
    pub hung: bool,
    /// How long it took.
    pub took: Duration,
}

impl Seen {
    /// What is red: everything that is not known to be green.
    pub fn red(&self) -> BTreeSet<&str> {
        let green = |name: &String| self.verdicts.get(name).is_some_and(|verdict| !verdict.outcome.is_red());
        self.planned.iter().filter(|name| !green(name)).map(String::as_str).collect()
    }

    /// How many of a kind were asked.
    pub fn count(&self, kind: Kind) -> usize {
        self.verdicts.values().filter(|verdict| verdict.kind == kind).count()
    }

    fn of(ran: Ran, took: Duration) -> Self {
        let (mut planned, mut verdicts) = (Vec::new(), BTreeMap::new());
        let (mut began, mut ended) = (None, false);
        for event in ran.events {
            match event {
                Event::Plan { names, .. } => planned = names,
                Event::Begin { name } => began = Some(name),
                Event::Verdict(verdict) => {
                    began = None;
                    verdicts.insert(verdict.name.clone(), verdict);
                }
                Event::End => ended = true,
            }
        }
        let at = began.map(|name| format!(" in {name}")).unwrap_or_default();
        let said = ran.printed.lines().last().map(|line| format!(": {line}")).unwrap_or_default();
        let died = match ran.ended {
            Ended::Exited(0 | 1) if ended => None,
            Ended::Exited(code) => Some(format!("the process ended with code {code}{at}{said}")),
            Ended::Signalled(signal) => Some(format!("the process died of signal {signal}{at}{said}")),
            Ended::Hung => Some(format!("it hangs{at}")),
        };
        Self { planned, verdicts, died, hung: ran.ended == Ended::Hung, took }
    }
}

/// Which variant of which region runs; regions that are not named run the reference.
pub type Choice = BTreeMap<String, usize>;

/// The choice in which all regions of a lab are blank.
pub fn blank(lab: &Lab) -> Choice {
    lab.regions.iter().map(|region| (region.anchor.clone(), variants::STARTER)).collect()
}

/// Runs a lab's check once; with the seed that it has by itself, if none is given.
///
/// # Errors
///
/// When the process cannot be started.
pub async fn run(program: &Path, lab: &Lab, choice: &Choice, seed: Option<u64>) -> Result<Seen> {
    let mut environment: Vec<(String, OsString)> = choice
        .iter()
        .map(|(anchor, number)| (variants::variable(anchor), number.to_string().into()))
        .collect();
    // A tour looks at a running node. Here there is none, whatever the environment says.
    environment.push(("LAB_UP".to_owned(), program.with_extension("no-such-node").into()));
    environment.extend(seed.map(|seed| ("LAB_SEED".to_owned(), seed.to_string().into())));
    let began = Instant::now();
    let ran = process::run_with(program, &lab.dir, &environment).await?;
    Ok(Seen::of(ran, began.elapsed()))
}

/// What is said of a red verdict in one line.
pub fn brief(outcome: &Outcome) -> String {
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    match outcome {
        Outcome::Green | Outcome::Written { .. } => "green".to_owned(),
        Outcome::Wrong { expected, got, .. } => {
            let (expected, got) = (expected.trim().lines(), got.trim().lines());
            let (expected, got) = expected
                .map(Some)
                .chain(std::iter::repeat(None))
                .zip(got.map(Some).chain(std::iter::repeat(None)))
                .find(|(expected, got)| expected != got)
                .unwrap_or_default();
            format!(
                "expected `{}`, got `{}`",
                expected.unwrap_or("nothing more"),
                got.unwrap_or("nothing more")
            )
        }
        Outcome::Disproved { why, .. } => first(why),
        Outcome::Panicked { message, at, .. } => format!("panicked at {at}: {}", first(message)),
        Outcome::NoAnswer { why, .. } | Outcome::Unusable { why } => first(why),
    }
}
