//! Time and chance, so that a test can own both.
//!
//! A kubelet asks two questions about time. *How long since?* is answered by `tokio::time::Instant`, which stands
//! still under `#[tokio::test(start_paused = true)]`. *What does the wall clock say?* stamps pods, events and the
//! back-off of restarts, which counts from a time that the runtime wrote down. [`Clock`] answers the second
//! question, from the machine or derived from tokio's time, and [`Random`] is the one source of chance (jitter).
//!
//! | here | Go |
//! |---|---|
//! | [`Clock::system`] | `k8s.io/utils/clock/clock.go: RealClock` |
//! | [`Clock::starting_at`] | `k8s.io/utils/clock/testing/fake_clock.go: FakeClock` |
//! | [`Random::jitter`] | `apimachinery/pkg/util/wait/wait.go: Jitter` |
//!
//! # Left out
//!
//! - tickers and timers of a fake clock: tokio's paused time already moves them.
//!
//! # Other than the kubelet
//!
//! - a jitter factor of 0 means no jitter; in Go it means 1.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Where wall time comes from. Cheap to clone; all clones agree.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
// ANCHOR: source
enum Source {
    /// The machine's own clock, steps by NTP included: the runtime stamps its containers with the same one.
    System,
    /// A chosen beginning plus what has passed of tokio's time since then.
    Derived { began_at: Timestamp, began: Instant },
}
// ANCHOR_END: source

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that says `began_at` now and moves with tokio's time, paused or not.
    pub fn starting_at(began_at: Timestamp) -> Self {
        Self(Source::Derived { began_at, began: Instant::now() })
    }

    /// The present, as a wall clock shows it.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    // ANCHOR: now
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Derived { began_at, began } => began_at
                .saturating_add(jiff::SignedDuration::try_from(began.elapsed()).unwrap_or_default())
                .unwrap_or(Timestamp::MAX),
        }
    }
    // ANCHOR_END: now

    /// The present in nanoseconds since 1970, the unit of every time in the CRI.
    pub fn now_nanos(&self) -> i64 {
        i64::try_from(self.now().as_nanosecond()).unwrap_or(i64::MAX)
    }
}

/// A time of the CRI (nanoseconds since 1970) as a time stamp; `None` for 0, which means "has not happened".
pub fn from_nanos(nanos: i64) -> Option<Timestamp> {
    if nanos <= 0 { None } else { Timestamp::from_nanosecond(i128::from(nanos)).ok() }
}

/// The one source of chance. Cheap to clone; all clones draw from the same sequence.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<fastrand::Rng>>);

impl Random {
    /// The same seed gives the same sequence.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// A sequence that nobody can foretell (nor may it be used for secrets).
    pub fn from_machine() -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::new())))
    }

    /// A number in `0.0..1.0`.
    pub fn fraction(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }

    /// A number in `0..n`, or 0 when `n` is 0.
    pub fn below(&self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.0.lock().unwrap_or_else(PoisonError::into_inner).u64(..n) }
    }

    /// `period` plus a random part of at most `max_factor` × `period`, so that many pods do not move in step.
    ///
    /// Mirrors `k8s.io/apimachinery/pkg/util/wait/wait.go: Jitter`.
    // ANCHOR: jitter
    pub fn jitter(&self, period: Duration, max_factor: f64) -> Duration {
        period + period.mul_f64(self.fraction() * max_factor.max(0.0))
    }
    // ANCHOR_END: jitter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().expect("a valid time")
    }

    #[tokio::test(start_paused = true)]
    async fn a_derived_clock_moves_with_paused_time_and_only_with_it() {
        let clock = Clock::starting_at(noon());
        assert_eq!(clock.now(), noon());
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now().to_string(), "2026-01-01T12:01:30Z");
        assert_eq!(from_nanos(clock.now_nanos()), Some(clock.now()));
    }

    #[test]
    fn zero_nanoseconds_mean_never() {
        assert_eq!(from_nanos(0), None);
        assert_eq!(from_nanos(-5), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_jitter_within_its_bound() {
        let (one, two) = (Random::seeded(7), Random::seeded(7));
        for _ in 0..100 {
            let drawn = one.jitter(Duration::from_secs(10), 0.5);
            assert_eq!(drawn, two.jitter(Duration::from_secs(10), 0.5));
            assert!(drawn >= Duration::from_secs(10) && drawn <= Duration::from_secs(15), "{drawn:?}");
        }
    }
}
