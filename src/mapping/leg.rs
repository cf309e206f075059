//! A row that is one of several records of a call: what it adds where another record stands for it, and what may be missing
//! from it then.

use super::{call_view::CallView, duration_form::show_duration, escape::escape_onto, field::Field};
use crate::call::{CallKey, Fault, FaultKind, LEGS_SLOT, Leg, REFERENCE_SLOT, Reference, Rejection};

/// Words of a result that say that somebody spoke. The agent of a leg with another result is not the one of the call.
const SPOKE: &[&str] = &["answered", "accepted", "completed", "connected", "call connected"];

/// The most characters that a leg says, its time left aside: a hundred of them must stay a readable text, whatever the
/// cells hold.
const LONGEST: usize = 300;

/// What a row adds to the text of another's call: its agent (else whom it went to), result and duration.
pub(super) fn leg_of(call: &CallView<'_>) -> Leg {
    let reading = call.reading;
    let agent = reading.text(Field::AGENT).map(in_one_line);
    let went_to = || Some(format!("to {}", in_one_line(reading.text(Field::TO)?)));
    let parts = [
        agent.clone().or_else(went_to),
        reading.text(Field::STATUS).map(in_one_line),
        reading.duration.map(show_duration),
    ];
    let told = escaped(&shortened(parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")));
    let spoke = |status: &str| SPOKE.iter().any(|word| status.trim().eq_ignore_ascii_case(word));
    let agent = agent.filter(|_| reading.text(Field::STATUS).is_none_or(spoke));
    Leg { started_at: reading.started_at, told, agent: agent.as_deref().map(escaped) }
}

/// In one line of limited length. It looks no further into a long cell than it must.
fn in_one_line(value: &str) -> String {
    let mut line = String::new();
    for word in value.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().take(LONGEST + 1));
        // Every character has a byte at least, and at most four.
        if line.len() > LONGEST * 4 {
            break;
        }
    }
    shortened(line)
}

/// Cut before it is escaped, so that no entity is cut in two.
fn shortened(mut line: String) -> String {
    if line.char_indices().nth(LONGEST).is_some() {
        let end = line.char_indices().nth(LONGEST - 1).map_or(0, |(end, _)| end);
        line.truncate(end);
        line.push('…');
    }
    line
}

fn escaped(line: &str) -> String {
    let mut html = String::with_capacity(line.len());
    escape_onto(line, &mut html);
    html
}

/// Whether a row with these faults may still be a leg: it lacks what only a call needs. What is written wrongly is told at
/// once.
pub(super) fn is_only_lacking(rejection: &Rejection) -> bool {
    rejection.faults.iter().all(|fault| match fault.kind {
        FaultKind::Customer | FaultKind::Email | FaultKind::Destination => true,
        FaultKind::Time => fault.value.as_deref() == Some(""),
        FaultKind::Text => !feeds_a_field(fault),
        _ => false,
    })
}

fn feeds_a_field(fault: &Fault) -> bool {
    fault.column.as_ref().is_some_and(|column| column.starts_with("call.") || column.starts_with("customer."))
}

/// A user's own text with a place for the legs: its own, else above the line with the reference. Notes or agents among the
/// legs may hold another call's reference, so that the call's own must stand below them.
pub(super) fn with_legs_slot(mut text: String) -> String {
    if !text.contains(LEGS_SLOT) {
        let reference = text.rfind(REFERENCE_SLOT).unwrap_or(text.len());
        let line = text.get(..reference).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        text.insert_str(line, &format!("{LEGS_SLOT}\n"));
    }
    let probe = Reference::new("source", Some("1"), CallKey::from_id("source", "1"));
    let worst = text.replace(LEGS_SLOT, "Ref: source 2").replace(REFERENCE_SLOT, probe.as_str());
    if !probe.is_in(&super::plain_text(&worst)) {
        text.push('\n');
        text.push(REFERENCE_SLOT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, in_one_line};
    use crate::{
        call::{CallKey, CallRecord, Leg, Moment},
        mapping::{
            MappingSettings, Outcome,
            interpret::tests::{START, interpret, own_names},
        },
    };

    fn grouped(more: &[(&str, &str)]) -> MappingSettings {
        let mut settings = own_names();
        settings.fields.insert("call.group".into(), "parent".into());
        settings.fields.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())));
        settings
    }

    fn record(settings: MappingSettings, pairs: &[(&str, &str)]) -> CallRecord {
        match interpret(settings, pairs).outcome {
            Outcome::Record(record) => *record,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_row_with_a_group_tells_what_it_adds_and_what_it_lacks() {
        let pairs = [
            ("id", "L"),
            ("parent", "R"),
            ("started_at", START),
            ("agent", "Ada <Agent>"),
            ("status", "answered"),
            ("duration", "72"),
        ];
        let found = record(grouped(&[]), &pairs);
        assert!(!found.is_root() && !found.group.implied);
        assert_eq!((found.group.value.as_str(), found.key), ("R", Some(CallKey::from_id("old", "L"))));
        let leg = Leg {
            started_at: Some(Moment::parse_api(START).unwrap()),
            told: "Ada &lt;Agent&gt; · answered · 1 min 12 s".into(),
            agent: Some("Ada &lt;Agent&gt;".into()),
        };
        assert_eq!(found.leg, leg);
        assert!(found.call.unwrap_err().to_string().contains("no way to a customer"));
    }

    #[test]
    fn what_a_leg_says_is_cut_at_a_character_and_never_within_an_entity() {
        let told = |agent: &str, status: &str| {
            let pairs =
                [("id", "L"), ("parent", "R"), ("started_at", START), ("agent", agent), ("status", status)];
            record(grouped(&[]), &pairs).leg
        };
        let megabyte = "é ".repeat(500_000);
        let leg = told(&megabyte, &megabyte);
        assert_eq!((leg.told.chars().count(), leg.told.ends_with('…')), (LONGEST, true), "{}", leg.told);
        let leg = told(&"&".repeat(1_000), "answered");
        assert_eq!(leg.told, "&amp;".repeat(LONGEST - 1) + "…");
        assert_eq!(leg.agent.as_ref(), Some(&leg.told));
        let leg = told(&"a".repeat(290), "answered");
        assert_eq!(leg.told, "a".repeat(290) + " · answer…");
        let whole = "a".repeat(289);
        assert_eq!(told(&whole, "answered").told, format!("{whole} · answered"));
    }

    proptest::proptest! {
        #[test]
        fn no_cell_makes_a_leg_longer(cell in "[a-z é\u{1f600}]{0,700}") {
            let line = in_one_line(&cell);
            proptest::prop_assert!(line.chars().count() <= LONGEST);
            let plain = cell.split_whitespace().collect::<Vec<_>>().join(" ");
            let start: String = plain.chars().take(LONGEST - 1).collect();
            proptest::prop_assert!(line == plain || line == start + "…");
        }
    }

    #[test]
    fn only_a_leg_that_was_answered_lends_its_agent_to_the_call() {
        let agent = |status: &str| {
            let pairs =
                [("id", "L"), ("parent", "R"), ("started_at", START), ("agent", "Ada"), ("status", status)];
            record(grouped(&[]), &pairs).leg.agent
        };
        for status in ["", "answered", "Completed"] {
            assert_eq!(agent(status).as_deref(), Some("Ada"), "{status}");
        }
        for status in ["no answer", "missed", "declined by the agent", "voicemail"] {
            assert_eq!(agent(status), None, "{status}");
        }
    }

    #[test]
    fn a_row_that_names_no_group_is_the_root_of_those_that_name_it() {
        let pairs = [("id", "R"), ("parent", ""), ("started_at", START), ("email", "jo@example.com")];
        let found = record(grouped(&[]), &pairs);
        assert!(found.is_root() && found.group.implied);
        assert_eq!(found.call.unwrap().text, "Call with jo@example.com\n\u{2}\n\u{1}\n\n\0");
        let nameless = [("id", ""), ("parent", ""), ("started_at", START), ("email", "jo@example.com")];
        assert!(matches!(interpret(grouped(&[]), &nameless).outcome, Outcome::Call(_)));
        assert!(
            matches!(interpret(own_names(), &pairs).outcome, Outcome::Call(call) if call.text == "Call with jo@example.com\n\n\0")
        );
    }

    #[test]
    fn no_heading_joins_rows_without_being_named() {
        let pairs = [("id", "L"), ("call_group", "R"), ("started_at", START), ("email", "jo@example.com")];
        assert!(matches!(interpret(own_names(), &pairs).outcome, Outcome::Call(_)));
        let mut settings = own_names();
        settings.fields.insert("call.group".into(), "call_group".into());
        assert!(matches!(interpret(settings, &pairs).outcome, Outcome::Record(_)));
    }

    #[test]
    fn what_is_written_wrongly_is_no_leg() {
        let leg = |name: &str, value: &str| {
            let mut pairs = vec![("id", "L"), ("parent", "R"), ("started_at", START)];
            pairs.retain(|(known, _)| *known != name);
            pairs.push((name, value));
            interpret(grouped(&[]), &pairs).outcome
        };
        for (name, value) in [("started_at", ""), ("email", "jo@"), ("conversation_id", "x")] {
            assert!(matches!(leg(name, value), Outcome::Record(_)), "{name}");
        }
        for (name, value) in [("started_at", "soon"), ("duration", "12:34"), ("updated_at", "x")] {
            assert!(matches!(leg(name, value), Outcome::Rejected(_)), "{name}");
        }
        let root = [("id", "R"), ("parent", "R"), ("started_at", "soon")];
        assert!(record(grouped(&[]), &root).is_wrong, "its legs must know of it");
    }

    #[test]
    fn a_template_of_ones_own_may_place_the_legs() {
        let text = |template: &str| {
            let settings = MappingSettings { text: Some(template.into()), ..grouped(&[]) };
            let pairs = [("id", "R"), ("parent", "R"), ("started_at", START), ("email", "jo@example.com")];
            record(settings, &pairs).call.unwrap().text
        };
        assert_eq!(text("a\nb"), "a\nb\n\u{1}\n\0");
        assert_eq!(text("{{ legs }}\n{{ id }}"), "\u{1}\nR\n\0");
        assert_eq!(text("x {% if legs %}{{ legs }}{% endif %}"), "x \u{1}\n\0");
        assert_eq!(text("a\n({{ reference }}) b"), "a\n\u{1}\n(\0) b");
        assert_eq!(
            text("{{ id }} {{ reference }}\n{{ legs }}"),
            "R \0\n\u{1}\n\0",
            "a leg may hold a reference"
        );
    }
}
