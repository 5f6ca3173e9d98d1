//! A runtime in a process of its own, the real client, and a broom: whatever a test does, no process outlives it.

#![allow(dead_code, reason = "every test binary uses its own part of this")]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cri_client::{EventStream, GrpcRuntime, RuntimeError, RuntimeService as _, v1};
use futures::StreamExt as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::wrappers::UnboundedReceiverStream;

/// The binary that is both the runtime and the shim.
pub const BINARY: &str = env!("CARGO_BIN_EXE_embedded-runtime");

/// How long anything may take before the test says what it was waiting for.
pub const LIMIT: Duration = Duration::from_secs(20);

/// One runtime with its directory and a client.
pub struct Node {
    pub dir: TempDir,
    pub client: GrpcRuntime,
    server: Option<Child>,
}

impl Node {
    /// A runtime that answers.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let endpoint = format!("unix://{}", dir.path().join("run/cri.sock").display());
        let client = GrpcRuntime::new(&endpoint, Duration::from_secs(60)).expect("an endpoint");
        let mut node = Self { dir, client, server: None };
        node.start_server().await;
        node
    }

    /// Starts the runtime's process and waits until it answers.
    pub async fn start_server(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("server.log"));
        let server = Command::new(BINARY)
            .arg("--state-dir")
            .arg(self.dir.path().join("state"))
            .arg("--socket")
            .arg(self.dir.path().join("run/cri.sock"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .spawn()
            .expect("the runtime starts");
        self.server = Some(server);
        eventually("the runtime answers", async || {
            self.client.version(v1::VersionRequest::default()).await.ok()
        })
        .await;
    }

    /// Kills the runtime's process, and nothing else, with SIGKILL.
    pub fn kill_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _dead_already = server.kill();
            server.wait().expect("reaped");
        }
    }

    pub fn server_pid(&self) -> i32 {
        self.server.as_ref().expect("a server").id().cast_signed()
    }

    /// Asks the runtime to stop and waits until it has.
    pub async fn stop_server(&mut self) {
        let mut server = self.server.take().expect("a server");
        kill(Pid::from_raw(server.id().cast_signed()), Signal::SIGTERM).expect("signalled");
        eventually("the runtime stops", async || server.try_wait().expect("a status")).await;
    }

    pub async fn sandbox(&self, name: &str) -> String {
        self.run_sandbox(name, 0).await.expect("a sandbox")
    }

    pub async fn run_sandbox(&self, name: &str, attempt: u32) -> Result<String, RuntimeError> {
        let request = v1::RunPodSandboxRequest {
            config: Some(self.sandbox_config(name, attempt)),
            ..Default::default()
        };
        self.client.run_pod_sandbox(request).await.map(|r| r.pod_sandbox_id)
    }

    pub fn sandbox_config(&self, name: &str, attempt: u32) -> v1::PodSandboxConfig {
        let metadata = v1::PodSandboxMetadata {
            name: name.to_owned(),
            namespace: "default".to_owned(),
            uid: format!("uid-of-{name}"),
            attempt,
        };
        v1::PodSandboxConfig {
            metadata: Some(metadata),
            hostname: format!("{name}-host"),
            log_directory: self.dir.path().join("logs").join(name).display().to_string(),
            labels: [("app".to_owned(), name.to_owned())].into(),
            ..Default::default()
        }
    }

    /// A container that runs a shell script.
    pub fn config(&self, name: &str, script: &str) -> v1::ContainerConfig {
        v1::ContainerConfig {
            metadata: Some(v1::ContainerMetadata { name: name.to_owned(), attempt: 0 }),
            image: Some(v1::ImageSpec {
                image: "docker.io/library/busybox:1.36".to_owned(),
                ..Default::default()
            }),
            command: ["sh", "-c", script].map(str::to_owned).into(),
            // The broom finds the test's processes by this.
            envs: vec![v1::KeyValue { key: "TEST_MARK".to_owned(), value: self.mark().into() }],
            labels: [("container".to_owned(), name.to_owned())].into(),
            log_path: format!("{name}/0.log"),
            ..Default::default()
        }
    }

    pub async fn create(&self, sandbox: &str, config: v1::ContainerConfig) -> Result<String, RuntimeError> {
        let pod_sandbox_id = sandbox.to_owned();
        let request =
            v1::CreateContainerRequest { pod_sandbox_id, config: Some(config), sandbox_config: None };
        self.client.create_container(request).await.map(|r| r.container_id)
    }

    pub async fn start_container(&self, id: &str) -> Result<(), RuntimeError> {
        self.client.start_container(v1::StartContainerRequest { container_id: id.to_owned() }).await.map(drop)
    }

    /// Creates and starts a container that runs a shell script.
    pub async fn run(&self, sandbox: &str, name: &str, script: &str) -> String {
        let id = self.create(sandbox, self.config(name, script)).await.expect("created");
        self.start_container(&id).await.expect("started");
        id
    }

    pub async fn stop(&self, id: &str, timeout: i64) -> Result<(), RuntimeError> {
        let request = v1::StopContainerRequest { container_id: id.to_owned(), timeout };
        self.client.stop_container(request).await.map(drop)
    }

    pub async fn remove(&self, id: &str) -> Result<(), RuntimeError> {
        self.client
            .remove_container(v1::RemoveContainerRequest { container_id: id.to_owned() })
            .await
            .map(drop)
    }

    pub async fn stop_sandbox(&self, id: &str) -> Result<(), RuntimeError> {
        let request = v1::StopPodSandboxRequest { pod_sandbox_id: id.to_owned() };
        self.client.stop_pod_sandbox(request).await.map(drop)
    }

    pub async fn remove_sandbox(&self, id: &str) -> Result<(), RuntimeError> {
        let request = v1::RemovePodSandboxRequest { pod_sandbox_id: id.to_owned() };
        self.client.remove_pod_sandbox(request).await.map(drop)
    }

    pub async fn status(&self, id: &str) -> Result<v1::ContainerStatus, RuntimeError> {
        let request = v1::ContainerStatusRequest { container_id: id.to_owned(), verbose: false };
        self.client.container_status(request).await.map(|r| r.status.expect("a status"))
    }

    /// The pids of a running container and of its shim.
    pub async fn pids(&self, id: &str) -> (i32, i32) {
        let request = v1::ContainerStatusRequest { container_id: id.to_owned(), verbose: true };
        let info = self.client.container_status(request).await.expect("a status").info;
        let info: serde_json::Value = serde_json::from_str(&info["info"]).expect("JSON");
        let pid = |key: &str| i32::try_from(info[key].as_i64().expect("a number")).expect("a pid");
        (pid("pid"), pid("shimPid"))
    }

    pub async fn exited(&self, id: &str) -> v1::ContainerStatus {
        eventually("the container exits", async || {
            let status = self.status(id).await.expect("a status");
            (status.state() == v1::ContainerState::ContainerExited).then_some(status)
        })
        .await
    }

    /// The log of a container as (stream, tag, text).
    pub fn log(&self, status: &v1::ContainerStatus) -> Vec<(String, String, String)> {
        let log = fs::read_to_string(&status.log_path).unwrap_or_default();
        log.lines().map(parse_record).collect()
    }

    /// Waits until the log has a record with this text.
    pub async fn logged(&self, id: &str, text: &str) {
        let status = self.status(id).await.expect("a status");
        eventually(&format!("{text:?} is logged"), async || {
            self.log(&status).iter().any(|(_, _, logged)| logged == text).then_some(())
        })
        .await;
    }

    pub async fn exec(
        &self,
        id: &str,
        script: &str,
        seconds: i64,
    ) -> Result<v1::ExecSyncResponse, RuntimeError> {
        let cmd = ["sh", "-c", script].map(str::to_owned).into();
        let request = v1::ExecSyncRequest { container_id: id.to_owned(), cmd, timeout: seconds };
        self.client.exec_sync(request).await
    }

    /// Events from now on. The client opens the stream when it is first polled, and the runtime says nothing before its
    /// first event: sandboxes come and go until one is heard of, and a last one marks the place where the test begins.
    pub async fn events(&self) -> EventStream {
        let mut all = self.client.get_container_events().await.expect("a stream");
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(event) = all.next().await
                && sender.send(event).is_ok()
            {}
        });
        let come_and_go = async || {
            let id = self.sandbox("herald").await;
            self.remove_sandbox(&id).await.expect("removed");
            id
        };
        eventually("the stream is open", async || {
            come_and_go().await;
            (!receiver.is_empty()).then_some(())
        })
        .await;
        let last = come_and_go().await;
        let mut events = UnboundedReceiverStream::new(receiver).boxed();
        loop {
            let event = next_event(&mut events).await;
            if event.container_id == last
                && event.container_event_type() == v1::ContainerEventType::ContainerDeletedEvent
            {
                return events;
            }
        }
    }

    pub fn state(&self, file: &str) -> PathBuf {
        self.dir.path().join("state").join(file)
    }

    /// Processes of this node that run: containers, commands in them, shims. Not the server.
    pub fn processes(&self) -> Vec<i32> {
        let (mark, state) = (self.mark(), self.dir.path().join("state").display().to_string());
        let contains = |file: PathBuf, text: &str| {
            fs::read(file).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
        };
        let entries = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
        let server = self.server.as_ref().map(|s| s.id().cast_signed());
        pids.filter(|pid| Some(*pid) != server && is_running(*pid))
            .filter(|pid| {
                let proc = PathBuf::from(format!("/proc/{pid}"));
                contains(proc.join("environ"), &format!("TEST_MARK={mark}"))
                    || contains(proc.join("cmdline"), &state)
            })
            .collect()
    }

    /// Waits until there are so many: a process that is just being started may not look like one of this node's yet.
    pub async fn processes_become(&self, count: usize) {
        eventually(&format!("{count} processes run"), async || {
            (self.processes().len() == count).then_some(())
        })
        .await;
    }

    pub async fn no_process_is_left(&self) {
        self.processes_become(0).await;
    }

    fn mark(&self) -> String {
        self.dir.path().display().to_string()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ended = server.kill();
            let _reaped = server.wait();
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.dir.path().join("server.log")).unwrap_or_default();
            println!("the runtime said:\n{log}");
        }
        // A process that is killed may have forked meanwhile: until a look finds none.
        for _ in 0..1000 {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            for pid in left {
                let _gone = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
    }
}

/// Whether a process runs. A zombie does not: it may have been left to an init that does not reap.
pub fn is_running(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

pub fn kill_hard(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("killed");
}

/// Waits until `look` finds something.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {LIMIT:?} until {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// The next event of a stream.
pub async fn next_event(events: &mut EventStream) -> v1::ContainerEventResponse {
    timeout(LIMIT, events.next()).await.expect("an event in time").expect("no end").expect("no error")
}

/// Takes a record of a container log apart, and checks its time.
pub fn parse_record(line: &str) -> (String, String, String) {
    let mut parts = line.splitn(4, ' ');
    let mut part = || parts.next().unwrap_or_else(|| panic!("four parts in {line:?}")).to_owned();
    let (time, stream, tag, text) = (part(), part(), part(), part());
    time.parse::<jiff::Timestamp>().unwrap_or_else(|e| panic!("a time in {line:?}: {e}"));
    assert!(time.len() == "2016-10-06T00:17:09.669794202Z".len() && time.ends_with('Z'), "{time}");
    (stream, tag, text)
}

/// Counts to `lines` with a short pause after each.
pub fn count_to(lines: u32, then: &str) -> String {
    format!("i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo $i; sleep 0.002; done; {then}")
}

pub fn assert_counted(node: &Node, status: &v1::ContainerStatus, lines: u32) {
    let numbers: Vec<_> = node.log(status).into_iter().map(|(_, tag, text)| (tag, text)).collect();
    let expected: Vec<_> = (1..=lines).map(|n| ("F".to_owned(), n.to_string())).collect();
    assert_eq!(numbers, expected, "no line is lost, doubled or cut");
}
