//! The podwright binary: a kubelet.
//!
//! Thin on purpose: it reads the command line and the configuration, sets up logging, opens the runtime, starts
//! [`kubelet::Kubelet`], and waits for a signal. Every decision about a pod is made in the crates below.
//!
//! | here | Go |
//! |---|---|
//! | `cli` | `cmd/kubelet/app/options/options.go` |
//! | `run` | `cmd/kubelet/app/server.go: run, RunKubelet` |
//! | `settings` | `cmd/kubelet/app/server.go`, `kubelet.go: NewMainKubelet` |
//! | `watchdog` | `pkg/kubelet/watchdog` |
//!
//! # Left out
//!
//! - everything that needs an API server: flags for it are accepted, and said to have no effect yet.

mod cli;
mod events;
mod logging;
mod run;
mod settings;
mod watchdog;

use std::process::ExitCode;

fn main() -> ExitCode {
    // The embedded runtime starts this very binary again, to stand between it and each container.
    if let Some(code) = embedded_runtime::shim::run_if_asked() {
        return code;
    }
    let arguments = match cli::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            // Nothing is left to be done about a terminal that is gone.
            let _ = error.print();
            return code;
        }
    };
    match run::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("podwright: {error:#}");
            ExitCode::FAILURE
        }
    }
}
