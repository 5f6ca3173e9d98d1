//! Quality of service: who is hurt first when the node runs short.
//!
//! Mirrors `pkg/apis/core/v1/helper/qos/qos.go: ComputePodQOS`.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::identity::{init_containers, spec};
use crate::quantity::Amount;

/// The three classes, most protected first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QosClass {
    /// Every container has limits for cpu and memory, and asks for exactly that much.
    Guaranteed,
    /// Some container asks for something.
    Burstable,
    /// No container asks for anything.
    BestEffort,
}

impl fmt::Display for QosClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Guaranteed => "Guaranteed",
            Self::Burstable => "Burstable",
            Self::BestEffort => "BestEffort",
        })
    }
}

type Resources = BTreeMap<String, Quantity>;

// ANCHOR: lab02_qos
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
    let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
    let mut all_limited = true;
    for (wants, bounds) in asked {
        add_up(*wants, &mut requests);
        let named = add_up(*bounds, &mut limits);
        all_limited &= named == 2;
    }
    if requests.is_empty() && limits.is_empty() {
        return QosClass::BestEffort;
    }
    let equal = requests.iter().all(|(name, amount)| limits.get(name) == Some(amount));
    if all_limited && equal && requests.len() == limits.len() {
        QosClass::Guaranteed
    } else {
        QosClass::Burstable
    }
}
// ANCHOR_END: lab02_qos

/// Adds the cpu and memory of `list` to `sum`; how many of the two it names.
fn add_up(list: Option<&Resources>, sum: &mut BTreeMap<&'static str, Amount>) -> usize {
    let mut named = 0;
    for resource in ["cpu", "memory"] {
        let amount = crate::quantity::amount_of(list, resource).filter(|a| *a > Amount::default());
        if let Some(amount) = amount {
            named += 1;
            let entry = sum.entry(resource).or_default();
            *entry = *entry + amount;
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(containers: serde_json::Value) -> Pod {
        serde_json::from_value(serde_json::json!({"spec": {"containers": containers}})).expect("a pod")
    }

    #[test]
    fn classes() {
        use QosClass::{BestEffort, Burstable, Guaranteed};
        let full = serde_json::json!({"cpu": "1", "memory": "1Gi"});
        for (class, containers) in [
            (BestEffort, serde_json::json!([{"name": "a"}, {"name": "b", "resources": {}}])),
            (BestEffort, serde_json::json!([{"name": "a", "resources": {"requests": {"cpu": "0"}}}])),
            (
                BestEffort,
                serde_json::json!([{"name": "a", "resources": {"requests": {"ephemeral-storage": "1Gi"}}}]),
            ),
            (
                Burstable,
                serde_json::json!([{"name": "a", "resources": {"requests": {"cpu": "100m"}}}, {"name": "b"}]),
            ),
            (
                Burstable,
                serde_json::json!([{"name": "a", "resources": {"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi"}}}]),
            ),
            (Guaranteed, serde_json::json!([{"name": "a", "resources": {"limits": full, "requests": full}}])),
            (
                Guaranteed,
                serde_json::json!([{"name": "a", "resources": {"limits": full, "requests": {"cpu": "1000m", "memory": "1024Mi"}}}]),
            ),
            (
                Burstable,
                serde_json::json!([{"name": "a", "resources": {"limits": full, "requests": full}}, {"name": "b"}]),
            ),
            (
                Burstable,
                serde_json::json!([{"name": "a", "resources": {"limits": full, "requests": {"cpu": "500m", "memory": "1Gi"}}}]),
            ),
        ] {
            assert_eq!(qos_class(&pod(containers.clone())), class, "{containers}");
        }
    }

    #[test]
    fn what_the_pod_itself_says_replaces_what_its_containers_say_even_if_it_is_nothing() {
        let mut pod = pod(serde_json::json!([{"name": "a", "resources": {"requests": {"cpu": "1"}}}]));
        assert_eq!(qos_class(&pod), QosClass::Burstable);
        pod.spec.as_mut().expect("a spec").resources = Some(Default::default());
        assert_eq!(qos_class(&pod), QosClass::BestEffort);
    }
}
