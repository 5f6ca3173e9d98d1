//! Compiling the generated workspace, and whose fault it is when it does not compile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::Message;
use cargo_metadata::diagnostic::{Diagnostic, DiagnosticLevel, DiagnosticSpan};
use course::lab::Lab;
use course::{package, variants};

use super::generated::{Generated, LeftOut, MutantId};
use crate::workspace;

/// Each lab's check, compiled: its program, by the lab's id.
pub type Programs = BTreeMap<String, PathBuf>;

/// What came of compiling.
#[derive(Debug)]
pub enum Compiled {
    /// The programs.
    Programs(Programs),
    /// What does not compile, with what the compiler says of it.
    Refused(Vec<Refused>),
}

/// Something that does not compile.
#[derive(Debug)]
pub struct Refused {
    /// What it is.
    pub culprit: Culprit,
    /// The compiler's words.
    pub said: String,
}

/// What an error of the compiler is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Culprit {
    /// A mutant's body.
    Mutant(MutantId),
    /// A lab's `check.rs`.
    Check(String),
    /// Something else: the reference itself.
    Reference,
}

/// Compiles the checks of `asked` that are not left out.
///
/// # Errors
///
/// When cargo cannot be run, or fails for a reason that is not in the code.
pub fn compile(generated: &Generated, target: &Path, asked: &[&Lab], left_out: &LeftOut) -> Result<Compiled> {
    match attempt(generated, target, asked, left_out, true)? {
        Ok(compiled) => Ok(compiled),
        // A machine that has not built the clone yet lacks sources that the network has.
        Err(_) => match attempt(generated, target, asked, left_out, false)? {
            Ok(compiled) => Ok(compiled),
            Err(said) => bail!("cargo could not build {}\n{}", generated.dir.display(), said.trim_end()),
        },
    }
}

/// One run of cargo; the inner error is what cargo said when it failed without an error in the code.
fn attempt(
    generated: &Generated,
    target: &Path,
    asked: &[&Lab],
    left_out: &LeftOut,
    offline: bool,
) -> Result<Result<Compiled, String>> {
    let build = ["build", "--quiet", "--keep-going", "--message-format=json", "--target-dir"];
    let mut command = workspace::cargo_in(&generated.dir, build);
    command.arg(target);
    if offline {
        command.arg("--offline");
    }
    let names: BTreeMap<String, &Lab> = asked
        .iter()
        .filter(|lab| !left_out.labs.contains(&lab.id))
        .map(|lab| (package::name(lab), *lab))
        .collect();
    for name in names.keys() {
        command.args(["-p", name]);
    }
    if names.is_empty() {
        return Ok(Ok(Compiled::Programs(Programs::new())));
    }
    let output = command.stdin(Stdio::null()).output().context("cargo build")?;
    let (mut programs, mut refused) = (Programs::new(), Vec::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match serde_json::from_str::<Message>(line) {
            Ok(Message::CompilerArtifact(artifact)) => {
                if let (Some(lab), Some(program)) = (names.get(&artifact.target.name), artifact.executable) {
                    programs.insert(lab.id.clone(), program.into());
                }
            }
            Ok(Message::CompilerMessage(message))
                // The sentence at the end ("aborting due to 2 previous errors") is about no line.
                if message.message.level == DiagnosticLevel::Error && !message.message.spans.is_empty() =>
            {
                let in_check = names.get(&message.target.name).map(|lab| lab.id.as_str());
                let culprit = culprit(&generated.dir, in_check, &message.message);
                let said = message.message.rendered.unwrap_or(message.message.message);
                refused.push(Refused { culprit, said });
            }
            _ => {}
        }
    }
    Ok(if output.status.success() {
        Ok(Compiled::Programs(programs))
    } else if refused.is_empty() {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    } else {
        Ok(Compiled::Refused(refused))
    })
}

/// What an error is about. `in_check` is the lab whose check was being compiled, if it was one.
fn culprit(dir: &Path, in_check: Option<&str>, error: &Diagnostic) -> Culprit {
    if let Some(lab) = in_check {
        return Culprit::Check(lab.to_owned());
    }
    let primary = error.spans.iter().filter(|span| span.is_primary);
    let others = error.spans.iter().filter(|span| !span.is_primary);
    for span in primary.chain(others).flat_map(with_expansions) {
        let Ok(source) = std::fs::read_to_string(dir.join(&span.file_name)) else { continue };
        if let Some((lab, Some(file))) = variants::owner(&source, span.line_start) {
            return Culprit::Mutant((lab, file));
        }
    }
    Culprit::Reference
}

/// A span, and where the macro that it comes from was called.
fn with_expansions(span: &DiagnosticSpan) -> Vec<&DiagnosticSpan> {
    let mut spans = vec![span];
    let mut inner = span;
    while let Some(expansion) = &inner.expansion {
        inner = &expansion.span;
        spans.push(inner);
    }
    spans
}
