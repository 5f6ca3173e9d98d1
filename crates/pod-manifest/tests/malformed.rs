//! Manifests that are no static pods, and the one error that each of them gives.
//!
//! Most cases change one thing of a good manifest; what is expected is the whole error text. The rules for each field
//! have their own table in `pod-validation`; here is what only a file can get wrong, and for each part of a pod enough to
//! show that the rules are asked, and asked after the defaults were filled in.

use std::path::Path;

use pod_manifest::{ManifestError, decode};
use proptest::prelude::*;

/// A good manifest that uses a little of everything.
const GOOD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: default
  labels: {app: web}
spec:
  restartPolicy: Always
  volumes:
  - {name: scratch, emptyDir: {}}
  - {name: etc, hostPath: {path: /etc, type: Directory}}
  initContainers:
  - {name: setup, image: 'busybox:1'}
  containers:
  - name: app
    image: busybox:1
    imagePullPolicy: IfNotPresent
    command: [sleep, '3600']
    ports: [{name: http, containerPort: 80}]
    env: [{name: A, value: '1'}]
    resources: {requests: {cpu: 100m}, limits: {cpu: 200m}}
    volumeMounts: [{name: scratch, mountPath: /scratch}]
    livenessProbe: {httpGet: {port: http}}
    lifecycle: {preStop: {exec: {command: ['true']}}}
";

fn error(text: impl AsRef<[u8]>) -> ManifestError {
    let text = text.as_ref();
    let decoded = decode(text, Path::new("/m/web.yaml"), "node1");
    decoded.expect_err(&String::from_utf8_lossy(&text[..text.len().min(2000)]))
}

/// The good manifest with `old` replaced by `new`.
fn with(old: &str, new: &str) -> String {
    assert_eq!(GOOD.matches(old).count(), 1, "{old:?} must be there once");
    GOOD.replace(old, new)
}

/// The good manifest with a line added to its spec.
fn spec_with(line: &str) -> String {
    with("spec:\n", &format!("spec:\n  {line}\n"))
}

/// The good manifest with a line added to its container.
fn container_with(line: &str) -> String {
    format!("{GOOD}    {line}\n")
}

#[test]
fn the_good_manifest_is_good() {
    let manifest = decode(GOOD.as_bytes(), Path::new("/m/web.yaml"), "node1").expect("good");
    assert_eq!(manifest.pod.metadata.name.as_deref(), Some("web-node1"));
    assert_eq!(manifest.unknown_fields, Vec::<String>::new());
}

#[test]
fn a_file_that_is_no_document_says_so() {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let cases: [(Vec<u8>, &str); 20] = [
        (bytes(""), "is empty"),
        (bytes(" \n\n"), "is empty"),
        (bytes("# only a comment\n"), "is empty"),
        (bytes("null"), "is empty"),
        (bytes("---\n---\nkind: Pod"), "is empty"),
        (b"apiVersion: v1\nkind: \xff\xfe".to_vec(), "is not UTF-8 text: byte 21 begins no character"),
        (b"\xff\xfek\0i\0n\0d\0".to_vec(), "is not UTF-8 text: byte 0 begins no character"),
        (vec![b'#'; pod_manifest::MAX_MANIFEST_BYTES + 1], "is larger than 10 MiB"),
        // Half-written.
        (
            bytes(&GOOD[..GOOD.len() - 20]),
            "is not valid YAML: did not find expected ',' or '}' at line 25 column 1, while parsing a flow mapping at \
             line 24 column 33",
        ),
        (
            bytes("apiVersion: v1\nkind: Pod\nmetadata:\n  na"),
            "metadata: Invalid value: \"na\": expected a map",
        ),
        (
            bytes("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"we"),
            "is not valid JSON: EOF while parsing a string at line 1 column 60",
        ),
        // Malformed.
        (bytes("{\"apiVersion\": \"v1\"} x"), "is not valid JSON: trailing characters at line 1 column 22"),
        (bytes("{apiVersion: v1}"), "is not valid JSON: key must be a string at line 1 column 2"),
        (
            bytes("apiVersion: v1\n\tkind: Pod"),
            "is not valid YAML: found a tab character that violates indentation at line 2 column 1, while scanning a \
             plain scalar at line 1 column 13",
        ),
        (
            bytes("a: b\n c: d"),
            "is not valid YAML: mapping values are not allowed in this context at line 2 column 3",
        ),
        (bytes("apiVersion: *none"), "is not valid YAML: unknown anchor at line 1 column 13"),
        (
            bytes("apiVersion: !secret v1\nkind: Pod"),
            "is not valid YAML: apiVersion: invalid type: enum, expected a value without a YAML tag of its own at line \
             1 column 13",
        ),
        // No object.
        (
            bytes("- a\n- b"),
            "(document): Invalid value: no map: expected apiVersion, kind, metadata and spec",
        ),
        (bytes("hello"), "(document): Invalid value: no map: expected apiVersion, kind, metadata and spec"),
        (bytes("{}"), "apiVersion: Required value; kind: Required value"),
    ];
    for (bytes, expected) in cases {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        assert_eq!(error(&bytes).to_string(), expected, "{shown:?}");
    }
}

#[test]
fn a_document_that_would_fill_the_memory_or_never_end_is_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let aliases = [format!("*a{}", level - 1).as_str(); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let long_text_many_times = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), ["*a"; 60].join(", "));
    let most = pod_manifest::MAX_MANIFEST_BYTES;
    let cases = [
        (bomb, "is not valid YAML: repetition limit exceeded"),
        (
            long_text_many_times,
            "is not valid YAML: b[38]: the document takes more than 40 MiB once it is read at line 1 column 4",
        ),
        ("[".repeat(most), "is not valid YAML: it is too intricate for a pod"),
        ("- ".repeat(most / 2), "is not valid YAML: it is too intricate for a pod"),
        ("a: b\n".repeat(most / 5), "is not valid YAML: it is too intricate for a pod"),
        ("- ".repeat(1000), "is not valid YAML: recursion limit exceeded at line 1 column 257"),
        ("{\"a\":".repeat(most / 5), "is not valid JSON: recursion limit exceeded at line 1 column 636"),
        (
            format!("{{\"a\": [1{}]}}", ",1".repeat(most / 2 - 10)),
            "is not valid JSON: the document takes more than 40 MiB once it is read at line 1 column 1310720",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(&text).to_string(), expected, "{:?}", &text[..30]);
    }
}

/// Checks cases of a whole error text each; `…` stands for the rest of one that the API ends with its regular expression.
fn check(cases: &[(String, &str)]) {
    for (text, expected) in cases {
        let error = error(text).to_string();
        let fits = match expected.split_once('…') {
            Some((start, end)) => error.starts_with(start) && error.ends_with(end),
            None => error == *expected,
        };
        assert!(fits, "\n  expected: {expected}\n       got: {error}\n{text}");
    }
}

#[test]
fn a_document_that_is_no_pod_says_what_it_should_be() {
    check(&[
        (with("apiVersion: v1\n", ""), "apiVersion: Required value"),
        (
            with("apiVersion: v1", "apiVersion: apps/v1"),
            "apiVersion: Unsupported value: \"apps/v1\": supported values: \"v1\"",
        ),
        (with("kind: Pod\n", ""), "kind: Required value"),
        (
            with("kind: Pod", "kind: Deployment"),
            "kind: Unsupported value: \"Deployment\": supported values: \"Pod\"",
        ),
        (with("kind: Pod", "kind: [Pod]"), "kind: Invalid value: [\"Pod\"]: expected a string"),
        (
            with("apiVersion: v1\nkind: Pod", "apiVersion: v1\nkind: List"),
            "kind: Unsupported value: \"List\": supported values: \"Pod\"",
        ),
    ]);
}

#[test]
fn metadata_that_no_pod_can_have() {
    check(&[
        (with("name: web\n", "name: ''\n"), "metadata.name: Required value: name is needed for the pod"),
        (with("  name: web\n", ""), "metadata.name: Required value: name is needed for the pod"),
        (
            with("name: web\n", "name: Web_1\n"),
            "metadata.name: Invalid value: \"Web_1-node1\": a lowercase RFC 1123 subdomain must…",
        ),
        (with("name: web\n", "name: 7\n"), "metadata.name: Invalid value: 7: expected a string"),
        (
            with("labels: {app: web}", "labels: [app]"),
            "metadata.labels: Invalid value: a list: expected a map",
        ),
        (
            with("labels: {app: web}", "labels: {app: 1}"),
            "metadata.labels[app]: Invalid value: 1: expected a string",
        ),
        (
            with("labels: {app: web}", "uid: ../../etc"),
            "metadata.uid: Invalid value: \"../../etc\": must be 1 to 63 letters, digits, '-' or '_', since it names the pod's directory",
        ),
    ]);
}

#[test]
fn volumes_that_no_pod_can_have() {
    check(&[
        (
            with("{name: scratch, emptyDir: {}}", "{name: scratch, emptyDir: {}, hostPath: {path: /x}}"),
            "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type; spec.containers[0].volumeMounts[0].name: Not found: \"scratch\"",
        ),
        (
            with("{name: scratch, emptyDir: {}}", "{name: scratch, emptyDir: {sizeLimit: lots}}"),
            "spec.volumes[0].emptyDir.sizeLimit: Invalid value: \"lots\": must be a number with an optional suffix, such as 100m, 2, 1.5Gi or 2e3; spec.containers[0].volumeMounts[0].name: Not found: \"scratch\"",
        ),
        (
            with("hostPath: {path: /etc, type: Directory}", "hostPath: {}"),
            "spec.volumes[1].hostPath.path: Required value",
        ),
        (
            with(
                "hostPath: {path: /etc, type: Directory}",
                "downwardAPI: {defaultMode: 01777, items: [{path: a}]}",
            ),
            "spec.volumes[1].downwardAPI.defaultMode: Invalid value: 1023: must be a number between 0 and 0777 (octal), both inclusive; spec.volumes[1].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
        ),
        (
            with("{name: scratch, emptyDir: {}}", "{name: scratch, image: {pullPolicy: Never}}"),
            "spec.volumes[0].image.reference: Required value; spec.containers[0].volumeMounts[0].name: Not found: \"scratch\"",
        ),
    ]);
}

#[test]
fn references_to_what_only_the_api_server_has() {
    check(&[
        (
            spec_with("serviceAccountName: robot"),
            "spec.serviceAccountName: Forbidden: static pods may not reference serviceaccounts",
        ),
        (
            spec_with("serviceAccount: robot"),
            "spec.serviceAccount: Forbidden: static pods may not reference serviceaccounts",
        ),
        (
            spec_with("imagePullSecrets: [{name: s}]"),
            "spec.imagePullSecrets[0]: Forbidden: static pods may not reference secrets",
        ),
        (
            spec_with("resourceClaims: [{name: gpu}]"),
            "spec.resourceClaims: Forbidden: static pods may not reference resourceclaims",
        ),
        (
            with("hostPath: {path: /etc, type: Directory}", "secret: {secretName: s}"),
            "spec.volumes[1].secret: Forbidden: static pods may not reference secrets (via secret volumes)",
        ),
        (
            with("hostPath: {path: /etc, type: Directory}", "configMap: {name: s}"),
            "spec.volumes[1].configMap: Forbidden: static pods may not reference configmaps (via configmap volumes)",
        ),
        (
            with("hostPath: {path: /etc, type: Directory}", "persistentVolumeClaim: {claimName: s}"),
            "spec.volumes[1].persistentVolumeClaim: Forbidden: static pods may not reference persistentvolumeclaims",
        ),
        (
            with(
                "hostPath: {path: /etc, type: Directory}",
                "projected: {sources: [{serviceAccountToken: {path: t}}, {downwardAPI: {items: [{path: ../x, fieldRef: {fieldPath: spec.nodeName}}]}}]}",
            ),
            "spec.volumes[1].projected.sources[1].downwardAPI.path: Invalid value: \"../x\": must not contain '..'; spec.volumes[1].projected.sources[1].downwardAPI.fieldRef.fieldPath: Unsupported value: \"spec.nodeName\": supported values: \"metadata.annotations\", \"metadata.labels\", \"metadata.name\", \"metadata.namespace\", \"metadata.uid\"; spec.volumes[1].projected.sources[0].serviceAccountToken: Forbidden: static pods may not reference serviceaccounts (via projected volumes)",
        ),
        (
            with("hostPath: {path: /etc, type: Directory}", "cephfs: {monitors: [m], secretRef: {name: s}}"),
            "spec.volumes[1].cephfs.secretRef: Forbidden: static pods may not reference secrets",
        ),
        (
            with("hostPath: {path: /etc, type: Directory}", "csi: {driver: d}"),
            "spec.volumes[1].csi: Forbidden: static pods may not reference csidrivers (via CSI volumes)",
        ),
        (
            with("{name: A, value: '1'}", "{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}"),
            "spec.containers[0].env[0].valueFrom.secretKeyRef: Forbidden: static pods may not reference secrets",
        ),
        (
            with("{name: A, value: '1'}", "{name: A, valueFrom: {configMapKeyRef: {name: s, key: k}}}"),
            "spec.containers[0].env[0].valueFrom.configMapKeyRef: Forbidden: static pods may not reference configmaps",
        ),
        (
            container_with("envFrom: [{configMapRef: {name: m}}, {secretRef: {name: s}}, {}]"),
            "spec.containers[0].envFrom[2]: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`; spec.containers[0].envFrom[0].configMapRef: Forbidden: static pods may not reference configmaps; spec.containers[0].envFrom[1].secretRef: Forbidden: static pods may not reference secrets",
        ),
    ]);
}

#[test]
fn containers_that_cannot_run() {
    check(&[
        (
            with(
                "{name: setup, image: 'busybox:1'}",
                "{name: setup, image: 'busybox:1', livenessProbe: {exec: {command: [a]}}}",
            ),
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
        ),
        (GOOD[..GOOD.find("  containers:").expect("there")].to_owned(), "spec.containers: Required value"),
        (GOOD[..GOOD.find("  - name: app").expect("there")].to_owned(), "spec.containers: Required value"),
        (
            GOOD[..GOOD.find("  - name: app").expect("there")]
                .to_owned()
                .replace("  containers:", "  containers: {}"),
            "spec.containers: Invalid value: a map: expected a list",
        ),
        (format!("{GOOD}  - {{name: app, image: x}}\n"), "spec.containers[1].name: Duplicate value: \"app\""),
        (with("    image: busybox:1\n", ""), "spec.containers[0].image: Required value"),
        (
            with("[sleep, '3600']", "[sleep, 3600]"),
            "spec.containers[0].command[1]: Invalid value: 3600: expected a string",
        ),
        (
            with("[sleep, '3600']", "sleep 3600"),
            "spec.containers[0].command: Invalid value: \"sleep 3600\": expected a list",
        ),
        (
            with("containerPort: 80", "containerPort: 0"),
            "spec.containers[0].ports[0].containerPort: Required value",
        ),
        (
            with("containerPort: 80", "containerPort: 70000"),
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            with("containerPort: 80", "containerPort: 99999999999"),
            "spec.containers[0].ports[0].containerPort: Invalid value: 99999999999: expected a whole number of 32 bits",
        ),
        (
            with("containerPort: 80", "containerPort: eighty"),
            "spec.containers[0].ports[0].containerPort: Invalid value: \"eighty\": expected a whole number of 32 bits",
        ),
        (
            with("{name: A, value: '1'}", "{name: A, value: 1}"),
            "spec.containers[0].env[0].value: Invalid value: 1: expected a string",
        ),
        (with("{name: A, value: '1'}", "{value: x}"), "spec.containers[0].env[0].name: Required value"),
        (
            with(
                "{name: A, value: '1'}",
                "{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpus, divisor: 3}}}",
            ),
            "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: \"limits.cpus\": supported values: \"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", \"requests.memory\"; spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: \"3\": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with limits.cpus",
        ),
        (
            with("requests: {cpu: 100m}", "requests: {cpu: 300m}"),
            "spec.containers[0].resources.requests: Invalid value: \"300m\": must be less than or equal to cpu limit of 200m",
        ),
        (
            with("requests: {cpu: 100m}", "requests: {hugepages-2Mi: 2Mi}"),
            "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
        ),
        (
            with("requests: {cpu: 100m}", "requests: {cpu: [1]}"),
            "spec.containers[0].resources.requests[cpu]: Invalid value: invalid type: sequence, expected Quantity",
        ),
        (
            with("{name: scratch, mountPath: /scratch}", "{name: scratch}"),
            "spec.containers[0].volumeMounts[0].mountPath: Required value",
        ),
        (
            with(
                "{name: scratch, mountPath: /scratch}",
                "{name: scratch, mountPath: /s, mountPropagation: Bidirectional}",
            ),
            "spec.containers[0].volumeMounts[0].mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers",
        ),
        (
            with("{httpGet: {port: http}}", "{}"),
            "spec.containers[0].livenessProbe: Required value: must specify a handler type",
        ),
        (
            with("{httpGet: {port: http}}", "{httpGet: {port: 0}, periodSeconds: -1}"),
            "spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive; spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            with(
                "{httpGet: {port: http}}",
                "{httpGet: {port: http}, tcpSocket: {port: 1}, successThreshold: 2}",
            ),
            "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type; spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            with("{httpGet: {port: http}}", "{exec: {}}"),
            "spec.containers[0].livenessProbe.exec.command: Required value",
        ),
        (
            with("{httpGet: {port: http}}", "{httpGet: {port: [1], scheme: ftp}}"),
            "spec.containers[0].livenessProbe.httpGet.port: Invalid value: invalid type: sequence, expected IntOrString",
        ),
        (
            with("{exec: {command: ['true']}}", "{sleep: {seconds: 31}}"),
            "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
        ),
        (
            container_with(
                "securityContext: {privileged: true, allowPrivilegeEscalation: false, seccompProfile: {type: Localhost}}",
            ),
            "spec.containers[0].securityContext.allowPrivilegeEscalation: Invalid value: false: cannot set `allowPrivilegeEscalation` to false and `privileged` to true; spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when type is Localhost",
        ),
        (container_with("stdin: 3"), "spec.containers[0].stdin: Invalid value: 3: expected true or false"),
        (
            with("requests: {cpu: 100m}, limits: {cpu: 200m}", "limits: {example.com/gpu: 500m}"),
            "spec.containers[0].resources.limits[example.com/gpu]: Invalid value: \"500m\": must be an integer; spec.containers[0].resources.requests[example.com/gpu]: Invalid value: \"500m\": must be an integer",
        ),
        (GOOD[..GOOD.find("spec:").expect("there")].to_owned(), "spec.containers: Required value"),
    ]);
}

#[test]
fn specs_that_no_pod_can_have() {
    check(&[
        (
            with("restartPolicy: Always", "restartPolicy: always"),
            "spec.restartPolicy: Unsupported value: \"always\": supported values: \"Always\", \"OnFailure\", \"Never\"",
        ),
        (
            spec_with("dnsPolicy: None"),
            "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
        ),
        (
            spec_with("terminationGracePeriodSeconds: soon"),
            "spec.terminationGracePeriodSeconds: Invalid value: \"soon\": expected a whole number",
        ),
        (
            spec_with("activeDeadlineSeconds: 0"),
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
        ),
        (
            spec_with("hostNetwork: 'maybe'"),
            "spec.hostNetwork: Invalid value: \"maybe\": expected true or false",
        ),
        (
            spec_with("hostAliases: [{ip: localhost, hostnames: [a_b]}]"),
            "spec.hostAliases[0].ip: Invalid value: \"localhost\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff); spec.hostAliases[0].hostnames[0]: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain must…",
        ),
        (
            spec_with("securityContext: {runAsUser: -1, sysctls: [{name: 'A B', value: x}]}"),
            "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive; spec.securityContext.sysctls[0].name: Invalid value: \"A B\": must have at most 253 characters and be words of [a-z0-9-_] joined by '.' or '/'",
        ),
        (
            spec_with("schedulingGates: [{name: x}]"),
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
        ),
    ]);
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..8);
    edits.prop_map(|edits| {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (place, byte, kind) in edits {
            if bytes.is_empty() {
                break;
            }
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, b"{}[]:-,&*!'\"\n "[usize::from(byte) % 14]),
                2 => drop(bytes.remove(place)),
                _ => bytes.truncate(place.max(1)),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes, Path::new("/m/x"), "node1");
    }

    #[test]
    fn a_damaged_manifest_is_a_pod_or_an_error_that_says_something(bytes in mutated()) {
        match decode(&bytes, Path::new("/m/x"), "node1") {
            Ok(manifest) => prop_assert!(manifest.pod.spec.is_some_and(|spec| !spec.containers.is_empty())),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
