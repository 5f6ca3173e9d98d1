//! Running programs from tests: short ones to their end, long ones in a network namespace, ending them by signal.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;

use crate::process::ProcessId;
use crate::wait;

/// How long a short program may take.
const DONE_WITHIN: Duration = Duration::from_secs(60);

/// A command with its arguments.
pub(crate) fn of<const N: usize>(program: &str, arguments: [&str; N]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// A command that will run in the network namespace, or here when there is none. `nsenter` becomes the program, so the
/// pid is the program's own.
pub(crate) fn in_netns(netns: Option<&Path>, program: &OsStr) -> Command {
    let Some(netns) = netns else { return Command::new(program) };
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={}", netns.display())).arg("--").arg(program);
    command
}

/// Runs a program to its end and returns what it printed.
///
/// # Errors
/// It cannot be started, takes longer than a minute, or fails; with what it printed on stderr.
pub async fn run(command: Command) -> Result<String> {
    let said = format!("{command:?}").replace('"', "");
    let mut command = tokio::process::Command::from(command);
    command.stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(DONE_WITHIN, command.output())
        .await
        .with_context(|| format!("{said}: no end within {DONE_WITHIN:?}"))?
        .with_context(|| said.clone())?;
    if !output.status.success() {
        bail!("{said}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Sends a child a signal, and reaps it when it has ended.
///
/// # Errors
/// It has not ended after `limit`.
pub(crate) async fn end(child: &mut Child, signal: Signal, limit: Duration) -> Result<()> {
    let pid = i32::try_from(child.id())?;
    if let Some(process) = ProcessId::of(pid) {
        process.signal(signal);
    }
    wait::until(format!("process {pid} to end on {signal}"), limit, async || match child.try_wait() {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err("it runs".to_owned()),
        Err(e) => Err(e.to_string()),
    })
    .await?;
    Ok(())
}

/// Where a program is found through `PATH`, and through the directories of administration that a user's may lack.
pub fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let admin = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(admin).map(|dir| dir.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_fails_is_reported_with_its_own_words() {
        assert_eq!(run(of("sh", ["-c", "echo fine"])).await.expect("fine"), "fine\n");
        let failed = run(of("sh", ["-c", "echo no such thing >&2; exit 3"])).await.expect_err("failed");
        assert_eq!(failed.to_string(), "sh -c echo no such thing >&2; exit 3: exit status: 3: no such thing");
        let absent = run(of("no-such-program", [])).await.expect_err("absent");
        assert_eq!(absent.to_string(), "no-such-program");
    }

    #[tokio::test]
    async fn a_child_is_ended_and_reaped() {
        let mut child = Command::new("sleep").arg("1000").spawn().expect("sleep");
        let process = ProcessId::of(i32::try_from(child.id()).expect("a pid")).expect("alive");
        end(&mut child, Signal::SIGTERM, Duration::from_secs(10)).await.expect("ended");
        assert!(!process.is_alive());
    }
}
