//! Properties: what holds for every value, tried with values made from a seed.

use std::cell::RefCell;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestCaseError, TestError, TestRng, TestRunner};

use crate::VALUES;
use crate::caught::{Panic, caught};
use crate::report::Outcome;

/// How many smaller values are tried when one fails.
const SHRINKS: u32 = 4096;

/// Tries a property.
pub(crate) fn outcome<S: Strategy>(
    name: &str,
    seed: u64,
    strategy: &S,
    holds: &dyn Fn(S::Value) -> Result<(), String>,
) -> Outcome {
    let mut runner = TestRunner::new_with_rng(config(), rng(name, seed));
    // The panic of the value that failed last. proptest keeps the text of a failure, not where it was.
    let panicked: RefCell<Option<Panic>> = RefCell::new(None);
    let tried = runner.run(strategy, |value| match caught(|| holds(value)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => {
            panicked.replace(None);
            Err(TestCaseError::fail(why))
        }
        Err(panic) => {
            let why = panic.message.clone();
            panicked.replace(Some(panic));
            Err(TestCaseError::fail(why))
        }
    });
    match tried {
        Ok(()) => Outcome::Green,
        Err(TestError::Fail(why, value)) => {
            let value = format!("{value:#?}");
            match panicked.take() {
                Some(Panic { message, at }) => Outcome::Panicked { input: value, message, at },
                None => Outcome::Disproved { value, why: why.to_string() },
            }
        }
        Err(TestError::Abort(why)) => {
            Outcome::Unusable { why: format!("its strategy makes no values: {why}") }
        }
    }
}

/// Every setting that proptest would otherwise take from the environment is set here.
fn config() -> Config {
    Config {
        cases: VALUES,
        max_local_rejects: 65_536,
        max_global_rejects: 1024,
        max_flat_map_regens: 1_000_000,
        failure_persistence: None,
        source_file: None,
        test_name: None,
        max_shrink_time: 0,
        max_shrink_iters: SHRINKS,
        max_default_size_range: 100,
        verbose: 0,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(0),
        ..Config::default()
    }
}

/// Each property of a check draws its own values from the one seed.
fn rng(name: &str, seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    for (i, byte) in name.bytes().enumerate() {
        let place = 8 + i % 24;
        bytes[place] = bytes[place].wrapping_mul(31).wrapping_add(byte);
    }
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn values(name: &str, seed: u64) -> Vec<u32> {
        let seen = RefCell::new(Vec::new());
        let note = |value| {
            seen.borrow_mut().push(value);
            Ok(())
        };
        assert_eq!(outcome(name, seed, &(0..u32::MAX), &note), Outcome::Green);
        seen.into_inner()
    }

    #[test]
    fn the_values_follow_from_name_and_seed() {
        assert_eq!(values("a", 1).len(), usize::try_from(VALUES).unwrap());
        assert_eq!(values("a", 1), values("a", 1));
        assert_ne!(values("a", 1), values("a", 2));
        assert_ne!(values("a", 1), values("b", 1));
    }

    #[test]
    fn the_smallest_value_that_fails_is_shown() {
        let holds = |value: u32| if value < 100 { Ok(()) } else { Err(format!("{value} is too many")) };
        let expected = Outcome::Disproved { value: "100".to_owned(), why: "100 is too many".to_owned() };
        assert_eq!(outcome("a", 1, &(0..u32::MAX), &holds), expected);
    }

    #[test]
    fn a_panic_is_shown_with_the_value_that_led_to_it() {
        let calls = Cell::new(0);
        let holds = |value: u32| {
            calls.set(calls.get() + 1);
            assert!(value < 10, "more than ten");
            Ok(())
        };
        let shown = outcome("a", 1, &(0..u32::MAX), &holds);
        assert!(
            matches!(&shown, Outcome::Panicked { input, message, .. } if input == "10" && message == "more than ten"),
            "{shown:?} after {} calls",
            calls.get()
        );
    }
}
