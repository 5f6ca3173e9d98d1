//! The manifest directory on a real file system, in real time: every wait is for a condition, with a deadline.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::stat::Mode;
use pod_model::{Pod, PodRef};
use static_pods::{FileError, ManifestDirectory, ManifestError, ManifestSource, StaticPods};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// So long that only an event can explain what is seen within the tests' deadlines.
const NO_SCANS: Duration = Duration::from_secs(3600);
const DEADLINE: Duration = Duration::from_secs(10);

fn manifest(name: &str, image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: c, image: '{image}'}}]}}\n"
    )
}

struct Running {
    sets: mpsc::Receiver<Vec<Arc<Pod>>>,
    latest: Option<String>,
}

impl Running {
    fn on(path: impl AsRef<Path>) -> Self {
        Self::scanning(path, NO_SCANS)
    }

    fn scanning(path: impl AsRef<Path>, every: Duration) -> Self {
        let (sender, sets) = mpsc::channel(1);
        tokio::spawn(StaticPods::new(ManifestDirectory::new(path), "n", every).run(sender));
        Self { sets, latest: None }
    }

    /// Waits until the set is this one: `name=image`, parted by blanks.
    async fn becomes(&mut self, wanted: &str) {
        let reached = timeout(DEADLINE, async {
            while self.latest.as_deref() != Some(wanted) {
                let pods = self.sets.recv().await.expect("the task runs");
                self.latest = Some(shown(&pods));
            }
        });
        assert!(reached.await.is_ok(), "wanted {wanted:?}, have {:?}", self.latest);
    }
}

fn shown(pods: &[Arc<Pod>]) -> String {
    let one = |pod: &Arc<Pod>| {
        let image = pod.spec.as_ref().and_then(|spec| spec.containers[0].image.clone());
        format!("{}={}", PodRef::of(pod).name, image.unwrap_or_default())
    };
    pods.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn directory() -> (TempDir, PathBuf) {
    let outer = tempfile::tempdir().expect("a directory");
    let path = outer.path().join("manifests");
    fs::create_dir(&path).expect("a directory");
    (outer, path)
}

#[tokio::test]
async fn files_come_change_and_go() {
    let (_outer, path) = directory();
    fs::write(path.join("a.yaml"), manifest("a", "i:1")).expect("written");
    let mut running = Running::on(&path);
    running.becomes("a-n=i:1").await;
    fs::write(path.join("b.yaml"), manifest("b", "i:1")).expect("written");
    running.becomes("a-n=i:1 b-n=i:1").await;
    fs::write(path.join("a.yaml"), manifest("a", "i:2")).expect("written");
    running.becomes("a-n=i:2 b-n=i:1").await;
    fs::remove_file(path.join("a.yaml")).expect("removed");
    running.becomes("b-n=i:1").await;
    fs::rename(path.join("b.yaml"), path.join(".b.yaml")).expect("renamed");
    running.becomes("").await;
}

#[tokio::test]
async fn a_file_renamed_into_place_is_seen_and_replaces_the_one_before() {
    let (outer, path) = directory();
    let mut running = Running::on(&path);
    running.becomes("").await;
    for image in ["i:1", "i:2"] {
        let prepared = outer.path().join("prepared");
        fs::write(&prepared, manifest("a", image)).expect("written");
        fs::rename(&prepared, path.join("a.yaml")).expect("renamed");
        running.becomes(&format!("a-n={image}")).await;
    }
}

#[tokio::test]
async fn a_directory_that_appears_later_is_watched_from_then_on() {
    let outer = tempfile::tempdir().expect("a directory");
    let path = outer.path().join("etc/kubernetes/manifests");
    let mut running = Running::on(&path);
    running.becomes("").await;
    fs::create_dir_all(&path).expect("created");
    fs::write(path.join("a.yaml"), manifest("a", "i:1")).expect("written");
    running.becomes("a-n=i:1").await;
    fs::write(path.join("b.yaml"), manifest("b", "i:1")).expect("written");
    running.becomes("a-n=i:1 b-n=i:1").await;
}

#[tokio::test]
async fn a_directory_that_is_replaced_renamed_or_removed_is_noticed() {
    let (outer, path) = directory();
    fs::write(path.join("a.yaml"), manifest("a", "i:1")).expect("written");
    let mut running = Running::on(&path);
    running.becomes("a-n=i:1").await;
    fs::rename(&path, outer.path().join("old")).expect("renamed");
    running.becomes("").await;
    fs::create_dir(&path).expect("created");
    fs::write(path.join("b.yaml"), manifest("b", "i:1")).expect("written");
    running.becomes("b-n=i:1").await;
    fs::remove_dir_all(&path).expect("removed");
    running.becomes("").await;
    fs::rename(outer.path().join("old"), &path).expect("renamed");
    running.becomes("a-n=i:1").await;
    fs::write(path.join("c.yaml"), manifest("c", "i:1")).expect("written");
    running.becomes("a-n=i:1 c-n=i:1").await;
}

#[tokio::test]
async fn a_directory_that_is_replaced_in_one_go_is_watched_again() {
    let (_outer, path) = directory();
    let mut running = Running::on(&path);
    running.becomes("").await;
    for round in 0..20 {
        // File systems like to give the new directory the number of the old one.
        fs::remove_dir_all(&path).expect("removed");
        fs::create_dir(&path).expect("created");
        let image = format!("i:{round}");
        fs::write(path.join("a.yaml"), manifest("a", &image)).expect("written");
        running.becomes(&format!("a-n={image}")).await;
        fs::write(path.join("a.yaml"), manifest("a", "i:last")).expect("written");
        running.becomes("a-n=i:last").await;
    }
}

#[tokio::test]
async fn a_path_that_is_a_file_is_that_one_manifest() {
    let (_outer, path) = directory();
    let file = path.join("only.yaml");
    fs::write(&file, manifest("a", "i:1")).expect("written");
    fs::write(path.join("other.yaml"), manifest("b", "i:1")).expect("written");
    let mut running = Running::on(&file);
    running.becomes("a-n=i:1").await;
    fs::write(&file, manifest("a", "i:2")).expect("written");
    running.becomes("a-n=i:2").await;
    fs::remove_file(&file).expect("removed");
    running.becomes("").await;
}

#[tokio::test]
async fn what_editors_leave_beside_a_manifest_changes_nothing() {
    let (_outer, path) = directory();
    fs::write(path.join("a.yaml"), manifest("a", "i:1")).expect("written");
    let mut running = Running::on(&path);
    running.becomes("a-n=i:1").await;
    fs::write(path.join(".a.yaml.swp"), b"b0VIM 9.1\0\0").expect("written");
    fs::write(path.join("a.yaml~"), manifest("a", "i:0")).expect("written");
    fs::write(path.join("#a.yaml#"), "apiVer").expect("written");
    fs::write(path.join("4913"), "").expect("written");
    fs::create_dir(path.join("sub")).expect("created");
    fs::write(path.join("sub/c.yaml"), manifest("c", "i:1")).expect("written");
    // The last change proves that the ones before it have been looked at.
    fs::write(path.join("b.yaml"), manifest("b", "i:1")).expect("written");
    let pods = timeout(DEADLINE, running.sets.recv()).await.expect("in time").expect("runs");
    assert_eq!(shown(&pods), "a-n=i:1 b-n=i:1");
}

#[tokio::test]
async fn a_link_to_a_file_is_followed_and_its_swap_is_noticed() {
    let (outer, path) = directory();
    for version in ["1", "2"] {
        let volume = outer.path().join(version);
        fs::create_dir(&volume).expect("created");
        fs::write(volume.join("a.yaml"), manifest("a", &format!("i:{version}"))).expect("written");
    }
    symlink(outer.path().join("1"), path.join("..data")).expect("linked");
    symlink("..data/a.yaml", path.join("a.yaml")).expect("linked");
    let mut running = Running::on(&path);
    running.becomes("a-n=i:1").await;
    // As a config map volume is swapped: one rename of a dotted link.
    symlink(outer.path().join("2"), path.join("..tmp")).expect("linked");
    fs::rename(path.join("..tmp"), path.join("..data")).expect("renamed");
    running.becomes("a-n=i:2").await;
}

#[tokio::test]
async fn without_any_event_the_scan_finds_what_changed_outside_the_directory() {
    let (outer, path) = directory();
    let target = outer.path().join("target");
    fs::write(&target, manifest("a", "i:1")).expect("written");
    symlink(&target, path.join("a.yaml")).expect("linked");
    let mut running = Running::scanning(&path, Duration::from_millis(50));
    running.becomes("a-n=i:1").await;
    fs::write(&target, manifest("a", "i:2")).expect("written");
    running.becomes("a-n=i:2").await;
}

#[tokio::test]
async fn what_is_no_regular_file_is_named_and_hangs_nothing() {
    let (outer, path) = directory();
    nix::unistd::mkfifo(&path.join("pipe"), Mode::S_IRWXU).expect("a pipe");
    let _socket = std::os::unix::net::UnixListener::bind(path.join("socket")).expect("a socket");
    fs::create_dir(path.join("directory")).expect("a directory");
    symlink("/dev/null", path.join("device")).expect("linked");
    symlink(outer.path().join("nowhere"), path.join("dangling")).expect("linked");
    fs::write(path.join("large"), vec![b'x'; static_pods::MAX_MANIFEST_BYTES + 1]).expect("written");
    fs::write(path.join("secret"), manifest("s", "i:1")).expect("written");
    fs::set_permissions(path.join("secret"), fs::Permissions::from_mode(0o000)).expect("set");
    fs::write(path.join("ok"), manifest("ok", "i:1")).expect("written");
    let mut source = ManifestDirectory::new(&path);
    let listing = timeout(DEADLINE, source.list()).await.expect("does not hang").expect("a directory");
    let error = |name: &str| listing[&path.join(name)].clone().expect_err(name);
    assert_eq!(error("pipe"), FileError::NotAFile("a pipe"));
    assert_eq!(error("socket"), FileError::NotAFile("a socket"));
    assert_eq!(error("directory"), FileError::NotAFile("a directory"));
    assert_eq!(error("device"), FileError::NotAFile("a device"));
    assert_eq!(error("large"), FileError::from(ManifestError::TooLarge));
    assert!(error("dangling").to_string().contains("No such file or directory"));
    // Root reads everything.
    if !nix::unistd::geteuid().is_root() {
        assert!(error("secret").to_string().contains("Permission denied"));
    }
    assert!(listing[&path.join("ok")].is_ok());
}

#[tokio::test]
async fn an_unchanged_file_is_not_read_again_and_one_that_was_reported_is() {
    let (_outer, path) = directory();
    let file = path.join("a.yaml");
    fs::write(&file, manifest("a", "i:1")).expect("written");
    let mut source = ManifestDirectory::new(&path);
    let bytes = |listing: static_pods::Listing| listing[&file].clone().expect("readable");
    let first = bytes(source.list().await.expect("listed"));
    let second = bytes(source.list().await.expect("listed"));
    assert!(Arc::ptr_eq(&first, &second), "nothing happened");
    // The same size, at once: the file's times may not show it, the event does.
    fs::write(&file, manifest("a", "i:2")).expect("written");
    timeout(DEADLINE, source.changed()).await.expect("told");
    let third = bytes(source.list().await.expect("listed"));
    assert_eq!(&*third, manifest("a", "i:2").as_bytes());
    // Listing is reading, and reading is no change.
    assert!(timeout(Duration::from_millis(200), source.changed()).await.is_err());
}

#[tokio::test]
async fn a_written_file_becomes_a_pod_within_a_moment() {
    let (_outer, path) = directory();
    let mut running = Running::on(&path);
    running.becomes("").await;
    let mut took = Vec::new();
    for version in 0..20 {
        let image = format!("i:{version}");
        let began = Instant::now();
        fs::write(path.join("a.yaml"), manifest("a", &image)).expect("written");
        running.becomes(&format!("a-n={image}")).await;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    println!("from file written to set sent: median {:?}, longest {:?}", took[10], took[19]);
    // Far above what it takes (some 10 ms), far below the next scan.
    assert!(took[10] < Duration::from_millis(500), "{took:?}");
}
