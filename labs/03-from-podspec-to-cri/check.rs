//! What lab 03 asks of the translation: numbers, namespaces and whole messages.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use container_config::resources::{container_resources, cpu_quota, cpu_shares};
use container_config::{
    CgroupVersion, ContainerInput, ImageUser, NodeFacts, SandboxInput, container_config, oom_score,
    sandbox_config,
};
use cri_client::v1::{ContainerConfig, KeyValue, LinuxContainerResources, Mount, NamespaceOption};
use lab_check::{Check, Error};
use pod_model::quantity::Amount;
use pod_model::{Container, Pod, identity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The machine of the recordings had so much memory.
const MEMORY: i64 = 24 << 30;

/// What a case asks.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Input {
    /// Thousandths of a cpu as shares.
    Shares { milli_cpu: i64 },
    /// Thousandths of a cpu as a quota of a period in microseconds.
    Quota { milli_cpu: i64, period: i64 },
    /// The resources of one container.
    Resources {
        #[serde(default)]
        node: Node,
        container: String,
        spec: Value,
    },
    /// The OOM score adjustment of one container.
    OomScore {
        memory: String,
        #[serde(default)]
        static_pod: bool,
        container: String,
        spec: Value,
    },
    /// The namespaces of a pod with this spec.
    Sandbox(Value),
    /// The namespaces of a container that looks into another one.
    Debugger { target: String, spec: Value },
    /// The whole message for one container.
    Message(Message),
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Node {
    cpu_cfs_quota: bool,
    period_ms: u64,
    cgroup_v2: bool,
    /// `singleProcessOOMKill`; unless a case says so, what the kubelet takes for the version of cgroups.
    single_process_oom_kill: Option<bool>,
}

impl Default for Node {
    fn default() -> Self {
        Self { cpu_cfs_quota: true, period_ms: 100, cgroup_v2: false, single_process_oom_kill: None }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    restart_count: u32,
    container: String,
    /// The user of the image, where it has a name; root otherwise.
    image_user: Option<String>,
    /// With references resolved.
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Where in the container which path of the host appears.
    #[serde(default)]
    mounts: BTreeMap<String, String>,
    metadata: Value,
    spec: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Shares(i64),
    Quota(i64),
    OomScore(i64),
    Resources(Resources),
    Namespaces(Namespaces),
    Message(Box<Told>),
    Refused(String),
}

/// The fields of `LinuxContainerResources` that this lab is about; what is absent on the wire is absent here.
#[derive(Serialize)]
struct Resources {
    cpu_shares: i64,
    #[serde(skip_serializing_if = "is_unset")]
    cpu_period: i64,
    #[serde(skip_serializing_if = "is_unset")]
    cpu_quota: i64,
    #[serde(skip_serializing_if = "is_unset")]
    memory_limit_in_bytes: i64,
    oom_score_adj: i64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unified: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Namespaces {
    network: &'static str,
    pid: &'static str,
    ipc: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    target_id: String,
}

/// What is said of a container, as far as this lab is about it.
#[derive(Serialize)]
struct Told {
    name: String,
    attempt: u32,
    image: String,
    user_specified_image: String,
    command: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    working_dir: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    envs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mounts: Vec<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    log_path: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    terminal: Vec<&'static str>,
    run_as_user: Option<i64>,
    resources: Option<Resources>,
    namespaces: Option<Namespaces>,
}

fn is_unset(number: &i64) -> bool {
    *number == 0
}

impl From<LinuxContainerResources> for Resources {
    fn from(told: LinuxContainerResources) -> Self {
        Self {
            cpu_shares: told.cpu_shares,
            cpu_period: told.cpu_period,
            cpu_quota: told.cpu_quota,
            memory_limit_in_bytes: told.memory_limit_in_bytes,
            oom_score_adj: told.oom_score_adj,
            unified: told.unified.into_iter().collect(),
        }
    }
}

impl From<NamespaceOption> for Namespaces {
    fn from(told: NamespaceOption) -> Self {
        Self {
            network: told.network().as_str_name(),
            pid: told.pid().as_str_name(),
            ipc: told.ipc().as_str_name(),
            target_id: told.target_id,
        }
    }
}

impl From<ContainerConfig> for Told {
    fn from(told: ContainerConfig) -> Self {
        let metadata = told.metadata.unwrap_or_default();
        let image = told.image.unwrap_or_default();
        let linux = told.linux.unwrap_or_default();
        let security = linux.security_context.unwrap_or_default();
        let env = |e: KeyValue| format!("{}={}", e.key, String::from_utf8_lossy(&e.value));
        let mount = |m: Mount| format!("{} at {}", m.host_path, m.container_path);
        let terminal = [(told.stdin, "stdin"), (told.stdin_once, "stdin once"), (told.tty, "tty")];
        Self {
            name: metadata.name,
            attempt: metadata.attempt,
            image: image.image,
            user_specified_image: image.user_specified_image,
            command: told.command,
            args: told.args,
            working_dir: told.working_dir,
            envs: told.envs.into_iter().map(env).collect(),
            mounts: told.mounts.into_iter().map(mount).collect(),
            labels: told.labels.into_iter().collect(),
            annotations: told.annotations.into_iter().collect(),
            log_path: told.log_path,
            terminal: terminal.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect(),
            run_as_user: security.run_as_user.map(|user| user.value),
            resources: linux.resources.map(Resources::from),
            namespaces: security.namespace_options.map(Namespaces::from),
        }
    }
}

fn pod(metadata: Value, mut spec: Value) -> Result<Pod, Error> {
    if spec.get("containers").is_none() {
        spec["containers"] = json!([{"name": "a"}]);
    }
    Ok(serde_json::from_value(json!({"metadata": metadata, "spec": spec}))?)
}

fn named<'a>(pod: &'a Pod, name: &str) -> Result<&'a Container, Error> {
    identity::container(pod, name).ok_or_else(|| Error::new(format!("the case has no container {name}")))
}

fn web() -> Value {
    json!({"name": "web", "namespace": "default", "uid": "u1"})
}

/// A container that others found out nothing about.
fn bare() -> ContainerInput {
    ContainerInput {
        restart_count: 0,
        image_ref: "sha256:1".into(),
        image_user: ImageUser::Uid(0),
        command: Vec::new(),
        args: Vec::new(),
        envs: Vec::new(),
        mounts: Vec::new(),
        target_id: None,
    }
}

fn message(asked: Message) -> Result<Answer, Error> {
    let pod = pod(asked.metadata, asked.spec)?;
    let container = named(&pod, &asked.container)?;
    let env = |(key, value): (String, String)| KeyValue { key, value: value.into_bytes() };
    let mount = |(container_path, host_path)| Mount { container_path, host_path, ..Default::default() };
    let input = ContainerInput {
        restart_count: asked.restart_count,
        image_user: asked.image_user.map_or(ImageUser::Uid(0), ImageUser::Name),
        command: asked.command,
        args: asked.args,
        envs: asked.env.into_iter().map(env).collect(),
        mounts: asked.mounts.into_iter().map(mount).collect(),
        ..bare()
    };
    Ok(match container_config(&pod, container, input, &NodeFacts::new(MEMORY)) {
        Ok(config) => Answer::Message(Box::new(config.into())),
        Err(error) => Answer::Refused(error.to_string()),
    })
}

fn answer(input: Input) -> Result<Answer, Error> {
    Ok(match input {
        Input::Shares { milli_cpu } => Answer::Shares(cpu_shares(milli_cpu)),
        Input::Quota { milli_cpu, period } => Answer::Quota(cpu_quota(milli_cpu, period)),
        Input::Resources { node, container, spec } => {
            let facts = NodeFacts {
                cpu_cfs_quota: node.cpu_cfs_quota,
                cpu_cfs_quota_period: Duration::from_millis(node.period_ms),
                cgroup: if node.cgroup_v2 { CgroupVersion::V2 } else { CgroupVersion::V1 },
                single_process_oom_kill: node.single_process_oom_kill.unwrap_or(!node.cgroup_v2),
                ..NodeFacts::new(MEMORY)
            };
            let pod = pod(web(), spec)?;
            Answer::Resources(container_resources(&pod, named(&pod, &container)?, &facts).into())
        }
        Input::OomScore { memory, static_pod, container, spec } => {
            let source = if static_pod { "file" } else { "api" };
            let pod = pod(json!({"annotations": {"kubernetes.io/config.source": source}}), spec)?;
            let memory = Amount::parse(&memory)?.value();
            Answer::OomScore(oom_score::oom_score_adj(&pod, named(&pod, &container)?, memory))
        }
        Input::Sandbox(spec) => {
            let config =
                sandbox_config(&pod(web(), spec)?, SandboxInput::default(), &NodeFacts::new(MEMORY))?;
            let options = config.linux.and_then(|l| l.security_context).and_then(|s| s.namespace_options);
            Answer::Namespaces(options.ok_or_else(|| Error::new("no namespaces are named"))?.into())
        }
        Input::Debugger { target, spec } => {
            let pod = pod(web(), spec)?;
            let input = ContainerInput { target_id: Some(target), ..bare() };
            let config = container_config(&pod, named(&pod, "a")?, input, &NodeFacts::new(MEMORY))?;
            let options = config.linux.and_then(|l| l.security_context).and_then(|s| s.namespace_options);
            Answer::Namespaces(options.ok_or_else(|| Error::new("no namespaces are named"))?.into())
        }
        Input::Message(asked) => message(asked)?,
    })
}

fn main() -> ExitCode {
    Check::new()
        .cases(answer)
        .property(
            "more-cpu-is-never-less",
            "who asks for more cpu gets no fewer shares and no smaller quota, within what the kernel takes",
            "pkg/kubelet/cm/helpers_linux.go#MilliCPUToShares",
            (1_i64..1 << 40, 1_i64..1 << 40, 1000_i64..1_000_000),
            |(a, b, period)| {
                let (less, more) = (a.min(b), a.max(b));
                if cpu_shares(less) > cpu_shares(more) || cpu_quota(less, period) > cpu_quota(more, period) {
                    return Err(format!("{less} thousandths get more than {more}"));
                }
                for milli_cpu in [less, more] {
                    let (shares, quota) = (cpu_shares(milli_cpu), cpu_quota(milli_cpu, period));
                    if !(2..=262_144).contains(&shares) || quota < 1000 {
                        return Err(format!("{milli_cpu}: the kernel refuses {shares} shares or a quota of {quota}"));
                    }
                }
                Ok(())
            },
        )
        .property(
            "asking-for-more-memory-never-hurts",
            "of two burstable containers, the one that requests more memory is never killed first",
            "pkg/kubelet/qos/policy.go#GetContainerOOMScoreAdjust",
            (1_i64..1 << 40, 1_i64..1 << 40, 1_i64..1 << 42),
            |(a, b, capacity)| {
                let ask = |name: &str, bytes: i64| json!({"name": name, "resources": {"requests": {"memory": bytes.to_string()}}});
                let pod = pod(web(), json!({"containers": [ask("less", a.min(b)), ask("more", a.max(b))]}))
                    .map_err(|error| error.to_string())?;
                let score = |name: &str| {
                    let container = named(&pod, name).map_err(|error| error.to_string())?;
                    Ok::<_, String>(oom_score::oom_score_adj(&pod, container, capacity))
                };
                let (less, more) = (score("less")?, score("more")?);
                if more > less || !(3..=999).contains(&less) || !(3..=999).contains(&more) {
                    return Err(format!("scores {less} and {more} of {capacity} bytes"));
                }
                Ok(())
            },
        )
        .run()
}
