//! containerd dies, or is stopped for a while. Containers go on, and so does the agent.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::wait;
use nix::sys::signal::Signal;

use crate::node::{CONVERGES_WITHIN, Node, untouched};

#[tokio::test]
async fn containerd_is_killed_and_what_ended_meanwhile_is_started_again() -> Result<()> {
    let all = ["a", "b", "c"];
    let mut node = Node::with_pods(&all).await?;
    let before = node.view().await?;
    let victim = Node::up(&before, "a")?.1.clone();
    node.containerd.kill9().await?;
    victim.process.context("a process")?.signal(Signal::SIGKILL);
    node.put("d")?;
    node.containerd.start().await?;

    let wanted = ["a", "b", "c", "d"];
    let after = wait::until("everything to run again", CONVERGES_WITHIN, async || {
        let view = node.view().await.map_err(|e| e.to_string())?;
        let all_up = wanted.iter().all(|name| Node::up(&view, name).is_ok_and(|(_, c)| c.id != victim.id));
        if all_up { Ok(view) } else { Err(view.to_string()) }
    });
    let after = after.await.with_context(|| node.agent.log_tail())?;
    ensure!(Node::up(&after, "a")?.1.restart_count == Some(1), "{after}");
    untouched(&before, &after, &["a"])?;
    ensure!(node.agent.has_ended()?.is_none(), "the agent stays up");
    Ok(())
}

#[tokio::test]
async fn containerd_is_away_for_twenty_seconds() -> Result<()> {
    let all = ["a", "b"];
    let mut node = Node::with_pods(&all).await?;
    let before = node.view().await?;
    node.containerd.stop().await?;
    node.put("c")?;
    // The time itself is what is tested here: long enough for every retry of the agent to have had its turn.
    let away = tokio::time::Instant::now();
    let still = wait::until("twenty seconds to pass", Duration::from_secs(30), async || {
        if node.agent.has_ended().map_err(|e| e.to_string())?.is_some() {
            return Ok(false);
        }
        if away.elapsed() >= Duration::from_secs(20) { Ok(true) } else { Err("waiting".to_owned()) }
    });
    ensure!(still.await?, "the agent ended while containerd was away\n{}", node.agent.log_tail());
    node.agent.healthy().await?;
    node.containerd.start().await?;
    let after = node.settles(&["a", "b", "c"], CONVERGES_WITHIN).await?;
    untouched(&before, &after, &[])?;

    let log = node.agent.log();
    let said = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    ensure!(said("container runtime is down") == 1, "it is said once:\n{log}");
    ensure!(said("container runtime is back") == 1, "and once that it is back:\n{log}");
    let worries = log.lines().filter(|line| line.contains("\"WARN\"") || line.contains("\"ERROR\"")).count();
    ensure!(worries == 1, "one outage is one worry, not {worries}:\n{log}");
    Ok(())
}
