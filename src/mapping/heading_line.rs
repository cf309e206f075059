//! Whether the first line of a table is one of headings.

use super::columns::{Looks, fits};

/// Digits that make a phone number of what has nothing but digits and their marks: years and ids have fewer.
const LEAST_DIGITS: usize = 7;

/// Why the cells of a first line are those of a row and no headings, as a lower-case fragment. `None` where they may well be
/// headings: nobody calls a column by a time, a phone number or an address.
pub fn reads_as_row(cells: &[String]) -> Option<String> {
    let told = cells.iter().map(|cell| cell.trim()).find_map(|cell| Some((cell, what(cell)?)));
    if let Some((cell, what)) = told {
        return Some(format!("`{cell}` is {what}"));
    }
    let filled: Vec<&str> = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    let are_bare = filled.len() > 1 && filled.iter().all(|cell| is_bare(cell));
    (are_bare && !counts_up(&filled)).then(|| "it holds nothing but digits".to_owned())
}

fn what(cell: &str) -> Option<&'static str> {
    if fits(cell, Looks::Time) || fits(cell, Looks::Date) {
        return Some("a time");
    }
    let is_plain = cell.bytes().all(|byte| byte.is_ascii_digit() || b"+- ().".contains(&byte));
    if is_plain && cell.bytes().filter(u8::is_ascii_digit).count() >= LEAST_DIGITS {
        return Some("a number");
    }
    if fits(cell, Looks::Email) {
        return Some("an e-mail address");
    }
    fits(cell, Looks::Link).then_some("a link")
}

fn is_bare(cell: &str) -> bool {
    cell.bytes().all(|byte| byte.is_ascii_digit())
}

/// Programs that know no names number the columns instead.
fn counts_up(cells: &[&str]) -> bool {
    let numbers: Vec<Option<u64>> = cells.iter().map(|cell| cell.parse().ok()).collect();
    numbers.windows(2).all(|pair| pair[0].is_some_and(|number| number.checked_add(1) == pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(cells: &[&str]) -> Option<String> {
        reads_as_row(&cells.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_line_with_a_time_a_number_or_an_address_is_a_row() {
        for (cells, why) in [
            (&["Jo", " 2026-03-30 14:05:09 ", "in"][..], "`2026-03-30 14:05:09` is a time"),
            (&["03/30/2026", "4:05 PM"], "`03/30/2026` is a time"),
            (&["1774879509", "", "65"], "`1774879509` is a time"),
            (&["start", "(212) 555-0100"], "`(212) 555-0100` is a number"),
            (&["inbound", "+15550100"], "`+15550100` is a number"),
            (&["inbound", "jo@example.com"], "`jo@example.com` is an e-mail address"),
            (&["inbound", "https://example.com/1"], "`https://example.com/1` is a link"),
            (&["101", "102", "", "65"], "it holds nothing but digits"),
        ] {
            assert_eq!(reads(cells).as_deref(), Some(why), "{cells:?}");
        }
    }

    #[test]
    fn words_are_headings_and_so_are_columns_that_are_numbered() {
        for cells in [
            &["id", "started_at", "direction", "from", "to"][..],
            &["Date", "Time (UTC)", "Duration (h:mm:ss)", "Phone 1", "Q1 2026", "2025"],
            &["", "Start", "Call ID", "24/7"],
            &["Anruf am", "von", "an", "Dauer"],
            &["0", "1", "2", "3"],
            &["1", "2", "3", ""],
            &["7"],
            &["", ""],
            &[],
        ] {
            assert_eq!(reads(cells), None, "{cells:?}");
        }
    }
}
