//! Containers, regular and init.
//!
//! Mirrors `validation.go: validateContainers`, `validateInitContainers`, `validateContainerCommon`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    AppArmorProfile, Container, EnvVar, ObjectFieldSelector, PodSpec, ResourceFieldSelector, SeccompProfile,
    SecurityContext,
};
use pod_model::identity::is_restartable_init;

use super::volume::Volumes;
use super::{handler, resources, volume};
use crate::field::{FieldErrors, FieldPath};
use crate::names;

pub(super) const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];

/// Checks every container of a pod.
pub(super) fn all(spec: &PodSpec, volumes: &Volumes<'_>, path: &FieldPath, errors: &mut FieldErrors) {
    let grace = spec.termination_grace_period_seconds.unwrap_or_default();
    let list = path.child("containers");
    if spec.containers.is_empty() {
        errors.required(&list, "");
    }
    let (mut seen, mut host_ports) = (BTreeSet::new(), BTreeSet::new());
    for (index, container) in spec.containers.iter().enumerate() {
        let path = list.index(index);
        common(container, volumes, &path, errors);
        if !seen.insert(container.name.as_str()) {
            errors.duplicate(&path.child("name"), &container.name);
        }
        handler::all(container, grace, &path, errors);
        of_host_ports(container, &mut host_ports, &path, errors);
        of_restart_policy(container, &path, errors);
        if spec.host_network == Some(true) {
            for (index, port) in container.ports.iter().flatten().enumerate() {
                if let Some(host_port) = port.host_port.filter(|host_port| *host_port != port.container_port)
                {
                    let rule = "must match `containerPort` when `hostNetwork` is true";
                    errors.invalid(&path.child("ports").index(index).child("hostPort"), host_port, rule);
                }
            }
        }
    }
    let list = path.child("initContainers");
    for (index, container) in spec.init_containers.iter().flatten().enumerate() {
        let path = list.index(index);
        common(container, volumes, &path, errors);
        if !seen.insert(container.name.as_str()) {
            errors.duplicate(&path.child("name"), &container.name);
        }
        // Init containers run one after the other, so each has the ports for itself.
        of_host_ports(container, &mut BTreeSet::new(), &path, errors);
        of_restart_policy(container, &path, errors);
        if is_restartable_init(container) {
            handler::all(container, grace, &path, errors);
        } else {
            only_for_sidecars(container, &path, errors);
        }
    }
}

/// What makes sense only for a container that keeps running.
fn only_for_sidecars(container: &Container, path: &FieldPath, errors: &mut FieldErrors) {
    let fields = [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ];
    for (field, _) in fields.into_iter().filter(|(_, is_set)| *is_set) {
        let rule = "may not be set for init containers without restartPolicy=Always";
        errors.forbidden(&path.child(field), rule);
    }
}

/// A name that becomes part of a path and of a host name.
pub(super) fn of_name(name: &str, path: &FieldPath, errors: &mut FieldErrors) {
    if name.is_empty() {
        errors.required(path, "");
    } else {
        errors.invalid_for(path, name, names::dns_label(name));
    }
}

fn common(container: &Container, volumes: &Volumes<'_>, path: &FieldPath, errors: &mut FieldErrors) {
    of_name(&container.name, &path.child("name"), errors);
    match container.image.as_deref().unwrap_or_default() {
        "" => errors.required(&path.child("image"), ""),
        image if image.trim() != image => {
            errors.invalid(&path.child("image"), image, "must not have leading or trailing whitespace");
        }
        _ => {}
    }
    let policies = ["File", "FallbackToLogsOnError"];
    let policy = container.termination_message_policy.as_deref();
    errors.one_of(&path.child("terminationMessagePolicy"), policy, &policies);
    of_ports(container, &path.child("ports"), errors);
    for (index, variable) in container.env.iter().flatten().enumerate() {
        of_variable(variable, &path.child("env").index(index), volumes, errors);
    }
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        let path = path.child("envFrom").index(index);
        let prefix = source.prefix.as_deref().unwrap_or_default();
        errors.invalid_for(&path.child("prefix"), prefix, names::variable(prefix));
        match (&source.config_map_ref, &source.secret_ref) {
            (None, None) => errors.invalid(&path, "", "must specify one of: `configMapRef` or `secretRef`"),
            (Some(_), Some(_)) => {
                errors.invalid(&path, "", "may not have more than one field specified at a time");
            }
            _ => {}
        }
    }
    volume::mounts(container, volumes, path, errors);
    errors.one_of(&path.child("imagePullPolicy"), container.image_pull_policy.as_deref(), &PULL_POLICIES);
    if let Some(requirements) = &container.resources {
        resources::of_container(requirements, &path.child("resources"), errors);
    }
    for (index, policy) in container.resize_policy.iter().flatten().enumerate() {
        let path = path.child("resizePolicy").index(index);
        errors.one_of(&path.child("resourceName"), Some(&policy.resource_name), &["cpu", "memory"]);
        let policies = ["NotRequired", "RestartContainer"];
        errors.one_of(&path.child("restartPolicy"), Some(&policy.restart_policy), &policies);
    }
    if let Some(context) = &container.security_context {
        of_security_context(context, &path.child("securityContext"), errors);
    }
}

fn of_ports(container: &Container, path: &FieldPath, errors: &mut FieldErrors) {
    let mut seen = BTreeSet::new();
    for (index, port) in container.ports.iter().flatten().enumerate() {
        let path = path.index(index);
        if let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            errors.invalid_for(&path.child("name"), name, names::port_name(name));
            if !seen.insert(name) {
                errors.duplicate(&path.child("name"), name);
            }
        }
        if port.container_port == 0 {
            errors.required(&path.child("containerPort"), "");
        }
        for (field, number) in [("containerPort", Some(port.container_port)), ("hostPort", port.host_port)] {
            let Some(number) = number.filter(|number| *number != 0) else { continue };
            for rule in names::port_number(number) {
                errors.invalid(&path.child(field), number, rule);
            }
        }
        errors.one_of(&path.child("protocol"), port.protocol.as_deref(), &["SCTP", "TCP", "UDP"]);
    }
}

/// Mirrors `AccumulateUniqueHostPorts`.
fn of_host_ports(
    container: &Container,
    taken: &mut BTreeSet<String>,
    path: &FieldPath,
    errors: &mut FieldErrors,
) {
    for (index, port) in container.ports.iter().flatten().enumerate() {
        let Some(number) = port.host_port.filter(|number| *number != 0) else { continue };
        let protocol = port.protocol.as_deref().unwrap_or_default();
        let full = format!("{protocol}/{}/{number}", port.host_ip.as_deref().unwrap_or_default());
        let path = path.child("ports").index(index).child("hostPort");
        if taken.contains(&full) {
            errors.duplicate(&path, &full);
        }
        taken.insert(full);
    }
}

/// Mirrors `validateContainerRestartPolicy`.
fn of_restart_policy(container: &Container, path: &FieldPath, errors: &mut FieldErrors) {
    let rules = container.restart_policy_rules.as_deref().unwrap_or_default();
    match container.restart_policy.as_deref() {
        Some(policy) => {
            errors.one_of(&path.child("restartPolicy"), Some(policy), &["Always", "Never", "OnFailure"]);
        }
        None if rules.is_empty() => {}
        None => {
            let rule = "must specify restartPolicy when restart rules are used";
            errors.required(&path.child("restartPolicy"), rule);
        }
    }
    for (index, rule) in rules.iter().enumerate() {
        let path = path.child("restartPolicyRules").index(index);
        errors.one_of(&path.child("action"), Some(&rule.action), &["Restart", "RestartAllContainers"]);
        match &rule.exit_codes {
            None => errors.required(&path.child("exitCodes"), "must be specified"),
            Some(codes) => {
                errors.one_of(
                    &path.child("exitCodes").child("operator"),
                    Some(&codes.operator),
                    &["In", "NotIn"],
                );
            }
        }
    }
}

/// Mirrors `ValidateEnv`.
fn of_variable(variable: &EnvVar, path: &FieldPath, volumes: &Volumes<'_>, errors: &mut FieldErrors) {
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
        let path = path.child("fileKeyRef");
        for (field, text) in [("key", &key.key), ("path", &key.path), ("volumeName", &key.volume_name)] {
            if text.is_empty() {
                errors.required(&path.child(field), "");
            }
        }
        errors.invalid_for(
            &path.child("path"),
            &key.path,
            Vec::from_iter(names::without_backsteps(&key.path)),
        );
        match volumes.get(key.volume_name.as_str()) {
            None => errors.not_found(&path.child("volumeName"), &key.volume_name),
            Some(volume) if volume.empty_dir.is_none() => {
                let rule = "referenced volume must be of type emptyDir";
                errors.invalid(&path.child("volumeName"), &key.volume_name, rule);
            }
            Some(_) => {}
        }
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

/// Mirrors `validateObjectFieldSelector`.
pub(super) fn of_field_ref(
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
pub(super) fn of_resource_ref(field: &ResourceFieldSelector, path: &FieldPath, errors: &mut FieldErrors) {
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

/// A user's or group's number. Mirrors `validation.IsValidUserID`.
pub(super) fn of_id(id: Option<i64>, path: &FieldPath, errors: &mut FieldErrors) {
    if let Some(id) = id.filter(|id| !(0..=i64::from(i32::MAX)).contains(id)) {
        errors.invalid(path, id, "must be between 0 and 2147483647, inclusive");
    }
}

/// Mirrors `ValidateSecurityContext`.
fn of_security_context(context: &SecurityContext, path: &FieldPath, errors: &mut FieldErrors) {
    of_id(context.run_as_user, &path.child("runAsUser"), errors);
    of_id(context.run_as_group, &path.child("runAsGroup"), errors);
    if let Some(kind) = context.proc_mount.as_deref() {
        errors.one_of(&path.child("procMount"), Some(kind), &["Default", "Unmasked"]);
    }
    if context.allow_privilege_escalation == Some(false) && context.privileged == Some(true) {
        let rule = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        errors.invalid(&path.child("allowPrivilegeEscalation"), false, rule);
    }
    of_profiles(context.seccomp_profile.as_ref(), context.app_armor_profile.as_ref(), path, errors);
}

/// Mirrors `validateSeccompProfileField`, `ValidateAppArmorProfileField`.
pub(super) fn of_profiles(
    seccomp: Option<&SeccompProfile>,
    app_armor: Option<&AppArmorProfile>,
    path: &FieldPath,
    errors: &mut FieldErrors,
) {
    let profiles = [
        ("seccompProfile", seccomp.map(|profile| (&profile.type_, &profile.localhost_profile))),
        ("appArmorProfile", app_armor.map(|profile| (&profile.type_, &profile.localhost_profile))),
    ];
    for (field, profile) in profiles {
        let Some((kind, localhost)) = profile else { continue };
        let path = path.child(field);
        errors.one_of(&path.child("type"), Some(kind), &["Localhost", "RuntimeDefault", "Unconfined"]);
        match (kind.as_str(), localhost.as_deref()) {
            ("Localhost", None | Some("")) => {
                errors.required(&path.child("localhostProfile"), "must be set when type is Localhost");
            }
            // An AppArmor profile has a name; a seccomp profile is a file below the kubelet's directory of profiles.
            ("Localhost", Some(file)) if field == "seccompProfile" => {
                errors.invalid_for(&path.child("localhostProfile"), file, names::descending_path(file));
            }
            ("Localhost", Some(_)) | (_, None) => {}
            (_, Some(file)) => {
                errors.invalid(
                    &path.child("localhostProfile"),
                    file,
                    "can only be set when type is Localhost",
                );
            }
        }
    }
}
