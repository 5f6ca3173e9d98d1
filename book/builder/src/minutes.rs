//! How long a page takes to read.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// Words of prose that are read in a minute.
const WORDS: usize = 200;
/// Lines of code or output that are read in a minute: slower, for they are thought about.
const LINES: usize = 20;

/// The minutes that a page takes, at least one. A diagram counts as ten lines.
pub fn minutes(page: &str) -> usize {
    let (mut words, mut lines) = (0, 0);
    let mut block = None;
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let diagram = matches!(kind, CodeBlockKind::Fenced(info) if &*info == "mermaid");
                lines += if diagram { 10 } else { 0 };
                block = Some(diagram);
            }
            Event::End(TagEnd::CodeBlock) => block = None,
            Event::Text(text) => match block {
                Some(true) => {}
                Some(false) => lines += text.lines().count(),
                None => words += text.split_whitespace().count(),
            },
            Event::Code(text) => words += text.split_whitespace().count(),
            _ => {}
        }
    }
    (words * LINES + lines * WORDS).div_ceil(WORDS * LINES).max(1)
}

/// The minutes as the page says them.
pub fn said(minutes: usize) -> String {
    let s = if minutes == 1 { "" } else { "s" };
    format!("<p class=\"minutes\">{minutes} minute{s} to read</p>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_lines_of_code_count() {
        assert_eq!(minutes("# A\n"), 1);
        assert_eq!(minutes(&"word ".repeat(600)), 3);
        assert_eq!(minutes(&"word ".repeat(601)), 4);
        let code = format!("```rust\n{}```\n", "let a = some words;\n".repeat(40));
        assert_eq!(minutes(&code), 2);
        assert_eq!(minutes(&format!("{}\n\n{code}", "word ".repeat(400))), 4);
    }

    #[test]
    fn a_diagram_counts_by_itself_and_not_by_its_lines() {
        let diagram = format!("```mermaid\n{}```\n", "a --> b\n".repeat(100));
        assert_eq!(minutes(&diagram.repeat(4)), 2);
    }

    #[test]
    fn one_minute_is_no_plural() {
        assert_eq!(said(1), "<p class=\"minutes\">1 minute to read</p>\n");
        assert_eq!(said(7), "<p class=\"minutes\">7 minutes to read</p>\n");
    }
}
