//! A container runtime whose containers are plain processes: it speaks the CRI as containerd does and needs no root.
//!
//! A kubelet cannot be looked at without a runtime below it, and a real one needs root, namespaces, a network plugin
//! and images. This one needs a directory. It keeps the promises that a kubelet relies on (states, exit codes, logs on
//! disk, grace periods, events, surviving its own death) and none of those that keep containers apart. **It isolates
//! nothing**: a container is a process of your own user with your files and your network. It is for learning and for
//! tests, never for production.
//!
//! ```text
//!   kubelet ══ gRPC on a unix socket, or the traits directly ══▶ EmbeddedRuntime
//!                                                                 │        ▲
//!                                           spawns, then forgets  │        │ files: started.json, exit.json
//!                                                                 ▼        │
//!                                                               shim ── container's process group
//!                                                                 └─▶ CRI log file
//! ```
//!
//! Follow a container through the modules: `service` (the RPCs) → `sandboxes`, `containers`, `exec`, `images` (what
//! they do) → [`shim`] (the process between) → `output`, `log_format` (its log) → `watch` (how its end is noticed) →
//! `status`, `events` (what is said about it). `state_dir` and `record` are what is remembered, `recovery` is how it is
//! read back, `process` and `command` are the machine.
//!
//! Anything may be killed with SIGKILL at any instant. The runtime: shims go on, and the next runtime reads the files. A
//! shim: its container goes on without a log, and its end is noticed without an exit code (255, `Unknown`). Both: the
//! same. The container: that is an exit with code 137.
//!
//! | here | its counterpart |
//! |---|---|
//! | [`EmbeddedRuntime`] | `cri-api/pkg/apis/testing` (the kubelet's fake runtime), containerd's `internal/cri/server` |
//! | [`shim`] | containerd's `containerd-shim-runc-v2` |
//! | `log_format` | containerd's CRI logger; read by `kubelet/kuberuntime/logs` and `cri-client/pkg/logs` |
//!
//! # Left out
//!
//! - isolation of every kind: namespaces, root file systems, users, capabilities, seccomp, limits. What the security
//!   context and the resources say is accepted and not carried out;
//! - mounts, and with them volumes, `/etc/hosts` and the termination message: they are given back in the status, but a
//!   process in the machine's own file system cannot see them at their paths;
//! - image contents: a name is an image. Commands are the machine's own; `missing.invalid/…` fails to pull;
//! - pod networks: the address of a pod is 127.0.0.1, and two pods on one port collide;
//! - stdin, terminals, `Exec`, `Attach`, `PortForward`: they need a streaming server, which comes with the chapter on exec;
//! - stats, metrics, checkpoints and resource updates: `Unimplemented`; there is no cgroup to read or write;
//! - real-time stop signals: the nix crate cannot send them, SIGTERM is sent instead.

mod command;
mod containers;
mod events;
mod exec;
mod images;
mod log_format;
mod output;
mod process;
mod record;
mod recovery;
mod refusal;
mod runtime;
mod sandboxes;
mod service;
pub mod shim;
mod state_dir;
mod status;
mod watch;

use std::path::PathBuf;

pub use runtime::{EmbeddedRuntime, Options, ShimCommand};

/// Why the runtime cannot work at all, as opposed to refusing one call.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory of the runtime's own cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// Another runtime works in the same state directory, or listens on the same socket.
    #[error("{} is in use by another runtime", path.display())]
    InUse {
        /// The directory or socket.
        path: PathBuf,
    },
    /// A file of the state directory is not what this version writes.
    #[error("{}: not a state file of this version: {source}", path.display())]
    Corrupt {
        /// Which one.
        path: PathBuf,
        /// Where the JSON breaks.
        source: serde_json::Error,
    },
    /// The gRPC server failed.
    #[error("serving on {}: {source}", path.display())]
    Serve {
        /// The socket.
        path: PathBuf,
        /// The transport's own words.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
