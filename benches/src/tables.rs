//! A report as text.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use crate::calls::{Call, Calls};
use crate::figures::{Comparison, Spread};
use crate::idle::{Idle, Rest};
use crate::report::Report;

/// The report, as tables.
pub fn render(report: &Report) -> String {
    let machine = &report.machine;
    let mut text = format!(
        "{} cores ({}), {} MiB, kernel {}, containerd {}\nload when the bench began: {:.2}\nagent: {}\n",
        machine.cores,
        if machine.processor.is_empty() { "unnamed" } else { &machine.processor },
        machine.memory_mib,
        machine.kernel,
        machine.containerd,
        machine.load,
        report.agent,
    );
    let mut latencies = table(&["ms", "by", "n", "min", "p50", "p90", "p99", "max", "p50 / floor"]);
    if let Some(kill) = &report.kill {
        add(&mut latencies, "kill → restarted", &kill.started);
        let told = &kill.started_by_event;
        row(&mut latencies, "", "floor, by event", told, Some(told.p50 / kill.started.floor.p50));
        add(&mut latencies, "kill → first words", &kill.first_words);
    }
    if let Some(manifest) = &report.manifest {
        add(&mut latencies, "manifest → started", &manifest.started);
    }
    if let Some(burst) = &report.burst {
        add(&mut latencies, &format!("{} manifests → all started", burst.pods), &burst.all_started);
    }
    if !latencies.is_empty() {
        let _ = writeln!(text, "\n{latencies}");
    }
    if let Some(idle) = &report.idle {
        let _ = writeln!(text, "\n{}", idle_table(idle));
    }
    if let Some(calls) = &report.calls {
        text += &calls_text(calls);
    }
    text
}

fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    table
}

/// Everything but the names at the left stands at the right, where digits line up.
fn align(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

fn add(table: &mut Table, what: &str, compared: &Comparison) {
    row(table, what, "agent", &compared.agent, Some(compared.ratio));
    row(table, "", "floor", &compared.floor, None);
}

fn row(table: &mut Table, what: &str, by: &str, spread: &Spread, ratio: Option<f64>) {
    let mut row = vec![what.to_owned(), by.to_owned(), spread.samples.to_string()];
    let values = [spread.min, spread.p50, spread.p90, spread.p99, spread.max];
    row.extend(values.map(|value| format!("{value:.1}")));
    row.push(ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default());
    table.add_row(row);
    align(table, 2);
}

fn idle_table(idle: &Idle) -> Table {
    let mut table = table(&[
        "at rest",
        "s",
        "CPU % of a core",
        "resident MiB",
        "anonymous",
        "peak",
        "threads",
        "log lines",
        "containerd's CPU %",
    ]);
    for Rest { pods, seconds, cpu_percent, containerd_cpu_percent, memory, threads, log_lines } in
        [&idle.empty, &idle.loaded]
    {
        table.add_row([
            format!("{pods} pods"),
            format!("{seconds:.0}"),
            format!("{cpu_percent:.2}"),
            mib(memory.resident_kib),
            mib(memory.anonymous_kib),
            mib(memory.peak_kib),
            threads.to_string(),
            log_lines.to_string(),
            format!("{containerd_cpu_percent:.2}"),
        ]);
    }
    align(&mut table, 1);
    table
}

fn mib(kib: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "no process has 2⁵² KiB")]
    let mib = kib as f64 / 1024.0;
    format!("{mib:.1}")
}

fn calls_text(calls: &Calls) -> String {
    let mut table = table(&["calls per minute at rest", &format!("{} pods", calls.idle_pods)]);
    for (rpc, per_minute) in &calls.idle_per_minute {
        table.add_row([(*rpc).to_owned(), format!("{per_minute:.0}")]);
    }
    align(&mut table, 1);
    let mut text = format!("\n{table}\n");
    for (what, calls) in [
        ("a pod starts", &calls.start),
        ("its container is killed", &calls.restart),
        ("its manifest is removed", &calls.end),
    ] {
        let _ = writeln!(text, "\n{what}: {} calls, in ms since then", calls.len());
        for line in in_lines(calls) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// Neighbours of the same kind share a line: `12.3 ContainerStatus ×3`.
fn in_lines(calls: &[Call]) -> Vec<String> {
    calls
        .chunk_by(|one, next| (one.rpc, &one.error) == (next.rpc, &next.error))
        .map(|same| {
            let (first, count) = (&same[0], same.len());
            let times = if count > 1 { format!(" ×{count}") } else { String::new() };
            let error = first.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
            format!("{:8.1} {}{times}{error}", first.at_ms, first.rpc)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_the_same_kind_share_a_line() {
        let call = |at_ms, rpc, error: Option<&str>| Call { at_ms, rpc, error: error.map(str::to_owned) };
        let calls = [
            call(1.0, "Status", None),
            call(2.0, "ContainerStatus", None),
            call(3.25, "ContainerStatus", None),
            call(4.0, "ContainerStatus", Some("not found")),
            call(5.0, "Status", None),
        ];
        assert_eq!(
            in_lines(&calls),
            [
                "     1.0 Status",
                "     2.0 ContainerStatus ×2",
                "     4.0 ContainerStatus: not found",
                "     5.0 Status"
            ]
        );
    }

    #[test]
    fn a_comparison_takes_two_rows() {
        let mut rows = table(&["ms", "by", "n", "min", "p50", "p90", "p99", "max", "p50 / floor"]);
        add(&mut rows, "kill", &Comparison::of(&[30.0], &[20.0]).expect("samples"));
        let text = rows.to_string();
        let words = |line: &str| -> Vec<String> {
            line.split_ascii_whitespace().filter(|w| *w != "│").map(str::to_owned).collect()
        };
        let lines: Vec<_> = text.lines().map(words).collect();
        let has = |row: &[&str]| lines.iter().any(|line| line == row);
        assert!(has(&["kill", "agent", "1", "30.0", "30.0", "30.0", "30.0", "30.0", "1.50"]), "{text}");
        assert!(has(&["floor", "1", "20.0", "20.0", "20.0", "20.0", "20.0"]), "{text}");
    }
}
