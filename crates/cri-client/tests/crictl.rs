//! The example `crictl` as a program, in front of the fake on a real socket. Its pure parts are tested beside themselves;
//! they are compiled in here because cargo runs no tests of examples.

#[path = "../examples/crictl/main.rs"]
#[allow(dead_code, reason = "the program is run below; only its own tests call it from here")]
mod program;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use clock::Clock;
use cri_client::fake::FakeRuntime;
use cri_client::{RuntimeService as _, v1};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::UnixListener;
use tokio::process::{Child, Command};

const IMAGE_ID: &str = "sha256:8c811b4aec35f259572d0f79207bc0678df4c736eeec50bc9fec37ed936a472a";

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A fake that began three minutes ago, served on a socket in a folder of its own.
struct Node {
    fake: Arc<FakeRuntime>,
    folder: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let began: Timestamp = Clock::system().now() - SignedDuration::from_secs(185);
        let fake = FakeRuntime::new(Clock::starting_at(began));
        let listener = UnixListener::bind(folder.path().join("cri.sock")).expect("bound");
        let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
        tokio::spawn(cri_client::serve(fake.clone(), incoming, std::future::pending()));
        Self { fake, folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        crictl(&format!("unix://{}", self.folder.path().join("cri.sock").display()), arguments)
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        output(self.command(arguments)).await
    }

    /// What a command that succeeds prints.
    async fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// What a command that fails says.
    async fn refuses(&self, arguments: &[&str]) -> String {
        refusal(self.run(arguments).await)
    }

    async fn sandbox(&self, name: &str, attempt: u32) -> String {
        let metadata = v1::PodSandboxMetadata {
            name: name.into(),
            uid: "u1".into(),
            namespace: "default".into(),
            attempt,
        };
        let config = v1::PodSandboxConfig { metadata: Some(metadata), ..Default::default() };
        let request = v1::RunPodSandboxRequest { config: Some(config), ..Default::default() };
        self.fake.run_pod_sandbox(request).await.expect("a sandbox").pod_sandbox_id
    }

    /// A container that runs, with its log at `app/ATTEMPT.log` in the folder.
    async fn container(&self, sandbox: &str, attempt: u32) -> String {
        let labels = [("io.kubernetes.pod.name", "web-n1"), ("io.kubernetes.pod.namespace", "default")];
        let config = v1::ContainerConfig {
            metadata: Some(v1::ContainerMetadata { name: "app".into(), attempt }),
            image: Some(v1::ImageSpec {
                image: IMAGE_ID.into(),
                user_specified_image: "docker.io/library/busybox:1.36".into(),
                ..Default::default()
            }),
            labels: labels.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            mounts: vec![v1::Mount {
                container_path: "/data".into(),
                host_path: "/srv".into(),
                ..Default::default()
            }],
            log_path: format!("app/{attempt}.log"),
            ..Default::default()
        };
        let log_directory = self.folder.path().display().to_string();
        let request = v1::CreateContainerRequest {
            pod_sandbox_id: sandbox.into(),
            config: Some(config),
            sandbox_config: Some(v1::PodSandboxConfig { log_directory, ..Default::default() }),
        };
        let id = self.fake.create_container(request).await.expect("a container").container_id;
        let request = v1::StartContainerRequest { container_id: id.clone() };
        self.fake.start_container(request).await.expect("started");
        id
    }

    fn log(&self, attempt: u32) -> PathBuf {
        std::fs::create_dir_all(self.folder.path().join("app")).expect("made");
        self.folder.path().join(format!("app/{attempt}.log"))
    }
}

/// The program, as cargo builds it beside this test.
fn crictl(endpoint: &str, arguments: &[&str]) -> Command {
    let test = std::env::current_exe().expect("this test");
    let profile = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let program = profile.join("examples/crictl");
    assert!(program.exists(), "build it first: cargo build -p cri-client --example crictl");
    let mut command = Command::new(program);
    command.args(["-r", endpoint]).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn output(mut command: Command) -> Output {
    tokio::time::timeout(PATIENCE, command.output()).await.expect("an end").expect("started")
}

fn refusal(output: Output) -> String {
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{output:?}");
    String::from_utf8(output.stderr).expect("text")
}

#[tokio::test]
async fn tables_show_the_newest_first_with_crictls_columns() {
    let node = Node::new();
    node.fake.add_image("docker.io/library/busybox:1.36", IMAGE_ID);
    let old = node.sandbox("web-n1", 0).await;
    let first = node.container(&old, 0).await;
    node.fake.exit_container(&first, 3);
    node.container(&old, 1).await;
    node.fake.stop_sandbox_quietly(&old);
    let new = node.sandbox("web-n1", 1).await;
    node.container(&new, 2).await;

    assert_eq!(
        node.says(&["pods"]).await,
        "\
POD ID         CREATED         STATE      NAME     NAMESPACE   ATTEMPT   RUNTIME
sandbox-0004   3 minutes ago   Ready      web-n1   default     1         (default)
sandbox-0001   3 minutes ago   NotReady   web-n1   default     0         (default)
"
    );
    assert_eq!(
        node.says(&["ps"]).await,
        "\
CONTAINER       IMAGE                            CREATED         STATE     NAME   ATTEMPT   POD ID         POD      NAMESPACE
container-000   docker.io/library/busybox:1.36   3 minutes ago   Running   app    2         sandbox-0004   web-n1   default
"
    );
    assert_eq!(
        node.says(&["ps", "-a", "--no-trunc"]).await,
        "\
CONTAINER        IMAGE                            CREATED         STATE     NAME   ATTEMPT   POD ID         POD      NAMESPACE
container-0005   docker.io/library/busybox:1.36   3 minutes ago   Running   app    2         sandbox-0004   web-n1   default
container-0003   docker.io/library/busybox:1.36   3 minutes ago   Exited    app    1         sandbox-0001   web-n1   default
container-0002   docker.io/library/busybox:1.36   3 minutes ago   Exited    app    0         sandbox-0001   web-n1   default
"
    );
    assert_eq!(
        node.says(&["images"]).await,
        "\
IMAGE                       TAG    IMAGE ID        SIZE
docker.io/library/busybox   1.36   8c811b4aec35f   1MB
"
    );
    assert_eq!(node.says(&["ps", "-aq"]).await, "container-0005\ncontainer-0003\ncontainer-0002\n");
    assert_eq!(node.says(&["images", "-q"]).await, format!("{IMAGE_ID}\n"));
}

#[tokio::test]
async fn an_empty_runtime_has_tables_with_nothing_but_a_head() {
    let node = Node::new();
    assert_eq!(
        node.says(&["pods"]).await,
        "POD ID   CREATED   STATE   NAME   NAMESPACE   ATTEMPT   RUNTIME\n"
    );
    assert_eq!(node.says(&["ps", "-q"]).await, "");
    assert_eq!(node.says(&["images", "-o", "json"]).await, "{\n  \"images\": []\n}\n");
    assert_eq!(
        node.says(&["version"]).await,
        "Version:  0.1.0\nRuntimeName:  fake\nRuntimeVersion:  1\nRuntimeApiVersion:  v1\n"
    );
    let info: Value = serde_json::from_str(&node.says(&["info"]).await).expect("JSON");
    assert_eq!(
        info["status"]["conditions"][1],
        json!({ "type": "NetworkReady", "status": true, "reason": "", "message": "" })
    );
}

#[tokio::test]
async fn inspect_finds_an_object_by_a_beginning_of_its_id() {
    let node = Node::new();
    let sandbox = node.sandbox("web-n1", 0).await;
    let container = node.container(&sandbox, 0).await;
    node.fake.exit_container(&container, 3);
    let known = node.fake.containers().remove(0);
    let time = |nanos| clock::from_nanos(nanos).expect("a time").to_string();

    let shown: Value = serde_json::from_str(&node.says(&["inspect", "cont"]).await).expect("JSON");
    assert_eq!(
        shown["status"],
        json!({
            "annotations": {},
            "createdAt": time(known.created_at),
            "exitCode": 3,
            "finishedAt": time(known.finished_at),
            "id": container,
            "image": { "image": "docker.io/library/busybox:1.36", "runtimeHandler": "", "userSpecifiedImage": "" },
            "imageId": IMAGE_ID,
            "imageRef": IMAGE_ID,
            "labels": { "io.kubernetes.pod.name": "web-n1", "io.kubernetes.pod.namespace": "default" },
            "logPath": node.folder.path().join("app/0.log"),
            "message": "",
            "metadata": { "attempt": 0, "name": "app" },
            "mounts": [{
                "containerPath": "/data",
                "hostPath": "/srv",
                "propagation": "PROPAGATION_PRIVATE",
                "readonly": false,
                "recursiveReadOnly": false,
                "selinuxRelabel": false,
            }],
            "reason": "Error",
            "resources": { "linux": null },
            "startedAt": time(known.started_at),
            "state": "CONTAINER_EXITED",
        })
    );
    let shown: Value = serde_json::from_str(&node.says(&["inspectp", "sand"]).await).expect("JSON");
    let status = &shown["status"];
    assert_eq!((&status["state"], &status["network"]["ip"]), (&json!("SANDBOX_READY"), &json!("10.88.0.3")));
    assert_eq!(
        status["metadata"],
        json!({ "attempt": 0, "name": "web-n1", "namespace": "default", "uid": "u1" })
    );
    let lines = node.says(&["inspect", &container, "-o", "table"]).await;
    assert!(lines.contains("\nState: Exited\n") && lines.contains("\nExit Code: 3\n"), "{lines}");

    node.container(&sandbox, 1).await;
    assert_eq!(
        node.refuses(&["inspect", "container"]).await,
        "crictl: more than one container has an id that begins with \"container\": container-0002, container-0003; \
         give more of it\n"
    );
    assert_eq!(
        node.refuses(&["inspect", "sand"]).await,
        "crictl: no container has an id that begins with \"sand\"; a sandbox has: see `crictl inspectp`; \
         `crictl ps -a` lists them all\n"
    );
    assert_eq!(
        node.refuses(&["inspectp", "f84d"]).await,
        "crictl: no sandbox has an id that begins with \"f84d\"; `crictl pods` lists them all\n"
    );
}

#[tokio::test]
async fn logs_are_joined_and_go_to_the_stream_that_they_came_from() {
    let node = Node::new();
    let sandbox = node.sandbox("web-n1", 0).await;
    let container = node.container(&sandbox, 0).await;
    let none = node.refuses(&["logs", &container]).await;
    assert!(
        none.starts_with("crictl: log of container container-0002, ") && none.contains("first start"),
        "{none}"
    );

    let records = "\
2026-01-01T12:00:00.5Z stdout F starting
2026-01-01T12:00:01.000000001Z stdout P a long
not a record
2026-01-01T12:00:02Z stderr F oops
2026-01-01T12:00:03Z stdout F  line
2026-01-01T12:00:04Z stdout P no end
";
    std::fs::write(node.log(0), records).expect("written");
    let output = node.run(&["logs", &container]).await;
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "starting\na long line\nno end");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "crictl: left out a line of the log: it does not begin with an RFC 3339 time\noops\n"
    );
    assert_eq!(
        node.says(&["logs", "-t", "--tail", "2", "cont"]).await,
        "2026-01-01T12:00:03.000000000Z  line\n2026-01-01T12:00:04.000000000Z no end"
    );
    assert_eq!(node.says(&["logs", "--tail", "0", "cont"]).await, "");
}

#[tokio::test]
async fn a_followed_log_goes_on_until_the_container_has_ended() {
    let node = Node::new();
    let sandbox = node.sandbox("web-n1", 0).await;
    let container = node.container(&sandbox, 0).await;
    let log = node.log(0);
    std::fs::write(&log, "2026-01-01T12:00:00Z stdout F before\n").expect("written");
    let mut child =
        node.command(&["logs", "-f", &container]).stdout(Stdio::piped()).spawn().expect("started");
    let mut lines = lines(&mut child);
    assert_eq!(next(&mut lines).await.as_deref(), Some("before"));

    let append = |text: &str| {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new().append(true).open(&log).expect("opened");
        file.write_all(text.as_bytes()).expect("written");
    };
    append("2026-01-01T12:00:01Z stdout F while it runs\n");
    assert_eq!(next(&mut lines).await.as_deref(), Some("while it runs"));
    append("2026-01-01T12:00:02Z stdout F its last\n");
    node.fake.exit_container(&container, 0);
    assert_eq!(next(&mut lines).await.as_deref(), Some("its last"));
    assert_eq!(next(&mut lines).await, None);
    assert!(tokio::time::timeout(PATIENCE, child.wait()).await.expect("an end").expect("waited").success());
}

#[tokio::test]
async fn events_are_told_as_they_happen_until_the_runtime_goes() {
    let node = Node::new();
    let mut child = node
        .command(&["events", "--no-trunc"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = lines(&mut child);
    // Nothing tells when the stream is open: pods are made until one is noticed.
    let mut warmed_up = 0;
    while tokio::time::timeout(Duration::from_millis(50), lines.next_line()).await.is_err() {
        warmed_up += 1;
        assert!(warmed_up < 600, "no event within half a minute");
        node.sandbox("warm-up", warmed_up).await;
    }
    let sandbox = node.sandbox("web-n1", 0).await;
    let container = node.container(&sandbox, 4).await;
    node.fake.exit_container(&container, 137);

    let mut told = Vec::new();
    while told.len() < 5 {
        let line = next(&mut lines).await.expect("an event");
        let (time, event) = line.split_once(' ').expect("a time and more");
        assert!(time.parse::<Timestamp>().is_ok(), "{line}");
        if event.contains("web-n1") {
            told.push(event.to_owned());
        }
    }
    let expected = [
        format!("CREATED {sandbox} sandbox of pod default/web-n1, attempt 0: Ready"),
        format!("STARTED {sandbox} sandbox of pod default/web-n1, attempt 0: Ready"),
        format!("CREATED {container} container app of pod default/web-n1, attempt 4: Created"),
        format!("STARTED {container} container app of pod default/web-n1, attempt 4: Running"),
        format!("STOPPED {container} container app of pod default/web-n1, attempt 4: Exited 137 (Error)"),
    ];
    assert_eq!(told, expected);

    node.fake.set_away(true);
    let output =
        tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("an end").expect("waited");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "crictl: the runtime ended the stream of events: it was stopped, or is restarting\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn errors_say_what_to_do_next() {
    let node = Node::new();
    node.fake.without_events();
    let said = node.refuses(&["events"]).await;
    assert!(said.contains("GetContainerEvents") && said.contains("this runtime sends no events"), "{said}");

    let socket = node.folder.path().join("nobody.sock");
    let said = refusal(output(crictl(&format!("unix://{}", socket.display()), &["ps"])).await);
    let step = format!("there is no socket {}: start the runtime", socket.display());
    assert!(
        said.starts_with("crictl: ListContainers: the runtime does not answer") && said.contains(&step),
        "{said}"
    );

    let said = refusal(output(crictl("tcp://127.0.0.1:1", &["ps"])).await);
    assert!(said.contains("only unix:// sockets are supported"), "{said}");
}

type Lines = tokio::io::Lines<BufReader<tokio::process::ChildStdout>>;

fn lines(child: &mut Child) -> Lines {
    BufReader::new(child.stdout.take().expect("piped")).lines()
}

async fn next(lines: &mut Lines) -> Option<String> {
    tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("a line in time").expect("readable")
}
