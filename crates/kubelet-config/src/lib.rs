//! `KubeletConfiguration`: what a kubelet is told before it starts.
//!
//! A kubelet gets its orders in three layers. A file holds most of them; kubeadm and kind write it
//! (`/var/lib/kubelet/config.yaml`). A directory of drop-ins may change single fields. The command line, which is older
//! than the file, has the last word. This crate reads the layers, refuses what it does not understand with the field
//! and the line, fills in Kubernetes' defaults, and hands out one struct.
//!
//! ```text
//!   --config FILE ──▶ document ──▶ decode, defaults ─┐
//!   (without: the flags' own older defaults) ────────┤
//!   --config-dir *.conf ──▶ merge patches ───────────┼──▶ overlay(flags) ──▶ validate ──▶ Loaded
//!   --healthz-port=0 … ──▶ FlagOverrides ────────────┘                                    + warnings
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`KubeletConfiguration`], the sections | `staging/src/k8s.io/kubelet/config/v1beta1/types.go`, `pkg/kubelet/apis/config/types.go` |
//! | its defaults, `defaulting` | `pkg/kubelet/apis/config/v1beta1/defaults.go` |
//! | [`KubeletConfiguration::validate`] | `pkg/kubelet/apis/config/validation/validation.go` |
//! | [`KubeletConfiguration::parse`] | `pkg/kubelet/kubeletconfig/configfiles`, `kubeletconfig/util/codec` |
//! | [`Sources::load`], [`merge_patch`] | `cmd/kubelet/app/server.go: loadConfigFile, mergeKubeletConfigurations`, `pkg/kubelet/apis/config/helpers.go` |
//! | [`FLAGS`], [`KubeletConfiguration::overlay`] | `cmd/kubelet/app/options: AddKubeletConfigFlags`, `kubeletConfigFlagPrecedence` |
//! | [`KubeletConfiguration::without_config_file`] | `options.go: applyLegacyDefaults` |
//! | [`parse_duration`], [`print_duration`] | Go's `time.ParseDuration`, `time.Duration.String` |
//!
//! The modules: `setting` (how one value is read and written, and the `section!` list that makes a struct) →
//! `sections`, `configuration` (the fields) → `defaulting`, `validation`, `flags` (pure, over the struct) → `load` (the
//! only one that touches files). `document` turns text into a tree and finds lines again, `nearest` makes hints.
//!
//! # Other than the kubelet
//!
//! - an unknown or repeated field is an error. The real kubelet first decodes strictly, then leniently with a warning; a
//!   field that is misspelt has no effect there. Only a `metadata` block, which kind writes, passes with a warning;
//! - known fields that this version does not act on are warned about when they differ from their default. The mark
//!   `Acts` on a field's line says which ones it acts on;
//! - an empty file and a second YAML document are errors.
//!
//! # Left out
//!
//! - Windows and its fields' rules; host facts in validation (cgroup version, see `failCgroupV1`), which are not this
//!   crate's to know;
//! - the list of all feature gates: only the gates that defaults and rules ask for are known, others pass unseen;
//! - rules for fields that nothing here acts on: CPU list syntax of `reservedSystemCPUs`, `reservedMemory`, allow-list
//!   patterns, `tracing`, `showHiddenMetricsForVersion`, the alpha `logging.options`, `NodeLogQuery`; a taint's key and
//!   value are only checked for being there;
//! - negative durations, which Go takes and nobody means (`volumeStatsAggPeriod` excepted, where they mean "never");
//! - YAML merge keys (`<<`);
//! - the flags `--manifest-url-header` and `--reserved-memory`, and flags that are not fields (`--root-dir` and so on),
//!   which are the agent's; `--seccomp-default` is one of those: it is or-ed with the field;
//! - `/configz` omits empty fields; [`serde::Serialize`] here writes them all.

mod configuration;
mod defaulting;
mod document;
mod duration;
mod error;
mod flags;
mod load;
mod nearest;
mod sections;
mod setting;
mod validation;

pub use configuration::KubeletConfiguration;
pub use defaulting::merge_patch;
pub use duration::{DurationError, parse_duration, print_duration};
pub use error::{API_VERSION, ConfigError, FieldPath, KIND, Problem, Problems};
pub use flags::{FLAGS, Flag, FlagError, FlagOverrides};
pub use load::{Loaded, MAX_FILE_SIZE, Sources, Warning};
pub use sections::{
    AnonymousAuthentication, Authentication, Authorization, CrashLoopBackOff, Headers, Logging,
    LoggingOptions, MemoryReservation, MemorySwap, ModuleVerbosity, OutputRouting, PriorityGracePeriod,
    Taint, Tracing, UserNamespaces, WebhookAuthentication, WebhookAuthorization, X509Authentication,
};
pub use setting::{DurationOrNanos, Field, Mark, PeriodOrOff, Quantity};
