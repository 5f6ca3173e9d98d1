//! The map between the Go source and this one, as a person asks it.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use course::map::{
    Answer, Crate, DirectoryParity, Exemption, GoFile, Map, Omission, Pair, Status, Totals, render,
};
use serde_json::{Value, json};

use crate::workspace;

mod as_json;

/// Find what mirrors a Go file or symbol here, and what a crate mirrors there.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask map                      each Go directory, and what became of it\n  \
                        cargo xtask map prober/worker.go     a Go file, by the end of its path\n  \
                        cargo xtask map computePodActions    a Go symbol, or one of ours\n  \
                        cargo xtask map kuberuntime          a crate\n  \
                        cargo xtask map --check              whether every name on the map is there"
)]
pub struct Options {
    /// A Go file or directory (the end of its path will do), a Go symbol, an item of ours, or a crate.
    asked: Option<String>,
    /// Reports each name on the map that is not there, and each Go file that is neither mirrored nor left out.
    #[arg(long, conflicts_with = "asked")]
    check: bool,
    /// Answers in JSON.
    #[arg(long)]
    json: bool,
}

/// So many answers are told in full.
const MANY: usize = 5;

pub fn run(options: &Options) -> Result<ExitCode> {
    let map = Map::load(&workspace::root())?;
    if options.check {
        return Ok(check(&map, options.json));
    }
    let Some(asked) = &options.asked else {
        print_lines(&if options.json {
            format!("{:#}\n", as_json::directories(&map))
        } else {
            directories(&map)
        });
        return Ok(ExitCode::SUCCESS);
    };
    let answers = map.find(asked);
    if options.json {
        let answers: Vec<Value> = answers.iter().map(|answer| as_json::answer(&map, answer)).collect();
        print_lines(&format!("{:#}\n", json!(answers)));
    } else if answers.is_empty() {
        eprint!("{}", nothing(&map, asked));
    } else {
        let texts: Vec<String> = answers.iter().take(MANY).map(|answer| said(&map, answer)).collect();
        print_lines(&texts.join("\n"));
        if let more @ 1.. = answers.len().saturating_sub(MANY) {
            print_lines(&format!(
                "\n… and {more} more are called {asked}; name the file too: FILE.go#{asked}\n"
            ));
        }
    }
    Ok(if answers.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A reader that has seen enough (`| head`) is no fault.
fn print_lines(text: &str) {
    use std::io::Write as _;
    drop(std::io::stdout().lock().write_all(text.as_bytes()));
}

fn check(map: &Map, as_json: bool) -> ExitCode {
    let problems = map.check();
    if as_json {
        let problems: Vec<Value> =
            problems.iter().map(|problem| json!({ "place": problem.place, "text": problem.text })).collect();
        print_lines(&format!("{:#}\n", json!(problems)));
    } else if problems.is_empty() {
        let pairs = map.pairs().count();
        print_lines(&format!(
            "the map holds: {pairs} counterparts, {} crates, {} labs, Kubernetes {}\n",
            map.crates.len(),
            map.labs.len(),
            map.version
        ));
    } else {
        for problem in &problems {
            eprintln!("{problem}");
        }
        eprintln!("the map does not hold: {} problems", problems.len());
    }
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One row a directory, and the sums.
fn directories(map: &Map) -> String {
    let rows = map.parity();
    let totals = Totals::of(&rows);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["GO DIRECTORY", "FILES", "CODE LINES", "STATUS", "HERE"]);
    for row in &rows {
        table.add_row([
            row.directory.to_owned(),
            share(row.mirrored_files, row.files),
            share(row.mirrored_lines, row.code_lines),
            row.status.word().to_owned(),
            here(row),
        ]);
    }
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let [mirrored, partly, to_come, left_out] = totals.directories;
    let mut out = String::new();
    for line in table.lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let _ = writeln!(
        out,
        "\n{} directories: {mirrored} mirrored, {partly} partly, {to_come} to come, {left_out} left out; {} of {} lines of \
         code are in files with a counterpart\n`cargo xtask map DIRECTORY` says more about one",
        rows.len(),
        totals.mirrored_lines,
        totals.code_lines
    );
    out
}

fn share(part: usize, whole: usize) -> String {
    format!("{part}/{whole}")
}

fn here(row: &DirectoryParity<'_>) -> String {
    let names: Vec<&str> = match row.status {
        Status::ToCome => {
            let mut names: Vec<&str> = row.omissions.iter().filter_map(|o| o.comes_with.as_deref()).collect();
            names.dedup();
            names
        }
        Status::LeftOut => Vec::new(),
        Status::Mirrored | Status::Partly => row.crates.iter().map(|krate| krate.name.as_str()).collect(),
    };
    let names = names.join(", ");
    if row.status == Status::ToCome { format!("with {names}") } else { names }
}

/// An answer, as lines for a terminal.
fn said(map: &Map, answer: &Answer<'_>) -> String {
    let mut out = String::new();
    match answer {
        Answer::Crate { krate, pairs } => {
            let _ = writeln!(out, "{} (floor {}): {}", krate.name, krate.floor, krate.summary());
            for claim in &krate.go {
                let _ = writeln!(out, "  mirrors  {claim}");
            }
            places(map, krate, &mut out);
            pairs_by_path(map, pairs, &mut out);
        }
        Answer::File { file, pairs, claimed_by, omission } => {
            let _ = writeln!(out, "{} ({} lines)", file.path, file.lines);
            without_counterpart(file, *omission, &mut out);
            if pairs.is_empty() && omission.is_none() {
                for krate in claimed_by {
                    let _ = writeln!(out, "  its directory is mirrored by {}", krate.name);
                }
            }
            symbols(map, pairs, &mut out);
            chapters(map, pairs, &mut out);
        }
        Answer::Symbol { symbol, pairs, file_pairs, omission } => {
            let _ = writeln!(out, "{}:{} {} {}", symbol.path, symbol.line, symbol.kind, symbol.full_name());
            for pair in pairs {
                let _ = writeln!(out, "  here     {}", item(pair));
            }
            if pairs.is_empty() {
                let file = map.go.file(&symbol.path);
                match (file, file_pairs.is_empty()) {
                    (Some(file), true) => without_counterpart(file, *omission, &mut out),
                    _ => {
                        let _ = writeln!(out, "  here     no item of its own; of its file:");
                        symbols(map, file_pairs, &mut out);
                    }
                }
            }
            chapters(map, if pairs.is_empty() { file_pairs } else { pairs }, &mut out);
            let url = render::source_url(&map.version, &symbol.path, Some(symbol.line));
            let _ = writeln!(out, "  source   {url}");
        }
        Answer::Directory { path, files, pairs } => {
            let _ = writeln!(out, "{path} ({} files)", files.len());
            let name = |file: &GoFile| file.path.rsplit('/').next().unwrap_or(&file.path).to_owned();
            let width = files.iter().map(|file| name(file).len()).max().unwrap_or_default();
            for file in files {
                let of_file: Vec<Pair<'_>> =
                    pairs.iter().filter(|pair| pair.path == file.path).cloned().collect();
                let _ = writeln!(out, "  {:<width$}  {}", name(file), became(map, file, &of_file));
            }
            chapters(map, pairs, &mut out);
        }
        Answer::Item { krate, item, pairs } => {
            let _ =
                writeln!(out, "{}: {} ({}:{})", krate.name, item.segments.join("::"), item.file, item.line);
            if !item.summary.is_empty() {
                let _ = writeln!(out, "  {}", item.summary);
            }
            for pair in pairs {
                let _ = writeln!(out, "  mirrors  {}", go(pair));
            }
            chapters(map, pairs, &mut out);
        }
    }
    out
}

/// One line about a file in the list of its directory.
fn became(map: &Map, file: &GoFile, pairs: &[Pair<'_>]) -> String {
    let mut crates: Vec<&str> = pairs.iter().map(|pair| pair.krate.name.as_str()).collect();
    crates.dedup();
    if !crates.is_empty() {
        return crates.join(", ");
    }
    match (file.exempt, map.left_out.of(file)) {
        (Some(exempt), _) => exemption(exempt).to_owned(),
        (None, Some(omission)) => left_out(omission),
        (None, None) => String::new(),
    }
}

fn exemption(exempt: Exemption) -> &'static str {
    match exempt {
        Exemption::Generated => "generated",
        Exemption::TestHelper => "a helper of Go's tests",
        Exemption::OtherSystem => "not for Linux",
        Exemption::NoCode => "documentation only",
    }
}

fn left_out(omission: &Omission) -> String {
    match &omission.comes_with {
        Some(krate) => format!("to come with {krate}: {}", omission.reason),
        None => format!("left out: {}", omission.reason),
    }
}

fn without_counterpart(file: &GoFile, omission: Option<&Omission>, out: &mut String) {
    if let Some(exempt) = file.exempt {
        let _ = writeln!(out, "  no counterpart: {}", exemption(exempt));
    } else if let Some(omission) = omission {
        let _ = writeln!(out, "  {}", left_out(omission));
    }
}

/// Their lines and names, and what there is of them here, as two columns.
fn symbols(map: &Map, pairs: &[Pair<'_>], out: &mut String) {
    let mut pairs: Vec<&Pair<'_>> = pairs.iter().collect();
    pairs.sort_by_key(|pair| (pair.path, pair.symbol.map_or(0, |symbol| symbol.line)));
    let names: Vec<String> = pairs.iter().map(|pair| left_column(pair)).collect();
    let width = names.iter().map(String::len).max().unwrap_or_default();
    for (pair, name) in pairs.into_iter().zip(names) {
        let lab = map.lab_of(pair).map(|lab| format!("  lab {}", lab.id)).unwrap_or_default();
        let _ = writeln!(out, "  {name:<width$}  {}{lab}", item(pair));
    }
}

fn left_column(pair: &Pair<'_>) -> String {
    match pair.symbol {
        Some(symbol) => format!("{:>5} {}", symbol.line, symbol.name),
        None => "      (the file)".to_owned(),
    }
}

fn pairs_by_path(map: &Map, pairs: &[Pair<'_>], out: &mut String) {
    let mut pairs: Vec<Pair<'_>> = pairs.to_vec();
    pairs.sort_by_key(|pair| (pair.path, pair.symbol.map_or(0, |symbol| symbol.line)));
    for of_file in pairs.chunk_by(|a, b| a.path == b.path) {
        let _ = writeln!(out, "  {}", of_file[0].path);
        symbols(map, of_file, out);
    }
}

/// Chapter and labs of each crate that the pairs are about.
fn chapters(map: &Map, pairs: &[Pair<'_>], out: &mut String) {
    let mut told: Vec<&str> = Vec::new();
    for pair in pairs {
        if !told.contains(&pair.krate.name.as_str()) {
            told.push(&pair.krate.name);
            places(map, pair.krate, out);
        }
    }
}

fn places(map: &Map, krate: &Crate, out: &mut String) {
    if let Some(chapter) = map.chapter_of(krate) {
        let _ = writeln!(out, "  chapter  {chapter}");
    }
    for lab in map.labs_of(krate) {
        let _ = writeln!(out, "  lab      {} {}", lab.id, lab.title);
    }
}

/// `kuberuntime: compute_pod_actions (crates/kuberuntime/src/actions.rs:112)`.
fn item(pair: &Pair<'_>) -> String {
    let name = &pair.counterpart.rust;
    match pair.item {
        Some(item) => format!("{}: {name} ({}:{})", pair.krate.name, item.file, item.line),
        None => format!("{}: {name}", pair.krate.name),
    }
}

fn go(pair: &Pair<'_>) -> String {
    match pair.symbol {
        Some(symbol) => format!("{}:{} {}", symbol.path, symbol.line, symbol.full_name()),
        None => pair.path.to_owned(),
    }
}

fn nothing(map: &Map, asked: &str) -> String {
    let near = map.suggestions(asked);
    let mut out = format!("nothing on the map is called {asked}\n");
    if near.is_empty() {
        let crates: Vec<&str> = map.crates.iter().map(|krate| krate.name.as_str()).collect();
        let _ = writeln!(
            out,
            "ask for the end of a Go path (pleg/generic.go), a symbol (computePodActions) or a crate: {}",
            crates.join(", ")
        );
    } else {
        out.push_str("perhaps:\n");
        for name in near {
            let _ = writeln!(out, "  cargo xtask map {name}");
        }
    }
    out
}
