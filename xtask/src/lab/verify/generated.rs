//! The generated workspace: the crates of the labs with every variant of every region, and a package for each check.
//!
//! ```text
//!   target/lab-verify/
//!     Cargo.toml  Cargo.lock     the clone's; lints are off, since mutants leave things unused
//!     crates/…                   the clone's, without tests; regions choose their body at run time
//!     checks/04/Cargo.toml       its program is the clone's labs/04-…/check.rs
//! ```
//!
//! Files are written only when they differ, so that cargo builds again only what changed.
//!
//! Cargo tells packages apart by name, version and the path *in their workspace*. Two workspaces that build into one folder,
//! such as this one and the clone, must therefore differ in one of them, or one is given what was built for the other. Here
//! it is the version: `0.1.0+lab-verify.…`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use course::lab::{Lab, Mutant};
use course::variants::{self, Mutated};
use course::{layout, package, region};
use toml::{Table, Value};

use crate::lab::if_changed;

/// A mutant: the id of its lab and its file.
pub type MutantId = (String, String);

/// What is not to be compiled, because it does not compile.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// Labs whose check and regions are left out, by id.
    pub labs: BTreeSet<String>,
    /// Mutants.
    pub mutants: BTreeSet<MutantId>,
}

/// The workspace, written.
#[derive(Debug)]
pub struct Generated {
    /// Its folder.
    pub dir: PathBuf,
    /// The number that chooses each mutant, in the variable of its region.
    pub numbers: BTreeMap<MutantId, usize>,
}

/// Where the workspace of the course at `root` is generated.
pub fn folder(root: &Path) -> PathBuf {
    root.join("target/lab-verify")
}

/// Writes the workspace. Checks are those of `asked`; regions those of all `labs`, as far as their crates are needed.
///
/// # Errors
///
/// When the course's workspace cannot be read, or a file cannot be written.
pub fn write(root: &Path, labs: &[Lab], asked: &[&Lab], left_out: &LeftOut) -> Result<Generated> {
    let dir = folder(root);
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    let text = std::fs::read_to_string(root.join("Cargo.toml")).context("Cargo.toml")?;
    let workspace: Table = text.parse().context("Cargo.toml")?;
    let own = format!("+lab-verify.{}", &region::digest(&root.to_string_lossy())[..12]);
    let mut files = Files::new(&dir);

    let mut members = Vec::new();
    for package in needed(&metadata, asked) {
        let from = package.manifest_path.parent().map(|path| path.as_std_path()).unwrap_or(root);
        let place = from.strip_prefix(root).with_context(|| format!("{} lies elsewhere", package.name))?;
        copy_crate(&mut files, from, place, &own)?;
        members.push(place.to_string_lossy().into_owned());
    }
    let numbers = write_regions(&mut files, root, labs, left_out)?;
    for lab in asked.iter().filter(|lab| !left_out.labs.contains(&lab.id)) {
        let lab_check = crate_of(&workspace, "lab-check", &dir, root).context("lab-check")?;
        let mut manifest = package::manifest(lab, &workspace, &dir, &lab_check)?;
        if let Some(dependencies) = manifest.get_mut("dependencies").and_then(Value::as_table_mut) {
            settle_paths(dependencies, &dir, root);
        }
        own_version(&mut manifest, &own);
        // What a check.rs warns about belongs to its author, not to learners.
        let strict = Table::from_iter([("warnings".to_owned(), Value::String("deny".to_owned()))]);
        let lints = Table::from_iter([("rust".to_owned(), Value::Table(strict))]);
        manifest.insert("lints".to_owned(), Value::Table(lints));
        let member = format!("checks/{}", lab.id);
        files.put(Path::new(&member).join("Cargo.toml"), toml::to_string(&manifest)?.into_bytes());
        members.push(member);
    }
    let manifest = workspace_manifest(workspace, &members, &dir, root, &own);
    files.put(PathBuf::from("Cargo.toml"), toml::to_string(&manifest)?.into_bytes());
    files.write(&["crates", "checks"])?;
    if root.join("Cargo.lock").exists() {
        if_changed::lock(root, &dir)?;
    }
    Ok(Generated { dir, numbers })
}

/// The workspace's packages that the checks need, with what those need.
fn needed<'a>(metadata: &'a Metadata, asked: &[&Lab]) -> Vec<&'a Package> {
    let by_name: BTreeMap<&str, &Package> =
        metadata.packages.iter().map(|package| (package.name.as_str(), package)).collect();
    let mut names: Vec<&str> = asked.iter().flat_map(|lab| package::dependencies(lab)).collect();
    let mut needed = BTreeMap::new();
    while let Some(name) = names.pop() {
        let Some((&name, &package)) = by_name.get_key_value(name) else { continue };
        if needed.insert(name, package).is_some() {
            continue;
        }
        let used = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some() && dependency.kind != DependencyKind::Development);
        names.extend(used.map(|dependency| dependency.name.as_str()));
    }
    needed.into_values().collect()
}

/// Copies a crate without what only its own tests need.
fn copy_crate(files: &mut Files, from: &Path, place: &Path, own: &str) -> Result<()> {
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_os_string();
        match name.to_str() {
            Some("tests" | "benches" | "examples" | "target") => {}
            Some("Cargo.toml") => {
                let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                let mut manifest: Table = text.parse().with_context(|| path.display().to_string())?;
                for tests_only in ["dev-dependencies", "bench", "example", "test"] {
                    manifest.remove(tests_only);
                }
                own_version(&mut manifest, own);
                files.put(place.join(name), toml::to_string(&manifest)?.into_bytes());
            }
            _ => files.copy(&path, place.join(name))?,
        }
    }
    Ok(())
}

/// Replaces each file that has regions by one with all their variants.
fn write_regions(
    files: &mut Files,
    root: &Path,
    labs: &[Lab],
    left_out: &LeftOut,
) -> Result<BTreeMap<MutantId, usize>> {
    let mut numbers = BTreeMap::new();
    // A file may have regions of several labs.
    let mut texts: BTreeMap<PathBuf, String> = BTreeMap::new();
    for lab in labs.iter().filter(|lab| !left_out.labs.contains(&lab.id)) {
        for region in &lab.regions {
            let path = layout::file(root, lab, region)?;
            let place = path.strip_prefix(root).unwrap_or(&path).to_owned();
            if !files.texts.contains_key(&place) {
                // No check that was asked for uses this crate.
                continue;
            }
            let text = match texts.get(&place) {
                Some(text) => text.clone(),
                None => std::fs::read_to_string(&path).with_context(|| path.display().to_string())?,
            };
            let mut mutants = Vec::new();
            for mutant in lab.mutants.iter().filter(|mutant| mutant.region == region.anchor) {
                let id = (lab.id.clone(), mutant.file.clone());
                if !left_out.mutants.contains(&id) {
                    numbers.insert(id, variants::mutant(mutants.len()));
                    mutants.push(read_mutant(lab, mutant)?);
                }
            }
            let text = variants::with_variants(&text, lab, region, &mutants)
                .with_context(|| format!("lab {}: {}", lab.id, region.anchor))?;
            texts.insert(place, text);
        }
    }
    for (place, text) in texts {
        files.put(place, text.into_bytes());
    }
    Ok(numbers)
}

fn read_mutant(lab: &Lab, mutant: &Mutant) -> Result<Mutated> {
    let path = lab.dir.join("mutants").join(&mutant.file);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(Mutated { file: mutant.file.clone(), text })
}

/// The root manifest of the generated workspace.
fn workspace_manifest(mut manifest: Table, members: &[String], dir: &Path, root: &Path, own: &str) -> Table {
    if let Some(workspace) = manifest.get_mut("workspace").and_then(Value::as_table_mut) {
        own_version(workspace, own);
        let members = members.iter().cloned().map(Value::String).collect();
        workspace.insert("members".to_owned(), Value::Array(members));
        for of_the_course in ["default-members", "exclude"] {
            workspace.remove(of_the_course);
        }
        if let Some(dependencies) = workspace.get_mut("dependencies").and_then(Value::as_table_mut) {
            settle_paths(dependencies, dir, root);
        }
        let quiet = Table::from_iter([("warnings".to_owned(), Value::String("allow".to_owned()))]);
        let lints = Table::from_iter([("rust".to_owned(), Value::Table(quiet))]);
        workspace.insert("lints".to_owned(), Value::Table(lints));
    }
    manifest
}

/// Makes the version of `[package]`, or of `[workspace.package]`, one that no other workspace has.
fn own_version(manifest: &mut Table, own: &str) {
    let package = manifest.get_mut("package").and_then(Value::as_table_mut);
    if let Some(Value::String(version)) = package.and_then(|package| package.get_mut("version")) {
        version.push_str(own);
    }
}

/// Makes paths absolute: into the generated workspace where the crate was copied, otherwise to where it lies.
fn settle_paths(dependencies: &mut Table, dir: &Path, root: &Path) {
    for (_, dependency) in dependencies.iter_mut() {
        let Some(path) = dependency.get("path").and_then(Value::as_str) else { continue };
        let settled = settled(Path::new(path), dir, root);
        if let Some(table) = dependency.as_table_mut() {
            table.insert("path".to_owned(), Value::String(settled.to_string_lossy().into_owned()));
        }
    }
}

fn settled(path: &Path, dir: &Path, root: &Path) -> PathBuf {
    // `join` keeps a path that is absolute.
    let place = dir.join(path);
    if place.starts_with(dir) && !path.starts_with("..") { place } else { root.join(path) }
}

/// Where a crate of the workspace lies, seen from the generated one.
fn crate_of(workspace: &Table, name: &str, dir: &Path, root: &Path) -> Option<PathBuf> {
    let dependency = workspace.get("workspace")?.get("dependencies")?.get(name)?;
    Some(settled(Path::new(dependency.get("path")?.as_str()?), dir, root))
}

/// Files for a folder. Nothing is written before all is known, so that each is written once, and only if it differs.
struct Files {
    dir: PathBuf,
    texts: BTreeMap<PathBuf, Vec<u8>>,
}

impl Files {
    fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), texts: BTreeMap::new() }
    }

    fn put(&mut self, place: PathBuf, bytes: Vec<u8>) {
        self.texts.insert(place, bytes);
    }

    /// Takes a file, or a folder with all that is in it.
    fn copy(&mut self, from: &Path, place: PathBuf) -> Result<()> {
        if from.is_dir() {
            for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
                let entry = entry?;
                self.copy(&entry.path(), place.join(entry.file_name()))?;
            }
            return Ok(());
        }
        let bytes = std::fs::read(from).with_context(|| from.display().to_string())?;
        self.put(place, bytes);
        Ok(())
    }

    /// Writes them, and removes what an earlier run left in these folders.
    fn write(&self, folders: &[&str]) -> Result<()> {
        for (place, bytes) in &self.texts {
            if_changed::write(&self.dir.join(place), bytes)?;
        }
        for folder in folders {
            self.remove_others(&self.dir.join(folder))?;
        }
        Ok(())
    }

    fn remove_others(&self, folder: &Path) -> Result<()> {
        if !folder.exists() {
            return Ok(());
        }
        for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let place = path.strip_prefix(&self.dir).unwrap_or(&path);
            if path.is_dir() {
                self.remove_others(&path)?;
                if std::fs::read_dir(&path)?.next().is_none() {
                    std::fs::remove_dir(&path).with_context(|| path.display().to_string())?;
                }
            } else if !self.texts.contains_key(place) {
                std::fs::remove_file(&path).with_context(|| path.display().to_string())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_written_and_what_is_left_over_goes() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |texts: &[(&str, &str)]| {
            let mut files = Files::new(dir.path());
            for (place, text) in texts {
                files.put(PathBuf::from(place), text.as_bytes().to_vec());
            }
            files.write(&["crates"]).expect("written");
        };
        let modified = |place: &str| {
            std::fs::metadata(dir.path().join(place)).and_then(|file| file.modified()).expect("there")
        };
        write(&[("crates/a/src/lib.rs", "1"), ("crates/b/src/lib.rs", "1"), ("kept.txt", "1")]);
        let before = (modified("crates/a/src/lib.rs"), modified("kept.txt"));
        write(&[("crates/a/src/lib.rs", "1")]);
        assert_eq!((modified("crates/a/src/lib.rs"), modified("kept.txt")), before);
        assert!(!dir.path().join("crates/b").exists());
    }

    #[test]
    fn a_path_leads_to_the_copy_or_to_where_the_crate_lies() {
        let (dir, root) = (Path::new("/c/target/lab-verify"), Path::new("/c"));
        assert_eq!(settled(Path::new("crates/k"), dir, root), Path::new("/c/target/lab-verify/crates/k"));
        assert_eq!(settled(Path::new("/else/lab-check"), dir, root), Path::new("/else/lab-check"));
        assert_eq!(settled(Path::new("../lab-check"), dir, root), Path::new("/c/../lab-check"));
    }
}
