/// The OOM score adjustment of one container, −997 to 1000; a burstable one's lies within 3 and 999.
/// `memory_capacity` is the machine's, in bytes. Mirrors `GetContainerOOMScoreAdjust`.
///
/// A sidecar is worth at least as much as the regular container with the smallest request: killing it first would take
/// from that container what it needs.
pub fn oom_score_adj(pod: &Pod, container: &Container, memory_capacity: i64) -> i64 {
    if is_critical(pod) && spec(pod).priority_class_name.as_deref() == Some(SYSTEM_NODE_CRITICAL) {
        return GUARANTEED;
    }
    match qos_class(pod) {
        QosClass::Guaranteed => return GUARANTEED,
        QosClass::BestEffort => return BEST_EFFORT,
        QosClass::Burstable => {}
    }
    let mut request = memory_request(container);
    request = request.max(smallest_regular_request(pod));
    let request = i128::from(request) + i128::from(unassigned_request(pod));
    let score = 1000 - 1000 * request / i128::from(memory_capacity.max(1));
    i64::try_from(score.clamp(3, 999)).unwrap_or(3)
}
