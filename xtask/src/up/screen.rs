//! The terminal: a table that is drawn anew, or plain lines where the output is not a terminal.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clock::Clock;
use comfy_table::{ContentArrangement, Table, presets};
use e2e::AgentOptions;
use tokio::time::Instant;

use super::news::{Item, News};
use super::pods::Row;

/// How many of the last events are shown below the table.
const EVENTS: usize = 10;

/// Where things are shown.
#[derive(Debug)]
pub struct Screen {
    title: String,
    manifests: PathBuf,
    log: PathBuf,
    live: bool,
    began: Instant,
    clock: Clock,
    /// The frame that stands on the terminal.
    drawn: String,
    /// Plain: the line that was last printed for each pod, and how many news were.
    printed: BTreeMap<String, String>,
    printed_news: usize,
    suggested: bool,
    /// The last line of the frame.
    note: String,
}

impl Screen {
    /// A screen on the standard output.
    ///
    /// Times are counted from `began`.
    pub fn new(title: String, agent: &AgentOptions, began: Instant) -> Self {
        Self {
            title,
            manifests: agent.manifests(),
            log: agent.log_file(),
            live: std::io::stdout().is_terminal(),
            began,
            clock: Clock::system(),
            drawn: String::new(),
            printed: BTreeMap::new(),
            printed_news: 0,
            suggested: false,
            note: "Ctrl-C ends everything.".to_owned(),
        }
    }

    /// Says where everything is.
    pub fn greet(&self) {
        if !self.live {
            put(&self.header());
        }
    }

    /// Shows pods and news, as far as they changed.
    pub fn show(&mut self, rows: &[Row], news: &News) {
        if self.live { self.draw(rows, news) } else { self.print(rows, news) }
    }

    /// Says something below everything else.
    pub fn say(&mut self, line: &str) {
        if self.live {
            // It stays there when the frame is drawn anew.
            line.clone_into(&mut self.note);
            put(&format!("{line}\n"));
        } else {
            put(&format!("{}  {line}\n", self.elapsed()));
        }
    }

    fn header(&self) -> String {
        format!(
            "{}\n  manifests  {}\n  agent log  {}\n",
            self.title,
            self.manifests.display(),
            self.log.display()
        )
    }

    fn elapsed(&self) -> String {
        format!("{:+7.2}s", self.began.elapsed().as_secs_f64())
    }

    fn draw(&mut self, rows: &[Row], news: &News) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["POD", "STATUS", "RESTARTS", "AGE", "CONTAINERS"]);
        let now = self.clock.now();
        for row in rows {
            let restarts = row.restarts.to_string();
            table.add_row([&row.pod, row.status, &restarts, &row.age(now), &row.containers]);
        }
        let width = usize::from(table.width().unwrap_or(120));
        let events: String = news.items[news.items.len().saturating_sub(EVENTS)..]
            .iter()
            .map(|item| cut(&item.line(), width) + "\n")
            .collect();
        let suggestion = suggestion(rows, &self.manifests);
        let frame = format!("{}\n{table}\n\n{events}\n{suggestion}{}\n", self.header(), self.note);
        if frame == self.drawn {
            return;
        }
        // What stood there before (cargo's output) goes once. After that each frame is written over the last one, each
        // line up to its end, then what is left below: nothing flickers.
        let clear = if self.drawn.is_empty() { "\x1b[2J" } else { "" };
        put(&format!("{clear}\x1b[H{}\x1b[J", frame.replace('\n', "\x1b[K\n")));
        self.drawn = frame;
    }

    fn print(&mut self, rows: &[Row], news: &News) {
        for item in &news.items[self.printed_news..] {
            put(&format!("{}  event  {}\n", self.elapsed(), Item::line(item)));
        }
        self.printed_news = news.items.len();
        for row in rows {
            let line = row.line();
            if self.printed.get(&row.pod) != Some(&line) {
                put(&format!("{}  pod    {line}\n", self.elapsed()));
                self.printed.insert(row.pod.clone(), line);
            }
        }
        let gone: Vec<String> =
            self.printed.keys().filter(|pod| !rows.iter().any(|r| r.pod == **pod)).cloned().collect();
        for pod in gone {
            put(&format!("{}  pod    {pod}  gone\n", self.elapsed()));
            self.printed.remove(&pod);
        }
        if !self.suggested && rows.iter().any(|row| row.process.is_some()) {
            self.suggested = true;
            put(&suggestion(rows, &self.manifests));
        }
    }
}

/// What to try in a second terminal, with a pid and a manifest that are really there: of the last pod, since the first of
/// the examples dies by itself.
fn suggestion(rows: &[Row], manifests: &Path) -> String {
    let kill = rows.iter().rev().find_map(|row| {
        let (container, pid) = row.process.as_ref()?;
        Some(format!("  kill -9 {pid}     # container {container} of {} is started again\n", row.pod))
    });
    let manifest =
        std::fs::read_dir(manifests).into_iter().flatten().flatten().map(|entry| entry.path()).max();
    let remove = manifest.map(|path| format!("  rm {}     # its pod is stopped\n", path.display()));
    if kill.is_none() && remove.is_none() {
        return String::new();
    }
    format!("Try in a second terminal:\n{}{}", kill.unwrap_or_default(), remove.unwrap_or_default())
}

/// At most `width` characters.
fn cut(line: &str, width: usize) -> String {
    match line.char_indices().nth(width) {
        Some((end, _)) => line[..end].to_owned(),
        None => line.to_owned(),
    }
}

/// Writes to the terminal. When nobody reads any more (`| head`), there is nobody to tell.
fn put(text: &str) {
    let mut out = std::io::stdout().lock();
    let _nobody_reads = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!(cut("häuser", 2), "hä");
        assert_eq!(cut("häuser", 20), "häuser");
    }

    #[test]
    fn what_is_suggested_is_really_there() {
        let row = Row {
            pod: "default/web".into(),
            status: "Running",
            restarts: 0,
            since: None,
            containers: String::new(),
            process: Some(("app".into(), 4711)),
        };
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(suggestion(&[], dir.path()), "");
        for name in ["a.yaml", "web.yaml"] {
            std::fs::write(dir.path().join(name), "").expect("written");
        }
        let said = suggestion(&[row], dir.path());
        assert!(said.contains("  kill -9 4711 "), "{said}");
        assert!(said.contains("/web.yaml "), "{said}");
    }
}
