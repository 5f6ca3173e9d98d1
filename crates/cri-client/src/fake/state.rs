//! What the fake holds, and how it changes. No I/O, no time of its own.

use std::collections::BTreeMap;

use super::script::{ExecAnswer, Run};
use crate::v1;

#[derive(Debug)]
pub(super) struct Sandbox {
    pub status: v1::PodSandboxStatus,
}

#[derive(Debug)]
pub(super) struct Container {
    pub sandbox: String,
    pub status: v1::ContainerStatus,
    pub run: Run,
}

/// Ids count up with leading zeros, so that the order of the maps is the order of creation.
#[derive(Debug, Default)]
pub(super) struct State {
    pub sandboxes: BTreeMap<String, Sandbox>,
    pub containers: BTreeMap<String, Container>,
    images: BTreeMap<String, String>,
    offered: BTreeMap<String, String>,
    scripts: BTreeMap<String, (usize, Vec<Run>)>,
    answers: BTreeMap<String, (usize, Vec<ExecAnswer>)>,
    made: usize,
}

impl State {
    pub fn add_image(&mut self, name: &str, id: &str) {
        self.images.insert(name.to_owned(), id.to_owned());
    }

    pub fn offer_image(&mut self, name: &str, id: &str) {
        self.offered.insert(name.to_owned(), id.to_owned());
    }

    pub fn pull(&mut self, name: &str) -> Option<String> {
        let id = self.offered.get(name).or_else(|| self.images.get(name)).cloned()?;
        self.images.insert(name.to_owned(), id.clone());
        Some(id)
    }

    pub fn remove_image(&mut self, name: &str) {
        self.images.retain(|tag, id| tag != name && id != name);
    }

    /// An image by name or id.
    pub fn image(&self, name: &str) -> Option<v1::Image> {
        self.images()
            .into_iter()
            .find(|image| image.id == name || image.repo_tags.iter().any(|tag| tag == name))
    }

    pub fn images(&self) -> Vec<v1::Image> {
        let mut by_id: BTreeMap<&String, Vec<String>> = BTreeMap::new();
        for (name, id) in &self.images {
            by_id.entry(id).or_default().push(name.clone());
        }
        let image = |(id, repo_tags): (&String, Vec<String>)| v1::Image {
            id: id.clone(),
            repo_tags,
            size: 1_000_000,
            uid: Some(v1::Int64Value { value: 0 }),
            ..Default::default()
        };
        by_id.into_iter().map(image).collect()
    }

    pub fn script(&mut self, container: &str, runs: Vec<Run>) {
        self.scripts.insert(container.to_owned(), (0, runs));
    }

    pub fn answer_exec(&mut self, container: &str, answers: Vec<ExecAnswer>) {
        self.answers.insert(container.to_owned(), (0, answers));
    }

    fn next_run(&mut self, container: &str) -> Run {
        in_turn(self.scripts.get_mut(container)).unwrap_or_else(Run::until_stopped)
    }

    pub fn next_answer(&mut self, container: &str) -> ExecAnswer {
        in_turn(self.answers.get_mut(container)).unwrap_or_default()
    }

    pub fn run_sandbox(
        &mut self,
        config: v1::PodSandboxConfig,
        handler: String,
        now: i64,
    ) -> Result<String, String> {
        if self.sandboxes.values().any(|s| s.status.metadata == config.metadata) {
            return Err(format!(
                "failed to reserve sandbox name: {:?} is in use",
                config.metadata.unwrap_or_default()
            ));
        }
        self.made += 1;
        let id = format!("sandbox-{:04}", self.made);
        let options = config
            .linux
            .as_ref()
            .and_then(|l| l.security_context.as_ref())
            .and_then(|s| s.namespace_options.clone())
            .unwrap_or_default();
        let on_host = options.network() == v1::NamespaceMode::Node;
        let ip = if on_host {
            String::new()
        } else {
            format!("10.88.{}.{}", self.made / 250, self.made % 250 + 2)
        };
        let status = v1::PodSandboxStatus {
            id: id.clone(),
            metadata: config.metadata,
            state: v1::PodSandboxState::SandboxReady.into(),
            created_at: now,
            network: Some(v1::PodSandboxNetworkStatus { ip, additional_ips: Vec::new() }),
            linux: Some(v1::LinuxPodSandboxStatus {
                namespaces: Some(v1::Namespace { options: Some(options) }),
            }),
            labels: config.labels,
            annotations: config.annotations,
            runtime_handler: handler,
        };
        self.sandboxes.insert(id.clone(), Sandbox { status });
        Ok(id)
    }

    pub fn create_container(
        &mut self,
        sandbox: &str,
        config: v1::ContainerConfig,
        log_directory: &str,
        now: i64,
    ) -> Result<String, String> {
        match self.sandboxes.get(sandbox) {
            None => return Err(format!("sandbox {sandbox:?} not found")),
            Some(s) if s.status.state() != v1::PodSandboxState::SandboxReady => {
                return Err(format!("sandbox {sandbox:?} is not ready"));
            }
            Some(_) => {}
        }
        let taken = |c: &Container| c.sandbox == sandbox && c.status.metadata == config.metadata;
        if self.containers.values().any(taken) {
            return Err(format!(
                "failed to reserve container name: {:?} is in use",
                config.metadata.unwrap_or_default()
            ));
        }
        self.made += 1;
        let id = format!("container-{:04}", self.made);
        let name = config.metadata.as_ref().map(|m| m.name.clone()).unwrap_or_default();
        let image_ref = config.image.as_ref().map(|i| i.image.clone()).unwrap_or_default();
        let shown = config.image.as_ref().map(|i| i.user_specified_image.clone()).unwrap_or_default();
        let status = v1::ContainerStatus {
            id: id.clone(),
            state: v1::ContainerState::ContainerCreated.into(),
            created_at: now,
            image: Some(v1::ImageSpec { image: shown, ..Default::default() }),
            image_ref: image_ref.clone(),
            image_id: image_ref,
            log_path: format!("{log_directory}/{}", config.log_path),
            metadata: config.metadata,
            labels: config.labels,
            annotations: config.annotations,
            mounts: config.mounts,
            ..Default::default()
        };
        let run = self.next_run(&name);
        self.containers.insert(id.clone(), Container { sandbox: sandbox.to_owned(), status, run });
        Ok(id)
    }

    /// Starts a created container; what it will do.
    pub fn start(&mut self, id: &str, now: i64) -> Result<Run, String> {
        let container = self.containers.get_mut(id).ok_or_else(|| format!("container {id:?} not found"))?;
        if container.status.state() != v1::ContainerState::ContainerCreated {
            return Err(format!("container {id:?} is in state {:?}", container.status.state()));
        }
        container.status.set_state(v1::ContainerState::ContainerRunning);
        container.status.started_at = now;
        Ok(container.run.clone())
    }

    /// Ends a running container; whether it ran. An exit of an earlier start (`started`) does not end a later one.
    pub fn end(&mut self, id: &str, code: i32, started: Option<i64>, now: i64) -> bool {
        let Some(container) = self.containers.get_mut(id) else { return false };
        let status = &mut container.status;
        let runs = status.state() == v1::ContainerState::ContainerRunning;
        if !runs || started.is_some_and(|at| at != status.started_at) {
            return false;
        }
        status.set_state(v1::ContainerState::ContainerExited);
        status.finished_at = now;
        status.exit_code = code;
        status.reason = if code == 0 { "Completed" } else { "Error" }.to_owned();
        true
    }

    /// Stops a sandbox; the ids of the containers and of the sandbox that ended with it.
    pub fn stop_sandbox(&mut self, id: &str, now: i64) -> Vec<String> {
        let members: Vec<String> =
            self.containers.iter().filter(|(_, c)| c.sandbox == id).map(|(id, _)| id.clone()).collect();
        let mut gone: Vec<String> = members.into_iter().filter(|m| self.end(m, 137, None, now)).collect();
        if let Some(sandbox) = self.sandboxes.get_mut(id)
            && sandbox.status.state() == v1::PodSandboxState::SandboxReady
        {
            sandbox.status.set_state(v1::PodSandboxState::SandboxNotready);
            sandbox.status.network = Some(v1::PodSandboxNetworkStatus::default());
            gone.push(id.to_owned());
        }
        gone
    }

    pub fn remove_sandbox(&mut self, id: &str) {
        self.sandboxes.remove(id);
        self.containers.retain(|_, c| c.sandbox != id);
    }

    /// The sandbox with that id, or the one that holds the container with that id.
    pub fn sandbox_of(&self, id: &str) -> Option<&Sandbox> {
        self.sandboxes.get(id).or_else(|| self.sandboxes.get(&self.containers.get(id)?.sandbox))
    }

    pub fn members(&self, sandbox: &str) -> Vec<v1::ContainerStatus> {
        self.containers.values().filter(|c| c.sandbox == sandbox).map(|c| c.status.clone()).collect()
    }
}

fn in_turn<T: Clone>(list: Option<&mut (usize, Vec<T>)>) -> Option<T> {
    let (next, items) = list?;
    let item = items.get(*next).or_else(|| items.last()).cloned();
    *next += 1;
    item
}
