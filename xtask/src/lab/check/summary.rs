//! What a check has shown, whatever way it ended.

use std::collections::BTreeMap;

use course::lab::Lab;
use lab_check::report::{Event, Outcome, Verdict};
use serde_json::{Value, json};

use super::build::Refusal;
use super::process::{Ended, Ran};
use crate::lab::progress::Count;

/// The result of one check.
#[derive(Debug)]
pub struct Summary {
    /// Every case that was planned, in order, with its verdict; a case without one is red.
    pub cases: Vec<(String, Option<Verdict>)>,
    /// How it ended.
    pub ended: End,
    /// The seed of the properties.
    pub seed: Option<u64>,
    /// What the learner's code printed.
    pub printed: String,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It asked everything.
    Finished,
    /// It does not compile.
    DoesNotCompile(Vec<Refusal>),
    /// The process ended in the middle; what ran then, and how it ended.
    Died {
        /// The case that ran.
        during: Option<String>,
        /// How.
        how: String,
    },
    /// The process was ended, because it went on and on; what ran then.
    Hung {
        /// The case that ran.
        during: Option<String>,
    },
    /// The report says what no check says: the code under test has written to it.
    Overwritten,
}

impl End {
    /// Whether cases were asked, so that they can be counted.
    pub fn is_about_cases(&self) -> bool {
        !matches!(self, Self::DoesNotCompile(_))
    }

    /// The reason in one clause; none when it finished.
    pub fn reason(&self) -> Option<String> {
        let during = |name: &Option<String>| match name {
            Some(name) => format!("while {name} ran"),
            None => "before the first case".to_owned(),
        };
        match self {
            Self::Finished => None,
            Self::DoesNotCompile(refusals) => {
                Some(format!("it does not compile: {} error{}", refusals.len(), plural(refusals.len())))
            }
            Self::Died { during: name, how } => Some(format!("the program ended {}: {how}", during(name))),
            Self::Hung { during: name } => Some(format!(
                "the program went on and on {}, and was ended; look for a loop without an end",
                during(name)
            )),
            Self::Overwritten => {
                Some("something else than the check wrote to its report, so it says nothing".to_owned())
            }
        }
    }
}

/// `s`, where there is not one.
pub fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

impl Summary {
    /// Code that does not compile answers nothing.
    pub fn does_not_compile(_: &Lab, refusals: Vec<Refusal>) -> Self {
        let ended = End::DoesNotCompile(refusals);
        Self { cases: Vec::new(), ended, seed: None, printed: String::new() }
    }

    /// What a run of the check has shown. The check asks one after the other, each once, and no fewer than the lab announces: a
    /// report that says otherwise was written to by somebody else.
    pub fn of(lab: &Lab, ran: Ran) -> Self {
        let (mut names, mut seed, mut verdicts) = (Vec::new(), None, BTreeMap::new());
        let (mut running, mut finished, mut is_its_own) = (None, false, true);
        for event in ran.events {
            is_its_own &= !finished;
            match event {
                Event::Plan { seed: used, names: planned } => {
                    is_its_own &= names.is_empty() && planned.len() >= lab.failing;
                    (names, seed) = (planned, Some(used));
                }
                Event::Begin { name } => running = Some(name),
                Event::Verdict(verdict) => {
                    is_its_own &= running.take().as_ref() == Some(&verdict.name);
                    is_its_own &= verdicts.insert(verdict.name.clone(), verdict).is_none();
                }
                Event::End => finished = true,
            }
        }
        if !is_its_own {
            verdicts.clear();
        }
        let ended = match ran.ended {
            _ if !is_its_own => End::Overwritten,
            Ended::Exited(_) if finished => End::Finished,
            Ended::Hung => End::Hung { during: running },
            Ended::Exited(code) => End::Died { during: running, how: exited(code) },
            Ended::Signalled(signal) => End::Died { during: running, how: signalled(signal, &ran.printed) },
        };
        let cases = names
            .into_iter()
            .map(|name| {
                let verdict = verdicts.remove(&name);
                (name, verdict)
            })
            .collect();
        Self { cases, ended, seed, printed: ran.printed }
    }

    /// Whether everything was asked, and everything answered rightly.
    pub fn is_green(&self) -> bool {
        self.ended == End::Finished && !self.cases.is_empty() && self.red() == 0
    }

    /// How many are red; one without a verdict is.
    pub fn red(&self) -> usize {
        self.cases.iter().filter(|(_, verdict)| is_red(verdict.as_ref())).count()
    }

    /// What the progress is to remember. Only what is green has no red: a check that ended too early has at least one.
    pub fn count(&self, lab: &Lab) -> Count {
        match self.cases.len() {
            of if self.is_green() => Count { red: 0, of },
            0 => Count { red: lab.failing.max(1), of: lab.failing.max(1) },
            of => Count { red: self.red().max(1), of },
        }
    }

    /// A case that cannot be asked at all is nothing that the learner could mend.
    pub fn unusable(&self) -> Option<String> {
        self.cases.iter().find_map(|(name, verdict)| match verdict.as_ref().map(|verdict| &verdict.outcome) {
            Some(Outcome::Unusable { why }) => Some(format!("case {name} cannot be asked: {why}")),
            _ => None,
        })
    }

    /// The report for graders.
    pub fn json(&self, lab: &Lab) -> Value {
        let cases: Vec<Value> = self
            .cases
            .iter()
            .map(|(name, verdict)| match verdict {
                Some(verdict) => json!(verdict),
                None => json!({ "name": name, "outcome": "missing" }),
            })
            .collect();
        let ended = match self.ended {
            End::Finished => "finished",
            End::DoesNotCompile(_) => "does-not-compile",
            End::Died { .. } => "died",
            End::Hung { .. } => "hung",
            End::Overwritten => "overwritten",
        };
        let reason = match &self.ended {
            End::DoesNotCompile(refusals) => {
                Some(refusals.iter().map(|refusal| refusal.rendered.as_str()).collect::<Vec<_>>().join("\n"))
            }
            other => other.reason(),
        };
        json!({
            "lab": lab.id,
            "title": lab.title,
            "ended": ended,
            "reason": reason,
            "green": self.is_green(),
            "red": self.red(),
            "of": self.cases.len(),
            "seed": self.seed,
            "cases": cases,
        })
    }
}

/// Whether a verdict, or the lack of one, is red.
pub fn is_red(verdict: Option<&Verdict>) -> bool {
    verdict.is_none_or(|verdict| verdict.outcome != Outcome::Green)
}

fn exited(code: i32) -> String {
    format!("something called exit({code}); a function of a pod's life must return")
}

fn signalled(signal: i32, printed: &str) -> String {
    if printed.contains("has overflowed its stack") {
        return "its stack ran over; look for a function that calls itself without an end".to_owned();
    }
    if printed.contains("memory allocation of") {
        return "it asked for more memory than a check may have; look for something that grows without an end"
            .to_owned();
    }
    if signal == nix::sys::signal::Signal::SIGXFSZ as i32 {
        return "it printed more than a check may; look for a loop that prints".to_owned();
    }
    let name = nix::sys::signal::Signal::try_from(signal).map_or("", nix::sys::signal::Signal::as_str);
    format!("signal {signal} {name}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use lab_check::report::Kind;

    use super::*;

    fn verdict(name: &str, outcome: Outcome) -> Event {
        let text = |text: &str| text.to_owned();
        Event::Verdict(Verdict {
            name: text(name),
            kind: Kind::Case,
            rule: text("r"),
            go: text("g"),
            outcome,
        })
    }

    fn plan() -> Event {
        Event::Plan { seed: 7, names: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()] }
    }

    fn begin(name: &str) -> Event {
        Event::Begin { name: name.to_owned() }
    }

    fn lab() -> Lab {
        Lab { failing: 3, ..crate::lab::desk::sample_lab() }
    }

    fn of(events: Vec<Event>, ended: Ended) -> Summary {
        Summary::of(&lab(), Ran { events, ended, printed: String::new() })
    }

    #[test]
    fn a_case_without_a_verdict_is_red_even_when_the_process_says_that_all_is_well() {
        let summary =
            of(vec![plan(), begin("a"), verdict("a", Outcome::Green), begin("b")], Ended::Exited(0));
        assert_eq!((summary.red(), summary.is_green()), (2, false));
        let reason = summary.ended.reason().expect("it did not finish");
        assert!(reason.contains("while b ran") && reason.contains("exit(0)"), "{reason}");
        assert_eq!(summary.json(&lab())["cases"][2]["outcome"], "missing");
    }

    #[test]
    fn a_report_that_was_never_begun_or_asks_nothing_is_not_green() {
        let nothing = of(Vec::new(), Ended::Exited(0));
        assert!(
            !nothing.is_green()
                && nothing.ended.reason().is_some_and(|r| r.contains("before the first case"))
        );
        assert_eq!(nothing.count(&lab()), Count { red: 3, of: 3 });
        let empty = of(vec![Event::Plan { seed: 1, names: Vec::new() }, Event::End], Ended::Exited(0));
        assert!(!empty.is_green() && empty.ended == End::Overwritten);
    }

    #[test]
    fn all_green_and_to_the_end_is_green_and_a_hang_names_what_ran() {
        let mut events = vec![plan()];
        for name in ["a", "b", "c"] {
            events.extend([begin(name), verdict(name, Outcome::Green)]);
        }
        events.push(Event::End);
        // It ended between the last verdict and the end.
        let cut = of(events[..7].to_vec(), Ended::Exited(0));
        assert_eq!((cut.is_green(), cut.count(&lab())), (false, Count { red: 1, of: 3 }));
        let summary = of(events, Ended::Exited(0));
        assert_eq!((summary.is_green(), summary.count(&lab())), (true, Count { red: 0, of: 3 }));
        assert_eq!(summary.json(&lab())["seed"], 7);
        let hung = of(vec![plan(), begin("a")], Ended::Hung);
        assert!(hung.ended.reason().is_some_and(|r| r.contains("while a ran")), "{:?}", hung.ended);
        assert_eq!(hung.red(), 3);
    }

    #[test]
    fn a_report_that_the_code_under_test_wrote_to_is_red_from_end_to_end() {
        let green = |name: &str| [begin(name), verdict(name, Outcome::Green)];
        let all: Vec<Event> = [vec![plan()], ["a", "b", "c"].map(green).concat(), vec![Event::End]].concat();
        let fewer = Event::Plan { seed: 1, names: vec!["a".to_owned()] };
        let forged = [
            // Less is asked than the lab announces.
            [vec![fewer], green("a").to_vec(), vec![Event::End]].concat(),
            // A verdict that nothing was begun for, one that comes twice, and a second beginning.
            [
                vec![plan()],
                ["a", "b", "c"].map(|name| verdict(name, Outcome::Green)).to_vec(),
                vec![Event::End],
            ]
            .concat(),
            [all[..7].to_vec(), green("c").to_vec(), vec![Event::End]].concat(),
            [vec![plan()], all.clone()].concat(),
            [all.clone(), vec![Event::End]].concat(),
        ];
        assert!(of(all, Ended::Exited(0)).is_green());
        for events in forged {
            let summary = of(events.clone(), Ended::Exited(0));
            assert_eq!((&summary.ended, summary.is_green()), (&End::Overwritten, false), "{events:?}");
            assert_eq!(summary.red(), summary.cases.len());
        }
    }

    #[test]
    fn how_a_process_died_is_told_in_words() {
        assert!(signalled(6, "thread 'main' has overflowed its stack").contains("calls itself"));
        assert!(signalled(6, "memory allocation of 99 bytes failed").contains("grows without an end"));
        assert!(signalled(25, "spam").contains("printed more"));
        assert_eq!(signalled(9, ""), "signal 9 SIGKILL");
    }
}
