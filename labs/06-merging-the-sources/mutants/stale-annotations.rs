/// The known pod with everything that a source may change. Mirrors `config.go: checkAndUpdatePod`, `updateAnnotations`.
fn with_content(known: &Pod, pod: &Pod) -> Arc<Pod> {
    let mut metadata = known.metadata.clone();
    metadata.labels.clone_from(&pod.metadata.labels);
    metadata.deletion_timestamp.clone_from(&pod.metadata.deletion_timestamp);
    metadata.deletion_grace_period_seconds = pod.metadata.deletion_grace_period_seconds;
    metadata.generation = pod.metadata.generation;
    let mut annotations = known.metadata.annotations.clone().unwrap_or_default();
    annotations.extend(pod.metadata.annotations.clone().unwrap_or_default());
    for key in LOCAL_ANNOTATIONS {
        if let Some(written) =
            known.metadata.annotations.as_ref().and_then(|annotations| annotations.get(key))
        {
            annotations.insert(key.to_owned(), written.clone());
        }
    }
    metadata.annotations = Some(annotations);
    Arc::new(Pod { metadata, spec: pod.spec.clone(), status: pod.status.clone() })
}
