use std::path::Path;

use super::*;

const GOOD: &str = r#"
id = "04"
title = "What next?"
crate = "kuberuntime"
minutes = 75
failing = 17
needs = ["02"]
concepts = ["pod status"]
dependencies = ["serde"]
go = ["pkg/kubelet/kuberuntime/kuberuntime_manager.go#computePodActions"]
hints = ["one", "two", "three"]

[[region]]
anchor = "lab04_actions"
file = "src/actions.rs"
functions = ["compute_pod_actions"]

[[mutant]]
file = "restarts.rs"
region = "lab04_actions"
wrong = "restarts a container that is running"
case = "running"
visible = true
"#;

fn workspace(labs: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a directory");
    for (name, manifest) in labs {
        let dir = root.path().join("labs").join(name);
        std::fs::create_dir_all(&dir).expect("made");
        std::fs::write(dir.join("lab.toml"), manifest).expect("written");
    }
    std::fs::write(root.path().join("labs/snapshots.lock"), "").expect("written");
    root
}

#[test]
fn a_lab_is_read_and_found_by_each_of_its_names() {
    let tour = "id = \"00\"\ntitle = \"Look around\"\nkind = \"tour\"\nminutes = 30\n";
    let root = workspace(&[("04-what-a-pod-needs", GOOD), ("00-guided-tour", tour)]);
    let ids: Vec<String> = all(root.path()).expect("read").into_iter().map(|lab| lab.id).collect();
    assert_eq!(ids, ["00", "04"]);
    for asked in ["04", "4", "04-what-a-pod-needs", "labs/04-what-a-pod-needs/"] {
        let lab = one(root.path(), asked).expect(asked);
        assert_eq!((lab.id.as_str(), lab.kind), ("04", Kind::Code), "{asked}");
        assert_eq!(lab.region("lab04_actions").map(|r| r.file.as_path()), Some(Path::new("src/actions.rs")));
        assert_eq!((lab.first_hint(), lab.mutants[0].visible), ("one", true));
    }
    let unknown = one(root.path(), "9").expect_err("there is none");
    assert_eq!(unknown.to_string(), "there is no lab 9; there are 00, 04");
    assert!(one(root.path(), "").is_err());
}

#[test]
fn a_lab_that_says_too_little_or_nonsense_is_an_error_that_names_file_and_reason() {
    for (from, to, reason) in [
        ("id = \"04\"", "id = \"4\"", "must be two digits"),
        ("id = \"04\"", "id = \"05\"", "the folder of lab 05 must be called 05-"),
        (", \"three\"]", "]", "hints must be three"),
        ("minutes = 75", "minuets = 75", "unknown field `minuets`"),
        ("crate = \"kuberuntime\"\n", "", "needs `crate`"),
        ("anchor = \"lab04_actions\"", "anchor = \"lab05_actions\"", "must begin with lab04_"),
        ("functions = [\"compute_pod_actions\"]", "functions = []", "names no function"),
        ("src/actions.rs", "../other/src/lib.rs", "must lie in the crate"),
        ("region = \"lab04_actions\"", "region = \"lab04_other\"", "no region of this lab"),
        ("minutes = 75", "minutes = 75\nkind = \"tour\"", "a tour has no crate"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let root = workspace(&[("04-what-a-pod-needs", &text)]);
        let error = all(root.path()).expect_err(reason).to_string();
        assert!(error.contains(reason) && error.contains("lab.toml: "), "{reason}: {error}");
    }
}

#[test]
fn two_labs_of_one_id_are_an_error() {
    let root = workspace(&[("04-a", GOOD), ("04-b", GOOD)]);
    let error = all(root.path()).expect_err("twice").to_string();
    assert!(error.contains("has the id 04 too"), "{error}");
}

#[test]
fn the_folder_of_a_crate_comes_from_the_root_manifest() {
    let root = workspace(&[("04-what-a-pod-needs", GOOD)]);
    let lab = one(root.path(), "04").expect("read");
    let manifest = root.path().join("Cargo.toml");
    std::fs::write(&manifest, "[workspace.dependencies]\nkuberuntime = { path = \"crates/k\" }\n")
        .expect("written");
    assert_eq!(lab.crate_dir(root.path()).expect("found"), Some(root.path().join("crates/k")));
    std::fs::write(&manifest, "[workspace.dependencies]\nkuberuntime = \"1\"\n").expect("written");
    let error = lab.crate_dir(root.path()).expect_err("no path").to_string();
    assert!(error.contains("no path for kuberuntime, the crate of lab 04"), "{error}");
}
