//! How much a container may use, told to the container itself.
//!
//! A container without a limit may use what its pod may, or what the node has for pods; so that is what it is told, and
//! a program that sizes itself by the number does not come out at zero.
//!
//! Mirrors `pkg/api/v1/resource/helpers.go: ExtractContainerResourceValue` and
//! `kubelet_resources.go: defaultPodLimitsForDownwardAPI`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceFieldSelector;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use pod_model::identity::{init_containers, spec};
use pod_model::quantity::{Amount, amount_of};
use pod_model::{Container, Pod};

/// A resource that cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceFieldError {
    /// Neither limit nor request of a resource that a container can have. The kubelet's text.
    #[error("unsupported container resource : {resource}")]
    Unsupported {
        /// As it was written.
        resource: String,
    },
    /// The pod has no container of that name. The kubelet's text.
    #[error("container {container} not found")]
    NoContainer {
        /// As it was written.
        container: String,
    },
    /// A divisor that is no amount above zero.
    #[error("resourceFieldRef {resource}: divisor {divisor:?} must be a quantity above zero")]
    Divisor {
        /// The resource, as it was written.
        resource: String,
        /// As it was written.
        divisor: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Limits,
    Requests,
}

/// The resource in units of the divisor, rounded up.
///
/// # Errors
/// A resource or container that does not exist, or a divisor that is no amount above zero.
pub(crate) fn resource_value(
    pod: &Pod,
    container: &Container,
    selector: &ResourceFieldSelector,
    allocatable: &BTreeMap<String, Quantity>,
) -> Result<String, ResourceFieldError> {
    let (list, resource) = split(&selector.resource)?;
    let divisor = divisor(selector)?;
    let (container, is_bounded) = chosen(pod, container, selector)?;
    let own = own_amount(container, list, resource);
    // Huge pages are never given beyond a limit, so no limit means none.
    let may_default = is_bounded && list == List::Limits && !is_hugepages(resource);
    let outer = || outer_limit(pod, resource, allocatable).filter(|_| may_default);
    let amount = own.or_else(outer).unwrap_or_default();
    // Cpu is counted in thousandths, so that half a cpu in units of one is one, and in units of 1m is 500.
    let (have, unit) = match resource {
        "cpu" => (amount.milli_value(), divisor.milli_value()),
        _ => (amount.value(), divisor.value()),
    };
    Ok(divided_up(have, unit).to_string())
}

/// `limits.cpu` as list and resource.
fn split(field: &str) -> Result<(List, &str), ResourceFieldError> {
    let split = field.split_once('.').and_then(|(list, resource)| {
        let list = match list {
            "limits" => List::Limits,
            "requests" => List::Requests,
            _ => return None,
        };
        let known = matches!(resource, "cpu" | "memory" | "ephemeral-storage") || is_hugepages(resource);
        known.then_some((list, resource))
    });
    split.ok_or_else(|| ResourceFieldError::Unsupported { resource: field.to_owned() })
}

fn is_hugepages(resource: &str) -> bool {
    resource.starts_with("hugepages-")
}

/// One, when none is given; zero means the same.
fn divisor(selector: &ResourceFieldSelector) -> Result<Amount, ResourceFieldError> {
    let text = selector.divisor.as_ref().map_or("1", |quantity| quantity.0.as_str());
    let refused =
        || ResourceFieldError::Divisor { resource: selector.resource.clone(), divisor: text.to_owned() };
    let amount = Amount::parse(text).map_err(|_| refused())?;
    if amount.is_zero() {
        return Amount::parse("1").map_err(|_| refused());
    }
    if amount < Amount::default() { Err(refused()) } else { Ok(amount) }
}

/// The container that asks, or another one of the pod that it names; and whether an unset limit of it means what
/// bounds it instead.
///
/// For an init container that is named it does not: the kubelet fills in limits of the regular ones alone, so even an
/// init container that names itself reads zero. Mirrors `containerResourceRuntimeValue`.
fn chosen<'a>(
    pod: &'a Pod,
    asking: &'a Container,
    selector: &ResourceFieldSelector,
) -> Result<(&'a Container, bool), ResourceFieldError> {
    let name = selector.container_name.as_deref().unwrap_or_default();
    if name.is_empty() {
        return Ok((asking, true));
    }
    if let Some(regular) = spec(pod).containers.iter().find(|c| c.name == name) {
        return Ok((regular, true));
    }
    let init = init_containers(pod).iter().find(|c| c.name == name);
    init.map(|init| (init, false))
        .ok_or_else(|| ResourceFieldError::NoContainer { container: name.to_owned() })
}

/// What the container's own list says, if it says more than nothing.
fn own_amount(container: &Container, list: List, resource: &str) -> Option<Amount> {
    let resources = container.resources.as_ref()?;
    let list = match list {
        List::Limits => resources.limits.as_ref(),
        List::Requests => resources.requests.as_ref(),
    };
    amount_of(list, resource).filter(|amount| !amount.is_zero())
}

/// The pod's own limit of cpu or memory, or else what the node has for pods. Mirrors `defaultPodLimitsForDownwardAPI`.
fn outer_limit(pod: &Pod, resource: &str, allocatable: &BTreeMap<String, Quantity>) -> Option<Amount> {
    let of_node = amount_of(Some(allocatable), resource)?;
    let of_pod = spec(pod).resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let of_pod =
        amount_of(of_pod, resource).filter(|amount| !amount.is_zero() && resource != "ephemeral-storage");
    Some(of_pod.unwrap_or(of_node))
}

/// `unit` is above zero.
fn divided_up(have: i64, unit: i64) -> i64 {
    let (have, unit) = (i128::from(have), i128::from(unit.max(1)));
    let up = have.div_euclid(unit) + i128::from(have.rem_euclid(unit) != 0);
    i64::try_from(up).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(of_pod: serde_json::Value, field: serde_json::Value) -> Result<String, String> {
        let pod: Pod = serde_json::from_value(serde_json::json!({"spec": {
            "resources": of_pod,
            "initContainers": [{"name": "init", "resources": {"limits": {"cpu": "3"}}}],
            "containers": [
                {"name": "limited", "resources": {
                    "limits": {"cpu": "1500m", "memory": "100M", "hugepages-2Mi": "4Mi", "ephemeral-storage": "1Gi"},
                    "requests": {"cpu": "250m", "memory": "64Mi"}}},
                {"name": "free"},
            ],
        }}))
        .expect("a pod");
        let allocatable =
            [("cpu", "4"), ("memory", "8Gi"), ("ephemeral-storage", "10Gi"), ("hugepages-2Mi", "1Gi")];
        let allocatable =
            allocatable.map(|(name, amount)| (name.to_owned(), Quantity(amount.to_owned()))).into();
        let selector = serde_json::from_value(field).expect("a selector");
        resource_value(&pod, &spec(&pod).containers[0], &selector, &allocatable).map_err(|e| e.to_string())
    }

    #[test]
    fn amounts_in_units_of_the_divisor_rounded_up() {
        for (resource, divisor, expected) in [
            ("limits.cpu", None, "2"),
            ("limits.cpu", Some("0"), "2"),
            ("limits.cpu", Some("1m"), "1500"),
            ("limits.cpu", Some("100m"), "15"),
            ("requests.cpu", Some("1"), "1"),
            ("limits.memory", None, "100000000"),
            ("limits.memory", Some("1Mi"), "96"),
            ("limits.memory", Some("1m"), "100000000"),
            ("requests.memory", Some("1Ki"), "65536"),
            ("limits.hugepages-2Mi", Some("1Mi"), "4"),
            ("requests.hugepages-2Mi", None, "0"),
            ("limits.ephemeral-storage", Some("1Gi"), "1"),
            ("requests.ephemeral-storage", None, "0"),
        ] {
            let mut field = serde_json::json!({"resource": resource});
            if let Some(divisor) = divisor {
                field["divisor"] = serde_json::json!(divisor);
            }
            assert_eq!(
                value(serde_json::json!({}), field),
                Ok(expected.to_owned()),
                "{resource} {divisor:?}"
            );
        }
    }

    #[test]
    fn a_limit_that_is_not_set_is_the_pods_or_the_nodes() {
        let of_pod = serde_json::json!({"limits": {"cpu": "2", "ephemeral-storage": "1"}, "requests": {"memory": "1"}});
        for (of_pod, resource, container, expected) in [
            (serde_json::json!({}), "limits.cpu", "free", "4"),
            (serde_json::json!({}), "limits.memory", "free", "8589934592"),
            (serde_json::json!({}), "limits.hugepages-2Mi", "free", "0"),
            (serde_json::json!({}), "requests.cpu", "free", "0"),
            (of_pod.clone(), "limits.cpu", "free", "2"),
            (of_pod.clone(), "limits.cpu", "limited", "2"),
            (of_pod.clone(), "limits.memory", "free", "8589934592"),
            (of_pod, "limits.ephemeral-storage", "free", "10737418240"),
            (serde_json::json!({}), "limits.cpu", "init", "3"),
            (serde_json::json!({}), "limits.memory", "init", "0"),
        ] {
            let field = serde_json::json!({"resource": resource, "containerName": container});
            assert_eq!(value(of_pod, field), Ok(expected.to_owned()), "{resource} {container}");
        }
    }

    #[test]
    fn what_cannot_be_shown_is_refused() {
        for (field, refused) in [
            (serde_json::json!({"resource": "limits.pods"}), "unsupported container resource : limits.pods"),
            (serde_json::json!({"resource": "cpu"}), "unsupported container resource : cpu"),
            (serde_json::json!({"resource": "limits.cpu", "containerName": "x"}), "container x not found"),
            (
                serde_json::json!({"resource": "limits.cpu", "divisor": "-1"}),
                "resourceFieldRef limits.cpu: divisor \"-1\" must be a quantity above zero",
            ),
            (
                serde_json::json!({"resource": "limits.cpu", "divisor": "x"}),
                "resourceFieldRef limits.cpu: divisor \"x\" must be a quantity above zero",
            ),
        ] {
            assert_eq!(value(serde_json::json!({}), field), Err(refused.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn odd_quantities_never_panic(have in any::<i64>(), unit in any::<i64>(), divisor in "-?[0-9]{0,20}(n|m|Ei|e[0-9]{2})?") {
            divided_up(have, unit);
            let _ = value(serde_json::json!({"limits": {"cpu": divisor}}), serde_json::json!({"resource": "limits.cpu", "divisor": divisor}));
        }
    }
}
