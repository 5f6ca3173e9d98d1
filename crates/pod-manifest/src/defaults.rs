//! What a manifest leaves unsaid, filled in.
//!
//! The API server fills in defaults for every other pod; for a static pod the kubelet does it alone. The rest of the
//! node may then rely on what the API promises: a container has a pull policy, a probe has a period.
//!
//! Mirrors `pkg/apis/core/v1/defaults.go` and `zz_generated.defaults.go: SetObjectDefaults_Pod`.

mod pod_level;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, EmptyDirVolumeSource, EnvVar, HTTPGetAction, ObjectFieldSelector, Pod, PodSpec, Probe,
    ResourceFieldSelector, ResourceRequirements, Volume,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// The mode of files in downward API and projected volumes: `rw-r--r--`.
const FILE_MODE: i32 = 0o644;
/// How long a container may take to stop. Mirrors `DefaultTerminationGracePeriodSeconds`.
const GRACE_SECONDS: i64 = 30;

/// Fills in every default of a pod.
pub(crate) fn fill_in(pod: &mut Pod) {
    let spec = pod.spec.get_or_insert_default();
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        requests_from_limits(container);
    }
    pod_level::requests(spec);
    of_spec(spec);
    let host_network = spec.host_network == Some(true);
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        of_container(container, host_network);
    }
    for volume in spec.volumes.iter_mut().flatten() {
        of_volume(volume);
    }
}

/// Sets what is absent; an empty text counts as absent, as it does in Go.
fn text(field: &mut Option<String>, default: &str) {
    if field.as_deref().unwrap_or_default().is_empty() {
        *field = Some(default.to_owned());
    }
}

/// Sets what is absent; zero counts as absent.
fn number(field: &mut Option<i32>, default: i32) {
    if field.unwrap_or_default() == 0 {
        *field = Some(default);
    }
}

fn of_spec(spec: &mut PodSpec) {
    text(&mut spec.dns_policy, "ClusterFirst");
    text(&mut spec.restart_policy, "Always");
    text(&mut spec.scheduler_name, "default-scheduler");
    spec.security_context.get_or_insert_default();
    spec.enable_service_links.get_or_insert(true);
    let grace = spec.termination_grace_period_seconds.get_or_insert(GRACE_SECONDS);
    // A negative grace means one second, and is no error. Mirrors `conversion.go: Convert_v1_Pod_To_core_Pod`.
    if *grace < 0 {
        *grace = 1;
    }
}

/// Who sets a limit and no request asks for as much as the limit allows.
fn requests_from_limits(container: &mut Container) {
    let resources: &mut ResourceRequirements = container.resources.get_or_insert_default();
    let Some(limits) = &resources.limits else { return };
    let requests: &mut BTreeMap<String, Quantity> = resources.requests.get_or_insert_default();
    for (resource, limit) in limits {
        requests.entry(resource.clone()).or_insert_with(|| limit.clone());
    }
}

fn of_container(container: &mut Container, host_network: bool) {
    text(&mut container.image_pull_policy, pull_policy(container.image.as_deref().unwrap_or_default()));
    text(&mut container.termination_message_path, "/dev/termination-log");
    text(&mut container.termination_message_policy, "File");
    for port in container.ports.iter_mut().flatten() {
        text(&mut port.protocol, "TCP");
        // In the host's network a container's port is the host's.
        if host_network {
            number(&mut port.host_port, port.container_port);
        }
    }
    for variable in container.env.iter_mut().flatten() {
        of_variable(variable);
    }
    for probe in [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe]
    {
        probe.iter_mut().for_each(of_probe);
    }
    if let Some(lifecycle) = &mut container.lifecycle {
        for handler in [&mut lifecycle.post_start, &mut lifecycle.pre_stop].into_iter().flatten() {
            handler.http_get.iter_mut().for_each(of_http_get);
        }
    }
}

fn of_probe(probe: &mut Probe) {
    number(&mut probe.timeout_seconds, 1);
    number(&mut probe.period_seconds, 10);
    number(&mut probe.success_threshold, 1);
    number(&mut probe.failure_threshold, 3);
    probe.http_get.iter_mut().for_each(of_http_get);
    if let Some(grpc) = &mut probe.grpc {
        grpc.service.get_or_insert_default();
    }
}

fn of_http_get(http_get: &mut HTTPGetAction) {
    text(&mut http_get.path, "/");
    text(&mut http_get.scheme, "HTTP");
}

fn of_variable(variable: &mut EnvVar) {
    let Some(from) = &mut variable.value_from else { return };
    from.field_ref.iter_mut().for_each(of_field_ref);
    from.resource_field_ref.iter_mut().for_each(of_resource_ref);
    if let Some(key) = &mut from.file_key_ref {
        key.optional.get_or_insert(false);
    }
}

fn of_field_ref(field: &mut ObjectFieldSelector) {
    text(&mut field.api_version, "v1");
}

/// No divisor is written as `0` by Go, and divides by one.
fn of_resource_ref(field: &mut ResourceFieldSelector) {
    field.divisor.get_or_insert_with(|| Quantity("0".to_owned()));
}

fn of_volume(volume: &mut Volume) {
    if has_no_source(volume) {
        volume.empty_dir = Some(EmptyDirVolumeSource::default());
    }
    if let Some(image) = &mut volume.image {
        let policy = pull_policy(image.reference.as_deref().unwrap_or_default());
        text(&mut image.pull_policy, policy);
    }
    if let Some(host_path) = &mut volume.host_path {
        host_path.type_.get_or_insert_default();
    }
    let mut files = Vec::new();
    if let Some(downward) = &mut volume.downward_api {
        downward.default_mode.get_or_insert(FILE_MODE);
        files.extend(downward.items.iter_mut().flatten());
    }
    if let Some(projected) = &mut volume.projected {
        projected.default_mode.get_or_insert(FILE_MODE);
        let downward =
            projected.sources.iter_mut().flatten().filter_map(|source| source.downward_api.as_mut());
        files.extend(downward.flat_map(|downward| downward.items.iter_mut().flatten()));
    }
    for file in files {
        file.field_ref.iter_mut().for_each(of_field_ref);
        file.resource_field_ref.iter_mut().for_each(of_resource_ref);
    }
}

/// A volume that names nothing is an empty directory.
fn has_no_source(volume: &Volume) -> bool {
    *volume == Volume { name: volume.name.clone(), ..Volume::default() }
}

// ANCHOR: pull_policy
/// An image that is fetched by `:latest`, or by no tag at all, may have moved; any other stays what it is.
/// Mirrors `SetDefaults_Container` with `pkg/util/parsers: ParseImageName`.
fn pull_policy(image: &str) -> &'static str {
    let (name, has_digest) = image.split_once('@').map_or((image, false), |(name, _)| (name, true));
    // A colon before the last slash belongs to the registry's port.
    let last = name.rsplit('/').next().unwrap_or_default();
    match last.split_once(':') {
        Some((_, "latest")) => "Always",
        None if !has_digest && !image.is_empty() => "Always",
        _ => "IfNotPresent",
    }
}
// ANCHOR_END: pull_policy

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_decides_how_an_image_is_pulled() {
        for (image, policy) in [
            ("busybox", "Always"),
            ("busybox:latest", "Always"),
            ("registry:5000/busybox", "Always"),
            ("busybox:1.36", "IfNotPresent"),
            ("registry:5000/busybox:1.36", "IfNotPresent"),
            ("busybox@sha256:0123", "IfNotPresent"),
            ("busybox:latest@sha256:0123", "Always"),
            ("", "IfNotPresent"),
        ] {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }
}
