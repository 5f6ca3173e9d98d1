//! Consoles get the look of a terminal, diagrams become what mermaid reads, and attributes for machines disappear.

use std::fmt::Write as _;

use crate::fence::{Fence, fences};

/// The page with its blocks dressed.
pub fn dress(page: &str) -> String {
    let mut dressed = String::with_capacity(page.len());
    let mut done = 0;
    for block in fences(page) {
        let before = &page[done..block.whole.start];
        let body = &page[block.body.clone()];
        done = block.whole.end;
        match block.language() {
            "console" => {
                let (before, reason) = without_reason(before);
                dressed.push_str(before);
                console(&mut dressed, &block, body, reason);
            }
            "mermaid" => {
                dressed.push_str(before);
                diagram(&mut dressed, &block, body);
            }
            language => {
                dressed.push_str(before);
                code(&mut dressed, &block, language, body);
            }
        }
    }
    dressed.push_str(&page[done..]);
    dressed
}

/// A block of a terminal: with its name where there are several, and the truth where nothing runs it.
fn console(page: &mut String, block: &Fence, body: &str, reason: Option<&str>) {
    let indent = &block.indent;
    let mut title = match block.attribute("terminal") {
        Some(name) if has_prompt(body) => format!("terminal <b>{}</b>, goes on running", escaped(name)),
        Some(name) => format!("terminal <b>{}</b>, meanwhile", escaped(name)),
        None => "terminal".to_owned(),
    };
    if let Some(what) = block.attribute("needs") {
        let _ = write!(title, " · needs {}", escaped(what));
    }
    if block.attribute("norun").is_some() {
        let why = reason.map(|r| format!(": {}", escaped(r))).unwrap_or_default();
        let _ = write!(title, " · shown, not run by CI{why}");
    }
    let _ = write!(page, "{indent}<div class=\"console\"><p class=\"caption\">{title}</p>\n\n");
    code(page, block, "console", body);
    let _ = write!(page, "\n{indent}</div>\n\n");
}

fn code(page: &mut String, block: &Fence, language: &str, body: &str) {
    let longest = body.lines().map(|l| l.trim_start().chars().take_while(|c| *c == '`').count()).max();
    let ticks = "`".repeat((longest.unwrap_or(0) + 1).max(3));
    let indent = &block.indent;
    let _ = write!(page, "{indent}{ticks}{language}\n{body}{indent}{ticks}\n");
}

/// mermaid takes the text of `pre.mermaid`. A blank line would end the HTML block, so none may stand in it.
fn diagram(page: &mut String, block: &Fence, body: &str) {
    let indent = &block.indent;
    let lines: Vec<&str> = body.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect();
    let _ =
        write!(page, "{indent}<pre class=\"mermaid\">\n{}\n{indent}</pre>\n\n", escaped(&lines.join("\n")));
}

/// What stands before a console, without the comment that says why nothing runs it; and that reason.
fn without_reason(before: &str) -> (&str, Option<&str>) {
    let trimmed = before.trim_end();
    let reason = trimmed.rfind("<!-- not run:").and_then(|at| {
        let reason = trimmed[at..].strip_prefix("<!-- not run:")?.strip_suffix("-->")?;
        Some((&before[..at], reason.trim()))
    });
    match reason {
        Some((rest, reason)) => (rest, Some(reason)),
        None => (before, None),
    }
}

fn has_prompt(body: &str) -> bool {
    body.lines().any(|l| l.trim_start().starts_with("$ "))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_has_a_title_and_no_attributes() {
        let page = "Text.\n\n```console,terminal=up,timeout=9\n$ run\nout\n```\n";
        assert_eq!(
            dress(page),
            "Text.\n\n<div class=\"console\"><p class=\"caption\">terminal <b>up</b>, goes on running</p>\n\n\
             ```console\n$ run\nout\n```\n\n</div>\n\n"
        );
    }

    #[test]
    fn later_lines_of_a_terminal_are_told_from_its_start() {
        let dressed = dress("```console,terminal=up\nout\n```\n");
        assert!(dressed.contains("terminal <b>up</b>, meanwhile"), "{dressed}");
    }

    #[test]
    fn what_is_not_run_says_so_with_its_reason() {
        let page = "A.\n\n<!-- not run: needs a cluster & more -->\n```console,norun\n$ kubectl\n```\n";
        let dressed = dress(page);
        assert!(dressed.starts_with("A.\n\n<div"), "{dressed}");
        assert!(
            dressed.contains("terminal · shown, not run by CI: needs a cluster &amp; more</p>"),
            "{dressed}"
        );
    }

    #[test]
    fn a_diagram_is_html_without_blank_lines() {
        let page = "```mermaid\nflowchart LR\n\n  a[\"<b>\"] --> b\n```\nnext\n";
        assert_eq!(
            dress(page),
            "<pre class=\"mermaid\">\nflowchart LR\n  a[&quot;&lt;b&gt;&quot;] --&gt; b\n</pre>\n\nnext\n"
        );
    }

    #[test]
    fn other_blocks_keep_their_language_only_and_their_backticks() {
        let page = "- a\n  ```rust,workbook=x.rs\n  fn a() {}\n  ```\n\n````text\n```\n````\n";
        assert_eq!(dress(page), "- a\n  ```rust\n  fn a() {}\n  ```\n\n````text\n```\n````\n");
    }
}
