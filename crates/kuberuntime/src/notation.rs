//! Pods, statuses and actions in a few characters, so that a table of cases reads as one. For tests.
//!
//! | text | means |
//! |---|---|
//! | `Always: i s* \| a b` | a pod's policy; its init containers, of which `s` is a sidecar; its containers |
//! | `Never host deleted: a/Always` | in the host's network, being deleted; `a` has a policy of its own |
//! | `Never: a/Never+42` | … and is started again after exit code 42 by a rule of its own |
//! | `1 0- \| a:run a:0` | two sandboxes, newest first, and two containers, newest first |
//! | `1`, `1-`, `1?`, `1h` | a sandbox by its attempt: ready, not ready, without an address, in the host's network |
//! | `a:run`, `a:new`, `a:unk`, `a:137`, `a:oom` | running, created, unknown, exited, exited with 0 for want of memory |
//! | `a:nil` | exited without ever having run: its start failed |
//! | `a:run~`, `a:0@1` | made from another definition; in the sandbox of attempt 1 instead of the newest |
//!
//! Sandboxes have the ids `s0`, `s1`…; containers of one name, the oldest first, `a.0`, `a.1`….

use std::collections::BTreeMap;

use cri_client::v1;
use pod_model::identity::{container, init_containers, spec};
use pod_model::{ContainerState, ContainerStatus, Pod, PodRef, PodStatus, container_hash};
use serde_json::{Value, json};

use crate::PodActions;

/// The pod that `text` means.
pub(crate) fn pod(text: &str) -> Pod {
    let (words, lists) = text.split_once(':').expect("policy: containers");
    let words: Vec<&str> = words.split_whitespace().collect();
    let (init, regular) = lists.split_once('|').unwrap_or(("", lists));
    let list = |names: &str| names.split_whitespace().map(container_of).collect::<Vec<_>>();
    let mut metadata = json!({"name": "web", "namespace": "default", "uid": "u1"});
    if words.contains(&"deleted") {
        metadata["deletionTimestamp"] = json!("2026-01-01T12:00:00Z");
    }
    serde_json::from_value(json!({"metadata": metadata, "spec": {
        "restartPolicy": words[0],
        "hostNetwork": words.contains(&"host"),
        "initContainers": list(init),
        "containers": list(regular),
    }}))
    .expect("a pod")
}

fn container_of(text: &str) -> Value {
    let (name, policy) = match text.split_once('/') {
        _ if text.ends_with('*') => (text.trim_end_matches('*'), Some("Always")),
        Some((name, policy)) => (name, Some(policy)),
        None => (text, None),
    };
    let mut container = json!({"name": name, "image": "busybox:1"});
    if let Some(policy) = policy {
        let (policy, code) = policy.split_once('+').map_or((policy, None), |(p, code)| (p, Some(code)));
        container["restartPolicy"] = json!(policy);
        if let Some(code) = code.map(|c| c.parse::<i32>().expect("a code")) {
            let codes = json!({"operator": "In", "values": [code]});
            container["restartPolicyRules"] = json!([{"action": "Restart", "exitCodes": codes}]);
        }
    }
    container
}

/// The status that `text` means, of `pod`.
pub(crate) fn status(pod: &Pod, text: &str) -> PodStatus {
    let (sandboxes, containers) = text.split_once('|').unwrap_or((text, ""));
    let sandboxes: Vec<_> = sandboxes.split_whitespace().map(sandbox_of).collect();
    let home = sandboxes.first().map_or_else(|| "s0".to_owned(), |newest| newest.id.clone());
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut containers: Vec<_> = containers
        .split_whitespace()
        .rev()
        .map(|word| {
            let name = word.split(':').next().expect("a name");
            let count = counts.entry(name).or_default();
            *count += 1;
            status_of(pod, word, *count - 1, &home)
        })
        .collect();
    containers.reverse();
    PodStatus { sandboxes, containers, ips: vec!["10.0.0.9".into()], ..PodStatus::empty(PodRef::of(pod)) }
}

fn sandbox_of(word: &str) -> v1::PodSandboxStatus {
    let attempt: u32 = word.trim_end_matches(['-', '?', 'h']).parse().expect("an attempt");
    let network = if word.ends_with('h') { v1::NamespaceMode::Node } else { v1::NamespaceMode::Pod };
    let ready = !word.ends_with('-');
    let state = if ready { v1::PodSandboxState::SandboxReady } else { v1::PodSandboxState::SandboxNotready };
    let ip = if word.ends_with(['-', '?', 'h']) { "" } else { "10.0.0.9" };
    sandbox(attempt, state, network, ip)
}

/// A sandbox with the id `s<attempt>`.
pub(crate) fn sandbox(
    attempt: u32,
    state: v1::PodSandboxState,
    network: v1::NamespaceMode,
    ip: &str,
) -> v1::PodSandboxStatus {
    let options = v1::NamespaceOption { network: network.into(), ..Default::default() };
    v1::PodSandboxStatus {
        id: format!("s{attempt}"),
        metadata: Some(v1::PodSandboxMetadata { attempt, ..Default::default() }),
        state: state.into(),
        network: Some(v1::PodSandboxNetworkStatus { ip: ip.into(), additional_ips: Vec::new() }),
        linux: Some(v1::LinuxPodSandboxStatus { namespaces: Some(v1::Namespace { options: Some(options) }) }),
        ..Default::default()
    }
}

fn status_of(pod: &Pod, word: &str, count: u32, home: &str) -> ContainerStatus {
    let (name, state) = word.split_once(':').expect("name:state");
    let (state, home) = match state.split_once('@') {
        Some((state, attempt)) => (state, format!("s{attempt}")),
        None => (state, home.to_owned()),
    };
    let (word, is_changed) = (state.trim_end_matches('~'), state.ends_with('~'));
    let (state, exit_code) = match word {
        "run" => (ContainerState::Running, 0),
        "new" => (ContainerState::Created, 0),
        "unk" => (ContainerState::Unknown, 0),
        "oom" => (ContainerState::Exited, 0),
        "nil" => (ContainerState::Exited, 128),
        code => (ContainerState::Exited, code.parse().expect("an exit code")),
    };
    ContainerStatus {
        id: format!("{name}.{count}"),
        name: name.to_owned(),
        state,
        hash: container(pod, name).map_or(0, container_hash) + u64::from(is_changed),
        restart_count: count,
        exit_code,
        started_at: (!matches!(word, "new" | "nil")).then_some(jiff::Timestamp::UNIX_EPOCH),
        reason: if word == "oom" { "OOMKilled".to_owned() } else { String::new() },
        ..ContainerStatus::from_cri(&home, &v1::ContainerStatus::default())
    }
}

/// Actions in words: `end all, sandbox 1, init i, start a b`, or `nothing`.
pub(crate) fn words(pod: &Pod, actions: &PodActions) -> String {
    let mut words = Vec::new();
    let mut add = |what: &str, list: Vec<&str>| {
        if !list.is_empty() {
            words.push(format!("{what} {}", list.join(" ")));
        }
    };
    let attempt = actions.attempt.to_string();
    let name = |list: &[pod_model::Container], index: usize| list[index].name.clone();
    let inits: Vec<_> =
        actions.init_containers_to_start.iter().map(|i| name(init_containers(pod), *i)).collect();
    let regulars: Vec<_> =
        actions.containers_to_start.iter().map(|i| name(&spec(pod).containers, *i)).collect();
    add("end", if actions.kill_pod { vec!["all"] } else { vec![] });
    add("end", actions.containers_to_kill.iter().map(|kill| kill.id.as_str()).collect());
    add("sandbox", if actions.create_sandbox { vec![&attempt] } else { vec![] });
    add("init", inits.iter().map(String::as_str).collect());
    add("start", regulars.iter().map(String::as_str).collect());
    assert_eq!(words.is_empty(), actions.is_empty(), "{actions:?}");
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}
