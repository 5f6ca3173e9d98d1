//! Taking over what changed in the clone since the workbook was made, without losing what the learner wrote.
//!
//! ```text
//!   changed in the clone  ×  the workbook's file is …
//!     as it was copied              → the clone's new text
//!     one with the learner's regions → the clone's new text, with the learner's regions in it
//!     otherwise the learner's       → left as it is, and said
//!     not there any more             → the clone's text, with the regions of labs under way taken out
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use course::lab::Lab;
use course::region;

use super::origin::Origin;
use super::{LOCK, MANIFEST, Workbook, put};

/// What an update did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Updated {
    /// Files with the clone's new text.
    pub taken: Vec<PathBuf>,
    /// Files with the clone's new text around the learner's regions.
    pub around: Vec<PathBuf>,
    /// Files that the learner has changed elsewhere, and that were left so.
    pub left: Vec<PathBuf>,
}

impl Workbook {
    /// Takes over what changed. `own` are the labs whose regions hold the learner's text, `blanked` all that were ever started.
    ///
    /// # Errors
    ///
    /// When something cannot be read or written, or the learner's regions cannot be found. Then nothing was changed.
    pub fn update(&self, own: &[Lab], blanked: &[Lab]) -> Result<Updated> {
        let old = Origin::read(&self.dir);
        let mut updated = Updated::default();
        let mut edits: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
        let mut new = Origin::default();
        let started: Vec<PathBuf> = self.files_of(blanked)?;
        for path in self.sources()? {
            let bytes = self.source(&path)?;
            new.note(&path, &bytes);
            if !self.dir.join(&path).exists() {
                edits.insert(path.clone(), self.without_regions(&path, &bytes, own)?);
                updated.taken.push(path);
                continue;
            }
            if old.has(&path, &bytes) {
                continue;
            }
            // Cargo writes its lock itself, so it never is as it was copied.
            let is_lock = path == Path::new(LOCK);
            if is_lock || old.is_untouched(&self.dir, &path) {
                updated.taken.push(path.clone());
                edits.insert(path, bytes);
            } else if started.contains(&path) {
                edits.insert(path.clone(), self.with_own_regions(&path, &bytes, own)?.into_bytes());
                updated.around.push(path);
            } else {
                updated.left.push(path);
            }
        }
        // What the clone does not have any more; a file of its own manifest is none of the copied ones.
        let gone: Vec<PathBuf> = old
            .paths()
            .filter(|path| {
                *path != Path::new(MANIFEST) && !new.knows(path) && old.is_untouched(&self.dir, path)
            })
            .map(Path::to_owned)
            .collect();

        for (path, bytes) in edits {
            put(&self.dir.join(path), bytes)?;
        }
        for path in gone {
            std::fs::remove_file(self.dir.join(&path)).with_context(|| path.display().to_string())?;
            updated.taken.push(path);
        }
        self.write_own(&mut new)?;
        new.write(&self.dir)?;
        Ok(updated)
    }

    /// The clone's text of a file, with the functions of these labs taken out.
    fn without_regions(&self, path: &Path, bytes: &[u8], labs: &[Lab]) -> Result<Vec<u8>> {
        let mut bytes = bytes.to_vec();
        for lab in labs {
            for place in self.places(lab)?.iter().filter(|place| place.path == path) {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                bytes = region::replace(&text, &place.region.anchor, &self.blanked(lab, place)?)
                    .with_context(|| self.clone.join(path).display().to_string())?
                    .into_bytes();
            }
        }
        Ok(bytes)
    }

    fn files_of(&self, labs: &[Lab]) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for lab in labs {
            files.extend(self.places(lab)?.into_iter().map(|place| place.path));
        }
        Ok(files)
    }

    /// The clone's new text of a file, with the learner's text in the regions of these labs.
    fn with_own_regions(&self, path: &Path, bytes: &[u8], own: &[Lab]) -> Result<String> {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for lab in own {
            for place in self.places(lab)?.iter().filter(|place| place.path == path) {
                text = region::replace(&text, &place.region.anchor, &self.own(place)?)
                    .with_context(|| self.clone.join(path).display().to_string())?;
            }
        }
        Ok(text)
    }
}
