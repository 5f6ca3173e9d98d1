//! Events go to the log until there is an API server to take them.

use pod_model::{Event, EventSink, EventType};

/// Writes each event as one log line with the target `event`.
pub struct LogEvents;

impl EventSink for LogEvents {
    fn record(&self, event: Event) {
        let (pod, field_path, reason) = (event.pod.to_string(), event.field_path, event.reason);
        match event.event_type {
            EventType::Normal => {
                tracing::info!(target: "event", type = "Normal", reason, pod, field_path, "{}", event.message);
            }
            EventType::Warning => {
                tracing::warn!(target: "event", type = "Warning", reason, pod, field_path, "{}", event.message);
            }
        }
    }
}
