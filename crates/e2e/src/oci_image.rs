//! Images without a registry: an OCI image layout in one tar, as `ctr images import` takes it.
//!
//! A layout is four kinds of file: `oci-layout` (a version), `index.json` (which image has which name), and under
//! `blobs/sha256` the manifest, the configuration and the layers, each named by its own digest. There is one layer
//! here, uncompressed, and every time stamp is 0, so the same input gives the same bytes and the same image id.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

mod local;

pub use local::{BUSYBOX, PAUSE, busybox_image, pause_image};

/// One thing in the image's root file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A directory with its mode.
    Directory(u32),
    /// A file with its mode and content.
    File(u32, Vec<u8>),
    /// A symbolic link with its target.
    Link(String),
}

/// What the image says about how to run it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// What is run, before `cmd`.
    pub entrypoint: Vec<String>,
    /// The default arguments, or the default command when there is no entry point.
    pub cmd: Vec<String>,
    /// The environment, as `NAME=value`.
    pub env: Vec<String>,
    /// Who runs it: `uid`, `uid:gid` or a name from the image's `/etc/passwd`; empty is root.
    pub user: String,
}

/// An image, ready to be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The full name with its tag, such as `docker.io/library/busybox:1.36`.
    pub name: String,
    /// The digest of its configuration: what the CRI calls the image's id, since such an image has no repo digest.
    pub id: String,
    /// The whole layout as a tar.
    pub tar: Vec<u8>,
}

impl Image {
    /// Builds the image from paths (relative to the root, parents first) and its configuration.
    ///
    /// # Errors
    /// A path that a tar cannot hold, and a name without a tag.
    pub fn build(name: &str, files: &[(String, Entry)], config: &ImageConfig) -> Result<Self> {
        let (_, tag) = name.rsplit_once(':').with_context(|| format!("image name {name:?} has no tag"))?;
        let layer = tar_of(files).with_context(|| format!("the layer of image {name}"))?;
        let layer_digest = digest(&layer);
        let config = serde_json::to_vec(&json!({
            "created": "1970-01-01T00:00:00Z",
            "architecture": architecture(),
            "os": "linux",
            "config": {
                "Entrypoint": config.entrypoint, "Cmd": config.cmd, "Env": config.env, "User": config.user,
            },
            "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        }))?;
        let manifest = serde_json::to_vec(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
        }))?;
        let mut listed = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
        // The first is containerd's own annotation for the full name; the second is the standard's, for the tag.
        listed["annotations"] =
            json!({"io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag});
        let index = serde_json::to_vec(&json!({"schemaVersion": 2, "manifests": [listed]}))?;

        let id = digest(&config);
        let blob = |content: Vec<u8>| {
            (format!("blobs/sha256/{}", digest(&content).trim_start_matches("sha256:")), content)
        };
        let files = [
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), index),
            blob(manifest),
            blob(config),
            blob(layer),
        ]
        .map(|(path, content)| (path, Entry::File(0o644, content)));
        Ok(Self { name: name.to_owned(), id, tar: tar_of(&files)? })
    }
}

/// A tar in which nothing depends on when or by whom it was made.
fn tar_of(files: &[(String, Entry)]) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, entry) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        let said = || format!("{path} in the tar");
        match entry {
            Entry::Directory(mode) => {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(*mode);
                header.set_size(0);
                archive.append_data(&mut header, format!("{path}/"), std::io::empty()).with_context(said)?;
            }
            Entry::File(mode, content) => {
                header.set_mode(*mode);
                header.set_size(u64::try_from(content.len())?);
                archive.append_data(&mut header, path, content.as_slice()).with_context(said)?;
            }
            Entry::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                archive.append_link(&mut header, path, target).with_context(said)?;
            }
        }
    }
    Ok(archive.into_inner()?)
}

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(content), "size": content.len()})
}

fn digest(content: &[u8]) -> String {
    let hex: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// This machine's architecture, by the name that images use.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use super::*;

    fn image() -> Image {
        let files = [
            ("bin".to_owned(), Entry::Directory(0o755)),
            ("bin/tool".to_owned(), Entry::File(0o755, b"#!tool".to_vec())),
            ("bin/alias".to_owned(), Entry::Link("tool".to_owned())),
        ];
        let config = ImageConfig {
            entrypoint: vec!["/bin/tool".to_owned()],
            user: "65534".to_owned(),
            ..ImageConfig::default()
        };
        Image::build("example.test/tool:1", &files, &config).expect("an image")
    }

    /// Type, mode, time, link target and content of a thing in a tar.
    type Listed = (tar::EntryType, u32, u64, Option<String>, Vec<u8>);

    /// Everything in a tar, by path.
    fn listed(archive: &[u8]) -> BTreeMap<String, Listed> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().expect("a tar");
        entries
            .map(|entry| {
                let mut entry = entry.expect("an entry");
                let mut content = Vec::new();
                entry.read_to_end(&mut content).expect("content");
                let header = entry.header();
                let link = entry.link_name().expect("a link").map(|l| l.display().to_string());
                let (mode, time) = (header.mode().expect("a mode"), header.mtime().expect("a time"));
                (
                    entry.path().expect("a path").display().to_string(),
                    (header.entry_type(), mode, time, link, content),
                )
            })
            .collect()
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        assert_eq!(image(), image());
    }

    #[test]
    fn every_blob_is_named_by_its_digest_and_everything_referred_to_is_there() {
        let image = image();
        let files = listed(&image.tar);
        let json = |path: &str| -> Value { serde_json::from_slice(&files[path].4).expect(path) };
        let blob = |d: &Value| {
            format!("blobs/sha256/{}", d["digest"].as_str().expect("a digest").trim_start_matches("sha256:"))
        };
        for (path, (_, _, _, _, content)) in files.iter().filter(|(path, _)| path.starts_with("blobs/")) {
            assert_eq!(format!("sha256:{}", path.trim_start_matches("blobs/sha256/")), digest(content));
        }
        let listed_image = &json("index.json")["manifests"][0];
        assert_eq!(listed_image["annotations"]["io.containerd.image.name"], "example.test/tool:1");
        let manifest = json(&blob(listed_image));
        assert_eq!(manifest["config"]["digest"], image.id);
        let config = json(&blob(&manifest["config"]));
        assert_eq!(config["config"]["Entrypoint"], json!(["/bin/tool"]));
        assert_eq!(config["config"]["User"], "65534");
        assert_eq!(config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"]);

        let layer = listed(&files[&blob(&manifest["layers"][0])].4);
        assert_eq!(layer["bin/"], (tar::EntryType::Directory, 0o755, 0, None, Vec::new()));
        assert_eq!(layer["bin/tool"], (tar::EntryType::Regular, 0o755, 0, None, b"#!tool".to_vec()));
        assert_eq!(
            layer["bin/alias"],
            (tar::EntryType::Symlink, 0o777, 0, Some("tool".to_owned()), Vec::new())
        );
    }

    #[test]
    fn a_name_without_a_tag_is_refused() {
        let why = Image::build("tool", &[], &ImageConfig::default()).expect_err("refused").to_string();
        assert_eq!(why, r#"image name "tool" has no tag"#);
    }
}
