//! The pods that a real kubelet served, against what is made of the same manifests here.
//!
//! `recordings/NAME.yaml` is the manifest, `recordings/NAME.pod.json` what kubelet v1.36.2 on the node `node1` answered on
//! `/pods` after it had run for a while; UID and times are masked there. Its status is not this crate's business, and
//! neither are the two annotations that the merge of sources writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pod_manifest::decode;
use serde_json::Value;

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recordings")
}

fn names() -> BTreeSet<String> {
    let entries = fs::read_dir(recordings()).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("text"));
    names.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect()
}

fn recorded(name: &str) -> Value {
    let text = fs::read_to_string(recordings().join(format!("{name}.pod.json"))).expect("recorded");
    let list: Value = serde_json::from_str(&text).expect("JSON");
    let mut pod = list[0].clone();
    let object = pod.as_object_mut().expect("a pod");
    object.remove("status");
    let annotations = object["metadata"]["annotations"].as_object_mut().expect("annotations");
    assert_eq!(annotations.remove("kubernetes.io/config.source"), Some("file".into()));
    assert_eq!(annotations.remove("kubernetes.io/config.seen"), Some("<time>".into()));
    pod
}

fn made_here(name: &str) -> Value {
    let path = recordings().join(format!("{name}.yaml"));
    let bytes = fs::read(&path).expect("a manifest");
    let manifest = decode(&bytes, &path, "node1").unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(manifest.unknown_fields, Vec::<String>::new(), "{name}");
    let uid = manifest.pod.metadata.uid.clone().expect("a UID");
    assert!(uid.len() == 32 && uid.chars().all(|c| c.is_ascii_hexdigit()), "{uid}");
    let mut pod = serde_json::to_value(&manifest.pod).expect("JSON");
    let object = pod.as_object_mut().expect("a pod");
    for field in ["apiVersion", "kind", "status"] {
        object.remove(field);
    }
    mask(&mut pod, &uid);
    pod
}

fn mask(value: &mut Value, uid: &str) {
    match value {
        Value::String(text) if text == uid => *text = "<uid-1>".into(),
        Value::Array(list) => list.iter_mut().for_each(|value| mask(value, uid)),
        Value::Object(map) => map.values_mut().for_each(|value| mask(value, uid)),
        _ => {}
    }
}

#[test]
fn a_manifest_becomes_the_pod_that_the_kubelet_made_of_it() {
    let names = names();
    assert!(names.len() >= 12, "{names:?}");
    for name in names {
        let (here, there) = (made_here(&name), recorded(&name));
        let pretty = |pod: &Value| serde_json::to_string_pretty(pod).expect("JSON");
        assert_eq!(pretty(&here), pretty(&there), "{name}");
    }
}
