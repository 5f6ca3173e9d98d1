//! Hashes that outlive the agent.
//!
//! The container hash is written onto every container as an annotation and compared after each start of the agent: if
//! it differed from the real kubelet's, swapping the kubelet of a node would restart every container on it. So it is
//! the same number, computed over the same bytes.

use k8s_openapi::api::core::v1::Container;

// ANCHOR: lab02_fnv
/// FNV-1a over 32 bits. <http://www.isthe.com/chongo/tech/comp/fnv/>
pub fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
// ANCHOR_END: lab02_fnv

/// FNV-1a over 128 bits.
pub fn fnv1a_128(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

// ANCHOR: lab02_hash
/// The hash that decides whether a running container is still the one that its pod describes.
///
/// Only name and image count, so an edit of anything else never restarts a container. Go hashes how its debug printer
/// shows the JSON: a list of decimal bytes behind the type's name.
///
/// Mirrors `container/helpers.go: HashContainer` and `pkg/util/hash/hash.go: DeepHashObject`.
pub fn container_hash(container: &Container) -> u64 {
    let image = container.image.as_deref().unwrap_or_default();
    let json =
        format!("{{\"image\":{},\"name\":{}}}", go_json_string(image), go_json_string(&container.name));
    let shown: Vec<String> = json.bytes().map(|byte| byte.to_string()).collect();
    u64::from(fnv1a_32(format!("([]uint8)[{}]", shown.join(" ")).as_bytes()))
}

/// A JSON string as Go's encoder writes it: `<`, `>` and `&` are escaped as well.
fn go_json_string(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
// ANCHOR_END: lab02_hash

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Container {
        Container {
            name: name.into(),
            image: Some("docker.io/library/busybox:1.36".into()),
            ..Container::default()
        }
    }

    /// The numbers are a real kubelet's, from the recordings 01, 02, 05 and 11.
    #[test]
    fn the_container_hash_is_the_kubelets_own() {
        for (name, recorded) in [
            ("main", "e3b3a006"),
            ("some", "5232f418"),
            ("none", "34b5db61"),
            ("first", "bd9cce9e"),
            ("proxy", "cd0e5264"),
            ("ok", "aa001667"),
            ("bad", "4a32031c"),
        ] {
            assert_eq!(format!("{:x}", container_hash(&named(name))), recorded, "container {name}");
        }
    }

    #[test]
    fn only_name_and_image_count() {
        let mut edited = named("main");
        edited.command = Some(vec!["sleep".into()]);
        edited.env = Some(Vec::new());
        assert_eq!(container_hash(&edited), container_hash(&named("main")));
        edited.image = Some("docker.io/library/busybox:1.37".into());
        assert_ne!(container_hash(&edited), container_hash(&named("main")));
    }

    #[test]
    fn fnv_test_vectors() {
        assert_eq!(fnv1a_32(b""), 0x811c_9dc5);
        assert_eq!(fnv1a_32(b"foobar"), 0xbf9c_f968);
        assert_eq!(fnv1a_128(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv1a_128(b"foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }
}
