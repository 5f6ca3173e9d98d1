//! What happens to one pod, in order: the three syncs that pod workers call.
//!
//! Mirrors `kubelet.go: SyncPod, SyncTerminatingPod, SyncTerminatingRuntimePod, SyncTerminatedPod`.

use std::sync::Arc;

use async_trait::async_trait;
use kuberuntime::{KubeRuntime, PodSyncResult};
use pleg::PlegHandle;
use pod_model::identity::{is_host_network, spec};
use pod_model::{Event, EventSink, EventType, Pod, PodCache, PodRef, PodStatus, reason};
use pod_workers::{Outcome, PodSyncer, Retry, Synced};
use status::pod_phase;
use tokio::sync::{mpsc, watch};

use crate::housekeeping::Task;
use crate::pod_dirs::PodDirs;
use crate::runtime_state::RuntimeState;

/// Carries out what the workers decide.
pub(crate) struct Syncer {
    pub runtime: Arc<KubeRuntime>,
    pub pleg: PlegHandle,
    pub cache: Arc<PodCache>,
    pub events: Arc<dyn EventSink>,
    pub state: watch::Receiver<RuntimeState>,
    pub dirs: PodDirs,
    pub housekeeping: mpsc::UnboundedSender<Task>,
}

#[async_trait]
impl PodSyncer for Syncer {
    /// The order is the kubelet's: is it over? is the network ready? directories, volumes, then containers.
    // ANCHOR: sync_pod
    async fn sync_pod(&self, pod: &Arc<Pod>, status: &PodStatus) -> Synced {
        let names = PodRef::of(pod);
        if pod_phase(pod, status).is_terminal() {
            return idle(Outcome::PodIsOver);
        }
        if let Some(not_ready) = self.network_trouble(pod) {
            let text = format!("network is not ready: {not_ready}");
            self.warn(&names, reason::NETWORK_NOT_READY, text);
            return idle(Outcome::Failed(Retry::NetworkNotReady));
        }
        if let Err(error) = self.dirs.make(&names.uid) {
            self.warn(&names, reason::FAILED_SYNC, format!("error making pod data directories: {error}"));
            return idle(Outcome::Failed(Retry::Later));
        }
        if let Some(volume) = spec(pod).volumes.iter().flatten().next() {
            // Without its volumes a pod must not start: it might write where it should not.
            let text = format!(
                "Unable to attach or mount volumes: volume {:?} needs a volume plugin, and there is none yet",
                volume.name
            );
            self.warn(&names, reason::FAILED_MOUNT, text);
            return idle(Outcome::Failed(Retry::Later));
        }
        let result = self.runtime.sync_pod(pod, status).await;
        for waiting in &result.waiting {
            let (container, reason) = (&waiting.container, waiting.reason);
            tracing::debug!(pod = %names, container, reason, message = waiting.message, "container waits");
        }
        Synced { outcome: outcome_of(&result), acted: result.acted }
    }
    // ANCHOR_END: sync_pod

    async fn sync_terminating_pod(&self, pod: Option<&Arc<Pod>>, status: &PodStatus, grace: i64) -> Synced {
        let killed = self.runtime.kill_pod(pod.map(|pod| &**pod), status, Some(grace)).await;
        let outcome = match killed {
            Ok(()) => self.nothing_runs(&status.pod).await,
            Err(error) if error.is_unavailable() => Outcome::Failed(Retry::WhenRuntimeIsBack),
            Err(error) => {
                self.warn(&status.pod, reason::FAILED_KILL_POD, format!("error killing pod: {error}"));
                Outcome::Failed(Retry::Later)
            }
        };
        Synced { outcome, acted: true }
    }

    /// Nothing has to be undone yet: no volumes, no cgroups of our own. What lies in the runtime and in directories is
    /// housekeeping's.
    async fn sync_terminated_pod(&self, _: &Arc<Pod>, _: &PodStatus) -> Synced {
        idle(Outcome::Done)
    }

    fn look_again(&self, pod: &PodRef) {
        self.pleg.request_relist(&pod.uid);
    }

    fn forgotten(&self, pod: &PodRef) {
        self.runtime.forget(pod);
        // The receiver goes only when the agent does.
        let _ = self.housekeeping.send(Task::Pod(pod.uid.clone()));
    }
}

fn idle(outcome: Outcome) -> Synced {
    Synced { outcome, acted: false }
}

impl Syncer {
    /// After a kill, only what the runtime says counts: a container may have been started behind our back.
    async fn nothing_runs(&self, pod: &PodRef) -> Outcome {
        let killed = self.cache.moment();
        self.pleg.request_relist(&pod.uid);
        match self.cache.newer_than(pod, killed).await {
            Ok(after) if after.running().next().is_some() => {
                tracing::warn!(%pod, "detected running containers after a successful kill");
                Outcome::Failed(Retry::Later)
            }
            Ok(_) => {
                tracing::info!(%pod, "pod stopped");
                Outcome::Done
            }
            Err(error) if error.is_unavailable() => Outcome::Failed(Retry::WhenRuntimeIsBack),
            Err(_) => Outcome::Failed(Retry::Later),
        }
    }

    /// Why a pod may not start for the sake of the network; pods in the host's network do not care.
    fn network_trouble(&self, pod: &Pod) -> Option<String> {
        if is_host_network(pod) { None } else { self.state.borrow().network_error() }
    }

    fn warn(&self, pod: &PodRef, reason: &'static str, text: String) {
        self.events.record(Event::about_pod(pod, EventType::Warning, reason, text));
    }
}

/// When the pod is synced again. A back-off is waited for only when nothing else is wrong, and the soonest of several
/// counts. Mirrors `container/sync_result.go: MinBackoffExpiration`.
fn outcome_of(result: &PodSyncResult) -> Outcome {
    if result.waiting.is_empty() {
        return Outcome::Done;
    }
    if result.waiting.iter().any(|waiting| waiting.runtime_is_away) {
        return Outcome::Failed(Retry::WhenRuntimeIsBack);
    }
    let ends: Option<Vec<_>> = result.waiting.iter().map(|waiting| waiting.until).collect();
    match ends.and_then(|ends| ends.into_iter().min()) {
        Some(soonest) => Outcome::Failed(Retry::At(soonest)),
        None => Outcome::Failed(Retry::Later),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use kuberuntime::Waiting;

    fn waiting(until: Option<i64>, away: bool) -> Waiting {
        Waiting {
            container: "a".into(),
            reason: "CrashLoopBackOff",
            message: String::new(),
            until: until.and_then(|second| Timestamp::from_second(second).ok()),
            runtime_is_away: away,
        }
    }

    #[test]
    fn the_soonest_back_off_counts_unless_something_else_is_wrong() {
        let at = |second| Outcome::Failed(Retry::At(Timestamp::from_second(second).expect("a time")));
        for (waits, outcome) in [
            (vec![], Outcome::Done),
            (vec![waiting(Some(20), false), waiting(Some(10), false)], at(10)),
            (vec![waiting(Some(20), false), waiting(None, false)], Outcome::Failed(Retry::Later)),
            (vec![waiting(Some(20), false), waiting(None, true)], Outcome::Failed(Retry::WhenRuntimeIsBack)),
        ] {
            let result = PodSyncResult { acted: true, waiting: waits };
            assert_eq!(outcome_of(&result), outcome, "{result:?}");
        }
    }
}
