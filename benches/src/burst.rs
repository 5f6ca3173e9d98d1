//! Burst: how long until the last of many new pods runs?
//!
//! The floor starts four pods at a time. More at a time take longer on two cores, and how many are best is part of
//! what an agent has to know.

use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use crate::bare::{Bare, BarePod};
use crate::figures::{Comparison, millis};
use crate::node::{Floor, Node, Plan, manifest, names};
use crate::progress::Progress;
use crate::started::{Started, all_started, started};

/// How many pods the floor starts at a time.
const AT_A_TIME: usize = 4;

/// What was measured, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Burst {
    /// How many pods.
    pub pods: usize,
    /// From the first manifest's move until the last container started.
    pub all_started: Comparison,
}

/// Measures.
///
/// # Errors
/// Something does not work.
pub async fn measure(plan: &Plan) -> Result<Burst> {
    let progress = Progress::of("burst");
    let (pods, rounds) = (plan.burst_pods, plan.burst_rounds);
    progress.say("starting two runtimes");
    let (node, floor) = (Node::launch(plan, "burst").await?, Floor::launch().await?);

    let (mut agent, mut bare) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        progress.say(format_args!("round {round} of {rounds}: {pods} pods by the agent"));
        let manifests = names(&format!("burst-{round}"), pods);
        let mut began = None;
        for name in &manifests {
            let moved = node.agent.put_manifest(name, &manifest(name), &node.clock)?;
            began.get_or_insert(moved);
        }
        let all = node.awaited(all_started(&node.client, &node.pods_of(&manifests))).await?;
        agent.push(millis(began.context("no pods")?, last(&all)?));
        node.remove_all(&manifests).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;

        progress.say(format_args!("round {round} of {rounds}: {pods} pods by bare calls"));
        let began = node.clock.now();
        let bare_pods = run_bare(&floor.bare, &manifests, AT_A_TIME).await?;
        let mut all = Vec::new();
        for pod in &bare_pods {
            all.push(started(&floor.client, pod.container_id.clone()).await?);
        }
        bare.push(millis(began, last(&all)?));
        let removals = stream::iter(bare_pods).map(|pod| floor.bare.remove(pod));
        removals.buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    Ok(Burst { pods, all_started: Comparison::of(&agent, &bare).context("no rounds")? })
}

fn last(all: &[Started]) -> Result<Timestamp> {
    all.iter().map(|container| container.started_at).max().context("no containers")
}

/// Runs pods by bare calls, so many at a time; in the order of their names.
///
/// # Errors
/// The first call that fails.
pub async fn run_bare(bare: &Bare, names: &[String], at_a_time: usize) -> Result<Vec<BarePod>> {
    let starts = stream::iter(names).map(|name| bare.run_pod(name));
    let mut pods: Vec<BarePod> = starts.buffer_unordered(at_a_time).try_collect().await?;
    pods.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pods)
}
