//! Every key that a configuration may hold, as one table.
//!
//! The table is the only place that knows a key's name and kind: the file, `--set` and the advice on a mistyped key all
//! read it. The optional fields of a customer are those of [`crate::call::FIELD_RULES`].

use std::{fmt, sync::LazyLock};

use crate::call::FIELD_RULES;

/// What a key's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number, not negative.
    Integer,
    /// A number, or a text that stands for numbers over a day.
    NumberOrText,
    /// `true` or `false`.
    Truth,
    /// A list of texts.
    Texts,
    /// An inbox or customer: an id, or a text.
    Name,
    /// A table of names.
    Names,
    /// A column, a template, or a list of these.
    Feed,
    /// A table of texts.
    Map,
    /// A span of time such as `"30s"`.
    Duration,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a text"),
            Self::Integer => f.write_str("a whole number from 0"),
            Self::NumberOrText => f.write_str("a number or a text"),
            Self::Truth => f.write_str("`true` or `false`"),
            Self::Texts => f.write_str("a list of texts"),
            Self::Name => f.write_str("an id or a text"),
            Self::Names => f.write_str("a table of ids or texts"),
            Self::Feed => f.write_str("a column, a template, or a list of these"),
            Self::Map => f.write_str("a table of texts"),
            Self::Duration => f.write_str("a span of time such as `\"30s\"`, `\"15m\"` or `\"1h\"`"),
            Self::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                write!(f, "one of {}", words.join(", "))
            }
        }
    }
}

/// A key and its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The dotted name.
    pub name: String,
    /// What its value must be.
    pub kind: Kind,
}

/// The parts of a call that a column or a template may feed.
pub(super) const CALL_FIELDS: &[&str] = &[
    "id",
    "started_at",
    "ended_at",
    "duration",
    "direction",
    "status",
    "agent",
    "line",
    "from",
    "to",
    "recording",
    "notes",
    "tags",
    "updated_at",
    "ringing",
    "ticket",
    "time_zone",
    "group",
    "clock",
];

/// What says how files are read as rows.
pub(super) const READING: &[&str] = &[
    "source.format",
    "source.encoding",
    "source.delimiter",
    "source.skip_lines",
    "source.skip_last",
    "source.header",
    "source.columns",
    "source.columns_at_least",
    "source.records",
    "source.fill_down",
];

const OTHER_KEYS: &[(&str, Kind)] = &[
    ("source.name", Kind::Text),
    ("source.files", Kind::Texts),
    ("source.preset", Kind::Text),
    ("source.format", Kind::OneOf(&["csv", "jsonl", "json"])),
    ("source.encoding", Kind::Text),
    ("source.delimiter", Kind::Text),
    ("source.skip_lines", Kind::Integer),
    ("source.skip_last", Kind::Integer),
    ("source.header", Kind::Truth),
    ("source.columns", Kind::Texts),
    ("source.columns_at_least", Kind::Integer),
    ("source.records", Kind::Text),
    ("source.fill_down", Kind::Texts),
    ("source.time_zone", Kind::Text),
    ("source.nothing", Kind::Texts),
    ("source.epoch", Kind::OneOf(&["s", "ms", "us", "days"])),
    ("source.date_order", Kind::OneOf(&["month_first", "day_first"])),
    ("source.duration_unit", Kind::OneOf(&["s", "ms", "min", "days"])),
    ("source.short_clock", Kind::OneOf(&["mm:ss", "hh:mm"])),
    ("source.numbers", Kind::OneOf(&["international"])),
    ("source.own_numbers", Kind::Texts),
    ("source.skip", Kind::Text),
    ("source.exclude", Kind::Text),
    ("customer.id", Kind::Feed),
    ("customer.email", Kind::Feed),
    ("customer.phone", Kind::Feed),
    ("customer.country", Kind::Text),
    ("customer.directory", Kind::Text),
    ("customer.unknown", Kind::OneOf(&["create", "reject"])),
    ("customer.ambiguous", Kind::OneOf(&["reject", "first"])),
    ("customer.hidden", Kind::Name),
    ("agents.directory", Kind::Text),
    ("agents.unknown", Kind::OneOf(&["warn", "reject"])),
    ("conversation.id", Kind::Feed),
    ("conversation.group_by", Kind::Text),
    ("conversation.subject", Kind::Text),
    ("conversation.inbox", Kind::Name),
    ("conversation.inbox_by", Kind::Text),
    ("conversation.inbox_otherwise", Kind::Name),
    ("conversation.inboxes", Kind::Names),
    ("conversation.status", Kind::OneOf(&["closed", "active", "pending"])),
    ("conversation.tags", Kind::Texts),
    ("conversation.import_tag", Kind::Text),
    ("conversation.assign_to", Kind::Text),
    ("conversation.pack", Kind::Truth),
    ("conversation.when_appending", Kind::OneOf(&["fill", "cheap"])),
    ("conversation.when_full", Kind::OneOf(&["continue", "reject"])),
    ("conversation.when_locked", Kind::OneOf(&["continue", "reject"])),
    ("conversation.when_missing", Kind::OneOf(&["reject", "new"])),
    ("text.template", Kind::Text),
    ("text.recording_caution", Kind::Text),
    ("limits.share", Kind::NumberOrText),
    ("limits.settle", Kind::Duration),
    ("limits.give_up", Kind::Duration),
    ("account.share_tag", Kind::Truth),
    ("account.accept", Kind::Texts),
];

/// Every known key.
pub static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let key = |name: String, kind| Key { name, kind };
    let call = CALL_FIELDS.iter().map(|field| key(format!("call.{field}"), Kind::Feed));
    let customer = FIELD_RULES.iter().map(|rule| key(format!("customer.{}", rule.key), Kind::Feed));
    let values = CALL_FIELDS.iter().map(|field| key(format!("values.{field}"), Kind::Map));
    let other = OTHER_KEYS.iter().map(|(name, kind)| key((*name).to_owned(), *kind));
    other.chain(call).chain(customer).chain(values).collect()
});

/// The known key called `name`.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The table of which `name` is an entry, with the entry's name.
pub(super) fn table_with(name: &str) -> Option<(&'static Key, &str)> {
    let tables = KEYS.iter().filter(|key| matches!(key.kind, Kind::Names | Kind::Map));
    tables.into_iter().find_map(|key| Some((key, name.strip_prefix(key.name.as_str())?.strip_prefix('.')?)))
}

/// Whether `name` is a table of the configuration, such as `conversation`.
pub(super) fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.split_once('.').is_some_and(|(section, _)| section == name))
}

/// Whether `key` says which column or template feeds a field.
pub(super) fn feeds_field(name: &str) -> bool {
    let settings = [
        "customer.unknown",
        "customer.hidden",
        "customer.country",
        "customer.directory",
        "customer.ambiguous",
    ];
    name == "conversation.id"
        || name.starts_with("call.")
        || (name.starts_with("customer.") && !settings.contains(&name))
}

/// The key within its section.
pub(super) fn last(dotted: &str) -> &str {
    dotted.split_once('.').map_or(dotted, |(_, key)| key)
}

/// What is to be put in place of the mark that stands for a value which `callport init` could not know.
pub(super) fn wanted(name: &str) -> String {
    match name {
        "source.time_zone" => {
            "the zone of the export's times, by its IANA name, such as `America/New_York` or `UTC` (or `--time-zone`)".to_owned()
        }
        "conversation.inbox" => "the id or the name of the inbox that the calls go to".to_owned(),
        "customer.unknown" => {
            "`create` (a customer is made for a number that Help Scout does not know) or `reject` (its calls are rejected)"
                .to_owned()
        }
        "conversation.inboxes" => "the id or the name of an inbox".to_owned(),
        _ if name.starts_with("values.") => "what the value becomes, or `\"\"` for nothing".to_owned(),
        _ => find(name).map_or_else(String::new, |key| key.kind.to_string()),
    }
}

/// The known key that a person most likely meant: one with the same last part, else the one with the fewest letters
/// changed.
pub(super) fn nearest(unknown: &str) -> &'static str {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let unknown_last = last(unknown);
    KEYS.iter()
        .min_by_key(|key| {
            let same_last = last(&key.name) == unknown_last;
            (!same_last, strsim::damerau_levenshtein(unknown, &key.name))
        })
        .map_or("", |key| key.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_listed_twice() {
        let mut names: Vec<&str> = KEYS.iter().map(|key| key.name.as_str()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_mistyped_key_finds_its_like() {
        for (typed, meant) in [
            ("call.startd_at", "call.started_at"),
            ("calls.id", "call.id"),
            ("conversation.share", "limits.share"),
            ("share", "limits.share"),
            ("customer.firstname", "customer.first_name"),
            ("source.timezone", "source.time_zone"),
            ("conversation.inbox_per", "conversation.inbox_by"),
        ] {
            assert_eq!(nearest(typed), meant, "{typed}");
        }
    }

    #[test]
    fn what_feeds_a_field_is_told_from_settings() {
        for name in ["call.id", "customer.email", "customer.job_title", "conversation.id"] {
            assert!(feeds_field(name), "{name}");
        }
        for name in [
            "customer.unknown",
            "customer.hidden",
            "conversation.inbox",
            "source.name",
            "agents.directory",
            "agents.unknown",
        ] {
            assert!(!feeds_field(name), "{name}");
        }
    }
}
