//! What a page shows against what was printed.

use std::collections::BTreeMap;

use similar::{ChangeTag, TextDiff};

use super::normal::{self, Line, Names};

/// The line that stands for any number of lines.
pub const ANYTHING: &str = "…";

/// What was compared: where each shown line was found among the printed ones, so that the page can be rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is as shown. For each shown line the index of the printed one; nothing for `…`.
    Same(Vec<Option<usize>>),
    /// It is not, with what to tell about it.
    Different(String),
}

/// Compares the output of a command that has ended: line by line, from the first to the last.
pub fn whole(shown: &[String], printed: &[String], names: &mut Names) -> Verdict {
    let lines: Vec<Line> = printed.iter().map(|line| normal::line(line)).collect();
    let mut found = vec![None; shown.len()];
    let mut from = 0;
    let mut at = 0;
    let mut anywhere = false;
    while at <= shown.len() {
        // The lines up to the next `…` have to stand together.
        let end = shown[at..].iter().position(|l| l.trim() == ANYTHING).map_or(shown.len(), |n| at + n);
        let part: Vec<Line> = shown[at..end].iter().map(|line| normal::line(line)).collect();
        let last = end == shown.len();
        let latest = lines.len().checked_sub(part.len()).filter(|latest| *latest >= from);
        let starts = latest.map_or(0..0, |latest| match (anywhere, last) {
            (false, true) if latest != from => 0..0,
            (false, _) => from..from + 1,
            (true, true) => latest..latest + 1,
            (true, false) => from..latest + 1,
        });
        let mut other_name = None;
        let start = starts.into_iter().find(|start| {
            let mut learnt = names.clone();
            let fits = part.iter().zip(&lines[*start..]).all(|(shown, printed)| {
                learnt.agree(shown, printed).unwrap_or_else(|why| {
                    other_name = Some(why);
                    false
                })
            });
            if fits {
                *names = learnt;
            }
            fits
        });
        let Some(start) = start else {
            let why = other_name.map(|why| format!("{why}\n")).unwrap_or_default();
            return Verdict::Different(why + &difference(shown, printed));
        };
        for offset in 0..part.len() {
            found[at + offset] = Some(start + offset);
        }
        from = start + part.len();
        at = end + 1;
        anywhere = true;
    }
    Verdict::Same(found)
}

/// Compares the output of a command and its exit code, which a page shows as `[exit 1]` when it is not 0. Such a line is
/// added to the printed ones, so that they are what the page has to show.
pub fn command(shown: &[String], printed: &mut Vec<String>, code: i32, names: &mut Names) -> Verdict {
    let exit = |line: &String| line.trim().starts_with("[exit ") && line.trim().ends_with(']');
    let (body, wanted) = match shown.split_last() {
        Some((last, body)) if exit(last) => (body, last.trim().to_owned()),
        _ => (shown, String::new()),
    };
    let verdict = whole(body, printed, names);
    let really = if code == 0 { String::new() } else { format!("[exit {code}]") };
    if !really.is_empty() {
        printed.push(really.clone());
    }
    match verdict {
        Verdict::Same(found) if wanted == really => {
            let last = (!wanted.is_empty()).then(|| Some(printed.len() - 1));
            Verdict::Same(found.into_iter().chain(last).collect())
        }
        verdict => {
            let mut why = match verdict {
                Verdict::Different(why) => vec![why],
                Verdict::Same(_) => Vec::new(),
            };
            if wanted != really {
                let exits =
                    [("- ", &wanted), ("+ ", &really)].into_iter().filter(|(_, exit)| !exit.is_empty());
                why.extend(exits.map(|(sign, exit)| format!("{sign}{exit}")));
            }
            Verdict::Different(why.join("\n"))
        }
    }
}

/// Up to where a page has been through what a terminal printed.
///
/// Pods do not wait for each other, nor containers, nor the agent's log for the runtime. So there is a place for each of
/// them: what is said of one is looked for behind what was last seen of it, though something else came later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    of: BTreeMap<Subject, usize>,
    most: usize,
}

/// What a line of `cargo xtask up` is about: the runtime's picture of a pod, or what the agent says of one container.
/// Empty for every other line.
type Subject = [String; 3];

impl Seen {
    /// The first line that may be what comes next for this subject; for a new one, what comes after everything.
    fn behind(&self, subject: &Subject) -> usize {
        self.of.get(subject).copied().unwrap_or(self.most)
    }

    /// The lines behind everything that was seen.
    pub fn rest<'a>(&self, lines: &'a [String]) -> &'a [String] {
        &lines[self.most.min(lines.len())..]
    }

    fn through(&mut self, subject: Subject, line: usize) {
        self.of.insert(subject, line + 1);
    }
}

/// Looks for the shown lines among what a running command has printed so far: in this order, other lines may come between.
pub fn within(shown: &[String], printed: &[String], seen: &mut Seen, names: &mut Names) -> Verdict {
    let (mut learnt, mut place) = (names.clone(), seen.clone());
    let mut found = Vec::new();
    for line in shown {
        if line.trim() == ANYTHING {
            found.push(None);
            continue;
        }
        let wanted = normal::line(line);
        let subject = subject(line);
        let from = place.behind(&subject).min(printed.len());
        let mut other_name = None;
        let at = (from..printed.len()).find(|at| {
            learnt.agree(&wanted, &normal::line(&printed[*at])).unwrap_or_else(|why| {
                other_name = Some(why);
                false
            })
        });
        let Some(at) = at else {
            let rest = printed[from..].join("\n");
            let why = other_name.map(|why| format!(" ({why})")).unwrap_or_default();
            return Verdict::Different(format!(
                "it did not print{why}:\n- {line}\nsince then it printed:\n{}",
                if rest.is_empty() { "nothing" } else { &rest }
            ));
        };
        found.push(Some(at));
        place.through(subject, at);
    }
    place.most = found.iter().flatten().map(|at| at + 1).max().unwrap_or_default().max(place.most);
    (*names, *seen) = (learnt, place);
    Verdict::Same(found)
}

fn subject(line: &str) -> Subject {
    let mut words = line.split_whitespace().skip_while(|word| !matches!(*word, "pod" | "event"));
    let subject = match (words.next(), words.next(), words.next()) {
        (Some("pod"), Some(pod), _) if pod.contains('/') => ["pod", pod, ""],
        (Some("event"), Some(pod), Some(container)) if pod.contains('/') => ["event", pod, container],
        _ => ["", "", ""],
    };
    subject.map(str::to_owned)
}

/// The printed lines that belong into the page: without cargo's own, without colours.
pub fn lines(printed: &str) -> Vec<String> {
    let text = normal::plain(printed);
    text.lines()
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| !normal::is_of_cargo(line))
        .map(str::to_owned)
        .collect()
}

/// The difference, by shape, in the words of both sides.
fn difference(shown: &[String], printed: &[String]) -> String {
    let shape = |lines: &[String]| lines.iter().map(|l| normal::line(l).shape).collect::<Vec<_>>();
    let (before, after) = (shape(shown), shape(printed));
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    let after: Vec<&str> = after.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&before, &after);
    let told = diff.iter_all_changes().map(|change| match change.tag() {
        ChangeTag::Delete => format!("- {}", change.old_index().map_or("", |at| shown[at].as_str())),
        ChangeTag::Insert => format!("+ {}", change.new_index().map_or("", |at| printed[at].as_str())),
        ChangeTag::Equal => format!("  {}", change.new_index().map_or("", |at| printed[at].as_str())),
    });
    told.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &str) -> Vec<String> {
        lines.lines().map(str::to_owned).collect()
    }

    fn is_whole(shown: &str, printed: &str) -> bool {
        let verdict = whole(&text(shown), &text(printed), &mut Names::default());
        matches!(verdict, Verdict::Same(_))
    }

    #[test]
    fn the_whole_output_is_compared() {
        for (shown, printed, same) in [
            ("", "", true),
            ("", "a", false),
            ("a", "", false),
            ("a\nb", "a\nb", true),
            ("a", "a\nb", false),
            ("b", "a\nb", false),
            ("a 1.2s", "a   0.3s", true),
            ("…", "", true),
            ("…", "a\nb", true),
            ("a\n…", "a\nb\nc", true),
            ("b\n…", "a\nb\nc", false),
            ("…\nc", "a\nb\nc", true),
            ("…\nc", "a\nc\nc", true),
            ("…\nb", "a\nb\nc", false),
            ("a\n…\nc", "a\nc", true),
            ("a\n…\nb\nc\n…\ne", "a\nb\nx\nb\nc\nd\ne", true),
            ("a\n…\nc\nb\n…\ne", "a\nb\nx\nb\nc\nd\ne", false),
            ("a\n…\na", "a", false),
        ] {
            assert_eq!(is_whole(shown, printed), same, "{shown:?} against {printed:?}");
        }
    }

    #[test]
    fn where_the_lines_were_found_is_told() {
        let verdict = whole(&text("a\n…\nc"), &text("a\nb\nc"), &mut Names::default());
        assert_eq!(verdict, Verdict::Same(vec![Some(0), None, Some(2)]));
        let verdict = within(&text("b\nd"), &text("a\nb\nc\nd"), &mut Seen::default(), &mut Names::default());
        assert_eq!(verdict, Verdict::Same(vec![Some(1), Some(3)]));
    }

    #[test]
    fn a_running_command_may_print_more_but_not_in_another_order() {
        let said = |shown: &str, printed: &str| {
            within(&text(shown), &text(printed), &mut Seen::default(), &mut Names::default())
        };
        assert!(matches!(said("b\na", "a\nb"), Verdict::Different(why) if why.contains("- a\n")));
        assert!(matches!(said("a\na", "a"), Verdict::Different(why) if why.contains("nothing")));
        assert!(matches!(said("a\n…\nb", "x\na\nb"), Verdict::Same(_)));
        // Two pods come up side by side.
        assert!(matches!(said("pod d/a up\npod d/b up", "pod d/b up\npod d/a up"), Verdict::Same(_)));
        assert!(matches!(
            said("pod d/a up\npod d/a gone", "pod d/a gone\npod d/a up"),
            Verdict::Different(_)
        ));
    }

    #[test]
    fn a_later_block_goes_on_where_the_last_one_was_with_each_pod() {
        let printed =
            text("pod d/a up\npod d/b up\npod d/b down\nevent d/c app Started\npod d/a down\npod d/b up");
        let (mut seen, mut names) = (Seen::default(), Names::default());
        let mut found = |shown: &str| match within(&text(shown), &printed, &mut seen, &mut names) {
            Verdict::Same(found) => found.into_iter().flatten().collect::<Vec<_>>(),
            Verdict::Different(_) => Vec::new(),
        };
        assert_eq!(found("pod d/b up\npod d/a up"), [1, 0]);
        assert_eq!(found("pod d/a down"), [4]);
        assert_eq!(found("pod d/b down"), [2], "it was down before the other");
        let new = found("event d/c app Started");
        assert!(new.is_empty(), "what was not seen before comes after everything that was");
        assert_eq!(found("pod d/b up"), [5]);
        assert!(found("pod d/b up").is_empty(), "once");
    }

    #[test]
    fn the_same_pid_must_stay_the_same() {
        let mut names = Names::default();
        let first = whole(&text("a (pid 10)"), &text("a (pid 77)"), &mut names);
        assert!(matches!(first, Verdict::Same(_)));
        let second = whole(&text("a (pid 10)"), &text("a (pid 78)"), &mut names);
        assert!(
            matches!(second, Verdict::Different(why) if why.contains("what the page calls 10 was 77 before"))
        );
    }

    #[test]
    fn a_difference_shows_both_sides() {
        let verdict = whole(&text("a 1.0s\nb"), &text("a 2.0s\nc"), &mut Names::default());
        assert_eq!(verdict, Verdict::Different("  a 2.0s\n- b\n+ c".into()));
    }

    #[test]
    fn lines_of_cargo_and_colours_are_not_compared() {
        assert_eq!(lines("   Compiling clock v0.1.0\n\x1b[1mok\x1b[0m\r\n"), ["ok"]);
    }
}
