//! What a static pod may not refer to: anything that lives in the API server, which it must be able to do without.
//!
//! Mirrors `pkg/api/pod/util.go: HasAPIObjectReference`, in force since 1.34 (gate `PreventStaticPodAPIReferences`).
//! The kubelet names the first such reference; here every one is named, with its place.

use k8s_openapi::api::core::v1::{Container, LocalObjectReference, Pod, Volume};

use crate::field::{FieldErrors, FieldPath};

/// Refuses every reference to an object of the API.
pub(crate) fn refuse(pod: &Pod, errors: &mut FieldErrors) {
    let Some(spec) = &pod.spec else { return };
    let path = FieldPath::root().child("spec");
    let mut refuse = |path: FieldPath, resource: &str| {
        errors.forbidden(&path, &format!("static pods may not reference {resource}"));
    };
    let named = |name: &Option<String>| name.as_deref().is_some_and(|name| !name.is_empty());
    if named(&spec.service_account_name) {
        refuse(path.child("serviceAccountName"), "serviceaccounts");
    } else if named(&spec.service_account) {
        refuse(path.child("serviceAccount"), "serviceaccounts");
    }
    for (index, secret) in spec.image_pull_secrets.iter().flatten().enumerate() {
        if !secret.name.is_empty() {
            refuse(path.child("imagePullSecrets").index(index), "secrets");
        }
    }
    if spec.resource_claims.as_ref().is_some_and(|claims| !claims.is_empty()) {
        refuse(path.child("resourceClaims"), "resourceclaims");
    }
    for (list, containers) in [
        ("initContainers", spec.init_containers.as_deref()),
        ("containers", Some(spec.containers.as_slice())),
    ] {
        for (index, container) in containers.unwrap_or_default().iter().enumerate() {
            in_container(container, &path.child(list).index(index), &mut refuse);
        }
    }
    for (index, volume) in spec.volumes.iter().flatten().enumerate() {
        in_volume(volume, &path.child("volumes").index(index), &mut refuse);
    }
}

fn in_container(container: &Container, path: &FieldPath, refuse: &mut impl FnMut(FieldPath, &str)) {
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        let path = path.child("envFrom").index(index);
        if source.secret_ref.as_ref().is_some_and(|secret| !secret.name.is_empty()) {
            refuse(path.child("secretRef"), "secrets");
        }
        if source.config_map_ref.as_ref().is_some_and(|map| !map.name.is_empty()) {
            refuse(path.child("configMapRef"), "configmaps");
        }
    }
    for (index, variable) in container.env.iter().flatten().enumerate() {
        let Some(from) = &variable.value_from else { continue };
        let path = path.child("env").index(index).child("valueFrom");
        if from.secret_key_ref.as_ref().is_some_and(|key| !key.name.is_empty()) {
            refuse(path.child("secretKeyRef"), "secrets");
        }
        if from.config_map_key_ref.as_ref().is_some_and(|key| !key.name.is_empty()) {
            refuse(path.child("configMapKeyRef"), "configmaps");
        }
    }
}

fn in_volume(volume: &Volume, path: &FieldPath, refuse: &mut impl FnMut(FieldPath, &str)) {
    let secret =
        |reference: Option<&LocalObjectReference>| reference.is_some_and(|secret| !secret.name.is_empty());
    let kinds = [
        (volume.config_map.is_some(), "configMap", "configmaps (via configmap volumes)"),
        (volume.secret.is_some(), "secret", "secrets (via secret volumes)"),
        (volume.csi.is_some(), "csi", "csidrivers (via CSI volumes)"),
        (volume.glusterfs.is_some(), "glusterfs", "endpoints (via glusterFS volumes)"),
        (volume.persistent_volume_claim.is_some(), "persistentVolumeClaim", "persistentvolumeclaims"),
        (volume.ephemeral.is_some(), "ephemeral", "persistentvolumeclaims (via ephemeral volumes)"),
        (volume.azure_file.is_some(), "azureFile", "secrets (via azureFile volumes)"),
        (secret(volume.cinder.as_ref().and_then(|v| v.secret_ref.as_ref())), "cinder.secretRef", "secrets"),
        (
            secret(volume.flex_volume.as_ref().and_then(|v| v.secret_ref.as_ref())),
            "flexVolume.secretRef",
            "secrets",
        ),
        (secret(volume.cephfs.as_ref().and_then(|v| v.secret_ref.as_ref())), "cephfs.secretRef", "secrets"),
        (secret(volume.rbd.as_ref().and_then(|v| v.secret_ref.as_ref())), "rbd.secretRef", "secrets"),
        (secret(volume.iscsi.as_ref().and_then(|v| v.secret_ref.as_ref())), "iscsi.secretRef", "secrets"),
        (
            secret(volume.storageos.as_ref().and_then(|v| v.secret_ref.as_ref())),
            "storageos.secretRef",
            "secrets",
        ),
        (secret(volume.scale_io.as_ref().map(|v| &v.secret_ref)), "scaleIO.secretRef", "secrets"),
    ];
    for (_, field, resource) in kinds.into_iter().filter(|(refers, ..)| *refers) {
        refuse(path.child(field), resource);
    }
    let sources =
        volume.projected.as_ref().and_then(|projected| projected.sources.as_deref()).unwrap_or_default();
    for (index, source) in sources.iter().enumerate() {
        let path = path.child("projected").child("sources").index(index);
        let kinds = [
            (source.config_map.is_some(), "configMap", "configmaps (via projected volumes)"),
            (source.secret.is_some(), "secret", "secrets (via projected volumes)"),
            (
                source.service_account_token.is_some(),
                "serviceAccountToken",
                "serviceaccounts (via projected volumes)",
            ),
            (source.cluster_trust_bundle.is_some(), "clusterTrustBundle", "clustertrustbundles"),
            (source.pod_certificate.is_some(), "podCertificate", "podcertificates"),
        ];
        for (_, field, resource) in kinds.into_iter().filter(|(refers, ..)| *refers) {
            refuse(path.child(field), resource);
        }
    }
}
