//! What a pod needs next, as tables: pod, what the runtime has of it, what is to be done. See [`crate::notation`].

use super::*;
use crate::notation::{pod, status, words};

/// Checks rows of pod, status, actions.
fn check(table: &[(&str, &str, &str)]) {
    for (spec, runtime, wanted) in table {
        let pod = pod(spec);
        let actions = compute_pod_actions(&pod, &status(&pod, runtime));
        assert_eq!(words(&pod, &actions), *wanted, "{spec}   {runtime}");
    }
}

#[test]
fn a_pod_that_is_as_it_should_be_is_left_alone() {
    check(&[
        ("Always: a b", "0 | a:run b:run", "nothing"),
        ("Always: a", "3 2- | a:run a:1@2 a:0@2", "nothing"),
        ("Never: a b", "0 | a:0 b:run", "nothing"),
        ("OnFailure: a b", "0 | a:0 b:run", "nothing"),
        ("Always host: a", "0h | a:run", "nothing"),
        // Of containers that the spec does not have, nothing is known and nothing is done.
        ("Always: a", "0 | a:run stranger:run stranger2:1", "nothing"),
    ]);
}

#[test]
fn a_new_pod_gets_a_sandbox_and_its_containers_in_order() {
    check(&[
        ("Always: a b", "", "end all, sandbox 0, start a b"),
        ("Never: a b", "", "end all, sandbox 0, start a b"),
        ("Always: i j | a b", "", "end all, sandbox 0, init i"),
        ("Always: s* i | a", "", "end all, sandbox 0, init s"),
        // The sandbox was made and the agent was killed.
        ("Always: a b", "0", "start a b"),
        ("Always: i | a b", "0", "init i"),
        ("Always: a b", "0 | a:run", "start b"),
    ]);
}

#[test]
fn a_pod_whose_sandbox_is_gone_or_wrong_starts_over() {
    check(&[
        ("Always: a b", "0- | a:137 b:137", "end all, sandbox 1, start a b"),
        ("Always: a", "1 0 | a:run", "end all, sandbox 2, start a"),
        ("Always: a", "0? | a:run", "end all, sandbox 1, start a"),
        ("Always: a", "0h | a:run", "end all, sandbox 1, start a"),
        ("Always host: a", "0 | a:run", "end all, sandbox 1, start a"),
        ("Always: i | a", "0- | a:0 i:0", "end all, sandbox 1, init i"),
        ("Always: s* i | a", "0- | a:0 i:0 s:0", "end all, sandbox 1, init s"),
        // A container without a sandbox cannot be used.
        ("Always: a", "| a:run", "end all, sandbox 0, start a"),
    ]);
}

#[test]
fn no_sandbox_is_made_for_a_pod_that_is_over() {
    check(&[
        ("Never: a", "0- | a:0", "end all"),
        ("Never: a", "0- | a:1", "end all"),
        ("Never: a b", "0- | a:0", "end all"),
        ("OnFailure: a b", "0- | a:0 b:0", "end all"),
        ("OnFailure: i | a", "0- | a:0 i:0", "end all"),
        ("Always: a/OnFailure", "0- | a:0", "end all"),
        // But for one that never had a container, or that has something left to do.
        ("Never: a", "0-", "end all, sandbox 1, start a"),
        ("Never: a", "| a:0", "end all, sandbox 0, start a"),
        ("OnFailure: a b", "0- | a:0 b:1", "end all, sandbox 1, start b"),
        ("OnFailure: a b", "0- | a:0", "end all, sandbox 1, start b"),
        ("OnFailure: a", "0- | a:unk", "end all, sandbox 1, start a"),
        ("OnFailure: i | a", "0- | i:1", "end all, sandbox 1, init i"),
        ("OnFailure: i | a b", "0- | a:0 b:1 i:0", "end all, sandbox 1, init i"),
        // The container's own policy comes before the pod's.
        ("OnFailure: a/Always", "0- | a:0", "end all, sandbox 1, start a"),
        ("OnFailure: a/Never b", "0- | a:0 b:0", "end all, sandbox 1, start a"),
        ("Always: a/OnFailure b", "0- | a:0 b:0", "end all, sandbox 1, start b"),
        // With the pod's own Never, a container's policy does not bring it back.
        ("Never: a/Always", "0- | a:1", "end all"),
    ]);
}

#[test]
fn whether_an_ended_container_is_started_again_depends_on_policy_and_exit_code() {
    check(&[
        ("Always: a z", "0 | a:0 z:run", "start a"),
        ("Always: a z", "0 | a:1 z:run", "start a"),
        ("OnFailure: a z", "0 | a:0 z:run", "nothing"),
        ("OnFailure: a z", "0 | a:1 z:run", "start a"),
        ("OnFailure: a z", "0 | a:137 z:run", "start a"),
        ("Never: a z", "0 | a:0 z:run", "nothing"),
        ("Never: a z", "0 | a:1 z:run", "nothing"),
        ("Never: a/Always z", "0 | a:0 z:run", "start a"),
        ("Never: a/OnFailure z", "0 | a:1 z:run", "start a"),
        ("Never: a/OnFailure z", "0 | a:0 z:run", "nothing"),
        ("Always: a/Never z", "0 | a:1 z:run", "nothing"),
        ("Never: a/Never+42 z", "0 | a:42 z:run", "start a"),
        ("Never: a/Never+42 z", "0 | a:1 z:run", "nothing"),
        // Only the newest of a name counts.
        ("OnFailure: a z", "0 | a:0 a:1 z:run", "nothing"),
        ("OnFailure: a z", "0 | a:1 a:0 z:run", "start a"),
    ]);
}

#[test]
fn a_container_that_never_came_up_is_made_again_whatever_the_policy() {
    check(&[
        ("Always: a", "0 | a:new", "start a"),
        ("Never: a", "0 | a:new", "start a"),
        ("Never: a z", "0 | z:run", "start a"),
    ]);
}

#[test]
fn a_container_that_the_runtime_lost_track_of_is_ended_before_it_is_started_again() {
    check(&[
        ("Always: a", "0 | a:unk", "end a.0, start a"),
        ("Never: a", "0 | a:unk", "end a.0, start a"),
        ("Always: a b", "0 | a:run b:unk b:1", "end b.1, start b"),
    ]);
    let pod = pod("Always: a");
    let kill = compute_pod_actions(&pod, &status(&pod, "0 | a:unk")).containers_to_kill.remove(0);
    assert_eq!(kill.message, r#"Container is in "unknown" state, try killing it before restart"#);
    assert_eq!((kill.reason, kill.name.as_str()), (KillReason::Unknown, "a"));
}

#[test]
fn a_changed_definition_replaces_a_running_container_whatever_the_policy() {
    check(&[
        ("Always: a b", "0 | a:run~ b:run", "end a.0, start a"),
        ("Never: a b", "0 | a:run~ b:run", "end a.0, start a"),
        ("Never: a/Never", "0 | a:run~", "end a.0, start a"),
        ("Always: a b", "0 | a:run~ b:run~", "end a.0 b.0, start a b"),
        // Of an ended one, only its end matters.
        ("Never: a b", "0 | a:0~ b:run", "nothing"),
    ]);
    let pod = pod("Always: a");
    let kill = compute_pod_actions(&pod, &status(&pod, "0 | a:run~")).containers_to_kill.remove(0);
    assert_eq!(kill.message, "Container a definition changed, will be restarted");
    assert_eq!(kill.reason, KillReason::Ordinary);
}

#[test]
fn when_all_regular_containers_are_done_everything_is_ended_sidecars_too() {
    check(&[
        ("Never: a b", "0 | a:0 b:1", "end all"),
        ("OnFailure: a b", "0 | a:0 b:0", "end all"),
        ("OnFailure: a b", "0 | a:0 b:1", "start b"),
        ("Never: s* | a", "0 | a:0 s:run", "end all"),
        ("Never: i s* | a", "0 | a:1 s:1 i:0", "init s"),
        // The sidecar's new definition is of no use any more.
        ("Never: s* | a", "0 | a:0 s:run~", "end all"),
        ("Always: a/Never", "0 | a:0", "end all"),
    ]);
}

#[test]
fn nothing_starts_again_in_a_pod_that_is_being_deleted() {
    check(&[
        ("Always deleted: a b", "0 | a:run b:1", "nothing"),
        ("Always deleted: a b", "0 | a:1 b:1", "end all"),
        ("Always deleted: a b", "0 | a:run", "nothing"),
        ("Always deleted: a b", "0 | a:run b:unk", "nothing"),
        ("Always deleted: i | a", "0 | i:1", "end all"),
    ]);
}

#[test]
fn a_running_container_beside_a_newer_one_of_its_name_is_ended() {
    check(&[
        ("Always: a b", "0 | a:run a:run b:run", "end a.0"),
        ("Always: a", "0 | a:run a:run a:run", "end a.1 a.0"),
        ("Always: a", "0 | a:run a:1 a:run", "end a.0"),
        ("Always: a", "0 | a:1 a:run", "end a.0, start a"),
        ("Always: a", "0 | a:new a:run", "end a.0, start a"),
        ("Never: a b", "0 | a:0 a:run b:run", "end a.0"),
        ("Always: s* | a", "0 | a:run s:run s:run", "end s.0"),
        ("Always: i | a", "0 | i:run i:run", "end i.0"),
        // The newest is replaced as well.
        ("Always: a", "0 | a:run~ a:run", "end a.0 a.1, start a"),
        // The whole pod goes, and its leftovers with it.
        ("Never: a", "0 | a:0 a:run", "end all"),
        ("Never: i j | a", "0 | i:1 i:run", "end all"),
        ("Always: a", "0- | a:run a:run", "end all, sandbox 1, start a"),
    ]);
    let pod = pod("Always: a");
    let kill = compute_pod_actions(&pod, &status(&pod, "0 | a:run a:run")).containers_to_kill.remove(0);
    assert_eq!(kill.message, "Container a is a leftover beside a newer one");
    assert_eq!(kill.reason, KillReason::Duplicate);
}

#[test]
fn regular_containers_wait_for_the_init_containers() {
    check(&[
        ("Always: i | a", "0 | i:run", "nothing"),
        ("Always: i | a", "0 | i:0", "start a"),
        ("Always: i j | a b", "0 | j:0", "start a b"),
        ("Always: i s* | a", "0 | s:run i:0", "start a"),
        // One that ended is no proof that this sandbox was initialized: it may be from before a reboot.
        ("Always: i | a", "0 | a:137", "init i"),
        ("Always: i | a", "0 | a:run", "nothing"),
        ("Always: i | a b", "0 | a:new", "start a b"),
    ]);
}
