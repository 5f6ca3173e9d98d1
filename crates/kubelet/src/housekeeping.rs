//! Cleaning up behind the pods, beside the sync loop so that nothing waits for it.
//!
//! Driven by what happened (a container died, a pod was forgotten), with one full round a minute for what was missed.
//! Mirrors `kubelet_pods.go: HandlePodCleanups`, `kubelet.go: StartGarbageCollection`, `pod_container_deletor.go` and
//! `kubelet_volumes.go: cleanupOrphanedPodDirs`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kuberuntime::KubeRuntime;
use pleg::PlegHandle;
use pod_config::SourcesReady;
use pod_model::{Moment, PodCache, PodStatus, PodUid};
use pod_workers::StageBoard;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::pod_dirs::PodDirs;

/// `kubelet.go: ContainerGCPeriod`.
const FULL_ROUND: Duration = Duration::from_secs(60);

/// Something to clean up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Behind one pod.
    Pod(PodUid),
    /// Behind everything.
    Everything,
}

/// Removes what is dead, wherever it is told to look.
pub(crate) struct Housekeeping {
    pub runtime: Arc<KubeRuntime>,
    pub cache: Arc<PodCache>,
    pub pleg: PlegHandle,
    pub board: StageBoard,
    pub sources: SourcesReady,
    pub dirs: PodDirs,
    pub tasks: mpsc::UnboundedReceiver<Task>,
    /// When something was last removed of each pod: a picture from before shows what is gone.
    pub acted: BTreeMap<PodUid, Moment>,
}

impl Housekeeping {
    /// Runs until the agent ends.
    pub async fn run(mut self) {
        let mut next_round = Instant::now() + FULL_ROUND;
        loop {
            let task = tokio::select! {
                biased;
                task = self.tasks.recv() => match task {
                    Some(task) => task,
                    None => return,
                },
                () = tokio::time::sleep_until(next_round) => Task::Everything,
            };
            match task {
                Task::Pod(uid) => self.clean_up(&uid).await,
                Task::Everything => {
                    next_round = Instant::now() + FULL_ROUND;
                    self.full_round().await;
                }
            }
        }
    }

    /// Nobody wants the pod. Never before every source has spoken: until then nobody knows who wants what.
    fn is_unwanted(&self, uid: &PodUid) -> bool {
        self.sources.all_ready() && self.board.is_unwanted(uid)
    }

    async fn clean_up(&mut self, uid: &PodUid) {
        let unwanted = self.is_unwanted(uid);
        match self.cache.get(uid) {
            Some(Ok(status)) => self.collect(&status, unwanted).await,
            Some(Err(_)) => {}
            None => {
                self.acted.remove(uid);
            }
        }
        // Last of all, since the directory proves that what the runtime has is ours.
        let nothing_is_left = self.cache.is_complete() && self.cache.get(uid).is_none();
        if unwanted
            && nothing_is_left
            && self.dirs.exists(uid)
            && let Err(error) = self.dirs.remove(uid)
        {
            tracing::warn!(%uid, %error, "failed to remove orphaned pod directory");
        }
    }

    /// Removes the dead of one pod. The look that is asked for afterwards comes back here through the sync loop, until
    /// there is nothing left to remove.
    async fn collect(&mut self, status: &PodStatus, unwanted: bool) {
        if unwanted && status.is_alive() {
            // Its worker has yet to end it.
            return;
        }
        if self.acted.get(status.uid()).is_some_and(|acted| !self.cache.is_newer_than(status.uid(), *acted)) {
            // The look that was asked for then is still to come.
            return;
        }
        if self.runtime.collect_garbage(status, unwanted).await {
            self.acted.insert(status.uid().clone(), self.cache.moment());
            self.pleg.request_relist(status.uid());
        }
        if unwanted {
            self.runtime.collect_logs_of(&status.pod);
        }
    }

    async fn full_round(&mut self) {
        let known = self.cache.all();
        for status in &known {
            self.clean_up(status.uid()).await;
        }
        if !self.sources.all_ready() || !self.cache.is_complete() {
            return;
        }
        let in_runtime: BTreeSet<PodUid> = known.iter().map(|status| status.uid().clone()).collect();
        for uid in self.dirs.all().into_iter().filter(|uid| !in_runtime.contains(uid)) {
            self.clean_up(&uid).await;
        }
        let alive: BTreeSet<&str> = known.iter().flat_map(|s| s.running()).map(|c| c.id.as_str()).collect();
        self.runtime.collect_logs(
            |uid| self.is_unwanted(uid) && !in_runtime.contains(uid),
            |container| alive.contains(container),
        );
    }
}
