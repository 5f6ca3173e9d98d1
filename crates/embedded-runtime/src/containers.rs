//! Containers: made, started through a shim, stopped with grace, removed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr as _;
use std::time::Duration;

use cri_client::v1;
use cri_client::v1::ContainerState;
use nix::sys::signal::Signal;
use tokio::io::AsyncReadExt as _;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::info;

use crate::Error;
use crate::command::{environment, working_dir};
use crate::events::Change;
use crate::record::{ContainerRecord, Exit, Labels, MountRecord};
use crate::recovery::settle;
use crate::refusal::Refusal;
use crate::runtime::{Container, EmbeddedRuntime, Inventory, Phase};
use crate::state_dir::{ContainerDir, at};
use crate::status;

/// How long a shim may take to start a container.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long after SIGKILL a container may still be there before its shim is taken to be stuck.
const KILL_LIMIT: Duration = Duration::from_secs(10);

impl EmbeddedRuntime {
    pub(crate) async fn make_container(
        &self,
        request: v1::CreateContainerRequest,
    ) -> Result<v1::CreateContainerResponse, Refusal> {
        let mut inventory = self.inventory();
        let record = self.new_record(&mut inventory, request)?;
        let (id, sandbox_id) = (record.id.clone(), record.sandbox_id.clone());
        let dir = self.state_dir.container(&id);
        dir.create(&record)?;
        let phase = watch::Sender::new(Phase::Created);
        inventory.containers.insert(id.clone(), Container { record, dir, phase, removing: false });
        self.publish(&inventory, &id, &sandbox_id, Change::Created);
        Ok(v1::CreateContainerResponse { container_id: id })
    }

    /// What is to be remembered of a container, if it may be made.
    fn new_record(
        &self,
        inventory: &mut Inventory,
        request: v1::CreateContainerRequest,
    ) -> Result<ContainerRecord, Refusal> {
        let config = request.config.unwrap_or_default();
        let metadata = config
            .metadata
            .ok_or_else(|| Refusal::Invalid("container config must include metadata".to_owned()))?;
        let sandbox = inventory.sandbox(&request.pod_sandbox_id)?;
        refuse_stopped(inventory, &sandbox.record.id)?;
        let sandbox = sandbox.record.clone();
        let taken = |c: &&Container| c.record.name == metadata.name && c.record.attempt == metadata.attempt;
        if let Some(holder) = inventory.members(&sandbox.id).find(taken) {
            let name = format!("{}_{}_{}", metadata.name, sandbox.unique_name(), metadata.attempt);
            return Err(Refusal::NameTaken { kind: "container", name, holder: holder.record.id.clone() });
        }
        let image = config.image.unwrap_or_default();
        let (image_name, image_id) = self.known_image(inventory, &image.image)?;
        let command = [config.command, config.args].concat();
        if command.is_empty() {
            let why = "has no command known to the embedded runtime: give the container a command";
            return Err(Refusal::Failed(format!("image {image_name:?} {why}")));
        }
        let mut configured = Vec::new();
        for v1::KeyValue { key, value } in config.envs {
            let value = String::from_utf8(value)
                .map_err(|_| Refusal::Invalid(format!("environment variable {key:?} is not valid UTF-8")))?;
            configured.push((key, value));
        }
        let hostname = if sandbox.hostname.is_empty() { &sandbox.name } else { &sandbox.hostname };
        let id = self.new_id();
        Ok(ContainerRecord {
            sandbox_id: sandbox.id.clone(),
            name: metadata.name,
            attempt: metadata.attempt,
            image: image.image,
            user_specified_image: image.user_specified_image,
            image_name,
            image_id,
            command,
            environment: environment(configured, std::env::var("PATH").ok(), hostname),
            working_dir: working_dir(&config.working_dir, &self.state_dir.container(&id).rootfs()),
            log_path: log_path(&sandbox.log_directory, &config.log_path),
            labels: config.labels,
            annotations: config.annotations,
            mounts: config.mounts.into_iter().map(MountRecord::from_cri).collect(),
            stop_signal: config.stop_signal,
            created_at: self.options.clock.now_nanos(),
            id,
        })
    }

    /// Starts a created container and watches it. Goes on when the caller loses patience: a container is never left
    /// between states.
    pub(crate) async fn begin_container(
        &self,
        request: v1::StartContainerRequest,
    ) -> Result<v1::StartContainerResponse, Refusal> {
        let Some(this) = self.this.upgrade() else {
            return Err(Refusal::Failed("the runtime is closing".to_owned()));
        };
        let start = tokio::spawn(async move { this.start(&request.container_id).await });
        start.await.unwrap_or_else(|e| Err(Refusal::Failed(format!("failed to start container: {e}"))))?;
        Ok(v1::StartContainerResponse {})
    }

    async fn start(&self, id: &str) -> Result<(), Refusal> {
        let (id, dir) = {
            let inventory = self.inventory();
            let container = inventory.container(id)?;
            let state = container.phase.borrow().state();
            let created = matches!(*container.phase.borrow(), Phase::Created);
            if !created || container.removing {
                let why = format!("container {id:?} is in {} state", state.as_str_name());
                return Err(Refusal::Failed(format!("failed to start container: {why}")));
            }
            refuse_stopped(&inventory, &container.record.sandbox_id)?;
            container.phase.send_replace(Phase::Starting);
            (container.record.id.clone(), container.dir.clone())
        };
        let phase = self.launch(&dir).await.unwrap_or_else(|error| {
            let exit = Exit::start_error(&error.to_string(), self.options.clock.now_nanos());
            // When even this cannot be written, a later runtime finds the container ended for reasons unknown.
            let _disk_full = dir.write_exit(&exit);
            Phase::Exited { started: None, exit }
        });

        let inventory = self.inventory();
        let container = inventory.container(&id)?;
        container.phase.send_replace(phase.clone());
        let sandbox_id = &container.record.sandbox_id;
        let name = &container.record.name;
        match phase {
            Phase::Exited { started: None, exit } => {
                info!(container = id, name, error = exit.message, "container did not start");
                return Err(Refusal::Failed(exit.message));
            }
            Phase::Running { started, shim } => {
                info!(container = id, name, pid = started.process.pid, "container started");
                self.publish(&inventory, &id, sandbox_id, Change::Started);
                self.watch(id.clone(), dir, started, shim);
            }
            // It was over before anybody could look.
            _ => {
                info!(container = id, name, "container started and exited");
                self.publish(&inventory, &id, sandbox_id, Change::Started);
                self.publish(&inventory, &id, sandbox_id, Change::Stopped);
            }
        }
        Ok(())
    }

    /// Spawns a shim and waits until it has started the container or given up.
    async fn launch(&self, dir: &ContainerDir) -> Result<Phase, Error> {
        let (command, log) = (&self.options.shim, dir.shim_log());
        let complaints = std::fs::File::create(&log).map_err(at(&log))?;
        dir.mark_launched()?;
        let mut shim = tokio::process::Command::new(&command.program)
            .args(&command.arguments)
            .arg(dir.path())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .spawn()
            .map_err(at(&command.program))?;
        // The shim closes its standard output when it has written what happened, or by dying.
        if let Some(mut stdout) = shim.stdout.take() {
            let _too_slow = timeout(START_LIMIT, stdout.read(&mut [0; 16])).await;
        }
        // Its exit code says nothing that its files do not, but a child must be waited for.
        tokio::spawn(async move { shim.wait().await });
        if dir.shim()?.is_none() && dir.exit()?.is_none() {
            let why = std::fs::read_to_string(&log).unwrap_or_default();
            let exit = Exit::start_error(&format!("shim: {}", why.trim()), self.options.clock.now_nanos());
            dir.write_exit(&exit)?;
        }
        settle(dir, &self.options.clock).await
    }

    /// Ends a running container: its stop signal, and SIGKILL after the grace period. An absent one is stopped already.
    pub(crate) async fn halt_container(
        &self,
        request: v1::StopContainerRequest,
    ) -> Result<v1::StopContainerResponse, Refusal> {
        let found = self
            .inventory()
            .container(&request.container_id)
            .map(|c| (c.phase.subscribe(), stop_signal(c.record.stop_signal)));
        if let Ok((phase, signal)) = found {
            let grace = Duration::from_secs(u64::try_from(request.timeout).unwrap_or(0));
            self.end(phase, (!grace.is_zero()).then_some((signal, grace))).await?;
        }
        Ok(v1::StopContainerResponse {})
    }

    /// Ends whatever runs behind `phase`: politely within a grace period, if there is one, then by SIGKILL. Any number
    /// of callers may do so at once.
    pub(crate) async fn end(
        &self,
        mut phase: watch::Receiver<Phase>,
        polite: Option<(Signal, Duration)>,
    ) -> Result<(), Refusal> {
        let settled = match phase.wait_for(|p| !matches!(p, Phase::Starting)).await {
            Ok(phase) => phase.clone(),
            Err(_removed) => return Ok(()),
        };
        let Phase::Running { started, shim } = settled else { return Ok(()) };
        let mut exited = async |limit| timeout(limit, phase.wait_for(Phase::is_exited)).await.is_ok();
        if let Some((signal, grace)) = polite {
            started.process.signal_group(signal);
            if exited(grace).await {
                return Ok(());
            }
        }
        started.process.signal_group(Signal::SIGKILL);
        if exited(KILL_LIMIT).await {
            return Ok(());
        }
        shim.kill_session();
        shim.kill();
        if exited(KILL_LIMIT).await {
            return Ok(());
        }
        let pid = started.process.pid;
        Err(Refusal::Failed(format!("failed to kill container: process {pid} does not end after SIGKILL")))
    }

    /// Kills a container if it runs and forgets it. An absent one is removed already.
    pub(crate) async fn forget_container(
        &self,
        request: v1::RemoveContainerRequest,
    ) -> Result<v1::RemoveContainerResponse, Refusal> {
        let (id, phase) = {
            let mut inventory = self.inventory();
            let Ok(container) = inventory.container(&request.container_id) else {
                return Ok(v1::RemoveContainerResponse {});
            };
            let (id, phase) = (container.record.id.clone(), container.phase.subscribe());
            if let Some(container) = inventory.containers.get_mut(&id) {
                container.removing = true;
            }
            (id, phase)
        };
        self.end(phase, None).await?;
        let mut inventory = self.inventory();
        if let Some(container) = inventory.containers.get(&id) {
            let (sandbox_id, dir) = (container.record.sandbox_id.clone(), container.dir.clone());
            dir.remove()?;
            inventory.containers.remove(&id);
            self.publish(&inventory, &id, &sandbox_id, Change::Deleted);
        }
        Ok(v1::RemoveContainerResponse {})
    }

    pub(crate) async fn one_container(
        &self,
        request: v1::ContainerStatusRequest,
    ) -> Result<v1::ContainerStatusResponse, Refusal> {
        let inventory = self.inventory();
        let container = inventory.container(&request.container_id)?;
        let (pid, shim) = match &*container.phase.borrow() {
            Phase::Running { started, shim } => (started.process.pid, shim.pid),
            _ => (0, 0),
        };
        let sandbox = &container.record.sandbox_id;
        let info = serde_json::json!({ "sandboxID": sandbox, "pid": pid, "shimPid": shim, "record": container.record });
        Ok(v1::ContainerStatusResponse {
            status: Some(status::container(container)),
            info: request.verbose.then(|| ("info".to_owned(), info.to_string())).into_iter().collect(),
        })
    }

    pub(crate) async fn all_containers(
        &self,
        request: v1::ListContainersRequest,
    ) -> Result<v1::ListContainersResponse, Refusal> {
        let (filter, inventory) = (request.filter.unwrap_or_default(), self.inventory());
        let id = inventory.container(&filter.id).map_or(filter.id.clone(), |c| c.record.id.clone());
        let sandbox_id = &filter.pod_sandbox_id;
        let sandbox_id = inventory.sandbox(sandbox_id).map_or(sandbox_id.clone(), |s| s.record.id.clone());
        let state = filter
            .state
            .map(|s| ContainerState::try_from(s.state).unwrap_or(ContainerState::ContainerUnknown));
        let matches = |container: &&Container| {
            (id.is_empty() || id == container.record.id)
                && (sandbox_id.is_empty() || sandbox_id == container.record.sandbox_id)
                && state.is_none_or(|state| state == container.phase.borrow().state())
                && has_labels(&container.record.labels, &filter.label_selector)
        };
        let containers =
            inventory.containers.values().filter(matches).map(status::container_summary).collect();
        Ok(v1::ListContainersResponse { containers })
    }

    /// Makes the log file that was rotated away anew. The shim notices by itself that the name has another file.
    pub(crate) async fn reopen_log(
        &self,
        request: v1::ReopenContainerLogRequest,
    ) -> Result<v1::ReopenContainerLogResponse, Refusal> {
        let inventory = self.inventory();
        let container = inventory.container(&request.container_id)?;
        if !matches!(*container.phase.borrow(), Phase::Running { .. }) {
            return Err(Refusal::Failed("container is not running".to_owned()));
        }
        if let Some(path) = &container.record.log_path {
            crate::output::open_log(path).map_err(at(path))?;
        }
        Ok(v1::ReopenContainerLogResponse {})
    }
}

/// Nothing new may be made or started in a sandbox that is stopped or about to be.
fn refuse_stopped(inventory: &Inventory, sandbox_id: &str) -> Result<(), Refusal> {
    let sandbox = inventory.sandbox(sandbox_id)?;
    if sandbox.record.ready && !sandbox.stopping {
        return Ok(());
    }
    Err(Refusal::Failed(format!("sandbox container {sandbox_id:?} is not running")))
}

/// Whether `labels` has everything that `selector` names.
pub(crate) fn has_labels(labels: &Labels, selector: &Labels) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// The log is the sandbox's directory and the container's name in it; without the directory there is no log.
fn log_path(directory: &str, path: &str) -> Option<PathBuf> {
    (!directory.is_empty() && !path.is_empty()).then(|| Path::new(directory).join(path))
}

/// The signal that stops a container politely: its own if it names one that can be sent, else SIGTERM.
fn stop_signal(configured: i32) -> Signal {
    let name = v1::Signal::try_from(configured).unwrap_or_default().as_str_name();
    Signal::from_str(name).unwrap_or(Signal::SIGTERM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stop_signal_is_the_configured_one_or_sigterm() {
        for (configured, expected) in [
            (v1::Signal::RuntimeDefault, Signal::SIGTERM),
            (v1::Signal::Sigint, Signal::SIGINT),
            (v1::Signal::Sigquit, Signal::SIGQUIT),
            (v1::Signal::Sigusr1, Signal::SIGUSR1),
            (v1::Signal::Sigrtminplus3, Signal::SIGTERM),
        ] {
            assert_eq!(stop_signal(configured.into()), expected, "{configured:?}");
        }
    }

    #[test]
    fn a_log_needs_a_directory_and_a_name() {
        assert_eq!(
            log_path("/var/log/pods/x", "app/0.log"),
            Some(PathBuf::from("/var/log/pods/x/app/0.log"))
        );
        assert_eq!(log_path("", "app/0.log"), None);
        assert_eq!(log_path("/var/log/pods/x", ""), None);
    }
}
