//! What the reader types: a function of the workbook gets another body.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use course::{anchor, region};

/// Gives the function in this file of the workbook the body that it has in `text`.
///
/// # Errors
/// The workbook has no such file, or the function is in no region of a lab there, or not in the text.
pub fn write(workbook: &Path, file: &str, function: &str, text: &str) -> Result<()> {
    let path = workbook.join(file);
    let source = std::fs::read_to_string(&path).with_context(|| format!("{file} of the workbook"))?;
    std::fs::write(&path, with_body_of(&source, function, text).with_context(|| file.to_owned())?)?;
    Ok(())
}

fn with_body_of(source: &str, function: &str, text: &str) -> Result<String> {
    let functions = [function.to_owned()];
    // A page shows a method without its `impl`, which stands around it in the file.
    let typed = match function.split_once("::") {
        Some((of, _)) => format!("// ANCHOR: typed\nimpl {of} {{\n{text}\n}}\n// ANCHOR_END: typed\n"),
        None => format!("// ANCHOR: typed\n{text}\n// ANCHOR_END: typed\n"),
    };
    let found = region::find(&typed, "typed", &functions)?;
    let body = found.functions.first().map_or("", |function| &typed[function.body.clone()]).to_owned();
    for anchor in anchor::anchors(source)? {
        let Ok(mut found) = region::find(source, &anchor.name, &functions) else { continue };
        let mut whole = source.to_owned();
        if let Some(function) = found.functions.pop() {
            whole.replace_range(function.body, &body);
            return Ok(whole);
        }
    }
    bail!("no region of a lab has a function {function}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_one_function_is_typed_and_nothing_else_changes() {
        let source = "// ANCHOR: lab01_a\n/// Doc.\nfn a() -> u8 {\n    todo!()\n}\n\nfn b() {}\n// ANCHOR_END: lab01_a\n";
        let typed = with_body_of(source, "a", "/// Other doc.\nfn a() -> u8 {\n    // why\n    7\n}");
        assert_eq!(
            typed.expect("typed"),
            "// ANCHOR: lab01_a\n/// Doc.\nfn a() -> u8 {\n    // why\n    7\n}\n\nfn b() {}\n// ANCHOR_END: lab01_a\n"
        );
        let source = "impl A {\n    // ANCHOR: lab01_b\n    fn b(&self) -> u8 {\n        todo!()\n    }\n    // ANCHOR_END: lab01_b\n}\n";
        let typed = with_body_of(source, "A::b", "fn b(&self) -> u8 {\n    7\n}").expect("typed");
        assert_eq!(typed, source.replace("        todo!()", "    7").replace("    7\n    }", "    7\n}"));
        for (function, text) in [("c", "fn c() {}"), ("a", "fn c() {}"), ("a", "fn a( {}")] {
            assert!(with_body_of(source, function, text).is_err(), "{function} from {text}");
        }
    }
}
