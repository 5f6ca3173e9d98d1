//! Idle: what does an agent cost while nothing happens?

use anyhow::{Context as _, Result};
use serde::Serialize;
use tokio::time::Instant;

use crate::node::{Node, Plan, names};
use crate::progress::Progress;
use crate::usage::{Memory, Usage};

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Idle {
    /// Without pods.
    pub empty: Rest,
    /// With pods that sleep.
    pub loaded: Rest,
}

/// A time in which nothing happened.
#[derive(Clone, Debug, Serialize)]
pub struct Rest {
    /// How many pods ran.
    pub pods: usize,
    /// How long, in seconds.
    pub seconds: f64,
    /// The agent's processor time, in percent of one core.
    pub cpu_percent: f64,
    /// containerd's processor time, in percent of one core: what the agent's questions cost, and what containerd does
    /// by itself.
    pub containerd_cpu_percent: f64,
    /// The agent's memory at the end.
    pub memory: Memory,
    /// The agent's threads at the end.
    pub threads: u64,
    /// How many lines it logged.
    pub log_lines: usize,
}

/// Measures.
///
/// # Errors
/// Something does not work.
pub async fn measure(plan: &Plan) -> Result<Idle> {
    let progress = Progress::of("idle");
    progress.say("starting a runtime");
    let node = Node::launch(plan, "idle").await?;
    let empty = rest(plan, &node, 0, &progress).await?;
    let pods = names("idle", plan.idle_pods);
    progress.say(format_args!("starting {} pods", pods.len()));
    node.put_all(&pods).await?;
    let loaded = rest(plan, &node, pods.len(), &progress).await?;
    progress.say("cleaning up");
    node.remove_all(&pods).await?;
    Ok(Idle { empty, loaded })
}

async fn rest(plan: &Plan, node: &Node, pods: usize, progress: &Progress) -> Result<Rest> {
    progress.wait(&format!("{pods} pods, settling"), plan.settle).await;
    let (agent, containerd) =
        (node.agent.process()?, node.containerd.process().context("containerd has ended")?);
    let (began, lines) = (Instant::now(), node.agent.logged_lines());
    let (agent_before, containerd_before) = (Usage::of(agent)?, Usage::of(containerd)?);
    progress.wait(&format!("{pods} pods, measuring"), plan.idle).await;
    let seconds = began.elapsed().as_secs_f64();
    let (agent_after, containerd_after) = (Usage::of(node.agent.process()?)?, Usage::of(containerd)?);
    Ok(Rest {
        pods,
        seconds,
        cpu_percent: agent_after.cpu_percent_since(&agent_before, seconds),
        containerd_cpu_percent: containerd_after.cpu_percent_since(&containerd_before, seconds),
        memory: agent_after.memory,
        threads: agent_after.threads,
        log_lines: node.agent.logged_lines() - lines,
    })
}
