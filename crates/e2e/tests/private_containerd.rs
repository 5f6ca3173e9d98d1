//! The harness itself, against real containerd: what it promises to the tests that stand on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cri_client::{GrpcRuntime, ImageService as _, RuntimeService as _, v1};
use e2e::oci_image::{BUSYBOX, PAUSE, busybox_image, pause_image};
use e2e::{NodeView, PrivateContainerd, ProcessId, mounts, process, wait};
use tokio::time::Instant;

const SOON: Duration = Duration::from_secs(20);

/// A pod of one busybox container, started by the raw calls, as a kubelet would.
async fn run_pod(
    on: &PrivateContainerd,
    name: &str,
    pid: v1::NamespaceMode,
    script: &str,
) -> Result<(String, String)> {
    let client = on.client();
    let sandbox = v1::PodSandboxConfig {
        metadata: Some(v1::PodSandboxMetadata {
            name: name.to_owned(),
            uid: format!("uid-{name}"),
            namespace: "default".to_owned(),
            attempt: 0,
        }),
        hostname: name.to_owned(),
        log_directory: on.dir().join("logs").join(name).display().to_string(),
        linux: Some(v1::LinuxPodSandboxConfig {
            cgroup_parent: format!("{}/kubepods/besteffort/pod{name}", on.cgroup_root()),
            security_context: Some(v1::LinuxSandboxSecurityContext {
                namespace_options: Some(v1::NamespaceOption { pid: pid.into(), ..Default::default() }),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let request = v1::RunPodSandboxRequest { config: Some(sandbox.clone()), runtime_handler: String::new() };
    let sandbox_id = client.run_pod_sandbox(request).await?.pod_sandbox_id;
    let container = v1::ContainerConfig {
        metadata: Some(v1::ContainerMetadata { name: "main".to_owned(), attempt: 0 }),
        image: Some(v1::ImageSpec { image: BUSYBOX.to_owned(), ..Default::default() }),
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        log_path: "main-0.log".to_owned(),
        linux: Some(v1::LinuxContainerConfig {
            security_context: Some(v1::LinuxContainerSecurityContext {
                namespace_options: Some(v1::NamespaceOption { pid: pid.into(), ..Default::default() }),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let request = v1::CreateContainerRequest {
        pod_sandbox_id: sandbox_id.clone(),
        config: Some(container),
        sandbox_config: Some(sandbox),
    };
    let container_id = client.create_container(request).await?.container_id;
    client.start_container(v1::StartContainerRequest { container_id: container_id.clone() }).await?;
    Ok((sandbox_id, container_id))
}

async fn exec(client: &GrpcRuntime, container_id: &str, script: &str) -> Result<String> {
    let cmd = ["sh", "-c", script].map(str::to_owned).to_vec();
    let answer = client
        .exec_sync(v1::ExecSyncRequest { container_id: container_id.to_owned(), cmd, timeout: 10 })
        .await?;
    ensure!(
        answer.exit_code == 0,
        "{script}: exit {}: {}",
        answer.exit_code,
        String::from_utf8_lossy(&answer.stderr)
    );
    Ok(String::from_utf8(answer.stdout)?)
}

async fn one_process(client: &GrpcRuntime) -> Result<ProcessId> {
    let node = NodeView::read(client).await?;
    let (_, container) = *node.running().first().with_context(|| format!("nothing runs: {node}"))?;
    container.process.with_context(|| format!("no process in {container:?}"))
}

/// Everything of an instance that would be left on the machine, in words; empty when it is gone.
fn remains_of(id: &str, dir: &Path) -> Vec<String> {
    let mut left = Vec::new();
    let inside = format!("{}/", dir.display());
    let own = process::running(|command| command.iter().any(|argument| argument.contains(&inside)));
    left.extend(own.iter().map(|p| format!("process {}", p.pid)));
    left.extend(mounts::below(dir).iter().map(|at| format!("mount {}", at.display())));
    let in_cgroups = ["/sys/fs/cgroup".into()].into_iter().chain(
        std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|hierarchy| hierarchy.path()),
    );
    let paths = in_cgroups.map(|hierarchy| hierarchy.join(id));
    let paths = paths.chain([dir.to_owned(), Path::new("/run/netns").join(id)]);
    left.extend(paths.filter(|path| path.exists()).map(|path| path.display().to_string()));
    for entry in std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().contains(id) {
            left.push(entry.path().display().to_string());
        }
    }
    for attachment in std::fs::read_dir("/var/lib/cni/results").into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(attachment.path()).unwrap_or_default();
        if text.contains(&inside) || attachment.file_name().to_string_lossy().contains(id) {
            left.push(attachment.path().display().to_string());
        }
    }
    left
}

fn id_of(instance: &PrivateContainerd) -> String {
    instance.cgroup_root().trim_start_matches('/').to_owned()
}

#[tokio::test]
async fn a_container_outlives_containerd_and_clean_up_leaves_nothing() -> Result<()> {
    let mut containerd = PrivateContainerd::launch().await?;
    let client = containerd.client();
    let (id, dir) = (id_of(&containerd), containerd.dir().to_owned());
    let (sandbox, container) =
        run_pod(&containerd, "steady", v1::NamespaceMode::Container, "while :; do date; sleep 1; done")
            .await?;
    let before = one_process(&client).await?;

    let ip = client
        .pod_sandbox_status(v1::PodSandboxStatusRequest { pod_sandbox_id: sandbox, verbose: false })
        .await?;
    let ip = ip.status.and_then(|s| s.network).map(|n| n.ip).unwrap_or_default();
    ensure!(ip.starts_with("10."), "the pod has an address of the CNI network, not {ip:?}");
    ensure!(exec(&client, &container, "hostname").await? == "steady\n");

    for round in 0..2 {
        if round == 0 {
            containerd.kill9().await?
        } else {
            containerd.stop().await?
        }
        let unavailable = client.version(v1::VersionRequest::default()).await.expect_err("nobody listens");
        ensure!(unavailable.is_unavailable(), "{unavailable}");
        containerd.start().await?;
        ensure!(
            one_process(&client).await? == before,
            "the container is the same process after round {round}"
        );
    }
    ensure!(exec(&client, &container, "echo still here").await? == "still here\n");

    let shim_sockets =
        || std::fs::read_dir("/run/containerd/s").map(|d| d.flatten().count()).unwrap_or_default();
    ensure!(shim_sockets() > 0, "the sandbox has a shim, and the shim a socket");
    ensure!(
        !remains_of(&id, &dir).is_empty(),
        "while it runs it is seen by the look that must see nothing later"
    );
    drop(containerd);
    ensure!(remains_of(&id, &dir) == Vec::<String>::new(), "left: {:?}", remains_of(&id, &dir));
    ensure!(!before.is_alive(), "the container went too");
    Ok(())
}

#[tokio::test]
async fn several_live_side_by_side_and_a_panic_takes_its_own_down_only() -> Result<()> {
    let (one, two) = tokio::join!(PrivateContainerd::launch(), PrivateContainerd::launch());
    let (one, two) = (one?, two?);
    let (gone_id, gone_dir) = (id_of(&two), two.dir().to_owned());
    run_pod(&one, "same-name", v1::NamespaceMode::Container, "sleep 3600").await?;
    run_pod(&two, "same-name", v1::NamespaceMode::Container, "sleep 3600").await?;
    let (staying, going) = (one_process(&one.client()).await?, one_process(&two.client()).await?);

    let panicked = tokio::spawn(async move {
        let _held = two;
        panic!("a failed assertion, for this test");
    });
    panicked.await.expect_err("it panics");
    ensure!(
        remains_of(&gone_id, &gone_dir) == Vec::<String>::new(),
        "left: {:?}",
        remains_of(&gone_id, &gone_dir)
    );
    ensure!(!going.is_alive(), "the other's container went with it");
    ensure!(one_process(&one.client()).await? == staying, "this one's container was not touched");
    Ok(())
}

#[tokio::test]
async fn clean_up_finds_containers_whose_shim_was_killed() -> Result<()> {
    let containerd = PrivateContainerd::launch().await?;
    let (id, dir) = (id_of(&containerd), containerd.dir().to_owned());
    run_pod(&containerd, "orphan", v1::NamespaceMode::Container, "trap '' TERM; while :; do sleep 1; done")
        .await?;
    let container = one_process(&containerd.client()).await?;
    let socket = dir.join("containerd.sock").display().to_string();
    let shims = process::running(|command| {
        command.first().is_some_and(|p| p.contains("containerd-shim")) && command.contains(&socket)
    });
    ensure!(!shims.is_empty(), "the pod has a shim");
    for shim in &shims {
        ensure!(shim.signal(nix::sys::signal::Signal::SIGKILL));
    }
    drop(containerd);
    ensure!(remains_of(&id, &dir) == Vec::<String>::new(), "left: {:?}", remains_of(&id, &dir));
    ensure!(!container.is_alive(), "the container went too");
    Ok(())
}

#[tokio::test]
async fn the_pause_process_reaps_what_it_inherits_and_sandboxes_stop_fast() -> Result<()> {
    let containerd = PrivateContainerd::launch().await?;
    let client = containerd.client();
    // In a shared process namespace the pause process is process 1 for the whole pod.
    let (sandbox, container) = run_pod(&containerd, "shared", v1::NamespaceMode::Pod, "sleep 3600").await?;
    // A process in between ends at once; its child outlives it, is inherited by process 1, and ends there.
    let orphan = "( (sleep 0.1; exit 7) & ) ; ps -o pid,ppid,stat,args";
    ensure!(
        exec(&client, &container, orphan).await?.contains("trap 'exit 0'"),
        "process 1 is the pause process"
    );
    wait::until("the inherited process to be reaped", SOON, async || {
        let listed = exec(&client, &container, "ps -o stat,args").await.map_err(|e| e.to_string())?;
        if listed.contains("sleep 0.1") || listed.lines().any(|l| l.starts_with('Z')) {
            Err(listed)
        } else {
            Ok(())
        }
    })
    .await?;

    let began = Instant::now();
    client.stop_pod_sandbox(v1::StopPodSandboxRequest { pod_sandbox_id: sandbox }).await?;
    ensure!(began.elapsed() < Duration::from_secs(3), "StopPodSandbox took {:?}", began.elapsed());

    // A second sandbox, ended by SIGTERM to the pause process itself.
    run_pod(&containerd, "term", v1::NamespaceMode::Pod, "sleep 3600").await?;
    let in_pod_cgroup =
        process::running(|command| command.iter().any(|argument| argument.contains("trap 'exit 0'")));
    let pod = one_process(&client).await?;
    let cgroup =
        |p: &ProcessId| std::fs::read_to_string(format!("/proc/{}/cgroup", p.pid)).unwrap_or_default();
    let pause = in_pod_cgroup.iter().find(|p| cgroup(p).contains("podterm")).context("the pause process")?;
    ensure!(cgroup(&pod).contains(&containerd.cgroup_root()), "pods are made below the instance's cgroup");
    pause.signal(nix::sys::signal::Signal::SIGTERM);
    wait::until(
        "the pause process to end",
        SOON,
        async || {
            if pause.is_alive() { Err("it lives") } else { Ok(()) }
        },
    )
    .await?;
    Ok(())
}

#[tokio::test]
async fn the_images_are_known_to_the_cri_by_the_ids_that_were_computed() -> Result<()> {
    let containerd = PrivateContainerd::launch().await?;
    let images = containerd.client().list_images(v1::ListImagesRequest::default()).await?.images;
    let found: BTreeMap<String, String> = images
        .into_iter()
        .flat_map(|i| i.repo_tags.clone().into_iter().map(move |tag| (tag, i.id.clone())))
        .collect();
    let expected = [(BUSYBOX, busybox_image()?.id), (PAUSE, pause_image()?.id)];
    ensure!(found == expected.map(|(name, id)| (name.to_owned(), id)).into_iter().collect(), "{found:?}");
    Ok(())
}
