//! What a real kubelet asked of a real containerd, and whether we ask for the same.
//!
//! `recordings/` holds one list of calls for each manifest. [`from_calls`] brings our own calls into the same form, and
//! [`compare`] names every field that differs: `{}` is not absent, and a call too many is as wrong as one too few.
//!
//! What the real kubelet itself varies from run to run is compared as a set, or not at all: the order of environment
//! variables, of stops that run side by side, the name of the termination-log file, and everything that garbage collection
//! does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cri_client::RecordedCall;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;

pub use prost_reflect::prost::Message;

/// The calls that are compared. Removals are garbage collection's, and reading changes nothing.
const COMPARED: &[&str] = &[
    "RunPodSandbox",
    "CreateContainer",
    "StartContainer",
    "StopContainer",
    "StopPodSandbox",
    "PullImage",
    "ExecSync",
];

/// What stands for the pod's UID where it is the value of an environment variable.
pub const UID_AS_BASE64: &str = "<uid-1 as base64>";

/// Stops that are closer than this run side by side.
const SIDE_BY_SIDE: f64 = 0.05;

/// One call, normalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Seconds since the first call.
    pub at: f64,
    /// The RPC.
    pub call: String,
    /// The request, with proto field names; what is unset is absent.
    pub request: Value,
    /// It was answered with an error.
    pub failed: bool,
}

/// A recording of the real kubelet.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its name, such as `01-minimal`.
    pub name: String,
    /// The manifest that was dropped into the directory.
    pub manifest: String,
    /// How many seconds it lay there.
    pub wait: u64,
    /// What the kubelet asked for.
    pub steps: Vec<Step>,
}

/// Where the recordings are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recordings")
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// A file is missing or is not what a recording looks like.
    pub fn load(name: &str) -> Result<Self> {
        let read = |suffix: &str| {
            let path = folder().join(format!("{name}{suffix}"));
            std::fs::read_to_string(&path).with_context(|| path.display().to_string())
        };
        let manifest = read(".yaml")?;
        let waits = manifest.lines().find_map(|line| line.strip_prefix("# wait:"));
        let wait = waits.map_or(Ok(8), |text| text.trim().parse()).context("the line # wait:")?;
        // The one place where the recording shows the pod's UID in another form: as the value of a variable.
        let calls =
            read(".cri.jsonl")?.replace("YjIxMTM3MzRkNjc5M2VmNWIwMDNjZDNlMTdiOTkxZWY=", UID_AS_BASE64);
        let mut steps = Vec::new();
        for line in calls.lines().filter(|line| !line.trim().is_empty()) {
            let value: Value = serde_json::from_str(line).with_context(|| format!("{name}: {line}"))?;
            let call = value["call"].as_str().context("call")?.to_owned();
            let at = value["at_s"].as_f64().context("at_s")?;
            steps.push(Step {
                at,
                call,
                request: value["request"].clone(),
                failed: !value["error"].is_null(),
            });
        }
        Ok(Self { name: name.to_owned(), manifest, wait, steps: tidy(steps) })
    }
}

/// What stands for itself in our calls, by what the recording has in its place.
#[derive(Clone, Debug, Default)]
pub struct Masks(pub Vec<(String, &'static str)>);

/// The descriptors of the interface.
///
/// # Errors
/// `proto/` does not compile.
pub fn descriptors() -> Result<DescriptorPool> {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let files = protox::compile(["runtime/v1/api.proto"], [proto])?;
    Ok(DescriptorPool::from_file_descriptor_set(files)?)
}

/// Our calls in the recording's form.
///
/// # Errors
/// A call that cannot be read back, which would be a bug of this program.
pub fn from_calls(pool: &DescriptorPool, calls: &[RecordedCall], masks: &Masks) -> Result<Vec<Step>> {
    let mut ids: Vec<(String, String)> = Vec::new();
    let (mut sandboxes, mut containers) = (0, 0);
    let mut steps = Vec::new();
    let first = calls.iter().find(|c| COMPARED.contains(&c.rpc)).map(|c| c.at).unwrap_or_default();
    for call in calls.iter().filter(|c| COMPARED.contains(&c.rpc)) {
        let mut request = to_json(pool, &format!("runtime.v1.{}Request", call.rpc), &call.request)?;
        let response = to_json(pool, &format!("runtime.v1.{}Response", call.rpc), &call.response)?;
        if let Some(id) = response["pod_sandbox_id"].as_str() {
            sandboxes += 1;
            ids.push((id.to_owned(), format!("<sandbox-{sandboxes}>")));
        }
        if let Some(id) = response["container_id"].as_str() {
            containers += 1;
            ids.push((id.to_owned(), format!("<container-{containers}>")));
        }
        replace(&mut request, &|text| {
            let by_id = ids.iter().find(|(id, _)| id == text).map(|(_, name)| name.clone());
            by_id.unwrap_or_else(|| {
                masks.0.iter().fold(text.to_owned(), |text, (ours, theirs)| text.replace(ours, theirs))
            })
        });
        let at = call.at.saturating_sub(first).as_secs_f64();
        steps.push(Step { at, call: call.rpc.to_owned(), request, failed: call.error.is_some() });
    }
    Ok(tidy(steps))
}

fn to_json(pool: &DescriptorPool, message: &str, bytes: &[u8]) -> Result<Value> {
    let descriptor = pool.get_message_by_name(message).with_context(|| format!("no message {message}"))?;
    let message = DynamicMessage::decode(descriptor, bytes)?;
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(true);
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

fn replace(value: &mut Value, with: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = with(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, with)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, with)),
        _ => {}
    }
}

/// Leaves out what is not compared, and puts what has no order into one.
fn tidy(steps: Vec<Step>) -> Vec<Step> {
    let mut stopped = BTreeSet::new();
    let mut kept: Vec<Step> = steps
        .into_iter()
        .filter(|step| COMPARED.contains(&step.call.as_str()))
        .filter(|step| step.call != "StopPodSandbox" || stopped.insert(step.request.to_string()))
        .collect();
    for step in &mut kept {
        for config in ["/config", "/sandbox_config"] {
            if let Some(seen) =
                step.request.pointer_mut(&format!("{config}/annotations/kubernetes.io~1config.seen"))
            {
                *seen = "<time>".into();
            }
        }
        if let Some(Value::Array(envs)) = step.request.pointer_mut("/config/envs") {
            envs.sort_by_key(ToString::to_string);
        }
        for mount in
            step.request.pointer_mut("/config/mounts").and_then(Value::as_array_mut).into_iter().flatten()
        {
            let Some(Value::String(path)) = mount.get_mut("host_path") else { continue };
            if path.contains("/containers/")
                && let Some((folder, _)) = path.rsplit_once('/')
            {
                *path = format!("{folder}/<any>");
            }
        }
    }
    let mut from = 0;
    while from < kept.len() {
        let beside = |step: &Step| step.call == "StopContainer" && step.at - kept[from].at < SIDE_BY_SIDE;
        let count = kept[from..].iter().take_while(|step| beside(step)).count().max(1);
        kept[from..from + count].sort_by_key(|step| step.request.to_string());
        from += count;
    }
    kept
}

/// Every difference, one line each: which call, which field, what the real kubelet sent, what we sent.
pub fn compare(recorded: &[Step], ours: &[Step]) -> Vec<String> {
    let mut differences = Vec::new();
    for place in 0..recorded.len().max(ours.len()) {
        match (recorded.get(place), ours.get(place)) {
            (Some(theirs), Some(our)) if theirs.call == our.call => {
                let call = format!("call {} {}", place + 1, our.call);
                if theirs.failed != our.failed {
                    differences.push(format!(
                        "{call}: recorded failed={}, ours failed={}",
                        theirs.failed, our.failed
                    ));
                }
                let (theirs, our) = (flatten(&theirs.request), flatten(&our.request));
                let fields: BTreeSet<&String> = theirs.keys().chain(our.keys()).collect();
                for field in fields.into_iter().filter(|field| theirs.get(*field) != our.get(*field)) {
                    let show =
                        |side: &BTreeMap<String, String>| side.get(field).cloned().unwrap_or("absent".into());
                    differences.push(format!(
                        "{call} {field}: recorded {}, ours {}",
                        show(&theirs),
                        show(&our)
                    ));
                }
            }
            (theirs, our) => {
                let show = |step: Option<&Step>| {
                    step.map_or("nothing".to_owned(), |s| format!("{} at {:.1} s", s.call, s.at))
                };
                differences.push(format!(
                    "call {}: recorded {}, ours {}",
                    place + 1,
                    show(theirs),
                    show(our)
                ));
            }
        }
    }
    differences
}

/// `config.metadata.name` and so on, each leaf by its path. An empty object is a leaf.
fn flatten(value: &Value) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    walk(value, String::new(), &mut leaves);
    leaves
}

fn walk(value: &Value, path: String, leaves: &mut BTreeMap<String, String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, field) in fields {
                walk(field, below(key), leaves);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                walk(item, below(&index.to_string()), leaves);
            }
        }
        leaf => {
            leaves.insert(path, leaf.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_equals_itself_and_every_change_is_named() {
        let recording = Recording::load("02-init-and-sidecar").expect("a recording");
        assert!(recording.steps.len() > 10);
        assert_eq!(compare(&recording.steps, &recording.steps), Vec::<String>::new());

        let mut other = recording.steps.clone();
        other[0].request["config"]["hostname"] = "x".into();
        other[1].request["config"]["linux"]["security_context"]["run_as_user"] = Value::Null;
        other.pop();
        let lines = compare(&recording.steps, &other);
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert!(
            lines[0]
                .starts_with("call 1 RunPodSandbox config.hostname: recorded \"ordered-node1\", ours \"x\"")
        );
        assert!(lines[1].contains("run_as_user: recorded {}, ours null"), "{}", lines[1]);
        assert!(lines[2].contains("ours nothing"), "{}", lines[2]);
    }
}
