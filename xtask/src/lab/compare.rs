//! `cargo xtask lab diff` and `solve`: the learner's text beside the reference, or replaced by it.

use std::io::IsTerminal as _;

use anyhow::{Result, bail};
use clap::Args;
use course::lab::{Kind, Lab};
use similar::{ChangeTag, TextDiff};

use super::desk::Desk;
use super::paint::{Paint, put, say};
use super::progress::State;
use super::start::files;
use super::workbook::history;

/// Show how your text differs from the reference. Asks first while the check is not green.
#[derive(Debug, Args)]
pub struct DiffOptions {
    /// The lab, such as 04; the current one when none is given.
    lab: Option<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Write the reference into your workbook, in place of your text of a lab, which is kept.
#[derive(Debug, Args)]
pub struct SolveOptions {
    /// The lab, such as 04; the current one when none is given.
    lab: Option<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

pub fn diff(desk: &Desk, options: &DiffOptions) -> Result<()> {
    let lab = under_way(desk, options.lab.as_deref())?;
    let state = desk.progress.of(&lab.id).state();
    if !matches!(state, State::Green(_) | State::Solved)
        && !options.yes
        && !asked(&format!("The check of lab {} is not green yet. See the reference all the same?", lab.id))?
    {
        return Ok(());
    }
    let paint = Paint::of_stdout();
    let mut same = true;
    for place in desk.workbook.places(&lab)? {
        let (own, reference) = (desk.workbook.own(&place)?, desk.workbook.reference(&place)?);
        if own != reference {
            same = false;
            say!("{}", paint.bold(&place.path.display().to_string()));
            say!("{} yours, {} the reference", paint.red("-"), paint.green("+"));
            put(&difference(&own, &reference, paint));
        }
    }
    if same {
        say!("Your text of lab {} is the reference's.", lab.id);
    }
    Ok(())
}

pub fn solve(desk: &mut Desk, options: &SolveOptions) -> Result<()> {
    let lab = under_way(desk, options.lab.as_deref())?;
    if !options.yes
        && !asked(&format!(
            "Write the reference into lab {}, in place of your text (which is kept)?",
            lab.id
        ))?
    {
        return Ok(());
    }
    let files = files(desk, &lab)?;
    let kept = history::keep(&desk.workbook.dir, &files, &format!("Before the reference of lab {}", lab.id))?;
    desk.workbook.solve(&lab)?;
    let today = desk.today();
    desk.progress.entry(&lab.id).solved = Some(today);
    desk.save()?;
    let _no_history = history::commit(&desk.workbook.dir, &format!("Lab {}: the reference", lab.id));
    say!("Lab {} has the reference now. `cargo xtask lab reset {}` takes it out again.", lab.id, lab.id);
    for file in &files {
        say!("{}", kept.said(&desk.workbook.dir, file));
    }
    Ok(())
}

/// The lab that is meant, if the learner has text of it.
fn under_way(desk: &Desk, asked: Option<&str>) -> Result<Lab> {
    let lab = desk.lab(asked)?;
    desk.need_workbook()?;
    if lab.kind == Kind::Tour {
        bail!("lab {} is a tour: there is nothing to write in it", lab.id);
    }
    if desk.progress.of(&lab.id).started.is_none() {
        bail!("lab {} is not started: all of it is still the reference", lab.id);
    }
    Ok(lab)
}

/// Asks a question on the terminal. Where nobody can answer, the answer is an error that says how to do without.
fn asked(question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{question} Nobody is there to answer; --yes says yes");
    }
    put(&format!("{question} [y/N] "));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn difference(own: &str, reference: &str, paint: Paint) -> String {
    let diff = TextDiff::from_lines(own, reference);
    let mut text = String::new();
    for (at, group) in diff.grouped_ops(3).iter().enumerate() {
        if at > 0 {
            text.push_str("  …\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = change.value().trim_end();
            let line = match change.tag() {
                ChangeTag::Equal => format!("  {line}").trim_end().to_owned(),
                ChangeTag::Delete => paint.red(&format!("- {line}")),
                ChangeTag::Insert => paint.green(&format!("+ {line}")),
            };
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}
