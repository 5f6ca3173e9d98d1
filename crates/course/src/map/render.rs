//! Tables of the map as Markdown, for the book.
//!
//! A page's `up` is the way from it to the folder of all pages: `""` for `map.md`, `"../"` for `crates/pleg.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Crate, DirectoryParity, Map, MapError, Omission, Pair, Status, Totals, find, go_index};
use crate::lab::Lab;

/// Why a table cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A page asks for a crate that there is not.
    #[error("there is no crate {name}{hint}")]
    UnknownCrate {
        /// What was asked for.
        name: String,
        /// `; perhaps pleg`, or nothing.
        hint: String,
    },
    /// What the table is made from cannot be read.
    #[error(transparent)]
    Map(#[from] MapError),
}

/// The table of a crate: each item of ours, what it mirrors, what it does.
///
/// # Errors
/// There is no such crate.
pub fn gomap(map: &Map, name: &str) -> Result<String, RenderError> {
    let krate = krate(map, name)?;
    let mut rows: Vec<(String, Vec<String>, String)> = Vec::new();
    for pair in map.pairs().filter(|pair| pair.krate.name == krate.name) {
        let go = go_link(map, &pair, true);
        match rows.iter_mut().find(|(rust, ..)| *rust == pair.counterpart.rust) {
            Some((_, cell, _)) => cell.push(go),
            None => {
                // A comment that only names the original says nothing that the row does not say.
                let said = pair.item.map(|item| &item.summary).filter(|said| !said.starts_with("Mirrors "));
                let summary = said.cloned().unwrap_or_default();
                rows.push((pair.counterpart.rust.clone(), vec![go], summary));
            }
        }
    }
    if rows.is_empty() {
        return Ok("*This crate mirrors no Go source.*\n".to_owned());
    }
    let mut out = String::from("| here | Go | |\n|---|---|---|\n");
    for (rust, go, summary) in rows {
        let _ = writeln!(out, "| `{rust}` | {} | {} |", go.join("<br>"), cell(&summary));
    }
    Ok(out)
}

/// What a crate leaves out and does otherwise, from the top of its `lib.rs`.
///
/// # Errors
/// There is no such crate.
pub fn ledger(map: &Map, name: &str) -> Result<String, RenderError> {
    let krate = krate(map, name)?;
    let out = ledger_of(krate);
    Ok(if out.is_empty() { "*Nothing is left out.*\n".to_owned() } else { out })
}

fn ledger_of(krate: &Crate) -> String {
    let mut out = String::new();
    for (title, lead) in
        [("Left out", "**Left out.**"), ("Other than the kubelet", "**Other than the kubelet.**")]
    {
        if let Some(text) = krate.section(title) {
            let gap = if out.is_empty() { "" } else { "\n" };
            let between = if text.starts_with("- ") { "\n\n" } else { " " };
            let _ = writeln!(out, "{gap}{lead}{between}{}", lists_apart(&text));
        }
    }
    out
}

/// All ledgers, crate by crate.
pub fn ledgers(map: &Map, up: &str) -> String {
    let mut out = String::new();
    for krate in &map.crates {
        let text = ledger_of(krate);
        if !text.is_empty() {
            let _ = writeln!(out, "## {}\n\n{text}", crate_link(map, krate, up));
        }
    }
    out
}

/// The whole map by Go directory: symbol, item, crate, lab.
pub fn go_to_rust(map: &Map, up: &str) -> String {
    let mut directories: BTreeMap<(bool, &str), Vec<Pair<'_>>> = BTreeMap::new();
    for pair in map.pairs() {
        let outside = map.go.file(pair.path).is_none_or(|file| !file.in_kubelet);
        directories.entry((outside, go_index::parent(pair.path))).or_default().push(pair);
    }
    let mut out = String::new();
    for ((_, directory), mut pairs) in directories {
        pairs.sort_by_key(|pair| (pair.path, pair.symbol.map_or(0, |symbol| symbol.line)));
        let _ = writeln!(out, "### {directory}\n\n| Go | here | crate | lab |\n|---|---|---|---|");
        for pair in pairs {
            let lab = map.lab_of(&pair).map(|lab| lab_link(lab, up)).unwrap_or_default();
            let krate = crate_link(map, pair.krate, up);
            let go = go_link(map, &pair, false);
            let _ = writeln!(out, "| {go} | `{}` | {krate} | {lab} |", pair.counterpart.rust);
        }
        out.push('\n');
    }
    out
}

/// How much of each Go directory has a counterpart, the sums, and what the recordings prove.
///
/// # Errors
/// The list of recordings cannot be read.
pub fn parity(map: &Map, up: &str) -> Result<String, RenderError> {
    let rows = map.parity();
    let totals = Totals::of(&rows);
    let mut out = totals_in_words(&totals);
    out.push_str(
        "\n| Go directory | status | files | code lines | named, of functions | crates |\n|---|---|---:|---:|---:|---|\n",
    );
    for row in &rows {
        let _ = writeln!(
            out,
            "| [{}]({}) | {} | {} | {} | {} | {} |",
            row.directory,
            tree_url(map, row.directory),
            row.status.word(),
            share(row.mirrored_files, row.files),
            share(row.mirrored_lines, row.code_lines),
            share_or_none(row.symbols, row.functions),
            who(map, row, up),
        );
    }
    let _ = writeln!(
        out,
        "| **all** | | **{}** | **{}** | **{}** | |",
        share(totals.mirrored_files, totals.files),
        share(totals.mirrored_lines, totals.code_lines),
        share_or_none(totals.symbols, totals.functions)
    );
    out.push_str("\n## What the recordings prove\n\n");
    let played = map.played()?;
    let plays = played.iter().filter(|recording| recording.waits_for.is_none()).count();
    let _ = writeln!(
        out,
        "{plays} of {} recordings of a real kubelet are played against the agent; each request is compared field by \
         field.\n\n| recording | calls | played | differences |\n|---|---:|---|---:|",
        played.len()
    );
    for recording in &played {
        let (how, differences) = match &recording.waits_for {
            None => ("yes".to_owned(), recording.differences.to_string()),
            Some(what) => (format!("waits for {what}"), String::new()),
        };
        let _ = writeln!(out, "| `{}` | {} | {how} | {differences} |", recording.recording, recording.calls);
    }
    Ok(out)
}

/// What is left out, entry by entry, and what it comes with.
pub fn left_out(map: &Map, up: &str) -> String {
    let mut out = String::from("| Go | what it is | comes with |\n|---|---|---|\n");
    for omission in &map.left_out.omissions {
        let Omission { path, reason, comes_with } = omission;
        let with = comes_with.as_deref().map(|name| named_crate(map, name, up)).unwrap_or_default();
        let _ = writeln!(out, "| `{path}` | {} | {with} |", cell(reason));
    }
    out
}

fn totals_in_words(totals: &Totals) -> String {
    let [mirrored, partly, to_come, left_out] = totals.directories;
    format!(
        "Of {} directories {mirrored} are mirrored, {partly} partly; {to_come} are to come and {left_out} stay out. Files \
         with a counterpart hold {} of {} lines of code ({} %). Crates name {} symbols in them; all files together have {} \
         functions and methods.\n",
        mirrored + partly + to_come + left_out,
        totals.mirrored_lines,
        totals.code_lines,
        percent(totals.mirrored_lines, totals.code_lines),
        totals.symbols,
        totals.functions
    )
}

fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(0)
}

fn share_or_none(part: usize, whole: usize) -> String {
    if part == 0 { String::new() } else { format!("{part} of {whole}") }
}

fn share(part: usize, whole: usize) -> String {
    if part == whole || part == 0 { whole.to_string() } else { format!("{part} of {whole}") }
}

fn who(map: &Map, row: &DirectoryParity<'_>, up: &str) -> String {
    let here: Vec<String> = row.crates.iter().map(|krate| crate_link(map, krate, up)).collect();
    if row.status == Status::LeftOut {
        return row.omissions.first().map(|omission| cell(&omission.reason)).unwrap_or_default();
    }
    if row.status == Status::ToCome {
        let mut with: Vec<String> = Vec::new();
        for name in row.omissions.iter().filter_map(|omission| omission.comes_with.as_deref()) {
            let name = named_crate(map, name, up);
            if !with.contains(&name) {
                with.push(name);
            }
        }
        return format!("with {}", with.join(", "));
    }
    here.join(", ")
}

fn krate<'a>(map: &'a Map, name: &str) -> Result<&'a Crate, RenderError> {
    map.krate(name).ok_or_else(|| {
        let near = find::nearest(name, map.crates.iter().map(|krate| krate.name.clone()));
        RenderError::UnknownCrate { name: name.to_owned(), hint: find::perhaps(&near) }
    })
}

/// A crate's name, which leads to its chapter if there is one.
fn crate_link(map: &Map, krate: &Crate, up: &str) -> String {
    match map.chapter_of(krate) {
        Some(_) => format!("[{}]({up}crates/{}.md)", krate.name, krate.folder_name()),
        None => krate.name.clone(),
    }
}

fn named_crate(map: &Map, name: &str, up: &str) -> String {
    map.krate(name).map_or_else(|| name.to_owned(), |krate| crate_link(map, krate, up))
}

fn lab_link(lab: &Lab, up: &str) -> String {
    format!("[{}]({up}labs/{}.md)", lab.id, lab.id)
}

/// The Go symbol, which leads to its line in the source; with its file in front, where the table does not say it.
fn go_link(map: &Map, pair: &Pair<'_>, with_file: bool) -> String {
    let file = short(pair.path);
    let name = pair.path.rsplit('/').next().unwrap_or(pair.path);
    let shown = match pair.symbol {
        Some(symbol) if with_file => format!("{file}: {}", symbol.name),
        Some(symbol) => format!("{name}: {}", symbol.name),
        None if with_file => file.to_owned(),
        None => name.to_owned(),
    };
    format!("[`{shown}`]({})", source_url(&map.version, pair.path, pair.symbol.map(|symbol| symbol.line)))
}

/// The path without what all have in common.
fn short(path: &str) -> &str {
    ["pkg/kubelet/", "staging/src/k8s.io/", "vendor/"]
        .into_iter()
        .find_map(|prefix| path.strip_prefix(prefix))
        .unwrap_or(path)
}

/// Where a file of Kubernetes can be read.
pub fn source_url(version: &str, path: &str, line: Option<usize>) -> String {
    let line = line.map(|line| format!("#L{line}")).unwrap_or_default();
    format!("https://github.com/kubernetes/kubernetes/blob/{version}/{path}{line}")
}

fn tree_url(map: &Map, directory: &str) -> String {
    format!("https://github.com/kubernetes/kubernetes/tree/{}/{directory}", map.version)
}

/// Text that may stand in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// A list that follows its lead-in at once gets the empty line that Markdown needs in front of it.
fn lists_apart(text: &str) -> String {
    let mut out = String::new();
    let mut in_list = true;
    for line in text.lines() {
        let item = line.starts_with("- ");
        if item && !in_list {
            out.push('\n');
        }
        in_list = item || (in_list && line.starts_with("  "));
        out.push_str(line);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}
