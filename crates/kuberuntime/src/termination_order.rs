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
///
/// Unlike the kubelet's, the chain does not break at a sidecar that does not run: there, one before it does not wait for
/// one after it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::pod;

    /// `s: a b` — s waits for a and b.
    fn waits(spec: &str, running: &str) -> Vec<String> {
        let running = running.split_whitespace().map(str::to_owned).collect();
        let line = |(name, first): (String, BTreeSet<String>)| {
            format!("{name}: {}", first.into_iter().collect::<Vec<_>>().join(" ")).trim_end().to_owned()
        };
        prerequisites(&pod(spec), &running).into_iter().map(line).collect()
    }

    #[test]
    fn sidecars_wait_for_regular_containers_and_for_later_sidecars() {
        for (spec, running, wanted) in [
            ("Always: a b", "a b", &[][..]),
            ("Always: i | a b", "i a b", &[]),
            ("Always: s* | a b", "s a b", &["s: a b"]),
            ("Always: s* i t* | a", "s t a", &["s: a t", "t: a"]),
            ("Always: s* t* u* | a b", "s t u a b", &["s: a b t u", "t: a b u", "u: a b"]),
            // What does not run is not waited for.
            ("Always: s* t* | a b", "s t b", &["s: b t", "t: b"]),
            ("Always: s* t* | a", "s t", &["s: t", "t:"]),
            ("Always: s* t* u* | a", "s u a", &["s: a u", "t: a u", "u: a"]),
            // An init container that is at work ends with the regular ones, and nobody waits for it.
            ("Always: s* i | a", "s i", &["s:"]),
        ] {
            assert_eq!(waits(spec, running), wanted, "{spec}   {running}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_comes_when_all_before_have_ended_or_the_grace_is_spent() {
        let running = ["s", "t", "a"].map(str::to_owned).into();
        let order = TerminationOrdering::new(&pod("Always: s* t* | a"), &running);
        let grace = Duration::from_secs(10);
        let wait = async |name| order.wait_for_turn(name, grace).await.as_secs();
        let end = async |name, after| {
            tokio::time::sleep(Duration::from_secs(after)).await;
            order.terminated(name);
        };
        assert_eq!(wait("a").await, 0);
        let (s, t, ..) = tokio::join!(wait("s"), wait("t"), end("a", 3), end("t", 7));
        assert_eq!((s, t), (7, 3));
        assert_eq!(wait("s").await, 0);

        let order = TerminationOrdering::new(&pod("Always: s* | a"), &["s", "a"].map(str::to_owned).into());
        assert_eq!(order.wait_for_turn("s", grace).await, grace);
    }
}
