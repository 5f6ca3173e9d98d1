/// Two pods of one name, or of one UID, cannot run on a node. The first file in the order of paths has its way, so that
/// the outcome does not depend on which was written first, and is the same after a restart.
fn settle_claims(files: &BTreeMap<PathBuf, File>) -> Claims {
    let mut claims = Claims { pods: Vec::new(), refused: BTreeMap::new() };
    let mut holders: BTreeMap<(&'static str, String), &Path> = BTreeMap::new();
    for (path, file) in files {
        let Some(pod) = &file.last_good else { continue };
        let names = PodRef::of(pod);
        let keys = [("name", names.name.clone()), ("uid", names.uid.to_string())];
        let holder = keys.iter().find_map(|key| holders.get(key).map(|first| (key, *first)));
        if let Some(((field, value), first)) = holder {
            let value = if *field == "name" { names.to_string() } else { value.clone() };
            let taken = FileError::Taken { field, value, first: first.to_owned() };
            claims.refused.insert(path.clone(), taken);
            continue;
        }
        holders.extend(keys.map(|key| (key, path.as_path())));
        claims.pods.push(Arc::clone(pod));
    }
    claims
}
