//! Regions: the functions that a lab takes out of a crate, found in its source text.
//!
//! A region stands between two comment lines, `// ANCHOR: lab04_actions` and `// ANCHOR_END: lab04_actions`. A lab names
//! the functions in it; what is blanked and compared are their *bodies*. Signatures, doc comments and everything between
//! the functions stay as they are.
//!
//! ```text
//!   source + anchor + names ─ find ─▶ Found { the lines between the anchors; where each function's body stands }
//!                                        ├─ blank ────▶ the source with `todo!("lab 04: …")` for bodies
//!                                        ├─ replace ──▶ the source with other lines between the anchors
//!                                        └─ objections ─▶ what keeps it from being a lab's region
//! ```
//!
//! Everything here is text in, text out. What stands outside the region is kept byte for byte.

use std::ops::Range;

use sha2::{Digest as _, Sha256};
use syn::visit::{self, Visit};

#[cfg(test)]
mod tests;

/// The most lines that a body in a region may have: what fits on a screen.
pub const MOST_BODY_LINES: usize = 60;

/// A region, found in a source text. All positions are bytes of that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The lines between the two anchor lines.
    pub text: Range<usize>,
    /// The functions that were asked for, in the order in which they stand.
    pub functions: Vec<Function>,
    /// Functions between the anchors that were not asked for, by name.
    pub others: Vec<String>,
}

/// One function of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// `next_start`, or `Worker::observe` for a method.
    pub name: String,
    /// From the first token of the signature to the one before the body: `pub fn next_start(…) -> …`.
    pub signature: Range<usize>,
    /// The body with its braces.
    pub block: Range<usize>,
    /// What is between the braces.
    pub body: Range<usize>,
    /// Whether it is `const`, which no body of a lab can be.
    pub is_const: bool,
    /// Whether its result has no name (`impl Trait`), so that two bodies of it would be two types.
    pub is_unnamed: bool,
}

/// Why a region could not be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// One of the two anchor lines is not there, or they are the wrong way round.
    #[error(
        "the lines `// ANCHOR: {anchor}` and `// ANCHOR_END: {anchor}` do not stand in it, once each and in this order"
    )]
    NoAnchor {
        /// The anchor's name.
        anchor: String,
    },
    /// The text is not Rust.
    #[error("line {line} is not Rust: {message}")]
    NotRust {
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A function is not between the anchors.
    #[error("between the anchors {anchor} there is no function {function}")]
    NoFunction {
        /// The anchor's name.
        anchor: String,
        /// The function's name.
        function: String,
    },
    /// Two functions between the anchors have the same name.
    #[error("between the anchors {anchor} there are two functions {function}")]
    TwoFunctions {
        /// The anchor's name.
        anchor: String,
        /// The function's name.
        function: String,
    },
}

/// Finds a region and its functions.
///
/// # Errors
///
/// When the text is not Rust, an anchor line is missing, or a function does not stand between them exactly once.
pub fn find(source: &str, anchor: &str, functions: &[String]) -> Result<Found, RegionError> {
    let text = between_anchors(source, anchor)?;
    let file = syn::parse_file(source)
        .map_err(|e| RegionError::NotRust { line: e.span().start().line, message: e.to_string() })?;
    let mut search = Search::default();
    search.visit_file(&file);
    // The parser leaves out a byte order mark.
    let shift = source.len() - source.trim_start_matches('\u{feff}').len();
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for function in search.functions.into_iter().map(|function| function.shifted(shift)) {
        if !(text.start <= function.signature.start && function.block.end <= text.end) {
            continue;
        }
        if functions.contains(&function.name) {
            found.push(function);
        } else {
            others.push(function.name);
        }
    }
    found.sort_by_key(|function: &Function| function.block.start);
    for name in functions {
        let (anchor, function) = (anchor.to_owned(), name.clone());
        match found.iter().filter(|function| function.name == *name).count() {
            0 => return Err(RegionError::NoFunction { anchor, function }),
            1 => {}
            _ => return Err(RegionError::TwoFunctions { anchor, function }),
        }
    }
    Ok(Found { text, functions: found, others })
}

/// The lines between the anchor lines of a name.
fn between_anchors(source: &str, anchor: &str) -> Result<Range<usize>, RegionError> {
    let (mut begins, mut ends) = (Vec::new(), Vec::new());
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let comment = line.trim().strip_prefix("//").map(str::trim_start).unwrap_or_default();
        if comment.strip_prefix("ANCHOR:").is_some_and(|name| name.trim() == anchor) {
            begins.push(at + line.len());
        } else if comment.strip_prefix("ANCHOR_END:").is_some_and(|name| name.trim() == anchor) {
            ends.push(at);
        }
        at += line.len();
    }
    match (begins.as_slice(), ends.as_slice()) {
        ([begin], [end]) if begin <= end => Ok(*begin..*end),
        _ => Err(RegionError::NoAnchor { anchor: anchor.to_owned() }),
    }
}

/// The source with another text for each body of the region: `body` is asked for each function, and what it gives stands
/// between the braces, indented like the function.
pub fn with_bodies(source: &str, found: &Found, body: impl Fn(&Function) -> String) -> String {
    let mut text = source.to_owned();
    for function in found.functions.iter().rev() {
        let indent = indent_of(source, function.signature.start);
        let lines: String = body(function)
            .lines()
            .map(|line| format!("{indent}    {line}").trim_end().to_owned() + "\n")
            .collect();
        text.replace_range(function.body.clone(), &format!("\n{lines}{indent}"));
    }
    text
}

/// The source with each body of the region replaced by `todo!("lab 04: …")`.
///
/// # Errors
///
/// Those of [`find`].
pub fn blank(
    source: &str,
    anchor: &str,
    functions: &[String],
    lab: &str,
    hint: &str,
) -> Result<String, RegionError> {
    let found = find(source, anchor, functions)?;
    Ok(with_bodies(source, &found, |_| todo(lab, hint)))
}

/// The expression that stands in for a body that the learner has not written yet.
pub fn todo(lab: &str, hint: &str) -> String {
    // The message is a format string, and a string literal.
    let hint = hint.split_whitespace().collect::<Vec<_>>().join(" ").replace('{', "{{").replace('}', "}}");
    format!("todo!({:?})", format!("lab {lab}: {hint}"))
}

/// The source with other lines between the anchors of a region.
///
/// # Errors
///
/// When the anchor lines are not there.
pub fn replace(source: &str, anchor: &str, lines: &str) -> Result<String, RegionError> {
    let range = between_anchors(source, anchor)?;
    let mut text = source.to_owned();
    let end = if lines.is_empty() || lines.ends_with('\n') { "" } else { "\n" };
    text.replace_range(range, &format!("{lines}{end}"));
    Ok(text)
}

/// The lines between the anchors of a region.
///
/// # Errors
///
/// When the anchor lines are not there.
pub fn text<'a>(source: &'a str, anchor: &str) -> Result<&'a str, RegionError> {
    between_anchors(source, anchor).map(|range| &source[range])
}

/// The sha256 of a text, in hexadecimal; a mutant remembers that of the region which it was made from.
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What keeps these functions from being a region of a lab; empty when nothing does.
///
/// A body must be replaceable by another of the same type at run time, must fit on a screen, and nothing that the learner
/// is to write may be left standing between the anchors.
pub fn objections(source: &str, found: &Found) -> Vec<String> {
    let mut objections: Vec<String> = found
        .others
        .iter()
        .map(|name| format!("{name} stands between the anchors but is not listed"))
        .collect();
    for function in &found.functions {
        let name = &function.name;
        let lines = source[function.body.clone()].trim().lines().count();
        if lines > MOST_BODY_LINES {
            objections.push(format!("{name} has {lines} lines; {MOST_BODY_LINES} fit on a screen"));
        }
        if function.is_const {
            objections.push(format!("{name} is const; a body of a lab cannot be"));
        }
        if function.is_unnamed {
            objections.push(format!("{name} returns an `impl Trait`; give its result a name"));
        }
    }
    objections
}

/// The white space at the beginning of the line on which a byte stands.
fn indent_of(source: &str, at: usize) -> &str {
    let line = source[..at].rfind('\n').map_or(0, |end| end + 1);
    let rest = &source[line..at];
    &rest[..rest.len() - rest.trim_start().len()]
}

impl Function {
    fn shifted(mut self, by: usize) -> Self {
        for range in [&mut self.signature, &mut self.block, &mut self.body] {
            *range = range.start + by..range.end + by;
        }
        self
    }
}

/// Collects the functions of a file, with the type that a method is of.
#[derive(Default)]
struct Search {
    functions: Vec<Function>,
    of: Option<String>,
}

impl Search {
    fn take(&mut self, visibility: Option<&syn::Visibility>, sig: &syn::Signature, block: &syn::Block) {
        let (open, close) = (block.brace_token.span.open(), block.brace_token.span.close());
        let (open, close) = (open.byte_range(), close.byte_range());
        let name = sig.ident.to_string();
        let returned = match &sig.output {
            syn::ReturnType::Default => None,
            syn::ReturnType::Type(_, returned) => Some(returned),
        };
        let mut unnamed = Unnamed(false);
        if let Some(returned) = returned {
            unnamed.visit_type(returned);
        }
        self.functions.push(Function {
            name: self.of.as_ref().map_or_else(|| name.clone(), |of| format!("{of}::{name}")),
            signature: start_of(visibility, sig)..open.start,
            block: open.start..close.end,
            body: open.end..close.start,
            is_const: sig.constness.is_some(),
            is_unnamed: unnamed.0,
        });
    }

    fn inside(&mut self, of: Option<String>, look: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.of, of);
        look(self);
        self.of = outer;
    }
}

/// Where a function's first token stands, its attributes left aside.
fn start_of(visibility: Option<&syn::Visibility>, sig: &syn::Signature) -> usize {
    let visibility = match visibility {
        Some(syn::Visibility::Public(public)) => Some(public.span),
        Some(syn::Visibility::Restricted(restricted)) => Some(restricted.pub_token.span),
        Some(syn::Visibility::Inherited) | None => None,
    };
    let qualifiers = [
        visibility,
        sig.constness.as_ref().map(|token| token.span),
        sig.asyncness.as_ref().map(|token| token.span),
        sig.unsafety.as_ref().map(|token| token.span),
        sig.abi.as_ref().map(|abi| abi.extern_token.span),
    ];
    let first = qualifiers.into_iter().flatten().next().unwrap_or(sig.fn_token.span);
    first.byte_range().start
}

impl<'ast> Visit<'ast> for Search {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.take(Some(&item.vis), &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.take(Some(&item.vis), &item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.take(None, &item.sig, block);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let of = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        self.inside(of, |search| visit::visit_item_impl(search, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.inside(Some(item.ident.to_string()), |search| visit::visit_item_trait(search, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.inside(None, |search| visit::visit_item_mod(search, item));
    }
}

/// Looks for an `impl Trait` anywhere in a type.
struct Unnamed(bool);

impl<'ast> Visit<'ast> for Unnamed {
    fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
        self.0 = true;
    }
}
