use std::time::Duration;

use pod_model::RecordedEvents;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::Op;

struct Merge {
    file: mpsc::Sender<Vec<Arc<Pod>>>,
    api: mpsc::Sender<Vec<Arc<Pod>>>,
    updates: mpsc::Receiver<PodUpdate>,
    ready: SourcesReady,
    events: Arc<RecordedEvents>,
    task: JoinHandle<()>,
}

fn merge() -> Merge {
    let events = Arc::new(RecordedEvents::default());
    let clock = Clock::starting_at("2026-01-01T12:00:00Z".parse().expect("a valid time"));
    let sink: Arc<dyn EventSink> = Arc::<RecordedEvents>::clone(&events);
    let (mut config, updates) = PodConfig::new(clock, sink);
    let (file, api) = (config.source_channel(Source::File), config.source_channel(Source::Api));
    let ready = config.sources_ready();
    Merge { file, api, updates, ready, events, task: tokio::spawn(config.run()) }
}

fn pod(name: &str, uid: &str) -> Arc<Pod> {
    let mut pod = Pod::default();
    pod.metadata.name = Some(name.into());
    pod.metadata.namespace = Some("default".into());
    pod.metadata.uid = Some(uid.into());
    Arc::new(pod)
}

impl Merge {
    /// The next update as `source OP name,name`, or `nothing`.
    async fn next(&mut self) -> String {
        match timeout(Duration::from_secs(60), self.updates.recv()).await {
            Err(_) => "nothing".into(),
            Ok(None) => "end".into(),
            Ok(Some(PodUpdate { op, pods, source })) => {
                let names: Vec<_> = pods.iter().map(|pod| PodRef::of(pod).name).collect();
                format!("{source} {op} {}", names.join(","))
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_sources_are_told_apart_and_do_not_touch_each_others_pods() {
    let mut merge = merge();
    merge.file.send(vec![pod("etcd", "1")]).await.expect("runs");
    assert_eq!(merge.next().await, "file ADD etcd");
    merge.api.send(vec![pod("web", "2")]).await.expect("runs");
    assert_eq!(merge.next().await, "api ADD web");
    merge.file.send(vec![]).await.expect("runs");
    assert_eq!(merge.next().await, "file REMOVE etcd");
    merge.api.send(vec![pod("web", "2")]).await.expect("runs");
    assert_eq!(merge.next().await, "nothing");
}

#[tokio::test(start_paused = true)]
async fn the_node_is_ready_when_every_source_has_delivered_and_been_taken_in() {
    let mut merge = merge();
    assert!(!merge.ready.all_ready());
    merge.file.send(vec![]).await.expect("runs");
    assert_eq!(merge.next().await, "file ADD ", "an empty first set is told");
    merge.ready.add_source(Source::File);
    assert!(!merge.ready.all_ready(), "the API server has not spoken");
    merge.api.send(vec![]).await.expect("runs");
    assert_eq!(merge.next().await, "api ADD ");
    assert!(!merge.ready.all_ready(), "the kubelet has not taken it in");
    assert!(merge.ready.seen_all(&[Source::File, Source::Api].into()));
    assert!(!merge.ready.seen_all(&[Source::Api].into()));
    merge.ready.add_source(Source::Api);
    assert!(merge.ready.all_ready());
    merge.file.send(vec![]).await.expect("runs");
    assert_eq!(merge.next().await, "nothing", "a later empty set is not");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_twice_is_told_once_and_again_after_it_was_gone() {
    let mut merge = merge();
    let (both, one) = (vec![pod("a", "1"), pod("a", "2")], vec![pod("a", "1")]);
    for set in [both.clone(), both.clone(), one, both] {
        merge.file.send(set).await.expect("runs");
        merge.next().await;
    }
    let line = "Warning FailedValidation default/a: Error validating pod a_default(2) from file due to duplicate pod \
                name \"a\", ignoring";
    assert_eq!(merge.events.lines(), [line, line]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_stamped_with_the_time_of_its_first_set() {
    let mut merge = merge();
    tokio::time::advance(Duration::from_millis(1500)).await;
    merge.file.send(vec![pod("a", "1")]).await.expect("runs");
    let update = merge.updates.recv().await.expect("an update");
    assert_eq!(update.op, Op::Add);
    let annotations = update.pods[0].metadata.annotations.as_ref().expect("annotations");
    assert_eq!(annotations["kubernetes.io/config.seen"], "2026-01-01T12:00:01.5Z");
    assert_eq!(annotations["kubernetes.io/config.source"], "file");
}

#[tokio::test(start_paused = true)]
async fn the_merge_ends_with_its_last_source_or_its_listener() {
    let mut with_sources_gone = merge();
    (with_sources_gone.file, with_sources_gone.api) = (mpsc::channel(1).0, mpsc::channel(1).0);
    assert_eq!(with_sources_gone.next().await, "end");

    let mut with_listener_gone = merge();
    with_listener_gone.updates.close();
    with_listener_gone.file.send(vec![]).await.expect("runs");
    let ended = timeout(Duration::from_secs(60), with_listener_gone.task).await;
    ended.expect("ends in time").expect("ends well");
}

#[tokio::test(start_paused = true)]
async fn asking_twice_for_a_sources_channel_gives_the_same_one() {
    let (mut config, mut updates) = PodConfig::new(Clock::system(), Arc::new(RecordedEvents::default()));
    let (one, two) = (config.source_channel(Source::File), config.source_channel(Source::File));
    assert!(one.same_channel(&two));
    tokio::spawn(config.run());
    two.send(vec![]).await.expect("runs");
    assert!(updates.recv().await.is_some_and(|update| update.source == Source::File));
}
