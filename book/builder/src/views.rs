//! Tables and lists that pages ask for, made from the course's data.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use course::lab::{self, Kind, Lab};
use course::map::{Map, render};
use course::timeline;
use serde::Deserialize;

use crate::{check, link};

/// What is shown of a case.
#[derive(Debug, Deserialize)]
struct Case {
    rule: String,
    go: String,
}

/// What the views are made from.
#[derive(Debug)]
pub struct Views {
    root: PathBuf,
    labs: Result<Vec<Lab>, String>,
    map: OnceCell<Result<Map, String>>,
}

impl Views {
    /// Reads the course of the workspace at `root`. What cannot be read is an error of the pages that need it.
    pub fn read(root: &Path) -> Self {
        Self { root: root.to_owned(), labs: lab::all(root).map_err(|e| e.to_string()), map: OnceCell::new() }
    }

    /// The workspace's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All labs.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn labs(&self) -> Result<&[Lab], String> {
        self.labs.as_deref().map_err(Clone::clone)
    }

    /// The lab of an id or folder name.
    ///
    /// # Errors
    /// The labs cannot be read, or there is none of that name.
    pub fn lab(&self, asked: &str) -> Result<&Lab, String> {
        let labs = self.labs()?;
        labs.iter().find(|l| l.id == asked || l.name == asked).ok_or_else(|| {
            let known: Vec<&str> = labs.iter().map(|l| l.id.as_str()).collect();
            format!("there is no lab {asked}; labs are {}", known.join(", "))
        })
    }

    /// The map to the Go source, read when the first page asks for it.
    fn map(&self) -> Result<&Map, String> {
        self.map
            .get_or_init(|| Map::load(&self.root).map_err(|e| e.to_string()))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// What the directive `name` puts into the page at `page` (from `book/src`).
    ///
    /// # Errors
    /// There is no such directive, or its data cannot be had.
    pub fn render(&self, name: &str, argument: &str, page: &Path) -> Result<String, String> {
        let up = "../".repeat(page.components().count().saturating_sub(1));
        match name {
            "gomap" => render::gomap(self.map()?, argument).map_err(|e| e.to_string()),
            "ledger" => render::ledger(self.map()?, argument).map_err(|e| e.to_string()),
            "ledgers" => Ok(render::ledgers(self.map()?, &up)),
            "go-to-rust" => Ok(render::go_to_rust(self.map()?, &up)),
            "left-out" => Ok(render::left_out(self.map()?, &up)),
            "parity" => render::parity(self.map()?, &up).map_err(|e| e.to_string()),
            "labs" => self.list_of_labs(page),
            "timeline" => timeline::table(&self.root, argument).map_err(|e| e.to_string()),
            "version" => self.version(argument),
            _ => Err("there is no such directive".to_owned()),
        }
    }

    /// The table of all labs.
    fn list_of_labs(&self, page: &Path) -> Result<String, String> {
        let here = page.parent().unwrap_or(page);
        let mut table = "| lab | crate | minutes |\n|---|---|---:|\n".to_owned();
        for lab in self.labs()? {
            let to = |page: String| link::relative(here, Path::new(&page));
            let place = match (lab.kind, &lab.crate_name) {
                (Kind::Code, Some(name)) => format!("[{name}]({})", to(format!("crates/{name}.md"))),
                _ => "a tour, nothing to write".to_owned(),
            };
            let page = to(format!("labs/{}.md", lab.id));
            table += &format!("| [{} · {}]({page}) | {place} | {} |\n", lab.id, lab.title, lab.minutes);
        }
        Ok(table)
    }

    /// The rules that the shown cases of a lab stand for, with where the Go source has them; nothing for a lab without
    /// cases. The hidden ones stay hidden.
    ///
    /// # Errors
    /// A file of cases cannot be read.
    pub fn rules(&self, lab: &Lab) -> Result<String, String> {
        let folder = Path::new("labs").join(&lab.name).join("cases");
        if !self.root.join(&folder).is_dir() {
            return Ok(String::new());
        }
        let mut table = "\n## The rules that its cases show\n\n| rule | Go |\n|---|---|\n".to_owned();
        for file in check::files_below(&self.root, &folder, "yaml").map_err(|e| format!("{e:#}"))? {
            let text =
                fs::read_to_string(self.root.join(&file)).map_err(|e| format!("{}: {e}", file.display()))?;
            let cases: Vec<Case> =
                serde_yaml_ng::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?;
            for Case { rule, go } in cases {
                let (path, symbol) = go.split_once('#').unwrap_or((&go, ""));
                let map = self.map()?;
                let line = map.go.symbol(path, symbol).map(|s| s.line);
                let shown = if symbol.is_empty() { path.rsplit('/').next().unwrap_or(path) } else { symbol };
                let to = render::source_url(&map.version, path, line);
                table += &format!("| {} | [`{shown}`]({to}) |\n", rule.replace('|', "\\|"));
            }
        }
        Ok(table)
    }

    /// A version of versions.toml: `kubernetes`, or `containerd.debian_suite`.
    fn version(&self, what: &str) -> Result<String, String> {
        let text =
            fs::read_to_string(self.root.join("versions.toml")).map_err(|e| format!("versions.toml: {e}"))?;
        let versions: toml::Table = text.parse().map_err(|e| format!("versions.toml: {e}"))?;
        let (table, key) = what.split_once('.').unwrap_or((what, "version"));
        let value = versions.get(table).and_then(|t| t.get(key));
        let value = value.ok_or_else(|| format!("versions.toml has no {table}.{key}"))?;
        match value {
            toml::Value::String(version) => Ok(version.clone()),
            toml::Value::Array(versions) => {
                Ok(versions.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(", "))
            }
            other => Ok(other.to_string()),
        }
    }
}
