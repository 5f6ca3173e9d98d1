//! What the pods of this node see around them: names, nameservers, hosts and environment.
//!
//! The rules are `pod-environment`'s; this holds what they need to know of the node, and tells about problems.

use std::io;
use std::path::PathBuf;

use cri_client::v1;
use pod_environment::{
    DnsSettings, EnvFacts, ResolvConf, environment, expand_command_and_args, hosts, pod_dns, pod_hostname,
    sandbox_hostname,
};
use pod_model::{Container, Event, EventSink, EventType, Pod, PodRef};

/// What pods are told about the node.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Nameservers of the cluster. The node's own are read from `resolv_conf` each time.
    pub dns: DnsSettings,
    /// The node's resolver configuration; `None` turns its look-ups off.
    pub resolv_conf: Option<PathBuf>,
    /// The node's own hosts file, which pods in its network see.
    pub node_hosts: PathBuf,
    /// What environments may tell. Its pod addresses are replaced by each pod's own.
    pub env: EnvFacts,
}

/// What one container sees.
pub(crate) struct Seen {
    pub envs: Vec<v1::KeyValue>,
    pub command: Vec<String>,
    pub args: Vec<String>,
}

impl Surroundings {
    /// The sandbox's hostname. Mirrors `kuberuntime_sandbox.go: generatePodSandboxConfig`.
    pub(crate) fn sandbox_hostname(&self, pod: &Pod) -> Result<String, String> {
        sandbox_hostname(pod, &self.dns.cluster_domain).map_err(|e| e.to_string())
    }

    /// Whom the pod asks for names; what had to be cut becomes events.
    pub(crate) fn dns(&self, pod: &Pod, events: &dyn EventSink) -> Result<v1::DnsConfig, String> {
        let settings = DnsSettings { host: self.node_resolv_conf()?, ..self.dns.clone() };
        let dns = pod_dns(pod, &settings);
        for problem in dns.problems {
            events.record(Event::about_pod(
                &PodRef::of(pod),
                EventType::Warning,
                problem.reason,
                problem.message,
            ));
        }
        Ok(dns.config)
    }

    fn node_resolv_conf(&self) -> Result<Option<ResolvConf>, String> {
        let Some(path) = &self.resolv_conf else { return Ok(None) };
        let text = std::fs::read_to_string(path)
            .map_err(|e| format!("read resolver configuration {}: {e}", path.display()))?;
        ResolvConf::parse(&text)
            .map(Some)
            .map_err(|e| format!("resolver configuration {}: {e}", path.display()))
    }

    /// A container's environment, and its command line with references to it resolved.
    pub(crate) fn seen_by(&self, pod: &Pod, container: &Container, ips: &[String]) -> Result<Seen, String> {
        let facts = EnvFacts { pod_ips: ips.to_vec(), ..self.env.clone() };
        let envs = environment(pod, container, &facts).map_err(|e| e.to_string())?;
        let (command, args) = expand_command_and_args(container, &envs);
        Ok(Seen { envs, command, args })
    }

    /// The content of the pod's hosts file.
    pub(crate) fn hosts_file(&self, pod: &Pod, ips: &[String]) -> io::Result<Vec<u8>> {
        let named = pod_hostname(pod, &self.dns.cluster_domain).map_err(io::Error::other);
        let (hostname, domain) = named?;
        let node = match std::fs::read(&self.node_hosts) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(hosts::hosts_file(pod, ips, &hostname, &domain, &node))
    }
}
