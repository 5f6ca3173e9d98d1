use k8s_openapi::api::core::v1::{Container, PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;

use super::*;

fn noon() -> Timestamp {
    "2026-01-01T12:00:00.25Z".parse().expect("a valid time")
}

fn pod(name: &str, uid: &str) -> Pod {
    let mut pod = Pod { spec: Some(PodSpec::default()), ..Pod::default() };
    pod.metadata.name = Some(name.into());
    pod.metadata.namespace = Some("default".into());
    pod.metadata.uid = Some(uid.into());
    pod
}

fn annotate(pod: &mut Pod, key: &str, value: &str) {
    pod.metadata.annotations.get_or_insert_default().insert(key.into(), value.into());
}

fn annotation<'p>(pod: &'p Pod, key: &str) -> Option<&'p str> {
    pod.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// What a source knows after it delivered `pods`.
fn known(pods: &[Pod]) -> Known {
    diff(&Known::new(), shared(pods), Source::File, noon()).known
}

fn shared(pods: &[Pod]) -> Vec<Arc<Pod>> {
    pods.iter().cloned().map(Arc::new).collect()
}

/// The second set, half an hour later, as `OP name,name` for each update.
fn second(old: &Known, new: &[Pod]) -> (Changes, Vec<String>) {
    let later = noon() + std::time::Duration::from_secs(1800);
    let changes = diff(old, shared(new), Source::File, later);
    let told = changes.updates(Source::File, false);
    let shown = told.iter().map(|update| {
        let names: Vec<_> = update.pods.iter().map(|pod| PodRef::of(pod).name).collect();
        format!("{} {}", update.op, names.join(","))
    });
    let shown = shown.collect();
    (changes, shown)
}

#[test]
fn a_new_pod_gets_its_source_and_the_time_written_on_it_and_no_other_claim_survives() {
    let mut claims_to_be_static = pod("a", "1");
    annotate(&mut claims_to_be_static, CONFIG_SOURCE, "file");
    annotate(&mut claims_to_be_static, CONFIG_SEEN, "long ago");
    let changes = diff(&Known::new(), shared(&[claims_to_be_static]), Source::Api, noon());
    assert_eq!(annotation(&changes.added[0], CONFIG_SOURCE), Some("api"));
    assert_eq!(annotation(&changes.added[0], CONFIG_SEEN), Some("2026-01-01T12:00:00.25Z"));
    assert!(!pod_model::static_pod::is_static(&changes.added[0]));
}

#[test]
fn the_same_set_again_says_nothing_and_keeps_the_very_pods() {
    let old = known(&[pod("a", "1"), pod("b", "2")]);
    let (changes, told) = second(&old, &[pod("a", "1"), pod("b", "2")]);
    assert_eq!(told, Vec::<String>::new());
    assert!(changes.known.values().zip(old.values()).all(|(new, old)| Arc::ptr_eq(new, old)));
}

#[test]
fn each_difference_has_its_operation() {
    type Change = fn(&mut Pod);
    let cases: [(&str, Change, Option<&str>); 12] = [
        (
            "the spec",
            |pod| pod.spec = Some(PodSpec { node_name: Some("n".into()), ..PodSpec::default() }),
            Some("UPDATE"),
        ),
        ("a label", |pod| pod.metadata.labels = Some([("a".into(), "b".into())].into()), Some("UPDATE")),
        ("empty labels", |pod| pod.metadata.labels = Some(BTreeMap::new()), None),
        ("an annotation", |pod| annotate(pod, "note", "x"), Some("UPDATE")),
        ("the time it was seen", |pod| annotate(pod, CONFIG_SEEN, "x"), None),
        ("the source", |pod| annotate(pod, CONFIG_SOURCE, "x"), None),
        ("the mirror's hash", |pod| annotate(pod, CONFIG_MIRROR, "x"), None),
        ("the resource version", |pod| pod.metadata.resource_version = Some("7".into()), None),
        ("the deletion time", |pod| pod.metadata.deletion_timestamp = Some(Time(noon())), Some("DELETE")),
        (
            "a spec while it is being deleted",
            |pod| {
                pod.metadata.deletion_timestamp = Some(Time(noon()));
                pod.spec = None;
            },
            Some("DELETE"),
        ),
        ("the grace", |pod| pod.metadata.deletion_grace_period_seconds = Some(3), Some("UPDATE")),
        (
            "the status",
            |pod| pod.status = Some(PodStatus { phase: Some("Running".into()), ..PodStatus::default() }),
            Some("RECONCILE"),
        ),
    ];
    for (what, change, op) in cases {
        let mut changed = pod("a", "1");
        change(&mut changed);
        let (changes, told) = second(&known(&[pod("a", "1")]), std::slice::from_ref(&changed));
        assert_eq!(told, op.map(|op| format!("{op} a")).into_iter().collect::<Vec<_>>(), "{what}");
        if op.is_some() {
            let kept = &changes.known[&PodUid::new("1")];
            assert_eq!(kept.spec, changed.spec, "{what}");
            assert_eq!(kept.status, changed.status, "{what}");
            assert_eq!(kept.metadata.deletion_timestamp, changed.metadata.deletion_timestamp, "{what}");
        }
    }
}

#[test]
fn a_changed_grace_of_a_pod_that_is_being_deleted_is_told_as_a_deletion() {
    let mut ending = pod("a", "1");
    ending.metadata.deletion_timestamp = Some(Time(noon()));
    let old = known(std::slice::from_ref(&ending));
    ending.metadata.deletion_grace_period_seconds = Some(0);
    let (_, told) = second(&old, &[ending]);
    assert_eq!(told, ["DELETE a"]);
}

#[test]
fn an_updated_pod_keeps_the_time_it_was_first_seen_and_loses_an_annotation_that_is_gone() {
    let mut before = pod("a", "1");
    annotate(&mut before, "old", "x");
    let mut after = pod("a", "1");
    annotate(&mut after, "new", "y");
    let (changes, told) = second(&known(&[before]), &[after]);
    assert_eq!(told, ["UPDATE a"]);
    let kept = &changes.updated[0];
    assert_eq!(annotation(kept, CONFIG_SEEN), Some("2026-01-01T12:00:00.25Z"));
    assert_eq!(annotation(kept, CONFIG_SOURCE), Some("file"));
    assert_eq!((annotation(kept, "old"), annotation(kept, "new")), (None, Some("y")));
}

#[test]
fn what_is_gone_is_told_before_what_comes() {
    let old = known(&[pod("gone", "1"), pod("stays", "2"), pod("ends", "3"), pod("moves", "4")]);
    let mut ends = pod("ends", "3");
    ends.metadata.deletion_timestamp = Some(Time(noon()));
    let mut moves = pod("moves", "4");
    moves.status = Some(PodStatus { phase: Some("Running".into()), ..PodStatus::default() });
    let mut stays = pod("stays", "2");
    annotate(&mut stays, "note", "x");
    let (_, told) = second(&old, &[moves, ends, stays, pod("comes", "5")]);
    assert_eq!(told, ["REMOVE gone", "ADD comes", "UPDATE stays", "DELETE ends", "RECONCILE moves"]);
}

#[test]
fn an_edited_static_pod_has_another_uid_and_is_removed_and_added() {
    let (_, told) = second(&known(&[pod("a", "1")]), &[pod("a", "2")]);
    assert_eq!(told, ["REMOVE a", "ADD a"]);
}

#[test]
fn of_two_pods_with_one_name_or_one_uid_the_first_counts() {
    let (changes, told) =
        second(&Known::new(), &[pod("a", "1"), pod("a", "2"), pod("b", "1"), pod("c", "3")]);
    assert_eq!(told, ["ADD a,c"]);
    let aside: Vec<_> = changes.duplicates.iter().map(|pod| PodRef::of(pod).formatted()).collect();
    assert_eq!(aside, ["a_default(2)", "b_default(1)"]);
}

#[test]
fn a_first_set_without_pods_is_told_and_a_later_one_is_not() {
    let changes = diff(&Known::new(), vec![], Source::Api, noon());
    assert_eq!(
        changes.updates(Source::Api, true),
        [PodUpdate { op: Op::Add, pods: vec![], source: Source::Api }]
    );
    assert_eq!(changes.updates(Source::Api, false), []);
}

/// Pods out of a small world, so that they meet again: names, UIDs, labels, containers, deletion and status vary.
fn any_set() -> impl Strategy<Value = Vec<Pod>> {
    let any_pod = (0..4_u8, 0..6_u8, 0..2_u8, 0..2_u8, any::<bool>(), 0..2_u8).prop_map(
        |(name, uid, label, containers, ends, phase)| {
            let mut pod = pod(&format!("pod{name}"), &format!("uid{uid}"));
            pod.metadata.labels = Some([("l".into(), label.to_string())].into());
            pod.metadata.deletion_timestamp = ends.then(|| Time(noon()));
            pod.spec = Some(PodSpec {
                containers: vec![Container::default(); usize::from(containers)],
                ..PodSpec::default()
            });
            pod.status = Some(PodStatus { phase: Some(phase.to_string()), ..PodStatus::default() });
            pod
        },
    );
    prop::collection::vec(any_pod, 0..6)
}

proptest! {
    #[test]
    fn whoever_applies_the_updates_has_exactly_the_last_set_and_every_update_changes_something(
        sets in prop::collection::vec(any_set(), 1..6),
    ) {
        let (mut known, mut applied) = (Known::new(), Known::new());
        for (round, set) in sets.iter().enumerate() {
            let changes = diff(&known, shared(set), Source::File, noon());
            for update in changes.updates(Source::File, round == 0) {
                for pod in update.pods {
                    let uid = uid(&pod);
                    if update.op == Op::Remove {
                        prop_assert!(applied.remove(&uid).is_some(), "removed what was not there");
                    } else {
                        let before = applied.insert(uid, Arc::clone(&pod));
                        prop_assert_eq!(before.is_none(), update.op == Op::Add);
                        prop_assert!(before.is_none_or(|before| before != pod), "told without a change");
                    }
                }
            }
            known = changes.known.clone();
            prop_assert_eq!(&applied, &known);
            // Each pod of the set that was not left aside is there with all that the source said of it.
            prop_assert_eq!(known.len() + changes.duplicates.len(), set.len());
            for pod in set {
                let Some(kept) = known.get(&uid(pod)) else { continue };
                if changes.duplicates.iter().all(|aside| **aside != *pod) {
                    prop_assert_eq!(&kept.spec, &pod.spec);
                    prop_assert_eq!(&kept.status, &pod.status);
                    prop_assert_eq!(&kept.metadata.labels, &pod.metadata.labels);
                }
            }
            let again = diff(&known, shared(set), Source::File, noon());
            prop_assert_eq!(again.updates(Source::File, false), vec![]);
        }
    }
}
