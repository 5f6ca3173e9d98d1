//! The way through the init containers. Rows: pod, what the runtime has, what is to be done.

use crate::actions::{KillReason, compute_pod_actions};
use crate::notation::{pod, status, words};

/// Checks rows of pod, status, actions. All sandboxes are as they should be.
fn check(table: &[(&str, &str, &str)]) {
    for (spec, containers, wanted) in table {
        let pod = pod(spec);
        let actions = compute_pod_actions(&pod, &status(&pod, &format!("0 | {containers}")));
        assert_eq!(words(&pod, &actions), *wanted, "{spec}   {containers}");
    }
}

#[test]
fn one_after_the_other() {
    check(&[
        ("Always: i j k | a", "", "init i"),
        ("Always: i j k | a", "i:new", "init i"),
        ("Always: i j k | a", "i:run", "nothing"),
        ("Always: i j k | a", "i:0", "init j"),
        ("Always: i j k | a", "j:run i:0", "nothing"),
        ("Always: i j k | a", "j:0 i:0", "init k"),
        ("Always: i j k | a", "k:run j:0 i:0", "nothing"),
        ("Always: i j k | a", "k:0 j:0 i:0", "start a"),
    ]);
}

#[test]
fn the_last_one_that_left_a_trace_says_how_far_the_pod_has_come() {
    check(&[
        ("Always: i j k | a", "j:0", "init k"),
        ("Always: i j k | a", "k:0", "start a"),
        ("Always: i j k | a", "k:1", "init k"),
        // What happened before it does not matter any more.
        ("Always: i j k | a", "k:0 i:1", "start a"),
        ("Never: i j k | a", "k:run i:1", "nothing"),
    ]);
}

#[test]
fn a_failed_one_is_repeated_or_ends_the_pod_by_policy() {
    check(&[
        ("Always: i j | a", "i:1", "init i"),
        ("OnFailure: i j | a", "i:1", "init i"),
        ("Never: i j | a", "i:1", "end all"),
        ("Never: i j | a", "j:137 i:0", "end all"),
        ("Never: i/OnFailure j | a", "i:1", "init i"),
        ("Always: i/Never j | a", "i:1", "end all"),
        ("Never: i/Never+42 j | a", "i:42", "init i"),
        ("Never: i/Never+42 j | a", "i:1", "end all"),
        // Its end decides, not the one before it.
        ("Never: i j | a", "i:0 i:1", "init j"),
    ]);
}

#[test]
fn running_out_of_memory_is_a_failure_whatever_the_exit_code() {
    check(&[
        ("Never: i j | a", "i:oom", "end all"),
        ("Always: i j | a", "i:oom", "init i"),
        // By policy, though, it ended with 0: it may not be repeated.
        ("OnFailure: i j | a", "i:oom", "end all"),
    ]);
}

#[test]
fn one_that_the_runtime_lost_track_of_is_ended_and_repeated_or_ends_the_pod() {
    check(&[
        ("Always: i j | a", "i:unk", "end i.0, init i"),
        ("OnFailure: i j | a", "i:unk", "end i.0, init i"),
        ("Never: i j | a", "i:unk", "end all"),
        ("Never: i/OnFailure j | a", "i:unk", "end i.0, init i"),
        ("Always: i/Never j | a", "i:unk", "end all"),
        // Without an exit code, rules cannot be asked.
        ("Never: i/Never+42 j | a", "i:unk", "end all"),
        ("Never: s* | a", "s:unk", "end s.0, init s"),
    ]);
    let pod = pod("Always: i | a");
    let kill = compute_pod_actions(&pod, &status(&pod, "0 | i:unk")).containers_to_kill.remove(0);
    assert_eq!(kill.message, r#"Init container is in "unknown" state, try killing it before restart"#);
    assert_eq!(kill.reason, KillReason::Unknown);
}

#[test]
fn a_sidecar_lets_the_next_one_start_and_stays() {
    check(&[
        ("Always: s* i | a", "s:new", "init s"),
        ("Always: s* i | a", "s:run", "init i"),
        ("Always: s* i | a", "i:run s:run", "nothing"),
        ("Always: s* i | a", "i:0 s:run", "start a"),
        ("Always: s* | a b", "s:run", "start a b"),
        ("Always: s* t* | a", "s:run", "init t"),
        ("Always: s* t* | a", "t:run s:run", "start a"),
    ]);
}

#[test]
fn a_sidecar_that_ended_is_started_again_whatever_the_policy() {
    check(&[
        ("Never: s* | a", "a:run s:1", "init s"),
        ("Never: s* | a", "a:run s:0", "init s"),
        ("Never: s* | a", "s:1", "init s"),
        ("Never: s* i t* | a", "a:run t:137 i:0 s:137", "init s t"),
        // While the others are still being initialized.
        ("Never: s* i | a", "i:run s:1", "init s"),
        ("Never: s* i | a", "i:0 s:1", "init s, start a"),
        // Its record is gone, too.
        ("Always: s* i t* | a", "a:run", "init s t"),
        ("Always: s* i | a", "i:run", "init s"),
        ("Always: s* | a", "a:run s:new", "init s"),
    ]);
}

#[test]
fn a_sidecar_that_died_does_not_undo_initialization_but_its_end_is_no_proof_of_it() {
    check(&[
        ("Always: i s* | a", "s:1 i:0", "init s"),
        ("Always: i s* | a", "a:run s:1 i:0", "init s"),
        ("Always: i s* | a b", "a:run s:1 i:0", "init s, start b"),
        // The one in front of it is not looked at again.
        ("Never: i s* | a", "s:1 i:1", "init s"),
    ]);
}

#[test]
fn a_finished_init_container_is_left_alone_once_the_pod_is_initialized() {
    check(&[
        ("Never: i j | a", "a:run j:1 i:1", "nothing"),
        ("Always: i | a", "a:run i:unk", "nothing"),
        ("Always: i | a b", "a:run b:1 i:1", "start b"),
    ]);
}

#[test]
fn a_sidecar_with_another_definition_is_replaced_and_counts_as_up_meanwhile() {
    check(&[
        ("Always: s* | a", "a:run s:run~", "end s.0, init s"),
        ("Never: s* | a", "a:run s:run~", "end s.0, init s"),
        ("Always: s* i | a", "s:run~", "end s.0, init s i"),
        ("Always: i s* | a", "s:run~ i:0", "end s.0, init s, start a"),
        ("Always: s* i | a", "i:run s:run~", "end s.0, init s"),
        ("Always: s* | a b", "a:run b:1 s:run~", "end s.0, init s, start b"),
        // One that has to finish is not replaced: what it does is done soon.
        ("Always: i | a", "i:run~", "nothing"),
    ]);
    let pod = pod("Always: s* | a");
    let kill = compute_pod_actions(&pod, &status(&pod, "0 | a:run s:run~")).containers_to_kill.remove(0);
    assert_eq!(
        (kill.message.as_str(), kill.reason),
        ("Init container s definition changed", KillReason::Ordinary)
    );
}

#[test]
fn a_pod_that_is_over_has_nothing_else_done_to_it() {
    // The walk finds the sidecar first and the failure later.
    check(&[
        ("Never: i s* | a", "i:1", "end all"),
        ("Never: s* i | a", "i:1 s:run~", "end all"),
        ("Never: s* i | a", "i:1 s:unk", "end all"),
    ]);
}
