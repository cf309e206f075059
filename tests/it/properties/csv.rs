//! CSV: every line that is not blank belongs to exactly one record, and no byte of a cell is lost or made up.
//!
//! A record that cannot be read is told with its text; of a quote that is never closed the line on which it opens. So the
//! records, one after another, cover the file, which also bounds how many there are.

use callport::source::{Format, SourceSettings};

use super::records::{CELL, Content, RECORD, Reading, is_blank, line_ends, lines, plain, read_alike};

pub(super) const WORDS: &[&str] = &[
    "id,from\n",
    "1,2\n",
    "\"",
    "\"\"",
    "\"a\nb\"",
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r\n",
    "\r",
    " ",
    "a",
    "é",
    "\0",
    "\u{feff}",
    "{",
    "[",
    "x\",\"\n",
    "1,\"a\n",
    "<html",
    ", \"",
    "\" ,",
    "\"a \"b\" c\"",
    "id,id,\n",
    "\u{1f}\u{8b}",
];

/// What separates cells, or wraps them, with the blanks beside it: all that reading takes out of a record.
const MARKS: &[u8] = b",;\t|\" ";

pub(super) fn holds(data: &[u8]) {
    for delimiter in [None, Some(b';')] {
        let settings = SourceSettings { format: Some(Format::Csv), delimiter, ..SourceSettings::default() };
        let reading = read_alike(data, &settings);
        if let (Some(content), None) = (plain(data), &reading.trouble) {
            covers(content, &reading);
        }
    }
}

/// Asserts that `reading` holds all of `content`.
fn covers(content: &[u8], reading: &Reading) {
    let lines = lines(content);
    let first = reading.records.first().map_or(lines.len(), |(line, _)| index(*line));
    let above = lines[..first].iter().filter(|(_, line)| !is_blank(line)).count();
    let span: usize = 1 + reading.headings.iter().map(|name| line_ends(name)).sum::<usize>();
    assert!(above <= span, "{above} lines before the first record, {span} of them headings");
    for (at, (line, record)) in reading.records.iter().enumerate() {
        let begin = index(*line);
        let next = reading.records.get(at + 1).map_or(lines.len(), |(line, _)| index(*line));
        let span = match record {
            Content::Cells(cells) => 1 + cells.iter().map(|cell| line_ends(cell)).sum::<usize>(),
            Content::Broken { raw, .. } => 1 + line_ends(raw),
            Content::Object(_) => panic!("an object in a CSV file"),
        };
        assert!(begin + span <= next, "the record of line {line} runs into the next, of line {}", next + 1);
        assert!(lines[begin + span..next].iter().all(|(_, line)| is_blank(line)), "lost after line {line}");
        let (last, text) = lines[begin + span - 1];
        keeps(&content[lines[begin].0..last + text.len()], record, reading.headings.len());
    }
}

fn index(line: u64) -> usize {
    usize::try_from(line).expect("a line of this file") - 1
}

/// Asserts that a record holds what was written.
fn keeps(written: &[u8], record: &Content, columns: usize) {
    let bare = |text: &[u8]| text.iter().copied().filter(|byte| !MARKS.contains(byte)).collect::<Vec<u8>>();
    match record {
        Content::Cells(cells) => {
            assert_eq!(cells.len(), columns);
            assert!(cells.iter().all(|cell| cell.len() <= CELL));
            assert_eq!(bare(cells.concat().as_bytes()), bare(written));
        }
        Content::Broken { raw, .. } if written.len() > RECORD => {
            assert_eq!(raw.as_str(), String::from_utf8_lossy(&written[..RECORD]));
        }
        Content::Broken { raw, .. } => assert_eq!(raw.as_str(), String::from_utf8_lossy(written)),
        Content::Object(_) => {}
    }
}
