//! What Rust's test programs print, counted.

/// Sums over all test programs of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that a filter on the command line left out.
    pub filtered_out: u32,
    /// Tests that were not run because they are marked `#[ignore]`, with the reason where there is one.
    pub ignored: Vec<String>,
}

impl Tally {
    /// Takes one line of output.
    pub fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += count(result, "passed");
            self.failed += count(result, "failed");
            self.filtered_out += count(result, "filtered out");
        } else if let Some((name, outcome)) = line.strip_prefix("test ").and_then(|l| l.rsplit_once(" ... "))
            && let Some(reason) = outcome.strip_prefix("ignored")
        {
            self.ignored.push(format!("{name}{}", reason.replacen(", ", ": ", 1)));
        }
    }
}

/// The number before a word: `3` in `ok. 12 passed; 3 failed; …`.
fn count(result: &str, word: &str) -> u32 {
    result
        .split([';', '.'])
        .filter_map(|part| part.trim().strip_suffix(word)?.trim().parse::<u32>().ok())
        .next()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_programs_are_summed_and_ignored_tests_are_named() {
        let output = "
running 3 tests
test a::works ... ok
test a::slow ... ignored
test a::needs_x ... ignored, needs x
test result: FAILED. 1 passed; 2 failed; 2 ignored; 0 measured; 5 filtered out; finished in 0.08s
     Running tests/other.rs
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 10.08s
";
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read(line));
        let ignored = vec!["a::slow".to_owned(), "a::needs_x: needs x".to_owned()];
        assert_eq!(tally, Tally { passed: 13, failed: 2, filtered_out: 5, ignored });
    }
}
