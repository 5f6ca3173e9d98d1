use super::*;
use crate::{ContainerInput, ImageUser, container_config, network_mode};
use cri_client::v1::{ContainerConfig, NamespaceMode};

macro_rules! json { ($($t:tt)*) => { serde_json::json!($($t)*) } }

fn pod(spec: serde_json::Value) -> Pod {
    let mut pod = json!({"metadata": {"name": "web", "namespace": "default", "uid": "u1"}, "spec": spec});
    if pod["spec"]["containers"].is_null() {
        pod["spec"]["containers"] = json!([{"name": "a"}]);
    }
    serde_json::from_value(pod).expect("a pod")
}

fn input() -> SandboxInput {
    SandboxInput { attempt: 3, hostname: "web".into(), ..SandboxInput::default() }
}

fn sandbox(spec: serde_json::Value) -> Result<PodSandboxConfig, ConfigError> {
    sandbox_config(&pod(spec), input(), &NodeFacts::new(1 << 30))
}

fn security(spec: serde_json::Value) -> LinuxSandboxSecurityContext {
    sandbox(spec).expect("a config").linux.and_then(|l| l.security_context).expect("a security context")
}

fn container(pod: &Pod, target: Option<&str>) -> ContainerConfig {
    let input = ContainerInput {
        restart_count: 0,
        image_ref: String::new(),
        image_user: ImageUser::Uid(0),
        command: vec![],
        args: vec![],
        envs: vec![],
        mounts: vec![],
        target_id: target.map(String::from),
    };
    container_config(pod, &spec(pod).containers[0], input, &NodeFacts::new(1 << 30)).expect("a config")
}

#[test]
fn namespaces_are_shared_as_the_pod_asks() {
    use NamespaceMode::{Container, Node, Pod, Target};
    for (spec, network, pid, ipc, with_target) in [
        (json!({}), Pod, Container, Pod, Target),
        (json!({"hostNetwork": true}), Node, Container, Pod, Target),
        (json!({"hostPID": true}), Pod, Node, Pod, Node),
        (json!({"hostIPC": true}), Pod, Container, Node, Target),
        (json!({"shareProcessNamespace": true}), Pod, Pod, Pod, Pod),
        (json!({"shareProcessNamespace": true, "hostPID": true}), Pod, Node, Pod, Node),
        (json!({"hostUsers": true, "securityContext": {}}), Pod, Container, Pod, Target),
    ] {
        let options = security(spec.clone()).namespace_options.expect("options");
        assert_eq!((options.network(), options.pid(), options.ipc()), (network, pid, ipc), "{spec}");
        let pod = pod(spec.clone());
        assert_eq!(network_mode(&pod), network);
        // The same for a container, unless it looks at another one's processes.
        let of_container = |target| {
            let linux = container(&pod, target).linux.expect("linux");
            linux.security_context.and_then(|s| s.namespace_options).expect("options")
        };
        assert_eq!(of_container(None), options);
        let targeted = of_container(Some("c1"));
        assert_eq!(targeted.pid(), with_target, "{spec}");
        assert_eq!(targeted.target_id, if with_target == Target { "c1" } else { "" });
        assert_eq!(targeted.userns_options.map(|u| u.mode()), Some(Node));
    }
}

#[test]
fn a_pod_with_users_of_its_own_is_refused_instead_of_run_with_the_hosts() {
    let refused =
        "pod default/web: can't set `spec.hostUsers: false`, this kubelet does not support user namespaces";
    assert_eq!(sandbox(json!({"hostUsers": false})).expect_err("refused").to_string(), refused);
}

#[test]
fn the_sandbox_takes_what_the_pod_says_for_all_its_containers() {
    let context = security(json!({"securityContext": {
        "runAsUser": 5, "runAsGroup": 6, "fsGroup": 7, "supplementalGroups": [8], "supplementalGroupsPolicy": "Strict",
        "seLinuxOptions": {"level": "s0"}, "seccompProfile": {"type": "Unconfined"}, "runAsNonRoot": true,
    }}));
    assert_eq!(context.run_as_user.map(|i| i.value), Some(5));
    assert_eq!(context.run_as_group.map(|i| i.value), Some(6));
    assert_eq!(context.supplemental_groups, [7, 8]);
    assert_eq!(context.supplemental_groups_policy, 1);
    assert_eq!(context.selinux_options.map(|s| s.level), Some("s0".into()));
    assert_eq!(
        context.seccomp,
        Some(profile(ProfileType::RuntimeDefault, String::new())),
        "whatever the pod asks"
    );
}

#[test]
fn one_privileged_container_makes_the_sandbox_privileged() {
    let privileged = json!([{"name": "p", "securityContext": {"privileged": true}}]);
    for (spec, expected) in [
        (json!({}), false),
        (json!({"containers": [{"name": "p", "securityContext": {"privileged": false}}]}), false),
        (json!({"containers": privileged}), true),
        (json!({"initContainers": privileged}), true),
        (json!({"ephemeralContainers": privileged}), true),
    ] {
        assert_eq!(security(spec.clone()).privileged, expected, "{spec}");
    }
}

#[test]
fn a_pod_in_the_hosts_network_keeps_the_hosts_name() {
    let named = sandbox(json!({})).expect("a config");
    assert_eq!((named.hostname.as_str(), named.metadata.expect("metadata").attempt), ("web", 3));
    assert_eq!(sandbox(json!({"hostNetwork": true})).expect("a config").hostname, "");
}

#[test]
fn sysctls_go_to_the_sandbox_by_their_dotted_names() {
    let spec = json!({"securityContext": {"sysctls": [
        {"name": "net/ipv4/tcp_syncookies", "value": "0"}, {"name": "kernel.shm_rmid_forced", "value": "1"},
        {"name": "net.ipv4.tcp_syncookies", "value": "1"},
    ]}});
    let sysctls = sandbox(spec).expect("a config").linux.expect("linux").sysctls;
    let shown: Vec<String> = sysctls.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(shown, ["kernel.shm_rmid_forced=1", "net.ipv4.tcp_syncookies=1"]);
}

#[test]
fn an_images_user_is_a_number_a_name_or_root() {
    use cri_client::v1::{Image, Int64Value};
    let image = |uid: Option<i64>, username: &str| Image {
        uid: uid.map(|value| Int64Value { value }),
        username: username.into(),
        ..Image::default()
    };
    for (image, user) in [
        (image(Some(7), ""), ImageUser::Uid(7)),
        (image(Some(0), "ignored"), ImageUser::Uid(0)),
        (image(None, "web"), ImageUser::Name("web".into())),
        (image(None, ""), ImageUser::Uid(0)),
    ] {
        assert_eq!(crate::image_user(&image), user);
    }
}
