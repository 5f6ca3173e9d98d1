//! Lists as tables: one row for each sandbox, container or image tag.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use comfy_table::{Table, presets};
use cri_client::v1;

use super::ids::shown;
use super::units::{age, size};

/// The head of a list of sandboxes.
pub const POD_COLUMNS: [&str; 7] = ["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"];

/// The head of a list of containers.
pub const CONTAINER_COLUMNS: [&str; 9] =
    ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"];

/// The head of a list of images.
pub const IMAGE_COLUMNS: [&str; 4] = ["IMAGE", "TAG", "IMAGE ID", "SIZE"];

const NONE: &str = "<none>";

/// The order of a list: newest first, as the kubelet takes the newest sandbox of a pod for its present one.
pub fn sort_sandboxes(items: &mut [v1::PodSandbox]) {
    items.sort_by_key(|item| Reverse(item.created_at));
}

/// The order of a list: newest first.
pub fn sort_containers(items: &mut [v1::Container]) {
    items.sort_by_key(|item| Reverse(item.created_at));
}

/// The order of a list: by name, since images have no time.
pub fn sort_images(items: &mut [v1::Image]) {
    items.sort_by(|a, b| (&a.repo_tags, &a.id).cmp(&(&b.repo_tags, &b.id)));
}

/// One sandbox; `now` in nanoseconds since 1970, `whole` for ids that are not cut.
pub fn sandbox_row(item: &v1::PodSandbox, now: i64, whole: bool) -> Vec<String> {
    let metadata = item.metadata.clone().unwrap_or_default();
    let handler = if item.runtime_handler.is_empty() { "(default)" } else { &item.runtime_handler };
    vec![
        shown(&item.id, whole),
        age(item.created_at, now),
        sandbox_state(item.state).to_owned(),
        metadata.name,
        metadata.namespace,
        metadata.attempt.to_string(),
        handler.to_owned(),
    ]
}

/// One container; `now` in nanoseconds since 1970, `whole` for ids that are not cut.
pub fn container_row(item: &v1::Container, now: i64, whole: bool) -> Vec<String> {
    let metadata = item.metadata.clone().unwrap_or_default();
    let image = item.image.clone().unwrap_or_default().image;
    vec![
        shown(&item.id, whole),
        // The kubelet creates containers by image id: that is cut like any id, and a name never is.
        if image.starts_with("sha256:") { shown(&image, whole) } else { image },
        age(item.created_at, now),
        container_state(item.state).to_owned(),
        metadata.name,
        metadata.attempt.to_string(),
        shown(&item.pod_sandbox_id, whole),
        label(&item.labels, "io.kubernetes.pod.name"),
        label(&item.labels, "io.kubernetes.pod.namespace"),
    ]
}

/// One image: a row for each of its tags, or one for an image without.
pub fn image_rows(item: &v1::Image, whole: bool) -> Vec<Vec<String>> {
    let row = |name: &str, tag: &str| {
        vec![name.to_owned(), tag.to_owned(), shown(&item.id, whole), size(item.size)]
    };
    if item.repo_tags.is_empty() {
        let digest = item.repo_digests.first().and_then(|digest| digest.split_once('@'));
        return vec![row(digest.map_or(NONE, |(name, _)| name), NONE)];
    }
    item.repo_tags
        .iter()
        .map(|tagged| match tagged.rsplit_once(':') {
            // A colon before the last slash belongs to the registry's port.
            Some((name, tag)) if !tag.contains('/') => row(name, tag),
            _ => row(tagged, NONE),
        })
        .collect()
}

/// `Ready` or `NotReady`.
pub fn sandbox_state(state: i32) -> &'static str {
    match v1::PodSandboxState::try_from(state) {
        Ok(v1::PodSandboxState::SandboxReady) => "Ready",
        Ok(v1::PodSandboxState::SandboxNotready) => "NotReady",
        Err(_) => "Unknown",
    }
}

/// `Created`, `Running`, `Exited` or `Unknown`.
pub fn container_state(state: i32) -> &'static str {
    match v1::ContainerState::try_from(state) {
        Ok(v1::ContainerState::ContainerCreated) => "Created",
        Ok(v1::ContainerState::ContainerRunning) => "Running",
        Ok(v1::ContainerState::ContainerExited) => "Exited",
        Ok(v1::ContainerState::ContainerUnknown) | Err(_) => "Unknown",
    }
}

fn label(labels: &BTreeMap<String, String>, key: &str) -> String {
    labels.get(key).map_or("unknown", String::as_str).to_owned()
}

/// Columns with three spaces between them and no lines, as crictl has them.
pub fn render(columns: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns.to_vec()).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    format!("{}\n", table.trim_fmt())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000_000;
    const NOW: i64 = 1_000_000 * MINUTE;

    #[test]
    fn a_sandbox_is_a_row() {
        let metadata = v1::PodSandboxMetadata {
            name: "web-n1".into(),
            uid: "u".into(),
            namespace: "default".into(),
            attempt: 2,
        };
        let mut item = v1::PodSandbox {
            id: "f84dd361f8dc51518ed291fbadd6db53".into(),
            metadata: Some(metadata),
            state: v1::PodSandboxState::SandboxNotready.into(),
            created_at: NOW - 3 * MINUTE,
            ..Default::default()
        };
        let said = ["f84dd361f8dc5", "3 minutes ago", "NotReady", "web-n1", "default", "2", "(default)"];
        assert_eq!(sandbox_row(&item, NOW, false), said);
        item.runtime_handler = "gvisor".into();
        item.state = 77;
        let row = sandbox_row(&item, NOW, true);
        assert_eq!(
            (row[0].as_str(), row[2].as_str(), row[6].as_str()),
            (item.id.as_str(), "Unknown", "gvisor")
        );
    }

    #[test]
    fn a_container_is_a_row_that_names_its_pod_by_its_labels() {
        let labels = [("io.kubernetes.pod.name", "web-n1"), ("io.kubernetes.pod.namespace", "default")];
        let mut item = v1::Container {
            id: "0123456789abcdef".into(),
            pod_sandbox_id: "f84dd361f8dc51518".into(),
            metadata: Some(v1::ContainerMetadata { name: "app".into(), attempt: 1 }),
            image: Some(v1::ImageSpec { image: "sha256:8c811b4aec35f259572d".into(), ..Default::default() }),
            state: v1::ContainerState::ContainerRunning.into(),
            created_at: NOW - MINUTE,
            labels: labels.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            ..Default::default()
        };
        let said = [
            "0123456789abc",
            "8c811b4aec35f",
            "About a minute ago",
            "Running",
            "app",
            "1",
            "f84dd361f8dc5",
            "web-n1",
            "default",
        ];
        assert_eq!(container_row(&item, NOW, false), said);
        item.image =
            Some(v1::ImageSpec { image: "docker.io/library/busybox:1.36".into(), ..Default::default() });
        item.labels.clear();
        let row = container_row(&item, NOW, false);
        assert_eq!((row[1].as_str(), row[7].as_str()), ("docker.io/library/busybox:1.36", "unknown"));
    }

    #[test]
    fn an_image_has_a_row_for_each_tag() {
        let image = |tags: &[&str], digests: &[&str]| v1::Image {
            id: "sha256:8c811b4aec35f259572d".into(),
            repo_tags: tags.iter().map(|t| (*t).to_owned()).collect(),
            repo_digests: digests.iter().map(|d| (*d).to_owned()).collect(),
            size: 742_472,
            ..Default::default()
        };
        let names = |image: &v1::Image| -> Vec<(String, String)> {
            image_rows(image, false).into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
        };
        let pair = |name: &str, tag: &str| (name.to_owned(), tag.to_owned());
        assert_eq!(
            names(&image(
                &["docker.io/library/busybox:1.36", "localhost:5000/box:2", "localhost:5000/box"],
                &[]
            )),
            [
                pair("docker.io/library/busybox", "1.36"),
                pair("localhost:5000/box", "2"),
                pair("localhost:5000/box", NONE)
            ]
        );
        assert_eq!(
            names(&image(&[], &["registry.k8s.io/pause@sha256:7031"])),
            [pair("registry.k8s.io/pause", NONE)]
        );
        assert_eq!(names(&image(&[], &[])), [pair(NONE, NONE)]);
        assert_eq!(image_rows(&image(&["a:1"], &[]), false)[0][2..], ["8c811b4aec35f", "742kB"]);
    }

    #[test]
    fn the_newest_comes_first_and_columns_stand_below_each_other() {
        let mut items =
            [1, 3, 2].map(|n| v1::Container { id: format!("c{n}"), created_at: n, ..Default::default() });
        sort_containers(&mut items);
        assert_eq!(items.map(|i| i.id), ["c3", "c2", "c1"]);
        let rows = vec![vec!["a".to_owned(), "b".to_owned()], vec!["longer".to_owned(), "c".to_owned()]];
        assert_eq!(render(&["X", "Y"], rows), "X        Y\na        b\nlonger   c\n");
        assert_eq!(render(&["X", "Y"], Vec::new()), "X   Y\n");
    }
}
