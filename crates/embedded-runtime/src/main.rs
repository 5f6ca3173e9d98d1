//! The embedded runtime as a program of its own, for tests and for looking at it with `crictl`. The agent has it
//! inside.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use embedded_runtime::{EmbeddedRuntime, Error, Options, shim};
use tokio::signal::unix::{SignalKind, signal};

/// A CRI v1 runtime whose containers are plain processes: no isolation, for learning and tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where sandboxes and containers are remembered
    #[arg(long)]
    state_dir: PathBuf,
    /// The unix socket to serve on
    #[arg(long)]
    socket: PathBuf,
}

fn main() -> ExitCode {
    if let Some(code) = shim::run_if_asked() {
        return code;
    }
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<(), Error> {
    let io_error = |source| Error::Io { path: PathBuf::from("embedded-runtime"), source };
    let mut terminate = signal(SignalKind::terminate()).map_err(io_error)?;
    let runtime = EmbeddedRuntime::open(Options::new(arguments.state_dir).map_err(io_error)?).await?;
    let stop = async move {
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    runtime.serve(&arguments.socket, stop).await
}
