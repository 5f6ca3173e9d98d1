//! The two files that make a containerd private: its own configuration and that of its pod network.

use serde_json::json;

use super::{Names, Programs};
use crate::oci_image::PAUSE;

/// `config.toml`, in the form of this containerd's version: 2.x moved the CRI's settings into two plugins.
pub(super) fn containerd(names: &Names, programs: &Programs) -> String {
    let dir = names.dir.display();
    let runc = programs.runc.display();
    let head = |version: u8, more_disabled: &str| {
        format!(
            r#"version = {version}
root = "{dir}/root"
state = "{dir}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.blockfile", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"{more_disabled}]

[grpc]
  address = "{dir}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{dir}/opt"
"#
        )
    };
    // A root whose capabilities were cut cannot lower oom_score_adj, and then no sandbox would start.
    let sandboxes = "restrict_oom_score_adj = true\n  netns_mounts_under_state_dir = true";
    let streaming = "stream_server_address = \"127.0.0.1\"\n  stream_server_port = \"0\"";
    let runtime = |plugin: &str| {
        format!(
            r#"  [plugins."{plugin}".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."{plugin}".containerd.runtimes.runc.options]
      BinaryName = "{runc}"
      Root = "{dir}/runc"
      SystemdCgroup = false
"#
        )
    };
    if programs.major_version() >= 2 {
        let (images, cri) = ("io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime");
        head(
            3,
            r#", "io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.erofs", "io.containerd.differ.v1.erofs""#,
        ) + &format!(
            r#"
[plugins."{images}"]
  snapshotter = "overlayfs"
  [plugins."{images}".pinned_images]
    sandbox = "{PAUSE}"
[plugins."{cri}"]
  {sandboxes}
  [plugins."{cri}".cni]
    bin_dirs = ["{dir}/cni/bin"]
    conf_dir = "{dir}/cni/net.d"
  [plugins."{cri}".containerd]
    default_runtime_name = "runc"
{}[plugins."io.containerd.grpc.v1.cri"]
  {streaming}
"#,
            runtime(cri)
        )
    } else {
        let cri = "io.containerd.grpc.v1.cri";
        head(2, "")
            + &format!(
                r#"
[plugins."{cri}"]
  sandbox_image = "{PAUSE}"
  {sandboxes}
  {streaming}
  [plugins."{cri}".cni]
    bin_dir = "{dir}/cni/bin"
    conf_dir = "{dir}/cni/net.d"
  [plugins."{cri}".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
{}"#,
                runtime(cri)
            )
    }
}

/// The pod network: a bridge in the instance's own namespace. Network and bridge carry the instance's name, because the
/// CNI library keeps a file for each attachment in one folder of the machine, named by the network.
pub(super) fn network(names: &Names) -> String {
    let Names { id, dir } = names;
    let number = u64::from_str_radix(id.trim_start_matches("pw-"), 16).unwrap_or_default();
    let subnet = format!("10.{}.{}.0/24", 64 + (number >> 8) % 64, number % 256);
    json!({
        "cniVersion": "0.4.0",
        "name": id,
        "plugins": [
            {
                "type": "bridge", "bridge": id, "isGateway": true, "ipMasq": false, "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": dir.join("cni/ipam"),
                    "ranges": [[{"subnet": subnet}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(version: &str) -> Programs {
        Programs {
            containerd: "/usr/bin/containerd".into(),
            ctr: "/usr/bin/ctr".into(),
            runc: "/usr/sbin/runc".into(),
            cni: "/usr/lib/cni".into(),
            version: version.into(),
        }
    }

    #[test]
    fn each_generation_of_containerd_gets_its_own_form() {
        let names = Names::new(0x12ab7f);
        let old = containerd(&names, &programs("1.7.24"));
        assert!(old.starts_with("version = 2\nroot = \"/run/pw-12ab7f/root\""), "{old}");
        assert!(old.contains(r#"sandbox_image = "registry.k8s.io/pause:3.10""#), "{old}");
        let new = containerd(&names, &programs("2.1.9"));
        assert!(new.starts_with("version = 3\n"), "{new}");
        assert!(new.contains(r#"bin_dirs = ["/run/pw-12ab7f/cni/bin"]"#), "{new}");
        assert!(!new.contains("image-verifier"), "disabling it takes the CRI away: {new}");
    }

    #[test]
    fn two_instances_share_neither_network_nor_subnet() {
        let subnet = |number| {
            let config: serde_json::Value =
                serde_json::from_str(&network(&Names::new(number))).expect("JSON");
            (config["name"].clone(), config["plugins"][0]["ipam"]["ranges"][0][0]["subnet"].clone())
        };
        assert_eq!(subnet(0x12ab7f), ("pw-12ab7f".into(), "10.107.127.0/24".into()));
        assert_ne!(subnet(1), subnet(2));
    }

    #[test]
    fn a_name_fits_a_network_interface() {
        assert!(Names::new((1 << 24) - 1).id.len() <= 15);
    }
}
