//! What this crate decides against what a real kubelet sent (`recordings/`; v1.36.2, cluster DNS 10.96.0.10, domain
//! `cluster.local`, a node whose resolv.conf has one nameserver).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cri_client::v1::{ContainerConfig, PodSandboxConfig};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use pod_environment::{
    DnsSettings, EnvFacts, ResolvConf, environment, expand_command_and_args, pod_dns, sandbox_hostname,
};
use pod_model::{Pod, identity};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;

const RECORDINGS: [&str; 4] = ["01-minimal", "03-env-and-downward", "06-host-network", "13-ports-dns-hosts"];

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn pod(recording: &str) -> Pod {
    let text =
        std::fs::read_to_string(here(&format!("../../recordings/{recording}.pod.json"))).expect("a pod");
    let pods: Value = serde_json::from_str(&text).expect("JSON");
    let pod = &pods[0];
    serde_json::from_value(serde_json::json!({"metadata": pod["metadata"], "spec": pod["spec"]}))
        .expect("a pod")
}

/// The `config` of the first such call.
fn recorded<M: Message + Default>(recording: &str, call: &str, message: &str) -> M {
    let text =
        std::fs::read_to_string(here(&format!("../../recordings/{recording}.cri.jsonl"))).expect("calls");
    let mut calls = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let config = calls.find(|c| c["call"] == call).expect("the call")["request"]["config"].take();
    let files = protox::compile(["runtime/v1/api.proto"], [here("../../proto")]).expect("the interface");
    let pool = DescriptorPool::from_file_descriptor_set(files).expect("descriptors");
    let descriptor = pool.get_message_by_name(&format!("runtime.v1.{message}")).expect("a message");
    let message = DynamicMessage::deserialize(descriptor, config).expect("a message");
    M::decode(message.encode_to_vec().as_slice()).expect("the same message")
}

fn dns_settings() -> DnsSettings {
    DnsSettings {
        cluster_dns: vec!["10.96.0.10".parse().expect("an address")],
        cluster_domain: "cluster.local".into(),
        host: Some(ResolvConf::parse("nameserver 10.255.255.53\n").expect("a file")),
        node_ips: vec![],
    }
}

#[test]
fn dns_and_host_names_are_the_kubelets() {
    for recording in RECORDINGS {
        let (pod, sandbox) =
            (pod(recording), recorded::<PodSandboxConfig>(recording, "RunPodSandbox", "PodSandboxConfig"));
        let dns = pod_dns(&pod, &dns_settings());
        assert_eq!(Some(dns.config), sandbox.dns_config, "{recording}");
        assert_eq!(dns.problems, [], "{recording}");
        assert_eq!(sandbox_hostname(&pod, "cluster.local"), Ok(sandbox.hostname), "{recording}");
    }
}

/// The kubelet's order of the environment is that of a Go map, so it is compared as a set. The recording replaced the
/// pod's UID, but not in the value of `UIDV`, which is base64.
#[test]
fn environment_command_and_args_are_the_kubelets() {
    for recording in RECORDINGS {
        let container = recorded::<ContainerConfig>(recording, "CreateContainer", "ContainerConfig");
        let mut pod = pod(recording);
        if let Some(uid) = container.envs.iter().find(|e| e.key == "UIDV") {
            pod.metadata.uid = Some(String::from_utf8(uid.value.clone()).expect("text"));
        }
        let name = &container.metadata.as_ref().expect("metadata").name;
        let spec = identity::container(&pod, name).expect("the container");
        let facts = EnvFacts {
            allocatable: [("cpu".to_owned(), Quantity("2".into()))].into(),
            ..EnvFacts::default()
        };
        let envs = environment(&pod, spec, &facts).expect("an environment");
        assert_eq!(expand_command_and_args(spec, &envs), (container.command, container.args), "{recording}");
        let set = |envs: Vec<cri_client::v1::KeyValue>| -> BTreeSet<(String, Vec<u8>)> {
            envs.into_iter().map(|e| (e.key, e.value)).collect()
        };
        assert_eq!(envs.len(), container.envs.len(), "{recording}");
        assert_eq!(set(envs), set(container.envs), "{recording}");
    }
}
