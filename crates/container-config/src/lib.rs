//! A pod spec becomes CRI messages.
//!
//! The API says what a pod should be; the runtime wants to hear it in its own words: numbers of cpu shares, paths to
//! mask, namespaces by mode. This crate is that translation and nothing else. It reads no file, asks no runtime and
//! knows no time, so that the same pod on the same node always gives the same message, byte for byte.
//!
//! ```text
//!   Pod ─────────────┐                 ┌─ sandbox_config ──▶ PodSandboxConfig ─▶ RunPodSandbox
//!   NodeFacts ───────┼─▶ this crate ───┤
//!   what others found┘                 └─ container_config ▶ ContainerConfig ──▶ CreateContainer
//!   (dns, mounts, environment: SandboxInput, ContainerInput)
//!
//!   namespaces  ports  sysctls     security: effective context, profiles, non_root
//!   resources ◀── pod_totals, hugepages, swap, oom_score
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`sandbox_config`] | `kuberuntime_sandbox.go: generatePodSandboxConfig, generatePodSandboxLinuxConfig`, `kuberuntime_sandbox_linux.go` |
//! | [`container_config`], [`image_user`] | `kuberuntime_container.go: generateContainerConfig`, `helpers.go: getImageUser` |
//! | [`resources`] | `kuberuntime_container_linux.go: generateLinuxContainerResources, calculateLinuxResources`, `cm/helpers_linux.go` |
//! | `pod_totals` | `component-helpers/resource/helpers.go: PodRequests, PodLimits` |
//! | [`oom_score`] | `qos/policy.go`, `qos/helpers.go` |
//! | `security`, `profiles`, `non_root` | `security_context.go`, `security_context_others.go`, `helpers.go: getSeccompProfile, getAppArmorProfile`, `pkg/securitycontext`, `pkg/security/apparmor` |
//! | [`network_mode`] and the other namespaces | `kuberuntime/util/util.go` |
//! | `ports`, `sysctls` | `container/helpers.go: MakePortMappings`, `sysctl/util.go` |
//! | [`Swap`] | `pkg/kubelet/types/constants.go: SwapBehavior` |
//!
//! # Left out
//!
//! - user namespaces (`hostUsers: false`): refused with [`ConfigError::UserNamespace`], since running such a pod with
//!   the host's users would give it more than it asked for. The `userns` directory comes with the chapter on security;
//! - devices and CDI devices, exclusive cpus: nobody hands them out before there are device and cpu managers;
//! - supplemental groups of persistent volumes (`GetExtraSupplementalGroupsForPod`): they come with `volumes`;
//! - ephemeral containers: they only appear through the API server; [`ContainerInput::target_id`] is ready for them;
//! - `lifecycle.stopSignal` and memory.min/low/high: the gates ContainerStopSignals and MemoryQoS are off in 1.36;
//! - messages of in-place resize (`UpdateContainerResources`, `UpdatePodSandboxResources`): they come with `allocation`;
//! - Windows and its security options.

mod container;
mod error;
mod hugepages;
mod namespaces;
mod node;
mod non_root;
pub mod oom_score;
mod pod_totals;
mod ports;
mod profiles;
pub mod resources;
mod sandbox;
mod security;
mod swap;
mod sysctls;

pub use container::{ContainerInput, ImageUser, container_config, image_user};
pub use error::ConfigError;
pub use namespaces::network_mode;
pub use node::{CgroupVersion, NodeFacts, Swap};
pub use sandbox::{SandboxInput, sandbox_config};
