//! What is printed at the end.

use comfy_table::{Table, presets};

use super::{Found, Problem};

/// The table, and the problems below it.
pub fn text(found: &Found) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["lab", "cases", "red at the start", "mutants caught", "time", "problems", ""]);
    for row in &found.labs {
        table.add_row([
            row.lab.clone(),
            row.cases.to_string(),
            row.red_at_the_start.to_string(),
            if row.mutants == 0 { "none".to_owned() } else { format!("{} of {}", row.caught, row.mutants) },
            format!("{:.1} s", row.seconds),
            row.problems.to_string(),
            row.title.clone(),
        ]);
    }
    let mut text = format!("\n{table}\n");
    text += &format!("\n{:.1} s to build, {:.1} s in all\n", found.build_seconds, found.seconds);
    if !found.problems.is_empty() {
        let plural = if found.problems.len() == 1 { "" } else { "s" };
        text += &format!("\n{} problem{plural}:\n", found.problems.len());
    }
    for Problem { lab, problem } in &found.problems {
        text += &if lab.is_empty() { format!("  {problem}\n") } else { format!("  lab {lab}: {problem}\n") };
    }
    text
}
