//! Is a container's image there, and if not: may it be fetched?
//!
//! Before each container start the agent asks the runtime for the image. The pull policy decides what the answer means:
//!
//! | policy | image present | image absent |
//! |---|---|---|
//! | `Always` | fetch again | fetch |
//! | `IfNotPresent` | use it | fetch |
//! | `Never` | use it | refuse |
//!
//! [`pull_decision`] is that table; [`ImagePuller`] asks, fetches and tells.
//!
//! | here | Go |
//! |---|---|
//! | [`pull_decision`] | `images/image_manager.go: imagePullPrecheck` |
//! | [`ImagePuller::ensure_image`] | `images/image_manager.go: EnsureImageExists, pullImage` |
//! | [`with_default_tag`] | `images/image_manager.go: applyDefaultImageTag` |
//! | [`ImageError::reason`] | `images/types.go` |
//!
//! # Left out
//!
//! Until the chapter on images:
//! - credentials, and re-checking of pull secrets for images that are present;
//! - the pull back-off with `ImagePullBackOff`, and the rate limit: a failed pull is tried again with the pod's next sync;
//! - image garbage collection.

mod name;

use std::sync::Arc;

use clock::Clock;
use cri_client::{ImageService, RuntimeError, v1};
use pod_model::{Container, Event, EventSink, EventType, PodRef, reason};
use tokio::sync::Mutex;

pub use name::{InvalidImageName, with_default_tag};

/// What to do about an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullDecision {
    /// It is there and good enough.
    Use,
    /// Fetch it.
    Pull,
    /// It is absent and may not be fetched.
    Refuse,
}

// ANCHOR: pull_decision
/// Decides by policy and presence. An unknown or missing policy is `IfNotPresent`, the kubelet's own reading.
pub fn pull_decision(policy: Option<&str>, present: bool) -> PullDecision {
    match (policy, present) {
        (Some("Always"), _) => PullDecision::Pull,
        (_, true) => PullDecision::Use,
        (Some("Never"), false) => PullDecision::Refuse,
        (_, false) => PullDecision::Pull,
    }
}
// ANCHOR_END: pull_decision

/// Why a container has no image. [`ImageError::reason`] is what its status will say.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImageError {
    /// The name cannot be one of an image.
    #[error("Failed to apply default image tag {image:?}: {source}")]
    InvalidName {
        /// The name as the pod has it.
        image: String,
        /// What is wrong with it.
        source: InvalidImageName,
    },
    /// The runtime could not say whether the image is there.
    #[error("Failed to inspect image {image:?}: {source}")]
    Inspect {
        /// The name as the pod has it.
        image: String,
        /// The runtime's error.
        source: RuntimeError,
    },
    /// Absent, and the policy is `Never`.
    #[error("Container image {image:?} is not present with pull policy of Never")]
    NeverPull {
        /// The name as the pod has it.
        image: String,
    },
    /// The runtime could not fetch it.
    #[error("{source}")]
    Pull {
        /// The name as the pod has it.
        image: String,
        /// The runtime's error.
        source: RuntimeError,
    },
}

impl ImageError {
    /// The waiting reason of the container.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidName { .. } => "InvalidImageName",
            Self::Inspect { .. } => "ImageInspectError",
            Self::NeverPull { .. } => "ErrImageNeverPull",
            Self::Pull { .. } => "ErrImagePull",
        }
    }

    /// The runtime is away: the image may well be there.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Inspect { source, .. } | Self::Pull { source, .. } if source.is_unavailable())
    }
}

/// Fetches images, one at a time, and tells about it.
pub struct ImagePuller {
    service: Arc<dyn ImageService>,
    events: Arc<dyn EventSink>,
    clock: Clock,
    /// One pull at a time: `serializeImagePulls`, the kubelet's default.
    pulling: Mutex<()>,
}

impl ImagePuller {
    /// A puller over the runtime's image service.
    pub fn new(service: Arc<dyn ImageService>, events: Arc<dyn EventSink>, clock: Clock) -> Self {
        Self { service, events, clock, pulling: Mutex::new(()) }
    }

    /// Looks for an image without fetching it.
    ///
    /// # Errors
    /// The name is no image name, or the runtime could not answer.
    pub async fn find(&self, image: &str) -> Result<Option<v1::Image>, ImageError> {
        let name = with_default_tag(image)
            .map_err(|source| ImageError::InvalidName { image: image.to_owned(), source })?;
        let request = v1::ImageStatusRequest { image: Some(spec(&name)), verbose: false };
        let answer = self.service.image_status(request).await;
        answer.map(|a| a.image).map_err(|source| ImageError::Inspect { image: image.to_owned(), source })
    }

    /// Makes sure that a container's image is there; the image as the runtime knows it.
    ///
    /// `field_path` names the container in events, as [`pod_model::field_path`] gives it. `before_pull` is awaited before
    /// an image is fetched, which may take minutes: the caller may want to let others go first.
    ///
    /// # Errors
    /// See [`ImageError`]; an event has told about it by then.
    pub async fn ensure_image(
        &self,
        pod: &PodRef,
        field_path: &str,
        container: &Container,
        sandbox: &v1::PodSandboxConfig,
        before_pull: impl Future<Output = ()>,
    ) -> Result<v1::Image, ImageError> {
        let image = container.image.as_deref().unwrap_or_default();
        let tell = |event_type, reason, message: String| {
            self.events.record(Event::about_container(pod, field_path, event_type, reason, message));
        };
        let found = self.find(image).await.inspect_err(|error| {
            tell(EventType::Warning, reason::INSPECT_FAILED, error.to_string());
        })?;
        match (pull_decision(container.image_pull_policy.as_deref(), found.is_some()), found) {
            (PullDecision::Use, Some(found)) => {
                let text = format!(
                    "Container image {image:?} already present on machine and can be accessed by the pod"
                );
                tell(EventType::Normal, reason::PULLED, text);
                Ok(found)
            }
            (PullDecision::Refuse, _) => {
                let error = ImageError::NeverPull { image: image.to_owned() };
                tell(EventType::Warning, reason::ERR_IMAGE_NEVER_PULL, error.to_string());
                Err(error)
            }
            (PullDecision::Use | PullDecision::Pull, _) => {
                tell(EventType::Normal, reason::PULLING, format!("Pulling image {image:?}"));
                before_pull.await;
                let asked = self.clock.now();
                match self.pull(image, sandbox).await {
                    Ok((pulled, began)) => {
                        let now = self.clock.now();
                        let text = format!(
                            "Successfully pulled image {image:?} in {} ({} including waiting). Image size: {} bytes.",
                            millis(began, now),
                            millis(asked, now),
                            pulled.size,
                        );
                        tell(EventType::Normal, reason::PULLED, text);
                        Ok(pulled)
                    }
                    Err(error) => {
                        tell(
                            EventType::Warning,
                            reason::FAILED,
                            format!("Failed to pull image {image:?}: {error}"),
                        );
                        Err(error)
                    }
                }
            }
        }
    }

    /// Fetches, and reads back what was fetched; the image, and when its own pull began.
    async fn pull(
        &self,
        image: &str,
        sandbox: &v1::PodSandboxConfig,
    ) -> Result<(v1::Image, jiff::Timestamp), ImageError> {
        let name = with_default_tag(image)
            .map_err(|source| ImageError::InvalidName { image: image.to_owned(), source })?;
        let one_at_a_time = self.pulling.lock().await;
        let began = self.clock.now();
        let request = v1::PullImageRequest {
            image: Some(spec(&name)),
            auth: None,
            sandbox_config: Some(sandbox.clone()),
        };
        let answer = self.service.pull_image(request).await;
        drop(one_at_a_time);
        let reference =
            answer.map_err(|source| ImageError::Pull { image: image.to_owned(), source })?.image_ref;
        // The reference of the answer names exactly what was fetched; the tag may have moved on meanwhile.
        let pulled = self.find(image).await?;
        Ok((v1::Image { id: reference, ..pulled.unwrap_or_default() }, began))
    }
}

fn spec(name: &str) -> v1::ImageSpec {
    v1::ImageSpec { image: name.to_owned(), user_specified_image: name.to_owned(), ..Default::default() }
}

/// A duration as Go prints it, cut to milliseconds.
fn millis(from: jiff::Timestamp, to: jiff::Timestamp) -> String {
    let whole = to.duration_since(from).as_millis().max(0);
    if whole < 1000 { format!("{whole}ms") } else { format!("{}.{:03}s", whole / 1000, whole % 1000) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cri_client::fake::FakeRuntime;
    use pod_model::{PodUid, RecordedEvents};

    fn pod() -> PodRef {
        PodRef { namespace: "default".into(), name: "web".into(), uid: PodUid::new("u1") }
    }

    fn container(image: &str, policy: &str) -> Container {
        Container {
            name: "app".into(),
            image: Some(image.into()),
            image_pull_policy: Some(policy.into()),
            ..Container::default()
        }
    }

    struct Given {
        fake: Arc<FakeRuntime>,
        events: Arc<RecordedEvents>,
        puller: ImagePuller,
    }

    fn given() -> Given {
        let clock = Clock::starting_at(jiff::Timestamp::UNIX_EPOCH);
        let (fake, events) = (FakeRuntime::new(clock.clone()), Arc::new(RecordedEvents::default()));
        fake.add_image("here:1", "sha256:aa");
        fake.offer_image("there:1", "sha256:bb");
        let puller = ImagePuller::new(fake.clone(), events.clone(), clock);
        Given { fake, events, puller }
    }

    async fn ensure(given: &Given, image: &str, policy: &str) -> Result<String, String> {
        let ensured = given
            .puller
            .ensure_image(
                &pod(),
                "spec.containers{app}",
                &container(image, policy),
                &v1::PodSandboxConfig::default(),
                async {},
            )
            .await;
        ensured.map(|found| found.id).map_err(|error| format!("{}: {error}", error.reason()))
    }

    #[tokio::test(start_paused = true)]
    async fn each_policy_and_what_it_tells() {
        let cases = [
            ("here:1", "IfNotPresent", Ok("sha256:aa"), 0),
            ("here:1", "Never", Ok("sha256:aa"), 0),
            ("here:1", "Always", Ok("sha256:aa"), 1),
            ("there:1", "IfNotPresent", Ok("sha256:bb"), 1),
            (
                "there:1",
                "Never",
                Err(
                    "ErrImageNeverPull: Container image \"there:1\" is not present with pull policy of Never",
                ),
                0,
            ),
            ("Bad Name", "Always", Err("InvalidImageName: "), 0),
            ("nowhere:1", "Always", Err("ErrImagePull: PullImage of image nowhere:1: failed to pull"), 1),
        ];
        for (image, policy, wanted, pulls) in cases {
            let given = given();
            let got = ensure(&given, image, policy).await;
            match wanted {
                Ok(id) => assert_eq!(got.as_deref(), Ok(id), "{image} {policy}"),
                Err(text) => {
                    assert!(got.as_ref().is_err_and(|e| e.starts_with(text)), "{image} {policy}: {got:?}")
                }
            }
            assert_eq!(given.fake.count("PullImage"), pulls, "{image} {policy}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn events_have_the_kubelets_texts() {
        let given = given();
        given.fake.delay("PullImage", std::time::Duration::from_millis(1500));
        ensure(&given, "here:1", "IfNotPresent").await.expect("present");
        ensure(&given, "there:1", "IfNotPresent").await.expect("fetched");
        assert_eq!(
            given.events.lines(),
            [
                "Normal Pulled default/web spec.containers{app}: Container image \"here:1\" already present on machine and can be accessed by the pod",
                "Normal Pulling default/web spec.containers{app}: Pulling image \"there:1\"",
                "Normal Pulled default/web spec.containers{app}: Successfully pulled image \"there:1\" in 1.500s (1.500s including waiting). Image size: 1000000 bytes.",
            ]
        );
    }
}
