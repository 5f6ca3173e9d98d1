//! What a pod's host is called.
//!
//! The name is the pod's own, unless the spec gives another. With a subdomain it also has a domain, under which the DNS
//! of the cluster knows it when there is a service of that name:
//! `HOSTNAME.SUBDOMAIN.NAMESPACE.svc.CLUSTER-DOMAIN`.

use pod_model::identity::{is_host_network, spec};
use pod_model::{Pod, PodRef};

use crate::dns_name::{LABEL_MAX, label_faults, subdomain_faults};

/// The longest name that the kernel keeps for a host (`struct utsname`, 64 bytes and the end).
const KERNEL_NAME_MAX: usize = 64;

/// A pod whose host cannot be named. The texts are the kubelet's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostnameError {
    /// `spec.hostname` is not one label.
    #[error("pod Hostname {hostname:?} is not a valid DNS label: {faults}")]
    Hostname {
        /// As it was written.
        hostname: String,
        /// What is wrong with it.
        faults: String,
    },
    /// `spec.hostnameOverride` is not a name.
    #[error("pod HostnameOverride {hostname:?} is not a valid DNS subdomain: {faults}")]
    Override {
        /// As it was written.
        hostname: String,
        /// What is wrong with it.
        faults: String,
    },
    /// `spec.subdomain` is not one label.
    #[error("pod Subdomain {subdomain:?} is not a valid DNS label: {faults}")]
    Subdomain {
        /// As it was written.
        subdomain: String,
        /// What is wrong with it.
        faults: String,
    },
    /// Nothing is left of a name that had to be cut.
    #[error("hostname for pod {pod:?} was invalid: {hostname:?}")]
    Empty {
        /// The pod's name.
        pod: String,
        /// The name before it was cut.
        hostname: String,
    },
    /// `setHostnameAsFQDN`, and name and domain together are longer than the kernel allows.
    #[error(
        "failed to construct FQDN from pod hostname and cluster domain, FQDN {fqdn} is too long ({KERNEL_NAME_MAX} characters is the max, {} characters requested)",
        fqdn.len()
    )]
    FqdnTooLong {
        /// Name and domain.
        fqdn: String,
    },
}

/// The host name of a pod and its domain, which is empty without a subdomain.
///
/// An override stands for itself: it may have dots, and takes the domain away.
/// Mirrors `kubelet_pods.go: GeneratePodHostNameAndDomain`.
///
/// # Errors
/// A `hostname`, `hostnameOverride` or `subdomain` that the DNS would not take.
pub fn pod_hostname(pod: &Pod, cluster_domain: &str) -> Result<(String, String), HostnameError> {
    let (names, spec) = (PodRef::of(pod), spec(pod));
    if let Some(name) = &spec.hostname_override {
        let faults = subdomain_faults(name).join(";");
        if !faults.is_empty() {
            return Err(HostnameError::Override { hostname: name.clone(), faults });
        }
        return Ok((cut(&names.name, name)?, String::new()));
    }
    let own = spec.hostname.as_deref().unwrap_or_default();
    let faults = if own.is_empty() { String::new() } else { label_faults(own).join(";") };
    if !faults.is_empty() {
        return Err(HostnameError::Hostname { hostname: own.to_owned(), faults });
    }
    let hostname = cut(&names.name, if own.is_empty() { &names.name } else { own })?;

    let subdomain = spec.subdomain.as_deref().unwrap_or_default();
    if subdomain.is_empty() {
        return Ok((hostname, String::new()));
    }
    let faults = label_faults(subdomain).join(";");
    if !faults.is_empty() {
        return Err(HostnameError::Subdomain { subdomain: subdomain.to_owned(), faults });
    }
    Ok((hostname, format!("{subdomain}.{}.svc.{cluster_domain}", names.namespace)))
}

/// At most 63 bytes, without a `-` or `.` at the cut. A pod's name may have 253.
/// Mirrors `truncatePodHostnameIfNeeded`.
fn cut(pod: &str, hostname: &str) -> Result<String, HostnameError> {
    if hostname.len() <= LABEL_MAX {
        return Ok(hostname.to_owned());
    }
    let kept = hostname[..hostname.floor_char_boundary(LABEL_MAX)].trim_end_matches(['-', '.']);
    if kept.is_empty() {
        return Err(HostnameError::Empty { pod: pod.to_owned(), hostname: hostname.to_owned() });
    }
    Ok(kept.to_owned())
}

/// What the kernel is told: the host name, or with `setHostnameAsFQDN` name and domain.
/// Mirrors `util/util.go: GetNodenameForKernel`.
///
/// # Errors
/// [`HostnameError::FqdnTooLong`] above 64 bytes; nothing is cut here, since half a domain is another domain.
pub fn kernel_hostname(pod: &Pod, hostname: &str, domain: &str) -> Result<String, HostnameError> {
    if domain.is_empty() || spec(pod).set_hostname_as_fqdn != Some(true) {
        return Ok(hostname.to_owned());
    }
    let fqdn = format!("{hostname}.{domain}");
    if fqdn.len() > KERNEL_NAME_MAX { Err(HostnameError::FqdnTooLong { fqdn }) } else { Ok(fqdn) }
}

/// The name that goes into a sandbox's message: empty for a pod in the host's network, which keeps the host's.
/// Mirrors `kuberuntime_sandbox.go: generatePodSandboxConfig`.
///
/// # Errors
/// As [`pod_hostname`] and [`kernel_hostname`].
pub fn sandbox_hostname(pod: &Pod, cluster_domain: &str) -> Result<String, HostnameError> {
    if is_host_network(pod) {
        return Ok(String::new());
    }
    let (hostname, domain) = pod_hostname(pod, cluster_domain)?;
    kernel_hostname(pod, &hostname, &domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, spec: serde_json::Value) -> Pod {
        let mut spec = spec;
        spec["containers"] = serde_json::json!([]);
        serde_json::from_value(
            serde_json::json!({"metadata": {"name": name, "namespace": "ns"}, "spec": spec}),
        )
        .expect("a pod")
    }

    #[test]
    fn names_and_domains() {
        let long = format!("{}-.{}", "a".repeat(61), "b".repeat(10));
        for (name, spec, hostname, domain) in [
            ("web", serde_json::json!({}), "web", ""),
            ("web", serde_json::json!({"hostname": "custom"}), "custom", ""),
            ("web", serde_json::json!({"hostname": ""}), "web", ""),
            ("web", serde_json::json!({"subdomain": "sub"}), "web", "sub.ns.svc.cluster.local"),
            ("a.b", serde_json::json!({}), "a.b", ""),
            (
                "web",
                serde_json::json!({"hostname": "h", "subdomain": "s", "hostnameOverride": "db.example.com"}),
                "db.example.com",
                "",
            ),
            (&long, serde_json::json!({}), &"a".repeat(61), ""),
            (&"a".repeat(253), serde_json::json!({}), &"a".repeat(63), ""),
            ("web", serde_json::json!({"hostnameOverride": "x".repeat(64)}), &"x".repeat(63), ""),
        ] {
            let got = pod_hostname(&pod(name, spec.clone()), "cluster.local").expect("a name");
            assert_eq!(got, (hostname.to_owned(), domain.to_owned()), "{name} {spec}");
        }
    }

    #[test]
    fn what_the_dns_would_not_take_is_refused_in_the_kubelets_words() {
        let label = &label_faults("A")[0];
        let subdomain = &subdomain_faults("A")[0];
        let dots = "-".repeat(64);
        for (name, spec, refused) in [
            (
                "web",
                serde_json::json!({"hostname": "Web"}),
                format!("pod Hostname \"Web\" is not a valid DNS label: {label}"),
            ),
            (
                "web",
                serde_json::json!({"hostname": "a.b"}),
                "pod Hostname \"a.b\" is not a valid DNS label: must not contain dots".into(),
            ),
            (
                "web",
                serde_json::json!({"subdomain": "a_b"}),
                format!("pod Subdomain \"a_b\" is not a valid DNS label: {label}"),
            ),
            (
                "web",
                serde_json::json!({"hostnameOverride": ""}),
                format!("pod HostnameOverride \"\" is not a valid DNS subdomain: {subdomain}"),
            ),
            (
                "web",
                serde_json::json!({"hostname": "-".repeat(64)}),
                format!(
                    "pod Hostname \"{dots}\" is not a valid DNS label: must be no more than 63 bytes;{label}"
                ),
            ),
            (&dots, serde_json::json!({}), format!("hostname for pod \"{dots}\" was invalid: \"{dots}\"")),
        ] {
            let got = pod_hostname(&pod(name, spec), "cluster.local").expect_err("refused");
            assert_eq!(got.to_string(), refused);
        }
    }

    #[test]
    fn the_kernel_is_told_the_domain_only_when_asked_and_only_if_it_fits() {
        let kernel =
            |name: &str, spec| sandbox_hostname(&pod(name, spec), "cluster.local").map_err(|e| e.to_string());
        let fqdn = serde_json::json!({"subdomain": "sub", "setHostnameAsFQDN": true});
        assert_eq!(kernel("web", serde_json::json!({"subdomain": "sub"})), Ok("web".into()));
        assert_eq!(
            kernel("web", serde_json::json!({"setHostnameAsFQDN": true})),
            Ok("web".into()),
            "no domain"
        );
        assert_eq!(kernel("web", fqdn.clone()), Ok("web.sub.ns.svc.cluster.local".into()));
        // 39 bytes and ".sub.ns.svc.cluster.local" are 64.
        let most = "a".repeat(39);
        assert_eq!(kernel(&most, fqdn.clone()), Ok(format!("{most}.sub.ns.svc.cluster.local")));
        assert_eq!(
            kernel(&format!("{most}a"), fqdn.clone()),
            Err(format!(
                "failed to construct FQDN from pod hostname and cluster domain, FQDN {most}a.sub.ns.svc.cluster.local is too long (64 characters is the max, 65 characters requested)"
            ))
        );
        let mut on_host = fqdn;
        on_host["hostNetwork"] = serde_json::json!(true);
        assert_eq!(kernel(&"a".repeat(99), on_host), Ok(String::new()));
    }
}
