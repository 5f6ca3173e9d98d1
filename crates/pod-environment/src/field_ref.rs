//! A field of the pod as text: the downward API.
//!
//! Mirrors `kubelet_pods.go: podFieldSelectorRuntimeValue, sortPodIPs`, `pkg/apis/core/pods/helpers.go:
//! ConvertDownwardAPIFieldLabel` and `pkg/fieldpath/fieldpath.go`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::ObjectFieldSelector;
use pod_model::identity::spec;
use pod_model::{Pod, PodRef};

use crate::EnvFacts;
use crate::dns_name::key_faults;

/// A field that cannot be shown. The texts are the kubelet's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// `apiVersion` is not `v1`.
    #[error("unsupported pod version: {version}")]
    Version {
        /// As it was written.
        version: String,
    },
    /// No field that the downward API offers.
    #[error("field label not supported: {path}")]
    Unknown {
        /// As it was written.
        path: String,
    },
    /// `field['key']` on a field without keys.
    #[error("field label does not support subscript: {path}")]
    Subscript {
        /// As it was written.
        path: String,
    },
    /// `field['key']` with a key that no label or annotation can have.
    #[error("invalid key subscript in {path}: {faults}")]
    Key {
        /// As it was written.
        path: String,
        /// What is wrong with the key.
        faults: String,
    },
    /// A field that is known, but has no value for a container.
    #[error("unsupported fieldPath: {path}")]
    NoValue {
        /// As it was written.
        path: String,
    },
    /// The node does not know its own address yet.
    #[error("failed to get host IP: the node has no address yet")]
    NoHostIp,
}

/// The value of one field. What a label, an annotation or an optional field lacks is empty, not an error.
///
/// # Errors
/// [`FieldError`], one variant for each way to name no field.
pub(crate) fn field_value(
    pod: &Pod,
    selector: &ObjectFieldSelector,
    facts: &EnvFacts,
) -> Result<String, FieldError> {
    let version = selector.api_version.as_deref().unwrap_or("v1");
    if version != "v1" {
        return Err(FieldError::Version { version: version.to_owned() });
    }
    let path = selector.field_path.as_str();
    if let Some((field, key)) = subscripted(path) {
        return keyed_value(pod, path, field, key);
    }
    let (names, spec) = (PodRef::of(pod), spec(pod));
    let pod_ips = || preferred_ips(&facts.pod_ips, facts.ipv6_first);
    Ok(match path {
        "metadata.name" => names.name,
        "metadata.namespace" => names.namespace,
        "metadata.uid" => names.uid.to_string(),
        "metadata.labels" => lines(pod.metadata.labels.as_ref()),
        "metadata.annotations" => lines(pod.metadata.annotations.as_ref()),
        // The second is the name of the first in the oldest clients.
        "spec.nodeName" | "spec.host" => spec.node_name.clone().unwrap_or_default(),
        "spec.serviceAccountName" => spec.service_account_name.clone().unwrap_or_default(),
        "status.podIP" => pod_ips().into_iter().next().unwrap_or_default(),
        "status.podIPs" => pod_ips().join(","),
        "status.hostIP" => facts.host_ips.first().cloned().ok_or(FieldError::NoHostIp)?,
        "status.hostIPs" if facts.host_ips.is_empty() => return Err(FieldError::NoHostIp),
        "status.hostIPs" => facts.host_ips.join(","),
        "spec.restartPolicy" | "spec.schedulerName" | "status.phase" => {
            return Err(FieldError::NoValue { path: path.to_owned() });
        }
        _ => return Err(FieldError::Unknown { path: path.to_owned() }),
    })
}

/// `metadata.labels['tier']` as field and key. Mirrors `SplitMaybeSubscriptedPath`.
fn subscripted(path: &str) -> Option<(&str, &str)> {
    path.strip_suffix("']")?.split_once("['").filter(|(field, _)| !field.is_empty())
}

fn keyed_value(pod: &Pod, path: &str, field: &str, key: &str) -> Result<String, FieldError> {
    let (map, faults) = match field {
        "metadata.labels" => (&pod.metadata.labels, key_faults(key)),
        // Annotations may have upper case where labels may not.
        "metadata.annotations" => (&pod.metadata.annotations, key_faults(&key.to_lowercase())),
        _ => return Err(FieldError::Subscript { path: path.to_owned() }),
    };
    if !faults.is_empty() {
        return Err(FieldError::Key { path: path.to_owned(), faults: faults.join(";") });
    }
    Ok(map.as_ref().and_then(|map| map.get(key)).cloned().unwrap_or_default())
}

/// One `key="value"` a line, in the order of the keys. Mirrors `FormatMap`.
fn lines(map: Option<&BTreeMap<String, String>>) -> String {
    let lines = map.into_iter().flatten().map(|(key, value)| format!("{key}={}", quoted(value)));
    lines.collect::<Vec<_>>().join("\n")
}

/// A text in quotes, as Go's `strconv.Quote` writes it: what cannot be printed is escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if c.is_ascii_control() => drop(write!(out, "\\x{:02x}", u32::from(c))),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) < 0x1_0000 => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => drop(write!(out, "\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Both languages call the same classes of Unicode printable. The letter before keeps an accent from being escaped for
/// standing alone.
fn is_printable(c: char) -> bool {
    let shown: String = format!("a{c}").escape_debug().skip(1).collect();
    !shown.starts_with("\\u")
}

/// One address of each family, the preferred family first; what is no address is left out. Mirrors `sortPodIPs`.
fn preferred_ips(pod_ips: &[String], ipv6_first: bool) -> Vec<String> {
    let parsed: Vec<IpAddr> = pod_ips.iter().filter_map(|ip| ip.parse().ok()).collect();
    let first_of = |ipv6: bool| parsed.iter().find(|ip| ip.is_ipv6() == ipv6);
    [first_of(ipv6_first), first_of(!ipv6_first)].into_iter().flatten().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
