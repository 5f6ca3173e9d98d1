//! One run of a check: plans, runs and reports.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_yaml_ng::Value;

use crate::answer::NoAnswer;
use crate::case::{self, Case};
use crate::caught::{Panic, caught, note_panics};
use crate::report::{Event, Kind, Outcome, Verdict};
use crate::{SEED, snapshot};

/// The code under test, as a function from YAML to YAML.
type Answer = Box<dyn Fn(Value) -> Result<String, NoAnswer>>;

/// Something that a check asks for.
pub(crate) enum Step {
    /// All cases of the lab's folder.
    Cases(Answer),
    /// A property.
    Property {
        plan: Plan,
        /// Tries it with a seed.
        run: Box<dyn Fn(u64) -> Outcome>,
    },
    /// An observation.
    Observation { plan: Plan, look: Box<dyn Fn() -> Result<(), String>> },
}

/// What a property or an observation is called, and the rule that it shows.
pub(crate) struct Plan {
    name: String,
    rule: String,
    go: String,
}

impl Plan {
    pub(crate) fn new(name: &str, rule: &str, go: &str) -> Self {
        Self { name: name.to_owned(), rule: rule.to_owned(), go: go.to_owned() }
    }
}

/// What the environment says.
struct Settings {
    lab: PathBuf,
    report: Option<PathBuf>,
    seed: u64,
    write: bool,
}

impl Settings {
    fn read() -> Result<Self, String> {
        let lab = std::env::var_os("LAB_DIR")
            .ok_or("LAB_DIR is not set: it names the lab's folder, such as labs/04-what-a-pod-needs")?;
        let lab = Path::new(&lab);
        if !lab.is_dir() {
            return Err(format!("LAB_DIR={}: there is no such folder", lab.display()));
        }
        let lab = std::path::absolute(lab).map_err(|e| format!("LAB_DIR={}: {e}", lab.display()))?;
        let seed = match std::env::var("LAB_SEED") {
            Ok(text) => text.parse().map_err(|_| format!("LAB_SEED={text}: not a number from 0 up"))?,
            Err(_) => SEED,
        };
        let write = match std::env::var("LAB_SNAPSHOTS") {
            Ok(text) if text == "write" => true,
            Ok(text) => return Err(format!("LAB_SNAPSHOTS={text}: only `write` is known")),
            Err(_) => false,
        };
        Ok(Self { lab, report: std::env::var_os("LAB_REPORT").map(PathBuf::from), seed, write })
    }
}

/// Runs a check. Returns whether nothing is red.
pub(crate) fn run(steps: Vec<Step>) -> Result<bool, String> {
    let settings = Settings::read()?;
    if settings.write
        && let Some(status) = snapshot::writing_process(&settings.lab).map_err(|e| e.to_string())?
    {
        return match status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(format!("writing the snapshots: {status}")),
        };
    }
    let cases = case::all(&settings.lab)?;
    let names = names(&steps, &cases)?;
    note_panics();
    let mut reporter = Reporter::open(settings.report.as_deref())?;
    reporter.say(&Event::Plan { seed: settings.seed, names })?;
    for step in &steps {
        match step {
            Step::Cases(answer) => {
                for case in &cases {
                    reporter.case(case, || of_case(&settings, case, answer))?;
                }
            }
            Step::Property { plan, run } => reporter.plan(plan, Kind::Property, || run(settings.seed))?,
            Step::Observation { plan, look } => {
                reporter.plan(plan, Kind::Observation, || of_observation(look))?;
            }
        }
    }
    reporter.say(&Event::End)?;
    reporter.sum_up();
    Ok(reporter.red == 0)
}

/// The names of everything that will run, in order; an error if the check and its folder do not fit together.
fn names(steps: &[Step], cases: &[Case]) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for step in steps {
        match step {
            Step::Cases(_) => names.extend(cases.iter().map(|case| case.name.clone())),
            Step::Property { plan, .. } | Step::Observation { plan, .. } => {
                if !case::is_kebab(&plan.name) {
                    return Err(format!("{:?} is not in kebab case", plan.name));
                }
                names.push(plan.name.clone());
            }
        }
    }
    if !cases.is_empty() && !steps.iter().any(|step| matches!(step, Step::Cases(_))) {
        return Err("the lab has cases, but its check.rs has no `.cases(…)`".to_owned());
    }
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(name) => Err(format!("there are two named {name}")),
        None => Ok(names),
    }
}

/// Answers a case and compares, or, for authors, writes.
fn of_case(settings: &Settings, case: &Case, answer: &Answer) -> Outcome {
    let input = || serde_yaml_ng::to_string(&case.input).unwrap_or_default();
    let got = match answer(case.input.clone()) {
        Ok(got) => got,
        Err(NoAnswer::Unusable(why)) => return Outcome::Unusable { why },
        Err(NoAnswer::Failed(why)) => return Outcome::NoAnswer { input: input(), why },
        Err(NoAnswer::Panicked(Panic { message, at })) => {
            return Outcome::Panicked { input: input(), message, at };
        }
    };
    if settings.write {
        return match snapshot::write(&settings.lab, &case.name, &case.rule, &got) {
            Ok(change) => Outcome::Written { change },
            Err(why) => Outcome::Unusable { why },
        };
    }
    match snapshot::read(&settings.lab, &case.name) {
        Err(why) => Outcome::Unusable { why },
        Ok(expected) if snapshot::same(&expected, &got) => Outcome::Green,
        Ok(expected) => Outcome::Wrong { input: input(), expected, got },
    }
}

fn of_observation(look: &dyn Fn() -> Result<(), String>) -> Outcome {
    match caught(look) {
        Ok(Ok(())) => Outcome::Green,
        Ok(Err(why)) => Outcome::Disproved { value: String::new(), why },
        Err(Panic { message, at }) => Outcome::Panicked { input: String::new(), message, at },
    }
}

/// Where verdicts go.
struct Reporter {
    file: Option<File>,
    verdicts: usize,
    red: usize,
}

impl Reporter {
    fn open(path: Option<&Path>) -> Result<Self, String> {
        let file = path
            .map(|path| File::create(path).map_err(|e| format!("LAB_REPORT={}: {e}", path.display())))
            .transpose()?;
        Ok(Self { file, verdicts: 0, red: 0 })
    }

    /// Writes an event at once, whole: the process may end in the next call of code under test.
    fn say(&mut self, event: &Event) -> Result<(), String> {
        match &mut self.file {
            Some(file) => {
                let mut line = serde_json::to_string(event).map_err(|e| format!("the report: {e}"))?;
                line.push('\n');
                file.write_all(line.as_bytes()).map_err(|e| format!("the report: {e}"))
            }
            None => {
                if let Event::Verdict(verdict) = event {
                    println!("{verdict}");
                }
                Ok(())
            }
        }
    }

    fn case(&mut self, case: &Case, run: impl FnOnce() -> Outcome) -> Result<(), String> {
        self.verdict(&case.name, &case.rule, &case.go, case.kind, run)
    }

    fn plan(&mut self, plan: &Plan, kind: Kind, run: impl FnOnce() -> Outcome) -> Result<(), String> {
        self.verdict(&plan.name, &plan.rule, &plan.go, kind, run)
    }

    fn verdict(
        &mut self,
        name: &str,
        rule: &str,
        go: &str,
        kind: Kind,
        run: impl FnOnce() -> Outcome,
    ) -> Result<(), String> {
        self.say(&Event::Begin { name: name.to_owned() })?;
        let outcome = run();
        self.verdicts += 1;
        self.red += usize::from(outcome.is_red());
        let (name, rule, go) = (name.to_owned(), rule.to_owned(), go.to_owned());
        self.say(&Event::Verdict(Verdict { name, kind, rule, go, outcome }))
    }

    fn sum_up(&self) {
        if self.file.is_none() {
            println!("\n{} of {} are red.", self.red, self.verdicts);
        }
    }
}
