//! The commands: one or two calls each, and their answer on standard output.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clock::Clock;
use cri_client::{GrpcRuntime, ImageService as _, RuntimeError, RuntimeService as _, v1};
use futures::StreamExt as _;
use serde_json::Value;

use super::ids::{self, NotOne};
use super::log_file::{LogFile, tail};
use super::log_records::{Joiner, Line, Stream, fixed_width, parse};
use super::{Events, List, Logs, Object, Output, describe, json, tables};

/// How often a followed log is looked at. The kubelet watches the folder; a person does not see the difference.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

pub async fn version(runtime: &GrpcRuntime) -> anyhow::Result<()> {
    let answer = runtime.version(v1::VersionRequest::default()).await?;
    print(format_args!(
        "Version:  {}\nRuntimeName:  {}\nRuntimeVersion:  {}\nRuntimeApiVersion:  {}\n",
        answer.version, answer.runtime_name, answer.runtime_version, answer.runtime_api_version
    ))
}

pub async fn info(runtime: &GrpcRuntime) -> anyhow::Result<()> {
    let answer = runtime.status(v1::StatusRequest { verbose: true }).await?;
    print_json(&json::runtime_answer(&answer))
}

pub async fn pods(runtime: &GrpcRuntime, list: &List) -> anyhow::Result<()> {
    let mut items = all_sandboxes(runtime).await?;
    tables::sort_sandboxes(&mut items);
    let now = Clock::system().now_nanos();
    let ids = items.iter().map(|item| item.id.as_str());
    print_list(
        list,
        ids,
        || json::sandboxes(&items),
        || {
            let rows = items.iter().map(|item| tables::sandbox_row(item, now, list.no_trunc)).collect();
            tables::render(&tables::POD_COLUMNS, rows)
        },
    )
}

pub async fn ps(runtime: &GrpcRuntime, all: bool, list: &List) -> anyhow::Result<()> {
    let running = v1::ContainerStateValue { state: v1::ContainerState::ContainerRunning.into() };
    let filter = v1::ContainerFilter { state: (!all).then_some(running), ..Default::default() };
    let request = v1::ListContainersRequest { filter: Some(filter) };
    let mut items = runtime.list_containers(request).await?.containers;
    tables::sort_containers(&mut items);
    let now = Clock::system().now_nanos();
    let ids = items.iter().map(|item| item.id.as_str());
    print_list(
        list,
        ids,
        || json::containers(&items),
        || {
            let rows = items.iter().map(|item| tables::container_row(item, now, list.no_trunc)).collect();
            tables::render(&tables::CONTAINER_COLUMNS, rows)
        },
    )
}

pub async fn images(runtime: &GrpcRuntime, list: &List) -> anyhow::Result<()> {
    let mut items = runtime.list_images(v1::ListImagesRequest::default()).await?.images;
    tables::sort_images(&mut items);
    let ids = items.iter().map(|item| item.id.as_str());
    print_list(
        list,
        ids,
        || json::images(&items),
        || {
            let rows = items.iter().flat_map(|item| tables::image_rows(item, list.no_trunc)).collect();
            tables::render(&tables::IMAGE_COLUMNS, rows)
        },
    )
}

pub async fn inspect(runtime: &GrpcRuntime, object: &Object) -> anyhow::Result<()> {
    let container_id = find_container(runtime, &object.id).await?;
    let answer = runtime.container_status(v1::ContainerStatusRequest { container_id, verbose: true }).await?;
    match object.output {
        Output::Json => print_json(&json::container_answer(&answer)),
        Output::Table => {
            let status = answer.status.unwrap_or_default();
            print(format_args!("{}", describe::container(&status, Clock::system().now_nanos())))
        }
    }
}

pub async fn inspectp(runtime: &GrpcRuntime, object: &Object) -> anyhow::Result<()> {
    let pod_sandbox_id = find_sandbox(runtime, &object.id).await?;
    let request = v1::PodSandboxStatusRequest { pod_sandbox_id, verbose: true };
    let answer = runtime.pod_sandbox_status(request).await?;
    match object.output {
        Output::Json => print_json(&json::sandbox_answer(&answer)),
        Output::Table => {
            let status = answer.status.unwrap_or_default();
            print(format_args!("{}", describe::sandbox(&status, Clock::system().now_nanos())))
        }
    }
}

pub async fn events(runtime: &GrpcRuntime, options: &Events) -> anyhow::Result<()> {
    let mut events = runtime.get_container_events().await?;
    while let Some(event) = events.next().await {
        let event = event?;
        match options.output {
            Output::Json => print(format_args!("{}\n", json::event(&event)))?,
            Output::Table => print(format_args!("{}\n", describe::event(&event, options.no_trunc)))?,
        }
    }
    anyhow::bail!("the runtime ended the stream of events: it was stopped, or is restarting")
}

pub async fn logs(runtime: &GrpcRuntime, options: &Logs) -> anyhow::Result<()> {
    let id = find_container(runtime, &options.id).await?;
    let request = v1::ContainerStatusRequest { container_id: id.clone(), verbose: false };
    let path = runtime.container_status(request).await?.status.unwrap_or_default().log_path;
    anyhow::ensure!(!path.is_empty(), "container {id} has no log: it was made without a path for one");
    let mut file = LogFile::open(Path::new(&path)).with_context(|| {
        format!(
            "log of container {id}, {path} (there is none before the first start, nor after the pod has gone)"
        )
    })?;
    let mut printer = Printer { joiner: Joiner::default(), timestamps: options.timestamps };
    let broken = || format!("log of container {id}, {path}");
    printer.records(tail(&file.read_new().with_context(broken)?, options.tail))?;
    if options.follow {
        follow(runtime, &id, &mut file, &mut printer).await.with_context(broken)?;
    }
    if options.tail != Some(0) || options.follow {
        printer.records(&file.finish())?;
    }
    printer.finish()
}

/// Prints what is written to the log until the container has ended.
async fn follow(
    runtime: &GrpcRuntime,
    id: &str,
    file: &mut LogFile,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        // Asked before reading: what an ended container wrote is all there by then.
        let running = is_running(runtime, id).await?;
        printer.records(&file.read_new()?)?;
        if !running {
            return Ok(());
        }
    }
}

/// A runtime that is away for a moment says nothing about its containers: they go on without it.
async fn is_running(runtime: &GrpcRuntime, id: &str) -> Result<bool, RuntimeError> {
    let request = v1::ContainerStatusRequest { container_id: id.to_owned(), verbose: false };
    match runtime.container_status(request).await {
        Ok(answer) => Ok(answer.status.unwrap_or_default().state() == v1::ContainerState::ContainerRunning),
        Err(error) if error.is_unavailable() => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

async fn all_sandboxes(runtime: &GrpcRuntime) -> Result<Vec<v1::PodSandbox>, RuntimeError> {
    Ok(runtime.list_pod_sandbox(v1::ListPodSandboxRequest::default()).await?.items)
}

async fn all_containers(runtime: &GrpcRuntime) -> Result<Vec<v1::Container>, RuntimeError> {
    Ok(runtime.list_containers(v1::ListContainersRequest::default()).await?.containers)
}

async fn find_container(runtime: &GrpcRuntime, start: &str) -> anyhow::Result<String> {
    let items = all_containers(runtime).await?;
    match ids::find(start, items.iter().map(|item| item.id.as_str())) {
        Ok(id) => Ok(id.to_owned()),
        Err(NotOne::Several(found)) => Err(several("container", start, &found)),
        Err(NotOne::Nobody) => {
            let others = all_sandboxes(runtime).await?;
            let sandbox = ids::find(start, others.iter().map(|item| item.id.as_str())).is_ok();
            let instead = if sandbox { "; a sandbox has: see `crictl inspectp`" } else { "" };
            anyhow::bail!(
                "no container has an id that begins with {start:?}{instead}; `crictl ps -a` lists them all"
            )
        }
    }
}

async fn find_sandbox(runtime: &GrpcRuntime, start: &str) -> anyhow::Result<String> {
    let items = all_sandboxes(runtime).await?;
    match ids::find(start, items.iter().map(|item| item.id.as_str())) {
        Ok(id) => Ok(id.to_owned()),
        Err(NotOne::Several(found)) => Err(several("sandbox", start, &found)),
        Err(NotOne::Nobody) => {
            let others = all_containers(runtime).await?;
            let container = ids::find(start, others.iter().map(|item| item.id.as_str())).is_ok();
            let instead = if container { "; a container has: see `crictl inspect`" } else { "" };
            anyhow::bail!(
                "no sandbox has an id that begins with {start:?}{instead}; `crictl pods` lists them all"
            )
        }
    }
}

fn several(kind: &str, start: &str, found: &[String]) -> anyhow::Error {
    anyhow::anyhow!(
        "more than one {kind} has an id that begins with {start:?}: {}; give more of it",
        found.join(", ")
    )
}

/// Puts records together and prints lines, each to the stream that it came from.
struct Printer {
    joiner: Joiner,
    timestamps: bool,
}

impl Printer {
    fn records(&mut self, records: &[u8]) -> anyhow::Result<()> {
        for line in records.split_inclusive(|byte| *byte == b'\n') {
            match parse(line) {
                Ok(record) => {
                    if let Some(line) = self.joiner.feed(&record) {
                        self.line(&line)?;
                    }
                }
                // One damaged record, such as after a full disk, does not hide the others.
                Err(why) => eprintln!("crictl: left out a line of the log: {why}"),
            }
        }
        Ok(())
    }

    fn line(&self, line: &Line) -> anyhow::Result<()> {
        let mut text = Vec::new();
        if self.timestamps {
            text.extend_from_slice(format!("{} ", fixed_width(&line.time)).as_bytes());
        }
        text.extend_from_slice(&line.text);
        match line.stream {
            Stream::Stdout => io::stdout().write_all(&text)?,
            Stream::Stderr => io::stderr().write_all(&text)?,
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        for line in std::mem::take(&mut self.joiner).finish() {
            self.line(&line)?;
        }
        Ok(io::stdout().flush()?)
    }
}

fn print_list<'a>(
    list: &List,
    ids: impl Iterator<Item = &'a str>,
    json: impl FnOnce() -> Value,
    table: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    if list.quiet {
        return ids.into_iter().try_for_each(|id| print(format_args!("{id}\n")));
    }
    match list.output {
        Output::Json => print_json(&json()),
        Output::Table => print(format_args!("{}", table())),
    }
}

fn print_json(value: &Value) -> anyhow::Result<()> {
    print(format_args!("{value:#}\n"))
}

/// Unlike `print!` this does not panic when the reader has gone, as with `| head`.
fn print(text: std::fmt::Arguments<'_>) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_fmt(text)?;
    Ok(out.flush()?)
}
