//! What the agent said lately: its pod events and its warnings, from the log file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use e2e::agent::LogLine;

/// One thing that the agent said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// One word: the event's reason, or the log's level.
    pub reason: String,
    /// The pod as `namespace/name`; empty when it is about none.
    pub pod: String,
    /// Which part of the pod, such as `spec.containers{app}`.
    pub field_path: String,
    /// The sentence.
    pub message: String,
}

impl Item {
    /// The item as one line: pod and container, reason, sentence.
    pub fn line(&self) -> String {
        let pod = if self.pod.is_empty() { "agent" } else { &self.pod };
        let container = self.field_path.split_once('{').and_then(|(_, name)| name.strip_suffix('}'));
        let container = container.map(|name| format!(" {name}")).unwrap_or_default();
        format!("{pod}{container}  {}  {}", self.reason, self.message)
    }
}

/// Reads a log that grows.
#[derive(Debug)]
pub struct News {
    file: PathBuf,
    read_to: u64,
    /// Everything so far, oldest first.
    pub items: Vec<Item>,
}

impl News {
    /// What is added from now on; a directory that was kept has the log of the last time.
    pub fn of(file: PathBuf) -> Self {
        let read_to = std::fs::metadata(&file).map_or(0, |there| there.len());
        Self { file, read_to, items: Vec::new() }
    }

    /// Takes what was added; a line without its end is left for the next time.
    pub fn read(&mut self) {
        let mut text = Vec::new();
        let added = File::open(&self.file).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.read_to))?;
            file.read_to_end(&mut text)
        });
        // A log that is not there yet has no news.
        if added.is_err() {
            return;
        }
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.read_to += u64::try_from(whole).unwrap_or_default();
        self.items.extend(String::from_utf8_lossy(&text[..whole]).lines().filter_map(item));
    }

    /// The last event about this part of a pod.
    pub fn last_about<'a>(&'a self, pod: &str, field_path: &str) -> Option<&'a Item> {
        self.items.iter().rev().find(|item| item.pod == pod && item.field_path == field_path)
    }
}

/// Events, and warnings that are not events; the rest of the log stays in its file.
fn item(line: &str) -> Option<Item> {
    let line = LogLine::parse(line)?;
    if let Some(event) = line.event() {
        return Some(Item {
            kind: event.event_type,
            reason: event.reason,
            pod: event.pod,
            field_path: event.field_path,
            message: event.message,
        });
    }
    matches!(line.level.as_str(), "WARN" | "ERROR").then(|| {
        let about = ["path", "fields", "error", "err"].map(|name| line.field(name)).into_iter();
        let about = about.filter(|text| !text.is_empty()).map(|text| format!(": {text}"));
        Item {
            kind: "Warning".to_owned(),
            reason: line.level.clone(),
            pod: line.field("pod"),
            field_path: String::new(),
            message: line.message() + &about.collect::<String>(),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn lines_are_read_once_and_only_when_they_are_whole() {
        let mut log = tempfile::NamedTempFile::new().expect("a file");
        writeln!(log, r#"{{"level":"WARN","target":"x","fields":{{"message":"of the last time"}}}}"#)
            .expect("written");
        let mut news = News::of(log.path().to_owned());
        news.read();
        assert_eq!(news.items, []);

        let event = r#"{"level":"INFO","target":"event","fields":{"message":"Container started","type":"Normal","reason":"Started","pod":"default/web","field_path":"spec.containers{app}"}}"#;
        let warning = r#"{"level":"WARN","target":"x","fields":{"message":"cannot read","path":"/m/a.yaml","error":"is empty"}}"#;
        let (begun, rest) = warning.split_at(20);
        write!(log, "{event}\n{begun}").expect("written");
        news.read();
        assert_eq!(
            news.items.iter().map(Item::line).collect::<Vec<_>>(),
            ["default/web app  Started  Container started"]
        );

        write!(log, "{rest}\n{{\"level\":\"INFO\",\"target\":\"x\",\"fields\":{{}}}}\nplain\n")
            .expect("written");
        news.read();
        news.read();
        assert_eq!(news.items.len(), 2);
        assert_eq!(news.items[1].line(), "agent  WARN  cannot read: /m/a.yaml: is empty");
        assert_eq!(
            news.last_about("default/web", "spec.containers{app}").map(|i| i.reason.as_str()),
            Some("Started")
        );
        assert_eq!(news.last_about("default/web", ""), None);
    }
}
