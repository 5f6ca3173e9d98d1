use super::*;

/// A clone with one crate of two labs, and one crate of the course.
fn clone() -> tempfile::TempDir {
    let root = tempfile::Builder::new().prefix("a clone ").tempdir().expect("a directory");
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\", \"xtask\"]\n\n[workspace.package]\nversion = \"1.2.3\"\n\n[workspace.dependencies]\nk = { path = \"crates/k\" }\n\
             course = { path = \"crates/course\" }\n\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n",
        ),
        ("Cargo.lock", "version = 4\n"),
        ("crates/k/Cargo.toml", "[package]\nname = \"k\"\n"),
        ("crates/k/src/lib.rs", SOURCE),
        ("crates/k/target/junk", "junk"),
        ("crates/course/Cargo.toml", "[package]\nname = \"course\"\n"),
        ("proto/a.proto", "message A {}\n"),
        ("labs/01-one/lab.toml", &lab_toml("01", "lab01_one", "one")),
        ("labs/02-two/lab.toml", &lab_toml("02", "lab02_two", "Two::two")),
    ];
    for (path, text) in files {
        put(&root.path().join(path), text).expect("written");
    }
    root
}

const SOURCE: &str = "\
// ANCHOR: lab01_one
pub fn one() -> u32 {
    1
}
// ANCHOR_END: lab01_one

pub struct Two;

impl Two {
    // ANCHOR: lab02_two
    pub fn two(&self) -> u32 {
        one() + 1
    }
    // ANCHOR_END: lab02_two
}
";

fn lab_toml(id: &str, anchor: &str, function: &str) -> String {
    format!(
        "id = \"{id}\"\ntitle = \"T\"\ncrate = \"k\"\nminutes = 30\nhints = [\"think\", \"look\", \"write\"]\n\
         [[region]]\nanchor = \"{anchor}\"\nfile = \"src/lib.rs\"\nfunctions = [\"{function}\"]\n"
    )
}

fn lab(clone: &Path, id: &str) -> Lab {
    course::lab::one(clone, id).expect("a lab")
}

/// A workbook of this clone, made.
fn made(clone: &Path) -> Workbook {
    let book = Workbook::at(clone.join("target/work book"), clone);
    assert!(!book.exists().expect("nothing is there"));
    book.write().expect("written");
    assert!(book.exists().expect("it is there"));
    book
}

fn source_in(book: &Workbook) -> String {
    read(&book.dir.join("crates/k/src/lib.rs")).expect("read")
}

#[test]
fn a_workbook_has_the_crates_and_nothing_of_the_course() {
    let clone = clone();
    let book = made(clone.path());
    assert_eq!(source_in(&book), SOURCE);
    assert!(book.dir.join("proto/a.proto").is_file());
    for absent in ["crates/course", "labs", "crates/k/target"] {
        assert!(!book.dir.join(absent).exists(), "{absent}");
    }
    let agents = read(&book.dir.join("AGENTS.md")).expect("there");
    assert!(agents.contains(&clone.path().display().to_string()) && !agents.contains("{clone}"));
    let config: toml::Table =
        read(&book.dir.join(".cargo/config.toml")).expect("there").parse().expect("TOML");
    assert_eq!(config["build"]["target-dir"].as_str(), book.target().to_str());
}

#[test]
fn the_crates_of_two_workbooks_are_not_taken_for_one_another() {
    let clone = clone();
    let version = |name: &str| {
        let book = Workbook::at(clone.path().join("target").join(name), clone.path());
        book.write().expect("written");
        let manifest: toml::Table = read(&book.dir.join(MANIFEST)).expect("read").parse().expect("TOML");
        manifest["workspace"]["package"]["version"].as_str().expect("a version").to_owned()
    };
    let (one, two) = (version("one"), version("two"));
    assert!(one.starts_with("1.2.3+workbook.") && two.starts_with("1.2.3+workbook."), "{one} {two}");
    assert_ne!(one, two);
}

#[test]
fn blanking_one_lab_touches_no_other_and_solving_it_gives_back_the_same_bytes() {
    let clone = clone();
    let book = made(clone.path());
    let (one, two) = (lab(clone.path(), "01"), lab(clone.path(), "02"));
    book.blank(&two).expect("blanked");
    let blanked = SOURCE.replace("one() + 1", "todo!(\"lab 02: think\")");
    assert_eq!(source_in(&book), blanked);

    // An editor that ends lines in its own way has written nothing.
    let ends_otherwise = blanked.replace('\n', "\r\n");
    put(&book.dir.join("crates/k/src/lib.rs"), ends_otherwise).expect("written");
    assert!(book.is_untouched(&book.places(&one).expect("places")[0]).expect("read"));

    // The learner writes; then takes the other lab of the same file.
    let written = blanked.replace("todo!(\"lab 02: think\")", "2 // mine");
    put(&book.dir.join("crates/k/src/lib.rs"), &written).expect("written");
    let place = |lab: &Lab| book.places(lab).expect("places").remove(0).path;
    assert_eq!(place(&one), Path::new("crates/k/src/lib.rs"));
    assert!(book.is_untouched(&book.places(&one).expect("places")[0]).expect("read"));
    assert!(!book.is_untouched(&book.places(&two).expect("places")[0]).expect("read"));
    book.blank(&one).expect("blanked");
    assert!(source_in(&book).contains("2 // mine"), "{}", source_in(&book));

    book.solve(&one).and_then(|()| book.solve(&two)).expect("solved");
    assert_eq!(source_in(&book), SOURCE);
}

#[test]
fn a_region_without_its_anchors_is_an_error_that_says_where_they_belong_and_writes_nothing() {
    let clone = clone();
    let book = made(clone.path());
    let lost = SOURCE.replace("// ANCHOR: lab01_one\n", "");
    put(&book.dir.join("crates/k/src/lib.rs"), &lost).expect("written");
    let error = format!("{:#}", book.blank(&lab(clone.path(), "01")).expect_err("no anchor"));
    assert!(error.contains("put them back around one, as in "), "{error}");
    assert!(error.contains("ANCHOR: lab01_one"), "{error}");
    assert_eq!(source_in(&book), lost);
}

#[test]
fn a_folder_that_is_something_else_is_never_written_into() {
    let clone = clone();
    put(&clone.path().join("workbook/thesis.txt"), "the only copy").expect("written");
    for (place, why) in
        [("workbook", "is no whole workbook"), ("proto", "outside of the clone"), ("new", "outside")]
    {
        let error = Workbook::at(clone.path().join(place), clone.path())
            .exists()
            .expect_err("it is taken")
            .to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_workbook_whose_making_was_interrupted_is_made_anew() {
    let clone = clone();
    let book = Workbook::at(clone.path().join("workbook"), clone.path());
    book.begin().expect("begun");
    put(&book.dir.join("crates/k/src/lib.rs"), "pub fn on").expect("half a file");
    assert!(!book.exists().expect("its place is free"));
    book.write().expect("written");
    assert!(!book.exists().expect("it has no history yet"));
    book.end().expect("ended");
    assert!(book.exists().expect("it is there"));
    assert_eq!(source_in(&book), SOURCE);
}

#[test]
fn what_is_missing_is_said_and_an_update_brings_it_back_without_the_answers() {
    let clone = clone();
    let book = made(clone.path());
    let (one, two) = (lab(clone.path(), "01"), lab(clone.path(), "02"));
    book.blank(&one).expect("blanked");
    std::fs::remove_dir_all(book.dir.join("crates/k/src")).expect("removed");
    let error = format!("{:#}", book.solve(&one).expect_err("no file"));
    assert!(error.contains("checkout -- crates/k/src/lib.rs") && error.contains("lab update"), "{error}");
    let said = book.is_behind().expect("a file is missing");
    assert_eq!(
        said,
        "your workbook lacks crates/k/src/lib.rs; `cargo xtask lab update` brings back what it lacks"
    );

    let updated = book.update(std::slice::from_ref(&one), &[one.clone(), two]).expect("updated");
    assert_eq!(updated.taken, ["crates/k/src/lib.rs"].map(PathBuf::from));
    assert_eq!(source_in(&book), SOURCE.replace("    1\n", "    todo!(\"lab 01: think\")\n"));
    assert_eq!(book.is_behind(), None);
}

#[test]
fn an_update_takes_what_changed_and_leaves_what_the_learner_wrote() {
    let clone = clone();
    let book = made(clone.path());
    let (one, two) = (lab(clone.path(), "01"), lab(clone.path(), "02"));
    book.blank(&one).expect("blanked");
    let own = source_in(&book).replace("todo!(\"lab 01: think\")", "41 // mine");
    put(&book.dir.join("crates/k/src/lib.rs"), own).expect("written");
    put(&book.dir.join("crates/k/Cargo.toml"), "[package]\nname = \"k\"\n# mine\n").expect("written");
    assert_eq!(book.is_behind(), None);

    let newer = SOURCE.replace("pub struct Two;", "/// New.\npub struct Two;").replace("    1\n", "    11\n");
    put(&clone.path().join("crates/k/src/lib.rs"), newer).expect("written");
    put(&clone.path().join("crates/k/src/new.rs"), "//! New.\n").expect("written");
    put(&clone.path().join("crates/k/Cargo.toml"), "[package]\nname = \"k\"\n# newer\n").expect("written");
    put(&clone.path().join("Cargo.lock"), "version = 4\n# newer\n").expect("written");
    put(&book.dir.join("Cargo.lock"), "version = 4\n# as cargo has left it\n").expect("written");
    std::fs::remove_file(clone.path().join("proto/a.proto")).expect("removed");
    assert!(book.is_behind().is_some_and(|said| said.contains("lab update")));

    let updated = book.update(std::slice::from_ref(&one), &[one.clone(), two]).expect("updated");
    assert_eq!(updated.taken, ["Cargo.lock", "crates/k/src/new.rs", "proto/a.proto"].map(PathBuf::from));
    assert_eq!(updated.around, ["crates/k/src/lib.rs"].map(PathBuf::from));
    assert_eq!(updated.left, ["crates/k/Cargo.toml"].map(PathBuf::from));
    let source = source_in(&book);
    assert!(
        source.contains("41 // mine") && source.contains("/// New.") && !source.contains("    11\n"),
        "{source}"
    );
    assert!(!book.dir.join("proto/a.proto").exists() && book.dir.join("crates/k/src/new.rs").is_file());
    assert!(read(&book.dir.join("crates/k/Cargo.toml")).expect("there").contains("# mine"));
    assert_eq!(book.is_behind(), None);
    assert_eq!(book.update(&[one], &[]).expect("nothing to do"), update::Updated::default());
}
