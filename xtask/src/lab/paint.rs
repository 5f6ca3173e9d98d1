//! What is said on the terminal, with colour where it shows it.

use std::io::{IsTerminal as _, Write as _};

/// A line on standard output, as `println!` has it; but whoever reads it may go (`… | head`), and that is no bug.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::lab::paint::put(&format!("{}\n", format_args!($($words)*)))
    };
}
pub(crate) use say;

/// Writes a text on standard output.
pub fn put(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody is left who could be told that nobody listens.
    let _gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A title and a text in lines as wide as the terminal, the text beside the title. Elsewhere it stays one line.
pub fn folded(title: &str, text: &str) -> String {
    let width = if std::io::stdout().is_terminal() { comfy_table::Table::new().width() } else { None };
    folded_to(title, text, width.map_or(usize::MAX, usize::from))
}

fn folded_to(title: &str, text: &str, width: usize) -> String {
    let indent = title.chars().count();
    let (mut folded, mut at) = (title.to_owned(), indent);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if at > indent && at + 1 + length > width {
            folded.push('\n');
            folded.push_str(&" ".repeat(indent));
            at = indent;
        } else if at > indent {
            folded.push(' ');
            at += 1;
        }
        folded.push_str(word);
        at += length;
    }
    folded
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint(bool);

impl Paint {
    /// Coloured if standard output is a terminal, and `NO_COLOR` is not set.
    pub fn of_stdout() -> Self {
        Self(std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()))
    }

    /// No colour.
    #[cfg(test)]
    pub const fn none() -> Self {
        Self(false)
    }

    /// Whether there is colour.
    pub fn is_on(self) -> bool {
        self.0
    }

    /// What is well.
    pub fn green(self, text: &str) -> String {
        self.sgr("32", text)
    }

    /// What is not.
    pub fn red(self, text: &str) -> String {
        self.sgr("31", text)
    }

    /// What matters less.
    pub fn dim(self, text: &str) -> String {
        self.sgr("2", text)
    }

    /// What is to be seen first.
    pub fn bold(self, text: &str) -> String {
        self.sgr("1", text)
    }

    fn sgr(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_folded_between_words_and_a_long_word_is_not_cut() {
        assert_eq!(folded_to("1. ", "one two three four", 10), "1. one two\n   three\n   four");
        assert_eq!(folded_to("1. ", "group_by_pod is it", 6), "1. group_by_pod\n   is\n   it");
        assert_eq!(folded_to("  about  ", "one, two", usize::MAX), "  about  one, two");
    }
}
