//! What a container sees around it: its environment, its host name, `/etc/hosts` and `/etc/resolv.conf`.
//!
//! A program in a container asks the same questions as any other: what is my name, whom do I ask for names, which
//! variables are set? The answers come from the pod's spec, the kubelet's settings and the node's own files. This crate
//! works them out as text; others read and write the files.
//!
//! ```text
//!   pod, cluster domain ───────────▶ hostname ──▶ name of the sandbox
//!                                       └───────▶ hosts ──▶ text of /etc/hosts   (kuberuntime writes and mounts it)
//!   pod, cluster DNS, resolv.conf ─▶ dns ───────▶ DnsConfig of the sandbox       (the runtime writes and mounts it)
//!   container, pod, node ──────────▶ env ───────▶ environment
//!                                       └───────▶ expansion ──▶ command and args
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`hostname`] | `kubelet_pods.go: GeneratePodHostNameAndDomain, truncatePodHostnameIfNeeded`, `util/util.go: GetNodenameForKernel` |
//! | [`hosts`] | `kubelet_pods.go: managedHostsFileContent, nodeHostsFileContent, shouldMountHostsFile` |
//! | [`dns`], [`ResolvConf`] | `network/dns/dns.go` |
//! | [`expansion`] | `third_party/forked/golang/expansion/expand.go`, `container/helpers.go: ExpandContainerCommandAndArgs` |
//! | [`env`](mod@env) | `kubelet_pods.go: makeEnvironmentVariables` |
//! | `field_ref`, `resource_field_ref` | `kubelet_pods.go: podFieldSelectorRuntimeValue`, `pkg/fieldpath`, `pkg/api/v1/resource/helpers.go`, `kubelet_resources.go` |
//! | `dns_name` | `apimachinery/pkg/api/validate/content` |
//!
//! # Left out
//!
//! - `envFrom`, `configMapKeyRef`, `secretKeyRef`: refused with the words of a kubelet that has no API server. They come
//!   with `pod-objects`;
//! - `fileKeyRef` and `subPathExpr`: they read volumes, and come with `volumes`;
//! - service variables (`envvars/envvars.go`): a kubelet without API server knows no services. Until it has one,
//!   `$(KUBERNETES_SERVICE_HOST)` stays as written, as there;
//! - the event `MissingClusterDNS` on the node itself, beside the one on the pod: `node-status` will own that object;
//! - `SetupDNSinContainerizedMounter`: for a distribution whose mount helper ran in a container;
//! - Windows, where no hosts file is mounted for host-process containers.

pub mod dns;
mod dns_name;
pub mod env;
pub mod expansion;
mod field_ref;
pub mod hostname;
pub mod hosts;
mod resolv_conf;
mod resource_field_ref;

pub use dns::{DnsProblem, DnsSettings, PodDns, pod_dns};
pub use env::{EnvError, EnvFacts, environment};
pub use expansion::{expand, expand_command_and_args};
pub use field_ref::FieldError;
pub use hostname::{HostnameError, kernel_hostname, pod_hostname, sandbox_hostname};
pub use resolv_conf::{ResolvConf, ResolvConfError};
pub use resource_field_ref::ResourceFieldError;
