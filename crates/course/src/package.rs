//! The package that a lab's `check.rs` is compiled in: its name and its manifest.
//!
//! `check.rs` stays in the lab's folder. The package around it is generated, for a learner's workbook as for the reference:
//! it has the lab's crate, `lab-check` and the lab's `dependencies`, with the versions of the workspace's root manifest.

use std::path::Path;

use toml::{Table, Value};

use crate::lab::Lab;

/// Why there is no manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// A dependency is none of the workspace's.
    #[error("labs/{lab}/lab.toml: {name} is not in [workspace.dependencies] of the root's Cargo.toml")]
    Unknown {
        /// The lab's folder.
        lab: String,
        /// The dependency.
        name: String,
    },
}

/// The name of a lab's check package, and of its program.
pub fn name(lab: &Lab) -> String {
    format!("lab-{}-check", lab.id)
}

/// The names of what a lab's `check.rs` can use.
pub fn dependencies(lab: &Lab) -> Vec<&str> {
    let crate_name = lab.crate_name.as_deref();
    let mut names: Vec<&str> =
        lab.dependencies.iter().map(String::as_str).chain(crate_name).chain(["lab-check"]).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The manifest of a lab's check package.
///
/// `workspace` is the root manifest that says which versions there are; the crates that it names with a relative path lie
/// in `crates`, except that `lab_check` says where `lab-check` is.
///
/// # Errors
///
/// When the lab names a dependency that the workspace does not have.
pub fn manifest(
    lab: &Lab,
    workspace: &Table,
    crates: &Path,
    lab_check: &Path,
) -> Result<Table, PackageError> {
    let known = workspace.get("workspace").and_then(|w| w.get("dependencies")).and_then(Value::as_table);
    let mut chosen = Table::new();
    for name in dependencies(lab) {
        let unknown = || PackageError::Unknown { lab: lab.name.clone(), name: name.to_owned() };
        let mut dependency = match known.and_then(|known| known.get(name)).ok_or_else(unknown)? {
            Value::Table(table) => table.clone(),
            version => Table::from_iter([("version".to_owned(), version.clone())]),
        };
        if name == "lab-check" {
            dependency.insert("path".to_owned(), text(lab_check));
        } else if let Some(path) =
            dependency.get("path").and_then(Value::as_str).map(|path| crates.join(path))
        {
            dependency.insert("path".to_owned(), text(&path));
        }
        if name == "tokio" {
            // Checks of async code pause the time.
            with_feature(&mut dependency, "test-util");
        }
        chosen.insert(name.to_owned(), Value::Table(dependency));
    }
    let package = Table::from_iter([
        ("name".to_owned(), Value::String(name(lab))),
        ("version".to_owned(), Value::String("0.0.0".to_owned())),
        ("edition".to_owned(), Value::String("2024".to_owned())),
        ("publish".to_owned(), Value::Boolean(false)),
    ]);
    let program = Table::from_iter([
        ("name".to_owned(), Value::String(name(lab))),
        ("path".to_owned(), text(&lab.dir.join("check.rs"))),
    ]);
    Ok(Table::from_iter([
        ("package".to_owned(), Value::Table(package)),
        ("bin".to_owned(), Value::Array(vec![Value::Table(program)])),
        ("dependencies".to_owned(), Value::Table(chosen)),
    ]))
}

fn text(path: &Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}

fn with_feature(dependency: &mut Table, feature: &str) {
    let features = dependency.entry("features").or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(features) = features
        && !features.iter().any(|known| known.as_str() == Some(feature))
    {
        features.push(Value::String(feature.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = r#"
        [workspace.dependencies]
        serde = { version = "1", features = ["derive"] }
        tokio = { version = "1", features = ["full"] }
        proptest = "1"
        kuberuntime = { path = "crates/kuberuntime" }
        lab-check = { path = "crates/lab-check" }
    "#;

    fn lab(dependencies: &str) -> (tempfile::TempDir, Lab) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("04-next");
        std::fs::create_dir(&dir).unwrap();
        let text = format!(
            "id = \"04\"\ntitle = \"t\"\ncrate = \"kuberuntime\"\nminutes = 30\nhints = [\"1\", \"2\", \"3\"]\n\
             dependencies = {dependencies}\n[[region]]\nanchor = \"lab04_a\"\nfile = \"src/lib.rs\"\nfunctions = [\"a\"]\n"
        );
        std::fs::write(dir.join("lab.toml"), text).unwrap();
        let lab = Lab::read(&dir).unwrap();
        (root, lab)
    }

    #[test]
    fn a_manifest_has_the_workspaces_versions_and_the_crates_where_they_lie() {
        let (_root, lab) = lab(r#"["serde", "tokio", "proptest"]"#);
        let workspace: Table = WORKSPACE.parse().unwrap();
        let made =
            manifest(&lab, &workspace, Path::new("/work book"), Path::new("/clone/lab-check")).unwrap();
        let dependencies = made["dependencies"].as_table().unwrap();
        assert_eq!(
            dependencies.keys().collect::<Vec<_>>(),
            ["kuberuntime", "lab-check", "proptest", "serde", "tokio"]
        );
        assert_eq!(dependencies["kuberuntime"]["path"].as_str(), Some("/work book/crates/kuberuntime"));
        assert_eq!(dependencies["lab-check"]["path"].as_str(), Some("/clone/lab-check"));
        assert_eq!(dependencies["proptest"]["version"].as_str(), Some("1"));
        assert_eq!(dependencies["tokio"]["features"].as_array().map(Vec::len), Some(2));
        assert_eq!(made["bin"][0]["path"].as_str(), lab.dir.join("check.rs").to_str());
        assert_eq!(made["package"]["name"].as_str(), Some("lab-04-check"));
    }

    #[test]
    fn a_dependency_that_the_workspace_lacks_is_named() {
        let (_root, lab) = lab(r#"["rand"]"#);
        let workspace: Table = WORKSPACE.parse().unwrap();
        let error = manifest(&lab, &workspace, Path::new("/"), Path::new("/")).unwrap_err().to_string();
        assert!(
            error.starts_with("labs/04-next/lab.toml: rand is not in [workspace.dependencies]"),
            "{error}"
        );
    }
}
