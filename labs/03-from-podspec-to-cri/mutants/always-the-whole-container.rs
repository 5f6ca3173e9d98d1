/// The part of the resources that containers and sandboxes have in common. Mirrors `calculateLinuxResources`.
///
/// A limit without a request counts as request. The API server fills that in as well; manifests have no API server.
fn linux_resources(bounds: &Bounds, node: &NodeFacts) -> LinuxContainerResources {
    let mut resources = LinuxContainerResources {
        cpu_shares: cpu_shares(bounds.cpu_request.unwrap_or(bounds.cpu_limit).milli_value()),
        memory_limit_in_bytes: bounds.memory_limit.value(),
        ..Default::default()
    };
    if node.cpu_cfs_quota {
        resources.cpu_period = i64::try_from(node.cpu_cfs_quota_period.as_micros()).unwrap_or(i64::MAX);
        resources.cpu_quota = cpu_quota(bounds.cpu_limit.milli_value(), resources.cpu_period);
    }
    if node.cgroup == CgroupVersion::V2 {
        // Ends the whole container: half a container that goes on is worse than one that is started anew.
        resources.unified.insert("memory.oom.group".into(), "1".into());
    }
    resources
}
