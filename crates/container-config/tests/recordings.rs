//! The messages of this crate against those that a real kubelet sent (`recordings/`; v1.36.2, cgroup v1, containerd 1.7).
//!
//! What other crates decide (dns, host name, log folder, mounts, environment, command, the image's reference) is taken
//! from the recording and given as input; everything else must come out equal, field by field, absent fields included.

use std::path::{Path, PathBuf};

use container_config::{
    ContainerInput, ImageUser, NodeFacts, SandboxInput, container_config, sandbox_config,
};
use cri_client::v1::{ContainerConfig, PodSandboxConfig};
use pod_model::{Pod, cgroup_name, identity};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;

const RECORDINGS: [&str; 10] = [
    "01-minimal",
    "02-init-and-sidecar",
    "03-env-and-downward",
    "05-qos-burstable",
    "06-host-network",
    "08-volumes",
    "09-probes-liveness-exec",
    "11-restart-never",
    "12-lifecycle-hooks",
    "13-ports-dns-hosts",
];

/// The machine that was recorded.
fn node() -> NodeFacts {
    NodeFacts { hugepage_sizes: vec!["2MB".into(), "1GB".into()], ..NodeFacts::new(24 << 30) }
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The pod as the recorded kubelet had it after defaulting; its status is no part of the question.
fn pod(recording: &str) -> Pod {
    let text =
        std::fs::read_to_string(here(&format!("../../recordings/{recording}.pod.json"))).expect("a pod");
    let pods: Value = serde_json::from_str(&text).expect("JSON");
    let pod = &pods[0];
    serde_json::from_value(serde_json::json!({"metadata": pod["metadata"], "spec": pod["spec"]}))
        .expect("a pod")
}

fn requests(recording: &str, call: &str) -> Vec<Value> {
    let text =
        std::fs::read_to_string(here(&format!("../../recordings/{recording}.cri.jsonl"))).expect("calls");
    let calls = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    calls.filter(|c| c["call"] == call).map(|mut c| c["request"].take()).collect()
}

/// Both directions between generated messages and the JSON of the recordings: names as in the proto file, what is unset
/// absent, 64-bit numbers as text.
struct Translator(DescriptorPool);

impl Translator {
    fn new() -> Self {
        let files = protox::compile(["runtime/v1/api.proto"], [here("../../proto")]).expect("the interface");
        Self(DescriptorPool::from_file_descriptor_set(files).expect("descriptors"))
    }

    fn show<M: Message>(&self, name: &str, message: &M) -> Value {
        let descriptor = self.0.get_message_by_name(&format!("runtime.v1.{name}")).expect("a message");
        let message =
            DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).expect("the same message");
        let options = SerializeOptions::new().use_proto_field_name(true);
        message.serialize_with_options(serde_json::value::Serializer, &options).expect("JSON")
    }

    fn read<M: Message + Default>(&self, name: &str, json: &Value) -> M {
        let descriptor = self.0.get_message_by_name(&format!("runtime.v1.{name}")).expect("a message");
        let message = DynamicMessage::deserialize(descriptor, json).expect("a message");
        M::decode(message.encode_to_vec().as_slice()).expect("the same message")
    }
}

/// The kubelet writes ports in the order of Go's struct; as JSON they mean the same in any order.
fn with_ports_as_json(mut config: Value) -> Value {
    if let Some(ports) = config.pointer_mut("/annotations/io.kubernetes.container.ports") {
        *ports = serde_json::from_str(ports.as_str().expect("text")).expect("JSON");
    }
    config
}

fn our_sandbox(translator: &Translator, pod: &Pod, recorded: &Value) -> Value {
    let recorded: PodSandboxConfig = translator.read("PodSandboxConfig", recorded);
    let input = SandboxInput {
        attempt: 0,
        hostname: recorded.hostname,
        dns: recorded.dns_config.expect("dns"),
        cgroup_parent: cgroup_name::pod_cgroup_parent(pod, "/"),
        log_directory: recorded.log_directory,
    };
    translator.show("PodSandboxConfig", &sandbox_config(pod, input, &node()).expect("a sandbox"))
}

#[test]
fn sandboxes_are_asked_for_as_the_kubelet_asks() {
    let translator = Translator::new();
    for recording in RECORDINGS {
        let pod = pod(recording);
        let recorded = requests(recording, "RunPodSandbox");
        assert_eq!(recorded.len(), 1, "{recording}");
        let recorded = &recorded[0]["config"];
        assert_eq!(&our_sandbox(&translator, &pod, recorded), recorded, "{recording}");
    }
}

#[test]
fn containers_are_asked_for_as_the_kubelet_asks() {
    let translator = Translator::new();
    let mut compared = 0;
    for recording in RECORDINGS {
        let pod = pod(recording);
        for request in requests(recording, "CreateContainer") {
            let config: ContainerConfig = translator.read("ContainerConfig", &request["config"]);
            let metadata = config.metadata.expect("metadata");
            let input = ContainerInput {
                restart_count: metadata.attempt,
                image_ref: config.image.expect("an image").image,
                image_user: ImageUser::Uid(0),
                command: config.command,
                args: config.args,
                envs: config.envs,
                mounts: config.mounts,
                target_id: None,
            };
            let container = identity::container(&pod, &metadata.name).expect("the container");
            let ours = container_config(&pod, container, input, &node()).expect("a container");
            let ours = translator.show("ContainerConfig", &ours);
            assert_eq!(
                with_ports_as_json(ours),
                with_ports_as_json(request["config"].clone()),
                "{recording} {}",
                metadata.name
            );
            // The same sandbox is told again with each of its containers.
            assert_eq!(
                our_sandbox(&translator, &pod, &request["sandbox_config"]),
                request["sandbox_config"],
                "{recording} {}",
                metadata.name
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 19);
}
