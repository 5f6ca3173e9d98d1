/// Reads a file's present version; a bad one leaves the last good pod in place.
fn read(path: &Path, content: Content, known: Option<File>, node_name: &str) -> File {
    let decoded = match &content {
        Ok(bytes) => decode(bytes, path, node_name).map_err(FileError::from),
        Err(error) => Err(error.clone()),
    };
    match decoded {
        Ok(manifest) => {
            // The same pod, written differently (a comment, another order), stays the very same.
            let same = known.and_then(|file| file.last_good).filter(|pod| pod.metadata.uid == manifest.pod.metadata.uid);
            let pod = same.unwrap_or_else(|| Arc::new(manifest.pod));
            File { content, last_good: Some(pod), error: None, unknown_fields: manifest.unknown_fields }
        }
        Err(error) => {
            let last_good = known.and_then(|file| file.last_good);
            File { content, last_good, error: Some(error), unknown_fields: Vec::new() }
        }
    }
}
