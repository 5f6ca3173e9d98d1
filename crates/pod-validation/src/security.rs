//! As whom, and with which powers, a pod and its containers run.
//!
//! Mirrors `validation.go: validatePodSpecSecurityContext`, `ValidateSecurityContext`, `validateSeccompProfileField`,
//! `ValidateAppArmorProfileField`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext, Sysctl,
};

use crate::field::{FieldErrors, FieldPath};
use crate::names;

pub(crate) fn of_pod(
    context: &PodSecurityContext,
    spec: &PodSpec,
    path: &FieldPath,
    errors: &mut FieldErrors,
) {
    let ids = [
        ("fsGroup", context.fs_group),
        ("runAsUser", context.run_as_user),
        ("runAsGroup", context.run_as_group),
    ];
    for (field, id) in ids {
        of_id(id, &path.child(field), errors);
    }
    for (index, group) in context.supplemental_groups.iter().flatten().enumerate() {
        of_id(Some(*group), &path.child("supplementalGroups").index(index), errors);
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let rule = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(&path.child("shareProcessNamespace"), true, rule);
    }
    of_sysctls(context.sysctls.as_deref().unwrap_or_default(), &path.child("sysctls"), errors);
    if let Some(policy) = context.fs_group_change_policy.as_deref() {
        errors.one_of(&path.child("fsGroupChangePolicy"), Some(policy), &["Always", "OnRootMismatch"]);
    }
    if let Some(policy) = context.supplemental_groups_policy.as_deref() {
        errors.one_of(&path.child("supplementalGroupsPolicy"), Some(policy), &["Merge", "Strict"]);
    }
    let (seccomp, app_armor) = (context.seccomp_profile.as_ref(), context.app_armor_profile.as_ref());
    of_profiles(seccomp, app_armor, path, errors);
}

pub(crate) fn of_container(context: &SecurityContext, path: &FieldPath, errors: &mut FieldErrors) {
    of_id(context.run_as_user, &path.child("runAsUser"), errors);
    of_id(context.run_as_group, &path.child("runAsGroup"), errors);
    if let Some(kind) = context.proc_mount.as_deref() {
        errors.one_of(&path.child("procMount"), Some(kind), &["Default", "Unmasked"]);
    }
    if context.allow_privilege_escalation == Some(false) && context.privileged == Some(true) {
        let rule = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        errors.invalid(&path.child("allowPrivilegeEscalation"), false, rule);
    }
    let (seccomp, app_armor) = (context.seccomp_profile.as_ref(), context.app_armor_profile.as_ref());
    of_profiles(seccomp, app_armor, path, errors);
}

/// A user's or group's number. Mirrors `validation.IsValidUserID`.
fn of_id(id: Option<i64>, path: &FieldPath, errors: &mut FieldErrors) {
    if let Some(id) = id.filter(|id| !(0..=i64::from(i32::MAX)).contains(id)) {
        errors.invalid(path, id, "must be between 0 and 2147483647, inclusive");
    }
}

fn of_sysctls(sysctls: &[Sysctl], path: &FieldPath, errors: &mut FieldErrors) {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./".contains(c);
    let mut seen = BTreeSet::new();
    for (index, sysctl) in sysctls.iter().enumerate() {
        let path = path.index(index).child("name");
        match sysctl.name.as_str() {
            "" => errors.required(&path, ""),
            name if name.len() > 253 || !name.chars().all(fine) => {
                let rule = "must have at most 253 characters and be words of [a-z0-9-_] joined by '.' or '/'";
                errors.invalid(&path, name, rule);
            }
            name if !seen.insert(name) => errors.duplicate(&path, name),
            _ => {}
        }
    }
}

fn of_profiles(
    seccomp: Option<&SeccompProfile>,
    app_armor: Option<&AppArmorProfile>,
    path: &FieldPath,
    errors: &mut FieldErrors,
) {
    let profiles = [
        ("seccompProfile", seccomp.map(|profile| (&profile.type_, &profile.localhost_profile))),
        ("appArmorProfile", app_armor.map(|profile| (&profile.type_, &profile.localhost_profile))),
    ];
    for (field, profile) in profiles {
        let Some((kind, localhost)) = profile else { continue };
        let path = path.child(field);
        errors.one_of(&path.child("type"), Some(kind), &["Localhost", "RuntimeDefault", "Unconfined"]);
        let path = path.child("localhostProfile");
        match (kind.as_str(), localhost.as_deref()) {
            ("Localhost", None | Some("")) => errors.required(&path, "must be set when type is Localhost"),
            // An AppArmor profile has a name; a seccomp profile is a file below the kubelet's directory of profiles.
            ("Localhost", Some(file)) if field == "seccompProfile" => {
                errors.invalid_for(&path, file, names::descending_path(file));
            }
            ("Localhost", Some(_)) | (_, None) => {}
            (_, Some(file)) => errors.invalid(&path, file, "can only be set when type is Localhost"),
        }
    }
}
