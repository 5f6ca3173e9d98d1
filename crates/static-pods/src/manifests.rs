//! What the manifests say, file by file, and what they said last.
//!
//! A manifest is edited while it runs: the file is half written, then broken, then good again. What runs must not
//! flicker with it. So each file remembers its last good pod, and only the removal of the file ends that pod.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pod_manifest::decode;
use pod_model::{Pod, PodRef};

use crate::problem::{FileError, ManifestProblem};
use crate::source::{Content, Listing};

/// The manifests of one node, as last seen.
#[derive(Debug)]
pub struct Manifests {
    node_name: String,
    files: BTreeMap<PathBuf, File>,
    reported: BTreeMap<PathBuf, FileError>,
}

/// What is known of one file.
#[derive(Clone, Debug)]
struct File {
    content: Content,
    /// The pod of the latest version that was good.
    last_good: Option<Arc<Pod>>,
    /// What is wrong with the present version.
    error: Option<FileError>,
    unknown_fields: Vec<String>,
}

/// What a look at the manifests has shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Every static pod that should run, in the order of their files. A pod whose file did not change is the same `Arc`.
    pub pods: Vec<Arc<Pod>>,
    /// What was not wrong before, or not in this way.
    pub new_problems: Vec<ManifestProblem>,
    /// Files whose reported problem is over, removed ones included.
    pub resolved: Vec<PathBuf>,
    /// Fields of new versions that no pod has, file by file.
    pub unknown_fields: Vec<(PathBuf, Vec<String>)>,
}

/// The pods that may run side by side, and the files that must stand back.
struct Claims {
    pods: Vec<Arc<Pod>>,
    refused: BTreeMap<PathBuf, FileError>,
}

impl Manifests {
    /// No manifests have been seen yet on this node.
    pub fn new(node_name: impl Into<String>) -> Self {
        Self { node_name: node_name.into(), files: BTreeMap::new(), reported: BTreeMap::new() }
    }

    // ANCHOR: lab05_observe
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
                    let file = read(&path, content, known, &self.node_name);
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
    // ANCHOR_END: lab05_observe
}

// ANCHOR: lab05_read
/// Reads a file's present version; a bad one leaves the last good pod in place.
fn read(path: &Path, content: Content, known: Option<File>, node_name: &str) -> File {
    let decoded = match &content {
        Ok(bytes) => decode(bytes, path, node_name).map_err(FileError::from),
        Err(error) => Err(error.clone()),
    };
    match decoded {
        Ok(manifest) => {
            // The same pod, written differently (a comment, another order), stays the very same.
            let same = known.and_then(|file| file.last_good).filter(|pod| **pod == manifest.pod);
            let pod = same.unwrap_or_else(|| Arc::new(manifest.pod));
            File { content, last_good: Some(pod), error: None, unknown_fields: manifest.unknown_fields }
        }
        Err(error) => {
            let last_good = known.and_then(|file| file.last_good);
            File { content, last_good, error: Some(error), unknown_fields: Vec::new() }
        }
    }
}
// ANCHOR_END: lab05_read

// ANCHOR: lab05_claims
/// Two pods of one name, or of one UID, cannot run on a node. The first file in the order of paths has its way, so that
/// the outcome does not depend on which was written first, and is the same after a restart.
fn settle_claims(files: &BTreeMap<PathBuf, File>) -> Claims {
    let mut claims = Claims { pods: Vec::new(), refused: BTreeMap::new() };
    let mut holders: BTreeMap<(&'static str, String), &Path> = BTreeMap::new();
    for (path, file) in files {
        let Some(pod) = &file.last_good else { continue };
        let names = PodRef::of(pod);
        let keys = [("name", names.to_string()), ("uid", names.uid.to_string())];
        let holder = keys.iter().find_map(|key| holders.get(key).map(|first| (key, *first)));
        if let Some(((field, value), first)) = holder {
            let taken = FileError::Taken { field, value: value.clone(), first: first.to_owned() };
            claims.refused.insert(path.clone(), taken);
            continue;
        }
        holders.extend(keys.map(|key| (key, path.as_path())));
        claims.pods.push(Arc::clone(pod));
    }
    claims
}
// ANCHOR_END: lab05_claims

#[cfg(test)]
mod tests;
