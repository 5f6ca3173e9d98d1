//! The task with a syncer that writes down what it is asked, in paused time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use clock::{Clock, Random};
use cri_client::{Code, RuntimeError};
use pod_model::{Pod, PodCache, PodRef, PodStatus, PodUid, RecordedEvents};
use pod_workers::{
    Outcome, Parts, Pauses, PodSyncer, PodWorkers, PodWorkersHandle, Retry, Stage, Synced, Update,
};
use tokio::time::Instant;

/// Writes down each sync; answers what it was told to, [`Outcome::Done`] otherwise.
struct Notebook {
    began: Instant,
    lines: Mutex<Vec<String>>,
    answers: Mutex<BTreeMap<&'static str, Vec<Outcome>>>,
    takes: Mutex<Duration>,
    at_once: Mutex<BTreeMap<PodUid, usize>>,
}

impl Notebook {
    async fn note(&self, kind: &'static str, uid: &PodUid, more: &str) -> Synced {
        let at = self.began.elapsed().as_secs();
        self.lines.lock().expect("lock").push(format!("{at} {kind} {uid}{more}"));
        {
            let mut at_once = self.at_once.lock().expect("lock");
            let count = at_once.entry(uid.clone()).or_default();
            *count += 1;
            assert_eq!(*count, 1, "two syncs of {uid} at once");
        }
        let _leave = Leave(self, uid.clone());
        let takes = *self.takes.lock().expect("lock");
        tokio::time::sleep(takes).await;
        let mut answers = self.answers.lock().expect("lock");
        let answer = answers.get_mut(kind).and_then(|list| (!list.is_empty()).then(|| list.remove(0)));
        Synced { outcome: answer.unwrap_or(Outcome::Done), acted: true }
    }
}

struct Leave<'a>(&'a Notebook, PodUid);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        *self.0.at_once.lock().expect("lock").get_mut(&self.1).expect("entered") -= 1;
    }
}

#[async_trait]
impl PodSyncer for Notebook {
    async fn sync_pod(&self, pod: &Arc<Pod>, _: &PodStatus) -> Synced {
        self.note("sync", &pod_model::identity::uid(pod), "").await
    }
    async fn sync_terminating_pod(&self, _: Option<&Arc<Pod>>, status: &PodStatus, grace: i64) -> Synced {
        self.note("end", status.uid(), &format!(" within {grace}")).await
    }
    async fn sync_terminated_pod(&self, pod: &Arc<Pod>, _: &PodStatus) -> Synced {
        self.note("clean", &pod_model::identity::uid(pod), "").await
    }
    fn look_again(&self, _: &PodRef) {}
    fn forgotten(&self, pod: &PodRef) {
        self.lines.lock().expect("lock").push(format!(
            "{} forgotten {}",
            self.began.elapsed().as_secs(),
            pod.uid
        ));
    }
}

struct Given {
    notes: Arc<Notebook>,
    cache: Arc<PodCache>,
    handle: PodWorkersHandle,
}

/// The workers, and a cache that is never older than a second, as with `pleg`.
fn given() -> Given {
    let notes = Arc::new(Notebook {
        began: Instant::now(),
        lines: Mutex::default(),
        answers: Mutex::default(),
        takes: Mutex::new(Duration::ZERO),
        at_once: Mutex::default(),
    });
    let cache = PodCache::new();
    let pauses = Pauses::default();
    let events = Arc::new(RecordedEvents::default());
    let (clock, random) = (Clock::starting_at(jiff::Timestamp::UNIX_EPOCH), Random::seeded(1));
    let parts = Parts { cache: cache.clone(), events, clock, random, pauses };
    let (workers, handle) = PodWorkers::new(notes.clone(), parts);
    tokio::spawn(workers.run());
    let relisting = cache.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            relisting.relisted(relisting.moment());
        }
    });
    Given { notes, cache, handle }
}

fn pod(name: &str, uid: &str, source: &str) -> Arc<Pod> {
    Arc::new(
        serde_json::from_value(serde_json::json!({
            "metadata": {"name": name, "namespace": "default", "uid": uid,
                         "annotations": {"kubernetes.io/config.source": source}},
            "spec": {"containers": [], "terminationGracePeriodSeconds": 30},
        }))
        .expect("a pod"),
    )
}

impl Given {
    fn tell(&self, pod: &Arc<Pod>, update: Update) {
        self.handle.update(&PodRef::of(pod), update);
    }

    fn configure(&self, pod: &Arc<Pod>) {
        self.tell(pod, Update::Configured(pod.clone()));
    }

    fn answer(&self, kind: &'static str, outcomes: &[Outcome]) {
        self.notes.answers.lock().expect("lock").insert(kind, outcomes.to_vec());
    }

    async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lines.lock().expect("lock"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_pod_that_no_worker_knows_makes_one() {
    let given = given();
    let web = pod("web", "u1", "file");
    given.tell(&web, Update::Changed(web.clone()));
    given.pass(1).await;
    assert_eq!(given.lines(), ["0 sync u1"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_looked_at_again_after_a_minute_or_so_and_at_once_when_something_changed() {
    let given = given();
    let web = pod("web", "u1", "file");
    given.configure(&web);
    given.pass(59).await;
    assert_eq!(given.lines(), ["0 sync u1"]);
    given.pass(35).await;
    assert_eq!(given.lines().len(), 1, "between 60 and 90 seconds");
    given.tell(&web, Update::LookAgain);
    given.pass(1).await;
    assert_eq!(given.lines().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_sync_at_a_time_and_what_is_heard_meanwhile_becomes_one_more() {
    let given = given();
    *given.notes.takes.lock().expect("lock") = Duration::from_secs(5);
    let web = pod("web", "u1", "file");
    given.configure(&web);
    given.pass(1).await;
    for _ in 0..10 {
        given.tell(&web, Update::LookAgain);
    }
    given.pass(30).await;
    assert_eq!(given.lines(), ["0 sync u1", "5 sync u1"]);
}

#[tokio::test(start_paused = true)]
async fn a_removed_pod_is_ended_cleaned_up_and_forgotten_and_a_sync_under_way_is_stopped() {
    let given = given();
    *given.notes.takes.lock().expect("lock") = Duration::from_secs(1000);
    let web = pod("web", "u1", "file");
    given.configure(&web);
    given.pass(3).await;
    *given.notes.takes.lock().expect("lock") = Duration::ZERO;
    given.tell(&web, Update::Removed);
    given.pass(3).await;
    assert_eq!(given.lines(), ["0 sync u1", "3 end u1 within 30", "3 clean u1", "3 forgotten u1"]);
    assert_eq!(given.handle.board().get(&PodUid::new("u1")), None);
    assert!(given.handle.board().is_unwanted(&PodUid::new("u1")));
}

#[tokio::test(start_paused = true)]
async fn two_static_pods_of_one_name_never_overlap() {
    let given = given();
    let (old, new) = (pod("web", "old", "file"), pod("web", "new", "file"));
    let other = pod("other", "other", "file");
    given.configure(&old);
    given.pass(1).await;
    given.answer("end", &[Outcome::Failed(Retry::Later), Outcome::Done]);
    given.configure(&new);
    given.configure(&other);
    given.tell(&old, Update::Removed);
    given.pass(40).await;
    let lines = given.lines();
    let place = |text: &str| {
        lines.iter().position(|l| l.ends_with(text)).unwrap_or_else(|| panic!("{text}: {lines:?}"))
    };
    assert!(place("clean old") < place("sync new"), "{lines:?}");
    assert!(place("sync other") < place("end old within 30"), "others do not wait: {lines:?}");
    assert_eq!(given.handle.board().get(&PodUid::new("new")).map(|s| s.stage), Some(Stage::Syncing));
}

#[tokio::test(start_paused = true)]
async fn a_back_off_is_waited_for_exactly_and_a_finished_pod_rests() {
    let given = given();
    let web = pod("web", "u1", "file");
    let at = jiff::Timestamp::from_second(20).expect("a time");
    given.answer("sync", &[Outcome::Failed(Retry::At(at)), Outcome::PodIsOver]);
    given.configure(&web);
    given.pass(500).await;
    assert_eq!(given.lines(), ["0 sync u1", "20 sync u1", "20 end u1 within 30", "20 clean u1"]);
    assert_eq!(given.handle.board().get(&PodUid::new("u1")).map(|s| s.stage), Some(Stage::Finished));
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_status_cannot_be_read_waits_for_the_runtime_and_is_synced_when_it_is_back() {
    let given = given();
    let web = pod("web", "u1", "file");
    let away =
        RuntimeError::Unavailable { rpc: "ContainerStatus", object: String::new(), message: "gone".into() };
    given.cache.set(&PodUid::new("u1"), Err(away), given.cache.moment());
    given.configure(&web);
    given.pass(5).await;
    assert!(given.lines().is_empty());
    let broken = RuntimeError::Status {
        rpc: "ContainerStatus",
        object: String::new(),
        code: Code::Internal,
        message: "broken".into(),
    };
    given.cache.set(&PodUid::new("u1"), Err(broken), given.cache.moment());
    given.pass(1).await;
    given.cache.set(
        &PodUid::new("u1"),
        Ok(Arc::new(PodStatus::empty(PodRef::of(&web)))),
        given.cache.moment(),
    );
    given.pass(16).await;
    assert_eq!(given.lines().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_pods_and_every_one_is_synced() {
    let given = given();
    *given.notes.takes.lock().expect("lock") = Duration::from_millis(10);
    let pods: Vec<_> = (0..1000).map(|n| pod(&format!("p{n}"), &format!("u{n}"), "file")).collect();
    pods.iter().for_each(|pod| given.configure(pod));
    given.pass(1).await;
    assert_eq!(given.lines().len(), 1000);
    pods.iter().for_each(|pod| given.tell(pod, Update::Removed));
    given.pass(2).await;
    assert_eq!(given.lines().len(), 3000);
}
