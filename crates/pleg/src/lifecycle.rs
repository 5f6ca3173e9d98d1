//! What a relist found to be different.
//!
//! A relist sees states, not changes: it learns that a container has exited by having seen it run a moment ago. The
//! comparison of two looks is pure, and misses nothing that lasted until the second one.
//!
//! Mirrors `pleg/generic.go: computeEvents, generateEvents`.

use std::collections::BTreeMap;

use cri_client::v1;
use pod_model::{ContainerState, PodRef, PodUid, labels};

/// What happened to a pod's container or sandbox.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodLifecycleEvent {
    /// It runs now and did not before.
    ContainerStarted(String),
    /// It ran, or was never seen, and has ended.
    ContainerDied(String),
    /// It is gone from the runtime.
    ContainerRemoved(String),
    /// Something else: created, or the runtime lost track of it.
    ContainerChanged(String),
}

/// One container or sandbox as a list shows it. A ready sandbox counts as running, one that is not as exited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its state.
    pub state: ContainerState,
    /// It is a sandbox.
    pub is_sandbox: bool,
}

/// One pod as one look at the runtime showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodRecord {
    /// Which pod.
    pub pod: PodRef,
    /// Its sandboxes and containers, by id.
    pub members: BTreeMap<String, Seen>,
    /// Which sandbox each container is in, by the container's id.
    pub sandbox_of: BTreeMap<String, String>,
}

impl PodRecord {
    fn new(pod: PodRef) -> Self {
        Self { pod, members: BTreeMap::new(), sandbox_of: BTreeMap::new() }
    }
}

// ANCHOR: lab07_group
/// Groups what two list calls gave by pod. What carries no pod's labels was made by somebody else and is left alone.
/// Mirrors `kuberuntime_manager.go: GetPods`.
pub fn group_by_pod(
    sandboxes: &[v1::PodSandbox],
    containers: &[v1::Container],
) -> BTreeMap<PodUid, PodRecord> {
    let mut pods: BTreeMap<PodUid, PodRecord> = BTreeMap::new();
    for sandbox in sandboxes {
        let Some(pod) = labels::pod_of(&sandbox.labels) else { continue };
        let state = match sandbox.state() {
            v1::PodSandboxState::SandboxReady => ContainerState::Running,
            v1::PodSandboxState::SandboxNotready => ContainerState::Exited,
        };
        let record = pods.entry(pod.uid.clone()).or_insert_with(|| PodRecord::new(pod));
        record.members.insert(sandbox.id.clone(), Seen { state, is_sandbox: true });
    }
    for container in containers {
        let Some(pod) = labels::pod_of(&container.labels) else { continue };
        let record = pods.entry(pod.uid.clone()).or_insert_with(|| PodRecord::new(pod));
        record
            .members
            .insert(container.id.clone(), Seen { state: container.state().into(), is_sandbox: false });
        record.sandbox_of.insert(container.id.clone(), container.pod_sandbox_id.clone());
    }
    pods
}
// ANCHOR_END: lab07_group

// ANCHOR: lab07_compare
/// What changed between two looks at one pod: first about what is there now, in the order of ids, then about what is gone.
pub fn compare(old: Option<&PodRecord>, new: Option<&PodRecord>) -> Vec<PodLifecycleEvent> {
    let none = BTreeMap::new();
    let old = old.map_or(&none, |record| &record.members);
    let new = new.map_or(&none, |record| &record.members);
    let mut events = Vec::new();
    for (id, now) in new {
        if old.get(id).map(|seen| seen.state) == Some(now.state) {
            continue;
        }
        events.push(match now.state {
            ContainerState::Running => PodLifecycleEvent::ContainerStarted(id.clone()),
            ContainerState::Exited => PodLifecycleEvent::ContainerDied(id.clone()),
            ContainerState::Created | ContainerState::Unknown => {
                PodLifecycleEvent::ContainerChanged(id.clone())
            }
        });
    }
    for (id, before) in old {
        if !new.contains_key(id) {
            // A container that vanished while it ran has died, too: nobody will ever report its exit.
            if before.state != ContainerState::Exited {
                events.push(PodLifecycleEvent::ContainerDied(id.clone()));
            }
            events.push(PodLifecycleEvent::ContainerRemoved(id.clone()));
        }
    }
    events
}
// ANCHOR_END: lab07_compare

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(members: &[(&str, ContainerState)]) -> PodRecord {
        let pod = PodRef { namespace: "default".into(), name: "web".into(), uid: PodUid::new("u1") };
        let seen = |state: &ContainerState| Seen { state: *state, is_sandbox: false };
        PodRecord {
            members: members.iter().map(|(id, state)| ((*id).to_owned(), seen(state))).collect(),
            ..PodRecord::new(pod)
        }
    }

    #[test]
    fn each_change_of_state_and_what_it_is_called() {
        use ContainerState::{Created, Exited, Running, Unknown};
        use PodLifecycleEvent::{ContainerChanged, ContainerDied, ContainerRemoved, ContainerStarted};
        let c = || "c".to_owned();
        let cases = [
            (None, Some(Created), vec![ContainerChanged(c())]),
            (None, Some(Running), vec![ContainerStarted(c())]),
            (None, Some(Exited), vec![ContainerDied(c())]),
            (Some(Created), Some(Running), vec![ContainerStarted(c())]),
            (Some(Running), Some(Running), vec![]),
            (Some(Running), Some(Exited), vec![ContainerDied(c())]),
            (Some(Running), Some(Unknown), vec![ContainerChanged(c())]),
            (Some(Running), None, vec![ContainerDied(c()), ContainerRemoved(c())]),
            (Some(Exited), None, vec![ContainerRemoved(c())]),
        ];
        for (old, new, events) in cases {
            let look = |state: Option<ContainerState>| state.map(|s| record(&[("c", s)]));
            assert_eq!(compare(look(old).as_ref(), look(new).as_ref()), events, "{old:?} -> {new:?}");
        }
    }

    #[test]
    fn what_somebody_else_made_is_left_alone() {
        let foreign = v1::PodSandbox { id: "s".into(), ..Default::default() };
        assert!(group_by_pod(&[foreign], &[v1::Container::default()]).is_empty());
    }

    fn any_record() -> impl Strategy<Value = PodRecord> {
        use ContainerState::{Created, Exited, Running, Unknown};
        let state = prop_oneof![Just(Created), Just(Running), Just(Exited), Just(Unknown)];
        proptest::collection::btree_map("[a-d]", state, 0..4).prop_map(|members| {
            let members: Vec<_> = members.iter().map(|(id, state)| (id.as_str(), *state)).collect();
            record(&members)
        })
    }

    proptest! {
        /// An event for each difference, and none without one.
        #[test]
        fn nothing_is_missed_and_nothing_is_made_up(old in any_record(), new in any_record()) {
            let events = compare(Some(&old), Some(&new));
            let ids: std::collections::BTreeSet<_> = old.members.keys().chain(new.members.keys()).collect();
            for id in ids {
                let differs = old.members.get(id) != new.members.get(id);
                let told = events.iter().any(|event| match event {
                    PodLifecycleEvent::ContainerStarted(about)
                    | PodLifecycleEvent::ContainerDied(about)
                    | PodLifecycleEvent::ContainerRemoved(about)
                    | PodLifecycleEvent::ContainerChanged(about) => about == id,
                });
                prop_assert_eq!(differs, told, "{}", id);
            }
        }
    }
}
