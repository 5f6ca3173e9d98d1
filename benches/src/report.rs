//! Everything that one run found.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use e2e::containerd::Programs;
use serde::Serialize;

use crate::machine::Machine;
use crate::node::Plan;
use crate::{burst, calls, idle, kill, manifest};

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// A container's process is killed.
    Kill,
    /// A manifest appears.
    Manifest,
    /// Many manifests appear.
    Burst,
    /// Nothing happens.
    Idle,
    /// The calls, through a recording proxy.
    Calls,
}

/// Everything that one run found. A part that was not asked for is absent.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// Of which agent: its command, places not filled in.
    pub agent: String,
    /// Kill → restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill: Option<kill::Kill>,
    /// Manifest → started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<manifest::Manifest>,
    /// Many pods at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<burst::Burst>,
    /// At rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<idle::Idle>,
    /// What was asked of the runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<calls::Calls>,
}

/// Runs the parts one after the other, each on a node of its own.
///
/// # Errors
/// The first part that does not work.
pub async fn run(plan: &Plan, parts: &BTreeSet<Part>) -> Result<Report> {
    let mut report = Report {
        machine: Machine::read(&Programs::find()?.version),
        agent: plan.agent.to_string(),
        kill: None,
        manifest: None,
        burst: None,
        idle: None,
        calls: None,
    };
    for part in parts {
        match part {
            Part::Kill => report.kill = Some(Box::pin(kill::measure(plan)).await.context("kill")?),
            Part::Manifest => {
                report.manifest = Some(Box::pin(manifest::measure(plan)).await.context("manifest")?)
            }
            Part::Burst => report.burst = Some(Box::pin(burst::measure(plan)).await.context("burst")?),
            Part::Idle => report.idle = Some(Box::pin(idle::measure(plan)).await.context("idle")?),
            Part::Calls => report.calls = Some(Box::pin(calls::measure(plan)).await.context("calls")?),
        }
    }
    Ok(report)
}
