//! The assembled agent against real runtimes: what tests, benches and `cargo xtask up` share.
//!
//! A test at depth 3 starts an [`Agent`] on its embedded runtime; one at depth 4 first launches a [`PrivateContainerd`]
//! and starts the agent on that. Both then put manifests into a directory, look at the runtime through a [`NodeView`],
//! and wait for what must come with [`wait::until`].
//!
//! ```text
//!   test ──▶ PrivateContainerd (netns, cgroup, CNI, images from oci_image)
//!     │            ▲ CRI
//!     ├──▶ Agent ──┘ (a process: kill9, terminate, restart; its log)
//!     └──▶ NodeView::read ──▶ pods, containers, process ids ──▶ wait::until
//! ```
//!
//! Everything that is started is taken down when its value is dropped, after a panic too.
//!
//! Tests that need containerd are behind the feature `containerd`. Without it they are not compiled, and so cannot be
//! skipped in silence: `cargo xtask test` says what it did not run.

pub mod agent;
pub mod command;
pub mod containerd;
pub mod mounts;
pub mod node;
pub mod oci_image;
pub mod process;
pub mod recording;
pub mod wait;

pub use agent::{Agent, AgentOptions};
pub use containerd::PrivateContainerd;
pub use node::{ContainerView, NodeView, SandboxView};
pub use process::ProcessId;

/// The last lines of a log file, for a message that has to explain a failure.
pub(crate) fn log_tail(file: &std::path::Path) -> String {
    const LINES: usize = 25;
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(LINES)..].join("\n");
    format!("the end of {}:\n{tail}", file.display())
}
