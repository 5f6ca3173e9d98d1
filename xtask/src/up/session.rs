//! Everything that `up` starts, and taking it down again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use cri_client::{GrpcRuntime, RuntimeService as _, v1};
use e2e::{Agent, AgentOptions, NodeView, PrivateContainerd, wait};
use futures::StreamExt as _;
use nix::sys::signal::Signal;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::news::News;
use super::pods::{self, Row};
use super::screen::Screen;
use super::{Options, Runtime, foreign};
use crate::workspace;

/// The node's name; static pods carry it at the end of their names.
const NODE: &str = "node1";

/// How long pods may take to go: the longest grace period of the examples, and then some.
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// How often a person is told what is still waited for.
const WORD_EVERY: Duration = Duration::from_secs(5);

/// Where everything of a session lies.
pub enum Directory {
    /// A directory that the person chose; it stays.
    Kept(PathBuf),
    /// One that goes with the session.
    Temporary(tempfile::TempDir),
}

impl Directory {
    /// The chosen one, or a new one.
    pub fn new(chosen: Option<&Path>) -> Result<Self> {
        Ok(match chosen {
            Some(chosen) => Self::Kept(std::path::absolute(chosen)?),
            // Short, because a socket's path has 107 bytes at most.
            None => Self::Temporary(tempfile::Builder::new().prefix("podwright-up-").tempdir()?),
        })
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(temporary) => temporary.path(),
        }
    }
}

/// A running `up`. The fields are dropped in this order: the agent before its runtime, the directory last.
pub struct Session {
    pub agent: Agent,
    containerd: Option<PrivateContainerd>,
    _directory: Directory,
    runtime: GrpcRuntime,
    /// On a runtime that others may use too: the pods that were seen to be this session's.
    own: Option<BTreeSet<pod_model::PodUid>>,
    node: NodeView,
    news: News,
}

impl Session {
    /// Starts the runtime and the agent, with the manifests in place.
    pub async fn start(options: &Options, directory: Directory) -> Result<Self> {
        let root_dir = directory.path().to_owned();
        let containerd = match options.runtime {
            Runtime::Containerd => Some(PrivateContainerd::launch().await?),
            Runtime::Embedded => None,
        };
        let mut agent = match &containerd {
            Some(containerd) => AgentOptions::on_containerd(containerd, NODE),
            None => AgentOptions::embedded(&root_dir, NODE)?,
        };
        agent.root_dir = root_dir;
        if let Some(endpoint) = &options.endpoint {
            agent.endpoint.clone_from(endpoint);
        }
        if options.adopt {
            agent.arguments.push("--adopt".to_owned());
        }
        copy_manifests(options.manifests.as_deref(), &agent.manifests())?;
        let news = News::of(agent.log_file());
        let mut agent = Agent::start(agent)?;
        agent.healthy().await?;
        Ok(Self {
            runtime: agent.runtime(),
            agent,
            containerd,
            _directory: directory,
            own: options.endpoint.as_ref().map(|_| BTreeSet::new()),
            node: NodeView::default(),
            news,
        })
    }

    /// What runs here, in one line.
    pub fn title(&self) -> String {
        let runtime = match (&self.containerd, &self.own) {
            (Some(containerd), _) => format!("a private containerd {}", containerd.version()),
            (None, Some(_)) => self.agent.options().endpoint.clone(),
            (None, None) => "its embedded runtime (plain processes, no isolation)".to_owned(),
        };
        format!("Podwright, node {NODE}, on {runtime}")
    }

    /// Asks the runtime and reads the log. When the runtime does not answer, the last picture stays.
    pub async fn look(&mut self) {
        self.news.read();
        let Ok(mut node) = NodeView::read(&self.runtime).await else { return };
        if let Some(own) = &mut self.own {
            let root_dir = &self.agent.options().root_dir;
            node.sandboxes.retain(|sandbox| {
                // The agent removes a pod's directory before the pod's last sandbox.
                let is_own = foreign::is_own(sandbox, root_dir) || own.contains(&sandbox.pod.uid);
                if is_own {
                    own.insert(sandbox.pod.uid.clone());
                }
                is_own
            });
        }
        self.node = node;
    }

    /// The pods of the last look.
    pub fn pods(&mut self) -> Vec<Row> {
        self.news.read();
        pods::rows(&self.node, &self.news)
    }

    /// What the agent said.
    pub fn news(&self) -> &News {
        &self.news
    }

    /// Tells of changes at once where events may be listened to. containerd 1.7 splits its events between listeners, so
    /// that each one taken here would be kept from the agent; there the runtime is only asked from time to time.
    pub fn changes(&self) -> Changes {
        let (tell, told) = mpsc::channel(1);
        if self.agent.options().endpoint == "embedded" {
            let runtime = self.runtime.clone();
            tokio::spawn(async move {
                while !tell.is_closed() {
                    if let Ok(mut events) = runtime.get_container_events().await {
                        while events.next().await.is_some_and(|event| event.is_ok()) {
                            // A full channel already says that something changed.
                            let _told = tell.try_send(());
                        }
                    }
                    // Not there yet, or gone for a moment.
                    tokio::time::sleep(super::READ_EVERY).await;
                }
            });
        }
        Changes(told)
    }

    /// Removes the manifests and waits until nothing of the pods is up.
    pub async fn take_pods_down(&mut self, screen: &mut Screen) -> Result<()> {
        if self.agent.has_ended()?.is_some() || self.agent.process().is_none() {
            bail!("the agent does not run");
        }
        put_away(&self.agent.options().manifests())?;
        let began = Instant::now();
        let mut next_word = WORD_EVERY;
        wait::until("all pods to be stopped", GONE_WITHIN, async || {
            self.look().await;
            screen.show(&self.pods(), self.news());
            if self.node.is_quiet() {
                return Ok(());
            }
            if began.elapsed() >= next_word {
                next_word += WORD_EVERY;
                screen.say(&format!(
                    "The agent still has to stop {} processes; at {} s they are ended without it.",
                    self.node.pids().len(),
                    GONE_WITHIN.as_secs()
                ));
            }
            Err(self.node.to_string())
        })
        .await?;
        Ok(())
    }

    /// Ends the agent and, when asked to be rough, the processes of containers that are still there.
    pub async fn end(mut self, roughly: bool) -> Result<()> {
        if self.agent.process().is_some() {
            self.agent.terminate().await?;
        }
        if roughly {
            for process in self.node.pids() {
                process.signal(Signal::SIGKILL);
            }
        }
        if self.own.is_some() {
            // The agent's garbage collection would remove them in time; it has none left.
            for sandbox in &self.node.sandboxes {
                let id = sandbox.id.clone();
                self.runtime
                    .stop_pod_sandbox(v1::StopPodSandboxRequest { pod_sandbox_id: id.clone() })
                    .await?;
                self.runtime.remove_pod_sandbox(v1::RemovePodSandboxRequest { pod_sandbox_id: id }).await?;
            }
        }
        Ok(())
    }
}

/// Says when the runtime changed; for ever silent where it may not be listened to.
pub struct Changes(mpsc::Receiver<()>);

impl Changes {
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Refuses a runtime that holds somebody else's pods. Nothing is changed there to find out.
pub async fn refuse_foreign(endpoint: &str, root_dir: &Path) -> Result<()> {
    let runtime = GrpcRuntime::new(endpoint, cri_client::DEFAULT_REQUEST_TIMEOUT)?;
    let node =
        NodeView::read(&runtime).await.with_context(|| format!("looking at the runtime at {endpoint}"))?;
    let foreign = foreign::sandboxes(&node, root_dir);
    if !foreign.is_empty() {
        bail!(foreign::refusal(endpoint, &foreign));
    }
    Ok(())
}

/// Copies the manifests of `from` (the examples when nothing is given) into the directory that the agent watches.
fn copy_manifests(from: Option<&Path>, to: &Path) -> Result<()> {
    let from = from.map_or_else(|| workspace::root().join("deploy/manifests"), Path::to_owned);
    std::fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for file in files(&from)? {
        let name = file.file_name().unwrap_or_default();
        std::fs::copy(&file, to.join(name)).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// Moves every manifest out of the directory into one beside it, so that nothing that was edited is lost.
fn put_away(manifests: &Path) -> Result<()> {
    let aside = manifests.with_file_name("manifests-of-last-time");
    std::fs::create_dir_all(&aside).with_context(|| aside.display().to_string())?;
    for file in files(manifests)? {
        let name = file.file_name().unwrap_or_default();
        std::fs::rename(&file, aside.join(name)).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_copied_and_later_put_aside_never_lost() {
        let dir = tempfile::tempdir().expect("a directory");
        let (from, to) = (dir.path().join("from"), dir.path().join("manifests"));
        std::fs::create_dir(&from).expect("made");
        std::fs::write(from.join("a.yaml"), "a").expect("written");
        copy_manifests(Some(&from), &to).expect("copied");
        std::fs::write(to.join("own.yaml"), "mine").expect("written");
        put_away(&to).expect("moved");
        assert_eq!(files(&to).expect("listed"), Vec::<PathBuf>::new());
        let aside = dir.path().join("manifests-of-last-time");
        assert_eq!(std::fs::read_to_string(aside.join("own.yaml")).expect("kept"), "mine");
        assert!(from.join("a.yaml").is_file(), "what was copied from stays");
    }

    #[test]
    fn the_examples_are_there() {
        let dir = tempfile::tempdir().expect("a directory");
        copy_manifests(None, dir.path()).expect("copied");
        assert!(dir.path().join("web.yaml").is_file(), "the screen suggests to remove it");
    }
}
