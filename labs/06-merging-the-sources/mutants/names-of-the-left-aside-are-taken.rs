/// Compares the set that a source delivered with what was known of that source.
///
/// A pod is known by its UID. One that stays keeps what the node has written on it; one that is new gets written on it
/// where it came from and that it was first seen at `now`.
///
/// Mirrors `config.go: podStorage.merge`.
pub fn diff(old: &Known, new: Vec<Arc<Pod>>, source: Source, now: Timestamp) -> Changes {
    let mut changes = Changes::default();
    let mut names = BTreeSet::new();
    for pod in new {
        let uid = uid(&pod);
        if !names.insert(PodRef::of(&pod).full_name()) || changes.known.contains_key(&uid) {
            changes.duplicates.push(pod);
            continue;
        }
        let kept = match old.get(&uid) {
            None => {
                let pod = first_seen(&pod, source, now);
                changes.added.push(Arc::clone(&pod));
                pod
            }
            Some(known) => {
                let (pod, list) = match difference(known, &pod) {
                    Difference::None => (Arc::clone(known), None),
                    Difference::Status => (with_status(known, &pod), Some(&mut changes.reconciled)),
                    Difference::Content => (with_content(known, &pod), Some(&mut changes.updated)),
                    Difference::Deletion => (with_content(known, &pod), Some(&mut changes.deleted)),
                };
                list.into_iter().for_each(|list| list.push(Arc::clone(&pod)));
                pod
            }
        };
        changes.known.insert(uid, kept);
    }
    let gone = old.iter().filter(|(uid, _)| !changes.known.contains_key(*uid));
    changes.removed = gone.map(|(_, pod)| Arc::clone(pod)).collect();
    changes
}
