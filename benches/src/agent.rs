//! The agent under measurement: a command, and the process that it became.
//!
//! Any kubelet will do that takes static pods from a directory and speaks CRI over a socket. Its command is a template:
//! words with places to be filled in, such as `{manifests}`.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clock::Clock;
use e2e::{PrivateContainerd, ProcessId, wait};
use jiff::Timestamp;
use nix::sys::signal::Signal;

/// The flags of the kubelet that every measured agent needs; `podwright` is started with just these.
pub const FLAGS: &str = "--root-dir {root} --pod-manifest-path {manifests} --pod-logs-dir {logs} --hostname-override {node} \
    --container-runtime-endpoint {endpoint} --cgroup-root {cgroup}";

/// How long an agent may take to end on SIGTERM.
const PATIENCE: Duration = Duration::from_secs(30);

/// How an agent is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentCommand {
    template: Vec<String>,
}

impl AgentCommand {
    /// A template, split at white space; no shell reads it. A wrapper script must `exec` the agent, since the process
    /// that is started is the one that is measured.
    ///
    /// # Errors
    /// It is empty, or has a place that nobody knows.
    pub fn new(template: &str) -> Result<Self> {
        let template: Vec<String> = template.split_ascii_whitespace().map(str::to_owned).collect();
        if template.is_empty() {
            bail!("the agent's command is empty");
        }
        let command = Self { template };
        command.filled(&Places::default())?;
        Ok(command)
    }

    /// `podwright` as `cargo build --release` leaves it, with more flags.
    ///
    /// # Errors
    /// It is not built; with the command that builds it.
    pub fn podwright(more_flags: &str) -> Result<Self> {
        let me = std::env::current_exe()?;
        // target/release/node-bench, or target/debug/node-bench: what is measured is the release build in any case.
        let program = me.ancestors().nth(2).map(|target| target.join("release/podwright"));
        let program = program.filter(|file| file.is_file()).with_context(|| {
            format!("the agent is not built: run `cargo build --release -p podwright` (looked in target/release, seen from {})", me.display())
        })?;
        let mut template = vec![program.display().to_string()];
        template.extend(format!("{FLAGS} {more_flags}").split_ascii_whitespace().map(str::to_owned));
        Ok(Self { template })
    }

    /// The words of the command.
    fn filled(&self, places: &Places) -> Result<Vec<String>> {
        let fill = |word: &String| -> Result<String> {
            let (mut filled, mut rest) = (String::new(), word.as_str());
            while let Some((before, (name, after))) =
                rest.split_once('{').and_then(|(before, from)| Some((before, from.split_once('}')?)))
            {
                filled += before;
                filled += &match name {
                    "root" => places.root.display().to_string(),
                    "manifests" => places.manifests().display().to_string(),
                    "logs" => places.logs().display().to_string(),
                    "node" => places.node.clone(),
                    "endpoint" => places.endpoint.clone(),
                    "cgroup" => places.cgroup.clone(),
                    _ => bail!(
                        "{{{name}}} in the agent's command: must be one of {{root}}, {{manifests}}, {{logs}}, {{node}}, {{endpoint}}, {{cgroup}}"
                    ),
                };
                rest = after;
            }
            Ok(filled + rest)
        };
        self.template.iter().map(fill).collect()
    }
}

impl std::fmt::Display for AgentCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.template.join(" "))
    }
}

/// What is filled into a command: the agent's place on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The agent's own directory.
    pub root: PathBuf,
    /// The node's name.
    pub node: String,
    /// The runtime's socket, as `unix://…`.
    pub endpoint: String,
    /// The cgroup below which the pods' cgroups go.
    pub cgroup: String,
}

impl Places {
    /// An agent's place inside a private containerd's directory, so that both go together.
    pub fn on(containerd: &PrivateContainerd) -> Self {
        Self {
            root: containerd.dir().join("node"),
            node: "n1".to_owned(),
            endpoint: containerd.endpoint(),
            cgroup: containerd.cgroup_root(),
        }
    }

    /// Where manifests go.
    pub fn manifests(&self) -> PathBuf {
        self.root.join("manifests")
    }

    /// Where pod logs go.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs/pods")
    }
}

/// A running agent. Dropping it kills it; its pods live on, for the runtime's owner to end.
#[derive(Debug)]
pub struct MeasuredAgent {
    places: Places,
    log: PathBuf,
    child: Child,
}

impl MeasuredAgent {
    /// Starts an agent in the runtime's network namespace; `log` takes its output, after what is there already.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(
        command: &AgentCommand,
        containerd: &PrivateContainerd,
        places: Places,
        log: &Path,
    ) -> Result<Self> {
        for dir in [places.manifests(), places.logs()] {
            fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        }
        let output =
            File::options().create(true).append(true).open(log).with_context(|| log.display().to_string())?;
        let words = command.filled(&places)?;
        let (program, arguments) = words.split_first().context("the agent's command is empty")?;
        let mut start = containerd.command_in_netns(program);
        start.args(arguments).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // Ctrl-C in a terminal goes to the whole process group, and must not end the agent before the bench.
        start.process_group(0);
        let child = start.spawn().with_context(|| format!("start {program}"))?;
        Ok(Self { places, log: log.to_owned(), child })
    }

    /// Puts a manifest into the directory: written beside it and moved in. Returns the moment just before the move.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn put_manifest(&self, name: &str, text: &str, clock: &Clock) -> Result<Timestamp> {
        let whole = self.places.root.join(format!(".{name}.new"));
        fs::write(&whole, text)?;
        let moved_at = clock.now();
        fs::rename(whole, self.places.manifests().join(format!("{name}.yaml")))?;
        Ok(moved_at)
    }

    /// Removes a manifest.
    ///
    /// # Errors
    /// It is not there.
    pub fn remove_manifest(&self, name: &str) -> Result<()> {
        let path = self.places.manifests().join(format!("{name}.yaml"));
        fs::remove_file(&path).with_context(|| path.display().to_string())
    }

    /// The node's name.
    pub fn node(&self) -> &str {
        &self.places.node
    }

    /// The process.
    ///
    /// # Errors
    /// It has ended; with the end of its log.
    pub fn process(&self) -> Result<ProcessId> {
        let process = ProcessId::of(i32::try_from(self.child.id())?);
        process.with_context(|| format!("the agent has ended; {}", self.log_tail()))
    }

    /// How many lines it has logged so far.
    pub fn logged_lines(&self) -> usize {
        self.log_text().lines().count()
    }

    fn log_text(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The end of its log, for messages.
    pub fn log_tail(&self) -> String {
        const LINES: usize = 15;
        let text = self.log_text();
        let lines: Vec<&str> = text.lines().collect();
        format!("the end of its log:\n{}", lines[lines.len().saturating_sub(LINES)..].join("\n"))
    }

    /// Ends it with SIGTERM. Its pods stay.
    ///
    /// # Errors
    /// It does not end.
    pub async fn stop(mut self) -> Result<()> {
        self.process()?.signal(Signal::SIGTERM);
        wait::until("the agent to end on SIGTERM", PATIENCE, async || match self.child.try_wait() {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err("it runs".to_owned()),
            Err(e) => Err(e.to_string()),
        })
        .await?;
        Ok(())
    }
}

impl Drop for MeasuredAgent {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places { root: "/r".into(), node: "n1".into(), endpoint: "unix:///s".into(), cgroup: "/c".into() }
    }

    #[test]
    fn a_template_is_filled_word_by_word() {
        let command = AgentCommand::new(&format!("/bin/kubelet  {FLAGS} --v=2 --x={{node}}-{{node}}"))
            .expect("a template");
        let words = command.filled(&places()).expect("filled").join(" ");
        assert_eq!(
            words,
            "/bin/kubelet --root-dir /r --pod-manifest-path /r/manifests --pod-logs-dir /r/logs/pods --hostname-override n1 \
             --container-runtime-endpoint unix:///s --cgroup-root /c --v=2 --x=n1-n1"
        );
    }

    #[test]
    fn what_is_filled_in_is_not_read_again() {
        let odd = Places { root: "/{node}".into(), ..places() };
        assert_eq!(
            AgentCommand::new("a {root}").expect("a template").filled(&odd).expect("filled"),
            ["a", "/{node}"]
        );
    }

    #[test]
    fn an_unknown_place_is_refused_by_name() {
        let why = AgentCommand::new("kubelet {socket}").expect_err("refused").to_string();
        assert!(why.starts_with("{socket} in the agent's command: must be one of {root}"), "{why}");
        assert_eq!(AgentCommand::new(" ").expect_err("refused").to_string(), "the agent's command is empty");
        AgentCommand::new("sh-{} x").expect_err("an empty name is unknown too");
    }
}
