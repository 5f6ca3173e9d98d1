//! Samples, and what is said of them.

use jiff::Timestamp;
use serde::Serialize;

/// What is said of a set of samples, in their own unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many samples.
    pub samples: usize,
    /// The least.
    pub min: f64,
    /// The median.
    pub p50: f64,
    /// Nine of ten are at most this.
    pub p90: f64,
    /// Ninety-nine of a hundred are at most this; with fewer than a hundred samples that is the greatest.
    pub p99: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of no samples there is nothing to say.
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            samples: sorted.len(),
            min: *sorted.first()?,
            p50: percentile(&sorted, 50)?,
            p90: percentile(&sorted, 90)?,
            p99: percentile(&sorted, 99)?,
            max: *sorted.last()?,
        })
    }
}

/// The least sample that at least `percent` of all samples do not exceed (the nearest rank: always a value that was
/// measured, never one between two). `sorted` ascends.
pub fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// The agent beside the floor, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What the agent took.
    pub agent: Spread,
    /// What the bare calls took.
    pub floor: Spread,
    /// How many times the floor's median the agent's is.
    pub ratio: f64,
}

impl Comparison {
    /// Nothing unless both sides have samples.
    pub fn of(agent: &[f64], floor: &[f64]) -> Option<Self> {
        let (agent, floor) = (Spread::of(agent)?, Spread::of(floor)?);
        Some(Self { ratio: agent.p50 / floor.p50, agent, floor })
    }
}

/// From one moment to another, in milliseconds; negative when the second was first.
pub fn millis(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        for (percent, value) in
            [(0, 1.0), (1, 1.0), (50, 5.0), (90, 9.0), (91, 10.0), (99, 10.0), (100, 10.0)]
        {
            assert_eq!(percentile(&ten, percent), Some(value), "p{percent}");
        }
        assert_eq!(percentile(&[7.0], 50), Some(7.0));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn a_spread_does_not_depend_on_the_order_of_the_samples() {
        let spread = Spread::of(&[30.0, 10.0, 20.0]).expect("samples");
        assert_eq!(
            (spread.samples, spread.min, spread.p50, spread.p90, spread.max),
            (3, 10.0, 20.0, 30.0, 30.0)
        );
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_comparison_is_of_medians() {
        let compared = Comparison::of(&[20.0, 30.0, 900.0], &[10.0, 20.0, 30.0]).expect("samples");
        assert!((compared.ratio - 1.5).abs() < 1e-9, "{compared:?}");
        assert_eq!(Comparison::of(&[1.0], &[]), None);
    }

    #[test]
    fn milliseconds_between_time_stamps() {
        let at = |nanos| Timestamp::from_nanosecond(nanos).expect("a time");
        assert!((millis(at(1_000_000), at(3_500_000)) - 2.5).abs() < 1e-9);
        assert!((millis(at(3_500_000), at(1_000_000)) + 2.5).abs() < 1e-9);
    }
}
