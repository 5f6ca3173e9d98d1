//! What a pod must look like before the node takes it in.
//!
//! For every other pod the API server has checked all this; for a static pod nobody has. What is wrong is collected, not
//! stopped at, in the order in which the kubelet looks.
//!
//! Mirrors `pkg/apis/core/validation/validation.go: ValidatePodCreate`.

mod container;
mod handler;
mod resources;
mod volume;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Pod, PodDNSConfig, PodSecurityContext, PodSpec, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::field::{FieldErrors, FieldPath};
use crate::{manifest, names};

/// The annotations of one object may take 256 KiB together.
const MAX_ANNOTATION_BYTES: usize = 256 << 10;
/// What the C library's resolver can hold.
const MAX_NAMESERVERS: usize = 3;
const MAX_SEARCHES: usize = 32;
const MAX_SEARCH_CHARS: usize = 2048;

/// Checks a pod whose defaults are filled in.
pub(crate) fn pod(pod: &Pod, errors: &mut FieldErrors) {
    manifest::check_uid(pod, errors);
    of_metadata(&pod.metadata, &FieldPath::root().child("metadata"), errors);
    if let Some(spec) = &pod.spec {
        of_spec(spec, &FieldPath::root().child("spec"), errors);
    }
}

fn of_metadata(metadata: &ObjectMeta, path: &FieldPath, errors: &mut FieldErrors) {
    // A name that is absent has been complained about before the node's name was added to it.
    if let Some(name) = metadata.name.as_deref().filter(|name| !name.is_empty()) {
        errors.invalid_for(&path.child("name"), name, names::dns_subdomain(name));
    }
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    errors.invalid_for(&path.child("namespace"), namespace, names::dns_label(namespace));
    of_labels(metadata.labels.as_ref(), &path.child("labels"), errors);
    let annotations = metadata.annotations.iter().flatten();
    for (key, _) in annotations.clone() {
        errors.invalid_for(&path.child("annotations"), key, names::qualified(&key.to_lowercase()));
    }
    if annotations.map(|(key, value)| key.len() + value.len()).sum::<usize>() > MAX_ANNOTATION_BYTES {
        errors.too_long(&path.child("annotations"), MAX_ANNOTATION_BYTES);
    }
}

fn of_labels(labels: Option<&BTreeMap<String, String>>, path: &FieldPath, errors: &mut FieldErrors) {
    for (key, value) in labels.into_iter().flatten() {
        errors.invalid_for(path, key, names::qualified(key));
        errors.invalid_for(path, value, names::label_value(value));
    }
}

/// Mirrors `ValidatePodSpec`.
fn of_spec(spec: &PodSpec, path: &FieldPath, errors: &mut FieldErrors) {
    let volumes = volume::all(spec.volumes.as_deref().unwrap_or_default(), &path.child("volumes"), errors);
    container::all(spec, &volumes, path, errors);
    if spec.ephemeral_containers.as_ref().is_some_and(|containers| !containers.is_empty()) {
        errors.forbidden(&path.child("ephemeralContainers"), "cannot be set on create");
    }
    if let Some(of_pod) = &spec.resources {
        resources::of_pod(of_pod, &path.child("resources"), errors);
    }
    errors.one_of(
        &path.child("restartPolicy"),
        spec.restart_policy.as_deref(),
        &["Always", "OnFailure", "Never"],
    );
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    errors.one_of(&path.child("dnsPolicy"), spec.dns_policy.as_deref(), &policies);
    of_labels(spec.node_selector.as_ref(), &path.child("nodeSelector"), errors);
    if let Some(context) = &spec.security_context {
        of_security_context(context, spec, &path.child("securityContext"), errors);
    }
    of_dns(spec, &path.child("dnsConfig"), errors);
    of_names(spec, path, errors);
    if let Some(seconds) =
        spec.active_deadline_seconds.filter(|seconds| !(1..=i64::from(i32::MAX)).contains(seconds))
    {
        let rule = "must be between 1 and 2147483647, inclusive";
        errors.invalid(&path.child("activeDeadlineSeconds"), seconds, rule);
    }
    for (index, toleration) in spec.tolerations.iter().flatten().enumerate() {
        of_toleration(toleration, &path.child("tolerations").index(index), errors);
    }
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        let path = path.child("hostAliases").index(index);
        of_ip(&alias.ip, &path.child("ip"), errors);
        for (index, name) in alias.hostnames.iter().flatten().enumerate() {
            errors.invalid_for(&path.child("hostnames").index(index), name, names::dns_subdomain(name));
        }
    }
    if let Some(os) = &spec.os {
        errors.one_of(&path.child("os").child("name"), Some(&os.name), &["linux", "windows"]);
    }
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

/// Mirrors `validatePodSpecSecurityContext`.
fn of_security_context(
    context: &PodSecurityContext,
    spec: &PodSpec,
    path: &FieldPath,
    errors: &mut FieldErrors,
) {
    let ids = [
        ("fsGroup", context.fs_group),
        ("runAsUser", context.run_as_user),
        ("runAsGroup", context.run_as_group),
    ];
    for (field, id) in ids {
        container::of_id(id, &path.child(field), errors);
    }
    for (index, group) in context.supplemental_groups.iter().flatten().enumerate() {
        container::of_id(Some(*group), &path.child("supplementalGroups").index(index), errors);
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let rule = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(&path.child("shareProcessNamespace"), true, rule);
    }
    let mut seen = BTreeSet::new();
    for (index, sysctl) in context.sysctls.iter().flatten().enumerate() {
        let path = path.child("sysctls").index(index).child("name");
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./".contains(c);
        match sysctl.name.as_str() {
            "" => errors.required(&path, ""),
            name if name.len() > 253 || !name.chars().all(fine) => {
                errors.invalid(
                    &path,
                    name,
                    "must have at most 253 characters and be words of [a-z0-9-_] joined by '.' or '/'",
                );
            }
            name if !seen.insert(name) => errors.duplicate(&path, name),
            _ => {}
        }
    }
    if let Some(policy) = context.fs_group_change_policy.as_deref() {
        errors.one_of(&path.child("fsGroupChangePolicy"), Some(policy), &["Always", "OnRootMismatch"]);
    }
    if let Some(policy) = context.supplemental_groups_policy.as_deref() {
        errors.one_of(&path.child("supplementalGroupsPolicy"), Some(policy), &["Merge", "Strict"]);
    }
    container::of_profiles(
        context.seccomp_profile.as_ref(),
        context.app_armor_profile.as_ref(),
        path,
        errors,
    );
}

/// Mirrors `validatePodDNSConfig`.
fn of_dns(spec: &PodSpec, path: &FieldPath, errors: &mut FieldErrors) {
    let none = PodDNSConfig::default();
    let config = spec.dns_config.as_ref().unwrap_or(&none);
    let nameservers = config.nameservers.as_deref().unwrap_or_default();
    if spec.dns_policy.as_deref() == Some("None") && nameservers.is_empty() {
        if spec.dns_config.is_none() {
            errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
        } else {
            let rule = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.required(&path.child("nameservers"), rule);
        }
        return;
    }
    if nameservers.len() > MAX_NAMESERVERS {
        errors.invalid(&path.child("nameservers"), nameservers, "must not have more than 3 nameservers");
    }
    for (index, server) in nameservers.iter().enumerate() {
        of_ip(server, &path.child("nameservers").index(index), errors);
    }
    let searches = config.searches.as_deref().unwrap_or_default();
    if searches.len() > MAX_SEARCHES {
        errors.invalid(&path.child("searches"), searches, "must not have more than 32 search paths");
    }
    if searches.join(" ").len() > MAX_SEARCH_CHARS {
        let rule = "must not have more than 2048 characters (including spaces) in the search list";
        errors.invalid(&path.child("searches"), searches, rule);
    }
    for (index, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        errors.invalid_for(&path.child("searches").index(index), search, names::search_domain(search));
    }
    for (index, option) in config.options.iter().flatten().enumerate() {
        if option.name.as_deref().unwrap_or_default().is_empty() {
            errors.required(&path.child("options").index(index), "must not be empty");
        }
    }
}

fn of_ip(text: &str, path: &FieldPath, errors: &mut FieldErrors) {
    if text.parse::<IpAddr>().is_err() {
        errors.invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
}

/// Mirrors `ValidateTolerations`.
fn of_toleration(toleration: &Toleration, path: &FieldPath, errors: &mut FieldErrors) {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (key, operator) = (text(&toleration.key), text(&toleration.operator));
    let (value, effect) = (text(&toleration.value), text(&toleration.effect));
    if !key.is_empty() {
        errors.invalid_for(&path.child("key"), &key, names::qualified(&key));
    } else if operator != "Exists" {
        let rule =
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        errors.invalid(&path.child("operator"), &operator, rule);
    }
    if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
        errors.invalid(
            &path.child("effect"),
            &effect,
            "effect must be 'NoExecute' when `tolerationSeconds` is set",
        );
    }
    match operator.as_str() {
        "Equal" | "" => errors.invalid_for(&path.child("operator"), &value, names::label_value(&value)),
        "Exists" if value.is_empty() => {}
        "Exists" => {
            errors.invalid(
                &path.child("operator"),
                &value,
                "value must be empty when `operator` is 'Exists'",
            );
        }
        other => errors.unsupported(&path.child("operator"), other, &["Equal", "Exists"]),
    }
    if !effect.is_empty() {
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        errors.one_of(&path.child("effect"), Some(&effect), &effects);
    }
}
