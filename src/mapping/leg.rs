//! A row that is one of several records of a call: what it adds where another record stands for it, and what may be missing
//! from it then.

use super::{call_view::CallView, duration_form::show_duration, escape::escape_onto, field::Field};
use crate::call::{
    Call, CallKey, CallRecord, Fault, FaultKind, LEGS_SLOT, Leg, MOST_LEGS, REFERENCE_SLOT, Reference,
    Rejection, join_legs,
};

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

/// The call that `records` of one group tell of, with the place of the one that stands for it: of records that are not
/// wrong the one whose id the group is, else the earliest, else the first. Where the record with the group's id is at fault
/// none stands in for it. The checkpoint joins any number of records by the same rules.
pub fn join_records<P>(records: Vec<(P, CallRecord)>) -> Option<(P, Call)> {
    let roots = || records.iter().filter(|(_, record)| record.is_root());
    if roots().next().is_some() && roots().all(|(_, record)| record.call.is_err()) {
        return None;
    }
    let counts: Vec<bool> =
        (0..records.len()).map(|at| !records[at].1.is_wrong && !is_superseded(&records, at)).collect();
    let counted = records.into_iter().zip(counts).filter(|(_, counts)| *counts);
    let mut records: Vec<(P, CallRecord)> = counted.map(|(record, _)| record).collect();
    let rank = |record: &CallRecord| Some((!record.is_root(), record.call.as_ref().ok()?.started_at));
    let ranked = records.iter().enumerate().filter_map(|(at, (_, record))| Some((rank(record)?, at)));
    let (_, at) = ranked.min()?;
    let (place, standing) = records.remove(at);
    let mut call = standing.call.ok()?;
    let mut legs: Vec<Leg> = records.into_iter().map(|(_, record)| record.leg).collect();
    legs.sort_by(|a, b| {
        let key = |leg: &Leg| (leg.started_at.is_none(), leg.started_at);
        key(a).cmp(&key(b)).then_with(|| a.told.cmp(&b.told))
    });
    let more = legs.len().saturating_sub(MOST_LEGS);
    legs.truncate(MOST_LEGS);
    call.text = join_legs(&call.text, call.started_at, &legs, more as u64);
    Some((place, call))
}

/// Whether another record says the same as the one at `at` before it, or tells of the same id and is newer.
fn is_superseded<P>(records: &[(P, CallRecord)], at: usize) -> bool {
    let record = &records[at].1;
    let is_newer = |(index, (_, other)): (usize, &(P, CallRecord))| {
        other != record
            && !other.is_wrong
            && record.key.is_some()
            && other.key == record.key
            && record.updated_at.is_some()
            && (other.updated_at, index) > (record.updated_at, at)
            && (other.call.is_ok() || record.call.is_err())
    };
    records[..at].iter().any(|(_, other)| other == record) || records.iter().enumerate().any(is_newer)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, in_one_line};
    use crate::{
        call::{CallKey, CallRecord, Leg, MOST_LEGS, Moment},
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
    fn the_record_that_stands_for_a_call_is_its_own_else_the_earliest() {
        let of = |id: &str, start: &str, email: &str| {
            let pairs = [("id", id), ("parent", "R"), ("started_at", start), ("email", email), ("agent", id)];
            record(grouped(&[]), &pairs)
        };
        let (early, late) = ("2026-03-30T14:00:00Z", "2026-03-30T15:00:00Z");
        let joined =
            |records: Vec<CallRecord>| super::join_records(records.into_iter().enumerate().collect());
        let (at, call) = joined(vec![
            of("b", late, "jo@example.com"),
            of("a", early, ""),
            of("R", late, "jo@example.com"),
        ])
        .unwrap();
        assert_eq!(at, 2, "the one with the group's id");
        assert!(call.text.contains("Legs:\n14:00:00 UTC · a\n15:00:00 UTC · b"), "{}", call.text);
        let both = vec![of("b", late, "jo@example.com"), of("a", early, "jo@example.com")];
        assert_eq!(joined(both).unwrap().0, 1, "the earliest");
        let broken = vec![of("b", late, "jo@example.com"), of("R", early, "")];
        assert_eq!(joined(broken), None, "none stands in for a call that is at fault");
        assert_eq!(joined(vec![of("b", late, "")]), None);
        let mut wrong = of("c", early, "jo@example.com");
        wrong.is_wrong = true;
        let (at, call) = joined(vec![wrong, of("R", late, "jo@example.com")]).unwrap();
        assert!(at == 1 && !call.text.contains("Legs:"), "{}", call.text);
        let (mut old, mut new) = (of("d", early, ""), of("d", late, ""));
        (old.updated_at, new.updated_at) = (Some(1), Some(2));
        let root = || of("R", late, "jo@example.com");
        let (_, call) = joined(vec![new.clone(), old, new, root(), root()]).unwrap();
        assert!(
            call.text.contains("Legs:\n15:00:00 UTC · d\n\n"),
            "the newest of an id counts once: {}",
            call.text
        );
        let many =
            (0..=MOST_LEGS + 2).map(|number| of(&format!("x{number}"), late, "jo@example.com")).collect();
        assert!(joined(many).unwrap().1.text.contains("and 2 more"));
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
