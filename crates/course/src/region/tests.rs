use super::*;

const SOURCE: &str = r#"//! A crate.
use std::fmt;

// ANCHOR: lab04_rest
/// Doubles it.
#[inline]
pub(crate) fn double(n: u32) -> u32 {
    // It says } and "fn double() {" here, which must not matter.
    let text = "}";
    n * 2 + text.len() as u32 - 1
}

const BETWEEN: u32 = 3;

pub async fn nothing() {}
// ANCHOR_END: lab04_rest

impl<T: fmt::Debug> Worker<T> {
    // ANCHOR: lab05_observe
    pub fn observe(&mut self) -> Option<u32> {
        self.seen += 1;
        Some(self.seen)
    }
    // ANCHOR_END: lab05_observe
}

fn double_elsewhere() -> u32 {
    double(1)
}
"#;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn functions_are_found_with_their_bodies_and_signatures() {
    let found = find(SOURCE, "lab04_rest", &names(&["nothing", "double"])).expect("found");
    let parts: Vec<(&str, &str, &str)> = found
        .functions
        .iter()
        .map(|f| (f.name.as_str(), &SOURCE[f.signature.clone()], SOURCE[f.body.clone()].trim()))
        .collect();
    assert_eq!(parts[0].0, "double");
    assert_eq!(parts[0].1, "pub(crate) fn double(n: u32) -> u32 ");
    assert!(parts[0].2.ends_with("as u32 - 1"), "{}", parts[0].2);
    assert_eq!(parts[1], ("nothing", "pub async fn nothing() ", ""));
    assert_eq!(found.others, Vec::<String>::new());
    assert_eq!(objections(SOURCE, &found), Vec::<String>::new());
}

#[test]
fn a_blanked_region_keeps_everything_but_the_bodies() {
    let blanked = blank(SOURCE, "lab04_rest", &names(&["double", "nothing"]), "04", "say \"{}\"\ntwice")
        .expect("blanked");
    let expected = SOURCE
        .replace(
            "    // It says } and \"fn double() {\" here, which must not matter.\n    let text = \"}\";\n    n * 2 + text.len() as u32 - 1\n",
            "    todo!(\"lab 04: say \\\"{{}}\\\" twice\")\n",
        )
        .replace("nothing() {}", "nothing() {\n    todo!(\"lab 04: say \\\"{{}}\\\" twice\")\n}");
    assert_eq!(blanked, expected);
    syn::parse_file(&blanked).expect("still Rust");
}

#[test]
fn a_method_is_named_with_its_type_and_keeps_its_indentation() {
    let blanked =
        blank(SOURCE, "lab05_observe", &names(&["Worker::observe"]), "05", "look").expect("blanked");
    let expected = SOURCE
        .replace("        self.seen += 1;\n        Some(self.seen)\n", "        todo!(\"lab 05: look\")\n");
    assert_eq!(blanked, expected);
}

#[test]
fn replacing_a_region_by_its_own_text_changes_nothing() {
    let own = text(SOURCE, "lab04_rest").expect("there");
    assert_eq!(replace(SOURCE, "lab04_rest", own).expect("replaced"), SOURCE);
    let other = replace(SOURCE, "lab04_rest", "fn other() {}").expect("replaced");
    assert!(other.contains("// ANCHOR: lab04_rest\nfn other() {}\n// ANCHOR_END: lab04_rest\n"), "{other}");
    assert_ne!(digest(own), digest("fn other() {}\n"));
    assert_eq!(digest("").len(), 64);
}

#[test]
fn what_is_missing_is_named() {
    let missing = |anchor: &str, functions: &[&str]| {
        find(SOURCE, anchor, &names(functions)).expect_err("not there").to_string()
    };
    assert!(missing("lab09_x", &[]).contains("`// ANCHOR: lab09_x`"));
    // It exists, but outside this region.
    let outside = missing("lab04_rest", &["double_elsewhere"]);
    assert_eq!(outside, "between the anchors lab04_rest there is no function double_elsewhere");
    let broken = find("// ANCHOR: a\n\nfn a( {}\n// ANCHOR_END: a\n", "a", &[]).expect_err("not Rust");
    assert!(broken.to_string().starts_with("line 3 is not Rust"), "{broken}");
    let twice = "// ANCHOR: a\nimpl A { fn f() {} }\nimpl B for A { fn f() {} }\n// ANCHOR_END: a\n";
    let twice = find(twice, "a", &names(&["A::f"])).expect_err("ambiguous");
    assert_eq!(twice.to_string(), "between the anchors a there are two functions A::f");
    let backwards = find("// ANCHOR_END: a\n// ANCHOR: a\n", "a", &[]).expect_err("the wrong way round");
    assert!(matches!(backwards, RegionError::NoAnchor { .. }), "{backwards}");
}

#[test]
fn an_anchor_whose_name_begins_with_another_is_another() {
    let source = "// ANCHOR: lab04_rest_more\n// ANCHOR: lab04_rest\nfn f() {}\n// ANCHOR_END: lab04_rest\n// ANCHOR_END: lab04_rest_more\n";
    assert_eq!(text(source, "lab04_rest").expect("there"), "fn f() {}\n");
}

#[test]
fn what_cannot_be_a_region_is_objected_to() {
    let long = "    n += 1;\n".repeat(MOST_BODY_LINES + 1);
    let source = format!(
        "// ANCHOR: a\nfn long(mut n: u32) {{\n{long}}}\nconst fn c() -> u8 {{ 1 }}\nfn i() -> Option<impl Iterator<Item = u8>> {{ None }}\nfn left() {{}}\n// ANCHOR_END: a\n"
    );
    let found = find(&source, "a", &names(&["long", "c", "i"])).expect("found");
    assert_eq!(
        objections(&source, &found),
        [
            "left stands between the anchors but is not listed",
            "long has 61 lines; 60 fit on a screen",
            "c is const; a body of a lab cannot be",
            "i returns an `impl Trait`; give its result a name",
        ]
    );
}

#[test]
fn a_byte_order_mark_does_not_shift_anything() {
    let source = format!("\u{feff}{SOURCE}");
    let found = find(&source, "lab04_rest", &names(&["double"])).expect("found");
    assert!(source[found.functions[0].block.clone()].starts_with("{\n    // It says"));
}
