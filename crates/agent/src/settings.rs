//! From the configuration to what the crates below are told.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use kubelet::{DnsSettings, EnvFacts, NodeFacts, RuntimeSettings, Settings, Surroundings, read_node_facts};
use kubelet_config::KubeletConfiguration;
use pod_model::quantity::Quantity;

use crate::cli::Arguments;

/// How many pods start at a time for each processor: four on two cores is what was measured to finish soonest.
const STARTS_PER_CPU: usize = 2;

/// Puts together what the agent is told.
///
/// # Errors
/// A name that no node can have, an address that is none, a machine whose facts cannot be read.
pub fn settings(
    arguments: &Arguments,
    configuration: &KubeletConfiguration,
    root_dir: PathBuf,
) -> Result<Settings> {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let node = NodeFacts {
        cpu_cfs_quota: configuration.cpu_cfs_quota,
        cpu_cfs_quota_period: configuration.cpu_cfs_quota_period,
        seccomp_profile_root: root_dir.join("seccomp"),
        ..read_node_facts().context("read the facts of this machine")?
    };
    let pod_logs_dir =
        arguments.pod_logs_dir.clone().unwrap_or_else(|| PathBuf::from(&configuration.pod_logs_dir));
    Ok(Settings {
        node_name: node_name(arguments.hostname_override.as_deref())?,
        runtime: RuntimeSettings {
            root_dir,
            pod_logs_dir: std::path::absolute(pod_logs_dir).context("the pod logs directory")?,
            cgroup_root: cgroup_root(&configuration.cgroup_root)?,
            cgroups_per_qos: configuration.cgroups_per_qos,
            surroundings: surroundings(configuration, &node, cpus)?,
            node,
            max_backoff: configuration
                .crash_loop_back_off
                .max_container_restart_period
                .unwrap_or(pod_model::MAX),
            parallel_starts: cpus * STARTS_PER_CPU,
        },
        file_check_frequency: configuration.file_check_frequency,
        sync_frequency: configuration.sync_frequency,
        adopt: arguments.adopt,
    })
}

/// The node's name: the host's unless overridden, in lower case. Mirrors `pkg/util/node: GetHostname`.
fn node_name(hostname_override: Option<&str>) -> Result<String> {
    let name = match hostname_override {
        Some(name) => name.to_owned(),
        None => nix::unistd::gethostname().context("ask for the host's name")?.to_string_lossy().into_owned(),
    };
    let name = name.trim().to_lowercase();
    let label = |part: &str| {
        let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.starts_with(alphanumeric)
            && part.ends_with(alphanumeric)
            && part.chars().all(|c| alphanumeric(c) || c == '-')
    };
    if name.len() > 253 || !name.split('.').all(label) {
        bail!("node name {name:?}: must be a DNS subdomain; give another with --hostname-override");
    }
    Ok(name)
}

/// An absolute path without steps back, or nothing.
fn cgroup_root(root: &str) -> Result<String> {
    let trimmed = root.trim_end_matches('/');
    if !trimmed.is_empty() && (!trimmed.starts_with('/') || trimmed.split('/').any(|part| part == "..")) {
        bail!("cgroupRoot {root:?}: must be an absolute path, such as /kubelet");
    }
    Ok(trimmed.to_owned())
}

fn surroundings(configuration: &KubeletConfiguration, node: &NodeFacts, cpus: usize) -> Result<Surroundings> {
    let address = |text: &String| {
        text.parse::<IpAddr>().with_context(|| format!("clusterDNS {text:?}: not an IP address"))
    };
    let allocatable = BTreeMap::from([
        ("cpu".to_owned(), Quantity(cpus.to_string())),
        ("memory".to_owned(), Quantity(node.memory_capacity.to_string())),
    ]);
    Ok(Surroundings {
        dns: DnsSettings {
            cluster_dns: configuration.cluster_dns.iter().map(address).collect::<Result<_>>()?,
            cluster_domain: configuration.cluster_domain.clone(),
            ..DnsSettings::default()
        },
        resolv_conf: Some(&configuration.resolv_conf).filter(|path| !path.is_empty()).map(PathBuf::from),
        node_hosts: Path::new("/etc/hosts").to_owned(),
        env: EnvFacts { allocatable, ..EnvFacts::default() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_name_is_a_dns_name_in_lower_case() {
        assert_eq!(node_name(Some(" Node1.Example ")).expect("a name"), "node1.example");
        for refused in ["-a", "a_b", "a..b", "a/b", "ü"] {
            assert!(node_name(Some(refused)).expect_err(refused).to_string().contains("--hostname-override"));
        }
        assert!(!node_name(None).expect("this host has a name").is_empty());
    }

    #[test]
    fn a_cgroup_root_is_absolute_and_stays_inside() {
        assert_eq!(cgroup_root("").expect("none"), "");
        assert_eq!(cgroup_root("/").expect("the root"), "");
        assert_eq!(cgroup_root("/kubelet/").expect("one"), "/kubelet");
        for refused in ["kubelet", "/a/../b"] {
            cgroup_root(refused).expect_err(refused);
        }
    }
}
