//! `$(NAME)`: a value from the environment inside another text.
//!
//! The rule is the API's, not a shell's: there is no `$NAME`, no default, and a name that is not known stays as it was
//! written, so that a mistake can be seen. `$$` is a `$` that is not looked at again.
//!
//! Mirrors `third_party/forked/golang/expansion/expand.go`.

use std::collections::BTreeMap;

use cri_client::v1::KeyValue;
use pod_model::Container;

// ANCHOR: expand
/// `text` with every `$(NAME)` replaced by what `value_of` knows under that name.
///
/// A value is put in as it is: a reference inside it is not looked at again.
pub fn expand(text: &str, mut value_of: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = if let Some(rest) = after.strip_prefix('$') {
            out.push('$');
            rest
        } else if let Some((name, rest)) = reference(after) {
            match value_of(name) {
                Some(value) => out.push_str(&value),
                None => out.extend(["$(", name, ")"]),
            }
            rest
        } else {
            out.push('$');
            after
        };
    }
    out + rest
}
// ANCHOR_END: expand

/// The name in `(NAME)rest`, and the rest.
fn reference(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('(')?.split_once(')')
}

/// The command and the arguments of a container, with references to its environment resolved.
/// Mirrors `container/helpers.go: ExpandContainerCommandAndArgs`.
pub fn expand_command_and_args(container: &Container, envs: &[KeyValue]) -> (Vec<String>, Vec<String>) {
    let values: BTreeMap<&str, &[u8]> = envs.iter().map(|e| (e.key.as_str(), e.value.as_slice())).collect();
    let value_of = |name: &str| values.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
    let expanded = |words: &Option<Vec<String>>| -> Vec<String> {
        words.iter().flatten().map(|word| expand(word, value_of)).collect()
    };
    (expanded(&container.command), expanded(&container.args))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value_of(name: &str) -> Option<String> {
        Some(match name {
            "A" => "1".into(),
            "EMPTY" => String::new(),
            "DOLLAR" => "$(A)".into(),
            "odd name" => "2".into(),
            "$A" => "3".into(),
            _ => return None,
        })
    }

    #[test]
    fn references() {
        for (text, expanded) in [
            ("", ""),
            ("plain", "plain"),
            ("$(A)", "1"),
            ("x$(A)y$(A)z", "x1y1z"),
            ("$(EMPTY)", ""),
            ("$(B)", "$(B)"),
            ("$()", "$()"),
            ("$(odd name)", "2"),
            ("$(DOLLAR)", "$(A)"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$1"),
            ("$$$$(A)", "$$(A)"),
            ("$$", "$"),
            ("$", "$"),
            ("a$", "a$"),
            ("$A", "$A"),
            ("$ $(A)", "$ 1"),
            ("$ä$(A)", "$ä1"),
            ("$(A", "$(A"),
            ("$(A$(A)", "$(A$(A)"),
            ("$($A)", "3"),
            ("$(A))", "1)"),
            ("($(A))", "(1)"),
            ("$(B$$A)", "$(B$$A)"),
        ] {
            assert_eq!(expand(text, value_of), expanded, "{text}");
        }
    }

    #[test]
    fn command_and_args_see_the_environment_and_the_last_of_one_name() {
        let container: Container = serde_json::from_value(serde_json::json!({
            "name": "a", "command": ["echo", "$(A)"], "args": ["$(A)-$(B)", "$$(A)"],
        }))
        .expect("a container");
        let envs = [("A", "1"), ("A", "2")].map(|(k, v)| KeyValue { key: k.into(), value: v.into() });
        let (command, args) = expand_command_and_args(&container, &envs);
        assert_eq!(command, ["echo", "2"]);
        assert_eq!(args, ["2-$(B)", "$(A)"]);
        let none = expand_command_and_args(&Container::default(), &envs);
        assert_eq!(none, (vec![], vec![]));
    }

    proptest! {
        #[test]
        fn any_text_is_expanded_without_a_panic(text in "[$()A-C \\PC]{0,40}") {
            expand(&text, value_of);
        }

        #[test]
        fn a_text_without_dollars_stays(text in "[^$]{0,40}") {
            prop_assert_eq!(expand(&text, value_of), text);
        }

        #[test]
        fn doubling_every_dollar_gives_the_text_back(text in "[$()A\\PC]{0,40}") {
            prop_assert_eq!(expand(&text.replace('$', "$$"), value_of), text);
        }
    }
}
