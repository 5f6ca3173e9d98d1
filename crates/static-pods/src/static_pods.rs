//! The task that keeps looking at the manifests.

use std::sync::Arc;
use std::time::Duration;

use pod_model::Pod;
use tokio::sync::mpsc;

use crate::manifests::Manifests;
use crate::problem::ManifestProblem;
use crate::source::ManifestSource;

/// How often the manifests are looked at without being told to: `fileCheckFrequency` of the `KubeletConfiguration`.
pub const FILE_CHECK_FREQUENCY: Duration = Duration::from_secs(20);

/// Turns manifests into static pods, for as long as somebody listens.
pub struct StaticPods<S> {
    source: S,
    manifests: Manifests,
    check_frequency: Duration,
    on_problem: Box<dyn FnMut(&ManifestProblem) + Send>,
    unreadable: Option<ManifestProblem>,
}

impl<S: ManifestSource> StaticPods<S> {
    /// The static pods of `node_name`. `check_frequency` is [`FILE_CHECK_FREQUENCY`] unless configured otherwise.
    pub fn new(source: S, node_name: impl Into<String>, check_frequency: Duration) -> Self {
        Self {
            source,
            manifests: Manifests::new(node_name),
            check_frequency,
            on_problem: Box::new(|_| ()),
            unreadable: None,
        }
    }

    /// Has every new problem handed to `on_problem` as well; each is logged as a warning in any case.
    #[must_use]
    pub fn reporting_to(mut self, on_problem: impl FnMut(&ManifestProblem) + Send + 'static) -> Self {
        self.on_problem = Box::new(on_problem);
        self
    }

    /// Sends the whole set of static pods, at first and then whenever it has changed. Ends when nobody listens.
    ///
    /// The first set may be empty: it says that the manifests have been looked at. While the manifests cannot be looked
    /// at, none is sent, and what was sent before stays in force. Mirrors `config/file.go: run`, `listConfig`.
    pub async fn run(mut self, sets: mpsc::Sender<Vec<Arc<Pod>>>) {
        let mut sent: Option<Vec<Arc<Pod>>> = None;
        loop {
            if let Some(pods) = self.look().await
                && sent.as_ref() != Some(&pods)
            {
                if sets.send(pods.clone()).await.is_err() {
                    return;
                }
                sent = Some(pods);
            }
            // ANCHOR: look_again
            tokio::select! {
                biased;
                () = sets.closed() => return,
                () = self.source.changed() => {}
                () = tokio::time::sleep(self.check_frequency) => {}
            }
            // ANCHOR_END: look_again
        }
    }

    async fn look(&mut self) -> Option<Vec<Arc<Pod>>> {
        let listing = match self.source.list().await {
            Ok(listing) => listing,
            Err(problem) => {
                if self.unreadable.as_ref() != Some(&problem) {
                    tracing::warn!(path = %problem.path.display(), error = %problem.error, "unable to read config path");
                    (self.on_problem)(&problem);
                    self.unreadable = Some(problem);
                }
                return None;
            }
        };
        if let Some(problem) = self.unreadable.take() {
            tracing::info!(path = %problem.path.display(), "config path can be read again");
        }
        let observation = self.manifests.observe(listing);
        for problem in &observation.new_problems {
            tracing::warn!(path = %problem.path.display(), error = %problem.error, "could not process manifest file");
            (self.on_problem)(problem);
        }
        for path in &observation.resolved {
            tracing::info!(path = %path.display(), "the manifest file's problem is over");
        }
        for (path, fields) in &observation.unknown_fields {
            tracing::warn!(path = %path.display(), ?fields, "the manifest file has unknown fields, which are skipped");
        }
        Some(observation.pods)
    }
}
