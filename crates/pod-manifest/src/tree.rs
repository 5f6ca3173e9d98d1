//! From bytes to a tree of plain values, with a bound on what the tree may cost.
//!
//! YAML can name a value and repeat it, so that ten short lines stand for a billion values. The parser limits how
//! often it repeats; here every value and every byte of text is paid for, and a document that costs too much is refused.
//! What the parser itself cannot bear (its time grows with the square of the open brackets, its memory with the number
//! of values) is refused before it starts.
//!
//! Mirrors `apimachinery/pkg/util/yaml/decoder.go: ToJSON`.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{MAX_MANIFEST_BYTES, ManifestError};

/// What one value costs besides its text, in bytes: about the size of a value in memory.
const COST_OF_A_VALUE: usize = 64;
/// What a document may cost. An honest one costs a few kilobytes.
const BUDGET: usize = 4 * MAX_MANIFEST_BYTES;

/// How many brackets of YAML may be open at once, the ones in texts counted as well.
const MAX_OPEN_BRACKETS: usize = 1000;
/// How many signs that may begin a value or an entry YAML may have. A container takes some fifty.
const MAX_SIGNS: usize = 500_000;

/// Reads the first document of `bytes`: JSON when it begins with `{`, YAML otherwise, as the kubelet tells them apart.
///
/// # Errors
/// No UTF-8, no document, a document that is cut short or malformed (with line and column), or one too expensive.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, ManifestError> {
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(ManifestError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ManifestError::NotUtf8(error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let budget = Cell::new(BUDGET);
    let tree = if text.trim_start().starts_with('{') {
        let mut json = serde_json::Deserializer::from_str(text);
        let tree = Paid(&budget).deserialize(&mut json).and_then(|tree| json.end().map(|()| tree));
        tree.map_err(|error| ManifestError::NotJson(error.to_string()))?
    } else {
        check_intricacy(text)?;
        // The kubelet reads the first document of a file and no further.
        let Some(document) = serde_yaml_ng::Deserializer::from_str(text).next() else {
            return Err(ManifestError::Empty);
        };
        let tree = Paid(&budget).deserialize(document);
        let mut tree = tree.map_err(|error| ManifestError::NotYaml(error.to_string()))?;
        merge_keys(&mut tree);
        tree
    };
    if tree.is_null() { Err(ManifestError::Empty) } else { Ok(tree) }
}

/// Refuses what would keep the YAML parser busy for minutes or make it fill the memory.
fn check_intricacy(text: &str) -> Result<(), ManifestError> {
    let (mut open, mut signs) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        signs += usize::from(b"[{,:-?\n".contains(&byte));
        if open > MAX_OPEN_BRACKETS || signs > MAX_SIGNS {
            return Err(ManifestError::NotYaml("it is too intricate for a pod".to_owned()));
        }
    }
    Ok(())
}

/// Carries out YAML's `<<: *defaults`, which the Go parser knows: what the map itself says wins.
fn merge_keys(tree: &mut Value) {
    match tree {
        Value::Object(map) => {
            let merged = match map.remove("<<") {
                Some(Value::Array(maps)) => maps,
                Some(one) => vec![one],
                None => vec![],
            };
            for (key, value) in merged
                .into_iter()
                .filter_map(|one| match one {
                    Value::Object(map) => Some(map),
                    _ => None,
                })
                .flatten()
            {
                map.entry(key).or_insert(value);
            }
            map.values_mut().for_each(merge_keys);
        }
        Value::Array(list) => list.iter_mut().for_each(merge_keys),
        _ => {}
    }
}

/// Builds a value and takes its cost from the budget.
#[derive(Clone, Copy)]
struct Paid<'b>(&'b Cell<usize>);

impl Paid<'_> {
    fn pay<E: Error>(self, text: &str) -> Result<(), E> {
        let left = self.0.get().checked_sub(COST_OF_A_VALUE + text.len());
        self.0.set(left.ok_or_else(|| E::custom("the document takes more than 40 MiB once it is read"))?);
        Ok(())
    }

    fn scalar<E: Error>(self, value: impl Into<Value>) -> Result<Value, E> {
        self.pay("")?;
        Ok(value.into())
    }
}

impl<'de> DeserializeSeed<'de> for Paid<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Paid<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without a YAML tag of its own")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.scalar(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.scalar(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.pay(text)?;
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        self.pay("")?;
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.pay("")?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.pay(&key)?;
            // A key written twice: the later one counts, as in Go.
            map.insert(key, entries.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}
