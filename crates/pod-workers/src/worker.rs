//! One pod's life on the node, as a state machine.
//!
//! ```text
//!              over, removed, deleted          all stopped             all cleaned up
//!   Syncing ───────────────────────▶ Terminating ──────▶ Terminated ──────────────▶ Finished
//! ```
//!
//! Never backwards: a pod that has begun to end cannot be talked into running again; if it is wanted again under the same
//! UID, it starts over once it has finished. Pure: no I/O, no clock, no chance of its own.
//!
//! Mirrors `pod_workers.go: podSyncStatus, UpdatePod, completeWork, calculateEffectiveGracePeriod`.

use std::sync::Arc;
use std::time::Duration;

use clock::Random;
use jiff::Timestamp;
use pod_model::{Pod, PodRef};

// ANCHOR: stage
/// How far a pod is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is kept as its spec says.
    Syncing,
    /// Its containers are being ended.
    Terminating,
    /// Nothing of it runs; what it leaves behind is being cleaned up.
    Terminated,
    /// Nothing is left to do.
    Finished,
}
// ANCHOR_END: stage

/// What a worker hears about its pod.
#[derive(Clone, Debug)]
pub enum Update {
    /// A source has the pod, and had it not before: it is to live, and if it is ending, to live again. Go's
    /// `SyncPodCreate`.
    Configured(Arc<Pod>),
    /// A source that had the pod has it otherwise now, or wants it deleted. No wish to live again. Go's `SyncPodUpdate`.
    Changed(Arc<Pod>),
    /// Something about it changed in the runtime: look again.
    LookAgain,
    /// No source has the pod any more.
    Removed,
    /// It has to end, for instance to make room, within so many seconds.
    Kill {
        /// Replaces the pod's own grace period if it is shorter.
        grace: Option<i64>,
    },
    /// The runtime has something of a pod that no source knows.
    Orphaned,
}

/// What came of one piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The stage's work is done: for a sync, the pod is as it should be for now.
    Done,
    /// A sync found that the pod is over: nothing of it will run again.
    PodIsOver,
    /// It has to be tried again.
    Failed(Retry),
    /// It was stopped half-way, because the pod has to end or to end sooner.
    Cancelled,
}

/// When failed work is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After the kubelet's pause for errors.
    Later,
    /// In about a second: the node's network is not ready yet.
    NetworkNotReady,
    /// At the end of a back-off.
    At(Timestamp),
    /// As soon as the runtime answers again.
    WhenRuntimeIsBack,
}

/// What a worker wants after it has heard something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing.
    None,
    /// To work, once what is under way is done.
    Work,
    /// To work at once: stop what is under way.
    CancelAndWork,
}

/// What is to be done for a pod now.
#[derive(Clone, Debug)]
pub struct Work {
    /// The pod; `None` when only the runtime knows it.
    pub pod: Option<Arc<Pod>>,
    /// Which of the three syncs.
    pub stage: Stage,
    /// Seconds of grace, for the terminating sync.
    pub grace: i64,
}

/// What happens after a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Work again at once.
    Now,
    /// Work again after a while, unless something is heard before.
    In(Duration),
    /// Nothing more, until something is heard.
    Rest,
    /// The pod is finished and no source wants it: the worker can go.
    Forget,
}

/// The pauses of `pod_workers.go` and `kubelet.go`.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// Between two looks at a pod that is as it should be (`syncFrequency`), plus up to half of it.
    pub resync: Duration,
    /// After an error, plus up to half of it.
    pub error: Duration,
    /// While the network is not ready, plus up to half of it.
    pub network: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { resync: seconds(60), error: seconds(10), network: seconds(1) }
    }
}

/// One pod's worker.
#[derive(Clone, Debug)]
pub struct Worker {
    names: PodRef,
    pod: Option<Arc<Pod>>,
    stage: Stage,
    /// What the pod is given to end; only ever shortened.
    grace: Option<i64>,
    /// No source has the pod (any more).
    removed: bool,
    /// Wanted again while it was ending.
    wanted_again: Option<Arc<Pod>>,
}

impl Worker {
    /// A worker for a pod that a source has.
    pub fn new(pod: Arc<Pod>) -> Self {
        let names = PodRef::of(&pod);
        let stage =
            if pod.metadata.deletion_timestamp.is_some() { Stage::Terminating } else { Stage::Syncing };
        let mut worker =
            Self { names, pod: Some(pod), stage, grace: None, removed: false, wanted_again: None };
        if stage == Stage::Terminating {
            worker.shorten_grace(None);
        }
        worker
    }

    /// A worker for a pod that only the runtime has: it can only be ended, and quickly (`HandlePodCleanups`: 1 s).
    pub fn orphan(names: PodRef) -> Self {
        Self {
            names,
            pod: None,
            stage: Stage::Terminating,
            grace: Some(1),
            removed: true,
            wanted_again: None,
        }
    }

    /// Which pod.
    pub fn names(&self) -> &PodRef {
        &self.names
    }

    /// How far it is.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The pod as a source has it; `None` when only the runtime knows it.
    pub fn pod(&self) -> Option<&Arc<Pod>> {
        self.pod.as_ref()
    }

    /// Whether no source has the pod.
    pub fn is_removed(&self) -> bool {
        self.removed
    }

    // ANCHOR: lab08_hear
    /// Takes note of something that was heard. Mirrors `UpdatePod`.
    pub fn observe(&mut self, update: Update) -> Reaction {
        match update {
            Update::Configured(pod) => self.configured(pod),
            // Until now only the runtime had it: for its worker it is new.
            Update::Changed(pod) if self.pod.is_none() => self.configured(pod),
            Update::Changed(pod) => self.changed(pod),
            Update::LookAgain if self.stage == Stage::Finished => Reaction::None,
            Update::LookAgain => Reaction::Work,
            Update::Removed => {
                self.removed = true;
                self.wanted_again = None;
                self.end(None)
            }
            Update::Kill { grace } => self.end(grace),
            Update::Orphaned if self.stage == Stage::Finished => {
                // Something of it came up after the end: a sandbox whose making was cut short, for instance.
                (self.stage, self.grace) = (Stage::Terminating, Some(1));
                Reaction::Work
            }
            Update::Orphaned => Reaction::None,
        }
    }

    fn configured(&mut self, pod: Arc<Pod>) -> Reaction {
        self.removed = false;
        if self.stage == Stage::Syncing {
            return self.changed(pod);
        }
        // It has to finish first. An orphan becomes an ordinary pod that way, too.
        self.wanted_again = Some(pod);
        if self.stage == Stage::Finished { Reaction::Work } else { Reaction::None }
    }

    fn changed(&mut self, pod: Arc<Pod>) -> Reaction {
        if let Some(wanted) = &mut self.wanted_again {
            // It is about the next life, not about the one that ends.
            *wanted = pod;
            return Reaction::None;
        }
        if self.stage == Stage::Finished {
            return Reaction::None;
        }
        let deleted = pod.metadata.deletion_timestamp.is_some();
        self.pod = Some(pod);
        if self.stage == Stage::Syncing && !deleted { Reaction::Work } else { self.end(None) }
    }

    /// Begins to end the pod, or ends it sooner than it was going to.
    fn end(&mut self, grace: Option<i64>) -> Reaction {
        match self.stage {
            Stage::Syncing => {
                self.stage = Stage::Terminating;
                self.shorten_grace(grace);
                Reaction::CancelAndWork
            }
            Stage::Terminating => {
                if self.shorten_grace(grace) {
                    Reaction::CancelAndWork
                } else {
                    Reaction::None
                }
            }
            Stage::Terminated | Stage::Finished => Reaction::None,
        }
    }

    /// The smallest of what the deletion and the caller ask for, else what the spec says; never below one second.
    /// Whether it became shorter than it was. Mirrors `calculateEffectiveGracePeriod`.
    fn shorten_grace(&mut self, asked: Option<i64>) -> bool {
        let deletion = self.pod.as_ref().and_then(|p| p.metadata.deletion_grace_period_seconds);
        let shortest = [self.grace, deletion, asked].into_iter().flatten().min();
        let spec = || self.pod.as_ref()?.spec.as_ref()?.termination_grace_period_seconds;
        let grace = shortest.or_else(spec).unwrap_or(1).max(1);
        let before = self.grace.replace(grace);
        before.is_some_and(|before| grace < before)
    }
    // ANCHOR_END: lab08_hear

    /// What to do now; `None` when there is nothing. A finished pod that is wanted again starts over here.
    pub fn next_work(&mut self) -> Option<Work> {
        if self.stage == Stage::Finished {
            *self = Self::new(self.wanted_again.take()?);
        }
        Some(Work { pod: self.pod.clone(), stage: self.stage, grace: self.grace.unwrap_or(1) })
    }

    // ANCHOR: lab08_done
    /// Takes note of what came of the work at `stage`, and says what comes after it. Mirrors `podWorkerLoop`'s end and
    /// `completeWork`.
    pub fn completed(
        &mut self,
        stage: Stage,
        outcome: Outcome,
        pauses: &Pauses,
        now: Timestamp,
        random: &Random,
    ) -> After {
        if stage != self.stage {
            // While it worked, the pod began to end: what came of it does not matter any more.
            return After::Now;
        }
        match (outcome, stage) {
            (Outcome::Cancelled, _) => After::Now,
            (Outcome::Failed(retry), _) => After::In(pause_before(retry, pauses, now, random)),
            (Outcome::Done, Stage::Syncing) => After::In(random.jitter(pauses.resync, 0.5)),
            (Outcome::PodIsOver, Stage::Syncing) => {
                self.stage = Stage::Terminating;
                self.shorten_grace(None);
                After::Now
            }
            (_, Stage::Terminating) if self.pod.is_none() => self.finish(),
            (_, Stage::Terminating) => {
                self.stage = Stage::Terminated;
                After::Now
            }
            (_, Stage::Terminated | Stage::Finished) => self.finish(),
        }
    }

    fn finish(&mut self) -> After {
        self.stage = Stage::Finished;
        if self.wanted_again.is_some() {
            After::Now
        } else if self.removed {
            After::Forget
        } else {
            After::Rest
        }
    }
    // ANCHOR_END: lab08_done
}

/// How long failed work waits. A back-off is waited for exactly: any later would be later than the law.
fn pause_before(retry: Retry, pauses: &Pauses, now: Timestamp, random: &Random) -> Duration {
    match retry {
        Retry::Later => random.jitter(pauses.error, 0.5),
        Retry::NetworkNotReady => random.jitter(pauses.network, 0.5),
        Retry::At(time) => {
            Duration::try_from(time.duration_since(now)).unwrap_or_default().min(pauses.resync)
        }
        // The next sync waits for a picture newer than this one anyway, and there is none before the runtime answers.
        Retry::WhenRuntimeIsBack => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
