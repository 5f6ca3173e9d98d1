//! The loop in the middle: what is wanted comes in from one side, what is from the other, and workers are told.
//!
//! It decides nothing about a pod and waits for nothing but its inputs. Mirrors `kubelet.go: syncLoopIteration`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pleg::{PlegHandle, PodChange, PodLifecycleEvent, RuntimeReach};
use pod_config::{Op, PodUpdate, SourcesReady};
use pod_model::{Pod, PodCache, PodRef, PodStatus, PodUid};
use pod_workers::{PodWorkersHandle, Stage, Update};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::housekeeping::Task;
use crate::unsupported::not_acted_on;

/// How often the loop turns when nothing happens, so that its health can be told from its silence.
const TICK: Duration = Duration::from_secs(30);

/// When the loop last turned, in seconds since the agent began.
#[derive(Clone, Debug)]
pub(crate) struct LoopMonitor {
    began: Instant,
    turned: Arc<AtomicU64>,
}

impl LoopMonitor {
    pub fn new() -> Self {
        Self { began: Instant::now(), turned: Arc::default() }
    }

    fn turn(&self) {
        self.turned.store(self.began.elapsed().as_secs(), Ordering::Relaxed);
    }

    /// How long ago the loop last turned.
    pub fn idle(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_secs(self.turned.load(Ordering::Relaxed)))
    }
}

/// The loop and what it listens to.
pub(crate) struct SyncLoop {
    pub config: mpsc::Receiver<PodUpdate>,
    pub changes: mpsc::Receiver<PodChange>,
    pub sources: SourcesReady,
    pub workers: PodWorkersHandle,
    pub cache: Arc<PodCache>,
    pub pleg: PlegHandle,
    pub housekeeping: mpsc::UnboundedSender<Task>,
    pub monitor: LoopMonitor,
    /// The pods that sources want. Mirrors `pod/pod_manager.go`.
    pub wanted: BTreeMap<PodUid, Arc<Pod>>,
}

impl SyncLoop {
    /// Runs until its inputs end.
    // ANCHOR: turn
    pub async fn run(mut self) {
        let mut reach = self.pleg.reach();
        let mut was_reached = None;
        let mut judged = false;
        loop {
            self.monitor.turn();
            tokio::select! {
                biased;
                update = self.config.recv() => match update {
                    Some(update) => self.configured(update),
                    None => return,
                },
                change = self.changes.recv() => match change {
                    Some(change) => self.changed(&change),
                    None => return,
                },
                Ok(()) = reach.changed() => tell_reach(&mut was_reached, &mut reach),
                () = tokio::time::sleep(TICK) => {}
            }
            if !judged && self.sources.all_ready() && self.cache.is_complete() {
                // From now on what nobody wants is ended; what was there before is looked at once.
                judged = true;
                self.judge_all();
            }
        }
    }
    // ANCHOR_END: turn

    fn configured(&mut self, update: PodUpdate) {
        for pod in update.pods {
            let names = PodRef::of(&pod);
            tracing::info!(pod = %names, op = %update.op, source = %update.source, "pod configuration");
            if update.op == Op::Add {
                for what in not_acted_on(&pod) {
                    tracing::warn!(pod = %names, "{what} has no effect in this version");
                }
            }
            match update.op {
                Op::Add => {
                    self.wanted.insert(names.uid.clone(), pod.clone());
                    self.workers.update(&names, Update::Configured(pod));
                }
                Op::Update | Op::Delete => {
                    // No wish to live again: a pod that has finished does not run anew because its manifest was edited.
                    self.wanted.insert(names.uid.clone(), pod.clone());
                    self.workers.update(&names, Update::Changed(pod));
                }
                Op::Remove => {
                    self.wanted.remove(&names.uid);
                    self.workers.update(&names, Update::Removed);
                }
                Op::Reconcile => {
                    self.wanted.insert(names.uid.clone(), pod);
                }
            }
        }
        self.sources.add_source(update.source);
    }

    fn changed(&mut self, change: &PodChange) {
        for event in &change.events {
            tracing::debug!(pod = %change.pod, ?event, "pod lifecycle event");
        }
        // A removal changes nothing for a pod: what was removed had ended before. Nor does a creation, of which the
        // worker is the author: listening to it would repeat a failed start without a pause. Mirrors `isSyncPodWorthy`.
        let worthy = |event: &PodLifecycleEvent| {
            matches!(event, PodLifecycleEvent::ContainerStarted(_) | PodLifecycleEvent::ContainerDied(_))
        };
        if change.events.iter().any(worthy) {
            self.workers.update(&change.pod, Update::LookAgain);
        }
        let ended = |event: &PodLifecycleEvent| {
            matches!(event, PodLifecycleEvent::ContainerDied(_) | PodLifecycleEvent::ContainerRemoved(_))
        };
        if change.events.iter().any(ended) {
            // The receiver goes only when the agent does.
            let _ = self.housekeeping.send(Task::Pod(change.pod.uid.clone()));
        }
        if let Some(Ok(status)) = self.cache.get(&change.pod.uid) {
            self.judge(&status);
        }
    }

    // ANCHOR: judge
    /// Ends a pod that the runtime has and nobody wants. Mirrors the end of `HandlePodCleanups`.
    fn judge(&self, status: &PodStatus) {
        if !self.sources.all_ready() || !status.is_alive() {
            return;
        }
        let unattended = match self.workers.board().get(status.uid()) {
            None => !self.wanted.contains_key(status.uid()),
            Some(standing) => standing.stage == Stage::Finished,
        };
        if unattended {
            self.workers.update(&status.pod, Update::Orphaned);
        }
    }
    // ANCHOR_END: judge

    fn judge_all(&self) {
        for status in self.cache.all() {
            self.judge(&status);
        }
        let _ = self.housekeeping.send(Task::Everything);
    }
}

/// Says once that the runtime went away, and once that it is back.
fn tell_reach(was_reached: &mut Option<bool>, reach: &mut watch::Receiver<RuntimeReach>) {
    let (reached, error) = {
        let reach = reach.borrow_and_update();
        (reach.error.is_none(), reach.error.as_ref().map(ToString::to_string).unwrap_or_default())
    };
    match (was_reached.replace(reached), reached) {
        (Some(true) | None, false) => tracing::error!(error, "container runtime is down"),
        (Some(false), true) => tracing::info!("container runtime is back"),
        (None, true) => tracing::info!("container runtime answers"),
        (Some(true), true) | (Some(false), false) => {}
    }
}
