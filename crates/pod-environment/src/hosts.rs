//! `/etc/hosts` of a container.
//!
//! The kubelet writes one file for each pod and mounts it into every container, since an image's own file cannot know
//! the pod's addresses. It is written anew whenever a container starts, with mode 0644, at
//! `pod_model::paths::etc_hosts`.
//!
//! Mirrors `kubelet_pods.go: ensureHostsFile` and what it calls.

use std::fmt::Write as _;

use k8s_openapi::api::core::v1::HostAlias;
use pod_model::identity::{is_host_network, spec};
use pod_model::{Container, Pod};

/// Where the file is mounted.
pub const HOSTS_PATH: &str = "/etc/hosts";
/// The mode of the file, whatever the umask.
pub const HOSTS_MODE: u32 = 0o644;

const HEADER: &str = "# Kubernetes-managed hosts file.\n";
const HEADER_HOST_NETWORK: &str = "# Kubernetes-managed hosts file (host network).\n";

/// What every hosts file begins with. That `fe00::0` stands there twice is the kubelet's own.
const LOCAL: &str = "\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
";

/// Whether the kubelet's file is mounted into this container: not while the pod has no address yet, and not over a
/// volume that the container mounts there itself. Mirrors `shouldMountHostsFile` and `makeMounts`.
pub fn mounts_hosts_file(pod: &Pod, container: &Container, pod_ips: &[String]) -> bool {
    let knows_addresses = !pod_ips.is_empty() || is_host_network(pod);
    let mut mounts = container.volume_mounts.iter().flatten();
    knows_addresses && mounts.all(|mount| mount.mount_path != HOSTS_PATH)
}

/// The content of a pod's hosts file. `hostname` and `domain` are [`pod_hostname`](crate::pod_hostname)'s; `node_hosts`
/// is the node's own file, used only for a pod in the host's network. Mirrors `ensureHostsFile`.
pub fn hosts_file(pod: &Pod, pod_ips: &[String], hostname: &str, domain: &str, node_hosts: &[u8]) -> Vec<u8> {
    let aliases = spec(pod).host_aliases.as_deref().unwrap_or_default();
    if is_host_network(pod) {
        host_network_hosts(node_hosts, aliases)
    } else {
        managed_hosts(pod_ips, hostname, domain, aliases).into_bytes()
    }
}

/// The file of a pod with a network of its own: one line for each of its addresses. Mirrors `managedHostsFileContent`.
pub fn managed_hosts(pod_ips: &[String], hostname: &str, domain: &str, aliases: &[HostAlias]) -> String {
    let mut text = format!("{HEADER}{LOCAL}");
    let names =
        if domain.is_empty() { hostname.to_owned() } else { format!("{hostname}.{domain}\t{hostname}") };
    for ip in pod_ips {
        let _ = writeln!(text, "{ip}\t{names}");
    }
    text + &alias_lines(aliases)
}

/// The file of a pod in the host's network: the node's own, marked as the kubelet's. Mirrors `nodeHostsFileContent`.
pub fn host_network_hosts(node_hosts: &[u8], aliases: &[HostAlias]) -> Vec<u8> {
    [HEADER_HOST_NETWORK.as_bytes(), node_hosts, alias_lines(aliases).as_bytes()].concat()
}

/// `hostAliases` of the pod, one line for each address. Mirrors `hostsEntriesFromHostAliases`.
fn alias_lines(aliases: &[HostAlias]) -> String {
    if aliases.is_empty() {
        return String::new();
    }
    let mut text = "\n# Entries added by HostAliases.\n".to_owned();
    for alias in aliases {
        let _ = writeln!(text, "{}\t{}", alias.ip, alias.hostnames.as_deref().unwrap_or_default().join("\t"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(spec: serde_json::Value) -> Pod {
        serde_json::from_value(serde_json::json!({"metadata": {"name": "web"}, "spec": spec})).expect("a pod")
    }

    fn aliases() -> serde_json::Value {
        serde_json::json!([{"ip": "10.1.2.3", "hostnames": ["foo.local", "bar.local"]}, {"ip": "::7", "hostnames": ["seven"]}])
    }

    fn text(pod: &Pod, ips: &[&str], domain: &str) -> String {
        let ips: Vec<String> = ips.iter().map(ToString::to_string).collect();
        String::from_utf8(hosts_file(pod, &ips, "web", domain, b"127.0.0.1 node\n")).expect("text")
    }

    #[test]
    fn a_pod_of_its_own_network_gets_a_line_for_each_address() {
        assert_eq!(
            text(&pod(serde_json::json!({"containers": []})), &["10.88.0.5", "fd00::5"], ""),
            "# Kubernetes-managed hosts file.\n\
             127.0.0.1\tlocalhost\n\
             ::1\tlocalhost ip6-localhost ip6-loopback\n\
             fe00::0\tip6-localnet\n\
             fe00::0\tip6-mcastprefix\n\
             fe00::1\tip6-allnodes\n\
             fe00::2\tip6-allrouters\n\
             10.88.0.5\tweb\n\
             fd00::5\tweb\n"
        );
    }

    #[test]
    fn a_domain_adds_the_long_name_and_aliases_come_last() {
        let pod = pod(serde_json::json!({"containers": [], "hostAliases": aliases()}));
        let text = text(&pod, &["10.88.0.5"], "sub.ns.svc.cluster.local");
        let own = text.split_once("fe00::2\tip6-allrouters\n").expect("the common lines").1;
        assert_eq!(
            own,
            "10.88.0.5\tweb.sub.ns.svc.cluster.local\tweb\n\
             \n\
             # Entries added by HostAliases.\n\
             10.1.2.3\tfoo.local\tbar.local\n\
             ::7\tseven\n"
        );
    }

    #[test]
    fn a_pod_in_the_hosts_network_sees_the_nodes_own_file() {
        let spec = serde_json::json!({"containers": [], "hostNetwork": true, "hostAliases": aliases()});
        assert_eq!(
            text(&pod(spec), &["10.88.0.5"], "ignored"),
            "# Kubernetes-managed hosts file (host network).\n\
             127.0.0.1 node\n\
             \n\
             # Entries added by HostAliases.\n\
             10.1.2.3\tfoo.local\tbar.local\n\
             ::7\tseven\n"
        );
    }

    #[test]
    fn the_file_is_not_mounted_without_addresses_nor_over_the_containers_own_mount() {
        let own =
            serde_json::json!([{"name": "a", "volumeMounts": [{"name": "v", "mountPath": "/etc/hosts"}]}]);
        let beside =
            serde_json::json!([{"name": "a", "volumeMounts": [{"name": "v", "mountPath": "/etc/hosts.d"}]}]);
        let ip = ["10.0.0.1".to_owned()];
        for (containers, host_network, ips, mounted) in [
            (&beside, false, &ip[..], true),
            (&beside, false, &[], false),
            (&beside, true, &[], true),
            (&own, false, &ip[..], false),
            (&own, true, &[], false),
        ] {
            let pod = pod(serde_json::json!({"containers": containers, "hostNetwork": host_network}));
            assert_eq!(
                mounts_hosts_file(&pod, &spec(&pod).containers[0], ips),
                mounted,
                "{containers} {host_network}"
            );
        }
    }
}
