//! The blocks of a page that are executed, and what the page says that they print.
//!
//! ````text
//! ```console                    `$ ` begins a command, the lines below are what it prints, `…` is any number of lines
//! ```console,terminal=up        the same in a terminal of its own: its lines come in this order, others between them;
//!                               without a `$`, more lines of what runs there; `^C` interrupts it
//! ```console,norun              with `<!-- not run: reason -->` above it
//! ```console,needs=containerd   only where there is a containerd, and root
//! ```console,timeout=300        seconds
//! ```rust,workbook=crates/images/src/lib.rs,function=pull_decision      what the reader types into the workbook
//! ````

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

/// How long a block may take when it does not say so itself.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// A page of Markdown.
#[derive(Debug)]
pub struct Page {
    pub lines: Vec<String>,
    pub blocks: Vec<Block>,
}

/// One fenced block that is executed, or says why it is not.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The line of its fence, counted from 1.
    pub line: usize,
    /// How far it is indented: it may stand in a list.
    pub indent: usize,
    pub timeout: Duration,
    pub what: What,
}

/// What a block asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// Commands in the page's own terminal, one after the other.
    Commands { steps: Vec<Step>, needs: Option<Need> },
    /// What happens in another terminal, where a command runs on.
    Terminal { name: String, steps: Vec<Step>, needs: Option<Need> },
    /// What the reader types into the workbook: this function of this file.
    Typed { file: String, function: String, text: Vec<String> },
    /// Not executed, for a reason.
    NotRun(String),
}

/// What a machine must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// containerd, runc and a network, and root to use them.
    Containerd,
}

/// One thing that is done, and what the page shows below it.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    pub act: Act,
    /// The lines of the act in the page, counted from 0.
    pub said: Range<usize>,
    /// The lines below it.
    pub shown: Range<usize>,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A command, which may be several lines long.
    Command(String),
    /// Ctrl-C.
    Interrupt,
    /// Nothing: what runs there prints more.
    Watch,
}

/// Something in a page that is no block of this grammar.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    pub text: String,
}

/// Reads a page.
///
/// # Errors
/// Every mistake in it.
pub fn read(text: &str) -> Result<Page, Vec<Mistake>> {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (mut blocks, mut mistakes) = (Vec::new(), Vec::new());
    let mut terminals = BTreeSet::new();
    for fence in fences(&lines) {
        match block(&lines, &fence, &mut terminals) {
            Ok(Some(block)) => blocks.push(block),
            Ok(None) => {}
            Err(text) => mistakes.push(Mistake { line: fence.line + 1, text }),
        }
    }
    if mistakes.is_empty() { Ok(Page { lines, blocks }) } else { Err(mistakes) }
}

/// A fenced block of any kind.
struct Fence {
    line: usize,
    indent: usize,
    info: String,
    body: Range<usize>,
}

fn fences(lines: &[String]) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let (line, indent) = (lines[at].trim_start(), indent(&lines[at]));
        let Some(mark) = ['`', '~'].into_iter().find(|mark| line.starts_with(&mark.to_string().repeat(3)))
        else {
            at += 1;
            continue;
        };
        let length = line.chars().take_while(|c| *c == mark).count();
        let closes = |line: &String| {
            let line = line.trim();
            line.chars().count() >= length && line.chars().all(|c| c == mark)
        };
        let end = lines[at + 1..].iter().position(closes).map_or(lines.len(), |n| at + 1 + n);
        fences.push(Fence { line: at, indent, info: line[length..].trim().to_owned(), body: at + 1..end });
        at = end + 1;
    }
    fences
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A line of a block without the indentation of its fence.
pub fn unindented(line: &str, by: usize) -> &str {
    &line[indent(line).min(by)..]
}

fn block(lines: &[String], fence: &Fence, terminals: &mut BTreeSet<String>) -> Result<Option<Block>, String> {
    let mut words = fence.info.split(',').map(str::trim);
    let language = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    let (mut terminal, mut norun, mut needs, mut timeout) = (None, false, None, TIMEOUT);
    let (mut file, mut function) = (None, None);
    for word in words {
        match (language, word.split_once('=').unwrap_or((word, ""))) {
            ("console", ("terminal", name)) if !name.is_empty() => terminal = Some(name.to_owned()),
            ("console", ("norun", "")) => norun = true,
            ("console", ("needs", "containerd")) => needs = Some(Need::Containerd),
            ("console", ("timeout", seconds)) => {
                let seconds =
                    seconds.parse().map_err(|_| format!("timeout={seconds} is no number of seconds"))?;
                timeout = Duration::from_secs(seconds);
            }
            ("rust", ("workbook", path)) if !path.is_empty() => file = Some(path.to_owned()),
            ("rust", ("function", name)) if !name.is_empty() => function = Some(name.to_owned()),
            ("console", _) => {
                return Err(format!(
                    "`{word}` is no attribute of a console block; there are terminal=NAME, norun, needs=containerd, timeout=SECONDS"
                ));
            }
            _ => {}
        }
    }
    let what = match (language, file, function) {
        ("rust", Some(file), Some(function)) => {
            let text = lines[fence.body.clone()].iter().map(|l| unindented(l, fence.indent).to_owned());
            What::Typed { file, function, text: text.collect() }
        }
        ("rust", None, None) => return Ok(None),
        ("rust", _, _) => return Err("workbook=FILE and function=NAME belong together".to_owned()),
        ("console", _, _) if norun => What::NotRun(reason(lines, fence.line)?),
        ("console", _, _) => {
            let steps = steps(lines, fence, terminal.is_some())?;
            match terminal {
                Some(name) => {
                    let starts = matches!(steps.first().map(|s| &s.act), Some(Act::Command(_)));
                    if !terminals.contains(&name) && !starts {
                        return Err(format!("nothing was started in terminal {name} before this block"));
                    }
                    terminals.insert(name.clone());
                    What::Terminal { name, steps, needs }
                }
                None => What::Commands { steps, needs },
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(Block { line: fence.line + 1, indent: fence.indent, timeout, what }))
}

/// The comment above a block that is not run.
fn reason(lines: &[String], fence: usize) -> Result<String, String> {
    let above = lines[..fence].iter().rev().find(|line| !line.trim().is_empty());
    let reason = above.and_then(|line| line.trim().strip_prefix("<!-- not run:")?.strip_suffix("-->"));
    match reason.map(str::trim) {
        Some(reason) if !reason.is_empty() => Ok(reason.to_owned()),
        _ => Err("a norun block needs `<!-- not run: reason -->` on the line above it".to_owned()),
    }
}

fn steps(lines: &[String], fence: &Fence, in_terminal: bool) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut at = fence.body.start;
    while at < fence.body.end {
        let line = unindented(&lines[at], fence.indent);
        let act = if let Some(command) = line.strip_prefix("$ ") {
            let end = end_of_command(lines, at, fence);
            let rest = lines[at + 1..end].iter().map(|l| unindented(l, fence.indent));
            let command = std::iter::once(command).chain(rest).collect::<Vec<_>>().join("\n");
            Some((Act::Command(command), at..end))
        } else if in_terminal && line.trim() == "^C" {
            Some((Act::Interrupt, at..at + 1))
        } else {
            None
        };
        match (act, steps.last_mut()) {
            (Some((act, said)), _) => {
                at = said.end;
                steps.push(Step { act, said, shown: at..at });
            }
            (None, Some(step)) => {
                at += 1;
                step.shown.end = at;
            }
            (None, None) if in_terminal => {
                steps.push(Step { act: Act::Watch, said: at..at, shown: at..at + 1 });
                at += 1;
            }
            (None, None) => return Err("a console block begins with a command: `$ …`".to_owned()),
        }
    }
    if steps.is_empty() { Err("an empty console block".to_owned()) } else { Ok(steps) }
}

/// Where the command that begins at `at` ends: it goes on after a backslash, and until the end of a here-document.
fn end_of_command(lines: &[String], at: usize, fence: &Fence) -> usize {
    let line = |at: usize| unindented(&lines[at], fence.indent);
    if let Some(word) = here_document(line(at)) {
        let closed = (at + 1..fence.body.end).find(|at| line(*at).trim() == word);
        return closed.map_or(fence.body.end, |at| at + 1);
    }
    let mut end = at + 1;
    while end < fence.body.end && line(end - 1).ends_with('\\') {
        end += 1;
    }
    end
}

/// The word that closes the here-document of a command, without its quotes.
fn here_document(command: &str) -> Option<&str> {
    let (_, word) = command.split_once("<<")?;
    let word = word.trim_start_matches('-').split_whitespace().next()?;
    // `<<<` is a string, not a document.
    (!word.starts_with('<')).then(|| word.trim_matches(['\'', '"']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(text: &str) -> Vec<What> {
        read(text).expect("no mistakes").blocks.into_iter().map(|block| block.what).collect()
    }

    fn mistake(text: &str) -> String {
        let mistakes = read(text).expect_err("a mistake");
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        format!("{}: {}", mistakes[0].line, mistakes[0].text)
    }

    #[test]
    fn commands_and_what_they_print() {
        let page = "# A page\n\n```console\n$ echo a\na\n$ true\n$ ls \\\n  -l\n…\n```\n";
        let steps = vec![
            Step { act: Act::Command("echo a".into()), said: 3..4, shown: 4..5 },
            Step { act: Act::Command("true".into()), said: 5..6, shown: 6..6 },
            Step { act: Act::Command("ls \\\n  -l".into()), said: 6..8, shown: 8..9 },
        ];
        assert_eq!(what(page), [What::Commands { steps, needs: None }]);
    }

    #[test]
    fn a_here_document_belongs_to_its_command() {
        let page = "```console\n$ cat > a <<'EOF'\n$ no command\nEOF\n$ cat <<< b\nb\n```\n";
        let [What::Commands { steps, .. }] = &what(page)[..] else { panic!("one block") };
        let acts: Vec<&Act> = steps.iter().map(|step| &step.act).collect();
        let cat = Act::Command("cat > a <<'EOF'\n$ no command\nEOF".into());
        assert_eq!(acts, [&cat, &Act::Command("cat <<< b".into())]);
        assert_eq!(steps[1].shown, 5..6);
    }

    #[test]
    fn a_terminal_goes_on_and_is_interrupted() {
        let page = "```console,terminal=up\n$ run\nup\n```\ntext\n```console,terminal=up\nmore\n^C\nAll down.\n```\n";
        let [What::Terminal { name, .. }, What::Terminal { steps, .. }] = &what(page)[..] else {
            panic!("two blocks")
        };
        assert_eq!(name, "up");
        let acts: Vec<(&Act, Range<usize>)> = steps.iter().map(|s| (&s.act, s.shown.clone())).collect();
        assert_eq!(acts, [(&Act::Watch, 6..7), (&Act::Interrupt, 8..9)]);
    }

    #[test]
    fn a_block_in_a_list_and_a_block_that_only_shows_a_block() {
        let page =
            "1. do\n\n   ```console\n   $ a\n     b\n   ```\n\n````text\n```console\n$ not run\n```\n````\n";
        let read = read(page).expect("no mistakes");
        assert_eq!(read.blocks.len(), 1);
        assert_eq!((read.blocks[0].line, read.blocks[0].indent), (3, 3));
        assert_eq!(unindented(&read.lines[4], 3), "  b");
    }

    #[test]
    fn attributes() {
        let page = "<!-- not run: needs a cluster -->\n```console,norun\n$ kubectl get pods\n```\n";
        assert_eq!(what(page), [What::NotRun("needs a cluster".into())]);
        let page = read("```console,timeout=300,needs=containerd\n$ a\n```\n").expect("no mistakes");
        assert_eq!(page.blocks[0].timeout, Duration::from_secs(300));
        assert!(matches!(page.blocks[0].what, What::Commands { needs: Some(Need::Containerd), .. }));
        let page = "```rust,workbook=crates/a/src/b.rs,function=c\nfn c() {}\n```\n```rust\nfn d() {}\n```\n";
        let typed = What::Typed {
            file: "crates/a/src/b.rs".into(),
            function: "c".into(),
            text: vec!["fn c() {}".into()],
        };
        assert_eq!(what(page), [typed]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (page, expected) in [
            ("\n```console,norun\n$ a\n```\n", "2: a norun block needs"),
            ("```console,terminl=up\n$ a\n```\n", "1: `terminl=up` is no attribute"),
            ("```console,timeout=long\n$ a\n```\n", "1: timeout=long is no number"),
            ("```console\noutput\n```\n", "1: a console block begins with a command"),
            ("```console\n```\n", "1: an empty console block"),
            ("```console,terminal=up\nline\n```\n", "1: nothing was started in terminal up"),
            ("```rust,workbook=a\n```\n", "1: workbook=FILE and function=NAME belong together"),
        ] {
            let said = mistake(page);
            assert!(said.starts_with(expected), "{said}");
        }
    }
}
