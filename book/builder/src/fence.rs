//! Fenced code blocks of a page, found line by line so that their lines are known.

use std::ops::Range;

/// A fenced code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The line of the opening fence, counted from 1.
    pub line: usize,
    /// The spaces before it: a block in a list is indented.
    pub indent: String,
    /// All that stands behind the opening backticks: `console,terminal=up`.
    pub info: String,
    /// The whole block, from the beginning of its first line to the end of its last, newline included.
    pub whole: Range<usize>,
    /// The lines between.
    pub body: Range<usize>,
}

impl Fence {
    /// The language: the part of the info string before the first comma.
    pub fn language(&self) -> &str {
        self.info.split([',', ' ']).next().unwrap_or_default()
    }

    /// The value of an attribute: `up` for `terminal` in `console,terminal=up`, and an empty text for `norun` in
    /// `console,norun`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.info.split(',').skip(1).find_map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (key.trim() == name).then(|| value.trim())
        })
    }
}

/// All fenced blocks of a page, in its order. One that is not ended reaches to the end of the page, as in CommonMark.
pub fn fences(page: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<(Fence, usize)> = None;
    let mut at = 0;
    for (number, line) in (1..).zip(page.split_inclusive('\n')) {
        let text = line.trim_end();
        let indent = &text[..text.len() - text.trim_start_matches(' ').len()];
        let ticks = text[indent.len()..].chars().take_while(|c| *c == '`').count();
        let rest = &text[indent.len() + ticks..];
        match &mut open {
            None if ticks >= 3 && !rest.contains('`') => {
                let fence = Fence {
                    line: number,
                    indent: indent.to_owned(),
                    info: rest.trim().to_owned(),
                    whole: at..page.len(),
                    body: at + line.len()..page.len(),
                };
                open = Some((fence, ticks));
            }
            Some((fence, opened_with)) if ticks >= *opened_with && rest.is_empty() => {
                fence.body.end = at;
                fence.whole.end = at + line.len();
                found.extend(open.take().map(|(fence, _)| fence));
            }
            _ => {}
        }
        at += line.len();
    }
    found.extend(open.map(|(fence, _)| fence));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# Title

```console,terminal=up,timeout=300
$ up
```

- item
  ```rust
  fn a() {}
  ```

````text
```
````
";

    #[test]
    fn blocks_with_their_lines_attributes_and_bodies() {
        let seen: Vec<(usize, String, String, String)> = fences(PAGE)
            .into_iter()
            .map(|f| (f.line, f.indent.clone(), f.language().to_owned(), PAGE[f.body].to_owned()))
            .collect();
        let row = |line, indent: &str, language: &str, body: &str| {
            (line, indent.to_owned(), language.to_owned(), body.to_owned())
        };
        assert_eq!(
            seen,
            [
                row(3, "", "console", "$ up\n"),
                row(8, "  ", "rust", "  fn a() {}\n"),
                row(12, "", "text", "```\n"),
            ]
        );
    }

    #[test]
    fn attributes_have_values_or_none() {
        let fence = &fences(PAGE)[0];
        assert_eq!(fence.attribute("terminal"), Some("up"));
        assert_eq!(fence.attribute("timeout"), Some("300"));
        assert_eq!(fence.attribute("norun"), None);
        let norun = &fences("```console,norun\n```\n")[0];
        assert_eq!(norun.attribute("norun"), Some(""));
    }

    #[test]
    fn a_block_that_is_not_ended_reaches_to_the_end() {
        let page = "```text\nmore\n";
        let fence = &fences(page)[0];
        assert_eq!((&page[fence.body.clone()], fence.whole.end), ("more\n", page.len()));
    }

    #[test]
    fn inline_code_with_three_backticks_is_no_block() {
        assert!(fences("```rust``` is a language\n").is_empty());
    }
}
