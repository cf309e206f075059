//! JSON documents: records that are put into any envelope, one after another and in any pieces, are read as they were; any
//! other text is records or is told where it goes wrong, and settings that it does not fit are borne.

use callport::source::{Format, Pointer, SourceSettings};
use serde_json::{Value, json};

use super::records::{CELL, Content, Reading, read_alike};

pub(super) const WORDS: &[&str] = &[
    "{\"id\":1}",
    "{\"calls\":[",
    "{\"data\":{\"calls\":[",
    "],\"count\":1}",
    "\"id\":",
    "\"calls\":",
    "\"callport_line\":1",
    "{",
    "}",
    "[",
    "]",
    "[]",
    ":",
    ",",
    "\"",
    "\\",
    "\\\"",
    "1",
    "null",
    "oops",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\u{e9}",
    "\0",
    "\u{feff}",
    "{\"id\":{\"id\":",
];

pub(super) fn holds(data: &[u8]) {
    for path in [None, Some(""), Some("/calls"), Some("/data/calls"), Some("/0")] {
        let reading = read_alike(data, &settings(path));
        numbers_rise(&reading);
        if path == Some("") {
            wrapped(&reading);
        }
    }
}

fn settings(path: Option<&str>) -> SourceSettings {
    let records = path.map(|path| Pointer::parse(path).expect("a path"));
    SourceSettings {
        format: Some(Format::Json),
        records,
        fill_down: vec!["id".into()],
        ..SourceSettings::default()
    }
}

/// Asserts that records stand in their order, none of which is more than may be held.
fn numbers_rise(reading: &Reading) {
    assert!(reading.records.is_sorted_by_key(|(line, _)| *line));
    for (_, record) in &reading.records {
        match record {
            Content::Object(object) => assert!(serde_json::from_str::<Value>(object).is_ok()),
            Content::Broken { raw, .. } => assert!(raw.len() <= 3 * 4 * CELL),
            Content::Cells(_) => panic!("cells in a JSON document"),
        }
    }
}

/// Asserts that the objects of `reading` are read from any envelope as they are.
fn wrapped(reading: &Reading) {
    let objects: Vec<Value> = reading
        .records
        .iter()
        .filter_map(|(_, record)| match record {
            Content::Object(object) => Some(serde_json::from_str(object).expect("JSON")),
            _ => None,
        })
        // What is in a rejects file is read whatever the path, and a blank is filled by what stands above it.
        .filter(|object: &Value| {
            object["id"] != Value::Null && !object["id"].as_str().is_some_and(|id| id.trim().is_empty())
        })
        .take(50)
        .collect();
    let page = json!({ "n": [0, { "calls": [] }], "data": { "calls": objects, "x": {} } });
    let pretty = serde_json::to_string_pretty(&page).expect("JSON");
    let text = format!("{page}{pretty}\n{page}");
    let again = read_alike(text.as_bytes(), &settings(Some("/data/calls")));
    assert_eq!(again.trouble, None);
    let told: Vec<String> =
        objects.iter().map(|object| serde_json::to_string(object).expect("JSON")).collect();
    let found = again.records.iter().map(|(_, record)| match record {
        Content::Object(object) => object.clone(),
        other => panic!("{other:?}"),
    });
    assert!(found.eq([&told[..], &told[..], &told[..]].concat()), "{text}");
}
