//! Builds, serves and checks the book: what `cargo xtask book` runs.
//!
//! ```text
//! book/src, crates/ (by anchors), labs/ ─▶ press: pages, views, mdBook ─▶ target/book ─▶ check, browser, serve
//! ```
//!
//! mdBook is used as a library, so that its version is in `Cargo.lock` and nothing has to be installed. Its own
//! preprocessor for includes is off: it is silent about an anchor that does not exist. Ours ([`page`]) is not.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::press::Press;

#[cfg(feature = "browser")]
mod browser;
mod check;
mod directive;
mod fence;
mod link;
mod minutes;
mod page;
mod press;
mod problem;
mod serve;
mod views;
mod warnings;

/// Build, serve and check the book.
#[derive(Debug, Parser)]
#[command(
    bin_name = "cargo xtask book",
    after_help = "To read it: `cargo xtask book serve --open`. To write: the same, and `cargo xtask book check` when done."
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Build the book into target/book.
    Build,
    /// Build the book, serve it on this machine, and build it again after each change.
    Serve {
        /// The port of 127.0.0.1.
        #[arg(long, default_value_t = 3000)]
        port: u16,
        /// Open it in a browser.
        #[arg(long)]
        open: bool,
    },
    /// Build the book and look for everything that is wrong with it.
    ///
    /// Includes and anchors, links, pages that nobody finds, the glossary, mdBook's warnings. Nothing is asked of the network.
    /// Exits with 1 when something is wrong, and with 3 when nothing is but --browser found no browser to look with.
    Check {
        /// Also open every page in headless Chromium: no errors, no missing files, diagrams drawn, search works.
        #[arg(long)]
        browser: bool,
    },
    /// Take pictures of pages with headless Chromium: wide and narrow, light and dark.
    Screenshots {
        /// Where the pictures go.
        directory: PathBuf,
        /// The pages, such as `crates/pleg`; all of them when none is named.
        pages: Vec<String>,
    },
}

/// Not run is not passed: the exit code of a check that had nothing to check with.
const NOT_RUN: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let root = root();
    let done = match Arguments::parse().verb {
        Verb::Build => build(&root),
        Verb::Serve { port, open } => serve::book(&root, port, open).await.map(|()| ExitCode::SUCCESS),
        Verb::Check { browser } => Box::pin(check(&root, browser)).await,
        Verb::Screenshots { directory, pages } => Box::pin(screenshots(&root, &directory, pages)).await,
    };
    match done {
        Ok(code) => code,
        Err(e) => {
            eprintln!("book: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn build(root: &Path) -> Result<ExitCode> {
    let press = Press::take(root)?;
    let built = press.build()?;
    press::report(&built);
    println!("the book is in {}", built.directory.display());
    Ok(if built.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn check(root: &Path, in_browser: bool) -> Result<ExitCode> {
    let press = Press::take(root)?;
    let built = press.build()?;
    let problems = check::check(root, &built)?;
    for problem in &problems {
        eprintln!("{problem}");
    }
    let pages = press::pages(&built.directory)?.len();
    let mut wrong = problems.len();
    let seen = if in_browser { in_a_browser::check(&built.directory, pages).await? } else { Some(0) };
    wrong += seen.unwrap_or_default();
    println!("{pages} pages, {wrong} problems");
    Ok(match (wrong, seen) {
        (0, Some(_)) => ExitCode::SUCCESS,
        (0, None) => ExitCode::from(NOT_RUN),
        _ => ExitCode::FAILURE,
    })
}

async fn screenshots(root: &Path, directory: &Path, pages: Vec<String>) -> Result<ExitCode> {
    let press = Press::take(root)?;
    let built = press.build()?;
    press::report(&built);
    let pages = if pages.is_empty() { press::pages(&built.directory)? } else { pages };
    let taken = in_a_browser::screenshots(&built.directory, directory, &pages).await?;
    Ok(if taken { ExitCode::SUCCESS } else { ExitCode::from(NOT_RUN) })
}

/// What needs a browser, when this package was built with the feature for it.
#[cfg(feature = "browser")]
mod in_a_browser {
    use std::path::Path;

    use anyhow::{Context as _, Result};

    use crate::browser;

    /// How many problems every page of the book shows; `None` when there is no browser.
    pub async fn check(book: &Path, pages: usize) -> Result<Option<usize>> {
        let Some(program) = browser::find() else {
            println!("{}", browser::missing());
            return Ok(None);
        };
        println!("looking at {pages} pages with {}", program.display());
        let seen = browser::check(&program, book).await?;
        for problem in &seen {
            eprintln!("{problem}");
        }
        Ok(Some(seen.len()))
    }

    /// Whether there was a browser to take the pictures with.
    pub async fn screenshots(book: &Path, directory: &Path, pages: &[String]) -> Result<bool> {
        let Some(program) = browser::find() else {
            println!("{}", browser::missing());
            return Ok(false);
        };
        for picture in browser::take(&program, book, directory, pages).await.context("screenshots")? {
            println!("{}", picture.display());
        }
        Ok(true)
    }
}

/// What is said without the feature.
#[cfg(not(feature = "browser"))]
mod in_a_browser {
    use std::path::Path;

    use anyhow::{Result, bail};

    const WITHOUT: &str = "this builder was built without the part that speaks with a browser; `cargo xtask book` builds it with that \
                           (`--features browser`)";

    pub async fn check(_book: &Path, _pages: usize) -> Result<Option<usize>> {
        bail!(WITHOUT)
    }

    pub async fn screenshots(_book: &Path, _directory: &Path, _pages: &[String]) -> Result<bool> {
        bail!(WITHOUT)
    }
}

/// The workspace's root: two folders above this package.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}
