//! From nothing to a running pod, and what is written to disk on the way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use cri_client::fake::Run;
use cri_client::v1;
use pod_model::{PodRef, PodUid, paths};
use serde_json::json;

use crate::harness::{IMAGE, Node, named, names_in, pass, pod, seconds, simple};

#[tokio::test(start_paused = true)]
async fn a_pod_starts_step_by_step_in_the_order_of_its_spec() {
    let (node, mut seen) = (Node::new(), 0);
    node.fake.script("i", [Run::exits_after(seconds(1), 0)]);
    let pod = pod(json!({
        "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}],
        "containers": [{"name": "a"}, {"name": "b"}],
    }));
    let result = node.sync(&pod).await;
    assert_eq!((result.acted, result.waiting), (true, vec![]));
    assert_eq!(node.asked(), ["RunPodSandbox #0", "CreateContainer i#0", "StartContainer i#0"]);
    let present =
        format!("Container image {IMAGE:?} already present on machine and can be accessed by the pod");
    assert_eq!(
        node.told(&mut seen),
        [
            format!("Normal Pulled spec.initContainers{{i}}: {present}"),
            "Normal Created spec.initContainers{i}: Container created".into(),
            "Normal Started spec.initContainers{i}: Container started".into(),
        ]
    );

    // While it is at work, there is nothing to do.
    assert!(!node.sync(&pod).await.acted);
    assert_eq!((node.asked(), node.told(&mut seen)), (vec![], vec![]));

    pass(2).await;
    node.sync(&pod).await;
    assert_eq!(node.asked(), ["CreateContainer s#0", "StartContainer s#0"]);
    let result = node.sync(&pod).await;
    assert_eq!((result.acted, result.waiting), (true, vec![]));
    assert_eq!(
        node.asked(),
        ["CreateContainer a#0", "StartContainer a#0", "CreateContainer b#0", "StartContainer b#0"]
    );
    assert_eq!(
        node.told(&mut seen).last().map(String::as_str),
        Some("Normal Started spec.containers{b}: Container started")
    );
    assert!(!node.sync(&pod).await.acted);
    assert_eq!(node.running(), ["s", "a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn containers_are_made_in_the_pods_sandbox_and_their_logs_lie_below_its_own() {
    let node = Node::new();
    let pod = simple();
    node.sync(&pod).await;
    let logs = node.log_dir(&pod);
    let sandbox = node.fake.requests::<v1::RunPodSandboxRequest>().remove(0).config.expect("a config");
    assert_eq!(sandbox.log_directory, logs.to_string_lossy());
    assert_eq!(sandbox.hostname, "web");
    let asked = node.fake.requests::<v1::CreateContainerRequest>().remove(0);
    assert_eq!(asked.pod_sandbox_id, node.fake.sandboxes()[0].id);
    assert_eq!(asked.sandbox_config.as_ref(), Some(&sandbox));
    let config = asked.config.expect("a config");
    assert_eq!(config.log_path, "a/0.log");
    assert_eq!(config.image.expect("an image").image, "sha256:aa");
    assert!(logs.join("a").is_dir(), "the runtime does not make the folder");
}

#[tokio::test(start_paused = true)]
async fn each_container_sees_the_pods_hosts_file_with_its_address() {
    let node = Node::new();
    let pod = simple();
    node.sync(&pod).await;
    let path = paths::etc_hosts(node.root(), &PodUid::new("uid-web"));
    let mounts =
        node.fake.requests::<v1::CreateContainerRequest>().remove(0).config.expect("a config").mounts;
    assert_eq!(
        mounts.iter().map(|m| (m.container_path.as_str(), m.host_path.as_str())).collect::<Vec<_>>(),
        [("/etc/hosts", path.to_str().expect("a path"))]
    );
    let ip = node.fake.sandboxes()[0].network.clone().expect("a network").ip;
    let text = fs::read_to_string(&path).expect("written");
    assert!(text.starts_with("# Kubernetes-managed hosts file.\n"), "{text}");
    assert!(text.ends_with(&format!("{ip}\tweb\n")), "{text}");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o644);
    let pod_dir = fs::metadata(path.parent().expect("a folder")).expect("there");
    assert_eq!(pod_dir.permissions().mode() & 0o777, 0o750);
}

#[tokio::test(start_paused = true)]
async fn a_pod_in_the_hosts_network_sees_the_nodes_own_hosts() {
    let node = Node::new();
    fs::write(&node.settings.surroundings.node_hosts, "127.0.0.1 node1\n").expect("written");
    let pod = pod(json!({"hostNetwork": true, "containers": [{"name": "a"}]}));
    node.sync(&pod).await;
    let text = fs::read_to_string(paths::etc_hosts(node.root(), &PodUid::new("uid-web"))).expect("written");
    assert_eq!(text, "# Kubernetes-managed hosts file (host network).\n127.0.0.1 node1\n");
    assert_eq!(node.running(), ["a"]);
    assert!(!node.sync(&pod).await.acted, "it needs no address");
}

#[tokio::test(start_paused = true)]
async fn each_start_has_a_file_of_its_own_for_last_words_that_any_user_may_write() {
    let node = Node::new();
    node.fake.script("a", [Run::exits_after(seconds(1), 1), Run::until_stopped()]);
    let pod = pod(json!({"containers": [{"name": "a", "terminationMessagePath": "/dev/termination-log"}]}));
    node.sync(&pod).await;
    pass(2).await;
    node.sync(&pod).await;

    let dir = paths::container_dir(node.root(), &PodUid::new("uid-web"), "a");
    let files = names_in(&dir);
    assert_eq!(files.len(), 2, "{files:?}");
    for name in &files {
        let found = fs::metadata(dir.join(name)).expect("there");
        assert_eq!((found.permissions().mode() & 0o777, found.len()), (0o666, 0));
        assert!(name.len() == 8 && name.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
    }
    let mut mounted: Vec<String> = node
        .fake
        .requests::<v1::CreateContainerRequest>()
        .into_iter()
        .filter_map(|asked| {
            asked.config?.mounts.into_iter().find(|m| m.container_path == "/dev/termination-log")
        })
        .map(|mount| mount.host_path)
        .collect();
    mounted.sort();
    let wanted: Vec<_> = files.iter().map(|name| dir.join(name).to_string_lossy().into_owned()).collect();
    assert_eq!(mounted, wanted);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_draws_the_same_number_again_does_not_take_an_old_message_for_a_new_one() {
    let mut node = Node::new();
    node.fake.script("a", [Run::exits_after(seconds(1), 1), Run::until_stopped()]);
    let pod = pod(json!({"containers": [{"name": "a", "terminationMessagePath": "/dev/termination-log"}]}));
    node.sync(&pod).await;
    let dir = paths::container_dir(node.root(), &PodUid::new("uid-web"), "a");
    fs::write(dir.join(&names_in(&dir)[0]), "last words").expect("written");
    pass(2).await;
    node.restart_agent();
    assert_eq!(node.sync(&pod).await.waiting, []);
    let sizes: Vec<u64> =
        names_in(&dir).iter().map(|name| fs::metadata(dir.join(name)).expect("there").len()).collect();
    assert_eq!(
        sizes.iter().sum::<u64>(),
        "last words".len() as u64,
        "the old message is still there: {sizes:?}"
    );
    assert_eq!(sizes.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_container_starts_even_if_there_is_no_room_for_its_last_words() {
    let node = Node::new();
    let pod = pod(json!({
        "hostNetwork": true,
        "containers": [{"name": "a", "terminationMessagePath": "/dev/termination-log"}],
    }));
    let dir = paths::container_dir(node.root(), &PodUid::new("uid-web"), "a");
    fs::create_dir_all(dir.parent().expect("a folder")).expect("made");
    fs::write(&dir, "a file where the folder should be").expect("written");
    assert_eq!(node.sync(&pod).await.waiting, []);
    assert_eq!(node.running(), ["a"]);
    let mounts =
        node.fake.requests::<v1::CreateContainerRequest>().remove(0).config.expect("a config").mounts;
    assert!(mounts.iter().all(|m| m.container_path == "/etc/hosts"), "{mounts:?}");
}

#[tokio::test(start_paused = true)]
async fn restarts_are_counted_by_the_last_container_and_after_that_by_the_log_files() {
    let node = Node::new();
    node.fake.script("a", [Run::exits_after(seconds(1), 1)]);
    let pod = simple();
    node.sync(&pod).await;
    pass(2).await;
    node.sync(&pod).await;
    assert_eq!(
        node.asked(),
        [
            "RunPodSandbox #0",
            "CreateContainer a#0",
            "StartContainer a#0",
            "CreateContainer a#1",
            "StartContainer a#1"
        ]
    );

    // Somebody removed them all. What the runtime has forgotten, the logs still know.
    for container in node.fake.containers() {
        node.fake.remove_container_quietly(&container.id);
    }
    for log in ["0.log", "6.log", "6.log.20260101-120000.gz", "notes.txt"] {
        fs::write(node.log_dir(&pod).join("a").join(log), "").expect("written");
    }
    node.sync(&pod).await;
    assert_eq!(node.asked(), ["CreateContainer a#7", "StartContainer a#7"]);
    let made = node.fake.containers().pop().expect("a container");
    assert!(made.log_path.ends_with("/a/7.log"), "{}", made.log_path);
    assert_eq!(node.status(&PodRef::of(&pod)).await.containers[0].restart_count, 7);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_the_runtime_opened_is_linked_for_collectors() {
    let node = Node::new();
    let pod = simple();
    let log = node.log_dir(&pod).join("a/0.log");
    // A runtime opens the log while it starts the container.
    node.fake.delay("StartContainer", seconds(2));
    let opens = async {
        pass(1).await;
        fs::write(&log, "").expect("the folder is there before the start");
    };
    tokio::join!(node.sync(&pod), opens);
    let link = format!("web_default_a-{}.log", node.id("a"));
    assert_eq!(node.links(), std::slice::from_ref(&link));
    assert_eq!(fs::read_link(node.folder().join("log/containers").join(link)).expect("a link"), log);

    // A runtime that logs elsewhere gets none.
    node.sync(&named("other", json!({"containers": [{"name": "a"}]}))).await;
    assert_eq!(node.links().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_containers_environment_knows_the_pods_new_address() {
    let node = Node::new();
    let from =
        json!([{"name": "IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}]);
    let pod = pod(json!({"containers": [{"name": "a", "env": from, "command": ["listen", "$(IP)"]}]}));
    node.sync(&pod).await;
    let ip = node.fake.sandboxes()[0].network.clone().expect("a network").ip;
    let config = node.fake.requests::<v1::CreateContainerRequest>().remove(0).config.expect("a config");
    assert_eq!(config.command, ["listen", ip.as_str()]);
    assert!(config.envs.iter().any(|e| e.key == "IP" && e.value == ip.as_bytes()), "{:?}", config.envs);
}
