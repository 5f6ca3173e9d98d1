use super::*;

fn facts() -> EnvFacts {
    EnvFacts {
        pod_ips: vec!["fd00::5".into(), "10.88.0.5".into(), "10.88.0.6".into()],
        host_ips: vec!["192.168.0.1".into(), "fd00::1".into()],
        ..EnvFacts::default()
    }
}

fn pod() -> Pod {
    serde_json::from_value(serde_json::json!({
        "metadata": {"name": "web", "namespace": "ns", "uid": "u1",
            "labels": {"tier": "front", "app": "a \"b\"\n\\"}, "annotations": {"example.com/Note": "x", "bell": "\u{7}ä\u{1}\u{a0}"}},
        "spec": {"containers": [], "nodeName": "node1", "serviceAccountName": "robot", "restartPolicy": "Always"},
    }))
    .expect("a pod")
}

fn value(path: &str, facts: &EnvFacts) -> Result<String, String> {
    let selector = ObjectFieldSelector { api_version: Some("v1".into()), field_path: path.into() };
    field_value(&pod(), &selector, facts).map_err(|error| error.to_string())
}

#[test]
fn fields_of_the_pod() {
    for (path, expected) in [
        ("metadata.name", "web"),
        ("metadata.namespace", "ns"),
        ("metadata.uid", "u1"),
        ("metadata.labels", "app=\"a \\\"b\\\"\\n\\\\\"\ntier=\"front\""),
        ("metadata.annotations", "bell=\"\\aä\\x01\\u00a0\"\nexample.com/Note=\"x\""),
        ("metadata.labels['tier']", "front"),
        ("metadata.labels['absent']", ""),
        ("metadata.annotations['example.com/Note']", "x"),
        ("spec.nodeName", "node1"),
        ("spec.host", "node1"),
        ("spec.serviceAccountName", "robot"),
        ("status.podIP", "10.88.0.5"),
        ("status.podIPs", "10.88.0.5,fd00::5"),
        ("status.hostIP", "192.168.0.1"),
        ("status.hostIPs", "192.168.0.1,fd00::1"),
    ] {
        assert_eq!(value(path, &facts()), Ok(expected.to_owned()), "{path}");
    }
    let ipv6 = EnvFacts { ipv6_first: true, ..facts() };
    assert_eq!(value("status.podIPs", &ipv6), Ok("fd00::5,10.88.0.5".into()));
    assert_eq!(value("status.podIP", &EnvFacts::default()), Ok(String::new()));
}

#[test]
fn what_is_no_field_is_refused_in_the_kubelets_words() {
    let key = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    for (path, refused) in [
        ("spec.containers", "field label not supported: spec.containers".to_owned()),
        ("", "field label not supported: ".to_owned()),
        ("['x']", "field label not supported: ['x']".to_owned()),
        ("metadata.name['x']", "field label does not support subscript: metadata.name['x']".to_owned()),
        ("status.phase", "unsupported fieldPath: status.phase".to_owned()),
        ("spec.restartPolicy", "unsupported fieldPath: spec.restartPolicy".to_owned()),
        ("metadata.labels['a b']", format!("invalid key subscript in metadata.labels['a b']: {key}")),
    ] {
        assert_eq!(value(path, &facts()), Err(refused), "{path}");
    }
    let selector = ObjectFieldSelector { api_version: Some("v2".into()), field_path: "metadata.name".into() };
    let refused = field_value(&pod(), &selector, &facts()).expect_err("refused");
    assert_eq!(refused.to_string(), "unsupported pod version: v2");
    assert_eq!(
        value("status.hostIPs", &EnvFacts::default()),
        Err("failed to get host IP: the node has no address yet".into())
    );
}

#[test]
fn texts_are_quoted_as_go_quotes_them() {
    for (text, expected) in [
        ("", r#""""#),
        ("é e\u{301} 日本 ☺ 🦀", "\"é e\u{301} 日本 ☺ 🦀\""),
        ("\u{7f}\u{80}", r#""\x7f\u0080""#),
        ("\u{200b}\u{feff}", r#""\u200b\ufeff""#),
        ("\u{e0001}", r#""\U000e0001""#),
        ("'$`", "\"'$`\""),
    ] {
        assert_eq!(quoted(text), expected, "{text:?}");
    }
}
