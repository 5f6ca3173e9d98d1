//! Calls: what is asked of the runtime, at rest and while one pod starts, loses its container and goes.
//!
//! The agent speaks through a [`Proxy`] here, which costs time. So this part gives counts and an order, and no figure
//! of it belongs beside those of the others.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use cri_client::RecordedCall;
use serde::Serialize;

use crate::node::{Node, Plan, containers, manifest, names};
use crate::progress::Progress;
use crate::proxy::{Mark, Proxy};
use crate::started::newly_started;

/// How long after an operation its calls are still listened to.
const AFTERWARDS: Duration = Duration::from_secs(3);

/// What was noted.
#[derive(Clone, Debug, Serialize)]
pub struct Calls {
    /// The calls after a manifest appeared on an empty node.
    pub start: Vec<Call>,
    /// The calls after the container's process was killed.
    pub restart: Vec<Call>,
    /// The calls after the manifest was removed.
    pub end: Vec<Call>,
    /// How many pods ran at rest.
    pub idle_pods: usize,
    /// Calls per minute at rest, by RPC.
    pub idle_per_minute: BTreeMap<&'static str, f64>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// Milliseconds since the cause.
    pub at_ms: f64,
    /// The RPC.
    pub rpc: &'static str,
    /// What it was answered with, if that was an error.
    pub error: Option<String>,
}

/// Notes.
///
/// # Errors
/// Something does not work.
pub async fn measure(plan: &Plan) -> Result<Calls> {
    let progress = Progress::of("calls");
    progress.say("starting a runtime");
    let node = Node::launch(plan, "calls").await?;
    let proxy = Proxy::serve(node.client.clone(), &node.containerd.dir().join("proxy.sock"))?;
    let node = node.with_endpoint(plan, proxy.endpoint()).await?;
    let warm_up = names("warm-up-again", 1);
    node.put_all(&warm_up).await?;
    node.remove_all(&warm_up).await?;
    progress.wait("settling", plan.settle).await;

    let pod = node.pod_of("one");
    let mark = proxy.mark();
    node.agent.put_manifest("one", &manifest("one"), &node.clock)?;
    node.awaited(newly_started(&node.client, &pod, None)).await?;
    let start = listen(&proxy, mark, "a pod starts", &progress).await;
    let running = containers(&node.client).await?;
    let (old, process) = running.get(&pod).with_context(|| format!("pod {pod} does not run"))?;
    let mark = proxy.mark();
    node.kill(*process)?;
    node.awaited(newly_started(&node.client, &pod, Some(old))).await?;
    let restart = listen(&proxy, mark, "a container is restarted", &progress).await;
    let mark = proxy.mark();
    node.remove_all(&["one".to_owned()]).await?;
    let end = listen(&proxy, mark, "a pod goes", &progress).await;

    let pods = names("idle", plan.idle_pods);
    progress.say(format_args!("starting {} pods", pods.len()));
    node.put_all(&pods).await?;
    progress.wait(&format!("{} pods, settling", pods.len()), plan.settle).await;
    let mark = proxy.mark();
    progress.wait(&format!("{} pods, counting calls", pods.len()), plan.idle).await;
    let idle_per_minute = per_minute(proxy.since(mark).iter().map(|(_, call)| call.rpc), plan.idle);
    progress.say("cleaning up");
    node.remove_all(&pods).await?;
    Ok(Calls { start, restart, end, idle_pods: pods.len(), idle_per_minute })
}

async fn listen(proxy: &Proxy, mark: Mark, what: &str, progress: &Progress) -> Vec<Call> {
    progress.wait(what, AFTERWARDS).await;
    let call = |(at_ms, call): (f64, RecordedCall)| Call { at_ms, rpc: call.rpc, error: call.error };
    proxy.since(mark).into_iter().map(call).collect()
}

fn per_minute<'a>(rpcs: impl Iterator<Item = &'a str>, time: Duration) -> BTreeMap<&'a str, f64> {
    let mut counted = BTreeMap::new();
    for rpc in rpcs {
        *counted.entry(rpc).or_default() += 60.0 / time.as_secs_f64();
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_name_and_scaled_to_a_minute() {
        let counted = per_minute(["Version", "Status", "Version"].into_iter(), Duration::from_secs(30));
        assert_eq!(counted, BTreeMap::from([("Status", 2.0), ("Version", 4.0)]));
    }
}
