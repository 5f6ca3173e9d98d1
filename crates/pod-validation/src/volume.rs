//! Volumes, and the places where containers mount them.
//!
//! Mirrors `validation.go: ValidateVolumes`, `ValidateVolumeMounts`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, DownwardAPIVolumeFile, Volume};
use serde_json::Value;

use crate::container::PULL_POLICIES;
use crate::field::{FieldErrors, FieldPath};
use crate::metadata::of_name;
use crate::{environment, names, resources};

/// The volumes that are in order, by name; a mount of any other is an error of its own.
pub(crate) type Volumes<'p> = BTreeMap<&'p str, &'p Volume>;

const HOST_PATH_TYPES: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

/// Checks the volumes of a pod.
pub(crate) fn all<'p>(volumes: &'p [Volume], path: &FieldPath, errors: &mut FieldErrors) -> Volumes<'p> {
    let mut known = Volumes::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.index(index);
        let before = errors.0.len();
        of_source(volume, &path, errors);
        of_name(&volume.name, &path.child("name"), errors);
        if known.contains_key(volume.name.as_str()) {
            errors.duplicate(&path.child("name"), &volume.name);
        }
        if errors.0.len() == before {
            known.insert(&volume.name, volume);
        }
    }
    known
}

fn of_source(volume: &Volume, path: &FieldPath, errors: &mut FieldErrors) {
    // Which of some thirty sources are set is easiest to see in the volume's own JSON.
    let shown = serde_json::to_value(volume).unwrap_or_default();
    let sources = shown.as_object().into_iter().flatten().map(|(field, _)| field.as_str());
    for source in sources.filter(|field| *field != "name").skip(1) {
        errors.forbidden(&path.child(source), "may not specify more than 1 volume type");
    }
    if let Some(host_path) = &volume.host_path {
        let path = path.child("hostPath");
        if host_path.path.is_empty() {
            errors.required(&path.child("path"), "");
        }
        let rules = names::without_backsteps(&host_path.path);
        errors.invalid_for(&path.child("path"), &host_path.path, rules);
        let kind = host_path.type_.as_deref().unwrap_or_default();
        if !HOST_PATH_TYPES.contains(&kind) {
            errors.unsupported(&path.child("type"), kind, &HOST_PATH_TYPES);
        }
    }
    if let Some(limit) = volume.empty_dir.as_ref().and_then(|dir| dir.size_limit.as_ref()) {
        resources::of_quantity(limit, &path.child("emptyDir").child("sizeLimit"), errors);
    }
    if let Some(image) = &volume.image {
        let path = path.child("image");
        if image.reference.as_deref().unwrap_or_default().is_empty() {
            errors.required(&path.child("reference"), "");
        }
        errors.one_of(&path.child("pullPolicy"), image.pull_policy.as_deref(), &PULL_POLICIES);
    }
    if let Some(downward) = &volume.downward_api {
        let path = path.child("downwardAPI");
        of_mode(downward.default_mode, &path.child("defaultMode"), errors);
        for file in downward.items.iter().flatten() {
            of_downward_file(file, &path, errors);
        }
    }
    if let Some(projected) = &volume.projected {
        let path = path.child("projected");
        of_mode(projected.default_mode, &path.child("defaultMode"), errors);
        let mut seen = BTreeSet::new();
        for (index, source) in projected.sources.iter().flatten().enumerate() {
            let path = path.child("sources").index(index);
            match serde_json::to_value(source)
                .as_ref()
                .ok()
                .and_then(Value::as_object)
                .map_or(0, |sources| sources.len())
            {
                0 => errors.required(&path, "must specify a source"),
                1 => {}
                _ => errors.forbidden(&path, "may not specify more than 1 volume type"),
            }
            for file in source.downward_api.iter().flat_map(|downward| downward.items.iter().flatten()) {
                of_downward_file(file, &path.child("downwardAPI"), errors);
                if !seen.insert(&file.path) {
                    errors.invalid(&path, &file.path, "conflicting duplicate paths");
                }
            }
        }
    }
}

/// Mirrors `validateDownwardAPIVolumeFile`.
fn of_downward_file(file: &DownwardAPIVolumeFile, path: &FieldPath, errors: &mut FieldErrors) {
    if file.path.is_empty() {
        errors.required(&path.child("path"), "");
    }
    let mut rules = names::descending_path(&file.path);
    if file.path.starts_with("..") && !file.path.starts_with("../") && file.path != ".." {
        rules.push("must not start with '..'".to_owned());
    }
    errors.invalid_for(&path.child("path"), &file.path, rules);
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(_), Some(_)) => {
            errors.invalid(
                path,
                "resource",
                "fieldRef and resourceFieldRef can not be specified simultaneously",
            );
        }
        (None, None) => errors.required(path, "one of fieldRef and resourceFieldRef is required"),
        (Some(field), None) => {
            const FILES: [&str; 5] = [
                "metadata.annotations",
                "metadata.labels",
                "metadata.name",
                "metadata.namespace",
                "metadata.uid",
            ];
            environment::of_field_ref(field, &FILES, &path.child("fieldRef"), errors);
        }
        (None, Some(resource)) => {
            let path = path.child("resourceFieldRef");
            if resource.container_name.as_deref().unwrap_or_default().is_empty() {
                errors.required(&path.child("containerName"), "");
            }
            environment::of_resource_ref(resource, &path, errors);
        }
    }
    of_mode(file.mode, &path.child("mode"), errors);
}

fn of_mode(mode: Option<i32>, path: &FieldPath, errors: &mut FieldErrors) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        errors.invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

/// Checks what a container mounts.
pub(crate) fn mounts(
    container: &Container,
    volumes: &Volumes<'_>,
    path: &FieldPath,
    errors: &mut FieldErrors,
) {
    let privileged = container.security_context.as_ref().and_then(|context| context.privileged) == Some(true);
    let mut places = BTreeSet::new();
    for (index, mount) in container.volume_mounts.iter().flatten().enumerate() {
        let path = path.child("volumeMounts").index(index);
        if mount.name.is_empty() {
            errors.required(&path.child("name"), "");
        } else if !volumes.contains_key(mount.name.as_str()) {
            errors.not_found(&path.child("name"), &mount.name);
        }
        if mount.mount_path.is_empty() {
            errors.required(&path.child("mountPath"), "");
        } else if !places.insert(&mount.mount_path) {
            errors.invalid(&path.child("mountPath"), &mount.mount_path, "must be unique");
        }
        let sub_path = mount.sub_path.as_deref().unwrap_or_default();
        let expression = mount.sub_path_expr.as_deref().unwrap_or_default();
        errors.invalid_for(&path.child("subPath"), sub_path, names::descending_path(sub_path));
        errors.invalid_for(&path.child("subPathExpr"), expression, names::descending_path(expression));
        if !sub_path.is_empty() && !expression.is_empty() {
            let rule = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(&path.child("subPathExpr"), expression, rule);
        }
        if let Some(propagation) = mount.mount_propagation.as_deref() {
            let path = path.child("mountPropagation");
            errors.one_of(&path, Some(propagation), &["Bidirectional", "HostToContainer", "None"]);
            if propagation == "Bidirectional" && !privileged {
                let rule = "Bidirectional mount propagation is available only to privileged containers";
                errors.forbidden(&path, rule);
            }
        }
        if let Some(read_only) = mount.recursive_read_only.as_deref() {
            let path = path.child("recursiveReadOnly");
            errors.one_of(&path, Some(read_only), &["Disabled", "Enabled", "IfPossible"]);
            if read_only != "Disabled" && mount.read_only != Some(true) {
                errors.forbidden(&path, "may only be specified when readOnly is true");
            }
        }
    }
    for (index, device) in container.volume_devices.iter().flatten().enumerate() {
        let path = path.child("volumeDevices").index(index).child("name");
        // Claims, the only volumes that can be devices, are not for static pods.
        match volumes.get(device.name.as_str()) {
            None => errors.not_found(&path, &device.name),
            Some(volume) if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() => {
                let rule =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.invalid(&path, &device.name, rule);
            }
            Some(_) => {}
        }
    }
}
