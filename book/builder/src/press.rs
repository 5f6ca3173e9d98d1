//! The press: the pages, mdBook, and what goes beside them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use mdbook_driver::MDBook;
use mdbook_driver::book::Book;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::link;
use crate::page::Pages;
use crate::problem::Problem;
use crate::views::Views;
use crate::warnings;

/// The press is one: two builds at once would empty `target/book` under each other. Who holds this may build, and look at
/// what was built.
#[derive(Debug)]
pub struct Press {
    root: PathBuf,
    _lock: File,
}

impl Press {
    /// Waits until nobody else uses the press of the workspace at `root`.
    ///
    /// # Errors
    /// The file that stands for it cannot be made or locked.
    pub fn take(root: &Path) -> Result<Self> {
        let path = root.join("target/book.lock");
        fs::create_dir_all(root.join("target")).context("target")?;
        let lock = File::create(&path).with_context(|| path.display().to_string())?;
        if lock.try_lock().is_err() {
            eprintln!("waiting for another `cargo xtask book` to end");
            lock.lock().with_context(|| path.display().to_string())?;
        }
        Ok(Self { root: root.to_owned(), _lock: lock })
    }

    /// Builds the book into `target/book`.
    ///
    /// # Errors
    /// There is no book, a page that SUMMARY.md lists does not exist, or the result cannot be written. What is wrong
    /// inside of the pages is in [`Built::problems`].
    pub fn build(&self) -> Result<Built> {
        build(&self.root)
    }
}

/// A book that was built.
#[derive(Debug)]
pub struct Built {
    /// Where the HTML is.
    pub directory: PathBuf,
    /// What was wrong on the way; mdBook's own warnings too.
    pub problems: Vec<Problem>,
}

fn build(root: &Path) -> Result<Built> {
    let problems = Arc::new(Mutex::new(Vec::new()));
    let printer = Printer { views: Views::read(root), problems: Arc::clone(&problems) };
    let (built, said) = warnings::heard(|| -> Result<PathBuf> {
        let mut book = MDBook::load(root.join("book")).context("book")?;
        book.with_preprocessor(printer);
        book.build().context("book")?;
        Ok(link::normalise(&book.build_dir_for("html")))
    });
    let directory = built?;
    add_mermaid(&directory)?;
    let mut problems = std::mem::take(&mut *problems.lock().unwrap_or_else(PoisonError::into_inner));
    problems.extend(
        said.into_iter().map(|text| Problem::new("book/book.toml", 1, format!("mdBook warns: {text}"))),
    );
    Ok(Built { directory, problems })
}

/// Prints what was wrong.
pub fn report(built: &Built) {
    for problem in &built.problems {
        eprintln!("{problem}");
    }
}

/// Our preprocessor.
struct Printer {
    views: Views,
    problems: Arc<Mutex<Vec<Problem>>>,
}

impl Preprocessor for Printer {
    fn name(&self) -> &str {
        "podwright"
    }

    fn run(&self, _: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let mut pages = Pages::new(&self.views);
        book.for_each_chapter_mut(|chapter| {
            if let Some(path) = &chapter.path {
                chapter.content = pages.make(path, &chapter.content);
            }
        });
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.append(&mut pages.problems);
        Ok(book)
    }
}

/// Puts mermaid beside the pages: out of the sources of the crate `mdbook-mermaid`, whose version Cargo.lock fixes. So no
/// minified file of other people lies in the repository, and the book works without a network.
fn add_mermaid(directory: &Path) -> Result<()> {
    // Only this machine's platform: the crates of the others were never fetched, and no network is needed.
    let said = Command::new("rustc").arg("-vV").output().context("rustc -vV")?;
    let said = String::from_utf8_lossy(&said.stdout);
    let host = said.lines().find_map(|l| l.strip_prefix("host: ")).context("rustc -vV names no host")?;
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .other_options(["--offline", "--filter-platform", host].map(str::to_owned))
        .exec()
        .context("cargo metadata")?;
    let package = metadata.packages.iter().find(|p| p.name.as_str() == "mdbook-mermaid");
    let manifest =
        &package.context("Cargo.lock has no mdbook-mermaid, which mermaid comes from")?.manifest_path;
    let source = manifest.with_file_name("src").join("bin/assets/mermaid.min.js");
    fs::copy(&source, directory.join("mermaid.min.js")).with_context(|| source.to_string())?;
    Ok(())
}

/// The pages of a built book, from its directory, in order: `crates/pleg.html`.
///
/// # Errors
/// The directory cannot be read.
pub fn pages(book: &Path) -> Result<Vec<String>> {
    // toc.html is a frame for readers without scripts.
    const FRAMES: [&str; 2] = ["toc.html", "404.html"];
    let files = crate::check::files_below(book, Path::new(""), "html")?;
    let names = files.into_iter().map(|f| f.to_string_lossy().into_owned());
    Ok(names.filter(|name| !FRAMES.contains(&name.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_is_pages_with_everything_in_place_and_what_was_wrong_on_the_way() {
        let root = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().expect("inside")).expect("a directory");
            fs::write(file, text).expect("a file");
        };
        write(
            "book/book.toml",
            "[book]\ntitle = \"T\"\n[build]\nbuild-dir = \"../target/book\"\nuse-default-preprocessors = false\n",
        );
        write("book/src/SUMMARY.md", "# Summary\n\n[A](a.md)\n");
        let console = "```console,terminal=up\n$ run\n```";
        write(
            "book/src/a.md",
            &format!("# A\n\n{{{{#minutes}}}}\n\n{{{{#labs}}}}\n\n{console}\n\n<div>never closed\n"),
        );

        let built = Press::take(root.path()).and_then(|press| press.build()).expect("it can be built");

        let html = fs::read_to_string(built.directory.join("a.html")).expect("the page");
        assert!(html.contains("<p class=\"minutes\">1 minute to read</p>"), "{html}");
        assert!(html.contains("<code class=\"language-console\">$ run"), "{html}");
        assert!(built.directory.join("mermaid.min.js").is_file());
        let problems: Vec<String> = built.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("book/src/a.md:5: {{#labs}}: "), "{problems:?}");
        assert!(
            problems[1].starts_with("book/book.toml:1: mdBook warns: unclosed HTML tag `<div>`"),
            "{problems:?}"
        );
    }
}
