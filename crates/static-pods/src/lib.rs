//! Pods from files: the manifest directory.
//!
//! A node must be able to run pods before there is an API server, because on a control-plane node the API server *is* such
//! a pod. So the kubelet watches a directory. Each file in it is one pod, a *static pod*; the file is the only
//! authority over it: no file, no pod. What a file means is `pod-manifest`'s business; this crate watches.
//!
//! ```text
//!   ManifestSource: list, changed            pure                                shell
//!   ┌ ManifestDirectory ─ notify ┐  Listing  ┌ Manifests::observe ┐  Observation  ┌ StaticPods::run ┐  set of pods
//!   │   and a scan every 20 s    ├─────────▶ │  decode, last good, ├────────────▶ │  reports once,  ├────────────▶ pod-config
//!   └ InMemoryManifests (tests)  ┘           └  one per name       ┘              └  sends changes  ┘
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`StaticPods`], [`Manifests`] | `config/file.go: sourceFile`, `listConfig`, `extractFromDir`, `replaceStore` |
//! | [`ManifestDirectory`] | `config/file.go: extractFromFile` |
//! | its watch | `config/file_linux.go: startWatch`, `doWatch` |
//!
//! # Other than the kubelet
//!
//! - a file that once gave a pod and now cannot be understood keeps its last good pod, until it is removed or good
//!   again. The kubelet does so after an event, and drops the pod at the next scan. After a restart of the agent nothing
//!   is known of earlier versions, so a broken file then gives no pod on either;
//! - a problem is reported when it appears, not at every scan; unknown fields, which are skipped, are reported too;
//! - of two files with a pod of the same name or UID the first in the order of paths wins. In the kubelet it is the last.
//!
//! # Left out
//!
//! - pods from a URL (`config/http.go`): `--manifest-url` is not supported;
//! - mirror pods, by which the API server shows static pods: they come with the API server's client.

mod directory;
mod manifests;
mod problem;
mod source;
mod static_pods;
mod watch;

pub use directory::ManifestDirectory;
pub use manifests::{Manifests, Observation};
pub use pod_manifest::{MAX_MANIFEST_BYTES, ManifestError};
pub use problem::{FileError, ManifestProblem};
pub use source::{Content, InMemoryManifests, Listing, ManifestSource};
pub use static_pods::{FILE_CHECK_FREQUENCY, StaticPods};
