//! Which conversation a call goes to.

use super::{
    bound::{BoundMapping, InboxChoice},
    call_view::CallView,
    expression::Group,
    settings::InboxSettings,
    template::Template,
};
use crate::call::{Destination, Fault, FaultKind, Identity};

/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 250;
/// The subject where none is given or nothing is rendered.
const PLAIN_SUBJECT: &str = "Phone calls";

/// The destination of a call, or every reason why it has none.
pub(super) fn destination_of(
    mapping: &BoundMapping,
    call: &CallView<'_>,
    identity: Option<&Identity>,
) -> Result<Destination, Vec<Fault>> {
    if let Some(id) = call.conversation {
        return Ok(Destination::Existing(id));
    }
    let mut faults = Vec::new();
    let mut take =
        |result: Result<String, Fault>| result.map_err(|fault| faults.push(fault)).unwrap_or_default();
    let inbox = take(inbox_of(mapping, call));
    let group = take(group_of(mapping, call, identity));
    let subject = take(subject_of(mapping, call));
    if faults.is_empty() { Ok(Destination::Grouped { inbox, group, subject }) } else { Err(faults) }
}

fn inbox_of(mapping: &BoundMapping, call: &CallView<'_>) -> Result<String, Fault> {
    let settings: &InboxSettings = &mapping.settings().inbox;
    let Some(choice) = mapping.inbox_choice() else { return Ok(settings.inbox.clone().unwrap_or_default()) };
    let (value, label) = match choice {
        InboxChoice::Template(template) => {
            (template.render(mapping.engine(), call)?, template.key().to_owned())
        }
        InboxChoice::Field(field) => {
            let value = call.reading.text(*field).unwrap_or_default().to_owned();
            (value, mapping.label(*field))
        }
        InboxChoice::Column(source) => {
            let value = mapping.fetch(source, call.cells()).ok().flatten().unwrap_or_default().into_owned();
            (value, source.label().to_owned())
        }
    };
    let value = value.trim();
    let in_any_case = || settings.table.iter().find(|(known, _)| known.trim().eq_ignore_ascii_case(value));
    let found = settings.table.get(value).or_else(|| in_any_case().map(|(_, inbox)| inbox));
    found.or(settings.otherwise.as_ref()).cloned().ok_or_else(|| {
        let reason =
            "has no inbox: add it to `[conversation.inboxes]`, or set `conversation.inbox_otherwise`";
        Fault::of_value(FaultKind::Destination, label, value, reason)
    })
}

fn group_of(
    mapping: &BoundMapping,
    call: &CallView<'_>,
    identity: Option<&Identity>,
) -> Result<String, Fault> {
    match mapping.group() {
        Group::Customer => Ok(call.customer.key().map(|key| key.canonical()).unwrap_or_default()),
        Group::Call => Ok(identity.map(call_group).unwrap_or_default()),
        Group::Template(template) => rendered_group(mapping, call, template),
    }
}

/// The key, and the id for those who look into the checkpoint.
fn call_group(identity: &Identity) -> String {
    let mut key = String::with_capacity(32);
    for byte in identity.key.to_bytes() {
        key.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or_default());
        key.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or_default());
    }
    match &identity.id {
        Some(id) => format!("call:{key}:{id}"),
        None => format!("call:{key}"),
    }
}

fn rendered_group(mapping: &BoundMapping, call: &CallView<'_>, template: &Template) -> Result<String, Fault> {
    let group = template.render(mapping.engine(), call)?;
    let group = group.trim();
    if group.is_empty() && call.reading.faults.is_empty() {
        let fault = template.fault("renders to nothing, so that no conversation can be told");
        return Err(Fault { kind: FaultKind::Destination, ..fault });
    }
    Ok(group.to_owned())
}

fn subject_of(mapping: &BoundMapping, call: &CallView<'_>) -> Result<String, Fault> {
    let Some(template) = mapping.subject() else { return Ok(PLAIN_SUBJECT.to_owned()) };
    let rendered = template.render(mapping.engine(), call)?;
    let folded = rendered.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(match folded.char_indices().nth(LONGEST_SUBJECT) {
        _ if folded.is_empty() => PLAIN_SUBJECT.to_owned(),
        Some((end, _)) => folded.get(..end).unwrap_or_default().trim_end().to_owned(),
        None => folded,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{
        MappingSettings,
        interpret::tests::{call, own_names, rejection, with},
    };

    #[test]
    fn the_inbox_is_chosen_by_a_field_a_column_or_a_template() {
        let by = |by: &str, otherwise: Option<&str>| MappingSettings {
            inbox: InboxSettings {
                inbox: Some("1".into()),
                by: Some(by.into()),
                table: [("Sales DE".to_owned(), "85".to_owned())].into(),
                otherwise: otherwise.map(str::to_owned),
            },
            ..own_names()
        };
        let inbox =
            |settings, line: &'static str| match call(settings, &with(&[("line", line), ("Queue", line)]))
                .destination
            {
                Destination::Grouped { inbox, .. } => inbox,
                other @ Destination::Existing(_) => panic!("{other:?}"),
            };
        for choice in ["line", "Queue", "{{ row['Queue'] }}", "Sales {{ line | replace('Sales ', '') }}"] {
            assert_eq!(inbox(by(choice, None), "Sales DE"), "85", "{choice}");
        }
        assert_eq!(inbox(by("line", Some("Support")), "Other"), "Support");
        let told = rejection(by("line", None), &with(&[("line", "Other")]));
        assert!(told.starts_with("line `Other`: has no inbox: add it to `[conversation.inboxes]`"), "{told}");
    }

    #[test]
    fn a_call_goes_into_the_conversation_that_it_names() {
        let to = |id: &'static str| with(&[("conversation_id", id)]);
        assert_eq!(call(own_names(), &to("123")).destination, Destination::Existing(123));
        assert!(matches!(call(own_names(), &to(" ")).destination, Destination::Grouped { .. }));
        assert!(rejection(own_names(), &to("0")).contains("positive whole number"));
        let alone = MappingSettings { group_by: "call".into(), ..own_names() };
        let Destination::Grouped { group, .. } = call(alone, &with(&[("id", "17")])).destination else {
            unreachable!()
        };
        assert!(group.starts_with("call:") && group.ends_with(":17") && group.len() == 5 + 32 + 3, "{group}");
    }

    #[test]
    fn a_subject_is_one_line_of_at_most_250_characters() {
        let subject = |template: &str| {
            let settings = MappingSettings { subject: template.into(), ..own_names() };
            match call(settings, &with(&[])).destination {
                Destination::Grouped { subject, .. } => subject,
                other @ Destination::Existing(_) => panic!("{other:?}"),
            }
        };
        assert_eq!(subject("Calls\n with  {{ customer.phone }}"), "Calls with +15550100");
        assert_eq!(subject("{{ notes }}"), "Phone calls");
        assert_eq!(subject(&"é".repeat(300)).chars().count(), 250);
    }
}
