//! Manifests that are fine although they look odd, and what is filled into them.

use std::path::Path;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use pod_manifest::{MAX_MANIFEST_BYTES, Manifest, ManifestError, decode};
use serde_json::{Value, json};

fn read(text: &str) -> Manifest {
    decode(text.as_bytes(), Path::new("/m/a.yaml"), "node1").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn pod(text: &str) -> Pod {
    read(text).pod
}

fn spec(lines: &str) -> PodSpec {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers: [{{name: c, image: 'i:1'}}]\n{lines}"
    );
    pod(&text).spec.expect("a spec")
}

fn container(lines: &str) -> Container {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  - name: c\n    image: i:1\n{lines}"
    );
    pod(&text).spec.expect("a spec").containers.remove(0)
}

fn shown(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}

const PLAIN: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: 'i:1'}]}\n";

#[test]
fn only_the_first_document_of_a_file_counts() {
    let expected = pod(PLAIN);
    for text in [
        format!("---\n{PLAIN}"),
        format!("{PLAIN}---\n"),
        format!("{PLAIN}---\nkind: Deployment\n"),
        format!("{PLAIN}---\n}} broken"),
        format!("\u{feff}{PLAIN}"),
        format!("# comment\r\n{}", PLAIN.replace('\n', "\r\n")),
    ] {
        assert_eq!(pod(&text), expected, "{text}");
    }
}

#[test]
fn json_and_yaml_of_the_same_pod_are_the_same_pod() {
    let json = r#"{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"image":"i:1","name":"c"}]},"metadata":{"name":"a"}}"#;
    assert_eq!(pod(json), pod(PLAIN));
}

#[test]
fn the_uid_follows_from_pod_file_and_node_unless_the_file_names_one() {
    let uid = |text: &str, path: &str, node: &str| {
        decode(text.as_bytes(), Path::new(path), node).expect("good").pod.metadata.uid.expect("a UID")
    };
    let one = uid(PLAIN, "/m/a.yaml", "node1");
    assert_eq!(one, uid(&format!("# comment\n{PLAIN}"), "/m/a.yaml", "node1"));
    assert_ne!(one, uid(PLAIN, "/m/b.yaml", "node1"));
    assert_ne!(one, uid(PLAIN, "/m/a.yaml", "node2"));
    assert_ne!(one, uid(&PLAIN.replace("i:1", "i:2"), "/m/a.yaml", "node1"));
    let named = pod(&PLAIN.replace("{name: a}", "{name: a, uid: my-own}"));
    assert_eq!(named.metadata.uid.as_deref(), Some("my-own"));
    assert_eq!(named.metadata.annotations.expect("annotations")["kubernetes.io/config.hash"], "my-own");
}

#[test]
fn unknown_fields_are_skipped_and_named() {
    let text = PLAIN.replace("image: 'i:1'", "image: 'i:1', imagePolicy: {a: b}, env: [{name: A, vale: x}]");
    let manifest = read(&text.replace("kind: Pod", "kind: Pod\nextra: 1"));
    let mut unknown = manifest.unknown_fields;
    unknown.sort();
    assert_eq!(unknown, ["extra", "spec.containers[0].env[0].vale", "spec.containers[0].imagePolicy"]);
}

#[test]
fn the_kubelets_older_yaml_is_understood() {
    let spec = spec(
        "  hostPID: yes\n  enableServiceLinks: off\n  terminationGracePeriodSeconds: 5.0\n  volumes:\n  - name: v\n    \
         downwardAPI: {defaultMode: 0400, items: [{path: p, mode: 256, fieldRef: {fieldPath: metadata.name}}]}\n",
    );
    assert_eq!((spec.host_pid, spec.enable_service_links), (Some(true), Some(false)));
    assert_eq!(spec.termination_grace_period_seconds, Some(5));
    let volume = spec.volumes.expect("volumes").remove(0).downward_api.expect("a downward API volume");
    assert_eq!((volume.default_mode, volume.items.expect("items")[0].mode), (Some(0o400), Some(0o400)));
    let merged = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {<<: {a: '1', b: '2'}, b: '3'}}\n\
                  spec: {containers: [{name: c, image: 'i:1', image: 'i:2'}]}\n";
    let merged = pod(merged);
    let annotations = merged.metadata.annotations.expect("annotations");
    assert_eq!((annotations["a"].as_str(), annotations["b"].as_str(), annotations.len()), ("1", "3", 3));
    assert_eq!(
        merged.spec.expect("a spec").containers[0].image.as_deref(),
        Some("i:2"),
        "the later one counts"
    );
}

#[test]
fn null_is_the_zero_value() {
    let spec = spec("  volumes: null\n  hostNetwork: null\n  restartPolicy: null\n  initContainers: []\n");
    assert_eq!(
        (spec.volumes, spec.host_network, spec.restart_policy.as_deref()),
        (None, None, Some("Always"))
    );
}

#[test]
fn a_negative_grace_is_one_second() {
    assert_eq!(spec("  terminationGracePeriodSeconds: -5\n").termination_grace_period_seconds, Some(1));
    assert_eq!(spec("  terminationGracePeriodSeconds: 0\n").termination_grace_period_seconds, Some(0));
    assert_eq!(spec("").termination_grace_period_seconds, Some(30));
}

#[test]
fn a_static_pod_tolerates_whatever_befalls_its_node() {
    let tolerations = |line: &str| shown(&spec(line).tolerations.expect("tolerations"));
    let stays = json!({"operator": "Exists", "effect": "NoExecute"});
    assert_eq!(tolerations(""), json!([stays]));
    assert_eq!(
        tolerations("  tolerations: [{operator: Exists, effect: NoExecute, tolerationSeconds: 5}]\n"),
        json!([stays])
    );
    assert_eq!(
        tolerations("  tolerations: [{key: k, operator: Exists}]\n"),
        json!([{"key": "k", "operator": "Exists"}, stays])
    );
}

#[test]
fn probes_and_hooks_get_their_numbers_and_their_address() {
    let container = container(
        "    livenessProbe: {httpGet: {port: 80}, periodSeconds: 0}\n    readinessProbe: {grpc: {port: 5}, failureThreshold: 7}\n    \
         startupProbe: {tcpSocket: {port: web}}\n    lifecycle: {postStart: {httpGet: {port: 1}}, preStop: {sleep: {seconds: 3}}}\n",
    );
    let numbers = |failures: u8| json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": failures});
    let with = |mut probe: Value, handler: &str, value: Value| {
        probe[handler] = value;
        probe
    };
    assert_eq!(
        shown(&container.liveness_probe),
        with(numbers(3), "httpGet", json!({"port": 80, "path": "/", "scheme": "HTTP"}))
    );
    assert_eq!(
        shown(&container.readiness_probe),
        with(numbers(7), "grpc", json!({"port": 5, "service": ""}))
    );
    assert_eq!(shown(&container.startup_probe), with(numbers(3), "tcpSocket", json!({"port": "web"})));
    assert_eq!(
        shown(&container.lifecycle),
        json!({"postStart": {"httpGet": {"port": 1, "path": "/", "scheme": "HTTP"}}, "preStop": {"sleep": {"seconds": 3}}})
    );
}

#[test]
fn in_the_hosts_network_a_port_is_the_hosts() {
    let spec = spec(
        "  hostNetwork: true\n  initContainers: [{name: i, image: 'i:1', ports: [{containerPort: 80}]}]\n",
    );
    let container = spec.init_containers.expect("one").remove(0);
    let port = &container.ports.expect("one")[0];
    assert_eq!((port.host_port, port.protocol.as_deref()), (Some(80), Some("TCP")));
}

#[test]
fn a_limit_is_a_request_where_none_is_named() {
    let resources =
        container("    resources: {requests: {cpu: 1}, limits: {cpu: 2, memory: 64Mi}}\n").resources;
    assert_eq!(
        shown(&resources),
        json!({"requests": {"cpu": "1", "memory": "64Mi"}, "limits": {"cpu": "2", "memory": "64Mi"}})
    );
}

#[test]
fn volumes_get_their_modes_types_and_pull_policies() {
    let volumes = spec(
        "  volumes:\n  - {name: nothing}\n  - {name: host, hostPath: {path: /x}}\n  - {name: image, image: {reference: 'i'}}\n  \
         - {name: all, projected: {sources: [{downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.uid}}, \
         {path: q, resourceFieldRef: {containerName: c, resource: limits.cpu}}]}}]}}\n",
    )
    .volumes;
    assert_eq!(
        shown(&volumes),
        json!([
            {"name": "nothing", "emptyDir": {}},
            {"name": "host", "hostPath": {"path": "/x", "type": ""}},
            {"name": "image", "image": {"reference": "i", "pullPolicy": "Always"}},
            {"name": "all", "projected": {"defaultMode": 420, "sources": [{"downwardAPI": {"items": [
                {"path": "p", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.uid"}},
                {"path": "q", "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu", "divisor": "0"}},
            ]}}]}},
        ])
    );
}

#[test]
fn a_pod_with_limits_asks_for_what_its_containers_need_at_the_worst_moment() {
    let with = |of_pod: &str, containers: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  resources: {of_pod}\n{containers}\n"
        );
        shown(&pod(&text).spec.expect("a spec").resources)
    };
    let four = "  containers:\n  - {name: a, image: 'i:1', resources: {requests: {cpu: 100m, memory: 10Mi}}}\n  \
                - {name: b, image: 'i:1', resources: {requests: {cpu: 200m}}}\n  initContainers:\n  \
                - {name: s, image: 'i:1', restartPolicy: Always, resources: {requests: {cpu: 50m}}}\n  \
                - {name: i, image: 'i:1', resources: {requests: {memory: 30Mi}}}";
    assert_eq!(
        with("{limits: {cpu: 1, memory: 64Mi}}", four),
        json!({"limits": {"cpu": "1", "memory": "64Mi"}, "requests": {"cpu": "350m", "memory": "31457280"}})
    );
    let bare = "  containers: [{name: a, image: 'i:1'}]";
    assert_eq!(with("{limits: {cpu: 1}}", bare), json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}));
    assert_eq!(with("{requests: {cpu: 1}}", bare), json!({"requests": {"cpu": "1"}}));
    assert_eq!(with("{}", bare), json!({}));
}

#[test]
fn a_manifest_of_exactly_the_limit_is_read() {
    let mut text = format!("{PLAIN}#");
    text.push_str(&"x".repeat(MAX_MANIFEST_BYTES - text.len()));
    assert_eq!(pod(&text).metadata.name.as_deref(), Some("a-node1"));
    text.push('x');
    assert_eq!(decode(text.as_bytes(), Path::new("/m/a.yaml"), "node1"), Err(ManifestError::TooLarge));
}

#[test]
fn what_only_the_scheduler_reads_is_not_looked_at() {
    let text =
        PLAIN.replace("spec: {", "spec: {tolerations: [{operator: Equal}], affinity: {nodeAffinity: {}}, ");
    assert_eq!(read(&text).unknown_fields, Vec::<String>::new());
}
