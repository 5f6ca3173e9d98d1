use pod_manifest::ManifestError;

use super::*;

fn manifest(name: &str, image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: c, image: '{image}'}}]}}\n"
    )
}

fn listing(files: &[(&str, &str)]) -> Listing {
    files.iter().map(|(path, text)| (PathBuf::from(path), Ok(text.as_bytes().into()))).collect()
}

/// What runs, as `name image`.
fn running(observation: &Observation) -> Vec<String> {
    let shown = observation.pods.iter().map(|pod| {
        let image = pod.spec.as_ref().and_then(|spec| spec.containers[0].image.clone());
        format!("{} {}", PodRef::of(pod).name, image.unwrap_or_default())
    });
    shown.collect()
}

fn problems(observation: &Observation) -> Vec<String> {
    observation.new_problems.iter().map(ToString::to_string).collect()
}

fn seen_before(files: &[(&str, &str)]) -> Manifests {
    let mut manifests = Manifests::new("node1");
    manifests.observe(listing(files));
    manifests
}

#[test]
fn a_broken_file_keeps_its_last_good_pod_and_stops_no_other() {
    let (a, b) = (manifest("a", "one:1"), manifest("b", "two:1"));
    let cases: [(Content, &str); 5] = [
        (
            Ok(a.as_bytes()[..60].into()),
            "/m/a.yaml: is not valid YAML: did not find expected ',' or '}' at line 5 column 1",
        ),
        (
            Ok(b"{".as_slice().into()),
            "/m/a.yaml: is not valid JSON: EOF while parsing an object at line 1 column 1",
        ),
        (Ok(b"".as_slice().into()), "/m/a.yaml: is empty"),
        (Err(ManifestError::TooLarge.into()), "/m/a.yaml: is larger than 10 MiB"),
        (
            Err(FileError::Unreadable("Permission denied (os error 13)".into())),
            "/m/a.yaml: cannot be read: Permission denied (os error 13)",
        ),
    ];
    for (broken, error) in cases {
        let mut manifests = seen_before(&[("/m/a.yaml", &a), ("/m/b.yaml", &b)]);
        let mut files = listing(&[("/m/a.yaml", &a), ("/m/b.yaml", &b)]);
        files.insert("/m/a.yaml".into(), broken);
        let observation = manifests.observe(files.clone());
        assert_eq!(running(&observation), ["a-node1 one:1", "b-node1 two:1"]);
        assert_eq!(observation.new_problems.len(), 1);
        assert!(problems(&observation)[0].contains(error), "{:?}", problems(&observation));

        let again = manifests.observe(files);
        assert_eq!(running(&again), ["a-node1 one:1", "b-node1 two:1"]);
        assert_eq!(problems(&again), Vec::<String>::new(), "it has been said");
    }
}

#[test]
fn a_file_that_is_good_again_has_its_new_pod_and_one_that_is_removed_has_none() {
    let mut manifests = seen_before(&[("/m/a.yaml", &manifest("a", "one:1"))]);
    manifests.observe(listing(&[("/m/a.yaml", "kind: Pod")]));
    let good = manifests.observe(listing(&[("/m/a.yaml", &manifest("a", "one:2"))]));
    assert_eq!(running(&good), ["a-node1 one:2"]);
    assert_eq!(good.resolved, [PathBuf::from("/m/a.yaml")]);

    manifests.observe(listing(&[("/m/a.yaml", "kind: Pod")]));
    let removed = manifests.observe(Listing::new());
    assert_eq!(running(&removed), Vec::<String>::new());
    assert_eq!(removed.resolved, [PathBuf::from("/m/a.yaml")]);
}

#[test]
fn a_problem_that_turns_into_another_is_told_and_one_that_comes_back_is_told_again() {
    let mut manifests = Manifests::new("node1");
    let mut told = |text: &str| manifests.observe(listing(&[("/m/a.yaml", text)])).new_problems.len();
    let good = manifest("a", "i:1");
    assert_eq!(
        [told("kind: Pod"), told("kind: Pod "), told("kind: Job"), told(&good), told("kind: Job")],
        [1, 0, 1, 0, 1]
    );
}

#[test]
fn the_first_of_two_files_with_one_pod_wins_whichever_came_first() {
    let (first, second) = (manifest("web", "first:1"), manifest("web", "second:1"));
    let both = [("/m/a.yaml", first.as_str()), ("/m/b.yaml", second.as_str())];
    for early in [&both[..1], &both[1..], &both[..0]] {
        let mut manifests = seen_before(early);
        let observation = manifests.observe(listing(&both));
        assert_eq!(running(&observation), ["web-node1 first:1"]);
        assert_eq!(
            problems(&observation),
            [
                "/m/b.yaml: metadata.name: Duplicate value: \"default/web-node1\": /m/a.yaml already gives this pod"
            ]
        );
        assert_eq!(problems(&manifests.observe(listing(&both))), Vec::<String>::new());
        let alone = manifests.observe(listing(&both[1..]));
        assert_eq!(running(&alone), ["web-node1 second:1"]);
        assert_eq!(alone.resolved, [PathBuf::from("/m/b.yaml")]);
    }
}

#[test]
fn a_uid_is_given_once() {
    let with_uid = |name: &str| manifest(name, "i:1").replace("{name: ", "{uid: same, name: ");
    let mut manifests = Manifests::new("node1");
    let observation = manifests.observe(listing(&[("/m/a", &with_uid("a")), ("/m/b", &with_uid("b"))]));
    assert_eq!(running(&observation), ["a-node1 i:1"]);
    assert_eq!(
        problems(&observation),
        ["/m/b: metadata.uid: Duplicate value: \"same\": /m/a already gives this pod"]
    );
}

#[test]
fn a_broken_file_still_holds_the_name_of_its_last_good_pod() {
    let (first, second) = (manifest("web", "first:1"), manifest("web", "second:1"));
    let mut manifests = seen_before(&[("/m/a.yaml", &first)]);
    let observation = manifests.observe(listing(&[("/m/a.yaml", "x"), ("/m/b.yaml", &second)]));
    assert_eq!(running(&observation), ["web-node1 first:1"]);
    assert_eq!(observation.new_problems.len(), 2);
}

#[test]
fn a_pod_whose_file_says_the_same_is_the_very_same() {
    let text = manifest("a", "i:1");
    let mut manifests = Manifests::new("node1");
    let one = manifests.observe(listing(&[("/m/a.yaml", &text)]));
    let two = manifests.observe(listing(&[("/m/a.yaml", &text)]));
    let commented = format!("# a comment\n{text}");
    let three = manifests.observe(listing(&[("/m/a.yaml", &commented)]));
    assert!(Arc::ptr_eq(&one.pods[0], &two.pods[0]) && Arc::ptr_eq(&two.pods[0], &three.pods[0]));
    let edited = manifests.observe(listing(&[("/m/a.yaml", &manifest("a", "i:2"))]));
    assert_ne!(
        PodRef::of(&one.pods[0]).uid,
        PodRef::of(&edited.pods[0]).uid,
        "an edited file is another pod"
    );
}

#[test]
fn unknown_fields_are_told_once_for_each_version() {
    let text = manifest("a", "i:1").replace("{containers", "{contaners: [], containers");
    let mut manifests = Manifests::new("node1");
    let files = listing(&[("/m/a.yaml", &text)]);
    let unknown = vec![(PathBuf::from("/m/a.yaml"), vec!["spec.contaners".to_owned()])];
    assert_eq!(manifests.observe(files.clone()).unknown_fields, unknown);
    assert_eq!(manifests.observe(files).unknown_fields, []);
    assert_eq!(running(&manifests.observe(listing(&[("/m/a.yaml", &text)]))), ["a-node1 i:1"]);
}
