//! A word with systemd, where there is one: ready, and still well.
//!
//! Mirrors `pkg/kubelet/watchdog/watchdog_linux.go`.

use sd_notify::NotifyState;
use server::Checks;

/// Tells systemd that the agent is up.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Tells systemd that the agent is on its way out.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells systemd twice per watchdog period that the agent is well, as long as it is; without a watchdog, never.
// ANCHOR: watchdog
pub async fn run(checks: Checks) {
    let Some(period) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    loop {
        match checks.failure() {
            None => tell(&[NotifyState::Watchdog]),
            Some((check, why)) => tracing::warn!(check, why, "not telling the watchdog that all is well"),
        }
        tokio::time::sleep(period / 2).await;
    }
}
// ANCHOR_END: watchdog

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
