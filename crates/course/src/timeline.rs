//! A recording of a real kubelet as a table for a page: when it asked for what, and what about.
//!
//! A recording is `recordings/NAME.cri.jsonl`, one call a line, in order. A page names it: `{{#timeline 01-minimal}}`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// Why there is no timeline.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// There is no such recording.
    #[error("recordings/{name}.cri.jsonl: {source}")]
    Unreadable {
        /// What the page calls it.
        name: String,
        /// Why it could not be read.
        source: std::io::Error,
    },
    /// A line is no call.
    #[error("recordings/{name}.cri.jsonl:{line}: {source}")]
    NotACall {
        /// What the page calls it.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// One call, as far as a timeline shows it.
#[derive(Debug, Deserialize)]
struct Call {
    at_s: f64,
    call: String,
    #[serde(default)]
    request: Request,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Request {
    #[serde(default)]
    config: Config,
    #[serde(default)]
    pod_sandbox_id: String,
    #[serde(default)]
    container_id: String,
    #[serde(default)]
    timeout: Option<String>,
    #[serde(default)]
    image: Image,
}

#[derive(Debug, Default, Deserialize)]
struct Config {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    attempt: u32,
}

#[derive(Debug, Default, Deserialize)]
struct Image {
    #[serde(default)]
    image: String,
}

/// The recording `name` of the project at `root`, as a table in Markdown.
///
/// # Errors
/// There is no such recording, or a line of it is no call.
pub fn table(root: &Path, name: &str) -> Result<String, TimelineError> {
    let path = root.join("recordings").join(format!("{name}.cri.jsonl"));
    let text = std::fs::read_to_string(path)
        .map_err(|source| TimelineError::Unreadable { name: name.to_owned(), source })?;
    rendered(name, &text)
}

fn rendered(name: &str, text: &str) -> Result<String, TimelineError> {
    let mut table = "| seconds | call | about |\n|---:|---|---|\n".to_owned();
    // Calls name containers by ids that the runtime gave; the page names them as the pod does.
    let mut containers: BTreeMap<String, String> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let call: Call = serde_json::from_str(line).map_err(|source| TimelineError::NotACall {
            name: name.to_owned(),
            line: number + 1,
            source,
        })?;
        if call.call == "CreateContainer" && call.error.is_none() {
            // The recordings number containers in the order in which they were made.
            let metadata = &call.request.config.metadata;
            containers.insert(format!("<container-{}>", containers.len() + 1), called(metadata));
        }
        let about = about(&call, &containers);
        table += &format!("| {:.1} | `{}` | {about} |\n", call.at_s, call.call);
    }
    Ok(table)
}

fn about(call: &Call, containers: &BTreeMap<String, String>) -> String {
    let request = &call.request;
    let mut about = match call.call.as_str() {
        "RunPodSandbox" => format!("pod {}", called(&request.config.metadata)),
        "CreateContainer" => format!("container {}", called(&request.config.metadata)),
        "PullImage" => format!("`{}`", request.image.image),
        _ if !request.container_id.is_empty() => {
            let known = containers.get(&request.container_id);
            format!("container {}", known.map_or("of somebody else", String::as_str))
        }
        _ if !request.pod_sandbox_id.is_empty() => "the sandbox".to_owned(),
        _ => String::new(),
    };
    if let Some(seconds) = &request.timeout {
        about += &format!(", {seconds} s to end");
    }
    if let Some(error) = &call.error {
        about += &format!(": {}", error.replace('|', "\\|"));
    }
    about
}

fn called(metadata: &Metadata) -> String {
    match metadata.attempt {
        0 => format!("`{}`", metadata.name),
        attempt => format!("`{}`, attempt {attempt}", metadata.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_in_the_words_of_the_pod() {
        let recording = concat!(
            r#"{"at_s": 0.0, "call": "RunPodSandbox", "request": {"config": {"metadata": {"name": "a-node1"}}}}"#,
            "\n",
            r#"{"at_s": 0.14, "call": "CreateContainer", "request": {"config": {"metadata": {"name": "app", "attempt": 1}}, "pod_sandbox_id": "<sandbox-1>"}}"#,
            "\n",
            r#"{"at_s": 8, "call": "StopContainer", "request": {"container_id": "<container-1>", "timeout": "2"}, "error": "no | such"}"#,
            "\n",
            r#"{"at_s": 9, "call": "StopPodSandbox", "request": {"pod_sandbox_id": "<sandbox-1>"}}"#,
            "\n",
        );
        assert_eq!(
            rendered("x", recording).expect("a table"),
            "| seconds | call | about |\n|---:|---|---|\n\
             | 0.0 | `RunPodSandbox` | pod `a-node1` |\n\
             | 0.1 | `CreateContainer` | container `app`, attempt 1 |\n\
             | 8.0 | `StopContainer` | container `app`, attempt 1, 2 s to end: no \\| such |\n\
             | 9.0 | `StopPodSandbox` | the sandbox |\n"
        );
    }

    #[test]
    fn every_recording_has_a_timeline() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let files = std::fs::read_dir(root.join("recordings")).expect("recordings");
        let names = files
            .flatten()
            .filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".cri.jsonl")?.to_owned()));
        let mut seen = 0;
        for name in names {
            let table = table(&root, &name).expect("a table");
            assert!(table.contains("`RunPodSandbox` | pod `"), "{name}:\n{table}");
            assert!(!table.contains("somebody else"), "{name}:\n{table}");
            seen += 1;
        }
        assert!(seen >= 10, "{seen} recordings");
    }

    #[test]
    fn what_is_missing_or_broken_is_named() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let missing = table(&root, "99-none").expect_err("no such recording");
        assert!(missing.to_string().starts_with("recordings/99-none.cri.jsonl: "), "{missing}");
        let broken = rendered("x", "{}\n").expect_err("no call");
        assert!(broken.to_string().starts_with("recordings/x.cri.jsonl:1: "), "{broken}");
    }
}
