//! What a file is, told from its first bytes.

use super::Format;

/// How much of a file is looked at.
pub(super) const SAMPLE: usize = 64 * 1024;

/// The byte-order mark that UTF-8 files may begin with.
pub(super) const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a file cannot be, by what it begins with.
const REFUSED: &[(&[u8], &str)] = &[
    (b"\xff\xfe", UTF16),
    (b"\xfe\xff", UTF16),
    (
        b"PK\x03\x04",
        "is an Excel or ZIP file: a CSV file is needed, so save the sheet as CSV or unpack the archive",
    ),
    (b"\xd0\xcf\x11\xe0", "is an Excel file of the old form: save the sheet as CSV"),
    (b"\x89PNG", "is a picture, not a table"),
    (b"%PDF", "is a PDF, not a table"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd: unpack it, or compress it with gzip"),
    (b"BZh", "is compressed with bzip2: unpack it, or compress it with gzip"),
    (b"\xfd7zXZ\x00", "is compressed with xz: unpack it, or compress it with gzip"),
    (b"\x1f\x8b", "is compressed twice: unpack it once"),
    (b"SQLite format 3\x00", "is a SQLite database, not a table of text"),
];

const UTF16: &str = "is encoded as UTF-16, and UTF-8 is needed";
const BINARY: &str = "is not text: its first line holds NUL bytes";
const HTML: &str = "is an HTML page, not a table (a sign-in page that was saved in place of the export?)";
const ARRAY: &str = "is a JSON array: one JSON object a line is needed";
const SPREAD: &str = "is a JSON document over several lines: one JSON object a line is needed";

/// Why a file that begins with `sample` cannot be read at all.
pub(super) fn refuse(sample: &[u8]) -> Option<&'static str> {
    if let Some((_, fault)) = REFUSED.iter().find(|(magic, _)| sample.starts_with(magic)) {
        return Some(fault);
    }
    // A NUL within a note is a row's affair; among the headings it means that the file is not text at all.
    let content = from_first_letter(sample);
    let first_line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first_line.contains(&0) && !content.starts_with(b"{") {
        return Some(BINARY);
    }
    let start: Vec<u8> = content.iter().take(15).map(u8::to_ascii_lowercase).collect();
    (start.starts_with(b"<!doctype html") || start.starts_with(b"<html")).then_some(HTML)
}

/// The form of a file whose rows begin with `sample`.
pub(super) fn format(sample: &[u8]) -> Result<Format, &'static str> {
    let sample = from_first_letter(sample);
    match sample.first() {
        Some(b'{') => {
            let rest = &sample[1..];
            let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let spread = line.len() < rest.len() && line.iter().all(u8::is_ascii_whitespace);
            if spread { Err(SPREAD) } else { Ok(Format::Jsonl) }
        }
        Some(b'[') if matches!(from_first_letter(&sample[1..]).first(), Some(b'{' | b']')) => Err(ARRAY),
        _ => Ok(Format::Csv),
    }
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
    fn what_is_no_text_is_refused_in_words() {
        assert!(refuse(b"PK\x03\x04....").unwrap().contains("save the sheet as CSV"));
        assert!(refuse(b"\xff\xfei\0d\0").unwrap().contains("UTF-16"));
        assert!(refuse(b"i\0d\0").unwrap().contains("NUL"));
        assert!(refuse(b"\n <!DOCTYPE html><html>").unwrap().contains("HTML"));
        assert!(refuse(b"\xef\xbb\xbf<HTML lang=en>").unwrap().contains("HTML"));
        assert!(refuse(b"\x7fELF\x02\x01\0\0").unwrap().contains("NUL"));
        assert_eq!(refuse(b"id,notes\n1,a\0b\n"), None);
        assert_eq!(refuse(b"{\"id\":\"\0\"}\n"), None);
    }

    #[test]
    fn the_first_letter_tells_json_from_csv() {
        assert_eq!(format(b" \n{\"id\":1}\n"), Ok(Format::Jsonl));
        assert_eq!(format(b"id,from\n"), Ok(Format::Csv));
        assert_eq!(format(b"[Call ID],[From]\n"), Ok(Format::Csv));
        assert_eq!(format(b"[\n {\"id\":1}]"), Err(ARRAY));
        assert_eq!(format(b"{\n \"id\":1\n}"), Err(SPREAD));
    }
}
