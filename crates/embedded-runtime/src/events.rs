//! `GetContainerEvents`: every change of a container or sandbox, told to all who listen.
//!
//! As containerd's `generateAndSendContainerEvent`: an event carries the status of the sandbox and of all its
//! containers as they are then; a sandbox also has events of its own, with its id in the container's place; an event
//! about a removed sandbox has no status.

use cri_client::v1::ContainerEventType;
use cri_client::{Code, EventStream, RuntimeError, v1};
use futures::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;

use crate::runtime::{EmbeddedRuntime, Inventory};
use crate::status;

/// What happened to a container or sandbox.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Created,
    Started,
    Stopped,
    Deleted,
}

impl EmbeddedRuntime {
    /// Tells all subscribers. It takes the inventory to be called under its lock: events come in the order of changes.
    pub(crate) fn publish(&self, inventory: &Inventory, id: &str, sandbox_id: &str, change: Change) {
        let change = match change {
            Change::Created => ContainerEventType::ContainerCreatedEvent,
            Change::Started => ContainerEventType::ContainerStartedEvent,
            Change::Stopped => ContainerEventType::ContainerStoppedEvent,
            Change::Deleted => ContainerEventType::ContainerDeletedEvent,
        };
        let _nobody_listens = self.events.send(v1::ContainerEventResponse {
            container_id: id.to_owned(),
            container_event_type: change.into(),
            created_at: self.options.clock.now_nanos(),
            pod_sandbox_status: inventory.sandboxes.get(sandbox_id).map(|s| status::sandbox(&s.record)),
            containers_statuses: inventory.members(sandbox_id).map(status::container).collect(),
        });
    }

    /// All events from now on, until the runtime closes.
    pub(crate) fn event_stream(&self) -> EventStream {
        let lost = |count| RuntimeError::Status {
            rpc: "GetContainerEvents",
            object: String::new(),
            code: Code::ResourceExhausted,
            message: format!("{count} events were lost: the subscriber is too slow"),
        };
        BroadcastStream::new(self.events.subscribe())
            .map(move |event| {
                event.map_err(|tokio_stream::wrappers::errors::BroadcastStreamRecvError::Lagged(n)| lost(n))
            })
            .take_until(self.closing.clone().cancelled_owned())
            .boxed()
    }
}
