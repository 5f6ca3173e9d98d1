//! How one setting is read from a document and written back, and the macro that makes a section of them.
//!
//! serde's derive would stop at the first mistake and forget where it was. Here a reader goes on and collects them all,
//! and the same list of fields that makes the struct also tells known names from unknown ones.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::duration::{parse_duration, parse_signed, print_duration};
use crate::error::{FieldPath, Problem, Step};
use crate::nearest::nearest;

/// A field of a configuration, by its name in the file.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name, `camelCase`.
    pub name: &'static str,
    /// What is special about it.
    pub marks: &'static [Mark],
    /// The fields within it; empty when it holds a value.
    pub fields: &'static [Field],
}

impl Field {
    /// Whether the agent of this version does something with the field.
    pub fn is_acted_on(&self) -> bool {
        self.marks.contains(&Mark::Acts)
    }
}

/// What is special about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The agent of this version acts on it. Without this mark, a value other than the default is warned about.
    Acts,
    /// A pointer in Go: an explicit zero is a value. Without this mark, `0`, `0s` and `""` mean the default.
    Zero,
}

/// What a reading has found so far.
pub(crate) struct Reader {
    pub(crate) path: FieldPath,
    pub(crate) problems: Vec<Problem>,
    /// Files say `0s` for "the default"; flags mean what they say.
    pub(crate) zero_is_unset: bool,
}

impl Reader {
    pub(crate) fn new(zero_is_unset: bool) -> Self {
        Self { path: FieldPath::default(), problems: Vec::new(), zero_is_unset }
    }

    pub(crate) fn problem(&mut self, what: impl Into<String>) {
        self.problems.push(Problem { path: self.path.clone(), line: None, what: what.into() });
    }

    fn expected(&mut self, expectation: &str, value: &Value) {
        let got = match value {
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "a map".to_owned(),
            scalar => scalar.to_string(),
        };
        self.problem(format!("expected {expectation}, not {got}"));
    }

    pub(crate) fn within(&mut self, step: Step, read: impl FnOnce(&mut Self)) {
        self.path.0.push(step);
        read(self);
        self.path.0.pop();
    }

    pub(crate) fn unknown(&mut self, fields: &[Field]) {
        let hint = match self.path.0.last() {
            Some(Step::Key(name)) => nearest(name, fields),
            _ => None,
        };
        self.problem(match hint {
            Some(known) => format!("unknown field; did you mean {known}?"),
            None => "unknown field".to_owned(),
        });
    }
}

/// A value in a configuration.
pub(crate) trait Setting: Clone {
    /// The fields, when this is a section.
    const FIELDS: &'static [Field] = &[];

    /// Takes the value on; what does not fit becomes a problem of the reader, and `self` stays.
    fn apply(&mut self, value: &Value, reader: &mut Reader);

    /// The value as a file would hold it.
    fn write(&self) -> Value;

    /// Whether Go would call this the zero value, of the types where that can mean "not set".
    fn is_zero(&self) -> bool {
        false
    }
}

impl Setting for bool {
    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        match value {
            Value::Bool(value) => *self = *value,
            // Kubernetes reads YAML 1.1, in which these words are truth values; the parser here speaks 1.2.
            Value::String(word) => match word.to_ascii_lowercase().as_str() {
                "yes" | "on" | "y" => *self = true,
                "no" | "off" | "n" => *self = false,
                _ => reader.expected("true or false", value),
            },
            _ => reader.expected("true or false", value),
        }
    }

    fn write(&self) -> Value {
        Value::Bool(*self)
    }
}

macro_rules! whole_numbers {
    ($($ty:ty),*) => {$(
        impl Setting for $ty {
            fn apply(&mut self, value: &Value, reader: &mut Reader) {
                match value.as_i64().map(<$ty>::try_from) {
                    Some(Ok(number)) => *self = number,
                    _ => reader.expected(&format!("a whole number from {} to {}", <$ty>::MIN, <$ty>::MAX), value),
                }
            }

            fn write(&self) -> Value {
                Value::from(*self)
            }

            fn is_zero(&self) -> bool {
                *self == 0
            }
        }
    )*};
}

whole_numbers!(i32, u32, i64);

impl Setting for f64 {
    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        match value.as_f64() {
            Some(number) => *self = number,
            None => reader.expected("a number", value),
        }
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }
}

impl Setting for String {
    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        match value {
            Value::String(text) => text.clone_into(self),
            Value::Bool(_) | Value::Number(_) => reader.expected("text (quote it)", value),
            _ => reader.expected("text", value),
        }
    }

    fn write(&self) -> Value {
        Value::from(self.as_str())
    }

    fn is_zero(&self) -> bool {
        self.is_empty()
    }
}

impl Setting for Duration {
    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        match value.as_str().map(parse_duration) {
            Some(Ok(duration)) => *self = duration,
            Some(Err(error)) => reader.problem(error.to_string()),
            None => reader.expected("a duration such as \"1m30s\"", value),
        }
    }

    fn write(&self) -> Value {
        Value::from(print_duration(*self))
    }

    fn is_zero(&self) -> bool {
        self.is_zero()
    }
}

/// A period that a negative duration switches off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodOrOff(pub Option<Duration>);

impl Setting for PeriodOrOff {
    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        match value.as_str().map(parse_signed) {
            Some(Ok((true, 1..))) => self.0 = None,
            Some(Ok((_, nanos))) => self.0 = Some(Duration::from_nanos(nanos)),
            Some(Err(error)) => reader.problem(error.to_string()),
            None => reader.expected("a duration such as \"1m30s\"", value),
        }
    }

    fn write(&self) -> Value {
        Value::from(self.0.map_or_else(|| "-1s".to_owned(), print_duration))
    }

    fn is_zero(&self) -> bool {
        self.0 == Some(Duration::ZERO)
    }
}

/// A duration that may also be written as a whole number of nanoseconds (`logging.flushFrequency`, for history's sake).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationOrNanos(pub Duration);

impl Setting for DurationOrNanos {
    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        match value.as_u64() {
            Some(nanos) => self.0 = Duration::from_nanos(nanos),
            None => self.0.apply(value, reader),
        }
    }

    fn write(&self) -> Value {
        self.0.write()
    }

    fn is_zero(&self) -> bool {
        self.0.is_zero()
    }
}

/// A Kubernetes quantity (`10Mi`, `0.5`) as it was written; a bare number is taken too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quantity(pub String);

impl Setting for Quantity {
    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        match value {
            Value::String(text) => text.clone_into(&mut self.0),
            Value::Number(number) => self.0 = number.to_string(),
            _ => reader.expected("a quantity such as \"10Mi\"", value),
        }
    }

    fn write(&self) -> Value {
        Value::from(self.0.as_str())
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Setting + Default> Setting for Option<T> {
    const FIELDS: &'static [Field] = T::FIELDS;

    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        self.get_or_insert_default().apply(value, reader);
    }

    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, Setting::write)
    }
}

impl<T: Setting + Default> Setting for Vec<T> {
    const FIELDS: &'static [Field] = T::FIELDS;

    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        let Value::Array(items) = value else { return reader.expected("a list", value) };
        self.clear();
        for (index, item) in items.iter().enumerate() {
            let mut entry = T::default();
            reader.within(Step::Index(index), |reader| entry.apply(item, reader));
            self.push(entry);
        }
    }

    fn write(&self) -> Value {
        self.iter().map(Setting::write).collect()
    }
}

impl<T: Setting + Default> Setting for BTreeMap<String, T> {
    fn apply(&mut self, value: &Value, reader: &mut Reader) {
        let Value::Object(entries) = value else { return reader.expected("a map", value) };
        self.clear();
        for (key, value) in entries {
            let mut entry = T::default();
            reader.within(Step::Key(key.clone()), |reader| entry.apply(value, reader));
            self.insert(key.clone(), entry);
        }
    }

    fn write(&self) -> Value {
        Value::Object(self.iter().map(|(key, value)| (key.clone(), value.write())).collect::<Map<_, _>>())
    }
}

/// Makes a struct, its defaults and its [`Setting`] out of one list of fields: Rust name and type, default, name in the
/// file, marks.
macro_rules! section {
    (
        $(#[$about:meta])*
        $section:ident {
            $(
                $(#[$meta:meta])*
                $field:ident: $ty:ty = $default:expr, $name:literal $(, $mark:ident)*;
            )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $section {
            $($(#[$meta])* pub $field: $ty,)*
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::setting::Setting for $section {
            const FIELDS: &'static [$crate::setting::Field] = &[$(
                $crate::setting::Field {
                    name: $name,
                    marks: &[$($crate::setting::Mark::$mark),*],
                    fields: <$ty as $crate::setting::Setting>::FIELDS,
                },
            )*];

            fn apply(&mut self, value: &serde_json::Value, reader: &mut $crate::setting::Reader) {
                let serde_json::Value::Object(map) = value else {
                    return reader.problem("expected a map of fields");
                };
                for (name, value) in map {
                    reader.within($crate::error::Step::Key(name.clone()), |reader| match name.as_str() {
                        $($name if !value.is_null() => {
                            let mut fresh = self.$field.clone();
                            $crate::setting::Setting::apply(&mut fresh, value, reader);
                            let keeps_zero = [$($crate::setting::Mark::$mark),*].contains(&$crate::setting::Mark::Zero);
                            let unset = reader.zero_is_unset && $crate::setting::Setting::is_zero(&fresh);
                            if keeps_zero || !unset {
                                self.$field = fresh;
                            }
                        })*
                        // A null is an absent field, as in Go.
                        $($name)|* => {}
                        _ => reader.unknown(Self::FIELDS),
                    });
                }
            }

            fn write(&self) -> serde_json::Value {
                let mut map = serde_json::Map::new();
                $(map.insert($name.to_owned(), $crate::setting::Setting::write(&self.$field));)*
                map.retain(|_, value| !value.is_null());
                serde_json::Value::Object(map)
            }
        }
    };
}

pub(crate) use section;
