//! Bounded waits that say what they waited for.
//!
//! Against real processes time is real, and nothing may depend on how fast a machine is: a test looks until it sees
//! what it wants, and only a generous limit ends that in failure. The message then has what was seen last, because
//! "timed out" alone is no finding.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;

/// How long to pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// What was waited for did not come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("waited {limit:?} for {what}; last seen: {last_seen}")]
pub struct TimedOut {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub limit: Duration,
    /// What the last look saw instead.
    pub last_seen: String,
}

/// Looks again and again until `look` is content, at most for `limit`.
///
/// `look` returns `Ok` with what it found, or `Err` with what it saw instead. A look that does not return counts against
/// the same limit.
///
/// # Errors
/// [`TimedOut`], with what the last look saw.
// ANCHOR: until
pub async fn until<T, S: Display>(
    what: impl Into<String>,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<T, S>,
) -> Result<T, TimedOut> {
    let deadline = Instant::now() + limit;
    let mut last_seen = "nothing: the first look did not return".to_owned();
    loop {
        match tokio::time::timeout_at(deadline, look()).await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(seen)) => last_seen = seen.to_string(),
            Err(_) => return Err(TimedOut { what: what.into(), limit, last_seen }),
        }
        if Instant::now() >= deadline {
            return Err(TimedOut { what: what.into(), limit, last_seen });
        }
        tokio::time::sleep(PAUSE).await;
    }
}
// ANCHOR_END: until

/// The same for a destructor, which cannot await. Returns whether `look` was content in time.
pub(crate) fn until_blocking(limit: Duration, mut look: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if look() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        #[expect(clippy::disallowed_methods, reason = "a destructor cannot await")]
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_looks_until_it_sees() {
        let mut looks = 0;
        let found = until("the third look", Duration::from_secs(1), async || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(format!("look {looks}")) }
        })
        .await;
        assert_eq!(found, Ok(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_says_what_was_waited_for_and_what_was_seen() {
        let failed = until("two pods", Duration::from_secs(1), async || Err::<(), _>("one pod")).await;
        assert_eq!(failed.expect_err("never").to_string(), "waited 1s for two pods; last seen: one pod");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_hangs_ends_with_the_limit() {
        let mut first = true;
        let failed = until("an answer", Duration::from_secs(1), async || {
            if !std::mem::take(&mut first) {
                std::future::pending::<()>().await;
            }
            Err::<(), _>("no answer yet")
        })
        .await;
        assert_eq!(failed.expect_err("never").last_seen, "no answer yet");
    }
}
