//! Start, restart, edit, remove; one pod and twelve at once.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::wait;
use nix::sys::signal::Signal;

use crate::node::{CONVERGES_WITHIN, Node, PATIENCE, manifest_of, untouched};

#[tokio::test]
async fn a_pod_starts_is_recreated_when_its_manifest_changes_and_goes_with_it() -> Result<()> {
    let node = Node::with_pods(&["web", "other"]).await?;
    let first = node.view().await?;
    let (sandbox, container) = Node::up(&first, "web")?;
    ensure!((sandbox.attempt, container.restart_count) == (0, Some(0)), "{first}");
    let log = std::path::Path::new(&container.log_path);
    ensure!(log.ends_with("main/0.log") && log.exists(), "{}", container.log_path);

    let edited = manifest_of("web", "trap 'exit 0' TERM; echo edited; sleep 3600 & wait");
    node.agent.put_manifest("web.yaml", &edited)?;
    let uid = sandbox.pod.uid.clone();
    let changed = wait::until("the edited pod to run", PATIENCE, async || {
        let view = node.view().await.map_err(|e| e.to_string())?;
        let new = Node::up(&view, "web").is_ok_and(|(sandbox, _)| sandbox.pod.uid != uid);
        if new && view.running().len() == 2 { Ok(view) } else { Err(view.to_string()) }
    });
    let changed = changed.await.with_context(|| node.agent.log_tail())?;
    let (_, container) = Node::up(&changed, "web")?;
    ensure!(container.restart_count == Some(0), "an edited static pod is another pod: {changed}");
    untouched(&first, &changed, &["web"])?;

    node.remove("web")?;
    let last = node.settles(&["other"], PATIENCE).await?;
    untouched(&first, &last, &["web"])?;
    let gone = wait::until("everything of the pod to be removed", PATIENCE, async || {
        let view = node.view().await.map_err(|e| e.to_string())?;
        let logs = std::fs::read_dir(node.agent.options().pod_logs()).map_err(|e| e.to_string())?.count();
        let of_web = view.sandboxes.iter().any(|s| s.pod.name.starts_with("web"));
        if !of_web && logs == 1 { Ok(()) } else { Err(format!("{logs} log folders; {view}")) }
    });
    gone.await?;
    Ok(())
}

#[tokio::test]
async fn a_container_that_ends_is_started_at_once_then_after_its_back_off() -> Result<()> {
    let node = Node::with_pods(&["other"]).await?;
    let before = node.view().await?;
    node.agent.put_manifest("crash.yaml", &manifest_of("crash", "sleep 0.2; exit 3"))?;
    let restarted = |count: u32| {
        let node = &node;
        async move {
            wait::until(format!("restart {count}"), PATIENCE, async || {
                let view = node.view().await.map_err(|e| e.to_string())?;
                let mut containers = view.of_pod("crash-node1").flat_map(|s| &s.containers);
                let found =
                    containers.find(|c| c.restart_count == Some(count) && c.finished_at.is_some()).cloned();
                found.ok_or_else(|| view.to_string())
            })
            .await
            .with_context(|| node.agent.log_tail())
        }
    };
    let runs = [restarted(0).await?, restarted(1).await?, restarted(2).await?];
    let gap = |earlier: usize| -> Result<f64> {
        let ended = runs[earlier].finished_at.context("it ended")?;
        let started = runs[earlier + 1].started_at.context("it started")?;
        Ok(started.duration_since(ended).as_secs_f64())
    };
    ensure!(gap(0)? < 3.0, "the first restart does not wait: {} s", gap(0)?);
    ensure!((10.0..13.0).contains(&gap(1)?), "the second waits 10 s: {} s", gap(1)?);
    ensure!(runs.iter().all(|run| run.exit_code == 3 && run.reason == "Error"), "{runs:?}");
    let told = node.agent.events().into_iter().filter(|e| e.reason == "BackOff").count();
    ensure!(told >= 1, "an event tells about the back-off");
    untouched(&before, &node.view().await?, &["crash"])
}

#[tokio::test]
async fn a_killed_process_comes_back_within_moments() -> Result<()> {
    let node = Node::with_pods(&["web", "other"]).await?;
    let before = node.view().await?;
    let (sandbox, container) = Node::up(&before, "web")?;
    container.process.context("a process")?.signal(Signal::SIGKILL);
    let after = wait::until("the container to be started again", CONVERGES_WITHIN, async || {
        let view = node.view().await.map_err(|e| e.to_string())?;
        let restarted = Node::up(&view, "web").is_ok_and(|(_, c)| c.id != container.id);
        if restarted { Ok(view) } else { Err(view.to_string()) }
    });
    let after = after.await.with_context(|| node.agent.log_tail())?;
    let (same, restarted) = Node::up(&after, "web")?;
    ensure!(same.id == sandbox.id && restarted.restart_count == Some(1), "{after}");
    untouched(&before, &after, &["web"])
}

#[tokio::test]
async fn twelve_pods_at_once() -> Result<()> {
    let names: Vec<String> = (0..12).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let node = Node::with_pods(&names).await?;
    for name in &names {
        node.remove(name)?;
    }
    node.settles(&[], PATIENCE).await?;
    let empty = wait::until("the runtime to be empty", Duration::from_secs(20), async || {
        let view = node.view().await.map_err(|e| e.to_string())?;
        if view.sandboxes.is_empty() { Ok(()) } else { Err(view.to_string()) }
    });
    empty.await.with_context(|| node.agent.log_tail())
}
