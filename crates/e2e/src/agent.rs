//! The agent as a process, to be killed and started again.
//!
//! ```text
//!   DIR             --root-dir             DIR/logs/pods   --pod-logs-dir (links beside it, in containers)
//!   DIR/manifests   --pod-manifest-path    DIR/agent.log   its stderr, over all its lives
//! ```

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use cri_client::GrpcRuntime;
use nix::sys::signal::Signal;

use crate::containerd::PrivateContainerd;
use crate::process::{self, ProcessId};
use crate::{command, mounts, wait};

mod http;
mod log;

pub use log::{LogLine, LoggedEvent};

/// How long the agent may take to answer `/healthz`, and to end on SIGTERM.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where and how an agent is started.
#[derive(Clone, Debug)]
pub struct AgentOptions {
    /// `--hostname-override`: static pods carry it at the end of their names.
    pub node: String,
    /// `--root-dir`; here manifests and logs lie in it too. Short, since a socket's path has 107 bytes at most.
    pub root_dir: PathBuf,
    /// `--container-runtime-endpoint`.
    pub endpoint: String,
    /// The network namespace that it runs in.
    pub netns: Option<PathBuf>,
    /// `--cgroup-root`.
    pub cgroup_root: Option<String>,
    /// `--healthz-port`; 0 is off.
    pub healthz_port: u16,
    /// More flags.
    pub arguments: Vec<String>,
}

impl AgentOptions {
    /// An agent on a private containerd: inside its directory, namespace and cgroup.
    pub fn on_containerd(containerd: &PrivateContainerd, node: &str) -> Self {
        Self {
            node: node.to_owned(),
            root_dir: containerd.dir().join(node),
            endpoint: containerd.endpoint(),
            netns: Some(containerd.netns()),
            cgroup_root: Some(containerd.cgroup_root()),
            healthz_port: 10248,
            arguments: Vec::new(),
        }
    }

    /// An agent on its embedded runtime, which needs no root.
    ///
    /// # Errors
    /// No free port for `/healthz`.
    pub fn embedded(root_dir: &Path, node: &str) -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Self {
            node: node.to_owned(),
            root_dir: root_dir.to_owned(),
            endpoint: "embedded".to_owned(),
            netns: None,
            cgroup_root: None,
            healthz_port: port,
            arguments: Vec::new(),
        })
    }

    /// `--pod-manifest-path`.
    pub fn manifests(&self) -> PathBuf {
        self.root_dir.join("manifests")
    }

    /// `--pod-logs-dir`.
    pub fn pod_logs(&self) -> PathBuf {
        self.root_dir.join("logs/pods")
    }

    /// The file of the agent's stderr.
    pub fn log_file(&self) -> PathBuf {
        self.root_dir.join("agent.log")
    }

    /// The endpoint at which the runtime can be reached from outside of the agent.
    pub fn runtime_endpoint(&self) -> String {
        match self.endpoint.as_str() {
            "embedded" => format!("unix://{}/embedded-runtime.sock", self.root_dir.display()),
            other => other.to_owned(),
        }
    }

    /// The whole command.
    ///
    /// # Errors
    /// The agent has not been built.
    pub fn command(&self) -> Result<Command> {
        let mut command = command::in_netns(self.netns.as_deref(), agent_program()?.as_os_str());
        command.arg("--root-dir").arg(&self.root_dir);
        command.arg("--pod-manifest-path").arg(self.manifests());
        command.arg("--pod-logs-dir").arg(self.pod_logs());
        command.args(["--hostname-override", &self.node]);
        command.args(["--container-runtime-endpoint", &self.endpoint]);
        command.args(["--healthz-port", &self.healthz_port.to_string(), "--logging-format", "json"]);
        if let Some(cgroup_root) = &self.cgroup_root {
            command.args(["--cgroup-root", cgroup_root]);
        }
        command.args(&self.arguments);
        Ok(command)
    }
}

/// An agent: it runs, or it was ended and can be started again.
#[derive(Debug)]
pub struct Agent {
    options: AgentOptions,
    running: Option<Child>,
}

impl Agent {
    /// Starts an agent; it may not be ready yet.
    ///
    /// # Errors
    /// The agent has not been built, or its directory cannot be made.
    pub fn start(options: AgentOptions) -> Result<Self> {
        for dir in [options.manifests(), options.pod_logs()] {
            fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        }
        let mut agent = Self { options, running: None };
        agent.restart()?;
        Ok(agent)
    }

    /// Starts it again after [`kill9`](Self::kill9) or [`terminate`](Self::terminate).
    ///
    /// # Errors
    /// It runs already, or cannot be started.
    pub fn restart(&mut self) -> Result<()> {
        if let Some(running) = &self.running {
            bail!("the agent of {} runs already, as process {}", self.options.node, running.id());
        }
        let log = File::options().create(true).append(true).open(self.options.log_file())?;
        let mut command = self.options.command()?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // Ctrl-C in a terminal goes to the whole process group, and must not end the agent before its pods.
        command.process_group(0);
        self.running = Some(command.spawn().context("starting the agent")?);
        Ok(())
    }

    /// Kills it with SIGKILL and reaps it.
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill9(&mut self) -> Result<()> {
        self.end(Signal::SIGKILL).await
    }

    /// Ends it with SIGTERM, as a service manager does. Containers keep running.
    ///
    /// # Errors
    /// It does not run, or does not end; with the end of its log.
    pub async fn terminate(&mut self) -> Result<()> {
        self.end(Signal::SIGTERM).await
    }

    async fn end(&mut self, signal: Signal) -> Result<()> {
        let Some(mut running) = self.running.take() else {
            bail!("the agent of {} does not run", self.options.node);
        };
        let ended = command::end(&mut running, signal, PATIENCE).await;
        if ended.is_err() {
            self.running = Some(running);
        }
        ended.with_context(|| self.log_tail())
    }

    /// Whether it ended by itself, and how; forgets the process then.
    ///
    /// # Errors
    /// The process cannot be asked.
    pub fn has_ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        let Some(running) = &mut self.running else { return Ok(None) };
        let ended = running.try_wait()?;
        if ended.is_some() {
            self.running = None;
        }
        Ok(ended)
    }

    /// Waits until `/healthz` answers with `ok`.
    ///
    /// # Errors
    /// It ended, or does not answer; with the end of its log.
    pub async fn healthy(&mut self) -> Result<()> {
        let waited = wait::until("the agent's /healthz", PATIENCE, async || {
            // That it ended is an answer too; nothing would come after it.
            if let Some(status) = self.has_ended().map_err(|e| e.to_string())? {
                return Ok(Some(status));
            }
            match self.healthz().await {
                Ok(body) if body.trim() == "ok" => Ok(None),
                Ok(body) => Err(format!("it says {body:?}")),
                Err(e) => Err(format!("{e:#}")),
            }
        });
        match waited.await {
            Ok(None) => Ok(()),
            Ok(Some(status)) => bail!("the agent ended by itself ({status})\n{}", self.log_tail()),
            Err(timed_out) => bail!("{timed_out}\n{}", self.log_tail()),
        }
    }

    async fn healthz(&self) -> Result<String> {
        let port = self.options.healthz_port;
        if port == 0 {
            bail!("/healthz is off");
        }
        http::get(self.options.netns.clone(), port, "/healthz").await
    }

    /// Puts a manifest into the directory, whole or not at all: written beside it and moved in.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn put_manifest(&self, name: &str, text: &str) -> Result<()> {
        let whole = self.options.root_dir.join(format!(".{name}.new"));
        fs::write(&whole, text)?;
        Ok(fs::rename(whole, self.options.manifests().join(name))?)
    }

    /// Removes a manifest.
    ///
    /// # Errors
    /// It is not there.
    pub fn remove_manifest(&self, name: &str) -> Result<()> {
        let path = self.options.manifests().join(name);
        fs::remove_file(&path).with_context(|| path.display().to_string())
    }

    /// Everything it wrote so far, over all its lives.
    pub fn log(&self) -> String {
        fs::read_to_string(self.options.log_file()).unwrap_or_default()
    }

    /// Whether its log has this text.
    pub fn log_contains(&self, text: &str) -> bool {
        self.log().contains(text)
    }

    /// The pod events that it wrote so far, over all its lives.
    pub fn events(&self) -> Vec<LoggedEvent> {
        self.log().lines().filter_map(LogLine::parse).filter_map(|line| line.event()).collect()
    }

    /// The end of its log, for messages.
    pub fn log_tail(&self) -> String {
        crate::log_tail(&self.options.log_file())
    }

    /// How it was started.
    pub fn options(&self) -> &AgentOptions {
        &self.options
    }

    /// A client of its runtime.
    pub fn runtime(&self) -> GrpcRuntime {
        GrpcRuntime::new(&self.options.runtime_endpoint(), cri_client::DEFAULT_REQUEST_TIMEOUT)
            .expect("the endpoint was given to the agent, which refuses any but an absolute path")
    }

    /// The process, while it runs.
    pub fn process(&self) -> Option<ProcessId> {
        ProcessId::of(i32::try_from(self.running.as_ref()?.id()).ok()?)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ended = running.kill();
            let _reaped = running.wait();
        }
        if self.options.endpoint == "embedded" {
            end_embedded_runtime(&self.options.root_dir);
        }
        mounts::unmount_below(&self.options.root_dir);
    }
}

/// Ends what the embedded runtime of this root directory left running. Returns whether all are gone.
///
/// These are its shims (the agent's binary, started with a path of that directory), the containers that its state names
/// by pid and start time (a container outlives a killed shim), and whatever these started.
pub fn end_embedded_runtime(root_dir: &Path) -> bool {
    let state = root_dir.join("embedded-runtime");
    let inside = state.display().to_string();
    wait::until_blocking(PATIENCE, || {
        let mut living = process::running(|command| {
            let program = command.first().and_then(|p| p.rsplit('/').next()).unwrap_or_default();
            program == "podwright" && command.iter().skip(1).any(|argument| argument.contains(&inside))
        });
        living.extend(recorded_containers(&state).into_iter().filter(|container| container.is_alive()));
        living.extend(process::descendants(&living));
        for process in &living {
            process.signal(Signal::SIGKILL);
        }
        living.is_empty()
    })
}

/// The processes that the embedded runtime wrote down as containers.
fn recorded_containers(state: &Path) -> Vec<ProcessId> {
    let recorded = |dir: fs::DirEntry| -> Option<ProcessId> {
        let started: serde_json::Value =
            serde_json::from_slice(&fs::read(dir.path().join("started.json")).ok()?).ok()?;
        let process = &started["process"];
        Some(ProcessId {
            pid: i32::try_from(process["pid"].as_i64()?).ok()?,
            start_time: process["start_time"].as_u64()?,
        })
    };
    fs::read_dir(state.join("containers")).into_iter().flatten().flatten().filter_map(recorded).collect()
}

/// The agent's program: the environment's `PODWRIGHT_BIN`, or the one beside this test's own directory in `target`.
///
/// # Errors
/// It is not there; with the command that builds it.
pub fn agent_program() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("PODWRIGHT_BIN") {
        return Ok(PathBuf::from(chosen));
    }
    let me = std::env::current_exe()?;
    // target/debug/deps/test-1234, target/debug/examples/x or target/debug/xtask
    let found = me.ancestors().skip(1).take(2).map(|dir| dir.join("podwright")).find(|file| file.is_file());
    found.with_context(|| {
        format!("the agent is not built: run `cargo build -p podwright` (looked beside {})", me.display())
    })
}
