//! What lab 00 looks for on the node of the tour: what its agent has logged since it started, and which processes live.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lab_check::Check;
use serde_json::Value;

/// The pod that ends by itself all the time: its restarts are nobody's doing.
const RESTLESS: &str = "default/crash-node1";

fn main() -> ExitCode {
    let computes = "pkg/kubelet/kuberuntime/kuberuntime_manager.go#computePodActions";
    Check::new()
        .observation(
            "a-node-is-up",
            "pods run because their manifests lie in a directory; nobody else was asked",
            "pkg/kubelet/kubelet.go#syncLoop",
            || Node::look().map(drop),
        )
        .observation(
            "a-container-that-was-killed-is-back",
            "a container that ends under restartPolicy Always is started again, in the same pod",
            computes,
            || Node::look()?.started_again(),
        )
        .observation(
            "a-crash-loop-waits",
            "a container that ends soon and often waits before its next start, each time twice as long",
            "pkg/kubelet/kuberuntime/kuberuntime_manager.go#doBackOff",
            || Node::look()?.backs_off(),
        )
        .observation(
            "an-edited-manifest-is-another-pod",
            "a static pod's uid comes from its manifest, so that an edited manifest ends one pod and starts another",
            "pkg/kubelet/config/common.go#applyDefaults",
            || Node::look()?.made_anew(),
        )
        .observation(
            "a-bad-manifest-is-told-and-ends-nothing",
            "a manifest that cannot be understood is logged with its path, and every other pod runs on",
            "pkg/kubelet/config/file.go#extractFromDir",
            || Node::look()?.bad_manifest(),
        )
        .observation(
            "a-removed-manifest-ends-its-pod",
            "a pod whose manifest is gone is stopped, and stays so",
            "pkg/kubelet/kubelet.go#HandlePodRemoves",
            || Node::look()?.ended_for_good(),
        )
        .run()
}

/// The node of the tour.
struct Node {
    /// The agent's log, line by line, since it was last started.
    log: Vec<Value>,
    /// `namespace/name` of the pod of each container process that lives.
    living: Vec<String>,
}

/// Where `up --root` was told to put everything: `LAB_UP`, a path from the clone's root, or the place of the README.
fn root() -> PathBuf {
    let clone = PathBuf::from(std::env::var_os("LAB_DIR").unwrap_or_default()).join("../..");
    let root = clone.join(std::env::var_os("LAB_UP").unwrap_or_else(|| "/tmp/scene/tour".into()));
    // A socket's path has 107 bytes at most, and `labs/00-guided-tour/../..` is a detour.
    root.canonicalize().unwrap_or(root)
}

impl Node {
    fn look() -> Result<Self, String> {
        let root = root();
        // The runtime lives in the agent: if its socket answers, the agent is there.
        if let Err(error) = UnixStream::connect(root.join("embedded-runtime.sock")) {
            return Err(format!(
                "no node answers in {} ({error}): start one in a second terminal with `cargo xtask up --root DIR`, \
                 leave it running while you check, and name DIR in LAB_UP",
                root.display()
            ));
        }
        let log = std::fs::read_to_string(root.join("agent.log"))
            .map_err(|error| format!("{}/agent.log cannot be read: {error}", root.display()))?;
        let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let start = lines.iter().rposition(|line| message(line) == "podwright starts").unwrap_or(0);
        let node = Self { log: lines[start..].to_vec(), living: living(&root.join("embedded-runtime")) };
        if node.living.is_empty() {
            return Err("the agent runs, and no container does: wait a moment, or copy a manifest of deploy/manifests into \
                        its directory of manifests".to_owned());
        }
        Ok(node)
    }

    /// The lines of the log with this message, each with its place.
    fn lines<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = (usize, &'a Value)> {
        self.log.iter().enumerate().filter(move |(_, line)| message(line) == wanted)
    }

    fn started_again(&self) -> Result<(), String> {
        let starts: Vec<(usize, &Value)> = self.lines("started container").collect();
        let again = self.lines("container exited").any(|(ended, exit)| {
            let one = starts.iter().find(|(_, start)| field(start, "id") == field(exit, "container"));
            one.is_some_and(|(_, one)| {
                let same = |start: &Value| {
                    ["pod", "container"].iter().all(|key| field(start, key) == field(one, key))
                };
                let next = |start: &Value| restarts(start) == restarts(one) + 1;
                field(one, "pod") != RESTLESS
                    && starts.iter().any(|(at, start)| *at > ended && same(start) && next(start))
            })
        });
        seen(
            again,
            "no container of another pod than crash was started again: `kill` the process of one; its pid is on the screen",
        )
    }

    fn backs_off(&self) -> Result<(), String> {
        let waits = self.log.iter().any(|line| field(line, "reason") == "BackOff");
        seen(
            waits,
            "no container waits for its restart yet: the pod crash does after its second end, some seconds after the start",
        )
    }

    /// The pods in the order in which they were configured: place, pod, `ADD` or `REMOVE`.
    fn configured(&self) -> Vec<(usize, String, String)> {
        let told = self.lines("pod configuration");
        told.map(|(at, line)| (at, field(line, "pod"), field(line, "op"))).collect()
    }

    fn made_anew(&self) -> Result<(), String> {
        let told = self.configured();
        let anew = told.iter().enumerate().any(|(place, (_, pod, op))| {
            let added = told[place..].iter().find(|(_, other, op)| other == pod && op == "ADD");
            let Some((added, ..)) = added.filter(|_| op == "REMOVE") else { return false };
            self.lines("created sandbox").any(|(at, line)| at > *added && field(line, "pod") == *pod)
        });
        seen(
            anew,
            "no pod was ended and made anew: edit a manifest where the screen says that they are, for instance a command",
        )
    }

    fn bad_manifest(&self) -> Result<(), String> {
        let told = self.lines("could not process manifest file").next().is_some();
        seen(
            told,
            "no bad manifest was told: write something that is no pod into one, or into a new file beside them",
        )
    }

    fn ended_for_good(&self) -> Result<(), String> {
        let told = self.configured();
        let ended = told.iter().any(|(at, pod, op)| {
            let last = !told.iter().any(|(later, other, _)| later > at && other == pod);
            let stopped =
                self.lines("pod stopped").any(|(later, line)| later > *at && field(line, "pod") == *pod);
            op == "REMOVE" && last && stopped && !self.living.contains(pod)
        });
        seen(ended, "no pod was ended for good: remove a manifest, and wait until its pod is gone")
    }
}

fn seen(seen: bool, otherwise: &str) -> Result<(), String> {
    if seen { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn message(line: &Value) -> String {
    field(line, "message")
}

/// A field of a log line as text; empty if it is not there.
fn field(line: &Value, name: &str) -> String {
    line["fields"][name].as_str().unwrap_or_default().to_owned()
}

fn restarts(line: &Value) -> u64 {
    line["fields"]["restarts"].as_u64().unwrap_or_default()
}

/// The embedded runtime writes down each container and its process.
fn living(runtime: &Path) -> Vec<String> {
    let containers = std::fs::read_dir(runtime.join("containers")).into_iter().flatten().flatten();
    let pods = containers.filter_map(|container| {
        let read = |file: &str| -> Option<Value> {
            serde_json::from_str(&std::fs::read_to_string(container.path().join(file)).ok()?).ok()
        };
        let pid = read("started.json")?["process"]["pid"].as_i64()?;
        let lives = read("exit.json").is_none() && Path::new("/proc").join(pid.to_string()).exists();
        let container = read("container.json")?;
        let label = |name: &str| container["labels"][name].as_str().map(str::to_owned);
        let (namespace, name) = (label("io.kubernetes.pod.namespace")?, label("io.kubernetes.pod.name")?);
        lives.then(|| format!("{namespace}/{name}"))
    });
    pods.collect()
}
