//! Environment variables, and the fields of a pod that they and the files of the downward API may show.
//!
//! Mirrors `validation.go: ValidateEnv`, `ValidateEnvFrom`.

use k8s_openapi::api::core::v1::{
    Container, EnvVar, FileKeySelector, ObjectFieldSelector, ResourceFieldSelector,
};

use crate::field::{FieldErrors, FieldPath};
use crate::names;
use crate::volume::Volumes;

/// What a variable may show. Mirrors `validEnvDownwardAPIFieldPathExpressions`.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

pub(crate) fn all(container: &Container, volumes: &Volumes<'_>, path: &FieldPath, errors: &mut FieldErrors) {
    for (index, variable) in container.env.iter().flatten().enumerate() {
        of_variable(variable, &path.child("env").index(index), volumes, errors);
    }
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        // A whole map of variables comes from the API server: more than that it exists need not be known here.
        if source.config_map_ref.is_none() && source.secret_ref.is_none() {
            let rule = "must specify one of: `configMapRef` or `secretRef`";
            errors.invalid(&path.child("envFrom").index(index), "", rule);
        }
    }
}

fn of_variable(variable: &EnvVar, path: &FieldPath, volumes: &Volumes<'_>, errors: &mut FieldErrors) {
    if variable.name.is_empty() {
        errors.required(&path.child("name"), "");
    }
    errors.invalid_for(&path.child("name"), &variable.name, names::variable(&variable.name));
    let Some(from) = &variable.value_from else { return };
    let path = path.child("valueFrom");
    if let Some(field) = &from.field_ref {
        of_field_ref(field, &FIELDS, &path.child("fieldRef"), errors);
    }
    if let Some(resource) = &from.resource_field_ref {
        of_resource_ref(resource, &path.child("resourceFieldRef"), errors);
    }
    if let Some(key) = &from.file_key_ref {
        of_file_key(key, volumes, &path.child("fileKeyRef"), errors);
    }
    let sources = [
        from.field_ref.is_some(),
        from.resource_field_ref.is_some(),
        from.config_map_key_ref.is_some(),
        from.secret_key_ref.is_some(),
        from.file_key_ref.is_some(),
    ];
    match sources.into_iter().filter(|is_set| *is_set).count() {
        0 => {
            let rule = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or \
                        `fileKeyRef`";
            errors.invalid(&path, "", rule);
        }
        _ if !variable.value.as_deref().unwrap_or_default().is_empty() => {
            errors.invalid(&path, "", "may not be specified when `value` is not empty");
        }
        1 => {}
        _ => errors.invalid(&path, "", "may not have more than one field specified at a time"),
    }
}

/// A variable out of a file that an earlier container of the pod has written. Mirrors `validateFileKeySelector`.
fn of_file_key(key: &FileKeySelector, volumes: &Volumes<'_>, path: &FieldPath, errors: &mut FieldErrors) {
    for (field, text) in [("key", &key.key), ("path", &key.path), ("volumeName", &key.volume_name)] {
        if text.is_empty() {
            errors.required(&path.child(field), "");
        }
    }
    errors.invalid_for(&path.child("path"), &key.path, names::without_backsteps(&key.path));
    let path = path.child("volumeName");
    match volumes.get(key.volume_name.as_str()) {
        None => errors.not_found(&path, &key.volume_name),
        Some(volume) if volume.empty_dir.is_none() => {
            errors.invalid(&path, &key.volume_name, "referenced volume must be of type emptyDir");
        }
        Some(_) => {}
    }
}

/// Mirrors `validateObjectFieldSelector`.
pub(crate) fn of_field_ref(
    field: &ObjectFieldSelector,
    supported: &[&str],
    path: &FieldPath,
    errors: &mut FieldErrors,
) {
    let version = field.api_version.as_deref().unwrap_or_default();
    if version != "v1" {
        let rule = format!("error converting fieldPath: unsupported pod version: {version}");
        errors.invalid(&path.child("fieldPath"), &field.field_path, rule);
        return;
    }
    let subscript = field.field_path.strip_suffix("']").and_then(|text| text.split_once("['"));
    match (field.field_path.as_str(), subscript) {
        ("", _) => errors.required(&path.child("fieldPath"), ""),
        (_, Some(("metadata.labels", key))) => errors.invalid_for(path, key, names::qualified(key)),
        (_, Some(("metadata.annotations", key))) => {
            errors.invalid_for(path, key, names::qualified(&key.to_lowercase()));
        }
        (_, Some(_)) => {
            let rule = format!(
                "error converting fieldPath: field label does not support subscript: {}",
                field.field_path
            );
            errors.invalid(&path.child("fieldPath"), &field.field_path, rule);
        }
        (plain, None) if !supported.contains(&plain) => {
            errors.unsupported(&path.child("fieldPath"), plain, supported);
        }
        _ => {}
    }
}

/// Mirrors `validateContainerResourceFieldSelector`.
pub(crate) fn of_resource_ref(field: &ResourceFieldSelector, path: &FieldPath, errors: &mut FieldErrors) {
    const RESOURCES: [&str; 6] = [
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    let resource = field.resource.as_str();
    if !resource.starts_with("limits.hugepages-") && !resource.starts_with("requests.hugepages-") {
        errors.one_of(&path.child("resource"), Some(resource), &RESOURCES);
    }
    if let Some(divisor) = &field.divisor {
        let fine: &[&str] = if resource.ends_with(".cpu") {
            &["0", "1m", "1"]
        } else {
            &["0", "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"]
        };
        if !fine.contains(&divisor.0.as_str()) {
            let rule =
                format!("only divisor's values {} are supported with {resource}", fine[1..].join(", "));
            errors.invalid(&path.child("divisor"), &divisor.0, rule);
        }
    }
}
