use super::*;
use proptest::prelude::*;

fn pod(spec_grace: Option<i64>, deletion_grace: Option<i64>) -> Arc<Pod> {
    let mut pod: Pod = serde_json::from_value(serde_json::json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "u1"},
        "spec": {"containers": [], "terminationGracePeriodSeconds": spec_grace},
    }))
    .expect("a pod");
    pod.metadata.deletion_grace_period_seconds = deletion_grace;
    Arc::new(pod)
}

fn worker() -> Worker {
    Worker::new(pod(Some(30), None))
}

fn complete(worker: &mut Worker, outcome: Outcome) -> After {
    let stage = worker.next_work().expect("work").stage;
    worker.completed(stage, outcome, &Pauses::default(), Timestamp::UNIX_EPOCH, &Random::seeded(1))
}

#[test]
fn the_grace_is_the_smallest_asked_for_else_the_specs_and_never_below_one_second() {
    for (spec, deletion, asked, grace) in [
        (Some(30), None, None, 30),
        (Some(30), Some(5), None, 5),
        (Some(30), None, Some(7), 7),
        (Some(30), Some(5), Some(7), 5),
        (Some(30), Some(60), None, 60),
        (Some(0), None, None, 1),
        (None, None, None, 1),
        (Some(30), Some(0), None, 1),
    ] {
        let mut worker = Worker::new(pod(spec, deletion));
        assert_eq!(worker.observe(Update::Kill { grace: asked }), Reaction::CancelAndWork);
        assert_eq!(worker.next_work().expect("work").grace, grace, "{spec:?} {deletion:?} {asked:?}");
    }
}

#[test]
fn grace_is_only_ever_shortened_and_shortening_it_stops_what_is_under_way() {
    let mut worker = worker();
    worker.observe(Update::Kill { grace: Some(20) });
    assert_eq!(worker.observe(Update::Kill { grace: Some(25) }), Reaction::None);
    assert_eq!(worker.observe(Update::Kill { grace: Some(5) }), Reaction::CancelAndWork);
    assert_eq!(worker.next_work().expect("work").grace, 5);
}

#[test]
fn a_pod_that_is_over_goes_through_every_stage_and_rests_until_it_is_removed() {
    let mut worker = worker();
    assert_eq!(complete(&mut worker, Outcome::PodIsOver), After::Now);
    assert_eq!(complete(&mut worker, Outcome::Done), After::Now);
    assert_eq!(worker.stage(), Stage::Terminated);
    assert_eq!(complete(&mut worker, Outcome::Done), After::Rest);
    assert!(worker.next_work().is_none(), "nothing is left to do");
    assert_eq!(worker.observe(Update::LookAgain), Reaction::None);
    worker.observe(Update::Removed);
    assert!(worker.stage() == Stage::Finished && worker.is_removed());
}

#[test]
fn a_pod_that_is_wanted_again_while_it_ends_starts_over_once_it_has_finished() {
    let mut worker = worker();
    worker.observe(Update::Removed);
    assert_eq!(
        worker.observe(Update::Configured(pod(Some(9), None))),
        Reaction::None,
        "not before it has ended"
    );
    complete(&mut worker, Outcome::Done);
    assert_eq!(complete(&mut worker, Outcome::Done), After::Now);
    let work = worker.next_work().expect("work");
    assert_eq!(work.stage, Stage::Syncing);
    assert!(!worker.is_removed());
}

/// A worker whose pod has finished, and which a source still has.
fn finished() -> Worker {
    let mut worker = worker();
    for outcome in [Outcome::PodIsOver, Outcome::Done, Outcome::Done] {
        complete(&mut worker, outcome);
    }
    assert_eq!(worker.stage(), Stage::Finished);
    worker
}

fn deleted(grace: i64) -> Arc<Pod> {
    let pod: Pod = serde_json::from_value(serde_json::json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "u1",
                     "deletionTimestamp": "1970-01-01T00:00:00Z", "deletionGracePeriodSeconds": grace},
        "spec": {"containers": [], "terminationGracePeriodSeconds": 30},
    }))
    .expect("a pod");
    Arc::new(pod)
}

fn spec_grace(pod: Option<&Arc<Pod>>) -> Option<i64> {
    pod?.spec.as_ref()?.termination_grace_period_seconds
}

#[test]
fn a_running_pod_that_changed_is_kept_as_it_is_now_and_ends_when_it_is_deleted() {
    let mut worker = worker();
    assert_eq!(worker.observe(Update::Changed(pod(Some(9), None))), Reaction::Work);
    assert_eq!((worker.stage(), spec_grace(worker.pod())), (Stage::Syncing, Some(9)));
    assert_eq!(worker.observe(Update::Changed(deleted(5))), Reaction::CancelAndWork);
    let work = worker.next_work().expect("work");
    assert_eq!((work.stage, work.grace), (Stage::Terminating, 5));
}

#[test]
fn an_ending_pod_that_changed_is_taken_over_and_is_not_wanted_again() {
    let mut worker = worker();
    worker.observe(Update::Removed);
    assert_eq!(worker.observe(Update::Changed(pod(Some(9), None))), Reaction::None, "only the spec's grace");
    let work = worker.next_work().expect("work");
    assert_eq!((work.grace, spec_grace(work.pod.as_ref())), (30, Some(9)));
    assert_eq!(worker.observe(Update::Changed(deleted(5))), Reaction::CancelAndWork);
    assert_eq!(worker.next_work().expect("work").grace, 5);
    assert_eq!(worker.observe(Update::Changed(deleted(7))), Reaction::None, "never longer");
    assert_eq!(worker.next_work().expect("work").grace, 5);
    assert!(worker.is_removed(), "a change is of a pod that is there, not its return");
    complete(&mut worker, Outcome::Done);
    assert_eq!(complete(&mut worker, Outcome::Done), After::Forget, "no second life");
}

#[test]
fn what_changed_after_the_end_is_cleaned_up_after_and_a_finished_pod_does_not_listen() {
    let mut worker = worker();
    complete(&mut worker, Outcome::PodIsOver);
    complete(&mut worker, Outcome::Done);
    assert_eq!(worker.observe(Update::Changed(pod(Some(9), None))), Reaction::None);
    let work = worker.next_work().expect("work");
    assert_eq!((work.stage, spec_grace(work.pod.as_ref())), (Stage::Terminated, Some(9)));

    for changed in [pod(Some(9), None), deleted(5)] {
        let mut worker = finished();
        assert_eq!(worker.observe(Update::Changed(changed)), Reaction::None);
        assert!(worker.next_work().is_none(), "no second life");
    }
}

#[test]
fn what_changed_while_the_pod_was_wanted_again_is_about_its_next_life() {
    let mut worker = worker();
    worker.observe(Update::Removed);
    worker.observe(Update::Configured(pod(Some(9), None)));
    assert_eq!(worker.observe(Update::Changed(pod(Some(7), None))), Reaction::None);
    let work = worker.next_work().expect("work");
    assert_eq!((work.grace, spec_grace(work.pod.as_ref())), (30, Some(30)), "the life that ends");
    complete(&mut worker, Outcome::Done);
    assert_eq!(complete(&mut worker, Outcome::Done), After::Now);
    let work = worker.next_work().expect("work");
    assert_eq!((work.stage, spec_grace(work.pod.as_ref())), (Stage::Syncing, Some(7)));
}

#[test]
fn an_orphan_that_a_source_calls_changed_is_new_to_its_worker() {
    let mut orphan = Worker::orphan(PodRef::of(&pod(None, None)));
    assert_eq!(orphan.observe(Update::Changed(pod(Some(9), None))), Reaction::None, "it has to end first");
    assert!(!orphan.is_removed());
    assert_eq!(complete(&mut orphan, Outcome::Done), After::Now);
    assert_eq!(orphan.next_work().expect("work").stage, Stage::Syncing);
}

#[test]
fn what_came_of_a_sync_does_not_matter_once_the_pod_has_begun_to_end() {
    let mut worker = worker();
    let stage = worker.next_work().expect("work").stage;
    worker.observe(Update::Removed);
    let after =
        worker.completed(stage, Outcome::Done, &Pauses::default(), Timestamp::UNIX_EPOCH, &Random::seeded(1));
    assert_eq!((after, worker.stage()), (After::Now, Stage::Terminating));
}

#[test]
fn an_orphan_is_ended_quickly_and_forgotten_and_a_finished_pod_that_comes_up_is_ended_again() {
    let mut orphan = Worker::orphan(PodRef::of(&pod(None, None)));
    let work = orphan.next_work().expect("work");
    assert_eq!((work.stage, work.grace, work.pod), (Stage::Terminating, 1, None));
    assert_eq!(complete(&mut orphan, Outcome::Done), After::Forget);

    let mut worker = finished();
    assert_eq!(worker.observe(Update::Orphaned), Reaction::Work);
    assert_eq!(worker.next_work().expect("work").stage, Stage::Terminating);
}

#[test]
fn when_failed_work_is_tried_again() {
    let now = Timestamp::UNIX_EPOCH;
    let at = |seconds| Retry::At(Timestamp::from_second(seconds).expect("a time"));
    for (retry, from, to) in [
        (Retry::Later, 10, 15),
        (Retry::NetworkNotReady, 1, 2),
        (at(17), 17, 17),
        (at(-3), 0, 0),
        (at(300), 60, 60),
        (Retry::WhenRuntimeIsBack, 0, 0),
    ] {
        let pause = pause_before(retry, &Pauses::default(), now, &Random::seeded(3));
        let range = Duration::from_secs(from)..=Duration::from_secs(to);
        assert!(range.contains(&pause), "{retry:?}: {pause:?}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Hear(Update),
    Complete(Outcome),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Hear(Update::Configured(pod(Some(30), None)))),
        Just(Step::Hear(Update::Changed(pod(Some(30), None)))),
        Just(Step::Hear(Update::Changed(deleted(10)))),
        Just(Step::Hear(Update::LookAgain)),
        Just(Step::Hear(Update::Removed)),
        (0_i64..40).prop_map(|grace| Step::Hear(Update::Kill { grace: Some(grace) })),
        Just(Step::Complete(Outcome::Done)),
        Just(Step::Complete(Outcome::PodIsOver)),
        Just(Step::Complete(Outcome::Cancelled)),
        Just(Step::Complete(Outcome::Failed(Retry::Later))),
    ]
}

proptest! {
    /// Whatever happens, a pod never goes back to an earlier stage except by starting over after it has finished.
    #[test]
    fn never_backwards(steps in proptest::collection::vec(any_step(), 0..40)) {
        let mut worker = worker();
        let mut last = worker.stage();
        for step in steps {
            let finished = last == Stage::Finished;
            match step {
                Step::Hear(update) => { worker.observe(update); }
                Step::Complete(outcome) => {
                    if let Some(work) = worker.next_work() {
                        prop_assert!(work.grace >= 1);
                        prop_assert!(work.stage != Stage::Finished);
                        worker.completed(work.stage, outcome, &Pauses::default(), Timestamp::UNIX_EPOCH, &Random::seeded(1));
                    }
                }
            }
            prop_assert!(worker.stage() >= last || finished, "{:?} after {:?}", worker.stage(), last);
            last = worker.stage();
        }
    }
}
