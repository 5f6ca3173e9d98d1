//! `cargo xtask lab start` and `reset`: the functions of a lab taken out of the workbook.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use course::lab::{Kind, Lab};
use course::region;

use super::desk::Desk;
use super::paint::{Paint, say};
use super::progress::{Entry, State};
use super::workbook::history;

/// Take a lab's functions out, so that you can write them.
///
/// The first start makes your workbook: a copy of the workspace with a git history of its own. Each start replaces the bodies of
/// one lab's functions by `todo!("lab 04: …")` and leaves everything else as you have it. A lab that is under way is not started
/// again: `reset` does that.
#[derive(Debug, Args)]
pub struct Options {
    /// The lab, such as 04.
    lab: String,
    /// Take the functions of all labs out, not of this one only: everything that the course teaches is yours to write.
    #[arg(long)]
    from_scratch: bool,
}

/// Take a lab's functions out again. Your text is kept in the workbook's history, or in a copy beside the file.
#[derive(Debug, Args)]
pub struct ResetOptions {
    /// The lab, such as 04; the current one when none is given.
    lab: Option<String>,
}

/// Take over what changed in the clone since your workbook was made, for instance after a `git pull`.
///
/// Files that you have not touched become the clone's. Around the functions that you write, the file becomes the clone's, and
/// your functions stay. Other files that you changed are left as they are, and named.
#[derive(Debug, Args)]
pub struct UpdateOptions {}

pub fn start(desk: &mut Desk, options: &Options) -> Result<()> {
    let lab = desk.lab(Some(&options.lab))?;
    let made = !desk.workbook.exists()?;
    if !made && !options.from_scratch && desk.progress.of(&lab.id).started.is_some() {
        bail!(
            "lab {id} is started already{}. Go on with `cargo xtask lab check {id}`; `cargo xtask lab reset {id}` takes its \
             functions out again and keeps your text",
            match desk.progress.of(&lab.id).state() {
                State::Red(count) => format!(" ({} of {} are red)", count.red, count.of),
                State::Green(day) => format!(" (green since {day})"),
                State::Solved => " (solved with the reference)".to_owned(),
                State::NotStarted | State::Started => String::new(),
            },
            id = lab.id,
        );
    }
    let labs: Vec<Lab> = if options.from_scratch {
        let is_new = |lab: &Lab| desk.progress.of(&lab.id).started.is_none() || lab.kind == Kind::Tour;
        desk.labs()?.into_iter().filter(is_new).collect()
    } else {
        vec![lab.clone()]
    };
    let history = if made { Some(make(desk)?) } else { None };
    if !made {
        desk.need_workbook()?;
        desk.note_if_behind();
        desk.workbook.share_target()?;
        labs.iter().try_for_each(|lab| refuse_own_text(desk, lab))?;
    }

    // What the learner did since the last start stands by itself in the history. Nothing of it is replaced here.
    let _no_history = history::commit(&desk.workbook.dir, "Work so far");
    for lab in &labs {
        desk.workbook.blank(lab)?;
        let today = desk.today();
        let entry = desk.progress.entry(&lab.id);
        entry.started = Some(today);
        // The first hint stands in the code.
        entry.hints = entry.hints.max(usize::from(lab.kind == Kind::Code));
    }
    desk.progress.current = Some(lab.id.clone());
    desk.save()?;
    let subject = if options.from_scratch {
        "All labs: their functions are taken out".to_owned()
    } else {
        format!("Lab {}: {}", lab.id, lab.title)
    };
    let _no_history = history::commit(&desk.workbook.dir, &subject);

    if let Some(history) = history {
        say!("Made your workbook in {}, a copy of the reference{history}.", desk.short(&desk.workbook.dir));
    }
    say_where(desk, &lab)
}

pub fn reset(desk: &mut Desk, options: &ResetOptions) -> Result<()> {
    let lab = desk.lab(options.lab.as_deref())?;
    desk.need_workbook()?;
    let files = files(desk, &lab)?;
    let kept = history::keep(&desk.workbook.dir, &files, &format!("Before a reset of lab {}", lab.id))?;
    desk.workbook.blank(&lab)?;
    let today = desk.today();
    let entry = desk.progress.entry(&lab.id);
    (entry.started, entry.last, entry.green, entry.solved) = (Some(today), None, None, None);
    desk.progress.current = Some(lab.id.clone());
    desk.save()?;
    let _no_history = history::commit(&desk.workbook.dir, &format!("Lab {}: taken out again", lab.id));
    for file in &files {
        say!("{}", kept.said(&desk.workbook.dir, file));
    }
    say_where(desk, &lab)
}

pub fn update(desk: &mut Desk, _: &UpdateOptions) -> Result<()> {
    desk.need_workbook()?;
    let labs = desk.labs()?;
    let of = |which: &dyn Fn(&Entry) -> bool| -> Vec<Lab> {
        labs.iter().filter(|lab| which(&desk.progress.of(&lab.id))).cloned().collect()
    };
    let (own, started) = (of(&Entry::is_under_way), of(&|entry| entry.started.is_some()));
    let all = files_of(desk, &started)?;
    let kept = history::keep(&desk.workbook.dir, &all, "Before an update from the clone")?;
    let updated = desk.workbook.update(&own, &started)?;
    desk.workbook.settle_lock();
    let _no_history = history::commit(&desk.workbook.dir, "Updated from the clone");
    let files = |n: usize| if n == 1 { "1 file is".to_owned() } else { format!("{n} files are") };
    say!(
        "{} the clone's now, and {} new around your functions.",
        files(updated.taken.len()),
        files(updated.around.len())
    );
    for path in updated.around {
        say!("  {}  {}", path.display(), kept.said(&desk.workbook.dir, &desk.workbook.dir.join(&path)));
    }
    for path in updated.left {
        say!("  {} is yours and was left; the clone has another one now", path.display());
    }
    Ok(())
}

/// The files of several labs' regions, each once.
fn files_of(desk: &Desk, labs: &[Lab]) -> Result<Vec<PathBuf>> {
    let mut all = std::collections::BTreeSet::new();
    for lab in labs {
        all.extend(files(desk, lab)?);
    }
    Ok(all.into_iter().collect())
}

/// The files of a lab's regions in the workbook, each once.
pub fn files(desk: &Desk, lab: &Lab) -> Result<Vec<PathBuf>> {
    let places = desk.workbook.places(lab)?;
    let mut files: Vec<PathBuf> = places.iter().map(|place| desk.workbook.dir.join(&place.path)).collect();
    files.dedup();
    Ok(files)
}

/// Makes the workbook; what to say about its history.
fn make(desk: &Desk) -> Result<String> {
    desk.workbook.begin()?;
    desk.workbook.write()?;
    desk.workbook.settle_lock();
    let history = history::begin(&desk.workbook.dir, "The workbook: all of it is the reference");
    desk.workbook.end()?;
    Ok(match history {
        Ok(()) => " with a git history of its own".to_owned(),
        Err(why) => {
            format!(
                "; it has no git history ({why}), so `reset` and `solve` keep your text in copies, *.orig"
            )
        }
    })
}

/// Refuses to blank what the learner has changed without having started the lab.
fn refuse_own_text(desk: &Desk, lab: &Lab) -> Result<()> {
    for place in desk.workbook.places(lab)? {
        if !desk.workbook.is_untouched(&place)? {
            bail!(
                "{} has another text than the reference in the region of lab {id}. `cargo xtask lab check {id}` goes on with \
                 it; `cargo xtask lab reset {id}` keeps it and takes the functions out",
                desk.short(&desk.workbook.dir.join(&place.path)),
                id = lab.id,
            );
        }
    }
    Ok(())
}

/// What to read, where to write, and how to go on.
fn say_where(desk: &Desk, lab: &Lab) -> Result<()> {
    let paint = Paint::of_stdout();
    say!("{}", paint.bold(&format!("Lab {} · {} · {} minutes", lab.id, lab.title, lab.minutes)));
    say!("  read   {}", desk.short(&lab.dir.join("README.md")));
    for place in desk.workbook.places(lab)? {
        let file = desk.workbook.dir.join(&place.path);
        let source = std::fs::read_to_string(&file)?;
        let found = region::find(&source, &place.region.anchor, &place.region.functions)?;
        for function in found.functions {
            let line = source[..function.signature.start].matches('\n').count() + 1;
            say!("  write  {}:{line}  {}", desk.short(&file), function.name);
        }
    }
    say!("  check  cargo xtask lab check {}", lab.id);
    Ok(())
}
