//! Durations as Go writes them: `1h2m3.5s`.
//!
//! Every duration of a KubeletConfiguration is such a string. Go counts nanoseconds in 64 bits with a sign; a kubelet's
//! settings have no use for the sign, save one ([`crate::PeriodOrOff`]).

use std::time::Duration;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// There is no number where one must stand.
    #[error("{0:?} is not a duration such as \"1m30s\" or \"100ms\"")]
    Malformed(String),
    /// A number without a unit, as in `10`.
    #[error("{0:?} has no unit: write \"{0}s\" for seconds (units are ns, us, ms, s, m, h)")]
    NoUnit(String),
    /// A unit that Go does not know, such as `d`.
    #[error("{text:?} has the unknown unit {unit:?} (units are ns, us, ms, s, m, h)")]
    UnknownUnit {
        /// The whole text.
        text: String,
        /// The unit in it.
        unit: String,
    },
    /// More than Go can count, some 292 years.
    #[error("{0:?} is longer than a duration can be (292 years)")]
    TooLong(String),
    /// A duration below zero where none is meant.
    #[error("{0:?} is negative")]
    Negative(String),
}

/// Reads a duration that is not negative.
///
/// Mirrors Go's `time.ParseDuration`.
///
/// # Errors
/// [`DurationError`], with the text in it.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    match parse_signed(text)? {
        (true, nanos) if nanos > 0 => Err(DurationError::Negative(text.to_owned())),
        (_, nanos) => Ok(Duration::from_nanos(nanos)),
    }
}

/// Reads a duration as its sign (`true`: below zero) and its nanoseconds.
pub(crate) fn parse_signed(text: &str) -> Result<(bool, u64), DurationError> {
    let malformed = || DurationError::Malformed(text.to_owned());
    let too_long = || DurationError::TooLong(text.to_owned());
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok((false, 0));
    }
    if rest.is_empty() {
        return Err(malformed());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (whole, after) = leading_digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => leading_digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(malformed());
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        if name.is_empty() {
            return Err(DurationError::NoUnit(text.to_owned()));
        }
        let unit = unit(name)
            .ok_or_else(|| DurationError::UnknownUnit { text: text.to_owned(), unit: name.to_owned() })?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| too_long())? };
        total = whole
            .checked_mul(unit)
            .and_then(|nanos| nanos.checked_add(part_of(fraction, unit)))
            .and_then(|nanos| total.checked_add(nanos))
            .filter(|nanos| *nanos <= i64::MAX as u64)
            .ok_or_else(too_long)?;
        rest = after;
    }
    Ok((negative, total))
}

fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "ns" => 1,
        // The micro sign and the Greek letter look alike; Go takes both.
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}

/// The nanoseconds of `0.DIGITS` of a unit. Go multiplies in floating point and cuts off; digits that its 63 bits cannot
/// hold are far below a nanosecond.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "as Go does"
)]
fn part_of(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_i64, 1_f64);
    for digit in digits.bytes() {
        let Some(longer) = value.checked_mul(10).and_then(|v| v.checked_add(i64::from(digit - b'0'))) else {
            break;
        };
        value = longer;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

/// Writes a duration as Go's `time.Duration.String` does: `0s`, `100ms`, `1m0s`, `1h2m3.5s`.
pub fn print_duration(duration: Duration) -> String {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < SECOND {
        let (unit, name) = match nanos {
            0..MICROSECOND => (1, "ns"),
            MICROSECOND..MILLISECOND => (MICROSECOND, "\u{b5}s"),
            _ => (MILLISECOND, "ms"),
        };
        return decimal(nanos, unit) + name;
    }
    let (hours, minutes) = (nanos / HOUR, nanos % HOUR / MINUTE);
    let seconds = decimal(nanos % MINUTE, SECOND);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// `nanos` in units of `unit` (a power of ten), without trailing zeros.
fn decimal(nanos: u64, unit: u64) -> String {
    let (whole, part) = (nanos / unit, nanos % unit);
    if part == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{part:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let rows = [
            ("0", 0),
            ("0s", 0),
            ("-0", 0),
            ("+5s", 5 * SECOND),
            ("1m30s", 90 * SECOND),
            ("1h2m3.5s", HOUR + 2 * MINUTE + 3_500_000_000),
            ("100ms", 100 * MILLISECOND),
            ("1.s", SECOND),
            (".5s", 500_000_000),
            ("5us", 5_000),
            ("5\u{b5}s", 5_000),
            ("5\u{3bc}s", 5_000),
            ("20s10m", 10 * MINUTE + 20 * SECOND),
            ("9223372036854775807ns", i64::MAX as u64),
            // Go's own test table: a fraction so long that only floating point hits the whole.
            ("0.3333333333333333333h", 20 * MINUTE),
            ("0.830103483285477580700h", 49 * MINUTE + 48_372_539_827),
            ("2562047h47m16.854775807s", i64::MAX as u64),
        ];
        for (text, nanos) in rows {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_explained() {
        let rows = [
            ("", "\"\" is not a duration"),
            ("-", "\"-\" is not a duration"),
            ("s", "\"s\" is not a duration"),
            (".", "\".\" is not a duration"),
            (".s", "\".s\" is not a duration"),
            ("1m 30s", "unknown unit \"m \""),
            ("ten", "\"ten\" is not a duration"),
            ("10", "write \"10s\" for seconds"),
            ("1m30", "has no unit"),
            ("1d", "unknown unit \"d\""),
            ("1S", "unknown unit \"S\""),
            ("-1m", "\"-1m\" is negative"),
            ("9223372036854775808ns", "longer than a duration can be"),
            ("2562048h", "longer than a duration can be"),
            ("99999999999999999999999s", "longer than a duration can be"),
        ];
        for (text, said) in rows {
            let error = parse_duration(text).expect_err(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        let rows = [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1\u{b5}s"),
            (2_200_000, "2.2ms"),
            (100 * MILLISECOND, "100ms"),
            (SECOND, "1s"),
            (3_300_000_000, "3.3s"),
            (MINUTE, "1m0s"),
            (4 * HOUR, "4h0m0s"),
            (4 * MINUTE + 5_001_000_000, "4m5.001s"),
            (5 * HOUR + 6 * MINUTE + 7_001_000_000, "5h6m7.001s"),
            (i64::MAX as u64, "2562047h47m16.854775807s"),
        ];
        for (nanos, text) in rows {
            assert_eq!(print_duration(Duration::from_nanos(nanos)), text);
        }
    }

    proptest! {
        #[test]
        fn a_written_duration_reads_back_as_itself(nanos in 0..=i64::MAX as u64) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_duration(&print_duration(duration)), Ok(duration));
        }

        #[test]
        fn short_durations_too(nanos in 0..2 * SECOND) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_duration(&print_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[-+0-9.nuµmsh]{0,24}|.{0,12}") {
            let _ = parse_duration(&text);
        }
    }
}
