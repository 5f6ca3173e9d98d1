//! `ExecSync` and the image service.

mod common;

use std::time::Duration;

use common::{LIMIT, Node, eventually};
use cri_client::{Code, ImageService as _, RuntimeError, RuntimeService as _, v1};

#[tokio::test]
async fn a_command_runs_beside_the_container_with_its_environment() {
    let node = Node::start().await;
    let sandbox = node.sandbox("host").await;
    let id = node.run(&sandbox, "app", "exec sleep 1000").await;
    let answer = node.exec(&id, "echo $HOSTNAME; pwd; echo oops >&2", 10).await.expect("an answer");
    let stdout = String::from_utf8(answer.stdout).expect("text");
    assert!(stdout.starts_with("host-host\n") && stdout.ends_with("/rootfs\n"), "{stdout}");
    assert_eq!((answer.stderr.as_slice(), answer.exit_code), (&b"oops\n"[..], 0));
    assert_eq!(node.exec(&id, "exit 9", 0).await.expect("an answer").exit_code, 9);
    assert_eq!(node.exec(&id, "kill -KILL $$", 10).await.expect("an answer").exit_code, 137);
    // What a command leaves running neither holds up the answer nor outlives it.
    let answer = node.exec(&id, "sleep 1000 & echo done", 0).await.expect("an answer");
    assert_eq!(answer.stdout, b"done\n");
    node.remove_sandbox(&sandbox).await.expect("removed");
    node.no_process_is_left().await;
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed() {
    let node = Node::start().await;
    let sandbox = node.sandbox("slow").await;
    let id = node.run(&sandbox, "app", "exec sleep 1000").await;
    // The container and its shim.
    node.processes_become(2).await;
    let error = node.exec(&id, "trap '' TERM; sleep 1000", 1).await.expect_err("too slow");
    let RuntimeError::Status { code, message, .. } = error else { panic!("{error}") };
    assert_eq!(code, Code::DeadlineExceeded);
    assert_eq!(message, "failed to exec in container: timeout 1s exceeded: context deadline exceeded");
    node.processes_become(2).await;
}

#[tokio::test]
async fn a_command_ends_when_its_caller_or_its_container_goes() {
    let node = Node::start().await;
    let sandbox = node.sandbox("leaving").await;
    let id = node.run(&sandbox, "app", "exec sleep 1000").await;
    // The container and its shim.
    node.processes_become(2).await;
    let impatient =
        tokio::time::timeout(Duration::from_millis(300), node.exec(&id, "exec sleep 1000", 100)).await;
    assert!(impatient.is_err());
    node.processes_become(2).await;

    let command = node.exec(&id, "exec sleep 1000", 100);
    let end = async {
        eventually("the command runs", async || (node.processes().len() > 2).then_some(())).await;
        node.stop(&id, 0).await.expect("stopped");
    };
    let (answer, ()) =
        tokio::time::timeout(LIMIT, async { tokio::join!(command, end) }).await.expect("in time");
    assert_eq!(answer.expect("an answer").exit_code, 137);
    node.no_process_is_left().await;
}

#[tokio::test]
async fn a_command_needs_a_running_container_and_a_program() {
    let node = Node::start().await;
    let sandbox = node.sandbox("none").await;
    let id = node.create(&sandbox, node.config("app", "exec sleep 1000")).await.expect("created");
    let message = node.exec(&id, "true", 1).await.expect_err("refused").message();
    assert_eq!(message, "failed to exec in container: container is in CONTAINER_CREATED state");
    node.start_container(&id).await.expect("started");
    let exec = async |cmd: Vec<String>| {
        let request = v1::ExecSyncRequest { container_id: id.clone(), cmd, timeout: 1 };
        node.client.exec_sync(request).await.expect_err("refused").message()
    };
    let message = exec(vec!["nosuch".to_owned()]).await;
    assert!(message.ends_with(r#"exec: "nosuch": executable file not found in $PATH"#), "{message}");
    assert_eq!(exec(vec![]).await, "exec cmd must not be empty");
    assert!(node.exec("nobody", "true", 1).await.expect_err("absent").is_not_found());
}

#[tokio::test]
async fn much_output_is_cut_and_still_fits_into_an_answer() {
    let node = Node::start().await;
    let sandbox = node.sandbox("flood").await;
    let id = node.run(&sandbox, "app", "exec sleep 1000").await;
    let flood = "head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2; exit 3";
    let answer = node.exec(&id, flood, 60).await.expect("an answer");
    assert_eq!(answer.exit_code, 3);
    assert!(answer.stdout.len() > 8_000_000 && answer.stdout.len() == answer.stderr.len());
}

#[tokio::test]
async fn an_image_is_a_name_that_is_remembered() {
    let mut node = Node::start().await;
    let spec = |image: &str| Some(v1::ImageSpec { image: image.to_owned(), ..Default::default() });
    let status = async |node: &Node, image: &str| {
        let request = v1::ImageStatusRequest { image: spec(image), verbose: false };
        node.client.image_status(request).await.expect("an answer").image
    };
    let pull = async |node: &Node, image: &str| {
        node.client.pull_image(v1::PullImageRequest { image: spec(image), ..Default::default() }).await
    };
    assert_eq!(status(&node, "busybox:1.36").await, None);
    let id = pull(&node, "busybox:1.36").await.expect("pulled").image_ref;
    assert!(id.starts_with("sha256:"), "{id}");
    let image = status(&node, "busybox:1.36").await.expect("known");
    assert_eq!(
        (image.id.as_str(), image.repo_tags.as_slice()),
        (id.as_str(), &["busybox:1.36".to_owned()][..])
    );
    assert!(image.size > 0);
    assert_eq!(status(&node, &id).await.expect("known by its id").id, id);

    let missing = pull(&node, "missing.invalid/app:1").await.expect_err("missing");
    assert!(missing.is_not_found());
    assert!(missing.message().contains("failed to resolve reference \"missing.invalid/app:1\""), "{missing}");

    // A kubelet makes containers by id and names them in the status.
    let sandbox = node.sandbox("imaged").await;
    let config = v1::ContainerConfig { image: spec(&id), ..node.config("app", "exec sleep 1000") };
    let container = node.create(&sandbox, config).await.expect("created");
    let container = node.status(&container).await.expect("a status");
    assert_eq!(container.image.expect("an image").image, "busybox:1.36");
    assert_eq!(container.image_ref, id);
    let unknown = v1::ContainerConfig { image: spec("sha256:0123"), ..node.config("unknown", "true") };
    assert!(node.create(&sandbox, unknown).await.expect_err("unknown").is_not_found());

    node.kill_server();
    node.start_server().await;
    assert_eq!(status(&node, "busybox:1.36").await.expect("remembered").id, id);
    for _ in 0..2 {
        node.client.remove_image(v1::RemoveImageRequest { image: spec(&id) }).await.expect("removed");
    }
    assert_eq!(status(&node, "busybox:1.36").await, None);
    assert!(
        node.client.list_images(v1::ListImagesRequest::default()).await.expect("a list").images.is_empty()
    );
    let usage = node.client.image_fs_info(v1::ImageFsInfoRequest {}).await.expect("usage").image_filesystems;
    assert!(usage[0].used_bytes.is_some_and(|b| b.value > 0) && usage[0].timestamp > 0);
}
