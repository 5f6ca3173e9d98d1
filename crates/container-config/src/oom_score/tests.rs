use super::*;
use proptest::prelude::*;

const GIB: i64 = 1 << 30;

fn score(pod: serde_json::Value, name: &str, capacity: i64) -> i64 {
    let pod: Pod = serde_json::from_value(pod).expect("a pod");
    let container = pod_model::identity::container(&pod, name).expect("the container");
    oom_score_adj(&pod, container, capacity)
}

fn memory(name: &str, request: &str) -> serde_json::Value {
    serde_json::json!({"name": name, "resources": {"requests": {"memory": request}}})
}

fn sidecar(name: &str, request: &str) -> serde_json::Value {
    serde_json::json!({"name": name, "restartPolicy": "Always", "resources": {"requests": {"memory": request}}})
}

#[test]
fn the_score_follows_the_class_and_the_request() {
    let full = serde_json::json!({"cpu": "1", "memory": "1Gi"});
    let guaranteed = serde_json::json!({"name": "a", "resources": {"requests": full, "limits": full}});
    for (pod, expected, why) in [
        (serde_json::json!({"spec": {"containers": [{"name": "a"}]}}), 1000, "asks for nothing"),
        (serde_json::json!({"spec": {"containers": [guaranteed]}}), -997, "guaranteed"),
        (serde_json::json!({"spec": {"containers": [memory("a", "2560Mi")]}}), 750, "a quarter of ten"),
        (
            serde_json::json!({"spec": {"containers": [memory("a", "1")]}}),
            999,
            "never as bad as asking for nothing",
        ),
        (
            serde_json::json!({"spec": {"containers": [memory("a", "10Gi")]}}),
            3,
            "never as good as guaranteed",
        ),
        (serde_json::json!({"spec": {"containers": [memory("a", "99Ei")]}}), 3, "more than there is"),
        (
            serde_json::json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]}}),
            999,
            "burstable without memory",
        ),
    ] {
        assert_eq!(score(pod, "a", 10 * GIB), expected, "{why}");
    }
}

#[test]
fn only_a_node_critical_pod_is_spared_for_its_priority() {
    let pod = |class: &str, priority: i64, annotations: serde_json::Value| {
        serde_json::json!({"metadata": {"annotations": annotations},
            "spec": {"priorityClassName": class, "priority": priority, "containers": [{"name": "a"}]}})
    };
    let none = serde_json::json!({});
    let file = serde_json::json!({"kubernetes.io/config.source": "file"});
    let api = serde_json::json!({"kubernetes.io/config.source": "api"});
    let mirror = serde_json::json!({"kubernetes.io/config.mirror": "x"});
    for (class, priority, annotations, expected) in [
        ("system-node-critical", 2_000_001_000, &none, -997),
        ("system-cluster-critical", 2_000_000_000, &none, 1000),
        ("system-node-critical", 5, &none, 1000),
        ("system-node-critical", 5, &api, 1000),
        ("system-node-critical", 5, &file, -997),
        ("system-node-critical", 5, &mirror, -997),
        ("", 2_000_001_000, &file, 1000),
    ] {
        assert_eq!(
            score(pod(class, priority, annotations.clone()), "a", GIB),
            expected,
            "{class} {priority} {annotations}"
        );
    }
}

#[test]
fn a_sidecar_is_worth_as_much_as_the_smallest_regular_container() {
    let pod = serde_json::json!({"spec": {
        "initContainers": [sidecar("small", "100Mi"), sidecar("large", "5Gi"), memory("init", "100Mi")],
        "containers": [memory("a", "2Gi"), memory("b", "1Gi")],
    }});
    for (name, expected) in [("a", 800), ("b", 900), ("small", 900), ("large", 500), ("init", 991)] {
        assert_eq!(score(pod.clone(), name, 10 * GIB), expected, "{name}");
    }
}

#[test]
fn what_the_pod_asks_for_beyond_its_containers_is_shared_by_them() {
    // 4 GiB less 2 GiB, over two containers.
    let pod = serde_json::json!({"spec": {
        "resources": {"requests": {"memory": "4Gi"}},
        "initContainers": [sidecar("s", "1Gi")],
        "containers": [memory("a", "1Gi")],
    }});
    assert_eq!(score(pod.clone(), "a", 10 * GIB), 800);
    assert_eq!(score(pod, "s", 10 * GIB), 800);
}

proptest! {
    #[test]
    fn every_score_is_one_that_the_kernel_takes(
        requests in proptest::collection::vec("-?[0-9]{0,20}(\\.[0-9]{1,3})?(m|k|Ki|Mi|Gi|Ei|x)?", 1..4),
        of_pod in proptest::option::of("-?[0-9]{0,12}(Mi|Ei)?"),
        capacity in any::<i64>(),
        with_sidecar in any::<bool>(),
    ) {
        let mut pod = serde_json::json!({"spec": {"containers": [memory("last", "1")]}});
        for (at, request) in requests.iter().enumerate() {
            let list = pod["spec"]["containers"].as_array_mut().expect("a list");
            list.push(memory(&format!("c{at}"), request));
        }
        if with_sidecar {
            pod["spec"]["initContainers"] = serde_json::json!([sidecar("c0", &requests[0])]);
        }
        if let Some(of_pod) = of_pod {
            pod["spec"]["resources"] = serde_json::json!({"requests": {"memory": of_pod}});
        }
        let parsed: Pod = serde_json::from_value(pod.clone()).expect("a pod");
        let score = score(pod, "c0", capacity);
        match qos_class(&parsed) {
            QosClass::Burstable => prop_assert!((3..=999).contains(&score), "{score}"),
            QosClass::Guaranteed => prop_assert_eq!(score, GUARANTEED),
            QosClass::BestEffort => prop_assert_eq!(score, BEST_EFFORT),
        }
    }

    #[test]
    fn who_requests_more_is_never_killed_sooner(a in 0_i64..1 << 40, b in 0_i64..1 << 40, capacity in 1_i64..1 << 42) {
        let of = |bytes: i64| {
            let containers = [memory("a", &bytes.to_string()), memory("other", "1")];
            score(serde_json::json!({"spec": {"containers": containers}}), "a", capacity)
        };
        prop_assert!(of(a.min(b)) >= of(a.max(b)));
    }
}
