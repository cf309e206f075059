//! How values are read that do not say it themselves.

use std::{cmp::Ordering, collections::BTreeMap};

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

/// A country is for numbers as they are dialled there; numbers that begin with the country code need none. Of the two the
/// one that is said more strongly counts: a user's country replaces what a preset says of its numbers.
fn numbers(checker: &mut Checker) -> NumberForm {
    const COUNTRY: &str = "customer.country";
    const NUMBERS: &str = "source.numbers";
    let country = checker.text(COUNTRY).and_then(|code| match Country::parse(&code) {
        Ok(country) => Some(country),
        Err(unknown) => {
            checker.fault(COUNTRY, unknown.to_string());
            None
        }
    });
    let is_international = checker.word(NUMBERS) == "international";
    match country {
        Some(country) if !is_international => NumberForm::National(country),
        None if !is_international => NumberForm::AsWritten,
        None => NumberForm::International,
        Some(country) => match checker.strength(COUNTRY).cmp(&checker.strength(NUMBERS)) {
            Ordering::Greater => NumberForm::National(country),
            Ordering::Less => NumberForm::International,
            Ordering::Equal => {
                let reason = "contradicts `source.numbers`, by which numbers without a plus begin with the country code: leave one of the two out";
                checker.fault(COUNTRY, reason);
                NumberForm::AsWritten
            }
        },
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        call::Moment,
        config::{ConfigFile, Overrides, Settings},
    };

    fn numbers(file: &str, set: &[&str]) -> Result<NumberForm, String> {
        let file = ConfigFile::parse(Path::new("callport.toml"), file).unwrap();
        let overrides =
            Overrides { set: set.iter().map(ToString::to_string).collect(), ..Overrides::default() };
        let now = Moment::from_epoch_seconds(0).unwrap();
        let settings = Settings::check(Some(&file), &overrides, now).map_err(|error| error.to_string())?;
        Ok(settings.mapping.forms.numbers)
    }

    #[test]
    fn the_stronger_of_country_and_numbers_counts() {
        let germany = Ok(NumberForm::National(Country::parse("DE").unwrap()));
        let international = Ok(NumberForm::International);
        let aircall = "[source]\npreset = 'aircall'\n";
        assert_eq!(numbers(aircall, &[]), international);
        assert_eq!(numbers(&format!("{aircall}[customer]\ncountry = 'DE'\n"), &[]), germany);
        assert_eq!(numbers(aircall, &["customer.country=DE"]), germany);
        let five9 = "[source]\npreset = 'five9'\n";
        assert_eq!(numbers(five9, &["customer.country=DE"]), germany);
        assert_eq!(numbers(&format!("{five9}numbers = 'international'\n"), &[]), international);
        let both = "[source]\nnumbers = 'international'\n[customer]\ncountry = 'DE'\n";
        assert_eq!(
            numbers(both, &[]).unwrap_err(),
            "callport.toml:4: `customer.country` contradicts `source.numbers`, by which numbers without a plus begin with \
             the country code: leave one of the two out"
        );
        assert_eq!(numbers(both, &["customer.country=DE"]), germany);
    }
}
