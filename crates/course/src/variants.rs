//! Every body that a region can have, in one source text: which one runs is chosen when it runs.
//!
//! ```text
//!   reference ─┐
//!   starter   ─┼─▶ fn keep(…) -> … { match ‹the variable LAB_VARIANT_lab04_keep› { 0 => {…} 1 => todo!(…) 2 => {…} … } }
//!   mutants   ─┘
//! ```
//!
//! So a crate is compiled once, and its lab's check is run against each of them. A body is an arm of a `match` at the end of
//! the function: `return`, `?` and `.await` mean what they meant, and the signature does not change.

use crate::lab::{Lab, Region};
use crate::region::{self, Found, RegionError};

#[cfg(test)]
mod tests;

/// The variant that is the reference; it runs when the variable is not set.
pub const REFERENCE: usize = 0;

/// The variant in which the bodies are blank.
pub const STARTER: usize = 1;

/// The variant of the region's mutant `at` (from 0, in the order of the lab's manifest).
pub const fn mutant(at: usize) -> usize {
    STARTER + 1 + at
}

/// The environment variable that chooses a region's variant.
pub fn variable(anchor: &str) -> String {
    format!("LAB_VARIANT_{anchor}")
}

/// A mutant of a region: the name of its file and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutated {
    /// The name of its file in `mutants/`.
    pub file: String,
    /// What stands in it.
    pub text: String,
}

/// Why a mutant's text cannot stand in for a region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MutantError {
    /// Put between the anchors, it is not a region with these functions.
    #[error("in place of the region it does not fit: {0}")]
    Region(#[from] RegionError),
    /// It has functions of its own.
    #[error("it has a function {0} that the region does not have")]
    More(String),
    /// A function has another signature.
    #[error("its `{function}` has another signature: `{its}` instead of `{reference}`")]
    Signature {
        /// The function.
        function: String,
        /// The mutant's.
        its: String,
        /// The reference's.
        reference: String,
    },
    /// Something other than a body differs.
    #[error("it differs from the region between the functions; only bodies may differ")]
    Between,
}

/// The bodies in a mutant's text, in the order of `found.functions`, which are those of the region in `source`.
///
/// # Errors
///
/// When the text is not the region with other bodies. Comments and attributes do not matter.
pub fn bodies(
    source: &str,
    found: &Found,
    region: &Region,
    mutant: &str,
) -> Result<Vec<String>, MutantError> {
    let mutated = region::replace(source, &region.anchor, mutant)?;
    let its = region::find(&mutated, &region.anchor, &region.functions)?;
    if let Some(name) = its.others.iter().find(|name| !found.others.contains(name)) {
        return Err(MutantError::More(name.clone()));
    }
    let mut bodies = Vec::new();
    for function in &found.functions {
        // `find` has found each of the names in both.
        let Some(other) = its.functions.iter().find(|other| other.name == function.name) else { continue };
        let reference = words(&source[function.signature.clone()]);
        let signature = words(&mutated[other.signature.clone()]);
        if signature != reference {
            let function = function.name.clone();
            return Err(MutantError::Signature { function, its: signature, reference });
        }
        bodies.push(mutated[other.body.clone()].to_owned());
    }
    if between(source, found) != between(&mutated, &its) {
        return Err(MutantError::Between);
    }
    Ok(bodies)
}

/// A text with single spaces, and without commas that only rustfmt sets.
fn words(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.replace("( ", "(").replace(", )", ")").replace(" )", ")")
}

/// What stands in a region beside its functions; no comments, no attributes.
fn between(source: &str, found: &Found) -> Vec<String> {
    let mut rest = String::new();
    let mut at = found.text.start;
    for function in &found.functions {
        rest.push_str(&source[at..function.signature.start]);
        rest.push('\n');
        at = function.block.end;
    }
    rest.push_str(&source[at..found.text.end]);
    let lines = rest.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("#["))
        .map(words)
        .collect()
}

/// The source with every variant of a region in it.
///
/// # Errors
///
/// When the region is not in the source, or a mutant does not fit; the error then comes with the mutant's file.
pub fn with_variants(
    source: &str,
    lab: &Lab,
    region: &Region,
    mutants: &[Mutated],
) -> Result<String, VariantsError> {
    let found = region::find(source, &region.anchor, &region.functions)?;
    let mut wrong = Vec::new();
    for Mutated { file, text } in mutants {
        let bodies = bodies(source, &found, region, text)
            .map_err(|error| VariantsError::Mutant { file: file.clone(), error })?;
        wrong.push((file, bodies));
    }
    let mut text = source.to_owned();
    for (at, function) in found.functions.iter().enumerate().rev() {
        let mut arms = format!(
            "\n{}\n{REFERENCE} => {{{}\n}}\n{}\n{STARTER} => {},\n",
            marker(lab, "the reference"),
            &source[function.body.clone()],
            marker(lab, "the starter"),
            region::todo(&lab.id, lab.first_hint()),
        );
        for (number, (file, bodies)) in wrong.iter().enumerate() {
            arms += &format!("{}\n{} => {{{}\n}}\n", marker(lab, file), mutant(number), bodies[at]);
        }
        let chosen = choice(&region.anchor);
        let body =
            format!("\nmatch {chosen} {{{arms}other => unreachable!(\"variant {{other}}\"),\n}}\n{END}\n");
        text.replace_range(function.body.clone(), &body);
    }
    Ok(text)
}

/// Why a source with variants could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariantsError {
    /// The region is not there.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// A mutant does not fit.
    #[error("mutants/{file}: {error}")]
    Mutant {
        /// Which.
        file: String,
        /// Why.
        error: MutantError,
    },
}

/// The expression that says which variant runs. It is read once: a check runs one variant.
fn choice(anchor: &str) -> String {
    let variable = variable(anchor);
    format!(
        "{{\nstatic CHOSEN: ::std::sync::OnceLock<usize> = ::std::sync::OnceLock::new();\n\
         *CHOSEN.get_or_init(|| ::std::env::var({variable:?}).ok().and_then(|n| n.parse().ok()).unwrap_or({REFERENCE}))\n}}"
    )
}

/// Stands before an arm, so that a compiler's error can be traced to it.
fn marker(lab: &Lab, name: &str) -> String {
    format!("{MARK}{} {name}", lab.id)
}

const MARK: &str = "// lab variant: ";
const END: &str = "// lab variants end";

/// Whose text a line (from 1) of a source with variants is: the lab's id, and the mutant's file if it is one's.
pub fn owner(source: &str, line: usize) -> Option<(String, Option<String>)> {
    let above: Vec<&str> = source.lines().take(line).collect();
    let mark = above.iter().rev().find(|l| l.starts_with(MARK) || l.starts_with(END))?;
    let (lab, name) = mark.strip_prefix(MARK)?.split_once(' ')?;
    Some((lab.to_owned(), (!name.starts_with("the ")).then(|| name.to_owned())))
}
