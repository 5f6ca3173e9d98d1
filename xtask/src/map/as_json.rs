//! The map's answers for programs.

use course::map::{Answer, Map, Omission, Pair};
use serde_json::{Value, json};

/// One object a directory.
pub fn directories(map: &Map) -> Value {
    let rows: Vec<Value> = map
        .parity()
        .iter()
        .map(|row| {
            json!({
                "directory": row.directory,
                "status": row.status.word(),
                "files": row.files,
                "mirrored_files": row.mirrored_files,
                "code_lines": row.code_lines,
                "mirrored_lines": row.mirrored_lines,
                "symbols": row.symbols,
                "crates": row.crates.iter().map(|krate| &krate.name).collect::<Vec<_>>(),
                "comes_with": row.omissions.iter().filter_map(|o| o.comes_with.as_deref()).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!(rows)
}

/// An answer with its pairs.
pub fn answer(map: &Map, answer: &Answer<'_>) -> Value {
    let all = |pairs: &[Pair<'_>]| -> Vec<Value> { pairs.iter().map(|pair| of_pair(map, pair)).collect() };
    match answer {
        Answer::Crate { krate, pairs } => {
            json!({ "kind": "crate", "name": krate.name, "go": krate.go, "pairs": all(pairs) })
        }
        Answer::File { file, pairs, omission, .. } => json!({
            "kind": "file", "path": file.path, "pairs": all(pairs), "left_out": omission.map(of_omission),
        }),
        Answer::Symbol { symbol, pairs, file_pairs, omission } => json!({
            "kind": "symbol", "path": symbol.path, "name": symbol.full_name(), "line": symbol.line,
            "pairs": all(pairs), "pairs_of_file": all(file_pairs), "left_out": omission.map(of_omission),
        }),
        Answer::Directory { path, pairs, .. } => {
            json!({ "kind": "directory", "path": path, "pairs": all(pairs) })
        }
        Answer::Item { krate, item, pairs } => json!({
            "kind": "item", "crate": krate.name, "name": item.segments.join("::"), "file": item.file, "line": item.line,
            "pairs": all(pairs),
        }),
    }
}

fn of_omission(omission: &Omission) -> Value {
    json!({ "reason": omission.reason, "comes_with": omission.comes_with })
}

fn of_pair(map: &Map, pair: &Pair<'_>) -> Value {
    json!({
        "go": pair.counterpart.go,
        "go_line": pair.symbol.map(|symbol| symbol.line),
        "crate": pair.krate.name,
        "rust": pair.counterpart.rust,
        "file": pair.item.map(|item| &item.file),
        "line": pair.item.map(|item| item.line),
        "chapter": map.chapter_of(pair.krate),
        "lab": map.lab_of(pair).map(|lab| &lab.id),
    })
}
