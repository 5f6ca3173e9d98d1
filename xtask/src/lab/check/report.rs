//! A check's result in the field's words: the rule that was broken, where to read about it, how the answer differs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use course::lab::Lab;
use lab_check::report::{Kind, Outcome, Verdict};
use similar::{ChangeTag, TextDiff};

use super::build::Refusal;
use super::summary::{End, Summary, is_red, plural};
use crate::lab::paint::Paint;

/// How many red ones are explained. The next ones often have the same cause.
const EXPLAINED: usize = 3;

/// How many lines of an input, and of what the code printed, are shown.
const MOST_LINES: usize = 30;

/// How many errors of the compiler are shown.
const MOST_REFUSALS: usize = 5;

/// The report as text. `files` are the learner's files of this lab, `workbook` is the folder that they lie in.
pub fn render(lab: &Lab, summary: &Summary, files: &[PathBuf], workbook: &Path, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.bold(&format!("Lab {} · {}", lab.id, lab.title)));
    if let End::DoesNotCompile(refusals) = &summary.ended {
        refused(&mut out, refusals, files, workbook);
        return out;
    }
    board(&mut out, summary, paint);
    let mut unwritten: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut explained = 0;
    let verdicts = summary.cases.iter().filter_map(|(_, verdict)| verdict.as_ref());
    for verdict in verdicts.filter(|verdict| is_red(Some(verdict))) {
        match unwritten_lab(verdict) {
            Some(of) => unwritten.entry(of).or_default().push(&verdict.name),
            None if explained < EXPLAINED => {
                explained += 1;
                explain(&mut out, verdict, paint);
            }
            None => {}
        }
    }
    for (of, names) in unwritten {
        say_unwritten(&mut out, lab, of, &names, summary.cases.len());
    }
    printed(&mut out, &summary.printed, paint);
    conclude(&mut out, lab, summary, files, paint);
    out
}

/// One line a case, in groups.
fn board(out: &mut String, summary: &Summary, paint: Paint) {
    // A case without a verdict has no kind either; it stands with those before it.
    let mut group = None;
    for (name, verdict) in &summary.cases {
        let kind = verdict.as_ref().map(|verdict| verdict.kind).or(group);
        if kind != group || group.is_none() {
            group = kind;
            let title = match kind {
                Some(Kind::Case) | None => "cases",
                Some(Kind::Hidden) => "more cases",
                Some(Kind::Property) => "properties",
                Some(Kind::Observation) => "what is to be seen",
            };
            let _written = writeln!(out, "\n{title}");
        }
        let _written = match verdict {
            None => writeln!(out, "  {} {name} {}", paint.red("✗"), paint.dim("(not reached)")),
            Some(_) if is_red(verdict.as_ref()) => writeln!(out, "  {} {name}", paint.red("✗")),
            Some(_) => writeln!(out, "  {} {name}", paint.green("✓")),
        };
    }
}

/// The lab whose region is still blank, where that is why a case is red.
fn unwritten_lab(verdict: &Verdict) -> Option<&str> {
    let Outcome::Panicked { message, .. } = &verdict.outcome else { return None };
    // The text that `todo!` gives, with the text that a start of a lab writes into it.
    let lab = message.strip_prefix("not yet implemented: lab ")?.get(..2)?;
    lab.bytes().all(|byte| byte.is_ascii_digit()).then_some(lab)
}

fn say_unwritten(out: &mut String, lab: &Lab, of: &str, names: &[&str], all: usize) {
    let (n, s) = (names.len(), plural(names.len()));
    let ends = if n == 1 { "ends" } else { "end" };
    let _written = if of == lab.id {
        if n == all {
            writeln!(out, "\nNothing is written yet: all {n} end in the todo! of this lab.")
        } else {
            writeln!(out, "\n{n} case{s} {ends} in a todo! of this lab: {}.", names.join(", "))
        }
    } else {
        writeln!(
            out,
            "\n{n} case{s} {ends} in lab {of}'s region, which is not written yet. Write it first, or take the \
             reference for it: cargo xtask lab solve {of}"
        )
    };
}

fn explain(out: &mut String, verdict: &Verdict, paint: Paint) {
    let _written = writeln!(out, "\n{} {}", paint.red("✗"), paint.bold(&verdict.name));
    let _written = writeln!(out, "  the rule  {}", verdict.rule);
    let _written = writeln!(out, "  read      {}", verdict.go);
    match &verdict.outcome {
        Outcome::Green | Outcome::Written { .. } => {}
        Outcome::Wrong { input, expected, got } => {
            block(out, "asked", input);
            let legend = format!("{} must be, {} your answer", paint.green("-"), paint.red("+"));
            let _written =
                writeln!(out, "  differs   ({legend})\n{}", difference(expected, got, paint).trim_end());
        }
        Outcome::Disproved { value, why } => {
            block(out, "asked", value);
            block(out, "but", why);
        }
        Outcome::Panicked { input, message, at } => {
            block(out, "asked", input);
            let place = if at.is_empty() { String::new() } else { format!("\nat {at}") };
            block(out, "panicked", &format!("{message}{place}"));
        }
        Outcome::NoAnswer { input, why } => {
            block(out, "asked", input);
            block(out, "no answer", why);
        }
        Outcome::Unusable { why } => block(out, "unusable", why),
    }
}

/// A titled text: beside its title if it is one line, otherwise below.
fn block(out: &mut String, title: &str, text: &str) {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    match lines.as_slice() {
        [] => {}
        [line] => {
            let _written = writeln!(out, "  {title:<8}  {}", line.trim_start());
        }
        lines => {
            let _written = writeln!(out, "  {title}");
            for line in lines.iter().take(MOST_LINES) {
                let _written = writeln!(out, "    {line}");
            }
            if let Some(more) = lines.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
                let _written = writeln!(out, "    … and {more} line{} more", plural(more));
            }
        }
    }
}

/// What must be and what is, line by line.
fn difference(expected: &str, got: &str, paint: Paint) -> String {
    // A last line without its end would differ from one with it.
    let (expected, got) = (format!("{}\n", expected.trim_end()), format!("{}\n", got.trim_end()));
    let diff = TextDiff::from_lines(&expected, &got);
    let mut text = String::new();
    for (at, group) in diff.grouped_ops(4).iter().enumerate() {
        if at > 0 {
            text.push_str("      …\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = change.value().trim_end();
            let line = match change.tag() {
                ChangeTag::Equal => format!("      {line}"),
                ChangeTag::Delete => paint.green(&format!("    - {line}")),
                ChangeTag::Insert => paint.red(&format!("    + {line}")),
            };
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// What the learner's code printed, without what the check itself says.
fn printed(out: &mut String, text: &str, paint: Paint) {
    let lines: Vec<&str> = text.lines().collect();
    if lines.iter().all(|line| line.trim().is_empty()) {
        return;
    }
    let _written = writeln!(out, "\nwhile it ran, this was printed:");
    for line in lines.iter().take(MOST_LINES) {
        let _written = writeln!(out, "    {}", paint.dim(line));
    }
    if lines.len() > MOST_LINES {
        let _written = writeln!(out, "    …");
    }
}

/// The last lines: the count, and what comes next.
fn conclude(out: &mut String, lab: &Lab, summary: &Summary, files: &[PathBuf], paint: Paint) {
    if let Some(reason) = summary.ended.reason() {
        let _written = writeln!(out, "\n{}", paint.red(&format!("The check did not finish: {reason}.")));
    }
    let (red, of) = (summary.red(), summary.cases.len());
    if summary.is_green() {
        let all = paint.green(&format!("All {of} are green."));
        let diff = if files.is_empty() {
            String::new()
        } else {
            format!(" Compare with the reference: cargo xtask lab diff {}.", lab.id)
        };
        let _written = writeln!(out, "\n{all}{diff} What comes next: cargo xtask lab next");
        return;
    }
    let count = if of == 0 { "Nothing was asked.".to_owned() } else { format!("{red} of {of} are red.") };
    let _written = writeln!(out, "\n{}", paint.bold(&count));
    for file in files_once(files) {
        let _written = writeln!(out, "  yours  {}", file.display());
    }
    if !lab.hints.is_empty() {
        let _written = writeln!(out, "  stuck  cargo xtask lab hint {}", lab.id);
    }
}

fn files_once(files: &[PathBuf]) -> Vec<&PathBuf> {
    let mut once: Vec<&PathBuf> = Vec::new();
    for file in files {
        if !once.contains(&file) {
            once.push(file);
        }
    }
    once
}

/// The compiler's own words about the learner's files, and one sentence about all the rest.
fn refused(out: &mut String, refusals: &[Refusal], files: &[PathBuf], workbook: &Path) {
    let (own, others): (Vec<&Refusal>, Vec<&Refusal>) =
        refusals.iter().partition(|refusal| refusal.package.starts_with(workbook));
    out.push('\n');
    let shown = if own.is_empty() { &others } else { &own };
    for refusal in shown.iter().take(MOST_REFUSALS) {
        let _written = writeln!(out, "{}\n", refusal.rendered.trim_end());
    }
    if shown.len() > MOST_REFUSALS {
        let _written = writeln!(out, "… and {} more.\n", shown.len() - MOST_REFUSALS);
    }
    let sentence = if own.is_empty() {
        "The lab's check does not compile with your crate: it calls the region's functions as the reference declares \
         them. Keep their names and signatures."
            .to_owned()
    } else {
        let folders: std::collections::BTreeSet<PathBuf> =
            own.iter().map(|refusal| refusal.package.clone()).collect();
        let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        format!(
            "It does not compile, so nothing could be asked yet. The errors are in {}.",
            folders.join(" and ")
        )
    };
    let _written = writeln!(out, "{sentence}");
    for file in files_once(files) {
        let _written = writeln!(out, "  yours  {}", file.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(name: &str, kind: Kind, outcome: Outcome) -> (String, Option<Verdict>) {
        let rule = "a container that ended under Never stays ended".to_owned();
        let go = "pkg/kubelet/container/helpers.go#ShouldContainerBeRestarted".to_owned();
        (name.to_owned(), Some(Verdict { name: name.to_owned(), kind, rule, go, outcome }))
    }

    fn panicked(message: &str) -> Outcome {
        Outcome::Panicked {
            input: "a: 1\n".to_owned(),
            message: message.to_owned(),
            at: "src/a.rs:3:5".to_owned(),
        }
    }

    fn summary(cases: Vec<(String, Option<Verdict>)>, ended: End) -> Summary {
        Summary { cases, ended, seed: Some(1), printed: String::new() }
    }

    fn text(summary: &Summary) -> String {
        let files = [PathBuf::from("workbook/crates/k/src/a.rs")];
        render(&crate::lab::desk::sample_lab(), summary, &files, Path::new("workbook"), Paint::none())
    }

    #[test]
    fn a_wrong_answer_is_told_as_a_rule_a_place_to_read_and_a_difference() {
        let wrong = Outcome::Wrong {
            input: "policy: Never\nexitCode: 1\n".to_owned(),
            expected: "start: []\nkill: []\n".to_owned(),
            got: "start:\n- app\nkill: []\n".to_owned(),
        };
        let cases = vec![
            verdict("a-new-pod", Kind::Case, Outcome::Green),
            verdict("never-is-not-restarted", Kind::Hidden, wrong),
        ];
        assert_eq!(
            text(&summary(cases, End::Finished)),
            "\
Lab 04 · What next?

cases
  ✓ a-new-pod

more cases
  ✗ never-is-not-restarted

✗ never-is-not-restarted
  the rule  a container that ended under Never stays ended
  read      pkg/kubelet/container/helpers.go#ShouldContainerBeRestarted
  asked
    policy: Never
    exitCode: 1
  differs   (- must be, + your answer)
    - start: []
    + start:
    + - app
      kill: []

1 of 2 are red.
  yours  workbook/crates/k/src/a.rs
  stuck  cargo xtask lab hint 04
"
        );
    }

    #[test]
    fn a_region_that_is_not_written_yet_is_said_once_and_anothers_is_told_apart() {
        let todo = |lab: &str| panicked(&format!("not yet implemented: lab {lab}: look"));
        let cases = vec![
            verdict("one", Kind::Case, todo("04")),
            verdict("two", Kind::Case, todo("04")),
            verdict("three", Kind::Case, todo("05")),
        ];
        let said = text(&summary(cases.clone(), End::Finished));
        assert!(said.contains("2 cases end in a todo! of this lab: one, two."), "{said}");
        assert!(said.contains("1 case ends in lab 05's region, which is not written yet."), "{said}");
        assert!(said.contains("cargo xtask lab solve 05") && !said.contains("the rule"), "{said}");
        let only = text(&summary(cases[..2].to_vec(), End::Finished));
        assert!(only.contains("Nothing is written yet: all 2 end in the todo! of this lab."), "{only}");
        // The learner's own todo! is a panic like any other.
        let own = text(&summary(
            vec![verdict("one", Kind::Case, panicked("not yet implemented: later"))],
            End::Finished,
        ));
        assert!(own.contains("panicked\n    not yet implemented: later\n    at src/a.rs:3:5"), "{own}");
    }

    #[test]
    fn only_the_first_red_ones_are_explained_and_no_snapshot_is_ever_suggested() {
        let cases = (0..6).map(|n| verdict(&format!("c{n}"), Kind::Case, panicked("oh"))).collect();
        let said = text(&summary(cases, End::Finished));
        assert_eq!(said.matches("the rule").count(), EXPLAINED);
        let lower = said.to_lowercase();
        assert!(!["snapshot", "insta", "accept", "review"].iter().any(|word| lower.contains(word)), "{said}");
    }

    #[test]
    fn a_check_that_died_says_what_ran_and_counts_the_rest_as_red() {
        let died = End::Died { during: Some("two".to_owned()), how: "signal 6 SIGABRT".to_owned() };
        let cases = vec![verdict("one", Kind::Case, Outcome::Green), ("two".to_owned(), None)];
        let said = text(&summary(cases, died));
        assert!(said.contains("✗ two (not reached)"), "{said}");
        assert!(
            said.contains("The check did not finish: the program ended while two ran: signal 6 SIGABRT."),
            "{said}"
        );
        assert!(said.contains("1 of 2 are red."), "{said}");
    }

    #[test]
    fn compile_errors_are_cargos_own_about_the_learners_files() {
        let refusal =
            |package: &str, text: &str| Refusal { package: package.into(), rendered: text.to_owned() };
        let both =
            [refusal("workbook/crates/k", "error[E0308]: mismatched types"), refusal("target/x", "noise")];
        let said = text(&summary(Vec::new(), End::DoesNotCompile(both.to_vec())));
        assert!(said.contains("E0308") && !said.contains("noise"), "{said}");
        assert!(said.contains("The errors are in workbook/crates/k."), "{said}");
        let check = text(&summary(Vec::new(), End::DoesNotCompile(both[1..].to_vec())));
        assert!(check.contains("noise") && check.contains("Keep their names and signatures."), "{check}");
    }
}
