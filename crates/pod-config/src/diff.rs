//! What separates two sets of pods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use pod_model::identity::uid;
use pod_model::static_pod::{CONFIG_MIRROR, CONFIG_SEEN, CONFIG_SOURCE};
use pod_model::{Pod, PodRef, PodUid};

use crate::{Op, PodUpdate, Source};

/// Annotations that the node writes itself. They never make a pod another one. Mirrors `config.go: localAnnotations`.
const LOCAL_ANNOTATIONS: [&str; 3] = [CONFIG_SOURCE, CONFIG_MIRROR, CONFIG_SEEN];

/// The pods of one source.
pub type Known = BTreeMap<PodUid, Arc<Pod>>;

/// What became different, and what is known from now on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// The source's pods from now on.
    pub known: Known,
    /// Pods that were not there before.
    pub added: Vec<Arc<Pod>>,
    /// Pods with another spec, other labels or annotations.
    pub updated: Vec<Arc<Pod>>,
    /// Pods that are to end in an orderly way.
    pub deleted: Vec<Arc<Pod>>,
    /// Pods that are not there any more.
    pub removed: Vec<Arc<Pod>>,
    /// Pods with another status only.
    pub reconciled: Vec<Arc<Pod>>,
    /// Pods left aside, since one before them in the set has their name or their UID.
    pub duplicates: Vec<Arc<Pod>>,
}

/// How a pod differs from the one that is known by its UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    None,
    Status,
    Content,
    Deletion,
}

// ANCHOR: lab06_diff
/// Compares the set that a source delivered with what was known of that source.
///
/// A pod is known by its UID. One that stays keeps what the node has written on it; one that is new gets written on it
/// where it came from and that it was first seen at `now`.
///
/// Mirrors `config.go: podStorage.merge`.
pub fn diff(old: &Known, new: Vec<Arc<Pod>>, source: Source, now: Timestamp) -> Changes {
    let mut changes = Changes::default();
    let mut names = BTreeSet::new();
    for pod in new {
        let uid = uid(&pod);
        if changes.known.contains_key(&uid) || !names.insert(PodRef::of(&pod).full_name()) {
            changes.duplicates.push(pod);
            continue;
        }
        let kept = match old.get(&uid) {
            None => {
                let pod = first_seen(&pod, source, now);
                changes.added.push(Arc::clone(&pod));
                pod
            }
            Some(known) => {
                let (pod, list) = match difference(known, &pod) {
                    Difference::None => (Arc::clone(known), None),
                    Difference::Status => (with_status(known, &pod), Some(&mut changes.reconciled)),
                    Difference::Content => (with_content(known, &pod), Some(&mut changes.updated)),
                    Difference::Deletion => (with_content(known, &pod), Some(&mut changes.deleted)),
                };
                list.into_iter().for_each(|list| list.push(Arc::clone(&pod)));
                pod
            }
        };
        changes.known.insert(uid, kept);
    }
    let gone = old.iter().filter(|(uid, _)| !changes.known.contains_key(*uid));
    changes.removed = gone.map(|(_, pod)| Arc::clone(pod)).collect();
    changes
}
// ANCHOR_END: lab06_diff

impl Changes {
    // ANCHOR: lab06_updates
    /// The updates that say all this, in the order in which the node must hear it: who is gone makes room for who
    /// comes. With `first_set`, something is said in any case, so that the node learns that the source is ready.
    ///
    /// Mirrors `config.go: podStorage.Merge`.
    pub fn updates(&self, source: Source, first_set: bool) -> Vec<PodUpdate> {
        let silent = self.added.is_empty() && self.updated.is_empty() && self.deleted.is_empty();
        let empty = (first_set && silent).then_some((Op::Add, &self.added));
        let in_order = [
            (Op::Remove, &self.removed),
            (Op::Add, &self.added),
            (Op::Update, &self.updated),
            (Op::Delete, &self.deleted),
        ];
        let told = in_order.into_iter().filter(|(_, pods)| !pods.is_empty());
        let reconciled = (!self.reconciled.is_empty()).then_some((Op::Reconcile, &self.reconciled));
        let told = told.chain(empty).chain(reconciled);
        told.map(|(op, pods)| PodUpdate { op, pods: pods.clone(), source }).collect()
    }
    // ANCHOR_END: lab06_updates
}

// ANCHOR: lab06_difference
/// What is different about a pod, as its source now describes it, from the one that is known by its UID.
///
/// Content is the spec, the labels, the annotations of others than the node, the deletion timestamp and the grace. A
/// different content of a pod with a deletion timestamp is a deletion, whatever it is that differs. The status is looked
/// at last: whoever hears of new content gets the new status along with it.
///
/// Mirrors `config.go: checkAndUpdatePod`, `podsDifferSemantically`.
fn difference(known: &Arc<Pod>, pod: &Arc<Pod>) -> Difference {
    if Arc::ptr_eq(known, pod) {
        return Difference::None;
    }
    let same_content = known.spec == pod.spec
        && given(&known.metadata.labels) == given(&pod.metadata.labels)
        && known.metadata.deletion_timestamp == pod.metadata.deletion_timestamp
        && known.metadata.deletion_grace_period_seconds == pod.metadata.deletion_grace_period_seconds
        && foreign_annotations(known).eq(foreign_annotations(pod));
    match (same_content, pod.metadata.deletion_timestamp.is_some()) {
        (true, _) if known.status == pod.status => Difference::None,
        (true, _) => Difference::Status,
        (false, true) => Difference::Deletion,
        (false, false) => Difference::Content,
    }
}
// ANCHOR_END: lab06_difference

/// No labels and an empty list of labels are the same.
fn given(labels: &Option<BTreeMap<String, String>>) -> Option<&BTreeMap<String, String>> {
    labels.as_ref().filter(|labels| !labels.is_empty())
}

/// The annotations that others than the node have written. Mirrors `config.go: isAnnotationMapEqual`.
fn foreign_annotations(pod: &Pod) -> impl Iterator<Item = (&String, &String)> {
    let annotations = pod.metadata.annotations.iter().flatten();
    annotations.filter(|(key, _)| !LOCAL_ANNOTATIONS.contains(&key.as_str()))
}

/// Mirrors `config.go: recordFirstSeenTime`, and what `merge` does before any comparison.
fn first_seen(pod: &Pod, source: Source, now: Timestamp) -> Arc<Pod> {
    let mut pod = pod.clone();
    let annotations = pod.metadata.annotations.get_or_insert_default();
    // Whatever the source claims: a pod of the API server must not pass for a static one.
    annotations.insert(CONFIG_SOURCE.to_owned(), source.to_string());
    annotations.insert(CONFIG_SEEN.to_owned(), now.to_string());
    Arc::new(pod)
}

fn with_status(known: &Pod, pod: &Pod) -> Arc<Pod> {
    Arc::new(Pod { status: pod.status.clone(), ..known.clone() })
}

// ANCHOR: lab06_content
/// The known pod with everything that a source may change. Mirrors `config.go: checkAndUpdatePod`, `updateAnnotations`.
fn with_content(known: &Pod, pod: &Pod) -> Arc<Pod> {
    let mut metadata = known.metadata.clone();
    metadata.labels.clone_from(&pod.metadata.labels);
    metadata.deletion_timestamp.clone_from(&pod.metadata.deletion_timestamp);
    metadata.deletion_grace_period_seconds = pod.metadata.deletion_grace_period_seconds;
    metadata.generation = pod.metadata.generation;
    let mut annotations = pod.metadata.annotations.clone().unwrap_or_default();
    for key in LOCAL_ANNOTATIONS {
        if let Some(written) =
            known.metadata.annotations.as_ref().and_then(|annotations| annotations.get(key))
        {
            annotations.insert(key.to_owned(), written.clone());
        }
    }
    metadata.annotations = Some(annotations);
    Arc::new(Pod { metadata, spec: pod.spec.clone(), status: pod.status.clone() })
}
// ANCHOR_END: lab06_content

#[cfg(test)]
mod tests;
