//! Messages as JSON, with the field names that crictl prints.
//!
//! The generated types know nothing of JSON, so what is shown is written out here. Protobuf's own JSON rules hold: camel
//! case, enums by name, 64-bit numbers as strings. The status objects differ in one thing, as crictl's do: their times are
//! RFC 3339. Keys stand in alphabetical order, which is the order that they are printed in.

use std::collections::BTreeMap;

use cri_client::v1;
use serde_json::{Map, Value, json};

/// `pods -o json`.
pub fn sandboxes(items: &[v1::PodSandbox]) -> Value {
    let item = |s: &v1::PodSandbox| {
        json!({
            "annotations": s.annotations,
            "createdAt": s.created_at.to_string(),
            "id": s.id,
            "labels": s.labels,
            "metadata": sandbox_metadata(s.metadata.as_ref()),
            "runtimeHandler": s.runtime_handler,
            "state": sandbox_state(s.state),
        })
    };
    json!({ "items": items.iter().map(item).collect::<Vec<_>>() })
}

/// `ps -o json`.
pub fn containers(items: &[v1::Container]) -> Value {
    let item = |c: &v1::Container| {
        json!({
            "annotations": c.annotations,
            "createdAt": c.created_at.to_string(),
            "id": c.id,
            "image": image_spec(c.image.as_ref()),
            "imageId": c.image_id,
            "imageRef": c.image_ref,
            "labels": c.labels,
            "metadata": container_metadata(c.metadata.as_ref()),
            "podSandboxId": c.pod_sandbox_id,
            "state": container_state(c.state),
        })
    };
    json!({ "containers": items.iter().map(item).collect::<Vec<_>>() })
}

/// `images -o json`.
pub fn images(items: &[v1::Image]) -> Value {
    let item = |i: &v1::Image| {
        json!({
            "id": i.id,
            "pinned": i.pinned,
            "repoDigests": i.repo_digests,
            "repoTags": i.repo_tags,
            "size": i.size.to_string(),
            "uid": i.uid.as_ref().map(|uid| json!({ "value": uid.value.to_string() })),
            "username": i.username,
        })
    };
    json!({ "images": items.iter().map(item).collect::<Vec<_>>() })
}

/// `inspectp`: the status, and beside it what the runtime adds of its own.
pub fn sandbox_answer(answer: &v1::PodSandboxStatusResponse) -> Value {
    with_info(vec![("status", answer.status.as_ref().map(sandbox_status).unwrap_or_default())], &answer.info)
}

/// `inspect`: the status, and beside it what the runtime adds of its own.
pub fn container_answer(answer: &v1::ContainerStatusResponse) -> Value {
    with_info(
        vec![("status", answer.status.as_ref().map(container_status).unwrap_or_default())],
        &answer.info,
    )
}

/// `info`. Features have snake case there, because crictl prints them by another way than the rest.
pub fn runtime_answer(answer: &v1::StatusResponse) -> Value {
    let condition = |c: &v1::RuntimeCondition| json!({ "message": c.message, "reason": c.reason, "status": c.status, "type": c.r#type });
    let conditions: Vec<Value> = answer.status.iter().flat_map(|s| &s.conditions).map(condition).collect();
    let handler = |h: &v1::RuntimeHandler| {
        let features = h.features.as_ref().map(|f| {
            json!({ "recursive_read_only_mounts": f.recursive_read_only_mounts, "user_namespaces": f.user_namespaces })
        });
        json!({ "features": features, "name": h.name })
    };
    let features = answer.features.as_ref().map(|f| {
        json!({
            "supplemental_groups_policy": f.supplemental_groups_policy,
            "user_namespaces_host_network": f.user_namespaces_host_network,
        })
    });
    let mut known = vec![
        ("runtimeHandlers", answer.runtime_handlers.iter().map(handler).collect()),
        ("status", json!({ "conditions": conditions })),
    ];
    known.extend(features.map(|features| ("features", features)));
    with_info(known, &answer.info)
}

/// `events -o json`: one event with the state of its pod at that moment.
pub fn event(event: &v1::ContainerEventResponse) -> Value {
    let kind = v1::ContainerEventType::try_from(event.container_event_type).map(|k| k.as_str_name());
    json!({
        "containerEventType": kind.map_or(json!(event.container_event_type), Value::from),
        "containerId": event.container_id,
        "containersStatuses": event.containers_statuses.iter().map(container_status).collect::<Vec<_>>(),
        "createdAt": event.created_at.to_string(),
        "podSandboxStatus": event.pod_sandbox_status.as_ref().map(sandbox_status),
    })
}

fn sandbox_status(status: &v1::PodSandboxStatus) -> Value {
    let network = status.network.as_ref().map(|n| {
        let more: Vec<Value> = n.additional_ips.iter().map(|ip| json!({ "ip": ip.ip })).collect();
        json!({ "additionalIps": more, "ip": n.ip })
    });
    let options =
        status.linux.as_ref().and_then(|l| l.namespaces.as_ref()).and_then(|n| n.options.as_ref()).map(|o| {
            let mode = |mode: i32| v1::NamespaceMode::try_from(mode).map_or(json!(mode), |m| m.as_str_name().into());
            json!({ "ipc": mode(o.ipc), "network": mode(o.network), "pid": mode(o.pid), "targetId": o.target_id })
        });
    json!({
        "annotations": status.annotations,
        "createdAt": time(status.created_at),
        "id": status.id,
        "labels": status.labels,
        "linux": { "namespaces": { "options": options } },
        "metadata": sandbox_metadata(status.metadata.as_ref()),
        "network": network,
        "runtimeHandler": status.runtime_handler,
        "state": sandbox_state(status.state),
    })
}

fn container_status(status: &v1::ContainerStatus) -> Value {
    let mount = |m: &v1::Mount| {
        let propagation = v1::MountPropagation::try_from(m.propagation);
        json!({
            "containerPath": m.container_path,
            "hostPath": m.host_path,
            "propagation": propagation.map_or(json!(m.propagation), |p| p.as_str_name().into()),
            "readonly": m.readonly,
            "recursiveReadOnly": m.recursive_read_only,
            "selinuxRelabel": m.selinux_relabel,
        })
    };
    let linux = status.resources.as_ref().and_then(|r| r.linux.as_ref()).map(|r| {
        json!({
            "cpuPeriod": r.cpu_period.to_string(),
            "cpuQuota": r.cpu_quota.to_string(),
            "cpuShares": r.cpu_shares.to_string(),
            "cpusetCpus": r.cpuset_cpus,
            "cpusetMems": r.cpuset_mems,
            "memoryLimitInBytes": r.memory_limit_in_bytes.to_string(),
            "memorySwapLimitInBytes": r.memory_swap_limit_in_bytes.to_string(),
            "oomScoreAdj": r.oom_score_adj.to_string(),
        })
    });
    json!({
        "annotations": status.annotations,
        "createdAt": time(status.created_at),
        "exitCode": status.exit_code,
        "finishedAt": time(status.finished_at),
        "id": status.id,
        "image": image_spec(status.image.as_ref()),
        "imageId": status.image_id,
        "imageRef": status.image_ref,
        "labels": status.labels,
        "logPath": status.log_path,
        "message": status.message,
        "metadata": container_metadata(status.metadata.as_ref()),
        "mounts": status.mounts.iter().map(mount).collect::<Vec<_>>(),
        "reason": status.reason,
        "resources": { "linux": linux },
        "startedAt": time(status.started_at),
        "state": container_state(status.state),
    })
}

fn sandbox_metadata(metadata: Option<&v1::PodSandboxMetadata>) -> Option<Value> {
    metadata.map(|m| json!({ "attempt": m.attempt, "name": m.name, "namespace": m.namespace, "uid": m.uid }))
}

fn container_metadata(metadata: Option<&v1::ContainerMetadata>) -> Option<Value> {
    metadata.map(|m| json!({ "attempt": m.attempt, "name": m.name }))
}

fn image_spec(spec: Option<&v1::ImageSpec>) -> Option<Value> {
    spec.map(|s| json!({ "image": s.image, "runtimeHandler": s.runtime_handler, "userSpecifiedImage": s.user_specified_image }))
}

fn sandbox_state(state: i32) -> Value {
    v1::PodSandboxState::try_from(state).map_or(json!(state), |s| s.as_str_name().into())
}

fn container_state(state: i32) -> Value {
    v1::ContainerState::try_from(state).map_or(json!(state), |s| s.as_str_name().into())
}

/// What has not happened yet has Go's zero time, as in crictl.
fn time(nanos: i64) -> String {
    clock::from_nanos(nanos).map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}

/// What a runtime adds when it is asked to be verbose. containerd puts a whole JSON object into one string.
fn with_info(known: Vec<(&str, Value)>, info: &BTreeMap<String, String>) -> Value {
    let added = info.iter().map(|(key, text)| {
        (key.clone(), serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.clone())))
    });
    let known = known.into_iter().map(|(key, value)| (key.to_owned(), value));
    // Sorted, and what the interface itself says wins.
    let sorted: BTreeMap<String, Value> = added.chain(known).collect();
    Value::Object(sorted.into_iter().collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_names_instead_of_numbers_and_times_that_can_be_read() {
        let status = v1::ContainerStatus {
            id: "c1".into(),
            state: v1::ContainerState::ContainerExited.into(),
            created_at: 1_475_712_000_000_000_000,
            exit_code: 137,
            reason: "OOMKilled".into(),
            mounts: vec![v1::Mount { container_path: "/data".into(), propagation: 9, ..Default::default() }],
            ..Default::default()
        };
        let json =
            container_answer(&v1::ContainerStatusResponse { status: Some(status), ..Default::default() });
        let status = &json["status"];
        assert_eq!(status["state"], "CONTAINER_EXITED");
        assert_eq!(status["createdAt"], "2016-10-06T00:00:00Z");
        assert_eq!(status["startedAt"], "0001-01-01T00:00:00Z");
        assert_eq!((&status["exitCode"], &status["reason"]), (&json!(137), &json!("OOMKilled")));
        assert_eq!(status["mounts"][0]["propagation"], 9, "an unknown enum value stays a number");
        assert_eq!(status["metadata"], Value::Null);
    }

    #[test]
    fn what_the_runtime_adds_stands_beside_the_status_and_never_replaces_it() {
        let info = [("info", r#"{"pid": 42}"#), ("lastCNILoadStatus", "OK"), ("status", "no")];
        let info = info.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let json = runtime_answer(&v1::StatusResponse { info, ..Default::default() });
        assert_eq!(json["info"]["pid"], 42);
        assert_eq!(json["lastCNILoadStatus"], "OK");
        assert_eq!(json["status"], json!({ "conditions": [] }));
    }

    #[test]
    fn long_numbers_are_strings() {
        let image = v1::Image {
            size: 9_007_199_254_740_993,
            uid: Some(v1::Int64Value { value: 65535 }),
            ..Default::default()
        };
        let json = images(&[image]);
        assert_eq!(json["images"][0]["size"], "9007199254740993");
        assert_eq!(json["images"][0]["uid"]["value"], "65535");
    }
}
