//! Pods from files: the manifest directory.
//!
//! A node must be able to run pods before there is an API server, because on a control-plane node the API server *is* such
//! a pod. So the kubelet watches a directory. Each file in it is one pod, a *static pod*; the file is the only
//! authority over it: no file, no pod.
//!
//! ```text
//!   ManifestSource: list, changed            pure                                shell
//!   ┌ ManifestDirectory ─ notify ┐  Listing  ┌ Manifests::observe ┐  Observation  ┌ StaticPods::run ┐  set of pods
//!   │   and a scan every 20 s    ├─────────▶ │  decode, last good, ├────────────▶ │  reports once,  ├────────────▶ pod-config
//!   └ InMemoryManifests (tests)  ┘           └  one per name       ┘              └  sends changes  ┘
//!
//!   decode:  bytes ─tree─▶ values ─typed─▶ Pod ─settle on node, defaults─▶ ─validate, references─▶ static pod
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`StaticPods`], [`Manifests`] | `config/file.go: sourceFile`, `listConfig`, `extractFromDir` |
//! | [`ManifestDirectory`] | `config/file_linux.go: startWatch`, `doWatch` |
//! | [`decode`] | `config/common.go: tryDecodeSinglePod`, `applyDefaults` |
//! | `defaults` | `pkg/apis/core/v1/defaults.go: SetObjectDefaults_Pod` |
//! | `validate` | `pkg/apis/core/validation/validation.go: ValidatePodCreate` |
//! | `references` | `pkg/api/pod/util.go: HasAPIObjectReference` |
//! | [`FieldError`] | `apimachinery/pkg/util/validation/field` |
//!
//! Other than the kubelet:
//! - a file that once gave a pod and now cannot be understood keeps its last good pod, until it is removed or good
//!   again. The kubelet does so after an event, and drops the pod at the next scan. After a restart of the agent nothing
//!   is known of earlier versions, so a broken file then gives no pod on either;
//! - a problem is reported when it appears, not at every scan; unknown fields, which are skipped, are reported too;
//! - of two files with a pod of the same name or UID the first in the order of paths wins. In the kubelet it is the last;
//! - `metadata.uid` in a file must be usable as a directory name. The kubelet takes any text;
//! - words such as `yes` and `on` are booleans where a boolean belongs (as in the kubelet's YAML 1.1) and text where
//!   text belongs (where the kubelet refuses them); `0644` is octal where a number belongs.
//!
//! Left out:
//! - pods from a URL (`config/http.go`): `--manifest-url` is not supported;
//! - `config.source` and `config.seen`: the merge of all sources writes them, here as in the kubelet;
//! - validation of what only the scheduler reads (affinity, topology spread), of annotations that fields have
//!   replaced (seccomp, AppArmor), of Windows, and of volume types that no plugin of this project mounts;
//! - the canonical form of quantities (`0.5` stays `0.5` and is not rewritten to `500m`) and the removal of explicit
//!   zeros (`hostNetwork: false` stays): the same values, written differently;
//! - the rewriting of pods for CPU pinning (`pkg/kubelet/managed`), which is `OpenShift`'s.

mod defaults;
mod directory;
mod field;
mod manifest;
mod manifests;
mod names;
mod references;
mod source;
mod static_pods;
mod tree;
mod typed;
mod validate;

pub use directory::ManifestDirectory;
pub use field::FieldError;
pub use manifest::{MAX_MANIFEST_BYTES, Manifest, ManifestError, ManifestProblem, decode};
pub use manifests::{Manifests, Observation};
pub use source::{Content, InMemoryManifests, Listing, ManifestSource};
pub use static_pods::{FILE_CHECK_FREQUENCY, StaticPods};
