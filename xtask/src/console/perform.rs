//! A page, performed: block after block, until one of them does not do what the page shows.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::Result;
use course::anchor::resolve;
use regex::Regex;
use tokio::time::Instant;

use super::compare::{self, Verdict};
use super::normal::Names;
use super::page::{Act, Block, Need, Page, Step, What, unindented};
use super::rewrite::Edit;
use super::scene::Scene;
use super::typed;
use crate::machine;

/// How a page went.
#[derive(Debug, Default)]
pub struct Performance {
    /// How many blocks did what the page shows.
    pub passed: usize,
    /// The line of a block that was not run, and why.
    pub not_run: Vec<(usize, String)>,
    /// What did not go as shown. After the first, the page is given up, except when it is to be rewritten.
    pub failures: Vec<Failure>,
    /// What to write into the page so that it shows what happened.
    pub edits: Vec<Edit>,
    pub took: Duration,
}

/// Where a page and its execution differ.
#[derive(Debug)]
pub struct Failure {
    /// Counted from 1.
    pub line: usize,
    /// What was done.
    pub doing: String,
    pub why: String,
}

/// How pages are performed.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Go on after a failure, to learn what the page should show.
    pub to_rewrite: bool,
    /// Every time limit is multiplied by this.
    pub patience: u32,
}

/// A number that a command wants to end a process by, such as the 28138 of `kill -9 28138`.
static KILL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\bkill(?: +-\w+)*((?: +\d+)+)").expect("a pattern that is known"));

/// Performs a page.
///
/// # Errors
/// Only what has nothing to do with the page: no directory can be made, bash cannot be started.
pub async fn perform(path: &Path, page: &Page, manner: Manner) -> Result<Performance> {
    let began = Instant::now();
    let mut scene = Scene::new()?;
    let mut player = Player {
        page,
        directory: path.parent().map(Path::to_owned).unwrap_or_default(),
        manner,
        names: Names::default(),
    };
    let mut performance = Performance::default();
    for block in &page.blocks {
        if let Some(why) = not_run(block) {
            performance.not_run.push((block.line, why));
            continue;
        }
        if !performance.failures.is_empty() && !manner.to_rewrite {
            performance.not_run.push((block.line, "a block before it failed".to_owned()));
            continue;
        }
        let failures = performance.failures.len();
        player.block(&mut scene, block, &mut performance).await?;
        if performance.failures.len() == failures {
            performance.passed += 1;
        }
    }
    scene.end().await;
    performance.took = began.elapsed();
    Ok(performance)
}

/// Why a block is not run, if it is not.
pub fn not_run(block: &Block) -> Option<String> {
    match &block.what {
        What::NotRun(reason) => Some(reason.clone()),
        What::Commands { needs: Some(Need::Containerd), .. }
        | What::Terminal { needs: Some(Need::Containerd), .. } => {
            if !nix::unistd::geteuid().is_root() {
                return Some("needs containerd, and this is not root".to_owned());
            }
            let lacking = machine::lacking_for_containerd();
            (!lacking.is_empty()).then(|| format!("needs containerd; lacking: {}", lacking.join(", ")))
        }
        _ => None,
    }
}

struct Player<'a> {
    page: &'a Page,
    directory: PathBuf,
    manner: Manner,
    names: Names,
}

impl Player<'_> {
    async fn block(&mut self, scene: &mut Scene, block: &Block, performance: &mut Performance) -> Result<()> {
        let deadline = Instant::now() + block.timeout * self.manner.patience;
        let (steps, terminal) = match &block.what {
            What::Commands { steps, .. } => (steps, None),
            What::Terminal { name, steps, .. } => (steps, Some(name.as_str())),
            What::Typed { file, function, text } => {
                let written = resolve(&text.join("\n"), &self.directory)
                    .map_err(Into::into)
                    .and_then(|text| typed::write(&scene.path().join("workbook"), file, function, &text));
                if let Err(e) = written {
                    let doing = format!("typing {function} into {file}");
                    performance.failures.push(Failure { line: block.line, doing, why: format!("{e:#}") });
                }
                return Ok(());
            }
            What::NotRun(_) => return Ok(()),
        };
        for step in steps {
            let (why, edit) = self.step(scene, block, step, terminal, deadline).await?;
            performance.edits.extend(edit);
            if let Some(why) = why {
                let line = step.said.start + 1;
                performance.failures.push(Failure { line, doing: doing(step, terminal), why });
                if !self.manner.to_rewrite {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Does one step. Tells what was not as shown, and what the page would have to say instead.
    async fn step(
        &mut self,
        scene: &mut Scene,
        block: &Block,
        step: &Step,
        terminal: Option<&str>,
        deadline: Instant,
    ) -> Result<(Option<String>, Option<Edit>)> {
        let mut edit = Edit {
            said: step.said.clone(),
            shown: step.shown.clone(),
            indent: block.indent,
            ..Edit::default()
        };
        let shown = match self.shown(block, step) {
            Ok(shown) => shown,
            Err(e) => return Ok((Some(format!("{e:#}")), None)),
        };
        if let Act::Command(command) = &step.act {
            let stranger = KILL.captures_iter(command).find_map(|found| {
                let pids = found.get(1)?.as_str();
                pids.split_whitespace().find(|pid| !self.names.knows(pid)).map(str::to_owned)
            });
            if let Some(pid) = stranger {
                return Ok((Some(format!("no output on this page has shown process {pid} before")), None));
            }
        }
        let translated = match &step.act {
            Act::Command(command) => match resolve(command, &self.directory) {
                Ok(command) => self.names.translated(&command),
                Err(e) => return Ok((Some(format!("{e:#}")), None)),
            },
            Act::Interrupt | Act::Watch => String::new(),
        };
        let (verdict, printed) = match terminal {
            None => match scene.run(&translated, deadline).await {
                Ok(done) => {
                    let mut printed = compare::lines(&done.printed);
                    let verdict = compare::command(&shown, &mut printed, done.code, &mut self.names);
                    (verdict, printed)
                }
                Err(e) => return Ok((Some(format!("{e:#}")), None)),
            },
            Some(name) => {
                match &step.act {
                    Act::Command(_) => scene.start(name, &translated).await?,
                    Act::Interrupt => scene.interrupt(name)?,
                    Act::Watch => {}
                }
                scene.watch(name, &shown, &mut self.names, deadline).await?
            }
        };
        edit.command = self.translated_lines(step);
        Ok(match verdict {
            Verdict::Same(found) => {
                let line = |(at, found): (usize, &Option<usize>)| {
                    found.map_or(shown[at].clone(), |n| printed[n].clone())
                };
                edit.output = found.iter().enumerate().map(line).collect();
                (None, Some(edit))
            }
            Verdict::Different(why) => {
                edit.output = printed;
                (Some(why), Some(edit))
            }
        })
    }

    fn shown(&self, block: &Block, step: &Step) -> Result<Vec<String>> {
        let lines = &self.page.lines[step.shown.clone()];
        let resolved = lines.iter().map(|line| resolve(unindented(line, block.indent), &self.directory));
        Ok(resolved.collect::<Result<_, _>>()?)
    }

    /// The lines of a command, as the page would have them if it had been written from this run.
    fn translated_lines(&self, step: &Step) -> Vec<String> {
        self.page.lines[step.said.clone()].iter().map(|line| self.names.translated(line)).collect()
    }
}

fn doing(step: &Step, terminal: Option<&str>) -> String {
    let place = terminal.map(|name| format!(" (terminal {name})")).unwrap_or_default();
    match &step.act {
        Act::Command(command) => format!("$ {}{place}", command.lines().next().unwrap_or_default()),
        Act::Interrupt => format!("^C{place}"),
        Act::Watch => format!("watching{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::page;
    use super::*;

    async fn performed(text: &str) -> Performance {
        let page = page::read(text).expect("no mistakes");
        let manner = Manner { to_rewrite: false, patience: 1 };
        perform(Path::new("page.md"), &page, manner).await.expect("performed")
    }

    async fn failure(text: &str) -> String {
        let performance = performed(text).await;
        let failure = performance.failures.first().expect("a failure");
        format!("{}: {}: {}", failure.line, failure.doing, failure.why)
    }

    #[tokio::test]
    async fn a_page_that_does_what_it_shows() {
        let page = "```console\n$ echo $((40 + 2)) 2.5s\n42 1.0s\n$ false\n[exit 1]\n```\n\
                    ```console,terminal=t\n$ echo one; sleep 1000\none\n```\n\
                    <!-- not run: a reason -->\n```console,norun\n$ reboot\n```\n";
        let performance = performed(page).await;
        assert_eq!(performance.passed, 2, "{:?}", performance.failures);
        assert_eq!(performance.not_run, [(12, "a reason".to_owned())]);
        assert!(performance.failures.is_empty());
    }

    #[tokio::test]
    async fn what_differs_is_told_with_its_line_and_ends_the_page() {
        let page = "```console\n$ echo a\na\n$ echo b\nc\n```\n```console\n$ touch /tmp/scene/x\n```\n";
        assert_eq!(failure(page).await, "4: $ echo b: - c\n+ b");
        let performance = performed(page).await;
        assert_eq!(performance.not_run, [(7, "a block before it failed".to_owned())]);
        assert_eq!(failure("```console\n$ false\n```\n").await, "2: $ false: + [exit 1]");
        assert_eq!(failure("```console\n$ true\n[exit 1]\n```\n").await, "2: $ true: - [exit 1]");
        assert_eq!(
            failure("```console\n$ (echo a; exit 2)\n…\n```\n").await,
            "2: $ (echo a; exit 2): + [exit 2]"
        );
    }

    #[tokio::test]
    async fn a_process_is_ended_by_the_number_that_it_has_in_this_run() {
        let page = "```console,terminal=t\n$ echo \"it runs (pid $$)\"; trap 'echo ended; exit' TERM; sleep 1000 & wait\n\
                    it runs (pid 4242)\n```\n```console\n$ kill -TERM 4242\n```\n```console,terminal=t\nended\n```\n";
        let performance = performed(page).await;
        assert_eq!(performance.passed, 3, "{:?}", performance.failures);
        let said = failure("```console\n$ kill -9 4242\n```\n").await;
        assert!(said.ends_with("no output on this page has shown process 4242 before"), "{said}");
    }
}
