//! What our crates claim: the tables in their `Cargo.toml`, and the top of their `lib.rs`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::rust_items::{self, RustItem};
use super::{MapError, manifests, prose, read};

/// Where a crate lives in the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Floor {
    /// Floor and storey; the storey is 0 above the ground floor.
    At(u8, u8),
    /// Tests, benches and chores.
    Dev,
}

impl std::fmt::Display for Floor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(0, storey) => write!(f, "0.{storey}"),
            Self::At(floor, _) => write!(f, "{floor}"),
            Self::Dev => f.write_str("dev"),
        }
    }
}

/// "This item of ours does what that symbol of the Go source does."
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counterpart {
    /// `path#symbol`, or a path when no single symbol is meant.
    pub go: String,
    /// `compare`, `Worker::observe`, or a module.
    pub rust: String,
}

impl Counterpart {
    /// The file.
    pub fn path(&self) -> &str {
        self.go.split('#').next().unwrap_or(&self.go)
    }

    /// The symbol, if one is named.
    pub fn symbol(&self) -> Option<&str> {
        self.go.split_once('#').map(|(_, symbol)| symbol)
    }
}

/// One crate of ours.
#[derive(Debug, Clone)]
pub struct Crate {
    /// The package's name.
    pub name: String,
    /// Its folder, from the root: `crates/agent`.
    pub folder: String,
    /// Where it lives.
    pub floor: Floor,
    /// Why no lab is about it, when that has been decided.
    pub no_lab: Option<String>,
    /// The Go directories and files that it mirrors.
    pub go: Vec<String>,
    /// Symbol by symbol.
    pub symbols: Vec<Counterpart>,
    /// Its named items.
    pub items: Vec<RustItem>,
    /// `src/lib.rs` or `src/main.rs`.
    pub top: String,
    documentation: Vec<String>,
}

impl Crate {
    /// The last part of its folder, by which its chapter is called.
    pub fn folder_name(&self) -> &str {
        self.folder.rsplit('/').next().unwrap_or(&self.folder)
    }

    /// The items that `name` may mean.
    pub fn items_called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a RustItem> {
        self.items.iter().filter(move |item| item.is_called(name))
    }

    /// The first sentence of its documentation.
    pub fn summary(&self) -> String {
        let paragraph: Vec<&str> =
            self.documentation.iter().map(String::as_str).take_while(|line| !line.is_empty()).collect();
        prose::first_sentence(&prose::without_links(&paragraph.join(" ")))
    }

    /// The text under a heading of its documentation, as Markdown.
    pub fn section(&self, title: &str) -> Option<String> {
        prose::section(&self.documentation, title).map(|lines| prose::without_links(&lines.join("\n")))
    }

    /// The second column of the table at the top: line and cell.
    pub(super) fn go_column(&self) -> Vec<(usize, String)> {
        prose::go_column(&self.documentation)
    }
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
struct Metadata {
    podwright: Option<Podwright>,
    kubelet: Option<Kubelet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Podwright {
    floor: toml::Value,
    no_lab: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Kubelet {
    #[serde(default)]
    go: Vec<String>,
    #[serde(default)]
    symbols: Vec<Counterpart>,
}

/// All crates under `crates/`, floor by floor.
pub(super) fn load(root: &Path) -> Result<Vec<Crate>, MapError> {
    let mut crates = Vec::new();
    for path in manifests(&root.join("crates"), "Cargo.toml")? {
        crates.push(one(root, &path)?);
    }
    crates.sort_by(|a: &Crate, b| (a.floor, &a.name).cmp(&(b.floor, &b.name)));
    Ok(crates)
}

fn one(root: &Path, path: &Path) -> Result<Crate, MapError> {
    let wrong = |text: String| MapError::Toml { path: path.to_owned(), text };
    let manifest: Manifest = toml::from_str(&read(path)?).map_err(|e| wrong(e.to_string()))?;
    let metadata = manifest.package.metadata;
    let (floor, no_lab) = match metadata.podwright {
        Some(podwright) => (floor(&podwright.floor), podwright.no_lab),
        None => (None, None),
    };
    let floor = floor.ok_or_else(|| wrong("[package.metadata.podwright] has no valid floor".to_owned()))?;
    let kubelet = metadata.kubelet.unwrap_or_default();
    let folder = path.parent().unwrap_or(path);
    let top = ["src/lib.rs", "src/main.rs"]
        .into_iter()
        .find(|top| folder.join(top).is_file())
        .ok_or_else(|| wrong("the crate has neither src/lib.rs nor src/main.rs".to_owned()))?;
    let shown: PathBuf = folder.strip_prefix(root).unwrap_or(folder).to_owned();
    Ok(Crate {
        name: manifest.package.name,
        folder: shown.display().to_string(),
        floor,
        no_lab,
        go: kubelet.go,
        symbols: kubelet.symbols,
        items: rust_items::items(root, folder)?,
        top: top.to_owned(),
        documentation: prose::crate_documentation(&read(&folder.join(top))?),
    })
}

fn floor(value: &toml::Value) -> Option<Floor> {
    if let Some(floor) = value.as_integer() {
        return u8::try_from(floor).ok().map(|floor| Floor::At(floor, 0));
    }
    match value.as_str()? {
        "dev" => Some(Floor::Dev),
        text => text.strip_prefix("0.")?.parse().ok().map(|storey| Floor::At(0, storey)),
    }
}
