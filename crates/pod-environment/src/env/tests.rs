use super::*;

fn pod(container: serde_json::Value) -> Pod {
    let mut container = container;
    container["name"] = serde_json::json!("a");
    serde_json::from_value(serde_json::json!({
        "metadata": {"name": "web", "namespace": "ns", "uid": "u1"},
        "spec": {"enableServiceLinks": true, "containers": [container]},
    }))
    .expect("a pod")
}

fn shown(pod: &Pod) -> Result<Vec<String>, String> {
    let envs = environment(pod, &spec(pod).containers[0], &EnvFacts::default());
    let line = |e: KeyValue| format!("{}={}", e.key, String::from_utf8_lossy(&e.value));
    envs.map(|envs| envs.into_iter().map(line).collect()).map_err(|error| error.to_string())
}

#[test]
fn a_value_sees_what_was_declared_before_it() {
    let env = serde_json::json!({"env": [
        {"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$(C)"}, {"name": "C", "value": "$$(A)"},
        {"name": "EMPTY"}, {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "D", "value": "$(NAME)-$(EMPTY)-$(SELF)-$(KUBERNETES_SERVICE_HOST)"}, {"name": "SELF", "value": "$(SELF)"},
        {"name": "NOWHERE", "valueFrom": {}},
    ]});
    assert_eq!(
        shown(&pod(env)).expect("an environment"),
        [
            "A=1",
            "B=1$(C)",
            "C=$(A)",
            "EMPTY=",
            "NAME=web",
            "D=web--$(SELF)-$(KUBERNETES_SERVICE_HOST)",
            "SELF=$(SELF)",
            "NOWHERE="
        ]
    );
}

#[test]
fn a_name_that_is_declared_again_gets_the_later_value_and_may_use_the_earlier() {
    let env = serde_json::json!({"env": [
        {"name": "PATH", "value": "/bin"}, {"name": "OLD", "value": "$(PATH)"}, {"name": "PATH", "value": "/usr$(PATH)"},
        {"name": "NEW", "value": "$(PATH)"},
    ]});
    assert_eq!(shown(&pod(env)).expect("an environment"), ["PATH=/usr/bin", "OLD=/bin", "NEW=/usr/bin"]);
}

#[test]
fn a_written_value_comes_before_a_source() {
    let env = serde_json::json!({"env": [{"name": "A", "value": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]});
    assert_eq!(shown(&pod(env)).expect("an environment"), ["A=x"]);
}

#[test]
fn what_needs_others_is_refused_with_the_words_of_the_waiting_state() {
    let from = |source: serde_json::Value| serde_json::json!({"env": [{"name": "A", "valueFrom": source}]});
    for (container, refused) in [
        (
            from(serde_json::json!({"configMapKeyRef": {"name": "c", "key": "k"}})),
            "couldn't get configMap ns/c, no kubeClient defined",
        ),
        (
            from(serde_json::json!({"secretKeyRef": {"name": "s", "key": "k", "optional": true}})),
            "couldn't get secret ns/s, no kubeClient defined",
        ),
        (
            serde_json::json!({"envFrom": [{"configMapRef": {"name": "c"}}]}),
            "couldn't get configMap ns/c, no kubeClient defined",
        ),
        (
            serde_json::json!({"envFrom": [{"secretRef": {"name": "s", "optional": true}}]}),
            "couldn't get secret ns/s, no kubeClient defined",
        ),
        (
            from(serde_json::json!({"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k"}})),
            "pod ns/web: container a: env A: fileKeyRef is not supported",
        ),
        (from(serde_json::json!({"fieldRef": {"fieldPath": "spec.x"}})), "field label not supported: spec.x"),
        (
            from(serde_json::json!({"resourceFieldRef": {"resource": "x"}})),
            "unsupported container resource : x",
        ),
    ] {
        assert_eq!(shown(&pod(container.clone())), Err(refused.to_owned()), "{container}");
    }
    let mut undefaulted = pod(serde_json::json!({}));
    undefaulted.spec.as_mut().expect("a spec").enable_service_links = None;
    assert_eq!(
        shown(&undefaulted),
        Err("nil pod.spec.enableServiceLinks encountered, cannot construct envvars".into())
    );
}
