use super::*;

const SOURCE: &str = "\
mod a;
    // ANCHOR: outer
    fn one() {
        // ANCHOR: inner
        two();
        // ANCHOR_END: inner
    }

    // ANCHOR_END: outer
fn last() { \"// ANCHOR: no\"; }
";

fn anchor(name: &str, start: usize, end: usize) -> Anchor {
    Anchor { name: name.to_owned(), start, end }
}

#[test]
fn anchors_may_stand_inside_one_another() {
    assert_eq!(anchors(SOURCE), Ok(vec![anchor("outer", 2, 9), anchor("inner", 4, 6)]));
}

#[test]
fn an_excerpt_has_no_line_of_an_anchor_and_begins_at_the_margin() {
    let outer = excerpt(SOURCE, "outer").expect("it is there");
    assert_eq!(outer.text, "fn one() {\n    two();\n}\n\n");
    assert_eq!((outer.first, outer.last), (3, 8));
    assert_eq!(excerpt(SOURCE, "inner").expect("it is there").text, "two();\n");
}

#[test]
fn an_anchor_may_be_a_comment_of_yaml_or_markdown() {
    let yaml = "# ANCHOR: a\nkey: 1\n# ANCHOR_END: a\n<!-- ANCHOR: b -->\ntext\n<!-- ANCHOR_END: b -->\n";
    assert_eq!(anchors(yaml), Ok(vec![anchor("a", 1, 3), anchor("b", 4, 6)]));
    assert_eq!(excerpt(yaml, "b").expect("it is there").text, "text\n");
}

#[test]
fn what_is_not_a_pair_is_an_error_with_its_line() {
    let cases = [
        ("\n// ANCHOR: a\n", "line 2: anchor a is opened and never ended"),
        ("// ANCHOR_END: a\n", "line 1: anchor a is ended and was not open"),
        ("// ANCHOR: a\n// ANCHOR_END: b\n", "line 2: anchor b is ended and was not open"),
        ("// ANCHOR: a\n// ANCHOR_END: a\n// ANCHOR: a\n", "line 3: anchor a is there already, at line 1"),
        ("// ANCHOR: My-Name\n", "line 1: anchor \"My-Name\" has to be lower case"),
        ("// ANCHOR: a\n// ANCHOR_END: a\n// ANCHOR_END: a\n", "line 3: anchor a is ended and was not open"),
    ];
    for (source, expected) in cases {
        let error = anchors(source).expect_err(source).to_string();
        assert!(error.starts_with(expected), "{source:?}: {error}");
    }
}

#[test]
fn a_missing_anchor_is_told_with_those_that_are_there() {
    let error = excerpt(SOURCE, "inne").expect_err("there is none").to_string();
    assert_eq!(error, "there is no anchor inne; the file has outer, inner");
    let error = excerpt("fn a() {}\n", "a").expect_err("there is none").to_string();
    assert_eq!(error, "there is no anchor a; the file has none");
}

#[test]
fn includes_of_a_page_with_their_lines() {
    let page = "# T\n\n{{#include ../a.rs:one}} and {{#include b.yaml}}\n\\{{#include c}}\n{{#minutes}} {{#include open\n";
    let found: Vec<(usize, &str, Option<&str>)> =
        Vec::from_iter([(3, "../a.rs", Some("one")), (3, "b.yaml", None)]);
    let includes = includes(page);
    let seen: Vec<_> = includes.iter().map(|i| (i.line, i.path.as_str(), i.anchor.as_deref())).collect();
    assert_eq!(seen, found);
    assert_eq!(&page[includes[1].span.clone()], "{{#include b.yaml}}");
}

#[test]
fn a_page_is_resolved_against_its_own_directory() {
    let root = tempfile::tempdir().expect("a directory");
    let pages = root.path().join("src");
    fs::create_dir(&pages).expect("a directory");
    fs::write(root.path().join("a.rs"), SOURCE).expect("a file");
    let page = "```rust\n{{#include ../a.rs:outer}}\n```\nend\n";
    let resolved = resolve(page, &pages).expect("all is there");
    assert_eq!(resolved, "```rust\nfn one() {\n    two();\n}\n```\nend\n");

    let error = resolve("\n{{#include ../a.rs:gone}}", &pages).expect_err("no anchor");
    assert_eq!(error.line(), 2);
    assert!(error.to_string().starts_with("line 2: include of ../a.rs: there is no anchor gone"), "{error}");
    let error = resolve("{{#include gone.rs:a}}", &pages).expect_err("no file");
    assert!(error.to_string().starts_with("line 1: include of gone.rs: No such file"), "{error}");
}
