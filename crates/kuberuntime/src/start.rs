//! Starting one container: may it start now, is its image there, create, start, link its log.
//!
//! Mirrors `kuberuntime_container.go: startContainer, generateContainerConfig` and `kuberuntime_manager.go: doBackOff`.

use std::path::Path;
use std::sync::PoisonError;

use container_config::{ContainerInput, container_config, image_user};
use cri_client::{RuntimeError, v1};
use images::ImageError;
use pod_model::{
    Container, ContainerState, Event, EventType, Pod, PodRef, PodStatus, container_hash, field_path, paths,
    reason,
};

use crate::log_files;
use crate::pod_files;
use crate::runtime::{KubeRuntime, backoff_prefix};
use crate::start_place::StartPlace;
use crate::sync_result::{Waiting, away_or};

/// What the containers of one sync have in common.
pub(crate) struct Starting<'a> {
    pub pod: &'a Pod,
    pub names: &'a PodRef,
    pub status: &'a PodStatus,
    pub sandbox: &'a str,
    pub config: &'a v1::PodSandboxConfig,
    pub ips: &'a [String],
    pub place: &'a StartPlace,
}

impl KubeRuntime {
    /// Starts one container, or says why it waits. An event has told about a failure by then.
    pub(crate) async fn start_container(
        &self,
        starting: &Starting<'_>,
        container: &Container,
    ) -> Result<(), Waiting> {
        let path = field_path(starting.pod, &container.name);
        self.check_backoff(starting, container, &path)?;
        let image = self.image_for(starting, container, &path).await?;
        starting.place.take().await;

        let restart_count = self.restart_count(starting, container);
        let config = self.config_for(starting, container, &image, restart_count);
        let config = config.map_err(|message| {
            self.failed(starting, container, &path, "CreateContainerConfigError", message)
        })?;
        let log_path = config.log_path.clone();
        let request = v1::CreateContainerRequest {
            pod_sandbox_id: starting.sandbox.to_owned(),
            config: Some(config),
            sandbox_config: Some(starting.config.clone()),
        };
        let created = self.runtime.create_container(request).await;
        let id = created
            .map_err(|e| self.failed_call(starting, container, &path, "CreateContainerError", "", &e))?
            .container_id;
        self.tell(starting, &path, reason::CREATED, "Container created");

        let request = v1::StartContainerRequest { container_id: id.clone() };
        let started = self.runtime.start_container(request).await;
        started.map_err(|e| self.failed_call(starting, container, &path, "RunContainerError", &id, &e))?;
        self.tell(starting, &path, reason::STARTED, "Container started");
        tracing::info!(pod = %starting.names, container = %container.name, restarts = restart_count, %id, "started container");

        let links = log_files::links_dir(&self.settings.pod_logs_dir);
        let log = Path::new(&starting.config.log_directory).join(log_path);
        if let Err(error) = log_files::link(&links, starting.names, &container.name, &id, &log) {
            tracing::warn!(pod = %starting.names, container = %container.name, %error, "failed to create log link");
        }
        Ok(())
    }

    /// A container that ended waits before it is started again; each time longer. Mirrors `doBackOff`.
    fn check_backoff(
        &self,
        starting: &Starting<'_>,
        container: &Container,
        path: &str,
    ) -> Result<(), Waiting> {
        let ended =
            |c: &&pod_model::ContainerStatus| c.name == container.name && c.state == ContainerState::Exited;
        let Some(failed) = starting.status.containers.iter().find(ended).and_then(|c| c.finished_at) else {
            return Ok(());
        };
        // An edited image is another container: it starts without the old one's history. Edited resources would be, too,
        // once they can be edited (`helpers.go: GetBackoffKey`).
        let key =
            format!("{}{}_{:x}", backoff_prefix(starting.names), container.name, container_hash(container));
        let now = self.clock.now();
        let mut backoff = self.backoff.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = backoff.waits_until(&key, failed, now) else {
            backoff.next(&key, failed, now);
            return Ok(());
        };
        let (delay, news) = (backoff.delay(&key).as_secs(), backoff.is_news(&key, until));
        drop(backoff);
        let pod = starting.names.formatted();
        let text = format!("Back-off restarting failed container {} in pod {pod}", container.name);
        let event = Event::about_container(starting.names, path, EventType::Warning, reason::BACK_OFF, text);
        if news {
            self.events.record(event);
        }
        Err(Waiting {
            container: container.name.clone(),
            reason: "CrashLoopBackOff",
            message: format!(
                "back-off {} restarting failed container={} pod={pod}",
                go_seconds(delay),
                container.name
            ),
            until: Some(until),
            runtime_is_away: false,
        })
    }

    async fn image_for(
        &self,
        starting: &Starting<'_>,
        container: &Container,
        path: &str,
    ) -> Result<v1::Image, Waiting> {
        // A fetch can take minutes: others may start meanwhile.
        let give_up = starting.place.give_up();
        let found = self.images.ensure_image(starting.names, path, container, starting.config, give_up).await;
        found.map_err(|error: ImageError| {
            let waiting = Waiting {
                container: container.name.clone(),
                reason: error.reason(),
                message: error.to_string(),
                until: None,
                runtime_is_away: error.is_unavailable(),
            };
            if !waiting.runtime_is_away {
                self.tell_of_failure(starting, path, error.reason());
            }
            waiting
        })
    }

    /// One more than the last one's, and never less than what the log files tell: a container that the runtime has
    /// forgotten, or that somebody removed, was started all the same.
    fn restart_count(&self, starting: &Starting<'_>, container: &Container) -> u32 {
        let logs = Path::new(&starting.config.log_directory).join(&container.name);
        let by_status =
            starting.status.container(&container.name).map_or(0, |last| last.restart_count.saturating_add(1));
        by_status.max(log_files::restart_count_by_log_dir(&logs))
    }

    fn config_for(
        &self,
        starting: &Starting<'_>,
        container: &Container,
        image: &v1::Image,
        restart_count: u32,
    ) -> Result<v1::ContainerConfig, String> {
        let (root, surroundings) = (&self.settings.root_dir, &self.settings.surroundings);
        let (pod, uid) = (starting.pod, &starting.names.uid);
        let log_dir = paths::pod_log_dir(&self.settings.pod_logs_dir, starting.names).join(&container.name);
        std::fs::create_dir_all(&log_dir).map_err(|e| {
            format!("create container log directory for container {} failed: {e}", container.name)
        })?;
        let seen = surroundings.seen_by(pod, container, starting.ips)?;
        let hosts = pod_files::hosts_mount(root, pod, container, starting.ips, || {
            surroundings.hosts_file(pod, starting.ips)
        });
        let hosts = hosts.map_err(|e| format!("write {}: {e}", paths::etc_hosts(root, uid).display()))?;
        let input = ContainerInput {
            restart_count,
            image_ref: image.id.clone(),
            image_user: image_user(image),
            command: seen.command,
            args: seen.args,
            envs: seen.envs,
            mounts: hosts.into_iter().collect(),
            target_id: None,
        };
        let mut config =
            container_config(pod, container, input, &self.settings.node).map_err(|e| e.to_string())?;
        // Last of all: a container that is refused with each sync must not leave a file each time.
        match pod_files::termination_log_mount(root, uid, container, &self.random) {
            Ok(last_words) => config.mounts.extend(last_words),
            // Its last words are not worth the container.
            Err(error) => {
                tracing::warn!(pod = %starting.names, container = %container.name, %error, "failed to create termination-log file");
            }
        }
        Ok(config)
    }

    fn tell(&self, starting: &Starting<'_>, path: &str, reason: &'static str, text: &str) {
        self.events.record(Event::about_container(starting.names, path, EventType::Normal, reason, text));
    }

    fn failed(
        &self,
        starting: &Starting<'_>,
        container: &Container,
        path: &str,
        reason: &'static str,
        message: String,
    ) -> Waiting {
        self.tell_of_failure(starting, path, &message);
        Waiting { container: container.name.clone(), reason, message, until: None, runtime_is_away: false }
    }

    fn tell_of_failure(&self, starting: &Starting<'_>, path: &str, message: &str) {
        let text = format!("Error: {message}");
        self.events.record(Event::about_container(
            starting.names,
            path,
            EventType::Warning,
            reason::FAILED,
            text,
        ));
    }

    /// `id` is the container's, if it has one already.
    fn failed_call(
        &self,
        starting: &Starting<'_>,
        container: &Container,
        path: &str,
        reason: &'static str,
        id: &str,
        error: &RuntimeError,
    ) -> Waiting {
        let waiting = away_or(reason, container.name.clone(), error);
        if !waiting.runtime_is_away {
            // With an id in it, each try would be another event (`recordContainerEvent`).
            let told =
                if id.is_empty() { error.message() } else { error.message().replace(id, &container.name) };
            self.tell_of_failure(starting, path, &told);
        }
        waiting
    }
}

/// A delay as Go prints it: `10s`, `1m20s`, `5m0s`.
fn go_seconds(seconds: u64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn delays_read_as_in_go() {
        for (seconds, text) in [(10, "10s"), (40, "40s"), (80, "1m20s"), (300, "5m0s")] {
            assert_eq!(super::go_seconds(seconds), text);
        }
    }
}
