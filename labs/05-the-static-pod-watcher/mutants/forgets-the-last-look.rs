/// Takes in what the files hold now. Only a file whose bytes changed is decoded.
///
/// Mirrors `config/file.go: extractFromDir` with `replaceStore`.
pub fn observe(&mut self, listing: Listing) -> Observation {
    let mut observation = Observation::default();
    let mut before = std::mem::take(&mut self.files);
    for (path, content) in listing {
        let file = match before.remove(&path) {
            Some(file) if file.content == content => file,
            known => {
                let file = read(&path, content, known.filter(|file| file.error.is_none()), &self.node_name);
                if !file.unknown_fields.is_empty() {
                    observation.unknown_fields.push((path.clone(), file.unknown_fields.clone()));
                }
                file
            }
        };
        self.files.insert(path, file);
    }
    let Claims { pods, refused } = settle_claims(&self.files);
    observation.pods = pods;
    let errors = self.files.iter().filter_map(|(path, file)| Some((path.clone(), file.error.clone()?)));
    let problems: BTreeMap<PathBuf, FileError> = refused.into_iter().chain(errors).collect();
    for (path, error) in &problems {
        if self.reported.get(path) != Some(error) {
            observation.new_problems.push(ManifestProblem { path: path.clone(), error: error.clone() });
        }
    }
    let over = self.reported.keys().filter(|path| !problems.contains_key(*path));
    observation.resolved = over.cloned().collect();
    self.reported = problems;
    observation
}
