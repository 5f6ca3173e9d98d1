//! From the runtime's answers to one pod's status.
//!
//! Lists say what exists and in which state; addresses, exit codes and times stand only in the long form of each
//! object. Mirrors `kuberuntime_manager.go: GetPodStatus`.

use std::collections::BTreeMap;

use cri_client::{RuntimeError, RuntimeService, v1};
use pod_model::{PodStatus, PodUid, labels};

use crate::lifecycle::{PodRecord, group_by_pod};

/// Everything that the runtime has, by pod.
///
/// # Errors
/// The runtime's error of either list.
pub(crate) async fn look_at_all(
    runtime: &dyn RuntimeService,
) -> Result<BTreeMap<PodUid, PodRecord>, RuntimeError> {
    let sandboxes = runtime.list_pod_sandbox(v1::ListPodSandboxRequest::default()).await?.items;
    let containers = runtime.list_containers(v1::ListContainersRequest::default()).await?.containers;
    Ok(group_by_pod(&sandboxes, &containers))
}

/// What the runtime has of one pod; `None` when it has nothing.
///
/// # Errors
/// The runtime's error of either list.
pub(crate) async fn look_at(
    runtime: &dyn RuntimeService,
    uid: &PodUid,
) -> Result<Option<PodRecord>, RuntimeError> {
    let selector = BTreeMap::from([(labels::POD_UID.to_owned(), uid.as_str().to_owned())]);
    let of_pod = v1::PodSandboxFilter { label_selector: selector.clone(), ..Default::default() };
    let sandboxes = runtime.list_pod_sandbox(v1::ListPodSandboxRequest { filter: Some(of_pod) }).await?.items;
    let of_pod = v1::ContainerFilter { label_selector: selector, ..Default::default() };
    let containers =
        runtime.list_containers(v1::ListContainersRequest { filter: Some(of_pod) }).await?.containers;
    Ok(group_by_pod(&sandboxes, &containers).remove(uid))
}

/// The status of a pod in full. What was removed since it was listed is left out: the next look will not list it.
///
/// # Errors
/// The runtime's first error other than `NotFound`.
pub(crate) async fn inspect(
    runtime: &dyn RuntimeService,
    record: &PodRecord,
    last_ips: &[String],
) -> Result<PodStatus, RuntimeError> {
    let (mut sandboxes, mut containers) = (Vec::new(), Vec::new());
    for (id, seen) in &record.members {
        if seen.is_sandbox {
            let request = v1::PodSandboxStatusRequest { pod_sandbox_id: id.clone(), verbose: false };
            let answer = unless_gone(runtime.pod_sandbox_status(request).await)?;
            sandboxes.extend(answer.and_then(|a| a.status));
        } else {
            let request = v1::ContainerStatusRequest { container_id: id.clone(), verbose: false };
            let answer = unless_gone(runtime.container_status(request).await)?;
            let sandbox = record.sandbox_of.get(id).cloned().unwrap_or_default();
            containers.extend(answer.and_then(|a| a.status).map(|status| (sandbox, status)));
        }
    }
    Ok(PodStatus::from_cri(record.pod.clone(), sandboxes, &containers, last_ips))
}

fn unless_gone<T>(answer: Result<T, RuntimeError>) -> Result<Option<T>, RuntimeError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
