//! Whom a pod asks for names.
//!
//! | `dnsPolicy` | base | in the host's network |
//! |---|---|---|
//! | `ClusterFirst` | the cluster's DNS | the node's `resolv.conf` |
//! | `ClusterFirstWithHostNet` | the cluster's DNS | the cluster's DNS |
//! | `Default` | the node's `resolv.conf` | the node's `resolv.conf` |
//! | `None` | nothing | nothing |
//!
//! `dnsConfig` is added to the base, and the whole is cut to what resolvers can hold.
//!
//! Mirrors `network/dns/dns.go`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use cri_client::v1::DnsConfig;
use k8s_openapi::api::core::v1::{PodDNSConfig, PodDNSConfigOption};
use pod_model::identity::{is_host_network, spec};
use pod_model::reason;
use pod_model::{Pod, PodRef};

use crate::ResolvConf;
use crate::dns_name::SUBDOMAIN_MAX;

/// The most nameservers that glibc asks (`apis/core/validation: MaxDNSNameservers`).
pub const MAX_NAMESERVERS: usize = 3;
/// The most search domains (`MaxDNSSearchPaths`).
pub const MAX_SEARCHES: usize = 32;
/// The longest line of search domains, blanks included (`MaxDNSSearchListChars`).
pub const MAX_SEARCH_CHARS: usize = 2048;

/// The kubelet's settings for DNS, and the node's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsSettings {
    /// The addresses of the cluster's DNS (`clusterDNS`); empty when there is none.
    pub cluster_dns: Vec<IpAddr>,
    /// The domain of the cluster (`clusterDomain`), such as `cluster.local`.
    pub cluster_domain: String,
    /// The file that the setting `resolvConf` names; `None` when the setting is empty, which turns look-ups off.
    pub host: Option<ResolvConf>,
    /// The node's addresses; they only tell which localhost stands for "none" when `host` is `None`.
    pub node_ips: Vec<IpAddr>,
}

/// Whom a pod asks, and what had to be left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodDns {
    /// The runtime writes this into the pod's `/etc/resolv.conf`.
    pub config: DnsConfig,
    /// Each is a Warning event on the pod.
    pub problems: Vec<DnsProblem>,
}

/// Something that the pod does not get as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsProblem {
    /// `DNSConfigForming` or `MissingClusterDNS`.
    pub reason: &'static str,
    /// The kubelet's text.
    pub message: String,
}

/// Where a pod's DNS settings begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Cluster,
    Host,
    Nothing,
}

// ANCHOR: base_of
/// Mirrors `getPodDNSType`; a policy that does not exist counts as `ClusterFirst`.
fn base_of(pod: &Pod) -> Base {
    match spec(pod).dns_policy.as_deref() {
        Some("None") => Base::Nothing,
        Some("Default") => Base::Host,
        Some("ClusterFirst") | None if is_host_network(pod) => Base::Host,
        _ => Base::Cluster,
    }
}
// ANCHOR_END: base_of

/// The DNS settings of a pod. Mirrors `GetPodDNS`.
pub fn pod_dns(pod: &Pod, settings: &DnsSettings) -> PodDns {
    let mut problems = Vec::new();
    let mut base = base_of(pod);
    if base == Base::Cluster && settings.cluster_dns.is_empty() {
        problems.push(missing_cluster_dns(pod));
        base = Base::Host;
    }
    let mut config = match base {
        Base::Nothing => DnsConfig::default(),
        Base::Cluster => cluster_dns(pod, settings),
        Base::Host => host_dns(settings),
    };
    if let Some(own) = &spec(pod).dns_config {
        add(&mut config, own);
    }
    fit_nameservers(&mut config.servers, &mut problems);
    fit_searches(&mut config.searches, &mut problems);
    PodDns { config, problems }
}

fn missing_cluster_dns(pod: &Pod) -> DnsProblem {
    let message = format!(
        "pod: {:?}. kubelet does not have ClusterDNS IP configured and cannot create Pod using \"ClusterFirst\" policy. Falling back to \"Default\" policy.",
        PodRef::of(pod).formatted()
    );
    DnsProblem { reason: reason::MISSING_CLUSTER_DNS, message }
}

/// The cluster's nameservers alone: they forward what they do not know. `ndots:5` makes a name with fewer than five
/// dots, such as `web.shop.svc`, be tried in the cluster's domains first.
fn cluster_dns(pod: &Pod, settings: &DnsSettings) -> DnsConfig {
    let of_host = settings.host.as_ref().map(|host| host.searches.clone()).unwrap_or_default();
    DnsConfig {
        servers: settings.cluster_dns.iter().map(ToString::to_string).collect(),
        searches: cluster_searches(pod, &settings.cluster_domain, of_host),
        options: vec!["ndots:5".to_owned()],
    }
}

/// The pod's namespace first, so that a service is found by its bare name. Mirrors `generateSearchesForDNSClusterFirst`.
fn cluster_searches(pod: &Pod, domain: &str, of_host: Vec<String>) -> Vec<String> {
    if domain.is_empty() {
        return of_host;
    }
    let namespace = PodRef::of(pod).namespace;
    let cluster = [format!("{namespace}.svc.{domain}"), format!("svc.{domain}"), domain.to_owned()];
    without_repetitions(cluster.into_iter().chain(of_host))
}

/// The node's own settings. Without any, the resolver library would ask the machine that it runs on, and so a localhost
/// nameserver says the same openly; the search `.` keeps the runtime from filling in the node's.
fn host_dns(settings: &DnsSettings) -> DnsConfig {
    if let Some(host) = &settings.host {
        return DnsConfig {
            servers: host.nameservers.clone(),
            searches: host.searches.clone(),
            options: host.options.clone(),
        };
    }
    let localhost = |ip: &IpAddr| if ip.is_ipv6() { "::1" } else { "127.0.0.1" }.to_owned();
    let mut servers: Vec<String> = settings.node_ips.iter().map(localhost).collect();
    if servers.is_empty() {
        servers.push("127.0.0.1".to_owned());
    }
    DnsConfig { servers, searches: vec![".".to_owned()], options: Vec::new() }
}

/// Adds the pod's own `dnsConfig`. Mirrors `appendDNSConfig`.
fn add(config: &mut DnsConfig, own: &PodDNSConfig) {
    let joined = |have: &mut Vec<String>, more: &Option<Vec<String>>| {
        without_repetitions(std::mem::take(have).into_iter().chain(more.iter().flatten().cloned()))
    };
    config.servers = joined(&mut config.servers, &own.nameservers);
    config.searches = joined(&mut config.searches, &own.searches);
    for option in own.options.iter().flatten() {
        set_option(&mut config.options, option);
    }
}

/// The pod's value of an option takes the place of the one before. Mirrors `mergeDNSOptions`, with an order: Go's is
/// that of a map.
fn set_option(options: &mut Vec<String>, option: &PodDNSConfigOption) {
    let name = option.name.as_deref().unwrap_or_default();
    let text = match option.value.as_deref().unwrap_or_default() {
        "" => name.to_owned(),
        value => format!("{name}:{value}"),
    };
    let has_name = |known: &String| known.split_once(':').map_or(known.as_str(), |(name, _)| name) == name;
    match options.iter_mut().find(|known| has_name(known)) {
        Some(known) => *known = text,
        None => options.push(text),
    }
}

/// Mirrors `omitDuplicates`.
fn without_repetitions(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}

/// Mirrors `formDNSNameserversFitsLimits`.
fn fit_nameservers(servers: &mut Vec<String>, problems: &mut Vec<DnsProblem>) {
    if servers.len() <= MAX_NAMESERVERS {
        return;
    }
    servers.truncate(MAX_NAMESERVERS);
    let message = format!(
        "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: {}",
        servers.join(" ")
    );
    problems.push(DnsProblem { reason: reason::DNS_CONFIG_FORMING, message });
}

/// Too many, one too long (some resolvers abort), too long together: whatever is too much goes, from the end.
/// Mirrors `formDNSSearchFitsLimits`.
fn fit_searches(searches: &mut Vec<String>, problems: &mut Vec<DnsProblem>) {
    let before = searches.len();
    searches.truncate(MAX_SEARCHES);
    searches.retain(|search| search.len() <= SUBDOMAIN_MAX);
    while searches.join(" ").len() > MAX_SEARCH_CHARS {
        searches.pop();
    }
    if searches.len() == before {
        return;
    }
    let message = format!(
        "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: {}",
        searches.join(" ")
    );
    problems.push(DnsProblem { reason: reason::DNS_CONFIG_FORMING, message });
}

#[cfg(test)]
mod tests;
