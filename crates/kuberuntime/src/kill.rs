//! Ending containers and pods.
//!
//! Mirrors `kuberuntime_container.go: killContainer, killContainersWithSyncResult, setTerminationGracePeriod` and
//! `kuberuntime_manager.go: killPodWithSyncResult`.

use std::collections::BTreeSet;
use std::time::Duration;

use cri_client::{RuntimeError, v1};
use futures::future::join_all;
use pod_model::{ContainerStatus, Event, EventType, Pod, PodRef, PodStatus, field_path, reason};

use crate::runtime::KubeRuntime;
use crate::termination_order::TerminationOrdering;

/// A container always gets at least this long to end by itself (`minimumGracePeriodInSeconds`).
pub const MINIMUM_GRACE_SECONDS: i64 = 2;

// ANCHOR: grace_period
/// The grace period of a container, in seconds, before waiting and hooks are deducted: that of the deletion, else that
/// of the spec, else the minimum. Of a pod that has no spec any more, the container's own annotations tell.
pub fn grace_period(pod: Option<&Pod>, container: &ContainerStatus) -> i64 {
    let (deletion, spec) = match pod {
        Some(pod) => (
            pod.metadata.deletion_grace_period_seconds,
            pod.spec.as_ref().and_then(|s| s.termination_grace_period_seconds),
        ),
        None => (container.deletion_grace_period, container.termination_grace_period),
    };
    deletion.or(spec).unwrap_or(MINIMUM_GRACE_SECONDS)
}

/// The whole seconds of grace that are left after `waited`, and never less than the minimum.
pub fn remaining_grace(grace: i64, waited: Duration) -> i64 {
    let spent = i64::try_from(waited.as_secs()).unwrap_or(i64::MAX);
    grace.saturating_sub(spent).max(MINIMUM_GRACE_SECONDS)
}
// ANCHOR_END: grace_period

impl KubeRuntime {
    /// Ends everything that a pod has: its containers in the order of [`crate::prerequisites`], then its sandboxes. The
    /// sandboxes are removed later, by garbage collection.
    ///
    /// `pod` is `None` for a pod that only the runtime knows; `grace` replaces the pod's own grace period.
    ///
    /// # Errors
    /// The first failed stop. Everything else was tried all the same.
    pub async fn kill_pod(
        &self,
        pod: Option<&Pod>,
        status: &PodStatus,
        grace: Option<i64>,
    ) -> Result<(), RuntimeError> {
        let running: Vec<&ContainerStatus> = status.running().collect();
        let names: BTreeSet<String> = running.iter().map(|c| c.name.clone()).collect();
        let ordering = pod.map(|pod| TerminationOrdering::new(pod, &names));
        let kill = |container| {
            let ordering = ordering.as_ref();
            async move { self.kill_container(pod, &status.pod, container, None, grace, ordering).await }
        };
        let killed: Result<Vec<()>, RuntimeError> =
            join_all(running.into_iter().map(kill)).await.into_iter().collect();
        let mut result = killed.map(drop);
        for sandbox in &status.sandboxes {
            let request = v1::StopPodSandboxRequest { pod_sandbox_id: sandbox.id.clone() };
            match self.runtime.stop_pod_sandbox(request).await {
                Ok(_) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => {
                    tracing::warn!(pod = %status.pod, sandbox = %sandbox.id, %error, "failed to stop sandbox");
                    result = result.and(Err(error));
                }
            }
        }
        result
    }

    /// Ends one container.
    ///
    /// # Errors
    /// The runtime's, unless the container is gone already.
    pub(crate) async fn kill_container(
        &self,
        pod: Option<&Pod>,
        pod_ref: &PodRef,
        container: &ContainerStatus,
        message: Option<&str>,
        grace: Option<i64>,
        ordering: Option<&TerminationOrdering>,
    ) -> Result<(), RuntimeError> {
        // Without a spec nobody knows which list it stood in (`container/ref.go: GenerateContainerRef`).
        let path = pod.map_or_else(
            || format!("implicitly required container {}", container.name),
            |p| field_path(p, &container.name),
        );
        let text = message.map_or_else(|| format!("Stopping container {}", container.name), str::to_owned);
        self.events.record(Event::about_container(pod_ref, path, EventType::Normal, reason::KILLING, text));

        let grace = grace.unwrap_or_else(|| grace_period(pod, container));
        let waited = match ordering {
            Some(ordering) if grace > 0 => {
                let limit = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
                ordering.wait_for_turn(&container.name, limit).await
            }
            _ => Duration::ZERO,
        };
        let timeout = remaining_grace(grace, waited);
        let request = v1::StopContainerRequest { container_id: container.id.clone(), timeout };
        let stopped = match self.runtime.stop_container(request).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => {
                tracing::warn!(pod = %pod_ref, container = %container.name, %error, "failed to stop container");
                Err(error)
            }
        };
        if let Some(ordering) = ordering {
            // Also after a failure: the others must not wait for it for ever.
            ordering.terminated(&container.name);
        }
        stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::{pod, status};

    #[test]
    fn the_deletions_grace_comes_before_the_specs_and_a_container_tells_when_there_is_no_spec() {
        for (deletion, spec, grace) in [
            (None, None, MINIMUM_GRACE_SECONDS),
            (None, Some(30), 30),
            (Some(5), Some(30), 5),
            (Some(0), Some(30), 0),
            (Some(5), None, 5),
        ] {
            let mut pod = pod("Always: a");
            let mut container = status(&pod, "0 | a:run").containers.remove(0);
            pod.metadata.deletion_grace_period_seconds = deletion;
            pod.spec.as_mut().expect("a spec").termination_grace_period_seconds = spec;
            assert_eq!(grace_period(Some(&pod), &container), grace, "{deletion:?} {spec:?}");
            // The container's own notes do not count beside a spec, and are all there is without one.
            (container.deletion_grace_period, container.termination_grace_period) = (Some(77), Some(88));
            assert_eq!(grace_period(Some(&pod), &container), grace, "{deletion:?} {spec:?}");
            (container.deletion_grace_period, container.termination_grace_period) = (deletion, spec);
            assert_eq!(grace_period(None, &container), grace, "{deletion:?} {spec:?}");
        }
    }

    #[test]
    fn whole_seconds_of_waiting_are_deducted_and_two_are_always_left() {
        for (grace, waited, left) in [
            (30, 0, 30),
            (30, 999, 30),
            (30, 1_000, 29),
            (30, 27_900, 3),
            (30, 28_000, 2),
            (30, 30_000, 2),
            (30, 90_000, 2),
            (2, 0, 2),
            (0, 0, 2),
            (-1, 0, 2),
            (i64::MIN, 5_000, 2),
        ] {
            assert_eq!(remaining_grace(grace, Duration::from_millis(waited)), left, "{grace} {waited}");
        }
    }
}
