//! How far the bench is: one line on stderr, so that figures on stdout stay clean.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::time::Instant;

/// Where no terminal rewrites the line, a new one is written at most this often.
const PAUSE: Duration = Duration::from_secs(2);

/// The progress line of one part.
#[derive(Debug)]
pub struct Progress {
    part: &'static str,
    terminal: bool,
    said: Cell<Option<Instant>>,
}

impl Progress {
    /// The line of a part.
    pub fn of(part: &'static str) -> Self {
        Self { part, terminal: std::io::stderr().is_terminal(), said: Cell::new(None) }
    }

    /// Says what is done now.
    pub fn say(&self, what: impl std::fmt::Display) {
        if self.terminal {
            eprint!("\r\x1b[K{}: {what}", self.part);
            let _ = std::io::stderr().flush();
        } else if self.said.get().is_none_or(|said| said.elapsed() >= PAUSE) {
            eprintln!("{}: {what}", self.part);
        } else {
            return;
        }
        self.said.set(Some(Instant::now()));
    }

    /// Lets time pass, and says how much is left.
    pub async fn wait(&self, what: &str, time: Duration) {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.say(format_args!("{what}, {:.0} s left", left.as_secs_f64().ceil()));
            tokio::time::sleep(left.min(Duration::from_secs(5))).await;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && self.said.get().is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
