//! Every chore of the project, as `cargo xtask VERB`.
//!
//! One module a verb; beside them what several verbs need: where the workspace is ([`workspace`]), timed steps
//! ([`step`]), the versions that are depended on ([`versions`]) and installing what a machine lacks ([`apt`]).

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod apt;
mod book;
mod ci;
mod console;
mod doctor;
mod lab;
mod libtest;
mod machine;
mod map;
mod step;
mod test;
mod up;
mod versions;
mod workspace;

/// Every chore of the project.
#[derive(Debug, Parser)]
#[command(
    bin_name = "cargo xtask",
    // The texts are for terminals, and narrow ones are common; clap knows none of their widths.
    term_width = 80,
    after_help = "Start with `cargo xtask up`: it builds the agent and shows it running pods, with no root, no cluster and \
                  no containerd. `cargo xtask VERB --help` says more about each."
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Up(up::Options),
    Lab(lab::Options),
    Test(test::Options),
    Doctor(doctor::Options),
    Ci(ci::Options),
    Map(map::Options),
    Console(console::Options),
    Book(book::Options),
}

fn main() -> ExitCode {
    let verb = Arguments::parse().verb;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            eprintln!("xtask: cannot start: {e}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match verb {
            Verb::Up(options) => Box::pin(up::run(options)).await,
            Verb::Lab(options) => Box::pin(lab::run(options)).await,
            Verb::Test(options) => test::run(&options),
            Verb::Doctor(options) => doctor::run(&options).await,
            Verb::Ci(options) => ci::run(&options),
            Verb::Map(options) => map::run(&options),
            Verb::Book(options) => book::run(&options),
            Verb::Console(options) => Box::pin(console::run(&options)).await,
        }
    });
    match done {
        Ok(code) => code,
        Err(e) => {
            eprintln!("xtask: {e:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
