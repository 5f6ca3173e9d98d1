/// The class of a pod, from what it asks for. Only cpu and memory count, and only amounts above zero.
pub fn qos_class(pod: &Pod) -> QosClass {
    let spec = spec(pod);
    if let Some(pod_level) = &spec.resources {
        return class_of(&[(pod_level.requests.as_ref(), pod_level.limits.as_ref())]);
    }
    let asked: Vec<_> = init_containers(pod)
        .iter()
        .chain(&spec.containers)
        .map(|c| c.resources.as_ref().map_or((None, None), |r| (r.requests.as_ref(), r.limits.as_ref())))
        .collect();
    class_of(&asked)
}

fn class_of(asked: &[(Option<&Resources>, Option<&Resources>)]) -> QosClass {
    let names = |list: Option<&Resources>| list.map_or(0, BTreeMap::len);
    if asked.iter().all(|(wants, bounds)| names(*wants) + names(*bounds) == 0) {
        return QosClass::BestEffort;
    }
    let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
    let mut all_limited = true;
    for (wants, bounds) in asked {
        add_up(*wants, &mut requests);
        all_limited &= add_up(*bounds, &mut limits) == 2;
    }
    if all_limited && requests == limits {
        QosClass::Guaranteed
    } else {
        QosClass::Burstable
    }
}
