//! Times and sizes in the words of Docker and crictl.

use std::time::Duration;

/// How long ago a time of the CRI was; both in nanoseconds since 1970.
pub fn age(created: i64, now: i64) -> String {
    if created <= 0 {
        return "unknown".to_owned();
    }
    // A clock that was set back makes ages negative; crictl rounds those up as well.
    let passed = Duration::from_nanos(u64::try_from(now.saturating_sub(created)).unwrap_or(0));
    format!("{} ago", words(passed))
}

/// One unit only, and coarser as it gets longer: nobody counts the minutes of last week.
fn words(passed: Duration) -> String {
    let seconds = passed.as_secs();
    let minutes = seconds / 60;
    let hours = (seconds + 1800) / 3600;
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, ..60, _) => format!("{minutes} minutes"),
        (.., 1) => "About an hour".to_owned(),
        (.., ..48) => format!("{hours} hours"),
        (.., ..336) => format!("{} days", hours / 24),
        (.., ..1440) => format!("{} weeks", hours / 24 / 7),
        (.., ..17520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// A size in decimal units with three significant digits, as registries count.
pub fn size(bytes: u64) -> String {
    let mut scaled = bytes as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB", "PB", "EB"] {
        if scaled < 999.5 {
            break;
        }
        scaled /= 1000.0;
        unit = larger;
    }
    let decimals = if scaled < 9.995 {
        2
    } else if scaled < 99.95 {
        1
    } else {
        0
    };
    let digits = format!("{scaled:.decimals$}");
    let digits = if decimals > 0 { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    format!("{digits}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_get_coarser_as_they_get_longer() {
        const SECOND: i64 = 1_000_000_000;
        const HOUR: i64 = 3600 * SECOND;
        let now = 2_000_000_000 * SECOND;
        for (passed, said) in [
            (-5 * SECOND, "Less than a second ago"),
            (SECOND - 1, "Less than a second ago"),
            (SECOND, "1 second ago"),
            (59 * SECOND, "59 seconds ago"),
            (60 * SECOND, "About a minute ago"),
            (3 * 60 * SECOND + 59 * SECOND, "3 minutes ago"),
            (59 * 60 * SECOND, "59 minutes ago"),
            (HOUR, "About an hour ago"),
            (HOUR + HOUR / 2, "2 hours ago"),
            (47 * HOUR, "47 hours ago"),
            (48 * HOUR, "2 days ago"),
            (14 * 24 * HOUR, "2 weeks ago"),
            (60 * 24 * HOUR, "2 months ago"),
            (3 * 365 * 24 * HOUR, "3 years ago"),
        ] {
            assert_eq!(age(now - passed, now), said, "{passed} ns");
        }
        assert_eq!(age(0, now), "unknown");
    }

    #[test]
    fn sizes_have_three_significant_digits() {
        for (bytes, said) in [
            (0, "0B"),
            (999, "999B"),
            (1_000, "1kB"),
            (742_472, "742kB"),
            (999_999, "1MB"),
            (1_146_369, "1.15MB"),
            (9_996_000, "10MB"),
            (17_200_000, "17.2MB"),
            (100_000_000, "100MB"),
            (3_500_000_000, "3.5GB"),
        ] {
            assert_eq!(size(bytes), said, "{bytes}");
        }
    }
}
