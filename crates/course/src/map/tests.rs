//! A map of a workspace of one crate and one lab, and what the check says when something in it does not hold.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Answer, Map, Status, Totals, render};

const CARGO: &str = r#"
[package]
name = "pleg"

[package.metadata.podwright]
floor = 1

[package.metadata.kubelet]
go = ["pkg/kubelet/pleg"]
symbols = [
  { go = "pkg/kubelet/pleg/generic.go#computeEvents", rust = "compare" },
  { go = "pkg/kubelet/pleg/pleg.go", rust = "Event" },
]
"#;

const LIB: &str = "//! What changed? The second sentence.\n//!\n//! | here | Go |\n//! |---|---|\n\
                   //! | [`compare`] | `pleg/generic.go: computeEvents` |\n//! | [`Event`] | `pleg.go` |\n//!\n\
                   //! # Left out\n//!\n//! Until later:\n//! - metrics, see [`Event`];\n//! - more.\n\n\
                   /// Compares.\npub fn compare() {}\n/// One | change.\npub struct Event;\n";

const LEFT_OUT: &str = "[planned]\nprober = \"probes\"\n\n\
                        [[left-out]]\npath = \"pkg/kubelet/prober/...\"\nreason = \"probes\"\ncomes_with = \"prober\"\n\n\
                        [[left-out]]\npath = \"pkg/kubelet/pleg/evented.go\"\nreason = \"events\"\n\n\
                        [[left-out]]\npath = \"pkg/kubelet/winstats\"\nreason = \"Windows\"\n";

const LAB: &str = "id = \"07\"\ntitle = \"What changed?\"\ncrate = \"pleg\"\nminutes = 30\n\
                   go = [\"pkg/kubelet/pleg/generic.go#computeEvents\"]\nhints = [\"a\", \"b\", \"c\"]\n\n\
                   [[region]]\nanchor = \"lab07_compare\"\nfile = \"src/lib.rs\"\nfunctions = [\"compare\"]\n";

const FILES: &[(&str, &str)] = &[
    ("versions.toml", "[kubernetes]\nversion = \"v1.36.2\"\n"),
    (
        "kubelet-map/index.tsv",
        "path\tlines\torigin\tcode_lines\tnote\tbuild_constraint\n\
         pkg/kubelet/pleg/doc.go\t20\tupstream\t1\t\t\n\
         pkg/kubelet/pleg/evented.go\t400\tupstream\t288\t\t\n\
         pkg/kubelet/pleg/generic.go\t600\tupstream\t449\t\t\n\
         pkg/kubelet/pleg/pleg.go\t90\tupstream\t35\t\t\n\
         pkg/kubelet/prober/results/results_manager.go\t120\tupstream\t85\t\t\n\
         pkg/kubelet/prober/worker.go\t402\tupstream\t264\t\t\n\
         pkg/kubelet/winstats/doc.go\t20\tupstream\t7\t\t\n\
         pkg/kubelet/winstats/winstats.go\t200\tupstream\t150\t\twindows\n",
    ),
    (
        "kubelet-map/symbols.tsv",
        "path\tkind\treceiver\tname\tline\tvisibility\n\
         pkg/kubelet/pleg/generic.go\tfunc\t\tcomputeEvents\t480\tunexported\n\
         pkg/kubelet/pleg/generic.go\tmethod\tGenericPLEG\tRelist\t292\texported\n\
         pkg/kubelet/prober/worker.go\tmethod\tworker\tdoProbe\t200\tunexported\n",
    ),
    ("kubelet-map/more.tsv", "path\tkind\treceiver\tname\tline\tvisibility\n"),
    ("kubelet-map/left-out.toml", LEFT_OUT),
    ("crates/pleg/Cargo.toml", CARGO),
    ("crates/pleg/src/lib.rs", LIB),
    ("labs/07-what-changed/lab.toml", LAB),
    (
        "labs/07-what-changed/cases/a.yaml",
        "- case: a\n  rule: r\n  go: pkg/kubelet/pleg/generic.go#GenericPLEG.Relist\n  input: {}\n",
    ),
    (
        "labs/07-what-changed/check.rs",
        "fn main() { property(\"pkg/kubelet/pleg/generic.go#computeEvents\") }\n",
    ),
    ("recordings/played.txt", "# list\n01-minimal  played\n08-volumes  waits for volumes\n"),
    ("recordings/differences.txt", "01-minimal: x is 1, not 2\n"),
    ("recordings/01-minimal.cri.jsonl", "{\"call\": \"RunPodSandbox\"}\n{\"call\": \"StartContainer\"}\n"),
    ("recordings/08-volumes.cri.jsonl", "{\"call\": \"RunPodSandbox\"}\n"),
];

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("written");
}

fn workspace() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in FILES {
        write(folder.path(), path, text);
    }
    folder
}

fn map_of(folder: &TempDir) -> Map {
    Map::load(folder.path()).expect("a map")
}

/// What the check says after `from` has become `to` in one file.
fn problems(path: &str, from: &str, to: &str) -> Vec<String> {
    let folder = workspace();
    let text = fs::read_to_string(folder.path().join(path)).unwrap_or_default();
    assert!(text.contains(from), "{path} has {from:?}");
    write(folder.path(), path, &text.replacen(from, to, 1));
    map_of(&folder).check().iter().map(ToString::to_string).collect()
}

#[test]
fn a_map_that_holds_has_no_problems() {
    assert_eq!(map_of(&workspace()).check(), []);
}

#[test]
fn each_thing_that_does_not_hold_is_said_with_its_place() {
    let cargo = "crates/pleg/Cargo.toml";
    let lib = "crates/pleg/src/lib.rs";
    let left = "kubelet-map/left-out.toml";
    let lab = "labs/07-what-changed/lab.toml";
    for (path, from, to, expected) in [
        (
            cargo,
            "#computeEvents",
            "#computeEvent",
            "has no symbol computeEvent in v1.36.2; perhaps computeEvents",
        ),
        (
            cargo,
            "pleg/pleg.go",
            "pleg/plegs.go",
            "Cargo.toml: there is no pkg/kubelet/pleg/plegs.go in the tables of v1.36.2; perhaps",
        ),
        (cargo, "go = [\"pkg/kubelet/pleg\"]", "go = [\"pkg/kubelet/plug\"]", "there is no pkg/kubelet/plug"),
        (cargo, "rust = \"compare\"", "rust = \"compares\"", "pleg has no item compares; perhaps compare"),
        (
            cargo,
            "rust = \"Event\" },",
            "rust = \"Event\" },\n  { go = \"pkg/kubelet/pleg/pleg.go\", rust = \"Event\" },",
            "pkg/kubelet/pleg/pleg.go stands there twice",
        ),
        (cargo, "floor = 1", "floor = 1\nno_lab = \"small\"", "it says no_lab, and there is one"),
        (lib, "`pleg.go`", "`pleg.go`, `evented.go`", "lib.rs:6: the table names evented.go"),
        (
            lib,
            "generic.go: computeEvents",
            "generic.go: relist",
            "lib.rs:5: the table names pleg/generic.go: relist",
        ),
        (
            lib,
            "//! | [`Event`] | `pleg.go` |\n",
            "",
            "Cargo.toml names pkg/kubelet/pleg/pleg.go, and the table at the top does not mention its file",
        ),
        (
            lib,
            "pub struct Event;",
            "pub struct Event;\nmod a { pub struct Event; }",
            "Event means several items of pleg",
        ),
        (
            left,
            "pleg/evented.go",
            "pleg/generic.go",
            "pkg/kubelet/pleg/evented.go is neither mirrored by a crate nor left out",
        ),
        (
            left,
            "pleg/evented.go",
            "pleg/generic.go",
            "pkg/kubelet/pleg/generic.go is left out, and a crate mirrors a symbol of it",
        ),
        (
            left,
            "pleg/evented.go",
            "pleg",
            "pkg/kubelet/pleg is left out, and a crate says that it mirrors it",
        ),
        (
            left,
            "pkg/kubelet/winstats",
            "pkg/kubelet/prober/results",
            "pkg/kubelet/winstats/doc.go is neither",
        ),
        (left, "pkg/kubelet/winstats", "pkg/kubelet/wins", "there is no pkg/kubelet/wins"),
        (left, "reason = \"events\"", "reason = \" \"", "evented.go has no reason"),
        (
            left,
            "comes_with = \"prober\"",
            "comes_with = \"probes\"",
            "comes with probes, which is neither a crate nor in [planned]",
        ),
        (left, "comes_with = \"prober\"\n", "", "prober is in [planned], and nothing comes with it"),
        (
            left,
            "prober = \"probes\"",
            "prober = \"probes\"\npleg = \"x\"",
            "pleg is in [planned], and it is there by now",
        ),
        (
            left,
            "path = \"pkg/kubelet/winstats\"",
            "path = \"pkg/kubelet/prober/...\"\nreason = \"x\"\n\n[[left-out]]\npath = \"pkg/kubelet/winstats\"",
            "prober/... stands there twice",
        ),
        (
            lab,
            "go#computeEvents",
            "go#computeEvint",
            "lab.toml: pkg/kubelet/pleg/generic.go has no symbol computeEvint",
        ),
        (lab, "crate = \"pleg\"", "crate = \"plog\"", "lab.toml: there is no crate plog"),
        (lab, "crate = \"pleg\"", "crate = \"plog\"", "crates/pleg/Cargo.toml: no lab is about this crate"),
        (lab, "minutes = 30\n", "", "labs: "),
        (
            "labs/07-what-changed/cases/a.yaml",
            "Relist",
            "Relisst",
            "cases/a.yaml: pkg/kubelet/pleg/generic.go has no symbol GenericPLEG.Relisst",
        ),
        (
            "labs/07-what-changed/cases/a.yaml",
            "  go: pkg/kubelet/pleg/generic.go#GenericPLEG.Relist\n",
            "",
            "case a names no `go: path#symbol`",
        ),
        (
            lib,
            "/// Compares.",
            "/// Mirrors `generic.go: relist`.",
            "lib.rs:14: generic.go has no symbol relist in v1.36.2",
        ),
        (
            lib,
            "/// Compares.",
            "/// Mirrors `generics.go`.",
            "lib.rs:14: generics.go is not in the tables of v1.36.2",
        ),
        (lib, "/// Compares.", "/// Mirrors `pleg.go: doProbe`.", "it is in pkg/kubelet/prober/worker.go"),
        (
            "labs/07-what-changed/check.rs",
            "#computeEvents",
            "#gone",
            "check.rs: pkg/kubelet/pleg/generic.go has no symbol gone",
        ),
    ] {
        let problems = problems(path, from, to);
        assert!(
            problems.iter().any(|problem| problem.contains(expected)),
            "{path}, {from:?} → {to:?}: expected {expected:?} in {problems:#?}"
        );
    }
}

#[test]
fn a_table_that_cannot_be_read_is_named_with_its_line() {
    let folder = workspace();
    write(folder.path(), "kubelet-map/symbols.tsv", "path\tkind\nonly one cell\n");
    let error = Map::load(folder.path()).expect_err("no map").to_string();
    assert!(error.contains("symbols.tsv:2: not a row of this table"), "{error}");
}

#[test]
fn a_question_is_answered_from_both_sides() {
    let folder = workspace();
    let map = map_of(&folder);
    let names = |asked: &str| -> Vec<String> {
        let one = |answer: &Answer<'_>| match answer {
            Answer::Crate { krate, pairs } => format!("crate {} {}", krate.name, pairs.len()),
            Answer::File { file, pairs, omission, .. } => {
                format!("file {} {} {}", file.path, pairs.len(), omission.map_or("", |o| &o.reason))
            }
            Answer::Symbol { symbol, pairs, file_pairs, .. } => {
                format!("symbol {} {} {}", symbol.full_name(), pairs.len(), file_pairs.len())
            }
            Answer::Directory { path, files, pairs } => {
                format!("directory {path} {} {}", files.len(), pairs.len())
            }
            Answer::Item { item, pairs, .. } => format!("item {}:{} {}", item.file, item.line, pairs.len()),
        };
        map.find(asked).iter().map(one).collect()
    };
    for (asked, expected) in [
        ("pleg", "crate pleg 2"),
        ("pleg/generic.go", "file pkg/kubelet/pleg/generic.go 1 "),
        ("prober/worker.go", "file pkg/kubelet/prober/worker.go 0 probes"),
        ("computeEvents", "symbol computeEvents 1 0"),
        ("computeevents", "symbol computeEvents 1 0"),
        ("Relist", "symbol GenericPLEG.Relist 0 1"),
        ("GenericPLEG.Relist", "symbol GenericPLEG.Relist 0 1"),
        ("generic.go#computeEvents", "symbol computeEvents 1 0"),
        ("kubelet/prober/", "directory pkg/kubelet/prober 1 0"),
        ("compare", "item crates/pleg/src/lib.rs:15 1"),
    ] {
        assert_eq!(names(asked), [expected], "{asked}");
    }
    for (asked, near) in
        [("computEvents", "computeEvents"), ("pleg/generik.go", "pleg/generic.go"), ("plegg", "pleg")]
    {
        assert!(map.find(asked).is_empty(), "{asked}");
        assert_eq!(map.suggestions(asked).first().map(String::as_str), Some(near), "{asked}");
    }
    assert!(map.suggestions("nothing of that kind at all").is_empty());
}

#[test]
fn a_directory_is_mirrored_in_part_to_come_or_left_out() {
    let folder = workspace();
    let map = map_of(&folder);
    let rows = map.parity();
    let short: Vec<_> = rows
        .iter()
        .map(|row| {
            (row.directory, row.status, row.mirrored_files, row.files, row.mirrored_lines, row.symbols)
        })
        .collect();
    assert_eq!(
        short,
        [
            ("pkg/kubelet/pleg", Status::Partly, 2, 3, 484, 1),
            ("pkg/kubelet/prober", Status::ToCome, 0, 1, 0, 0),
            ("pkg/kubelet/prober/results", Status::ToCome, 0, 1, 0, 0),
            ("pkg/kubelet/winstats", Status::LeftOut, 0, 1, 0, 0),
        ]
    );
    assert_eq!(Totals::of(&rows).directories, [0, 1, 2, 1]);
}

#[test]
fn tables_for_the_book_link_to_the_source_and_to_the_chapter() {
    let folder = workspace();
    write(folder.path(), "book/src/crates/pleg.md", "# pleg\n");
    let map = map_of(&folder);
    let url = "https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/kubelet/pleg";
    assert_eq!(
        render::gomap(&map, "pleg").expect("a table"),
        format!(
            "| here | Go | |\n|---|---|---|\n\
             | `compare` | [`pleg/generic.go: computeEvents`]({url}/generic.go#L480) | Compares. |\n\
             | `Event` | [`pleg/pleg.go`]({url}/pleg.go) | One \\| change. |\n"
        )
    );
    assert_eq!(
        render::ledger(&map, "pleg").expect("a ledger"),
        "**Left out.** Until later:\n\n- metrics, see `Event`;\n- more.\n"
    );
    assert!(render::ledgers(&map, "").starts_with("## [pleg](crates/pleg.md)\n\n**Left out.**"));
    let all = render::go_to_rust(&map, "../");
    let row = format!(
        "| [`generic.go: computeEvents`]({url}/generic.go#L480) | `compare` | [pleg](../crates/pleg.md) | [07](../labs/07.md) |"
    );
    assert!(all.contains(&row), "{all}");
    let parity = render::parity(&map, "").expect("a table");
    assert!(
        parity.contains("| partly | 2 of 3 | 484 of 772 | 1 of 2 | [pleg](crates/pleg.md) |"),
        "{parity}"
    );
    assert!(parity.contains("1 of 2 recordings"), "{parity}");
    assert!(
        parity.contains("| `01-minimal` | 2 | yes | 1 |\n| `08-volumes` | 1 | waits for volumes |  |"),
        "{parity}"
    );
    let error = render::gomap(&map, "plegs").expect_err("no such crate").to_string();
    assert_eq!(error, "there is no crate plegs; perhaps pleg");
}
