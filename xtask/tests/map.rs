//! The map between the Go source and this one, as it stands in the clone, and `cargo xtask map` as a person asks it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use course::map::{Map, Status, Totals, render};

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

fn map() -> Map {
    Map::load(&root()).expect("a map")
}

fn ask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).arg("map").args(arguments).output().expect("xtask runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn every_name_on_the_map_is_there_and_every_go_file_is_mirrored_or_left_out() {
    let problems: Vec<String> = map().check().iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn the_map_covers_the_whole_kubelet_and_the_sums_add_up() {
    let map = map();
    let rows = map.parity();
    let totals = Totals::of(&rows);
    assert_eq!(totals.directories.iter().sum::<usize>(), rows.len());
    assert!(rows.iter().any(|row| row.directory == "pkg/kubelet/pleg" && row.status == Status::Mirrored));
    assert!(rows.iter().any(|row| row.directory == "pkg/kubelet/prober" && row.status == Status::ToCome));
    let counted = |row: &&course::map::DirectoryParity<'_>| row.mirrored_lines > row.code_lines;
    assert_eq!(rows.iter().filter(counted).count(), 0, "a part is never more than its whole");
}

#[test]
fn every_crate_has_a_table_and_a_ledger_for_its_chapter() {
    let map = map();
    for krate in map.crates.iter().filter(|krate| krate.floor != course::map::Floor::Dev) {
        let table = render::gomap(&map, &krate.name).expect("a table");
        assert!(table.starts_with("| here | Go |"), "{}: {table}", krate.name);
        let ledger = render::ledger(&map, &krate.name).expect("a ledger");
        assert!(ledger.contains("**Left out.**"), "{} has no section `# Left out` at its top", krate.name);
    }
}

#[test]
fn every_recording_is_played_or_waits_for_something_that_is_named() {
    let played = map().played().expect("the list");
    let mut listed: Vec<String> = played.iter().map(|recording| recording.recording.clone()).collect();
    listed.sort();
    let mut there: Vec<String> = std::fs::read_dir(root().join("recordings"))
        .expect("recordings")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".cri.jsonl").map(str::to_owned))
        .collect();
    there.sort();
    assert_eq!(listed, there, "left, recordings/played.txt; right, the recordings");
    assert!(played.iter().all(|recording| recording.calls > 0), "{played:?}");
}

#[test]
fn a_go_symbol_leads_to_ours_and_ours_leads_back() {
    let there = ask(&["computePodActions"]);
    let said = text(&there.stdout);
    assert!(there.status.success());
    assert!(said.contains("pkg/kubelet/kuberuntime/kuberuntime_manager.go:1175"), "{said}");
    assert!(said.contains("kuberuntime: compute_pod_actions (crates/kuberuntime/src/actions.rs:"), "{said}");
    assert!(said.contains("blob/v1.36.2/pkg/kubelet/kuberuntime/kuberuntime_manager.go#L1175"), "{said}");

    let back = ask(&["compute_pod_actions", "--json"]);
    let answers: serde_json::Value = serde_json::from_slice(&back.stdout).expect("JSON");
    assert_eq!(answers[0]["kind"], "item");
    let go = &answers[0]["pairs"][0]["go"];
    assert_eq!(
        go,
        "pkg/kubelet/kuberuntime/kuberuntime_manager.go#kubeGenericRuntimeManager.computePodActions"
    );
}

#[test]
fn a_file_that_is_still_to_come_says_with_what() {
    let asked = ask(&["prober/worker.go"]);
    assert_eq!(
        text(&asked.stdout),
        "pkg/kubelet/prober/worker.go (402 lines)\n  to come with prober: probes\n"
    );
}

#[test]
fn a_name_that_is_nearly_right_is_answered_with_the_right_one() {
    let asked = ask(&["computePodActons"]);
    assert_eq!(asked.status.code(), Some(1));
    let said = text(&asked.stderr);
    assert!(said.starts_with("nothing on the map is called computePodActons\nperhaps:\n"), "{said}");
    assert!(said.contains("  cargo xtask map computePodActions\n"), "{said}");
}

#[test]
fn without_a_question_each_directory_has_a_line() {
    let asked = ask(&[]);
    let said = text(&asked.stdout);
    let line = said.lines().find(|line| line.contains(" pkg/kubelet/prober/results ")).expect("a line");
    assert!(line.contains("0/1") && line.ends_with("to come   with prober"), "{line}");
}
