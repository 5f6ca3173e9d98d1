//! Building a check: quiet while it is quick, and with the compiler's own words about the learner's files when it fails.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::{Instant, sleep_until};

use super::package::Package;
use crate::workspace;

/// After this time a build says that it is one.
const QUIET: Duration = Duration::from_secs(2);

/// What a build may not be told by the environment: other code, another place, other answers.
const SCRUBBED: [&str; 9] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CARGO_MAKEFLAGS",
    "RUSTC_BOOTSTRAP",
    "INSTA_",
    "PROPTEST_",
    "LAB_",
    "CARGO_BUILD_",
];

/// How a build ended.
#[derive(Debug)]
pub enum Built {
    /// The check's program.
    Program(PathBuf),
    /// It does not compile: what the compiler says, file by file.
    Refused(Vec<Refusal>),
}

/// One error of the compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The folder of the package that it is in.
    pub package: PathBuf,
    /// The compiler's text.
    pub rendered: String,
}

/// Whether an environment variable may not reach the build.
fn is_scrubbed(name: &str) -> bool {
    SCRUBBED
        .iter()
        .any(|scrubbed| name == *scrubbed || (scrubbed.ends_with('_') && name.starts_with(scrubbed)))
        || name.starts_with("CARGO_PROFILE_")
}

/// Builds a package into `target`: where the clone is built, so that most of what a check needs is there already.
///
/// # Errors
///
/// When cargo cannot be run, or fails for another reason than the code.
pub async fn build(package: &Package, target: &Path, colour: bool) -> Result<Built> {
    // Without the network first: what the clone was built with is there. Only a machine that lacks something asks for it.
    match attempt(package, target, colour, true).await? {
        Attempt::Built(built) => Ok(built),
        Attempt::Failed(_) => match attempt(package, target, colour, false).await? {
            Attempt::Built(built) => Ok(built),
            Attempt::Failed(said) => anyhow::bail!("cargo could not build the check\n{}", said.trim_end()),
        },
    }
}

enum Attempt {
    Built(Built),
    /// Cargo failed by itself, saying this.
    Failed(String),
}

async fn attempt(package: &Package, target: &Path, colour: bool, offline: bool) -> Result<Attempt> {
    let mut command = Command::from(workspace::cargo_in(&package.dir, ["build", "--target-dir"]));
    command.arg(target);
    command.arg(if colour {
        "--message-format=json-diagnostic-rendered-ansi"
    } else {
        "--message-format=json"
    });
    if offline {
        command.arg("--offline");
    }
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_scrubbed) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut cargo = command.spawn().context("cargo build")?;
    let mut errors = BufReader::new(cargo.stderr.take().context("cargo's errors")?).lines();
    let said = tokio::spawn(async move {
        let (mut said, mut is_waiting) = (String::new(), false);
        while let Ok(Some(line)) = errors.next_line().await {
            if line.trim_start().starts_with("Blocking") && !is_waiting {
                // Cargo waits for one lock after the other.
                is_waiting = true;
                eprintln!("waiting: another build is at work in target/");
            }
            said.push_str(&line);
            said.push('\n');
        }
        said
    });

    let mut lines = BufReader::new(cargo.stdout.take().context("cargo's messages")?).lines();
    let mut progress = Progress::new();
    let (mut program, mut refusals) = (None, Vec::new());
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line.context("cargo's messages")?,
            () = progress.due() => { progress.show(); continue }
        };
        let Some(line) = line else { break };
        match serde_json::from_str::<Message>(&line) {
            Ok(Message::CompilerMessage(message)) if message.message.level == DiagnosticLevel::Error => {
                let source = PathBuf::from(&message.target.src_path);
                // The sentence at the end ("aborting due to 2 previous errors") is about no line.
                if !message.message.spans.is_empty() {
                    let package = source.ancestors().find(|dir| dir.join("Cargo.toml").is_file());
                    let package = package.unwrap_or(&source).to_owned();
                    let rendered = message.message.rendered.unwrap_or(message.message.message);
                    refusals.push(Refusal { package, rendered });
                }
            }
            Ok(Message::CompilerArtifact(artifact)) => {
                if artifact.target.name == package.program {
                    program = artifact.executable.map(PathBuf::from);
                }
                if !artifact.fresh {
                    progress.compiled(&artifact.target.name);
                }
            }
            _ => {}
        }
    }
    progress.end();
    let status = cargo.wait().await.context("cargo build")?;
    let said = said.await.unwrap_or_default();
    Ok(match program {
        Some(program) if status.success() => Attempt::Built(Built::Program(program)),
        _ if !refusals.is_empty() => Attempt::Built(Built::Refused(refusals)),
        _ => Attempt::Failed(said),
    })
}

/// What is said while a build takes its time, on standard error.
struct Progress {
    began: Instant,
    next: Instant,
    compiled: usize,
    last: String,
    shown: bool,
    live: bool,
}

impl Progress {
    fn new() -> Self {
        let began = Instant::now();
        let live = std::io::IsTerminal::is_terminal(&std::io::stderr());
        Self { began, next: began + QUIET, compiled: 0, last: String::new(), shown: false, live }
    }

    async fn due(&self) {
        sleep_until(self.next).await;
    }

    fn compiled(&mut self, name: &str) {
        self.compiled += 1;
        name.clone_into(&mut self.last);
    }

    fn show(&mut self) {
        if self.live {
            let seconds = self.began.elapsed().as_secs();
            eprint!(
                "\rbuilding the check: {} crates in {seconds} s (last: {})\x1b[K",
                self.compiled, self.last
            );
            self.next = Instant::now() + Duration::from_millis(200);
        } else {
            if !self.shown {
                eprintln!("building the check (a minute or two the first time, seconds afterwards)");
            }
            self.next = Instant::now() + Duration::from_secs(86_400);
        }
        self.shown = true;
    }

    fn end(&self) {
        if self.live && self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_sway_a_build_is_scrubbed_and_a_learners_own_tools_are_not() {
        let scrubbed = [
            "RUSTFLAGS",
            "INSTA_UPDATE",
            "INSTA_FORCE_PASS",
            "PROPTEST_CASES",
            "LAB_SEED",
            "CARGO_BUILD_TARGET_DIR",
            "CARGO_PROFILE_DEV_PANIC",
        ];
        for name in scrubbed {
            assert!(is_scrubbed(name), "{name}");
        }
        for name in ["PATH", "RUSTC_WRAPPER", "CARGO_HOME", "CARGO_NET_OFFLINE", "LABEL", "RUSTUP_TOOLCHAIN"]
        {
            assert!(!is_scrubbed(name), "{name}");
        }
    }
}
