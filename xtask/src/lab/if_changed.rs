//! Files that are generated again and again, and written only when they differ: cargo builds again what is newer.

use std::path::Path;

use anyhow::{Context as _, Result};

/// Writes a file, with the folders above it, unless it has these bytes already; whether it did.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<bool> {
    if std::fs::read(path).is_ok_and(|present| present == bytes.as_ref()) {
        return Ok(false);
    }
    let parent = path.parent().unwrap_or(path);
    std::fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    std::fs::write(path, bytes).with_context(|| path.display().to_string())?;
    Ok(true)
}

/// Gives the workspace in `dir` the versions of the clone at `root`. Cargo takes out of a lock what is not needed, so what is
/// compared is a copy of the copy.
///
/// # Errors
///
/// When the clone has no lock, or a file cannot be written.
pub fn lock(root: &Path, dir: &Path) -> Result<()> {
    let bytes = std::fs::read(root.join("Cargo.lock")).context("the clone's Cargo.lock")?;
    let own = dir.join("Cargo.lock");
    if write(&dir.join("Cargo.lock.clone"), &bytes)? || !own.exists() {
        write(&own, &bytes)?;
    }
    Ok(())
}
