//! JSONL: every line that is not blank is one record, its object or its text as it was, or it is several objects.

use callport::source::{Format, SourceSettings};
use serde_json::Value;

use super::records::{CELL, Content, RECORD, is_blank, lines, plain, read_alike};

pub(super) const WORDS: &[&str] = &[
    "{\"id\":1}\n",
    "{\"id\":1}",
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
    let mut records = reading.records.iter().peekable();
    for (number, line) in written {
        let mut found = Vec::new();
        while let Some((_, record)) = records.next_if(|(at, _)| *at == number) {
            found.push(record);
        }
        match found[..] {
            [] => panic!("line {number} is lost"),
            [Content::Object(object)] => is_kept(object, line),
            [Content::Broken { raw, .. }] => {
                assert_eq!(raw.as_str(), String::from_utf8_lossy(&line[..line.len().min(RECORD)]));
            }
            _ => covers(&found, line),
        }
    }
    assert_eq!(records.next(), None);
}

/// Asserts that `found`, one after another, are what stands on `line`.
fn covers(found: &[&Content], line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let mut left = &*text;
    for record in found {
        left = left.trim_start();
        match record {
            Content::Object(object) => {
                let mut values = serde_json::Deserializer::from_str(left).into_iter::<Value>();
                let written = values.next().expect("a value").expect("an object");
                let kept: Value = serde_json::from_str(object).expect("JSON");
                assert_eq!(kept, written);
                left = left.split_at(values.byte_offset()).1;
            }
            Content::Broken { raw, .. } => {
                left = left.strip_prefix(raw.as_str()).expect("its text as it was");
            }
            Content::Cells(_) => panic!("cells in a JSONL file"),
        }
    }
    assert!(left.trim().is_empty(), "{left:?} is lost");
}

/// Asserts that an object is what its line says, and that no value of it is too long for a cell.
fn is_kept(object: &str, line: &[u8]) {
    let (kept, written): (Value, Value) =
        (serde_json::from_str(object).expect("JSON"), serde_json::from_slice(line).expect("JSON"));
    assert_eq!(kept, written);
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string().len(), str::len);
    assert!(kept.as_object().expect("an object").values().all(|one| value(one) <= CELL));
}
