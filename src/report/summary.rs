//! The table at the end of an import. It closes: the rows read are the sum of what became of them.

use comfy_table::{CellAlignment, Table, presets::NOTHING};

use crate::import::Sheet;

use super::{
    advice::advice,
    count::{counted, grouped, span},
};

/// The table, what was made, warnings, and what to do next.
pub fn summary(sheet: &Sheet) -> String {
    let mut text = table(sheet);
    text.push('\n');
    for line in made(sheet).into_iter().chain(warnings(sheet)) {
        text.push_str(&line);
        text.push('\n');
    }
    let advice = advice(sheet);
    if !advice.is_empty() {
        text.push('\n');
    }
    for line in advice {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn table(sheet: &Sheet) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let mut row = |name: &str, count: u64, note: String| {
        table.add_row(vec![name.to_owned(), grouped(count), note]);
    };
    row("rows read", sheet.rows, String::new());
    row("imported", sheet.imported, String::new());
    row("already imported", sheet.already_imported, note(sheet.changed, "changed since"));
    row("skipped", sheet.skipped, String::new());
    row("rejected", sheet.rejected, note(sheet.rejected_before, "as before"));
    row("undecided", sheet.undecided, String::new());
    row("pending", sheet.pending, String::new());
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

fn note(count: u64, what: &str) -> String {
    if count == 0 { String::new() } else { format!("{} {what}", grouped(count)) }
}

fn made(sheet: &Sheet) -> Vec<String> {
    let mut lines = Vec::new();
    if sheet.requests > 0 {
        lines.push(format!(
            "made {}, {}, {}",
            counted(sheet.conversations_created, "conversation"),
            counted(sheet.threads_created, "thread"),
            counted(sheet.customers_created, "customer"),
        ));
    }
    let took = std::time::Duration::try_from_secs_f64(sheet.seconds).unwrap_or_default();
    let throttled = if sheet.throttled == 0 {
        String::new()
    } else {
        format!(", {} answered with `slow down`", grouped(sheet.throttled))
    };
    lines.push(format!(
        "{} ({}{throttled}) in {}",
        counted(sheet.requests, "request"),
        counted(sheet.rate_units, "unit"),
        span(took),
    ));
    if sheet.carried_over > 0 {
        lines.push(format!(
            "{} of earlier runs' files were open and took part",
            counted(sheet.carried_over, "call")
        ));
    }
    lines
}

fn warnings(sheet: &Sheet) -> Vec<String> {
    let shown = sheet.warnings.iter().map(|warning| {
        let place = if warning.line > 0 {
            format!(", first at {}:{}", warning.file, warning.line)
        } else {
            String::new()
        };
        format!("warning: {} ({}{place})", warning.reason, counted(warning.count, "time"))
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::WarningCount;

    #[test]
    fn the_table_closes_the_sheet() {
        let sheet = Sheet {
            rows: 1_012,
            imported: 1_000,
            already_imported: 3,
            rejected: 8,
            skipped: 1,
            rejected_before: 8,
            changed: 2,
            conversations_created: 41,
            threads_created: 1_000,
            customers_created: 1,
            requests: 43,
            rate_units: 84,
            throttled: 1,
            seconds: 75.2,
            warnings: vec![WarningCount {
                reason: "a name is too long".into(),
                count: 2,
                file: "a.csv".into(),
                line: 9,
            }],
            ..Sheet::default()
        };
        assert_eq!(
            summary(&sheet),
            " rows read         1,012
 imported          1,000
 already imported      3  2 changed since
 skipped               1
 rejected              8  8 as before
 undecided             0
 pending               0
made 41 conversations, 1,000 threads, 1 customer
43 requests (84 units, 1 answered with `slow down`) in 1 min 15 s
warning: a name is too long (2 times, first at a.csv:9)

2 calls differ from what was imported earlier; Help Scout keeps the earlier text
"
        );
    }

    #[test]
    fn a_run_without_requests_says_so() {
        let text = summary(&Sheet { rows: 1, already_imported: 1, ..Sheet::default() });
        assert!(
            text.contains("0 requests (0 units) in under a second\n") && !text.contains("made"),
            "{text}"
        );
    }
}
