//! From files to a configuration: read, check, lay over each other.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::KubeletConfiguration;
use crate::defaulting::merge_patch;
use crate::document::{self, Document};
use crate::error::{API_VERSION, ConfigError, FieldPath, KIND, Problem, Problems, Step};
use crate::flags::FlagOverrides;
use crate::setting::{Field, Reader, Setting};

/// Largest file that is read. A real one has a few kilobytes.
pub const MAX_FILE_SIZE: u64 = 1 << 20;

/// Where a configuration comes from, lowest layer first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`: a file, YAML or JSON.
    pub config: Option<PathBuf>,
    /// `--config-dir`: a directory whose `*.conf` files, also those further down, change it in the order of their paths.
    pub config_dir: Option<PathBuf>,
    /// The command line.
    pub flags: FlagOverrides,
}

/// A configuration to run with.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration, valid.
    pub configuration: KubeletConfiguration,
    /// What its author should hear of; for the caller to log.
    pub warnings: Vec<Warning>,
}

/// Something accepted but without the effect that its author may expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A file has a `metadata` block, as kind writes it; a KubeletConfiguration has none.
    Metadata {
        /// The file.
        path: PathBuf,
    },
    /// A field differs from its default, and this version does not act on it.
    NotActedOn {
        /// The field. Its value is not told: it may be a secret.
        field: FieldPath,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metadata { path } => {
                write!(f, "{}: metadata is no field of a {KIND} and is ignored", path.display())
            }
            Self::NotActedOn { field } => {
                write!(f, "configuration field {field} is set, but this version does not act on it")
            }
        }
    }
}

impl Sources {
    /// Reads every layer, lays them over each other and validates the result.
    ///
    /// Mirrors `cmd/kubelet/app/server.go: NewKubeletCommand, loadConfigFile, mergeKubeletConfigurations`.
    ///
    /// # Errors
    /// [`ConfigError`], with all that is wrong in the first layer that is not right.
    // ANCHOR: layers
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let mut warnings = Vec::new();
        let base = match &self.config {
            Some(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                let layer = Layer::parse(&read(&path)?, &path, &mut warnings)?;
                layer.into_base()
            }
            None => KubeletConfiguration::without_config_file(),
        };
        let merged = match &self.config_dir {
            Some(dir) => {
                let mut layers = Vec::new();
                for path in drop_ins(dir)? {
                    layers.push(Layer::parse(&read(&path)?, &path, &mut warnings)?);
                }
                with_drop_ins(base, layers)
            }
            None => base,
        };
        let configuration = merged.overlay(&self.flags);
        configuration.validate().map_err(ConfigError::Invalid)?;

        let reference = match self.config {
            Some(_) => KubeletConfiguration::default(),
            None => KubeletConfiguration::without_config_file(),
        };
        let ignored = configuration.not_acted_on(&reference);
        warnings.extend(ignored.into_iter().map(|field| Warning::NotActedOn { field }));
        Ok(Loaded { configuration, warnings })
    }
    // ANCHOR_END: layers
}

impl KubeletConfiguration {
    /// The configuration that the text of one file gives, defaults filled in but not validated. `path` is named in
    /// errors, and relative paths in the file start at its directory.
    ///
    /// # Errors
    /// Every variant of [`ConfigError`] but `Read` and `Invalid`.
    pub fn parse(text: &str, path: &Path) -> Result<(Self, Vec<Warning>), ConfigError> {
        let mut warnings = Vec::new();
        let layer = Layer::parse(text, path, &mut warnings)?;
        Ok((layer.into_base(), warnings))
    }

    /// The fields that differ from `reference` though this version does not act on them.
    pub fn not_acted_on(&self, reference: &Self) -> Vec<FieldPath> {
        let mut found = Vec::new();
        collect_ignored(Self::FIELDS, &self.write(), &reference.write(), &FieldPath::default(), &mut found);
        found.sort();
        found
    }
}

fn collect_ignored(
    fields: &[Field],
    mine: &Value,
    theirs: &Value,
    above: &FieldPath,
    found: &mut Vec<FieldPath>,
) {
    for field in fields {
        let (mine, theirs) = (mine.get(field.name), theirs.get(field.name));
        let path = above.then(Step::Key(field.name.to_owned()));
        match (mine, theirs) {
            _ if mine == theirs || field.is_acted_on() => {}
            (Some(mine @ Value::Object(_)), Some(theirs)) if !field.fields.is_empty() => {
                collect_ignored(field.fields, mine, theirs, &path, found);
            }
            _ => found.push(path),
        }
    }
}

/// One file, understood: its fields without `apiVersion`, `kind` and `metadata`.
struct Layer {
    fields: Value,
    path: PathBuf,
}

impl Layer {
    fn parse(text: &str, path: &Path, warnings: &mut Vec<Warning>) -> Result<Self, ConfigError> {
        let not = |what: &str| ConfigError::NotConfiguration { path: path.to_owned(), what: what.to_owned() };
        let Document { value, duplicates } =
            document::parse(text).map_err(|what| ConfigError::Syntax { path: path.to_owned(), what })?;
        let mut map = match value {
            Value::Null => return Err(not("the file is empty")),
            Value::Object(map) => map,
            _ => return Err(not("expected a map of fields at the top")),
        };
        check_kind(map.remove("apiVersion"), map.remove("kind"))
            .map_err(|what| ConfigError::WrongKind { path: path.to_owned(), what })?;
        if map.remove("metadata").is_some() {
            warnings.push(Warning::Metadata { path: path.to_owned() });
        }
        let fields = Value::Object(map);

        let mut reader = Reader::new(true);
        KubeletConfiguration::decode(&fields, &mut reader);
        let mut problems = reader.problems;
        for problem in &mut problems {
            problem.line = document::line_of(text, &problem.path, false);
        }
        problems.extend(duplicates.into_iter().map(|path| {
            let first = document::line_of(text, &path, false);
            let what = match first {
                Some(line) => format!("stands twice, first on line {line}"),
                None => "stands twice".to_owned(),
            };
            Problem { line: document::line_of(text, &path, true), path, what }
        }));
        if problems.is_empty() {
            return Ok(Self { fields, path: path.to_owned() });
        }
        problems.sort_by_key(|problem| problem.line);
        Err(ConfigError::Fields { path: path.to_owned(), problems: Problems(problems) })
    }

    /// The file as the lowest layer.
    fn into_base(self) -> KubeletConfiguration {
        let mut configuration = decode(&self.fields);
        configuration.merge_default_eviction();
        let dir = self.path.parent().unwrap_or(Path::new("/"));
        for path in [
            &mut configuration.static_pod_path,
            &mut configuration.authentication.x509.client_ca_file,
            &mut configuration.tls_cert_file,
            &mut configuration.tls_private_key_file,
            &mut configuration.resolv_conf,
            &mut configuration.volume_plugin_dir,
            &mut configuration.pod_logs_dir,
        ] {
            // `pkg/kubelet/apis/config/helpers.go: KubeletConfigurationPathRefs`; only for the file, not for drop-ins.
            if !path.is_empty() && !path.starts_with('/') {
                *path = clean(&dir.join(&*path).to_string_lossy());
            }
        }
        configuration
    }
}

/// A document that was found to be right when its layer was parsed.
fn decode(fields: &Value) -> KubeletConfiguration {
    let mut reader = Reader::new(true);
    let decoded = KubeletConfiguration::decode(fields, &mut reader);
    debug_assert!(reader.problems.is_empty(), "{:?}", reader.problems);
    decoded
}

/// `base` with merge patches over it, in their order.
fn with_drop_ins(base: KubeletConfiguration, layers: Vec<Layer>) -> KubeletConfiguration {
    let mut merged = base.write();
    for layer in layers {
        merge_patch(&mut merged, &layer.fields);
    }
    let mut configuration = decode(&merged);
    if merged.get("evictionHard").is_none() {
        // A drop-in's null takes the thresholds away; only the file itself gets the default ones.
        configuration.eviction_hard.clear();
    }
    configuration
}

fn check_kind(api_version: Option<Value>, kind: Option<Value>) -> Result<(), String> {
    let said = |value: &Option<Value>| match value {
        None | Some(Value::Null) => "missing".to_owned(),
        Some(value) => value.to_string(),
    };
    let is = |value: &Option<Value>, expected: &str| value.as_ref().and_then(Value::as_str) == Some(expected);
    if is(&api_version, API_VERSION) && is(&kind, KIND) {
        return Ok(());
    }
    Err(format!("apiVersion is {} and kind is {}", said(&api_version), said(&kind)))
}

/// Reads a regular file of bounded size.
fn read(path: &Path) -> Result<String, ConfigError> {
    let failed = |source: io::Error| ConfigError::Read { path: path.to_owned(), source };
    let not = |what: String| ConfigError::NotConfiguration { path: path.to_owned(), what };
    // Asked before opening: opening a named pipe would wait for its writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(not("not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(not(format!("larger than {MAX_FILE_SIZE} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        not(format!("not UTF-8 text (byte {} does not fit)", error.utf8_error().valid_up_to()))
    })
}

/// The `*.conf` files under a directory, in the order in which Go's `filepath.WalkDir` meets them: the entries of each
/// directory by name. Links to directories are not followed.
fn drop_ins(dir: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let failed = |source: io::Error| ConfigError::Read { path: dir.to_owned(), source };
    let mut entries =
        fs::read_dir(dir).and_then(|entries| entries.collect::<Result<Vec<_>, _>>()).map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        if entry.file_type().map_err(failed)?.is_dir() {
            found.extend(drop_ins(&entry.path())?);
        } else if entry.file_name().as_encoded_bytes().ends_with(b".conf") {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// An absolute path without `.`, `..`, `//` and a slash at the end (Go's `filepath.Clean`).
pub(crate) fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests;
