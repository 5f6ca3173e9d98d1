//! The task over manifests in memory, in paused time: what it sends, and when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pod_model::{Pod, PodRef};
use static_pods::{
    FILE_CHECK_FREQUENCY, InMemoryManifests, Listing, ManifestProblem, ManifestSource, StaticPods,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

type Sets = mpsc::Receiver<Vec<Arc<Pod>>>;
type Told = Arc<Mutex<Vec<String>>>;

fn manifest(name: &str) -> String {
    format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"{name}\"}},\"spec\":{{\"containers\":[{{\"name\":\"c\",\"image\":\"i:1\"}}]}}}}"
    )
}

fn start(source: impl ManifestSource) -> (Sets, Told) {
    let (sender, sets) = mpsc::channel(1);
    let told = Told::default();
    let telling = Arc::clone(&told);
    let pods = StaticPods::new(source, "node1", FILE_CHECK_FREQUENCY)
        .reporting_to(move |problem| telling.lock().expect("unpoisoned").push(problem.to_string()));
    tokio::spawn(pods.run(sender));
    (sets, told)
}

/// The names of the next set, or `nothing` when none comes within a minute.
async fn next(sets: &mut Sets) -> String {
    match timeout(Duration::from_secs(60), sets.recv()).await {
        Err(_) => "nothing".into(),
        Ok(None) => "end".into(),
        Ok(Some(pods)) => pods.iter().map(|pod| PodRef::of(pod).to_string()).collect::<Vec<_>>().join(" "),
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_set_comes_at_once_even_if_it_is_empty() {
    let (mut sets, _) = start(InMemoryManifests::new());
    let began = Instant::now();
    assert_eq!(next(&mut sets).await, "");
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(next(&mut sets).await, "nothing", "nothing changed");
}

#[tokio::test(start_paused = true)]
async fn the_set_follows_the_manifests() {
    let manifests = InMemoryManifests::new();
    manifests.insert("/m/b.json", manifest("b"));
    let (mut sets, told) = start(manifests.clone());
    assert_eq!(next(&mut sets).await, "default/b-node1");
    manifests.insert("/m/a.json", manifest("a"));
    assert_eq!(next(&mut sets).await, "default/a-node1 default/b-node1");
    manifests.insert("/m/a.json", &manifest("a").as_bytes()[..40]);
    assert_eq!(next(&mut sets).await, "nothing", "a half-written file changes nothing");
    manifests.insert_unreadable("/m/b.json", "Permission denied");
    assert_eq!(next(&mut sets).await, "nothing");
    manifests.remove("/m/b.json");
    assert_eq!(next(&mut sets).await, "default/a-node1");
    let told = told.lock().expect("unpoisoned").clone();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1], "/m/b.json: cannot be read: Permission denied");
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_when_nobody_listens() {
    let manifests = InMemoryManifests::new();
    let (sender, sets) = mpsc::channel(1);
    let task = tokio::spawn(StaticPods::new(manifests, "node1", FILE_CHECK_FREQUENCY).run(sender));
    drop(sets);
    timeout(Duration::from_secs(1), task).await.expect("ends").expect("ends well");
}

/// A source that never says that anything changed, and sometimes cannot be looked into.
struct Mute(Arc<Mutex<Result<Listing, ManifestProblem>>>);

#[async_trait::async_trait]
impl ManifestSource for Mute {
    async fn list(&mut self) -> Result<Listing, ManifestProblem> {
        self.0.lock().expect("unpoisoned").clone()
    }

    async fn changed(&mut self) {
        std::future::pending().await
    }
}

fn one_file() -> Result<Listing, ManifestProblem> {
    Ok(Listing::from([("/m/a.json".into(), Ok(manifest("a").into_bytes().into()))]))
}

#[tokio::test(start_paused = true)]
async fn a_scan_every_twenty_seconds_finds_what_no_event_told() {
    let files = Arc::new(Mutex::new(Ok(Listing::new())));
    let (mut sets, _) = start(Mute(Arc::clone(&files)));
    assert_eq!(next(&mut sets).await, "");
    let began = Instant::now();
    *files.lock().expect("unpoisoned") = one_file();
    assert_eq!(next(&mut sets).await, "default/a-node1");
    assert_eq!(began.elapsed(), FILE_CHECK_FREQUENCY);
}

#[tokio::test(start_paused = true)]
async fn while_the_manifests_cannot_be_looked_at_the_last_set_stays_and_this_is_told_once() {
    let problem = ManifestProblem {
        path: "/m".into(),
        error: static_pods::FileError::Unreadable("Permission denied".into()),
    };
    let files = Arc::new(Mutex::new(Err(problem.clone())));
    let (mut sets, told) = start(Mute(Arc::clone(&files)));
    assert_eq!(next(&mut sets).await, "nothing", "an empty set would kill every pod of an earlier run");
    *files.lock().expect("unpoisoned") = one_file();
    assert_eq!(next(&mut sets).await, "default/a-node1");
    *files.lock().expect("unpoisoned") = Err(problem);
    assert_eq!(next(&mut sets).await, "nothing");
    let line = "/m: cannot be read: Permission denied";
    assert_eq!(*told.lock().expect("unpoisoned"), [line, line]);
}
