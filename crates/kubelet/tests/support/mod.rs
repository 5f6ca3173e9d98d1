//! A node in memory, in paused time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, Random};
use cri_client::fake::FakeRuntime;
use kubelet::{
    Dependencies, DnsSettings, EnvFacts, Kubelet, NodeFacts, RuntimeSettings, Settings, StartError,
    Surroundings,
};
use pod_model::RecordedEvents;
use static_pods::InMemoryManifests;

pub const IMAGE: &str = "docker.io/library/busybox:1.36";
pub const IMAGE_ID: &str = "sha256:9080ebff8fa86cc56650a3b54443003a258af3cf6582438ead4f03b1aeb615b7";

/// The parts that outlive an agent.
pub struct Machine {
    pub fake: Arc<FakeRuntime>,
    pub manifests: InMemoryManifests,
    pub events: Arc<RecordedEvents>,
    pub root: tempfile::TempDir,
    clock: Clock,
}

impl Machine {
    /// A machine like the one that the recordings were made on.
    pub fn new() -> Self {
        let clock = Clock::starting_at("2026-01-01T00:00:00Z".parse().expect("a time"));
        let fake = FakeRuntime::new(clock.clone());
        fake.add_image(IMAGE, IMAGE_ID);
        // As on a real machine: what follows a stop comes visibly later.
        fake.delay("StopContainer", Duration::from_millis(60));
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("resolv.conf"), "nameserver 10.255.255.53\n").expect("written");
        Self { fake, manifests: InMemoryManifests::new(), events: Arc::default(), root, clock }
    }

    pub async fn start(&self) -> Kubelet {
        self.try_start(false).await.expect("started")
    }

    pub async fn try_start(&self, adopt: bool) -> Result<Kubelet, StartError> {
        self.start_on(Some(self.manifests.clone()), adopt).await
    }

    /// An agent with that source of static pods, or with none.
    pub async fn start_on(
        &self,
        manifests: Option<InMemoryManifests>,
        adopt: bool,
    ) -> Result<Kubelet, StartError> {
        let dependencies = Dependencies {
            runtime: self.fake.clone(),
            images: self.fake.clone(),
            events: self.events.clone(),
            clock: self.clock.clone(),
            random: Random::seeded(1),
        };
        let node = NodeFacts {
            hugepage_sizes: vec!["2MB".into(), "1GB".into()],
            ..NodeFacts::new(24_557_384 * 1024)
        };
        let settings = Settings {
            node_name: "node1".into(),
            runtime: RuntimeSettings {
                root_dir: self.root.path().join("root"),
                pod_logs_dir: self.root.path().join("logs/pods"),
                cgroup_root: String::new(),
                cgroups_per_qos: true,
                node,
                surroundings: Surroundings {
                    dns: DnsSettings {
                        cluster_dns: vec![IpAddr::from([10, 96, 0, 10])],
                        cluster_domain: "cluster.local".into(),
                        ..DnsSettings::default()
                    },
                    resolv_conf: Some(self.root.path().join("resolv.conf")),
                    node_hosts: "/etc/hosts".into(),
                    env: EnvFacts::default(),
                },
                max_backoff: Duration::from_secs(300),
                parallel_starts: 4,
            },
            file_check_frequency: Duration::from_secs(20),
            sync_frequency: Duration::from_secs(60),
            adopt,
        };
        Kubelet::start(dependencies, settings, manifests).await
    }
}
