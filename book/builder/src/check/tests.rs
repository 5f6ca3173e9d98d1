use super::*;

/// A workspace in a directory of its own, with the files of a small book that is in order.
struct Fixture {
    directory: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { directory: tempfile::tempdir().expect("a directory") };
        fixture.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
        for (name, floor) in [("a", "1"), ("help", "\"dev\"")] {
            fixture.write(
                &format!("crates/{name}/Cargo.toml"),
                &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n[package.metadata.podwright]\nfloor = {floor}\n"),
            );
            fixture.write(
                &format!("crates/{name}/src/lib.rs"),
                "// ANCHOR: one\nfn one() {}\n// ANCHOR_END: one\n",
            );
        }
        fixture.write("crates/help/src/lib.rs", "\n");
        fixture.write("deploy/a.yaml", "a: 1\n");
        fixture.write("labs/README.md", "# Labs\n");
        for document in DOCUMENTS {
            fixture.write(document, "# A document\n\n[here](#a-document)\n");
        }
        fixture.write("book/src/SUMMARY.md", "# Summary\n\n[A](crates/a.md)\n[Glossary](glossary.md)\n");
        fixture.write(
            "book/src/crates/a.md",
            "# A\n\n{{#minutes}}\n\nA relist.\n\n```rust\n{{#include ../../../crates/a/src/lib.rs:one}}\n```\n",
        );
        fixture.write(
            "book/src/glossary.md",
            "# Glossary\n\n{{#minutes}}\n\nrelist\n: A look. See [a](crates/a.md).\n",
        );
        fixture.write("target/book/crates/a.html", "<h1 id=\"a\">A</h1>");
        fixture.write(
            "target/book/glossary.html",
            "<h1 id=\"glossary\">Glossary</h1>\n<a href=\"crates/a.html#a\">a</a>",
        );
        fixture
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.directory.path().join(path);
        fs::create_dir_all(file.parent().expect("inside")).expect("a directory");
        fs::write(file, text).expect("a file");
    }

    fn append(&self, path: &str, text: &str) {
        let file = self.directory.path().join(path);
        let before = fs::read_to_string(&file).expect("a file");
        fs::write(file, before + text).expect("a file");
    }

    fn problems(&self) -> Vec<String> {
        let root = self.directory.path();
        let built = Built { directory: root.join("target/book"), problems: Vec::new() };
        let problems = check(root, &built).expect("it can be read");
        problems.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn a_book_in_order_has_no_problems() {
    assert_eq!(Fixture::new().problems(), [""; 0]);
}

#[test]
fn an_anchor_that_nobody_shows_and_one_that_is_no_pair() {
    let fixture = Fixture::new();
    fixture.append("crates/a/src/lib.rs", "// ANCHOR: two\n// ANCHOR_END: two\n");
    fixture.write("crates/help/src/lib.rs", "\n// ANCHOR: open\n");
    assert_eq!(
        fixture.problems(),
        [
            "crates/a/src/lib.rs:4: no page shows anchor two and no lab has it as a region; remove it",
            "crates/help/src/lib.rs:2: anchor open is opened and never ended; write `ANCHOR_END: open` behind it",
        ]
    );
}

#[test]
fn a_page_shows_no_more_code_than_can_be_taken_in() {
    let fixture = Fixture::new();
    let long = "fn a() {}\n".repeat(41);
    fixture.write("crates/a/src/lib.rs", &format!("// ANCHOR: one\n{long}// ANCHOR_END: one\n"));
    let expected =
        "book/src/crates/a.md:8: crates/a/src/lib.rs: one is 41 lines, more than 40; show less of it";
    assert_eq!(fixture.problems(), [expected]);
}

#[test]
fn links_that_lead_nowhere() {
    let fixture = Fixture::new();
    fixture.append(
        "book/src/crates/a.md",
        "\n[gone](gone.md) [up](../glossary.md#no) [here](#a) [out](../../../crates/a) [ftp](ftp://a.b)\n[fine](https://a.b)\n",
    );
    fixture.append(
        "README.md",
        "[me](#a-document) [not me](#other) [page](book/src/glossary.md#glossary) [abs](/etc)\n",
    );
    fixture.append("labs/README.md", "\n[named][there]\n\n[there]: README.md\n");
    assert_eq!(
        fixture.problems(),
        [
            "README.md:4: link to #other: README.md has no heading #other",
            "README.md:4: link to /etc: a path from the root is right on no reader's machine; make it relative",
            "book/src/crates/a.md:11: link to ../../../crates/a: it leads out of the book, where a reader of the built \
             book cannot go; name the path in the text",
            "book/src/crates/a.md:11: link to ../glossary.md#no: book/src/glossary.md has no heading #no",
            "book/src/crates/a.md:11: link to ftp://a.b: its scheme is neither https nor http",
            "book/src/crates/a.md:11: link to gone.md: there is no book/src/crates/gone.md",
            "labs/README.md:3: link to README.md: write it as [text](path), so that the book can lead it elsewhere",
        ]
    );
}

#[test]
fn links_of_what_was_built_are_followed_too() {
    let fixture = Fixture::new();
    fixture
        .append("target/book/glossary.html", "\n<a href=\"b.html\">b</a> <a href=\"crates/a.html#z\">z</a>");
    assert_eq!(
        fixture.problems(),
        [
            "target/book/glossary.html:3: link to b.html: there is no b.html",
            "target/book/glossary.html:3: link to crates/a.html#z: crates/a.html has no #z",
        ]
    );
}

#[test]
fn markdown_that_was_not_understood() {
    let fixture = Fixture::new();
    let page = "<h1>\n** menu\n<main>\n<p>fine</p><pre>\n**code**\n</pre>\n<p>[a]\n(b) [c](d)\n\
                <td>{{<b>#labs}}</b></td> <code>**</code></main> **";
    fixture.write("target/book/crates/b.html", page);
    assert_eq!(
        fixture.problems(),
        [
            "target/book/crates/b.html:8: the page shows what was typed: (b) [c](d)",
            "target/book/crates/b.html:9: the page shows what was typed: {{#labs}}",
        ]
    );
}

#[test]
fn a_page_without_a_place_a_title_or_its_minutes() {
    let fixture = Fixture::new();
    fixture.write("book/src/lost.md", "Words.\n");
    fixture.write("book/src/SUMMARY.md", "# Summary\n\n[Glossary](glossary.md)\n");
    assert_eq!(
        fixture.problems(),
        [
            "book/src/SUMMARY.md:1: crate a has no chapter; write book/src/crates/a.md",
            "book/src/crates/a.md:1: SUMMARY.md does not list crates/a.md: nobody finds it",
            "book/src/lost.md:1: SUMMARY.md does not list lost.md: nobody finds it",
            "book/src/lost.md:1: the page does not say how long it takes; write {{#minutes}} on the line under the title",
            "book/src/lost.md:1: the page has no title; begin it with `# …`",
        ]
    );
}

#[test]
fn a_lab_has_a_page_under_its_own_name() {
    let fixture = Fixture::new();
    let lab = |id: &str| {
        let toml =
            format!("id = \"{id}\"\ntitle = \"T\"\nkind = \"tour\"\nminutes = 30\nfailing = 0\ngo = []\n");
        fixture.write(&format!("labs/{id}-t/lab.toml"), &toml);
    };
    lab("01");
    lab("02");
    fixture.write("book/src/labs/01.md", "{{#lab 01}}\n");
    fixture.write("target/book/labs/01.html", "");
    fixture.append("book/src/SUMMARY.md", "[01 · Other](labs/01.md)\n");
    assert_eq!(
        fixture.problems(),
        [
            "book/src/SUMMARY.md:1: lab 02 has no page; write {{#lab 02}} into book/src/labs/02.md",
            "book/src/SUMMARY.md:5: the lab is called \"01 · T\"",
        ]
    );
}

#[test]
fn terms_that_are_unused_untaught_twice_or_out_of_place() {
    let fixture = Fixture::new();
    let terms = "\npod\n: A thing.\n\nbird\n: A bird, see [a](crates/a.md).\n\nRelist\n: Again, see [a](crates/a.md).\n";
    fixture.append("book/src/glossary.md", terms);
    assert_eq!(
        fixture.problems(),
        [
            "book/src/glossary.md:8: no page uses pod; remove it, or use it",
            "book/src/glossary.md:8: pod belongs before relist",
            "book/src/glossary.md:8: pod leads to no page that teaches it",
            "book/src/glossary.md:11: bird belongs before pod",
            "book/src/glossary.md:11: no page uses bird; remove it, or use it",
            "book/src/glossary.md:14: Relist is explained already, at line 5",
        ]
    );
}
