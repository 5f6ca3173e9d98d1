//! The task that takes sets in and gives updates out.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use clock::Clock;
use pod_model::{Event, EventSink, EventType, Pod, PodRef, PodUid};
use tokio::sync::mpsc;

use crate::{Known, PodUpdate, Source, SourcesReady, diff};

/// The reason of the event about a pod that is left aside. Mirrors `events/event.go: FailedValidation`.
pub const FAILED_VALIDATION: &str = "FailedValidation";

/// Sets that wait to be merged, for each source: a slow node makes its sources wait rather than pile up.
const WAITING_SETS: usize = 1;
/// Updates that wait for the kubelet. Mirrors `config.go: NewPodConfig`.
const WAITING_UPDATES: usize = 50;

/// Merges the sources of pods into one stream of updates.
///
/// Mirrors `config.go: PodConfig`.
pub struct PodConfig {
    storage: BTreeMap<Source, Stored>,
    inputs: Vec<Input>,
    updates: mpsc::Sender<PodUpdate>,
    ready: SourcesReady,
    clock: Clock,
    events: Arc<dyn EventSink>,
}

/// What is known of one source.
#[derive(Default)]
struct Stored {
    pods: Known,
    /// Pods left aside in its last set, about which everything has been said.
    duplicates: BTreeSet<PodUid>,
}

struct Input {
    source: Source,
    sets: mpsc::Receiver<Vec<Arc<Pod>>>,
    sender: mpsc::Sender<Vec<Arc<Pod>>>,
}

impl PodConfig {
    /// A merge without sources, and the stream that it will fill. `clock` says when a pod was first seen; `events`
    /// hears of pods that are left aside.
    pub fn new(clock: Clock, events: Arc<dyn EventSink>) -> (Self, mpsc::Receiver<PodUpdate>) {
        let (updates, stream) = mpsc::channel(WAITING_UPDATES);
        let ready = SourcesReady::default();
        (Self { storage: BTreeMap::new(), inputs: Vec::new(), updates, ready, clock, events }, stream)
    }

    /// Where `source` sends the whole set of its pods, whenever it likes. From now on the source is expected: the node
    /// is not ready before it has delivered. Mirrors `config.go: Channel`.
    pub fn source_channel(&mut self, source: Source) -> mpsc::Sender<Vec<Arc<Pod>>> {
        self.ready.expect(source);
        if let Some(input) = self.inputs.iter().find(|input| input.source == source) {
            return input.sender.clone();
        }
        let (sender, sets) = mpsc::channel(WAITING_SETS);
        self.inputs.push(Input { source, sets, sender: sender.clone() });
        sender
    }

    /// Who has delivered; to be asked at any time, from anywhere.
    pub fn sources_ready(&self) -> SourcesReady {
        self.ready.clone()
    }

    /// Merges set after set, until no source is left or nobody listens. Mirrors `mux.go: listen`.
    pub async fn run(mut self) {
        let inputs = std::mem::take(&mut self.inputs);
        // Our own senders go, so that a source that has ended is seen to have ended.
        let mut inputs: Vec<_> =
            inputs.into_iter().map(|Input { source, sets, .. }| (source, sets)).collect();
        while let Some((source, set)) = next_set(&mut inputs).await {
            for update in self.merge(source, set) {
                if self.updates.send(update).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Mirrors `config.go: podStorage.Merge`.
    fn merge(&mut self, source: Source, set: Vec<Arc<Pod>>) -> Vec<PodUpdate> {
        let first_set = !self.storage.contains_key(&source);
        let stored = self.storage.entry(source).or_default();
        let changes = diff(&stored.pods, set, source, self.clock.now());
        let said = std::mem::take(&mut stored.duplicates);
        for pod in changes.duplicates.iter().map(|pod| PodRef::of(pod)) {
            if !said.contains(&pod.uid) {
                tracing::warn!(%pod, %source, "pod failed validation due to duplicate pod name, ignoring");
                let (formatted, name) = (pod.formatted(), &pod.name);
                let text = format!(
                    "Error validating pod {formatted} from {source} due to duplicate pod name {name:?}, ignoring"
                );
                self.events.record(Event::about_pod(&pod, EventType::Warning, FAILED_VALIDATION, text));
            }
            stored.duplicates.insert(pod.uid);
        }
        let updates = changes.updates(source, first_set);
        stored.pods = changes.known;
        self.ready.delivered(source);
        updates
    }
}

type Inputs = Vec<(Source, mpsc::Receiver<Vec<Arc<Pod>>>)>;

/// The next set of whichever source has one; `None` when all have ended. Ties go to the source that was named first, so
/// that a run can be repeated.
async fn next_set(inputs: &mut Inputs) -> Option<(Source, Vec<Arc<Pod>>)> {
    poll_fn(|context| {
        let mut index = 0;
        while let Some((source, sets)) = inputs.get_mut(index) {
            match sets.poll_recv(context) {
                Poll::Ready(Some(set)) => return Poll::Ready(Some((*source, set))),
                Poll::Ready(None) => {
                    inputs.remove(index);
                }
                Poll::Pending => index += 1,
            }
        }
        if inputs.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

#[cfg(test)]
mod tests;
