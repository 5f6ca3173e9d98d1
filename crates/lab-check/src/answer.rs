//! From the input of a case to the answer of the code under test, both as YAML.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_yaml_ng::Value;
use serde_yaml_ng::with::singleton_map_recursive;

use crate::Error;
use crate::caught::{Panic, caught};

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The case's input is not what the check reads.
    Unusable(String),
    /// The code under test panicked.
    Panicked(Panic),
    /// The code under test failed, or its answer cannot be written.
    Failed(String),
}

/// Runs the code under test on an input.
pub(crate) fn answer<I, A>(input: Value, code: &dyn Fn(I) -> Result<A, Error>) -> Result<String, NoAnswer>
where
    I: DeserializeOwned,
    A: Serialize,
{
    // With this, enums are maps of one entry: readers of the cases need not know YAML's tags.
    let input: I = singleton_map_recursive::deserialize(input)
        .map_err(|e| NoAnswer::Unusable(format!("its input cannot be read: {e}")))?;
    let answer = caught(|| code(input)).map_err(NoAnswer::Panicked)?;
    let answer = answer.map_err(|e| NoAnswer::Failed(e.to_string()))?;
    to_yaml(&answer).map_err(|e| NoAnswer::Failed(format!("the answer cannot be written as YAML: {e}")))
}

/// YAML with enums as maps of one entry.
fn to_yaml(answer: &impl Serialize) -> Result<String, serde_yaml_ng::Error> {
    let mut text = Vec::new();
    singleton_map_recursive::serialize(answer, &mut serde_yaml_ng::Serializer::new(&mut text))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Then {
        Keep,
        Kill { why: String },
        Start(Vec<u32>),
    }

    fn yaml(text: &str) -> Value {
        serde_yaml_ng::from_str(text).unwrap()
    }

    #[test]
    fn enums_need_no_tags_in_either_direction() {
        let text = "- keep\n- kill:\n    why: probe\n- start:\n  - 1\n  - 2\n";
        let echo = |then: Vec<Then>| {
            assert_eq!(then[1], Then::Kill { why: "probe".to_owned() });
            Ok(then)
        };
        assert_eq!(answer(yaml(text), &echo).unwrap(), text);
    }

    #[test]
    fn why_there_is_no_answer_is_told_apart() {
        let ask =
            |input: &str, code: &dyn Fn(u32) -> Result<u32, Error>| answer(yaml(input), code).unwrap_err();
        assert!(matches!(ask("text", &Ok), NoAnswer::Unusable(why) if why.contains("cannot be read")));
        assert!(matches!(ask("1", &|_| panic!("oh")), NoAnswer::Panicked(_)));
        assert_eq!(ask("1", &|_| Err(Error::new("no such pod"))), NoAnswer::Failed("no such pod".to_owned()));
        let failing = |_: u32| -> Result<u32, Error> { Ok("x".parse::<u32>()?) };
        assert_eq!(ask("1", &failing), NoAnswer::Failed("invalid digit found in string".to_owned()));
    }
}
