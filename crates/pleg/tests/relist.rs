//! The task against the in-memory runtime, in paused time.

use std::sync::Arc;
use std::time::Duration;

use clock::Clock;
use cri_client::fake::FakeRuntime;
use cri_client::{Code, RuntimeService as _, v1};
use pleg::{Periods, Pleg, PlegHandle, PodChange, PodLifecycleEvent};
use pod_model::{ContainerState, PodCache, PodRef, PodUid, labels};
use tokio::sync::mpsc;
use tokio::time::Instant;

struct Node {
    fake: Arc<FakeRuntime>,
    cache: Arc<PodCache>,
    handle: PlegHandle,
    changes: mpsc::Receiver<PodChange>,
}

fn node(fake: Arc<FakeRuntime>) -> Node {
    let (cache, (send, changes)) = (PodCache::new(), mpsc::channel(100));
    let (pleg, handle) = Pleg::new(fake.clone(), cache.clone(), Periods::default(), send);
    tokio::spawn(pleg.run());
    Node { fake, cache, handle, changes }
}

fn fake() -> Arc<FakeRuntime> {
    FakeRuntime::new(Clock::starting_at(jiff_epoch()))
}

fn jiff_epoch() -> jiff::Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn pod() -> PodRef {
    PodRef { namespace: "default".into(), name: "web".into(), uid: PodUid::new("u1") }
}

async fn start_pod(fake: &FakeRuntime) -> (String, String) {
    let labels: labels::Map = [
        (labels::POD_UID.to_owned(), "u1".to_owned()),
        (labels::POD_NAME.to_owned(), "web".to_owned()),
        (labels::POD_NAMESPACE.to_owned(), "default".to_owned()),
        (labels::CONTAINER_NAME.to_owned(), "app".to_owned()),
    ]
    .into();
    let config = v1::PodSandboxConfig { labels: labels.clone(), ..Default::default() };
    let request = v1::RunPodSandboxRequest { config: Some(config), ..Default::default() };
    let sandbox = fake.run_pod_sandbox(request).await.expect("a sandbox").pod_sandbox_id;
    let metadata = v1::ContainerMetadata { name: "app".into(), attempt: 0 };
    let config = v1::ContainerConfig { metadata: Some(metadata), labels, ..Default::default() };
    let request = v1::CreateContainerRequest {
        pod_sandbox_id: sandbox.clone(),
        config: Some(config),
        ..Default::default()
    };
    let container = fake.create_container(request).await.expect("a container").container_id;
    fake.start_container(v1::StartContainerRequest { container_id: container.clone() })
        .await
        .expect("started");
    (sandbox, container)
}

impl Node {
    /// The next event that satisfies `wanted`, and how long it took to come.
    async fn event(&mut self, wanted: impl Fn(&PodLifecycleEvent) -> bool) -> Duration {
        let began = Instant::now();
        loop {
            let change = tokio::time::timeout(Duration::from_secs(60), self.changes.recv()).await;
            let change = change.expect("within a minute").expect("the task lives");
            if change.events.iter().any(&wanted) {
                return began.elapsed();
            }
        }
    }

    fn state_of(&self, id: &str) -> Option<ContainerState> {
        let known = self.cache.get(&pod().uid)?.expect("readable");
        known.containers.iter().find(|c| c.id == id).map(|c| c.state)
    }
}

fn died(id: &str) -> impl Fn(&PodLifecycleEvent) -> bool {
    let event = PodLifecycleEvent::ContainerDied(id.to_owned());
    move |seen| *seen == event
}

fn started(id: &str) -> impl Fn(&PodLifecycleEvent) -> bool {
    let event = PodLifecycleEvent::ContainerStarted(id.to_owned());
    move |seen| *seen == event
}

#[tokio::test(start_paused = true)]
async fn an_exit_is_noticed_at_once_by_its_event_and_the_cache_shows_it_by_then() {
    let mut node = node(fake());
    let (_, container) = start_pod(&node.fake).await;
    node.event(started(&container)).await;
    assert_eq!(node.state_of(&container), Some(ContainerState::Running));
    node.fake.exit_container(&container, 3);
    assert_eq!(node.event(died(&container)).await, Duration::ZERO);
    let status = node.cache.get(&pod().uid).expect("known").expect("readable");
    assert_eq!(
        (status.containers[0].exit_code, status.containers[0].sandbox_id.as_str()),
        (3, "sandbox-0001")
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_event_is_made_up_for_within_two_seconds() {
    let mut node = node(fake());
    let (_, container) = start_pod(&node.fake).await;
    node.event(started(&container)).await;
    node.fake.lose_events(1);
    node.fake.exit_container(&container, 1);
    assert!(node.event(died(&container)).await <= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_runtime_without_events_is_looked_at_each_second() {
    let fake = fake();
    fake.without_events();
    let mut node = node(fake);
    let (_, container) = start_pod(&node.fake).await;
    node.event(started(&container)).await;
    node.fake.exit_container(&container, 1);
    assert!(node.event(died(&container)).await <= Duration::from_secs(1));
    node.fake.clear_calls();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let lists = node.fake.count("ListContainers");
    assert!((59..=61).contains(&lists), "{lists} looks in a minute");
    assert_eq!(node.fake.count("ContainerStatus"), 0, "nothing changed, so nothing is inspected");
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_behind_the_agents_back_is_noticed() {
    let mut node = node(fake());
    let (sandbox, container) = start_pod(&node.fake).await;
    node.event(started(&container)).await;
    node.fake.remove_container_quietly(&container);
    node.event(died(&container)).await;
    assert_eq!(node.state_of(&container), None);
    node.fake.remove_sandbox_quietly(&sandbox);
    node.event(|event| *event == PodLifecycleEvent::ContainerRemoved(sandbox.clone())).await;
    assert!(node.cache.get(&pod().uid).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_goes_away_is_reported_and_found_again() {
    let mut node = node(fake());
    let (_, container) = start_pod(&node.fake).await;
    node.event(started(&container)).await;
    node.handle.healthy().expect("healthy");

    let mut reach = node.handle.reach();
    node.fake.set_away(true);
    reach.wait_for(|reach| reach.error.is_some()).await.expect("told");
    node.handle.healthy().expect("one look that failed is not yet a sick PLEG");
    // It ends while nobody can see it.
    node.fake.exit_container(&container, 9);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(node.state_of(&container), Some(ContainerState::Running), "the last thing known");
    tokio::time::sleep(Duration::from_secs(165)).await;
    let sick = node.handle.healthy().expect_err("no good look for three minutes");
    assert_eq!(sick, "pleg was last seen active 3m6s ago; threshold is 3m0s");
    node.fake.set_away(false);
    assert!(node.event(died(&container)).await <= Duration::from_secs(1));
    node.handle.healthy().expect("healthy again");
    // And events work again.
    node.fake.clear_calls();
    let second = {
        let request =
            v1::CreateContainerRequest { pod_sandbox_id: "sandbox-0001".into(), ..Default::default() };
        node.fake.create_container(request).await.expect("created").container_id
    };
    assert!(second.starts_with("container-"));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_acted_gets_a_picture_from_after_its_action_without_waiting_for_the_period() {
    let fake = fake();
    fake.without_events();
    let mut node = node(fake);
    let (_, container) = start_pod(&node.fake).await;
    node.event(started(&container)).await;
    let (acted, began) = (node.cache.moment(), Instant::now());
    node.handle.request_relist(&pod().uid);
    node.cache.newer_than(&pod(), acted).await.expect("readable");
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_cannot_be_inspected_is_tried_again_and_told_about_once_it_can() {
    let mut node = node(fake());
    node.fake.fail("ContainerStatus", 4, Code::Internal, "not now");
    let (_, container) = start_pod(&node.fake).await;
    node.event(started(&container)).await;
    assert_eq!(node.state_of(&container), Some(ContainerState::Running));
}
