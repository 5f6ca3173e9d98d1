//! From a tree of values to the API's types, knowing at each step where in the document we are.
//!
//! The API types read themselves through `serde`, whose errors do not say *where*. So the tree is handed to them
//! through a deserializer that carries the [`FieldPath`] along, says what was expected in the manifest's own words, and
//! notes every field that no type asked for.
//!
//! Mirrors what `legacyscheme.Codecs.UniversalDecoder` does: unknown fields are skipped, `null` is the zero value.

use std::cell::RefCell;
use std::fmt;

use pod_validation::{FieldError, FieldPath};
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

/// A value of an API type, and the fields that this type does not have.
pub(crate) struct Typed<T> {
    pub(crate) value: T,
    pub(crate) unknown_fields: Vec<String>,
}

/// Reads `tree` as a `T`.
///
/// # Errors
/// The first value that is of the wrong type, with its place.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(tree: &Value) -> Result<Typed<T>, FieldError> {
    let unknown_fields = RefCell::default();
    let node = Node { value: tree, path: FieldPath::root(), unknown_fields: &unknown_fields };
    let value = T::deserialize(node).map_err(|Mismatch(error)| error)?;
    Ok(Typed { value, unknown_fields: unknown_fields.into_inner() })
}

/// One value and its place in the document.
struct Node<'v> {
    value: &'v Value,
    path: FieldPath,
    unknown_fields: &'v RefCell<Vec<String>>,
}

/// A value of the wrong type. One that the API's own code found has no place until its node adds it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Mismatch(FieldError);

impl Error for Mismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(FieldError { field: String::new(), message: format!("Invalid value: {message}") })
    }
}

impl<'v> Node<'v> {
    fn expected<T>(&self, what: &str) -> Result<T, Mismatch> {
        let shown = match self.value {
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "a map".to_owned(),
            scalar => scalar.to_string(),
        };
        let message = format!("Invalid value: {shown}: expected {what}");
        Err(Mismatch(FieldError { field: self.path.to_string(), message }))
    }

    /// Lets `seed` read a part of this value.
    fn part<S: DeserializeSeed<'v>>(
        &self,
        value: &'v Value,
        path: FieldPath,
        seed: S,
    ) -> Result<S::Value, Mismatch> {
        let place = path.to_string();
        seed.deserialize(Node { value, path, unknown_fields: self.unknown_fields }).map_err(
            |Mismatch(mut error)| {
                if error.field.is_empty() {
                    error.field = place;
                }
                Mismatch(error)
            },
        )
    }

    fn integer(&self, what: &str) -> Result<i64, Mismatch> {
        let number = match self.value {
            Value::Null => Some(0),
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            // `0644`: an octal number to the kubelet's YAML 1.1, a text to our parser's YAML 1.2.
            Value::String(text) if text.starts_with('0') => i64::from_str_radix(text, 8).ok(),
            _ => None,
        };
        number.map_or_else(|| self.expected(what), Ok)
    }

    fn object<V: Visitor<'v>>(self, is_struct: bool, visitor: V) -> Result<V::Value, Mismatch> {
        let entries = match self.value {
            Value::Null => None,
            Value::Object(map) => Some(map.iter()),
            _ => return self.expected("a map"),
        };
        visitor.visit_map(Entries {
            node: self,
            entries: entries.into_iter().flatten(),
            current: None,
            is_struct,
        })
    }
}

/// `1.0` and `1e3` are whole numbers, too.
fn whole(number: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bound is checked, and whole numbers below it are exact"
    )]
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

impl<'v> Deserializer<'v> for Node<'v> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.object(false, visitor),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_i64(number),
                (_, Some(number), _) => visitor.visit_u64(number),
                (.., number) => visitor.visit_f64(number.unwrap_or_default()),
            },
        }
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bool<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Null => visitor.visit_bool(false),
            // YAML 1.1 again: to the kubelet these words are booleans.
            Value::String(word) => match word.to_ascii_lowercase().as_str() {
                "yes" | "on" | "y" => visitor.visit_bool(true),
                "no" | "off" | "n" => visitor.visit_bool(false),
                _ => self.expected("true or false"),
            },
            _ => self.expected("true or false"),
        }
    }

    fn deserialize_i32<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        const WHAT: &str = "a whole number of 32 bits";
        match i32::try_from(self.integer(WHAT)?) {
            Ok(number) => visitor.visit_i32(number),
            Err(_) => self.expected(WHAT),
        }
    }

    fn deserialize_i64<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_i64(self.integer("a whole number")?)
    }

    fn deserialize_str<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Null => visitor.visit_borrowed_str(""),
            _ => self.expected("a string"),
        }
    }

    fn deserialize_string<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let elements: &[Value] = match self.value {
            Value::Null => &[],
            Value::Array(elements) => elements,
            _ => return self.expected("a list"),
        };
        visitor.visit_seq(Elements { node: self, elements: elements.iter().enumerate() })
    }

    fn deserialize_map<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.object(false, visitor)
    }

    fn deserialize_struct<V: Visitor<'v>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.object(true, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.unknown_fields.borrow_mut().push(self.path.to_string());
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <W: Visitor<'v>>
        i8 i16 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

struct Elements<'v> {
    node: Node<'v>,
    elements: std::iter::Enumerate<std::slice::Iter<'v, Value>>,
}

impl<'v> SeqAccess<'v> for Elements<'v> {
    type Error = Mismatch;

    fn next_element_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<Option<S::Value>, Mismatch> {
        let Some((index, value)) = self.elements.next() else { return Ok(None) };
        self.node.part(value, self.node.path.index(index), seed).map(Some)
    }
}

struct Entries<'v, I> {
    node: Node<'v>,
    entries: I,
    current: Option<(&'v String, &'v Value)>,
    is_struct: bool,
}

impl<'v, I: Iterator<Item = (&'v String, &'v Value)>> MapAccess<'v> for Entries<'v, I> {
    type Error = Mismatch;

    fn next_key_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<Option<S::Value>, Mismatch> {
        self.current = self.entries.next();
        self.current.map(|(key, _)| seed.deserialize(StrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<S::Value, Mismatch> {
        let (key, value) = self.current.take().ok_or_else(|| Mismatch::custom("a value without a key"))?;
        let path = if self.is_struct { self.node.path.child(key) } else { self.node.path.key(key) };
        self.node.part(value, path, seed)
    }
}
