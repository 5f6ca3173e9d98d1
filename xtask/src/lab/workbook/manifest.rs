//! The workbook's root manifest, made from the clone's.
//!
//! Members are the crates alone, dependencies what they use, and the lints are those that help somebody who is in the
//! middle of writing. Everything else is kept as it stands, comments included.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};

const HEADER: &str = "# Your workbook's workspace, made by `cargo xtask lab start` from the clone's.\n\n";

/// The root manifest of a workbook: from the clone's text, and the names of the dependencies that its crates use.
///
/// `name` tells this workbook from others. It becomes part of its crates' versions: cargo knows a crate by its version and its
/// path *within* its workspace, and would take two workbooks that are built into one place for one another.
///
/// # Errors
///
/// When the clone's manifest is not what this knows how to cut.
pub fn for_workbook(clone: &str, used: &BTreeSet<String>, name: &str) -> Result<String> {
    let mut text = HEADER.to_owned();
    let mut section = String::new();
    // Comments and blank lines belong to the line below them.
    let mut above = String::new();
    for line in clone.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            above.push_str(line);
            above.push('\n');
            continue;
        }
        let before = std::mem::take(&mut above);
        if trimmed.starts_with('[') {
            trimmed.trim_matches(['[', ']']).clone_into(&mut section);
            if !is_lints(&section) {
                text.push_str(&format!("{before}{line}\n"));
            }
            continue;
        }
        let key = trimmed.split(['=', '.']).next().unwrap_or_default().trim();
        match section.as_str() {
            "workspace" if key == "members" => text.push_str("members = [\"crates/*\"]\n"),
            "workspace" if key == "exclude" => {}
            "workspace.package" if key == "version" => {
                let version = line.trim_end().trim_end_matches('"');
                text.push_str("# What stands after the + tells this workbook's crates from another's.\n");
                text.push_str(&format!("{version}+{name}\"\n"));
            }
            "workspace.dependencies" if !used.contains(key) => {
                // A heading over a group of lines is not about the one that goes.
                if before.starts_with('\n') {
                    text.push('\n');
                }
            }
            lints if is_lints(lints) => {}
            _ => text.push_str(&format!("{before}{line}\n")),
        }
    }
    text.push_str(&lints(clone)?);
    check(&text, used, name)?;
    Ok(text)
}

fn is_lints(section: &str) -> bool {
    section.starts_with("workspace.lints")
}

/// The clone's lints, without those that only say that something is not finished yet.
fn lints(clone: &str) -> Result<String> {
    let clone: Table = clone.parse().context("the clone's Cargo.toml")?;
    let mut lints = clone
        .get("workspace")
        .and_then(|workspace| workspace.get("lints")?.as_table().cloned())
        .unwrap_or_default();
    let mut group = |name: &str, lint: &str, level: Value| {
        if let Value::Table(table) = lints.entry(name).or_insert_with(|| Value::Table(Table::new())) {
            table.insert(lint.to_owned(), level);
        }
    };
    let allow = || Value::String("allow".to_owned());
    let unused = Table::from_iter([
        ("level".to_owned(), allow()),
        // Lower than the single lints, which may say otherwise.
        ("priority".to_owned(), Value::Integer(-1)),
    ]);
    group("rust", "unused", Value::Table(unused));
    group("rust", "missing_docs", allow());
    for lint in ["todo", "unimplemented", "dbg_macro"] {
        group("clippy", lint, allow());
    }
    let lints = Table::from_iter([(
        "workspace".to_owned(),
        Value::Table(Table::from_iter([("lints".to_owned(), Value::Table(lints))])),
    )]);
    Ok(format!("\n# What is unfinished is no warning here.\n{}", toml::to_string(&lints)?))
}

/// What was cut is still what it must be.
fn check(text: &str, used: &BTreeSet<String>, name: &str) -> Result<()> {
    let manifest: Table = text.parse().context("the workbook's Cargo.toml, as made from the clone's")?;
    let workspace = manifest.get("workspace").context("the clone's Cargo.toml has no [workspace]")?;
    let members = workspace.get("members").and_then(Value::as_array).map(Vec::len);
    if members != Some(1) {
        bail!("the clone's Cargo.toml must give `members` of [workspace] on one line");
    }
    let version = workspace.get("package").and_then(|package| package.get("version")?.as_str());
    if !version.is_some_and(|version| version.ends_with(&format!("+{name}"))) {
        bail!("the clone's Cargo.toml must give `version` in [workspace.package] as a text on one line");
    }
    let there = workspace.get("dependencies").and_then(Value::as_table).cloned().unwrap_or_default();
    let missing: Vec<&String> = used.iter().filter(|name| !there.contains_key(*name)).collect();
    if !missing.is_empty() {
        bail!("[workspace.dependencies] of the clone's Cargo.toml lacks {missing:?}, each on one line");
    }
    Ok(())
}

/// The names of the workspace's dependencies that a crate's manifest uses.
///
/// # Errors
///
/// When the manifest cannot be read.
pub fn used_by(manifest: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(manifest).with_context(|| manifest.display().to_string())?;
    let manifest: Table = text.parse().with_context(|| manifest.display().to_string())?;
    Ok(["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .filter_map(|kind| manifest.get(*kind)?.as_table())
        .flat_map(Table::keys)
        .cloned()
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLONE: &str = r#"[workspace]
resolver = "3"
members = ["crates/*", "xtask"]
# Not this.
exclude = ["workbook"]
default-members = ["crates/agent"]

[workspace.package]
version = "0.1.0"

# Every version.
[workspace.dependencies]
anyhow = "1"
# Builds the book.
mdbook = { version = "0.5", default-features = false }
# Asks for it.
tokio = { version = "1", features = ["full"] }

# Our own.
clock = { path = "crates/clock" }
course = { path = "crates/course" }

[workspace.lints.rust]
unsafe_code = "forbid"
missing_docs = "warn"
unused_must_use = "deny"

[workspace.lints.clippy]
todo = "deny"
disallowed_methods = "deny"

[profile.dev]
# Small.
debug = "line-tables-only"
"#;

    #[test]
    fn only_what_the_crates_use_is_left_with_its_comments_and_lenient_lints() {
        let used = ["anyhow", "tokio", "clock"].map(str::to_owned).into();
        let made = for_workbook(CLONE, &used, "mine").expect("made");
        let manifest: Table = made.parse().expect("TOML");
        let workspace = &manifest["workspace"];
        assert_eq!(workspace["members"].as_array().expect("a list").len(), 1);
        assert!(workspace.get("exclude").is_none());
        assert_eq!(workspace["resolver"].as_str(), Some("3"));
        let dependencies: Vec<&String> =
            workspace["dependencies"].as_table().expect("a table").keys().collect();
        assert_eq!(dependencies, ["anyhow", "clock", "tokio"]);
        let lints = &workspace["lints"];
        assert_eq!(lints["rust"]["unused"]["level"].as_str(), Some("allow"));
        assert_eq!(lints["rust"]["unsafe_code"].as_str(), Some("forbid"));
        assert_eq!(lints["clippy"]["todo"].as_str(), Some("allow"));
        assert_eq!(lints["clippy"]["disallowed_methods"].as_str(), Some("deny"));
        assert_eq!(manifest["profile"]["dev"]["debug"].as_str(), Some("line-tables-only"));
        assert!(made.contains("# Asks for it.\ntokio") && made.contains("# Our own.\nclock"), "{made}");
        assert!(!made.contains("Builds the book") && !made.contains("course"), "{made}");
    }

    #[test]
    fn the_clones_own_manifest_can_be_cut() {
        let root = crate::workspace::root();
        let clone = std::fs::read_to_string(root.join("Cargo.toml")).expect("there");
        let used = used_by(&root.join("crates/kubelet/Cargo.toml")).expect("read").into_iter().collect();
        for_workbook(&clone, &used, "mine").expect("made");
    }

    #[test]
    fn a_manifest_that_cannot_be_cut_is_an_error() {
        let used = BTreeSet::from(["serde".to_owned()]);
        let error = for_workbook(CLONE, &used, "mine").expect_err("it lacks serde").to_string();
        assert!(error.contains("lacks [\"serde\"]"), "{error}");
        let spread = CLONE.replace("[\"crates/*\", \"xtask\"]", "[\n  \"crates/*\",\n  \"xtask\",\n]");
        let unversioned = CLONE.replace("version = \"0.1.0\"", "edition = \"2024\"");
        assert!(for_workbook(&unversioned, &BTreeSet::new(), "mine").is_err());
        assert!(for_workbook(&spread, &BTreeSet::new(), "mine").is_err());
    }
}
