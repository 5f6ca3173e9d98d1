//! The one picture of the node that all decisions are made from.
//!
//! `pleg` writes it, pod workers read it. A worker that has just acted must not act again on a picture from before:
//! [`PodCache::newer_than`] makes it wait until the picture is younger than its last action. Without that wait a
//! container would be started twice.
//!
//! Mirrors `container/cache.go`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cri_client::RuntimeError;
use tokio::sync::Notify;

use crate::{PodRef, PodStatus, PodUid};

/// What is known of one pod: its status, or why it could not be read.
pub type Known = Result<Arc<PodStatus>, RuntimeError>;

/// A point in the order of things: what is done after one moment was taken and before the next lies between the two.
///
/// The real kubelet compares times here. An order needs no clock, and never has two things at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

#[derive(Debug, Clone)]
struct Entry {
    known: Known,
    /// Before the runtime was asked; the answer shows at least everything that had happened by then.
    asked: Moment,
}

#[derive(Debug, Default)]
struct Picture {
    pods: BTreeMap<PodUid, Entry>,
    /// When the last full relist asked. It vouches for every pod, also those that it did not find.
    relisted: Option<Moment>,
}

/// The statuses of all pods, shared by `pleg` and the workers.
#[derive(Debug, Default)]
pub struct PodCache {
    picture: Mutex<Picture>,
    changed: Notify,
    moments: AtomicU64,
}

impl PodCache {
    /// An empty picture: nothing is known, not even that there is nothing.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// This moment: later than every one taken before. To be taken just before the runtime is asked, and just after
    /// something was done to it.
    pub fn moment(&self) -> Moment {
        Moment(self.moments.fetch_add(1, Ordering::SeqCst))
    }

    // ANCHOR: set
    /// Records what the runtime answered when it was asked at `asked`. An older answer never replaces a newer one.
    /// Returns whether it was taken.
    pub fn set(&self, uid: &PodUid, known: Known, asked: Moment) -> bool {
        let mut picture = self.lock();
        if picture.pods.get(uid).is_some_and(|entry| entry.asked > asked) {
            return false;
        }
        picture.pods.insert(uid.clone(), Entry { known, asked });
        drop(picture);
        self.changed.notify_waiters();
        true
    }
    // ANCHOR_END: set

    /// Forgets a pod that the runtime has nothing of any more.
    pub fn remove(&self, uid: &PodUid) {
        self.lock().pods.remove(uid);
        self.changed.notify_waiters();
    }

    /// A full relist that asked at `asked` is done: what it did not change is as it was.
    pub fn relisted(&self, asked: Moment) {
        let mut picture = self.lock();
        picture.relisted = picture.relisted.max(Some(asked));
        drop(picture);
        self.changed.notify_waiters();
    }

    /// Whether the runtime has answered one full relist yet.
    pub fn is_complete(&self) -> bool {
        self.lock().relisted.is_some()
    }

    /// What is known now; `None` when nothing is.
    pub fn get(&self, uid: &PodUid) -> Option<Known> {
        self.lock().pods.get(uid).map(|entry| entry.known.clone())
    }

    /// Whether what is known of the pod is from after `min`.
    pub fn is_newer_than(&self, uid: &PodUid, min: Moment) -> bool {
        let picture = self.lock();
        let asked = picture.pods.get(uid).map(|entry| entry.asked);
        asked.max(picture.relisted).is_some_and(|asked| asked > min)
    }

    /// Every pod that the runtime has something of, by UID.
    pub fn all(&self) -> Vec<Arc<PodStatus>> {
        self.lock().pods.values().filter_map(|entry| entry.known.clone().ok()).collect()
    }

    /// Waits until what is known of the pod is from after `min`, and returns it; an empty status when the runtime has
    /// nothing of the pod. Mirrors `cache.go: GetNewerThan`.
    ///
    /// # Errors
    /// The runtime's error when the pod could not be read.
    pub async fn newer_than(&self, pod: &PodRef, min: Moment) -> Known {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed, also one that comes before the await below.
            changed.as_mut().enable();
            if let Some(known) = self.if_newer_than(pod, min) {
                return known;
            }
            changed.await;
        }
    }

    fn if_newer_than(&self, pod: &PodRef, min: Moment) -> Option<Known> {
        let picture = self.lock();
        let vouched = picture.relisted.is_some_and(|asked| asked > min);
        match picture.pods.get(&pod.uid) {
            Some(entry) if entry.asked > min || vouched => Some(entry.known.clone()),
            None if vouched => Some(Ok(Arc::new(PodStatus::empty(pod.clone())))),
            _ => None,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Picture> {
        // A panic elsewhere leaves the picture whole: every change is one insert or remove.
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn pod() -> PodRef {
        PodRef { namespace: "default".into(), name: "web".into(), uid: PodUid::new("u1") }
    }

    fn status(ip: &str) -> Known {
        Ok(Arc::new(PodStatus { ips: vec![ip.into()], ..PodStatus::empty(pod()) }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_waits_for_a_picture_younger_than_its_last_action() {
        let cache = PodCache::new();
        let (before, acted) = (cache.moment(), cache.moment());
        cache.set(&pod().uid, status("old"), before);
        let waiting = tokio::spawn({
            let cache = cache.clone();
            async move { cache.newer_than(&pod(), acted).await.expect("a status").ips.clone() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        let now = cache.moment();
        cache.set(&pod().uid, status("new"), now);
        assert_eq!(waiting.await.expect("no panic"), ["new"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_relist_vouches_for_pods_that_it_did_not_change_or_find() {
        let cache = PodCache::new();
        let (before, acted, later) = (cache.moment(), cache.moment(), cache.moment());
        cache.set(&pod().uid, status("same"), before);
        assert!(!cache.is_complete());
        cache.relisted(later);
        assert!(cache.is_complete());
        assert_eq!(cache.newer_than(&pod(), acted).await.expect("known").ips, ["same"]);
        cache.remove(&pod().uid);
        assert!(cache.newer_than(&pod(), acted).await.expect("known").sandboxes.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_older_answer_never_replaces_a_newer_one() {
        let cache = PodCache::new();
        let (early, late) = (cache.moment(), cache.moment());
        assert!(cache.set(&pod().uid, status("late"), late));
        assert!(!cache.set(&pod().uid, status("early"), early));
        assert_eq!(cache.get(&pod().uid).expect("known").expect("a status").ips, ["late"]);
    }
}
