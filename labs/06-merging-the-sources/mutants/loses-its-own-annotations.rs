/// The known pod with everything that a source may change. Mirrors `config.go: checkAndUpdatePod`, `updateAnnotations`.
fn with_content(known: &Pod, pod: &Pod) -> Arc<Pod> {
    let mut metadata = known.metadata.clone();
    metadata.labels.clone_from(&pod.metadata.labels);
    metadata.deletion_timestamp.clone_from(&pod.metadata.deletion_timestamp);
    metadata.deletion_grace_period_seconds = pod.metadata.deletion_grace_period_seconds;
    metadata.generation = pod.metadata.generation;
    metadata.annotations.clone_from(&pod.metadata.annotations);
    Arc::new(Pod { metadata, spec: pod.spec.clone(), status: pod.status.clone() })
}
