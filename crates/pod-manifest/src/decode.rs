//! The way from bytes to a static pod, step by step, and what can be wrong at each.

use std::path::Path;

use k8s_openapi::api::core::v1::Pod;
use pod_validation::{FieldError, FieldErrors, FieldPath};
use serde_json::Value;

use crate::{defaults, references, static_pod, tree, typed};

/// What the kubelet reads of a manifest at most: 10 MiB. Mirrors `config/common.go: maxConfigLength`.
pub const MAX_MANIFEST_BYTES: usize = 10 << 20;

/// Why the bytes of a manifest give no pod. Which file they came from is known to whoever read it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// There are more bytes than [`MAX_MANIFEST_BYTES`].
    #[error("is larger than 10 MiB")]
    TooLarge,
    /// The bytes are no text; holds the offset of the first bad one.
    #[error("is not UTF-8 text: byte {0} begins no character")]
    NotUtf8(usize),
    /// There is nothing but blanks and comments.
    #[error("is empty")]
    Empty,
    /// It begins like JSON and is none, or is cut short; holds what, line and column.
    #[error("is not valid JSON: {0}")]
    NotJson(String),
    /// It is no YAML, or is cut short; holds what, line and column.
    #[error("is not valid YAML: {0}")]
    NotYaml(String),
    /// It is well formed, but these fields make no static pod.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldError>),
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
/// Whatever keeps the bytes from being a static pod, all wrong fields at once; see [`ManifestError`].
// ANCHOR: decode
pub fn decode(bytes: &[u8], path: &Path, node_name: &str) -> Result<Manifest, ManifestError> {
    let tree = tree::read(bytes)?;
    check_kind(&tree)?;
    let typed = typed::read::<Pod>(&tree).map_err(|error| ManifestError::Fields(vec![error]))?;
    let mut pod = typed.value;
    let mut errors = FieldErrors::default();
    if pod.metadata.name.as_deref().unwrap_or_default().is_empty() {
        errors.required(&FieldPath::root().child("metadata").child("name"), "name is needed for the pod");
    }
    static_pod::settle_on_node(&mut pod, path, node_name);
    defaults::fill_in(&mut pod);
    errors.0.extend(pod_validation::validate(&pod));
    references::refuse(&pod, &mut errors);
    if errors.0.is_empty() {
        Ok(Manifest { pod, unknown_fields: typed.unknown_fields })
    } else {
        Err(ManifestError::Fields(errors.0))
    }
}
// ANCHOR_END: decode

/// A document says what it is before anything else in it has a meaning.
fn check_kind(tree: &Value) -> Result<(), ManifestError> {
    let mut errors = FieldErrors::default();
    if !tree.is_object() {
        let wanted = "expected apiVersion, kind, metadata and spec";
        errors.invalid(&FieldPath::root(), format_args!("no map"), wanted);
        return Err(ManifestError::Fields(errors.0));
    }
    for (field, wanted) in [("apiVersion", "v1"), ("kind", "Pod")] {
        let path = FieldPath::root().child(field);
        match tree.get(field) {
            None | Some(Value::Null) => errors.required(&path, ""),
            Some(Value::String(found)) if found == wanted => {}
            Some(Value::String(found)) => errors.unsupported(&path, found, &[wanted]),
            Some(other) => errors.invalid(&path, format_args!("{other}"), "expected a string"),
        }
    }
    if errors.0.is_empty() { Ok(()) } else { Err(ManifestError::Fields(errors.0)) }
}
