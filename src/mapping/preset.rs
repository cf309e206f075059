//! What is known of the exports of other platforms: one file of settings each, with how sure they are and how a file of
//! theirs is recognised.

use serde::Deserialize;

use super::{
    field::Field,
    time_form::{TimeFault, parse_time},
};
use crate::call::{Cells, Headings, Zone};

macro_rules! presets {
    ($($name:literal,)*) => { &[$(($name, include_str!(concat!("presets/", $name, ".toml")))),*] };
}

/// The names and texts of the presets that callport brings along, by name.
pub const PRESETS: &[(&str, &str)] = presets![
    "aircall",
    "aircall-api",
    "aircall-webhook",
    "amazon-connect",
    "asterisk",
    "asterisk-custom",
    "callrail",
    "dialpad-api",
    "dialpad-csv",
    "five9",
    "freepbx",
    "hubspot-api",
    "hubspot-csv",
    "hubspot-warehouse",
    "justcall",
    "quo",
    "quo-v1",
    "ringcentral-api",
    "ringcentral-csv",
    "ringcentral-csv-detailed",
    "talkdesk",
    "talkdesk-csv",
    "talkdesk-old",
    "twilio-api",
    "twilio-csv",
    "zendesk-talk",
    "zendesk-talk-legs",
    "zoom-phone",
    "zoom-phone-call-logs",
];

/// What a preset says of itself: its table `[preset]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetHead {
    /// One line for people.
    pub title: String,
    /// The platform.
    pub platform: String,
    /// Where its facts come from.
    pub source: String,
    /// How sure they are.
    pub confidence: Confidence,
    /// What of it is a guess or rests on a single source.
    pub guess: Option<String>,
    /// What the user must know, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Whether its times have no offset and the export does not name their zone.
    #[serde(default)]
    pub asks_zone: bool,
    /// How a file of this form is recognised; a preset of the user's own need not be.
    pub recognise: Option<Recognition>,
}

/// How sure the facts of a preset are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The vendor's own words.
    Documented,
    /// Seen in several public readers.
    Seen,
    /// A guess: to be confirmed with a real file.
    Guess,
}

impl Confidence {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Seen => "seen",
            Self::Guess => "guess",
        }
    }
}

/// How a file of a form is recognised: all of what is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recognition {
    /// Columns of a CSV file.
    pub headings: Vec<String>,
    /// Paths that stand together in one of the first records of a JSON file.
    pub keys: Vec<String>,
    /// Columns, from 1, of a file without headings whose cells are blank or times, the first never blank.
    pub times_at: Vec<usize>,
    /// From how many to how many cells a row of a file without headings has.
    pub cells: Option<[usize; 2]>,
}

/// The first of a file's rows, read as a preset says.
#[derive(Debug, Default)]
pub struct FirstRows<'r> {
    /// The headings, where it has any.
    pub headings: Option<&'r Headings>,
    /// The rows.
    pub rows: Vec<&'r Cells>,
}

impl FirstRows<'_> {
    /// Whether a column bears our own name for the start of a call, so that all such columns map by themselves.
    pub fn bears_own_names(&self) -> bool {
        let names = Field::STARTED_AT.own_names();
        let is_own = |name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name.trim()));
        match self.headings {
            Some(headings) => headings.names().iter().any(|name| is_own(name)),
            None => self.rows.iter().any(|cells| cells.leaves().iter().any(|(name, _)| is_own(name))),
        }
    }
}

impl Recognition {
    /// How much of `file` this names, which tells the closest of several forms that fit; `None` where it does not fit.
    pub fn fits(&self, file: &FirstRows<'_>) -> Option<usize> {
        let has_heading = |name: &String| file.headings.is_some_and(|headings| headings.find(name).is_some());
        let has_keys =
            |cells: &&Cells| matches!(cells, Cells::Json(_)) && self.keys.iter().all(|name| cells.has(name));
        let fits = self.headings.iter().all(has_heading)
            && (self.keys.is_empty() || file.rows.iter().any(has_keys))
            && (self.times_at.is_empty() || self.times_fit(file))
            && self.cells.is_none_or(|_| !file.rows.is_empty());
        let named = self.headings.len() + self.keys.len() + self.times_at.len();
        (fits && named > 0).then_some(named)
    }

    fn times_fit(&self, file: &FirstRows<'_>) -> bool {
        // A day that does not exist is its row's fault, not the form's.
        let is_time = |text: &str| {
            let read = parse_time(text, Some(Zone::UTC), super::Forms::default());
            read.is_ok() || read == Err(TimeFault::Impossible)
        };
        let fits = |cells: &&Cells| {
            let cell = |column: usize| cells.column(column.saturating_sub(1)).unwrap_or_default().trim();
            let pairs = cells.pairs();
            let count = pairs.iter().rposition(|(_, cell)| !cell.is_empty()).map_or(0, |last| last + 1);
            let in_bounds = self.cells.is_none_or(|[_, most]| count <= most);
            let first = self.times_at.first().is_some_and(|column| is_time(cell(*column)));
            in_bounds
                && first
                && self.times_at.iter().all(|column| cell(*column).is_empty() || is_time(cell(*column)))
        };
        !file.rows.is_empty() && file.rows.iter().all(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_fits_only_where_all_that_is_named_is_there() {
        let headings = Headings::new(vec!["Call ID".to_owned(), "From".to_owned()]);
        let file = FirstRows { headings: Some(&headings), rows: Vec::new() };
        let by = |names: &[&str]| Recognition {
            headings: names.iter().map(ToString::to_string).collect(),
            ..Recognition::default()
        };
        assert_eq!(by(&["call id", "FROM"]).fits(&file), Some(2));
        assert_eq!(by(&["call id", "to"]).fits(&file), None);
        assert_eq!(by(&[]).fits(&file), None, "a form that names nothing fits nothing");
        let json = Cells::Json(serde_json::from_str(r#"{"a":{"b":[{"c":null}]}}"#).unwrap());
        let file = FirstRows { headings: None, rows: vec![&json] };
        let keys = |names: &[&str]| Recognition {
            keys: names.iter().map(ToString::to_string).collect(),
            ..Recognition::default()
        };
        assert_eq!(keys(&["a.b.0.c", "a"]).fits(&file), Some(2));
        assert_eq!(keys(&["a.b.1.c"]).fits(&file), None);
    }
}
