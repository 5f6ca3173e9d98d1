//! What lab 02 asks of the pod model: who a container is, who a pod is, and how well it is to be treated.

use std::process::ExitCode;

use k8s_openapi::api::core::v1::{Container, Pod};
use lab_check::{Check, Error};
use pod_model::{container_hash, qos_class, static_pod};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Input {
    /// The FNV-1a hash of a text.
    Fnv(String),
    /// The container's hash.
    Hash(Container),
    /// Do two manifests give one pod or two?
    Uid { one: Manifest, other: Manifest },
    /// The class of a pod with this spec.
    Class(serde_json::Value),
}

#[derive(Deserialize)]
struct Manifest {
    node: String,
    path: String,
    pod: Pod,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Hash(String),
    Uid { form: String, pods: &'static str },
    Class(String),
}

fn uid(manifest: &Manifest) -> String {
    static_pod::pod_uid(&manifest.pod, &manifest.node, &manifest.path).as_str().to_owned()
}

/// What a UID looks like: it names a directory and a cgroup, so its form is part of the contract.
fn form(uid: &str) -> String {
    let all_hex = uid.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    let of = if all_hex { "hexadecimal digits" } else { "characters, not all of them hexadecimal digits" };
    format!("{} {of}", uid.len())
}

fn answer(input: Input) -> Result<Answer, Error> {
    Ok(match input {
        Input::Fnv(text) => Answer::Hash(format!("{:x}", pod_model::fnv1a_32(text.as_bytes()))),
        Input::Hash(container) => Answer::Hash(format!("{:x}", container_hash(&container))),
        Input::Uid { one, other } => {
            let (one, other) = (uid(&one), uid(&other));
            Answer::Uid { form: form(&one), pods: if one == other { "one" } else { "two" } }
        }
        Input::Class(spec) => {
            let pod: Pod = serde_json::from_value(serde_json::json!({"spec": spec}))?;
            Answer::Class(qos_class(&pod).to_string())
        }
    })
}

fn pod(name: &str, requests: i64, limits: i64) -> Result<Pod, String> {
    let list = |n: i64| serde_json::json!({"cpu": format!("{n}m"), "memory": n.to_string()});
    serde_json::from_value(serde_json::json!({
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "a", "resources": {"requests": list(requests), "limits": list(limits)}}]},
    }))
    .map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    Check::new()
        .cases(answer)
        .property(
            "a-uid-is-stable-and-always-of-one-form",
            "the same manifest gives the same UID, always of 32 hexadecimal digits, and another name another one",
            "pkg/kubelet/config/common.go#applyDefaults",
            "[a-z]{1,20}",
            |name: String| {
                let of = |name: &str| Ok::<_, String>(static_pod::pod_uid(&pod(name, 1, 1)?, "node1", "/m/a.yaml"));
                let uid = of(&name)?;
                if form(uid.as_str()) != "32 hexadecimal digits" {
                    return Err(format!("pod {name}: UID {uid} has {}", form(uid.as_str())));
                }
                if uid != of(&name)? || uid == of(&format!("{name}x"))? {
                    return Err(format!("pod {name}: its UID is not its own, or not always the same: {uid}"));
                }
                Ok(())
            },
        )
        .property(
            "guaranteed-means-equal",
            "with one container, the pod is Guaranteed exactly when its requests equal its limits and are not zero",
            "pkg/apis/core/v1/helper/qos/qos.go#ComputePodQOS",
            (0_i64..4, 0_i64..4),
            |(requests, limits)| {
                let class = qos_class(&pod("a", requests, limits)?).to_string();
                let expected = match (requests, limits) {
                    (0, 0) => "BestEffort",
                    _ if requests == limits => "Guaranteed",
                    _ => "Burstable",
                };
                if class != expected {
                    return Err(format!("requests {requests}, limits {limits}: {class} instead of {expected}"));
                }
                Ok(())
            },
        )
        .run()
}
