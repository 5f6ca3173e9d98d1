//! What a check says about each case: the events of a report, and their text for humans.
//!
//! ```text
//! {"event":"plan","seed":1,"names":["never-is-not-restarted", …]}
//! {"event":"begin","name":"never-is-not-restarted"}
//! {"event":"verdict","name":"never-is-not-restarted","kind":"case","rule":"…","go":"…","outcome":"green"}
//! …
//! {"event":"end"}
//! ```
//!
//! A name that was planned and has no verdict is red. The last `begin` without a verdict says what ran when the check died.

use std::fmt;
use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// What will be run, in order.
    Plan {
        /// The seed of the properties.
        seed: u64,
        /// The names of the cases, properties and observations.
        names: Vec<String>,
    },
    /// This one runs now.
    Begin {
        /// Its name.
        name: String,
    },
    /// This one is done.
    Verdict(Verdict),
    /// All are done.
    End,
}

/// What came of one case, property or observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Its name, unique in the lab.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The rule of the kubelet that it shows, in one clause.
    pub rule: String,
    /// Where that rule is in the Go source: `path#symbol`.
    pub go: String,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A case of `cases/`, which the learner knows.
    Case,
    /// A case of `hidden/`.
    Hidden,
    /// A property.
    Property,
    /// An observation.
    Observation,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The answer is right, the property holds, the observation was made.
    Green,
    /// The answer is another than it must be. All three are YAML.
    Wrong {
        /// What was asked.
        input: String,
        /// What the answer must be.
        expected: String,
        /// What it was.
        got: String,
    },
    /// The property does not hold, or the observation was not made.
    Disproved {
        /// The smallest value found for which it does not hold, as Rust prints it; empty for an observation.
        value: String,
        /// What was wrong.
        why: String,
    },
    /// The code under test panicked.
    Panicked {
        /// The input as YAML, or the value as Rust prints it.
        input: String,
        /// The panic's text.
        message: String,
        /// Where it panicked: `file:line:column`; empty if that is not known.
        at: String,
    },
    /// The code under test gave no answer.
    NoAnswer {
        /// The input as YAML.
        input: String,
        /// Why.
        why: String,
    },
    /// The case itself is unusable, whatever the code under test does.
    Unusable {
        /// Why.
        why: String,
    },
    /// For authors: the answer became the snapshot.
    Written {
        /// What that changed.
        change: Change,
    },
}

/// What writing a snapshot changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// There was none before.
    New,
    /// It had another answer before.
    Changed,
    /// It has the same answer as before.
    Same,
}

impl Outcome {
    /// Whether something is to be done about it.
    pub fn is_red(&self) -> bool {
        !matches!(self, Self::Green | Self::Written { .. })
    }
}

/// Reads a report. Lines that are no events are left out: a check that died may have written half of one.
pub fn read(report: impl BufRead) -> io::Result<Vec<Event>> {
    let mut events = Vec::new();
    for line in report.lines() {
        events.extend(serde_json::from_str::<Event>(&line?).ok());
    }
    Ok(events)
}

impl fmt::Display for Verdict {
    /// One line if green, otherwise what is needed to see what is wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match &self.outcome {
            Outcome::Green => "green  ",
            Outcome::Written { change: Change::New } => "new    ",
            Outcome::Written { change: Change::Changed } => "changed",
            Outcome::Written { change: Change::Same } => "same   ",
            _ => "RED    ",
        };
        write!(f, "{word} {}", self.name)?;
        if self.outcome.is_red() {
            write!(f, "\n  rule: {}\n  go:   {}", self.rule, self.go)?;
        }
        match &self.outcome {
            Outcome::Green | Outcome::Written { .. } => Ok(()),
            Outcome::Wrong { input, expected, got } => {
                block(f, "input", input)?;
                block(f, "expected", expected)?;
                block(f, "got", got)
            }
            Outcome::Disproved { value, why } => {
                block(f, "value", value)?;
                block(f, "why", why)
            }
            Outcome::Panicked { input, message, at } => {
                block(f, "input", input)?;
                block(f, &format!("panicked at {at}"), message)
            }
            Outcome::NoAnswer { input, why } => {
                block(f, "input", input)?;
                block(f, "no answer", why)
            }
            Outcome::Unusable { why } => block(f, "unusable", why),
        }
    }
}

/// A titled, indented text; nothing if the text is empty.
fn block(f: &mut fmt::Formatter<'_>, title: &str, text: &str) -> fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    write!(f, "\n  {title}:")?;
    for line in text.lines() {
        write!(f, "\n    {line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(outcome: Outcome) -> Verdict {
        Verdict {
            name: "never-is-not-restarted".to_owned(),
            kind: Kind::Hidden,
            rule: "what ended stays ended".to_owned(),
            go: "helpers.go#ShouldContainerBeRestarted".to_owned(),
            outcome,
        }
    }

    #[test]
    fn an_event_is_read_back_as_it_was_written() {
        let events = [
            Event::Plan { seed: 7, names: vec!["a".to_owned()] },
            Event::Begin { name: "a".to_owned() },
            Event::Verdict(verdict(Outcome::Green)),
            Event::Verdict(verdict(Outcome::Wrong {
                input: "a: 1\n".to_owned(),
                expected: "true".to_owned(),
                got: "false".to_owned(),
            })),
            Event::End,
        ];
        let lines: Vec<String> = events.iter().map(|e| serde_json::to_string(e).unwrap()).collect();
        assert_eq!(
            lines[2],
            r#"{"event":"verdict","name":"never-is-not-restarted","kind":"hidden","rule":"what ended stays ended","go":"helpers.go#ShouldContainerBeRestarted","outcome":"green"}"#
        );
        assert_eq!(read(lines.join("\n").as_bytes()).unwrap(), events);
    }

    #[test]
    fn half_a_line_is_left_out() {
        let report = "{\"event\":\"begin\",\"name\":\"a\"}\n{\"event\":\"ver";
        assert_eq!(read(report.as_bytes()).unwrap(), [Event::Begin { name: "a".to_owned() }]);
    }

    #[test]
    fn a_red_verdict_shows_its_rule_and_both_answers() {
        let red = verdict(Outcome::Wrong {
            input: "policy: Never\n".to_owned(),
            expected: "restart: false".to_owned(),
            got: "restart: true".to_owned(),
        });
        assert_eq!(
            red.to_string(),
            "RED     never-is-not-restarted\n  rule: what ended stays ended\n  go:   helpers.go#ShouldContainerBeRestarted\n  \
             input:\n    policy: Never\n  expected:\n    restart: false\n  got:\n    restart: true"
        );
        assert_eq!(verdict(Outcome::Green).to_string(), "green   never-is-not-restarted");
    }
}
