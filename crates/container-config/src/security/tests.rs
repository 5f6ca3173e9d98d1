use super::*;
use crate::container_config;

/// The container `a` of a pod whose pod-level and container-level security contexts are given.
fn config(
    of_pod: serde_json::Value,
    of_container: serde_json::Value,
    image_user: ImageUser,
) -> Result<LinuxContainerSecurityContext, ConfigError> {
    let pod = pod(serde_json::json!({
        "securityContext": of_pod, "containers": [{"name": "a", "securityContext": of_container}],
    }));
    security_of(&pod, image_user, &node())
}

fn pod(spec: serde_json::Value) -> Pod {
    serde_json::from_value(serde_json::json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "u1"}, "spec": spec,
    }))
    .expect("a pod")
}

fn node() -> NodeFacts {
    NodeFacts { seccomp_profile_root: "/k/seccomp".into(), ..NodeFacts::new(1 << 30) }
}

fn security_of(
    pod: &Pod,
    image_user: ImageUser,
    node: &NodeFacts,
) -> Result<LinuxContainerSecurityContext, ConfigError> {
    let input = crate::ContainerInput {
        restart_count: 0,
        image_ref: "sha256:1".into(),
        image_user,
        command: vec![],
        args: vec![],
        envs: vec![],
        mounts: vec![],
        target_id: None,
    };
    let config = container_config(pod, &spec(pod).containers[0], input, node)?;
    Ok(config.linux.and_then(|l| l.security_context).expect("a security context"))
}

fn fine(of_pod: serde_json::Value, of_container: serde_json::Value) -> LinuxContainerSecurityContext {
    config(of_pod, of_container, ImageUser::Uid(0)).expect("a config")
}

macro_rules! json { ($($t:tt)*) => { serde_json::json!($($t)*) } }

#[test]
fn a_plain_container_may_do_what_a_container_usually_may() {
    let plain = fine(json!({}), json!({}));
    assert_eq!(plain.run_as_user, Some(Int64Value { value: 0 }));
    assert_eq!(plain.masked_paths, MASKED_PATHS);
    assert_eq!(plain.readonly_paths, READONLY_PATHS);
    assert_eq!((plain.privileged, plain.no_new_privs, plain.readonly_rootfs), (false, false, false));
    assert_eq!((&plain.capabilities, &plain.selinux_options, &plain.apparmor), (&None, &None, &None));
    assert_eq!(plain.run_as_group, None);
}

#[test]
fn the_user_is_the_containers_the_pods_or_the_images() {
    let number = |value| (Some(value), String::new());
    let name = |name: &str| (None, name.to_owned());
    for (of_pod, of_container, image, expected) in [
        (json!({}), json!({}), ImageUser::Uid(7), number(7)),
        (json!({}), json!({}), ImageUser::Name("web".into()), name("web")),
        (json!({"runAsUser": 5}), json!({}), ImageUser::Uid(7), number(5)),
        (json!({"runAsUser": 5}), json!({"runAsUser": 6}), ImageUser::Name("web".into()), number(6)),
        (json!({"runAsUser": 5}), json!({"runAsUser": 0}), ImageUser::Uid(7), number(0)),
    ] {
        let got = config(of_pod.clone(), of_container.clone(), image).expect("a config");
        let got = (got.run_as_user.map(|u| u.value), got.run_as_username);
        assert_eq!(got, expected, "{of_pod} {of_container}");
    }
    let group = |p, c| fine(p, c).run_as_group.map(|g| g.value);
    assert_eq!(group(json!({"runAsGroup": 5}), json!({})), Some(5));
    assert_eq!(group(json!({"runAsGroup": 5}), json!({"runAsGroup": 6})), Some(6));
}

#[test]
fn run_as_non_root_is_checked_before_anything_is_made() {
    let non_root = json!({"runAsNonRoot": true});
    let end = "(pod: \"web_default(u1)\", container: a)";
    for (of_pod, of_container, image, refused) in [
        (json!({}), json!({}), ImageUser::Uid(0), None),
        (non_root.clone(), json!({"runAsNonRoot": false}), ImageUser::Uid(0), None),
        (non_root.clone(), json!({}), ImageUser::Uid(1), None),
        (non_root.clone(), json!({"runAsUser": 1}), ImageUser::Name("web".into()), None),
        (json!({"runAsUser": 0}), non_root.clone(), ImageUser::Uid(1), Some("container's runAsUser breaks non-root policy".to_owned())),
        (non_root.clone(), json!({}), ImageUser::Uid(0), Some("container has runAsNonRoot and image will run as root".to_owned())),
        (
            non_root.clone(),
            json!({}),
            ImageUser::Name("web".into()),
            Some("container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root".to_owned()),
        ),
        (
            non_root.clone(),
            json!({}),
            ImageUser::Uid(1 << 31),
            Some("container has runAsNonRoot and image has an invalid user id (2147483648). (Must be 1-(2147483647)): must be between 0 and 2147483647, inclusive".to_owned()),
        ),
    ] {
        let got = config(of_pod.clone(), of_container.clone(), image).err().map(|e| e.to_string());
        assert_eq!(got, refused.map(|text| format!("{text} {end}")), "{of_pod} {of_container}");
    }
}

#[test]
fn switches_of_the_container() {
    let strict = fine(
        json!({}),
        json!({"privileged": true, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false,
            "procMount": "Unmasked", "capabilities": {"add": ["NET_ADMIN", "SYS_TIME"], "drop": ["ALL"]}}),
    );
    assert!(strict.privileged && strict.readonly_rootfs && strict.no_new_privs);
    assert!(strict.masked_paths.is_empty() && strict.readonly_paths.is_empty());
    let capabilities = strict.capabilities.expect("capabilities");
    assert_eq!(capabilities.add_capabilities, ["NET_ADMIN", "SYS_TIME"]);
    assert_eq!(capabilities.drop_capabilities, ["ALL"]);

    let loose = fine(
        json!({}),
        json!({"allowPrivilegeEscalation": true, "procMount": "Default", "capabilities": {}}),
    );
    assert!(!loose.no_new_privs);
    assert_eq!(loose.masked_paths.len(), MASKED_PATHS.len());
    assert_eq!(loose.capabilities, Some(Capability::default()), "an empty list is not an absent one");
}

#[test]
fn a_cpus_throttling_is_masked_where_the_machine_shows_it() {
    let path = "/sys/devices/system/cpu/cpu0/thermal_throttle".to_owned();
    let node = NodeFacts { thermal_throttle_paths: vec![path.clone()], ..node() };
    let pod = pod(json!({"containers": [{"name": "a"}]}));
    let masked = security_of(&pod, ImageUser::Uid(0), &node).expect("a config").masked_paths;
    assert_eq!(masked.last(), Some(&path));
    assert_eq!(masked.len(), MASKED_PATHS.len() + 1);
}

#[test]
fn selinux_options_are_the_containers_or_the_pods_as_a_whole() {
    let of_pod = json!({"seLinuxOptions": {"user": "u", "role": "r", "type": "t", "level": "s0:c1"}});
    let option = |user: &str, level: &str| {
        let (role, r#type) = if user.is_empty() { ("", "") } else { ("r", "t") };
        Some(SeLinuxOption {
            user: user.into(),
            role: role.into(),
            r#type: r#type.into(),
            level: level.into(),
        })
    };
    assert_eq!(fine(of_pod.clone(), json!({})).selinux_options, option("u", "s0:c1"));
    assert_eq!(
        fine(of_pod, json!({"seLinuxOptions": {"level": "s0:c2"}})).selinux_options,
        option("", "s0:c2")
    );
}

#[test]
fn groups_come_from_the_pod_with_the_volumes_owner_first() {
    let groups = |of_pod: serde_json::Value| {
        let got = fine(of_pod, json!({}));
        (got.supplemental_groups_policy(), got.supplemental_groups)
    };
    use SupplementalGroupsPolicy::{Merge, Strict};
    assert_eq!(groups(json!({})), (Merge, vec![]));
    assert_eq!(groups(json!({"supplementalGroups": [3, 1], "fsGroup": 9})), (Merge, vec![9, 3, 1]));
    assert_eq!(groups(json!({"supplementalGroupsPolicy": "Strict"})), (Strict, vec![]));
    assert_eq!(groups(json!({"supplementalGroupsPolicy": "Merge"})), (Merge, vec![]));
    let refused = config(json!({"supplementalGroupsPolicy": "Loose"}), json!({}), ImageUser::Uid(0));
    assert_eq!(refused.expect_err("refused").to_string(), "unsupported supplementalGroupsPolicy: Loose");
}

#[test]
fn seccomp_profiles() {
    let profile = |kind: &str| json!({"seccompProfile": {"type": kind}});
    let file = |path: &str| json!({"seccompProfile": {"type": "Localhost", "localhostProfile": path}});
    let elsewhere = |path: &str| {
        format!("container a: seccompProfile.localhostProfile {path:?}: must be a relative path without '..'")
    };
    let unnamed = "localhostProfile must be set if seccompProfile type is Localhost.".to_owned();
    for (default, of_pod, of_container, expected) in [
        (false, json!({}), json!({}), "Unconfined:".to_owned()),
        (true, json!({}), json!({}), "RuntimeDefault:".to_owned()),
        (true, profile("Unconfined"), json!({}), "Unconfined:".to_owned()),
        (false, profile("RuntimeDefault"), json!({}), "RuntimeDefault:".to_owned()),
        (false, profile("RuntimeDefault"), profile("Unconfined"), "Unconfined:".to_owned()),
        (false, profile("Unconfined"), profile("RuntimeDefault"), "RuntimeDefault:".to_owned()),
        (false, json!({}), file("a/b.json"), "Localhost:/k/seccomp/a/b.json".to_owned()),
        (false, file("./a//b.json"), json!({}), "Localhost:/k/seccomp/a/b.json".to_owned()),
        (false, profile("Localhost"), json!({}), unnamed.clone()),
        (false, json!({}), file(""), unnamed),
        (false, json!({}), file("../../etc/shadow"), elsewhere("../../etc/shadow")),
        (false, json!({}), file("/etc/shadow"), elsewhere("/etc/shadow")),
        (false, profile("Odd"), json!({}), "Unconfined:".to_owned()),
    ] {
        let pod = pod(
            json!({"securityContext": of_pod, "containers": [{"name": "a", "securityContext": of_container}]}),
        );
        let node = NodeFacts { seccomp_default: default, ..node() };
        let got = match security_of(&pod, ImageUser::Uid(0), &node) {
            Ok(context) => {
                let profile = context.seccomp.expect("a profile");
                format!("{}:{}", profile.profile_type().as_str_name(), profile.localhost_ref)
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected, "{of_pod} {of_container}");
    }
}

#[test]
#[expect(deprecated, reason = "both forms are sent")]
fn apparmor_profiles_are_sent_in_both_forms() {
    let field = |kind: &str| json!({"appArmorProfile": {"type": kind}});
    let file = json!({"appArmorProfile": {"type": "Localhost", "localhostProfile": "k8s-nginx"}});
    for (annotation, of_pod, of_container, expected) in [
        (None, json!({}), json!({}), "- ".to_owned()),
        (None, field("RuntimeDefault"), json!({}), "RuntimeDefault: runtime/default".to_owned()),
        (None, field("RuntimeDefault"), field("Unconfined"), "Unconfined: unconfined".to_owned()),
        (None, json!({}), file.clone(), "Localhost:k8s-nginx localhost/k8s-nginx".to_owned()),
        (None, field("Localhost"), json!({}), "missing localhost apparmor profile name".to_owned()),
        (None, field("Odd"), json!({}), "unknown apparmor profile type: \"Odd\"".to_owned()),
        // The annotation comes before the pod and after the container; a bad one counts as none.
        (
            Some("runtime/default"),
            field("Unconfined"),
            json!({}),
            "RuntimeDefault: runtime/default".to_owned(),
        ),
        (Some("unconfined"), json!({}), file, "Localhost:k8s-nginx localhost/k8s-nginx".to_owned()),
        (Some("localhost/old"), json!({}), json!({}), "Localhost:old localhost/old".to_owned()),
        (Some("odd"), field("Unconfined"), json!({}), "Unconfined: unconfined".to_owned()),
    ] {
        let mut pod = pod(
            json!({"securityContext": of_pod, "containers": [{"name": "a", "securityContext": of_container}]}),
        );
        if let Some(value) = annotation {
            let key = "container.apparmor.security.beta.kubernetes.io/a".to_owned();
            pod.metadata.annotations = Some([(key, value.to_owned())].into());
        }
        let got = match security_of(&pod, ImageUser::Uid(0), &node()) {
            Ok(context) => {
                let shown = context.apparmor.as_ref().map_or("-".to_owned(), |p| {
                    format!("{}:{}", p.profile_type().as_str_name(), p.localhost_ref)
                });
                format!("{shown} {}", context.apparmor_profile)
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected, "{annotation:?} {of_pod} {of_container}");
    }
}
