//! One manifest: bytes in, a pod of this node out, or one error that says everything that is wrong with the file.
//!
//! ```text
//!   bytes ─tree─▶ values ─typed─▶ Pod ─defaults─▶ ─this node─▶ ─validate, references─▶ static pod
//! ```

use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Pod, PodStatus, Toleration};
use pod_model::PodUid;
use pod_model::static_pod;
use serde_json::Value;

use crate::field::{FieldError, FieldErrors, FieldPath};
use crate::{defaults, references, tree, typed, validate};

/// What the kubelet reads of a manifest at most: 10 MiB. Mirrors `config/common.go: maxConfigLength`.
pub const MAX_MANIFEST_BYTES: usize = 10 << 20;

/// Why a manifest gives no pod. The file's name is with whoever holds the error: [`ManifestProblem`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read; holds the system's words.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The path is a directory, a pipe, a device or a socket, whose kind is named here.
    #[error("is {0}, not a regular file")]
    NotAFile(&'static str),
    /// The file is larger than [`MAX_MANIFEST_BYTES`].
    #[error("is larger than 10 MiB")]
    TooLarge,
    /// The file is no text; holds the offset of the first bad byte.
    #[error("is not UTF-8 text: byte {0} begins no character")]
    NotUtf8(usize),
    /// The file holds nothing but blanks and comments.
    #[error("is empty")]
    Empty,
    /// The file begins like JSON and is none, or is cut short; holds what, line and column.
    #[error("is not valid JSON: {0}")]
    NotJson(String),
    /// The file is no YAML, or is cut short; holds what, line and column.
    #[error("is not valid YAML: {0}")]
    NotYaml(String),
    /// The file is well formed, but these fields make no static pod.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldError>),
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
    pub error: ManifestError,
}

/// A manifest that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The static pod: defaults filled in, named for this node, checked.
    pub pod: Pod,
    /// Fields that a pod does not have, such as `spec.contaners`. They are skipped, and worth a warning.
    pub unknown_fields: Vec<String>,
}

/// Reads a manifest as the pod that it means on the node `node_name`.
///
/// The same bytes from the same `path` on the same node give the same pod, UID included. Where the pod came from and
/// when it was first seen are not here: whoever merges the sources of pods writes that down.
///
/// Mirrors `config/common.go: tryDecodeSinglePod`.
///
/// # Errors
/// Whatever keeps the file from being a static pod, all wrong fields at once; see [`ManifestError`].
pub fn decode(bytes: &[u8], path: &Path, node_name: &str) -> Result<Manifest, ManifestError> {
    let tree = tree::read(bytes)?;
    check_kind(&tree)?;
    let typed = typed::read::<Pod>(&tree).map_err(|error| ManifestError::Fields(vec![error]))?;
    let mut pod = typed.value;
    let mut errors = FieldErrors::default();
    if pod.metadata.name.as_deref().unwrap_or_default().is_empty() {
        errors.required(&FieldPath::root().child("metadata").child("name"), "name is needed for the pod");
    }
    settle_on_node(&mut pod, path, node_name);
    defaults::fill_in(&mut pod);
    validate::pod(&pod, &mut errors);
    references::refuse(&pod, &mut errors);
    if errors.0.is_empty() {
        Ok(Manifest { pod, unknown_fields: typed.unknown_fields })
    } else {
        Err(ManifestError::Fields(errors.0))
    }
}

/// A document says what it is before anything else in it has a meaning.
fn check_kind(tree: &Value) -> Result<(), ManifestError> {
    let mut errors = FieldErrors::default();
    for (field, wanted) in [("apiVersion", "v1"), ("kind", "Pod")] {
        let path = FieldPath::root().child(field);
        match tree.get(field) {
            None | Some(Value::Null) => errors.required(&path, ""),
            Some(Value::String(found)) if found == wanted => {}
            Some(Value::String(found)) => errors.unsupported(&path, found, &[wanted]),
            Some(other) => errors.invalid(&path, format_args!("{other}"), "expected a string"),
        }
    }
    match tree {
        Value::Object(_) if errors.0.is_empty() => return Ok(()),
        Value::Object(_) => {}
        _ => {
            errors.0.clear();
            errors.invalid(
                &FieldPath::root(),
                format_args!("no map"),
                "expected apiVersion, kind, metadata and spec",
            );
        }
    }
    Err(ManifestError::Fields(errors.0))
}

/// Makes a manifest's pod a pod of this node: UID, name, namespace, node, hash, and the toleration that keeps it here
/// through every trouble of the node.
///
/// The UID is taken over what the file says, before any default, so that a default of a later version does not make
/// every static pod a new one. Mirrors `config/common.go: applyDefaults`.
fn settle_on_node(pod: &mut Pod, path: &Path, node_name: &str) {
    if pod.metadata.uid.as_deref().unwrap_or_default().is_empty() {
        pod.metadata.uid = Some(static_pod::pod_uid(pod, node_name, &path.to_string_lossy()).to_string());
    }
    let metadata = &mut pod.metadata;
    if let Some(name) = metadata.name.as_mut().filter(|name| !name.is_empty()) {
        *name = static_pod::pod_name(name, node_name);
    }
    if metadata.namespace.as_deref().unwrap_or_default().is_empty() {
        metadata.namespace = Some("default".to_owned());
    }
    let hash = metadata.uid.clone().unwrap_or_default();
    metadata.annotations.get_or_insert_default().insert(static_pod::CONFIG_HASH.to_owned(), hash);
    let spec = pod.spec.get_or_insert_default();
    spec.node_name = Some(node_name.to_owned());
    let tolerations = spec.tolerations.get_or_insert_default();
    let stays = Toleration {
        operator: Some("Exists".to_owned()),
        effect: Some("NoExecute".to_owned()),
        ..Toleration::default()
    };
    // One that says the same save for its duration is replaced.
    let same = |other: &Toleration| {
        let empty = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
        other.operator == stays.operator
            && other.effect == stays.effect
            && empty(&other.key)
            && empty(&other.value)
    };
    match tolerations.iter_mut().find(|other| same(other)) {
        Some(other) => *other = stays.clone(),
        None => tolerations.push(stays.clone()),
    }
    pod.status.get_or_insert_with(PodStatus::default).phase = Some("Pending".to_owned());
}

/// The UID that a file gave its pod, if it may name a directory.
pub(crate) fn check_uid(pod: &Pod, errors: &mut FieldErrors) {
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    if PodUid::checked(uid).is_err() {
        let rule = "must be 1 to 63 letters, digits, '-' or '_', since it names the pod's directory";
        errors.invalid(&FieldPath::root().child("metadata").child("uid"), uid, rule);
    }
}
