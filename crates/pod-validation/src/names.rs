//! What a name may look like: each function returns the rules that a text breaks, none if it is fine.
//!
//! Mirrors `apimachinery/pkg/api/validate/content` and `util/validation`.

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const KEY: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

fn at_most(broken: &mut Vec<String>, text: &str, bytes: usize, part: &str) {
    if text.len() > bytes {
        broken.push(format!("{part}must be no more than {bytes} bytes"));
    }
}

/// Not empty, of `inner` characters only, and beginning and ending with `outer` ones.
fn shaped(text: &str, outer: fn(char) -> bool, inner: fn(char) -> bool) -> bool {
    !text.is_empty() && text.starts_with(outer) && text.ends_with(outer) && text.chars().all(inner)
}

fn is_label(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    shaped(text, outer, |c| c == '-' || c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn is_key(text: &str) -> bool {
    shaped(text, |c| c.is_ascii_alphanumeric(), |c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

// ANCHOR: dns_label
/// A container's, volume's or namespace's name. Mirrors `content.IsDNS1123Label`.
pub(crate) fn dns_label(text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    at_most(&mut broken, text, 63, "");
    if is_label(text) {
        return broken;
    }
    broken.push(if text.split('.').all(is_label) {
        "must not contain dots".to_owned()
    } else {
        format!(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
             end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL}')"
        )
    });
    broken
}
// ANCHOR_END: dns_label

/// A pod's or node's name. Mirrors `content.IsDNS1123Subdomain`.
pub(crate) fn dns_subdomain(text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    at_most(&mut broken, text, 253, "");
    if !text.split('.').all(is_label) {
        broken.push(format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '{LABEL}(\\.{LABEL})*')"
        ));
    }
    broken
}

/// A search domain of the resolver, where `_` is allowed as well. Mirrors `IsDNS1123SubdomainWithUnderscore`.
pub(crate) fn search_domain(text: &str) -> Vec<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    dns_subdomain(&text.replace("._", ".").trim_start_matches('_').replace('_', "-"))
}

/// The key of a label or, in lower case, of an annotation. Mirrors `content.IsLabelKey`.
pub(crate) fn qualified(text: &str) -> Vec<String> {
    let rule = || {
        format!(
            "{KEY_RULE} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{KEY}')"
        )
    };
    let mut broken = Vec::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, name)) if name.contains('/') => {
            return vec![format!(
                "a valid label key {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                rule()
            )];
        }
        Some(("", name)) => {
            broken.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            broken.extend(dns_subdomain(prefix).into_iter().map(|rule| format!("prefix part {rule}")));
            name
        }
    };
    if name.is_empty() {
        broken.push("name part must be non-empty".to_owned());
    }
    at_most(&mut broken, name, 63, "name part ");
    if !is_key(name) {
        broken.push(format!("name part {}", rule()));
    }
    broken
}

/// A label's value. Mirrors `content.IsLabelValue`.
pub(crate) fn label_value(text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    at_most(&mut broken, text, 63, "");
    if !text.is_empty() && !is_key(text) {
        broken.push(format!(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
             start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
             validation is '({KEY})?')"
        ));
    }
    broken
}

/// A port's name. Mirrors `validation.IsValidPortName`.
pub(crate) fn port_name(text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    at_most(&mut broken, text, 15, "");
    let fine = |c: char| c == '-' || c.is_ascii_lowercase() || c.is_ascii_digit();
    let rules = [
        (
            !text.is_empty() && text.chars().all(fine),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (text.contains(|c: char| c.is_ascii_lowercase()), "must contain at least one letter (a-z)"),
        (!text.contains("--"), "must not contain consecutive hyphens"),
        (!text.starts_with('-') && !text.ends_with('-'), "must not begin or end with a hyphen"),
    ];
    broken.extend(rules.into_iter().filter(|(kept, _)| !kept).map(|(_, rule)| rule.to_owned()));
    broken
}

/// A port's number. Mirrors `validation.IsValidPortNum`.
pub(crate) fn port_number(port: i32) -> Vec<String> {
    if (1..=65535).contains(&port) {
        vec![]
    } else {
        vec!["must be between 1 and 65535, inclusive".to_owned()]
    }
}

/// The name of an environment variable. Mirrors `validation.IsRelaxedEnvVarName`, the rule since 1.34.
pub(crate) fn variable(text: &str) -> Vec<String> {
    let fine = |c: char| c != '=' && (c == ' ' || c.is_ascii_graphic());
    if text.chars().all(fine) {
        return vec![];
    }
    vec![
        "a valid environment variable name must consist only of printable ASCII characters other than '='"
            .to_owned(),
    ]
}

/// A path that stays below the directory that it is relative to. Mirrors `validateLocalDescendingPath`.
pub(crate) fn descending_path(text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    if text.starts_with('/') {
        broken.push("must be a relative path".to_owned());
    }
    broken.extend(without_backsteps(text));
    broken
}

/// A path without `..`. Mirrors `validatePathNoBacksteps`.
pub(crate) fn without_backsteps(text: &str) -> Option<String> {
    text.split('/').any(|part| part == "..").then(|| "must not contain '..'".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Rules = fn(&str) -> Vec<String>;

    #[test]
    fn names_are_bounded_in_length_and_shape() {
        let long = |n: usize| "a".repeat(n);
        let cases: [(Rules, String, bool); 16] = [
            (dns_label, long(63), true),
            (dns_label, long(64), false),
            (dns_label, "a-".into(), false),
            (dns_subdomain, format!("{}.{}", long(63), long(189)), true),
            (dns_subdomain, long(254), false),
            (dns_subdomain, "a..b".into(), false),
            (search_domain, "_ldap._tcp.example.com.".into(), true),
            (search_domain, "_".into(), false),
            (qualified, format!("example.com/{}", long(63)), true),
            (qualified, format!("example.com/{}", long(64)), false),
            (qualified, "/a".into(), false),
            (label_value, String::new(), true),
            (port_name, "a".repeat(15), true),
            (port_name, "80".into(), false),
            (port_name, "a--b".into(), false),
            (variable, "a.b-c d".into(), true),
        ];
        for (rules, text, fine) in cases {
            assert_eq!(rules(&text).is_empty(), fine, "{text:?}: {:?}", rules(&text));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_label_is_also_a_subdomain_a_key_and_a_label_value(text in "[a-zA-Z0-9._-]{0,70}") {
            if dns_label(&text).is_empty() {
                prop_assert!(dns_subdomain(&text).is_empty());
                prop_assert!(qualified(&text).is_empty());
                prop_assert!(label_value(&text).is_empty());
                prop_assert!(!text.contains('.'));
            }
        }

        #[test]
        fn every_text_is_either_fine_or_told_why_not(text in any::<String>()) {
            for rules in [dns_label, dns_subdomain, search_domain, qualified, label_value, port_name, variable] {
                prop_assert!(rules(&text).iter().all(|rule| !rule.is_empty()));
            }
            prop_assert_eq!(descending_path(&text).is_empty(), !text.starts_with('/') && !text.split('/').any(|part| part == ".."));
        }
    }
}
