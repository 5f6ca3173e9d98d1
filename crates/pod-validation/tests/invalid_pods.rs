//! Pods that no node may take in, and what is said about each.
//!
//! Every case changes one thing of a good pod; what is expected is the whole text, all errors joined by `; `.

use k8s_openapi::api::core::v1::Pod;
use pod_validation::validate;

/// A good pod that uses a little of everything, with its defaults filled in.
const GOOD: &str = "\
metadata:
  name: web-node1
  namespace: default
  uid: 0f3c
  labels: {app: web}
spec:
  restartPolicy: Always
  dnsPolicy: ClusterFirst
  terminationGracePeriodSeconds: 30
  volumes:
  - {name: scratch, emptyDir: {}}
  - {name: etc, hostPath: {path: /etc, type: Directory}}
  initContainers:
  - {name: setup, image: 'busybox:1', imagePullPolicy: Never, terminationMessagePolicy: File}
  containers:
  - name: app
    image: busybox:1
    imagePullPolicy: IfNotPresent
    terminationMessagePolicy: File
    ports: [{name: http, containerPort: 80, protocol: TCP}]
    env: [{name: A, value: '1'}]
    resources: {requests: {cpu: 100m}, limits: {cpu: 200m}}
    volumeMounts: [{name: scratch, mountPath: /scratch}]
    livenessProbe: {httpGet: {port: http, scheme: HTTP}, successThreshold: 1}
    lifecycle: {preStop: {exec: {command: ['true']}}}
";
const EMPTY_DIR: &str = "{name: scratch, emptyDir: {}}";
const HOST_PATH: &str = "hostPath: {path: /etc, type: Directory}";
const PROBE: &str = "{httpGet: {port: http, scheme: HTTP}, successThreshold: 1}";
const VARIABLE: &str = "{name: A, value: '1'}";
const MOUNT: &str = "{name: scratch, mountPath: /scratch}";
const RESOURCES: &str = "{requests: {cpu: 100m}, limits: {cpu: 200m}}";

/// The good pod with `old` replaced by `new`.
fn with(old: &str, new: &str) -> String {
    assert_eq!(GOOD.matches(old).count(), 1, "{old:?} must be there once");
    GOOD.replace(old, new)
}

/// The good pod with a line added to its spec.
fn spec_with(line: &str) -> String {
    with("spec:\n", &format!("spec:\n  {line}\n"))
}

/// The good pod with a line added to its container.
fn container_with(line: &str) -> String {
    format!("{GOOD}    {line}\n")
}

fn said_about(text: &str) -> String {
    let pod: Pod = serde_yaml_ng::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    validate(&pod).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Checks cases of a whole text each; `…` stands for the rest of one that the API ends with its regular expression.
fn check(cases: &[(String, &str)]) {
    for (text, expected) in cases {
        let said = said_about(text);
        let fits = match expected.split_once('…') {
            Some((start, end)) => said.starts_with(start) && said.ends_with(end),
            None => said == *expected,
        };
        assert!(fits, "\n  expected: {expected}\n       got: {said}\n{text}");
    }
}

#[test]
fn nothing_is_said_about_a_good_pod() {
    assert_eq!(said_about(GOOD), "");
}

#[test]
fn metadata() {
    check(&[
        (
            with("name: web-node1", "name: Web_1"),
            "metadata.name: Invalid value: \"Web_1\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
        (
            with("name: web-node1", &format!("name: {}", "w".repeat(254))),
            "metadata.name: Invalid value: …: must be no more than 253 bytes",
        ),
        (
            with("namespace: default", "namespace: kube.system"),
            "metadata.namespace: Invalid value: \"kube.system\": must not contain dots",
        ),
        (
            with("labels: {app: web}", "labels: {app: -web}"),
            "metadata.labels: Invalid value: \"-web\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
        (
            with("labels: {app: web}", "labels: {'a b': web}"),
            "metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ),
        (
            with("labels: {app: web}", "annotations: {'/a': x, 'Example.com/a': x, 'a/b/c': x}"),
            "metadata.annotations: Invalid value: \"/a\": prefix part must be non-empty; metadata.annotations: Invalid value: \"a/b/c\": a valid label key must consist of…",
        ),
        (
            with("uid: 0f3c", "uid: ../../etc"),
            "metadata.uid: Invalid value: \"../../etc\": must be 1 to 63 letters, digits, '-' or '_', since it names the pod's directory",
        ),
    ]);
}

#[test]
fn volumes() {
    check(&[
        (
            with(EMPTY_DIR, "{name: scratch, emptyDir: {}, hostPath: {path: /x}}"),
            "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type; spec.containers[0].volumeMounts[0].name: Not found: \"scratch\"",
        ),
        (
            with(EMPTY_DIR, "{name: etc, emptyDir: {}}"),
            "spec.volumes[1].name: Duplicate value: \"etc\"; spec.containers[0].volumeMounts[0].name: Not found: \"scratch\"",
        ),
        (
            with(EMPTY_DIR, "{name: Scratch, emptyDir: {}}"),
            "spec.volumes[0].name: Invalid value: \"Scratch\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?'); spec.containers[0].volumeMounts[0].name: Not found: \"scratch\"",
        ),
        (
            with(EMPTY_DIR, "{name: scratch, emptyDir: {sizeLimit: lots}}"),
            "spec.volumes[0].emptyDir.sizeLimit: Invalid value: \"lots\": must be a number with an optional suffix, such as 100m, 2, 1.5Gi or 2e3; spec.containers[0].volumeMounts[0].name: Not found: \"scratch\"",
        ),
        (
            with(HOST_PATH, "hostPath: {path: /etc/../root, type: Folder}"),
            "spec.volumes[1].hostPath.path: Invalid value: \"/etc/../root\": must not contain '..'; spec.volumes[1].hostPath.type: Unsupported value: \"Folder\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"",
        ),
        (with(HOST_PATH, "hostPath: {path: ''}"), "spec.volumes[1].hostPath.path: Required value"),
        (
            with(HOST_PATH, "downwardAPI: {defaultMode: 1023, items: [{path: a}]}"),
            "spec.volumes[1].downwardAPI.defaultMode: Invalid value: 1023: must be a number between 0 and 0777 (octal), both inclusive; spec.volumes[1].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
        ),
        (
            with(
                HOST_PATH,
                "projected: {sources: [{}, {downwardAPI: {items: [{path: ../x, fieldRef: {apiVersion: v1, fieldPath: spec.nodeName}}]}}]}",
            ),
            "spec.volumes[1].projected.sources[0]: Required value: must specify a source; spec.volumes[1].projected.sources[1].downwardAPI.path: Invalid value: \"../x\": must not contain '..'; spec.volumes[1].projected.sources[1].downwardAPI.fieldRef.fieldPath: Unsupported value: \"spec.nodeName\": supported values: \"metadata.annotations\", \"metadata.labels\", \"metadata.name\", \"metadata.namespace\", \"metadata.uid\"",
        ),
        (
            with(EMPTY_DIR, "{name: scratch, image: {pullPolicy: Never}}"),
            "spec.volumes[0].image.reference: Required value; spec.containers[0].volumeMounts[0].name: Not found: \"scratch\"",
        ),
        (
            with(MOUNT, "{name: scrap, mountPath: /scratch}"),
            "spec.containers[0].volumeMounts[0].name: Not found: \"scrap\"",
        ),
        (
            with(MOUNT, "{name: scratch, mountPath: ''}"),
            "spec.containers[0].volumeMounts[0].mountPath: Required value",
        ),
        (
            with(MOUNT, "{name: scratch, mountPath: /s}, {name: etc, mountPath: /s, subPath: ../x}"),
            "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/s\": must be unique; spec.containers[0].volumeMounts[1].subPath: Invalid value: \"../x\": must not contain '..'",
        ),
        (
            with(MOUNT, "{name: scratch, mountPath: /s, subPath: /a, subPathExpr: b}"),
            "spec.containers[0].volumeMounts[0].subPath: Invalid value: \"/a\": must be a relative path; spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: \"b\": subPathExpr and subPath are mutually exclusive",
        ),
        (
            with(MOUNT, "{name: scratch, mountPath: /s, mountPropagation: Bidirectional}"),
            "spec.containers[0].volumeMounts[0].mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers",
        ),
        (
            with(MOUNT, "{name: scratch, mountPath: /s, recursiveReadOnly: Enabled}"),
            "spec.containers[0].volumeMounts[0].recursiveReadOnly: Forbidden: may only be specified when readOnly is true",
        ),
        (
            container_with("volumeDevices: [{name: etc, devicePath: /dev/x}, {name: x, devicePath: /dev/y}]"),
            "spec.containers[0].volumeDevices[0].name: Invalid value: \"etc\": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode; spec.containers[0].volumeDevices[1].name: Not found: \"x\"",
        ),
    ]);
}

#[test]
fn containers() {
    check(&[
        (with("{name: setup,", "{name: app,"), "spec.initContainers[0].name: Duplicate value: \"app\""),
        (
            with("{name: setup,", &format!("{{livenessProbe: {PROBE}, name: setup,")),
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
        ),
        (
            with("{name: setup,", "{restartPolicy: Sometimes, name: setup,"),
            "spec.initContainers[0].restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"Never\", \"OnFailure\"",
        ),
        (
            container_with("restartPolicyRules: [{action: Wait}]"),
            "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used; spec.containers[0].restartPolicyRules[0].action: Unsupported value: \"Wait\": supported values: \"Restart\", \"RestartAllContainers\"; spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified",
        ),
        (
            format!("{} []\n", &GOOD[..GOOD.find("\n  - name: app").expect("there")]),
            "spec.containers: Required value",
        ),
        (
            format!(
                "{GOOD}  - {{name: app, image: x, imagePullPolicy: Never, terminationMessagePolicy: File}}\n"
            ),
            "spec.containers[1].name: Duplicate value: \"app\"",
        ),
        (with("name: app\n", "name: ''\n"), "spec.containers[0].name: Required value"),
        (
            with("name: app\n", "name: App\n"),
            "spec.containers[0].name: Invalid value: \"App\": a lowercase RFC 1123 label must…",
        ),
        (with("    image: busybox:1\n", ""), "spec.containers[0].image: Required value"),
        (
            with("image: busybox:1\n", "image: ' busybox:1'\n"),
            "spec.containers[0].image: Invalid value: \" busybox:1\": must not have leading or trailing whitespace",
        ),
        (
            with("imagePullPolicy: IfNotPresent", "imagePullPolicy: Sometimes"),
            "spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"IfNotPresent\", \"Never\"",
        ),
        (
            with("    terminationMessagePolicy: File\n", "    terminationMessagePolicy: Log\n"),
            "spec.containers[0].terminationMessagePolicy: Unsupported value: \"Log\": supported values: \"File\", \"FallbackToLogsOnError\"",
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
            with(
                "name: http, containerPort: 80, protocol: TCP",
                "name: HTTP, containerPort: 80, protocol: tcp",
            ),
            "spec.containers[0].ports[0].name: Invalid value: \"HTTP\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-); spec.containers[0].ports[0].name: Invalid value: \"HTTP\": must contain at least one letter (a-z); spec.containers[0].ports[0].protocol: Unsupported value: \"tcp\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
        ),
        (
            with(
                "[{name: http, containerPort: 80, protocol: TCP}]",
                "[{name: http, containerPort: 80, hostPort: 80, protocol: TCP}, {name: http, containerPort: 81, hostPort: 80, protocol: TCP}]",
            ),
            "spec.containers[0].ports[1].name: Duplicate value: \"http\"; spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//80\"",
        ),
        (
            spec_with("hostNetwork: true")
                .replace("containerPort: 80,", "containerPort: 80, hostPort: 8080,"),
            "spec.containers[0].ports[0].hostPort: Invalid value: 8080: must match `containerPort` when `hostNetwork` is true",
        ),
    ]);
}

#[test]
fn environment() {
    check(&[
        (
            with(VARIABLE, "{name: 'A=B', value: '1'}"),
            "spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid environment variable name must consist only of printable ASCII characters other than '='",
        ),
        (with(VARIABLE, "{name: '', value: x}"), "spec.containers[0].env[0].name: Required value"),
        (
            with(
                VARIABLE,
                "{name: A, value: x, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}}",
            ),
            "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
        ),
        (
            with(VARIABLE, "{name: A, valueFrom: {}}"),
            "spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        ),
        (
            with(VARIABLE, "{name: A, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: spec.hostname}}}"),
            "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"spec.hostname\": supported values: \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\"",
        ),
        (
            with(VARIABLE, "{name: A, valueFrom: {fieldRef: {apiVersion: v2, fieldPath: metadata.name}}}"),
            "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.name\": error converting fieldPath: unsupported pod version: v2",
        ),
        (
            with(
                VARIABLE,
                "{name: A, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: \"metadata.labels['a b']\"}}}",
            ),
            "spec.containers[0].env[0].valueFrom.fieldRef: Invalid value: \"a b\": name part must consist…",
        ),
        (
            with(
                VARIABLE,
                "{name: A, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: \"metadata.name['a']\"}}}",
            ),
            "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.name['a']\": error converting fieldPath: field label does not support subscript: metadata.name['a']",
        ),
        (
            with(VARIABLE, "{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpus, divisor: '3'}}}"),
            "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: \"limits.cpus\": supported values: \"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", \"requests.memory\"; spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: \"3\": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with limits.cpus",
        ),
        (
            with(VARIABLE, "{name: A, valueFrom: {fileKeyRef: {key: K, path: ../x, volumeName: etc}}}"),
            "spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: \"../x\": must not contain '..'; spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Invalid value: \"etc\": referenced volume must be of type emptyDir",
        ),
        (
            container_with("envFrom: [{prefix: P}]"),
            "spec.containers[0].envFrom[0]: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`",
        ),
    ]);
}

#[test]
fn resources() {
    check(&[
        (
            with(RESOURCES, "{requests: {cpu: 300m}, limits: {cpu: 200m}}"),
            "spec.containers[0].resources.requests: Invalid value: \"300m\": must be less than or equal to cpu limit of 200m",
        ),
        (
            with(RESOURCES, "{requests: {cpu: a lot}}"),
            "spec.containers[0].resources.requests[cpu]: Invalid value: \"a lot\": must be a number with an optional suffix, such as 100m, 2, 1.5Gi or 2e3",
        ),
        (
            with(RESOURCES, "{requests: {memory: '-1'}}"),
            "spec.containers[0].resources.requests[memory]: Invalid value: \"-1\": must be greater than or equal to 0",
        ),
        (
            with(RESOURCES, "{requests: {coffee: '1'}}"),
            "spec.containers[0].resources.requests[coffee]: Invalid value: \"coffee\": must be a standard resource for containers",
        ),
        (
            with(RESOURCES, "{requests: {hugepages-2Mi: 2Mi, cpu: '1'}}"),
            "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
        ),
        (
            with(RESOURCES, "{requests: {hugepages-2Mi: 2Mi}, limits: {hugepages-2Mi: 4Mi}}"),
            "spec.containers[0].resources.requests: Invalid value: \"2Mi\": must be equal to hugepages-2Mi limit of 4Mi; spec.containers[0].resources: Forbidden: HugePages require cpu or memory",
        ),
        (
            with(RESOURCES, "{requests: {example.com/gpu: '1'}}"),
            "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
        ),
        (
            with(RESOURCES, "{limits: {example.com/gpu: 500m}}"),
            "spec.containers[0].resources.limits[example.com/gpu]: Invalid value: \"500m\": must be an integer",
        ),
        (
            with(RESOURCES, "{claims: [{name: gpu}]}"),
            "spec.containers[0].resources.claims[0]: Not found: \"gpu\"",
        ),
        (
            spec_with("resources: {limits: {pods: '1'}}"),
            "spec.resources.limits[pods]: Unsupported value: \"pods\": supported values: \"cpu\", \"hugepages-\", \"memory\"",
        ),
    ]);
}

#[test]
fn probes_and_hooks() {
    check(&[
        (
            with(PROBE, "{successThreshold: 1}"),
            "spec.containers[0].livenessProbe: Required value: must specify a handler type",
        ),
        (
            with(PROBE, "{httpGet: {port: 0, scheme: HTTP}, successThreshold: 1, periodSeconds: -1}"),
            "spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive; spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            with(PROBE, "{httpGet: {port: http, scheme: HTTP}, tcpSocket: {port: 1}, successThreshold: 2}"),
            "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type; spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            with(PROBE, "{exec: {}, successThreshold: 1}"),
            "spec.containers[0].livenessProbe.exec.command: Required value",
        ),
        (
            with(
                PROBE,
                "{httpGet: {port: http, scheme: ftp, httpHeaders: [{name: 'a b', value: c}]}, successThreshold: 1, terminationGracePeriodSeconds: 0}",
            ),
            "spec.containers[0].livenessProbe.httpGet.scheme: Unsupported value: \"ftp\": supported values: \"HTTP\", \"HTTPS\"; spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of alphanumeric characters or '-'; spec.containers[0].livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0",
        ),
        (
            container_with("readinessProbe: {grpc: {port: 70000}, terminationGracePeriodSeconds: 5}"),
            "spec.containers[0].readinessProbe.grpc.port: Invalid value: 70000: must be between 1 and 65535, inclusive; spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes",
        ),
        (
            with("{exec: {command: ['true']}}", "{sleep: {seconds: 31}}"),
            "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
        ),
    ]);
}

#[test]
fn security() {
    check(&[
        (
            container_with(
                "securityContext: {privileged: true, allowPrivilegeEscalation: false, seccompProfile: {type: Localhost}}",
            ),
            "spec.containers[0].securityContext.allowPrivilegeEscalation: Invalid value: false: cannot set `allowPrivilegeEscalation` to false and `privileged` to true; spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when type is Localhost",
        ),
        (
            container_with(
                "securityContext: {seccompProfile: {type: Localhost, localhostProfile: ../x}, appArmorProfile: {type: Unconfined, localhostProfile: x}}",
            ),
            "spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: \"../x\": must not contain '..'; spec.containers[0].securityContext.appArmorProfile.localhostProfile: Invalid value: \"x\": can only be set when type is Localhost",
        ),
        (
            spec_with(
                "securityContext: {runAsUser: -1, sysctls: [{name: 'A B', value: x}, {name: a, value: x}, {name: a, value: y}]}",
            ),
            "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive; spec.securityContext.sysctls[0].name: Invalid value: \"A B\": must have at most 253 characters and be words of [a-z0-9-_] joined by '.' or '/'; spec.securityContext.sysctls[2].name: Duplicate value: \"a\"",
        ),
        (
            spec_with("securityContext: {}\n  hostPID: true\n  shareProcessNamespace: true"),
            "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
        ),
        (
            spec_with("hostUsers: false\n  hostIPC: true"),
            "spec.hostIPC: Forbidden: when `hostUsers` is false",
        ),
    ]);
}

#[test]
fn dns_and_names() {
    check(&[
        (
            with("dnsPolicy: ClusterFirst", "dnsPolicy: Cluster"),
            "spec.dnsPolicy: Unsupported value: \"Cluster\": supported values: \"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\"",
        ),
        (
            with("dnsPolicy: ClusterFirst", "dnsPolicy: None"),
            "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
        ),
        (
            with("dnsPolicy: ClusterFirst", "dnsPolicy: None\n  dnsConfig: {searches: ['a b']}"),
            "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None",
        ),
        (
            spec_with(
                "dnsConfig: {nameservers: [1.1.1.1, 2.2.2.2, 3.3.3.3, dns], searches: [., _a._b.c., 'a b']}",
            ),
            "spec.dnsConfig.nameservers: Invalid value: [\"1.1.1.1\", \"2.2.2.2\", \"3.3.3.3\", \"dns\"]: must not have more than 3 nameservers; spec.dnsConfig.nameservers[3]: Invalid value: \"dns\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff); spec.dnsConfig.searches[2]: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must…",
        ),
        (
            spec_with("hostAliases: [{ip: localhost, hostnames: [a_b]}]"),
            "spec.hostAliases[0].ip: Invalid value: \"localhost\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff); spec.hostAliases[0].hostnames[0]: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain must…",
        ),
        (spec_with("hostname: a.b"), "spec.hostname: Invalid value: \"a.b\": must not contain dots"),
        (
            spec_with(&format!("hostnameOverride: {}\n  hostNetwork: true", "a".repeat(65))),
            "spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true; spec.hostnameOverride: Too long: may not be more than 64 bytes",
        ),
        (
            spec_with("runtimeClassName: 'Gvisor!'"),
            "spec.runtimeClassName: Invalid value: \"Gvisor!\": a lowercase RFC 1123 subdomain must…",
        ),
    ]);
}

#[test]
fn the_spec_itself() {
    check(&[
        (
            with("restartPolicy: Always", "restartPolicy: always"),
            "spec.restartPolicy: Unsupported value: \"always\": supported values: \"Always\", \"OnFailure\", \"Never\"",
        ),
        (
            spec_with("activeDeadlineSeconds: 0"),
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
        ),
        (
            spec_with("ephemeralContainers: [{name: debug, image: b}]"),
            "spec.ephemeralContainers: Forbidden: cannot be set on create",
        ),
        (
            spec_with("nodeSelector: {-a: b}"),
            "spec.nodeSelector: Invalid value: \"-a\": name part must consist…",
        ),
        (
            spec_with("os: {name: plan9}"),
            "spec.os.name: Unsupported value: \"plan9\": supported values: \"linux\", \"windows\"",
        ),
        (
            spec_with("schedulingGates: [{name: x}]"),
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
        ),
    ]);
}
