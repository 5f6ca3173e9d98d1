//! `cargo xtask lab snapshots`: the answers of the reference become what must be answered. For authors.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use course::lab::{Kind, Lab};
use lab_check::report::{Change, Event, Outcome};

use super::check::process;
use super::verify::{self, Course, LeftOut};

/// Write the snapshots of labs from the reference: for authors.
///
/// Says which are new and which changed. Read each of these: it must be what the real kubelet does, and nobody asks again.
/// Snapshots of cases that are not there any more are removed. Afterwards, `cargo xtask lab lock`.
#[derive(Debug, Args)]
pub struct Options {
    /// The labs, such as 04.
    #[arg(required = true)]
    labs: Vec<String>,
    /// The course that the labs are in, if it is not this one.
    #[arg(long, hide = true, value_name = "DIR")]
    course: Option<PathBuf>,
}

pub async fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::open(options.course.as_deref())?;
    let asked = course.asked(&options.labs)?;
    let (mut left_out, mut problems) = (LeftOut::default(), Vec::new());
    verify::leave_out_what_blocks(&course, &mut left_out);
    let (_, programs) = verify::built(&course, &asked, &mut left_out, &mut problems)?;
    let mut all_written = true;
    for lab in asked {
        if lab.kind == Kind::Tour {
            println!("lab {}: a tour has no snapshots", lab.id);
            continue;
        }
        let Some(program) = programs.get(&lab.id) else {
            bail!("the check of lab {} cannot be run; `cargo xtask lab verify {}` says why", lab.id, lab.id);
        };
        let write = [("LAB_SNAPSHOTS".to_owned(), "write".into())];
        let ran = process::run_with(program, &lab.dir, &write).await?;
        if !ran.events.contains(&Event::End) {
            bail!("the check of lab {} did not reach its end:\n{}", lab.id, ran.printed.trim_end());
        }
        all_written &= say(lab, &ran.events)?;
    }
    Ok(if all_written { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says what was written, and removes what belongs to no case. Whether every case has its snapshot.
fn say(lab: &Lab, events: &[Event]) -> Result<bool> {
    let (mut same, mut cases, mut red) = (0, BTreeSet::new(), 0);
    let mut news = Vec::new();
    for event in events {
        let Event::Verdict(verdict) = event else { continue };
        let name = &verdict.name;
        match &verdict.outcome {
            Outcome::Written { change } => {
                cases.insert(format!("{name}.snap"));
                match change {
                    Change::Same => same += 1,
                    Change::New => news.push(format!("new      {name}")),
                    Change::Changed => news.push(format!("changed  {name}")),
                }
            }
            outcome if outcome.is_red() => {
                red += 1;
                // Its snapshot may be wanted again once the case is mended.
                cases.insert(format!("{name}.snap"));
                println!("{verdict}");
            }
            _ => {}
        }
    }
    let folder = lab.dir.join("snapshots");
    if folder.exists() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".snap") && !cases.contains(&name) {
                std::fs::remove_file(entry.path()).with_context(|| entry.path().display().to_string())?;
                news.push(format!("removed  {}", name.trim_end_matches(".snap")));
            }
        }
    }
    println!("lab {}: {same} the same", lab.id);
    for line in &news {
        println!("  {line}");
    }
    if !news.is_empty() {
        println!("Read them (git diff labs/{}/snapshots), then `cargo xtask lab lock`.", lab.name);
    }
    Ok(red == 0)
}
