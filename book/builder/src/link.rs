//! Links of a page: where they stand, where they lead, and pages with other ones.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

/// A link or an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The line that it begins on, counted from 1.
    pub line: usize,
    /// Where it leads, as written: `../labs/04.md#steps`.
    pub to: String,
    /// Where it stands in the page, whole.
    pub span: Range<usize>,
    /// The text that is shown.
    pub text: Range<usize>,
    /// Whether the destination stands in the link itself (`[text](to)`), not elsewhere (`[text][name]`).
    pub inline: bool,
}

/// The Markdown of our pages, as mdBook reads it.
pub fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
}

/// All links and images of a page, in its order. Those in code are none.
pub fn links(page: &str) -> Vec<Link> {
    let mut found = Vec::new();
    let mut open: Vec<Link> = Vec::new();
    for (event, span) in Parser::new_ext(page, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. }) => {
                open.push(Link {
                    line: page[..span.start].matches('\n').count() + 1,
                    to: dest_url.into_string(),
                    text: span.start..span.start,
                    span,
                    inline: link_type == LinkType::Inline,
                })
            }
            Event::End(TagEnd::Link | TagEnd::Image) => found.extend(open.pop()),
            _ => {
                if let Some(link) = open.last_mut() {
                    if link.text.is_empty() {
                        link.text.start = span.start;
                    }
                    link.text.end = span.end;
                }
            }
        }
    }
    found
}

/// What becomes of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewrite {
    /// It stays.
    Keep,
    /// It leads elsewhere.
    To(String),
    /// Only its text stays.
    Text,
}

/// The page with its links rewritten.
pub fn rewrite(page: &str, mut decide: impl FnMut(&Link) -> Rewrite) -> String {
    let mut rewritten = String::with_capacity(page.len());
    let mut done = 0;
    for link in links(page) {
        let text = &page[link.text.clone()];
        let new = match decide(&link) {
            Rewrite::Keep => continue,
            Rewrite::To(to) => format!("[{text}]({to})"),
            Rewrite::Text => text.to_owned(),
        };
        rewritten.push_str(&page[done..link.span.start]);
        rewritten.push_str(&new);
        done = link.span.end;
    }
    rewritten.push_str(&page[done..]);
    rewritten
}

/// Whether a link leads to another place of the network.
pub fn is_external(to: &str) -> bool {
    to.contains("://") || to.starts_with("mailto:")
}

/// The file and the fragment that a link leads to; the file is empty for a place on the same page.
pub fn split(to: &str) -> (&str, Option<&str>) {
    match to.split_once('#') {
        Some((file, fragment)) => (file, Some(fragment)),
        None => (to, None),
    }
}

/// A path without `.` and `..`, as far as they can be resolved without looking at the disk.
pub fn normalise(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.last(), Some(Component::Normal(_))) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.iter().collect()
}

/// How to get from a directory to a file, both from the same root.
pub fn relative(directory: &Path, file: &Path) -> String {
    let (from, to): (Vec<_>, Vec<_>) = (directory.components().collect(), file.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    let down = to[shared..].iter().map(|c| c.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The ids of a page's headings, as mdBook and forges make them, and those that it sets itself.
pub fn ids(page: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut heading: Option<(String, Option<String>)> = None;
    for event in Parser::new_ext(page, options()) {
        match event {
            Event::Start(Tag::Heading { id, .. }) => {
                heading = Some((String::new(), id.map(|id| id.into_string())));
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((text, id)) = heading.take() {
                    let plain = id.unwrap_or_else(|| id_of(&text));
                    let same = ids.iter().filter(|i| **i == plain).count();
                    ids.push(if same == 0 { plain } else { format!("{plain}-{same}") });
                }
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some((heading, _)) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => ids.extend(html_ids(&html)),
            _ => {}
        }
    }
    ids
}

/// The values of `id="…"` in HTML.
pub fn html_ids(html: &str) -> Vec<String> {
    let after = html.split(" id=\"").skip(1);
    after.filter_map(|rest| rest.split_once('"')).map(|(id, _)| id.to_owned()).collect()
}

fn id_of(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c.to_lowercase().to_string()),
        c if c.is_whitespace() => Some("-".to_owned()),
        _ => None,
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# A `b` & c: d!

See [the *map*](../map.md#pleg), ![a picture](p.png) and
[by name][there]. `[not](code)`

```text
[not](code)
```

## Twice
## Twice
## Own {#mine}
<a id=\"html\"></a>

[there]: https://example.com
";

    #[test]
    fn links_outside_of_code_with_their_lines() {
        let seen: Vec<(usize, String, &str, bool)> =
            links(PAGE).into_iter().map(|l| (l.line, l.to, &PAGE[l.text], l.inline)).collect();
        assert_eq!(
            seen,
            [
                (3, "../map.md#pleg".to_owned(), "the *map*", true),
                (3, "p.png".to_owned(), "a picture", true),
                (4, "https://example.com".to_owned(), "by name", false),
            ]
        );
    }

    #[test]
    fn a_link_is_kept_led_elsewhere_or_only_its_text_stays() {
        let page = "[a](x.md), [**b**](y.rs) and [c](z.md).";
        let rewritten = rewrite(page, |link| match link.to.as_str() {
            "x.md" => Rewrite::To("../w.md".to_owned()),
            "y.rs" => Rewrite::Text,
            _ => Rewrite::Keep,
        });
        assert_eq!(rewritten, "[a](../w.md), **b** and [c](z.md).");
    }

    #[test]
    fn ids_of_headings_and_of_html() {
        assert_eq!(ids(PAGE), ["a-b--c-d", "twice", "twice-1", "mine", "html"]);
    }

    #[test]
    fn paths_between_places() {
        let path = |p: &str| PathBuf::from(p);
        assert_eq!(normalise(&path("book/src/../../labs/./a")), path("labs/a"));
        assert_eq!(normalise(&path("../../a")), path("../../a"));
        assert_eq!(relative(&path("labs"), &path("map.md")), "../map.md");
        assert_eq!(relative(&path("labs"), &path("labs/04.md")), "04.md");
        assert_eq!(relative(&path(""), &path("labs/04.md")), "labs/04.md");
        assert_eq!(split("a.md#b"), ("a.md", Some("b")));
        assert_eq!(split("#b"), ("", Some("b")));
    }
}
