//! Named checks, and what they say together.

use std::fmt;
use std::sync::Arc;

use crate::Host;

/// A list of named checks behind one `/healthz`. Cheap to clone.
#[derive(Clone)]
pub struct Checks(Arc<[Check]>);

enum Check {
    /// Passes by answering at all.
    Ping,
    SyncLoop(Arc<dyn Host>),
}

impl Check {
    fn name(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::SyncLoop(_) => "syncloop",
        }
    }

    fn run(&self) -> Result<(), String> {
        match self {
            Self::Ping => Ok(()),
            Self::SyncLoop(host) => host.sync_loop_healthy(),
        }
    }
}

impl Checks {
    // ANCHOR: checks
    /// `ping` alone: what port 10248 serves.
    pub fn ping() -> Self {
        Self(Arc::new([Check::Ping]))
    }
    // ANCHOR_END: checks

    // ANCHOR: of_kubelet
    /// `ping` and `syncloop`: what the watchdog goes by, and port 10250.
    pub fn of_kubelet(host: Arc<dyn Host>) -> Self {
        Self(Arc::new([Check::Ping, Check::SyncLoop(host)]))
    }
    // ANCHOR_END: of_kubelet

    /// Runs every check, in order.
    pub fn run(&self) -> Vec<(&'static str, Result<(), String>)> {
        self.0.iter().map(|check| (check.name(), check.run())).collect()
    }

    /// The first check that fails, with its reason; `None` when the kubelet is well.
    ///
    /// Mirrors `pkg/kubelet/watchdog/watchdog_linux.go: doCheck`.
    pub fn failure(&self) -> Option<(&'static str, String)> {
        self.run().into_iter().find_map(|(name, outcome)| Some((name, outcome.err()?)))
    }

    /// The outcome of the check called `name`; `None` when there is none of that name.
    pub(crate) fn run_one(&self, name: &str) -> Option<Result<(), String>> {
        self.0.iter().find(|check| check.name() == name).map(Check::run)
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(Check::name)).finish()
    }
}

/// A plain-text HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The body, `text/plain; charset=utf-8`.
    pub body: String,
    /// Whether `X-Content-Type-Options: nosniff` goes with it.
    pub nosniff: bool,
}

impl Answer {
    fn error(status: u16, text: &str) -> Self {
        Self { status, body: format!("{text}\n"), nosniff: true }
    }

    /// What Go's `http.NotFound` says.
    pub(crate) fn not_found() -> Self {
        Self::error(404, "404 page not found")
    }
}

/// Answers `/healthz` from the outcome of its checks and the query of the request.
///
/// `?verbose` lists every check; a failure always does, without the reasons, for the port asks nobody who they are.
/// `?exclude=NAME` (repeatable) passes over a check.
///
/// Mirrors `healthz.go: handleRootHealth`.
// ANCHOR: answer_root
pub fn answer_root(outcomes: &[(&str, Result<(), String>)], query: &str) -> Answer {
    let parameters = || query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut excluded: Vec<&str> =
        parameters().filter(|(key, _)| *key == "exclude").map(|(_, name)| name).collect();
    excluded.sort_unstable();
    excluded.dedup();

    let mut lines = String::new();
    let mut failed = false;
    for (name, outcome) in outcomes {
        lines += &if excluded.contains(name) {
            format!("[+]{name} excluded: ok\n")
        } else if outcome.is_ok() {
            format!("[+]{name} ok\n")
        } else {
            failed = true;
            format!("[-]{name} failed: reason withheld\n")
        };
    }
    excluded.retain(|name| !outcomes.iter().any(|(known, _)| known == name));
    if !excluded.is_empty() {
        let unmatched: Vec<String> = excluded.iter().map(|name| format!("{name:?}")).collect();
        lines +=
            &format!("warn: some health checks cannot be excluded: no matches for {}\n", unmatched.join(","));
    }

    if failed {
        return Answer::error(500, &format!("{lines}healthz check failed"));
    }
    let verbose = parameters().any(|(key, _)| key == "verbose");
    let body = if verbose { format!("{lines}healthz check passed\n") } else { "ok".to_owned() };
    Answer { status: 200, body, nosniff: true }
}
// ANCHOR_END: answer_root

/// Answers `/healthz/NAME` from the outcome of that one check; here the reason is told.
///
/// Mirrors `healthz.go: adaptCheckToHandler`.
pub fn answer_one(outcome: &Result<(), String>) -> Answer {
    match outcome {
        Ok(()) => Answer { status: 200, body: "ok".to_owned(), nosniff: false },
        Err(reason) => Answer::error(500, &format!("internal server error: {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_answer_follows_checks_and_query() {
        let well: &[(&str, Result<(), String>)] = &[("ping", Ok(())), ("syncloop", Ok(()))];
        let ill: &[(&str, Result<(), String>)] =
            &[("ping", Ok(())), ("syncloop", Err("sync loop took longer than expected".to_owned()))];
        let rows = [
            (well, "", 200, "ok"),
            (well, "verbose", 200, "[+]ping ok\n[+]syncloop ok\nhealthz check passed\n"),
            (well, "verbose=0", 200, "[+]ping ok\n[+]syncloop ok\nhealthz check passed\n"),
            (well, "verbosely", 200, "ok"),
            (ill, "", 500, "[+]ping ok\n[-]syncloop failed: reason withheld\nhealthz check failed\n"),
            (ill, "exclude=syncloop", 200, "ok"),
            (
                ill,
                "exclude=syncloop&verbose",
                200,
                "[+]ping ok\n[+]syncloop excluded: ok\nhealthz check passed\n",
            ),
            (
                well,
                "exclude=etcd&exclude=apf&exclude=etcd&verbose",
                200,
                "[+]ping ok\n[+]syncloop ok\nwarn: some health checks cannot be excluded: no matches for \
                 \"apf\",\"etcd\"\nhealthz check passed\n",
            ),
        ];
        for (outcomes, query, status, body) in rows {
            let answer = answer_root(outcomes, query);
            assert_eq!((answer.status, answer.body.as_str()), (status, body), "?{query}");
        }
    }

    #[test]
    fn only_the_answer_of_a_single_check_tells_the_reason() {
        assert_eq!(answer_one(&Ok(())).body, "ok");
        let answer = answer_one(&Err("stuck".to_owned()));
        assert_eq!((answer.status, answer.body.as_str()), (500, "internal server error: stuck\n"));
        assert!(!answer_root(&[("syncloop", Err("stuck".to_owned()))], "verbose").body.contains("stuck"));
    }
}
