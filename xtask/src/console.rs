//! `cargo xtask console`: the commands that our pages show are run, and print what the pages say.
//!
//! ```text
//!   a page ─ page ─▶ blocks ─ perform ─▶ scene: a directory, a shell, terminals ─▶ printed ─ compare ─▶ as shown?
//!                                                          normal: times, pids, ids are all alike ┘
//! ```
//!
//! `page` has the grammar of the blocks. One page is one scene: its blocks run in order, in the root of the clone, and what
//! they leave running is ended at the page's end.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::Instant;

use crate::workspace;

mod compare;
mod normal;
mod page;
mod perform;
mod printed;
mod rewrite;
mod scene;
mod terminal;
mod typed;

use page::{Act, Page, What};
use perform::{Manner, Performance};

/// Run the commands that our pages show, and compare what they print.
///
/// Without FILE, all pages: README.md, the book's, the labs'. Times, pids, ids, addresses and widths of columns may differ;
/// all else has to be as shown. A block that is not run says why; `--list` shows them all.
#[derive(Debug, Args)]
pub struct Options {
    /// The pages, or directories of pages; all when none is named.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write what was printed into the pages that do not show it.
    #[arg(long)]
    update: bool,
    /// Show the blocks of each page, run nothing.
    #[arg(long, conflicts_with = "update")]
    list: bool,
    /// How many pages run side by side.
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// Give every block N times as long, on a slow or busy machine.
    #[arg(long, value_name = "N", default_value_t = 1)]
    patience: u32,
}

/// How all pages went.
struct Tally {
    passed: usize,
    not_run: usize,
    failed: usize,
}

pub async fn run(options: &Options) -> Result<ExitCode> {
    let pages = pages(&options.files)?;
    if options.list {
        pages.iter().for_each(|(path, page)| list(path, page));
        return Ok(ExitCode::SUCCESS);
    }
    let tally = tokio::select! {
        tally = perform_all(&pages, options) => tally?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            bail!("interrupted; what the pages had started is ended");
        }
    };
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn perform_all(pages: &[(PathBuf, Page)], options: &Options) -> Result<Tally> {
    if pages.iter().any(|(_, page)| page.lines.iter().any(|line| line.contains("cargo "))) {
        build()?;
    }
    let began = Instant::now();
    let manner = Manner { to_rewrite: options.update, patience: options.patience.max(1) };
    let root = &workspace::root();
    // A page that takes long and is begun last would be waited for alone.
    let mut in_order: Vec<&(PathBuf, Page)> = pages.iter().collect();
    in_order.sort_by_key(|(_, page)| Reverse(page.blocks.iter().map(|block| block.timeout).max()));
    let performed = stream::iter(in_order).map(|(path, page)| async move {
        let performance = perform::perform(&root.join(path), page, manner).await?;
        tell(path, &performance);
        if options.update && !performance.failures.is_empty() {
            std::fs::write(root.join(path), rewrite::rewritten(&page.lines, &performance.edits))
                .with_context(|| path.display().to_string())?;
            println!("  rewritten: read it with care, then run it again");
        }
        anyhow::Ok(performance)
    });
    let performances: Vec<Performance> =
        performed.buffer_unordered(options.jobs.max(1)).try_collect().await?;
    let count = |of: fn(&Performance) -> usize| performances.iter().map(of).sum::<usize>();
    let tally = Tally {
        passed: count(|p| p.passed),
        not_run: count(|p| p.not_run.len()),
        failed: count(|p| usize::from(!p.failures.is_empty())),
    };
    println!(
        "\n{} blocks on {} pages did what they show, {} were not run, {} pages failed; {:.1} s",
        tally.passed,
        pages.len(),
        tally.not_run,
        tally.failed,
        began.elapsed().as_secs_f64()
    );
    Ok(tally)
}

/// What the pages use is built before, so that no block waits for a compiler.
fn build() -> Result<()> {
    let programs =
        [&["-p", "podwright"][..], &["-p", "embedded-runtime"], &["-p", "cri-client", "--example", "crictl"]];
    for program in programs {
        let built = workspace::cargo(["build", "--quiet"]).args(program).status().context("cargo build")?;
        if !built.success() {
            bail!("what the pages use does not build: cargo build {}: {built}", program.join(" "));
        }
    }
    Ok(())
}

/// The pages with blocks that are executed; paths are relative to the root.
fn pages(chosen: &[PathBuf]) -> Result<Vec<(PathBuf, Page)>> {
    let root = workspace::root();
    let mut files = Vec::new();
    if chosen.is_empty() {
        files.push(root.join("README.md"));
        collect(&root.join("book/src"), &mut files)?;
        for lab in entries(&root.join("labs"))? {
            files.extend(Some(lab.join("README.md")).filter(|page| page.is_file()));
        }
    }
    for chosen in chosen {
        let path = std::path::absolute(chosen)?;
        match path.is_dir() {
            true => collect(&path, &mut files)?,
            false => files.push(path),
        }
    }
    let mut pages = Vec::new();
    let mut mistakes = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap_or(&file).to_owned();
        let text = std::fs::read_to_string(&file).with_context(|| name.display().to_string())?;
        match page::read(&text) {
            Ok(page) if page.blocks.is_empty() && chosen.is_empty() => {}
            Ok(page) => pages.push((name, page)),
            Err(found) => {
                mistakes.extend(found.iter().map(|m| format!("{}:{}: {}", name.display(), m.line, m.text)));
            }
        }
    }
    if mistakes.is_empty() { Ok(pages) } else { bail!("{}", mistakes.join("\n")) }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for path in entries(dir)? {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn list(path: &Path, page: &Page) {
    for block in &page.blocks {
        let what = match &block.what {
            What::Commands { steps, .. } => first(steps),
            What::Terminal { name, steps, .. } => format!("[{name}] {}", first(steps)),
            What::Typed { file, function, .. } => format!("types {function} into {file}"),
            What::NotRun(_) => String::new(),
        };
        let not_run = perform::not_run(block).map(|why| format!("  not run: {why}")).unwrap_or_default();
        println!("{}:{}  {what}{not_run}", path.display(), block.line);
    }
}

fn first(steps: &[page::Step]) -> String {
    match steps.first().map(|step| &step.act) {
        Some(Act::Command(command)) => command.lines().next().unwrap_or_default().to_owned(),
        Some(Act::Interrupt) => "^C".to_owned(),
        Some(Act::Watch) | None => "goes on".to_owned(),
    }
}

fn tell(path: &Path, performance: &Performance) {
    let seconds = round(performance.took);
    let state = if performance.failures.is_empty() { "ok    " } else { "FAILED" };
    println!("{state} {}  {} blocks, {seconds} s", path.display(), performance.passed);
    for (line, why) in &performance.not_run {
        println!("  {}:{line} not run: {why}", path.display());
    }
    for failure in &performance.failures {
        println!("  {}:{} {}", path.display(), failure.line, failure.doing);
        failure.why.lines().for_each(|line| println!("      {line}"));
    }
}

fn round(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64())
}
