use super::*;
use proptest::prelude::*;

#[test]
fn shares_follow_the_request_within_the_kernels_bounds() {
    for (milli, shares) in [
        (0, 2),
        (1, 2),
        (2, 2),
        (3, 3),
        (10, 10),
        (50, 51),
        (100, 102),
        (1000, 1024),
        (256_000, 262_144),
        (i64::MAX, 262_144),
        (-5, 2),
        (i64::MIN, 2),
    ] {
        assert_eq!(cpu_shares(milli), shares, "{milli}");
    }
}

#[test]
fn quota_follows_the_limit_and_is_at_least_a_millisecond() {
    for (milli, period, quota) in [
        (0, 100_000, 0),
        (1, 100_000, 1000),
        (10, 100_000, 1000),
        (11, 100_000, 1100),
        (500, 100_000, 50_000),
        (1000, 100_000, 100_000),
        (1000, 5000, 5000),
        (2500, 20_000, 50_000),
        (i64::MAX, 100_000, i64::MAX),
        (-1, 100_000, 1000),
    ] {
        assert_eq!(cpu_quota(milli, period), quota, "{milli} {period}");
    }
}

fn node() -> NodeFacts {
    NodeFacts::new(16 << 30)
}

/// shares, quota, period, memory.
fn shown(r: &LinuxContainerResources) -> (i64, i64, i64, i64) {
    (r.cpu_shares, r.cpu_quota, r.cpu_period, r.memory_limit_in_bytes)
}

fn pod(spec: serde_json::Value) -> Pod {
    serde_json::from_value(serde_json::json!({"spec": spec})).expect("a pod")
}

#[test]
fn a_container_gets_its_limits_or_its_pods() {
    for (of_pod, of_container, expected) in [
        (serde_json::json!({}), serde_json::json!({}), (2, 0, 100_000, 0)),
        (serde_json::json!({}), serde_json::json!({"requests": {"cpu": "1"}}), (1024, 0, 100_000, 0)),
        // A limit without a request counts as request; a request for nothing does not.
        (
            serde_json::json!({}),
            serde_json::json!({"limits": {"cpu": "1", "memory": "1Mi"}}),
            (1024, 100_000, 100_000, 1 << 20),
        ),
        (
            serde_json::json!({}),
            serde_json::json!({"limits": {"cpu": "1"}, "requests": {"cpu": "0"}}),
            (2, 100_000, 100_000, 0),
        ),
        // The pod's limits stand in for those that the container lacks, not for its requests.
        (
            serde_json::json!({"limits": {"cpu": "2", "memory": "2Mi"}, "requests": {"cpu": "1"}}),
            serde_json::json!({"limits": {"cpu": "0", "memory": "1Mi"}}),
            (2048, 200_000, 100_000, 1 << 20),
        ),
    ] {
        let pod = pod(
            serde_json::json!({"resources": of_pod, "containers": [{"name": "a", "resources": of_container}]}),
        );
        let resources = container_resources(&pod, &spec(&pod).containers[0], &node());
        assert_eq!(shown(&resources), expected, "{of_pod} {of_container}");
    }
}

#[test]
fn the_nodes_settings_decide_about_quota_and_group_kill() {
    let pod = pod(serde_json::json!({"overhead": {"cpu": "250m", "memory": "120Mi"},
        "containers": [{"name": "a", "resources": {"limits": {"cpu": "1"}}}]}));
    let container = &spec(&pod).containers[0];
    let no_quota = NodeFacts { cpu_cfs_quota: false, ..node() };
    assert_eq!(shown(&container_resources(&pod, container, &no_quota)), (1024, 0, 0, 0));
    let period = NodeFacts { cpu_cfs_quota_period: std::time::Duration::from_millis(10), ..node() };
    assert_eq!(shown(&container_resources(&pod, container, &period)), (1024, 10_000, 10_000, 0));
    assert_eq!(shown(&sandbox_resources(&pod, &period)), (1024, 10_000, 10_000, 0));
    assert_eq!(shown(&sandbox_overhead(&pod, &period)), (256, 2500, 10_000, 120 << 20));

    let unified =
        |node: &NodeFacts| container_resources(&pod, container, node).unified.into_iter().collect::<Vec<_>>();
    let v2 = NodeFacts { cgroup: CgroupVersion::V2, single_process_oom_kill: false, ..node() };
    assert_eq!(unified(&v2), [("memory.oom.group".to_owned(), "1".to_owned())]);
    assert_eq!(sandbox_resources(&pod, &v2).unified.len(), 1);
    assert!(unified(&NodeFacts { single_process_oom_kill: true, ..v2.clone() }).is_empty());
    assert!(unified(&NodeFacts { cgroup: CgroupVersion::V1, ..v2 }).is_empty());
}

#[test]
fn a_pod_without_overhead_says_so_with_an_empty_message() {
    let pod = pod(serde_json::json!({"containers": [{"name": "a"}]}));
    assert_eq!(sandbox_overhead(&pod, &node()), LinuxContainerResources::default());
}

proptest! {
    #[test]
    fn shares_and_quota_stay_within_their_bounds_and_grow_with_the_request(a in any::<i64>(), b in any::<i64>(), period in 0..=1_000_000_i64) {
        prop_assert!((MIN_SHARES..=MAX_SHARES).contains(&cpu_shares(a)));
        prop_assert!(a == 0 || cpu_quota(a, period) >= 1000);
        if a <= b {
            prop_assert!(cpu_shares(a) <= cpu_shares(b));
        }
    }

    #[test]
    fn odd_quantities_never_panic(
        cpu in "-?[0-9]{0,25}(\\.[0-9]{0,12})?(n|u|m|k|Ki|E|Ei|e[0-9]{1,3}|\\PC)?",
        memory in "-?[0-9]{0,25}(\\.[0-9]{0,12})?(n|m|Mi|Ei|e-?[0-9]{1,2}|\\PC)?",
        page in "(hugepages-)?[0-9]{0,20}(Ki|Mi|Gi|Ei)?",
    ) {
        let list = serde_json::json!({"cpu": cpu, "memory": memory, page: memory});
        let all = serde_json::json!({"requests": list, "limits": list});
        let pod = pod(serde_json::json!({"overhead": list, "resources": all,
            "containers": [{"name": "a", "resources": all}, {"name": "b", "resources": {"requests": list}}],
            "initContainers": [{"name": "i", "restartPolicy": "Always", "resources": all}, {"name": "j", "resources": all}]}));
        let node = NodeFacts {
            hugepage_sizes: vec!["2MB".into()], cgroup: CgroupVersion::V2, swap: crate::Swap::Limited { capacity: i64::MAX }, ..node()
        };
        for container in spec(&pod).containers.iter().chain(pod_model::identity::init_containers(&pod)) {
            let resources = container_resources(&pod, container, &node);
            prop_assert!((MIN_SHARES..=MAX_SHARES).contains(&resources.cpu_shares));
            prop_assert!((-997..=1000).contains(&resources.oom_score_adj));
            prop_assert_eq!(resources.hugepage_limits.len(), 1);
        }
        sandbox_resources(&pod, &node);
        sandbox_overhead(&pod, &node);
    }
}
