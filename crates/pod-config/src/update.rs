//! What the node is told.

use std::fmt;
use std::sync::Arc;

use pod_model::Pod;

/// Where pods come from. Mirrors `types/pod_update.go: FileSource`, `ApiserverSource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The manifest directory.
    File,
    /// The API server.
    Api,
}

impl Source {
    /// The source's name in the annotation `kubernetes.io/config.source`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Api => "api",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happened to the pods of an update. Mirrors `types/pod_update.go: PodOperation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// They are new.
    Add,
    /// Their spec, labels or annotations are different.
    Update,
    /// The source no longer has them.
    Remove,
    /// They are to end in an orderly way: their deletion timestamp has been set, or changed.
    Delete,
    /// Only their status is different from what was known.
    Reconcile,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "ADD",
            Self::Update => "UPDATE",
            Self::Remove => "REMOVE",
            Self::Delete => "DELETE",
            Self::Reconcile => "RECONCILE",
        })
    }
}

/// The same thing happened to these pods. Mirrors `types/pod_update.go: PodUpdate`.
#[derive(Clone, Debug, PartialEq)]
pub struct PodUpdate {
    /// What happened.
    pub op: Op,
    /// To whom. Empty when a source had no pods to begin with: the word that it is ready.
    pub pods: Vec<Arc<Pod>>,
    /// Who says so.
    pub source: Source,
}
