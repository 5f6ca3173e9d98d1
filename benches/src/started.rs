//! When did it start? Asked of the runtime seldom, and answered by time stamps that others made.
//!
//! A bench that asks every few milliseconds disturbs what it measures. So it asks ten times a second whether a new
//! container is there, and then reads *when* that was from the container itself: `started_at` is stamped by the
//! runtime at the end of StartContainer, with this machine's clock. The second witness is the container's log: its
//! first line carries the time at which the runtime's log writer got the process's first words.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clock::from_nanos;
use cri_client::{GrpcRuntime, RuntimeService as _, v1};
use e2e::wait;
use jiff::Timestamp;
use pod_model::labels;

/// How long to pause between two questions to the runtime.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a start or an end may take before something is wrong.
const LIMIT: Duration = Duration::from_secs(120);

/// A container that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its id.
    pub id: String,
    /// When the runtime says that it started.
    pub started_at: Timestamp,
    /// When its first words came out.
    pub first_words: Timestamp,
}

/// Waits until a container of this pod runs that is not `old`.
///
/// # Errors
/// None came, or its log stays empty.
pub async fn newly_started(client: &GrpcRuntime, pod: &str, old: Option<&str>) -> Result<Started> {
    let id = wait::until(format!("a new container of pod {pod}"), LIMIT, async || {
        tokio::time::sleep(PAUSE).await;
        let running = running(client, Some(pod)).await.map_err(|e| e.to_string())?;
        running.into_keys().find(|id| Some(id.as_str()) != old).ok_or_else(|| "none runs".to_owned())
    })
    .await?;
    started(client, id).await
}

/// Waits until each of these pods has a running container.
///
/// # Errors
/// They do not come, or the log of one stays empty.
pub async fn all_started(client: &GrpcRuntime, pods: &BTreeSet<String>) -> Result<Vec<Started>> {
    let ids = wait::until(format!("containers of {} pods", pods.len()), LIMIT, async || {
        tokio::time::sleep(PAUSE).await;
        let mut running = running(client, None).await.map_err(|e| e.to_string())?;
        running.retain(|_, pod| pods.contains(pod));
        let up: BTreeSet<&String> = running.values().collect();
        let count = up.len();
        if count == pods.len() {
            Ok(running.into_keys().collect::<Vec<_>>())
        } else {
            Err(format!("{count} run"))
        }
    })
    .await?;
    let mut all = Vec::new();
    for id in ids {
        all.push(started(client, id).await?);
    }
    Ok(all)
}

/// Waits until nothing of these pods is up: no container runs, no sandbox is ready.
///
/// # Errors
/// They stay.
pub async fn all_gone(client: &GrpcRuntime, pods: &BTreeSet<String>) -> Result<()> {
    wait::until(format!("the end of {} pods", pods.len()), LIMIT, async || {
        tokio::time::sleep(PAUSE).await;
        let containers = running(client, None).await.map_err(|e| e.to_string())?;
        let request = v1::ListPodSandboxRequest::default();
        let sandboxes = client.list_pod_sandbox(request).await.map_err(|e| e.to_string())?.items;
        let ready = sandboxes.iter().filter(|s| s.state() == v1::PodSandboxState::SandboxReady);
        let names = ready.filter_map(|s| s.labels.get(labels::POD_NAME));
        let up: BTreeSet<&String> =
            containers.values().chain(names).filter(|name| pods.contains(*name)).collect();
        if up.is_empty() { Ok(()) } else { Err(format!("{} are up", up.len())) }
    })
    .await?;
    Ok(())
}

/// The running containers, each with the name of its pod.
async fn running(
    client: &GrpcRuntime,
    pod: Option<&str>,
) -> Result<std::collections::BTreeMap<String, String>> {
    let label_selector = pod.map(|pod| (labels::POD_NAME.to_owned(), pod.to_owned())).into_iter().collect();
    let filter = v1::ContainerFilter {
        state: Some(v1::ContainerStateValue { state: v1::ContainerState::ContainerRunning.into() }),
        label_selector,
        ..Default::default()
    };
    let found = client.list_containers(v1::ListContainersRequest { filter: Some(filter) }).await?.containers;
    Ok(found
        .into_iter()
        .map(|c| (c.id, c.labels.get(labels::POD_NAME).cloned().unwrap_or_default()))
        .collect())
}

/// The time stamps of a container that has started.
///
/// # Errors
/// It is gone or was never started, or its log stays empty.
pub async fn started(client: &GrpcRuntime, id: String) -> Result<Started> {
    let request = v1::ContainerStatusRequest { container_id: id.clone(), verbose: false };
    let status = client.container_status(request).await?.status.with_context(|| format!("container {id}"))?;
    let started_at =
        from_nanos(status.started_at).with_context(|| format!("container {id} was not started"))?;
    let path = status.log_path;
    let first_words = wait::until(format!("a line in {path}"), LIMIT, async || {
        let text = std::fs::read_to_string(&path).map_err(|e| e.to_string())?;
        first_time(&text).ok_or_else(|| "no whole line".to_owned())
    })
    .await?;
    Ok(Started { id, started_at, first_words })
}

/// The time of the first line of a log in the CRI's format: `2026-01-01T12:00:00.123456789Z stdout F text`.
fn first_time(log: &str) -> Option<Timestamp> {
    let (line, _) = log.split_once('\n')?;
    line.split_once(' ')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_log_has_the_time() {
        let time =
            first_time("2026-01-01T12:00:00.123456789Z stdout F up\n2026-01-01T13:00:00Z stdout F later\n");
        assert_eq!(time.map(|t| t.to_string()).as_deref(), Some("2026-01-01T12:00:00.123456789Z"));
        let offset = first_time("2026-01-01T12:00:00.5+02:00 stdout F up\n");
        assert_eq!(offset.map(|t| t.to_string()).as_deref(), Some("2026-01-01T10:00:00.5Z"));
        for none in ["", "2026-01-01T12:00:00Z stdout F half a line", "up\n", "no time at all\n"] {
            assert_eq!(first_time(none), None, "{none:?}");
        }
    }
}
