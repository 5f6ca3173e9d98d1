//! The agent's log as lines of JSON, and the pod events in it.

use serde::Deserialize;
use serde_json::{Map, Value};

/// One line of the log under `--logging-format=json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogLine {
    /// When, in RFC 3339.
    #[serde(default)]
    pub timestamp: String,
    /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    pub level: String,
    /// The module, or `event` for a pod event.
    #[serde(default)]
    pub target: String,
    /// The message and everything else that was said.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

/// A pod event that was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// When, in RFC 3339.
    pub timestamp: String,
    /// `Normal` or `Warning`.
    pub event_type: String,
    /// One word, such as `Started` or `BackOff`.
    pub reason: String,
    /// The pod as `namespace/name`.
    pub pod: String,
    /// Which part of it, such as `spec.containers{app}`; empty for the whole pod.
    pub field_path: String,
    /// A sentence for people.
    pub message: String,
}

impl LogLine {
    /// A line, unless it is something else (a panic, a half-written line).
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// The message.
    pub fn message(&self) -> String {
        self.field("message")
    }

    /// A field as text; empty when it is absent.
    pub fn field(&self, name: &str) -> String {
        match self.fields.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// The pod event in this line, if it is one.
    pub fn event(&self) -> Option<LoggedEvent> {
        (self.target == "event").then(|| LoggedEvent {
            timestamp: self.timestamp.clone(),
            event_type: self.field("type"),
            reason: self.field("reason"),
            pod: self.field("pod"),
            field_path: self.field("field_path"),
            message: self.message(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_lines_of_that_target() {
        let line = r#"{"timestamp":"2026-01-01T00:00:00Z","level":"INFO","fields":{"message":"Started container app",
            "type":"Normal","reason":"Started","pod":"default/web-n1","field_path":"spec.containers{app}"},"target":"event"}"#;
        let event = LogLine::parse(line).and_then(|l| l.event()).expect("an event");
        assert_eq!((event.reason.as_str(), event.pod.as_str()), ("Started", "default/web-n1"));
        assert_eq!(event.message, "Started container app");

        let other = r#"{"level":"WARN","fields":{"message":"slow","took_ms":12},"target":"pleg"}"#;
        let other = LogLine::parse(other).expect("a line");
        assert_eq!(other.event(), None);
        assert_eq!(
            (other.message(), other.field("took_ms"), other.field("none")),
            ("slow".into(), "12".into(), String::new())
        );
        assert_eq!(LogLine::parse("thread 'main' panicked at"), None);
    }
}
