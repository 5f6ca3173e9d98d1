//! One page is one scene: a fresh directory, a shell that stays open, and terminals in which commands run on.
//!
//! A page calls the directory `/tmp/scene` or `$SCENE`, the clone `~/podwright`, and the workbook in it `workbook/`. Here
//! they have other paths; the workbook is in the scene's directory, so that nobody's own is touched. What a command of the
//! page is told, and what it prints, is translated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

use anyhow::{Context as _, Result, bail};
use e2e::process;
use nix::sys::signal::Signal;
use regex::{Captures, Regex};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::Instant;

use super::compare;
use super::normal::Names;
use super::printed::{Printed, Transcript};
use super::terminal::{Terminal, end_group};
use crate::workspace;

/// What a page calls the directory of its scene.
pub const SCENE: &str = "/tmp/scene";

/// What a page calls the clone.
pub const CLONE: &str = "~/podwright";

/// The directory's name in a command, but not as a part of a longer name.
static SCENE_IN_COMMAND: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"/tmp/scene\b([^-\w]|$)").expect("a pattern that is known"));

/// The workbook in a command, as a path from the clone's root.
static WORKBOOK_IN_COMMAND: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?m)(^|[\s='"])workbook/"#).expect("a pattern that is known"));

/// A scene.
#[derive(Debug)]
pub struct Scene {
    directory: tempfile::TempDir,
    /// The commands of the page, each in a file: so a here-document needs no care.
    scripts: tempfile::TempDir,
    shell: Option<Shell>,
    terminals: BTreeMap<String, Terminal>,
    commands: usize,
}

/// The page's own terminal: it keeps its variables from one block to the next.
#[derive(Debug)]
struct Shell {
    process: Child,
    input: ChildStdin,
    printed: Printed,
}

/// What a command printed, and its exit code.
#[derive(Debug)]
pub struct Done {
    pub printed: String,
    pub code: i32,
}

impl Scene {
    pub fn new() -> Result<Self> {
        Ok(Self {
            // Short, because a socket's path has 107 bytes at most.
            directory: tempfile::Builder::new().prefix("scene-").tempdir_in("/tmp")?,
            scripts: tempfile::Builder::new().prefix("commands-").tempdir_in("/tmp")?,
            shell: None,
            terminals: BTreeMap::new(),
            commands: 0,
        })
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a command in the page's own terminal, until it has ended.
    ///
    /// # Errors
    /// It does not end in time, or ends the shell.
    pub async fn run(&mut self, command: &str, deadline: Instant) -> Result<Done> {
        let script = self.script(command)?;
        let mut shell = match self.shell.take() {
            Some(shell) => shell,
            None => self.open_shell()?,
        };
        let from = shell.printed.so_far().len();
        let line = format!(". '{}' </dev/null; printf '\\036%s\\036\\n' \"$?\"\n", script.display());
        shell.input.write_all(line.as_bytes()).await.context("the shell of this page has ended")?;
        let done = shell.printed.until(deadline, |transcript| ended(&transcript.since(from))).await;
        let Some((text, code)) = done else {
            let transcript = shell.printed.so_far();
            let text = self.as_in_the_page(&transcript.since(from), Some(&script));
            let why = if transcript.ended { "it ended the shell" } else { "it did not end in time" };
            end_group(&shell.process, Signal::SIGKILL);
            bail!("{why}; so far it printed:\n{text}");
        };
        self.shell = Some(shell);
        Ok(Done { printed: self.as_in_the_page(&text, Some(&script)), code })
    }

    /// Starts a command in a terminal. What ran there before is ended.
    pub async fn start(&mut self, name: &str, command: &str) -> Result<()> {
        if let Some(before) = self.terminals.remove(name) {
            before.end().await;
        }
        let script = self.script(command)?;
        let (printed, output, errors) = Printed::pipe()?;
        let mut bash = self.bash();
        bash.arg(script).stdin(Stdio::null()).stdout(output).stderr(errors);
        let process = bash.spawn().context("starting bash")?;
        // The command holds this side's ends of the pipe, which would keep it open for ever.
        drop(bash);
        self.terminals.insert(name.to_owned(), Terminal { process, printed, seen: compare::Seen::default() });
        Ok(())
    }

    /// Presses Ctrl-C in a terminal.
    pub fn interrupt(&mut self, name: &str) -> Result<()> {
        let terminal = self.terminals.get(name).with_context(|| format!("no terminal {name}"))?;
        end_group(&terminal.process, Signal::SIGINT);
        Ok(())
    }

    /// Waits until the terminal has printed these lines, in this order. With the verdict comes what it printed: everything,
    /// or, when the lines did not come, what is new.
    ///
    /// # Errors
    /// The terminal does not exist.
    pub async fn watch(
        &mut self,
        name: &str,
        shown: &[String],
        names: &mut Names,
        deadline: Instant,
    ) -> Result<(compare::Verdict, Vec<String>)> {
        let (directory, root) = (self.path().to_owned(), workspace::root());
        let terminal = self.terminals.get_mut(name).with_context(|| format!("no terminal {name}"))?;
        let printed =
            |transcript: &Transcript| compare::lines(&translated(&transcript.lines(), &directory, &root));
        let (was_seen, known) = (terminal.seen.clone(), names.clone());
        let look = |transcript: &Transcript| {
            let (mut seen, mut learnt) = (was_seen.clone(), known.clone());
            let lines = printed(transcript);
            let verdict = compare::within(shown, &lines, &mut seen, &mut learnt);
            matches!(verdict, compare::Verdict::Same(_)).then_some((verdict, lines, seen, learnt))
        };
        if let Some((verdict, lines, seen, learnt)) = terminal.printed.until(deadline, look).await {
            (terminal.seen, *names) = (seen, learnt);
            return Ok((verdict, lines));
        }
        let transcript = terminal.printed.so_far();
        let lines = printed(&transcript);
        let mut verdict = compare::within(shown, &lines, &mut was_seen.clone(), &mut names.clone());
        if let (compare::Verdict::Different(why), true) = (&mut verdict, transcript.ended) {
            why.push_str("\nand then it ended");
        }
        Ok((verdict, was_seen.rest(&lines).to_vec()))
    }

    /// Ends everything that this scene started.
    pub async fn end(mut self) {
        for terminal in std::mem::take(&mut self.terminals).into_values() {
            terminal.end().await;
        }
        if let Some(shell) = self.shell.take() {
            end_group(&shell.process, Signal::SIGKILL);
        }
        self.end_what_is_left();
    }

    /// An agent is not in the group of the `up` that started it, and a container not in the agent's. Agents and shims carry
    /// the scene's directory, which nobody else has, in their command lines; containers are below shims.
    fn end_what_is_left(&self) {
        let directory = self.path().display().to_string();
        let left = process::running(|line| line.iter().any(|argument| argument.contains(&directory)));
        for process in process::descendants(&left).into_iter().chain(left) {
            process.signal(Signal::SIGKILL);
        }
    }

    fn open_shell(&self) -> Result<Shell> {
        let (printed, output, errors) = Printed::pipe()?;
        let mut bash = self.bash();
        bash.stdin(Stdio::piped()).stdout(output).stderr(errors);
        let mut process = bash.spawn().context("starting bash")?;
        drop(bash);
        let input = process.stdin.take().context("bash has no input")?;
        Ok(Shell { process, input, printed })
    }

    fn bash(&self) -> Command {
        // A shell that is started with SIGINT ignored, such as in the background of another one, can never be made to heed
        // it, and nor can what runs in it. Then `^C` on a page would end nothing.
        let mut bash = Command::new("env");
        bash.args(["--default-signal=INT,QUIT", "bash", "--noprofile", "--norc"])
            .current_dir(workspace::root())
            .process_group(0);
        for (name, _) in std::env::vars_os() {
            // What cargo tells this program about itself is not for what it starts.
            let name = name.to_string_lossy();
            let of_this_build =
                ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "INSTA_", "LAB_"];
            if of_this_build.iter().any(|prefix| name.starts_with(prefix)) {
                bash.env_remove(name.as_ref());
            }
        }
        for name in ["CARGO", "RUST_LOG", "PODWRIGHT_BIN", "CONTAINER_RUNTIME_ENDPOINT"] {
            bash.env_remove(name);
        }
        let fixed =
            [("LC_ALL", "C.UTF-8"), ("TERM", "dumb"), ("NO_COLOR", "1"), ("CARGO_TERM_COLOR", "never")];
        bash.envs(fixed).env("RUST_BACKTRACE", "0").env("COLUMNS", "120").env("TZ", "UTC");
        bash.env("SCENE", self.path()).env("PODWRIGHT_WORKBOOK", self.path().join("workbook"));
        bash
    }

    fn script(&mut self, command: &str) -> Result<PathBuf> {
        self.commands += 1;
        let script = self.scripts.path().join(format!("{}.sh", self.commands));
        let directory = self.path().display().to_string();
        let command = SCENE_IN_COMMAND
            .replace_all(command, |found: &Captures<'_>| format!("{directory}{}", &found[1]))
            .replace(CLONE, &workspace::root().display().to_string());
        let command = WORKBOOK_IN_COMMAND
            .replace_all(&command, |found: &Captures<'_>| format!("{}{directory}/workbook/", &found[1]))
            .into_owned();
        std::fs::write(&script, command + "\n")?;
        Ok(script)
    }

    fn as_in_the_page(&self, text: &str, script: Option<&Path>) -> String {
        let mut text = translated(text, self.path(), &workspace::root());
        if let Some(script) = script {
            // As bash says it when the command was typed.
            let place = Regex::new(&format!("{}: line \\d+: ", regex::escape(&script.display().to_string())));
            text = place.map_or(text.clone(), |place| place.replace_all(&text, "bash: ").into_owned());
        }
        text
    }
}

impl Drop for Scene {
    /// A scene that is given up, because somebody pressed Ctrl-C: what it started must not outlive it either.
    fn drop(&mut self) {
        if self.shell.is_some() || !self.terminals.is_empty() {
            for terminal in self.terminals.values() {
                // An `up` takes its pods down by itself then.
                end_group(&terminal.process, Signal::SIGINT);
            }
            if let Some(shell) = &self.shell {
                end_group(&shell.process, Signal::SIGKILL);
            }
            self.end_what_is_left();
        }
    }
}

/// What is printed in a scene, with the names that a page has for its places.
fn translated(text: &str, directory: &Path, root: &Path) -> String {
    let directory = directory.display().to_string();
    text.replace(&format!("{directory}/workbook/"), "workbook/")
        .replace(&format!("{directory}/workbook"), &format!("{CLONE}/workbook"))
        .replace(&directory, SCENE)
        .replace(&root.display().to_string(), CLONE)
}

/// The output of a command that has ended, and its exit code.
fn ended(text: &str) -> Option<(String, i32)> {
    let (output, rest) = text.split_once('\u{1e}')?;
    let (code, _) = rest.split_once('\u{1e}')?;
    Some((output.to_owned(), code.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::console::compare::Verdict;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    async fn printed(scene: &mut Scene, command: &str) -> (String, i32) {
        let done = scene.run(command, soon()).await.expect("it ends");
        (done.printed, done.code)
    }

    #[tokio::test]
    async fn the_shell_of_a_page_stays_open_between_its_commands() {
        let mut scene = Scene::new().expect("a scene");
        assert_eq!(printed(&mut scene, "a=1; echo to the errors >&2").await, ("to the errors\n".into(), 0));
        assert_eq!(printed(&mut scene, "echo $a; false").await, ("1\n".into(), 1));
        assert_eq!(printed(&mut scene, "cat <<'EOF'\n$a\nEOF").await, ("$a\n".into(), 0));
        let (said, code) = printed(&mut scene, "no-such-command").await;
        assert_eq!((said.as_str(), code), ("bash: no-such-command: command not found\n", 127));
        assert_eq!(printed(&mut scene, "printf unfinished").await, ("unfinished".into(), 0));
        scene.end().await;
    }

    #[tokio::test]
    async fn its_places_have_the_names_that_the_page_has_for_them() {
        let mut scene = Scene::new().expect("a scene");
        assert_eq!(
            printed(&mut scene, "echo $SCENE; touch /tmp/scene/a; ls $SCENE").await.0,
            "/tmp/scene\na\n"
        );
        assert_eq!(
            printed(&mut scene, "pwd; echo $PODWRIGHT_WORKBOOK $PODWRIGHT_WORKBOOK/a; ls -d workbook/")
                .await
                .0,
            "~/podwright\n~/podwright/workbook workbook/a\nls: cannot access 'workbook/': No such file or directory\n"
        );
        let real = scene.path().to_owned();
        assert!(real.join("a").is_file() && real != Path::new(SCENE));
        scene.end().await;
        assert!(!real.exists(), "it goes with the scene");
    }

    #[tokio::test]
    async fn what_does_not_end_is_ended() {
        let mut scene = Scene::new().expect("a scene");
        let late = scene.run("echo begun; sleep 1000", Instant::now() + Duration::from_millis(300)).await;
        let why = format!("{:#}", late.expect_err("it does not end"));
        assert!(why.starts_with("it did not end in time; so far it printed:\nbegun"), "{why}");
        assert_eq!(printed(&mut scene, "echo a new shell").await.0, "a new shell\n");
        let ended = scene.run("exit 3", soon()).await.expect_err("the shell is gone");
        assert!(format!("{ended:#}").starts_with("it ended the shell"), "{ended:#}");
        scene.end().await;
    }

    #[tokio::test]
    async fn a_terminal_runs_on_until_it_is_interrupted() {
        let mut scene = Scene::new().expect("a scene");
        let (mut names, shown) = (Names::default(), |line: &str| vec![line.to_owned()]);
        scene
            .start("t", "trap 'echo bye; exit' INT; echo one; echo two; sleep 1000 & wait")
            .await
            .expect("started");
        let (one, _) = scene.watch("t", &shown("one"), &mut names, soon()).await.expect("a terminal");
        assert_eq!(one, Verdict::Same(vec![Some(0)]));
        let shortly = Instant::now() + Duration::from_millis(200);
        let (again, _) = scene.watch("t", &shown("one"), &mut names, shortly).await.expect("a terminal");
        assert!(matches!(again, Verdict::Different(why) if why.contains("- one") && why.contains("two")));
        scene.interrupt("t").expect("a terminal");
        let (bye, _) = scene.watch("t", &shown("bye"), &mut names, soon()).await.expect("a terminal");
        assert!(matches!(bye, Verdict::Same(_)), "{bye:?}");
        scene.end().await;
    }

    #[tokio::test]
    async fn nothing_of_a_scene_outlives_it() {
        for is_given_up in [false, true] {
            nothing_outlives_a_scene(is_given_up).await;
        }
    }

    async fn nothing_outlives_a_scene(is_given_up: bool) {
        let mut scene = Scene::new().expect("a scene");
        // In a group of its own, as an agent is in the group of nobody.
        scene.start("t", "touch $SCENE/mark; setsid tail -f $SCENE/mark & wait").await.expect("started");
        scene
            .run("touch $SCENE/other; setsid tail -f $SCENE/other >/dev/null 2>&1 &", soon())
            .await
            .expect("it ends");
        let directory = scene.path().display().to_string();
        let of_scene =
            || process::running(|line| line.iter().any(|a| a.contains(&directory) && !a.contains(".sh")));
        for _ in 0..200 {
            if of_scene().len() >= 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(of_scene().len() >= 2, "both run");
        match is_given_up {
            true => drop(scene),
            false => scene.end().await,
        }
        for _ in 0..200 {
            if of_scene().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(of_scene(), []);
    }
}
