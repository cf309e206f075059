//! What a file is, told from its first bytes.

use serde::de::IgnoredAny;

use super::{
    Format,
    json_scan::{Scan, Step},
    window::is_line_end,
};

/// How much of a file is looked at.
pub(super) const SAMPLE: usize = 64 * 1024;

/// The byte-order mark that UTF-8 files may begin with.
pub(super) const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// The form of a file whose rows begin with `sample`.
pub(super) fn format(sample: &[u8]) -> Format {
    let sample = from_first_letter(sample);
    match sample.first() {
        Some(b'{') => objects_of(sample),
        // A heading may stand in brackets too.
        Some(b'[') if matches!(from_first_letter(&sample[1..]).first(), Some(b'{' | b']')) => Format::Json,
        _ => Format::Csv,
    }
}

/// Whether objects, the first of which begins `sample`, stand each on its line. One that is alone is a document, which may
/// be an envelope; so are several on a line of any length, which need no line of their own.
fn objects_of(sample: &[u8]) -> Format {
    let line_end = sample.iter().position(|byte| is_line_end(*byte)).unwrap_or(sample.len());
    let (line, rest) = sample.split_at(line_end);
    let next = from_first_letter(rest);
    match Scan::default().run(sample, 0) {
        Step::Done(bytes) if bytes <= line_end => {
            let alone_on_line = line[bytes..].trim_ascii().is_empty();
            if alone_on_line && !next.is_empty() { Format::Jsonl } else { Format::Json }
        }
        Step::Done(bytes) if serde_json::from_slice::<IgnoredAny>(&sample[..bytes]).is_ok() => Format::Json,
        // The line is broken, and the one behind it shows what the file is. After a bracket it begins a list.
        _ if is_object_line(next) && !line.trim_ascii_end().ends_with(b"[") => Format::Jsonl,
        _ => Format::Json,
    }
}

/// Whether an object begins and ends on the first line of `text`.
fn is_object_line(text: &[u8]) -> bool {
    let end = text.iter().position(|byte| is_line_end(*byte)).unwrap_or(text.len());
    let line = &text[..end];
    line.starts_with(b"{")
        && matches!(Scan::default().run(line, 0), Step::Done(bytes) if line[bytes..].trim_ascii().is_empty())
}

fn from_first_letter(sample: &[u8]) -> &[u8] {
    let sample = sample.strip_prefix(UTF8_MARK).unwrap_or(sample);
    sample.trim_ascii_start()
}

/// The delimiter of a CSV file that begins with `sample`: that which gives most records as many cells as the headings
/// have, and of several such the one that gives most cells. `whole` says that the sample is all of the file.
pub(super) fn delimiter(sample: &[u8], whole: bool) -> u8 {
    let mut best = (b',', (false, 0, 0));
    for candidate in *b",;\t|" {
        let widths = record_widths(sample, candidate, whole);
        let Some(columns) = widths.first().copied().filter(|columns| *columns > 1) else { continue };
        let alike = widths.iter().filter(|width| **width == columns).count();
        // A few ragged rows are the rows' fault, not the delimiter's.
        let consistent = alike * 5 >= widths.len() * 4;
        let score = if consistent { (true, columns, alike) } else { (false, alike, columns) };
        if score > best.1 {
            best = (candidate, score);
        }
    }
    best.0
}

/// How many cells each complete record of the sample has.
fn record_widths(sample: &[u8], delimiter: u8, whole: bool) -> Vec<usize> {
    let mut core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let mut cells = vec![0; sample.len() + 1];
    let mut ends = vec![0; sample.len() + 1];
    let mut rest = sample;
    let mut widths = Vec::new();
    let mut width = 0;
    loop {
        let (result, read, _, count) = core.read_record(rest, &mut cells, &mut ends);
        let at_end = rest.is_empty();
        rest = &rest[read..];
        width += count;
        match result {
            csv_core::ReadRecordResult::Record => {
                widths.push(width);
                width = 0;
            }
            csv_core::ReadRecordResult::InputEmpty if whole && !at_end => {}
            _ => return widths,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_that_gives_most_consistent_columns_wins() {
        let cases: [(&str, u8); 7] = [
            ("a,b,c\n1,2,3\n", b','),
            ("a;b;c\n1,5;2;3\n1;\"x,y,z;\n\";3\n", b';'),
            ("a\tb\n1, 2, 3\t4\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("alone\n1\n", b','),
            ("id;name, first;x\n1;\"Doe, Jo\";3\n2;Roe;4\n", b';'),
            ("a;b;c\n1;2;3\n1;2\n1;2;3\n1;2;3\n1;2;3\n", b';'),
        ];
        for (text, expected) in cases {
            assert_eq!(char::from(delimiter(text.as_bytes(), true)), char::from(expected), "{text}");
        }
    }

    #[test]
    fn a_record_that_the_sample_cuts_off_is_not_judged() {
        assert_eq!(record_widths(b"a,b,c\n1,2,3\n1,2", b',', false), [3, 3]);
        assert_eq!(record_widths(b"a,b,c\n1,2,3\n1,2", b',', true), [3, 3, 2]);
    }

    #[test]
    fn the_first_letters_tell_json_from_csv() {
        for (text, form) in [
            ("id,from\n", Format::Csv),
            ("[Call ID],[From]\n", Format::Csv),
            (" \n{\"id\":1}\n{\"id\":2}\n", Format::Jsonl),
            ("{\"id\":1} \r\n[]\r\n", Format::Jsonl),
            ("{\"id\":\n{\"id\":2}\n", Format::Jsonl),
            ("{\"id\":\"a\n{\"id\":2}\n", Format::Jsonl),
            ("{\"id\":1}\n", Format::Json),
            ("{\"id\":1}{\"id\":2}\n{\"id\":3}\n", Format::Json),
            ("{\"id\":1", Format::Json),
            ("{\n \"id\":1\n}\n{\n \"id\":2\n}\n", Format::Json),
            ("{\"calls\":[\n{\"id\":1},\n{\"id\":2}\n]}\n", Format::Json),
            ("{\"calls\":[\n{\"id\":1}\n]}\n", Format::Json),
            ("{\"calls\":[\n{\"id\":1}\n,{", Format::Json),
            ("[\n {\"id\":1}]", Format::Json),
            ("[]", Format::Json),
        ] {
            assert_eq!(format(text.as_bytes()), form, "{text}");
        }
    }
}
