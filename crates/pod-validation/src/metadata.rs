//! Names, labels and annotations.
//!
//! Mirrors `validation.go: ValidateObjectMeta`, `ValidateAnnotations`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pod_model::PodUid;

use crate::field::{FieldErrors, FieldPath};
use crate::names;

pub(crate) fn check(metadata: &ObjectMeta, path: &FieldPath, errors: &mut FieldErrors) {
    let uid = metadata.uid.as_deref().unwrap_or_default();
    if PodUid::checked(uid).is_err() {
        let rule = "must be 1 to 63 letters, digits, '-' or '_', since it names the pod's directory";
        errors.invalid(&path.child("uid"), uid, rule);
    }
    if let Some(name) = metadata.name.as_deref().filter(|name| !name.is_empty()) {
        errors.invalid_for(&path.child("name"), name, names::dns_subdomain(name));
    }
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    errors.invalid_for(&path.child("namespace"), namespace, names::dns_label(namespace));
    of_labels(metadata.labels.as_ref(), &path.child("labels"), errors);
    for key in metadata.annotations.iter().flatten().map(|(key, _)| key) {
        errors.invalid_for(&path.child("annotations"), key, names::qualified(&key.to_lowercase()));
    }
}

/// Labels, or a selector of labels.
pub(crate) fn of_labels(
    labels: Option<&BTreeMap<String, String>>,
    path: &FieldPath,
    errors: &mut FieldErrors,
) {
    for (key, value) in labels.into_iter().flatten() {
        errors.invalid_for(path, key, names::qualified(key));
        errors.invalid_for(path, value, names::label_value(value));
    }
}

/// The name of a container or a volume, which becomes part of a path.
pub(crate) fn of_name(name: &str, path: &FieldPath, errors: &mut FieldErrors) {
    if name.is_empty() {
        errors.required(path, "");
    } else {
        errors.invalid_for(path, name, names::dns_label(name));
    }
}
