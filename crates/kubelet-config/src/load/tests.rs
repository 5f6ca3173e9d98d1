use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

fn parse(text: &str) -> Result<(KubeletConfiguration, Vec<Warning>), ConfigError> {
    KubeletConfiguration::parse(text, Path::new("/etc/kubelet/config.yaml"))
}

fn parsed(fields: &str) -> KubeletConfiguration {
    parse(&format!("{HEAD}{fields}")).expect(fields).0
}

fn told(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_file_without_fields_gives_the_defaults() {
    let (configuration, warnings) = parse(HEAD).expect("a configuration");
    assert_eq!(configuration, KubeletConfiguration::default());
    assert_eq!(warnings, []);
}

#[test]
fn every_mistake_is_named_with_field_and_line() {
    // Fields begin on line 3.
    let rows = [
        ("syncFrequncy: 1m\n", "line 3: syncFrequncy: unknown field; did you mean \"syncFrequency\"?"),
        ("maxPods: 5\nfoo: 1\n", "line 4: foo: unknown field"),
        (
            "authentication:\n  webhook:\n    enable: true\n",
            "line 5: authentication.webhook.enable: unknown field; did you mean \"enabled\"?",
        ),
        (
            "clientCAFile: /ca.crt\n",
            "line 3: clientCAFile: unknown field; did you mean \"authentication.x509.clientCAFile\"?",
        ),
        (
            "registerWithTaints:\n- key: a\n  effect: NoSchedule\n- keys: b\n",
            "line 6: registerWithTaints[1].keys: unknown field; did you mean \"key\"?",
        ),
        ("maxPods: 5\nport: 1\nmaxPods: 6\n", "line 5: maxPods: stands twice, first on line 3"),
        (
            "evictionHard:\n  memory.available: 1Mi\n  memory.available: 2Mi\n  memory.available: 3Mi\n",
            "line 5: evictionHard[\"memory.available\"]: stands twice, first on line 4",
        ),
        ("syncFrequency: 60\n", "line 3: syncFrequency: expected a duration such as \"1m30s\", not 60"),
        ("syncFrequency: 1 minute\n", "line 3: syncFrequency: \"1 minute\" has the unknown unit"),
        ("syncFrequency: -1m\n", "line 3: syncFrequency: \"-1m\" is negative"),
        ("logging:\n  flushFrequency: -5\n", "line 4: logging.flushFrequency: expected a duration"),
        (
            "maxPods: many\n",
            "line 3: maxPods: expected a whole number from -2147483648 to 2147483647, not \"many\"",
        ),
        ("maxPods: 3000000000\n", "line 3: maxPods: expected a whole number"),
        ("maxPods: 1.5\n", "line 3: maxPods: expected a whole number"),
        ("failSwapOn: maybe\n", "line 3: failSwapOn: expected true or false, not \"maybe\""),
        ("failSwapOn: 0\n", "line 3: failSwapOn: expected true or false, not 0"),
        ("clusterDomain: 10\n", "line 3: clusterDomain: expected text (quote it), not 10"),
        ("clusterDNS: 10.96.0.10\n", "line 3: clusterDNS: expected a list, not \"10.96.0.10\""),
        ("clusterDNS:\n- 10.96.0.10\n- 7\n", "line 5: clusterDNS[1]: expected text (quote it), not 7"),
        ("authentication: true\n", "line 3: authentication: expected a map of fields"),
        ("featureGates:\n  A: true\n  B: 1\n", "line 5: featureGates.B: expected true or false, not 1"),
        (
            "evictionHard:\n  nodefs.available: 10\n",
            "line 4: evictionHard[\"nodefs.available\"]: expected text",
        ),
        (
            "logging:\n  options:\n    json:\n      infoBufferSize: []\n",
            "logging.options.json.infoBufferSize: expected",
        ),
        ("memoryThrottlingFactor: x\n", "line 3: memoryThrottlingFactor: expected a number, not \"x\""),
        ("volumeStatsAggPeriod: never\n", "line 3: volumeStatsAggPeriod: \"never\" is not a duration"),
        ("<<: {maxPods: 5}\n", "unknown field"),
    ];
    for (fields, said) in rows {
        let error = parse(&format!("{HEAD}{fields}")).expect_err(fields);
        assert!(matches!(error, ConfigError::Fields { .. }), "{fields}: {error:?}");
        let text = error.to_string();
        assert!(text.starts_with("/etc/kubelet/config.yaml: ") && text.contains(said), "{fields}: {text}");
    }
}

#[test]
fn several_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let error =
        parse(&format!("{HEAD}zone: a\nmaxPods: x\nport: 1\nport: 2\naddres: b\n")).expect_err("mistakes");
    assert_eq!(
        error.to_string(),
        "/etc/kubelet/config.yaml: (1) line 3: zone: unknown field; (2) line 4: maxPods: expected a whole number from \
         -2147483648 to 2147483647, not \"x\"; (3) line 6: port: stands twice, first on line 5; (4) line 7: addres: \
         unknown field; did you mean \"address\"?"
    );
}

#[test]
fn json_is_read_like_yaml_lines_included() {
    let head =
        "{\n\t\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\", \"kind\": \"KubeletConfiguration\",\n";
    let (configuration, _) = parse(&format!("{head}\t\"maxPods\": 7}}")).expect("JSON");
    assert_eq!(configuration.max_pods, 7);
    let error =
        parse(&format!("{head}\t\"maxPods\": 7,\n\t\"maxPods\": 8,\n\t\"clusterDNS\": [\"a\",\n1]\n}}"))
            .expect_err("mistakes")
            .to_string();
    assert!(error.contains("line 4: maxPods: stands twice, first on line 3"), "{error}");
    assert!(error.contains("line 6: clusterDNS[1]: expected text"), "{error}");
    assert!(matches!(parse("{\"apiVersion\": "), Err(ConfigError::Syntax { .. })));
    assert!(matches!(parse("{} {}"), Err(ConfigError::Syntax { .. })), "text after the end");
}

#[test]
fn what_is_no_configuration_says_what_it_is() {
    let rows = [
        ("", "the file is empty"),
        ("\n# nothing\n", "the file is empty"),
        ("---\n", "the file is empty"),
        ("- a\n", "expected a map of fields at the top"),
        ("text", "expected a map of fields at the top"),
        ("a: [\n", "line 2"),
        ("a: b: c\n", "line 1"),
        ("a: !tag b\n", "a value without a tag"),
        (
            "maxPods: 5\n",
            "apiVersion is missing and kind is missing; expected apiVersion kubelet.config.k8s.io/v1beta1",
        ),
        ("apiVersion: v1\nkind: Pod\nspec: {}\n", "apiVersion is \"v1\" and kind is \"Pod\""),
        (
            "apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration\n",
            "is \"kubelet.config.k8s.io/v1\"",
        ),
        ("apiVersion: kubelet.config.k8s.io/v1beta1\nkind: 5\n", "kind is 5"),
    ];
    for (text, said) in rows {
        let error = parse(text).expect_err(text).to_string();
        assert!(error.starts_with("/etc/kubelet/config.yaml: ") && error.contains(said), "{text:?}: {error}");
    }
    let two = parse(&format!("{HEAD}---\n{HEAD}")).expect_err("two documents").to_string();
    assert!(two.contains("more than one document"), "{two}");
}

#[test]
fn words_that_are_truth_values_in_yaml_1_1_are_taken() {
    let configuration = parsed("failSwapOn: off\nseccompDefault: yes\nregisterNode: No\n");
    assert!(!configuration.fail_swap_on && configuration.seccomp_default && !configuration.register_node);
}

/// What kubeadm leaves on a kind node (behaviours of kubeadm's marshalling: unset durations are `0s`).
const KIND_NODE: &str = r#"apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
cgroupRoot: /kubelet
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {}
evictionHard:
  imagefs.available: 0%
  nodefs.available: 0%
  nodefs.inodesFree: 0%
evictionPressureTransitionPeriod: 0s
failSwapOn: false
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
httpCheckFrequency: 0s
imageGCHighThresholdPercent: 100
imageMaximumGCAge: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
memorySwap: {}
metadata:
  name: config
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
"#;

#[test]
fn the_file_of_a_kind_node_is_taken_with_warnings() {
    let dir = TempDir::new().expect("a directory");
    let config = dir.path().join("config.yaml");
    fs::write(&config, KIND_NODE).expect("written");
    let loaded =
        Sources { config: Some(config.clone()), ..Sources::default() }.load().expect("a configuration");

    let configuration = loaded.configuration;
    assert_eq!(configuration.static_pod_path, "/etc/kubernetes/manifests");
    assert_eq!(configuration.sync_frequency, Duration::from_secs(60));
    assert_eq!(configuration.node_status_report_frequency, Duration::from_secs(300));
    assert_eq!(configuration.logging, crate::Logging::default());
    assert_eq!(configuration.eviction_hard.len(), 3, "given thresholds replace the default ones");
    assert_eq!(
        told(&loaded.warnings),
        [
            format!("{}: metadata is no field of a KubeletConfiguration and is ignored", config.display()),
            "configuration field authentication.x509.clientCAFile is set, but this version does not act on it".into(),
            "configuration field cgroupDriver is set, but this version does not act on it".into(),
            "configuration field evictionHard is set, but this version does not act on it".into(),
            "configuration field failSwapOn is set, but this version does not act on it".into(),
            "configuration field imageGCHighThresholdPercent is set, but this version does not act on it".into(),
            "configuration field rotateCertificates is set, but this version does not act on it".into(),
        ]
    );
}

#[test]
fn a_written_configuration_reads_back_as_itself() {
    let configuration = parsed(
        "healthzPort: 0\nresolvConf: ''\nmaxParallelImagePulls: 3\nvolumeStatsAggPeriod: -1s\nclusterDNS: [a]\n\
         tracing: {samplingRatePerMillion: 5}\nregisterWithTaints: [{key: a, effect: NoExecute}]\n\
         nodeStatusUpdateFrequency: 20s\nuserNamespaces: {idsPerPod: 65536}\nevictionHard: {}\n",
    );
    let shown = serde_yaml_ng::to_string(&configuration).expect("YAML");
    assert_eq!(parse(&shown).expect(&shown).0, configuration);
    assert!(shown.contains("volumeStatsAggPeriod: -1s") && shown.contains("syncFrequency: 1m0s"), "{shown}");
}

#[test]
fn header_values_are_never_shown() {
    let configuration = parsed("staticPodURLHeader:\n  Authorization: [Bearer hush]\n");
    let json = serde_json::to_string(&configuration).expect("JSON");
    assert!(!json.contains("hush") && json.contains("<masked>"), "{json}");
    assert!(!format!("{configuration:?}").contains("hush"));
    let error =
        parse(&format!("{HEAD}staticPodURLHeader:\n  Authorization: hush\n")).expect_err("not a list");
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[test]
fn relative_paths_of_the_file_start_at_its_directory() {
    let configuration = parsed("staticPodPath: ../manifests/./a\nresolvConf: resolv.conf\ntlsCertFile: ''\n");
    assert_eq!(configuration.static_pod_path, "/etc/manifests/a");
    assert_eq!(configuration.resolv_conf, "/etc/kubelet/resolv.conf");
    assert_eq!(configuration.tls_cert_file, "");
    assert_eq!(configuration.pod_logs_dir, "/var/log/pods");
}

#[test]
fn default_thresholds_stay_when_asked_for() {
    let merged = parsed("mergeDefaultEvictionSettings: true\nevictionHard:\n  memory.available: 5%\n");
    assert_eq!(merged.eviction_hard.len(), 5);
    assert_eq!(merged.eviction_hard["memory.available"], "5%");
}

struct Node {
    dir: TempDir,
}

impl Node {
    fn new() -> Self {
        Self { dir: TempDir::new().expect("a directory") }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(&path, text).expect("written");
        path
    }

    fn sources(&self, flags: &[(&str, &str)]) -> Sources {
        let mut overrides = FlagOverrides::new();
        for (name, value) in flags {
            overrides.set(name, value).expect("a flag");
        }
        let existing = |name: &str| Some(self.dir.path().join(name)).filter(|path| path.exists());
        Sources { config: existing("config.yaml"), config_dir: existing("conf.d"), flags: overrides }
    }
}

#[test]
fn drop_ins_lie_over_the_file_in_path_order_and_flags_over_both() {
    let node = Node::new();
    let gates = "maxPods: 1\nport: 1\nclusterDomain: file\nfeatureGates: {A: true, B: true}\nclusterDNS: [a, b]\n\
                 evictionHard: {memory.available: 1Mi}\n";
    node.write("config.yaml", &format!("{HEAD}{gates}"));
    node.write("conf.d/20-b.conf", &format!("{HEAD}maxPods: 20\nfeatureGates: {{B: false}}\n"));
    node.write("conf.d/10-a.conf", &format!("{HEAD}maxPods: 10\nport: 10\nclusterDNS: [c]\n"));
    node.write("conf.d/15-sub/z.conf", &format!("{HEAD}port: 15\nevictionHard: {{nodefs.available: 2%}}\n"));
    node.write("conf.d/90-ignored.yaml", "not: a configuration");
    node.write("conf.d/99-null.conf", "{\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\",\"kind\": \"KubeletConfiguration\",\"clusterDomain\": null}");
    let flags = [("feature-gates", "A=false,C=true"), ("healthz-port", "0"), ("healthz_port", "7")];
    let configuration = node.sources(&flags).load().expect("a configuration").configuration;

    assert_eq!((configuration.max_pods, configuration.port, configuration.healthz_port), (20, 15, 7));
    assert_eq!(configuration.cluster_dns, ["c"], "a list is replaced");
    assert_eq!(configuration.cluster_domain, "", "a null asks for the default");
    let gates: Vec<_> = configuration.feature_gates.iter().map(|(gate, on)| (gate.as_str(), *on)).collect();
    assert_eq!(gates, [("A", false), ("B", false), ("C", true)]);
    assert_eq!(configuration.eviction_hard.len(), 2, "maps of file and drop-in are merged");
}

#[test]
fn a_drop_in_can_take_the_thresholds_away() {
    let node = Node::new();
    node.write("config.yaml", HEAD);
    node.write("conf.d/a.conf", &format!("{HEAD}evictionHard: null\n"));
    assert!(node.sources(&[]).load().expect("a configuration").configuration.eviction_hard.is_empty());
}

#[test]
fn a_mistake_in_a_drop_in_names_that_file() {
    let node = Node::new();
    node.write("config.yaml", HEAD);
    let bad = node.write("conf.d/50-bad.conf", &format!("{HEAD}maxPod: 5\n"));
    let error = node.sources(&[]).load().expect_err("an unknown field").to_string();
    assert_eq!(error, format!("{}: line 3: maxPod: unknown field; did you mean \"maxPods\"?", bad.display()));
}

#[test]
fn without_a_file_the_older_defaults_apply_and_nothing_is_warned_about() {
    let loaded = Node::new().sources(&[]).load().expect("a configuration");
    assert_eq!(loaded.warnings, []);
    let configuration = loaded.configuration;
    assert_eq!(configuration, KubeletConfiguration::without_config_file());
    assert_eq!(
        (configuration.read_only_port, configuration.authorization.mode.as_str()),
        (10255, "AlwaysAllow")
    );
    assert!(configuration.authentication.anonymous.enabled && !configuration.authentication.webhook.enabled);
    assert!(configuration.eviction_hard.is_empty());

    let loaded =
        Node::new().sources(&[("read-only-port", "0"), ("sync-frequency", "5s")]).load().expect("flags");
    let warned = told(&loaded.warnings);
    assert_eq!(warned, ["configuration field readOnlyPort is set, but this version does not act on it"]);
}

#[test]
fn values_that_are_not_allowed_are_told_together_flags_included() {
    let node = Node::new();
    node.write("config.yaml", &format!("{HEAD}imageGCHighThresholdPercent: 120\nmaxPods: -1\n"));
    let error = node.sources(&[("healthz-port", "70000")]).load().expect_err("not allowed");
    assert_eq!(
        error.to_string(),
        "invalid configuration: (1) imageGCHighThresholdPercent: 120 is not allowed: it must be 0 to 100; (2) \
         healthzPort: 70000 is not allowed: it must be 0 to 65535; (3) maxPods: -1 is not allowed: it must be 0 or more"
    );
}

#[test]
fn only_regular_files_of_bounded_size_are_read() {
    let node = Node::new();
    let load =
        |path: PathBuf| Sources { config: Some(path), ..Sources::default() }.load().expect_err("refused");

    let missing = load(node.dir.path().join("missing"));
    assert!(matches!(&missing, ConfigError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound));
    assert!(load(node.dir.path().to_owned()).to_string().ends_with("not a regular file"));
    assert!(load("/dev/zero".into()).to_string().ends_with("not a regular file"));
    let padding = "#".repeat(usize::try_from(MAX_FILE_SIZE).expect("fits") - HEAD.len());
    let full = node.write("full", &format!("{HEAD}{padding}"));
    Sources { config: Some(full), ..Sources::default() }.load().expect("exactly the bound");
    let large = load(node.write("large", &format!("{HEAD}{padding}#"))).to_string();
    assert!(large.ends_with("larger than 1048576 bytes"), "{large}");
    let path = node.write("bytes", "");
    fs::write(&path, [HEAD.as_bytes(), &[0xff]].concat()).expect("written");
    let binary = load(path).to_string();
    assert!(binary.contains(&format!("not UTF-8 text (byte {} ", HEAD.len())), "{binary}");
    let no_dir = Sources { config_dir: Some(node.dir.path().join("no-dir")), ..Sources::default() }.load();
    assert!(matches!(no_dir, Err(ConfigError::Read { .. })));
}

#[test]
fn hostile_texts_are_refused_without_a_panic() {
    let deep = format!("{HEAD}tracing: {}", "[".repeat(10_000));
    let anchors = format!(
        "{HEAD}x: &a [x,x,x,x,x,x,x,x,x]\ny: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nz: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nw: &d [*c,*c,*c,*c,*c,*c,*c,*c]\nv: &e [*d,*d,*d,*d,*d,*d,*d]\nu: [*e,*e,*e,*e,*e,*e,*e]\n"
    );
    for text in
        [deep.as_str(), anchors.as_str(), "{\"a\":", "\u{0}", "? [a]\n: b\n", "a: .nan\n", "a: 1e999\n"]
    {
        assert!(parse(text).is_err(), "{}", &text[..text.len().min(60)]);
    }
}

#[test]
fn every_field_has_one_line_and_the_ones_acted_on_are_known() {
    fn acted_on(fields: &[Field], above: &str) -> Vec<String> {
        let path = |field: &Field| format!("{above}{}", field.name);
        fields
            .iter()
            .flat_map(|field| {
                let mut found = acted_on(field.fields, &format!("{}.", path(field)));
                found.extend(field.is_acted_on().then(|| path(field)));
                found
            })
            .collect()
    }
    let names: std::collections::BTreeSet<_> =
        KubeletConfiguration::fields().iter().map(|field| field.name).collect();
    // Kubernetes 1.36 has 125 beside apiVersion and kind.
    assert_eq!((names.len(), KubeletConfiguration::fields().len()), (125, 125));
    let mut acted = acted_on(KubeletConfiguration::fields(), "");
    acted.sort();
    assert_eq!(
        acted,
        [
            "cgroupRoot",
            "cgroupsPerQOS",
            "clusterDNS",
            "clusterDomain",
            "containerRuntimeEndpoint",
            "cpuCFSQuota",
            "cpuCFSQuotaPeriod",
            "crashLoopBackOff.maxContainerRestartPeriod",
            "fileCheckFrequency",
            "healthzBindAddress",
            "healthzPort",
            "imageServiceEndpoint",
            "logging.format",
            "logging.verbosity",
            "podLogsDir",
            "resolvConf",
            "runtimeRequestTimeout",
            "staticPodPath",
            "syncFrequency",
        ]
    );
}
