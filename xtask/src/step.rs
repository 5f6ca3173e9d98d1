//! Steps that are timed, and the table of them at the end.

use std::process::{Command, ExitCode};
use std::time::Duration;

use comfy_table::{Table, presets};
use tokio::time::Instant;

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All was well.
    Passed,
    /// It was not; with a reason.
    Failed(String),
    /// It was not run, which is not the same as passed; with a reason.
    NotRun(String),
}

impl Outcome {
    /// Runs a command with the terminal as its own.
    pub fn of(command: &mut Command) -> Self {
        match command.status() {
            Ok(status) if status.success() => Self::Passed,
            Ok(status) => Self::Failed(status.to_string()),
            Err(e) => Self::Failed(format!("{}: {e}", command.get_program().display())),
        }
    }
}

/// The steps so far.
#[derive(Debug, Default)]
pub struct Steps(Vec<(String, Duration, Outcome)>);

impl Steps {
    /// Runs a step. A step that fails does not keep the next ones from running: one look should show everything.
    pub fn run(&mut self, name: &str, step: impl FnOnce() -> Outcome) {
        println!("\n==> {name}");
        let began = Instant::now();
        let outcome = step();
        self.0.push((name.to_owned(), began.elapsed(), outcome));
    }

    /// Prints the table and says how to exit.
    pub fn finish(self) -> ExitCode {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["step", "seconds", "outcome"]);
        for (name, took, outcome) in &self.0 {
            let said = match outcome {
                Outcome::Passed => "passed".to_owned(),
                Outcome::Failed(why) => format!("FAILED: {why}"),
                Outcome::NotRun(why) => format!("not run: {why}"),
            };
            table.add_row([name.clone(), format!("{:.1}", took.as_secs_f64()), said]);
        }
        let whole: Duration = self.0.iter().map(|(_, took, _)| *took).sum();
        table.add_row(["all".to_owned(), format!("{:.1}", whole.as_secs_f64()), String::new()]);
        println!("\n{table}");
        let failed = self.0.iter().any(|(_, _, outcome)| matches!(outcome, Outcome::Failed(_)));
        if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}
