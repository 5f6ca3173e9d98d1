//! The agent put together: every task, and the channels between them.
//!
//! Mirrors `kubelet.go: NewMainKubelet, Run`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, Random};
use cri_client::{ImageService, RuntimeError, RuntimeService, v1};
use images::ImagePuller;
use kuberuntime::{KUBE_RUNTIME_API_VERSION, KubeRuntime, links_dir};
use pleg::{Periods, Pleg};
use pod_config::{PodConfig, Source};
use pod_model::{EventSink, PodCache, paths};
use pod_workers::{Parts, Pauses, PodWorkers, PodWorkersHandle};
use static_pods::{ManifestSource, StaticPods};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::adoption::{ForeignPods, foreign_pods};
use crate::housekeeping::Housekeeping;
use crate::pod_dirs::PodDirs;
use crate::runtime_state::{RuntimeState, watch_runtime};
use crate::sync_loop::{LoopMonitor, SyncLoop};
use crate::syncer::Syncer;

/// How long the kubelet waits between two tries to reach a runtime that is not there yet.
const RUNTIME_RETRY: Duration = Duration::from_secs(1);

/// What the agent uses: the seams at which a test or the simulation puts something else.
pub struct Dependencies {
    /// Sandboxes and containers.
    pub runtime: Arc<dyn RuntimeService>,
    /// Images.
    pub images: Arc<dyn ImageService>,
    /// Who hears about events.
    pub events: Arc<dyn EventSink>,
    /// Wall time.
    pub clock: Clock,
    /// Chance.
    pub random: Random,
}

/// What the agent is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The node's name, in lower case.
    pub node_name: String,
    /// Directories, cgroups, facts and limits: what is needed to run a pod.
    pub runtime: kuberuntime::Settings,
    /// How often the manifest directory is looked at without being told to (`fileCheckFrequency`).
    pub file_check_frequency: Duration,
    /// How often a pod is looked at without being told to (`syncFrequency`).
    pub sync_frequency: Duration,
    /// Take over pods that the runtime holds and this agent did not make.
    pub adopt: bool,
}

/// Why the agent does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A directory of the agent cannot be made.
    #[error("create directory {path}")]
    Directory {
        /// Which.
        path: String,
        /// The system's error.
        source: io::Error,
    },
    /// The runtime refused a question; it being away is no error, that is waited for.
    #[error("the container runtime cannot be used")]
    Runtime(#[from] RuntimeError),
    /// The runtime speaks another version.
    #[error(
        "the container runtime has runtime API version {found:?}, and {KUBE_RUNTIME_API_VERSION:?} is needed"
    )]
    RuntimeVersion {
        /// What it says.
        found: String,
    },
    /// The runtime holds somebody else's pods.
    #[error(transparent)]
    ForeignPods(#[from] ForeignPods),
}

/// A running agent. Dropping it ends its tasks and leaves the containers alone.
pub struct Kubelet {
    cache: Arc<PodCache>,
    workers: PodWorkersHandle,
    monitor: LoopMonitor,
    tasks: JoinSet<()>,
}

impl Kubelet {
    /// Starts an agent whose static pods come from `manifests` (`None`: it has none). Waits for the runtime if it is not
    /// there yet.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(
        parts: Dependencies,
        settings: Settings,
        manifests: Option<impl ManifestSource>,
    ) -> Result<Self, StartError> {
        make_dirs(&settings)?;
        let dirs = PodDirs::new(&settings.runtime.root_dir);
        wait_for_runtime(&*parts.runtime).await?;
        if !settings.adopt {
            refuse_foreign_pods(&*parts.runtime, &settings, &dirs).await?;
        }

        let cache = PodCache::new();
        let (changes_in, changes) = mpsc::channel(1000);
        let (pleg, pleg_handle) =
            Pleg::new(parts.runtime.clone(), cache.clone(), Periods::default(), changes_in);
        let (state_in, state) = watch::channel(RuntimeState::default());
        let (housekeeping_in, housekeeping_tasks) = mpsc::unbounded_channel();

        let images = ImagePuller::new(parts.images, parts.events.clone(), parts.clock.clone());
        let runtime = Arc::new(KubeRuntime::new(
            parts.runtime.clone(),
            images,
            parts.events.clone(),
            parts.clock.clone(),
            parts.random.clone(),
            settings.runtime,
        ));
        let syncer = Syncer {
            runtime: runtime.clone(),
            pleg: pleg_handle.clone(),
            cache: cache.clone(),
            events: parts.events.clone(),
            state,
            dirs: dirs.clone(),
            housekeeping: housekeeping_in.clone(),
        };
        let worker_parts = Parts {
            cache: cache.clone(),
            events: parts.events.clone(),
            clock: parts.clock.clone(),
            random: parts.random,
            pauses: Pauses { resync: settings.sync_frequency, ..Pauses::default() },
        };
        let (workers, workers_handle) = PodWorkers::new(Arc::new(syncer), worker_parts);

        let (mut config, updates) = PodConfig::new(parts.clock, parts.events);
        let sources = config.sources_ready();
        let static_pods = manifests.map(|manifests| {
            let sets = config.source_channel(Source::File);
            StaticPods::new(manifests, settings.node_name.clone(), settings.file_check_frequency).run(sets)
        });
        let monitor = LoopMonitor::new();
        let sync_loop = SyncLoop {
            config: updates,
            changes,
            sources: sources.clone(),
            workers: workers_handle.clone(),
            cache: cache.clone(),
            pleg: pleg_handle.clone(),
            housekeeping: housekeeping_in,
            monitor: monitor.clone(),
            wanted: BTreeMap::new(),
        };
        let housekeeping = Housekeeping {
            runtime,
            cache: cache.clone(),
            pleg: pleg_handle.clone(),
            board: workers_handle.board().clone(),
            sources,
            dirs,
            tasks: housekeeping_tasks,
            acted: BTreeMap::new(),
        };

        // ANCHOR: tasks
        let mut tasks = JoinSet::new();
        tasks.spawn(watch_runtime(parts.runtime, state_in));
        tasks.spawn(pleg.run());
        tasks.spawn(workers.run());
        tasks.spawn(housekeeping.run());
        tasks.spawn(sync_loop.run());
        if let Some(static_pods) = static_pods {
            tasks.spawn(config.run());
            tasks.spawn(static_pods);
        } else {
            // Without a source there is nothing to merge, and yet the stream of updates must not end.
            tasks.spawn(async move {
                let _open = config;
                std::future::pending().await
            });
        }
        // ANCHOR_END: tasks
        Ok(Self { cache, workers: workers_handle, monitor, tasks })
    }

    /// What the agent knows of its pods.
    pub fn cache(&self) -> &Arc<PodCache> {
        &self.cache
    }

    /// Where each pod is in its life.
    pub fn workers(&self) -> &PodWorkersHandle {
        &self.workers
    }

    /// Answers for the agent's health.
    pub fn host(&self) -> KubeletHost {
        KubeletHost { monitor: self.monitor.clone() }
    }

    /// Waits until one of the agent's tasks ends, which none of them should.
    pub async fn failed(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Err(error)) if error.is_panic() => format!("a task of the agent panicked: {error}"),
            _ => "a task of the agent ended".to_owned(),
        }
    }
}

/// The agent as its HTTP server sees it.
#[derive(Clone, Debug)]
pub struct KubeletHost {
    monitor: LoopMonitor,
}

impl server::Host for KubeletHost {
    /// Only whether the loop turns: a kubelet that is ended because its runtime is away helps nobody.
    /// Mirrors `kubelet.go: SyncLoopHealthCheck`.
    fn sync_loop_healthy(&self) -> Result<(), String> {
        /// `max(2 × syncFrequency, 5m)`.
        const THRESHOLD: Duration = Duration::from_secs(300);
        if self.monitor.idle() > THRESHOLD {
            return Err("sync Loop took longer than expected".to_owned());
        }
        Ok(())
    }
}

/// The agent's directories, closed to others, and those of the logs, open to log collectors.
/// Mirrors `kubelet.go: setupDataDirs`.
fn make_dirs(settings: &Settings) -> Result<(), StartError> {
    let own = [settings.runtime.root_dir.clone(), paths::pods_dir(&settings.runtime.root_dir)]
        .map(|dir| (dir, 0o750));
    let logs = [settings.runtime.pod_logs_dir.clone(), links_dir(&settings.runtime.pod_logs_dir)]
        .map(|dir| (dir, 0o755));
    for (dir, mode) in own.into_iter().chain(logs) {
        let made = fs::DirBuilder::new().recursive(true).mode(mode).create(&dir);
        made.map_err(|source| StartError::Directory { path: dir.display().to_string(), source })?;
    }
    Ok(())
}

/// Waits until the runtime answers, saying once that it does not.
async fn wait_for_runtime(runtime: &dyn RuntimeService) -> Result<(), StartError> {
    let mut said = false;
    loop {
        let request = v1::VersionRequest { version: KUBE_RUNTIME_API_VERSION.into() };
        match runtime.version(request).await {
            Ok(version) if version.version != KUBE_RUNTIME_API_VERSION => {
                return Err(StartError::RuntimeVersion { found: version.version });
            }
            Ok(version) => {
                let (name, release) = (&version.runtime_name, &version.runtime_version);
                tracing::info!(runtime = %name, version = %release, "container runtime found");
                return Ok(());
            }
            Err(error) if error.is_unavailable() => {
                if !said {
                    tracing::warn!(%error, "waiting for the container runtime");
                    said = true;
                }
                tokio::time::sleep(RUNTIME_RETRY).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn refuse_foreign_pods(
    runtime: &dyn RuntimeService,
    settings: &Settings,
    dirs: &PodDirs,
) -> Result<(), StartError> {
    let sandboxes = runtime.list_pod_sandbox(v1::ListPodSandboxRequest::default()).await?.items;
    let foreign = foreign_pods(&sandboxes, |uid| dirs.exists(uid));
    if foreign.is_empty() {
        return Ok(());
    }
    Err(ForeignPods { root: settings.runtime.root_dir.display().to_string(), foreign }.into())
}
