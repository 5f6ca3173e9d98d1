//! The house has floors: a crate may only stand on what is below it.
//!
//! Each crate's `Cargo.toml` says where it lives: `[package.metadata.podwright] floor`, which is 1 to 4, a storey of the
//! ground floor (`"0.1"` to `"0.6"`), or `"dev"` for what serves development only. ARCHITECTURE.md explains them.

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Where a crate lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Floor {
    /// Floor and storey; the storey is 0 above the ground floor.
    At(u8, u8),
    /// Tests, benches, chores: may use anything, and nothing in the house may use it.
    Dev,
}

/// One crate that uses another.
struct Edge<'a> {
    from: (&'a str, Floor),
    to: (&'a str, Floor),
    kind: DependencyKind,
}

/// What is wrong with an edge, if anything.
fn objection(edge: &Edge<'_>) -> Option<String> {
    let ((from, from_floor), (to, to_floor)) = (edge.from, edge.to);
    // Tests may look around freely; they are not part of the agent.
    if edge.kind == DependencyKind::Development {
        return None;
    }
    let why = match (from_floor, to_floor) {
        (Floor::Dev, _) => return None,
        (Floor::At(..), Floor::Dev) => "is for development only".to_owned(),
        (Floor::At(own, storey), Floor::At(other, other_storey)) => {
            if (other, other_storey) < (own, storey) {
                return None;
            }
            let place =
                if (other, other_storey) == (own, storey) { "the same floor" } else { "a higher floor" };
            format!("is on {place}")
        }
    };
    Some(format!("{from} ({}) depends on {to} ({}), which {why}", said(from_floor), said(to_floor)))
}

fn said(floor: Floor) -> String {
    match floor {
        Floor::At(0, storey) => format!("floor 0.{storey}"),
        Floor::At(floor, _) => format!("floor {floor}"),
        Floor::Dev => "dev".to_owned(),
    }
}

fn floor_of(metadata: &serde_json::Value) -> Option<Floor> {
    let floor = metadata.get("podwright")?.get("floor")?;
    if let Some(number) = floor.as_u64() {
        return u8::try_from(number).ok().filter(|n| (1..=4).contains(n)).map(|n| Floor::At(n, 0));
    }
    match floor.as_str()? {
        "dev" => Some(Floor::Dev),
        text => {
            let storey: u8 = text.strip_prefix("0.")?.parse().ok()?;
            (1..=6).contains(&storey).then_some(Floor::At(0, storey))
        }
    }
}

fn members() -> Vec<Package> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    // What the manifests declare is enough, and needs no network.
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("cargo metadata").packages
}

#[test]
fn every_crate_says_on_which_floor_it_lives() {
    let homeless: Vec<String> =
        members().iter().filter(|p| floor_of(&p.metadata).is_none()).map(|p| p.name.to_string()).collect();
    assert!(homeless.is_empty(), "no valid [package.metadata.podwright] floor in: {}", homeless.join(", "));
}

#[test]
fn every_crate_stands_only_on_lower_floors() {
    let members = members();
    let home = |name: &str| members.iter().find(|p| p.name == name).and_then(|p| floor_of(&p.metadata));
    let mut edges = 0;
    let mut objections = Vec::new();
    for package in &members {
        for dependency in &package.dependencies {
            let (Some(from), Some(to)) = (floor_of(&package.metadata), home(&dependency.name)) else {
                continue;
            };
            edges += 1;
            objections.extend(objection(&Edge {
                from: (&package.name, from),
                to: (&dependency.name, to),
                kind: dependency.kind,
            }));
        }
    }
    assert!(
        edges > 0,
        "the crates do use each other; no edge at all means that this test looks in the wrong place"
    );
    assert!(objections.is_empty(), "\n{}\n", objections.join("\n"));
}

#[test]
fn the_rule_objects_to_the_same_floor_to_a_higher_one_and_to_development() {
    use DependencyKind::{Build, Development, Normal};
    let (ground, storey, one, three) = (Floor::At(0, 1), Floor::At(0, 3), Floor::At(1, 0), Floor::At(3, 0));
    for (from, to, kind, expected) in [
        (three, one, Normal, None),
        (storey, ground, Normal, None),
        (one, storey, Normal, None),
        (one, one, Normal, Some("a (floor 1) depends on b (floor 1), which is on the same floor")),
        (ground, ground, Normal, Some("a (floor 0.1) depends on b (floor 0.1), which is on the same floor")),
        (ground, storey, Normal, Some("a (floor 0.1) depends on b (floor 0.3), which is on a higher floor")),
        (one, three, Build, Some("a (floor 1) depends on b (floor 3), which is on a higher floor")),
        (three, Floor::Dev, Normal, Some("a (floor 3) depends on b (dev), which is for development only")),
        (three, Floor::Dev, Development, None),
        (ground, three, Development, None),
        (Floor::Dev, three, Normal, None),
        (Floor::Dev, Floor::Dev, Normal, None),
    ] {
        assert_eq!(objection(&Edge { from: ("a", from), to: ("b", to), kind }).as_deref(), expected);
    }
}

#[test]
fn floors_are_read_from_the_manifest() {
    for (written, floor) in [
        (r#"{"podwright":{"floor":3}}"#, Some(Floor::At(3, 0))),
        (r#"{"podwright":{"floor":"0.2"}}"#, Some(Floor::At(0, 2))),
        (r#"{"podwright":{"floor":"dev"}}"#, Some(Floor::Dev)),
        (r#"{"podwright":{"floor":0}}"#, None),
        (r#"{"podwright":{"floor":5}}"#, None),
        (r#"{"podwright":{"floor":"0.9"}}"#, None),
        (r#"{"podwright":{"floor":"cellar"}}"#, None),
        (r#"{"other":{}}"#, None),
        ("null", None),
    ] {
        assert_eq!(floor_of(&serde_json::from_str(written).expect("JSON")), floor, "{written}");
    }
}
