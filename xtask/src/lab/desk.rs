//! What every verb of `lab` works with: the clone, the workbook, and the learner's progress.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clock::Clock;
use course::lab::{self, Lab};
use jiff::civil::Date;

use super::progress::Progress;
use super::workbook::Workbook;
use crate::workspace;

/// The environment variable that names another workbook.
const VARIABLE: &str = "PODWRIGHT_WORKBOOK";

/// Where the learner sits.
#[derive(Debug)]
pub struct Desk {
    /// The clone: the reference, the labs, their checks.
    pub clone: PathBuf,
    /// The workbook, there or not yet.
    pub workbook: Workbook,
    /// What was done so far.
    pub progress: Progress,
}

impl Desk {
    /// The desk of this clone: with the workbook that was chosen, or that of the environment, or the one in the clone.
    ///
    /// # Errors
    ///
    /// When the workbook's place is taken by something else, or its progress cannot be read.
    pub fn open(chosen: Option<&Path>) -> Result<Self> {
        let clone = workspace::root();
        let dir = match (chosen, std::env::var_os(VARIABLE)) {
            (Some(chosen), _) => std::path::absolute(chosen)?,
            (None, Some(named)) if !named.is_empty() => std::path::absolute(Path::new(&named))?,
            (None, _) => clone.join("workbook"),
        };
        let progress = Progress::read(&dir)?;
        for complaint in progress.complaints(&dir) {
            eprintln!("lab: {complaint}");
        }
        Ok(Self { workbook: Workbook::at(dir, &clone), clone, progress })
    }

    /// The lab that is asked for; without one, the current one.
    ///
    /// # Errors
    ///
    /// When there is none such, or none is current.
    pub fn lab(&self, asked: Option<&str>) -> Result<Lab> {
        let Some(asked) = asked.or(self.progress.current.as_deref()) else {
            bail!("no lab is under way; name one, such as 01, or see `cargo xtask lab next`");
        };
        Ok(lab::one(&self.clone, asked)?)
    }

    /// Every lab.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
    pub fn labs(&self) -> Result<Vec<Lab>> {
        Ok(lab::all(&self.clone)?)
    }

    /// Refuses when there is no workbook yet.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn need_workbook(&self) -> Result<()> {
        if !self.workbook.exists()? {
            bail!(
                "there is no workbook at {} yet; `cargo xtask lab start 01` makes it",
                self.workbook.dir.display()
            );
        }
        Ok(())
    }

    /// Says when the clone is another than the workbook was made from.
    pub fn note_if_behind(&self) {
        if let Some(behind) = self.workbook.is_behind() {
            eprintln!("lab: note: {behind}");
        }
    }

    /// Writes the progress back.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn save(&self) -> Result<()> {
        self.progress.write(&self.workbook.dir)
    }

    /// Today, in UTC.
    pub fn today(&self) -> Date {
        Clock::system().now().to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    /// A path as a person in the clone writes it.
    pub fn short<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.clone).unwrap_or(path).display()
    }
}

/// A lab for tests of what is said about labs.
#[cfg(test)]
pub fn sample_lab() -> Lab {
    Lab {
        dir: PathBuf::from("labs/04-next"),
        name: "04-next".to_owned(),
        id: "04".to_owned(),
        title: "What next?".to_owned(),
        kind: lab::Kind::Code,
        crate_name: Some("kuberuntime".to_owned()),
        minutes: 75,
        failing: 17,
        needs: Vec::new(),
        concepts: Vec::new(),
        dependencies: Vec::new(),
        go: vec!["pkg/kubelet/kuberuntime/kuberuntime_manager.go#computePodActions".to_owned()],
        hints: ["one", "two", "three"].map(str::to_owned).to_vec(),
        regions: Vec::new(),
        mutants: Vec::new(),
    }
}
