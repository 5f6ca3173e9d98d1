//! Sandboxes: names under which containers may be made, and a switch that ends them all.

use cri_client::v1;
use cri_client::v1::PodSandboxState;
use futures::future::try_join_all;
use tracing::info;

use crate::containers::has_labels;
use crate::events::Change;
use crate::record::{Namespaces, SandboxRecord};
use crate::refusal::Refusal;
use crate::runtime::{EmbeddedRuntime, Sandbox};
use crate::status;

impl EmbeddedRuntime {
    /// Makes a sandbox, which is ready at once: it has no process and no network to set up.
    pub(crate) async fn run_sandbox(
        &self,
        request: v1::RunPodSandboxRequest,
    ) -> Result<v1::RunPodSandboxResponse, Refusal> {
        let config = request.config.unwrap_or_default();
        let metadata = config
            .metadata
            .ok_or_else(|| Refusal::Invalid("sandbox config must include metadata".to_owned()))?;
        if !request.runtime_handler.is_empty() {
            let why = format!("no runtime for {:?} is configured", request.runtime_handler);
            return Err(Refusal::Failed(format!("failed to get sandbox runtime: {why}")));
        }
        let security = config.linux.and_then(|linux| linux.security_context);
        let record = SandboxRecord {
            id: self.new_id(),
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            attempt: metadata.attempt,
            hostname: config.hostname,
            log_directory: config.log_directory,
            labels: config.labels,
            annotations: config.annotations,
            namespaces: security.and_then(|s| s.namespace_options).as_ref().map(Namespaces::from_cri),
            created_at: self.options.clock.now_nanos(),
            ready: true,
        };
        let (id, name) = (record.id.clone(), record.unique_name());
        let mut inventory = self.inventory();
        if let Some(holder) = inventory.sandboxes.values().find(|s| s.record.unique_name() == name) {
            return Err(Refusal::NameTaken { kind: "sandbox", name, holder: holder.record.id.clone() });
        }
        self.state_dir.save_sandbox(&record)?;
        info!(sandbox = id, pod = format!("{}/{}", record.namespace, record.name), "sandbox ready");
        inventory.sandboxes.insert(id.clone(), Sandbox { record, stopping: false });
        self.publish(&inventory, &id, &id, Change::Created);
        self.publish(&inventory, &id, &id, Change::Started);
        Ok(v1::RunPodSandboxResponse { pod_sandbox_id: id })
    }

    /// Kills the containers of a sandbox; then it is not ready. An absent one is stopped already.
    pub(crate) async fn stop_sandbox(
        &self,
        request: v1::StopPodSandboxRequest,
    ) -> Result<v1::StopPodSandboxResponse, Refusal> {
        let (id, members) = {
            let mut inventory = self.inventory();
            let Ok(sandbox) = inventory.sandbox(&request.pod_sandbox_id) else {
                return Ok(v1::StopPodSandboxResponse {});
            };
            let id = sandbox.record.id.clone();
            if let Some(sandbox) = inventory.sandboxes.get_mut(&id) {
                sandbox.stopping = true;
            }
            let members: Vec<_> = inventory.members(&id).map(|c| c.phase.subscribe()).collect();
            (id, members)
        };
        try_join_all(members.into_iter().map(|phase| self.end(phase, None))).await?;
        let mut inventory = self.inventory();
        if let Some(sandbox) = inventory.sandboxes.get_mut(&id).filter(|s| s.record.ready) {
            let stopped = SandboxRecord { ready: false, ..sandbox.record.clone() };
            self.state_dir.save_sandbox(&stopped)?;
            sandbox.record = stopped;
            info!(sandbox = id, "sandbox stopped");
            self.publish(&inventory, &id, &id, Change::Stopped);
        }
        Ok(v1::StopPodSandboxResponse {})
    }

    /// Stops a sandbox and forgets it with its containers. An absent one is removed already.
    pub(crate) async fn remove_sandbox(
        &self,
        request: v1::RemovePodSandboxRequest,
    ) -> Result<v1::RemovePodSandboxResponse, Refusal> {
        let Ok(id) = self.inventory().sandbox(&request.pod_sandbox_id).map(|s| s.record.id.clone()) else {
            return Ok(v1::RemovePodSandboxResponse {});
        };
        self.stop_sandbox(v1::StopPodSandboxRequest { pod_sandbox_id: id.clone() }).await?;
        let members: Vec<_> = self.inventory().members(&id).map(|c| c.record.id.clone()).collect();
        for container_id in members {
            self.forget_container(v1::RemoveContainerRequest { container_id }).await?;
        }
        let mut inventory = self.inventory();
        self.state_dir.remove_sandbox(&id)?;
        if inventory.sandboxes.remove(&id).is_some() {
            info!(sandbox = id, "sandbox removed");
            self.publish(&inventory, &id, &id, Change::Deleted);
        }
        Ok(v1::RemovePodSandboxResponse {})
    }

    pub(crate) async fn sandbox_status(
        &self,
        request: v1::PodSandboxStatusRequest,
    ) -> Result<v1::PodSandboxStatusResponse, Refusal> {
        let inventory = self.inventory();
        let record = &inventory.sandbox(&request.pod_sandbox_id)?.record;
        let info = serde_json::json!({ "hostname": record.hostname, "logDirectory": record.log_directory });
        Ok(v1::PodSandboxStatusResponse {
            status: Some(status::sandbox(record)),
            info: request.verbose.then(|| ("info".to_owned(), info.to_string())).into_iter().collect(),
            containers_statuses: inventory.members(&record.id).map(status::container).collect(),
            timestamp: self.options.clock.now_nanos(),
        })
    }

    pub(crate) async fn list_sandboxes(
        &self,
        request: v1::ListPodSandboxRequest,
    ) -> Result<v1::ListPodSandboxResponse, Refusal> {
        let (filter, inventory) = (request.filter.unwrap_or_default(), self.inventory());
        let id = inventory.sandbox(&filter.id).map_or(filter.id.clone(), |s| s.record.id.clone());
        let state = filter.state.map(|s| PodSandboxState::try_from(s.state).unwrap_or_default());
        let matches = |record: &SandboxRecord| {
            (id.is_empty() || id == record.id)
                && state.is_none_or(|state| state == record.state())
                && has_labels(&record.labels, &filter.label_selector)
        };
        let records = inventory.sandboxes.values().map(|s| &s.record);
        let items = records.filter(|r| matches(r)).map(status::sandbox_summary).collect();
        Ok(v1::ListPodSandboxResponse { items })
    }
}
