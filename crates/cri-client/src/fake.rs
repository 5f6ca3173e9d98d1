//! A runtime in memory, for tests and the simulation.
//!
//! It keeps sandboxes and containers as a real runtime would, refuses what a real one refuses, runs "processes" that
//! end when their [`Run`] says so (in tokio's time, paused or not), sends events, and writes down every call. Tests can
//! make calls fail or wait, lose events, take the runtime away, and change things behind the agent's back.
//!
//! Used directly it implements the two traits; [`FakeRuntime::connect`] puts the real gRPC client in front of it, over
//! an in-memory pipe.
//!
//! Mirrors `cri-api/pkg/apis/testing/fake_runtime_service.go` in purpose, not in form.

mod calls;
mod script;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use clock::Clock;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tonic::Code;

pub use script::{ExecAnswer, Run};

use crate::{Call, GrpcRuntime, RecordedCall, RuntimeError, v1};
use state::State;

#[derive(Debug)]
struct Injected {
    times: usize,
    code: Code,
    message: String,
}

#[derive(Debug, Default)]
struct Faults {
    fail: BTreeMap<&'static str, Injected>,
    delay: BTreeMap<&'static str, Duration>,
    lose_events: usize,
    away: bool,
    without_events: bool,
}

/// The runtime. Share it in an `Arc`.
#[derive(Debug)]
pub struct FakeRuntime {
    clock: Clock,
    began: Instant,
    state: Mutex<State>,
    faults: Mutex<Faults>,
    calls: Mutex<Vec<RecordedCall>>,
    events: broadcast::Sender<v1::ContainerEventResponse>,
    /// Counts up whenever the runtime goes away, so that open event streams end.
    away: tokio::sync::watch::Sender<u64>,
    this: Weak<Self>,
}

impl FakeRuntime {
    /// An empty runtime that has no image.
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            clock,
            began: Instant::now(),
            state: Mutex::default(),
            faults: Mutex::default(),
            calls: Mutex::default(),
            events: broadcast::channel(1024).0,
            away: tokio::sync::watch::channel(0).0,
        })
    }

    /// The real client, talking to this runtime over an in-memory pipe. Needs a tokio runtime to serve on.
    pub fn connect(self: &Arc<Self>, timeout: Duration) -> GrpcRuntime {
        let (dial, incoming) = tokio::sync::mpsc::unbounded_channel();
        let connect = tower::service_fn(move |_: tonic::transport::Uri| {
            let dial = dial.clone();
            async move {
                let (near, far) = tokio::io::duplex(64 * 1024);
                dial.send(Ok::<_, std::io::Error>(far))
                    .map_err(|_| std::io::Error::other("the fake is gone"))?;
                Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(near))
            }
        });
        let incoming = tokio_stream::wrappers::UnboundedReceiverStream::new(incoming);
        tokio::spawn(crate::serve(self.clone(), incoming, std::future::pending()));
        let endpoint = tonic::transport::Endpoint::from_static("http://fake.invalid");
        GrpcRuntime::over(endpoint.connect_with_connector_lazy(connect), timeout)
    }

    // === What it holds ===

    /// Makes an image present. `id` is what containers will refer to; the image's user is root.
    pub fn add_image(&self, name: &str, id: &str) {
        self.state().add_image(name, id);
    }

    /// Makes an image fetchable: absent now, present after a pull.
    pub fn offer_image(&self, name: &str, id: &str) {
        self.state().offer_image(name, id);
    }

    /// What containers of that name do when they are started: the first run for the first start and so on; the last
    /// one repeats. Without a script a container runs until it is stopped and obeys SIGTERM at once.
    pub fn script(&self, container: &str, runs: impl IntoIterator<Item = Run>) {
        self.state().script(container, runs.into_iter().collect());
    }

    /// What `ExecSync` answers in containers of that name, in turn; the last answer repeats.
    pub fn answer_exec(&self, container: &str, answers: impl IntoIterator<Item = ExecAnswer>) {
        self.state().answer_exec(container, answers.into_iter().collect());
    }

    /// All sandboxes, in order of creation.
    pub fn sandboxes(&self) -> Vec<v1::PodSandboxStatus> {
        self.state().sandboxes.values().map(|s| s.status.clone()).collect()
    }

    /// All containers, in order of creation.
    pub fn containers(&self) -> Vec<v1::ContainerStatus> {
        self.state().containers.values().map(|c| c.status.clone()).collect()
    }

    // === What happens behind the agent's back ===

    /// The container's process ends with that code. Nothing happens if it does not run.
    pub fn exit_container(&self, id: &str, code: i32) {
        let ended = self.state().end(id, code, None, self.clock.now_nanos());
        if ended {
            self.send(id, v1::ContainerEventType::ContainerStoppedEvent);
        }
    }

    /// Somebody stops a sandbox: its containers are killed and it is not ready any more.
    pub fn stop_sandbox_quietly(&self, id: &str) {
        // A binding of its own: the loop below takes the lock again.
        let ended = self.state().stop_sandbox(id, self.clock.now_nanos());
        for gone in ended {
            self.send(&gone, v1::ContainerEventType::ContainerStoppedEvent);
        }
    }

    /// Somebody removes a sandbox with its containers.
    pub fn remove_sandbox_quietly(&self, id: &str) {
        let lost = self.describe(id, v1::ContainerEventType::ContainerDeletedEvent);
        self.state().remove_sandbox(id);
        self.publish(lost);
    }

    /// Somebody removes a container.
    pub fn remove_container_quietly(&self, id: &str) {
        let lost = self.describe(id, v1::ContainerEventType::ContainerDeletedEvent);
        self.state().containers.remove(id);
        self.publish(lost);
    }

    // === Faults ===

    /// The next `times` calls of `rpc` fail.
    pub fn fail(&self, rpc: &'static str, times: usize, code: Code, message: &str) {
        self.faults().fail.insert(rpc, Injected { times, code, message: message.to_owned() });
    }

    /// Every call of `rpc` takes that long from now on.
    pub fn delay(&self, rpc: &'static str, wait: Duration) {
        self.faults().delay.insert(rpc, wait);
    }

    /// The next `count` events are lost.
    pub fn lose_events(&self, count: usize) {
        self.faults().lose_events = count;
    }

    /// Takes the runtime away or brings it back. While it is away every call is `Unavailable` and event streams end;
    /// containers go on, as they do under containerd.
    pub fn set_away(&self, away: bool) {
        self.faults().away = away;
        if away {
            self.away.send_modify(|times| *times += 1);
        }
    }

    /// Answers `GetContainerEvents` with `Unimplemented` from now on, like containerd 1.6.
    pub fn without_events(&self) {
        self.faults().without_events = true;
    }

    // === Recorded calls ===

    /// Every call so far, in order of arrival.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests of one kind so far.
    pub fn requests<R: Call>(&self) -> Vec<R> {
        let decode = |call: &RecordedCall| R::decode(call.request.as_slice()).ok();
        self.calls().iter().filter(|call| call.rpc == R::RPC).filter_map(decode).collect()
    }

    /// How often `rpc` was called.
    pub fn count(&self, rpc: &str) -> usize {
        self.calls().iter().filter(|call| call.rpc == rpc).count()
    }

    /// Forgets the calls recorded so far.
    pub fn clear_calls(&self) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// For a "process" that must not keep the runtime alive.
    fn weak_self(&self) -> Weak<Self> {
        self.this.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a call down, waits as long as it was told to, and fails it if that was asked for.
    async fn arrive<R: Call>(&self, request: &R) -> Result<usize, RuntimeError> {
        let place = {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.push(RecordedCall {
                at: self.began.elapsed(),
                rpc: R::RPC,
                request: request.encode_to_vec(),
                response: Vec::new(),
                error: None,
            });
            calls.len() - 1
        };
        let wait = self.faults().delay.get(R::RPC).copied();
        if let Some(wait) = wait {
            tokio::time::sleep(wait).await;
        }
        let fault = {
            let mut faults = self.faults();
            if faults.away {
                Some((Code::Unavailable, "connection refused".to_owned()))
            } else {
                faults.fail.get_mut(R::RPC).filter(|f| f.times > 0).map(|f| {
                    f.times -= 1;
                    (f.code, f.message.clone())
                })
            }
        };
        match fault {
            None => Ok(place),
            Some((code, message)) => Err(self.note(
                place,
                RuntimeError::from_status(R::RPC, request.object(), &tonic::Status::new(code, message)),
            )),
        }
    }

    /// Notes an answer beside its call, where somebody may want to read it.
    fn answered(&self, place: usize, response: &impl prost::Message) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(call) = calls.get_mut(place) {
            call.response = response.encode_to_vec();
        }
    }

    /// Notes an error beside its call.
    fn note(&self, place: usize, error: RuntimeError) -> RuntimeError {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(call) = calls.get_mut(place) {
            call.error = Some(error.message());
        }
        error
    }

    /// An event about a container or sandbox, with the state of its pod at this moment.
    fn describe(&self, id: &str, kind: v1::ContainerEventType) -> v1::ContainerEventResponse {
        let state = self.state();
        let sandbox = state.sandbox_of(id);
        v1::ContainerEventResponse {
            container_id: id.to_owned(),
            container_event_type: kind.into(),
            created_at: self.clock.now_nanos(),
            pod_sandbox_status: sandbox.map(|s| s.status.clone()),
            containers_statuses: sandbox.map(|s| state.members(&s.status.id)).unwrap_or_default(),
        }
    }

    fn send(&self, id: &str, kind: v1::ContainerEventType) {
        let event = self.describe(id, kind);
        self.publish(event);
    }

    fn publish(&self, event: v1::ContainerEventResponse) {
        {
            let mut faults = self.faults();
            if faults.lose_events > 0 {
                faults.lose_events -= 1;
                return;
            }
        }
        // Nobody listening is fine: that is what a stream that starts later looks like.
        let _ = self.events.send(event);
    }
}
