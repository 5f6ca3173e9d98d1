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
        (_, true) => Difference::Deletion,
        (true, false) => Difference::Status,
        (false, false) => Difference::Content,
    }
}
