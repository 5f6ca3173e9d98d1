//! `cargo xtask up`: a kubelet at work, in the terminal.
//!
//! ```text
//!   build the agent ─▶ session: runtime, directory, manifests, agent ─▶ look, show, until the end ─▶ all down
//!                                                        runtime's socket ─▶ pods ─┐
//!                                                        agent's log ─────▶ news ──┴─▶ screen
//! ```

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use crate::{apt, machine, versions, workspace};

mod foreign;
mod news;
mod pods;
mod screen;
mod session;

use screen::Screen;
use session::{Directory, Session};

/// How often the runtime is asked when nothing says that it changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often the agent's log is read.
const READ_EVERY: Duration = Duration::from_millis(100);

/// Watch a kubelet run pods, keep them alive, and take them down.
///
/// Builds the agent, starts it with example manifests, and shows its pods and events until Ctrl-C; then everything is
/// taken down again. Without flags it needs no root and installs nothing: the agent's embedded runtime runs each
/// container as a plain process of yours.
///
/// While it runs, use a second terminal: kill the process of a container and see it restarted; edit a manifest and see
/// the pod made anew; remove a manifest and see the pod go. The paths and pids are on the screen.
///
/// PODWRIGHT_BIN in the environment names another agent to start, which is then not built.
#[derive(Debug, Args)]
pub struct Options {
    /// What runs the containers.
    #[arg(long, value_enum, default_value = "embedded")]
    runtime: Runtime,
    /// Use a runtime that is already there, such as unix:///run/containerd/containerd.sock.
    ///
    /// A kubelet kills every pod that it finds and has no manifest for. So this refuses while that runtime holds pods
    /// which this root directory did not make.
    #[arg(long, value_name = "ENDPOINT", conflicts_with = "runtime")]
    endpoint: Option<String>,
    /// With --endpoint: take the runtime over, and let the agent end the pods that it finds there.
    #[arg(long, requires = "endpoint")]
    adopt: bool,
    /// Where everything lies, kept at the end; otherwise a temporary directory, removed at the end.
    #[arg(long, visible_alias = "root", value_name = "DIR")]
    root_dir: Option<PathBuf>,
    /// Start with copies of the manifests in this directory instead of the examples in deploy/manifests.
    #[arg(long, value_name = "DIR")]
    manifests: Option<PathBuf>,
    /// End by itself after this time.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Runtime {
    /// The agent's own: containers are plain processes, without isolation.
    Embedded,
    /// A private containerd, with runc and a CNI network; as root. On Debian and Ubuntu, what is missing is installed.
    Containerd,
}

pub async fn run(options: Options) -> Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let directory = Directory::new(options.root_dir.as_deref())?;
    if let (Some(endpoint), false) = (&options.endpoint, options.adopt) {
        session::refuse_foreign(endpoint, directory.path()).await?;
    }
    build_the_agent()?;
    if options.runtime == Runtime::Containerd {
        apt::install_missing(&versions::read()?, apt::Wanted::Containerd).await?;
        let lacking = machine::lacking_for_containerd();
        if !lacking.is_empty() {
            bail!("--runtime containerd needs {}; `cargo xtask doctor` says more", lacking.join(", "));
        }
    }
    let began = Instant::now();
    let mut session = Session::start(&options, directory).await?;
    let mut screen = Screen::new(session.title(), session.agent.options(), began);
    screen.greet();

    let deadline = options.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let watched = tokio::select! {
        watched = watch(&mut session, &mut screen) => watched,
        () = stop.asked() => Ok(()),
        () = until(deadline) => Ok(()),
    };
    screen.say("Taking everything down (Ctrl-C again to be rough).");
    let calm = tokio::select! {
        calm = session.take_pods_down(&mut screen) => calm,
        () = stop.asked() => Err(anyhow::anyhow!("asked to be rough")),
    };
    if let Err(why) = &calm {
        screen.say(&format!("Ending what is left by its pid: {why:#}."));
    }
    session.end(calm.is_err()).await?;
    screen.say("All down.");
    watched.map(|()| ExitCode::SUCCESS)
}

/// Builds the agent, unless the environment's `PODWRIGHT_BIN` names another one to use.
fn build_the_agent() -> Result<()> {
    if std::env::var_os("PODWRIGHT_BIN").is_some() {
        return Ok(());
    }
    let built =
        workspace::cargo(["build", "-p", "podwright"]).status().context("cargo build -p podwright")?;
    if !built.success() {
        bail!("the agent does not build: cargo build -p podwright: {built}");
    }
    Ok(())
}

/// Looks and shows, until the agent ends by itself, which is an error.
async fn watch(session: &mut Session, screen: &mut Screen) -> Result<()> {
    let mut changes = session.changes();
    let mut read = tokio::time::interval(READ_EVERY);
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        let looks = tokio::select! {
            _ = read.tick() => false,
            _ = look.tick() => true,
            () = changes.next() => true,
        };
        if looks {
            session.look().await;
        }
        screen.show(&session.pods(), session.news());
        if let Some(status) = session.agent.has_ended()? {
            bail!("the agent ended by itself ({status})\n{}", session.agent.log_tail());
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Ctrl-C in the terminal, its closing, and the signal by which other programs ask for an end.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Stop {
    fn listen() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            // The terminal was closed: its pods must not outlive it.
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
