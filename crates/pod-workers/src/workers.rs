//! The task that runs all workers.
//!
//! One task and one timer for all pods; a pod costs a task only while something is done for it. Mirrors
//! `pod_workers.go: podWorkerLoop, startPodSync` and `util/queue/work_queue.go`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clock::{Clock, Random};
use cri_client::RuntimeError;
use pod_model::{
    Event, EventSink, EventType, Moment, Pod, PodCache, PodRef, PodStatus, PodUid, reason, static_pod,
};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::Instant;

use crate::worker::{After, Outcome, Pauses, Reaction, Retry, Stage, Update, Work, Worker};

/// What came of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// Its outcome.
    pub outcome: Outcome,
    /// It changed something in the runtime, or may have: the next sync needs a picture from after it.
    pub acted: bool,
}

/// What workers have done for them. Implemented by the `kubelet` crate, two floors up.
/// Mirrors `pod_workers.go: podSyncer`.
#[async_trait]
pub trait PodSyncer: Send + Sync + 'static {
    /// Brings a pod closer to its spec.
    async fn sync_pod(&self, pod: &Arc<Pod>, status: &PodStatus) -> Synced;
    /// Ends everything that a pod has within `grace` seconds; done only when nothing of it runs.
    async fn sync_terminating_pod(&self, pod: Option<&Arc<Pod>>, status: &PodStatus, grace: i64) -> Synced;
    /// Cleans up what a pod whose containers have all ended leaves behind.
    async fn sync_terminated_pod(&self, pod: &Arc<Pod>, status: &PodStatus) -> Synced;
    /// A sync acted, so the picture of the pod is out of date: have it looked at now.
    fn look_again(&self, pod: &PodRef);
    /// The pod's worker is gone: nobody wants the pod, and nothing of it runs.
    fn forgotten(&self, pod: &PodRef);
}

/// Where each pod is in its life, for those who only want to know.
#[derive(Clone, Debug, Default)]
pub struct StageBoard(Arc<Mutex<BTreeMap<PodUid, Standing>>>);

/// One pod on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How far it is.
    pub stage: Stage,
    /// Whether no source has it.
    pub removed: bool,
}

impl StageBoard {
    /// Where a pod is; `None` when no worker knows it.
    pub fn get(&self, uid: &PodUid) -> Option<Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(uid).copied()
    }

    /// Nothing of the pod may run, so what it has is to be removed: no worker knows it, or its worker has finished and no
    /// source has it. Mirrors `pod_workers.go: ShouldPodContentBeRemoved`.
    pub fn is_unwanted(&self, uid: &PodUid) -> bool {
        self.get(uid).is_none_or(|standing| standing.removed && standing.stage >= Stage::Terminated)
    }

    fn set(&self, uid: &PodUid, standing: Option<Standing>) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match standing {
            Some(standing) => board.insert(uid.clone(), standing),
            None => board.remove(uid),
        };
    }
}

/// How the rest of the agent speaks to the workers.
#[derive(Clone, Debug)]
pub struct PodWorkersHandle {
    updates: mpsc::UnboundedSender<(PodRef, Update)>,
    board: StageBoard,
}

impl PodWorkersHandle {
    /// Tells a pod's worker something. Without a worker, [`Update::Configured`], [`Update::Changed`] and
    /// [`Update::Orphaned`] make one; the others are about nobody.
    pub fn update(&self, pod: &PodRef, update: Update) {
        // A closed channel means that the agent is going down.
        let _ = self.updates.send((pod.clone(), update));
    }

    /// Where each pod is.
    pub fn board(&self) -> &StageBoard {
        &self.board
    }
}

struct Running {
    abort: AbortHandle,
    stage: Stage,
}

struct Entry {
    worker: Worker,
    /// What is under way for it.
    running: Option<Running>,
    /// Something was heard since that began.
    pending: bool,
    /// When something was last done for it: the next work needs a picture from after that.
    last_act: Moment,
    due: Option<Instant>,
}

/// The task. Make it with [`PodWorkers::new`], then [`PodWorkers::run`] it.
pub struct PodWorkers<S> {
    syncer: Arc<S>,
    cache: Arc<PodCache>,
    events: Arc<dyn EventSink>,
    clock: Clock,
    random: Random,
    pauses: Pauses,
    updates: mpsc::UnboundedReceiver<(PodRef, Update)>,
    board: StageBoard,
    entries: BTreeMap<PodUid, Entry>,
    schedule: BTreeSet<(Instant, PodUid)>,
    tasks: JoinSet<Synced>,
    uid_of_task: BTreeMap<tokio::task::Id, PodUid>,
    names_in_use: StaticNames,
    began: Moment,
}

/// What the task needs besides the syncer.
pub struct Parts {
    /// Where statuses come from.
    pub cache: Arc<PodCache>,
    /// Where failed syncs are told.
    pub events: Arc<dyn EventSink>,
    /// Wall time, for back-offs.
    pub clock: Clock,
    /// Chance, for jitter.
    pub random: Random,
    /// The pauses.
    pub pauses: Pauses,
}

impl<S: PodSyncer> PodWorkers<S> {
    /// The task, and the handle to it.
    pub fn new(syncer: Arc<S>, parts: Parts) -> (Self, PodWorkersHandle) {
        let (send, updates) = mpsc::unbounded_channel();
        let board = StageBoard::default();
        let began = parts.cache.moment();
        let workers = Self {
            syncer,
            cache: parts.cache,
            events: parts.events,
            clock: parts.clock,
            random: parts.random,
            pauses: parts.pauses,
            updates,
            board: board.clone(),
            entries: BTreeMap::new(),
            schedule: BTreeSet::new(),
            tasks: JoinSet::new(),
            uid_of_task: BTreeMap::new(),
            names_in_use: StaticNames::default(),
            began,
        };
        (workers, PodWorkersHandle { updates: send, board })
    }

    /// Runs until nobody can tell it anything any more. Work under way is dropped then; containers live on.
    pub async fn run(mut self) {
        loop {
            let next_due = self.schedule.first().map(|(at, _)| *at);
            tokio::select! {
                biased;
                update = self.updates.recv() => match update {
                    Some((pod, update)) => self.hear(&pod, update),
                    None => return,
                },
                Some(done) = self.tasks.join_next_with_id() => self.finished(done),
                () = sleep_until(next_due) => {
                    if let Some((_, uid)) = self.schedule.pop_first() {
                        if let Some(entry) = self.entries.get_mut(&uid) {
                            entry.due = None;
                        }
                        self.start(&uid);
                    }
                }
            }
        }
    }

    fn hear(&mut self, pod: &PodRef, update: Update) {
        let uid = pod.uid.clone();
        let Some(entry) = self.entries.get_mut(&uid) else {
            let worker = match update {
                Update::Configured(pod) | Update::Changed(pod) => Worker::new(pod),
                Update::Orphaned => {
                    tracing::info!(%pod, "ending a pod that no source knows");
                    Worker::orphan(pod.clone())
                }
                Update::LookAgain | Update::Removed | Update::Kill { .. } => return,
            };
            // Nothing was done yet: any picture that the runtime has confirmed since the agent began is new enough.
            let last_act = self.began;
            self.entries
                .insert(uid.clone(), Entry { worker, running: None, pending: true, last_act, due: None });
            self.post(&uid);
            self.start(&uid);
            return;
        };
        match entry.worker.observe(update) {
            Reaction::None => {}
            Reaction::Work => entry.pending = true,
            Reaction::CancelAndWork => {
                entry.pending = true;
                if let Some(running) = &entry.running {
                    running.abort.abort();
                }
            }
        }
        let (pending, forget) =
            (entry.pending, entry.worker.stage() == Stage::Finished && entry.worker.is_removed());
        self.post(&uid);
        if forget {
            self.after(&uid, After::Forget);
        } else if pending {
            self.start(&uid);
        }
    }

    /// Starts what a worker wants done, unless something is under way for it or another static pod has its name.
    fn start(&mut self, uid: &PodUid) {
        let Some(entry) = self.entries.get_mut(uid) else { return };
        if entry.running.is_some() {
            entry.pending = true;
            return;
        }
        let Some(work) = entry.worker.next_work() else { return };
        let is_static = work.pod.as_ref().is_some_and(|pod| static_pod::is_static(pod));
        if is_static && work.stage == Stage::Syncing && !self.names_in_use.claim(entry.worker.names()) {
            return;
        }
        if let Some(due) = entry.due.take() {
            self.schedule.remove(&(due, uid.clone()));
        }
        entry.pending = false;
        let stage = work.stage;
        let names = entry.worker.names().clone();
        let job = do_work(
            self.syncer.clone(),
            self.cache.clone(),
            self.events.clone(),
            names,
            work,
            entry.last_act,
        );
        let abort = self.tasks.spawn(job);
        self.uid_of_task.insert(abort.id(), uid.clone());
        entry.running = Some(Running { abort, stage });
        self.post(uid);
    }

    fn finished(&mut self, done: Result<(tokio::task::Id, Synced), JoinError>) {
        let (id, synced) = match done {
            Ok(done) => done,
            Err(error) if error.is_cancelled() => {
                (error.id(), Synced { outcome: Outcome::Cancelled, acted: true })
            }
            Err(error) => {
                // A bug in this program must not take the other pods along.
                tracing::error!(%error, "a pod sync panicked");
                (error.id(), Synced { outcome: Outcome::Failed(Retry::Later), acted: true })
            }
        };
        let Some(uid) = self.uid_of_task.remove(&id) else { return };
        let Some(entry) = self.entries.get_mut(&uid) else { return };
        let Some(running) = entry.running.take() else { return };
        if synced.acted {
            // In this order: a look that began before this moment may have seen the pod as it was.
            entry.last_act = self.cache.moment();
            self.syncer.look_again(entry.worker.names());
        }
        let (now, outcome) = (self.clock.now(), synced.outcome);
        let after = entry.worker.completed(running.stage, outcome, &self.pauses, now, &self.random);
        self.after(&uid, after);
    }

    fn after(&mut self, uid: &PodUid, after: After) {
        let Some(entry) = self.entries.get_mut(uid) else { return };
        let pending = entry.pending;
        if matches!(after, After::Rest | After::Forget) || entry.worker.stage() == Stage::Finished {
            let names = entry.worker.names().clone();
            if let Some(next) = self.names_in_use.release(&names) {
                self.start(&next);
            }
        }
        match after {
            After::Forget => {
                let Some(gone) = self.entries.remove(uid) else { return };
                if let Some(due) = gone.due {
                    self.schedule.remove(&(due, uid.clone()));
                }
                self.post(uid);
                self.syncer.forgotten(gone.worker.names());
            }
            After::Now => self.start(uid),
            After::In(_) | After::Rest if pending => self.start(uid),
            After::Rest => self.post(uid),
            After::In(pause) => {
                let at = Instant::now() + pause;
                if let Some(entry) = self.entries.get_mut(uid) {
                    entry.due = Some(at);
                }
                self.schedule.insert((at, uid.clone()));
                self.post(uid);
            }
        }
    }

    /// Writes a worker's stage on the board.
    fn post(&self, uid: &PodUid) {
        let standing = self
            .entries
            .get(uid)
            .map(|e| Standing { stage: e.worker.stage(), removed: e.worker.is_removed() });
        self.board.set(uid, standing);
    }
}

// ANCHOR: do_work
/// One piece of work: waits for a picture from after the last act, then has the syncer do it.
async fn do_work<S: PodSyncer>(
    syncer: Arc<S>,
    cache: Arc<PodCache>,
    events: Arc<dyn EventSink>,
    names: PodRef,
    work: Work,
    last_act: Moment,
) -> Synced {
    let status = match cache.newer_than(&names, last_act).await {
        Ok(status) => status,
        Err(error) => return unreadable(&*events, &names, &error),
    };
    match (work.stage, &work.pod) {
        (Stage::Syncing, Some(pod)) => syncer.sync_pod(pod, &status).await,
        (Stage::Terminating, pod) => syncer.sync_terminating_pod(pod.as_ref(), &status, work.grace).await,
        (Stage::Terminated, Some(pod)) => syncer.sync_terminated_pod(pod, &status).await,
        (Stage::Syncing | Stage::Terminated, None) | (Stage::Finished, _) => {
            Synced { outcome: Outcome::Done, acted: false }
        }
    }
}
// ANCHOR_END: do_work

fn unreadable(events: &dyn EventSink, names: &PodRef, error: &RuntimeError) -> Synced {
    // Nothing was done, but the next try needs another picture than this one.
    let again = |retry| Synced { outcome: Outcome::Failed(retry), acted: true };
    if error.is_unavailable() {
        return again(Retry::WhenRuntimeIsBack);
    }
    let text = format!("error determining status: {error}");
    events.record(Event::about_pod(names, EventType::Warning, reason::FAILED_SYNC, text));
    again(Retry::Later)
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Names of static pods: two pods of one name never overlap, the newer waits until the older has fully ended.
/// Mirrors `pod_workers.go: allowStaticPodStart`.
#[derive(Debug, Default)]
struct StaticNames {
    started: BTreeMap<String, PodUid>,
    waiting: BTreeMap<String, VecDeque<PodUid>>,
}

impl StaticNames {
    /// Whether the pod may start; otherwise it waits for its turn.
    fn claim(&mut self, pod: &PodRef) -> bool {
        let name = pod.full_name();
        match self.started.get(&name) {
            Some(holder) if *holder == pod.uid => true,
            Some(_) => {
                let queue = self.waiting.entry(name).or_default();
                if !queue.contains(&pod.uid) {
                    queue.push_back(pod.uid.clone());
                }
                false
            }
            None => {
                self.started.insert(name, pod.uid.clone());
                true
            }
        }
    }

    /// The pod has ended; who may try to start now.
    fn release(&mut self, pod: &PodRef) -> Option<PodUid> {
        let name = pod.full_name();
        if let Some(queue) = self.waiting.get_mut(&name) {
            queue.retain(|uid| *uid != pod.uid);
        }
        if self.started.get(&name) != Some(&pod.uid) {
            return None;
        }
        self.started.remove(&name);
        let next = self.waiting.get_mut(&name).and_then(VecDeque::pop_front);
        if self.waiting.get(&name).is_some_and(VecDeque::is_empty) {
            self.waiting.remove(&name);
        }
        next
    }
}
