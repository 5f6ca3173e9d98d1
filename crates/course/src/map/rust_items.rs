//! What there is in a crate of ours: every named item of its sources, found with `syn`.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{Attribute, Expr, ImplItem, Item, Lit, Meta, TraitItem, Type};

use super::{MapError, prose, read};

/// One named item of our sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustItem {
    /// Modules, type and name: `["worker", "Worker", "observe"]`.
    pub segments: Vec<String>,
    /// The file, from the root of the workspace.
    pub file: String,
    /// The line of its name.
    pub line: usize,
    /// The first sentence of its documentation; empty without one.
    pub summary: String,
}

impl RustItem {
    /// Whether `name` (`compare`, `Worker::observe`, `worker::Worker::observe`) means this item.
    pub fn is_called(&self, name: &str) -> bool {
        let wanted: Vec<&str> = name.split("::").collect();
        self.segments.len() >= wanted.len()
            && self.segments.iter().rev().zip(wanted.iter().rev()).all(|(have, want)| have == want)
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.segments.last().map_or("", String::as_str)
    }
}

/// All items under `crates/NAME/src`, without tests and without generated code.
///
/// # Errors
/// A source that cannot be read or is no Rust.
pub fn items(root: &Path, crate_folder: &Path) -> Result<Vec<RustItem>, MapError> {
    let source = crate_folder.join("src");
    let mut found = Vec::new();
    for file in rust_files(&source)? {
        let text = read(&file)?;
        let parsed = syn::parse_file(&text).map_err(|e| MapError::Rust {
            path: file.clone(),
            line: e.span().start().line,
            text: e.to_string(),
        })?;
        let modules = modules_of(file.strip_prefix(&source).unwrap_or(&file));
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        let mut collector = Collector { file: shown, modules, found: &mut found };
        if !collector.modules.is_empty() {
            collector.push_module(&parsed.attrs);
        }
        collector.all(&parsed.items);
    }
    Ok(found)
}

/// The sources of a crate in a stable order. `generated/` holds what a program wrote, and names nothing a reader looks for;
/// `tests.rs` and `tests/` are tests.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, MapError> {
    let failed = |source| MapError::Read { path: folder.to_owned(), source };
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        let stem = entry.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if entry.is_dir() {
            if stem != "generated" && stem != "tests" {
                files.extend(rust_files(&entry)?);
            }
        } else if entry.extension().is_some_and(|e| e == "rs") && stem != "tests" {
            files.push(entry);
        }
    }
    Ok(files)
}

/// `worker/grace.rs` is the module `worker::grace`; `lib.rs` and `main.rs` are the crate itself.
fn modules_of(file: &Path) -> Vec<String> {
    let mut modules: Vec<String> =
        file.with_extension("").components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    if matches!(modules.last().map(String::as_str), Some("lib" | "main" | "mod")) {
        modules.pop();
    }
    modules
}

struct Collector<'a> {
    file: String,
    modules: Vec<String>,
    found: &'a mut Vec<RustItem>,
}

impl Collector<'_> {
    fn push_module(&mut self, attributes: &[Attribute]) {
        self.found.push(RustItem {
            segments: self.modules.clone(),
            file: self.file.clone(),
            line: 1,
            summary: summary(attributes),
        });
    }

    fn push(&mut self, owner: Option<&str>, name: &Ident, attributes: &[Attribute]) {
        self.push_documented(owner, name, summary(attributes));
    }

    fn push_documented(&mut self, owner: Option<&str>, name: &Ident, summary: String) {
        let mut segments = self.modules.clone();
        segments.extend(owner.map(str::to_owned));
        segments.push(name.to_string());
        let line = name.span().start().line;
        self.found.push(RustItem { segments, file: self.file.clone(), line, summary });
    }

    fn all(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Fn(f) if !only_for_tests(&f.attrs) => self.push(None, &f.sig.ident, &f.attrs),
                Item::Struct(s) => self.push(None, &s.ident, &s.attrs),
                Item::Enum(e) => self.push(None, &e.ident, &e.attrs),
                Item::Type(t) => self.push(None, &t.ident, &t.attrs),
                Item::Const(c) => self.push(None, &c.ident, &c.attrs),
                Item::Static(s) => self.push(None, &s.ident, &s.attrs),
                Item::Trait(t) => {
                    self.push(None, &t.ident, &t.attrs);
                    let owner = t.ident.to_string();
                    for item in &t.items {
                        if let TraitItem::Fn(f) = item {
                            self.push(Some(&owner), &f.sig.ident, &f.attrs);
                        }
                    }
                }
                Item::Impl(i) if !only_for_tests(&i.attrs) => {
                    let Some(owner) = type_name(&i.self_ty) else { continue };
                    for item in &i.items {
                        if let ImplItem::Fn(f) = item {
                            self.push(Some(&owner), &f.sig.ident, &f.attrs);
                        }
                    }
                }
                Item::Mod(m) if !only_for_tests(&m.attrs) => {
                    let Some((_, inside)) = &m.content else { continue };
                    self.push(None, &m.ident, &m.attrs);
                    self.modules.push(m.ident.to_string());
                    self.all(inside);
                    self.modules.pop();
                }
                // A macro's own language is not known here; what looks like an item in it is taken for one.
                Item::Macro(m) => self.inside_macro(m.mac.tokens.clone(), m.ident.is_none()),
                _ => {}
            }
        }
    }

    /// `trait NAME`, `struct NAME` and `enum NAME` at any depth; in a call also `NAME { … }`, the form of a list of fields.
    fn inside_macro(&mut self, tokens: TokenStream, is_call: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut lines: Vec<String> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match (token, tokens.get(at + 1)) {
                (TokenTree::Punct(mark), Some(TokenTree::Group(group))) if mark.as_char() == '#' => {
                    lines.extend(documentation(group));
                }
                (TokenTree::Ident(keyword), Some(TokenTree::Ident(name)))
                    if ["trait", "struct", "enum"].iter().any(|item| keyword == item) =>
                {
                    self.push_documented(None, name, first_sentence(&lines));
                }
                (TokenTree::Ident(name), Some(TokenTree::Group(group)))
                    if is_call && group.delimiter() == Delimiter::Brace =>
                {
                    self.push_documented(None, name, first_sentence(&lines));
                }
                (TokenTree::Group(group), _) if group.delimiter() != Delimiter::Bracket => {
                    self.inside_macro(group.stream(), false);
                    lines.clear();
                }
                _ => {}
            }
        }
    }
}

/// The text of `#[doc = "…"]`, which is what a documentation comment is inside of a macro.
fn documentation(attribute: &Group) -> Option<String> {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(doc), _, TokenTree::Literal(text)] if doc == "doc" => {
            syn::parse_str::<syn::LitStr>(&text.to_string()).ok().map(|text| text.value())
        }
        _ => None,
    }
}

fn type_name(of: &Type) -> Option<String> {
    match of {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        Type::Reference(reference) => type_name(&reference.elem),
        _ => None,
    }
}

fn only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        meta => meta.path().is_ident("test"),
    })
}

/// The first sentence of a documentation.
fn summary(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(text) = &pair.value else { continue };
        if let (true, Lit::Str(line)) = (pair.path.is_ident("doc"), &text.lit) {
            lines.push(line.value());
        }
    }
    first_sentence(&lines)
}

fn first_sentence(lines: &[String]) -> String {
    let paragraph: Vec<&str> = lines
        .iter()
        .map(|line| line.trim())
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect();
    prose::first_sentence(&prose::without_links(&paragraph.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<(String, usize, String)> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("crates/x/src/worker.rs");
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("folders");
        std::fs::write(&file, source).expect("written");
        let items = items(folder.path(), &folder.path().join("crates/x")).expect("read");
        assert!(items.iter().all(|i| i.file == "crates/x/src/worker.rs"));
        items.into_iter().map(|i| (i.segments.join("::"), i.line, i.summary)).collect()
    }

    #[test]
    fn functions_types_methods_and_what_a_macro_makes_are_found_and_tests_are_not() {
        let source = "//! One pod. And more.\n\n/// Says [`what`](x) is next.\n/// Always.\npub fn next() {}\n\
                      struct Worker;\nimpl Worker {\n    fn observe(&self) {}\n}\n\
                      trait Syncer {\n    fn sync(&self);\n}\n\
                      section! {\n    /// A list.\n    Fields { a: 1 }\n}\n\
                      macro_rules! make {\n    () => { /// Is made. By hand.\n    pub trait Made { } }\n}\n\
                      #[cfg(test)]\nmod tests {\n    fn hidden() {}\n}\n";
        let expected = [
            ("worker", 1, "One pod."),
            ("worker::next", 5, "Says `what` is next."),
            ("worker::Worker", 6, ""),
            ("worker::Worker::observe", 8, ""),
            ("worker::Syncer", 10, ""),
            ("worker::Syncer::sync", 11, ""),
            ("worker::Fields", 15, "A list."),
            ("worker::Made", 19, "Is made."),
        ];
        let expected: Vec<_> =
            expected.map(|(name, line, text)| (name.to_owned(), line, text.to_owned())).into();
        assert_eq!(found(source), expected);
    }

    #[test]
    fn a_name_means_the_item_whose_path_ends_with_it() {
        let item = RustItem {
            segments: ["worker", "Worker", "observe"].map(str::to_owned).into(),
            file: String::new(),
            line: 1,
            summary: String::new(),
        };
        for (name, means) in [
            ("observe", true),
            ("Worker::observe", true),
            ("worker::Worker::observe", true),
            ("Worker", false),
            ("Other::observe", false),
            ("x::worker::Worker::observe", false),
        ] {
            assert_eq!(item.is_called(name), means, "{name}");
        }
    }
}
