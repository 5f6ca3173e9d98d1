//! Removing the dead: the plan of [`crate::plan_gc`] carried out.

use std::collections::BTreeSet;

use cri_client::{RuntimeError, v1};
use pod_model::{ContainerState, ContainerStatus, PodRef, PodStatus, paths};

use crate::gc::plan_gc;
use crate::log_files;
use crate::runtime::KubeRuntime;

impl KubeRuntime {
    /// Removes what nobody needs any more of one pod; `gone`: the pod is not wanted any more, so nothing of it is kept,
    /// its logs included. Whether anything was removed.
    ///
    /// What cannot be removed now is tried again with the next collection.
    pub async fn collect_garbage(&self, status: &PodStatus, gone: bool) -> bool {
        let plan = plan_gc(status, gone);
        let mut still_there = BTreeSet::new();
        for (id, _) in &plan.containers {
            let Some(container) = status.containers.iter().find(|c| c.id == *id) else { continue };
            if let Err(error) = self.end_and_remove(&status.pod, container).await {
                tracing::debug!(pod = %status.pod, container = %container.name, %error, "failed to remove container");
                still_there.insert(&container.sandbox_id);
            }
        }
        // A sandbox takes its containers along, so one that still holds some has to wait for them.
        for id in plan.sandboxes.iter().filter(|id| !still_there.contains(id)) {
            if let Err(error) = self.remove_sandbox(id).await {
                tracing::debug!(pod = %status.pod, sandbox = %id, %error, "failed to remove sandbox");
            }
        }
        !plan.is_empty()
    }

    async fn end_and_remove(&self, pod: &PodRef, container: &ContainerStatus) -> Result<(), RuntimeError> {
        if container.state == ContainerState::Unknown {
            // It may live: end it properly first.
            let message = "Container is in unknown state, try killing it before removal";
            self.kill_container(None, pod, container, Some(message), None, None).await?;
        }
        self.remove_container(pod, container).await
    }

    /// Removes a dead container, its log and its log's link.
    pub(crate) async fn remove_container(
        &self,
        pod: &PodRef,
        container: &ContainerStatus,
    ) -> Result<(), RuntimeError> {
        let log_dir = paths::pod_log_dir(&self.settings.pod_logs_dir, pod);
        let links = log_files::links_dir(&self.settings.pod_logs_dir);
        log_files::remove(&links, pod, &container.name, &container.id, &log_dir, container.restart_count);
        let request = v1::RemoveContainerRequest { container_id: container.id.clone() };
        match self.runtime.remove_container(request).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn remove_sandbox(&self, id: &str) -> Result<(), RuntimeError> {
        // It was stopped before; if that was missed, now is the time (`kuberuntime_gc.go: removeSandbox`).
        self.runtime.stop_pod_sandbox(v1::StopPodSandboxRequest { pod_sandbox_id: id.to_owned() }).await?;
        self.runtime
            .remove_pod_sandbox(v1::RemovePodSandboxRequest { pod_sandbox_id: id.to_owned() })
            .await?;
        Ok(())
    }

    /// Removes the log folder of a pod of which nothing is wanted any more.
    pub fn collect_logs_of(&self, pod: &PodRef) {
        let dir = paths::pod_log_dir(&self.settings.pod_logs_dir, pod);
        match std::fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(path = %dir.display(), %error, "failed to remove pod log directory");
            }
            _ => {}
        }
    }

    /// Removes log folders of pods that are `unwanted`, and log links that lead nowhere.
    pub fn collect_logs(
        &self,
        unwanted: impl Fn(&pod_model::PodUid) -> bool,
        is_alive: impl Fn(&str) -> bool,
    ) {
        let logs = &self.settings.pod_logs_dir;
        for entry in std::fs::read_dir(logs).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(uid) = name.to_str().and_then(paths::uid_of_log_dir) else { continue };
            if unwanted(&uid)
                && let Err(error) = std::fs::remove_dir_all(entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "failed to remove pod log directory");
            }
        }
        log_files::remove_dead_links(&log_files::links_dir(logs), is_alive);
    }
}
