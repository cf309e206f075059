//! What an import was made by, as text that a later run is compared with.
//!
//! A change of the identity would make every call another call and is refused; a change of the content needs a person's
//! word. What only says how the work is done (limits, which files, since when) is in neither.

use std::fmt::Write as _;

use crate::{
    call::Zone,
    import::{AssignTo, ConversationSettings},
    mapping::{
        Ambiguous, DateOrder, DurationUnit, EpochUnit, Feed, Forms, HiddenCaller, MappingSettings,
        NumberForm, ShortClock, UnknownAgent, UnknownCaller,
    },
    source::{Encoding, Pointer, SourceSettings},
};

use super::forms::NOTHING;

const CALL_ID: &str = "call.id";
const CALL_TIME_ZONE: &str = "call.time_zone";

/// The two texts that an earlier run's are compared with. One line a setting, `key = "value"`, in a fixed order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappingRecipe {
    /// What calls are known by: the source's name, where the id comes from, the time zone.
    pub identity: String,
    /// Everything else that shapes what is sent.
    pub content: String,
    /// What of it calls without an id are known by: their start, direction, numbers and duration.
    pub nameless: String,
}

impl MappingRecipe {
    pub(super) fn new(
        source: &SourceSettings,
        mapping: &MappingSettings,
        conversation: &ConversationSettings,
    ) -> Self {
        let content = content(mapping, conversation) + &reading(source);
        let identity = identity(source, mapping);
        Self { nameless: nameless(mapping, &content), identity, content }
    }
}

/// The lines of `content` that say what calls without an id are known by. The customer stands in where no numbers are.
fn nameless(mapping: &MappingSettings, content: &str) -> String {
    const KEYS: &[&str] = &[
        "by_own_names",
        "call.started_at",
        "call.ended_at",
        "call.duration",
        "call.direction",
        "call.from",
        "call.to",
        "source.epoch",
        "source.date_order",
        "source.duration_unit",
        "source.short_clock",
    ];
    const VALUES: &[&str] = &["started_at", "ended_at", "duration", "direction", "from", "to"];
    let has_numbers = mapping.fields.contains_key("call.from") || mapping.fields.contains_key("call.to");
    let is_part = |line: &&str| {
        let key = line.split(" = ").next().unwrap_or_default();
        let of_customer = ["customer.id", "customer.email", "customer.phone"].contains(&key) && !has_numbers;
        let value_of = key.strip_prefix("values.").and_then(|rest| rest.split('.').next());
        KEYS.contains(&key) || value_of.is_some_and(|field| VALUES.contains(&field)) || of_customer
    };
    content.lines().filter(is_part).fold(String::new(), |lines, line| lines + line + "\n")
}

/// How values are read; the defaults add no line.
fn forms(forms: Forms, lines: &mut Lines) {
    let epoch = match forms.epoch {
        EpochUnit::Seconds => None,
        EpochUnit::Milliseconds => Some("ms"),
        EpochUnit::Microseconds => Some("us"),
        EpochUnit::Days => Some("days"),
    };
    let order = forms.date_order.map(|order| match order {
        DateOrder::MonthFirst => "month_first",
        DateOrder::DayFirst => "day_first",
    });
    let unit = match forms.duration {
        DurationUnit::Seconds => None,
        DurationUnit::Milliseconds => Some("ms"),
        DurationUnit::Minutes => Some("min"),
        DurationUnit::Days => Some("days"),
    };
    let clock = forms.short_clock.map(|clock| match clock {
        ShortClock::MinutesSeconds => "mm:ss",
        ShortClock::HoursMinutes => "hh:mm",
    });
    for (key, value) in [
        ("source.epoch", epoch),
        ("source.date_order", order),
        ("source.duration_unit", unit),
        ("source.short_clock", clock),
    ] {
        lines.put(key, value);
    }
    match forms.numbers {
        NumberForm::AsWritten => {}
        NumberForm::International => lines.put("source.numbers", Some("international")),
        NumberForm::National(country) => lines.put("customer.country", Some(&format!("{country:?}"))),
    }
}

/// Its first lines are always there; the others only where they are no default.
fn identity(source: &SourceSettings, mapping: &MappingSettings) -> String {
    let mut lines = Lines::default();
    let own = mapping.by_own_names.then_some("id");
    lines.put("source.name", Some(&mapping.source_name));
    let id = mapping.fields.get(CALL_ID).map(feed);
    lines.put(CALL_ID, id.as_deref().or(own));
    lines.put("source.time_zone", mapping.time_zone.map(Zone::name));
    lines.put("call.time_zone", mapping.fields.get(CALL_TIME_ZONE).map(feed).as_deref());
    for field in [CALL_ID, CALL_TIME_ZONE] {
        if let Some(table) = mapping.values.get(field) {
            values(field, table, &mut lines);
        }
    }
    // What is nothing is no id; and which column a name means is said by the headings.
    if mapping.nothing != NOTHING {
        lines.put("source.nothing", Some(&mapping.nothing.join(" | ")));
    }
    lines.put("source.header", (!source.header).then_some("false"));
    for name in &source.columns {
        lines.put("source.columns", Some(name));
    }
    let feeds_id =
        |name: &&String| id.as_deref().or(own).is_some_and(|sources| sources.contains(name.as_str()));
    for name in source.fill_down.iter().filter(feeds_id) {
        lines.put("source.fill_down", Some(name));
    }
    lines.0
}

fn values<'a>(field: &str, table: impl IntoIterator<Item = (&'a String, &'a String)>, lines: &mut Lines) {
    for (value, becomes) in table {
        lines.put(&format!("{}.{value:?}", field.replace("call.", "values.")), Some(becomes));
    }
}

fn content(mapping: &MappingSettings, conversation: &ConversationSettings) -> String {
    let mut lines = Lines::default();
    lines.put("by_own_names", mapping.by_own_names.then_some("true"));
    for (field, sources) in mapping.fields.iter().filter(|(field, _)| *field != CALL_ID) {
        lines.put(field, Some(&feed(sources)));
    }
    forms(mapping.forms, &mut lines);
    for (field, table) in &mapping.values {
        if ![CALL_ID, CALL_TIME_ZONE].contains(&field.as_str()) {
            values(field, table, &mut lines);
        }
    }
    for number in &mapping.own_numbers {
        lines.put("source.own_numbers", Some(number));
    }
    lines.put("text.recording_caution", mapping.recording_caution.as_deref());
    lines.put("source.skip", mapping.skip.as_deref());
    lines.put("customer.unknown", (mapping.unknown == UnknownCaller::Reject).then_some("reject"));
    lines.put("customer.ambiguous", (mapping.ambiguous == Ambiguous::First).then_some("first"));
    if let HiddenCaller::Customer(id) = mapping.hidden {
        lines.put("customer.hidden", Some(&id.to_string()));
    }
    lines.put("conversation.group_by", Some(&mapping.group_by));
    lines.put("conversation.subject", Some(&mapping.subject));
    lines.put("conversation.inbox", mapping.inbox.inbox.as_deref());
    lines.put("conversation.inbox_by", mapping.inbox.by.as_deref());
    lines.put("conversation.inbox_otherwise", mapping.inbox.otherwise.as_deref());
    for (value, inbox) in &mapping.inbox.table {
        lines.put(&format!("conversation.inboxes.{value:?}"), Some(inbox));
    }
    lines.put("conversation.status", Some(conversation.status.as_str()));
    for tag in &conversation.tags {
        lines.put("conversation.tags", Some(tag));
    }
    lines.put("conversation.import_tag", Some(&conversation.import_tag));
    match &conversation.assign_to {
        AssignTo::Nobody => {}
        AssignTo::Agent => lines.put("conversation.assign_to", Some("agent")),
        AssignTo::Email(email) => lines.put("conversation.assign_to", Some(email)),
    }
    // Who the directory names is data, as the rows are.
    let rejects = mapping.agents.unknown == UnknownAgent::Reject;
    lines.put("agents.unknown", rejects.then_some("reject"));
    lines.put("text.template", mapping.text.as_deref());
    lines.0
}

fn feed(feed: &Feed) -> String {
    feed.sources.join(" | ")
}

/// What is read in another way has another content. What is left out adds no line, so that a checkpoint of a time before
/// these settings still compares. Encoding and pointer are no part of the identity: a user finds out by the first file
/// which they must be, and a wrong one garbles words, or finds no record at all, rather than makes other ids.
fn reading(source: &SourceSettings) -> String {
    let mut lines = Lines::default();
    lines.put("source.encoding", source.encoding.map(Encoding::name));
    lines.put("source.records", source.records.as_ref().map(Pointer::as_str));
    for name in &source.fill_down {
        lines.put("source.fill_down", Some(name));
    }
    lines.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn put(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            writeln!(self.0, "{key} = {value:?}").expect("a String takes every text");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        call::Moment,
        config::{ConfigFile, Overrides, Settings},
    };

    fn recipe(text: &str) -> MappingRecipe {
        let file = ConfigFile::parse(Path::new("callport.toml"), text).unwrap();
        let now = Moment::from_epoch_seconds(0).unwrap();
        Settings::check(Some(&file), &Overrides::default(), now).unwrap().mapping_recipe
    }

    #[test]
    fn name_id_and_zone_are_the_identity_and_nothing_else() {
        let base = recipe("[call]\nid='a'\n");
        for text in [
            "[call]\nid='b'\n",
            "[source]\nname='x'\n[call]\nid='a'\n",
            "[source]\ntime_zone='UTC'\n[call]\nid='a'\n",
            "[source]\nnothing=['none']\n[call]\nid='a'\n",
            "[source]\nheader=false\n[call]\nid='a'\n",
            "[source]\ncolumns=['a', 'b']\n[call]\nid='a'\n",
            "[call]\nid='a'\n[values.id]\nx='y'\n",
            "[call]\nid='a'\n[values.time_zone]\nx='UTC'\n",
        ] {
            assert_ne!(recipe(text).identity, base.identity, "{text}");
            assert_eq!(recipe(text).content, base.content, "{text}");
        }
    }

    #[test]
    fn what_shapes_a_call_is_the_content() {
        let base = recipe("[call]\nid='a'\n");
        for more in [
            "notes='n'\n",
            "[source]\nencoding='windows-1252'\n",
            "[source]\nfill_down=['n']\n",
            "group='g'\n",
            "[text]\ntemplate='x'\n",
            "[conversation]\ntags=['x']\n",
            "[conversation]\nsubject='x'\n",
            "[conversation]\ninbox=3\n",
            "[conversation]\ninbox_by='line'\n[conversation.inboxes]\na=1\n",
            "[source]\nskip='x'\n",
            "[customer]\nhidden=3\n",
            "[agents]\nunknown='reject'\n",
            "[conversation]\nassign_to='agent'\n",
        ] {
            let changed = recipe(&format!("[call]\nid='a'\n{more}"));
            assert_ne!(changed.content, base.content, "{more}");
            assert_eq!(changed.identity, base.identity, "{more}");
        }
    }

    #[test]
    fn what_calls_without_an_id_are_known_by_is_told_apart() {
        let base = recipe("[call]\nstarted_at='a'\nfrom='f'\n");
        for more in [
            "duration='x'\n",
            "to='t'\n",
            "[source]\ndate_order='day_first'\n",
            "[values.direction]\na='inbound'\n",
        ] {
            assert_ne!(
                recipe(&format!("[call]\nstarted_at='a'\nfrom='f'\n{more}")).nameless,
                base.nameless,
                "{more}"
            );
        }
        for more in
            ["notes='n'\n", "[customer]\ncountry='US'\nemail='e'\n", "[source]\nnumbers='international'\n"]
        {
            assert_eq!(
                recipe(&format!("[call]\nstarted_at='a'\nfrom='f'\n{more}")).nameless,
                base.nameless,
                "{more}"
            );
        }
    }

    #[test]
    fn an_id_that_stands_in_for_the_rows_below_is_identity_too() {
        for (names, differs) in [("['b']", false), ("['a']", true)] {
            let filled = recipe(&format!("[source]\nfill_down={names}\n[call]\nid='a'\n"));
            assert_eq!(filled.identity != recipe("[call]\nid='a'\n").identity, differs, "{names}");
        }
    }

    #[test]
    fn how_the_work_is_done_is_in_neither() {
        let base = recipe("[call]\nid='a'\n");
        for more in [
            "[limits]\nshare=0.3\n",
            "[source]\nfiles=['x']\n",
            "[conversation]\npack=false\n",
            "[agents]\ndirectory='agents.csv'\nunknown='warn'\n",
        ] {
            assert_eq!(recipe(&format!("[call]\nid='a'\n{more}")), base, "{more}");
        }
    }
}
