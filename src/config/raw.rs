//! Values with the place that they come from, before anything is checked.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    error::ConfigFault,
    key::{self, Key, Kind},
    value::{self, Value},
};

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the configuration file.
    File(Arc<str>, usize),
    /// In a preset that callport brings along, by its name.
    Preset(Arc<str>),
    /// In a file with a preset of the user's own.
    OwnPreset(Arc<str>, usize),
    /// In a `--set`.
    Set,
    /// In an option of its own.
    Option(&'static str),
}

impl Place {
    /// What is written there replaces what is written at a weaker place.
    pub(super) fn strength(&self) -> u8 {
        match self {
            Self::Preset(_) | Self::OwnPreset(..) => 1,
            Self::File(..) => 2,
            Self::Set | Self::Option(_) => 3,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file, line) | Self::OwnPreset(file, line) => write!(f, "{file}:{line}"),
            Self::Preset(name) => write!(f, "preset `{name}`"),
            Self::Set => f.write_str("--set"),
            Self::Option(name) => f.write_str(name),
        }
    }
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raw {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// Everything that was written, the strongest voice for each key: a later [`RawSettings::put`] replaces an earlier one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RawSettings {
    values: BTreeMap<String, Raw>,
    pub(super) faults: Vec<ConfigFault>,
}

impl RawSettings {
    pub(super) fn get(&self, key: &str) -> Option<&Raw> {
        self.values.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Raw)> {
        self.values.iter().map(|(key, raw)| (key.as_str(), raw))
    }

    pub(super) fn put(&mut self, key: &str, value: Value, place: Place) {
        self.values.insert(key.to_owned(), Raw { value, place });
    }

    /// These, where both say something, and those of `base`. Tables of values are put together.
    pub(super) fn over(mut self, base: &Self) -> Self {
        for (key, under) in &base.values {
            match self.values.get_mut(key) {
                None => {
                    self.values.insert(key.clone(), under.clone());
                }
                Some(Raw { value: Value::Names(entries), .. }) if key.starts_with("values.") => {
                    let Value::Names(others) = &under.value else { continue };
                    let is_said = |name: &str, said: &[(String, String)]| {
                        said.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
                    };
                    let more: Vec<_> =
                        others.iter().filter(|(name, _)| !is_said(name, entries)).cloned().collect();
                    entries.extend(more);
                }
                Some(_) => {}
            }
        }
        self
    }

    pub(super) fn fault(&mut self, key: &str, place: impl fmt::Display, reason: impl Into<String>) {
        self.faults.push(ConfigFault::new(key, place, reason));
    }

    /// Takes a `KEY=VALUE` of `--set`.
    pub(super) fn set(&mut self, text: &str) {
        let Some((name, typed)) = split(text) else {
            self.fault(
                "",
                Place::Set,
                format!("`{text}` has no `=`: KEY=VALUE, e.g. `conversation.inbox=85`"),
            );
            return;
        };
        let name = name.trim();
        if let Some((table, entry)) = key::table_with(name) {
            self.set_entry(table, entry.trim_matches('"'), typed);
            return;
        }
        match key::find(name) {
            None => self.unknown(name, &Place::Set),
            Some(key) => match value::fit_typed(key.kind, typed) {
                Ok(value) => self.put(name, value, Place::Set),
                Err(wrong) => self.fault(name, Place::Set, wrong.to_string()),
            },
        }
    }

    pub(super) fn unknown(&mut self, name: &str, place: &Place) {
        let nearest = key::nearest(name);
        self.fault(name, place, format!("is not a known key; the nearest one is `{nearest}`"));
    }

    /// One entry more for a table, or another value for one that it has.
    fn set_entry(&mut self, table: &Key, entry: &str, typed: &str) {
        let key = table.name.as_str();
        let kind = if table.kind == Kind::Names { Kind::Name } else { Kind::Text };
        let value = match value::fit_typed(kind, typed) {
            Ok(Value::Text(value)) => value,
            Ok(_) => typed.to_owned(),
            Err(wrong) => return self.fault(key, Place::Set, wrong.to_string()),
        };
        let mut entries = match self.values.remove(key) {
            Some(Raw { value: Value::Names(entries), .. }) => entries,
            _ => Vec::new(),
        };
        // A value is looked up whatever its letter case, an inbox is not.
        let is_it =
            |name: &str| name == entry || (table.kind == Kind::Map && name.eq_ignore_ascii_case(entry));
        entries.retain(|(name, _)| !is_it(name));
        entries.push((entry.to_owned(), value));
        self.put(key, Value::Names(entries), Place::Set);
    }
}

/// Parts `KEY=VALUE`; the last part of a key may be quoted, and then hold an equals sign.
fn split(text: &str) -> Option<(&str, &str)> {
    let equals = text.find('=')?;
    let quote = text.find(".\"").filter(|at| *at < equals);
    let closed = quote.and_then(|at| Some(at + 2 + text.get(at + 2..)?.find("\"=")? + 1));
    let at = closed.unwrap_or(equals);
    Some((text.get(..at)?, text.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_without_an_equals_sign_or_with_an_unknown_key_is_a_fault() {
        let mut raw = RawSettings::default();
        raw.set("conversation.inbox");
        raw.set("conversation.inbx=85");
        let told: Vec<String> = raw.faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "--set: `conversation.inbox` has no `=`: KEY=VALUE, e.g. `conversation.inbox=85`",
                "--set: `conversation.inbx` is not a known key; the nearest one is `conversation.inbox`",
            ]
        );
    }

    #[test]
    fn an_inbox_can_be_added_to_the_table_or_replaced_in_it() {
        let mut raw = RawSettings::default();
        raw.set("conversation.inboxes={ Sales = 1, Support = 2 }");
        raw.set("conversation.inboxes.Sales DE=85");
        raw.set("conversation.inboxes.\"Sales\"=Shop");
        let Value::Names(entries) = &raw.get("conversation.inboxes").unwrap().value else {
            panic!("a table was set")
        };
        let entries: Vec<(&str, &str)> = entries.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(entries, [("Support", "2"), ("Sales DE", "85"), ("Sales", "Shop")]);
        assert!(raw.faults.is_empty());
    }

    #[test]
    fn what_a_value_becomes_can_be_set_one_by_one() {
        let mut raw = RawSettings::default();
        raw.set("values.direction={ in = 'inbound', x = 'outbound' }");
        raw.set("values.direction.X=inbound");
        raw.set("values.direction.\"Outgoing (a=b)\"=outbound");
        raw.set("values.agent.4001=7");
        raw.set("values.status.no.1=\"\"");
        let shown = |key: &str| match &raw.get(key).unwrap().value {
            Value::Names(entries) => entries.iter().map(|(a, b)| format!("{a}={b}")).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(shown("values.direction"), ["in=inbound", "X=inbound", "Outgoing (a=b)=outbound"]);
        assert_eq!(
            (shown("values.agent"), shown("values.status")),
            (vec!["4001=7".into()], vec!["no.1=".into()])
        );
        assert!(raw.faults.is_empty());
        raw.set("values.colour.x=y");
        assert!(
            raw.faults[0].to_string().contains("`values.colour.x` is not a known key"),
            "{:?}",
            raw.faults
        );
    }

    #[test]
    fn a_value_may_hold_equals_signs() {
        let mut raw = RawSettings::default();
        raw.set("source.skip={{ a == 'b' }}");
        assert_eq!(raw.get("source.skip").unwrap().value, Value::Text("{{ a == 'b' }}".into()));
    }
}
