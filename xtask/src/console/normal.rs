//! What two runs of the same command may print differently: times, pids, ids, addresses, the widths of columns.
//!
//! A line becomes a *shape*, in which each such thing is replaced by its kind, and the list of what was replaced. Two lines
//! agree when their shapes are equal, and when a pid or an id that the page shows twice is the same one both times.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A line, and what is peculiar to this run in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line with the kind of each peculiar thing in its place.
    pub shape: String,
    /// The pids, ids, addresses and ports, in order. Times are not among them: nobody refers to them later.
    pub names: Vec<String>,
}

/// What the page calls things → what they are called in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<String, String>);

/// The kinds, in the order in which they are looked for at each place of a line. The ones whose name begins with `n_` are
/// names: a page may refer to them in a later command.
static PECULIAR: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        // RFC 3339, the time of Rust's and klog's log lines, and a time of day.
        r"(?P<time>\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( ?Z\b| ?[+-]\d\d:?\d\d\b)?|\b[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+|\b\d\d:\d\d:\d\d(\.\d+)?\b|\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun),? [A-Z][a-z]{2} +\d+|\b(19|20)\d\d-\d\d-\d\d\b)",
        // Only what was measured: `back-off 10s` is a number that a page promises.
        r"(?P<took>([+-] *)?\b\d+(\.\d+)?( ?ms| ?[µu]s| ?ns)\b|\+ *\d+(\.\d+)? ?s\b|\b\d+\.\d+ ?s\b|\b(?:Less than a|About an?|an?|\d+) (?:second|minute|hour|day)s? ago\b|\b\d+[smhd](\d+[smh])? ago\b)",
        r"(?P<size>\b\d+\.\d+ ?[kKMGT]i?B\b)",
        r"(?P<n_temp>/tmp/podwright-[a-z-]*[A-Za-z0-9]{6})",
        // How many other tests there are in that program.
        r"(?P<count>\b\d+ filtered out\b)",
        r"(?P<n_uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)",
        r"(?P<n_address>\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(:\d+)?\b)",
        r#"(?P<n_pid>(?i:\b(pid|process)\b"?[ :=]+)\d+\b|\bkill (-\w+ )?\d+\b)"#,
        // Where something stands in our sources: every edit above it moves it.
        r"(?P<row>\.rs:\d+\b)",
        // Last, since it would take the numbers of all others. Any word; whether it is an id is seen afterwards. `_` is
        // none of its letters: `default_web_44e57bb0/app`.
        r"(?P<n_id>[0-9A-Za-z]+)",
    ];
    Regex::new(&kinds.join("|")).expect("a pattern that is known")
});

static DIGITS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d+$").expect("a pattern that is known"));

static COLOUR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\x1b\[[0-9;?]*[A-Za-z]").expect("a pattern that is known"));

static WIDTHS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[ \t]+|[─━═]+|-{3,}|={3,}").expect("a pattern that is known"));

/// Lines of cargo about its own work, which depend on what was built before.
static CARGO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^ +(Blocking|Building|Compiling|Checking|Finished|Fresh|Running|Updating|Locking|Downloading|Downloaded|Adding) ")
        .expect("a pattern that is known")
});

/// Without the colours of a terminal.
pub fn plain(text: &str) -> String {
    COLOUR.replace_all(text, "").into_owned()
}

/// Whether the line is one of cargo's own, which nothing is compared with.
pub fn is_of_cargo(line: &str) -> bool {
    CARGO.is_match(line)
}

/// Takes a line apart.
pub fn line(text: &str) -> Line {
    let mut names = Vec::new();
    let shape = PECULIAR.replace_all(text, |found: &Captures<'_>| {
        let whole = &found[0];
        if found.name("time").is_some() {
            return "<time>".to_owned();
        }
        if found.name("took").is_some() {
            return "<duration>".to_owned();
        }
        if found.name("size").is_some() {
            return "<size>".to_owned();
        }
        if found.name("row").is_some() {
            return ".rs:<line>".to_owned();
        }
        if found.name("count").is_some() {
            return "<number> filtered out".to_owned();
        }
        if found.name("n_pid").is_some() {
            let number = DIGITS.find(whole).map_or("", |digits| digits.as_str());
            names.push(number.to_owned());
            return format!("{}<pid>", &whole[..whole.len() - number.len()]);
        }
        if found.name("n_id").is_some() {
            // A short number is one that the page means: `3` restarts are three.
            let hex = whole.len() >= 8 && whole.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            if !hex || !whole.bytes().any(|b| b.is_ascii_digit()) {
                return whole.to_owned();
            }
            names.push(whole.to_owned());
            return "<id>".to_owned();
        }
        if found.name("n_address").is_some() {
            let (host, port) = whole.split_once(':').unwrap_or((whole, ""));
            // These mean the same on every machine, and these ports are the kubelet's.
            let host = if ["127.0.0.1", "0.0.0.0"].contains(&host) { host } else { "<address>" };
            names.push(whole.to_owned());
            return match port {
                "" => host.to_owned(),
                "10248" | "10250" | "10255" => format!("{host}:{port}"),
                _ => format!("{host}:<port>"),
            };
        }
        names.push(whole.to_owned());
        "<name>".to_owned()
    });
    let shape = WIDTHS.replace_all(shape.trim_end(), |found: &Captures<'_>| {
        found[0]
            .chars()
            .next()
            .map_or_else(String::new, |c| if c == '\t' { " ".into() } else { c.to_string() })
    });
    Line { shape: shape.into_owned(), names }
}

impl Names {
    /// Whether what was printed is what the page shows. Learns how this run calls what the page names.
    ///
    /// # Errors
    /// Why not, when it is not the shape: something has another name than before.
    pub fn agree(&mut self, shown: &Line, printed: &Line) -> Result<bool, String> {
        if shown.shape != printed.shape || shown.names.len() != printed.names.len() {
            return Ok(false);
        }
        let pairs = || shown.names.iter().zip(&printed.names);
        for (page, run) in pairs() {
            if let Some(known) = self.0.get(page).filter(|known| *known != run) {
                return Err(format!("what the page calls {page} was {known} before, and is {run} now"));
            }
        }
        self.0.extend(pairs().map(|(page, run)| (page.clone(), run.clone())));
        Ok(true)
    }

    /// Whether the page has shown this name.
    pub fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A command of the page, with the names of this run in it.
    pub fn translated(&self, command: &str) -> String {
        WORD.replace_all(command, |found: &Captures<'_>| {
            self.0.get(&found[0]).map_or_else(|| found[0].to_owned(), Clone::clone)
        })
        .into_owned()
    }
}

/// What may be a name in a command: an address with its port, a path, a word.
static WORD: LazyLock<Regex> = LazyLock::new(|| {
    let uuid = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
    let address = r"\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b";
    Regex::new(&format!("/tmp/podwright-[a-z-]*[A-Za-z0-9]{{6}}|{uuid}|{address}|[0-9A-Za-z]+"))
        .expect("a pattern that is known")
});

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> String {
        line(text).shape
    }

    #[test]
    fn what_differs_from_run_to_run_becomes_its_kind() {
        for (text, expected) in [
            (
                "  +0.04s  pod    default/web-node1  Running  server running (pid 28130)",
                " <duration> pod default/web-node1 Running server running (pid <pid>)",
            ),
            ("  kill -9 28138     # metrics", " kill -9 <pid> # metrics"),
            ("took 169 ms, 1.53s, 12.3 MiB", "took <duration>, <duration>, <size>"),
            ("2026-11-24T09:54:00.123456Z  INFO sync", "<time> INFO sync"),
            ("I1124 09:54:00.123456    4711 kubelet.go:10] x", "<time> kubelet.go:10] x"),
            ("3bf29a5348883  2 seconds ago  Running", "<id> <duration> Running"),
            ("crash-node1_default(44e57bb0e032c5309b9b02ab29bcef2f)", "crash-node1_default(<id>)"),
            ("logs/pods/default_web_44e57bb0e032c5309b9b02ab29bcef2f/app", "logs/pods/default_web_<id>/app"),
            ("http://127.0.0.1:43211/healthz 10.88.7.5", "http://127.0.0.1:<port>/healthz <address>"),
            ("http://127.0.0.1:10248/healthz", "http://127.0.0.1:10248/healthz"),
            ("/tmp/podwright-up-gEW4Tp/manifests", "<name>/manifests"),
            ("\"pid\": 4711,", "\"pid\": <pid>,"),
            ("1 passed; 12 filtered out", "1 passed; <number> filtered out"),
            ("hello at Tue Nov 24 09:54:00 UTC 2026", "hello at <time> <time> UTC 2026"),
        ] {
            assert_eq!(shape(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_page_promises_stays() {
        for text in [
            "back-off 10s restarting failed container=crash",
            "restarts 3, exited 137, in 20 s",
            "Kubernetes v1.36.2, containerd 1.7.24",
            "a decade facade added",
        ] {
            assert_eq!(shape(text), text);
        }
    }

    #[test]
    fn widths_of_columns_are_alike() {
        assert_eq!(shape("A    B\tC   "), shape("A B C"));
        assert_eq!(shape("┌──────┬───┐"), shape("┌───┬──────┐"));
        assert_eq!(plain("\x1b[1mbold\x1b[0m"), "bold");
        assert!(is_of_cargo("    Finished `dev` profile in 0.31s") && !is_of_cargo("Running"));
    }

    #[test]
    fn a_name_is_learnt_and_used_in_later_commands() {
        let mut names = Names::default();
        let (shown, printed) = (line("app running (pid 28130)"), line("app running (pid 4711)"));
        assert_eq!(names.agree(&shown, &printed), Ok(true));
        assert_eq!(names.translated("kill -9 28130; echo 281301"), "kill -9 4711; echo 281301");
        assert_eq!(names.agree(&shown, &line("app running (pid 4711)")), Ok(true));
        let other = names.agree(&shown, &line("app running (pid 4712)"));
        assert_eq!(other, Err("what the page calls 28130 was 4711 before, and is 4712 now".into()));
        assert_eq!(names.agree(&shown, &line("app exited 1")), Ok(false));
    }

    #[test]
    fn ports_and_ids_are_names_too() {
        let mut names = Names::default();
        names.agree(&line("at 127.0.0.1:1111"), &line("at 127.0.0.1:2222")).expect("new");
        names.agree(&line("id 3bf29a5348883"), &line("id aaf29a5348883")).expect("new");
        assert_eq!(
            names.translated("curl http://127.0.0.1:1111/healthz"),
            "curl http://127.0.0.1:2222/healthz"
        );
        assert_eq!(names.translated("crictl logs 3bf29a5348883"), "crictl logs aaf29a5348883");
    }
}
