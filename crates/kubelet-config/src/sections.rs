//! The blocks within a configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::setting::{DurationOrNanos, Quantity, Reader, Setting, section};

section! {
    /// Who may talk to the kubelet's server: `authentication`.
    Authentication {
        /// Client certificates.
        x509: X509Authentication = X509Authentication::default(), "x509";
        /// Bearer tokens, asked of the API server.
        webhook: WebhookAuthentication = WebhookAuthentication::default(), "webhook";
        /// Requests that nobody vouches for.
        anonymous: AnonymousAuthentication = AnonymousAuthentication::default(), "anonymous";
    }
}

section! {
    /// `authentication.x509`.
    X509Authentication {
        /// PEM file of the authorities whose client certificates count; empty: none do.
        client_ca_file: String = String::new(), "clientCAFile";
    }
}

section! {
    /// `authentication.webhook`.
    WebhookAuthentication {
        /// Whether tokens are reviewed by the API server.
        enabled: bool = true, "enabled";
        /// How long a review is believed.
        cache_ttl: Duration = Duration::from_secs(120), "cacheTTL";
    }
}

section! {
    /// `authentication.anonymous`.
    AnonymousAuthentication {
        /// Whether requests without credentials are let in as `system:anonymous`.
        enabled: bool = false, "enabled";
    }
}

section! {
    /// What those may do who were let in: `authorization`.
    Authorization {
        /// `Webhook` or `AlwaysAllow`.
        mode: String = "Webhook".to_owned(), "mode";
        /// Settings of the mode `Webhook`.
        webhook: WebhookAuthorization = WebhookAuthorization::default(), "webhook";
    }
}

section! {
    /// `authorization.webhook`.
    WebhookAuthorization {
        /// How long a "yes" of the API server is believed.
        cache_authorized_ttl: Duration = Duration::from_secs(300), "cacheAuthorizedTTL";
        /// How long a "no" of the API server is believed.
        cache_unauthorized_ttl: Duration = Duration::from_secs(30), "cacheUnauthorizedTTL";
    }
}

section! {
    /// What swap means to containers: `memorySwap`.
    MemorySwap {
        /// `NoSwap` (also when empty) or `LimitedSwap`.
        swap_behavior: String = String::new(), "swapBehavior";
    }
}

section! {
    /// The back-off of restarts: `crashLoopBackOff`.
    CrashLoopBackOff {
        /// The longest pause between two starts of a failing container, 1 s to 5 min; `None` when the gate
        /// `KubeletCrashLoopBackOffMax` is off (then 5 min).
        max_container_restart_period: Option<Duration> =
            Some(Duration::from_secs(300)), "maxContainerRestartPeriod", Acts;
    }
}

section! {
    /// What is logged, and how: `logging`.
    ///
    /// Mirrors `k8s.io/component-base/logs/api/v1: LoggingConfiguration`.
    Logging {
        /// `text` or `json`.
        format: String = "text".to_owned(), "format", Acts;
        /// The longest time that a line may wait in a buffer.
        flush_frequency: DurationOrNanos = DurationOrNanos(Duration::from_secs(5)), "flushFrequency";
        /// How much is logged, 0 to 10; `-v`.
        verbosity: u32 = 0, "verbosity", Acts;
        /// Other verbosities for single source files.
        vmodule: Vec<ModuleVerbosity> = Vec::new(), "vmodule";
        /// Options of each format.
        options: LoggingOptions = LoggingOptions::default(), "options";
    }
}

section! {
    /// One entry of `logging.vmodule`.
    ModuleVerbosity {
        /// Name of a source file, or a pattern for it.
        file_pattern: String = String::new(), "filePattern";
        /// Verbosity within it.
        verbosity: u32 = 0, "verbosity";
    }
}

section! {
    /// `logging.options`.
    LoggingOptions {
        /// Options of the format `text`.
        text: OutputRouting = OutputRouting::default(), "text";
        /// Options of the format `json`.
        json: OutputRouting = OutputRouting::default(), "json";
    }
}

section! {
    /// `logging.options.text` and `logging.options.json`.
    OutputRouting {
        /// Errors to stderr, the rest to stdout.
        split_stream: bool = false, "splitStream";
        /// Size of the buffer before stdout; 0: none.
        info_buffer_size: Quantity = Quantity("0".to_owned()), "infoBufferSize";
    }
}

section! {
    /// OpenTelemetry: `tracing`.
    Tracing {
        /// Where spans are sent; `None`: localhost:4317.
        endpoint: Option<String> = None, "endpoint";
        /// How many of a million requests are traced.
        sampling_rate_per_million: Option<i32> = None, "samplingRatePerMillion";
    }
}

section! {
    /// A taint that the node registers with: an entry of `registerWithTaints`.
    Taint {
        /// The key.
        key: String = String::new(), "key";
        /// The value; may be empty.
        value: String = String::new(), "value";
        /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
        effect: String = String::new(), "effect";
        /// Never set here.
        time_added: Option<String> = None, "timeAdded";
    }
}

section! {
    /// One entry of `shutdownGracePeriodByPodPriority`.
    PriorityGracePeriod {
        /// The lowest pod priority that this entry is for.
        priority: i32 = 0, "priority";
        /// How long such pods get, in seconds.
        shutdown_grace_period_seconds: i64 = 0, "shutdownGracePeriodSeconds";
    }
}

section! {
    /// Memory of one NUMA node that containers do not get: an entry of `reservedMemory`.
    MemoryReservation {
        /// Number of the NUMA node.
        numa_node: i32 = 0, "numaNode";
        /// Amount for `memory` and each `hugepages-…`.
        limits: BTreeMap<String, Quantity> = BTreeMap::new(), "limits";
    }
}

section! {
    /// User namespaces of pods: `userNamespaces`.
    UserNamespaces {
        /// How many user and group ids each pod gets; a multiple of 65536.
        ids_per_pod: Option<i64> = None, "idsPerPod";
    }
}

/// HTTP headers, several values to a name. They may hold a token: no value is ever printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(pub BTreeMap<String, Vec<String>>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|name| (name, "<masked>"))).finish()
    }
}

impl Setting for Headers {
    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        let known = reader.problems.len();
        self.0.apply(value, reader);
        // Problems quote the value; a header's may be a token.
        for problem in &mut reader.problems[known..] {
            "expected a map of names to lists of text".clone_into(&mut problem.what);
        }
    }

    fn write(&self) -> Value {
        self.0.write()
    }
}
