//! What lab 07 asks of `compare` and `group_by_pod`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use cri_client::v1;
use lab_check::{Check, Error};
use pleg::{PodLifecycleEvent, PodRecord, Seen, compare, group_by_pod};
use pod_model::{ContainerState, PodRef, PodUid, labels};
use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    /// What two list calls answered.
    Lists { sandboxes: Vec<Sandbox>, containers: Vec<Container> },
    /// Two looks at one pod: `web-0 running`. The sandbox is the member of that name.
    Looks { before: Option<Vec<String>>, now: Option<Vec<String>> },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sandbox {
    id: String,
    of: Option<Of>,
    ready: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Container {
    id: String,
    of: Option<Of>,
    r#in: String,
    state: String,
}

/// The pod in the labels.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    name: String,
    uid: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    /// By the pod's UID.
    Pods(BTreeMap<String, Pod>),
    /// The events by the member that they are about.
    Events(BTreeMap<String, Vec<&'static str>>),
}

#[derive(Debug, Serialize)]
struct Pod {
    pod: String,
    members: BTreeMap<String, String>,
    sandbox_of: BTreeMap<String, String>,
}

fn main() -> ExitCode {
    let generate = "pkg/kubelet/pleg/generic.go#generateEvents";
    Check::new()
        .cases(|input: Input| -> Result<Answer, Error> { ask(&input).map_err(Error::new) })
        .property(
            "nothing-is-missed-and-nothing-is-made-up",
            "every member that is different is told of, and none that is the same",
            generate,
            (any_look(), any_look()),
            |(old, new)| nothing_is_missed(seen(old.as_deref())?.as_ref(), seen(new.as_deref())?.as_ref()),
        )
        .property(
            "events-lead-from-one-look-to-the-next",
            "who has seen the look before and hears the events knows what runs now",
            generate,
            (any_look(), any_look()),
            |(old, new)| events_lead_on(seen(old.as_deref())?.as_ref(), seen(new.as_deref())?.as_ref()),
        )
        .property(
            "everything-of-a-pod-is-in-exactly-one-record",
            "a sandbox or container with a pod's labels is in the record of that pod and in no other",
            "pkg/kubelet/kuberuntime/kuberuntime_manager.go#getPods",
            proptest::collection::vec((any::<bool>(), 0..5usize), 0..8),
            |items| in_exactly_one(&items),
        )
        .run()
}

fn ask(input: &Input) -> Result<Answer, String> {
    Ok(match input {
        Input::Lists { sandboxes, containers } => {
            let sandboxes: Vec<_> = sandboxes.iter().map(sandbox).collect();
            let containers = containers.iter().map(container).collect::<Result<Vec<_>, _>>()?;
            let pods = group_by_pod(&sandboxes, &containers);
            Answer::Pods(
                pods.into_iter().map(|(uid, record)| (uid.as_str().to_owned(), shown(record))).collect(),
            )
        }
        Input::Looks { before, now } => {
            let events = compare(seen(before.as_deref())?.as_ref(), seen(now.as_deref())?.as_ref());
            let mut by_member: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
            for event in &events {
                let (id, name) = named(event);
                by_member.entry(id.to_owned()).or_default().push(name);
            }
            Answer::Events(by_member)
        }
    })
}

// === Cases in the runtime's words ===

fn names(of: &Option<Of>) -> labels::Map {
    let Some(of) = of else { return labels::Map::new() };
    [
        (labels::POD_NAMESPACE.to_owned(), "default".to_owned()),
        (labels::POD_NAME.to_owned(), of.name.clone()),
        (labels::POD_UID.to_owned(), of.uid.clone()),
    ]
    .into()
}

fn sandbox(sandbox: &Sandbox) -> v1::PodSandbox {
    let state =
        if sandbox.ready { v1::PodSandboxState::SandboxReady } else { v1::PodSandboxState::SandboxNotready };
    v1::PodSandbox {
        id: sandbox.id.clone(),
        labels: names(&sandbox.of),
        state: state.into(),
        ..Default::default()
    }
}

fn container(container: &Container) -> Result<v1::Container, String> {
    let state = match state(&container.state)? {
        ContainerState::Created => v1::ContainerState::ContainerCreated,
        ContainerState::Running => v1::ContainerState::ContainerRunning,
        ContainerState::Exited => v1::ContainerState::ContainerExited,
        ContainerState::Unknown => v1::ContainerState::ContainerUnknown,
    };
    Ok(v1::Container {
        id: container.id.clone(),
        pod_sandbox_id: container.r#in.clone(),
        labels: names(&container.of),
        state: state.into(),
        ..Default::default()
    })
}

fn state(word: &str) -> Result<ContainerState, String> {
    let all =
        [ContainerState::Created, ContainerState::Running, ContainerState::Exited, ContainerState::Unknown];
    all.into_iter().find(|state| state.to_string() == word).ok_or_else(|| format!("no state: {word}"))
}

fn record(members: &[String]) -> Result<PodRecord, String> {
    let mut record = empty();
    for phrase in members {
        let (id, word) = phrase.split_once(' ').ok_or_else(|| format!("no member: {phrase}"))?;
        record.members.insert(id.to_owned(), Seen { state: state(word)?, is_sandbox: id == "sandbox" });
    }
    Ok(record)
}

fn empty() -> PodRecord {
    let pod = PodRef { namespace: "default".into(), name: "web".into(), uid: PodUid::new("u1") };
    PodRecord { pod, members: BTreeMap::new(), sandbox_of: BTreeMap::new() }
}

fn shown(record: PodRecord) -> Pod {
    let one =
        |seen: Seen| format!("{} {}", if seen.is_sandbox { "sandbox" } else { "container" }, seen.state);
    Pod {
        pod: record.pod.to_string(),
        members: record.members.into_iter().map(|(id, member)| (id, one(member))).collect(),
        sandbox_of: record.sandbox_of,
    }
}

fn named(event: &PodLifecycleEvent) -> (&str, &'static str) {
    match event {
        PodLifecycleEvent::ContainerStarted(id) => (id, "ContainerStarted"),
        PodLifecycleEvent::ContainerDied(id) => (id, "ContainerDied"),
        PodLifecycleEvent::ContainerRemoved(id) => (id, "ContainerRemoved"),
        PodLifecycleEvent::ContainerChanged(id) => (id, "ContainerChanged"),
    }
}

// === Properties ===

/// In the words of the cases.
fn any_look() -> impl Strategy<Value = Option<Vec<String>>> {
    let states = select(vec!["created", "running", "exited", "unknown"]);
    let members = proptest::collection::btree_map("[a-d]", states, 0..4)
        .prop_map(|members| members.iter().map(|(id, state)| format!("{id} {state}")).collect());
    proptest::option::weighted(0.9, members)
}

fn seen(look: Option<&[String]>) -> Result<Option<PodRecord>, String> {
    look.map(record).transpose()
}

fn state_in(look: Option<&PodRecord>, id: &str) -> Option<ContainerState> {
    look.and_then(|look| look.members.get(id)).map(|seen| seen.state)
}

fn nothing_is_missed(old: Option<&PodRecord>, new: Option<&PodRecord>) -> Result<(), String> {
    let events = compare(old, new);
    for id in ["a", "b", "c", "d"] {
        let (before, now) = (state_in(old, id), state_in(new, id));
        let told: Vec<_> = events.iter().filter(|event| named(event).0 == id).collect();
        // Created and unknown look the same to the Go kubelet: both count as unknown there.
        let unclear = |s| matches!(s, Some(ContainerState::Created | ContainerState::Unknown));
        if unclear(before) && unclear(now) {
            continue;
        }
        if (before != now) == told.is_empty() {
            return Err(format!("{id} was {before:?} and is {now:?}; events about it: {told:?}"));
        }
    }
    Ok(())
}

fn events_lead_on(old: Option<&PodRecord>, new: Option<&PodRecord>) -> Result<(), String> {
    let mut heard: BTreeMap<&str, ContainerState> = BTreeMap::new();
    for id in ["a", "b", "c", "d"] {
        heard.extend(state_in(old, id).map(|state| (id, state)));
    }
    let events = compare(old, new);
    for event in &events {
        match event {
            PodLifecycleEvent::ContainerStarted(id) => heard.insert(id, ContainerState::Running),
            PodLifecycleEvent::ContainerDied(id) => heard.insert(id, ContainerState::Exited),
            PodLifecycleEvent::ContainerChanged(id) => heard.insert(id, ContainerState::Unknown),
            PodLifecycleEvent::ContainerRemoved(id) => heard.remove(id.as_str()),
        };
    }
    let plain = |state| if state == ContainerState::Created { ContainerState::Unknown } else { state };
    for id in ["a", "b", "c", "d"] {
        let (told, is) = (heard.get(id).copied().map(plain), state_in(new, id).map(plain));
        if told != is {
            return Err(format!("after {events:?}, {id} is believed to be {told:?} and is {is:?}"));
        }
    }
    Ok(())
}

/// Each item is a sandbox or a container, of pod `u0` to `u3`, or of nobody.
fn in_exactly_one(items: &[(bool, usize)]) -> Result<(), String> {
    let of = |pod: usize| (pod < 4).then(|| Of { name: "web".to_owned(), uid: format!("u{pod}") });
    let (mut sandboxes, mut containers) = (Vec::new(), Vec::new());
    for (place, (is_sandbox, pod)) in items.iter().enumerate() {
        let (id, of) = (format!("{place}"), of(*pod));
        if *is_sandbox {
            sandboxes.push(sandbox(&Sandbox { id, of, ready: true }));
        } else {
            containers.push(container(&Container {
                id,
                of,
                r#in: "s".to_owned(),
                state: "running".to_owned(),
            })?);
        }
    }
    let pods = group_by_pod(&sandboxes, &containers);
    for (place, (_, pod)) in items.iter().enumerate() {
        let id = format!("{place}");
        let holders = pods.iter().filter(|(_, record)| record.members.contains_key(&id));
        let holders: Vec<&str> = holders.map(|(uid, _)| uid.as_str()).collect();
        let wanted: Vec<String> = of(*pod).map(|of| of.uid).into_iter().collect();
        if holders != wanted {
            return Err(format!("item {id} of {wanted:?} is in the records of {holders:?}"));
        }
    }
    Ok(())
}
