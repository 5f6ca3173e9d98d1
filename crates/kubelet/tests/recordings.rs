//! The assembled kubelet against recordings of the real one: the same manifest, the same runtime answers, and the same
//! requests, field by field. In paused time, on the in-memory runtime.
//!
//! `recordings/differences.txt` lists the fields that another chapter owns, with the reason. A line there that does not
//! occur any more is a failure, too.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use cri_client::fake::Run;
use e2e::recording::{Masks, Recording, Step, UID_AS_BASE64, compare, descriptors, folder, from_calls};
use support::Machine;

/// What the containers of a recording did on the real machine.
fn scripts(recording: &str) -> Vec<(&'static str, Vec<Run>)> {
    let deaf = || Run::until_stopped().deaf();
    let ends = |code| Run::exits_after(Duration::from_millis(50), code);
    match recording {
        "01-minimal" | "03-env-and-downward" => vec![("main", vec![deaf()])],
        "02-init-and-sidecar" => vec![("first", vec![ends(0)]), ("last", vec![ends(0)])],
        "05-qos-burstable" => vec![("some", vec![deaf()]), ("none", vec![deaf()])],
        "06-host-network" => vec![],
        "10-crash-loop" => vec![("main", vec![ends(3)])],
        "11-restart-never" => vec![("ok", vec![ends(0)]), ("bad", vec![ends(1)])],
        "13-ports-dns-hosts" => vec![("main", vec![deaf()])],
        other => panic!("no script for {other}"),
    }
}

/// Plays a recording's manifest and gives our calls in its form.
async fn play(recording: &Recording) -> Vec<Step> {
    let node = Machine::new();
    for (container, runs) in scripts(&recording.name) {
        node.fake.script(container, runs);
    }
    let _kubelet = node.start().await;
    let path = format!("/manifests/{}.yaml", recording.name);
    node.manifests.insert(&path, recording.manifest.as_bytes());
    tokio::time::sleep(Duration::from_secs(recording.wait)).await;
    node.manifests.remove(&path);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(node.fake.sandboxes().is_empty(), "{}: everything is gone in the end", recording.name);
    assert!(node.fake.containers().is_empty(), "{}: everything is gone in the end", recording.name);

    let calls = node.fake.calls();
    let sandbox = node.fake.requests::<cri_client::v1::RunPodSandboxRequest>().remove(0);
    let uid = sandbox.config.and_then(|c| c.metadata).map(|m| m.uid).expect("a uid");
    let root = node.root.path().display();
    let in_a_variable =
        serde_json::to_value(k8s_openapi::ByteString(uid.clone().into_bytes())).expect("base64");
    let in_a_variable = in_a_variable.as_str().expect("text").to_owned();
    let masks = Masks(vec![
        (in_a_variable, UID_AS_BASE64),
        (uid, "<uid-1>"),
        (format!("{root}/root"), "<root>"),
        (format!("{root}/logs/pods"), "<pod-logs>"),
    ]);
    from_calls(&descriptors().expect("the interface compiles"), &calls, &masks).expect("readable")
}

/// The known differences, by recording.
fn known() -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(folder().join("differences.txt")).expect("the list");
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (recording, difference) = line.split_once(": ").expect("recording: difference");
        known.entry(recording.to_owned()).or_default().push(difference.to_owned());
    }
    known
}

async fn check(name: &str) {
    let recording = Recording::load(name).expect("a recording");
    let ours = play(&recording).await;
    let differences = compare(&recording.steps, &ours);
    let known = known().remove(name).unwrap_or_default();
    assert_eq!(
        differences, known,
        "{name}: left, what differs; right, what differences.txt expects to differ"
    );
}

/// A test for each recording, and the list of them.
macro_rules! plays {
    ($($test:ident: $recording:literal,)*) => {
        const PLAYED: &[&str] = &[$($recording),*];
        $(
            #[tokio::test(start_paused = true)]
            async fn $test() {
                check($recording).await;
            }
        )*
    };
}

plays! {
    recording_01_minimal: "01-minimal",
    recording_02_init_containers_and_a_sidecar: "02-init-and-sidecar",
    recording_03_environment_and_downward_api: "03-env-and-downward",
    recording_05_burstable: "05-qos-burstable",
    recording_06_host_network: "06-host-network",
    recording_10_crash_loop: "10-crash-loop",
    recording_11_restart_never: "11-restart-never",
    recording_13_ports_dns_and_hosts: "13-ports-dns-hosts",
}

#[test]
fn the_list_of_recordings_says_which_ones_are_played() {
    let text = std::fs::read_to_string(folder().join("played.txt")).expect("the list");
    let played: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, how)| how.trim() == "played")
        .map(|(recording, _)| recording)
        .collect();
    assert_eq!(played, PLAYED, "left, what recordings/played.txt says; right, what is played here");
}
