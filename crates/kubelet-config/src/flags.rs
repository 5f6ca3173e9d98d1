//! The command line over the file.
//!
//! Most fields have a flag, from the time before there was a file. The names differ from the fields', so they stand in
//! a table; everything else about a flag follows from its field.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::KubeletConfiguration;
use crate::nearest::nearest_of;
use crate::setting::{Reader, Setting};

/// A flag that sets a field of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// The name without dashes in front.
    pub name: &'static str,
    /// The field's path, with dots.
    pub field: &'static str,
    form: Form,
}

/// How the text of a flag holds its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `true` or `false`; without a value: `true`.
    Switch,
    Number,
    /// Text and durations.
    Text,
    Address,
    /// `a,b`
    List,
    /// `key=value,…`, with the separator between the two.
    Pairs(char),
    /// `Gate=true,…`
    Gates,
    /// `key=value:effect,…`
    Taints,
    /// `pattern=N,…`
    Modules,
}

impl Flag {
    /// Whether the flag may stand without a value (`--fail-swap-on`), and takes one only as `--fail-swap-on=false`.
    pub fn is_switch(&self) -> bool {
        self.form == Form::Switch
    }
}

const fn flag(name: &'static str, field: &'static str, form: Form) -> Flag {
    Flag { name, field, form }
}

/// Every flag of the kubelet that sets a field (`cmd/kubelet/app/options/options.go: AddKubeletConfigFlags`).
pub const FLAGS: &[Flag] = {
    use Form::{Address, Gates, List, Modules, Number, Pairs, Switch, Taints, Text};
    &[
        flag("address", "address", Address),
        flag("allowed-unsafe-sysctls", "allowedUnsafeSysctls", List),
        flag("anonymous-auth", "authentication.anonymous.enabled", Switch),
        flag("authentication-token-webhook", "authentication.webhook.enabled", Switch),
        flag("authentication-token-webhook-cache-ttl", "authentication.webhook.cacheTTL", Text),
        flag("authorization-mode", "authorization.mode", Text),
        flag("authorization-webhook-cache-authorized-ttl", "authorization.webhook.cacheAuthorizedTTL", Text),
        flag(
            "authorization-webhook-cache-unauthorized-ttl",
            "authorization.webhook.cacheUnauthorizedTTL",
            Text,
        ),
        flag("cgroup-driver", "cgroupDriver", Text),
        flag("cgroup-root", "cgroupRoot", Text),
        flag("cgroups-per-qos", "cgroupsPerQOS", Switch),
        flag("client-ca-file", "authentication.x509.clientCAFile", Text),
        flag("cluster-dns", "clusterDNS", List),
        flag("cluster-domain", "clusterDomain", Text),
        flag("container-log-max-files", "containerLogMaxFiles", Number),
        flag("container-log-max-size", "containerLogMaxSize", Text),
        flag("container-runtime-endpoint", "containerRuntimeEndpoint", Text),
        flag("contention-profiling", "enableContentionProfiling", Switch),
        flag("cpu-cfs-quota", "cpuCFSQuota", Switch),
        flag("cpu-cfs-quota-period", "cpuCFSQuotaPeriod", Text),
        flag("cpu-manager-policy", "cpuManagerPolicy", Text),
        flag("cpu-manager-policy-options", "cpuManagerPolicyOptions", Pairs('=')),
        flag("cpu-manager-reconcile-period", "cpuManagerReconcilePeriod", Text),
        flag("enable-controller-attach-detach", "enableControllerAttachDetach", Switch),
        flag("enable-debugging-handlers", "enableDebuggingHandlers", Switch),
        flag("enable-server", "enableServer", Switch),
        flag("enforce-node-allocatable", "enforceNodeAllocatable", List),
        flag("event-burst", "eventBurst", Number),
        flag("event-qps", "eventRecordQPS", Number),
        flag("eviction-hard", "evictionHard", Pairs('<')),
        flag("eviction-max-pod-grace-period", "evictionMaxPodGracePeriod", Number),
        flag("eviction-minimum-reclaim", "evictionMinimumReclaim", Pairs('=')),
        flag("eviction-pressure-transition-period", "evictionPressureTransitionPeriod", Text),
        flag("eviction-soft", "evictionSoft", Pairs('<')),
        flag("eviction-soft-grace-period", "evictionSoftGracePeriod", Pairs('=')),
        flag("fail-cgroupv1", "failCgroupV1", Switch),
        flag("fail-swap-on", "failSwapOn", Switch),
        flag("feature-gates", "featureGates", Gates),
        flag("file-check-frequency", "fileCheckFrequency", Text),
        flag("hairpin-mode", "hairpinMode", Text),
        flag("healthz-bind-address", "healthzBindAddress", Address),
        flag("healthz-port", "healthzPort", Number),
        flag("http-check-frequency", "httpCheckFrequency", Text),
        flag("image-gc-high-threshold", "imageGCHighThresholdPercent", Number),
        flag("image-gc-low-threshold", "imageGCLowThresholdPercent", Number),
        flag("image-service-endpoint", "imageServiceEndpoint", Text),
        flag("kernel-memcg-notification", "kernelMemcgNotification", Switch),
        flag("kube-api-burst", "kubeAPIBurst", Number),
        flag("kube-api-content-type", "contentType", Text),
        flag("kube-api-qps", "kubeAPIQPS", Number),
        flag("kube-reserved", "kubeReserved", Pairs('=')),
        flag("kube-reserved-cgroup", "kubeReservedCgroup", Text),
        flag("kubelet-cgroups", "kubeletCgroups", Text),
        flag("local-storage-capacity-isolation", "localStorageCapacityIsolation", Switch),
        flag("log-flush-frequency", "logging.flushFrequency", Text),
        flag("log-json-info-buffer-size", "logging.options.json.infoBufferSize", Text),
        flag("log-json-split-stream", "logging.options.json.splitStream", Switch),
        flag("log-text-info-buffer-size", "logging.options.text.infoBufferSize", Text),
        flag("log-text-split-stream", "logging.options.text.splitStream", Switch),
        flag("logging-format", "logging.format", Text),
        flag("make-iptables-util-chains", "makeIPTablesUtilChains", Switch),
        flag("manifest-url", "staticPodURL", Text),
        flag("max-open-files", "maxOpenFiles", Number),
        flag("max-pods", "maxPods", Number),
        flag("memory-manager-policy", "memoryManagerPolicy", Text),
        flag("minimum-image-ttl-duration", "imageMinimumGCAge", Text),
        flag("node-status-max-images", "nodeStatusMaxImages", Number),
        flag("node-status-update-frequency", "nodeStatusUpdateFrequency", Text),
        flag("oom-score-adj", "oomScoreAdj", Number),
        flag("pod-cidr", "podCIDR", Text),
        flag("pod-manifest-path", "staticPodPath", Text),
        flag("pod-max-pids", "podPidsLimit", Number),
        flag("pods-per-core", "podsPerCore", Number),
        flag("port", "port", Number),
        flag("protect-kernel-defaults", "protectKernelDefaults", Switch),
        flag("provider-id", "providerID", Text),
        flag("qos-reserved", "qosReserved", Pairs('=')),
        flag("read-only-port", "readOnlyPort", Number),
        flag("register-node", "registerNode", Switch),
        flag("register-with-taints", "registerWithTaints", Taints),
        flag("registry-burst", "registryBurst", Number),
        flag("registry-qps", "registryPullQPS", Number),
        flag("reserved-cpus", "reservedSystemCPUs", Text),
        flag("resolv-conf", "resolvConf", Text),
        flag("rotate-certificates", "rotateCertificates", Switch),
        flag("rotate-server-certificates", "serverTLSBootstrap", Switch),
        flag("runonce", "runOnce", Switch),
        flag("runtime-request-timeout", "runtimeRequestTimeout", Text),
        flag("serialize-image-pulls", "serializeImagePulls", Switch),
        flag("streaming-connection-idle-timeout", "streamingConnectionIdleTimeout", Text),
        flag("sync-frequency", "syncFrequency", Text),
        flag("system-cgroups", "systemCgroups", Text),
        flag("system-reserved", "systemReserved", Pairs('=')),
        flag("system-reserved-cgroup", "systemReservedCgroup", Text),
        flag("tls-cert-file", "tlsCertFile", Text),
        flag("tls-cipher-suites", "tlsCipherSuites", List),
        flag("tls-min-version", "tlsMinVersion", Text),
        flag("tls-private-key-file", "tlsPrivateKeyFile", Text),
        flag("topology-manager-policy", "topologyManagerPolicy", Text),
        flag("topology-manager-policy-options", "topologyManagerPolicyOptions", Pairs('=')),
        flag("topology-manager-scope", "topologyManagerScope", Text),
        flag("v", "logging.verbosity", Number),
        flag("vmodule", "logging.vmodule", Modules),
        flag("volume-plugin-dir", "volumePluginDir", Text),
        flag("volume-stats-agg-period", "volumeStatsAggPeriod", Text),
    ]
};

/// Why a flag is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// There is no such flag.
    #[error("unknown flag --{name}{}", hint.map(|known| format!("; did you mean --{known}?")).unwrap_or_default())]
    Unknown {
        /// The name given.
        name: String,
        /// The nearest known one.
        hint: Option<&'static str>,
    },
    /// The value does not fit the flag.
    #[error("flag --{name}={value}: {what}")]
    Value {
        /// The flag.
        name: &'static str,
        /// The value given.
        value: String,
        /// What is wrong with it.
        what: String,
    },
}

/// The configuration flags of a command line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlagOverrides {
    /// By field path.
    values: BTreeMap<&'static str, Value>,
}

impl FlagOverrides {
    /// No flags.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes on `--name=value`. Of a repeated flag the last value counts; lists and maps grow. Underscores in the name
    /// are dashes, as pflag has it.
    ///
    /// # Errors
    /// [`FlagError`], naming the flag.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), FlagError> {
        let name = name.replace('_', "-");
        let Some(flag) = FLAGS.iter().find(|flag| flag.name == name) else {
            let hint = nearest_of(&name, FLAGS.iter().map(|flag| flag.name));
            return Err(FlagError::Unknown { name, hint });
        };
        let refused = |what: String| FlagError::Value { name: flag.name, value: value.to_owned(), what };
        let parsed = parse(flag.form, value).map_err(refused)?;

        // The field's own reader has the last word on the value.
        let mut reader = Reader::new(false);
        KubeletConfiguration::default().apply(&nested(flag.field, parsed.clone()), &mut reader);
        if let Some(problem) = reader.problems.into_iter().next() {
            return Err(refused(problem.what));
        }
        match (self.values.get_mut(flag.field), parsed) {
            (Some(Value::Array(before)), Value::Array(more)) => before.extend(more),
            (Some(Value::Object(before)), Value::Object(more)) => before.extend(more),
            (_, parsed) => {
                self.values.insert(flag.field, parsed);
            }
        }
        Ok(())
    }

    /// The fields that flags set.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.values.keys().copied()
    }
}

impl KubeletConfiguration {
    /// This configuration with the flags over it. A flag replaces its field, zeros included; only feature gates are
    /// merged one by one.
    ///
    /// Mirrors `cmd/kubelet/app/server.go: kubeletConfigFlagPrecedence`.
    #[must_use]
    // ANCHOR: overlay
    pub fn overlay(&self, flags: &FlagOverrides) -> Self {
        let mut laid_over = self.clone();
        let mut reader = Reader::new(false);
        for (field, value) in &flags.values {
            laid_over.apply(&nested(field, value.clone()), &mut reader);
        }
        for (gate, on) in &self.feature_gates {
            laid_over.feature_gates.entry(gate.clone()).or_insert(*on);
        }
        debug_assert!(reader.problems.is_empty(), "each value was tried when it was set");
        laid_over
    }
    // ANCHOR_END: overlay
}

/// `a.b` and a value as `{a: {b: value}}`.
fn nested(field: &str, value: Value) -> Value {
    field.rsplit('.').fold(value, |inner, key| Value::Object(Map::from_iter([(key.to_owned(), inner)])))
}

fn parse(form: Form, text: &str) -> Result<Value, String> {
    let entries = || text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    Ok(match form {
        Form::Switch => Value::Bool(truth(text)?),
        Form::Number => Value::from(text.parse::<i64>().map_err(|_| "expected a whole number".to_owned())?),
        Form::Text => Value::from(text),
        Form::Address => {
            text.parse::<IpAddr>().map_err(|_| "expected an IP address".to_owned())?;
            Value::from(text)
        }
        Form::List => entries().map(Value::from).collect(),
        Form::Pairs(separator) => {
            let pair = |entry| -> Result<(String, Value), String> {
                let (key, value) = split(entry, separator)?;
                Ok((key.to_owned(), Value::from(value)))
            };
            Value::Object(entries().map(pair).collect::<Result<Map<_, _>, _>>()?)
        }
        Form::Gates => {
            let gate = |entry| -> Result<(String, Value), String> {
                let (name, on) = split(entry, '=')?;
                Ok((name.to_owned(), Value::Bool(truth(on)?)))
            };
            Value::Object(entries().map(gate).collect::<Result<Map<_, _>, _>>()?)
        }
        Form::Taints => entries().map(taint).collect::<Result<_, _>>()?,
        Form::Modules => {
            let module = |entry| -> Result<Value, String> {
                let (pattern, level) = split(entry, '=')?;
                let level: u32 = level.parse().map_err(|_| format!("{entry:?} needs a whole number"))?;
                Ok(serde_json::json!({ "filePattern": pattern, "verbosity": level }))
            };
            entries().map(module).collect::<Result<_, _>>()?
        }
    })
}

fn split(entry: &str, separator: char) -> Result<(&str, &str), String> {
    let (key, value) =
        entry.split_once(separator).ok_or_else(|| format!("{entry:?} needs the form key{separator}value"))?;
    Ok((key.trim(), value.trim()))
}

/// `key=value:effect` or `key:effect` (`pkg/util/flag: RegisterWithTaintsVar`).
fn taint(entry: &str) -> Result<Value, String> {
    let expected = || format!("{entry:?} needs the form key=value:effect");
    let (pair, effect) = entry.split_once(':').ok_or_else(expected)?;
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect);
    if key.is_empty() || !known {
        return Err(expected());
    }
    Ok(serde_json::json!({ "key": key, "value": value, "effect": effect }))
}

/// What Go's `strconv.ParseBool` takes.
fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("expected true or false, not {text:?}")),
    }
}

#[cfg(test)]
mod tests;
