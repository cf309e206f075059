//! JSONL: every line that is not blank is one record, its object or its text as it was.

use callport::source::{Format, SourceSettings};
use serde_json::Value;

use super::records::{CELL, Content, RECORD, is_blank, lines, plain, read_alike};

pub(super) const WORDS: &[&str] = &[
    "{\"id\":1}\n",
    "{",
    "}",
    "[",
    "]",
    "\"id\"",
    ":",
    ",",
    "1",
    "1e999",
    "-0",
    "0.10",
    "null",
    "true",
    "\"a\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\n",
    "\r\n",
    "\r",
    " ",
    "é",
    "\0",
    "\u{feff}",
    "[[[[",
    "{\"a\":{\"a\":",
    "\"$serde_json::private::Number\"",
    "\"$serde_json::private::RawValue\"",
];

pub(super) fn holds(data: &[u8]) {
    let settings = SourceSettings { format: Some(Format::Jsonl), ..SourceSettings::default() };
    let reading = read_alike(data, &settings);
    let (Some(content), None) = (plain(data), &reading.trouble) else { return };
    let written: Vec<(u64, &[u8])> = (1..)
        .zip(lines(content))
        .map(|(number, (_, line))| (number, line))
        .filter(|(_, line)| !is_blank(line))
        .collect();
    let numbers: Vec<u64> = reading.records.iter().map(|(line, _)| *line).collect();
    assert_eq!(numbers, written.iter().map(|(number, _)| *number).collect::<Vec<_>>());
    for ((_, record), (_, line)) in reading.records.iter().zip(written) {
        match record {
            Content::Object(object) => is_kept(object, line),
            Content::Broken { raw, .. } => {
                assert_eq!(raw.as_str(), String::from_utf8_lossy(&line[..line.len().min(RECORD)]));
            }
            Content::Cells(_) => panic!("cells in a JSONL file"),
        }
    }
}

/// Asserts that an object is what its line says, and that no value of it is too long for a cell.
fn is_kept(object: &str, line: &[u8]) {
    let (kept, written): (Value, Value) =
        (serde_json::from_str(object).expect("JSON"), serde_json::from_slice(line).expect("JSON"));
    assert_eq!(kept, written);
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string().len(), str::len);
    assert!(kept.as_object().expect("an object").values().all(|one| value(one) <= CELL));
}
