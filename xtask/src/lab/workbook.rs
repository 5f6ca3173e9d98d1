//! The workbook: a copy of the workspace in which the bodies of a lab's regions are the learner's to write.
//!
//! ```text
//!   clone ── write ──▶ workbook (once)      crates, proto, recordings, …; its own manifest, lock, history
//!         ── blank ──▶ one lab's regions    `start`, `reset`: bodies become `todo!("lab 04: …")`
//!         ── solve ──▶ one lab's regions    the reference's text
//! ```
//!
//! Nothing but a region's lines is ever replaced in a workbook that is there, and the learner's text of it is kept first
//! ([`history`]).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use course::lab::{Lab, Region};
use course::region;

use super::if_changed;
use crate::workspace;

pub mod history;
mod manifest;
mod origin;
#[cfg(test)]
mod tests;
mod update;

use origin::Origin;

/// Crates that serve the course itself; a learner's node has no use for them.
const LEFT_OUT: [&str; 2] = ["course", "lab-check"];

/// What the crates and their tests need from outside of `crates/`; what is not there is not copied.
const BESIDE: [&str; 11] = [
    "proto",
    "recordings",
    "deploy",
    "versions.toml",
    "clippy.toml",
    "rustfmt.toml",
    "rust-toolchain.toml",
    "rust-toolchain",
    "deny.toml",
    LOCK,
    "LICENSE",
];

/// A workbook, there or not yet.
#[derive(Clone, Debug)]
pub struct Workbook {
    /// Its folder.
    pub dir: PathBuf,
    clone: PathBuf,
}

/// Where in the clone other workspaces may lie: what the root manifest excludes.
const OWN_WORKSPACES: [&str; 2] = ["workbook", "target"];

/// A manifest's name.
const MANIFEST: &str = "Cargo.toml";

/// The name of the file in which cargo keeps the versions that it chose.
const LOCK: &str = "Cargo.lock";

/// In a workbook that is being made: whoever finds it here, after an interruption, may make it again.
const UNFINISHED: &str = ".unfinished";

/// Where one region of a lab is written down.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// Which region.
    pub region: &'a Region,
    /// Its file, from the root of the clone or of the workbook.
    pub path: PathBuf,
}

impl Workbook {
    /// The workbook in `dir`, of the clone at `clone`.
    pub fn at(dir: PathBuf, clone: &Path) -> Self {
        Self { dir, clone: clone.to_owned() }
    }

    /// Whether it has been made.
    ///
    /// # Errors
    ///
    /// When something else is there.
    pub fn exists(&self) -> Result<bool> {
        if self.dir.join(UNFINISHED).is_file() {
            return Ok(false);
        }
        if self.dir.join(MANIFEST).is_file() && !Origin::read(&self.dir).is_empty() {
            return Ok(true);
        }
        // Elsewhere in the clone, cargo would take its crates for the clone's.
        let inside = self.dir.strip_prefix(&self.clone).ok();
        if inside.is_some_and(|inside| !OWN_WORKSPACES.iter().any(|place| inside.starts_with(place))) {
            bail!(
                "{}: a workbook lies in {}/ or outside of the clone",
                self.dir.display(),
                OWN_WORKSPACES[0]
            );
        }
        let is_empty = match std::fs::read_dir(&self.dir) {
            Ok(mut entries) => entries.next().is_none(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => true,
            Err(e) => return Err(e).with_context(|| self.dir.display().to_string()),
        };
        if !is_empty {
            bail!(
                "{} is there but is no whole workbook; move it away, or name another folder with --workbook",
                self.dir.display()
            );
        }
        Ok(false)
    }

    /// Marks it as being made. Until [`end`](Self::end) it does not exist, and its place is free.
    ///
    /// # Errors
    ///
    /// When the mark cannot be written.
    pub fn begin(&self) -> Result<()> {
        put(
            &self.dir.join(UNFINISHED),
            "`cargo xtask lab start` was interrupted here. The next one begins anew.\n",
        )
    }

    /// Takes the mark away: it is made.
    ///
    /// # Errors
    ///
    /// When the mark cannot be removed.
    pub fn end(&self) -> Result<()> {
        let mark = self.dir.join(UNFINISHED);
        std::fs::remove_file(&mark).with_context(|| mark.display().to_string())
    }

    /// Makes it, with the reference everywhere.
    ///
    /// # Errors
    ///
    /// When something cannot be read or written.
    pub fn write(&self) -> Result<()> {
        let mut origin = Origin::default();
        for path in self.sources()? {
            let bytes = self.source(&path)?;
            put(&self.dir.join(&path), &bytes)?;
            origin.note(&path, &bytes);
        }
        self.write_own(&mut origin)?;
        origin.write(&self.dir)
    }

    /// Writes what is a workbook's own: its manifest and the texts for those who work in it.
    fn write_own(&self, origin: &mut Origin) -> Result<()> {
        let manifest = self.source(Path::new(MANIFEST))?;
        origin.note(Path::new(MANIFEST), &manifest);
        let mut used = BTreeSet::new();
        for krate in self.crates()? {
            used.extend(manifest::used_by(&self.clone.join(krate).join(MANIFEST))?);
        }
        if let Some(course) = used.iter().find(|name| LEFT_OUT.contains(&name.as_str())) {
            bail!("a crate of the agent depends on {course}, which serves the course only");
        }
        let name = format!("workbook.{}", &region::digest(&self.dir.to_string_lossy())[..12]);
        let manifest = manifest::for_workbook(&String::from_utf8_lossy(&manifest), &used, &name)?;
        put(&self.dir.join(MANIFEST), manifest)?;
        let filled = |text: &str| text.replace("{clone}", &self.clone.display().to_string());
        put(&self.dir.join("README.md"), filled(include_str!("workbook/README.md")))?;
        put(&self.dir.join("AGENTS.md"), filled(include_str!("workbook/AGENTS.md")))?;
        put(
            &self.dir.join(".gitignore"),
            "/target\n/progress.txt\n/progress.txt.new\n/.unfinished\n*.orig\n*.orig.*\n",
        )?;
        self.share_target()
    }

    /// The crates that belong into it, from the root of the clone.
    fn crates(&self) -> Result<Vec<PathBuf>> {
        let is_crate = |dir: &PathBuf| {
            dir.join(MANIFEST).is_file() && !LEFT_OUT.iter().any(|left_out| dir.ends_with(left_out))
        };
        let all = entries(&self.clone.join("crates"))?.into_iter().filter(is_crate);
        all.map(|dir| Ok(dir.strip_prefix(&self.clone)?.to_owned())).collect()
    }

    /// Every file that is copied as it is, from the root of the clone.
    fn sources(&self) -> Result<Vec<PathBuf>> {
        let mut waiting = self.crates()?;
        waiting.extend(BESIDE.iter().map(PathBuf::from).filter(|path| self.clone.join(path).exists()));
        let mut files = Vec::new();
        while let Some(path) = waiting.pop() {
            if !self.clone.join(&path).is_dir() {
                files.push(path);
                continue;
            }
            for entry in entries(&self.clone.join(&path))? {
                let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if name != "target" && !name.starts_with('.') {
                    waiting.push(path.join(name));
                }
            }
        }
        files.sort();
        Ok(files)
    }

    fn source(&self, path: &Path) -> Result<Vec<u8>> {
        let path = self.clone.join(path);
        std::fs::read(&path).with_context(|| path.display().to_string())
    }

    /// Tells cargo where to build: below the clone's `target`, but not into it, where it would put the learner's agent in place
    /// of the reference's.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn share_target(&self) -> Result<()> {
        let target = toml::Value::String(self.target().display().to_string());
        let text = format!(
            "# Below the clone's, so that one folder has all that can be deleted.\n[build]\ntarget-dir = {target}\n"
        );
        put(&self.dir.join(".cargo/config.toml"), text)
    }

    /// Lets cargo take out of the copied lock what only the clone needs, so that it is no change of the learner's. Where cargo
    /// cannot do that now, the first build does.
    pub fn settle_lock(&self) {
        let mut command = workspace::cargo_in(&self.dir, ["metadata", "--offline", "--format-version=1"]);
        let _later = command.stdin(std::process::Stdio::null()).output();
    }

    /// Where everything of workbooks is built.
    pub fn target(&self) -> PathBuf {
        self.clone.join("target/workbook")
    }

    /// The regions of a lab, with their files.
    ///
    /// # Errors
    ///
    /// When the lab's crate is not in the clone.
    pub fn places<'a>(&self, lab: &'a Lab) -> Result<Vec<Place<'a>>> {
        let Some(folder) = lab.crate_dir(&self.clone)? else { return Ok(Vec::new()) };
        let folder = folder.strip_prefix(&self.clone).unwrap_or(&folder).to_owned();
        Ok(lab.regions.iter().map(|region| Place { region, path: folder.join(&region.file) }).collect())
    }

    /// The lines of a region in the clone: the reference.
    ///
    /// # Errors
    ///
    /// When its file or its anchors are not there.
    pub fn reference(&self, place: &Place<'_>) -> Result<String> {
        lines_of(&read(&self.clone.join(&place.path))?, place, &self.clone)
    }

    /// The lines of a region in the workbook: the learner's.
    ///
    /// # Errors
    ///
    /// When its file or its anchors are not there.
    pub fn own(&self, place: &Place<'_>) -> Result<String> {
        self.need(place)?;
        let text = read(&self.dir.join(&place.path))?;
        lines_of(&text, place, &self.dir).with_context(|| self.anchors_lost(place))
    }

    /// Refuses when a region's file is not in the workbook any more.
    fn need(&self, place: &Place<'_>) -> Result<()> {
        if self.dir.join(&place.path).exists() {
            return Ok(());
        }
        bail!(
            "{path} is not in your workbook any more. `git -C '{dir}' checkout -- {path}` brings your last committed text \
             back; `cargo xtask lab update` makes it anew, with the functions taken out",
            path = place.path.display(),
            dir = self.dir.display(),
        )
    }

    fn anchors_lost(&self, place: &Place<'_>) -> String {
        format!(
            "the anchor lines are not as they were; put them back around {}, as in {}",
            place.region.functions.join(", "),
            self.clone.join(&place.path).display()
        )
    }

    /// The lines of a region with `todo!` for bodies.
    ///
    /// # Errors
    ///
    /// When the reference's file is not what the lab says.
    pub fn blanked(&self, lab: &Lab, place: &Place<'_>) -> Result<String> {
        let path = self.clone.join(&place.path);
        let Region { anchor, functions, .. } = place.region;
        let blanked = region::blank(&read(&path)?, anchor, functions, &lab.id, lab.first_hint())
            .with_context(|| path.display().to_string())?;
        Ok(region::text(&blanked, anchor)?.to_owned())
    }

    /// Whether a region still is as it was copied: nobody has worked on it.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn is_untouched(&self, place: &Place<'_>) -> Result<bool> {
        if Origin::read(&self.dir).is_untouched(&self.dir, &place.path) {
            return Ok(true);
        }
        Ok(self.own(place)? == self.reference(place)?)
    }

    /// Blanks the regions of a lab. What stood there is gone: keep it first.
    ///
    /// # Errors
    ///
    /// When a file or its anchors are not there. Then nothing was written.
    pub fn blank(&self, lab: &Lab) -> Result<()> {
        self.replace(lab, |place| self.blanked(lab, place))
    }

    /// Writes the reference into the regions of a lab. What stood there is gone: keep it first.
    ///
    /// # Errors
    ///
    /// When a file or its anchors are not there. Then nothing was written.
    pub fn solve(&self, lab: &Lab) -> Result<()> {
        self.replace(lab, |place| self.reference(place))
    }

    /// Writes another text into one region of a lab.
    ///
    /// # Errors
    ///
    /// When the file or its anchors are not there.
    pub fn put_region(&self, lab: &Lab, anchor: &str, lines: &str) -> Result<()> {
        self.replace(
            lab,
            |place| {
                if place.region.anchor == anchor { Ok(lines.to_owned()) } else { self.own(place) }
            },
        )
    }

    /// Other lines for all regions of a lab: all of them, or none when one cannot be replaced.
    fn replace(&self, lab: &Lab, lines: impl Fn(&Place<'_>) -> Result<String>) -> Result<()> {
        let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
        for place in self.places(lab)? {
            self.need(&place)?;
            let path = self.dir.join(&place.path);
            let text = match files.remove(&path) {
                Some(text) => text,
                None => read(&path)?,
            };
            let replaced = region::replace(&text, &place.region.anchor, &lines(&place)?)
                .with_context(|| path.display().to_string())
                .with_context(|| self.anchors_lost(&place))?;
            files.insert(path, replaced);
        }
        files.iter().try_for_each(|(path, text)| put(path, text))
    }

    /// What the clone has otherwise now than when this workbook was made, or what is not in it any more, as one sentence.
    pub fn is_behind(&self) -> Option<String> {
        let origin = Origin::read(&self.dir);
        let missing: Vec<&Path> = origin.paths().filter(|path| !self.dir.join(path).exists()).collect();
        if let Some(missing) = some_of(&missing) {
            return Some(format!(
                "your workbook lacks {missing}; `cargo xtask lab update` brings back what it lacks"
            ));
        }
        let changed = some_of(&origin.changed_in(&self.clone))?;
        Some(format!(
            "the clone has changed since this workbook was made ({changed}); `cargo xtask lab update` takes that over"
        ))
    }
}

/// The lines of a region in a file's text. Some editors change how lines end, which is no change of the learner's.
fn lines_of(text: &str, place: &Place<'_>, root: &Path) -> Result<String> {
    let lines = region::text(text, &place.region.anchor).map(|lines| lines.replace("\r\n", "\n"));
    lines.with_context(|| root.join(&place.path).display().to_string())
}

/// The first of some paths, and how many more there are.
fn some_of(paths: &[&Path]) -> Option<String> {
    let (first, more) = paths.split_first()?;
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    Some(format!("{}{more}", first.display()))
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let listed = std::fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let mut paths: Vec<PathBuf> =
        listed.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn put(path: &Path, text: impl AsRef<[u8]>) -> Result<()> {
    if_changed::write(path, text).map(drop)
}
