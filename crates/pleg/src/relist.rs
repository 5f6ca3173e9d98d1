//! The task that keeps the picture of the node true.
//!
//! It looks at one pod when something says that this pod changed (an event of the runtime, or a worker that has just
//! acted), and at all pods on a period that needs no event to be right. Events make it fast; relisting makes it true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cri_client::{EventStream, RuntimeError, RuntimeService, v1};
use futures::{FutureExt as _, StreamExt as _};
use pod_model::{Moment, PodCache, PodRef, PodUid, labels};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::inspect::{inspect, look_at, look_at_all};
use crate::lifecycle::{PodLifecycleEvent, PodRecord, compare};

/// How often all pods are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Periods {
    /// While the runtime sends no events: the generic PLEG's own second.
    pub without_events: Duration,
    /// While it does. Events can be lost (containerd 1.7 splits them between subscribers), so this bounds how long a
    /// lost one goes unnoticed. The evented PLEG's 300 s trusts more than a node should.
    pub with_events: Duration,
}

impl Default for Periods {
    fn default() -> Self {
        Self { without_events: Duration::from_secs(1), with_events: Duration::from_secs(2) }
    }
}

/// The pod that changed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodChange {
    /// Which pod.
    pub pod: PodRef,
    /// What is different from the look before. The cache already shows it.
    pub events: Vec<PodLifecycleEvent>,
}

/// Whether the runtime answers: how the looks at everything went. Before the first there is neither of the two.
#[derive(Debug, Default)]
pub struct RuntimeReach {
    /// When the last look began that the runtime answered.
    pub last_good: Option<Instant>,
    /// Why the latest look failed; `None` when it did not.
    pub error: Option<RuntimeError>,
}

/// How the rest of the agent speaks to the task.
#[derive(Clone, Debug)]
pub struct PlegHandle {
    requests: mpsc::UnboundedSender<PodUid>,
    reach: watch::Receiver<RuntimeReach>,
}

impl PlegHandle {
    /// Asks for a look at one pod, since something was just done to it. Mirrors `RequestRelist`.
    pub fn request_relist(&self, uid: &PodUid) {
        // A closed channel means that the agent is going down.
        let _ = self.requests.send(uid.clone());
    }

    /// How the last look at all pods went; changes can be awaited.
    pub fn reach(&self) -> watch::Receiver<RuntimeReach> {
        self.reach.clone()
    }

    /// Whether the last good look is recent enough. One that failed since does not count: a runtime may be restarted.
    /// Mirrors `pleg/generic.go: Healthy`.
    ///
    /// # Errors
    /// The kubelet's sentence about an inactive PLEG.
    pub fn healthy(&self) -> Result<(), String> {
        /// `kubelet.go: genericPlegRelistThreshold`.
        const THRESHOLD: Duration = Duration::from_secs(180);
        let Some(at) = self.reach.borrow().last_good else {
            return Err("pleg has yet to be successful".to_owned());
        };
        let ago = at.elapsed();
        if ago <= THRESHOLD {
            return Ok(());
        }
        let in_words = |time: Duration| format!("{}m{}s", time.as_secs() / 60, time.as_secs() % 60);
        Err(format!("pleg was last seen active {} ago; threshold is {}", in_words(ago), in_words(THRESHOLD)))
    }
}

/// The task. Make it with [`Pleg::new`], then [`Pleg::run`] it.
pub struct Pleg {
    runtime: Arc<dyn RuntimeService>,
    cache: Arc<PodCache>,
    periods: Periods,
    changes: mpsc::Sender<PodChange>,
    requests: mpsc::UnboundedReceiver<PodUid>,
    reach: watch::Sender<RuntimeReach>,
    records: BTreeMap<PodUid, PodRecord>,
    events: Events,
}

/// The runtime's event stream.
enum Events {
    /// To be opened with the next look at all pods.
    Closed,
    Open(EventStream),
    /// This runtime has none: never ask again until it was away.
    Unsupported,
}

impl Pleg {
    /// A task that writes to `cache` and reports to `changes`, and the handle to it.
    pub fn new(
        runtime: Arc<dyn RuntimeService>,
        cache: Arc<PodCache>,
        periods: Periods,
        changes: mpsc::Sender<PodChange>,
    ) -> (Self, PlegHandle) {
        let (requests_in, requests) = mpsc::unbounded_channel();
        let (reach, reach_out) = watch::channel(RuntimeReach::default());
        let pleg = Self {
            runtime,
            cache,
            periods,
            changes,
            requests,
            reach,
            records: BTreeMap::new(),
            events: Events::Closed,
        };
        (pleg, PlegHandle { requests: requests_in, reach: reach_out })
    }

    /// Runs until nobody listens any more.
    pub async fn run(mut self) {
        let mut next_look = Instant::now();
        let mut changed = BTreeSet::new();
        loop {
            // What arrived while the last look was under way belongs to one look now.
            self.collect(&mut changed, &mut next_look);
            let done = if Instant::now() >= next_look {
                changed.clear();
                let listening = self.look_at_all().await;
                next_look = Instant::now() + self.period();
                listening
            } else if let Some(uid) = changed.pop_first() {
                self.look_at(&uid).await
            } else {
                tokio::select! {
                    biased;
                    uid = self.requests.recv() => match uid {
                        Some(uid) => { changed.insert(uid); Some(()) }
                        None => None,
                    },
                    event = next_event(&mut self.events) => { self.take(event, &mut changed, &mut next_look); Some(()) }
                    () = tokio::time::sleep_until(next_look) => Some(()),
                }
            };
            if done.is_none() {
                return;
            }
        }
    }

    fn period(&self) -> Duration {
        match self.events {
            Events::Open(_) => self.periods.with_events,
            Events::Closed | Events::Unsupported => self.periods.without_events,
        }
    }

    /// Takes everything that can be had without waiting.
    fn collect(&mut self, changed: &mut BTreeSet<PodUid>, next_look: &mut Instant) {
        while let Ok(uid) = self.requests.try_recv() {
            changed.insert(uid);
        }
        while let Some(event) = next_event(&mut self.events).now_or_never() {
            self.take(event, changed, next_look);
        }
    }

    /// Notes which pod an event is about. Its contents are not used: they may be older than what is known by now.
    fn take(
        &mut self,
        event: Option<Result<v1::ContainerEventResponse, RuntimeError>>,
        changed: &mut BTreeSet<PodUid>,
        next_look: &mut Instant,
    ) {
        match event {
            Some(Ok(event)) => match self.pod_of(&event) {
                Some(uid) => {
                    changed.insert(uid);
                }
                // About something never seen: only a full look can tell whose it is.
                None => *next_look = Instant::now(),
            },
            Some(Err(error)) if error.is_unimplemented() => self.events = no_events(),
            ended => {
                if let Some(Err(error)) = &ended {
                    tracing::debug!(%error, "the runtime's event stream broke");
                }
                self.events = Events::Closed;
                // Not at once: a stream that breaks whenever it is opened must not keep this loop busy.
                *next_look = (*next_look).min(Instant::now() + self.periods.without_events);
            }
        }
    }

    fn pod_of(&self, event: &v1::ContainerEventResponse) -> Option<PodUid> {
        let by_label = event.pod_sandbox_status.as_ref().and_then(|sandbox| labels::pod_of(&sandbox.labels));
        by_label.map(|pod| pod.uid).or_else(|| {
            let holds = |record: &&PodRecord| record.members.contains_key(&event.container_id);
            self.records.values().find(holds).map(|record| record.pod.uid.clone())
        })
    }

    /// Looks at everything; `None` when nobody listens any more. Mirrors `generic.go: Relist`.
    async fn look_at_all(&mut self) -> Option<()> {
        if matches!(self.events, Events::Closed) {
            // Before the look, so that nothing can happen between the two unnoticed.
            self.events = open_events(&*self.runtime).await;
        }
        let (asked, at) = (self.cache.moment(), Instant::now());
        let found = match look_at_all(&*self.runtime).await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "relist failed");
                self.events = Events::Closed;
                self.reach.send_modify(|reach| reach.error = Some(error));
                return Some(());
            }
        };
        let uids: BTreeSet<PodUid> = self.records.keys().chain(found.keys()).cloned().collect();
        for uid in uids {
            self.reconcile(&uid, found.get(&uid).cloned(), asked).await?;
        }
        // Only now does the picture show everything that this look saw.
        self.cache.relisted(asked);
        self.reach.send_replace(RuntimeReach { last_good: Some(at), error: None });
        Some(())
    }

    /// Looks at one pod; `None` when nobody listens any more.
    async fn look_at(&mut self, uid: &PodUid) -> Option<()> {
        let asked = self.cache.moment();
        match look_at(&*self.runtime, uid).await {
            Ok(found) => {
                let same = self.records.get(uid) == found.as_ref();
                if same && let Some(Ok(known)) = self.cache.get(uid) {
                    // Nothing happened, which is news as well: a worker may be waiting for a picture this young.
                    self.cache.set(uid, Ok(known), asked);
                    return Some(());
                }
                self.reconcile(uid, found, asked).await
            }
            Err(error) => {
                // The next look at all pods tries again.
                tracing::debug!(%uid, %error, "relist of one pod failed");
                Some(())
            }
        }
    }

    // ANCHOR: reconcile
    /// Brings cache and listeners up to date with one pod. The record is kept only when the cache could be written:
    /// otherwise the next look finds the same difference again.
    async fn reconcile(&mut self, uid: &PodUid, found: Option<PodRecord>, asked: Moment) -> Option<()> {
        let events = compare(self.records.get(uid), found.as_ref());
        let unreadable = matches!(self.cache.get(uid), Some(Err(_)));
        if events.is_empty() && !unreadable {
            return Some(());
        }
        let Some(record) = found else {
            self.cache.remove(uid);
            let gone = self.records.remove(uid)?;
            return self.report(gone.pod, events).await;
        };
        let last_ips = match self.cache.get(uid) {
            Some(Ok(status)) => status.ips.clone(),
            _ => Vec::new(),
        };
        let known = inspect(&*self.runtime, &record, &last_ips).await;
        let failed = known.as_ref().err().map(ToString::to_string);
        self.cache.set(uid, known.map(Arc::new), asked);
        if let Some(error) = failed {
            tracing::debug!(pod = %record.pod, %error, "pod could not be inspected");
            return Some(());
        }
        let pod = record.pod.clone();
        self.records.insert(uid.clone(), record);
        self.report(pod, events).await
    }
    // ANCHOR_END: reconcile

    async fn report(&mut self, pod: PodRef, events: Vec<PodLifecycleEvent>) -> Option<()> {
        self.changes.send(PodChange { pod, events }).await.ok()
    }
}

/// The next event; never when there is no stream.
async fn next_event(events: &mut Events) -> Option<Result<v1::ContainerEventResponse, RuntimeError>> {
    match events {
        Events::Open(stream) => stream.next().await,
        Events::Closed | Events::Unsupported => std::future::pending().await,
    }
}

async fn open_events(runtime: &dyn RuntimeService) -> Events {
    match runtime.get_container_events().await {
        Ok(mut stream) => match stream.next().now_or_never() {
            // Polling is what opens the stream. An event that is there already is part of the look that follows.
            None | Some(Some(Ok(_))) => Events::Open(stream),
            Some(Some(Err(error))) if error.is_unimplemented() => no_events(),
            Some(None | Some(Err(_))) => Events::Closed,
        },
        Err(error) if error.is_unimplemented() => no_events(),
        Err(error) => {
            tracing::debug!(%error, "the runtime's event stream cannot be opened yet");
            Events::Closed
        }
    }
}

fn no_events() -> Events {
    tracing::info!("the runtime sends no events: relisting every second instead");
    Events::Unsupported
}
