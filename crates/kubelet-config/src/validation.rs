//! Which values are allowed, alone and together.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use crate::defaulting::{
    CFS_QUOTA_PERIOD, CRASH_LOOP_MAX, ENSURE_PULLED_IMAGES, Gate, MEMORY_QOS, NODE_SHUTDOWN,
    NODE_SHUTDOWN_BY_PRIORITY, ROTATE_SERVER_CERTIFICATE,
};
use crate::duration::print_duration;
use crate::error::{FieldPath, Problem, Problems};
use crate::{KubeletConfiguration, load};

/// Collects what is wrong; each rule is one line of the functions below.
#[derive(Default)]
struct Rules(Vec<Problem>);

impl Rules {
    fn refuse(&mut self, field: &str, what: impl Into<String>) {
        self.0.push(Problem { path: FieldPath::dotted(field), line: None, what: what.into() });
    }

    fn require(&mut self, field: &str, value: impl Display, holds: bool, expectation: &str) {
        if !holds {
            self.refuse(field, format!("{value} is not allowed: it must be {expectation}"));
        }
    }

    fn range(&mut self, field: &str, value: impl Into<i64>, low: i64, high: i64) {
        let value = value.into();
        self.require(field, value, (low..=high).contains(&value), &format!("{low} to {high}"));
    }

    fn at_least(&mut self, field: &str, value: impl Into<i64>, low: i64) {
        let value = value.into();
        self.require(field, value, value >= low, &format!("{low} or more"));
    }

    fn one_of(&mut self, field: &str, value: &str, allowed: &[&str]) {
        let holds = allowed.contains(&value);
        self.require(field, format!("{value:?}"), holds, &format!("one of {allowed:?}"));
    }

    fn needs_gate(&mut self, field: &str, gate: Gate) {
        self.refuse(field, format!("needs the feature gate {}", gate.0));
    }
}

impl KubeletConfiguration {
    /// Whether a kubelet may run with these values; everything that speaks against it at once.
    ///
    /// Mirrors `pkg/kubelet/apis/config/validation/validation.go: ValidateKubeletConfiguration`.
    ///
    /// # Errors
    /// One [`Problem`] for each field and rule.
    pub fn validate(&self) -> Result<(), Problems> {
        let mut rules = Rules::default();
        self.validate_runtime(&mut rules);
        self.validate_resources(&mut rules);
        self.validate_images(&mut rules);
        self.validate_server(&mut rules);
        self.validate_api(&mut rules);
        self.validate_shutdown(&mut rules);
        self.validate_allocatable(&mut rules);
        self.validate_logging(&mut rules);
        if rules.0.is_empty() { Ok(()) } else { Err(Problems(rules.0)) }
    }

    fn validate_runtime(&self, rules: &mut Rules) {
        if self.run_once {
            rules.refuse("runOnce", "the mode is gone: it must be false");
        }
        if self.container_runtime_endpoint.is_empty() {
            rules.refuse("containerRuntimeEndpoint", "must not be empty");
        }
        let dir = self.pod_logs_dir.as_str();
        let clean = dir.starts_with('/') && load::clean(dir) == dir && dir.is_ascii();
        rules.require(
            "podLogsDir",
            format!("{dir:?}"),
            clean,
            "an absolute path of ASCII without `.`, `..` and `//`",
        );
        rules.at_least("containerLogMaxFiles", self.container_log_max_files, 2);
        rules.at_least("containerLogMaxWorkers", self.container_log_max_workers, 1);
        let interval = self.container_log_monitor_interval;
        let often = interval >= Duration::from_secs(3);
        rules.require("containerLogMonitorInterval", print_duration(interval), often, "3s or more");
        rules.one_of("hairpinMode", &self.hairpin_mode, &["none", "hairpin-veth", "promiscuous-bridge"]);

        let field = "crashLoopBackOff.maxContainerRestartPeriod";
        match (self.crash_loop_back_off.max_container_restart_period, self.gate(CRASH_LOOP_MAX)) {
            (Some(period), true) => {
                // Go compares whole milliseconds.
                let holds = (1_000..=300_000).contains(&period.as_millis());
                rules.require(field, print_duration(period), holds, "1s to 5m0s");
            }
            (Some(_), false) => rules.needs_gate(field, CRASH_LOOP_MAX),
            (None, true) => rules.refuse(field, "must be set"),
            (None, false) => {}
        }
    }

    fn validate_resources(&self, rules: &mut Rules) {
        if !self.system_cgroups.is_empty() && self.cgroup_root.is_empty() {
            rules.refuse("systemCgroups", "needs cgroupRoot");
        }
        let period = self.cpu_cfs_quota_period;
        if self.gate(CFS_QUOTA_PERIOD) {
            let holds = (Duration::from_millis(1)..=Duration::from_secs(1)).contains(&period);
            rules.require("cpuCFSQuotaPeriod", print_duration(period), holds, "1ms to 1s");
        } else if period != Duration::from_millis(100) {
            rules.needs_gate("cpuCFSQuotaPeriod", CFS_QUOTA_PERIOD);
        }
        rules.range("oomScoreAdj", self.oom_score_adj, -1000, 1000);
        rules.at_least("maxOpenFiles", self.max_open_files, 0);
        rules.range("iptablesDropBit", self.iptables_drop_bit, 0, 31);
        rules.range("iptablesMasqueradeBit", self.iptables_masquerade_bit, 0, 31);
        let policies = ["none", "best-effort", "restricted", "single-numa-node"];
        rules.one_of("topologyManagerPolicy", &self.topology_manager_policy, &policies);
        rules.one_of("topologyManagerScope", &self.topology_manager_scope, &["container", "pod"]);
        rules.one_of(
            "memorySwap.swapBehavior",
            &self.memory_swap.swap_behavior,
            &["", "NoSwap", "LimitedSwap"],
        );
        let factor = self.memory_throttling_factor;
        rules.require(
            "memoryThrottlingFactor",
            factor,
            factor > 0.0 && factor <= 1.0,
            "above 0 and at most 1",
        );
        rules.one_of(
            "memoryReservationPolicy",
            &self.memory_reservation_policy,
            &["None", "TieredReservation"],
        );
        if self.memory_reservation_policy == "TieredReservation" && !self.gate(MEMORY_QOS) {
            rules.needs_gate("memoryReservationPolicy", MEMORY_QOS);
        }
        if let Some(ids) = self.user_namespaces.as_ref().and_then(|namespaces| namespaces.ids_per_pod) {
            let holds = ids >= 65536 && ids % 65536 == 0 && ids <= i64::from(u32::MAX);
            rules.require("userNamespaces.idsPerPod", ids, holds, "a multiple of 65536 below 2^32");
        }
        let reserves_by_cgroup =
            !self.system_reserved_cgroup.is_empty() || !self.kube_reserved_cgroup.is_empty();
        if reserves_by_cgroup && !self.reserved_system_cpus.is_empty() {
            rules.refuse(
                "reservedSystemCPUs",
                "cannot be set together with systemReservedCgroup or kubeReservedCgroup",
            );
        }
    }

    fn validate_images(&self, rules: &mut Rules) {
        let (high, low) = (self.image_gc_high_threshold_percent, self.image_gc_low_threshold_percent);
        rules.range("imageGCHighThresholdPercent", high, 0, 100);
        rules.range("imageGCLowThresholdPercent", low, 0, 100);
        let below = format!("below imageGCHighThresholdPercent ({high})");
        rules.require("imageGCLowThresholdPercent", low, low < high, &below);
        let (minimum, maximum) = (self.image_minimum_gc_age, self.image_maximum_gc_age);
        let above = format!("0s or above imageMinimumGCAge ({})", print_duration(minimum));
        rules.require(
            "imageMaximumGCAge",
            print_duration(maximum),
            maximum.is_zero() || maximum > minimum,
            &above,
        );
        rules.at_least("registryPullQPS", self.registry_pull_qps, 0);
        rules.at_least("registryBurst", self.registry_burst, 0);
        rules.at_least("nodeStatusMaxImages", self.node_status_max_images, -1);
        if let Some(most) = self.max_parallel_image_pulls {
            rules.at_least("maxParallelImagePulls", most, 1);
            if self.serialize_image_pulls && most > 1 {
                rules
                    .refuse("maxParallelImagePulls", format!("{most} needs serializeImagePulls to be false"));
            }
        }
        let (policy, allowed) = (
            self.image_pull_credentials_verification_policy.as_str(),
            &self.preloaded_images_verification_allowlist,
        );
        if self.gate(ENSURE_PULLED_IMAGES) {
            let policies =
                ["NeverVerify", "NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages", "AlwaysVerify"];
            rules.one_of("imagePullCredentialsVerificationPolicy", policy, &policies);
            if !allowed.is_empty() && policy != "NeverVerifyAllowlistedImages" {
                let what = "needs imagePullCredentialsVerificationPolicy to be NeverVerifyAllowlistedImages";
                rules.refuse("preloadedImagesVerificationAllowlist", what);
            }
        } else {
            if !policy.is_empty() {
                rules.needs_gate("imagePullCredentialsVerificationPolicy", ENSURE_PULLED_IMAGES);
            }
            if !allowed.is_empty() {
                rules.needs_gate("preloadedImagesVerificationAllowlist", ENSURE_PULLED_IMAGES);
            }
        }
    }

    fn validate_server(&self, rules: &mut Rules) {
        rules.range("healthzPort", self.healthz_port, 0, 65535);
        rules.range("port", self.port, 1, 65535);
        rules.range("readOnlyPort", self.read_only_port, 0, 65535);
        if self.server_tls_bootstrap && !self.gate(ROTATE_SERVER_CERTIFICATE) {
            rules.needs_gate("serverTLSBootstrap", ROTATE_SERVER_CERTIFICATE);
        }
        if self.enable_system_log_query && !self.enable_system_log_handler {
            rules.refuse("enableSystemLogQuery", "needs enableSystemLogHandler");
        }
        // Go finds this one out a little later, when it builds the authorizer (`cmd/kubelet/app/auth.go`).
        rules.one_of("authorization.mode", &self.authorization.mode, &["Webhook", "AlwaysAllow"]);
    }

    fn validate_api(&self, rules: &mut Rules) {
        rules.at_least("maxPods", self.max_pods, 0);
        rules.at_least("podsPerCore", self.pods_per_core, 0);
        rules.at_least("nodeLeaseDurationSeconds", self.node_lease_duration_seconds, 1);
        rules.at_least("kubeAPIQPS", self.kube_api_qps, 0);
        rules.at_least("kubeAPIBurst", self.kube_api_burst, 0);
        rules.at_least("eventRecordQPS", self.event_record_qps, 0);
        rules.at_least("eventBurst", self.event_burst, 0);
        for (index, taint) in self.register_with_taints.iter().enumerate() {
            let field = |name: &str| format!("registerWithTaints.{index}.{name}");
            if taint.key.is_empty() {
                rules.refuse(&field("key"), "must not be empty");
            }
            rules.one_of(&field("effect"), &taint.effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
            if taint.time_added.is_some() {
                rules.refuse(&field("timeAdded"), "must not be set");
            }
        }
    }

    fn validate_shutdown(&self, rules: &mut Rules) {
        let (whole, critical) = (self.shutdown_grace_period, self.shutdown_grace_period_critical_pods);
        let some_time = !(whole.is_zero() && critical.is_zero());
        if self.gate(NODE_SHUTDOWN) {
            let most = format!("at most shutdownGracePeriod ({})", print_duration(whole));
            rules.require(
                "shutdownGracePeriodCriticalPods",
                print_duration(critical),
                critical <= whole,
                &most,
            );
            for (field, period) in
                [("shutdownGracePeriod", whole), ("shutdownGracePeriodCriticalPods", critical)]
            {
                let holds = period.is_zero() || period >= Duration::from_secs(1);
                rules.require(field, print_duration(period), holds, "0s, or 1s or more");
            }
        } else if some_time {
            rules.needs_gate("shutdownGracePeriod", NODE_SHUTDOWN);
        }
        if !self.shutdown_grace_period_by_pod_priority.is_empty() {
            if !self.gate(NODE_SHUTDOWN_BY_PRIORITY) {
                rules.needs_gate("shutdownGracePeriodByPodPriority", NODE_SHUTDOWN_BY_PRIORITY);
            } else if some_time {
                rules.refuse(
                    "shutdownGracePeriodByPodPriority",
                    "cannot be set together with shutdownGracePeriod",
                );
            }
        }
    }

    fn validate_allocatable(&self, rules: &mut Rules) {
        const FIELD: &str = "enforceNodeAllocatable";
        let wanted: Vec<&str> = self.enforce_node_allocatable.iter().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        for key in &wanted {
            if !seen.insert(key) {
                rules.refuse(FIELD, format!("{key:?} stands in it twice"));
                continue;
            }
            match *key {
                "none" => {
                    if wanted.len() > 1 {
                        rules.refuse(FIELD, "\"none\" allows nothing beside it");
                    }
                    continue;
                }
                "pods" => {}
                "system-reserved" | "system-reserved-compressible" => {
                    if self.system_reserved_cgroup.is_empty() {
                        rules.refuse(FIELD, format!("{key:?} needs systemReservedCgroup"));
                    }
                }
                "kube-reserved" | "kube-reserved-compressible" => {
                    if self.kube_reserved_cgroup.is_empty() {
                        rules.refuse(FIELD, format!("{key:?} needs kubeReservedCgroup"));
                    }
                }
                _ => {
                    let known =
                        "none, pods, system-reserved, kube-reserved or one of these two with -compressible";
                    rules.refuse(FIELD, format!("{key:?} is not allowed: it must be {known}"));
                    continue;
                }
            }
            if !self.cgroups_per_qos {
                rules.refuse(FIELD, format!("{key:?} needs cgroupsPerQOS to be true"));
            }
        }
        for whole in ["system-reserved", "kube-reserved"] {
            let part = format!("{whole}-compressible");
            if wanted.contains(&whole) && wanted.contains(&part.as_str()) {
                rules.refuse(FIELD, format!("{whole:?} and {part:?} exclude each other"));
            }
        }
    }

    fn validate_logging(&self, rules: &mut Rules) {
        let logging = &self.logging;
        rules.one_of("logging.format", &logging.format, &["text", "json"]);
        rules.range("logging.verbosity", logging.verbosity, 0, i64::from(i32::MAX));
        if !logging.vmodule.is_empty() && logging.format != "text" {
            rules.refuse("logging.vmodule", "needs the format \"text\"");
        }
        for (index, entry) in logging.vmodule.iter().enumerate() {
            let pattern = &entry.file_pattern;
            let holds = !pattern.is_empty() && !pattern.contains(['=', ',']);
            let field = format!("logging.vmodule.{index}.filePattern");
            rules.require(&field, format!("{pattern:?}"), holds, "a file name without `=` and `,`");
        }
    }
}

#[cfg(test)]
mod tests;
