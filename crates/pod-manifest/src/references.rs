//! What a static pod may not refer to: anything that lives in the API server, which it must be able to do without.
//!
//! Mirrors `pkg/api/pod/util.go: HasAPIObjectReference`, in force since 1.34 (gate `PreventStaticPodAPIReferences`).
//! The kubelet names the first such reference; here every one is named, with its place.

use k8s_openapi::api::core::v1::{Container, Pod, Volume};
use pod_validation::{FieldErrors, FieldPath};

/// Refuses every reference to an object of the API.
pub(crate) fn refuse(pod: &Pod, errors: &mut FieldErrors) {
    let Some(spec) = &pod.spec else { return };
    let path = FieldPath::root().child("spec");
    let mut refuse = |path: FieldPath, resource: &str| {
        errors.forbidden(&path, &format!("static pods may not reference {resource}"));
    };
    for (field, account) in
        [("serviceAccountName", &spec.service_account_name), ("serviceAccount", &spec.service_account)]
    {
        if account.as_deref().is_some_and(|account| !account.is_empty()) {
            refuse(path.child(field), "serviceaccounts");
        }
    }
    for (index, secret) in spec.image_pull_secrets.iter().flatten().enumerate() {
        // One without a name refers to nothing, and is no error to the API.
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
        let kinds = [
            (source.secret_ref.is_some(), "secretRef", "secrets"),
            (source.config_map_ref.is_some(), "configMapRef", "configmaps"),
        ];
        refuse_each(&kinds, &path, refuse);
    }
    for (index, variable) in container.env.iter().flatten().enumerate() {
        let Some(from) = &variable.value_from else { continue };
        let kinds = [
            (from.secret_key_ref.is_some(), "secretKeyRef", "secrets"),
            (from.config_map_key_ref.is_some(), "configMapKeyRef", "configmaps"),
        ];
        refuse_each(&kinds, &path.child("env").index(index).child("valueFrom"), refuse);
    }
}

fn in_volume(volume: &Volume, path: &FieldPath, refuse: &mut impl FnMut(FieldPath, &str)) {
    let kinds = [
        (volume.config_map.is_some(), "configMap", "configmaps (via configmap volumes)"),
        (volume.secret.is_some(), "secret", "secrets (via secret volumes)"),
        (volume.csi.is_some(), "csi", "csidrivers (via CSI volumes)"),
        (volume.glusterfs.is_some(), "glusterfs", "endpoints (via glusterFS volumes)"),
        (volume.persistent_volume_claim.is_some(), "persistentVolumeClaim", "persistentvolumeclaims"),
        (volume.ephemeral.is_some(), "ephemeral", "persistentvolumeclaims (via ephemeral volumes)"),
        (volume.azure_file.is_some(), "azureFile", "secrets (via azureFile volumes)"),
    ];
    refuse_each(&kinds, path, refuse);
    // Of the network file systems many take a secret, all under one name.
    let shown = serde_json::to_value(volume).unwrap_or_default();
    for (source, fields) in shown.as_object().into_iter().flatten() {
        if fields.get("secretRef").is_some() {
            refuse(path.child(source).child("secretRef"), "secrets");
        }
    }
    let sources = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
    for (index, source) in sources.enumerate() {
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
        refuse_each(&kinds, &path.child("projected").child("sources").index(index), refuse);
    }
}

fn refuse_each(kinds: &[(bool, &str, &str)], path: &FieldPath, refuse: &mut impl FnMut(FieldPath, &str)) {
    for (_, field, resource) in kinds.iter().filter(|(refers, ..)| *refers) {
        refuse(path.child(field), resource);
    }
}
