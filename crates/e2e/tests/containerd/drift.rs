//! Things that happen behind the agent's back. Each is put right within three seconds, and nothing else is touched.

use anyhow::{Context as _, Result, ensure};
use cri_client::{RuntimeService as _, v1};
use e2e::{NodeView, wait};
use futures::StreamExt as _;
use nix::sys::signal::Signal;
use pod_model::labels;

use crate::node::{CONVERGES_WITHIN, Node, untouched};

/// Waits until the pod runs in another container than before, among the pods that are wanted.
async fn replaced(node: &Node, before: &NodeView, name: &str, all: &[&str]) -> Result<NodeView> {
    let old = Node::up(before, name)?.1.id.clone();
    let new = wait::until(format!("{name} to run again"), CONVERGES_WITHIN, async || {
        let view = node.view().await.map_err(|e| e.to_string())?;
        let new = Node::up(&view, name).is_ok_and(|(_, c)| c.id != old);
        if new { Ok(()) } else { Err(view.to_string()) }
    });
    new.await.with_context(|| node.agent.log_tail())?;
    let after = node.settles(all, CONVERGES_WITHIN).await?;
    untouched(before, &after, &[name])?;
    Ok(after)
}

/// Stops a sandbox behind the agent's back. The agent notices at once and may stop it, too: containerd then fails one of
/// the two, and the next try succeeds.
async fn stop(node: &Node, id: &str) -> Result<()> {
    let stopped = wait::until("the sandbox to be stopped", CONVERGES_WITHIN, async || {
        let request = v1::StopPodSandboxRequest { pod_sandbox_id: id.to_owned() };
        node.runtime.stop_pod_sandbox(request).await.map_err(|e| e.to_string())
    });
    Ok(stopped.await.map(drop)?)
}

/// Removes a sandbox behind the agent's back, whose own clean-up may be at it as well.
async fn remove(node: &Node, id: &str) -> Result<()> {
    let removed = wait::until("the sandbox to be removed", CONVERGES_WITHIN, async || {
        let request = v1::RemovePodSandboxRequest { pod_sandbox_id: id.to_owned() };
        node.runtime.remove_pod_sandbox(request).await.map_err(|e| e.to_string())
    });
    Ok(removed.await.map(drop)?)
}

#[tokio::test]
async fn sandboxes_and_containers_that_somebody_stops_or_removes_are_made_again() -> Result<()> {
    let all = ["a", "b", "c", "d"];
    let node = Node::with_pods(&all).await?;

    let before = node.view().await?;
    let pod_sandbox_id = Node::up(&before, "a")?.0.id.clone();
    stop(&node, &pod_sandbox_id).await?;
    let after = replaced(&node, &before, "a", &all).await?;
    let (sandbox, container) = Node::up(&after, "a")?;
    ensure!((sandbox.attempt, container.restart_count) == (1, Some(1)), "sandbox stopped: {after}");

    let before = after;
    let pod_sandbox_id = Node::up(&before, "b")?.0.id.clone();
    stop(&node, &pod_sandbox_id).await?;
    remove(&node, &pod_sandbox_id).await?;
    let after = replaced(&node, &before, "b", &all).await?;
    let (sandbox, container) = Node::up(&after, "b")?;
    // Depending on what the agent saw in between, the new sandbox is the second (attempt 1) or, with no trace of the
    // first, attempt 0 again. The restart count is told by the log files in any case.
    ensure!(sandbox.attempt <= 1 && container.restart_count == Some(1), "sandbox removed: {after}");

    let before = after;
    let (sandbox, container) = Node::up(&before, "c")?;
    node.runtime.remove_container(v1::RemoveContainerRequest { container_id: container.id.clone() }).await?;
    let same = sandbox.id.clone();
    let after = replaced(&node, &before, "c", &all).await?;
    let (sandbox, container) = Node::up(&after, "c")?;
    ensure!(sandbox.id == same && container.restart_count == Some(1), "container removed: {after}");
    Ok(())
}

#[tokio::test]
async fn a_stray_pod_with_the_kubelets_labels_is_ended_and_a_foreign_one_is_left_alone() -> Result<()> {
    let node = Node::with_pods(&["a", "b"]).await?;
    let before = node.view().await?;
    let run = async |name: &str, labels: labels::Map| -> Result<String> {
        let metadata = v1::PodSandboxMetadata {
            name: name.into(),
            uid: name.into(),
            namespace: "default".into(),
            attempt: 0,
        };
        let config = v1::PodSandboxConfig {
            metadata: Some(metadata),
            labels,
            log_directory: node.containerd.dir().join(name).display().to_string(),
            linux: Some(v1::LinuxPodSandboxConfig {
                cgroup_parent: format!("{}/{name}", node.containerd.cgroup_root()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let request = v1::RunPodSandboxRequest { config: Some(config), ..Default::default() };
        Ok(node.runtime.run_pod_sandbox(request).await?.pod_sandbox_id)
    };
    let foreign = run("foreign", labels::Map::new()).await?;
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let stray = run(
        "stray",
        [
            label(labels::POD_UID, "stray"),
            label(labels::POD_NAME, "stray"),
            label(labels::POD_NAMESPACE, "default"),
        ]
        .into(),
    )
    .await?;

    let ended = wait::until("the stray to be ended", CONVERGES_WITHIN, async || {
        let view = node.view().await.map_err(|e| e.to_string())?;
        if view.sandboxes.iter().any(|s| s.id == stray && s.ready) { Err(view.to_string()) } else { Ok(view) }
    });
    let after = ended.await.with_context(|| node.agent.log_tail())?;
    untouched(&before, &after, &[])?;
    ensure!(after.sandboxes.iter().any(|s| s.id == foreign && s.ready), "no kubelet made it: {after}");
    Ok(())
}

#[tokio::test]
async fn a_lost_event_is_made_up_for() -> Result<()> {
    let all = ["a", "b", "c", "d", "e", "f"];
    let node = Node::with_pods(&all).await?;
    // containerd 1.7 deals its events out between subscribers: with four others, most never reach the agent.
    let (stolen_in, mut stolen) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..4 {
        let mut events = node.runtime.get_container_events().await?;
        let stolen_in = stolen_in.clone();
        tokio::spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                let _ = stolen_in.send(event);
            }
        });
    }
    // One event each is needed before a stream is known to be open.
    node.remove("f")?;
    node.settles(&all[..5], crate::node::PATIENCE).await?;

    for name in &all[..5] {
        let before = node.view().await?;
        Node::up(&before, name)?.1.process.context("a process")?.signal(Signal::SIGKILL);
        replaced(&node, &before, name, &all[..5]).await?;
    }
    let mut lost = 0;
    while let Ok(event) = stolen.try_recv() {
        lost += usize::from(event.container_event_type() == v1::ContainerEventType::ContainerStoppedEvent);
    }
    ensure!(lost > 0, "no event was kept from the agent, so nothing is shown");
    Ok(())
}
