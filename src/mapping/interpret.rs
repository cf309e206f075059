//! One row becomes a call, or is left out, or is rejected with every fault that it has.

use super::{
    agents::agent_of,
    bound::BoundMapping,
    call_view::CallView,
    clean::clean,
    customer::customer_of,
    default_text::default_text,
    destination::destination_of,
    field::Field,
    leg::{is_only_lacking, leg_of, with_legs_slot},
    number::{NumberReading, normalise_number},
    person_lookup::look_up,
    plain_text::plain_text,
    reading::Reading,
    second_clock::check_second_clock,
};
use crate::call::{
    Call, CallGroup, CallKey, CallRecord, Customer, Fault, FaultKind, Identity, LEGS_SLOT, Leg, Moment,
    REFERENCE_SLOT, Reference, Rejection, Row, Warning,
};

/// What became of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Interpretation {
    /// A call or not.
    pub outcome: Outcome,
    /// What was left out or changed; also told where the row is rejected.
    pub warnings: Vec<Warning>,
}

/// What a row is.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A call.
    Call(Box<Call>),
    /// One of the records that may share a call; whether it stands for it is told by the others.
    Record(Box<CallRecord>),
    /// `[source] skip` says so.
    Skipped,
    /// Outside the span that was asked for: as if it were not in the file.
    LeftOut,
    /// It has faults.
    Rejected(Rejection),
}

impl BoundMapping {
    /// Reads one row; `now` is the moment after which no call can have begun.
    pub fn interpret(&self, row: &Row, now: Moment) -> Interpretation {
        let (cells, removed) = clean(&row.cells);
        let mut reading = Reading::new(self, &cells);
        if removed {
            reading.warn("control characters are removed");
        }
        if self.is_outside(reading.started_at) {
            return Interpretation { outcome: Outcome::LeftOut, warnings: Vec::new() };
        }
        let (told, number_field) = customer_of(&mut reading, self.settings(), &cells);
        let customer = look_up(&told, number_field, &mut reading, self.settings());
        if self.settings().excluded.names(&reading, [&told, &customer]) {
            let reason = "rows of people whom `source.exclude` names are left out".to_owned();
            return Interpretation { outcome: Outcome::Skipped, warnings: vec![Warning { reason }] };
        }
        let agent = agent_of(&mut reading);
        if let Some(caution) = &self.settings().recording_caution
            && reading.text(Field::RECORDING).is_some()
        {
            reading.warn(format!("recordings, each told with its caution: {caution}"));
        }
        let conversation = reading.positive(FaultKind::Destination, Field::CONVERSATION_ID);
        check_start(&mut reading, now);
        check_second_clock(&mut reading);
        let identity = reading.started_at.map(|start| self.identity(&reading, &told, start));

        let call = CallView::new(&reading, &customer, conversation, &cells);
        let mut faults = Vec::new();
        match self.is_skipped(&call) {
            Ok(true) => return Interpretation { outcome: Outcome::Skipped, warnings: Vec::new() },
            Ok(false) => {}
            Err(fault) => faults.push(fault),
        }
        let destination = destination_of(self, &call, identity.as_ref()).map_err(|more| faults.extend(more));
        // A text that told what a list knows would count as changed with every change of the list.
        let as_told = CallView::new(&reading, &told, conversation, &cells);
        let text = self.text_of(&as_told).map_err(|fault| faults.push(fault));
        let shared = self.group_of_records(&as_told);

        let Reading { started_at, updated_at, faults: mut all, warnings, .. } = reading;
        all.append(&mut faults);
        let call = match (identity, started_at, destination, text) {
            (Some(identity), Some(started_at), Ok(destination), Ok(text)) if all.is_empty() => {
                Ok(Call { identity, started_at, updated_at, customer, agent, destination, text })
            }
            _ => Err(Rejection { faults: all }),
        };
        Interpretation { outcome: outcome_of(call, shared, updated_at), warnings }
    }

    /// What a row shares with other records of its call: the group, the key of its own id, and its line.
    fn group_of_records(&self, call: &CallView<'_>) -> Option<(CallGroup, Option<CallKey>, Leg)> {
        let (value, implied) = call.reading.group()?;
        let name = &self.settings().source_name;
        let key = call.reading.text(Field::ID).map(|id| CallKey::from_id(name, id));
        Some((CallGroup::new(name, value, implied), key, leg_of(call)))
    }

    fn is_outside(&self, started_at: Option<Moment>) -> bool {
        let settings = self.settings();
        started_at.is_some_and(|start| {
            settings.since.is_some_and(|since| start < since)
                || settings.until.is_some_and(|until| start >= until)
        })
    }

    /// By the id; else by what is told of the call, where the customer stands in for numbers that are not given.
    fn identity(&self, reading: &Reading<'_>, customer: &Customer, started_at: Moment) -> Identity {
        let name = &self.settings().source_name;
        if let Some(id) = reading.text(Field::ID) {
            return Identity { id: Some(id.to_owned()), key: CallKey::from_id(name, id) };
        }
        let number = |normal: &NumberReading, field| {
            let normal = normal.as_ref().ok().cloned().flatten();
            normal.or_else(|| reading.text(field).map(str::to_owned)).unwrap_or_default()
        };
        let mut from = number(&reading.from_number, Field::FROM);
        let to = number(&reading.to_number, Field::TO);
        if from.is_empty() && to.is_empty() {
            from = self.customer_told(reading, customer);
        }
        let direction = reading.direction.as_deref().unwrap_or_default();
        let key = CallKey::from_content(name, started_at, direction, &from, &to, reading.duration);
        Identity { id: None, key }
    }

    /// The customer as the row tells it: a number without the country code that a setting adds.
    fn customer_told(&self, reading: &Reading<'_>, customer: &Customer) -> String {
        let complete = |number: &String| self.settings().forms.numbers.complete(number.clone());
        let mut told = customer.clone();
        if let Some(phone) = &customer.phone {
            let given = reading.text(Field::PHONE).into_iter().flat_map(|text| text.split(", "));
            let written = given.filter_map(normalise_number).find(|number| complete(number) == *phone);
            told.phone = written.or(told.phone);
        }
        told.key().map(|key| key.canonical()).unwrap_or_default()
    }

    fn is_skipped(&self, call: &CallView<'_>) -> Result<bool, Fault> {
        let Some(template) = self.skip() else { return Ok(false) };
        let says_so = |rendered: String| rendered.trim().eq_ignore_ascii_case("true");
        if !says_so(template.render(self.engine(), call)?) {
            return Ok(false);
        }
        // `duration < 5` must not hold for a call whose duration nobody knows.
        if call.reading.duration.is_some() {
            return Ok(true);
        }
        template.render_value(self.engine(), call.value_with_unknown_duration()).map(says_so)
    }

    fn text_of(&self, call: &CallView<'_>) -> Result<String, Fault> {
        let Some(template) = self.text() else { return Ok(default_text(call)) };
        let mut text = template.render(self.engine(), call)?;
        let is_nothing =
            |letter: char| letter.is_whitespace() || [REFERENCE_SLOT, LEGS_SLOT].contains(&letter);
        if text.trim_matches(is_nothing).is_empty() {
            return Err(template.fault("renders to nothing"));
        }
        text.truncate(text.trim_end().len());
        if !is_found_again(&text) {
            text.push('\n');
            text.push(REFERENCE_SLOT);
        }
        Ok(if call.reading.group().is_some() { with_legs_slot(text) } else { text })
    }
}

/// A row that shares its call with others may lack what a call needs: another may stand for it. A leg that is wrong is told
/// at once; a wrong row that should stand for the call goes on, so that no leg stands in its place.
fn outcome_of(
    call: Result<Call, Rejection>,
    shared: Option<(CallGroup, Option<CallKey>, Leg)>,
    updated_at: Option<i64>,
) -> Outcome {
    match (call, shared) {
        (Ok(call), None) => Outcome::Call(Box::new(call)),
        (Err(rejection), None) => Outcome::Rejected(rejection),
        (call, Some((group, key, leg))) => {
            let is_wrong = call.as_ref().is_err_and(|rejection| !is_only_lacking(rejection));
            let record = CallRecord { group, key, updated_at, leg, call, is_wrong };
            match record.call {
                Err(rejection) if is_wrong && record.key != Some(record.group.root) => {
                    Outcome::Rejected(rejection)
                }
                _ => Outcome::Record(Box::new(record)),
            }
        }
    }
}

/// Whether a call with this text is found by its reference. A template may leave it out, put other words close behind it, or
/// put it before notes that name another call; then it stands once more at the end.
fn is_found_again(text: &str) -> bool {
    let probe = Reference::new("source", Some("1"), CallKey::from_id("source", "1"));
    text.contains(REFERENCE_SLOT) && probe.is_in(&plain_text(&text.replace(REFERENCE_SLOT, probe.as_str())))
}

fn check_start(reading: &mut Reading<'_>, now: Moment) {
    match reading.started_at {
        Some(start) if start > now => {
            reading.refuse(FaultKind::Time, Field::STARTED_AT, "lies in the future");
        }
        None if reading.text(Field::STARTED_AT).is_none() && !reading.failed(Field::STARTED_AT) => {
            reading.refuse(FaultKind::Time, Field::STARTED_AT, "no start time is given");
        }
        _ => {}
    }
}

#[cfg(test)]
pub(in crate::mapping) mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        call::{Cells, Destination, Headings, Position, Zone},
        mapping::{Feed, Mapping, MappingSettings},
    };

    pub(in crate::mapping) const START: &str = "2026-03-30T14:05:09Z";

    pub(in crate::mapping) fn now() -> Moment {
        Moment::parse_api("2026-11-22T08:00:00Z").unwrap()
    }

    pub(in crate::mapping) fn own_names() -> MappingSettings {
        MappingSettings { by_own_names: true, source_name: "old".into(), ..MappingSettings::default() }
    }

    fn row(pairs: &[(&str, &str)]) -> (Arc<Headings>, Row) {
        let headings = Arc::new(Headings::new(pairs.iter().map(|(name, _)| (*name).to_owned()).collect()));
        let mut text = String::new();
        let mut ends = Vec::new();
        for (_, cell) in pairs {
            text.push_str(cell);
            ends.push(u32::try_from(text.len()).unwrap());
        }
        let cells = Cells::Csv { headings: Arc::clone(&headings), text, ends };
        (headings, Row { position: Position::new("calls.csv", 2), cells })
    }

    pub(in crate::mapping) fn interpret(settings: MappingSettings, pairs: &[(&str, &str)]) -> Interpretation {
        let (headings, row) = row(pairs);
        Mapping::new(settings).unwrap().bind(&headings).unwrap().interpret(&row, now())
    }

    pub(in crate::mapping) fn call(settings: MappingSettings, pairs: &[(&str, &str)]) -> Call {
        match interpret(settings, pairs).outcome {
            Outcome::Call(call) => *call,
            other => panic!("{other:?}"),
        }
    }

    pub(in crate::mapping) fn rejection(settings: MappingSettings, pairs: &[(&str, &str)]) -> String {
        match interpret(settings, pairs).outcome {
            Outcome::Rejected(rejection) => rejection.to_string(),
            other => panic!("{other:?}"),
        }
    }

    pub(in crate::mapping) fn with(
        more: &[(&'static str, &'static str)],
    ) -> Vec<(&'static str, &'static str)> {
        let mut pairs = vec![("started_at", START), ("direction", "inbound"), ("from", "+1 555 0100")];
        for (name, value) in more {
            pairs.retain(|(known, _)| known != name);
            pairs.push((name, value));
        }
        pairs
    }

    #[test]
    fn every_fault_of_a_row_is_told_at_once() {
        let pairs = [
            ("started_at", "2022-02-30T10:00:00Z"),
            ("duration", "12:34"),
            ("email", "jo@"),
            ("conversation_id", "x"),
            ("updated_at", "yesterday"),
            ("customer_id", "-4"),
        ];
        let told = rejection(own_names(), &pairs);
        for (column, value) in pairs {
            assert!(told.contains(&format!("{column} `{value}`: ")), "{column}: {told}");
        }
        assert_eq!(told.matches("; ").count(), pairs.len() - 1, "{told}");
    }

    #[test]
    fn a_time_must_be_given_possible_and_past() {
        let start = |value: &'static str| rejection(own_names(), &with(&[("started_at", value)]));
        assert!(start(" ").starts_with("started_at: no start time is given"));
        assert!(start("2026-11-22T08:00:01Z").contains("lies in the future"));
        assert!(start("2026-03-30 14:05:09").contains("`--time-zone`"));
        let berlin =
            MappingSettings { time_zone: Some(Zone::parse("Europe/Berlin").unwrap()), ..own_names() };
        let call = call(berlin.clone(), &with(&[("started_at", "2026-03-30 14:05:09")]));
        assert_eq!(call.started_at.to_string(), "2026-03-30T12:05:09Z");
        assert!(rejection(berlin, &with(&[("started_at", "2026-03-29 02:30:00")])).contains("was skipped"));
    }

    #[test]
    fn control_characters_are_removed_with_one_warning() {
        let found = interpret(own_names(), &with(&[("notes", "a\0b\u{7}c"), ("agent", "A\u{1}da")]));
        assert_eq!(found.warnings, [Warning { reason: "control characters are removed".into() }]);
        let Outcome::Call(call) = found.outcome else { panic!("a call was expected") };
        assert!(call.text.contains("\nabc\n") && call.text.contains("Agent: Ada"), "{}", call.text);
        assert_eq!(call.text.matches(REFERENCE_SLOT).count(), 1);
    }

    #[test]
    fn a_call_without_an_id_is_known_by_what_it_says_and_not_by_its_notes() {
        let key = |more: &[(&'static str, &'static str)]| call(own_names(), &with(more)).identity.key;
        let from = |from: &str, to: &str, duration| {
            CallKey::from_content("old", Moment::parse_api(START).unwrap(), "inbound", from, to, duration)
        };
        assert_eq!(key(&[("notes", "x"), ("tags", "y")]), from("+15550100", "", None));
        assert_eq!(key(&[("from", "tel:+1-555-0100"), ("duration", "61")]), from("+15550100", "", Some(61)));
        assert_eq!(key(&[("from", ""), ("email", "Jo@example.com")]), from("email:jo@example.com", "", None));
        assert_eq!(key(&[("from", "anonymous"), ("email", "jo@example.com")]), from("anonymous", "", None));
    }

    #[test]
    fn the_duration_is_the_time_between_start_and_end_where_it_is_not_given() {
        let template = MappingSettings { text: Some("{{ duration }} s".into()), ..own_names() };
        let ended = with(&[("ended_at", "2026-03-30T14:06:10Z")]);
        assert_eq!(call(template, &ended).text, "61 s\n\0");
        let decades = with(&[("ended_at", "2126-03-30T14:05:08Z")]);
        assert!(rejection(own_names(), &decades).contains("lies decades after the start"));
        let before = with(&[("ended_at", "2026-03-30T14:05:08Z")]);
        assert!(rejection(own_names(), &before).contains("lies before the start"));
    }

    #[test]
    fn skip_wins_over_rejection_and_never_rests_on_what_is_not_known() {
        let skip = "{{ status == 'abandoned' or duration < 5 }}";
        let settings = MappingSettings { skip: Some(skip.into()), ..own_names() };
        let skipped = |more: &[(&'static str, &'static str)]| {
            interpret(settings.clone(), &with(more)).outcome == Outcome::Skipped
        };
        assert!(skipped(&[("status", "abandoned"), ("started_at", "never"), ("from", "")]));
        assert!(skipped(&[("duration", "4")]));
        assert!(!skipped(&[("duration", "5")]));
        assert!(!skipped(&[("duration", "")]));
        assert!(skipped(&[("duration", ""), ("status", "abandoned")]));
        let settings = MappingSettings { skip: Some("{{ duration is undefined }}".into()), ..own_names() };
        assert_eq!(interpret(settings, &with(&[])).outcome, Outcome::Skipped);
    }

    #[test]
    fn values_become_what_their_table_says_and_others_stay_with_a_warning() {
        let table = |entries: &[(&str, &str)]| {
            entries.iter().map(|(value, becomes)| ((*value).to_owned(), (*becomes).to_owned())).collect()
        };
        let settings = MappingSettings {
            values: [
                ("call.direction".to_owned(), table(&[("Inbound Call", "inbound"), ("*", "outbound")])),
                ("call.status".to_owned(), table(&[("9d", "busy"), ("none", "")])),
            ]
            .into(),
            nothing: vec!["[None]".into()],
            ..own_names()
        };
        let pairs = with(&[
            ("direction", "INBOUND call"),
            ("status", "9D"),
            ("agent", "[none]"),
            ("notes", "[None] of it"),
        ]);
        let found = interpret(settings.clone(), &pairs);
        let Outcome::Call(told) = &found.outcome else { panic!("{found:?}") };
        assert_eq!(told.text, "Inbound call from +1 555 0100\nResult: busy\n\n[None] of it\n\n\0");
        assert!(found.warnings.is_empty());
        let found = interpret(
            settings.clone(),
            &with(&[("direction", "other"), ("to", "+1 555 0101"), ("status", "x")]),
        );
        let Outcome::Call(told) = &found.outcome else { panic!("{found:?}") };
        assert!(told.text.starts_with("Outbound call") && told.text.contains("Result: x\n"), "{}", told.text);
        assert!(
            found.warnings[0]
                .reason
                .starts_with("`call.status` has values that `[values.status]` does not name")
        );
        assert!(
            !call(settings, &with(&[("direction", "x"), ("to", "+1 555 0101"), ("status", "None")]))
                .text
                .contains("Result")
        );
    }

    #[test]
    fn plain_words_for_a_direction_need_no_table() {
        let table = [("Anruf".to_owned(), "inbound".to_owned())].into();
        let settings =
            MappingSettings { values: [("call.direction".to_owned(), table)].into(), ..own_names() };
        let found = |word| {
            let found = interpret(settings.clone(), &with(&[("direction", word), ("to", "+1 555 0101")]));
            let Outcome::Call(call) = found.outcome else { panic!("{found:?}") };
            (call.text.split(' ').next().unwrap().to_owned(), found.warnings.len())
        };
        for word in ["anruf", "inbound", "Incoming", "IN"] {
            assert_eq!(found(word), ("Inbound".to_owned(), 0), "{word}");
        }
        for word in ["outbound", "Outgoing", "out"] {
            assert_eq!(found(word), ("Outbound".to_owned(), 0), "{word}");
        }
        let strange = interpret(settings.clone(), &with(&[("direction", "inbnd"), ("phone", "+1 555 0100")]));
        assert_eq!(strange.warnings.len(), 1, "{strange:?}");
    }

    #[test]
    fn a_row_may_name_its_own_zone() {
        let settings = MappingSettings { time_zone: Some(Zone::UTC), ..own_names() };
        let start = |zone| {
            call(settings.clone(), &with(&[("started_at", "2026-03-30 14:05:09"), ("time_zone", zone)]))
                .started_at
        };
        assert_eq!(start("Europe/Berlin").to_string(), "2026-03-30T12:05:09Z");
        assert_eq!(start("").to_string(), "2026-03-30T14:05:09Z");
        let told = rejection(
            settings.clone(),
            &with(&[("started_at", "2026-03-30 14:05:09"), ("time_zone", "Mars")]),
        );
        assert!(told.starts_with("time_zone `Mars`: unknown time zone"), "{told}");
        let told = rejection(settings, &with(&[("started_at", "2026-07-30 14:05:09"), ("time_zone", "EST")]));
        assert!(told.starts_with("time_zone `EST`: ") && told.contains("`America/New_York`"), "{told}");
        assert!(!told.contains("--time-zone"), "one fault is told once: {told}");
    }

    #[test]
    fn a_field_takes_the_first_source_that_gives_a_value() {
        let feed = |sources: &[&str]| Feed {
            sources: sources.iter().map(ToString::to_string).collect(),
            may_be_absent: false,
        };
        let settings = MappingSettings {
            fields: [
                (
                    "call.started_at".to_owned(),
                    feed(&["{{ day }} {{ row[\"time of day\"] }} UTC", "created"]),
                ),
                ("call.id".to_owned(), feed(&["sid", "{{ a }}-{{ b }}"])),
                ("customer.email".to_owned(), "email".into()),
            ]
            .into(),
            nothing: vec!["-".into()],
            ..MappingSettings::default()
        };
        let read = |day: &'static str, time: &'static str, sid: &'static str| {
            let pairs = [
                ("day", day),
                ("time of day", time),
                ("created", START),
                ("sid", sid),
                ("a", "1"),
                ("b", " 2 "),
                ("email", "jo@example.com"),
            ];
            let call = call(settings.clone(), &pairs);
            (call.started_at.to_string(), call.identity.id.unwrap())
        };
        assert_eq!(read("1/31/2026", "4:05 PM", "x"), ("2026-01-31T16:05:00Z".to_owned(), "x".to_owned()));
        assert_eq!(read("", "-", "-"), (START.to_owned(), "1-2".to_owned()));
    }

    #[test]
    fn rows_outside_the_span_are_left_out_even_if_they_have_faults() {
        let at = |text| Some(Moment::parse_api(text).unwrap());
        let settings = MappingSettings {
            since: at("2026-03-30T00:00:00Z"),
            until: at(START),
            skip: Some("{{ true }}".into()),
            ..own_names()
        };
        let outcome =
            |start| interpret(settings.clone(), &with(&[("started_at", start), ("duration", "x")])).outcome;
        assert_eq!(outcome("2026-03-29T23:59:59Z"), Outcome::LeftOut);
        assert_eq!(outcome(START), Outcome::LeftOut);
        assert_eq!(outcome("2026-03-30T00:00:00Z"), Outcome::Skipped);
        assert_eq!(outcome("unknown"), Outcome::Skipped);
    }

    #[test]
    fn templates_see_columns_in_fields_and_the_call_in_the_text() {
        let settings = MappingSettings {
            fields: [
                ("call.started_at", "{{ row['Start Day'] }}T{{ time }}Z"),
                ("customer.id", "Customer"),
                ("call.notes", "{% if vip == 'yes' %}VIP: {% endif %}{{ note }}"),
            ]
            .map(|(key, value)| (key.to_owned(), value.into()))
            .into(),
            text: Some("<b>{{ notes }}</b> {{ row['note'] | upper }} {{ started_at | date('Europe/Berlin', '%H:%M') }}\n{{ reference }}\n".into()),
            subject: "Calls\nof {{ customer }}".into(),
            group_by: "{{ row['note'] }}".into(),
            ..MappingSettings::default()
        };
        let pairs = [
            ("Start Day", "2026-03-30"),
            ("time", "14:05:09"),
            ("Customer", "7"),
            ("vip", "yes"),
            ("note", " <&> "),
        ];
        let call = call(settings, &pairs);
        assert_eq!(call.text, "<b>VIP:  &lt;&amp;&gt;</b>  &lt;&amp;&gt;  16:05\n\0");
        let destination = Destination::Grouped {
            inbox: String::new(),
            group: "<&>".into(),
            subject: "Calls of customer 7".into(),
        };
        assert_eq!(call.destination, destination);
    }

    #[test]
    fn a_text_that_renders_to_nothing_or_fails_rejects_the_row() {
        let with_text = |text: &str| MappingSettings { text: Some(text.into()), ..own_names() };
        assert_eq!(
            rejection(with_text("{{ notes }}\n{{ reference }}"), &with(&[])),
            "text.template: renders to nothing"
        );
        assert!(
            rejection(with_text("{{ notes | nonsense }}"), &with(&[]))
                .contains("text.template: fails on line 1")
        );
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        assert!(rejection(with_text(endless), &with(&[])).contains("runs too long"));
        assert_eq!(call(with_text("x ({{ reference }}) y"), &with(&[])).text, "x (\0) y");
        // What stands close behind it could belong to a longer id: it stands once more where it is found.
        assert_eq!(call(with_text("x {{ reference }} y"), &with(&[])).text, "x \0 y\n\0");
    }

    #[test]
    fn a_plain_template_gives_what_the_engine_gives() {
        let plain = "{{ customer }}|{{customer.email}}|{{ started_at }}|{{ duration }}|{{ direction }}|{{ notes }}|{{ reference }}|{{ conversation }}|{{ tags }}";
        // A block that does nothing sends the same template to the engine.
        let engine = format!("{plain}{{% if false %}}{{% endif %}}");
        let pairs = with(&[("email", "jo@example.com"), ("notes", "<'\"/&>"), ("duration", "61")]);
        let text = |template: &str| {
            call(MappingSettings { text: Some(template.into()), ..own_names() }, &pairs).text
        };
        assert_eq!(text(plain), text(&engine));
    }

    #[test]
    fn a_newer_record_is_told_to_the_millisecond() {
        let newer = call(own_names(), &with(&[("updated_at", "2026-03-30T14:05:09.25Z")]));
        assert_eq!(newer.updated_at, Some(1_774_879_509_250));
    }

    proptest! {
        #[test]
        fn no_row_panics_and_no_call_is_without_its_slot(
            cells in prop::collection::vec(
                prop_oneof![
                    "\\PC{0,12}", "[0-9:+. TZ-]{0,25}", Just(START.to_owned()), Just("in".to_owned()),
                    Just("+15550100".to_owned()), Just("jo@example.com".to_owned()), "[\0-\u{ff}]{0,8}",
                ],
                14,
            ),
        ) {
            let names = ["id", "started_at", "ended_at", "duration", "direction", "from", "to", "notes", "email",
                "customer_id", "phone", "conversation_id", "first_name", "updated_at"];
            let pairs: Vec<(&str, &str)> = names.iter().copied().zip(cells.iter().map(String::as_str)).collect();
            for text in [None, Some("{{ notes }} {{ from | upper }}".to_owned())] {
                let settings = MappingSettings { text, subject: "{{ customer }}".into(), ..own_names() };
                match interpret(settings, &pairs).outcome {
                    Outcome::Call(call) => {
                        prop_assert_eq!(call.text.matches(REFERENCE_SLOT).count(), 1);
                        prop_assert!(call.customer.key().is_some());
                    }
                    Outcome::Rejected(rejection) => prop_assert!(!rejection.faults.is_empty()),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
    }
}
