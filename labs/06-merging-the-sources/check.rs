//! What lab 06 asks of `pod_config::diff` and `Changes::updates`: sets of pods, delivered one a minute, and two properties.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use lab_check::Check;
use pod_config::{Changes, Known, Op, PodUpdate, Source, diff};
use pod_model::identity::uid;
use pod_model::static_pod::{CONFIG_SEEN, CONFIG_SOURCE};
use pod_model::{Pod, PodRef};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// What one source delivers: at 12:00, at 12:01 and so on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default)]
    source: From,
    sets: Vec<Vec<Brief>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum From {
    #[default]
    File,
    Api,
}

/// A pod in brief.
#[derive(Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Brief {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
}

#[derive(Debug, Serialize)]
struct Answer {
    /// For each set what the node was told, in order.
    told: Vec<Vec<String>>,
    /// Pods that were left aside, over all sets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_aside: Vec<String>,
    /// What is known after the last set.
    known: Vec<Brief>,
}

fn main() -> ExitCode {
    let merge = "pkg/kubelet/config/config.go#merge";
    Check::new()
        .cases(|input: Input| Ok(answer(&input)))
        .property(
            "whoever-follows-the-updates-has-the-last-set",
            "the updates of a set turn what the node had into what the source said, and each of them changes something",
            merge,
            prop::collection::vec(any_set(), 1..6),
            |sets| follows(&sets),
        )
        .property(
            "the-same-set-again-is-silent",
            "a set that says what is known already gives no update, and every pod stays the very one that it was",
            merge,
            prop::collection::vec(any_set(), 1..4),
            |sets| silent_again(&sets),
        )
        .run()
}

fn answer(input: &Input) -> Answer {
    let source = match input.source {
        From::File => Source::File,
        From::Api => Source::Api,
    };
    let mut answer = Answer { told: Vec::new(), left_aside: Vec::new(), known: Vec::new() };
    let mut known = Known::new();
    for (minute, set) in input.sets.iter().enumerate() {
        let changes = diff(&known, pods(set), source, at(minute));
        answer.told.push(changes.updates(source, minute == 0).iter().map(shown).collect());
        answer.left_aside.extend(changes.duplicates.iter().map(|pod| in_short(pod)));
        known = changes.known;
    }
    answer.known = known.values().map(|pod| Brief::of(pod)).collect();
    answer
}

/// `ADD web(u1) api(u2)`.
fn shown(update: &PodUpdate) -> String {
    let pods = update.pods.iter().map(|pod| format!(" {}", in_short(pod)));
    format!("{}{}", update.op, pods.collect::<String>())
}

fn in_short(pod: &Pod) -> String {
    let PodRef { name, uid, .. } = PodRef::of(pod);
    format!("{name}({uid})")
}

fn at(minute: usize) -> Timestamp {
    let noon: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a time");
    noon + Duration::from_secs(60 * minute as u64)
}

fn pods(set: &[Brief]) -> Vec<Arc<Pod>> {
    set.iter().map(|brief| Arc::new(brief.pod())).collect()
}

impl Brief {
    fn pod(&self) -> Pod {
        let mut pod = Pod::default();
        let metadata = &mut pod.metadata;
        metadata.name = Some(self.name.clone());
        metadata.namespace = Some(self.namespace.clone().unwrap_or_else(|| "default".to_owned()));
        metadata.uid = Some(self.uid.clone());
        metadata.labels = (!self.labels.is_empty()).then(|| self.labels.clone());
        metadata.annotations = (!self.annotations.is_empty()).then(|| self.annotations.clone());
        metadata.deletion_timestamp = self.deletion.map(Time);
        metadata.deletion_grace_period_seconds = self.grace;
        metadata.generation = self.generation;
        metadata.resource_version.clone_from(&self.resource_version);
        let containers = self.image.iter().map(|image| Container {
            name: "c".to_owned(),
            image: Some(image.clone()),
            ..Container::default()
        });
        pod.spec = Some(PodSpec { containers: containers.collect(), ..PodSpec::default() });
        pod.status = self.phase.clone().map(|phase| PodStatus { phase: Some(phase), ..PodStatus::default() });
        pod
    }

    fn of(pod: &Pod) -> Self {
        let metadata = pod.metadata.clone();
        let container = pod.spec.as_ref().and_then(|spec| spec.containers.first());
        Self {
            name: metadata.name.unwrap_or_default(),
            namespace: metadata.namespace.filter(|namespace| namespace != "default"),
            uid: metadata.uid.unwrap_or_default(),
            image: container.and_then(|container| container.image.clone()),
            labels: metadata.labels.unwrap_or_default(),
            annotations: metadata.annotations.unwrap_or_default(),
            deletion: metadata.deletion_timestamp.map(|Time(time)| time),
            grace: metadata.deletion_grace_period_seconds,
            generation: metadata.generation,
            resource_version: metadata.resource_version,
            phase: pod.status.as_ref().and_then(|status| status.phase.clone()),
        }
    }
}

/// On one line, since a property shows whole sets of them: `pod0(u3) web:0 l=1 note0=x Running, ends`.
impl fmt::Debug for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.uid)?;
        self.image.iter().try_for_each(|image| write!(f, " {image}"))?;
        let written = self.labels.iter().chain(&self.annotations);
        written.into_iter().try_for_each(|(key, value)| write!(f, " {key}={value}"))?;
        self.phase.iter().try_for_each(|phase| write!(f, " {phase}"))?;
        f.write_str(if self.deletion.is_some() { ", ends" } else { "" })
    }
}

/// Plays the node: applies every update, and compares with what the source said last.
fn follows(sets: &[Vec<Brief>]) -> Result<(), String> {
    let (mut known, mut node) = (Known::new(), Known::new());
    for (minute, set) in sets.iter().enumerate() {
        let changes = diff(&known, pods(set), Source::Api, at(minute));
        for update in changes.updates(Source::Api, minute == 0) {
            if update.pods.is_empty() && minute > 0 {
                return Err(format!("set {minute} gave {} without a pod", update.op));
            }
            update.pods.iter().try_for_each(|pod| apply(&mut node, update.op, pod))?;
        }
        known = changes.known.clone();
        if node != known {
            let (node, known) = (list(&node), list(&known));
            return Err(format!("after set {minute} the node has {node}, and known is {known}"));
        }
        as_the_source_said(set, &changes)?;
    }
    Ok(())
}

fn apply(node: &mut Known, op: Op, pod: &Arc<Pod>) -> Result<(), String> {
    let (uid, short) = (uid(pod), in_short(pod));
    if op == Op::Remove {
        return node.remove(&uid).map(drop).ok_or_else(|| format!("REMOVE {short}, which was not there"));
    }
    let before = node.insert(uid, Arc::clone(pod));
    match (before, op) {
        (None, Op::Add) => Ok(()),
        (None, op) => Err(format!("{op} {short}, which was never added")),
        (Some(_), Op::Add) => Err(format!("ADD {short}, which was there already")),
        (Some(before), op) if before == *pod => Err(format!("{op} {short}, and nothing is different")),
        (Some(before), op) => first_seen_stays(&before, pod).map_err(|why| format!("{op} {short}: {why}")),
    }
}

fn first_seen_stays(before: &Pod, after: &Pod) -> Result<(), String> {
    for key in [CONFIG_SEEN, CONFIG_SOURCE] {
        let of = |pod: &Pod| pod.metadata.annotations.clone().unwrap_or_default().remove(key);
        if of(before) != of(after) {
            return Err(format!("the annotation {key} was {:?} and is {:?}", of(before), of(after)));
        }
    }
    Ok(())
}

/// What is known has all that the source said of each pod that was not left aside.
fn as_the_source_said(set: &[Brief], changes: &Changes) -> Result<(), String> {
    if changes.known.len() + changes.duplicates.len() != set.len() {
        let (known, aside) = (changes.known.len(), changes.duplicates.len());
        return Err(format!("{} pods delivered, {known} known and {aside} left aside", set.len()));
    }
    let mut aside = changes.duplicates.clone();
    for brief in set {
        let said = brief.pod();
        if let Some(index) = aside.iter().position(|pod| **pod == said) {
            aside.swap_remove(index);
            continue;
        }
        let known = changes.known.get(&uid(&said));
        let mut kept = Brief::of(known.ok_or_else(|| format!("{} is not known", in_short(&said)))?);
        kept.annotations.retain(|key, _| ![CONFIG_SEEN, CONFIG_SOURCE].contains(&key.as_str()));
        if kept != *brief {
            return Err(format!("known is {kept:?}, the source said {brief:?}"));
        }
    }
    Ok(())
}

fn silent_again(sets: &[Vec<Brief>]) -> Result<(), String> {
    let mut known = Known::new();
    for (minute, set) in sets.iter().enumerate() {
        known = diff(&known, pods(set), Source::File, at(minute)).known;
    }
    let Some(set) = sets.last() else { return Ok(()) };
    let again = diff(&known, pods(set), Source::File, at(sets.len()));
    let told: Vec<String> = again.updates(Source::File, false).iter().map(shown).collect();
    if !told.is_empty() {
        return Err(format!("the same set again: {}", told.join(", ")));
    }
    let same = |(uid, pod): (&_, &Arc<Pod>)| again.known.get(uid).is_some_and(|now| Arc::ptr_eq(now, pod));
    match known.iter().find(|(uid, pod)| !same((uid, pod))) {
        Some((_, pod)) => Err(format!("{} is another value than before", in_short(pod))),
        None => Ok(()),
    }
}

fn list(known: &Known) -> String {
    let pods: Vec<String> = known.values().map(|pod| in_short(pod)).collect();
    format!("[{}]", pods.join(" "))
}

/// Pods out of a small world, so that they meet again from set to set. A UID has one name, a name has two UIDs.
fn any_set() -> impl Strategy<Value = Vec<Brief>> {
    let any_pod = (0..6_u8, 0..2_u8, 0..2_u8, any::<bool>(), 0..2_u8, 0..2_u8);
    let any_pod = any_pod.prop_map(|(uid, label, image, ends, phase, note)| Brief {
        name: format!("pod{}", uid % 3),
        uid: format!("u{uid}"),
        image: Some(format!("web:{image}")),
        labels: BTreeMap::from([("l".to_owned(), label.to_string())]),
        annotations: (0..note).map(|n| (format!("note{n}"), "x".to_owned())).collect(),
        deletion: ends.then(|| at(9)),
        phase: Some(format!("Phase{phase}")),
        ..Brief::default()
    });
    prop::collection::vec(any_pod, 0..5)
}
