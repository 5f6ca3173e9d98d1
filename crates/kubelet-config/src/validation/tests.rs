use std::collections::BTreeMap;

use super::*;
use crate::{ModuleVerbosity, PriorityGracePeriod, Taint, UserNamespaces};

type Change = fn(&mut KubeletConfiguration);

fn said(change: Change) -> Vec<String> {
    let mut configuration = KubeletConfiguration::default();
    change(&mut configuration);
    match configuration.validate() {
        Ok(()) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

fn gate(name: &str, on: bool) -> BTreeMap<String, bool> {
    BTreeMap::from([(name.to_owned(), on)])
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn both_sets_of_defaults_are_valid() {
    assert_eq!(KubeletConfiguration::default().validate(), Ok(()));
    assert_eq!(KubeletConfiguration::without_config_file().validate(), Ok(()));
}

#[test]
fn values_at_the_edge_are_allowed() {
    let rows: &[Change] = &[
        |c| c.healthz_port = 0,
        |c| c.healthz_port = 65535,
        |c| c.read_only_port = 0,
        |c| c.port = 1,
        |c| c.max_pods = 0,
        |c| c.node_status_max_images = -1,
        |c| c.oom_score_adj = -1000,
        |c| c.image_gc_high_threshold_percent = 100,
        |c| (c.image_gc_high_threshold_percent, c.image_gc_low_threshold_percent) = (1, 0),
        |c| c.image_maximum_gc_age = secs(121),
        |c| c.crash_loop_back_off.max_container_restart_period = Some(secs(1)),
        |c| c.container_log_max_files = 2,
        |c| c.container_log_monitor_interval = secs(3),
        |c| c.shutdown_grace_period = secs(1),
        |c| c.memory_throttling_factor = 1.0,
        |c| c.enforce_node_allocatable = vec!["none".into()],
        |c| (c.cgroups_per_qos, c.enforce_node_allocatable) = (false, vec!["none".into()]),
        |c| (c.max_parallel_image_pulls, c.serialize_image_pulls) = (Some(9), false),
        |c| {
            c.feature_gates = gate("CustomCPUCFSQuotaPeriod", true);
            c.cpu_cfs_quota_period = Duration::from_millis(1);
        },
        |c| {
            c.feature_gates = gate("KubeletCrashLoopBackOffMax", false);
            c.crash_loop_back_off.max_container_restart_period = None;
        },
    ];
    for (row, change) in rows.iter().enumerate() {
        assert_eq!(said(*change), Vec::<String>::new(), "row {row}");
    }
}

#[test]
fn each_rule_names_its_field_and_the_value() {
    let rows: &[(Change, &str)] = &[
        (|c| c.healthz_port = 65536, "healthzPort: 65536 is not allowed: it must be 0 to 65535"),
        (|c| c.healthz_port = -1, "healthzPort: -1 is not"),
        (|c| c.port = 0, "port: 0 is not allowed: it must be 1 to 65535"),
        (|c| c.read_only_port = 70000, "readOnlyPort: 70000 is not"),
        (|c| c.run_once = true, "runOnce: the mode is gone"),
        (|c| c.container_runtime_endpoint.clear(), "containerRuntimeEndpoint: must not be empty"),
        (|c| c.pod_logs_dir.clear(), "podLogsDir: \"\" is not"),
        (
            |c| c.pod_logs_dir = "logs".into(),
            "podLogsDir: \"logs\" is not allowed: it must be an absolute path",
        ),
        (|c| c.pod_logs_dir = "/var//log".into(), "podLogsDir: \"/var//log\" is not"),
        (|c| c.pod_logs_dir = "/var/log/".into(), "podLogsDir: \"/var/log/\" is not"),
        (|c| c.pod_logs_dir = "/var/../log".into(), "podLogsDir: \"/var/../log\" is not"),
        (|c| c.pod_logs_dir = "/var/lög".into(), "podLogsDir: \"/var/lög\" is not"),
        (|c| c.container_log_max_files = 1, "containerLogMaxFiles: 1 is not allowed: it must be 2 or more"),
        (|c| c.container_log_max_workers = 0, "containerLogMaxWorkers: 0 is not"),
        (|c| c.container_log_monitor_interval = secs(2), "containerLogMonitorInterval: 2s is not"),
        (|c| c.hairpin_mode = "x".into(), "hairpinMode: \"x\" is not allowed: it must be one of"),
        (
            |c| c.crash_loop_back_off.max_container_restart_period = Some(secs(301)),
            "crashLoopBackOff.maxContainerRestartPeriod: 5m1s is not allowed: it must be 1s to 5m0s",
        ),
        (
            |c| c.crash_loop_back_off.max_container_restart_period = Some(Duration::ZERO),
            "crashLoopBackOff.maxContainerRestartPeriod: 0s is not",
        ),
        (
            |c| c.crash_loop_back_off.max_container_restart_period = None,
            "maxContainerRestartPeriod: must be set",
        ),
        (
            |c| c.feature_gates = gate("KubeletCrashLoopBackOffMax", false),
            "maxContainerRestartPeriod: needs the feature gate KubeletCrashLoopBackOffMax",
        ),
        (|c| c.system_cgroups = "/s".into(), "systemCgroups: needs cgroupRoot"),
        (
            |c| c.cpu_cfs_quota_period = secs(1),
            "cpuCFSQuotaPeriod: needs the feature gate CustomCPUCFSQuotaPeriod",
        ),
        (
            |c| {
                c.feature_gates = gate("CustomCPUCFSQuotaPeriod", true);
                c.cpu_cfs_quota_period = secs(2);
            },
            "cpuCFSQuotaPeriod: 2s is not allowed: it must be 1ms to 1s",
        ),
        (|c| c.oom_score_adj = 1001, "oomScoreAdj: 1001 is not"),
        (|c| c.max_open_files = -1, "maxOpenFiles: -1 is not"),
        (|c| c.iptables_drop_bit = 32, "iptablesDropBit: 32 is not"),
        (|c| c.iptables_masquerade_bit = -1, "iptablesMasqueradeBit: -1 is not"),
        (|c| c.topology_manager_policy = "x".into(), "topologyManagerPolicy: \"x\""),
        (|c| c.topology_manager_scope = "x".into(), "topologyManagerScope: \"x\""),
        (|c| c.memory_swap.swap_behavior = "x".into(), "memorySwap.swapBehavior: \"x\""),
        (|c| c.memory_throttling_factor = 1.5, "memoryThrottlingFactor: 1.5 is not"),
        (|c| c.memory_throttling_factor = 0.0, "memoryThrottlingFactor: 0 is not"),
        (|c| c.memory_reservation_policy = "x".into(), "memoryReservationPolicy: \"x\""),
        (|c| c.memory_reservation_policy = "TieredReservation".into(), "needs the feature gate MemoryQoS"),
        (
            |c| c.user_namespaces = Some(UserNamespaces { ids_per_pod: Some(65537) }),
            "userNamespaces.idsPerPod: 65537 is not",
        ),
        (
            |c| (c.reserved_system_cpus, c.kube_reserved_cgroup) = ("0".into(), "/k".into()),
            "reservedSystemCPUs: cannot be set together",
        ),
        (|c| c.image_gc_high_threshold_percent = 101, "imageGCHighThresholdPercent: 101 is not"),
        (|c| c.image_gc_low_threshold_percent = -1, "imageGCLowThresholdPercent: -1 is not"),
        (
            |c| c.image_gc_low_threshold_percent = 85,
            "imageGCLowThresholdPercent: 85 is not allowed: it must be below imageGCHighThresholdPercent (85)",
        ),
        (
            |c| c.image_maximum_gc_age = secs(120),
            "imageMaximumGCAge: 2m0s is not allowed: it must be 0s or above imageMinimumGCAge (2m0s)",
        ),
        (|c| c.registry_pull_qps = -1, "registryPullQPS: -1 is not"),
        (|c| c.registry_burst = -1, "registryBurst: -1 is not"),
        (|c| c.node_status_max_images = -2, "nodeStatusMaxImages: -2 is not"),
        (|c| c.max_parallel_image_pulls = Some(0), "maxParallelImagePulls: 0 is not"),
        (
            |c| c.max_parallel_image_pulls = Some(2),
            "maxParallelImagePulls: 2 needs serializeImagePulls to be false",
        ),
        (|c| c.image_pull_credentials_verification_policy = "x".into(), "VerificationPolicy: \"x\" is not"),
        (
            |c| c.preloaded_images_verification_allowlist = vec!["a".into()],
            "preloadedImagesVerificationAllowlist: needs imagePullCredentialsVerificationPolicy",
        ),
        (
            |c| c.feature_gates = gate("KubeletEnsureSecretPulledImages", false),
            "imagePullCredentialsVerificationPolicy: needs the feature gate",
        ),
        (
            |c| {
                c.feature_gates = gate("RotateKubeletServerCertificate", false);
                c.server_tls_bootstrap = true;
            },
            "serverTLSBootstrap: needs the feature gate RotateKubeletServerCertificate",
        ),
        (
            |c| (c.enable_system_log_query, c.enable_system_log_handler) = (true, false),
            "enableSystemLogQuery: needs enableSystemLogHandler",
        ),
        (|c| c.authorization.mode = "x".into(), "authorization.mode: \"x\""),
        (|c| c.max_pods = -1, "maxPods: -1 is not"),
        (|c| c.pods_per_core = -1, "podsPerCore: -1 is not"),
        (|c| c.node_lease_duration_seconds = 0, "nodeLeaseDurationSeconds: 0 is not"),
        (|c| c.kube_api_qps = -1, "kubeAPIQPS: -1 is not"),
        (|c| c.kube_api_burst = -1, "kubeAPIBurst: -1 is not"),
        (|c| c.event_record_qps = -1, "eventRecordQPS: -1 is not"),
        (|c| c.event_burst = -1, "eventBurst: -1 is not"),
        (
            |c| {
                c.register_with_taints =
                    vec![Taint { key: "a".into(), effect: "Never".into(), ..Taint::default() }];
            },
            "registerWithTaints[0].effect: \"Never\" is not",
        ),
        (
            |c| c.shutdown_grace_period_critical_pods = secs(2),
            "shutdownGracePeriodCriticalPods: 2s is not allowed: it must be at most shutdownGracePeriod (0s)",
        ),
        (|c| c.shutdown_grace_period = Duration::from_millis(5), "shutdownGracePeriod: 5ms is not"),
        (
            |c| (c.shutdown_grace_period, c.feature_gates) = (secs(5), gate("GracefulNodeShutdown", false)),
            "shutdownGracePeriod: needs the feature gate GracefulNodeShutdown",
        ),
        (
            |c| {
                c.shutdown_grace_period = secs(5);
                c.shutdown_grace_period_by_pod_priority = vec![PriorityGracePeriod::default()];
            },
            "shutdownGracePeriodByPodPriority: cannot be set together",
        ),
        (
            |c| c.enforce_node_allocatable = vec!["pods".into(), "pods".into()],
            "enforceNodeAllocatable: \"pods\" stands in it twice",
        ),
        (
            |c| c.enforce_node_allocatable = vec!["pods".into(), "none".into()],
            "enforceNodeAllocatable: \"none\" allows nothing beside it",
        ),
        (|c| c.enforce_node_allocatable = vec!["x".into()], "enforceNodeAllocatable: \"x\" is not"),
        (
            |c| c.enforce_node_allocatable = vec!["kube-reserved".into()],
            "enforceNodeAllocatable: \"kube-reserved\" needs kubeReservedCgroup",
        ),
        (|c| c.cgroups_per_qos = false, "enforceNodeAllocatable: \"pods\" needs cgroupsPerQOS to be true"),
        (
            |c| {
                c.system_reserved_cgroup = "/s".into();
                c.enforce_node_allocatable =
                    vec!["system-reserved".into(), "system-reserved-compressible".into()];
            },
            "enforceNodeAllocatable: \"system-reserved\" and \"system-reserved-compressible\" exclude each other",
        ),
        (|c| c.logging.format = "xml".into(), "logging.format: \"xml\" is not"),
        (|c| c.logging.verbosity = u32::MAX, "logging.verbosity: 4294967295 is not"),
        (
            |c| c.logging.vmodule = vec![ModuleVerbosity { file_pattern: "a=b".into(), verbosity: 1 }],
            "logging.vmodule[0].filePattern: \"a=b\" is not",
        ),
    ];
    for (change, expected) in rows {
        let problems = said(*change);
        assert!(problems.len() == 1 && problems[0].contains(expected), "{expected}: {problems:?}");
    }
}
