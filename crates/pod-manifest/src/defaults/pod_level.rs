//! Requests and limits of the pod as a whole, when only some of them were written down.
//!
//! Mirrors `defaults.go: defaultPodRequests`, `defaultHugePagePodLimits` and `component-helpers/resource:
//! AggregateContainerRequests`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use pod_model::identity::is_restartable_init;
use pod_model::quantity::{Amount, amount_of};

type Amounts = BTreeMap<String, Quantity>;

/// A pod with limits of its own asks for what its containers ask for together; where they ask for nothing, for as
/// much as its limits allow.
pub(super) fn requests(spec: &mut PodSpec) {
    let Some(of_pod) = &spec.resources else { return };
    let (mut limits, mut requests) =
        (of_pod.limits.clone().unwrap_or_default(), of_pod.requests.clone().unwrap_or_default());
    if limits.is_empty() && requests.is_empty() {
        return;
    }
    for (resource, limit) in together(spec, |resources| resources.limits.as_ref()) {
        // A page that is reserved twice is an error, so the limit is only taken over where no request says more.
        if resource.starts_with("hugepages-") && !requests.contains_key(&resource) {
            limits.entry(resource).or_insert(limit);
        }
    }
    if !limits.is_empty() {
        for (resource, request) in together(spec, |resources| resources.requests.as_ref()) {
            if matches!(resource.as_str(), "cpu" | "memory") {
                requests.entry(resource).or_insert(request);
            }
        }
        for (resource, limit) in &limits {
            if matches!(resource.as_str(), "cpu" | "memory") || resource.starts_with("hugepages-") {
                requests.entry(resource.clone()).or_insert_with(|| limit.clone());
            }
        }
    }
    let of_pod = spec.resources.get_or_insert_default();
    of_pod.limits = (!limits.is_empty()).then_some(limits);
    of_pod.requests = (!requests.is_empty()).then_some(requests);
}

/// What all containers need at the worst moment: the regular ones with the sidecars, or one init container with the
/// sidecars that were started before it.
fn together(spec: &PodSpec, list: fn(&ResourceRequirements) -> Option<&Amounts>) -> Amounts {
    let named =
        |container: &'_ Container| container.resources.as_ref().and_then(list).cloned().unwrap_or_default();
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let resources: BTreeSet<String> =
        init.iter().chain(&spec.containers).flat_map(|container| named(container).into_keys()).collect();
    let need = |resource: &str| {
        let of = |container| amount_of(Some(&named(container)), resource).unwrap_or_default();
        let (mut sidecars, mut most) = (Amount::default(), Amount::default());
        for container in init {
            if is_restartable_init(container) {
                sidecars = sidecars + of(container);
                most = most.max(sidecars);
            } else {
                most = most.max(sidecars + of(container));
            }
        }
        spec.containers.iter().fold(sidecars, |sum, container| sum + of(container)).max(most)
    };
    resources.into_iter().map(|resource| (resource.clone(), written(&resource, need(&resource)))).collect()
}

fn written(resource: &str, amount: Amount) -> Quantity {
    Quantity(match amount.milli_value() {
        milli if resource == "cpu" && milli % 1000 != 0 => format!("{milli}m"),
        _ => amount.value().to_string(),
    })
}
