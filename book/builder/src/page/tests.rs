use std::fs;

use super::*;

struct Clone {
    directory: tempfile::TempDir,
}

/// A clone with one source, one lab and no more.
fn clone() -> Clone {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |path: &str, text: &str| {
        let file = directory.path().join(path);
        fs::create_dir_all(file.parent().expect("inside")).expect("a directory");
        fs::write(file, text).expect("a file");
    };
    write("crates/a/src/lib.rs", "mod x;\n// ANCHOR: one\nfn one() {\n    1;\n}\n// ANCHOR_END: one\n");
    write("book/src/crates/a.md", "# A\n");
    write("versions.toml", "[kubernetes]\nversion = \"v1.2.3\"\n[containerd]\ntested = [\"1\", \"2\"]\n");
    write(
        "labs/01-first/lab.toml",
        "id = \"01\"\ntitle = \"First\"\nkind = \"tour\"\nminutes = 30\nfailing = 0\ngo = []\n",
    );
    write(
        "labs/01-first/README.md",
        "# Lab 01 · First\n\nSee [the map](../../book/src/map.md#a), [me](README.md), \
         [the code](../../crates/a/src/lib.rs) and [out](https://example.com).\n",
    );
    Clone { directory }
}

impl Clone {
    fn page(&self, path: &str, text: &str) -> (String, Vec<String>) {
        let views = Views::read(self.directory.path());
        let mut pages = Pages::new(&views);
        let made = pages.make(Path::new(path), text);
        (made, pages.problems.iter().map(ToString::to_string).collect())
    }
}

#[test]
fn an_included_block_has_its_code_and_says_where_it_is_from() {
    let (made, problems) =
        clone().page("crates/a.md", "# A\n\n```rust\n{{#include ../../../crates/a/src/lib.rs:one}}\n```\n");
    assert_eq!(
        made,
        "# A\n\n<div class=\"listing\"><p class=\"caption\"><code>crates/a/src/lib.rs</code>, lines 3 to 5</p>\n\n\
         ```rust\nfn one() {\n    1;\n}\n```\n\n</div>\n\n"
    );
    assert_eq!(problems, [""; 0]);
}

#[test]
fn a_block_of_several_pieces_names_each() {
    let one = "{{#include ../../crates/a/src/lib.rs:one}}";
    let (made, _) = clone()
        .page("a.md", &format!("```rust\n{one}\n\n{one}\n{{{{#include ../../versions.toml}}}}\n```\n"));
    let caption = "<code>crates/a/src/lib.rs</code>, lines 3 to 5 and 3 to 5; <code>versions.toml</code></p>";
    assert!(made.contains(caption), "{made}");
    let (made, _) = clone().page("a.md", &format!("```rust\nlet a = 1;\n{one}\n```\n"));
    assert!(made.starts_with("```rust\nlet a"), "{made}");
}

#[test]
fn what_the_reader_types_says_where() {
    let page = "```rust,workbook=crates/a/src/lib.rs,function=one\n{{#include ../../crates/a/src/lib.rs:one}}\n```\n";
    let (made, _) = clone().page("a.md", page);
    assert!(
        made.contains("you write <code>one</code> in <code>workbook/crates/a/src/lib.rs</code>"),
        "{made}"
    );
    assert!(made.contains("```rust\nfn one"), "{made}");
}

#[test]
fn an_include_in_a_list_keeps_the_indentation() {
    let page = "- do\n\n  ```rust\n  {{#include ../../crates/a/src/lib.rs:one}}\n  ```\n";
    let (made, _) = clone().page("a.md", page);
    assert!(made.contains("\n  ```rust\n  fn one() {\n      1;\n  }\n  ```\n"), "{made}");
}

#[test]
fn what_does_not_exist_is_a_problem_with_its_line() {
    let page = "# A\n\n{{#include ../../crates/a/src/lib.rs:two}}\n{{#include no.rs}}\n{{#lab 07}}\n{{#nothing}}\n\
                {{#version kubernetes.api}}\n";
    let (_, problems) = clone().page("a.md", page);
    let expected = [
        "book/src/a.md:3: include of ../../crates/a/src/lib.rs: there is no anchor two; the file has one",
        "book/src/a.md:4: include of no.rs: No such file or directory (os error 2)",
        "book/src/a.md:5: {{#lab 07}}: there is no lab 07; labs are 01",
        "book/src/a.md:6: {{#nothing}}: there is no such directive",
        "book/src/a.md:7: {{#version kubernetes.api}}: versions.toml has no kubernetes.api",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn a_lab_is_its_readme_with_links_that_are_right_in_the_book() {
    let (made, problems) = clone().page("labs/01.md", "{{#lab 01}}\n");
    assert_eq!(
        made,
        "# Lab 01 · First\n\nSee [the map](../map.md#a), [me](01.md), the code and [out](https://example.com).\n\n"
    );
    assert_eq!(problems, [""; 0]);
}

#[test]
fn a_lab_ends_with_the_rules_of_its_shown_cases() {
    let clone = clone();
    let write = |path: &str, text: &str| {
        let file = clone.directory.path().join(path);
        fs::create_dir_all(file.parent().expect("inside")).expect("a directory");
        fs::write(file, text).expect("a file");
    };
    write("labs/01-first/cases/a.yaml", "- {case: x, rule: a rule, go: pkg/a.go#f, input: {b: 1}}\n");
    write("labs/01-first/hidden/a.yaml", "- {case: y, rule: a hidden rule, go: pkg/a.go, input: 1}\n");
    let (_, problems) = clone.page("labs/01.md", "{{#lab 01}}\n");
    assert!(
        problems.len() == 1 && problems[0].contains("kubelet-map"),
        "the rules need the map: {problems:?}"
    );

    let symbols = "path\tkind\treceiver\tname\tline\tvisibility\n";
    write(
        "kubelet-map/index.tsv",
        "path\tlines\torigin\tcode_lines\tnote\tbuild_constraint\npkg/a.go\t9\tupstream\t5\t\t\n",
    );
    write("kubelet-map/symbols.tsv", &format!("{symbols}pkg/a.go\tfunc\t\tf\t7\tunexported\n"));
    write("kubelet-map/more.tsv", symbols);
    write("kubelet-map/left-out.toml", "[planned]\n");
    let (made, problems) = clone.page("labs/01.md", "{{#lab 01}}\n");
    assert_eq!(problems, [""; 0]);
    assert!(
        made.ends_with(
            "| a rule | [`f`](https://github.com/kubernetes/kubernetes/blob/v1.2.3/pkg/a.go#L7) |\n\n"
        ),
        "{made}"
    );
    assert!(!made.contains("hidden rule"), "{made}");
}

#[test]
fn versions_and_the_list_of_labs() {
    let page =
        "{{#version kubernetes}}, {{#version containerd.tested}}, \\{{#version x}}, `{{ }}`\n\n{{#labs}}\n";
    let (made, problems) = clone().page("labs/index.md", page);
    assert_eq!(problems, [""; 0]);
    assert!(made.starts_with("v1.2.3, 1, 2, {{#version x}}, `{{ }}`\n\n| lab |"), "{made}");
    assert!(made.contains("\n| [01 · First](01.md) | a tour, nothing to write | 30 |\n"), "{made}");
}

#[test]
fn minutes_count_what_is_included() {
    let (short, _) = clone().page("a.md", "{{#minutes}}\n");
    assert!(short.starts_with("<p class=\"minutes\">1 minute to read"), "{short}");
    let page = format!(
        "{{{{#minutes}}}}\n\n{}",
        "```rust\n{{#include ../../crates/a/src/lib.rs:one}}\n```\n\n".repeat(10)
    );
    let (long, _) = clone().page("a.md", &page);
    assert!(long.starts_with("<p class=\"minutes\">2 minutes to read"), "{long}");
}

#[test]
fn a_directive_inside_of_a_block_is_text() {
    let page = "```text\n{{#labs}}\n```\n";
    assert_eq!(clone().page("a.md", page).0, page);
}
