//! `up` as a person meets it: pods come up, a killed container is started again, a removed manifest takes its pod along,
//! and Ctrl-C leaves nothing behind. On the embedded runtime, so it needs neither root nor containerd.

use std::process::Stdio;
use std::time::Duration;

use e2e::{ProcessId, process};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

const PATIENCE: Duration = Duration::from_secs(60);

struct Up {
    xtask: Child,
    lines: Lines<BufReader<ChildStdout>>,
    seen: Vec<String>,
}

impl Up {
    fn start() -> Self {
        let mut xtask = tokio::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
        // The agent that was built for the tests, not one built now from sources that may have changed since.
        xtask.env("PODWRIGHT_BIN", e2e::agent::agent_program().expect("a built agent"));
        // It ends by itself should this test die.
        xtask.args(["up", "--for", "200"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut xtask = xtask.spawn().expect("started");
        let lines = BufReader::new(xtask.stdout.take().expect("its output")).lines();
        Self { xtask, lines, seen: Vec::new() }
    }

    /// Reads on until a line has all these parts.
    async fn line_with(&mut self, parts: &[&str]) -> String {
        self.line(&format!("with {parts:?}"), |line| parts.iter().all(|part| line.contains(part))).await
    }

    async fn line(&mut self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let found = tokio::time::timeout(PATIENCE, async {
            while let Some(line) = self.lines.next_line().await.expect("its output") {
                self.seen.push(line.clone());
                if is_it(&line) {
                    return Some(line);
                }
            }
            None
        });
        let found = found.await.unwrap_or_default();
        found.unwrap_or_else(|| panic!("no line {what} in:\n{}", self.seen.join("\n")))
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.xtask.id().expect("it runs")).expect("a pid"))
    }
}

/// The pid in `hello running (pid 4711)`.
fn pid_in(line: &str, container: &str) -> ProcessId {
    let (_, rest) = line.split_once(&format!("{container} running (pid ")).expect("a running container");
    ProcessId::of(rest.split(')').next().expect("a pid").parse().expect("a number"))
        .expect("a living process")
}

#[tokio::test]
async fn a_session_from_the_first_pod_to_the_last() {
    let mut up = Up::start();
    let manifests = up.line_with(&["  manifests  "]).await;
    let manifests = std::path::PathBuf::from(manifests.trim_start().trim_start_matches("manifests").trim());
    let root = manifests.parent().expect("a directory above").to_owned();

    let hello = pid_in(&up.line_with(&["pod    default/hello-node1", "Running", "(pid "]).await, "hello");
    let both = ["pod    default/web-node1", "Running", "metrics running (pid ", "server running (pid "];
    let web = up.line_with(&both).await;
    let (server, metrics) = (pid_in(&web, "server"), pid_in(&web, "metrics"));

    kill(Pid::from_raw(server.pid), Signal::SIGKILL).expect("killed");
    let again =
        up.line_with(&["pod    default/web-node1", "Running  restarts 1", "server running (pid "]).await;
    assert_ne!(pid_in(&again, "server"), server, "started again: {again}");
    assert_eq!(pid_in(&again, "metrics"), metrics, "the container beside it was not touched");

    std::fs::remove_file(manifests.join("web.yaml")).expect("removed");
    // Its sandbox may be gone before anybody looks at it once more.
    up.line("that says that the pod is down", |line| {
        line.contains("pod    default/web-node1") && (line.contains("Stopped") || line.ends_with("gone"))
    })
    .await;
    assert!(!metrics.is_alive(), "the pod's processes are gone");
    assert!(hello.is_alive(), "another pod was not touched");

    kill(up.pid(), Signal::SIGINT).expect("asked to end");
    up.line_with(&["All down."]).await;
    let status = tokio::time::timeout(PATIENCE, up.xtask.wait()).await.expect("an end").expect("its status");
    assert!(status.success(), "{status}:\n{}", up.seen.join("\n"));
    assert!(!hello.is_alive());
    assert!(!root.exists(), "{} is left", root.display());
    let inside = root.display().to_string();
    let left = process::running(|command| command.iter().any(|argument| argument.contains(&inside)));
    assert_eq!(left, [], "processes are left");
}
