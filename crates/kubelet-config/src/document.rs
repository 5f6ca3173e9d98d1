//! Text to a tree of values: YAML or JSON, duplicate keys noticed, lines found again.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{FieldPath, Step};

/// A document and the keys that stand in it more than once (the first one counts).
pub(crate) struct Document {
    pub(crate) value: Value,
    pub(crate) duplicates: Vec<FieldPath>,
}

/// Reads the text as JSON when it begins with a brace, and as YAML otherwise (as Kubernetes' decoder does).
///
/// # Errors
/// What the parser says, with line and column.
pub(crate) fn parse(text: &str) -> Result<Document, String> {
    let mut duplicates = Vec::new();
    let tree = Tree { path: FieldPath::default(), duplicates: &mut duplicates };
    let value = with_parser(text, tree)?;
    Ok(Document { value, duplicates })
}

/// The line on which the value at `path` stands, or with `again` the second one of that key.
///
/// Neither parser keeps lines in its tree, but each puts the line where it stands into an error. So the document is
/// read once more, by a reader that fails on reaching the path.
pub(crate) fn line_of(text: &str, path: &FieldPath, again: bool) -> Option<usize> {
    let finder = Finder { steps: &path.0, again };
    if is_json(text) {
        let error = finder.deserialize(&mut serde_json::Deserializer::from_str(text)).err()?;
        Some(error.line())
    } else {
        let error = finder.deserialize(serde_yaml_ng::Deserializer::from_str(text)).err()?;
        Some(error.location()?.line())
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

fn with_parser<'de, S: DeserializeSeed<'de>>(text: &'de str, seed: S) -> Result<S::Value, String> {
    if is_json(text) {
        let mut parser = serde_json::Deserializer::from_str(text);
        let value = seed.deserialize(&mut parser).map_err(|error| error.to_string())?;
        parser.end().map_err(|error| error.to_string())?;
        Ok(value)
    } else {
        seed.deserialize(serde_yaml_ng::Deserializer::from_str(text)).map_err(|error| error.to_string())
    }
}

/// Builds the tree.
struct Tree<'a> {
    path: FieldPath,
    duplicates: &'a mut Vec<FieldPath>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without a tag")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    /// What the YAML parser says of an empty document.
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let path = self.path.then(Step::Index(items.len()));
            match access.next_element_seed(Tree { path, duplicates: &mut *self.duplicates })? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let path = self.path.then(Step::Key(key.clone()));
            if map.contains_key(&key) {
                access.next_value::<IgnoredAny>()?;
                // A third one is not another problem.
                if !self.duplicates.contains(&path) {
                    self.duplicates.push(path);
                }
            } else {
                let value = access.next_value_seed(Tree { path, duplicates: &mut *self.duplicates })?;
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }
}

/// Fails where the path ends.
#[derive(Clone, Copy)]
struct Finder<'a> {
    steps: &'a [Step],
    again: bool,
}

impl<'de> DeserializeSeed<'de> for Finder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the place that is looked for")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let [Step::Index(wanted), rest @ ..] = self.steps else { return Ok(()) };
        for _ in 0..*wanted {
            access.next_element::<IgnoredAny>()?;
        }
        if rest.is_empty() {
            access.next_element_seed(Here)?;
        } else {
            access.next_element_seed(Finder { steps: rest, ..self })?;
        }
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let [Step::Key(wanted), rest @ ..] = self.steps else { return Ok(()) };
        let mut seen = false;
        loop {
            // Failing inside the key gives the key's own line.
            let fail = rest.is_empty() && (seen || !self.again);
            match access.next_key_seed(Key { wanted, fail })? {
                None => return Ok(()),
                Some(true) if !rest.is_empty() => access.next_value_seed(Finder { steps: rest, ..self })?,
                Some(found) => {
                    seen |= found;
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
}

/// Says whether a key is the wanted one, or fails on it.
struct Key<'a> {
    wanted: &'a str,
    fail: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        match key == self.wanted {
            true if self.fail => Err(E::custom("found")),
            found => Ok(found),
        }
    }
}

/// Fails on any value: a visitor expects nothing unless it says otherwise.
struct Here;

impl<'de> DeserializeSeed<'de> for Here {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Here {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing more")
    }
}
