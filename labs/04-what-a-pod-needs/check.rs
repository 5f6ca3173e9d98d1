//! What lab 04 asks of `compute_pod_actions`: cases in words, and two properties over a runtime that does what it is told.

use std::fmt;
use std::process::ExitCode;

use ::status::pod_phase;
use cri_client::v1;
use kuberuntime::{PodActions, compute_pod_actions};
use lab_check::{Check, Error};
use pod_model::identity::{container, init_containers, is_restartable_init, spec};
use pod_model::{ContainerState, ContainerStatus, Pod, PodRef, PodStatus, container_hash};
use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A pod in brief, and what the runtime has of it, newest first.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    pod: Brief,
    runtime: Runtime,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Brief {
    restart_policy: String,
    #[serde(default)]
    deleted: bool,
    /// Names, or containers as a manifest has them.
    #[serde(default)]
    init_containers: Vec<Value>,
    containers: Vec<Value>,
}

impl fmt::Debug for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |list: &[Value]| list.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        let (policy, deleted) = (&self.restart_policy, if self.deleted { " deleted" } else { "" });
        write!(f, "{policy}{deleted} initContainers: [{}]", list(&self.init_containers))?;
        write!(f, " containers: [{}]", list(&self.containers))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Runtime {
    /// `0 ready`, `1 not ready`, `0 ready, no address`.
    sandboxes: Vec<String>,
    /// `web running`, `web exited 137`, `web created`, `web unknown`, `web running, other definition`.
    containers: Vec<String>,
}

/// `PodActions`, with names for the indices.
#[derive(Debug, Serialize)]
struct Answer {
    kill_pod: bool,
    create_sandbox: bool,
    sandbox_id: Option<String>,
    attempt: u32,
    init_containers_to_start: Vec<String>,
    containers_to_start: Vec<String>,
    containers_to_kill: Vec<Kill>,
}

#[derive(Debug, Serialize)]
struct Kill {
    id: String,
    reason: String,
    message: String,
}

fn main() -> ExitCode {
    let computes = "pkg/kubelet/kuberuntime/kuberuntime_manager.go#computePodActions";
    Check::new()
        .cases(|input: Input| -> Result<Answer, Error> { ask(&input).map_err(Error::new) })
        .property(
            "nothing-runs-twice",
            "a container starts only where none of its name goes on running, and only in a sandbox that stays",
            computes,
            any_input(),
            |input| nothing_runs_twice(&input),
        )
        .property(
            "a-pod-left-alone-settles",
            "whatever its containers exit with, a pod that is left alone comes to rest, with everything running that should",
            computes,
            (any_brief(), proptest::collection::vec(any_trouble(), 0..6)),
            |(brief, trouble)| settles(&brief, &trouble),
        )
        .run()
}

fn ask(input: &Input) -> Result<Answer, String> {
    let pod = pod(&input.pod)?;
    let status = status(&pod, &input.runtime)?;
    answer(&pod, compute_pod_actions(&pod, &status))
}

// === Reading a case ===

fn pod(brief: &Brief) -> Result<Pod, String> {
    let list = |names: &[Value]| names.iter().map(in_full).collect::<Vec<_>>();
    let mut metadata = json!({"name": "web", "namespace": "default", "uid": "u1"});
    if brief.deleted {
        metadata["deletionTimestamp"] = json!("2026-01-01T12:00:00Z");
    }
    let pod = json!({"metadata": metadata, "spec": {
        "restartPolicy": brief.restart_policy,
        "initContainers": list(&brief.init_containers),
        "containers": list(&brief.containers),
    }});
    serde_json::from_value(pod).map_err(|error| format!("not a pod: {error}"))
}

fn in_full(container: &Value) -> Value {
    let mut container = match container {
        Value::String(name) => json!({"name": name}),
        other => other.clone(),
    };
    container["image"] = json!("busybox:1");
    container
}

fn status(pod: &Pod, runtime: &Runtime) -> Result<PodStatus, String> {
    let mut status = PodStatus::empty(PodRef::of(pod));
    for phrase in &runtime.sandboxes {
        status.sandboxes.push(sandbox(phrase)?);
    }
    let home = status.sandboxes.first().map_or_else(String::new, |newest| newest.id.clone());
    for phrase in runtime.containers.iter().rev() {
        let made = container_status(pod, phrase, &home, &status)?;
        status.containers.insert(0, made);
    }
    Ok(status)
}

fn sandbox(phrase: &str) -> Result<v1::PodSandboxStatus, String> {
    let (phrase, without_address) = match phrase.strip_suffix(", no address") {
        Some(phrase) => (phrase, true),
        None => (phrase, false),
    };
    let (attempt, state) = phrase.split_once(' ').ok_or_else(|| format!("not a sandbox: {phrase}"))?;
    let attempt: u32 = attempt.parse().map_err(|error| format!("attempt {attempt}: {error}"))?;
    let state = match state {
        "ready" => v1::PodSandboxState::SandboxReady,
        "not ready" => v1::PodSandboxState::SandboxNotready,
        other => return Err(format!("no state of a sandbox: {other}")),
    };
    let gone = without_address || state == v1::PodSandboxState::SandboxNotready;
    let ip = if gone { String::new() } else { "10.0.0.9".to_owned() };
    Ok(v1::PodSandboxStatus {
        id: format!("sandbox-{attempt}"),
        metadata: Some(v1::PodSandboxMetadata { attempt, ..Default::default() }),
        state: state.into(),
        network: Some(v1::PodSandboxNetworkStatus { ip, additional_ips: Vec::new() }),
        ..Default::default()
    })
}

/// Ids count from the oldest: `web-0`, `web-1`.
fn container_status(
    pod: &Pod,
    phrase: &str,
    home: &str,
    older: &PodStatus,
) -> Result<ContainerStatus, String> {
    let (phrase, is_changed) = match phrase.strip_suffix(", other definition") {
        Some(phrase) => (phrase, true),
        None => (phrase, false),
    };
    let mut words = phrase.split_whitespace();
    let name = words.next().unwrap_or_default().to_owned();
    let (state, exit_code) = match (words.next(), words.next()) {
        (Some("running"), None) => (ContainerState::Running, 0),
        (Some("created"), None) => (ContainerState::Created, 0),
        (Some("unknown"), None) => (ContainerState::Unknown, 0),
        (Some("exited"), Some(code)) => {
            (ContainerState::Exited, code.parse().map_err(|error| format!("exit code {code}: {error}"))?)
        }
        _ => return Err(format!("not a container: {phrase}")),
    };
    let count = older.containers.iter().filter(|c| c.name == name).count();
    let hash = container(pod, &name).map_or(0, container_hash);
    Ok(ContainerStatus {
        id: format!("{name}-{count}"),
        name,
        state,
        exit_code,
        hash: if is_changed { hash.wrapping_add(1) } else { hash },
        restart_count: u32::try_from(count).unwrap_or(u32::MAX),
        ..ContainerStatus::from_cri(home, &v1::ContainerStatus::default())
    })
}

fn answer(pod: &Pod, actions: PodActions) -> Result<Answer, String> {
    let kill = |kill: kuberuntime::ContainerToKill| Kill {
        id: kill.id,
        reason: format!("{:?}", kill.reason),
        message: kill.message,
    };
    Ok(Answer {
        init_containers_to_start: init_names(pod, &actions)?,
        containers_to_start: regular_names(pod, &actions)?,
        kill_pod: actions.kill_pod,
        create_sandbox: actions.create_sandbox,
        sandbox_id: actions.sandbox_id,
        attempt: actions.attempt,
        containers_to_kill: actions.containers_to_kill.into_iter().map(kill).collect(),
    })
}

fn init_names(pod: &Pod, actions: &PodActions) -> Result<Vec<String>, String> {
    names(init_containers(pod), &actions.init_containers_to_start)
}

fn regular_names(pod: &Pod, actions: &PodActions) -> Result<Vec<String>, String> {
    names(&spec(pod).containers, &actions.containers_to_start)
}

fn names(list: &[pod_model::Container], indices: &[usize]) -> Result<Vec<String>, String> {
    let name = |index: &usize| list.get(*index).map(|c| c.name.clone());
    let name = |index| {
        name(index).ok_or_else(|| format!("there is no container {index}: the pod has {}", list.len()))
    };
    indices.iter().map(name).collect()
}

// === Properties ===

fn any_brief() -> impl Strategy<Value = Brief> {
    let own = |name: &str, policy: &str| json!({"name": name, "restartPolicy": policy});
    let inits = [
        vec![],
        vec![json!("migrate")],
        vec![own("proxy", "Always")],
        vec![own("proxy", "Always"), json!("migrate")],
    ];
    let regular = [
        vec![json!("web")],
        vec![json!("web"), json!("log")],
        vec![own("web", "Never"), json!("log")],
        vec![own("web", "OnFailure"), own("log", "Always")],
    ];
    (select(&["Always", "OnFailure", "Never"][..]), select(inits.to_vec()), select(regular.to_vec()))
        .prop_map(|(policy, init_containers, containers)| Brief {
            restart_policy: policy.to_owned(),
            deleted: false,
            init_containers,
            containers,
        })
}

fn any_input() -> impl Strategy<Value = Input> {
    let sandboxes = select(vec![
        vec![],
        vec!["0 ready"],
        vec!["1 ready", "0 not ready"],
        vec!["0 not ready"],
        vec!["1 ready", "0 ready"],
        vec!["0 ready, no address"],
    ]);
    let states = vec!["running", "running, other definition", "created", "unknown", "exited 0", "exited 1"];
    let container = (select(&["migrate", "proxy", "web", "log"][..]), select(states));
    (any_brief(), any::<bool>(), sandboxes, proptest::collection::vec(container, 0..8)).prop_map(
        |(pod, deleted, sandboxes, containers)| Input {
            pod: Brief { deleted, ..pod },
            runtime: Runtime {
                sandboxes: sandboxes.into_iter().map(str::to_owned).collect(),
                containers: containers.iter().map(|(name, state)| format!("{name} {state}")).collect(),
            },
        },
    )
}

fn any_trouble() -> impl Strategy<Value = String> {
    let exit = (select(&["web", "log"][..]), select(&[0, 1, 42][..]));
    prop_oneof![
        2 => exit.prop_map(|(name, code)| format!("{name} exits {code}")),
        1 => Just("the sandbox is stopped".to_owned()),
    ]
}

fn nothing_runs_twice(input: &Input) -> Result<(), String> {
    let pod = pod(&input.pod)?;
    let status = status(&pod, &input.runtime)?;
    let actions = compute_pod_actions(&pod, &status);
    let mut starts = init_names(&pod, &actions)?;
    starts.extend(regular_names(&pod, &actions)?);
    let ends = |id: &str| actions.kill_pod || actions.containers_to_kill.iter().any(|kill| kill.id == id);
    for (place, name) in starts.iter().enumerate() {
        if starts[..place].contains(name) {
            return Err(format!("{name} is started twice: {actions:?}"));
        }
        // One that the runtime lost track of may live, too; of the older ones of a name only the running are looked at.
        let newest = status.container(name).map(|c| c.id.as_str());
        let lives =
            |c: &&ContainerStatus| c.state == ContainerState::Running || newest == Some(c.id.as_str());
        let stays = |c: &&ContainerStatus| c.name == *name && lives(c) && !ends(&c.id);
        if let Some(other) = status.running().find(stays) {
            return Err(format!("{name} is started while {} may run: {actions:?}", other.id));
        }
    }
    if actions.kill_pod && !actions.create_sandbox && !starts.is_empty() {
        return Err(format!("starts {starts:?} in a pod that is ended for good: {actions:?}"));
    }
    if actions.kill_pod && !actions.containers_to_kill.is_empty() {
        return Err(format!("ends containers one by one in a pod that is ended as a whole: {actions:?}"));
    }
    if actions.create_sandbox && !actions.kill_pod {
        return Err(format!("makes a sandbox beside one that stays: {actions:?}"));
    }
    Ok(())
}

/// Carries actions out until there are none, lets things go wrong, and again; at the end the pod must be at rest.
fn settles(brief: &Brief, trouble: &[String]) -> Result<(), String> {
    let pod = pod(brief)?;
    let mut status = PodStatus::empty(PodRef::of(&pod));
    come_to_rest(&pod, &mut status)?;
    for what in trouble {
        match what.split_once(" exits ") {
            Some((name, code)) => {
                let code = code.parse().map_err(|error| format!("exit code {code}: {error}"))?;
                end(&mut status, code, |c| c.name == name);
            }
            None => stop_sandboxes(&mut status),
        }
        come_to_rest(&pod, &mut status)?;
    }
    Ok(())
}

fn come_to_rest(pod: &Pod, status: &mut PodStatus) -> Result<(), String> {
    // A sandbox, and for each of at most four containers a start and an end, with room to spare.
    for _ in 0..12 {
        if pod_phase(pod, status).is_terminal() {
            // The sync above this crate ends such a pod and asks no more.
            stop_sandboxes(status);
            return Ok(());
        }
        let actions = compute_pod_actions(pod, status);
        if actions.is_empty() {
            if finish_init_containers(pod, status) {
                continue;
            }
            return all_as_wanted(pod, status);
        }
        if actions.kill_pod && !actions.create_sandbox && !status.is_alive() {
            // The kubelet leaves a pod at that which lost its sandbox in its one run, and no other.
            return match spec(pod).restart_policy.as_deref() {
                Some("Never") => Ok(()),
                _ => Err(format!("the pod is given up, and has work left: {:?}", states(status))),
            };
        }
        carry_out(pod, &actions, status)?;
    }
    let next = answer(pod, compute_pod_actions(pod, status))?;
    Err(format!("the pod never comes to rest; the next actions would be {next:?}"))
}

fn carry_out(pod: &Pod, actions: &PodActions, status: &mut PodStatus) -> Result<(), String> {
    if actions.kill_pod {
        stop_sandboxes(status);
    }
    for kill in &actions.containers_to_kill {
        end(status, 137, |c| c.id == kill.id);
    }
    if actions.create_sandbox {
        // Init containers run anew in each sandbox; the records of the last time are purged.
        status.containers.retain(|c| init_containers(pod).iter().all(|init| init.name != c.name));
        status.sandboxes.insert(0, sandbox(&format!("{} ready", actions.attempt))?);
    }
    for name in init_names(pod, actions)?.iter().chain(&regular_names(pod, actions)?) {
        let home = status.sandboxes.first().filter(|s| s.state() == v1::PodSandboxState::SandboxReady);
        let home = home.ok_or_else(|| format!("{name} is started without a sandbox"))?.id.clone();
        let mut made = container_status(pod, &format!("{name} running"), &home, status)?;
        made.id = format!("{}-in-{home}", made.id);
        status.containers.insert(0, made);
    }
    Ok(())
}

fn end(status: &mut PodStatus, exit_code: i32, which: impl Fn(&ContainerStatus) -> bool) {
    for c in status.containers.iter_mut().filter(|c| c.state == ContainerState::Running && which(c)) {
        (c.state, c.exit_code) = (ContainerState::Exited, exit_code);
    }
}

fn stop_sandboxes(status: &mut PodStatus) {
    end(status, 137, |_| true);
    status.sandboxes.iter_mut().for_each(|s| s.set_state(v1::PodSandboxState::SandboxNotready));
}

/// Lets init containers that work be done; whether there was one.
fn finish_init_containers(pod: &Pod, status: &mut PodStatus) -> bool {
    let before = status.clone();
    let works = |name: &str| init_containers(pod).iter().any(|c| c.name == name && !is_restartable_init(c));
    end(status, 0, |c| works(&c.name));
    before != *status
}

fn all_as_wanted(pod: &Pod, status: &PodStatus) -> Result<(), String> {
    let sidecars = init_containers(pod).iter().filter(|c| is_restartable_init(c));
    for wanted in spec(pod).containers.iter().chain(sidecars) {
        let runs = status.container(&wanted.name).is_some_and(|c| c.state == ContainerState::Running);
        if !runs && pod_model::should_start(pod, wanted, status) {
            let states = states(status);
            return Err(format!("{} should run, and nothing is done about it: {states:?}", wanted.name));
        }
    }
    Ok(())
}

fn states(status: &PodStatus) -> Vec<String> {
    status.containers.iter().map(|c| format!("{} {} {}", c.name, c.state, c.exit_code)).collect()
}
