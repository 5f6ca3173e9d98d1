//! A lab's README: the parts that it must have, and the line that is written from `lab.toml`.

use crate::lab::{Kind, Lab};

const BEGIN: &str = "<!-- lab -->";
const END: &str = "<!-- /lab -->";

/// The sections of a lab's README, in order.
const SECTIONS: [&str; 7] =
    ["Goal", "Read first", "Predict", "Steps", "See it live", "Test your understanding", "Going further"];

/// What a tour has of them: it is live from its first step.
const TOUR_SECTIONS: [&str; 5] = ["Goal", "Predict", "Steps", "Test your understanding", "Going further"];

/// The line that says how long a lab takes, which crate it is in, and how much is red at the start.
pub fn line(lab: &Lab) -> String {
    let red = match (lab.kind, lab.failing) {
        (Kind::Code, 1) => "1 case is red at the start".to_owned(),
        (Kind::Code, many) => format!("{many} cases are red at the start"),
        (Kind::Tour, 1) => "nothing to write, 1 thing to see".to_owned(),
        (Kind::Tour, many) => format!("nothing to write, {many} things to see"),
    };
    let mut parts = vec![format!("{} minutes", lab.minutes)];
    parts.extend(lab.crate_name.iter().map(|name| format!("crate `{name}`")));
    parts.push(red);
    match lab.needs.as_slice() {
        [] => {}
        [one] => parts.push(format!("builds on lab {one}")),
        many => parts.push(format!("builds on labs {}", many.join(", "))),
    }
    parts.join(" · ")
}

/// The README with its line brought up to date; `None` if it has no place for it.
pub fn with_line(readme: &str, lab: &Lab) -> Option<String> {
    let begin = readme.find(BEGIN)? + BEGIN.len();
    let end = begin + readme[begin..].find(END)?;
    Some(format!("{}\n{}\n{}", &readme[..begin], line(lab), &readme[end..]))
}

/// What is wrong with a lab's README.
pub fn problems(readme: &str, lab: &Lab) -> Vec<String> {
    let mut problems = Vec::new();
    let title = format!("# Lab {} · {}", lab.id, lab.title);
    if readme.lines().next() != Some(title.as_str()) {
        problems.push(format!("README.md: its first line must be `{title}`"));
    }
    match with_line(readme, lab) {
        None => {
            problems.push(format!("README.md: it has no {BEGIN} and {END}, between which its line stands"))
        }
        Some(current) if current != readme => problems
            .push(format!("README.md: its line must be `{}`; `cargo xtask lab lock` writes it", line(lab))),
        Some(_) => {}
    }
    let wanted: &[&str] = if lab.kind == Kind::Tour { &TOUR_SECTIONS } else { &SECTIONS };
    let headings = headings(readme);
    let mut from = 0;
    for section in wanted {
        match headings[from..].iter().position(|heading| heading == section) {
            Some(at) => from += at + 1,
            None if headings.iter().any(|heading| heading == section) => {
                problems.push(format!("README.md: `## {section}` is out of order: {}", wanted.join(", ")));
            }
            None => problems.push(format!("README.md: it has no `## {section}`")),
        }
    }
    problems
}

/// The second-level headings, outside of code blocks.
fn headings(readme: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut headings = Vec::new();
    for line in readme.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced && let Some(heading) = line.strip_prefix("## ") {
            headings.push(heading.trim());
        }
    }
    headings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(manifest: &str) -> Lab {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("04-next");
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("lab.toml"), manifest).unwrap();
        Lab::read(&dir).unwrap()
    }

    fn code() -> Lab {
        lab(
            "id = \"04\"\ntitle = \"What next?\"\ncrate = \"kuberuntime\"\nminutes = 75\nfailing = 17\nneeds = [\"02\"]\n\
             hints = [\"1\", \"2\", \"3\"]\n[[region]]\nanchor = \"lab04_a\"\nfile = \"src/lib.rs\"\nfunctions = [\"a\"]\n",
        )
    }

    fn readme(lab: &Lab, sections: &[&str]) -> String {
        let mut text = format!("# Lab {} · {}\n\n{BEGIN}\n{}\n{END}\n", lab.id, lab.title, line(lab));
        for section in sections {
            text += &format!("\n## {section}\n\nText.\n");
        }
        text
    }

    #[test]
    fn the_line_says_how_long_where_and_how_much() {
        assert_eq!(
            line(&code()),
            "75 minutes · crate `kuberuntime` · 17 cases are red at the start · builds on lab 02"
        );
        let tour = lab("id = \"04\"\ntitle = \"Look\"\nkind = \"tour\"\nminutes = 30\nfailing = 4\n");
        assert_eq!(line(&tour), "30 minutes · nothing to write, 4 things to see");
        assert_eq!(problems(&readme(&tour, &TOUR_SECTIONS), &tour), Vec::<String>::new());
    }

    #[test]
    fn a_readme_with_all_its_parts_has_no_problem_and_its_line_is_stable() {
        let lab = code();
        let good = readme(&lab, &SECTIONS);
        assert_eq!(problems(&good, &lab), Vec::<String>::new());
        assert_eq!(with_line(&good, &lab).as_ref(), Some(&good));
        let stale = good.replace("17 cases", "16 cases");
        assert_eq!(problems(&stale, &lab).len(), 1);
        assert_eq!(with_line(&stale, &lab), Some(good));
    }

    #[test]
    fn each_missing_part_is_named() {
        let lab = code();
        let text = readme(&lab, &["Goal", "Read first", "Steps", "Predict", "Test your understanding"])
            .replace("What next?", "What else?")
            .replace(END, "")
            + "\n```text\n## Going further\n```\n";
        assert_eq!(
            problems(&text, &lab),
            [
                "README.md: its first line must be `# Lab 04 · What next?`",
                "README.md: it has no <!-- lab --> and <!-- /lab -->, between which its line stands",
                "README.md: `## Steps` is out of order: Goal, Read first, Predict, Steps, See it live, Test your understanding, Going further",
                "README.md: it has no `## See it live`",
                "README.md: it has no `## Going further`",
            ]
        );
    }
}
