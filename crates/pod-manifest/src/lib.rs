//! A manifest: bytes in, a pod of this node out, or one error that says everything that is wrong with the file.
//!
//! A pod usually reaches a kubelet from the API server, which has parsed it, filled in what it left unsaid and checked
//! it. A static pod comes from a file, and the kubelet is alone with it: it does all three itself, by the API server's
//! own rules, so that the rest of the node need not care where a pod came from.
//!
//! ```text
//!   bytes
//!     │ tree          text? YAML or JSON? at a bearable cost?      no: an error with line and column
//!   values
//!     │ typed         is each value of its field's type?           no: an error with the field
//!     │                                                            fields that no pod has: noted
//!   Pod
//!     │ static_pod    UID, name, namespace, node, toleration
//!     │ defaults      what the file left unsaid
//!     │ pod-validation, references                                 whatever is wrong: one error with all of it
//!   Manifest
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`decode()`] | `config/common.go: tryDecodeSinglePod` |
//! | `tree` | `apimachinery/pkg/util/yaml/decoder.go: ToJSON` |
//! | `typed` | `legacyscheme.Codecs.UniversalDecoder` |
//! | `static_pod` | `config/common.go: applyDefaults` |
//! | `defaults` | `pkg/apis/core/v1/defaults.go`, `zz_generated.defaults.go: SetObjectDefaults_Pod` |
//! | `references` | `pkg/api/pod/util.go: HasAPIObjectReference` |
//!
//! # Other than the kubelet
//!
//! - unknown fields are skipped here as there, and reported to the caller;
//! - words such as `yes` and `on` are booleans where a boolean belongs (as in the kubelet's YAML 1.1) and text where
//!   text belongs (where the kubelet refuses them); `0644` is octal where a number belongs;
//! - every reference to an object of the API is named, with its place; the kubelet names the first one's kind.
//!
//! # Left out
//!
//! - a list of pods in one file (`tryDecodePodList`): only the kubelet's URL source takes one;
//! - `config.source` and `config.seen`: the merge of all sources writes them, here as in the kubelet;
//! - the canonical form of quantities (`0.5` stays `0.5` and is not rewritten to `500m`) and the removal of explicit
//!   zeros (`hostNetwork: false` stays): the same values, written differently;
//! - defaults of volumes that no static pod may have (secrets, config maps) or that no plugin of this project mounts.

mod decode;
mod defaults;
mod references;
mod static_pod;
mod tree;
mod typed;

pub use decode::{MAX_MANIFEST_BYTES, Manifest, ManifestError, decode};
pub use pod_validation::FieldError;
