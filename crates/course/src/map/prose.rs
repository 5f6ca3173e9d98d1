//! Documentation comments as text: without the links that only rustdoc understands, a sentence of it, a section of it.

/// ``[`Name`]`` and ``[`Name`](path)`` become `` `Name` ``.
pub(super) fn without_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        out.push_str(before);
        let Some((name, behind)) = after.split_once("`]") else {
            out.push_str("[`");
            rest = after;
            continue;
        };
        out.push('`');
        out.push_str(name);
        out.push('`');
        rest = behind
            .strip_prefix('(')
            .and_then(|target| target.split_once(')'))
            .map_or(behind, |(_, behind)| behind);
    }
    out.push_str(rest);
    out
}

/// Up to the first full stop, question mark or colon that ends a thought; the whole text when there is none.
pub(super) fn first_sentence(text: &str) -> String {
    let mut in_code = false;
    let mut depth = 0_usize;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '`' => in_code = !in_code,
            '(' if !in_code => depth += 1,
            ')' if !in_code => depth = depth.saturating_sub(1),
            '.' | '?' | '!'
                if !in_code
                    && depth == 0
                    && characters.peek().is_none_or(|(_, next)| next.is_whitespace()) =>
            {
                return text[..=at].to_owned();
            }
            _ => {}
        }
    }
    text.to_owned()
}

/// The text of a crate's own documentation: its `//!` lines without the marks.
pub(super) fn crate_documentation(source: &str) -> Vec<String> {
    source
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .map(|line| line.strip_prefix("//! ").unwrap_or(line.strip_prefix("//!").unwrap_or(line)).to_owned())
        .collect()
}

/// The lines under the heading `# TITLE`, up to the next heading, without empty lines around them.
pub(super) fn section(documentation: &[String], title: &str) -> Option<Vec<String>> {
    let heading = format!("# {title}");
    let start = documentation.iter().position(|line| *line == heading)? + 1;
    let mut lines: Vec<String> =
        documentation[start..].iter().take_while(|line| !line.starts_with("# ")).cloned().collect();
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    Some(lines.into_iter().skip_while(|line| line.trim().is_empty()).collect())
}

/// The cells of the second column of the table `here`, row by row: where each piece of the crate comes from. With their line numbers,
/// counted from 1.
pub(super) fn go_column(documentation: &[String]) -> Vec<(usize, String)> {
    (1..)
        .zip(documentation)
        .skip_while(|(_, line)| !line.starts_with("| here | "))
        .skip(2)
        .take_while(|(_, line)| line.starts_with('|'))
        .filter_map(|(number, line)| Some((number, line.split('|').nth(2)?.trim().to_owned())))
        .collect()
}

/// What stands between backticks.
pub(super) fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_rustdoc_become_code() {
        for (text, expected) in [
            ("see [`Pleg`], or [`env`](mod@env).", "see `Pleg`, or `env`."),
            ("a [link](page.md) stays", "a [link](page.md) stays"),
            ("[`open", "[`open"),
        ] {
            assert_eq!(without_links(text), expected);
        }
    }

    #[test]
    fn a_sentence_ends_at_its_stop_and_not_inside_of_code_or_brackets() {
        for (text, expected) in [
            ("One pod. And more.", "One pod."),
            ("Reads `a. b` of x.y (e.g. z. q) fully. Then", "Reads `a. b` of x.y (e.g. z. q) fully."),
            ("Is it there? Yes.", "Is it there?"),
            ("no stop at all", "no stop at all"),
        ] {
            assert_eq!(first_sentence(text), expected);
        }
    }

    #[test]
    fn a_section_goes_from_its_heading_to_the_next() {
        let source =
            "//! What.\n//!\n//! # Left out\n//!\n//! - a\n//!   b\n//!\n//! # Other\n//! x\n\npub mod y;\n";
        let documentation = crate_documentation(source);
        assert_eq!(section(&documentation, "Left out"), Some(vec!["- a".to_owned(), "  b".to_owned()]));
        assert_eq!(section(&documentation, "Other"), Some(vec!["x".to_owned()]));
        assert_eq!(section(&documentation, "Absent"), None);
    }

    #[test]
    fn the_table_names_its_sources() {
        let source = "//! | policy | means |\n//! |---|---|\n//! | a | `b.go` |\n//!\n//! | here | Go |\n//! |---|---|\n//! | [`a`] | `x/y.go: f, g`, `z` |\n//! | `b` | none: w |\n";
        let column = go_column(&crate_documentation(source));
        assert_eq!(column, [(7, "`x/y.go: f, g`, `z`".to_owned()), (8, "none: w".to_owned())]);
        assert_eq!(quoted(&column[0].1), ["x/y.go: f, g", "z"]);
    }
}
