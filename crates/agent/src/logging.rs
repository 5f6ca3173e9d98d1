//! Log lines on stderr, as text or JSON.

use std::io::IsTerminal as _;

use anyhow::{Context as _, Result};
use tracing_subscriber::EnvFilter;

/// How much klog's `-v` lets through, as a filter. Libraries stay quiet: their lines are about themselves.
fn directives(verbosity: u32) -> &'static str {
    match verbosity {
        0..=2 => "info,h2=warn,hyper=warn,tower=warn,tonic=warn,notify=warn",
        3..=5 => "debug,h2=warn,hyper=warn,hyper_util=warn,tower=warn,tonic=warn,notify=warn,mio=warn",
        _ => "trace,h2=info,hyper=info,hyper_util=info,tower=info,tonic=info,mio=info",
    }
}

/// Starts logging.
///
/// # Errors
/// A format other than `text` and `json`.
pub fn start(format: &str, verbosity: u32) -> Result<()> {
    let filter = EnvFilter::try_new(directives(verbosity)).context("log filter")?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        "json" => lines.json().init(),
        "text" | "" => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        other => anyhow::bail!("logging format {other:?}: must be text or json"),
    }
    Ok(())
}
