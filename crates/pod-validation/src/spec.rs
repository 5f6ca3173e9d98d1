//! The spec of a pod: what is the pod's own, and what it hands to the modules for its parts.
//!
//! Mirrors `validation.go: ValidatePodSpec`.

use k8s_openapi::api::core::v1::PodSpec;

use crate::field::{FieldErrors, FieldPath};
use crate::metadata::of_labels;
use crate::{container, dns, names, resources, security, volume};

pub(crate) fn check(spec: &PodSpec, path: &FieldPath, errors: &mut FieldErrors) {
    let volumes = volume::all(spec.volumes.as_deref().unwrap_or_default(), &path.child("volumes"), errors);
    container::all(spec, &volumes, path, errors);
    if spec.ephemeral_containers.as_ref().is_some_and(|containers| !containers.is_empty()) {
        errors.forbidden(&path.child("ephemeralContainers"), "cannot be set on create");
    }
    if let Some(of_pod) = &spec.resources {
        resources::of_pod(of_pod, &path.child("resources"), errors);
    }
    let restarts = ["Always", "OnFailure", "Never"];
    errors.one_of(&path.child("restartPolicy"), spec.restart_policy.as_deref(), &restarts);
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    errors.one_of(&path.child("dnsPolicy"), spec.dns_policy.as_deref(), &policies);
    of_labels(spec.node_selector.as_ref(), &path.child("nodeSelector"), errors);
    if let Some(context) = &spec.security_context {
        security::of_pod(context, spec, &path.child("securityContext"), errors);
    }
    dns::of_config(spec, &path.child("dnsConfig"), errors);
    of_names(spec, path, errors);
    if let Some(seconds) =
        spec.active_deadline_seconds.filter(|seconds| !(1..=i64::from(i32::MAX)).contains(seconds))
    {
        let rule = "must be between 1 and 2147483647, inclusive";
        errors.invalid(&path.child("activeDeadlineSeconds"), seconds, rule);
    }
    dns::of_host_aliases(spec, &path.child("hostAliases"), errors);
    if let Some(os) = &spec.os {
        errors.one_of(&path.child("os").child("name"), Some(&os.name), &["linux", "windows"]);
    }
    // A static pod has its node, and a gate says that it must not have one yet.
    if spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
        let rule = "cannot be set until all schedulingGates have been cleared";
        errors.forbidden(&path.child("nodeName"), rule);
    }
    if spec.host_users == Some(false) {
        let namespaces =
            [("hostNetwork", spec.host_network), ("hostPID", spec.host_pid), ("hostIPC", spec.host_ipc)];
        for (field, _) in namespaces.into_iter().filter(|(_, shared)| *shared == Some(true)) {
            errors.forbidden(&path.child(field), "when `hostUsers` is false");
        }
    }
}

/// The names that a spec gives to itself or to others.
fn of_names(spec: &PodSpec, path: &FieldPath, errors: &mut FieldErrors) {
    type Rule = fn(&str) -> Vec<String>;
    let names: [(&str, &Option<String>, Rule); 6] = [
        ("nodeName", &spec.node_name, names::dns_subdomain),
        ("hostname", &spec.hostname, names::dns_label),
        ("subdomain", &spec.subdomain, names::dns_label),
        ("priorityClassName", &spec.priority_class_name, names::dns_subdomain),
        ("runtimeClassName", &spec.runtime_class_name, names::dns_subdomain),
        ("hostnameOverride", &spec.hostname_override, names::dns_subdomain),
    ];
    for (field, name, rule) in names {
        if let Some(name) = name.as_deref().filter(|name| !name.is_empty()) {
            errors.invalid_for(&path.child(field), name, rule(name));
        }
    }
    if let Some(name) = &spec.hostname_override {
        let path = path.child("hostnameOverride");
        if spec.set_hostname_as_fqdn == Some(true) {
            errors.forbidden(&path, "may not be specified when setHostnameAsFQDN is true");
        }
        if spec.host_network == Some(true) {
            errors.forbidden(&path, "may not be specified when hostNetwork is true");
        }
        if name.len() > 64 {
            errors.too_long(&path, 64);
        }
    }
}
