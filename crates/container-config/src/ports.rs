//! Ports that the runtime should open on the host.

use std::collections::BTreeSet;
use std::net::IpAddr;

use cri_client::v1::{PortMapping, Protocol};
use k8s_openapi::api::core::v1::ContainerPort;
use pod_model::identity::spec;
use pod_model::{Container, Pod};

/// The port mappings of a sandbox: those of the regular containers, whether or not they name a host port (the runtime
/// takes only those that do). Init containers, sidecars among them, do not count.
///
/// Mirrors `kuberuntime_sandbox.go: generatePodSandboxConfig`.
pub(crate) fn port_mappings(pod: &Pod) -> Vec<PortMapping> {
    spec(pod).containers.iter().flat_map(container_mappings).collect()
}

/// The mappings of one container, without repetitions.
///
/// Two ports are the same when they have the same name, or, without names, the same numbers on the same address.
/// Mirrors `container/helpers.go: MakePortMappings`.
fn container_mappings(container: &Container) -> Vec<PortMapping> {
    let mut seen = BTreeSet::new();
    let ports = container.ports.as_deref().unwrap_or_default();
    ports.iter().filter(|port| seen.insert(identity_of(port))).map(mapping).collect()
}

fn identity_of(port: &ContainerPort) -> String {
    if let Some(name) = port.name.as_ref().filter(|name| !name.is_empty()) {
        return name.clone();
    }
    let address = port.host_ip.as_deref().unwrap_or_default();
    let family = match address.parse() {
        _ if address.is_empty() => "any",
        Ok(IpAddr::V6(_)) => "v6",
        _ => "v4",
    };
    let (protocol, host_port) = (port.protocol.as_deref().unwrap_or_default(), port.host_port.unwrap_or(0));
    format!("{family}-{protocol}-{address}:{}:{host_port}", port.container_port)
}

fn mapping(port: &ContainerPort) -> PortMapping {
    PortMapping {
        protocol: protocol(port.protocol.as_deref()).into(),
        container_port: port.container_port,
        host_port: port.host_port.unwrap_or(0),
        host_ip: port.host_ip.clone().unwrap_or_default(),
    }
}

/// What is no known protocol counts as TCP. Mirrors `helpers.go: toRuntimeProtocol`.
fn protocol(name: Option<&str>) -> Protocol {
    match name {
        Some("UDP") => Protocol::Udp,
        Some("SCTP") => Protocol::Sctp,
        _ => Protocol::Tcp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(ports: serde_json::Value) -> Vec<String> {
        let pod: Pod = serde_json::from_value(serde_json::json!({"spec": {
            "initContainers": [{"name": "init", "restartPolicy": "Always", "ports": [{"containerPort": 1}]}],
            "containers": [{"name": "a", "ports": ports}],
        }}))
        .expect("a pod");
        let show = |m: PortMapping| {
            format!("{}{}:{}>{}", m.protocol().as_str_name(), m.host_ip, m.host_port, m.container_port)
        };
        port_mappings(&pod).into_iter().map(show).collect()
    }

    #[test]
    fn ports_of_regular_containers_are_mapped_once() {
        for (ports, expected) in [
            (serde_json::json!([]), vec![]),
            (
                serde_json::json!([
                    {"containerPort": 80}, {"containerPort": 53, "protocol": "UDP", "hostPort": 5353},
                    {"containerPort": 7, "protocol": "SCTP"}, {"containerPort": 8, "protocol": "QUIC"},
                ]),
                vec!["TCP:0>80", "UDP:5353>53", "SCTP:0>7", "TCP:0>8"],
            ),
            // One name twice, one nameless port twice.
            (
                serde_json::json!([
                    {"name": "http", "containerPort": 80}, {"name": "http", "containerPort": 81},
                    {"containerPort": 90, "protocol": "TCP"}, {"containerPort": 90, "protocol": "TCP"},
                    {"containerPort": 90, "protocol": "UDP"},
                ]),
                vec!["TCP:0>80", "TCP:0>90", "UDP:0>90"],
            ),
            // The same numbers on other addresses are other ports.
            (
                serde_json::json!([
                    {"containerPort": 1, "hostPort": 1, "hostIP": "10.0.0.1"},
                    {"containerPort": 1, "hostPort": 1, "hostIP": "::1"},
                ]),
                vec!["TCP10.0.0.1:1>1", "TCP::1:1>1"],
            ),
        ] {
            assert_eq!(shown(ports.clone()), expected, "{ports}");
        }
    }
}
