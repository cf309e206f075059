//! Times and durations: a value is read as one moment or one count of seconds, alike in every form of file, or refused
//! with its column; what was read, written in the form of the service, reads as the same.
//!
//! The input is lines: the zone, the start, the end, the duration and the time of the last change.

use std::sync::Arc;

use callport::{
    call::{Call, Cells, Headings, Moment, Position, Row, Zone},
    mapping::{BoundMapping, Mapping, MappingSettings, Outcome},
};
use serde_json::Value;

pub(super) const WORDS: &[&str] = &[
    "\n",
    "Europe/Berlin",
    "America/New_York",
    "Africa/Monrovia",
    "2026-03-30",
    "2026-03-29 02:30:00",
    "0000-01-01",
    "9999-12-31",
    "T",
    " ",
    "14:05:09",
    "23:59:59",
    "24:00",
    ":60",
    "Z",
    " UTC",
    "+02:00",
    "-0530",
    "+23:59",
    ".",
    "5",
    "1774879509",
    "99999999999",
    "00:03:12",
    "12:34",
    "9999:59:59",
    "61",
    "é",
    "-",
    "[5]",
    "0",
    ",",
];

/// The columns that the lines after the first fill.
const COLUMNS: [&str; 4] = ["started_at", "ended_at", "duration", "updated_at"];

pub(super) fn holds(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let zone = lines.next().and_then(|name| Zone::parse(name).ok());
    let values = COLUMNS.map(|_| lines.next().unwrap_or_default());
    let mapping = mapping(zone);
    let found = interpret(&mapping, values);
    match &found {
        Outcome::Call(call) => reads_back(&mapping, call),
        Outcome::Rejected(rejection) => {
            assert!(!rejection.faults.is_empty());
            for fault in &rejection.faults {
                assert!(fault.column.is_some() && !fault.reason.is_empty(), "{fault:?}");
                assert!(fault.value.as_ref().is_none_or(|value| value.chars().count() <= 81), "{fault:?}");
            }
        }
        other => panic!("nothing is skipped or left out here: {other:?}"),
    }
}

fn mapping(zone: Option<Zone>) -> Mapping {
    Mapping::new(MappingSettings {
        by_own_names: true,
        time_zone: zone,
        text: Some("{{ duration }}.".to_owned()),
        ..MappingSettings::default()
    })
    .expect("a good mapping")
}

/// Long after whatever is read, so that no start lies in the future.
fn now() -> Moment {
    Moment::from_epoch_seconds(253_402_300_799).expect("the last second of the year 9999")
}

/// What becomes of a call with these values, the same from CSV and from JSON.
fn interpret(mapping: &Mapping, values: [&str; 4]) -> Outcome {
    let pairs: Vec<(&str, &str)> =
        COLUMNS.into_iter().zip(values).chain([("email", "jo@example.com")]).collect();
    let headings = Arc::new(Headings::new(pairs.iter().map(|(name, _)| (*name).to_owned()).collect()));
    let text: String = pairs.iter().map(|(_, value)| *value).collect();
    let ends = pairs.iter().scan(0, |end, (_, value)| {
        *end += value.len();
        u32::try_from(*end).ok()
    });
    let csv = Cells::Csv { headings: Arc::clone(&headings), ends: ends.collect(), text };
    let object = pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    let from = |mapping: &BoundMapping, cells: Cells| {
        mapping.interpret(&Row { position: Position::new("calls", 1), cells }, now()).outcome
    };
    let found = from(&mapping.bind(&headings).expect("it fits"), csv);
    let same = from(&mapping.bind_json(), Cells::Json(object));
    assert_eq!(without_columns(same), without_columns(found.clone()));
    found
}

/// A column that is not there goes by its own name in CSV, and in JSON by the field's.
fn without_columns(mut outcome: Outcome) -> Outcome {
    if let Outcome::Rejected(rejection) = &mut outcome {
        rejection.faults.iter_mut().for_each(|fault| fault.column = None);
    }
    outcome
}

fn reads_back(mapping: &Mapping, call: &Call) {
    let start = call.started_at.to_string();
    assert_eq!(start.len(), 20, "{start}");
    let duration = call.text.split('.').next().unwrap_or_default();
    let again = interpret(mapping, [&start, "", duration, ""]);
    let Outcome::Call(again) = again else { panic!("{call:?} reads back as {again:?}") };
    assert_eq!(again.started_at, call.started_at);
    assert_eq!(again.text, call.text);
    assert_eq!(again.identity, call.identity);
}
