//! What a fake container does once it is started.

use std::time::Duration;

/// One run of a container.
#[derive(Clone, Debug)]
pub struct Run {
    /// Ends by itself after this long, with this code.
    pub exits: Option<(Duration, i32)>,
    /// How it takes SIGTERM: after this long it ends with this code. `None`: it does not listen and waits for SIGKILL.
    pub on_term: Option<(Duration, i32)>,
}

impl Run {
    /// Runs until it is stopped, and obeys SIGTERM at once.
    pub fn until_stopped() -> Self {
        Self { exits: None, on_term: Some((Duration::ZERO, 0)) }
    }

    /// Ends by itself.
    pub fn exits_after(wait: Duration, code: i32) -> Self {
        Self { exits: Some((wait, code)), ..Self::until_stopped() }
    }

    /// Does not listen to SIGTERM, like a shell with a child in the foreground.
    #[must_use]
    pub fn deaf(self) -> Self {
        Self { on_term: None, ..self }
    }
}

/// What one `ExecSync` gives.
#[derive(Clone, Debug, Default)]
pub struct ExecAnswer {
    /// How long the command takes.
    pub takes: Duration,
    /// Its exit code.
    pub exit_code: i32,
    /// Its output.
    pub stdout: Vec<u8>,
}
