//! The recordings once more, on real containerd: what the agent asks is written down between the two.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cri_client::{ImageService as _, Recorder, RuntimeService as _, v1};
use e2e::oci_image::BUSYBOX;
use e2e::recording::{Masks, Recording, UID_AS_BASE64, compare, descriptors, from_calls};
use e2e::{Agent, AgentOptions, PrivateContainerd, wait};

use crate::node::PATIENCE;

/// The image of the recordings.
const RECORDED_IMAGE: &str = "sha256:9080ebff8fa86cc56650a3b54443003a258af3cf6582438ead4f03b1aeb615b7";

async fn check(name: &str) -> Result<()> {
    let recording = Recording::load(name)?;
    let containerd = PrivateContainerd::launch().await?;
    let runtime = containerd.client();

    let socket = containerd.dir().join("recorder.sock");
    let recorder = Arc::new(Recorder::new(containerd.client()));
    let listener = tokio::net::UnixListener::bind(&socket)?;
    let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
    let serving = tokio::spawn(cri_client::serve(recorder.clone(), incoming, std::future::pending()));

    let resolv_conf = containerd.dir().join("resolv.conf");
    std::fs::write(&resolv_conf, "nameserver 10.255.255.53\n")?;
    let mut options = AgentOptions::on_containerd(&containerd, "node1");
    options.endpoint = format!("unix://{}", socket.display());
    let more = [
        "--cluster-dns=10.96.0.10".into(),
        "--cluster-domain=cluster.local".into(),
        format!("--resolv-conf={}", resolv_conf.display()),
    ];
    options.arguments.extend(more);
    let mut agent = Agent::start(options)?;
    agent.healthy().await?;

    agent.put_manifest("pod.yaml", &recording.manifest)?;
    // As long as the recording's manifest lay there.
    tokio::time::timeout(Duration::from_secs(recording.wait), std::future::pending::<()>()).await.ok();
    agent.remove_manifest("pod.yaml")?;
    let gone = wait::until("the pod to go", PATIENCE, async || {
        let left = runtime
            .list_pod_sandbox(v1::ListPodSandboxRequest::default())
            .await
            .map_err(|e| e.to_string())?
            .items;
        if left.is_empty() { Ok(()) } else { Err(format!("{} sandboxes", left.len())) }
    });
    gone.await.with_context(|| agent.log_tail())?;

    let spec = v1::ImageSpec { image: BUSYBOX.into(), ..Default::default() };
    let image =
        runtime.image_status(v1::ImageStatusRequest { image: Some(spec), verbose: false }).await?.image;
    let calls = recorder.calls();
    let sandbox = calls.iter().find(|call| call.rpc == "RunPodSandbox").context("a sandbox was made")?;
    let uid = uid_of(&sandbox.request)?;
    let as_base64 = serde_json::to_value(k8s_openapi::ByteString(uid.clone().into_bytes()))?;
    let root = agent.options().root_dir.display().to_string();
    let masks = Masks(vec![
        (as_base64.as_str().context("text")?.to_owned(), UID_AS_BASE64),
        (uid, "<uid-1>"),
        (agent.options().pod_logs().display().to_string(), "<pod-logs>"),
        (root, "<root>"),
        (containerd.cgroup_root(), ""),
        (image.context("the image is there")?.id, RECORDED_IMAGE),
    ]);
    let ours = from_calls(&descriptors()?, &calls, &masks)?;
    let differences = compare(&recording.steps, &ours);
    serving.abort();
    ensure!(differences.is_empty(), "{name}:\n{}", differences.join("\n"));
    Ok(())
}

fn uid_of(request: &[u8]) -> Result<String> {
    let request = <v1::RunPodSandboxRequest as e2e::recording::Message>::decode(request)?;
    Ok(request.config.and_then(|c| c.metadata).context("metadata")?.uid)
}

#[tokio::test]
async fn recording_01_on_containerd() -> Result<()> {
    check("01-minimal").await
}

#[tokio::test]
async fn recording_02_on_containerd() -> Result<()> {
    check("02-init-and-sidecar").await
}

#[tokio::test]
async fn recording_03_on_containerd() -> Result<()> {
    check("03-env-and-downward").await
}

#[tokio::test]
async fn recording_05_on_containerd() -> Result<()> {
    check("05-qos-burstable").await
}

#[tokio::test]
async fn recording_11_on_containerd() -> Result<()> {
    check("11-restart-never").await
}
