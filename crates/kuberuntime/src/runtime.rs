//! The decision carried out: the part of the agent that creates, starts, stops and removes.
//!
//! Mirrors `kuberuntime_manager.go: SyncPod` and `kuberuntime_sandbox.go`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clock::{Clock, Random};
use container_config::{NodeFacts, SandboxInput, sandbox_config};
use cri_client::{Call as _, RuntimeError, RuntimeService, v1};
use images::ImagePuller;
use pod_model::{
    Backoff, Container, Event, EventSink, EventType, FORGIVEN_AFTER, INITIAL, Pod, PodRef, PodStatus,
    cgroup_name, identity, paths, reason, sandbox_ips,
};
use tokio::sync::Semaphore;

use crate::actions::{PodActions, compute_pod_actions};
use crate::start::Starting;
use crate::start_place::StartPlace;
use crate::stillborn::{stillborn, without};
use crate::surroundings::Surroundings;
use crate::sync_result::{PodSyncResult, Waiting, away_or};

/// What the runtime manager is told about the node.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The agent's root directory.
    pub root_dir: PathBuf,
    /// Where pod logs go.
    pub pod_logs_dir: PathBuf,
    /// The configuration's `cgroupRoot`, empty for `/`.
    pub cgroup_root: String,
    /// The configuration's `cgroupsPerQOS`: without it, the runtime is left to choose where pods go.
    pub cgroups_per_qos: bool,
    /// Facts that the messages depend on.
    pub node: NodeFacts,
    /// DNS, addresses and names of the node.
    pub surroundings: Surroundings,
    /// The longest crash-loop delay.
    pub max_backoff: Duration,
    /// How many pods may be starting at a time. Starts are heavy on the runtime: on two cores, four at a time finish
    /// sooner than thirty.
    pub parallel_starts: usize,
}

/// The runtime manager. Stateless but for the crash-loop back-off.
pub struct KubeRuntime {
    pub(crate) runtime: Arc<dyn RuntimeService>,
    pub(crate) images: ImagePuller,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) settings: Settings,
    pub(crate) backoff: Mutex<Backoff>,
    starts: Arc<Semaphore>,
}

impl KubeRuntime {
    /// A manager for one runtime.
    pub fn new(
        runtime: Arc<dyn RuntimeService>,
        images: ImagePuller,
        events: Arc<dyn EventSink>,
        clock: Clock,
        random: Random,
        settings: Settings,
    ) -> Self {
        let backoff = Mutex::new(Backoff::new(INITIAL, settings.max_backoff, FORGIVEN_AFTER));
        let starts = Arc::new(Semaphore::new(settings.parallel_starts.max(1)));
        Self { runtime, images, events, clock, random, settings, backoff, starts }
    }

    /// Brings a pod one step closer to its spec: ends what must not be, makes a sandbox if one is missing, starts what
    /// may start now. A later sync, woken by what this one causes, takes the next step.
    pub async fn sync_pod(&self, pod: &Pod, status: &PodStatus) -> PodSyncResult {
        let actions = compute_pod_actions(pod, status);
        let mut result = PodSyncResult::default();
        if actions.is_empty() {
            return result;
        }
        // Starting may turn out to be waiting, which is no act.
        result.acted = actions.kill_pod || actions.create_sandbox || !actions.containers_to_kill.is_empty();
        tracing::debug!(pod = %status.pod, ?actions, "pod differs from its spec");
        if let Err(error) = self.end_what_must_not_be(pod, status, &actions).await {
            let of_sandbox = error.rpc() == v1::StopPodSandboxRequest::RPC;
            let reason = if of_sandbox { "KillPodSandboxError" } else { "KillContainerError" };
            result.waiting.push(away_or(reason, String::new(), &error));
            return result;
        }
        let status = &self.without_stillborn(status, &actions).await;
        if !actions.create_sandbox
            && actions.containers_to_start.is_empty()
            && actions.init_containers_to_start.is_empty()
        {
            return result;
        }
        let (names, place) = (PodRef::of(pod), StartPlace::new(&self.starts));
        let config = match self.sandbox_config(pod, actions.attempt) {
            Ok(config) => config,
            Err(message) => {
                result.waiting.push(self.failed_config(&names, &message, actions.create_sandbox));
                return result;
            }
        };
        let (sandbox, ips) = match self.sandbox_for(&names, pod, status, &actions, &config, &place).await {
            Ok(sandbox) => sandbox,
            Err(waiting) => {
                result.waiting.push(waiting);
                return result;
            }
        };
        let starting = Starting {
            pod,
            names: &names,
            status,
            sandbox: &sandbox,
            config: &config,
            ips: &ips,
            place: &place,
        };
        self.start_all(&starting, &actions, &mut result).await;
        result
    }

    /// Removes what was never born because its sandbox died under it, and forgets about it.
    async fn without_stillborn(&self, status: &PodStatus, actions: &PodActions) -> PodStatus {
        let found = if actions.create_sandbox { stillborn(status) } else { Vec::new() };
        for container in &found {
            if let Err(error) = self.remove_container(&status.pod, container).await {
                tracing::warn!(pod = %status.pod, container = %container.name, %error, "failed to remove container");
            }
        }
        without(status, &found)
    }

    /// Init containers stop at the first failure, unless it is a sidecar's; regular ones do not care for each other.
    async fn start_all(&self, starting: &Starting<'_>, actions: &PodActions, result: &mut PodSyncResult) {
        for index in &actions.init_containers_to_start {
            let Some(container) = identity::init_containers(starting.pod).get(*index) else { continue };
            if !self.start_or_note(starting, container, result).await
                && !identity::is_restartable_init(container)
            {
                return;
            }
        }
        for index in &actions.containers_to_start {
            let Some(container) = identity::spec(starting.pod).containers.get(*index) else { continue };
            self.start_or_note(starting, container, result).await;
        }
    }

    /// Starts a container and notes what came of it; whether it runs.
    async fn start_or_note(
        &self,
        starting: &Starting<'_>,
        container: &Container,
        result: &mut PodSyncResult,
    ) -> bool {
        let started = self.start_container(starting, container).await;
        result.acted |= started.as_ref().err().is_none_or(|waiting| waiting.until.is_none());
        let runs = started.is_ok();
        result.waiting.extend(started.err());
        runs
    }

    async fn end_what_must_not_be(
        &self,
        pod: &Pod,
        status: &PodStatus,
        actions: &PodActions,
    ) -> Result<(), RuntimeError> {
        if actions.kill_pod {
            if actions.create_sandbox && actions.sandbox_id.is_some() {
                let text = "Pod sandbox changed, it will be killed and re-created.";
                self.events.record(Event::about_pod(
                    &status.pod,
                    EventType::Normal,
                    reason::SANDBOX_CHANGED,
                    text,
                ));
            }
            self.kill_pod(Some(pod), status, None).await?;
            if actions.create_sandbox {
                self.remove_init_containers(pod, status, 0).await;
            }
        } else {
            for kill in &actions.containers_to_kill {
                let Some(container) = status.containers.iter().find(|c| c.id == kill.id) else { continue };
                self.kill_container(Some(pod), &status.pod, container, Some(&kill.message), None, None)
                    .await?;
            }
        }
        self.remove_init_containers(pod, status, 1).await;
        Ok(())
    }

    /// Removes dead init containers but for the newest `keep` of each name. Mirrors `purgeInitContainers` (0) and
    /// `pruneInitContainersBeforeStart` (1).
    async fn remove_init_containers(&self, pod: &Pod, status: &PodStatus, keep: usize) {
        use pod_model::ContainerState::{Created, Running};
        for init in identity::init_containers(pod) {
            let of_name = status.containers.iter().filter(|c| c.name == init.name);
            for container in of_name.filter(|c| keep == 0 || !matches!(c.state, Created | Running)).skip(keep)
            {
                if let Err(error) = self.remove_container(&status.pod, container).await {
                    tracing::warn!(pod = %status.pod, container = %container.name, %error, "failed to remove init container");
                }
            }
        }
    }

    /// The sandbox to start containers in, made if there is none, and the pod's addresses.
    async fn sandbox_for(
        &self,
        names: &PodRef,
        pod: &Pod,
        status: &PodStatus,
        actions: &PodActions,
        config: &v1::PodSandboxConfig,
        place: &StartPlace,
    ) -> Result<(String, Vec<String>), Waiting> {
        if !actions.create_sandbox {
            return Ok((actions.sandbox_id.clone().unwrap_or_default(), status.ips.clone()));
        }
        let make_log_dir = std::fs::create_dir_all(&config.log_directory);
        make_log_dir.map_err(|error| {
            let message = format!("create log directory {}: {error}", config.log_directory);
            self.failed_sandbox(names, message, None)
        })?;
        place.take().await;
        let request =
            v1::RunPodSandboxRequest { config: Some(config.clone()), runtime_handler: String::new() };
        let made = self.runtime.run_pod_sandbox(request).await;
        let id = made.map_err(|e| self.failed_sandbox(names, as_in_go(&e), Some(&e)))?.pod_sandbox_id;
        tracing::info!(pod = %names, sandbox = %id, attempt = actions.attempt, "created sandbox");
        if identity::is_host_network(pod) {
            return Ok((id, Vec::new()));
        }
        let request = v1::PodSandboxStatusRequest { pod_sandbox_id: id.clone(), verbose: false };
        match self.runtime.pod_sandbox_status(request).await {
            Ok(answer) => Ok((id, answer.status.as_ref().map(sandbox_ips).unwrap_or_default())),
            Err(error) => {
                if !error.is_unavailable() {
                    let text = format!("Unable to get pod sandbox status: {}", as_in_go(&error));
                    self.warn(names, reason::FAILED_POD_SANDBOX_STATUS, text);
                }
                Err(away_or("CreatePodSandboxError", String::new(), &error))
            }
        }
    }

    /// Mirrors `cm/pod_container_manager_linux.go: podContainerManagerImpl` and its `Noop` twin.
    fn cgroup_parent(&self, pod: &Pod) -> String {
        if self.settings.cgroups_per_qos {
            cgroup_name::pod_cgroup_parent(pod, &self.settings.cgroup_root)
        } else {
            String::new()
        }
    }

    fn sandbox_config(&self, pod: &Pod, attempt: u32) -> Result<v1::PodSandboxConfig, String> {
        let surroundings = &self.settings.surroundings;
        let (hostname, dns) = (surroundings.sandbox_hostname(pod)?, surroundings.dns(pod, &*self.events)?);
        let log_directory = paths::pod_log_dir(&self.settings.pod_logs_dir, &PodRef::of(pod));
        let input = SandboxInput {
            attempt,
            hostname,
            dns,
            cgroup_parent: self.cgroup_parent(pod),
            log_directory: log_directory.to_string_lossy().into_owned(),
        };
        sandbox_config(pod, input, &self.settings.node).map_err(|e| e.to_string())
    }

    /// The pod's sandbox cannot be described: it cannot be made, or nothing can be started in the one that is there.
    fn failed_config(&self, names: &PodRef, message: &str, create_sandbox: bool) -> Waiting {
        if create_sandbox {
            return self.failed_sandbox(names, message.to_owned(), None);
        }
        let message = format!("GeneratePodSandboxConfig for pod {:?} failed: {message}", names.formatted());
        self.warn(names, reason::FAILED_SYNC, format!("Error syncing pod, skipping: {message}"));
        let (container, reason) = (String::new(), "ConfigPodSandboxError");
        Waiting { container, reason, message, until: None, runtime_is_away: false }
    }

    fn warn(&self, names: &PodRef, reason: &'static str, text: String) {
        self.events.record(Event::about_pod(names, EventType::Warning, reason, text));
    }

    fn failed_sandbox(&self, names: &PodRef, message: String, error: Option<&RuntimeError>) -> Waiting {
        let text = format!("Failed to create pod sandbox: {message}");
        let away = error.is_some_and(RuntimeError::is_unavailable);
        if !away {
            self.warn(names, reason::FAILED_CREATE_POD_SANDBOX, text.clone());
        }
        Waiting {
            container: String::new(),
            reason: "CreatePodSandboxError",
            message: text,
            until: None,
            runtime_is_away: away,
        }
    }

    /// Forgets the back-off of a pod that is gone.
    pub fn forget(&self, pod: &PodRef) {
        self.backoff.lock().unwrap_or_else(PoisonError::into_inner).forget(&backoff_prefix(pod));
    }
}

/// The only runtime API version there is (`kubeRuntimeAPIVersion`).
pub const KUBE_RUNTIME_API_VERSION: &str = "0.1.0";

pub(crate) fn backoff_prefix(pod: &PodRef) -> String {
    format!("{}_{}_{}_", pod.name, pod.namespace, pod.uid)
}

/// An error as Go's gRPC prints it. Events about sandboxes show it whole, those about containers only its message.
fn as_in_go(error: &RuntimeError) -> String {
    let code = match error {
        RuntimeError::Unavailable { .. } => "Unavailable".to_owned(),
        RuntimeError::DeadlineExceeded { .. } => "DeadlineExceeded".to_owned(),
        RuntimeError::Status { code, .. } => format!("{code:?}"),
    };
    format!("rpc error: code = {code} desc = {}", error.message())
}
