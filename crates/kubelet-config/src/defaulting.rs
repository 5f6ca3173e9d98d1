//! What a document leaves open: zeros that mean "the default", defaults that hang on other fields, feature gates.

use std::time::Duration;

use serde_json::Value;

use crate::KubeletConfiguration;
use crate::configuration::default_eviction_hard;
use crate::setting::{Reader, Setting};

/// A feature gate that defaults or validation ask for, with its default in Kubernetes 1.36.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate(pub(crate) &'static str, bool);

pub(crate) const CRASH_LOOP_MAX: Gate = Gate("KubeletCrashLoopBackOffMax", true);
pub(crate) const CFS_QUOTA_PERIOD: Gate = Gate("CustomCPUCFSQuotaPeriod", false);
pub(crate) const ENSURE_PULLED_IMAGES: Gate = Gate("KubeletEnsureSecretPulledImages", true);
pub(crate) const ROTATE_SERVER_CERTIFICATE: Gate = Gate("RotateKubeletServerCertificate", true);
pub(crate) const NODE_SHUTDOWN: Gate = Gate("GracefulNodeShutdown", true);
pub(crate) const NODE_SHUTDOWN_BY_PRIORITY: Gate = Gate("GracefulNodeShutdownBasedOnPodPriority", true);
pub(crate) const MEMORY_QOS: Gate = Gate("MemoryQoS", false);

impl KubeletConfiguration {
    pub(crate) fn gate(&self, gate: Gate) -> bool {
        self.feature_gates.get(gate.0).copied().unwrap_or(gate.1)
    }

    /// A document's fields over the defaults.
    ///
    /// Mirrors `pkg/kubelet/apis/config/v1beta1/defaults.go: SetDefaults_KubeletConfiguration`.
    pub(crate) fn decode(fields: &Value, reader: &mut Reader) -> Self {
        let defaults = Self::default();
        let mut decoded = Self {
            // Zero for "nothing was said": the second follows the first when only that is given.
            node_status_update_frequency: Duration::ZERO,
            node_status_report_frequency: Duration::ZERO,
            ..defaults.clone()
        };
        decoded.apply(fields, reader);
        let says = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());

        if decoded.node_status_report_frequency.is_zero() {
            decoded.node_status_report_frequency = if decoded.node_status_update_frequency.is_zero() {
                defaults.node_status_report_frequency
            } else {
                decoded.node_status_update_frequency
            };
        }
        if decoded.node_status_update_frequency.is_zero() {
            decoded.node_status_update_frequency = defaults.node_status_update_frequency;
        }
        if !says("serializeImagePulls") {
            decoded.serialize_image_pulls = decoded.max_parallel_image_pulls.is_none_or(|most| most < 2);
        }
        decoded.pod_pids_limit = decoded.pod_pids_limit.max(-1);

        let says_restart_period = fields
            .pointer("/crashLoopBackOff/maxContainerRestartPeriod")
            .is_some_and(|value| !value.is_null());
        if !decoded.gate(CRASH_LOOP_MAX) && !says_restart_period {
            decoded.crash_loop_back_off.max_container_restart_period = None;
        }
        if !decoded.gate(ENSURE_PULLED_IMAGES) && !says("imagePullCredentialsVerificationPolicy") {
            decoded.image_pull_credentials_verification_policy.clear();
        }
        decoded
    }

    /// The default thresholds of a configuration file: as a whole when it has none (an empty map is none wanted), one
    /// by one when it asks for that.
    ///
    /// Mirrors `cmd/kubelet/app/server.go: loadConfigFile`.
    pub(crate) fn merge_default_eviction(&mut self) {
        if self.merge_default_eviction_settings {
            for (signal, threshold) in default_eviction_hard() {
                self.eviction_hard.entry(signal).or_insert(threshold);
            }
        }
    }
}

/// Lays `patch` over `target`: maps merge, null removes, everything else replaces (RFC 7386). How each drop-in of
/// `--config-dir` changes what came before it.
// ANCHOR: merge_patch
pub fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        patch.clone_into(target);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge_patch(target.entry(key.as_str()).or_insert(Value::Null), value);
        }
    }
}
// ANCHOR_END: merge_patch

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_follows_the_examples_of_its_rfc() {
        let rows = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (mut target, patch, result) in rows {
            let before = target.clone();
            merge_patch(&mut target, &patch);
            assert_eq!(target, result, "{before} with {patch}");
        }
    }

    fn decoded(fields: &Value) -> KubeletConfiguration {
        let mut reader = Reader::new(true);
        let configuration = KubeletConfiguration::decode(fields, &mut reader);
        assert_eq!(reader.problems, []);
        configuration
    }

    #[test]
    fn nothing_said_gives_the_defaults() {
        assert_eq!(decoded(&json!({})), KubeletConfiguration::default());
    }

    #[test]
    fn a_zero_means_the_default_unless_the_field_is_a_pointer_in_go() {
        let zeros = decoded(&json!({
            "syncFrequency": "0s", "maxPods": 0, "port": 0, "healthzBindAddress": "", "clusterDomain": "",
            "imageMaximumGCAge": "0s", "shutdownGracePeriod": "0s", "volumeStatsAggPeriod": "0s",
            "authentication": {"webhook": {"cacheTTL": "0s"}}, "logging": {"flushFrequency": 0, "format": ""},
            "crashLoopBackOff": {}, "memorySwap": {},
        }));
        assert_eq!(zeros, KubeletConfiguration::default());

        let zeros =
            decoded(&json!({"healthzPort": 0, "registryPullQPS": 0, "resolvConf": "", "podPidsLimit": 0,
            "cpuCFSQuotaPeriod": "0s", "evictionHard": {}, "enforceNodeAllocatable": []}));
        assert_eq!((zeros.healthz_port, zeros.registry_pull_qps, zeros.pod_pids_limit), (0, 0, 0));
        assert_eq!((zeros.resolv_conf.as_str(), zeros.cpu_cfs_quota_period), ("", Duration::ZERO));
        assert!(zeros.eviction_hard.is_empty() && zeros.enforce_node_allocatable.is_empty());
    }

    #[test]
    fn a_null_is_an_absent_field() {
        let nulls = json!({"healthzPort": null, "authentication": null, "clusterDNS": null, "tracing": null});
        assert_eq!(decoded(&nulls), KubeletConfiguration::default());
    }

    #[test]
    fn some_defaults_hang_on_other_fields() {
        let seconds = Duration::from_secs;
        let follows = decoded(&json!({"nodeStatusUpdateFrequency": "30s"}));
        assert_eq!(follows.node_status_report_frequency, seconds(30));
        let both = decoded(&json!({"nodeStatusUpdateFrequency": "30s", "nodeStatusReportFrequency": "2m"}));
        assert_eq!(both.node_status_report_frequency, seconds(120));
        let report = decoded(&json!({"nodeStatusReportFrequency": "2m", "nodeStatusUpdateFrequency": "0s"}));
        assert_eq!(report.node_status_update_frequency, seconds(10));

        assert!(decoded(&json!({"maxParallelImagePulls": 1})).serialize_image_pulls);
        assert!(!decoded(&json!({"maxParallelImagePulls": 2})).serialize_image_pulls);
        assert!(
            decoded(&json!({"maxParallelImagePulls": 2, "serializeImagePulls": true})).serialize_image_pulls
        );
        assert_eq!(decoded(&json!({"podPidsLimit": -7})).pod_pids_limit, -1);

        let gate_off = decoded(&json!({"featureGates": {"KubeletCrashLoopBackOffMax": false}}));
        assert_eq!(gate_off.crash_loop_back_off.max_container_restart_period, None);
        let gate_off = decoded(&json!({"featureGates": {"KubeletEnsureSecretPulledImages": false}}));
        assert_eq!(gate_off.image_pull_credentials_verification_policy, "");
    }
}
