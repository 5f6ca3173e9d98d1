//! Containers, regular and init.
//!
//! Mirrors `validation.go: validateContainers`, `validateInitContainers`, `validateContainerCommon`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, PodSpec};
use pod_model::identity::is_restartable_init;

use crate::field::{FieldErrors, FieldPath};
use crate::metadata::of_name;
use crate::volume::Volumes;
use crate::{environment, handler, names, resources, security, volume};

pub(crate) const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];

/// Checks every container of a pod.
pub(crate) fn all(spec: &PodSpec, volumes: &Volumes<'_>, path: &FieldPath, errors: &mut FieldErrors) {
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

// ANCHOR: only_for_sidecars
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
// ANCHOR_END: only_for_sidecars

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
    environment::all(container, volumes, path, errors);
    volume::mounts(container, volumes, path, errors);
    errors.one_of(&path.child("imagePullPolicy"), container.image_pull_policy.as_deref(), &PULL_POLICIES);
    if let Some(requirements) = &container.resources {
        resources::of_container(requirements, &path.child("resources"), errors);
    }
    if let Some(context) = &container.security_context {
        security::of_container(context, &path.child("securityContext"), errors);
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
