//! Names that the DNS and the API accept, and the words in which a wrong one is refused.
//!
//! The words end up in events and container states. Mirrors `apimachinery/pkg/api/validate/content: dns.go, kube.go`.

/// The longest label: one part between the dots of a name.
pub(crate) const LABEL_MAX: usize = 63;
/// The longest name.
pub(crate) const SUBDOMAIN_MAX: usize = 253;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const KEY: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// What is wrong with one label of a name; nothing, if it is fine. Mirrors `IsDNS1123Label`.
pub(crate) fn label_faults(name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name.len() > LABEL_MAX {
        faults.push(too_long(LABEL_MAX));
    }
    if !is_label(name) {
        faults.push(if is_subdomain(name) { "must not contain dots".to_owned() } else { LABEL.to_owned() });
    }
    faults
}

/// What is wrong with a whole name; nothing, if it is fine. Mirrors `IsDNS1123Subdomain`.
pub(crate) fn subdomain_faults(name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name.len() > SUBDOMAIN_MAX {
        faults.push(too_long(SUBDOMAIN_MAX));
    }
    if !is_subdomain(name) {
        faults.push(SUBDOMAIN.to_owned());
    }
    faults
}

/// What is wrong with the key of a label; nothing, if it is fine. Mirrors `IsLabelKey`.
pub(crate) fn key_faults(key: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let name = match key.split('/').collect::<Vec<_>>()[..] {
        [name] => name,
        ["", name] => {
            faults.push("prefix part must be non-empty".to_owned());
            name
        }
        [prefix, name] => {
            faults.extend(subdomain_faults(prefix).into_iter().map(|fault| format!("prefix part {fault}")));
            name
        }
        _ => {
            return vec![format!(
                "a valid label key {KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_MAX {
        faults.push(format!("name part {}", too_long(LABEL_MAX)));
    }
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| alphanumeric(c) || matches!(c, '-' | '_' | '.');
    if !(name.chars().all(inner) && name.starts_with(alphanumeric) && name.ends_with(alphanumeric)) {
        faults.push(format!("name part {KEY}"));
    }
    faults
}

fn too_long(most: usize) -> String {
    format!("must be no more than {most} bytes")
}

fn is_subdomain(name: &str) -> bool {
    name.split('.').all(is_label)
}

fn is_label(name: &str) -> bool {
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.chars().all(|c| outer(c) || c == '-') && name.starts_with(outer) && name.ends_with(outer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts() {
        let long = "a".repeat(64);
        let longer = format!("{long}{}", ".a".repeat(95));
        for (name, label, subdomain) in [
            ("a", vec![], vec![]),
            ("my-name", vec![], vec![]),
            ("0", vec![], vec![]),
            ("a.b", vec!["must not contain dots"], vec![]),
            ("", vec![LABEL], vec![SUBDOMAIN]),
            ("-a", vec![LABEL], vec![SUBDOMAIN]),
            ("a-", vec![LABEL], vec![SUBDOMAIN]),
            ("A", vec![LABEL], vec![SUBDOMAIN]),
            ("a..b", vec![LABEL], vec![SUBDOMAIN]),
            ("a_b", vec![LABEL], vec![SUBDOMAIN]),
            ("ä", vec![LABEL], vec![SUBDOMAIN]),
            (&long, vec!["must be no more than 63 bytes"], vec![]),
            (
                &longer,
                vec!["must be no more than 63 bytes", "must not contain dots"],
                vec!["must be no more than 253 bytes"],
            ),
        ] {
            assert_eq!(label_faults(name), label, "{name}");
            assert_eq!(subdomain_faults(name), subdomain, "{name}");
        }
    }

    #[test]
    fn keys_of_labels() {
        let name_fault = format!("name part {KEY}");
        for (key, faults) in [
            ("app", vec![]),
            ("App_1.x", vec![]),
            ("example.com/app", vec![]),
            ("/app", vec!["prefix part must be non-empty".to_owned()]),
            ("Example/app", vec![format!("prefix part {SUBDOMAIN}")]),
            ("", vec!["name part must be non-empty".to_owned(), name_fault.clone()]),
            ("a b", vec![name_fault.clone()]),
            ("-a", vec![name_fault]),
            (
                "a/b/c",
                vec![format!(
                    "a valid label key {KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
                )],
            ),
        ] {
            assert_eq!(key_faults(key), faults, "{key}");
        }
    }
}
