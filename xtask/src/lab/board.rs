//! `cargo xtask lab list` and `next`: where the learner stands, and what comes now.

use anyhow::Result;
use clap::Args;
use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use course::lab::{Kind, Lab};
use serde_json::{Value, json};

use super::desk::Desk;
use super::paint::{Paint, folded, say};
use super::progress::{Entry, Progress, State};

/// Show every lab and where you stand.
#[derive(Debug, Args)]
#[command(after_help = "\
--json prints a list with one object a lab:
  {\"lab\": \"04\", \"title\": …, \"kind\": \"code\" | \"tour\", \"minutes\": 75,
   \"crate\": \"kuberuntime\" | null, \"current\": true | false, \"hints\": 1,
   \"state\": \"not-started\" | \"started\" | \"red\" | \"green\" | \"solved\",
   \"red\": 7, \"of\": 17 (of the last check; null before it),
   \"green\": \"2026-11-24\" | null}")]
pub struct Options {
    /// Print JSON instead, for graders.
    #[arg(long)]
    json: bool,
}

pub fn list(desk: &Desk, options: &Options) -> Result<()> {
    let labs = desk.labs()?;
    if options.json {
        let all: Vec<Value> =
            labs.iter().map(|lab| as_json(lab, &desk.progress.of(&lab.id), is_current(desk, lab))).collect();
        say!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    let paint = Paint::of_stdout();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["", "LAB", "TITLE", "MINUTES", "CRATE", "STATE"]);
    // In a narrow terminal a long title takes two lines.
    table.set_content_arrangement(ContentArrangement::Dynamic);
    for lab in &labs {
        let state = desk.progress.of(&lab.id).state();
        table.add_row([
            Cell::new(if is_current(desk, lab) { "▸" } else { "" }),
            Cell::new(&lab.id),
            Cell::new(&lab.title),
            Cell::new(lab.minutes),
            Cell::new(lab.crate_name.as_deref().unwrap_or("a tour")),
            said(state, paint),
        ]);
    }
    say!("{}", table.trim_fmt());
    let done = labs.iter().filter(|lab| matches!(desk.progress.of(&lab.id).state(), State::Green(_))).count();
    say!("\n{done} of {} are green. What comes now: cargo xtask lab next", labs.len());
    Ok(())
}

pub fn next(desk: &Desk) -> Result<()> {
    let labs = desk.labs()?;
    let state = |lab: &Lab| desk.progress.of(&lab.id).state();
    let Some(lab) = chosen(&labs, &desk.progress) else {
        say!("Every lab is done. Your agent is yours: cargo xtask lab run");
        return Ok(());
    };
    let paint = Paint::of_stdout();
    say!("{}", paint.bold(&format!("Lab {} · {} · {} minutes", lab.id, lab.title, lab.minutes)));
    say!("  read   {}", desk.short(&lab.dir.join("README.md")));
    let id = &lab.id;
    match state(lab) {
        State::NotStarted => say!("  then   cargo xtask lab start {id}"),
        State::Red(count) => {
            say!("  then   cargo xtask lab check {id}   ({} of {} were red)", count.red, count.of)
        }
        _ => say!("  then   cargo xtask lab check {id}"),
    }
    if !lab.concepts.is_empty() {
        say!("{}", folded("  about  ", &lab.concepts.join(", ")));
    }
    Ok(())
}

/// What is under way; else the first lab that was left open; else the next new one after the current.
fn chosen<'a>(labs: &'a [Lab], progress: &Progress) -> Option<&'a Lab> {
    let state = |lab: &Lab| progress.of(&lab.id).state();
    let is_open = |lab: &&Lab| !matches!(state(lab), State::Green(_) | State::Solved);
    let is_new = |lab: &&Lab| state(lab) == State::NotStarted;
    let current = progress.current.as_deref().unwrap_or_default();
    labs.iter()
        .find(|lab| lab.id == current && is_open(lab))
        .or_else(|| labs.iter().find(|lab| is_open(lab) && !is_new(lab)))
        .or_else(|| labs.iter().find(|lab| is_new(lab) && lab.id.as_str() > current))
        .or_else(|| labs.iter().find(is_new))
}

fn is_current(desk: &Desk, lab: &Lab) -> bool {
    desk.progress.current.as_ref() == Some(&lab.id)
}

/// The table counts its columns, so it has to do the painting.
fn said(state: State, paint: Paint) -> Cell {
    let (text, colour) = match state {
        State::NotStarted => ("not started".to_owned(), Color::DarkGrey),
        State::Started => ("started".to_owned(), Color::Yellow),
        State::Red(count) => (format!("red {} of {}", count.red, count.of), Color::Red),
        State::Green(day) => (format!("green ({day})"), Color::Green),
        State::Solved => ("solved with the reference".to_owned(), Color::Reset),
    };
    let cell = Cell::new(text);
    if paint.is_on() && colour != Color::Reset { cell.fg(colour) } else { cell }
}

fn as_json(lab: &Lab, entry: &Entry, current: bool) -> Value {
    let state = match entry.state() {
        State::NotStarted => "not-started",
        State::Started => "started",
        State::Red(_) => "red",
        State::Green(_) => "green",
        State::Solved => "solved",
    };
    json!({
        "lab": lab.id,
        "title": lab.title,
        "kind": if lab.kind == Kind::Tour { "tour" } else { "code" },
        "crate": lab.crate_name,
        "minutes": lab.minutes,
        "state": state,
        "current": current,
        "hints": entry.hints,
        "red": entry.last.map(|count| count.red),
        "of": entry.last.map(|count| count.of),
        "green": entry.green.map(|day| day.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::desk::sample_lab;
    use super::super::progress::Count;
    use super::*;

    #[test]
    fn what_is_under_way_comes_first_then_what_was_left_open_then_what_is_new() {
        let labs: Vec<Lab> =
            ["01", "02", "03", "04"].map(|id| Lab { id: id.to_owned(), ..sample_lab() }).to_vec();
        let day = jiff::civil::date(2026, 11, 24);
        let mut progress = Progress::default();
        let next = |progress: &Progress| chosen(&labs, progress).map(|lab| lab.id.as_str());
        assert_eq!(next(&progress), Some("01"));
        progress.current = Some("02".to_owned());
        progress.entry("02").started = Some(day);
        assert_eq!(next(&progress), Some("02"), "under way");
        progress.entry("02").checked(Count { red: 0, of: 9 }, day);
        assert_eq!(next(&progress), Some("03"), "the next one after the current");
        progress.entry("04").checked(Count { red: 1, of: 9 }, day);
        assert_eq!(next(&progress), Some("04"), "left open");
        progress.entry("04").solved = Some(day);
        progress.entry("03").solved = Some(day);
        assert_eq!(next(&progress), Some("01"), "passed over");
        progress.entry("01").solved = Some(day);
        assert_eq!(next(&progress), None);
    }
}
