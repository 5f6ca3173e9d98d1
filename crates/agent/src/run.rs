//! From arguments to a running agent, and to its end.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clock::{Clock, Random};
use cri_client::{GrpcRuntime, ImageService, RuntimeService};
use embedded_runtime::{EmbeddedRuntime, Options};
use kubelet::{Dependencies, Kubelet};
use kubelet_config::KubeletConfiguration;
use server::{BIND_RETRY, Checks, run_health};
use static_pods::ManifestDirectory;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::{Arguments, version};
use crate::events::LogEvents;
use crate::settings::settings;
use crate::{logging, watchdog};

/// Runs the agent until it is told to stop.
///
/// # Errors
/// Whatever keeps it from starting, with what to do about it where that is known.
pub fn run(arguments: Arguments) -> Result<()> {
    let loaded = arguments.sources.load().context("the configuration cannot be used")?;
    let logging = &loaded.configuration.logging;
    logging::start(&logging.format, logging.verbosity)?;
    tracing::info!(version = version(), "podwright starts");
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    for (flag, chapter) in &arguments.not_yet {
        tracing::warn!("flag --{flag} has no effect yet: it waits for {chapter}");
    }
    // Two threads: one for what waits on the runtime, one for what waits on disks.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ended = runtime.block_on(Box::pin(serve(&arguments, &loaded.configuration)));
    // A blocking read somewhere must not keep a stopped agent alive.
    runtime.shutdown_background();
    ended
}

async fn serve(arguments: &Arguments, configuration: &KubeletConfiguration) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let root_dir = std::path::absolute(&arguments.root_dir).context("the root directory")?;
    let made = fs::DirBuilder::new().recursive(true).mode(0o750).create(&root_dir);
    made.with_context(|| format!("create root directory {}", root_dir.display()))?;
    let settings = settings(arguments, configuration, root_dir.clone())?;
    tracing::info!(node = settings.node_name, root = %root_dir.display(), "this is the node");

    let mut helpers = JoinSet::new();
    let stop = CancellationToken::new();
    // Before the runtime answers: kubeadm asks from the first second on.
    if configuration.healthz_port > 0 {
        let (address, port) = (configuration.healthz_bind_address.clone(), port(configuration.healthz_port)?);
        helpers.spawn(run_health(address, port, Checks::ping(), BIND_RETRY, stop.clone()));
    }
    let (runtime, images): (Arc<dyn RuntimeService>, Arc<dyn ImageService>) = if arguments.embedded {
        let embedded = open_embedded(&root_dir, &stop, &mut helpers).await?;
        (embedded.clone(), embedded)
    } else {
        connect(configuration)?
    };
    let dependencies = Dependencies {
        runtime,
        images,
        events: Arc::new(LogEvents),
        clock: Clock::system(),
        random: Random::from_machine(),
    };
    let manifests = manifests(configuration)?;
    let mut kubelet = tokio::select! {
        started = Box::pin(Kubelet::start(dependencies, settings, manifests)) => started?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    // ANCHOR: end
    watchdog::ready();
    helpers.spawn(watchdog::run(Checks::of_kubelet(Arc::new(kubelet.host()))));

    let ended = tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
        why = kubelet.failed() => Err(anyhow::anyhow!(why)),
    };
    watchdog::stopping();
    stop.cancel();
    ended.map(|signal| tracing::info!("{signal}: podwright ends; the containers live on"))
    // ANCHOR_END: end
}

/// Opens the runtime inside of this process, and its socket for others.
async fn open_embedded(
    root_dir: &Path,
    stop: &CancellationToken,
    helpers: &mut JoinSet<()>,
) -> Result<Arc<EmbeddedRuntime>> {
    let options =
        Options::new(root_dir.join("embedded-runtime")).context("find this program's own binary")?;
    let runtime = EmbeddedRuntime::open(options).await.context("open the embedded runtime")?;
    let (socket, stopped, serving) = (root_dir.join("embedded-runtime.sock"), stop.clone(), runtime.clone());
    tracing::info!(socket = %socket.display(), "embedded runtime: containers are plain processes, without isolation");
    helpers.spawn(async move {
        if let Err(error) = serving.serve(&socket, stopped.cancelled_owned()).await {
            // The agent itself does not need the socket.
            tracing::error!(%error, "the embedded runtime's socket cannot be served");
        }
    });
    Ok(runtime)
}

fn connect(configuration: &KubeletConfiguration) -> Result<(Arc<dyn RuntimeService>, Arc<dyn ImageService>)> {
    let timeout = configuration.runtime_request_timeout;
    let runtime = GrpcRuntime::new(&configuration.container_runtime_endpoint, timeout)?;
    let images = match configuration.image_service_endpoint.as_str() {
        "" => runtime.clone(),
        endpoint => GrpcRuntime::new(endpoint, timeout)?,
    };
    Ok((Arc::new(runtime), Arc::new(images)))
}

fn manifests(configuration: &KubeletConfiguration) -> Result<Option<ManifestDirectory>> {
    if configuration.static_pod_path.is_empty() {
        tracing::info!("no staticPodPath: this node has no static pods");
        return Ok(None);
    }
    let path = std::path::absolute(&configuration.static_pod_path).context("staticPodPath")?;
    tracing::info!(path = %path.display(), "adding static pod path");
    Ok(Some(ManifestDirectory::new(path)))
}

fn port(port: i32) -> Result<u16> {
    u16::try_from(port).with_context(|| format!("healthzPort {port}: not a port"))
}
