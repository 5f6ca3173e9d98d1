//! What a pod as a whole requests, and what it is limited to.
//!
//! Regular containers and sidecars run at the same time, so theirs add up. Init containers run one after the other
//! before that, each beside the sidecars that came before it; the pod needs whatever is most at any moment.
//!
//! Mirrors `component-helpers/resource/helpers.go: PodRequests, PodLimits` with the options that the kubelet sets for a
//! sandbox: without overhead, and with the pod's own `resources` before the sum of its containers'.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use pod_model::identity::{init_containers, is_restartable_init, spec};
use pod_model::quantity::{Amount, amount_of};
use pod_model::{Container, Pod};

/// One of the two lists of a `resources` section.
#[derive(Clone, Copy, Debug)]
pub(crate) enum List {
    Requests,
    Limits,
}

impl List {
    fn of(self, resources: Option<&ResourceRequirements>) -> Option<&BTreeMap<String, Quantity>> {
        let resources = resources?;
        match self {
            Self::Requests => resources.requests.as_ref(),
            Self::Limits => resources.limits.as_ref(),
        }
    }
}

/// What one container's list names; `None` when it does not name the resource.
pub(crate) fn container_amount(container: &Container, list: List, resource: &str) -> Option<Amount> {
    amount_of(list.of(container.resources.as_ref()), resource)
}

/// What the pod's own `resources` name; only cpu, memory and huge pages count there.
pub(crate) fn pod_level_amount(pod: &Pod, list: List, resource: &str) -> Option<Amount> {
    amount_of(list.of(spec(pod).resources.as_ref()), resource)
}

/// The pod's own word on cpu or memory, or else the total of its containers.
pub(crate) fn pod_amount(pod: &Pod, list: List, resource: &str) -> Option<Amount> {
    pod_level_amount(pod, list, resource).or_else(|| containers_total(pod, list, resource))
}

/// The most that the containers take at any one time; `None` when none of them names the resource.
/// Mirrors `AggregateContainerRequests, AggregateContainerLimits`.
pub(crate) fn containers_total(pod: &Pod, list: List, resource: &str) -> Option<Amount> {
    let mut together = None;
    for container in &spec(pod).containers {
        together = sum(together, container_amount(container, list, resource));
    }
    let (mut sidecars, mut most_while_initialising) = (None, None);
    for container in init_containers(pod) {
        let own = container_amount(container, list, resource);
        let now = sum(sidecars, own);
        if is_restartable_init(container) {
            together = sum(together, own);
            sidecars = now;
        }
        most_while_initialising = now.max(most_while_initialising);
    }
    together.max(most_while_initialising)
}

/// Nothing named and nothing named stays nothing named, which is not the same as zero.
fn sum(a: Option<Amount>, b: Option<Amount>) -> Option<Amount> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milli(spec: serde_json::Value, list: List) -> Option<i64> {
        let pod: Pod = serde_json::from_value(serde_json::json!({"spec": spec})).expect("a pod");
        pod_amount(&pod, list, "cpu").map(Amount::milli_value)
    }

    fn asks(name: &str, cpu: &str) -> serde_json::Value {
        serde_json::json!({"name": name, "resources": {"requests": {"cpu": cpu}}})
    }

    fn sidecar(name: &str, cpu: &str) -> serde_json::Value {
        serde_json::json!({"name": name, "restartPolicy": "Always", "resources": {"requests": {"cpu": cpu}}})
    }

    #[test]
    fn a_pod_needs_what_is_most_at_any_moment() {
        for (spec, expected, why) in [
            (serde_json::json!({"containers": [{"name": "a"}]}), None, "nobody asks"),
            (serde_json::json!({"containers": [asks("a", "0")]}), Some(0), "zero is an answer"),
            (serde_json::json!({"containers": [asks("a", "1"), asks("b", "500m")]}), Some(1500), "the sum"),
            (
                serde_json::json!({"containers": [asks("a", "1")], "initContainers": [asks("i", "2"), asks("j", "3")]}),
                Some(3000),
                "the largest init container, not their sum",
            ),
            (
                serde_json::json!({"containers": [asks("a", "1")], "initContainers": [sidecar("s", "2")]}),
                Some(3000),
                "a sidecar stays",
            ),
            (
                serde_json::json!({"containers": [asks("a", "1")],
                    "initContainers": [asks("early", "4"), sidecar("s", "2"), asks("late", "3")]}),
                Some(5000),
                "a late init container runs beside the sidecar, an early one does not",
            ),
            (
                serde_json::json!({"containers": [asks("a", "1")], "resources": {"requests": {"cpu": "7"}}}),
                Some(7000),
                "the pod's own word",
            ),
        ] {
            assert_eq!(milli(spec, List::Requests), expected, "{why}");
        }
    }
}
