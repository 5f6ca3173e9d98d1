//! Is the runtime ready, and its network?
//!
//! Asked every five seconds, and told once when the answer changes. Mirrors `kubelet.go: updateRuntimeUp` and
//! `runtime.go: runtimeState`.

use std::sync::Arc;
use std::time::Duration;

use cri_client::{RuntimeService, v1};
use tokio::sync::watch;

/// `kubelet.go: Run` starts `updateRuntimeUp` each 5 s.
pub(crate) const PERIOD: Duration = Duration::from_secs(5);

/// What the runtime said of itself last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuntimeState {
    runtime: Result<(), String>,
    network: Result<(), String>,
}

impl Default for RuntimeState {
    fn default() -> Self {
        let unknown = |what: &str| Err(format!("{what} state unknown"));
        Self { runtime: unknown("runtime"), network: unknown("network") }
    }
}

impl RuntimeState {
    /// Reads the two conditions that count. A runtime that does not mention one is not ready.
    fn from_status(status: &v1::RuntimeStatus) -> Self {
        let condition = |kind: &str| match status.conditions.iter().find(|c| c.r#type == kind) {
            Some(c) if c.status => Ok(()),
            Some(c) => Err(format!("{kind}=false reason:{} message:{}", c.reason, c.message)),
            None => Err(format!("{kind} is not reported by the container runtime")),
        };
        Self { runtime: condition("RuntimeReady"), network: condition("NetworkReady") }
    }

    /// Why pods with a network of their own may not start.
    pub fn network_error(&self) -> Option<String> {
        self.network.clone().err().map(|why| format!("container runtime network not ready: {why}"))
    }
}

/// Asks for ever.
pub(crate) async fn watch_runtime(runtime: Arc<dyn RuntimeService>, state: watch::Sender<RuntimeState>) {
    loop {
        match runtime.status(v1::StatusRequest::default()).await {
            Ok(answer) => {
                let now = RuntimeState::from_status(&answer.status.unwrap_or_default());
                state.send_if_modified(|before| {
                    let changed = *before != now;
                    if changed {
                        tell(before, &now);
                        *before = now;
                    }
                    changed
                });
            }
            // `pleg` notices first, and tells; a network that was ready stays so while nobody can say.
            Err(error) => tracing::debug!(%error, "the runtime's status is not known"),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

fn tell(before: &RuntimeState, now: &RuntimeState) {
    let parts = [("runtime", &before.runtime, &now.runtime), ("network", &before.network, &now.network)];
    for (what, before, now) in parts {
        match (before, now) {
            (_, Err(why)) => tracing::warn!("container {what} is not ready: {why}"),
            (Err(_), Ok(())) => tracing::info!("container {what} is ready"),
            (Ok(()), Ok(())) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_runtime_says_is_ready_counts() {
        let condition = |kind: &str, status| v1::RuntimeCondition {
            r#type: kind.into(),
            status,
            reason: "NetworkPluginNotReady".into(),
            message: "cni plugin not initialized".into(),
        };
        let state = |conditions| RuntimeState::from_status(&v1::RuntimeStatus { conditions });
        assert_eq!(state(vec![condition("NetworkReady", true)]).network_error(), None);
        assert_eq!(
            state(vec![condition("RuntimeReady", true), condition("NetworkReady", false)])
                .network_error()
                .as_deref(),
            Some(
                "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized"
            )
        );
        assert!(state(vec![]).network_error().is_some());
        assert!(RuntimeState::default().network_error().is_some(), "unknown is not ready");
    }
}
