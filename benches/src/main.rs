//! The binary `node-bench`: `cargo run --release -p benches --bin node-bench -- --only kill,idle`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use benches::agent::{AgentCommand, FLAGS};
use benches::node::Plan;
use benches::report::{self, Part};
use benches::tables;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// Measures an agent on a private containerd, beside a bare CRI client that makes the same calls.
///
/// Needs root, containerd 1.7 or later, runc, the CNI plugins and busybox-static. Figures go to stdout, progress to
/// stderr.
#[derive(Debug, Parser)]
#[command(name = "node-bench")]
struct Arguments {
    /// Only these parts [default: all]
    #[arg(long, value_delimiter = ',', value_name = "PART,…")]
    only: Vec<Part>,
    /// How many samples kill and manifest take [default: 30 and 15]
    #[arg(long, value_name = "N", value_parser = positive)]
    samples: Option<usize>,
    /// How many pods a burst has
    #[arg(long, value_name = "N", default_value = "30", value_parser = positive)]
    burst_pods: usize,
    /// How many bursts
    #[arg(long, value_name = "N", default_value = "3", value_parser = positive)]
    burst_rounds: usize,
    /// How many pods run at rest
    #[arg(long, value_name = "N", default_value = "40", value_parser = positive)]
    idle_pods: usize,
    /// How long to measure at rest
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    idle: Duration,
    /// How long the agent is left alone before that
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = seconds)]
    settle: Duration,
    /// The agent: a command whose words may hold {root}, {manifests}, {logs}, {node}, {endpoint} and {cgroup}. No shell
    /// reads it [default: target/release/podwright with the flags that it needs]
    #[arg(long, value_name = "COMMAND", conflicts_with = "agent_flags")]
    agent: Option<String>,
    /// More flags for podwright, such as "--v 4"
    #[arg(long, value_name = "FLAGS", default_value = "", allow_hyphen_values = true)]
    agent_flags: String,
    /// Keep the agent's log of each part in this directory
    #[arg(long, value_name = "DIR")]
    log_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "must be a number above 0".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    positive(text).and_then(|n| u64::try_from(n).map_err(|e| e.to_string())).map(Duration::from_secs)
}

#[tokio::main]
async fn main() -> ExitCode {
    match bench(Arguments::parse()).await {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("node-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn bench(arguments: Arguments) -> Result<String> {
    let agent = match &arguments.agent {
        Some(template) => AgentCommand::new(template)
            .map_err(|e| e.context(format!("--agent (podwright's own flags: {FLAGS})")))?,
        None => AgentCommand::podwright(&arguments.agent_flags)?,
    };
    let plan = Plan {
        agent,
        samples: arguments.samples,
        burst_pods: arguments.burst_pods,
        burst_rounds: arguments.burst_rounds,
        idle_pods: arguments.idle_pods,
        idle: arguments.idle,
        settle: arguments.settle,
        log_dir: arguments.log_dir,
    };
    let all = [Part::Kill, Part::Manifest, Part::Burst, Part::Idle, Part::Calls];
    let parts = if arguments.only.is_empty() { all.into() } else { arguments.only.into_iter().collect() };
    // A signal drops what runs, and with it everything that was started is taken down.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let report = tokio::select! {
        report = Box::pin(report::run(&plan, &parts)) => report?,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    };
    Ok(if arguments.json { serde_json::to_string_pretty(&report)? } else { tables::render(&report) })
}
