//! Kill → restarted: how long is a container away when its process is killed?
//!
//! Each sample kills the process of a container that was never restarted before, since a second restart would wait for
//! the crash-loop back-off. A random pause before each keeps an agent that looks on a period from being met at the
//! same point of it every time.
//!
//! There are two floors. One sees the process end by itself, within a millisecond. The other waits until the runtime
//! says so, as an agent must: containerd first cleans up behind the container, and what that takes no agent can save.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use cri_client::RuntimeService as _;
use e2e::ProcessId;
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use serde::Serialize;

use crate::burst::run_bare;
use crate::figures::{Comparison, Spread, millis};
use crate::node::{Floor, Node, Plan, containers, names};
use crate::progress::Progress;
use crate::started::{Started, newly_started, started};

/// How many samples unless told otherwise.
const SAMPLES: usize = 30;

/// How many pods of the floor are brought up at a time.
const AT_A_TIME: usize = 4;

/// What was measured, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Kill {
    /// Until the runtime says that the next container started.
    pub started: Comparison,
    /// The same by the floor that waits for the runtime's event.
    pub started_by_event: Spread,
    /// Until the next container's first words.
    pub first_words: Comparison,
}

/// Measures.
///
/// # Errors
/// Something does not work.
pub async fn measure(plan: &Plan) -> Result<Kill> {
    let progress = Progress::of("kill");
    let count = plan.samples.unwrap_or(SAMPLES);
    progress.say("starting two runtimes");
    let (node, floor) = (Node::launch(plan, "kill").await?, Floor::launch().await?);
    progress.say(format_args!("starting three times {count} pods"));
    let (manifests, told) = (names("kill", count), names("told", count));
    node.put_all(&manifests).await?;
    let mut bare_pods = run_bare(&floor.bare, &manifests, AT_A_TIME).await?;
    let mut told_pods = run_bare(&floor.bare, &told, AT_A_TIME).await?;
    let mut events = floor.client.get_container_events().await?;

    let (by_agent, by_floor) = (containers(&node.client).await?, containers(&floor.client).await?);
    let process = |of: &BTreeMap<String, (String, ProcessId)>, pod: &str| {
        of.get(pod).cloned().with_context(|| format!("pod {pod} does not run"))
    };

    let (mut agent, mut bare, mut by_event) = (Samples::default(), Samples::default(), Samples::default());
    let pods = manifests.iter().zip(&mut bare_pods).zip(&mut told_pods);
    for (number, ((manifest, bare_pod), told_pod)) in pods.enumerate() {
        progress.say(format_args!("sample {} of {count}", number + 1));
        let pod = node.pod_of(manifest);
        let (old, of_agent) = process(&by_agent, &pod)?;
        node.pause().await;
        let killed = node.kill(of_agent)?;
        let new = node.awaited(newly_started(&node.client, &pod, Some(&old))).await?;
        agent.add(killed, &new);

        let (_, of_floor) = process(&by_floor, &bare_pod.name)?;
        node.pause().await;
        let killed = node.kill(of_floor)?;
        floor.bare.restart_when_ended(bare_pod, of_floor).await?;
        bare.add(killed, &started(&floor.client, bare_pod.container_id.clone()).await?);

        let (_, of_floor) = process(&by_floor, &told_pod.name)?;
        node.pause().await;
        // What has piled up is about others. Looking is also what opens the stream.
        while let Some(Some(_)) = events.next().now_or_never() {}
        let killed = node.kill(of_floor)?;
        floor.bare.restart_when_told(told_pod, &mut events).await?;
        by_event.add(killed, &started(&floor.client, told_pod.container_id.clone()).await?);
    }
    progress.say("cleaning up");
    node.remove_all(&manifests).await?;
    let compared = |agent: &[f64], bare: &[f64]| Comparison::of(agent, bare).context("no samples");
    Ok(Kill {
        started_by_event: Spread::of(&by_event.started).context("no samples")?,
        started: compared(&agent.started, &bare.started)?,
        first_words: compared(&agent.first_words, &bare.first_words)?,
    })
}

#[derive(Default)]
struct Samples {
    started: Vec<f64>,
    first_words: Vec<f64>,
}

impl Samples {
    fn add(&mut self, killed: Timestamp, new: &Started) {
        self.started.push(millis(killed, new.started_at));
        self.first_words.push(millis(killed, new.first_words));
    }
}
