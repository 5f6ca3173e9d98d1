//! Kernel settings of a pod.

use std::collections::BTreeMap;

use pod_model::Pod;
use pod_model::identity::spec;

/// The pod's sysctls by their dotted names; the last of one name counts.
///
/// Which of them a pod may have is decided before, at admission.
/// Mirrors `generatePodSandboxLinuxConfig` and `sysctl/util.go: ConvertPodSysctlsVariableToDotsSeparator`.
pub(crate) fn sysctls(pod: &Pod) -> BTreeMap<String, String> {
    let given = spec(pod).security_context.as_ref().and_then(|s| s.sysctls.as_deref());
    given.unwrap_or_default().iter().map(|s| (dotted(&s.name), s.value.clone())).collect()
}

/// A sysctl's name with dots between its parts, whichever of the two spellings was used.
///
/// The first separator tells the spelling. In a name with slashes a dot belongs to a part, such as the interface
/// `eno2.100`, and is written as a slash in the other spelling. Mirrors `component-helpers/.../sysctl: NormalizeName`.
fn dotted(name: &str) -> String {
    if name.chars().find(|c| matches!(c, '.' | '/')) != Some('/') {
        return name.to_owned();
    }
    let swapped = name.chars().map(|c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    });
    swapped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_name_become_the_dotted_one() {
        for (given, dotted_name) in [
            ("kernel.shm_rmid_forced", "kernel.shm_rmid_forced"),
            ("kernel/shm_rmid_forced", "kernel.shm_rmid_forced"),
            ("net.ipv4.conf.eno2/100.rp_filter", "net.ipv4.conf.eno2/100.rp_filter"),
            ("net/ipv4/conf/eno2.100/rp_filter", "net.ipv4.conf.eno2/100.rp_filter"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(dotted(given), dotted_name, "{given}");
        }
    }
}
