//! An agent on a containerd of its own, and what tests ask of the two.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cri_client::GrpcRuntime;
use e2e::{Agent, AgentOptions, ContainerView, NodeView, PrivateContainerd, SandboxView, wait};
use tokio::sync::{Mutex, MutexGuard};

/// What an agent is given to bring its pods up or down when nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What it is given to notice a change behind its back and put it right.
pub const CONVERGES_WITHIN: Duration = Duration::from_secs(3);

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

pub struct Node {
    // In this order: the agent ends before its runtime does.
    pub agent: Agent,
    pub containerd: PrivateContainerd,
    pub runtime: GrpcRuntime,
    _turn: MutexGuard<'static, ()>,
}

/// A pod of one container that runs until it is told to end, and ends at once then.
pub fn manifest(name: &str) -> String {
    manifest_of(name, "trap 'exit 0' TERM; sleep 3600 & wait")
}

pub fn manifest_of(name: &str, script: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  terminationGracePeriodSeconds: 2\n  containers:\n  \
         - name: main\n    image: docker.io/library/busybox:1.36\n    command: [sh, -c, \"{script}\"]\n"
    )
}

impl Node {
    pub async fn start() -> Result<Self> {
        let turn = ONE_AT_A_TIME.lock().await;
        let containerd = PrivateContainerd::launch().await?;
        let mut options = AgentOptions::on_containerd(&containerd, "node1");
        // Without it, every pod start warns about its absence.
        options.arguments.push("--cluster-dns=10.96.0.10".to_owned());
        let mut agent = Agent::start(options)?;
        agent.healthy().await?;
        let runtime = containerd.client();
        Ok(Self { agent, containerd, runtime, _turn: turn })
    }

    /// A node with pods of these names, all running.
    pub async fn with_pods(names: &[&str]) -> Result<Self> {
        let node = Self::start().await?;
        for name in names {
            node.put(name)?;
        }
        node.settles(names, PATIENCE).await?;
        Ok(node)
    }

    pub fn put(&self, name: &str) -> Result<()> {
        self.agent.put_manifest(&format!("{name}.yaml"), &manifest(name))
    }

    pub fn remove(&self, name: &str) -> Result<()> {
        self.agent.remove_manifest(&format!("{name}.yaml"))
    }

    pub async fn view(&self) -> Result<NodeView> {
        Ok(NodeView::read(&self.runtime).await?)
    }

    /// Waits until exactly these pods run: each in one ready sandbox, its container once, and nothing else.
    pub async fn settles(&self, names: &[&str], within: Duration) -> Result<NodeView> {
        let settled = wait::until(format!("exactly {names:?} to run"), within, async || {
            let view = self.view().await.map_err(|e| format!("{e:#}"))?;
            if is_exactly(&view, names) { Ok(view) } else { Err(view.to_string()) }
        });
        settled.await.with_context(|| self.agent.log_tail())
    }

    /// The sandbox of a pod that is ready, and the container in it that runs.
    pub fn up<'a>(view: &'a NodeView, name: &str) -> Result<(&'a SandboxView, &'a ContainerView)> {
        let pod = format!("{name}-node1");
        let sandbox = view.sandboxes.iter().find(|s| s.pod.name == pod && s.ready);
        let sandbox = sandbox.with_context(|| format!("no ready sandbox of {pod}: {view}"))?;
        let running = sandbox.containers.iter().find(|c| c.process.is_some());
        Ok((sandbox, running.with_context(|| format!("nothing runs in {pod}: {view}"))?))
    }
}

fn is_exactly(view: &NodeView, names: &[&str]) -> bool {
    let wanted: BTreeSet<String> = names.iter().map(|name| format!("default/{name}-node1/main")).collect();
    let running = view.running();
    let found: BTreeSet<String> = running.iter().map(|(name, _)| name.clone()).collect();
    let ready = view.sandboxes.iter().filter(|s| s.ready).count();
    found == wanted
        && running.len() == wanted.len()
        && ready == wanted.len()
        && running.iter().all(|(_, container)| container.process.is_some())
}

/// Every container but that of `touched` has the process that it had.
pub fn untouched(before: &NodeView, after: &NodeView, touched: &[&str]) -> Result<()> {
    let of_others = |view: &NodeView| -> BTreeMap<_, _> {
        let touches = |name: &String| touched.iter().any(|pod| name.contains(&format!("/{pod}-node1/")));
        view.processes().into_iter().filter(|(name, _)| !touches(name)).collect()
    };
    let (before, after) = (of_others(before), of_others(after));
    ensure!(!before.is_empty(), "nothing was left alone, so nothing is shown");
    for (name, process) in &before {
        ensure!(after.get(name) == Some(process), "{name} was {process:?} and is {:?}", after.get(name));
    }
    Ok(())
}
