//! What a kubelet sees of sandboxes and containers from their making to their removal.

mod common;

use std::time::Duration;

use common::{Node, eventually, is_running, next_event};
use cri_client::v1::{ContainerEventType, ContainerState, PodSandboxState};
use cri_client::{Code, RuntimeError, RuntimeService as _, v1};
use tokio::time::Instant;

fn refused(error: &RuntimeError) -> (Code, String) {
    match error {
        RuntimeError::Status { code, message, .. } => (*code, message.clone()),
        other => panic!("the runtime refuses, not {other}"),
    }
}

#[tokio::test]
async fn a_container_lives_and_the_events_tell_so() {
    let node = Node::start().await;
    let mut events = node.events().await;
    let sandbox = node.sandbox("web").await;
    let id = node
        .create(&sandbox, node.config("app", "echo hello; read nothing; sleep 1000"))
        .await
        .expect("created");
    let created = node.status(&id).await.expect("a status");
    assert_eq!((created.state(), created.started_at), (ContainerState::ContainerCreated, 0));
    assert!(created.created_at > 0);

    node.start_container(&id).await.expect("started");
    let running = node.status(&id).await.expect("a status");
    assert_eq!(running.state(), ContainerState::ContainerRunning);
    assert!(running.started_at >= running.created_at && running.finished_at == 0);
    assert_eq!(running.image.as_ref().expect("an image").image, "docker.io/library/busybox:1.36");
    assert!(running.image_ref.starts_with("sha256:") && running.image_ref == running.image_id);
    assert_eq!(running.labels["container"], "app");
    node.logged(&id, "hello").await;

    node.stop(&id, 10).await.expect("stopped");
    let stopped = node.status(&id).await.expect("a status");
    assert_eq!((stopped.state(), stopped.exit_code), (ContainerState::ContainerExited, 143));
    assert_eq!(stopped.reason, "Error");
    assert!(stopped.finished_at >= stopped.started_at);

    node.remove(&id).await.expect("removed");
    assert!(node.status(&id).await.expect_err("gone").is_not_found());
    node.remove_sandbox(&sandbox).await.expect("removed");

    let mut seen = Vec::new();
    for _ in 0..8 {
        let event = next_event(&mut events).await;
        let states = event.containers_statuses.iter().map(|c| c.state()).collect::<Vec<_>>();
        let sandbox_state = event.pod_sandbox_status.as_ref().map(|s| s.state());
        assert!(event.created_at > 0);
        seen.push((event.container_id.clone(), event.container_event_type(), sandbox_state, states));
    }
    use ContainerEventType::{
        ContainerCreatedEvent as Created, ContainerDeletedEvent as Deleted, ContainerStartedEvent as Started,
        ContainerStoppedEvent as Stopped,
    };
    let (ready, not_ready) = (Some(PodSandboxState::SandboxReady), Some(PodSandboxState::SandboxNotready));
    assert_eq!(
        seen,
        [
            (sandbox.clone(), Created, ready, vec![]),
            (sandbox.clone(), Started, ready, vec![]),
            (id.clone(), Created, ready, vec![ContainerState::ContainerCreated]),
            (id.clone(), Started, ready, vec![ContainerState::ContainerRunning]),
            (id.clone(), Stopped, ready, vec![ContainerState::ContainerExited]),
            (id.clone(), Deleted, ready, vec![]),
            (sandbox.clone(), Stopped, not_ready, vec![]),
            (sandbox.clone(), Deleted, None, vec![]),
        ]
    );
    node.no_process_is_left().await;
}

#[tokio::test]
async fn exit_codes_are_those_of_the_process_or_128_plus_the_signal() {
    let node = Node::start().await;
    let sandbox = node.sandbox("codes").await;
    for (name, script, code, reason) in [
        ("zero", "exit 0", 0, "Completed"),
        ("three", "exit 3", 3, "Error"),
        ("most", "exit 255", 255, "Error"),
        ("killed", "kill -KILL $$", 137, "Error"),
        ("terminated", "kill -TERM $$", 143, "Error"),
        ("aborted", "kill -ABRT $$", 134, "Error"),
        ("real-time", "kill -40 $$", 168, "Error"),
    ] {
        let id = node.run(&sandbox, name, script).await;
        let status = node.exited(&id).await;
        assert_eq!((status.exit_code, status.reason.as_str()), (code, reason), "{script}");
        assert!(status.finished_at >= status.started_at && status.started_at > 0, "{script}");
    }
}

#[tokio::test]
async fn a_command_that_cannot_be_found_is_a_start_error() {
    let node = Node::start().await;
    let sandbox = node.sandbox("broken").await;
    for (name, command, why) in [
        ("path", "nosuch", r#"exec: "nosuch": executable file not found in $PATH"#),
        ("file", "/no/such", r#"exec: "/no/such": stat /no/such: no such file or directory"#),
        ("mode", "/etc/passwd", r#"exec: "/etc/passwd": permission denied"#),
    ] {
        let config = v1::ContainerConfig { command: vec![command.to_owned()], ..node.config(name, "") };
        let id = node.create(&sandbox, config).await.expect("created");
        let (code, message) = refused(&node.start_container(&id).await.expect_err("refused"));
        assert_eq!(code, Code::Unknown);
        assert!(
            message.starts_with("failed to create containerd task: ") && message.ends_with(why),
            "{message}"
        );
        let status = node.status(&id).await.expect("a status");
        assert_eq!((status.state(), status.exit_code), (ContainerState::ContainerExited, 128));
        assert_eq!((status.reason.as_str(), status.started_at), ("StartError", 0));
        assert_eq!(status.message, message);
        let again = refused(&node.start_container(&id).await.expect_err("refused")).1;
        assert!(again.contains("is in CONTAINER_EXITED state"), "{again}");
    }
    node.no_process_is_left().await;
}

#[tokio::test]
async fn an_image_has_no_command_of_its_own() {
    let node = Node::start().await;
    let sandbox = node.sandbox("bare").await;
    let bare = v1::ContainerConfig { command: vec![], ..node.config("bare", "") };
    let (code, message) = refused(&node.create(&sandbox, bare.clone()).await.expect_err("refused"));
    assert_eq!(code, Code::Unknown);
    assert!(message.contains("has no command known to the embedded runtime: give the container a command"));
    // Arguments alone are a command, as they are for an image without an entry point.
    let args = ["sh", "-c", "exit 4"].map(str::to_owned).into();
    let id = node.create(&sandbox, v1::ContainerConfig { args, ..bare }).await.expect("created");
    node.start_container(&id).await.expect("started");
    assert_eq!(node.exited(&id).await.exit_code, 4);
}

#[tokio::test]
async fn a_container_that_heeds_the_stop_signal_has_its_grace() {
    let node = Node::start().await;
    let sandbox = node.sandbox("polite").await;
    for (name, signal, trapped) in
        [("term", v1::Signal::RuntimeDefault, "TERM"), ("usr1", v1::Signal::Sigusr1, "USR1")]
    {
        let script = format!("trap 'echo bye; exit 7' {trapped}; echo ready; while :; do sleep 0.05; done");
        let config = v1::ContainerConfig { stop_signal: signal.into(), ..node.config(name, &script) };
        let id = node.create(&sandbox, config).await.expect("created");
        node.start_container(&id).await.expect("started");
        node.logged(&id, "ready").await;
        node.stop(&id, 60).await.expect("stopped");
        let status = node.status(&id).await.expect("a status");
        assert_eq!((status.state(), status.exit_code), (ContainerState::ContainerExited, 7));
        assert!(node.log(&status).iter().any(|(_, _, text)| text == "bye"));
    }
}

#[tokio::test]
async fn a_container_that_ignores_the_stop_signal_is_killed_with_its_children_after_the_grace() {
    let node = Node::start().await;
    let sandbox = node.sandbox("stubborn").await;
    let script =
        "trap '' TERM; sh -c 'trap \"\" TERM; echo child $$; while :; do sleep 1; done' & wait; sleep 1000";
    let id = node.run(&sandbox, "app", script).await;
    let status = node.status(&id).await.expect("a status");
    let child: i32 = eventually("the child says its pid", async || {
        node.log(&status).iter().find_map(|(_, _, text)| text.strip_prefix("child ")?.parse().ok())
    })
    .await;
    assert!(is_running(child));
    let begun = Instant::now();
    node.stop(&id, 1).await.expect("stopped");
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(1), "killed before the grace period was over: {took:?}");
    let status = node.status(&id).await.expect("a status");
    assert_eq!((status.state(), status.exit_code), (ContainerState::ContainerExited, 137));
    assert!(!is_running(child), "the child outlived its container");
    node.no_process_is_left().await;
}

#[tokio::test]
async fn many_may_stop_one_container_at_once_and_one_may_be_in_a_hurry() {
    let node = Node::start().await;
    let sandbox = node.sandbox("contended").await;
    let id = node.run(&sandbox, "app", "trap '' TERM; echo ready; while :; do sleep 1; done").await;
    node.logged(&id, "ready").await;
    let patient = async { tokio::join!(node.stop(&id, 50), node.stop(&id, 40), node.stop(&id, 0)) };
    let (one, two, three) = tokio::time::timeout(common::LIMIT, patient).await.expect("the hurried one wins");
    one.and(two).and(three).expect("stopped");
    assert_eq!(node.exited(&id).await.exit_code, 137);
    node.stop(&id, 5).await.expect("a stopped container is stopped");
    node.stop("nobody", 5).await.expect("an absent container is stopped");
    node.remove("nobody").await.expect("an absent container is removed");
}

#[tokio::test]
async fn nothing_that_a_container_left_behind_outlives_it_or_delays_its_end() {
    let node = Node::start().await;
    let sandbox = node.sandbox("daemons").await;
    // One in the group and one in a session of its own; both hold the output pipes open.
    let script = "sleep 1000 & setsid sh -c 'sleep 1000 & echo started; wait' & sleep 0.2; exit 5";
    let id = node.run(&sandbox, "app", script).await;
    assert_eq!(node.exited(&id).await.exit_code, 5);
    node.no_process_is_left().await;
    assert_eq!(node.log(&node.status(&id).await.expect("a status"))[0].2, "started");
}

#[tokio::test]
async fn names_exist_once() {
    let node = Node::start().await;
    let sandbox = node.sandbox("twin").await;
    let (code, message) = refused(&node.run_sandbox("twin", 0).await.expect_err("taken"));
    assert_eq!(code, Code::Unknown);
    assert!(
        message.starts_with("failed to reserve sandbox name \"twin_default_uid-of-twin_0\""),
        "{message}"
    );
    assert!(message.contains(&sandbox), "{message}");
    let next = node.run_sandbox("twin", 1).await.expect("another attempt is another name");

    let id = node.create(&sandbox, node.config("app", "sleep 1000")).await.expect("created");
    let (code, message) =
        refused(&node.create(&sandbox, node.config("app", "sleep 1")).await.expect_err("taken"));
    assert_eq!(code, Code::Unknown);
    assert!(
        message.starts_with("failed to reserve container name \"app_twin_default_uid-of-twin_0_0\""),
        "{message}"
    );
    node.create(&next, node.config("app", "sleep 1")).await.expect("the other sandbox has its own names");
    node.remove(&id).await.expect("removed");
    node.create(&sandbox, node.config("app", "sleep 1")).await.expect("a removed container frees its name");
}

#[tokio::test]
async fn lists_are_filtered() {
    let node = Node::start().await;
    let (a, b) = (node.sandbox("a").await, node.sandbox("b").await);
    let running = node.run(&a, "running", "sleep 1000").await;
    let done = node.run(&a, "done", "exit 0").await;
    let created = node.create(&b, node.config("created", "sleep 1000")).await.expect("created");
    node.exited(&done).await;
    node.stop_sandbox(&b).await.expect("stopped");

    let list = async |filter: v1::ContainerFilter| {
        let request = v1::ListContainersRequest { filter: Some(filter) };
        let mut ids: Vec<_> = node
            .client
            .list_containers(request)
            .await
            .expect("a list")
            .containers
            .into_iter()
            .map(|c| c.id)
            .collect();
        ids.sort();
        ids
    };
    let sorted = |ids: &[&String]| {
        let mut ids: Vec<_> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort();
        ids
    };
    let state = |state: ContainerState| Some(v1::ContainerStateValue { state: state.into() });
    let any = v1::ContainerFilter::default;
    assert_eq!(list(any()).await, sorted(&[&running, &done, &created]));
    assert_eq!(
        list(v1::ContainerFilter { id: running[..20].to_owned(), ..any() }).await,
        sorted(&[&running])
    );
    assert_eq!(list(v1::ContainerFilter { id: "nobody".to_owned(), ..any() }).await, sorted(&[]));
    assert_eq!(
        list(v1::ContainerFilter { pod_sandbox_id: a.clone(), ..any() }).await,
        sorted(&[&running, &done])
    );
    let exited = state(ContainerState::ContainerExited);
    assert_eq!(list(v1::ContainerFilter { state: exited, ..any() }).await, sorted(&[&done]));
    let labels = [("container".to_owned(), "created".to_owned())].into();
    assert_eq!(list(v1::ContainerFilter { label_selector: labels, ..any() }).await, sorted(&[&created]));
    let both = v1::ContainerFilter { pod_sandbox_id: b.clone(), state: exited, ..any() };
    assert_eq!(list(both).await, sorted(&[]));

    let pods = async |filter: v1::PodSandboxFilter| {
        let request = v1::ListPodSandboxRequest { filter: Some(filter) };
        node.client
            .list_pod_sandbox(request)
            .await
            .expect("a list")
            .items
            .into_iter()
            .map(|s| s.id)
            .collect::<Vec<_>>()
    };
    let not_ready = Some(v1::PodSandboxStateValue { state: PodSandboxState::SandboxNotready.into() });
    assert_eq!(
        pods(v1::PodSandboxFilter { state: not_ready, ..Default::default() }).await,
        std::slice::from_ref(&b)
    );
    let labels = [("app".to_owned(), "a".to_owned())].into();
    assert_eq!(
        pods(v1::PodSandboxFilter { label_selector: labels, ..Default::default() }).await,
        std::slice::from_ref(&a)
    );
    assert_eq!(pods(v1::PodSandboxFilter { id: b[..16].to_owned(), ..Default::default() }).await, [b]);
}

#[tokio::test]
async fn stopping_a_sandbox_ends_its_containers_and_lets_no_new_one_in() {
    let node = Node::start().await;
    let sandbox = node.sandbox("pod").await;
    let one = node.run(&sandbox, "one", "trap '' TERM; while :; do sleep 1; done").await;
    let two = node.run(&sandbox, "two", "sleep 1000").await;
    let waiting = node.create(&sandbox, node.config("waiting", "sleep 1000")).await.expect("created");
    node.stop_sandbox(&sandbox).await.expect("stopped");
    for id in [&one, &two] {
        let status = node.status(id).await.expect("a status");
        assert_eq!((status.state(), status.exit_code), (ContainerState::ContainerExited, 137));
    }
    let status = async || {
        let request = v1::PodSandboxStatusRequest { pod_sandbox_id: sandbox.clone(), verbose: false };
        node.client.pod_sandbox_status(request).await
    };
    let answer = status().await.expect("a status");
    assert_eq!(answer.status.expect("a status").state(), PodSandboxState::SandboxNotready);
    assert_eq!(answer.containers_statuses.len(), 3);
    assert!(
        refused(&node.create(&sandbox, node.config("late", "true")).await.expect_err("refused"))
            .1
            .contains("not running")
    );
    assert!(refused(&node.start_container(&waiting).await.expect_err("refused")).1.contains("not running"));
    node.stop_sandbox(&sandbox).await.expect("again");
    node.stop_sandbox("nobody").await.expect("an absent sandbox is stopped");
    node.no_process_is_left().await;

    node.remove_sandbox(&sandbox).await.expect("removed");
    assert!(status().await.expect_err("gone").is_not_found());
    assert!(node.status(&one).await.expect_err("gone").is_not_found());
    assert_eq!(std::fs::read_dir(node.state("containers")).expect("a directory").count(), 0);
    node.remove_sandbox(&sandbox).await.expect("again");
}

#[tokio::test]
async fn removing_a_sandbox_by_force_leaves_nothing() {
    let node = Node::start().await;
    let sandbox = node.sandbox("pod").await;
    for name in ["one", "two", "three"] {
        node.run(&sandbox, name, "trap '' TERM; while :; do sleep 1; done").await;
    }
    node.remove_sandbox(&sandbox).await.expect("removed");
    node.no_process_is_left().await;
}

#[tokio::test]
async fn a_container_sees_its_own_environment_and_directory_only() {
    let node = Node::start().await;
    let sandbox = node.sandbox("env").await;
    let mut config = node.config("app", "env | sort; pwd");
    config.envs.push(v1::KeyValue { key: "GREETING".to_owned(), value: b"hello = world".to_vec() });
    let id = node.create(&sandbox, config).await.expect("created");
    node.start_container(&id).await.expect("started");
    let log = node.log(&node.exited(&id).await);
    let names: Vec<_> = log.iter().filter_map(|(_, _, text)| Some(text.split_once('=')?.0)).collect();
    // The shell adds PWD and some add SHLVL and _.
    let own: Vec<_> = names.into_iter().filter(|n| !["PWD", "SHLVL", "_", "OLDPWD"].contains(n)).collect();
    assert_eq!(own, ["GREETING", "HOSTNAME", "PATH", "TEST_MARK"]);
    assert!(log.iter().any(|(_, _, text)| text == "GREETING=hello = world"));
    assert!(log.iter().any(|(_, _, text)| text == "HOSTNAME=env-host"));
    let rootfs = node.state("containers").join(&id).join("rootfs");
    assert_eq!(log.last().expect("pwd").2, rootfs.canonicalize().expect("a directory").display().to_string());

    let config = v1::ContainerConfig { working_dir: "/no/such/dir".to_owned(), ..node.config("dir", "pwd") };
    let id = node.create(&sandbox, config).await.expect("created");
    node.start_container(&id).await.expect("started");
    let log = node.log(&node.exited(&id).await);
    assert!(log[0].2.ends_with("/rootfs/no/such/dir"), "{log:?}");
}

#[tokio::test]
async fn a_kubelet_finds_the_runtime_ready() {
    let node = Node::start().await;
    let version = node.client.version(v1::VersionRequest::default()).await.expect("a version");
    assert_eq!((version.version.as_str(), version.runtime_api_version.as_str()), ("0.1.0", "v1"));
    assert_eq!(version.runtime_name, "podwright-embedded");
    let status =
        node.client.status(v1::StatusRequest::default()).await.expect("a status").status.expect("a status");
    let ready: Vec<_> = status.conditions.iter().filter(|c| c.status).map(|c| c.r#type.as_str()).collect();
    assert_eq!(ready, ["RuntimeReady", "NetworkReady"]);
    let config = node.client.runtime_config(v1::RuntimeConfigRequest {}).await.expect("a config");
    assert_eq!(config.linux.expect("linux").cgroup_driver(), v1::CgroupDriver::Cgroupfs);
    let stats = node.client.list_container_stats(v1::ListContainerStatsRequest::default()).await;
    assert!(stats.expect_err("not yet").is_unimplemented());
    let config = Some(node.sandbox_config("handled", 0));
    let request = v1::RunPodSandboxRequest { config, runtime_handler: "gvisor".to_owned() };
    let (_, message) = refused(&node.client.run_pod_sandbox(request).await.expect_err("refused"));
    assert_eq!(message, r#"failed to get sandbox runtime: no runtime for "gvisor" is configured"#);
}

#[tokio::test]
async fn a_pod_has_an_address_unless_it_is_on_the_nodes_network() {
    let node = Node::start().await;
    for (name, network, expected) in
        [("own", v1::NamespaceMode::Pod, "127.0.0.1"), ("host", v1::NamespaceMode::Node, "")]
    {
        let options = v1::NamespaceOption { network: network.into(), ..Default::default() };
        let security_context = Some(v1::LinuxSandboxSecurityContext {
            namespace_options: Some(options.clone()),
            ..Default::default()
        });
        let linux = Some(v1::LinuxPodSandboxConfig { security_context, ..Default::default() });
        let config = v1::PodSandboxConfig { linux, ..node.sandbox_config(name, 0) };
        let request = v1::RunPodSandboxRequest { config: Some(config), ..Default::default() };
        let pod_sandbox_id = node.client.run_pod_sandbox(request).await.expect("a sandbox").pod_sandbox_id;
        let request = v1::PodSandboxStatusRequest { pod_sandbox_id, verbose: false };
        let status =
            node.client.pod_sandbox_status(request).await.expect("a status").status.expect("a status");
        assert_eq!(status.network.expect("a network").ip, expected, "{name}");
        let namespaces = status.linux.expect("linux").namespaces.expect("namespaces");
        assert_eq!(namespaces.options, Some(options), "{name}");
    }
}

#[tokio::test]
async fn an_exit_is_told_at_once() {
    let node = Node::start().await;
    let sandbox = node.sandbox("quick").await;
    let mut took = Vec::new();
    for round in 0..15 {
        let id = node.run(&sandbox, &format!("c{round}"), "sleep 1000").await;
        let mut events = node.events().await;
        let (pid, _) = node.pids(&id).await;
        let killed = Instant::now();
        common::kill_hard(pid);
        let event = next_event(&mut events).await;
        took.push(killed.elapsed());
        assert_eq!(event.container_event_type(), ContainerEventType::ContainerStoppedEvent);
        assert_eq!(event.containers_statuses.iter().find(|c| c.id == id).expect("its status").exit_code, 137);
    }
    took.sort();
    println!("from kill to event: median {:?}, worst {:?}", took[took.len() / 2], took[took.len() - 1]);
    // A bound that only polling would break, not a measurement.
    assert!(took[took.len() / 2] < Duration::from_millis(500), "{took:?}");
}
