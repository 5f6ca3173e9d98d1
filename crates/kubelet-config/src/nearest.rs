//! The known name that an unknown one was probably meant to be.

use crate::KubeletConfiguration;
use crate::setting::Field;

/// A hint for an unknown field: the nearest of its `siblings`, or the full path of a field that has this name elsewhere.
pub(crate) fn nearest(name: &str, siblings: &[Field]) -> Option<String> {
    nearest_of(name, siblings.iter().map(|field| field.name))
        .map(|known| format!("{known:?}"))
        .or_else(|| elsewhere(name, KubeletConfiguration::fields(), "").map(|path| format!("{path:?}")))
}

/// The nearest of some names; `None` when no name is near. A third of the letters may differ.
pub(crate) fn nearest_of<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_ascii_lowercase();
    known
        .map(|candidate| (distance(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().min(lower.len()) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

fn elsewhere(name: &str, fields: &[Field], above: &str) -> Option<String> {
    fields.iter().find_map(|field| {
        let path = if above.is_empty() { field.name.to_owned() } else { format!("{above}.{}", field.name) };
        if field.name.eq_ignore_ascii_case(name) { Some(path) } else { elsewhere(name, field.fields, &path) }
    })
}

/// Levenshtein's distance: how many letters have to be put in, taken out or changed.
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in two.iter().enumerate() {
            let change = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[two.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_near_or_elsewhere_or_absent() {
        let top = KubeletConfiguration::fields();
        let rows = [
            ("syncFrequncy", Some("\"syncFrequency\"")),
            ("SyncFrequency", Some("\"syncFrequency\"")),
            ("clusterDns", Some("\"clusterDNS\"")),
            ("maxPod", Some("\"maxPods\"")),
            ("clientCAFile", Some("\"authentication.x509.clientCAFile\"")),
            ("verbosity", Some("\"logging.verbosity\"")),
            ("replicas", None),
            ("x", None),
            ("", None),
        ];
        for (name, hint) in rows {
            assert_eq!(nearest(name, top).as_deref(), hint, "{name}");
        }
    }
}
