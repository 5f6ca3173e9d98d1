//! Where a part is measured: an agent on a private containerd, and the floor on another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use clock::{Clock, Random};
use cri_client::GrpcRuntime;
use e2e::oci_image::BUSYBOX;
use e2e::{NodeView, PrivateContainerd, ProcessId, SandboxView};
use jiff::Timestamp;
use nix::sys::signal::Signal;

use crate::agent::{AgentCommand, MeasuredAgent, Places};
use crate::bare::Bare;
use crate::started::{all_gone, all_started};

/// What every container runs: it says a word, obeys SIGTERM at once, and otherwise sleeps.
pub const SCRIPT: &str = "echo up; trap 'exit 0' TERM; sleep 1000000 & wait";

/// How often the bench looks whether the agent still runs while it waits for it.
const LOOK: Duration = Duration::from_millis(500);

/// What is measured, and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The agent.
    pub agent: AgentCommand,
    /// Over each part's own number of samples.
    pub samples: Option<usize>,
    /// How many pods the burst has.
    pub burst_pods: usize,
    /// How many bursts.
    pub burst_rounds: usize,
    /// How many pods run while idling.
    pub idle_pods: usize,
    /// How long idling is measured.
    pub idle: Duration,
    /// How long the agent is left alone before.
    pub settle: Duration,
    /// Where the agent's logs are kept, a file for each part; else they go with the node.
    pub log_dir: Option<PathBuf>,
}

/// An agent on a containerd of its own.
#[derive(Debug)]
pub struct Node {
    /// The agent. Before its runtime, since values are dropped in this order.
    pub agent: MeasuredAgent,
    /// Its runtime.
    pub containerd: PrivateContainerd,
    /// A client of that runtime for the bench.
    pub client: GrpcRuntime,
    /// Wall time: the runtime stamps with the same one.
    pub clock: Clock,
    /// Chance.
    pub random: Random,
    log: PathBuf,
}

/// The floor on a containerd of its own.
#[derive(Debug)]
pub struct Floor {
    /// The one that makes the calls.
    pub bare: Bare,
    /// A client for the bench's questions.
    pub client: GrpcRuntime,
    /// Held so that it lives as long.
    pub containerd: PrivateContainerd,
}

impl Floor {
    /// Starts the runtime.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn launch() -> Result<Self> {
        let containerd = PrivateContainerd::launch().await.context("a containerd for the floor")?;
        Ok(Self { bare: Bare::on(&containerd), client: containerd.client(), containerd })
    }
}

impl Node {
    /// Starts runtime and agent, and lets a pod come and go, so that the agent is known to work and has done everything
    /// once.
    ///
    /// # Errors
    /// One of them does not work; with the end of the agent's log.
    pub async fn launch(plan: &Plan, part: &str) -> Result<Self> {
        let containerd = PrivateContainerd::launch().await.context("a containerd for the agent")?;
        let log = match &plan.log_dir {
            Some(dir) => dir.join(format!("{part}.log")),
            None => containerd.dir().join("agent.log"),
        };
        if let Some(dir) = log.parent() {
            std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        }
        let agent = MeasuredAgent::start(&plan.agent, &containerd, Places::on(&containerd), &log)?;
        let client = containerd.client();
        let (clock, random) = (Clock::system(), Random::from_machine());
        let node = Self { agent, containerd, client, clock, random, log };
        let warm_up = names("warm-up", 1);
        node.put_all(&warm_up).await?;
        node.remove_all(&warm_up).await?;
        Ok(node)
    }

    /// The same node with another agent process, which reaches the runtime through `endpoint`. Pods stay.
    ///
    /// # Errors
    /// The old one does not end, or the new one does not start.
    pub async fn with_endpoint(self, plan: &Plan, endpoint: String) -> Result<Self> {
        let Self { agent, containerd, client, clock, random, log } = self;
        agent.stop().await?;
        let places = Places { endpoint, ..Places::on(&containerd) };
        let agent = MeasuredAgent::start(&plan.agent, &containerd, places, &log)?;
        Ok(Self { agent, containerd, client, clock, random, log })
    }

    /// The pod that the agent makes of a manifest with this name: static pods carry the node's name.
    pub fn pod_of(&self, manifest: &str) -> String {
        format!("{manifest}-{}", self.agent.node())
    }

    /// The pods of several manifests.
    pub fn pods_of(&self, manifests: &[String]) -> BTreeSet<String> {
        manifests.iter().map(|name| self.pod_of(name)).collect()
    }

    /// Puts manifests and waits until all pods run.
    ///
    /// # Errors
    /// They do not come; with the end of the agent's log.
    pub async fn put_all(&self, manifests: &[String]) -> Result<()> {
        for name in manifests {
            self.agent.put_manifest(name, &manifest(name), &self.clock)?;
        }
        self.awaited(all_started(&self.client, &self.pods_of(manifests))).await?;
        Ok(())
    }

    /// Removes manifests and waits until all pods are gone.
    ///
    /// # Errors
    /// They do not go; with the end of the agent's log.
    pub async fn remove_all(&self, manifests: &[String]) -> Result<()> {
        for name in manifests {
            self.agent.remove_manifest(name)?;
        }
        self.awaited(all_gone(&self.client, &self.pods_of(manifests))).await
    }

    /// Lets a random time pass, so that an agent that looks on a period is not met at the same point of it every time.
    pub async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(200 + self.random.below(1000))).await;
    }

    /// Kills a process with SIGKILL. Returns the moment just before.
    ///
    /// # Errors
    /// It is gone already.
    pub fn kill(&self, process: ProcessId) -> Result<Timestamp> {
        let at = self.clock.now();
        ensure!(process.signal(Signal::SIGKILL), "process {} is gone already", process.pid);
        Ok(at)
    }

    /// Waits for something that the agent has to do; a failure comes with the end of its log.
    ///
    /// # Errors
    /// The one that was waited for, and that the agent ends.
    pub async fn awaited<T>(&self, done: impl Future<Output = Result<T>>) -> Result<T> {
        let ended = async {
            while self.agent.process().is_ok() {
                tokio::time::sleep(LOOK).await;
            }
        };
        let result = tokio::select! {
            biased;
            result = done => result,
            () = ended => Err(anyhow!("the agent has ended")),
        };
        result.map_err(|error| anyhow!("{error:#}; {}", self.agent.log_tail()))
    }
}

/// The running containers with their processes, by the name of their pod; a pod has one container here.
///
/// # Errors
/// The runtime does not answer.
pub async fn containers(client: &GrpcRuntime) -> Result<BTreeMap<String, (String, ProcessId)>> {
    let view = NodeView::read(client).await?;
    let of_pod = |sandbox: SandboxView| {
        let one = sandbox.containers.into_iter().find_map(|c| Some((c.id, c.process?)))?;
        Some((sandbox.pod.name, one))
    };
    Ok(view.sandboxes.into_iter().filter_map(of_pod).collect())
}

/// `burst-01`, `burst-02` and so on.
pub fn names(prefix: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{prefix}-{number:02}")).collect()
}

/// The manifest of a pod with one container.
pub fn manifest(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  dnsPolicy: Default\n  \
         terminationGracePeriodSeconds: 1\n  containers:\n    - {{name: main, image: '{BUSYBOX}', command: [sh, -c, \"{SCRIPT}\"]}}\n"
    )
}
