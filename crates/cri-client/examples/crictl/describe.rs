//! One object in lines, and one event in a sentence.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cri_client::v1;

use super::ids::shown;
use super::tables::{container_state, sandbox_state};
use super::units::age;

/// `inspect -o table`; `now` in nanoseconds since 1970.
pub fn container(status: &v1::ContainerStatus, now: i64) -> String {
    let metadata = status.metadata.clone().unwrap_or_default();
    let mut lines = vec![
        ("ID", status.id.clone()),
        ("Name", metadata.name),
        ("Attempt", metadata.attempt.to_string()),
        ("State", container_state(status.state).to_owned()),
        ("Created", age(status.created_at, now)),
    ];
    if status.started_at > 0 {
        lines.push(("Started", age(status.started_at, now)));
    }
    if status.state() == v1::ContainerState::ContainerExited {
        lines.push(("Finished", age(status.finished_at, now)));
        lines.push(("Exit Code", status.exit_code.to_string()));
        lines.push(("Reason", status.reason.clone()));
    }
    lines.push(("Log", status.log_path.clone()));
    together(lines, &status.labels, &status.annotations)
}

/// `inspectp -o table`; `now` in nanoseconds since 1970.
pub fn sandbox(status: &v1::PodSandboxStatus, now: i64) -> String {
    let metadata = status.metadata.clone().unwrap_or_default();
    let mut lines = vec![
        ("ID", status.id.clone()),
        ("Name", metadata.name),
        ("UID", metadata.uid),
        ("Namespace", metadata.namespace),
        ("Attempt", metadata.attempt.to_string()),
        ("State", sandbox_state(status.state).to_owned()),
        ("Created", age(status.created_at, now)),
    ];
    if let Some(network) = &status.network {
        let addresses = std::iter::once(&network.ip).chain(network.additional_ips.iter().map(|ip| &ip.ip));
        let addresses: Vec<&str> = addresses.filter(|ip| !ip.is_empty()).map(String::as_str).collect();
        let own = if addresses.is_empty() { "none of its own".to_owned() } else { addresses.join(", ") };
        lines.push(("IP Addresses", own));
    }
    together(lines, &status.labels, &status.annotations)
}

fn together(
    lines: Vec<(&str, String)>,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    for (name, value) in lines {
        let _ = writeln!(text, "{name}: {value}");
    }
    for (name, pairs) in [("Labels", labels), ("Annotations", annotations)] {
        let _ = writeln!(text, "{name}:");
        for (key, value) in pairs {
            let _ = writeln!(text, "\t{key} -> {value}");
        }
    }
    text
}

/// `events`: when, what happened, to what, and how it stands now.
pub fn event(event: &v1::ContainerEventResponse, whole: bool) -> String {
    let time =
        clock::from_nanos(event.created_at).map(|time| time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
    let kind = match v1::ContainerEventType::try_from(event.container_event_type) {
        Ok(kind) => kind.as_str_name().trim_start_matches("CONTAINER_").trim_end_matches("_EVENT"),
        Err(_) => "UNKNOWN",
    };
    let time = time.unwrap_or_else(|| "unknown time".to_owned());
    format!("{time} {kind} {} {}", shown(&event.container_id, whole), subject(event))
}

fn subject(event: &v1::ContainerEventResponse) -> String {
    let Some(sandbox) = &event.pod_sandbox_status else {
        return "(the runtime says nothing of its pod)".to_owned();
    };
    let pod = sandbox.metadata.clone().unwrap_or_default();
    let of = format!("of pod {}/{}", pod.namespace, pod.name);
    if event.container_id == sandbox.id {
        return format!("sandbox {of}, attempt {}: {}", pod.attempt, sandbox_state(sandbox.state));
    }
    let Some(container) = event.containers_statuses.iter().find(|c| c.id == event.container_id) else {
        return format!("container {of}: no longer in its list");
    };
    let metadata = container.metadata.clone().unwrap_or_default();
    let mut state = container_state(container.state).to_owned();
    if container.state() == v1::ContainerState::ContainerExited {
        let _ = write!(state, " {} ({})", container.exit_code, container.reason);
    }
    format!("container {} {of}, attempt {}: {state}", metadata.name, metadata.attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox_status() -> v1::PodSandboxStatus {
        let metadata = v1::PodSandboxMetadata {
            name: "web".into(),
            uid: "u1".into(),
            namespace: "default".into(),
            attempt: 1,
        };
        v1::PodSandboxStatus {
            id: "s1".into(),
            metadata: Some(metadata),
            created_at: 1,
            network: Some(v1::PodSandboxNetworkStatus::default()),
            ..Default::default()
        }
    }

    fn exited() -> v1::ContainerStatus {
        v1::ContainerStatus {
            id: "c1".into(),
            metadata: Some(v1::ContainerMetadata { name: "app".into(), attempt: 3 }),
            state: v1::ContainerState::ContainerExited.into(),
            created_at: 1,
            started_at: 60_000_000_001,
            finished_at: 120_000_000_001,
            exit_code: 137,
            reason: "OOMKilled".into(),
            log_path: "/var/log/pods/default_web_u1/app/3.log".into(),
            labels: [("tier".to_owned(), "front".to_owned())].into(),
            ..Default::default()
        }
    }

    #[test]
    fn an_exited_container_says_when_and_with_what_code() {
        let text = container(&exited(), 180_000_000_001);
        let expected = "ID: c1\nName: app\nAttempt: 3\nState: Exited\nCreated: 3 minutes ago\nStarted: 2 minutes ago\n\
            Finished: About a minute ago\nExit Code: 137\nReason: OOMKilled\nLog: /var/log/pods/default_web_u1/app/3.log\n\
            Labels:\n\ttier -> front\nAnnotations:\n";
        assert_eq!(text, expected);
        let created = v1::ContainerStatus { state: 0, started_at: 0, finished_at: 0, ..exited() };
        let text = container(&created, 180_000_000_001);
        assert!(!text.contains("Started") && !text.contains("Exit Code"), "{text}");
    }

    #[test]
    fn a_sandbox_in_the_hosts_network_has_no_address_of_its_own() {
        let mut status = sandbox_status();
        assert!(sandbox(&status, 1).contains("IP Addresses: none of its own\n"));
        let more = vec![v1::PodIp { ip: "fd00::2".into() }];
        status.network = Some(v1::PodSandboxNetworkStatus { ip: "10.88.0.2".into(), additional_ips: more });
        assert!(sandbox(&status, 1).contains("IP Addresses: 10.88.0.2, fd00::2\n"));
    }

    #[test]
    fn an_event_is_a_sentence() {
        let of = |id: &str, kind: v1::ContainerEventType| v1::ContainerEventResponse {
            container_id: id.into(),
            container_event_type: kind.into(),
            created_at: 1_475_712_000_123_456_789,
            pod_sandbox_status: Some(sandbox_status()),
            containers_statuses: vec![exited()],
        };
        for (given, said) in [
            (
                of("c1", v1::ContainerEventType::ContainerStoppedEvent),
                "STOPPED c1 container app of pod default/web, attempt 3: Exited 137 (OOMKilled)",
            ),
            (
                of("s1", v1::ContainerEventType::ContainerStartedEvent),
                "STARTED s1 sandbox of pod default/web, attempt 1: Ready",
            ),
            (
                of("c2", v1::ContainerEventType::ContainerDeletedEvent),
                "DELETED c2 container of pod default/web: no longer in its list",
            ),
            (
                v1::ContainerEventResponse {
                    pod_sandbox_status: None,
                    ..of("c2", v1::ContainerEventType::ContainerCreatedEvent)
                },
                "CREATED c2 (the runtime says nothing of its pod)",
            ),
        ] {
            assert_eq!(event(&given, false), format!("2016-10-06T00:00:00.123Z {said}"));
        }
    }
}
