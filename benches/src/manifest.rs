//! Manifest → started: how long until the container of a new manifest runs, on a node with nothing else to do?

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::figures::{Comparison, millis};
use crate::node::{Floor, Node, Plan, manifest, names};
use crate::progress::Progress;
use crate::started::{newly_started, started};

/// How many samples unless told otherwise.
const SAMPLES: usize = 15;

/// What was measured, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// From the file's move into the directory until the runtime says that the container started.
    pub started: Comparison,
}

/// Measures.
///
/// # Errors
/// Something does not work.
pub async fn measure(plan: &Plan) -> Result<Manifest> {
    let progress = Progress::of("manifest");
    let count = plan.samples.unwrap_or(SAMPLES);
    progress.say("starting two runtimes");
    let (node, floor) = (Node::launch(plan, "manifest").await?, Floor::launch().await?);

    let (mut agent, mut bare) = (Vec::new(), Vec::new());
    for (number, name) in names("manifest", count).iter().enumerate() {
        progress.say(format_args!("sample {} of {count}", number + 1));
        node.pause().await;
        let moved = node.agent.put_manifest(name, &manifest(name), &node.clock)?;
        let new = node.awaited(newly_started(&node.client, &node.pod_of(name), None)).await?;
        agent.push(millis(moved, new.started_at));
        node.remove_all(std::slice::from_ref(name)).await?;

        node.pause().await;
        let began = node.clock.now();
        let pod = floor.bare.run_pod(name).await?;
        let new = started(&floor.client, pod.container_id.clone()).await?;
        bare.push(millis(began, new.started_at));
        floor.bare.remove(pod).await?;
    }
    Ok(Manifest { started: Comparison::of(&agent, &bare).context("no samples")? })
}
