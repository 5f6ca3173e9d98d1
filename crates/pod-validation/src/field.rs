//! Where in a manifest something is wrong, and how the API says so.
//!
//! Whoever writes manifests knows these texts from `kubectl apply`: `spec.containers[0].name: Required value`. The
//! file must not speak another language than the API server.
//!
//! Mirrors `apimachinery/pkg/util/validation/field`.

use std::fmt;

/// The place of a value in a manifest: `spec.containers[0].resources.limits[cpu]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldPath(String);

impl FieldPath {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// A field of an object.
    pub fn child(&self, name: &str) -> Self {
        if self.0.is_empty() { Self(name.to_owned()) } else { Self(format!("{}.{name}", self.0)) }
    }

    /// An element of a list.
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// An entry of a map whose keys are the writer's own.
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(document)" } else { &self.0 })
    }
}

/// One thing that is wrong at one place. Prints as the API server prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// The place, such as `spec.containers[0].image`.
    pub field: String,
    /// What is wrong there, such as `Required value`.
    pub message: String,
}

/// Everything that is wrong, in the order in which it was found. Each method adds one sentence of the API's.
#[derive(Debug, Default)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    fn add(&mut self, field: &FieldPath, what: String, detail: &str) {
        let message = if detail.is_empty() { what } else { format!("{what}: {detail}") };
        self.0.push(FieldError { field: field.to_string(), message });
    }

    /// The field must be there.
    pub fn required(&mut self, field: &FieldPath, detail: &str) {
        self.add(field, "Required value".to_owned(), detail);
    }

    /// The value breaks a rule. A text is shown in quotation marks, a number without.
    pub fn invalid(&mut self, field: &FieldPath, value: impl fmt::Debug, detail: impl AsRef<str>) {
        self.add(field, format!("Invalid value: {value:?}"), detail.as_ref());
    }

    /// The value breaks each of these rules.
    pub fn invalid_for(&mut self, field: &FieldPath, value: &str, rules: impl IntoIterator<Item = String>) {
        for rule in rules {
            self.invalid(field, value, rule);
        }
    }

    /// The value is none of those that exist.
    pub fn unsupported(&mut self, field: &FieldPath, value: &str, supported: &[&str]) {
        let quoted: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
        let detail = format!("supported values: {}", quoted.join(", "));
        self.add(field, format!("Unsupported value: {value:?}"), &detail);
    }

    /// The value is absent (`""` counts as absent) or none of those that exist.
    pub fn one_of(&mut self, field: &FieldPath, value: Option<&str>, supported: &[&str]) {
        match value.unwrap_or_default() {
            "" => self.required(field, ""),
            value if supported.contains(&value) => {}
            value => self.unsupported(field, value, supported),
        }
    }

    /// Another element has the same value.
    pub fn duplicate(&mut self, field: &FieldPath, value: &str) {
        self.add(field, format!("Duplicate value: {value:?}"), "");
    }

    /// The value names something that is not there.
    pub fn not_found(&mut self, field: &FieldPath, value: &str) {
        self.add(field, format!("Not found: {value:?}"), "");
    }

    /// The field may not be set here.
    pub fn forbidden(&mut self, field: &FieldPath, detail: &str) {
        self.add(field, "Forbidden".to_owned(), detail);
    }

    /// The value is longer than `most` bytes.
    pub fn too_long(&mut self, field: &FieldPath, most: usize) {
        self.add(field, "Too long".to_owned(), &format!("may not be more than {most} bytes"));
    }

    /// The number may not be negative.
    pub fn not_negative(&mut self, field: &FieldPath, value: Option<i64>) {
        if let Some(value) = value.filter(|value| *value < 0) {
            self.invalid(field, value, "must be greater than or equal to 0");
        }
    }
}
