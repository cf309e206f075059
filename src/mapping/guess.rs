//! Which column feeds which field, guessed from headings and values: for `init`, which writes it down for a person to look
//! over. Nothing else guesses.

use super::{
    columns::{Column, Looks},
    duration_form::{DurationFault, parse_duration},
    forms::{EpochUnit, Forms},
    guess_words::{GuessedWords, answers, directions},
    time_form::{TimeFault, parse_time},
    wanted::{WANTED, Wanted},
};
use crate::call::Zone;

/// How likely a guess is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likelihood {
    /// The values look like it, and no other column's do; the heading says nothing.
    Low,
    /// The heading has a word of it, and the values fit.
    Fair,
    /// The heading says it, and the values fit.
    High,
}

impl Likelihood {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Fair => "fair",
            Self::High => "high",
        }
    }
}

/// A field with what feeds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuessedField {
    /// The dotted name.
    pub field: &'static str,
    /// A column, or a template over two.
    pub source: String,
    /// How likely.
    pub likelihood: Likelihood,
    /// Why, as a lower-case fragment.
    pub why: String,
}

/// A setting that the values ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuessedSetting {
    /// The dotted name.
    pub key: &'static str,
    /// The value; `None` where it cannot be told and a person must say it.
    pub value: Option<String>,
    /// Why, as a lower-case fragment.
    pub why: String,
}

/// A guess at a whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guess {
    /// What feeds the fields, in the order in which a person reads them.
    pub fields: Vec<GuessedField>,
    /// How values are read.
    pub settings: Vec<GuessedSetting>,
    /// What the words of columns seem to mean.
    pub words: Vec<GuessedWords>,
    /// Those of them that hold phone numbers: which is the customer's a person must say.
    pub numbers: Vec<String>,
    /// Columns that feed nothing.
    pub unused: Vec<String>,
}

/// Guesses how a file of `columns` is read.
pub fn guess(columns: &[Column]) -> Guess {
    let mut taken = vec![false; columns.len()];
    let mut guess = Guess::default();
    for wanted in WANTED {
        let found = best(wanted, columns, &taken);
        if let Some((index, likelihood, why)) = found {
            taken[index] = true;
            let source = columns[index].name.clone();
            guess.fields.push(GuessedField { field: wanted.field, source, likelihood, why });
        } else if wanted.field == "call.started_at"
            && let Some((date, time)) = date_and_time(columns)
        {
            (taken[date], taken[time]) = (true, true);
            let source =
                format!("{{{{ row[{:?}] }}}} {{{{ row[{:?}] }}}}", columns[date].name, columns[time].name);
            let why = "one column holds dates, the other times of day".to_owned();
            guess.fields.push(GuessedField {
                field: wanted.field,
                source,
                likelihood: Likelihood::Fair,
                why,
            });
        }
    }
    for (field, looks) in [("call.duration", Looks::Duration), ("customer.phone", Looks::Number)] {
        let has = |names: &[&str]| guess.fields.iter().any(|guessed| names.contains(&guessed.field));
        if has(&[field]) || (field == "customer.phone" && has(&["call.from", "call.to", "customer.email"])) {
            continue;
        }
        if let Some(index) = only_by_values(looks, columns, &taken) {
            taken[index] = true;
            let why = format!("no other column is like it: {}", columns[index].why(looks));
            let source = columns[index].name.clone();
            guess.fields.push(GuessedField { field, source, likelihood: Likelihood::Low, why });
        }
    }
    let column = |field: &str| {
        let found = guess.fields.iter().find(|guessed| guessed.field == field)?;
        columns.iter().find(|column| column.name == found.source)
    };
    let start = match column("call.started_at") {
        Some(column) => column.values.clone(),
        None => joined(columns, date_and_time(columns)),
    };
    let mut settings = time_settings(&start);
    settings.extend(column("call.duration").map(duration_settings).unwrap_or_default());
    let words = column("call.direction").and_then(directions).into_iter();
    let words = words.chain(column("call.status").and_then(answers)).collect();
    guess.settings = settings;
    guess.words = words;
    let unused = || columns.iter().enumerate().filter(|(index, _)| !taken[*index]).map(|(_, column)| column);
    guess.numbers =
        unused().filter(|column| column.holds_numbers()).map(|column| column.name.clone()).collect();
    guess.unused = unused().map(|column| column.name.clone()).collect();
    guess
}

fn best(wanted: &Wanted, columns: &[Column], taken: &[bool]) -> Option<(usize, Likelihood, String)> {
    let free = || columns.iter().enumerate().filter(|(index, _)| !taken[*index]);
    let fitting = || free().filter(|(_, column)| column.looks_like(wanted.looks));
    for name in wanted.names {
        if let Some((index, column)) = fitting().find(|(_, column)| column.words() == *name) {
            let is_open = wanted.looks == Looks::Id && column.has_few_values();
            let likelihood = if is_open { Likelihood::Fair } else { Likelihood::High };
            return Some((index, likelihood, column.why(wanted.looks)));
        }
    }
    if wanted.least <= Likelihood::Fair {
        for name in wanted.names {
            if let Some((index, column)) = fitting().find(|(_, column)| column.has_words(name)) {
                let why = format!("the heading has `{name}` in it, and {}", column.why(wanted.looks));
                return Some((index, Likelihood::Fair, why));
            }
        }
    }
    (wanted.least == Likelihood::Low).then_some(())?;
    let index = only_by_values(wanted.looks, columns, taken)?;
    let why = columns[index].why(wanted.looks);
    Some((index, Likelihood::Low, format!("no other column is like it: {why}")))
}

/// The only column whose values alone tell what they are.
fn only_by_values(looks: Looks, columns: &[Column], taken: &[bool]) -> Option<usize> {
    let fits = |(index, column): &(usize, &Column)| {
        !taken[*index] && column.looks_like(looks) && column.tells_by_values(looks)
    };
    let mut fitting = columns.iter().enumerate().filter(fits);
    let (index, _) = fitting.next()?;
    // Numbers without a mark tell less by themselves, and may yet be the ones that are meant.
    let may_be = |(other, column): (usize, &Column)| {
        looks == Looks::Number && other != index && !taken[other] && column.holds_numbers()
    };
    let is_only = fitting.next().is_none() && !columns.iter().enumerate().any(may_be);
    is_only.then_some(index)
}

/// The columns of dates and of times of day, where the start stands in two.
fn date_and_time(columns: &[Column]) -> Option<(usize, usize)> {
    let date = columns.iter().position(|column| column.looks_like(Looks::Date))?;
    let time = columns.iter().position(|column| column.looks_like(Looks::TimeOfDay))?;
    Some((date, time))
}

fn joined(columns: &[Column], pair: Option<(usize, usize)>) -> Vec<String> {
    let Some((date, time)) = pair else { return Vec::new() };
    let pairs = columns[date].values.iter().zip(&columns[time].values);
    pairs.map(|(date, time)| format!("{date} {time}")).collect()
}

/// What the times of the start ask for.
fn time_settings(values: &[String]) -> Vec<GuessedSetting> {
    let faults: Vec<Option<TimeFault>> =
        values.iter().map(|value| parse_time(value, None, Forms::default()).err()).collect();
    let mut settings = Vec::new();
    let unit = faults.iter().flatten().find_map(|fault| match fault {
        TimeFault::Unit(unit, word) => Some((*unit, *word)),
        _ => None,
    });
    if let Some((unit, word)) = unit {
        let why = format!("the start is written in {unit} since 1970");
        settings.push(GuessedSetting { key: "source.epoch", value: Some(word.to_owned()), why });
    }
    settings.extend(date_order(values, faults.iter().flatten().any(|fault| *fault == TimeFault::DateOrder)));
    if faults.iter().flatten().any(|fault| matches!(fault, TimeFault::NoZone | TimeFault::DateOrder)) {
        let why =
            "the times have no offset from UTC, and the file does not say on which clock they are".to_owned();
        settings.push(GuessedSetting { key: "source.time_zone", value: None, why });
    }
    settings
}

/// The order of day and month, from the rows that leave no choice; asked for where they do not agree or there are none.
fn date_order(values: &[String], is_open: bool) -> Option<GuessedSetting> {
    use super::forms::DateOrder;
    if !is_open {
        return None;
    }
    let by = |order| {
        let forms = Forms { date_order: Some(order), epoch: EpochUnit::Seconds, ..Forms::default() };
        // A year of two digits may stand first, so that such a date leaves a choice by whatever order.
        let tells = |value: &&String| parse_time(value, Some(Zone::UTC), Forms::default()).is_ok();
        let fits = |value: &&String| {
            !matches!(parse_time(value, Some(Zone::UTC), forms), Err(TimeFault::NotInOrder(_)))
        };
        values.iter().filter(tells).find(|value| !fits(value))
    };
    let key = "source.date_order";
    Some(match (by(DateOrder::MonthFirst), by(DateOrder::DayFirst)) {
        (None, Some(value)) => GuessedSetting {
            key,
            value: Some("month_first".to_owned()),
            why: format!("`{value}` can only have the month first"),
        },
        (Some(value), None) => GuessedSetting {
            key,
            value: Some("day_first".to_owned()),
            why: format!("`{value}` can only have the day first"),
        },
        (None, None) => GuessedSetting {
            key,
            value: None,
            why: "no date that was looked at tells the month from the day".to_owned(),
        },
        (Some(one), Some(other)) => GuessedSetting {
            key,
            value: None,
            why: format!("`{one}` has the day first and `{other}` the month: the file mixes two forms"),
        },
    })
}

/// What the durations ask for.
fn duration_settings(column: &Column) -> Vec<GuessedSetting> {
    let is_ambiguous =
        |value: &String| parse_duration(value, Forms::default()) == Err(DurationFault::Ambiguous);
    if let Some(value) = column.values.iter().find(|value| is_ambiguous(value)) {
        let why = format!("`{value}` may be minutes and seconds, or hours and minutes");
        return vec![GuessedSetting { key: "source.short_clock", value: None, why }];
    }
    let key = "source.duration_unit";
    let words = column.words();
    let has = |names: &[&str]| words.split(' ').any(|word| names.contains(&word));
    if has(&["ms", "msec", "millis", "milliseconds"]) {
        let why = format!("the heading `{}` says so", column.name);
        return vec![GuessedSetting { key, value: Some("ms".to_owned()), why }];
    }
    if has(&["min", "mins", "minutes"]) {
        let why = format!("the heading `{}` says so", column.name);
        return vec![GuessedSetting { key, value: Some("min".to_owned()), why }];
    }
    let fraction = column.values.iter().find(|value| !value.contains(':') && value.contains('.'));
    match fraction {
        Some(value) if !has(&["s", "sec", "secs", "seconds"]) => {
            let why = format!("`{value}` may be seconds, minutes, or a spreadsheet's part of a day");
            vec![GuessedSetting { key, value: None, why }]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str], rows: &[&[&str]]) -> Vec<Column> {
        let values = |index: usize| {
            rows.iter().map(|row| row[index].to_owned()).filter(|cell| !cell.is_empty()).collect()
        };
        names.iter().enumerate().map(|(index, name)| Column::new(*name, values(index))).collect()
    }

    fn shown(guess: &Guess) -> Vec<String> {
        let field = |guessed: &GuessedField| {
            format!("{} = {} ({})", guessed.field, guessed.source, guessed.likelihood.word())
        };
        guess.fields.iter().map(field).collect()
    }

    #[test]
    fn columns_are_found_by_their_headings_and_values() {
        let found = guess(&columns(
            &[
                "Reference",
                "Call Start (local)",
                "Way",
                "Caller No.",
                "Dialled",
                "Talk Time",
                "Agent Name",
                "Remarks",
            ],
            &[
                &[
                    "a1",
                    "2026-03-30 14:05:09",
                    "Incoming",
                    "+1 555 0100",
                    "+1 555 0199",
                    "61",
                    "Ada",
                    "hello",
                ],
                &["a2", "2026-03-31 09:00:00", "Outgoing", "+1 555 0199", "+1 555 0101", "0", "Bo", ""],
            ],
        ));
        assert_eq!(
            shown(&found),
            [
                "call.started_at = Call Start (local) (fair)",
                "call.duration = Talk Time (high)",
                "call.direction = Way (low)",
                "call.from = Caller No. (fair)",
                "call.agent = Agent Name (high)",
            ]
        );
        assert_eq!(found.unused, ["Reference", "Dialled", "Remarks"]);
        let zone = &found.settings[0];
        assert_eq!((zone.key, &zone.value), ("source.time_zone", &None));
    }

    #[test]
    fn headings_without_spaces_have_words_too() {
        let found = guess(&columns(
            &["id", "callId", "userDisplayName", "startDateTime", "endDateTime", "callType", "callerNumber"],
            &[&["a", "1@x", "Ada", "2019-11-01T00:00:08Z", "2019-11-01T00:03:47Z", "user_in", "+15550100"]],
        ));
        assert_eq!(
            shown(&found),
            [
                "call.started_at = startDateTime (high)",
                "call.ended_at = endDateTime (high)",
                "call.direction = callType (high)",
                "call.id = callId (fair)",
                "call.from = callerNumber (high)",
                "call.agent = userDisplayName (high)",
            ]
        );
    }

    #[test]
    fn a_heading_whose_values_do_not_fit_feeds_nothing() {
        let found = guess(&columns(&["Start", "Direction"], &[&["Jo", "north"], &["Bo", "south"]]));
        assert_eq!(shown(&found), Vec::<String>::new());
    }

    #[test]
    fn date_and_time_in_two_columns_are_joined_and_the_order_is_told_by_a_row_that_leaves_no_choice() {
        let names = ["Date", "Time", "Duration", "Type"];
        let rows: [&[&str]; 2] =
            [&["03/04/2026", "4:05 PM", "3:12", "Received"], &["03/30/2026", "9:00 AM", "0:10", "Placed"]];
        let found = guess(&columns(&names, &rows));
        assert_eq!(found.fields[0].source, r#"{{ row["Date"] }} {{ row["Time"] }}"#);
        let told: Vec<(&str, Option<&str>)> =
            found.settings.iter().map(|setting| (setting.key, setting.value.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("source.date_order", Some("month_first")),
                ("source.time_zone", None),
                ("source.short_clock", None)
            ]
        );
        let words: Vec<&str> = found.words[0].words.iter().map(|found| found.word.as_str()).collect();
        assert_eq!((found.words[0].field, words), ("direction", vec!["Placed", "Received"]));
        let open = guess(&columns(&["Date Time"], &[&["03/04/2026 10:00"], &["04/05/2026 11:00"]]));
        assert_eq!((open.settings[0].key, &open.settings[0].value), ("source.date_order", &None));
        // The fourth of March 2020, or the twentieth of 2004.
        let short = guess(&columns(&["Date Time"], &[&["20-03-04 10:00"], &["21-04-05 11:00"]]));
        assert_eq!((short.settings[0].key, &short.settings[0].value), ("source.date_order", &None));
    }

    #[test]
    fn epochs_and_units_are_told() {
        let names = ["id", "started_at", "duration (min)"];
        let rows: [&[&str]; 2] = [&["1", "1774879509123", "0.5"], &["2", "1774879609123", "12"]];
        let found = guess(&columns(&names, &rows));
        let told: Vec<(&str, Option<&str>)> =
            found.settings.iter().map(|setting| (setting.key, setting.value.as_deref())).collect();
        assert_eq!(told, [("source.epoch", Some("ms")), ("source.duration_unit", Some("min"))]);
        assert_eq!(shown(&found)[2], "call.id = id (fair)");
    }

    #[test]
    fn an_id_is_told_from_its_values_only_where_there_are_enough() {
        let of = |count: usize, call_id: fn(usize) -> usize| {
            let numbers = |id: fn(usize) -> usize| (0..count).map(|row| id(row).to_string()).collect();
            let found =
                guess(&[Column::new("id", numbers(|row| row)), Column::new("call_id", numbers(call_id))]);
            let GuessedField { source, likelihood, why, .. } = found.fields[0].clone();
            (source, likelihood, why)
        };
        let (source, likelihood, why) = of(9, |row| row);
        assert_eq!((source.as_str(), likelihood), ("call_id", Likelihood::Fair));
        assert_eq!(why, "its heading says so; there are too few rows to see whether each has its own");
        let sure = "its values are different in nearly every row";
        assert_eq!(of(10, |row| row), ("call_id".into(), Likelihood::High, sure.into()));
        assert_eq!(
            of(10, |row| row / 2),
            ("id".into(), Likelihood::High, sure.into()),
            "its legs share a call id"
        );
    }
}
