//! Amounts of resources: `100m`, `1.5Gi`, `2e3`.
//!
//! Mirrors `k8s.io/apimachinery/pkg/api/resource/quantity.go`. An amount is kept exactly, in billionths; what is finer
//! is rounded up, away from giving a container less than it asked for.

pub use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// An amount, in billionths of one unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i128);

/// Text that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quantity {0:?}: must be a number with an optional suffix, such as 100m, 2, 1.5Gi or 2e3")]
pub struct InvalidQuantity(pub String);

const NANO: i128 = 1_000_000_000;

impl Amount {
    /// Reads a quantity.
    ///
    /// # Errors
    /// Anything that is not a number with one of the suffixes `n u m k M G T P E Ki Mi Gi Ti Pi Ei`, or a decimal
    /// exponent; and an amount too large to hold.
    pub fn parse(text: &str) -> Result<Self, InvalidQuantity> {
        Self::read(text).ok_or_else(|| InvalidQuantity(text.to_owned()))
    }

    fn read(text: &str) -> Option<Self> {
        let (sign, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let (times, over) = scale(suffix)?;
        let numerator = digits.checked_mul(times)?.checked_mul(NANO)?;
        let denominator = over.checked_mul(10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?)?;
        let amount = numerator / denominator + i128::from(numerator % denominator != 0);
        Some(Self(sign * amount))
    }

    /// Whole units, rounded up; bytes of memory, for instance. Mirrors `Quantity.Value`.
    pub fn value(self) -> i64 {
        self.rounded_up(NANO)
    }

    /// Thousandths, rounded up; the unit of cpu. Mirrors `Quantity.MilliValue`.
    pub fn milli_value(self) -> i64 {
        self.rounded_up(NANO / 1000)
    }

    /// Whether the amount is nothing.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    fn rounded_up(self, unit: i128) -> i64 {
        let up = self.0.div_euclid(unit) + i128::from(self.0.rem_euclid(unit) != 0);
        i64::try_from(up).unwrap_or(if up > 0 { i64::MAX } else { i64::MIN })
    }
}

impl std::ops::Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// The suffix as a fraction.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    Some(match suffix {
        "n" => (1, NANO),
        "u" => (1, 1_000_000),
        "m" => (1, 1000),
        "" => (1, 1),
        "k" => (1000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "E" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

/// The amount of `resource` in a list of requests or limits; `None` when it is not named there.
///
/// Quantities are checked when a pod is admitted, so one that cannot be read counts as not named.
pub fn amount_of(
    list: Option<&std::collections::BTreeMap<String, Quantity>>,
    resource: &str,
) -> Option<Amount> {
    Amount::parse(&list?.get(resource)?.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts() {
        for (text, value, milli) in [
            ("0", 0, 0),
            ("100m", 1, 100),
            ("1", 1, 1000),
            ("1.5", 2, 1500),
            ("0.5m", 1, 1),
            ("200Mi", 209_715_200, 209_715_200_000),
            ("1.5Gi", 1_610_612_736, 1_610_612_736_000),
            ("2k", 2000, 2_000_000),
            ("2e3", 2000, 2_000_000),
            ("2E-3", 1, 2),
            (".5", 1, 500),
            ("5.", 5, 5000),
            ("+7", 7, 7000),
            ("-1500m", -1, -1500),
            ("1n", 1, 1),
        ] {
            let amount = Amount::parse(text).expect(text);
            assert_eq!((amount.value(), amount.milli_value()), (value, milli), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount() {
        for text in [
            "",
            "Mi",
            "1.2.3",
            "1 Gi",
            "1gi",
            "0x10",
            "--1",
            "1e",
            "1e99",
            "99999999999999999999999999999999Ei",
        ] {
            assert_eq!(Amount::parse(text), Err(InvalidQuantity(text.into())));
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_never_gives_less_than_was_written(text in "\\+?[0-9]{0,12}(\\.[0-9]{0,6})?(m|k|Ki|Mi|G|e[0-9]{1,2})?") {
            if let Ok(amount) = Amount::parse(&text) {
                prop_assert!(i128::from(amount.value()).saturating_mul(1000) >= i128::from(amount.milli_value()) || amount.value() == i64::MAX);
            }
        }
    }
}
