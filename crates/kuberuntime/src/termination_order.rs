//! Who ends first.
//!
//! Regular containers are told to end all at once. A sidecar serves them, so its turn comes when they are gone, and after
//! the sidecars that were started later. All of that happens within the pod's one grace period.
//!
//! Mirrors `kuberuntime_termination_order.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pod_model::Pod;
use pod_model::identity::{init_containers, is_restartable_init, spec};
use tokio::sync::watch;

/// The names that each container waits for. Pure.
pub fn prerequisites(pod: &Pod, running: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut waits = BTreeMap::new();
    let mut before: BTreeSet<String> =
        spec(pod).containers.iter().map(|c| c.name.clone()).filter(|name| running.contains(name)).collect();
    for sidecar in init_containers(pod).iter().rev().filter(|c| is_restartable_init(c)) {
        waits.insert(sidecar.name.clone(), before.clone());
        if running.contains(&sidecar.name) {
            before.insert(sidecar.name.clone());
        }
    }
    waits
}

/// The order of one pod's end, shared by the tasks that end its containers.
pub(crate) struct TerminationOrdering {
    waits: BTreeMap<String, BTreeSet<String>>,
    ended: watch::Sender<BTreeSet<String>>,
}

impl TerminationOrdering {
    pub fn new(pod: &Pod, running: &BTreeSet<String>) -> Self {
        Self { waits: prerequisites(pod, running), ended: watch::channel(BTreeSet::new()).0 }
    }

    /// Waits until it is the container's turn, at most for `grace`; how long it waited.
    pub async fn wait_for_turn(&self, name: &str, grace: Duration) -> Duration {
        let Some(first) = self.waits.get(name) else { return Duration::ZERO };
        let began = tokio::time::Instant::now();
        let mut ended = self.ended.subscribe();
        let turn = ended.wait_for(|ended| first.is_subset(ended));
        // Past its grace the container is ended out of turn: the pod has to go.
        let _ = tokio::time::timeout(grace, turn).await;
        began.elapsed()
    }

    /// The container has ended.
    pub fn terminated(&self, name: &str) {
        self.ended.send_modify(|ended| {
            ended.insert(name.to_owned());
        });
    }
}
