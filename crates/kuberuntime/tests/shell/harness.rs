//! A node with a runtime in memory and its files in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, Random};
use container_config::NodeFacts;
use cri_client::fake::FakeRuntime;
use cri_client::{Call, RecordedCall, RuntimeService as _, v1};
use images::ImagePuller;
use kuberuntime::{KubeRuntime, PodSyncResult, Settings, Surroundings, links_dir};
use pod_environment::{DnsSettings, EnvFacts};
use pod_model::labels::pod_of;
use pod_model::{Pod, PodRef, PodStatus, RecordedEvents, paths};
use serde_json::{Value, json};

pub const IMAGE: &str = "docker.io/library/busybox:1";

pub struct Node {
    pub fake: Arc<FakeRuntime>,
    pub events: Arc<RecordedEvents>,
    pub clock: Clock,
    pub runtime: KubeRuntime,
    pub settings: Settings,
    folder: tempfile::TempDir,
}

impl Node {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        for dir in [settings.pod_logs_dir.clone(), links_dir(&settings.pod_logs_dir)] {
            std::fs::create_dir_all(dir).expect("made");
        }
        let clock = Clock::starting_at("2026-01-01T12:00:00Z".parse().expect("a time"));
        let fake = FakeRuntime::new(clock.clone());
        fake.add_image(IMAGE, "sha256:aa");
        let events = Arc::new(RecordedEvents::default());
        let runtime = manager(&fake, &events, &clock, &settings);
        Self { fake, events, clock, runtime, settings, folder }
    }

    /// Another agent on the same node: it remembers nothing.
    pub fn restart_agent(&mut self) {
        self.runtime = manager(&self.fake, &self.events, &self.clock, &self.settings);
    }

    /// What the runtime has of a pod at this moment.
    pub async fn status(&self, pod: &PodRef) -> PodStatus {
        let listed = self.fake.list_containers(v1::ListContainersRequest::default()).await.expect("a list");
        let home = |id: &str| {
            let found = listed.containers.iter().find(|c| c.id == id);
            found.map(|c| c.pod_sandbox_id.clone()).unwrap_or_default()
        };
        let ours = |labels: &pod_model::labels::Map| pod_of(labels).is_some_and(|of| of == *pod);
        let sandboxes = self.fake.sandboxes().into_iter().filter(|s| ours(&s.labels)).collect();
        let containers = self.fake.containers().into_iter().filter(|c| ours(&c.labels));
        let containers: Vec<_> = containers.map(|c| (home(&c.id), c)).collect();
        PodStatus::from_cri(pod.clone(), sandboxes, &containers, &[])
    }

    /// One sync with what the runtime has of the pod at this moment.
    pub async fn sync(&self, pod: &Pod) -> PodSyncResult {
        let status = self.status(&PodRef::of(pod)).await;
        self.runtime.sync_pod(pod, &status).await
    }

    /// Ends the pod as its worker would.
    pub async fn kill(&self, pod: &Pod, grace: Option<i64>) -> Result<(), cri_client::RuntimeError> {
        let status = self.status(&PodRef::of(pod)).await;
        self.runtime.kill_pod(Some(pod), &status, grace).await
    }

    pub async fn collect(&self, pod: &Pod, gone: bool) -> bool {
        let status = self.status(&PodRef::of(pod)).await;
        self.runtime.collect_garbage(&status, gone).await
    }

    /// The id of the newest container of that name.
    pub fn id(&self, name: &str) -> String {
        let named = |c: &v1::ContainerStatus| c.metadata.as_ref().is_some_and(|m| m.name == name);
        self.fake.containers().into_iter().rfind(named).expect("a container of that name").id
    }

    /// The containers that run, by name, in order of creation.
    pub fn running(&self) -> Vec<String> {
        let runs = |c: &v1::ContainerStatus| c.state() == v1::ContainerState::ContainerRunning;
        let name = |c: v1::ContainerStatus| c.metadata.unwrap_or_default().name;
        self.fake.containers().into_iter().filter(runs).map(name).collect()
    }

    /// What the runtime was asked to change, as `RPC object`, since the last time this was asked.
    pub fn asked(&self) -> Vec<String> {
        let name_of = |id: &str| {
            let found = self.fake.containers().into_iter().find(|c| c.id == id);
            found
                .and_then(|c| c.metadata)
                .map_or_else(|| id.to_owned(), |m| format!("{}#{}", m.name, m.attempt))
        };
        let line = |call: &RecordedCall| -> Option<String> {
            Some(match call.rpc {
                "RunPodSandbox" => {
                    let config = read::<v1::RunPodSandboxRequest>(call).config?;
                    format!("RunPodSandbox #{}", config.metadata?.attempt)
                }
                "CreateContainer" => {
                    let made = read::<v1::CreateContainerRequest>(call).config?.metadata?;
                    format!("CreateContainer {}#{}", made.name, made.attempt)
                }
                "StartContainer" => {
                    format!(
                        "StartContainer {}",
                        name_of(&read::<v1::StartContainerRequest>(call).container_id)
                    )
                }
                "StopContainer" => {
                    let asked = read::<v1::StopContainerRequest>(call);
                    format!("StopContainer {} {}s", name_of(&asked.container_id), asked.timeout)
                }
                "RemoveContainer" => {
                    format!("RemoveContainer {}", read::<v1::RemoveContainerRequest>(call).container_id)
                }
                "StopPodSandbox" | "RemovePodSandbox" | "PullImage" => call.rpc.to_owned(),
                _ => return None,
            })
        };
        let lines = self.fake.calls().iter().filter_map(line).collect();
        self.fake.clear_calls();
        lines
    }

    /// What was told since the last time, without the pod's name: `Normal Started a: text`.
    pub fn told(&self, seen: &mut usize) -> Vec<String> {
        let lines = self.events.lines();
        let new = lines[*seen..].iter().map(|line| line.replace(" default/web", "")).collect();
        *seen = lines.len();
        new
    }

    pub fn root(&self) -> &Path {
        &self.settings.root_dir
    }

    pub fn log_dir(&self, pod: &Pod) -> PathBuf {
        paths::pod_log_dir(&self.settings.pod_logs_dir, &PodRef::of(pod))
    }

    /// The links for log collectors, by file name.
    pub fn links(&self) -> Vec<String> {
        names_in(&links_dir(&self.settings.pod_logs_dir))
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The names in a folder, in order; none when there is no folder.
pub fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn read<R: Call>(call: &RecordedCall) -> R {
    R::decode(call.request.as_slice()).expect("a request")
}

fn settings(folder: &Path) -> Settings {
    Settings {
        root_dir: folder.join("root"),
        pod_logs_dir: folder.join("log/pods"),
        cgroup_root: String::new(),
        cgroups_per_qos: true,
        node: NodeFacts::new(8 << 30),
        surroundings: Surroundings {
            dns: DnsSettings { cluster_domain: "cluster.local".into(), ..DnsSettings::default() },
            resolv_conf: None,
            node_hosts: folder.join("hosts"),
            env: EnvFacts::default(),
        },
        max_backoff: Duration::from_secs(300),
        parallel_starts: 4,
    }
}

fn manager(
    fake: &Arc<FakeRuntime>,
    events: &Arc<RecordedEvents>,
    clock: &Clock,
    settings: &Settings,
) -> KubeRuntime {
    let images = ImagePuller::new(fake.clone(), events.clone(), clock.clone());
    KubeRuntime::new(fake.clone(), images, events.clone(), clock.clone(), Random::seeded(1), settings.clone())
}

/// A pod `default/web` with this spec. Containers get an image if they have none.
pub fn pod(spec: Value) -> Pod {
    named("web", spec)
}

pub fn named(name: &str, mut spec: Value) -> Pod {
    for list in ["initContainers", "containers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            if container.get("image").is_none() {
                container["image"] = json!(IMAGE);
            }
        }
    }
    // What the API defaults.
    spec["enableServiceLinks"] = json!(true);
    spec["dnsPolicy"] = json!("Default");
    let metadata = json!({"name": name, "namespace": "default", "uid": format!("uid-{name}")});
    serde_json::from_value(json!({"metadata": metadata, "spec": spec})).expect("a pod")
}

/// A pod with one container `a`.
pub fn simple() -> Pod {
    pod(json!({"containers": [{"name": "a"}]}))
}

pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub async fn pass(n: u64) {
    tokio::time::sleep(seconds(n)).await;
}
