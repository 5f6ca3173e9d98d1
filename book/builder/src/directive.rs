//! Directives: what a page asks the builder to put in, as `{{#name argument}}`.

use std::ops::Range;

/// A directive of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive<'a> {
    /// `gomap` in `{{#gomap pleg}}`.
    pub name: &'a str,
    /// `pleg`; empty when there is none.
    pub argument: &'a str,
    /// Where it stands, braces included.
    pub span: Range<usize>,
}

/// Something in a page that looks like a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// One to carry out.
    Directive(Directive<'a>),
    /// `\{{#name}}`, which a page writes to speak *about* a directive; the place of the backslash.
    Escaped(Range<usize>),
}

/// All directives of a page, in its order. Braces that are not closed on their line are text.
pub fn directives(page: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for (start, _) in page.match_indices("{{#") {
        let line = page[start..].lines().next().unwrap_or_default();
        let Some(length) = line.find("}}") else { continue };
        if page[..start].ends_with('\\') {
            found.push(Found::Escaped(start - 1..start));
            continue;
        }
        let inner = line[3..length].trim();
        let (name, argument) = inner.split_once(' ').unwrap_or((inner, ""));
        let span = start..start + length + 2;
        found.push(Found::Directive(Directive { name, argument: argument.trim(), span }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_arguments_and_what_is_none() {
        let page = "a {{#gomap pleg}} b {{#minutes}} \\{{#lab 04}} {{#open\n}} {{ no }}";
        let seen: Vec<String> = directives(page)
            .into_iter()
            .map(|f| match f {
                Found::Directive(d) => format!("{}({}) = {}", d.name, d.argument, &page[d.span]),
                Found::Escaped(at) => format!("escaped {}", &page[at]),
            })
            .collect();
        assert_eq!(seen, ["gomap(pleg) = {{#gomap pleg}}", "minutes() = {{#minutes}}", "escaped \\"]);
    }
}
