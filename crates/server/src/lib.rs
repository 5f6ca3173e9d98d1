//! The kubelet's HTTP endpoints; so far the one that is asked first.
//!
//! A node is brought up by programs that wait for its kubelet. kubeadm asks `http://127.0.0.1:10248/healthz` until the
//! body is `ok`, before an API server exists; systemd's watchdog and, later, the HTTPS port ask the same question with
//! more checks behind it. This crate holds the question: a list of named checks, what they say together, and the port.
//!
//! ```text
//!   kubelet (implements Host) ──▶ Checks ──▶ health::answer (pure) ──▶ listen: the socket, one axum route
//!                                   │
//!                                   └──▶ Checks::failure ──▶ agent: WATCHDOG=1 or silence
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`run_health`], [`bind_health`], [`serve_health`] | `cmd/kubelet/app/server.go: run`, its part about the health port |
//! | [`Checks`], [`Answer`], [`answer_root`], [`answer_one`] | `k8s.io/apiserver/pkg/server/healthz: InstallHandler` |
//! | [`Checks::ping`] | the empty list of checks that port 10248 is given: ping alone |
//! | [`Checks::of_kubelet`] | `pkg/kubelet/server/server.go: InstallAuthNotRequiredHandlers`, `pkg/kubelet/watchdog` |
//! | [`Host`] | `pkg/kubelet/server/server.go: HostInterface` |
//!
//! What surprises a reader of the Go source: port 10248 installs the handler **without** the sync loop check. A kubelet
//! whose loop hangs still says `ok` there; the watchdog and port 10250 are what notices.
//!
//! # Left out
//!
//! - the HTTPS port and everything on it, until the chapter on the kubelet's API;
//! - the check `log` (is `klog` stuck in a flush?): `tracing` writes each line itself and keeps no buffer to get stuck;
//! - metrics about health requests: they come with `/metrics`;
//! - `ServeMux`'s redirect of unclean paths (`//healthz`): here they are 404, as nothing asks for them;
//! - percent-encoded names in `?exclude=`: every check's name is plain letters.

mod health;
mod host;
mod listen;

pub use health::{Answer, Checks, answer_one, answer_root};
pub use host::Host;
pub use listen::{BIND_RETRY, ServeError, bind_health, run_health, serve_health};
