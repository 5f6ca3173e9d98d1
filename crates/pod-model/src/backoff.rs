//! Waiting longer each time: the one curve behind crash loops and failing image pulls.
//!
//! 10 s, 20 s, 40 s … up to a cap, and forgotten when the thing held for a while. The first retry never waits: only a
//! step that was recorded by [`Backoff::next`] can delay the one after it.
//!
//! Mirrors `client-go/util/flowcontrol/backoff.go: Backoff`, which waits again for a failure whose retry never ran.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The first delay of restarts and pulls (`kubelet.go: backOffPeriod`).
pub const INITIAL: Duration = Duration::from_secs(10);
/// The longest delay of restarts and pulls (`kubelet.go: MaxCrashLoopBackOff`).
pub const MAX: Duration = Duration::from_secs(300);
/// A container that ran this long after the last step starts from the beginning (`kubelet.go: NewMainKubelet` sets
/// `HasExpiredFunc`).
pub const FORGIVEN_AFTER: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug)]
struct Step {
    delay: Duration,
    taken: Timestamp,
    /// The failure that this step was granted for.
    failed: Timestamp,
    /// The end of the wait that was told about last.
    told: Option<Timestamp>,
}

/// Delays by key. Pure: every method is told the time.
#[derive(Clone, Debug)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
    forgiven_after: Duration,
    steps: BTreeMap<String, Step>,
}

impl Backoff {
    /// Delays from `initial`, doubled up to `max`, and forgotten when an event comes more than `forgiven_after` after
    /// the last step.
    pub fn new(initial: Duration, max: Duration, forgiven_after: Duration) -> Self {
        Self { initial: initial.min(max), max, forgiven_after, steps: BTreeMap::new() }
    }

    /// When may the thing be tried again, if it failed at `failed`? `None`: now.
    /// Mirrors `IsInBackOffSince`.
    pub fn waits_until(&self, key: &str, failed: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let step = self.steps.get(key)?;
        // One wait for one failure: if the retry that it was granted came to nothing (the sandbox was gone), the next
        // one is still for the same failure.
        if step.failed == failed || self.is_forgiven(step, failed) {
            return None;
        }
        let end = after(failed, step.delay);
        (end > now).then_some(end)
    }

    /// The present delay of `key`, zero when it has none. Mirrors `Get`.
    pub fn delay(&self, key: &str) -> Duration {
        self.steps.get(key).map_or(Duration::ZERO, |step| step.delay)
    }

    /// Whether a wait until `until` has yet to be told about; asked again, it is no news any more. A pod is looked at more
    /// than once during one wait, and each wait is one event.
    pub fn is_news(&mut self, key: &str, until: Timestamp) -> bool {
        self.steps.get_mut(key).is_some_and(|step| step.told.replace(until) != Some(until))
    }

    // ANCHOR: next
    /// Records a retry of what failed at `failed`; the next one waits longer. Mirrors `Next`.
    pub fn next(&mut self, key: &str, failed: Timestamp, now: Timestamp) {
        let delay = match self.steps.get(key) {
            Some(step) if step.failed == failed => step.delay,
            Some(step) if !self.is_forgiven(step, failed) => (step.delay * 2).min(self.max),
            _ => self.initial,
        };
        self.steps.insert(key.to_owned(), Step { delay, taken: now, failed, told: None });
    }
    // ANCHOR_END: next

    /// Forgets the keys that begin with `prefix`: their pod is gone.
    pub fn forget(&mut self, prefix: &str) {
        self.steps.retain(|key, _| !key.starts_with(prefix));
    }

    fn is_forgiven(&self, step: &Step, failed: Timestamp) -> bool {
        failed > after(step.taken, self.forgiven_after)
    }
}

fn after(time: Timestamp, wait: Duration) -> Timestamp {
    time.saturating_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).expect("a time")
    }

    fn crash_loop() -> Backoff {
        Backoff::new(INITIAL, MAX, FORGIVEN_AFTER)
    }

    /// A container that exits a second after each start: when is each restart lawful?
    #[test]
    fn the_curve_of_a_crash_loop() {
        let mut backoff = crash_loop();
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..9 {
            let failed = at(now);
            if let Some(until) = backoff.waits_until("k", failed, at(now)) {
                waits.push(until.as_second() - at(now).as_second());
                now = until.as_second() - at(0).as_second();
            } else {
                waits.push(0);
            }
            assert_eq!(backoff.waits_until("k", failed, at(now)), None, "lawful at its end");
            backoff.next("k", failed, at(now));
            now += 1;
        }
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn the_delay_counts_from_the_failure_not_from_when_somebody_looks() {
        let mut backoff = crash_loop();
        backoff.next("k", at(0), at(0));
        assert_eq!(backoff.waits_until("k", at(100), at(105)), Some(at(110)));
        assert_eq!(backoff.waits_until("k", at(100), at(110)), None);
    }

    #[test]
    fn ten_good_minutes_are_forgiven_and_a_second_less_is_not() {
        let mut backoff = crash_loop();
        backoff.next("k", at(0), at(0));
        backoff.next("k", at(10), at(20));
        assert_eq!(backoff.delay("k"), Duration::from_secs(20));
        assert_eq!(backoff.waits_until("k", at(620), at(620)), Some(at(640)));
        assert_eq!(backoff.waits_until("k", at(621), at(621)), None);
        backoff.next("k", at(621), at(621));
        assert_eq!(backoff.delay("k"), INITIAL);
    }

    #[test]
    fn one_failure_is_waited_for_once_however_often_its_retry_comes_to_nothing() {
        let mut backoff = crash_loop();
        for _ in 0..3 {
            assert_eq!(backoff.waits_until("k", at(0), at(1)), None);
            backoff.next("k", at(0), at(1));
        }
        assert_eq!(backoff.delay("k"), INITIAL);
        assert_eq!(backoff.waits_until("k", at(5), at(5)), Some(at(15)), "the next failure waits");
    }

    #[test]
    fn a_wait_is_news_once() {
        let mut backoff = crash_loop();
        assert!(!backoff.is_news("k", at(10)), "nothing waits");
        backoff.next("k", at(0), at(0));
        assert!(backoff.is_news("k", at(15)) && !backoff.is_news("k", at(15)));
        backoff.next("k", at(5), at(15));
        assert!(backoff.is_news("k", at(40)));
    }

    #[test]
    fn keys_do_not_disturb_each_other_and_can_be_forgotten() {
        let mut backoff = crash_loop();
        backoff.next("pod1_a", at(0), at(0));
        backoff.next("pod2_a", at(0), at(0));
        backoff.forget("pod1_");
        assert_eq!(backoff.delay("pod1_a"), Duration::ZERO);
        assert_eq!(backoff.delay("pod2_a"), INITIAL);
    }
}
