//! Which course is verified, and where it is built.

use std::path::{Path, PathBuf};

use anyhow::Result;
use course::lab::{self, Lab};

use crate::workspace;

/// A course: labs, and the workspace that they are in.
pub struct Course {
    /// The root of the workspace.
    pub root: PathBuf,
    /// Its labs.
    pub labs: Vec<Lab>,
}

impl Course {
    /// This course, or the one in a folder.
    ///
    /// # Errors
    ///
    /// When a lab cannot be read.
    pub fn open(root: Option<&Path>) -> Result<Self> {
        let root = match root {
            Some(root) => std::path::absolute(root)?,
            None => workspace::root(),
        };
        let labs = lab::all(&root)?;
        Ok(Self { root, labs })
    }

    /// The labs that are asked for; all when none is.
    ///
    /// # Errors
    ///
    /// When there is no such lab.
    pub fn asked(&self, asked: &[String]) -> Result<Vec<&Lab>> {
        let mut ids = Vec::new();
        for asked in asked {
            ids.push(lab::one(&self.root, asked)?.id);
        }
        Ok(self.labs.iter().filter(|lab| ids.is_empty() || ids.contains(&lab.id)).collect())
    }

    /// Where cargo builds: cargo's own way to say it, or `target` in the workspace, whose builds of other people's crates
    /// are used again.
    pub fn target(&self) -> Result<PathBuf> {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(target) if !target.is_empty() => Ok(std::path::absolute(target)?),
            _ => Ok(self.root.join("target")),
        }
    }
}
