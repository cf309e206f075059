//! What a row says, field by field, with everything that is wrong with it.

use std::{borrow::Cow, sync::Arc};

use super::{
    bound::BoundMapping,
    duration_form::{LONGEST, parse_duration},
    field::Field,
    number::{NumberReading, out_of_spreadsheet, read_number},
    row_view::Nothing,
    settings::MappingSettings,
    time_form::{Instant, TimeFault, parse_time},
};
use crate::call::{Cells, Fault, FaultKind, Moment, Warning, Zone};

/// A row's values in the forms that the rest of the room works with.
pub(super) struct Reading<'r> {
    mapping: &'r BoundMapping,
    values: [Option<Cow<'r, str>>; Field::COUNT],
    zone: Option<Zone>,
    pub(super) started_at: Option<Moment>,
    pub(super) ended_at: Option<Moment>,
    pub(super) updated_at: Option<i64>,
    pub(super) duration: Option<u64>,
    /// Seconds before the call was answered.
    pub(super) ringing: Option<u64>,
    /// `inbound`, `outbound`, or the word as it stands.
    pub(super) direction: Option<Cow<'r, str>>,
    pub(super) from_number: NumberReading,
    pub(super) to_number: NumberReading,
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Warning>,
}

impl<'r> Reading<'r> {
    pub(super) fn new(mapping: &'r BoundMapping, cells: &'r Cells) -> Self {
        let mut reading = Self {
            mapping,
            values: [const { None }; Field::COUNT],
            zone: None,
            started_at: None,
            ended_at: None,
            updated_at: None,
            duration: None,
            ringing: None,
            direction: None,
            from_number: Ok(None),
            to_number: Ok(None),
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        mapping.fetch_all(cells, &mut reading.values, &mut reading.faults);
        for field in mapping.translate(&mut reading.values) {
            let (name, table) = (field.name(), field.name().replace("call.", "values."));
            reading
                .warn(format!("`{name}` has values that `[{table}]` does not name: they stay as they are"));
        }
        for field in [Field::FROM, Field::TO, Field::PHONE] {
            let value = &mut reading.values[field.index()];
            *value = value.take().map(plain_number).filter(|number| !number.is_empty());
        }
        reading.zone = reading.read_zone();
        reading.started_at = reading.time(Field::STARTED_AT).map(|instant| instant.moment);
        reading.ended_at = reading.time(Field::ENDED_AT).map(|instant| instant.moment);
        reading.updated_at = reading.time(Field::UPDATED_AT).map(Instant::epoch_millis);
        reading.duration = reading.read_duration();
        reading.ringing = reading.seconds(Field::RINGING);
        reading.direction = reading.values[Field::DIRECTION.index()].as_ref().map(normal_direction);
        reading.from_number = reading.text(Field::FROM).map_or(Ok(None), read_number);
        reading.to_number = reading.text(Field::TO).map_or(Ok(None), read_number);
        reading
    }

    /// A value as it stands, without outer white space; `None` where nothing is given.
    pub(super) fn text(&self, field: Field) -> Option<&str> {
        self.values[field.index()].as_deref()
    }

    /// What the records of its call share, and whether it is implied: a row that names no group is found by its own id.
    pub(super) fn group(&self) -> Option<(&str, bool)> {
        if !self.mapping.joins_records() {
            return None;
        }
        let named = self.text(Field::GROUP).map(|group| (group, false));
        named.or_else(|| Some((self.text(Field::ID)?, true)))
    }

    /// Notes what is wrong with the value of a field.
    pub(super) fn refuse(&mut self, kind: FaultKind, field: Field, reason: impl Into<String>) {
        let column = self.mapping.label(field);
        let value = self.text(field).unwrap_or_default().to_owned();
        self.faults.push(Fault::of_value(kind, column, &value, reason));
    }

    /// Whether a fault of this field is noted already.
    pub(super) fn failed(&self, field: Field) -> bool {
        let column = self.mapping.label(field);
        self.faults.iter().any(|fault| fault.column.as_ref() == Some(&column))
    }

    /// Words that mean that nothing is given.
    pub(super) fn nothing(&self) -> &'r Arc<Nothing> {
        self.mapping.nothing()
    }

    /// What is set of how rows are read.
    pub(super) fn settings(&self) -> &'r MappingSettings {
        self.mapping.settings()
    }

    /// Whether earlier runs have settled whose `number` is.
    pub(super) fn is_settled(&self, number: &str) -> bool {
        self.mapping.is_settled(number)
    }

    /// Whether `number` is one of the company's own.
    pub(super) fn is_own_number(&self, number: &str) -> bool {
        self.mapping.is_own_number(number)
    }

    /// Notes what was left out or changed.
    pub(super) fn warn(&mut self, reason: impl Into<String>) {
        self.warnings.push(Warning { reason: reason.into() });
    }

    /// A positive whole number.
    pub(super) fn positive(&mut self, kind: FaultKind, field: Field) -> Option<u64> {
        let text = self.text(field)?;
        // A spreadsheet writes 456 as 456.0.
        let digits = text.strip_suffix(".0").unwrap_or(text);
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        // The service's own ids and its JSON are whole numbers of 63 bits.
        let number = number.filter(|number: &u64| *number > 0 && i64::try_from(*number).is_ok());
        if number.is_none() {
            self.refuse(kind, field, "is not an id of Help Scout: a positive whole number is needed");
        }
        number
    }

    fn time(&mut self, field: Field) -> Option<Instant> {
        match parse_time(self.text(field)?, self.zone, self.mapping.settings().forms) {
            Ok(instant) => Some(instant),
            // That the row's own zone cannot be read is told already.
            Err(TimeFault::NoZone) if self.failed(Field::TIME_ZONE) => None,
            Err(fault) => {
                self.refuse(FaultKind::Time, field, fault.to_string());
                None
            }
        }
    }

    /// The zone that the row names, else the one that is set.
    fn read_zone(&mut self) -> Option<Zone> {
        let Some(name) = self.text(Field::TIME_ZONE) else { return self.mapping.settings().time_zone };
        Zone::parse(name)
            .map_err(|fault| self.refuse(FaultKind::Time, Field::TIME_ZONE, fault.to_string()))
            .ok()
    }

    fn seconds(&mut self, field: Field) -> Option<u64> {
        match parse_duration(self.text(field)?, self.mapping.settings().forms) {
            Ok(seconds) => Some(seconds),
            Err(fault) => {
                self.refuse(FaultKind::Value, field, fault.to_string());
                None
            }
        }
    }

    /// As given, else the time between start and end.
    fn read_duration(&mut self) -> Option<u64> {
        if self.text(Field::DURATION).is_some() {
            return self.seconds(Field::DURATION);
        }
        let seconds = self.ended_at?.epoch_seconds() - self.started_at?.epoch_seconds();
        if seconds < 0 {
            self.refuse(FaultKind::Time, Field::ENDED_AT, "lies before the start of the call");
        } else if seconds > LONGEST.cast_signed() {
            self.refuse(FaultKind::Time, Field::ENDED_AT, "lies decades after the start of the call");
        }
        u64::try_from(seconds).ok()
    }
}

/// As a person reads it in the text of the call.
fn plain_number(value: Cow<'_, str>) -> Cow<'_, str> {
    match value {
        Cow::Borrowed(text) => Cow::Borrowed(out_of_spreadsheet(text)),
        Cow::Owned(text) if out_of_spreadsheet(&text) == text => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(out_of_spreadsheet(&text).to_owned()),
    }
}

fn normal_direction<'r>(word: &Cow<'r, str>) -> Cow<'r, str> {
    plain_direction(word).map_or_else(|| word.clone(), Cow::Borrowed)
}

/// What a word of our own for a direction means.
pub(super) fn plain_direction(word: &str) -> Option<&'static str> {
    let is = |words: [&str; 3]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is(["inbound", "incoming", "in"]) {
        Some("inbound")
    } else if is(["outbound", "outgoing", "out"]) {
        Some("outbound")
    } else {
        None
    }
}
