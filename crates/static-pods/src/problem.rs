//! What can be wrong with a manifest file, and how a person hears of it.

use std::path::PathBuf;

use pod_manifest::ManifestError;

/// Why a file gives no pod. The file's name is with whoever holds the error: [`ManifestProblem`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read; holds the system's words.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The path is a directory, a pipe, a device or a socket, whose kind is named here.
    #[error("is {0}, not a regular file")]
    NotAFile(&'static str),
    /// What it holds is no static pod.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file before this one already gives a pod of this name or UID.
    #[error("metadata.{field}: Duplicate value: {value:?}: {} already gives this pod", .first.display())]
    Taken {
        /// `name` or `uid`.
        field: &'static str,
        /// `namespace/name`, or the UID.
        value: String,
        /// The file whose pod runs.
        first: PathBuf,
    },
}

/// What is wrong with which file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {error}", .path.display())]
pub struct ManifestProblem {
    /// The file, or the manifest directory itself.
    pub path: PathBuf,
    /// What is wrong with it.
    pub error: FileError,
}
