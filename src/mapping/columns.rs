//! What the values of a column look like.

use std::collections::HashSet;

use super::{
    duration_form::{DurationFault, parse_duration},
    email::check_email,
    forms::{DateOrder, EpochUnit, Forms},
    guess_words::direction_of,
    number::{HIDDEN, NumberFault, read_number},
    time_form::{TimeFault, parse_time},
};
use crate::call::Zone;

/// Values from which it can be told that they differ in nearly every row.
const ENOUGH: usize = 10;

/// A column with the values that are given in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The heading, or in JSON the path.
    pub name: String,
    /// Without blank ones.
    pub values: Vec<String>,
}

/// What values may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    Time,
    Date,
    TimeOfDay,
    Duration,
    Direction,
    Number,
    Email,
    Link,
    Id,
    Text,
}

impl Column {
    /// A column called `name`.
    pub fn new(name: impl Into<String>, values: Vec<String>) -> Self {
        Self { name: name.into(), values }
    }

    /// The heading's words, in lower case, with a space between.
    pub(super) fn words(&self) -> String {
        let mut words = String::with_capacity(self.name.len() + 4);
        let mut was_small = false;
        for letter in self.name.chars() {
            // `startDateTime` is three words.
            if was_small && letter.is_uppercase() {
                words.push(' ');
            }
            was_small = letter.is_lowercase();
            if letter.is_alphanumeric() {
                words.extend(letter.to_lowercase());
            } else {
                words.push(' ');
            }
        }
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether the heading has all words of `name`, one after another.
    pub(super) fn has_words(&self, name: &str) -> bool {
        format!(" {} ", self.words()).contains(&format!(" {name} "))
    }

    /// Whether nearly all values look so. A column without values looks like nothing.
    pub(super) fn looks_like(&self, looks: Looks) -> bool {
        if self.values.is_empty() {
            return false;
        }
        if looks == Looks::Id {
            return self.is_distinct();
        }
        let fitting = self.values.iter().filter(|value| fits(value, looks)).count();
        // A few bad cells are their rows' fault, not the column's.
        fitting * 10 >= self.values.len() * 8
    }

    /// Whether values alone tell it: bare numbers may be anything.
    pub(super) fn tells_by_values(&self, looks: Looks) -> bool {
        let is_bare = |value: &String| value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        looks != Looks::Text && !self.values.iter().all(is_bare)
    }

    /// Whether nearly all values can only be phone numbers: they are too long for anything else.
    pub(super) fn holds_numbers(&self) -> bool {
        const LEAST_DIGITS: usize = 7;
        let is_long = |value: &&String| value.bytes().filter(u8::is_ascii_digit).count() >= LEAST_DIGITS;
        let long = self.values.iter().filter(is_long).count();
        self.looks_like(Looks::Number)
            && long * 10 >= self.values.len() * 8
            && !self.looks_like(Looks::Time)
            && !self.looks_like(Looks::Date)
    }

    /// Whether there are too few values to see that each row has its own.
    pub(super) fn has_few_values(&self) -> bool {
        self.values.len() < ENOUGH
    }

    /// What speaks for its being so, for a person.
    pub(super) fn why(&self, looks: Looks) -> String {
        match looks {
            Looks::Id if self.has_few_values() => {
                "its heading says so; there are too few rows to see whether each has its own".to_owned()
            }
            _ => looks.why(),
        }
    }

    fn is_distinct(&self) -> bool {
        let distinct: HashSet<&String> = self.values.iter().collect();
        distinct.len() * 10 >= self.values.len() * 8
    }
}

impl Looks {
    /// What the values are like, for a person.
    fn why(self) -> String {
        let what = match self {
            Self::Time | Self::Date | Self::TimeOfDay => "times",
            Self::Duration => "durations",
            Self::Direction => "directions",
            Self::Number => "phone numbers",
            Self::Email => "e-mail addresses",
            Self::Link => "links",
            Self::Id => "different in nearly every row",
            Self::Text => return "its heading says so".to_owned(),
        };
        format!("its values are {what}")
    }
}

pub(super) fn fits(value: &str, looks: Looks) -> bool {
    match looks {
        Looks::Time => is_time(value),
        Looks::Date => read_time(value) == Err(TimeFault::DateAlone),
        Looks::TimeOfDay => {
            read_time(&format!("2026-01-02 {value}")).is_ok() && !value.starts_with(['+', '-', 'Z'])
        }
        Looks::Duration => {
            matches!(parse_duration(value, Forms::default()), Ok(_) | Err(DurationFault::Ambiguous))
        }
        Looks::Direction => direction_of(value).is_some(),
        Looks::Number => is_number(value) || is_hidden(value),
        Looks::Email => check_email(value).is_ok(),
        Looks::Link => value.contains("://"),
        Looks::Id | Looks::Text => true,
    }
}

/// Also one that only its own row must mend.
fn is_number(value: &str) -> bool {
    matches!(read_number(value), Ok(Some(_)) | Err(NumberFault::Several | NumberFault::Shortened))
}

fn read_time(value: &str) -> Result<(), TimeFault> {
    let forms = Forms { date_order: Some(DateOrder::DayFirst), ..Forms::default() };
    match parse_time(value, Some(Zone::UTC), forms) {
        Err(TimeFault::NotInOrder(_)) => {
            let forms = Forms { date_order: Some(DateOrder::MonthFirst), ..forms };
            parse_time(value, Some(Zone::UTC), forms).map(drop)
        }
        read => read.map(drop),
    }
}

/// A bare number is one only where it lies within the years of such logs: ids and phone numbers have as many digits.
fn is_time(value: &str) -> bool {
    const YEARS: std::ops::Range<i64> = 946_684_800..1_893_456_000;
    if !value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return read_time(value).is_ok();
    }
    [EpochUnit::Seconds, EpochUnit::Milliseconds, EpochUnit::Microseconds].into_iter().any(|epoch| {
        let read = parse_time(value, Some(Zone::UTC), Forms { epoch, ..Forms::default() });
        read.is_ok_and(|instant| YEARS.contains(&instant.moment.epoch_seconds()))
    })
}

fn is_hidden(value: &str) -> bool {
    HIDDEN.iter().any(|word| value.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[&str]) -> Column {
        Column::new("Some (Heading)", values.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn values_tell_what_they_are() {
        for (looks, values) in [
            (Looks::Time, ["2026-03-30 14:05:09", "03/30/2026 2:05 PM"]),
            (Looks::Time, ["1774879509", "1774879509123"]),
            (Looks::Time, ["202603301405", "20260330140509"]),
            (Looks::Date, ["03/30/2026", "Mon 6/8/2020"]),
            (Looks::TimeOfDay, ["4:05:09 PM", "14:05"]),
            (Looks::Duration, ["61", "0:01:01"]),
            (Looks::Direction, ["Incoming Call", "outbound-api"]),
            (Looks::Number, ["(212) 555-0100", "anonymous"]),
            (Looks::Number, ["4.93E+11", "'+1 212 555 0100"]),
            (Looks::Email, ["jo@example.com", "bo@example.com"]),
            (Looks::Link, ["https://example.com/1", "https://example.com/2"]),
        ] {
            assert!(column(&values).looks_like(looks), "{looks:?}");
        }
        assert!(!column(&["2125550100", "2125550101"]).looks_like(Looks::Time), "these are phone numbers");
        assert!(!column(&[]).looks_like(Looks::Text));
        assert!(!column(&["a", "a", "a"]).looks_like(Looks::Id));
    }

    #[test]
    fn a_heading_is_its_words() {
        assert_eq!(column(&[]).words(), "some heading");
        assert!(column(&[]).has_words("heading") && !column(&[]).has_words("head"));
        let words = |name: &str| Column::new(name, Vec::new()).words();
        assert_eq!(words("startDateTime"), "start date time");
        assert_eq!(
            (words("Call ID (internal)"), words("ANI")),
            ("call id internal".to_owned(), "ani".to_owned())
        );
    }
}
