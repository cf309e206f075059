//! How values are read that do not say it themselves.

use std::collections::BTreeMap;

use super::{check::Checker, key, value::Value};
use crate::mapping::{Country, DateOrder, DurationUnit, EpochUnit, Forms, NumberForm, ShortClock};

/// Words that mean that nothing is given, where no others are named.
pub(super) const NOTHING: [&str; 3] = ["[None]", "-", "N/A"];

pub(super) fn forms(checker: &mut Checker) -> Forms {
    Forms {
        epoch: match checker.word("source.epoch") {
            "ms" => EpochUnit::Milliseconds,
            "us" => EpochUnit::Microseconds,
            "days" => EpochUnit::Days,
            _ => EpochUnit::Seconds,
        },
        date_order: match checker.word("source.date_order") {
            "month_first" => Some(DateOrder::MonthFirst),
            "day_first" => Some(DateOrder::DayFirst),
            _ => None,
        },
        duration: match checker.word("source.duration_unit") {
            "ms" => DurationUnit::Milliseconds,
            "min" => DurationUnit::Minutes,
            "days" => DurationUnit::Days,
            _ => DurationUnit::Seconds,
        },
        short_clock: match checker.word("source.short_clock") {
            "mm:ss" => Some(ShortClock::MinutesSeconds),
            "hh:mm" => Some(ShortClock::HoursMinutes),
            _ => None,
        },
        numbers: numbers(checker),
    }
}

/// A country is for numbers as they are dialled there; numbers that begin with the country code need none.
fn numbers(checker: &mut Checker) -> NumberForm {
    const KEY: &str = "customer.country";
    let country = checker.text(KEY).and_then(|code| match Country::parse(&code) {
        Ok(country) => Some(country),
        Err(unknown) => {
            checker.fault(KEY, unknown.to_string());
            None
        }
    });
    match (checker.word("source.numbers"), country) {
        ("international", _) => NumberForm::International,
        (_, Some(country)) => NumberForm::National(country),
        (_, None) => NumberForm::AsWritten,
    }
}

pub(super) fn nothing(checker: &Checker) -> Vec<String> {
    match checker.value("source.nothing") {
        Some(Value::Texts(words)) => words.clone(),
        _ => NOTHING.map(str::to_owned).into(),
    }
}

pub(super) fn own_numbers(checker: &Checker) -> Vec<String> {
    match checker.value("source.own_numbers") {
        Some(Value::Texts(numbers)) => numbers.clone(),
        _ => Vec::new(),
    }
}

/// What the values of fields become, by the dotted names of the fields.
pub(super) fn values(checker: &Checker) -> BTreeMap<String, BTreeMap<String, String>> {
    let tables =
        key::CALL_FIELDS.iter().filter_map(|field| match checker.value(&format!("values.{field}")) {
            Some(Value::Names(entries)) => Some((format!("call.{field}"), entries.iter().cloned().collect())),
            _ => None,
        });
    tables.collect()
}
