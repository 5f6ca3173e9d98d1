//! Node-level measurements of the assembled agent: what a node notices of its kubelet.
//!
//! The binary `node-bench` runs an agent on a private containerd and measures it from outside, by the runtime's own
//! time stamps and by `/proc`; it never looks into the agent. So any agent with a manifest directory and a CRI socket
//! can be measured ([`agent::AgentCommand`]), not just `podwright`.
//!
//! ```text
//!   one part ──▶ Node ─┬─ the agent ──▶ containerd A     kill, manifest, burst: both sides by turns
//!                      └─ Bare ───────▶ containerd B     (idle and calls: only the agent's side)
//!        │
//!        └──▶ Spread, Comparison ──▶ Report ──▶ a table, or JSON
//! ```
//!
//! Milliseconds on a machine that others use say little. So what an agent does with CRI calls is done a second time,
//! by a bare client that makes the same calls and thinks of nothing ([`bare::Bare`]): the *floor*. Both take turns in
//! the same run, each on a containerd of its own, and the ratio of their medians is the figure to look at. Nothing
//! here asserts: figures are printed with their spread, beside the facts of the machine that they were taken on.
//!
//! | part | question | floor |
//! |---|---|---|
//! | [`kill`] | a container's process is killed: when does the next one run? | see the process end (or be told by the runtime), Create, Start |
//! | [`manifest`] | a manifest appears: when does its container run? | RunPodSandbox, Create, Start |
//! | [`burst`] | many manifests appear: when does the last container run? | the same calls, four pods at a time |
//! | [`idle`] | nothing happens: what does the agent cost? | none |
//! | [`calls`] | what is asked of the runtime, at rest and for one pod? | none |

pub mod agent;
pub mod bare;
pub mod burst;
pub mod calls;
pub mod figures;
pub mod idle;
pub mod kill;
pub mod machine;
pub mod manifest;
pub mod node;
pub mod progress;
pub mod proxy;
pub mod report;
pub mod started;
pub mod tables;
pub mod usage;
