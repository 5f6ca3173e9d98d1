//! `cargo xtask doctor`: is this machine fit?

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};

use crate::machine::{self, NeededFor, Piece};
use crate::{apt, versions};

/// See what this machine has, and what each missing piece is needed for.
///
/// Versions are held against versions.toml. The exit code is 0 unless something is missing that `cargo xtask up` and
/// `cargo xtask test` need as they stand; what only containerd needs may be absent.
#[derive(Debug, Args)]
pub struct Options {
    /// First install with apt what containerd and the check of the book need and this machine lacks (Debian and Ubuntu, as
    /// root).
    #[arg(long)]
    install: bool,
}

pub async fn run(options: &Options) -> Result<ExitCode> {
    let versions = versions::read()?;
    if options.install {
        apt::install_missing(&versions, apt::Wanted::Everything).await?;
    }
    let pieces = machine::pieces(&versions);
    println!("{}", table(&pieces));
    println!("\ncontainerd: up --runtime containerd, test --containerd, ci");
    let unfit = |needed_for| pieces.iter().any(|p| p.found.is_err() && p.needed_for == needed_for);
    if unfit(NeededFor::Everything) {
        println!("`cargo xtask up` cannot work here yet.");
        return Ok(ExitCode::FAILURE);
    }
    println!("`cargo xtask up` and `cargo xtask test` work here.");
    if unfit(NeededFor::Containerd) {
        println!(
            "What containerd needs is missing; `cargo xtask doctor --install` (as root) installs what apt has."
        );
    } else {
        println!("So do `up --runtime containerd`, `test --containerd` and `ci`.");
    }
    Ok(ExitCode::SUCCESS)
}

fn table(pieces: &[Piece]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["", "piece", "found", "needed for"]);
    for piece in pieces {
        let (mark, found) = match &piece.found {
            Ok(found) => ("ok", found),
            Err(missing) => ("--", missing),
        };
        let needed_for = match piece.needed_for {
            NeededFor::Everything => "everything",
            NeededFor::Containerd => "containerd",
            NeededFor::Only(what) => what,
        };
        table.add_row([mark, piece.name, found, needed_for]);
    }
    table
}
