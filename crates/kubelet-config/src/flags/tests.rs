use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

fn over(base: &KubeletConfiguration, flags: &[(&str, &str)]) -> KubeletConfiguration {
    let mut overrides = FlagOverrides::new();
    for (name, value) in flags {
        overrides.set(name, value).unwrap_or_else(|error| panic!("{error}"));
    }
    base.overlay(&overrides)
}

/// The type of a field, as its default shows it.
fn default_of(field: &str) -> Value {
    let all = KubeletConfiguration::default().write();
    let pointer = format!("/{}", field.replace('.', "/"));
    all.pointer(&pointer).unwrap_or_else(|| panic!("no field {field}")).clone()
}

#[test]
fn every_flag_leads_to_a_field_of_its_form() {
    for flag in FLAGS {
        let default = default_of(flag.field);
        let fits = match flag.form {
            Form::Switch => default.is_boolean(),
            Form::Number => default.is_number(),
            Form::Text | Form::Address => default.is_string(),
            Form::List | Form::Taints | Form::Modules => default.is_array(),
            Form::Pairs(_) | Form::Gates => default.is_object(),
        };
        assert!(fits, "--{} and {}: {default}", flag.name, flag.field);
    }
    let names: BTreeSet<_> = FLAGS.iter().map(|flag| flag.name).collect();
    assert_eq!(names.len(), FLAGS.len(), "no name stands twice");
}

#[test]
fn no_flags_change_nothing() {
    let base = KubeletConfiguration::without_config_file();
    assert_eq!(over(&base, &[]), base);
}

#[test]
fn flags_replace_fields_of_every_form() {
    let base = KubeletConfiguration::default();
    let flags = [
        ("pod-manifest-path", "/manifests"),
        ("fail-swap-on", "false"),
        ("cgroups-per-qos", "F"),
        ("anonymous-auth", "true"),
        ("sync-frequency", "0s"),
        ("max-pods", "0"),
        ("resolv-conf", ""),
        ("healthz-bind-address", "::1"),
        ("cluster-dns", "10.0.0.1, 10.0.0.2"),
        ("cluster-dns", "10.0.0.3"),
        ("eviction-hard", "memory.available<100Mi,nodefs.available<5%"),
        ("eviction-minimum-reclaim", "imagefs.available=2Gi"),
        ("eviction-minimum-reclaim", "nodefs.available=1Gi"),
        ("register-with-taints", "a=b:NoSchedule,node-role.kubernetes.io/control-plane:NoExecute"),
        ("v", "4"),
        ("vmodule", "kubelet*=5,file=2"),
        ("log-flush-frequency", "2s"),
        ("max_open_files", "5"),
    ];
    let laid_over = over(&base, &flags);
    let expected = KubeletConfiguration {
        static_pod_path: "/manifests".into(),
        fail_swap_on: false,
        cgroups_per_qos: false,
        // A flag means what it says, where a file's zero would ask for the default.
        sync_frequency: Duration::ZERO,
        max_pods: 0,
        resolv_conf: String::new(),
        healthz_bind_address: "::1".into(),
        cluster_dns: ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(String::from).to_vec(),
        eviction_hard: [("memory.available", "100Mi"), ("nodefs.available", "5%")]
            .map(|(signal, threshold)| (signal.to_owned(), threshold.to_owned()))
            .into(),
        eviction_minimum_reclaim: [("imagefs.available", "2Gi"), ("nodefs.available", "1Gi")]
            .map(|(signal, amount)| (signal.to_owned(), amount.to_owned()))
            .into(),
        max_open_files: 5,
        authentication: laid_over.authentication.clone(),
        register_with_taints: laid_over.register_with_taints.clone(),
        logging: laid_over.logging.clone(),
        ..base
    };
    assert_eq!(laid_over, expected);
    assert!(laid_over.authentication.anonymous.enabled && laid_over.authentication.webhook.enabled);
    let taints: Vec<_> = laid_over
        .register_with_taints
        .iter()
        .map(|taint| (taint.key.as_str(), taint.value.as_str()))
        .collect();
    assert_eq!(taints, [("a", "b"), ("node-role.kubernetes.io/control-plane", "")]);
    assert_eq!(laid_over.logging.verbosity, 4);
    assert_eq!(laid_over.logging.flush_frequency.0, Duration::from_secs(2));
    assert_eq!(laid_over.logging.vmodule[0].file_pattern, "kubelet*");
}

#[test]
fn an_empty_value_empties_lists_as_kubeadm_does_with_taints() {
    let mut base = KubeletConfiguration::default();
    base.register_with_taints.push(crate::Taint { key: "a".into(), ..crate::Taint::default() });
    let laid_over = over(&base, &[("register-with-taints", ""), ("enforce-node-allocatable", "")]);
    assert!(laid_over.register_with_taints.is_empty() && laid_over.enforce_node_allocatable.is_empty());
}

#[test]
fn refused_flags_are_explained() {
    let rows = [
        ("helthz-port", "1", "unknown flag --helthz-port; did you mean --healthz-port?"),
        ("root-dir", "/", "unknown flag --root-dir"),
        ("max-pods", "many", "flag --max-pods=many: expected a whole number"),
        ("max-pods", "9999999999", "flag --max-pods=9999999999: expected a whole number from -2147483648 to"),
        ("v", "-1", "flag --v=-1: expected a whole number from 0"),
        ("fail-swap-on", "no", "flag --fail-swap-on=no: expected true or false, not \"no\""),
        ("sync-frequency", "1", "write \"1s\" for seconds"),
        ("address", "localhost", "flag --address=localhost: expected an IP address"),
        ("eviction-hard", "memory.available=1Mi", "\"memory.available=1Mi\" needs the form key<value"),
        ("system-reserved", "cpu", "\"cpu\" needs the form key=value"),
        ("feature-gates", "A=maybe", "expected true or false, not \"maybe\""),
        ("register-with-taints", "a=b", "\"a=b\" needs the form key=value:effect"),
        ("register-with-taints", "a=b:Never", "\"a=b:Never\" needs the form"),
        ("vmodule", "a=b", "\"a=b\" needs a whole number"),
    ];
    for (name, value, said) in rows {
        let mut overrides = FlagOverrides::new();
        let error = overrides.set(name, value).expect_err(name).to_string();
        assert!(error.contains(said), "{error}");
        assert_eq!(overrides, FlagOverrides::new(), "a refused flag leaves nothing behind");
    }
}
