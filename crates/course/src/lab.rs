//! Labs: what each `labs/NN-name/lab.toml` says.
//!
//! ```text
//!   labs/04-what-a-pod-needs/lab.toml ─ Lab::read ─▶ Lab { regions, mutants, hints, … }
//! ```
//!
//! Reading is strict: a field that is misspelt or missing is an error with the file's name, since a course that silently
//! lacks a hint helps nobody.

use std::path::{Path, PathBuf};

use serde::Deserialize;

#[cfg(test)]
mod tests;

/// One lab of the course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lab {
    /// Its folder.
    pub dir: PathBuf,
    /// The folder's name: `04-what-a-pod-needs`.
    pub name: String,
    /// Two digits: `04`.
    pub id: String,
    /// A question or a thing, as the README's title has it.
    pub title: String,
    /// Whether there is something to write.
    pub kind: Kind,
    /// The crate that all its regions lie in; none for a tour.
    pub crate_name: Option<String>,
    /// How long it takes.
    pub minutes: u32,
    /// How many cases and properties are red at the start.
    pub failing: usize,
    /// Labs whose regions, when they are blank, may make this lab's check red too.
    pub needs: Vec<String>,
    /// What the learner should know, in words.
    pub concepts: Vec<String>,
    /// What `check.rs` uses beside the lab's crate and `lab-check`: names from the workspace's dependencies.
    pub dependencies: Vec<String>,
    /// Where it stands in the Go source: `path#symbol`.
    pub go: Vec<String>,
    /// Three hints, from general to nearly the code; none for a tour.
    pub hints: Vec<String>,
    /// What the learner writes.
    pub regions: Vec<Region>,
    /// Wrong answers that the check must catch.
    pub mutants: Vec<Mutant>,
}

/// What a lab is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Functions to write.
    #[default]
    Code,
    /// Something to do with a running node; its check observes the state.
    Tour,
}

/// The functions between one pair of anchors.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The anchor's name: `lab04_actions`.
    pub anchor: String,
    /// The file, from the crate's folder: `src/actions.rs`.
    pub file: PathBuf,
    /// `compute_pod_actions`, or `Worker::observe`.
    pub functions: Vec<String>,
}

/// A wrong answer: another text for one region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// The file's name in `mutants/`.
    pub file: String,
    /// The anchor of the region that it replaces.
    pub region: String,
    /// What it does wrong, in one clause.
    pub wrong: String,
    /// A case that must be red under it.
    pub case: String,
    /// The digest of the region's text when the mutant was written; `lab lock` writes it.
    #[serde(default)]
    pub reference: String,
    /// Whether what it does wrong is seen in `lab run`.
    #[serde(default)]
    pub visible: bool,
}

/// Why the labs could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A file or folder could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A `lab.toml` is not what it must be.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// There is no such lab.
    #[error("there is no lab {asked}; there {}", list(known))]
    Unknown {
        /// What was asked for.
        asked: String,
        /// The labs that there are.
        known: Vec<String>,
    },
}

fn list(known: &[String]) -> String {
    match known {
        [] => "are none".to_owned(),
        [one] => format!("is {one}"),
        many => format!("are {}", many.join(", ")),
    }
}

/// `lab.toml`, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    id: String,
    title: String,
    #[serde(default)]
    kind: Kind,
    #[serde(rename = "crate")]
    crate_name: Option<String>,
    minutes: u32,
    #[serde(default)]
    failing: usize,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    concepts: Vec<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    go: Vec<String>,
    #[serde(default)]
    hints: Vec<String>,
    #[serde(default)]
    region: Vec<Region>,
    #[serde(default)]
    mutant: Vec<Mutant>,
}

/// Every lab of the workspace at `root`, in the order of their ids.
///
/// # Errors
///
/// When `labs/` or one of its labs cannot be read, or two labs have the same id.
pub fn all(root: &Path) -> Result<Vec<Lab>, LabError> {
    let folder = root.join("labs");
    let read = |source| LabError::Read { path: folder.clone(), source };
    let mut labs = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(read)? {
        let dir = entry.map_err(read)?.path();
        if dir.is_dir() {
            labs.push(Lab::read(&dir)?);
        }
    }
    labs.sort_by(|a: &Lab, b| a.id.cmp(&b.id));
    for pair in labs.windows(2) {
        if pair[0].id == pair[1].id {
            let message = format!("{} has the id {} too", pair[0].name, pair[0].id);
            return Err(LabError::Invalid { path: pair[1].dir.join("lab.toml"), message });
        }
    }
    Ok(labs)
}

/// The lab that is asked for: by its id (`04`, `4`) or by its folder's name.
///
/// # Errors
///
/// When the labs cannot be read, or there is no such one.
pub fn one(root: &Path, asked: &str) -> Result<Lab, LabError> {
    let mut labs = all(root)?;
    let wanted = asked.trim_end_matches('/');
    let wanted = wanted.rsplit('/').next().unwrap_or(wanted);
    match labs.iter().position(|lab| lab.is_called(wanted)) {
        Some(at) => Ok(labs.swap_remove(at)),
        None => Err(LabError::Unknown {
            asked: asked.to_owned(),
            known: labs.into_iter().map(|lab| lab.id).collect(),
        }),
    }
}

impl Lab {
    /// Reads the lab in a folder.
    ///
    /// # Errors
    ///
    /// When its `lab.toml` cannot be read, or does not say what a lab needs.
    pub fn read(dir: &Path) -> Result<Self, LabError> {
        let path = dir.join("lab.toml");
        let text =
            std::fs::read_to_string(&path).map_err(|source| LabError::Read { path: path.clone(), source })?;
        let invalid = |message: String| LabError::Invalid { path: path.clone(), message };
        let manifest: Manifest = toml::from_str(&text).map_err(|e| invalid(e.to_string()))?;
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lab = Self {
            dir: dir.to_owned(),
            name,
            id: manifest.id,
            title: manifest.title,
            kind: manifest.kind,
            crate_name: manifest.crate_name,
            minutes: manifest.minutes,
            failing: manifest.failing,
            needs: manifest.needs,
            concepts: manifest.concepts,
            dependencies: manifest.dependencies,
            go: manifest.go,
            hints: manifest.hints,
            regions: manifest.region,
            mutants: manifest.mutant,
        };
        match lab.objection() {
            Some(objection) => Err(invalid(objection)),
            None => Ok(lab),
        }
    }

    /// What is wrong with it in itself, if anything.
    fn objection(&self) -> Option<String> {
        let id = &self.id;
        if id.len() != 2 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(format!("id {id:?} must be two digits"));
        }
        if !self.name.starts_with(&format!("{id}-")) {
            return Some(format!("the folder of lab {id} must be called {id}-…, not {}", self.name));
        }
        if self.kind == Kind::Tour {
            let code = !self.regions.is_empty() || !self.mutants.is_empty() || self.crate_name.is_some();
            return code.then(|| "a tour has no crate, no regions and no mutants".to_owned());
        }
        if self.hints.len() != 3 {
            return Some(format!(
                "hints must be three, from general to nearly the code; it has {}",
                self.hints.len()
            ));
        }
        if self.crate_name.is_none() || self.regions.is_empty() {
            return Some("it needs `crate` and at least one [[region]]; or kind = \"tour\"".to_owned());
        }
        for region in &self.regions {
            let anchor = &region.anchor;
            if !anchor.starts_with(&format!("lab{id}_")) {
                return Some(format!("anchor {anchor} must begin with lab{id}_"));
            }
            if region.functions.is_empty() {
                return Some(format!("region {anchor} names no function"));
            }
            let escapes =
                region.file.components().any(|part| !matches!(part, std::path::Component::Normal(_)));
            if escapes {
                return Some(format!(
                    "file {} of region {anchor} must lie in the crate",
                    region.file.display()
                ));
            }
            if self.regions.iter().filter(|other| other.anchor == *anchor).count() > 1 {
                return Some(format!("region {anchor} stands there twice"));
            }
        }
        self.mutants.iter().find_map(|mutant| {
            self.region(&mutant.region).is_none().then(|| {
                format!("mutant {} replaces {}, which is no region of this lab", mutant.file, mutant.region)
            })
        })
    }

    /// Whether a person means this lab by `name`.
    fn is_called(&self, name: &str) -> bool {
        name == self.name || ((1..3).contains(&name.len()) && format!("{name:0>2}") == self.id)
    }

    /// The region of an anchor.
    pub fn region(&self, anchor: &str) -> Option<&Region> {
        self.regions.iter().find(|region| region.anchor == anchor)
    }

    /// The hint that stands in the blanked bodies.
    pub fn first_hint(&self) -> &str {
        self.hints.first().map_or("", String::as_str)
    }

    /// The folder of its crate in the workspace at `root` (the clone, or a workbook), as the root manifest's
    /// `[workspace.dependencies]` has it; none for a tour.
    ///
    /// # Errors
    ///
    /// When the root manifest cannot be read, or does not name the crate with a path.
    pub fn crate_dir(&self, root: &Path) -> Result<Option<PathBuf>, LabError> {
        let Some(name) = &self.crate_name else { return Ok(None) };
        let path = root.join("Cargo.toml");
        let text =
            std::fs::read_to_string(&path).map_err(|source| LabError::Read { path: path.clone(), source })?;
        let manifest: toml::Table = text
            .parse()
            .map_err(|e: toml::de::Error| LabError::Invalid { path: path.clone(), message: e.to_string() })?;
        let folder = manifest
            .get("workspace")
            .and_then(|workspace| workspace.get("dependencies")?.get(name)?.get("path")?.as_str());
        match folder {
            Some(folder) => Ok(Some(root.join(folder))),
            None => Err(LabError::Invalid {
                path,
                message: format!(
                    "[workspace.dependencies] has no path for {name}, the crate of lab {}",
                    self.id
                ),
            }),
        }
    }
}
