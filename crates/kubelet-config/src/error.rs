//! Where in a document something is, and what is wrong there.

use std::fmt;
use std::path::PathBuf;

/// The way to a value from the top of a document: `authentication.webhook.cacheTTL`, `registerWithTaints[0].key`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath(pub(crate) Vec<Step>);

/// One step of a [`FieldPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl FieldPath {
    /// The path of a dotted field name of this crate; a number is a place in a list.
    pub(crate) fn dotted(path: &str) -> Self {
        Self(
            path.split('.')
                .map(|key| key.parse().map_or_else(|_| Step::Key(key.to_owned()), Step::Index))
                .collect(),
        )
    }

    pub(crate) fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                // A key with a dot in it (`memory.available`) must not look like two.
                Step::Key(key)
                    if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') =>
                {
                    write!(f, "[{key:?}]")?;
                }
                Step::Key(key) => write!(f, "{}{key}", if depth == 0 { "" } else { "." })?,
            }
        }
        Ok(())
    }
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub path: FieldPath,
    /// Its line in the file, counted from 1; `None` for what no file says.
    pub line: Option<usize>,
    /// What is wrong: value and expectation.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// Everything wrong with a configuration, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => write!(f, "{only}"),
            many => many.iter().enumerate().try_for_each(|(index, problem)| {
                if index > 0 {
                    f.write_str("; ")?;
                }
                write!(f, "({}) {problem}", index + 1)
            }),
        }
    }
}

/// Why there is no configuration to run with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file or directory cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is no configuration at all: empty, too large, not a regular file, not text.
    #[error("{}: {what}", path.display())]
    NotConfiguration {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// The file is neither YAML nor JSON; the text names line and column.
    #[error("{}: {what}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        what: String,
    },
    /// `apiVersion` and `kind` are not those of a KubeletConfiguration.
    #[error("{}: {what}; expected apiVersion {API_VERSION} and kind {KIND}", path.display())]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// What it says instead.
        what: String,
    },
    /// Fields that do not exist, stand twice, or hold a value of another type.
    #[error("{}: {problems}", path.display())]
    Fields {
        /// The file.
        path: PathBuf,
        /// All of them, in the order of the file.
        problems: Problems,
    },
    /// The values of all layers together are not allowed.
    #[error("invalid configuration: {0}")]
    Invalid(Problems),
}

/// The version that this crate reads.
pub const API_VERSION: &str = "kubelet.config.k8s.io/v1beta1";

/// The kind that this crate reads.
pub const KIND: &str = "KubeletConfiguration";
