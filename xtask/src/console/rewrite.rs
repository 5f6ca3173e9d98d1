//! A page that shows what happened when it was performed.

use std::ops::Range;

use super::compare::ANYTHING;

/// What one step of a page has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// The lines of the command.
    pub said: Range<usize>,
    /// The lines below it.
    pub shown: Range<usize>,
    /// How far its block is indented.
    pub indent: usize,
    /// The command, with its indentation and the names of this run.
    pub command: Vec<String>,
    /// What it printed, or as much of it as the page shows.
    pub output: Vec<String>,
}

/// The page with the edits in it. Includes in what is shown are replaced by their text.
pub fn rewritten(lines: &[String], edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.said.start);
    let mut lines = lines.to_vec();
    for edit in edits.iter().rev() {
        let indent = " ".repeat(edit.indent);
        let output = edit.output.iter().map(|line| format!("{indent}{line}").trim_end().to_owned());
        lines.splice(edit.shown.clone(), collapsed(output.collect()));
        lines.splice(edit.said.clone(), edit.command.iter().cloned());
    }
    lines.join("\n") + "\n"
}

/// `…` once where it stands twice in a row.
fn collapsed(mut lines: Vec<String>) -> Vec<String> {
    lines.dedup_by(|a, b| a.trim() == ANYTHING && b.trim() == ANYTHING);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_outputs_are_replaced_and_all_else_stays() {
        let page = "text\n  ```console\n  $ kill 1\n  old\n  older\n  $ b\n  ```\nmore";
        let lines: Vec<String> = page.lines().map(str::to_owned).collect();
        let owned = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
        let second = Edit {
            said: 5..6,
            shown: 6..6,
            indent: 2,
            command: owned(&["  $ b"]),
            output: owned(&["new b"]),
        };
        let first = Edit {
            said: 2..3,
            shown: 3..5,
            indent: 2,
            command: owned(&["  $ kill 2"]),
            output: owned(&["…", "…", "new", ""]),
        };
        assert_eq!(
            rewritten(&lines, &[second, first]),
            "text\n  ```console\n  $ kill 2\n  …\n  new\n\n  $ b\n  new b\n  ```\nmore\n"
        );
    }
}
