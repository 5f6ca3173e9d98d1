//! Containers that were never born because their sandbox died under them.
//!
//! When somebody stops a sandbox, the runtime ends its containers first. An agent that hears of their end at once starts
//! them again, in a sandbox that is going: that start fails, and the sandbox turns out to be gone a moment later. Such a
//! failure says nothing about the container. It must neither count as a restart nor begin a back-off.
//!
//! The real kubelet looks once a second and mostly sees both ends together; one that listens has to know this rule.

use std::collections::BTreeSet;

use pod_model::{ContainerStatus, PodStatus};

/// The newest containers that never ran, of those names that have run before. To be asked when the sandbox has changed;
/// a container that fails to start in a good sandbox is an ordinary failure.
pub fn stillborn(status: &PodStatus) -> Vec<&ContainerStatus> {
    let mut seen = BTreeSet::new();
    status
        .containers
        .iter()
        .filter(|c| seen.insert(c.name.as_str()) && c.never_ran())
        .filter(|c| status.containers.iter().any(|older| older.name == c.name && older.started_at.is_some()))
        .collect()
}

/// The status as if they had not been.
pub(crate) fn without(status: &PodStatus, gone: &[&ContainerStatus]) -> PodStatus {
    let mut status = status.clone();
    status.containers.retain(|c| gone.iter().all(|stillborn| stillborn.id != c.id));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use pod_model::{ContainerState, PodRef, PodUid};

    fn container(name: &str, restarts: u32, state: ContainerState, ran: bool) -> ContainerStatus {
        let mut status = ContainerStatus::from_cri("s", &cri_client::v1::ContainerStatus::default());
        status.id = format!("{name}{restarts}");
        (status.name, status.restart_count, status.state) = (name.to_owned(), restarts, state);
        status.started_at = ran.then_some(Timestamp::UNIX_EPOCH);
        status
    }

    #[test]
    fn only_the_newest_counts_and_only_where_something_ran_before() {
        use ContainerState::{Created, Exited, Running};
        let pod = PodRef { namespace: "default".into(), name: "web".into(), uid: PodUid::new("u1") };
        let status = PodStatus {
            containers: vec![
                container("a", 1, Exited, false),
                container("a", 0, Exited, true),
                container("b", 1, Running, true),
                container("c", 1, Created, false),
                container("c", 0, Exited, true),
                container("never", 1, Exited, false),
                container("never", 0, Exited, false),
            ],
            ..PodStatus::empty(pod)
        };
        let found = stillborn(&status);
        assert_eq!(found.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["a1", "c1"]);
        assert_eq!(without(&status, &found).containers.len(), 5);
    }
}
