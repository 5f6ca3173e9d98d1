//! How much a container may swap.

use cri_client::v1::LinuxContainerResources;
use pod_model::{Container, Pod, QosClass, qos_class};

use crate::oom_score::is_critical;
use crate::pod_totals::{List, container_amount};
use crate::{CgroupVersion, NodeFacts, Swap};

const SWAP_MAX: &str = "memory.swap.max";

/// Sets the container's swap, as far as the kernel counts swap at all.
///
/// Version 1 limits memory and swap together, so "no swap" is the memory limit once more; some swapping below that
/// limit remains possible. Mirrors `configureContainerSwapResources`.
pub(crate) fn limit_swap(
    resources: &mut LinuxContainerResources,
    pod: &Pod,
    container: &Container,
    node: &NodeFacts,
) {
    let bytes = match (node.swap, node.cgroup) {
        (Swap::NoController, _) => return,
        (_, CgroupVersion::V1) => {
            resources.memory_swap_limit_in_bytes = resources.memory_limit_in_bytes;
            return;
        }
        (Swap::Limited { capacity }, CgroupVersion::V2) if may_swap(pod, container) => {
            share_of_swap(memory_request(container), node.memory_capacity, capacity)
        }
        (_, CgroupVersion::V2) => 0,
    };
    resources.unified.insert(SWAP_MAX.into(), bytes.to_string());
}

/// Only a burstable container that asks for some memory, and for less than its limit; and none that the node itself
/// depends on. Mirrors `GetContainerSwapBehavior`.
fn may_swap(pod: &Pod, container: &Container) -> bool {
    let request = container_amount(container, List::Requests, "memory").unwrap_or_default();
    let limit = container_amount(container, List::Limits, "memory").unwrap_or_default();
    !is_critical(pod) && qos_class(pod) == QosClass::Burstable && request != limit
}

fn memory_request(container: &Container) -> i64 {
    container_amount(container, List::Requests, "memory").unwrap_or_default().value()
}

/// The share of the machine's swap that equals the container's share of its memory.
/// Mirrors `calcSwapForBurstablePods`; a request that cannot be right gets none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the kubelet counts in floating point"
)]
fn share_of_swap(request: i64, memory: i64, swap: i64) -> i64 {
    if memory <= 0 || request > memory {
        return 0;
    }
    (request as f64 / memory as f64 * swap as f64) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use pod_model::identity::spec;

    const GIB: i64 = 1 << 30;

    fn swap(
        annotations: serde_json::Value,
        container: serde_json::Value,
        swap: Swap,
        cgroup: CgroupVersion,
    ) -> String {
        let pod: Pod = serde_json::from_value(serde_json::json!({
            "metadata": {"annotations": annotations},
            "spec": {"containers": [{"name": "a", "resources": container}]},
        }))
        .expect("a pod");
        let node = NodeFacts { swap, cgroup, ..NodeFacts::new(4 * GIB) };
        let mut resources = LinuxContainerResources { memory_limit_in_bytes: 7, ..Default::default() };
        limit_swap(&mut resources, &pod, &spec(&pod).containers[0], &node);
        let unified = resources.unified.get(SWAP_MAX).map_or("-", String::as_str);
        format!("{} {unified}", resources.memory_swap_limit_in_bytes)
    }

    #[test]
    fn who_may_swap_how_much() {
        use CgroupVersion::{V1, V2};
        let limited = Swap::Limited { capacity: 2 * GIB };
        let none = serde_json::json!({});
        let burstable = serde_json::json!({"requests": {"memory": "1Gi"}});
        let equal = serde_json::json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}});
        let too_much = serde_json::json!({"requests": {"memory": "5Gi"}});
        let from_file = serde_json::json!({"kubernetes.io/config.source": "file"});
        for (annotations, resources, behaviour, cgroup, expected) in [
            (&none, &burstable, Swap::NoController, V1, "0 -"),
            (&none, &burstable, Swap::NoController, V2, "0 -"),
            (&none, &burstable, Swap::NoSwap, V1, "7 -"),
            (&none, &burstable, limited, V1, "7 -"),
            (&none, &burstable, Swap::NoSwap, V2, "0 0"),
            // A quarter of the memory, so a quarter of the swap.
            (&none, &burstable, limited, V2, "0 536870912"),
            (&none, &equal, limited, V2, "0 0"),
            (&none, &none, limited, V2, "0 0"),
            (&none, &too_much, limited, V2, "0 0"),
            (&from_file, &burstable, limited, V2, "0 0"),
        ] {
            let got = swap(annotations.clone(), resources.clone(), behaviour, cgroup);
            assert_eq!(got, expected, "{annotations} {resources} {behaviour:?} {cgroup:?}");
        }
    }
}
