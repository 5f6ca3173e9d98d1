//! SIGKILL for the runtime, the shims, or both, while containers log and exit.

mod common;

use std::time::Duration;

use common::{Node, assert_counted, count_to, eventually, is_running, kill_hard};
use cri_client::v1::ContainerState;
use cri_client::{RuntimeService as _, v1};

#[tokio::test]
async fn a_container_that_logs_and_exits_while_the_runtime_dies_loses_nothing() {
    let mut node = Node::start().await;
    let random = clock::Random::seeded(36);
    let sandbox = node.sandbox("survivor").await;
    let rounds = 8;
    for round in 0..rounds {
        let code = 10 + round;
        let id = node.run(&sandbox, &format!("c{round}"), &count_to(100, &format!("exit {code}"))).await;
        let (pid, shim) = node.pids(&id).await;
        let path = node.status(&id).await.expect("a status").log_path;
        // At some moment of its life, in some rounds after its end.
        let lines = usize::try_from(random.below(110)).expect("small");
        eventually("it has logged so far, or has ended", async || {
            let logged = std::fs::read_to_string(&path).unwrap_or_default().lines().count();
            (logged >= lines || !is_running(pid)).then_some(())
        })
        .await;
        node.kill_server();
        if round % 2 == 0 {
            // It ends while nobody is there.
            eventually("the shim has finished", async || (!is_running(shim)).then_some(())).await;
        }
        node.start_server().await;
        let status = node.exited(&id).await;
        assert_eq!((status.exit_code, status.reason.as_str()), (code, "Error"), "round {round}");
        assert!(status.finished_at > status.started_at);
        assert_counted(&node, &status, 100);
    }
    let containers = node.client.list_containers(v1::ListContainersRequest::default()).await.expect("a list");
    assert_eq!(i32::try_from(containers.containers.len()), Ok(rounds));
    node.no_process_is_left().await;
}

#[tokio::test]
async fn a_restarted_runtime_knows_stops_and_removes_what_it_did_not_start() {
    let mut node = Node::start().await;
    let sandbox = node.sandbox("heir").await;
    let id = node.run(&sandbox, "app", "trap 'exit 8' TERM; echo ready; while :; do sleep 0.05; done").await;
    let created = node.create(&sandbox, node.config("later", "exit 2")).await.expect("created");
    node.logged(&id, "ready").await;
    let (before, pids) = (node.status(&id).await.expect("a status"), node.pids(&id).await);
    node.kill_server();
    node.start_server().await;
    assert_eq!(node.status(&id).await.expect("a status"), before);
    assert_eq!(node.pids(&id).await, pids);
    let mut events = node.events().await;
    assert_eq!(node.exec(&id, "echo still here", 5).await.expect("an answer").stdout, b"still here\n");
    node.stop(&id, 10).await.expect("stopped");
    assert_eq!(node.status(&id).await.expect("a status").exit_code, 8);
    let event = common::next_event(&mut events).await;
    assert_eq!(
        (event.container_id.as_str(), event.container_event_type()),
        (id.as_str(), v1::ContainerEventType::ContainerStoppedEvent)
    );
    node.start_container(&created).await.expect("a created container starts later");
    assert_eq!(node.exited(&created).await.exit_code, 2);
    assert!(node.run_sandbox("heir", 0).await.is_err(), "its name is still taken");
    node.remove_sandbox(&sandbox).await.expect("removed");
    node.no_process_is_left().await;
}

#[tokio::test]
async fn a_container_without_its_shim_goes_on_and_its_end_is_seen() {
    for with_runtime in [false, true] {
        let mut node = Node::start().await;
        let sandbox = node.sandbox("orphan").await;
        let (ends, stops) = (
            node.run(&sandbox, "ends", "sleep 1000 & exec sleep 1000").await,
            node.run(&sandbox, "stops", "sleep 1000 & wait").await,
        );
        let ((ends_pid, ends_shim), (stops_pid, stops_shim)) =
            (node.pids(&ends).await, node.pids(&stops).await);
        if with_runtime {
            node.kill_server();
        }
        kill_hard(ends_shim);
        kill_hard(stops_shim);
        eventually("the shims are gone", async || {
            (!is_running(ends_shim) && !is_running(stops_shim)).then_some(())
        })
        .await;
        if with_runtime {
            node.start_server().await;
        }
        for id in [&ends, &stops] {
            assert_eq!(node.status(id).await.expect("a status").state(), ContainerState::ContainerRunning);
        }
        assert!(is_running(ends_pid) && is_running(stops_pid));
        kill_hard(ends_pid);
        node.stop(&stops, 5).await.expect("stopped");
        for id in [&ends, &stops] {
            let status = node.exited(id).await;
            assert_eq!((status.exit_code, status.reason.as_str()), (255, "Unknown"));
        }
        node.no_process_is_left().await;
    }
}

#[tokio::test]
async fn a_container_that_died_with_its_shim_and_the_runtime_has_exited_for_unknown_reasons() {
    let mut node = Node::start().await;
    let sandbox = node.sandbox("lost").await;
    let id = node.run(&sandbox, "app", "sleep 1000 & exec sleep 1000").await;
    let (pid, shim) = node.pids(&id).await;
    node.kill_server();
    kill_hard(shim);
    kill_hard(pid);
    eventually("both are gone", async || (!is_running(shim) && !is_running(pid)).then_some(())).await;
    node.start_server().await;
    let status = node.status(&id).await.expect("a status");
    assert_eq!(status.state(), ContainerState::ContainerExited);
    assert_eq!((status.exit_code, status.reason.as_str()), (255, "Unknown"));
    assert!(status.finished_at > status.started_at);
    // Its child, which lost both, is gone too.
    node.no_process_is_left().await;
}

#[tokio::test]
async fn a_runtime_killed_while_it_starts_containers_starts_none_twice_and_none_unknown() {
    let mut node = Node::start().await;
    let random = clock::Random::seeded(7);
    for round in 0..12 {
        let sandbox = node.sandbox(&format!("pod{round}")).await;
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            ids.push(
                node.create(&sandbox, node.config(name, "echo once; exec sleep 1000"))
                    .await
                    .expect("created"),
            );
        }
        let starts = futures::future::join_all(ids.iter().map(|id| node.start_container(id)));
        let moment = Duration::from_micros(random.below(15_000));
        let _some_started = tokio::time::timeout(moment, starts).await;
        node.kill_server();
        node.start_server().await;
        let mut running = 0;
        for id in &ids {
            let status = node.status(id).await.expect("a status");
            match status.state() {
                ContainerState::ContainerRunning => {
                    running += 1;
                    node.logged(id, "once").await;
                    assert_eq!(node.log(&status).len(), 1, "started twice");
                }
                ContainerState::ContainerCreated => {
                    assert!(node.log(&status).is_empty(), "runs although it is only created");
                }
                _ => {
                    assert_eq!((status.exit_code, status.reason.as_str()), (255, "Unknown"), "round {round}")
                }
            }
        }
        // A container and its shim each; nothing that no status tells of. A late shim finds no work and ends.
        node.processes_become(2 * running).await;
        node.remove_sandbox(&sandbox).await.expect("removed");
        node.no_process_is_left().await;
    }
}

#[tokio::test]
async fn a_command_of_a_dead_runtime_is_ended_by_the_next() {
    let mut node = Node::start().await;
    let sandbox = node.sandbox("exec").await;
    let id = node.run(&sandbox, "app", "exec sleep 1000").await;
    // The container and its shim.
    node.processes_become(2).await;
    let container = node.state("containers").join(&id);
    let noted = || {
        let entries = std::fs::read_dir(&container).expect("a directory").flatten();
        let entries = entries.filter_map(|e| e.file_name().into_string().ok());
        // Not the file that is still being written beside its place.
        entries
            .filter(|name| name.strip_prefix("exec-").is_some_and(|pid| pid.parse::<i32>().is_ok()))
            .count()
    };
    tokio::select! {
        answer = node.exec(&id, "exec sleep 1000", 0) => panic!("it sleeps: {answer:?}"),
        () = eventually("the command runs", async || (noted() == 1).then_some(())) => kill_hard(node.server_pid()),
    }
    node.kill_server();
    node.start_server().await;
    node.processes_become(2).await;
    assert_eq!(noted(), 0);
    assert_eq!(node.status(&id).await.expect("a status").state(), ContainerState::ContainerRunning);
}

#[tokio::test]
async fn a_runtime_that_is_asked_to_stop_ends_its_streams_and_leaves_containers_alone() {
    let mut node = Node::start().await;
    let sandbox = node.sandbox("calm").await;
    let id = node.run(&sandbox, "app", "exec sleep 1000").await;
    let mut events = node.events().await;
    let pids = node.pids(&id).await;
    node.stop_server().await;
    let end =
        tokio::time::timeout(common::LIMIT, futures::StreamExt::next(&mut events)).await.expect("in time");
    assert!(!matches!(end, Some(Ok(_))), "{end:?}");
    assert!(!std::fs::exists(node.dir.path().join("run/cri.sock")).expect("looked"));
    node.start_server().await;
    assert_eq!(node.pids(&id).await, pids);
    node.remove_sandbox(&sandbox).await.expect("removed");
}
