//! What the node tells the world about a pod: reason, text, and whether it is a worry.
//!
//! An event is for people; nothing on the node waits for one. Crates that act record events into an [`EventSink`];
//! who listens (the log, the terminal, later the API server) is decided where the agent is put together.
//!
//! Mirrors `pkg/kubelet/events/event.go` and client-go's `record.EventRecorder` as the kubelet uses it.

use std::fmt;

use crate::PodRef;

/// Whether an event is a worry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// Things went as they should.
    Normal,
    /// Somebody may have to look.
    Warning,
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        })
    }
}

/// The reasons that are used so far, with the kubelet's spelling.
pub mod reason {
    /// A container was created.
    pub const CREATED: &str = "Created";
    /// A container was started.
    pub const STARTED: &str = "Started";
    /// A container could not be created or started.
    pub const FAILED: &str = "Failed";
    /// A container is being stopped.
    pub const KILLING: &str = "Killing";
    /// A restart or a pull has to wait.
    pub const BACK_OFF: &str = "BackOff";
    /// A pod could not be stopped.
    pub const FAILED_KILL_POD: &str = "FailedKillPod";
    /// The pod gets a new sandbox.
    pub const SANDBOX_CHANGED: &str = "SandboxChanged";
    /// A sandbox could not be made.
    pub const FAILED_CREATE_POD_SANDBOX: &str = "FailedCreatePodSandBox";
    /// A sandbox could not be inspected.
    pub const FAILED_POD_SANDBOX_STATUS: &str = "FailedPodSandBoxStatus";
    /// The runtime's network is not ready.
    pub const NETWORK_NOT_READY: &str = "NetworkNotReady";
    /// An image is being fetched.
    pub const PULLING: &str = "Pulling";
    /// An image is there.
    pub const PULLED: &str = "Pulled";
    /// An image could not be inspected.
    pub const INSPECT_FAILED: &str = "InspectFailed";
    /// An image is absent and may not be fetched.
    pub const ERR_IMAGE_NEVER_PULL: &str = "ErrImageNeverPull";
    /// A volume could not be mounted.
    pub const FAILED_MOUNT: &str = "FailedMount";
    /// A sync of the pod failed.
    pub const FAILED_SYNC: &str = "FailedSync";
    /// The nameservers, searches or options of the pod had to be cut.
    pub const DNS_CONFIG_FORMING: &str = "DNSConfigForming";
    /// No cluster DNS is configured, so the pod falls back to the node's.
    pub const MISSING_CLUSTER_DNS: &str = "MissingClusterDNS";
}

/// One event about a pod or one of its containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which pod.
    pub pod: PodRef,
    /// Which part of it, such as `spec.containers{app}`; empty for the pod as a whole.
    pub field_path: String,
    /// A worry or not.
    pub event_type: EventType,
    /// One word from [`reason`].
    pub reason: &'static str,
    /// A sentence for people.
    pub message: String,
}

impl Event {
    /// An event about a whole pod.
    pub fn about_pod(
        pod: &PodRef,
        event_type: EventType,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { pod: pod.clone(), field_path: String::new(), event_type, reason, message: message.into() }
    }

    /// An event about a container, named by its [field path](field_path).
    pub fn about_container(
        pod: &PodRef,
        field_path: impl Into<String>,
        event_type: EventType,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { field_path: field_path.into(), ..Self::about_pod(pod, event_type, reason, message) }
    }
}

/// Which part of a pod a container is: `spec.containers{app}`, `spec.initContainers{app}`.
/// Mirrors `container/ref.go: fieldPath`.
pub fn field_path(pod: &k8s_openapi::api::core::v1::Pod, container: &str) -> String {
    let init = crate::identity::init_containers(pod).iter().any(|c| c.name == container);
    format!("spec.{}{{{container}}}", if init { "initContainers" } else { "containers" })
}

/// Where events go. Recording never blocks and never fails: an event is not worth a container.
pub trait EventSink: Send + Sync + 'static {
    /// Takes an event.
    fn record(&self, event: Event);
}

/// A sink that keeps everything, for tests.
#[derive(Debug, Default)]
pub struct RecordedEvents(std::sync::Mutex<Vec<Event>>);

impl RecordedEvents {
    /// Everything recorded so far, one line each: `Warning BackOff default/web spec.containers{app}: text`.
    pub fn lines(&self) -> Vec<String> {
        let events = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        events.iter().map(ToString::to_string).collect()
    }
}

impl EventSink for RecordedEvents {
    fn record(&self, event: Event) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(event);
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.event_type, self.reason, self.pod)?;
        if !self.field_path.is_empty() {
            write!(f, " {}", self.field_path)?;
        }
        write!(f, ": {}", self.message)
    }
}
