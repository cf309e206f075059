//! The text of a call where no template is given, made for a support agent's eye.
//!
//! Who called whom, then what is known of the call, the notes as they are, the recording, and at the end the place of the
//! reference. Written by hand, since it is made a million times.

use super::{call_view::CallView, duration_form::show_duration, escape::escape_onto, field::Field};
use crate::call::{AGENT_SLOT, Customer, LEGS_SLOT, REFERENCE_SLOT};

/// The text, HTML-escaped, with [`REFERENCE_SLOT`] as its last line.
pub(super) fn default_text(call: &CallView<'_>) -> String {
    let mut text = String::with_capacity(256);
    push_headline(&mut text, call);
    let (agent, is_record) = (call.reading.text(Field::AGENT), call.reading.group().is_some());
    push_line(&mut text, "Agent: ", agent);
    if is_record && agent.is_none() {
        text.push(AGENT_SLOT);
    }
    let status = call.reading.text(Field::STATUS);
    // What became of a call that nobody answered says more than that it took no time.
    let duration = call.reading.duration.filter(|seconds| *seconds > 0 || status.is_none());
    push_line(&mut text, "Duration: ", duration.map(show_duration).as_deref());
    push_line(
        &mut text,
        "Ringing: ",
        call.reading.ringing.filter(|seconds| *seconds > 0).map(show_duration).as_deref(),
    );
    push_line(&mut text, "Result: ", status);
    push_line(&mut text, "Tags: ", call.reading.text(Field::TAGS));
    push_line(&mut text, "Ticket: ", call.reading.text(Field::TICKET));
    if let Some(notes) = call.reading.text(Field::NOTES) {
        text.push('\n');
        push_line(&mut text, "", Some(notes));
    }
    text.push('\n');
    if is_record {
        text.push(LEGS_SLOT);
        text.push_str("\n\n");
    }
    let label = match &call.reading.settings().recording_caution {
        Some(caution) => &format!("Recording ({caution}): "),
        None => "Recording: ",
    };
    push_line(&mut text, label, call.reading.text(Field::RECORDING));
    text.push(REFERENCE_SLOT);
    text
}

fn push_line(text: &mut String, label: &str, value: Option<&str>) {
    if let Some(value) = value {
        text.push_str(label);
        escape_onto(value, text);
        text.push('\n');
    }
}

/// `Inbound call from Jo Doe (+1 555 0100) to Sales (+1 555 0199)`, as far as it is known.
fn push_headline(text: &mut String, call: &CallView<'_>) {
    let direction = call.reading.direction.as_deref();
    match direction {
        Some("inbound") => text.push_str("Inbound call"),
        Some("outbound") => text.push_str("Outbound call"),
        Some(other) => {
            text.push_str("Call (");
            escape_onto(other, text);
            text.push(')');
        }
        None => text.push_str("Call"),
    }
    let customer = customer_name(call.customer);
    let line = call.reading.text(Field::LINE);
    // Of several people the one whose call it is.
    let own_number = call.reading.text(Field::PHONE).filter(|text| !text.contains(", "));
    let own_number =
        own_number.or_else(|| call.reading.text(Field::PHONE).and(call.customer.phone.as_deref()));
    let (from, to) = (call.reading.text(Field::FROM), call.reading.text(Field::TO));
    let (from, to) = match direction {
        Some("inbound") => ((customer.as_deref(), from.or(own_number)), (line, to)),
        Some("outbound") => ((line, from), (customer.as_deref(), to.or(own_number))),
        _ => ((None, from), (None, to)),
    };
    push_party(text, " from ", from);
    push_party(text, " to ", to);
    if from == (None, None) && to == (None, None) {
        push_party(text, " with ", (customer.as_deref(), own_number));
    }
    text.push('\n');
}

/// What a person would call the customer; an id says nothing to a reader.
fn customer_name(customer: &Customer) -> Option<String> {
    let named =
        customer.field("firstName").or(customer.field("lastName")).is_some() || customer.email.is_some();
    named.then(|| customer.shown())
}

fn push_party(text: &mut String, word: &str, (name, number): (Option<&str>, Option<&str>)) {
    let number = number.filter(|number| Some(*number) != name);
    let Some(first) = name.or(number) else { return };
    text.push_str(word);
    escape_onto(first, text);
    if let Some(number) = number.filter(|_| name.is_some()) {
        text.push_str(" (");
        escape_onto(number, text);
        text.push(')');
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        call::{CallKey, CustomerKey, Destination, Identity},
        mapping::interpret::tests::{START, call, own_names},
    };

    #[test]
    fn the_default_text_reads_as_a_person_would_tell_the_call() {
        let told = call(
            own_names(),
            &[
                ("ID", "17"),
                ("Started_At", START),
                ("direction", "Incoming"),
                ("from", "+1 555 0100"),
                ("to", "+1 555 0199"),
                ("line", "Sales"),
                ("agent", "Ada <Agent>"),
                ("duration", "00:03:12"),
                ("status", "answered"),
                ("tags", "billing, refund"),
                ("ringing", "8"),
                ("ticket", "#77"),
                ("notes", "Notes over\r\nseveral lines & more "),
                ("recording", "https://example.com/r/1?a=1&b=2"),
                ("first_name", "Jo"),
                ("last_name", "Doe"),
            ],
        );
        let expected = "Inbound call from Jo Doe (+1 555 0100) to Sales (+1 555 0199)\n\
             Agent: Ada &lt;Agent&gt;\nDuration: 3 min 12 s\nRinging: 8 s\nResult: answered\nTags: billing, refund\nTicket: #77\n\n\
             Notes over\nseveral lines &amp; more\n\n\
             Recording: https://example.com/r/1?a=1&amp;b=2\n\0";
        assert_eq!(told.text, expected);
        assert_eq!(told.identity, Identity { id: Some("17".into()), key: CallKey::from_id("old", "17") });
        assert_eq!(told.started_at.to_string(), START);
        assert_eq!(told.customer.key(), Some(CustomerKey::Phone("+15550100".into())));
        let destination = Destination::Grouped {
            inbox: String::new(),
            group: "phone:+15550100".into(),
            subject: "Phone calls".into(),
        };
        assert_eq!(told.destination, destination);
    }

    #[test]
    fn a_text_with_little_to_say_has_no_empty_lines() {
        let told =
            call(own_names(), &[("started_at", START), ("email", "jo@example.com"), ("direction", "out")]);
        assert_eq!(told.text, "Outbound call to jo@example.com\n\n\0");
        let told =
            call(own_names(), &[("started_at", START), ("customer_id", "4"), ("direction", "internal")]);
        assert_eq!(told.text, "Call (internal)\n\n\0");
        let told = call(own_names(), &[("started_at", START), ("phone", "=\"555-0142\"")]);
        assert_eq!(told.text, "Call with 555-0142\n\n\0", "a spreadsheet's marks are no part of it");
        let told = call(own_names(), &[("started_at", START), ("phone", "555-0142")]);
        assert_eq!(told.text, "Call with 555-0142\n\n\0");
        let missed = [("started_at", START), ("phone", "+1 555 0100, +1 555 0101"), ("direction", "in")];
        let told = call(own_names(), &[&missed[..], &[("duration", "0"), ("status", "missed")]].concat());
        assert_eq!(told.text, "Inbound call from +15550100\nResult: missed\n\n\0");
    }
}
