//! How the containers of a pod find names: the resolver's settings, and lines for `/etc/hosts`.
//!
//! Mirrors `validation.go: validatePodDNSConfig`, `ValidateHostAliases`.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{PodDNSConfig, PodSpec};

use crate::field::{FieldErrors, FieldPath};
use crate::names;

/// What the C library's resolver can hold.
const MAX_NAMESERVERS: usize = 3;
const MAX_SEARCHES: usize = 32;
const MAX_SEARCH_CHARS: usize = 2048;

pub(crate) fn of_config(spec: &PodSpec, path: &FieldPath, errors: &mut FieldErrors) {
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

pub(crate) fn of_host_aliases(spec: &PodSpec, path: &FieldPath, errors: &mut FieldErrors) {
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        let path = path.index(index);
        of_ip(&alias.ip, &path.child("ip"), errors);
        for (index, name) in alias.hostnames.iter().flatten().enumerate() {
            errors.invalid_for(&path.child("hostnames").index(index), name, names::dns_subdomain(name));
        }
    }
}

fn of_ip(text: &str, path: &FieldPath, errors: &mut FieldErrors) {
    if text.parse::<IpAddr>().is_err() {
        errors.invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
}
