//! The harness around the agent, on the embedded runtime: it needs no root.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{Agent, AgentOptions, NodeView, ProcessId, process, wait};
use nix::sys::signal::Signal;

const SOON: Duration = Duration::from_secs(20);

const STEADY: &str = "
apiVersion: v1
kind: Pod
metadata: {name: steady}
spec:
  dnsPolicy: Default
  terminationGracePeriodSeconds: 1
  containers:
    - {name: main, image: docker.io/library/busybox:1.36, command: [sleep, '3600']}
";

async fn main_of_steady(agent: &Agent) -> Result<ProcessId> {
    let runtime = agent.runtime();
    let process = wait::until("the container of default/steady-n1", SOON, async || {
        let node = NodeView::read(&runtime).await.map_err(|e| e.to_string())?;
        let running = node.processes();
        match running.get("default/steady-n1/main") {
            Some((_, Some(process))) if running.len() == 1 => Ok(*process),
            _ => Err(node.to_string()),
        }
    });
    Ok(process.await?)
}

/// Every process that was started with a path of this directory.
fn processes_of(dir: &Path) -> Vec<ProcessId> {
    let inside = dir.display().to_string();
    process::running(|command| command.iter().any(|argument| argument.contains(&inside)))
}

#[tokio::test]
async fn an_agent_may_be_killed_and_terminated_and_its_containers_stay() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut agent = Agent::start(AgentOptions::embedded(dir.path(), "n1")?)?;
    agent.healthy().await?;
    agent.put_manifest("steady.yaml", STEADY)?;
    let before = main_of_steady(&agent).await?;
    ensure!(
        agent.events().iter().any(|e| e.reason == "Started" && e.pod == "default/steady-n1"),
        "{}",
        agent.log_tail()
    );

    let first = agent.process().context("it runs")?;
    agent.kill9().await?;
    ensure!(!first.is_alive() && agent.process().is_none());
    ensure!(before.is_alive(), "containers do not belong to the agent's process");
    agent.restart()?;
    agent.healthy().await?;
    ensure!(main_of_steady(&agent).await? == before, "the same process after kill -9 of the agent");
    agent.restart().expect_err("it runs already");

    agent.terminate().await?;
    ensure!(before.is_alive() && agent.log_contains("SIGTERM"));
    agent.restart()?;
    agent.healthy().await?;
    ensure!(main_of_steady(&agent).await? == before, "the same process after SIGTERM to the agent");

    agent.remove_manifest("steady.yaml")?;
    wait::until(
        "the container to go",
        SOON,
        async || if before.is_alive() { Err("it lives") } else { Ok(()) },
    )
    .await?;
    drop(agent);
    ensure!(processes_of(dir.path()).is_empty());
    Ok(())
}

#[tokio::test]
async fn a_dropped_agent_takes_its_containers_along_even_those_whose_shim_was_killed() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut agent = Agent::start(AgentOptions::embedded(dir.path(), "n1")?)?;
    agent.healthy().await?;
    agent.put_manifest("steady.yaml", STEADY)?;
    let container = main_of_steady(&agent).await?;
    // Dead, so that it does not start the container again.
    agent.kill9().await?;
    let shims = processes_of(dir.path());
    ensure!(!shims.is_empty(), "a container has a shim");
    for shim in shims {
        ensure!(shim.signal(Signal::SIGKILL));
    }
    ensure!(container.is_alive());
    drop(agent);
    ensure!(!container.is_alive(), "the container went too");
    ensure!(processes_of(dir.path()).is_empty());
    Ok(())
}

#[tokio::test]
async fn an_agent_that_ends_by_itself_is_reported_with_its_log() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut options = AgentOptions::embedded(dir.path(), "n1")?;
    options.arguments.push("--no-such-flag".to_owned());
    let mut agent = Agent::start(options)?;
    let failed = agent.healthy().await.expect_err("it cannot be healthy").to_string();
    ensure!(failed.starts_with("the agent ended by itself (exit status: "), "{failed}");
    ensure!(failed.contains("--no-such-flag"), "its log says why: {failed}");
    Ok(())
}
