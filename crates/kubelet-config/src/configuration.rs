//! The fields, their defaults and which of them this version acts on.
//!
//! A line reads: Rust name and type, default, name in the file, marks. `Acts`: the agent of this version does something
//! with it. `Zero`: an explicit zero is a value (a pointer in Go) and not another way to ask for the default.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::{API_VERSION, KIND};
use crate::sections::{
    Authentication, Authorization, CrashLoopBackOff, Headers, Logging, MemoryReservation, MemorySwap,
    PriorityGracePeriod, Taint, Tracing, UserNamespaces,
};
use crate::setting::{Field, PeriodOrOff, Setting, section};

type Texts = BTreeMap<String, String>;

const MINUTE: Duration = Duration::from_secs(60);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn text(value: &str) -> String {
    value.to_owned()
}

section! {
    /// What a kubelet is told: `KubeletConfiguration` of `kubelet.config.k8s.io/v1beta1`, every field of Kubernetes 1.36.
    ///
    /// Its default is what a configuration file without any field gives.
    ///
    /// Mirrors `staging/src/k8s.io/kubelet/config/v1beta1/types.go: KubeletConfiguration` and
    /// `pkg/kubelet/apis/config/v1beta1/defaults.go`.
    KubeletConfiguration {
        // Static pods and the loop.
        /// Directory of static pod manifests, or one manifest file; empty: none. `--pod-manifest-path`.
        static_pod_path: String = String::new(), "staticPodPath", Acts;
        /// URL of further static pods; empty: none.
        static_pod_url: String = String::new(), "staticPodURL";
        /// Headers for that URL.
        static_pod_url_header: Headers = Headers::default(), "staticPodURLHeader";
        /// Longest time between two syncs of a pod.
        sync_frequency: Duration = MINUTE, "syncFrequency", Acts;
        /// How often the manifest directory is scanned.
        file_check_frequency: Duration = secs(20), "fileCheckFrequency", Acts;
        /// How often the manifest URL is asked.
        http_check_frequency: Duration = secs(20), "httpCheckFrequency";
        /// The mode is gone: must be false.
        run_once: bool = false, "runOnce";

        // The runtime.
        /// Socket of the container runtime.
        container_runtime_endpoint: String =
            text("unix:///run/containerd/containerd.sock"), "containerRuntimeEndpoint", Acts;
        /// Socket of the image service; empty: the runtime's.
        image_service_endpoint: String = String::new(), "imageServiceEndpoint", Acts;
        /// Deadline of a CRI call, long ones aside.
        runtime_request_timeout: Duration = secs(120), "runtimeRequestTimeout", Acts;
        /// The back-off of restarts.
        crash_loop_back_off: CrashLoopBackOff = CrashLoopBackOff::default(), "crashLoopBackOff";
        /// Where the runtime writes container logs: an absolute, clean ASCII path.
        pod_logs_dir: String = text("/var/log/pods"), "podLogsDir", Acts;
        /// Size at which a container's log is rotated.
        container_log_max_size: String = text("10Mi"), "containerLogMaxSize";
        /// How many logs of one container are kept, at least 2.
        container_log_max_files: i32 = 5, "containerLogMaxFiles", Zero;
        /// How many logs may be rotated at once.
        container_log_max_workers: i32 = 1, "containerLogMaxWorkers", Zero;
        /// How often log sizes are looked at, at least 3 s.
        container_log_monitor_interval: Duration = secs(10), "containerLogMonitorInterval", Zero;
        /// Whether `RuntimeDefault` is the seccomp profile of who names none.
        seccomp_default: bool = false, "seccompDefault";
        /// `promiscuous-bridge`, `hairpin-veth` or `none`; of no effect with CRI.
        hairpin_mode: String = text("promiscuous-bridge"), "hairpinMode";

        // Names and resolvers.
        /// Addresses of the cluster's resolver.
        cluster_dns: Vec<String> = Vec::new(), "clusterDNS", Acts;
        /// The cluster's DNS domain.
        cluster_domain: String = String::new(), "clusterDomain", Acts;
        /// The resolver file that pods' own is made from; an explicit empty text: none.
        resolv_conf: String = text("/etc/resolv.conf"), "resolvConf", Acts, Zero;

        // Cgroups and resources.
        /// The cgroup under which pods live; empty: the runtime's choice.
        cgroup_root: String = String::new(), "cgroupRoot", Acts;
        /// Whether pods live in a tree by QoS class.
        cgroups_per_qos: bool = true, "cgroupsPerQOS", Acts;
        /// `cgroupfs` or `systemd`, for a runtime that does not say.
        cgroup_driver: String = text("cgroupfs"), "cgroupDriver";
        /// Whether a host with cgroup v1 is refused.
        fail_cgroup_v1: bool = true, "failCgroupV1";
        /// Whether CPU limits are enforced.
        cpu_cfs_quota: bool = true, "cpuCFSQuota", Acts;
        /// The period of CPU quota, 1 ms to 1 s; other than 100 ms needs the gate `CustomCPUCFSQuotaPeriod`.
        cpu_cfs_quota_period: Duration = millis(100), "cpuCFSQuotaPeriod", Acts, Zero;
        /// Whether the OOM killer takes one process instead of the container.
        single_process_oom_kill: Option<bool> = None, "singleProcessOOMKill";
        /// Most processes in a pod; -1: the node's allocatable.
        pod_pids_limit: i64 = -1, "podPidsLimit", Zero;
        /// What swap means to containers.
        memory_swap: MemorySwap = MemorySwap::default(), "memorySwap";
        /// Whether a host with swap is refused.
        fail_swap_on: bool = true, "failSwapOn";
        /// Share of the memory limit at which throttling begins (gate `MemoryQoS`).
        memory_throttling_factor: f64 = 0.9, "memoryThrottlingFactor", Zero;
        /// `None` or `TieredReservation` (gate `MemoryQoS`).
        memory_reservation_policy: String = text("None"), "memoryReservationPolicy";
        /// User namespaces of pods.
        user_namespaces: Option<UserNamespaces> = None, "userNamespaces";
        /// `none` or `static`.
        cpu_manager_policy: String = text("none"), "cpuManagerPolicy";
        /// Options of that policy.
        cpu_manager_policy_options: Texts = Texts::new(), "cpuManagerPolicyOptions";
        /// How often CPU sets are put right.
        cpu_manager_reconcile_period: Duration = secs(10), "cpuManagerReconcilePeriod";
        /// `None` or `Static`.
        memory_manager_policy: String = text("None"), "memoryManagerPolicy";
        /// `none`, `best-effort`, `restricted` or `single-numa-node`.
        topology_manager_policy: String = text("none"), "topologyManagerPolicy";
        /// `container` or `pod`.
        topology_manager_scope: String = text("container"), "topologyManagerScope";
        /// Options of that policy.
        topology_manager_policy_options: Texts = Texts::new(), "topologyManagerPolicyOptions";
        /// Percentages of resources kept for Guaranteed pods.
        qos_reserved: Texts = Texts::new(), "qosReserved";
        /// Resources kept for the system: `cpu`, `memory`, `ephemeral-storage`, `pid`.
        system_reserved: Texts = Texts::new(), "systemReserved";
        /// Resources kept for Kubernetes' own programs.
        kube_reserved: Texts = Texts::new(), "kubeReserved";
        /// CPUs kept for the system, as a list of ranges.
        reserved_system_cpus: String = String::new(), "reservedSystemCPUs";
        /// Memory of NUMA nodes kept from containers.
        reserved_memory: Vec<MemoryReservation> = Vec::new(), "reservedMemory";
        /// The cgroup that `systemReserved` is enforced on.
        system_reserved_cgroup: String = String::new(), "systemReservedCgroup";
        /// The cgroup that `kubeReserved` is enforced on.
        kube_reserved_cgroup: String = String::new(), "kubeReservedCgroup";
        /// On whom the node's allocatable is enforced.
        enforce_node_allocatable: Vec<String> = vec![text("pods")], "enforceNodeAllocatable";
        /// The cgroup that the kubelet moves itself into; empty: none.
        kubelet_cgroups: String = String::new(), "kubeletCgroups";
        /// The cgroup that other processes are moved into; empty: none.
        system_cgroups: String = String::new(), "systemCgroups";
        /// `oom_score_adj` of the kubelet itself.
        oom_score_adj: i32 = -999, "oomScoreAdj", Zero;
        /// Unsafe sysctls that pods may set; a trailing `*` is a pattern.
        allowed_unsafe_sysctls: Vec<String> = Vec::new(), "allowedUnsafeSysctls";
        /// Whether unexpected kernel settings are an error instead of being changed.
        protect_kernel_defaults: bool = false, "protectKernelDefaults";
        /// Whether the kernel reports memory pressure, besides polling.
        kernel_memcg_notification: bool = false, "kernelMemcgNotification";
        /// Whether ephemeral storage is accounted.
        local_storage_capacity_isolation: bool = true, "localStorageCapacityIsolation";
        /// Most open files of the kubelet.
        max_open_files: i64 = 1_000_000, "maxOpenFiles";

        // Images.
        /// Pulls a second; 0: no limit.
        registry_pull_qps: i32 = 5, "registryPullQPS", Zero;
        /// Pulls at once, within that rate.
        registry_burst: i32 = 10, "registryBurst";
        /// Whether images are pulled one by one; false by default when `maxParallelImagePulls` is above 1.
        serialize_image_pulls: bool = true, "serializeImagePulls";
        /// Most pulls at once; `None`: no limit.
        max_parallel_image_pulls: Option<i32> = None, "maxParallelImagePulls";
        /// How long an image must be unused before it may go.
        image_minimum_gc_age: Duration = secs(120), "imageMinimumGCAge";
        /// How long an image may be unused before it must go; zero: for ever.
        image_maximum_gc_age: Duration = Duration::ZERO, "imageMaximumGCAge";
        /// Disk usage at which image collection begins; 100: never.
        image_gc_high_threshold_percent: i32 = 85, "imageGCHighThresholdPercent", Zero;
        /// Disk usage at which image collection ends.
        image_gc_low_threshold_percent: i32 = 80, "imageGCLowThresholdPercent", Zero;
        /// Whose credentials are checked for an image that is already there; empty when its gate is off.
        image_pull_credentials_verification_policy: String =
            text("NeverVerifyPreloadedImages"), "imagePullCredentialsVerificationPolicy";
        /// Images that `NeverVerifyAllowlistedImages` lets pass.
        preloaded_images_verification_allowlist: Vec<String> =
            Vec::new(), "preloadedImagesVerificationAllowlist";
        /// Most images reported in the node's status; -1: all.
        node_status_max_images: i32 = 50, "nodeStatusMaxImages", Zero;

        // Health and the server.
        /// Port of `/healthz`; 0: none.
        healthz_port: i32 = 10248, "healthzPort", Acts, Zero;
        /// Address of `/healthz`.
        healthz_bind_address: String = text("127.0.0.1"), "healthzBindAddress", Acts;
        /// Whether the HTTPS server runs.
        enable_server: bool = true, "enableServer";
        /// Address of the HTTPS server.
        address: String = text("0.0.0.0"), "address";
        /// Port of the HTTPS server.
        port: i32 = 10250, "port";
        /// Port of the plain read-only server; 0: none.
        read_only_port: i32 = 0, "readOnlyPort";
        /// Serving certificate; empty: made by the kubelet itself.
        tls_cert_file: String = String::new(), "tlsCertFile";
        /// Key of that certificate.
        tls_private_key_file: String = String::new(), "tlsPrivateKeyFile";
        /// Allowed cipher suites, by their Go names.
        tls_cipher_suites: Vec<String> = Vec::new(), "tlsCipherSuites";
        /// Allowed key exchanges, by their numbers.
        tls_curve_preferences: Vec<i32> = Vec::new(), "tlsCurvePreferences";
        /// Lowest TLS version, by its Go name.
        tls_min_version: String = String::new(), "tlsMinVersion";
        /// Who may talk to the server.
        authentication: Authentication = Authentication::default(), "authentication";
        /// What they may do.
        authorization: Authorization = Authorization::default(), "authorization";
        /// Whether logs, exec, attach and port-forward are served.
        enable_debugging_handlers: bool = true, "enableDebuggingHandlers";
        /// Go's block profiling.
        enable_contention_profiling: bool = false, "enableContentionProfiling";
        /// Whether `/debug/pprof` is served.
        enable_profiling_handler: bool = true, "enableProfilingHandler";
        /// Whether `/debug/flags/v` is served.
        enable_debug_flags_handler: bool = true, "enableDebugFlagsHandler";
        /// Whether `/logs/` is served.
        enable_system_log_handler: bool = true, "enableSystemLogHandler";
        /// Whether `/logs/` takes queries.
        enable_system_log_query: bool = false, "enableSystemLogQuery";
        /// Without effect.
        streaming_connection_idle_timeout: Duration = secs(4 * 3600), "streamingConnectionIdleTimeout";

        // The API server.
        /// Whether the kubelet makes its Node.
        register_node: bool = true, "registerNode";
        /// Taints that it makes the Node with.
        register_with_taints: Vec<Taint> = Vec::new(), "registerWithTaints";
        /// The cloud provider's name for this machine.
        provider_id: String = String::new(), "providerID";
        /// Pod addresses, without an API server.
        pod_cidr: String = String::new(), "podCIDR";
        /// Most pods on this node.
        max_pods: i32 = 110, "maxPods";
        /// Most pods for each core; 0: no such limit.
        pods_per_core: i32 = 0, "podsPerCore";
        /// How often the node's status is computed.
        node_status_update_frequency: Duration = secs(10), "nodeStatusUpdateFrequency";
        /// How often an unchanged status is sent; follows the one above when that is set.
        node_status_report_frequency: Duration = secs(300), "nodeStatusReportFrequency";
        /// Length of the node's lease, in seconds.
        node_lease_duration_seconds: i32 = 40, "nodeLeaseDurationSeconds";
        /// Requests a second to the API server.
        kube_api_qps: i32 = 50, "kubeAPIQPS", Zero;
        /// Requests at once, within that rate.
        kube_api_burst: i32 = 100, "kubeAPIBurst";
        /// Encoding of requests to the API server.
        content_type: String = text("application/vnd.kubernetes.protobuf"), "contentType";
        /// Events a second; 0: no limit.
        event_record_qps: i32 = 50, "eventRecordQPS", Zero;
        /// Events at once, within that rate.
        event_burst: i32 = 100, "eventBurst";
        /// Whether the client certificate is renewed.
        rotate_certificates: bool = false, "rotateCertificates";
        /// Whether the serving certificate is requested from the API server.
        server_tls_bootstrap: bool = false, "serverTLSBootstrap";
        /// `Watch`, `Cache` or `Get`.
        config_map_and_secret_change_detection_strategy: String =
            text("Watch"), "configMapAndSecretChangeDetectionStrategy";

        // Volumes.
        /// Directory of FlexVolume plugins.
        volume_plugin_dir: String =
            text("/usr/libexec/kubernetes/kubelet-plugins/volume/exec/"), "volumePluginDir";
        /// How often disk usage of volumes is measured; negative: never.
        volume_stats_agg_period: PeriodOrOff = PeriodOrOff(Some(MINUTE)), "volumeStatsAggPeriod";
        /// Whether a controller attaches volumes, not the kubelet.
        enable_controller_attach_detach: bool = true, "enableControllerAttachDetach";

        // Eviction.
        /// Signals and the thresholds at which pods are evicted at once.
        eviction_hard: Texts = default_eviction_hard(), "evictionHard";
        /// Signals and the thresholds at which pods are evicted after a while.
        eviction_soft: Texts = Texts::new(), "evictionSoft";
        /// That while, for each soft signal.
        eviction_soft_grace_period: Texts = Texts::new(), "evictionSoftGracePeriod";
        /// How long a pressure condition lasts after its cause is gone.
        eviction_pressure_transition_period: Duration = secs(300), "evictionPressureTransitionPeriod";
        /// Longest grace of a pod that is softly evicted, in seconds.
        eviction_max_pod_grace_period: i32 = 0, "evictionMaxPodGracePeriod";
        /// How much an eviction must free, for each signal.
        eviction_minimum_reclaim: Texts = Texts::new(), "evictionMinimumReclaim";
        /// Whether `evictionHard` adds to the defaults instead of replacing them.
        merge_default_eviction_settings: bool = false, "mergeDefaultEvictionSettings";

        // Node shutdown.
        /// How long a shutdown of the node waits for pods; zero: not at all.
        shutdown_grace_period: Duration = Duration::ZERO, "shutdownGracePeriod";
        /// The part of it that critical pods get.
        shutdown_grace_period_critical_pods: Duration = Duration::ZERO, "shutdownGracePeriodCriticalPods";
        /// The same by pod priority, instead of both.
        shutdown_grace_period_by_pod_priority: Vec<PriorityGracePeriod> =
            Vec::new(), "shutdownGracePeriodByPodPriority";

        // The rest.
        /// Feature gates that differ from their defaults.
        feature_gates: BTreeMap<String, bool> = BTreeMap::new(), "featureGates";
        /// What is logged, and how.
        logging: Logging = Logging::default(), "logging";
        /// OpenTelemetry.
        tracing: Option<Tracing> = None, "tracing";
        /// The minor version whose hidden metrics are shown.
        show_hidden_metrics_for_version: String = String::new(), "showHiddenMetricsForVersion";
        /// Whether the chain KUBE-IPTABLES-HINT is made.
        make_ip_tables_util_chains: bool = true, "makeIPTablesUtilChains";
        /// Without effect.
        iptables_masquerade_bit: i32 = 14, "iptablesMasqueradeBit", Zero;
        /// Without effect.
        iptables_drop_bit: i32 = 15, "iptablesDropBit", Zero;
    }
}

/// The hard eviction thresholds of a node that names none (`pkg/kubelet/eviction/defaults_linux.go`).
pub(crate) fn default_eviction_hard() -> Texts {
    [
        ("imagefs.available", "15%"),
        ("imagefs.inodesFree", "5%"),
        ("memory.available", "100Mi"),
        ("nodefs.available", "10%"),
        ("nodefs.inodesFree", "5%"),
    ]
    .map(|(signal, threshold)| (text(signal), text(threshold)))
    .into()
}

impl KubeletConfiguration {
    /// Every known field, in groups; blocks hold their own.
    pub fn fields() -> &'static [Field] {
        Self::FIELDS
    }

    /// What a kubelet without `--config` runs with. Flags once had other defaults than the file has, and they still have.
    ///
    /// Mirrors `cmd/kubelet/app/options/options.go: NewKubeletConfiguration, applyLegacyDefaults`.
    // ANCHOR: without_config_file
    pub fn without_config_file() -> Self {
        let mut configuration = Self::default();
        configuration.authentication.anonymous.enabled = true;
        configuration.authentication.webhook.enabled = false;
        configuration.authorization.mode = text("AlwaysAllow");
        configuration.read_only_port = 10255;
        // The thresholds come with the file (`cmd/kubelet/app/server.go: loadConfigFile`): without one there are none.
        configuration.eviction_hard.clear();
        configuration
    }
    // ANCHOR_END: without_config_file
}

/// As a file would say it, with `apiVersion` and `kind`. Header values are masked: this is for showing.
impl serde::Serialize for KubeletConfiguration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = self.clone();
        shown.static_pod_url_header.0.values_mut().for_each(|values| *values = vec![text("<masked>")]);
        let mut value = shown.write();
        value["apiVersion"] = API_VERSION.into();
        value["kind"] = KIND.into();
        value.serialize(serializer)
    }
}
