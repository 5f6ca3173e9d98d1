//! Limits of huge pages.

use std::collections::BTreeMap;

use cri_client::v1::HugepageLimit;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use pod_model::identity::spec;
use pod_model::quantity::{Amount, amount_of};
use pod_model::{Container, Pod};

const PREFIX: &str = "hugepages-";
const UNITS: [&str; 6] = ["B", "KB", "MB", "GB", "TB", "PB"];

/// A limit for every size that the machine has: nothing, unless the container or its pod has one.
/// Mirrors `kuberuntime_container_linux.go: GetHugepageLimitsFromResources`.
pub(crate) fn hugepage_limits(pod: &Pod, container: &Container, sizes: &[String]) -> Vec<HugepageLimit> {
    let of_pod = spec(pod).resources.as_ref().and_then(|r| r.limits.as_ref());
    let of_container = container.resources.as_ref().and_then(|r| r.limits.as_ref());
    let limits = [of_pod, of_container].into_iter().flatten().flat_map(limits_by_size);
    // The container's own limit comes later and so replaces its pod's.
    let limits: BTreeMap<String, u64> = limits.collect();
    sizes
        .iter()
        .map(|size| HugepageLimit {
            page_size: size.clone(),
            limit: limits.get(size).copied().unwrap_or_default(),
        })
        .collect()
}

fn limits_by_size(limits: &BTreeMap<String, Quantity>) -> impl Iterator<Item = (String, u64)> {
    limits.keys().filter_map(move |resource| {
        let bytes = amount_of(Some(limits), resource)?.value();
        Some((size_of(resource)?, u64::try_from(bytes).unwrap_or_default()))
    })
}

/// The size in the runtime's spelling: `hugepages-2Mi` is `2MB`. `None` for what is no size of a page.
/// Mirrors `core/v1/helper/helpers.go: HugePageSizeFromResourceName, HugePageUnitSizeFromByteSize`.
fn size_of(resource: &str) -> Option<String> {
    let mut size = Amount::parse(resource.strip_prefix(PREFIX)?).ok()?.value();
    let mut unit = 0;
    while size % 1024 == 0 && unit + 1 < UNITS.len() {
        size /= 1024;
        unit += 1;
    }
    // More than 1024 of a unit, and not divisible by the next: no power of two.
    if size > 1024 && unit + 1 < UNITS.len() {
        return None;
    }
    Some(format!("{size}{}", UNITS[unit]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_the_runtimes_spelling() {
        for (resource, size) in [
            ("hugepages-2Mi", Some("2MB")),
            ("hugepages-1Gi", Some("1GB")),
            ("hugepages-64Ki", Some("64KB")),
            ("hugepages-512", Some("512B")),
            ("hugepages-2048Ki", Some("2MB")),
            ("hugepages-2M", None),
            ("hugepages-", None),
            ("memory", None),
        ] {
            assert_eq!(size_of(resource).as_deref(), size, "{resource}");
        }
    }

    #[test]
    fn every_size_has_a_limit_and_the_containers_comes_before_the_pods() {
        let pod: Pod = serde_json::from_value(serde_json::json!({"spec": {
            "resources": {"limits": {"hugepages-2Mi": "8Mi", "hugepages-1Gi": "1Gi"}},
            "containers": [{"name": "a", "resources": {"limits": {"hugepages-2Mi": "4Mi"}}}],
        }}))
        .expect("a pod");
        let sizes = ["2MB", "1GB", "64KB"].map(String::from);
        let limits = hugepage_limits(&pod, &spec(&pod).containers[0], &sizes);
        let shown: Vec<_> = limits.into_iter().map(|l| (l.page_size, l.limit)).collect();
        assert_eq!(shown, [("2MB".into(), 4 << 20), ("1GB".into(), 1 << 30), ("64KB".into(), 0)]);
    }
}
