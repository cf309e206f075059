//! The first calls of an export as they will read by a configuration that `init` writes.

use super::{failure::Failure, init::Export, preview, sample::Sample};
use crate::{
    call::{Call, CallRecord, FaultKind, Moment, Position, Rejection, Row},
    checkpoint::PreviewedCall,
    config::{ConfigFile, Draft, Overrides, Settings},
    mapping::{Mapping, Outcome, join_records},
};

/// Calls that are shown.
const SHOWN: usize = 3;

/// The first calls as they will read, with something in place of what is still open.
pub(super) fn calls_shown(draft: &Draft, export: &Export) -> Result<String, Failure> {
    let open = draft.open();
    if !draft.maps_calls() {
        return Ok(String::new());
    }
    let stand_in = |key: &str| match key {
        "source.time_zone" => "UTC",
        "source.date_order" => "month_first",
        "source.short_clock" => "mm:ss",
        "source.duration_unit" => "s",
        "customer.unknown" => "create",
        _ => "1",
    };
    let file = ConfigFile::parse(export.kept.path(), &draft.text())?;
    let set = open.iter().map(|key| format!("{key}={}", stand_in(key))).collect();
    let (sample, now) = (&export.sample, export.now);
    let settings = Settings::check(Some(&file), &Overrides { set, ..Overrides::default() }, now)?;
    let source_name = settings.mapping.source_name.clone();
    let mapping = Mapping::new(settings.mapping).map_err(Failure::mapping)?;
    let bound = match &sample.headings {
        Some(headings) => mapping.bind(headings).map_err(Failure::mapping)?,
        None => mapping.bind_json(),
    };
    let mut text = String::new();
    for (position, call) in first_calls(&sample.rows, |row| bound.interpret(row, now).outcome) {
        let call = PreviewedCall {
            started_at: call.started_at.to_string(),
            file: position.file.to_string(),
            line: position.line,
            source_id: call.identity.id,
            key: call.identity.key,
            text: call.text,
        };
        preview::show(&call, &source_name, &mut text);
    }
    Ok(text)
}

/// Whether a row is at fault because nobody has said the zone of its time: a preset need not know of it.
pub(super) fn wants_zone(settings: &Settings, sample: &Sample, now: Moment) -> bool {
    let bound = Mapping::new(settings.mapping.clone()).and_then(|mapping| match &sample.headings {
        Some(headings) => mapping.bind(headings),
        None => Ok(mapping.bind_json()),
    });
    // What is wrong with the mapping itself is told where the calls are shown.
    let Ok(bound) = bound else { return false };
    let says_so = |rejection: &Rejection| {
        let of_time = rejection.faults.iter().filter(|fault| fault.kind == FaultKind::Time);
        of_time.into_iter().any(|fault| fault.reason.contains("`--time-zone`"))
    };
    sample.rows.iter().any(|row| match bound.interpret(row, now).outcome {
        Outcome::Rejected(rejection) => says_so(&rejection),
        Outcome::Record(record) => record.call.is_err_and(|rejection| says_so(&rejection)),
        _ => false,
    })
}

/// The first calls of `rows` with their places, each with those of its records that are among the rows.
fn first_calls(rows: &[Row], interpret: impl Fn(&Row) -> Outcome) -> Vec<(&Position, Call)> {
    let mut calls: Vec<(&Position, Call)> = Vec::new();
    let mut groups: Vec<Vec<(&Position, CallRecord)>> = Vec::new();
    for row in rows {
        match interpret(row) {
            Outcome::Call(call) => calls.push((&row.position, *call)),
            Outcome::Record(record) => {
                match groups.iter_mut().find(|group| group[0].1.group == record.group) {
                    Some(group) => group.push((&row.position, *record)),
                    None => groups.push(vec![(&row.position, *record)]),
                }
            }
            Outcome::Skipped | Outcome::LeftOut | Outcome::Rejected(_) => {}
        }
    }
    calls.extend(groups.into_iter().filter_map(join_records));
    calls.sort_by_key(|(position, _)| position.line);
    calls.truncate(SHOWN);
    calls
}
