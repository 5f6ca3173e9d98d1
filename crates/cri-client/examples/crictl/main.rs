//! A small crictl over [`cri_client::GrpcRuntime`]: what a runtime knows, asked as a kubelet asks it.
//!
//! ```text
//! cargo run -p cri-client --example crictl -- -r unix:///run/containerd/containerd.sock ps -a
//! ```
//!
//! It shows how little a client of the interface is, and serves a learner beside the real crictl: commands, flags and
//! columns are named as there (`kubernetes-sigs/cri-tools`, `cmd/crictl`), and `--help` says what the kubelet does with each.
//!
//! `main` takes the command line apart; `commands` makes the calls; all the rest is pure: messages in, text out.
//!
//! Left out: everything that changes something. A running agent would undo it, and without one there are no pods to see.

mod advice;
mod commands;
mod describe;
mod help;
mod ids;
mod json;
mod log_file;
mod log_records;
mod tables;
mod units;

use std::io::ErrorKind;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use cri_client::{DEFAULT_ENDPOINT, GrpcRuntime, RuntimeError, socket_path};

/// Shorter than a kubelet's two minutes: a person waits.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Parser)]
#[command(
    name = "crictl",
    about = "What a container runtime knows of its pods, containers and images",
    long_about = help::PROGRAM,
    after_long_help = help::BEGIN
)]
struct Cli {
    /// The runtime's socket
    #[arg(
        short,
        long,
        global = true,
        value_name = "ENDPOINT",
        env = "CONTAINER_RUNTIME_ENDPOINT",
        default_value = DEFAULT_ENDPOINT
    )]
    runtime_endpoint: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Name and version of the runtime
    #[command(after_long_help = help::VERSION)]
    Version,
    /// Whether the runtime and its network are ready, as JSON
    #[command(after_long_help = help::INFO)]
    Info,
    /// List pod sandboxes, newest first
    #[command(after_long_help = help::PODS)]
    Pods(List),
    /// List containers, newest first
    #[command(after_long_help = help::PS)]
    Ps {
        /// All containers, not only the running ones
        #[arg(short, long)]
        all: bool,
        #[command(flatten)]
        list: List,
    },
    /// List images
    #[command(after_long_help = help::IMAGES)]
    Images(List),
    /// One container in full
    #[command(after_long_help = help::INSPECT)]
    Inspect(Object),
    /// One pod sandbox in full
    #[command(after_long_help = help::INSPECTP)]
    Inspectp(Object),
    /// What a container wrote
    #[command(after_long_help = help::LOGS)]
    Logs(Logs),
    /// Follow changes of containers and sandboxes. NOT beside a running agent on containerd 1.7: see --help
    #[command(after_long_help = help::EVENTS)]
    Events(Events),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Table,
    Json,
}

#[derive(Debug, Args)]
struct List {
    /// How to show it
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
    /// Show whole ids instead of their first 13 characters
    #[arg(long)]
    no_trunc: bool,
    /// Show ids only, and whole ones
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct Object {
    /// Its id, or a beginning that no other one has
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,
    /// How to show it; a table has only the most important fields
    #[arg(short, long, value_enum, default_value = "json")]
    output: Output,
}

#[derive(Debug, Args)]
struct Logs {
    /// The container's id, or a beginning that no other one has
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,
    /// Go on until the container ends
    #[arg(short, long)]
    follow: bool,
    /// Only the last N records of the file (a very long line is several)
    #[arg(long, value_name = "N")]
    tail: Option<usize>,
    /// Put the time before each line
    #[arg(short, long)]
    timestamps: bool,
}

#[derive(Debug, Args)]
struct Events {
    /// How to show them: a line of text each, or an object
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
    /// Show whole ids instead of their first 13 characters
    #[arg(long)]
    no_trunc: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let Err(error) = run(&cli).await else { return ExitCode::SUCCESS };
    let io = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    if io == Some(ErrorKind::BrokenPipe) {
        // The reader has seen enough, as with `| head`.
        return ExitCode::SUCCESS;
    }
    eprintln!("crictl: {error:#}");
    let step = match error.downcast_ref::<RuntimeError>() {
        Some(error) => socket_path(&cli.runtime_endpoint).ok().and_then(|at| advice::next_step(error, &at)),
        None => (io == Some(ErrorKind::PermissionDenied)).then(|| advice::BECOME_ROOT.to_owned()),
    };
    if let Some(step) = step {
        eprintln!("{step}");
    }
    ExitCode::FAILURE
}

async fn run(cli: &Cli) -> anyhow::Result<()> {
    let runtime = GrpcRuntime::new(&cli.runtime_endpoint, TIMEOUT)?;
    match &cli.command {
        Command::Version => commands::version(&runtime).await,
        Command::Info => commands::info(&runtime).await,
        Command::Pods(list) => commands::pods(&runtime, list).await,
        Command::Ps { all, list } => commands::ps(&runtime, *all, list).await,
        Command::Images(list) => commands::images(&runtime, list).await,
        Command::Inspect(object) => commands::inspect(&runtime, object).await,
        Command::Inspectp(object) => commands::inspectp(&runtime, object).await,
        Command::Logs(options) => commands::logs(&runtime, options).await,
        Command::Events(options) => commands::events(&runtime, options).await,
    }
}
