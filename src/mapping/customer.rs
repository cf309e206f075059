//! Whose call it is, and what the service may be told of the person.

use super::{
    email::check_email,
    field::Field,
    number::{NumberFault, read_number},
    person_lookup::is_known,
    person_name::is_no_name,
    reading::Reading,
    settings::{HiddenCaller, MappingSettings, UnknownCaller},
};
use crate::call::{Cells, Customer, FIELD_RULES, Fault, FaultKind, FieldFault, FoundBy, check_field};

/// The keys of what makes up a person's name.
const NAMES: [&str; 2] = ["first_name", "last_name"];
/// Digits of a number that is no extension.
const LEAST_NATIONAL: usize = 7;

/// What a row says of the customer's number.
enum Number {
    /// With the field that gives it.
    Known(String, Field),
    /// None is given, or the caller hid it.
    Hidden,
    /// The far end is the company's own.
    Own,
    /// Which of the two numbers is the customer's cannot be told.
    Untold,
    Unreadable(Field, NumberFault),
}

/// The customer as a row tells of the person, with the field that gives the number. What is wrong is noted with the reading.
pub(super) fn customer_of(
    reading: &mut Reading<'_>,
    settings: &MappingSettings,
    cells: &Cells,
) -> (Customer, Option<Field>) {
    let faults_before = reading.faults.len();
    let id = reading.positive(FaultKind::Value, Field::CUSTOMER_ID);
    let number = customer_number(reading, settings);
    let is_local = matches!(&number, Number::Known(number, _) if !number.starts_with('+') && number.len() >= LEAST_NATIONAL);
    if id.is_none() && is_local {
        reading.warn("customers' numbers without a country code stay so: `customer.country` or `source.numbers` adds it");
    }
    let by_number = matches!(&number, Number::Known(number, _)
        if settings.unknown == UnknownCaller::Create || is_known(number, settings));
    let email = email_of(reading, id.is_some() || by_number);
    let fields = optional_fields(reading, cells);
    let found_by = match (id, &email) {
        (Some(_), _) => FoundBy::Id,
        (None, Some(_)) => FoundBy::Email,
        (None, None) => FoundBy::Nothing,
    };
    let mut customer = Customer { id, email, phone: None, fields, found_by };
    let is_found = customer.id.is_some() || customer.email.is_some();
    let is_open = !is_found && reading.faults.len() == faults_before;
    let mut source = None;
    match number {
        Number::Known(number, field) => {
            // Whether the checkpoint or another row knows the number stands only at the end.
            customer.phone = Some(number);
            source = Some(field);
        }
        Number::Unreadable(field, _) if is_found => {
            reading
                .warn(format!("`{}` is left out where it cannot be read as one phone number", field.name()));
        }
        Number::Unreadable(field, fault) if is_open => {
            reading.refuse(FaultKind::Customer, field, fault.to_string());
        }
        Number::Hidden if is_open => match settings.hidden {
            HiddenCaller::Customer(id) => (customer.id, customer.found_by) = (Some(id), FoundBy::Id),
            HiddenCaller::Reject => {
                reading.faults.push(no_way("no way to a customer: no id, no e-mail and no number"));
            }
        },
        Number::Own if is_open => reading.faults.push(no_way(
            "no way to a customer: the number at the far end is one of the company's own (`source.own_numbers`)",
        )),
        Number::Untold if is_open => {
            let fault = untold(reading);
            reading.faults.push(fault);
        }
        Number::Unreadable(..) | Number::Hidden | Number::Own | Number::Untold => {}
    }
    (customer, source)
}

fn no_way(reason: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Customer, reason)
}

/// Which of the numbers is the customer's.
fn untold(reading: &Reading<'_>) -> Fault {
    no_way(match &reading.direction {
        None => {
            "which number is the customer's cannot be told without a direction: map `call.direction` or `customer.phone`"
                .to_owned()
        }
        Some(word) => {
            format!("which number is the customer's cannot be told from the direction `{word}`: map `customer.phone`")
        }
    })
}

/// The customer's number where it is given, else the far end of the call; never one of the company's.
fn customer_number(reading: &mut Reading<'_>, settings: &MappingSettings) -> Number {
    let complete = |number| settings.forms.numbers.complete(number);
    let (mut fault, mut is_own, mut hides) = (None, false, false);
    let mut given: Vec<String> = Vec::new();
    // A call of several people names them one after another.
    for text in reading.text(Field::PHONE).into_iter().flat_map(|text| text.split(", ")) {
        match read_number(text).map(|number| number.map(complete)) {
            Ok(Some(number)) if reading.is_own_number(&number) => is_own = true,
            Ok(Some(number)) => given.push(number),
            Ok(None) => hides = true,
            Err(why) => fault = Some(why),
        }
    }
    if given.len() > 1 {
        reading.warn("`customer.phone` names several people: the call goes to the first");
        given.truncate(1);
    }
    if let Some(number) = given.pop() {
        return Number::Known(number, Field::PHONE);
    }
    match (far_end(reading, settings), fault) {
        (Number::Known(number, field), fault) => {
            if fault.is_some() {
                reading.warn("the number of the call is taken where `customer.phone` cannot be read as one phone number");
            }
            Number::Known(number, field)
        }
        (_, Some(fault)) => Number::Unreadable(Field::PHONE, fault),
        // Beside the company's number a word may stand for the caller's.
        (Number::Hidden, None) if is_own && !hides => Number::Own,
        (other, None) => other,
    }
}

/// What stands at the other end of the line, by the direction.
fn far_end(reading: &Reading<'_>, settings: &MappingSettings) -> Number {
    let (field, number) = match reading.direction.as_deref() {
        Some("inbound") => (Field::FROM, &reading.from_number),
        Some("outbound") => (Field::TO, &reading.to_number),
        _ if reading.from_number == Ok(None) && reading.to_number == Ok(None) => return Number::Hidden,
        _ => return Number::Untold,
    };
    match number {
        Ok(None) => Number::Hidden,
        Err(fault) => Number::Unreadable(field, *fault),
        Ok(Some(number)) => {
            let number = settings.forms.numbers.complete(number.clone());
            if reading.is_own_number(&number) { Number::Own } else { Number::Known(number, field) }
        }
    }
}

fn email_of(reading: &mut Reading<'_>, found_otherwise: bool) -> Option<String> {
    let text = reading.text(Field::EMAIL)?;
    match check_email(text) {
        Ok(()) => Some(text.to_owned()),
        Err(_) if found_otherwise => {
            reading.warn("`customer.email` is left out where it is not a valid address");
            None
        }
        Err(fault) => {
            reading.refuse(FaultKind::Email, Field::EMAIL, fault.to_string());
            None
        }
    }
}

fn optional_fields(reading: &mut Reading<'_>, cells: &Cells) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let is_named = is_named(reading, cells);
    for (index, rule) in FIELD_RULES.iter().enumerate() {
        let Some(value) = reading.text(Field::optional(index)) else { continue };
        if !is_named && NAMES.contains(&rule.key) {
            reading.warn(format!(
                "`customer.{}` is left out where it is no name but a number, a city or a placeholder",
                rule.key
            ));
            continue;
        }
        match check_field(rule.rule, value) {
            Ok(()) => fields.push((rule.name, value.to_owned())),
            Err(FieldFault::Length { least, most, .. }) => reading.warn(format!(
                "`customer.{}` is left out where it has not {least} to {most} characters",
                rule.key
            )),
            Err(fault) => reading.warn(format!("`customer.{}` is left out where it {fault}", rule.key)),
        }
    }
    fields
}

/// Whether what stands in place of the person's name is one.
fn is_named(reading: &Reading<'_>, cells: &Cells) -> bool {
    let text = |key: &str| {
        let index = FIELD_RULES.iter().position(|rule| rule.key == key);
        index.and_then(|index| reading.text(Field::optional(index)))
    };
    let whole: Vec<&str> = NAMES.iter().filter_map(|key| text(key)).collect();
    whole.is_empty() || !is_no_name(&whole.join(" "), text("location"), cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::CustomerKey,
        mapping::{
            Forms, NumberForm, Outcome,
            interpret::tests::{START, call, interpret, own_names, rejection, with},
        },
    };

    #[test]
    fn the_customer_is_the_far_end_unless_one_is_named() {
        let of =
            |more: &[(&'static str, &'static str)]| call(own_names(), &with(more)).customer.key().unwrap();
        assert_eq!(of(&[("to", "+1 555 0199")]), CustomerKey::Phone("+15550100".into()));
        assert_eq!(
            of(&[("to", "+1 555 0199"), ("direction", "OUT")]),
            CustomerKey::Phone("+15550199".into())
        );
        assert_eq!(of(&[("phone", "555-0142")]), CustomerKey::Phone("5550142".into()));
        assert_eq!(of(&[("phone", "anonymous")]), CustomerKey::Phone("+15550100".into()));
        assert_eq!(of(&[("email", "Jo@Example.com")]), CustomerKey::Email("jo@example.com".into()));
        assert_eq!(of(&[("email", "jo@example.com"), ("customer_id", "456.0")]), CustomerKey::Id(456));
    }

    #[test]
    fn a_row_without_a_way_to_a_customer_is_rejected_unless_told_otherwise() {
        let hidden = with(&[("from", "Anonymous")]);
        assert!(rejection(own_names(), &hidden).contains("no way to a customer"));
        let settings = MappingSettings { hidden: HiddenCaller::Customer(9), ..own_names() };
        assert_eq!(call(settings, &hidden).customer.id, Some(9));
        let settings = MappingSettings { unknown: UnknownCaller::Reject, ..own_names() };
        assert_eq!(call(settings, &with(&[])).customer.key(), Some(CustomerKey::Phone("+15550100".into())));
        assert!(
            rejection(own_names(), &with(&[("direction", "")]))
                .contains("cannot be told without a direction")
        );
    }

    #[test]
    fn a_caller_is_hidden_only_where_the_far_end_has_no_number() {
        let settings = MappingSettings {
            hidden: HiddenCaller::Customer(9),
            own_numbers: vec!["+1 555 0199".into()],
            ..own_names()
        };
        let outcome =
            |more: &[(&'static str, &'static str)]| interpret(settings.clone(), &with(more)).outcome;
        let line = ("to", "+1 555 0198");
        for hidden in [
            &[("from", ""), line][..],
            &[("from", "Anonymous"), line],
            &[("from", "+1 555 0198"), ("direction", "outbound"), ("to", "")],
            &[("from", ""), ("direction", "internal")],
            &[("from", "private"), ("direction", ""), ("phone", "withheld")],
            &[("from", ""), ("phone", "+1 555 0199, anonymous")],
        ] {
            let outcome = outcome(hidden);
            assert!(
                matches!(&outcome, Outcome::Call(call) if call.customer.id == Some(9)),
                "{hidden:?} {outcome:?}"
            );
        }
        for (shown, why) in [
            (&[("direction", "internal"), line][..], "from the direction `internal`"),
            (&[("direction", ""), line], "without a direction"),
            (&[("direction", ""), ("from", ""), line], "without a direction"),
            (&[("direction", "out"), ("to", "+1 555 0199")], "one of the company's own"),
            (&[("from", ""), ("phone", "+1 555 0199")], "one of the company's own"),
            (&[("from", "4.93E+11")], "export it again"),
        ] {
            let told = rejection(settings.clone(), &with(shown));
            assert!(told.contains(why), "{shown:?} {told}");
        }
        let named = outcome(&[("from", ""), ("phone", "+1 555 0142")]);
        assert!(matches!(&named, Outcome::Call(call) if call.customer.id.is_none()), "{named:?}");
    }

    #[test]
    fn a_number_that_cannot_be_read_is_named_and_left_out_only_where_the_customer_is_found_without_it() {
        let ruined = with(&[("from", "4.93E+11")]);
        let told = rejection(own_names(), &ruined);
        assert!(told.starts_with("from `4.93E+11`: ") && told.contains("export it again"), "{told}");
        let settings = MappingSettings { hidden: HiddenCaller::Customer(9), ..own_names() };
        assert_eq!(rejection(settings, &ruined), told, "it is no hidden number");
        let told = rejection(own_names(), &with(&[("from", "+1 555 0100; +1 555 0101")]));
        assert!(told.starts_with("from `+1 555 0100; +1 555 0101`: holds several"), "{told}");
        let told = rejection(own_names(), &with(&[("from", ""), ("phone", "2026-03-30")]));
        assert!(told.starts_with("phone `2026-03-30`: is a date"), "{told}");

        let warnings = |more: &[(&'static str, &'static str)], phone: Option<&str>| {
            let found = interpret(own_names(), &with(more));
            let Outcome::Call(call) = found.outcome else { panic!("{found:?}") };
            assert_eq!(call.customer.phone.as_deref(), phone);
            found.warnings.into_iter().map(|warning| warning.reason).collect::<Vec<_>>()
        };
        assert_eq!(
            warnings(&[("from", "4.93E+11"), ("email", "jo@example.com")], None),
            ["`call.from` is left out where it cannot be read as one phone number"]
        );
        assert_eq!(
            warnings(&[("phone", "4.93E+11")], Some("+15550100")),
            ["the number of the call is taken where `customer.phone` cannot be read as one phone number"]
        );
    }

    #[test]
    fn the_companys_own_number_is_never_the_customers() {
        let settings = MappingSettings {
            own_numbers: vec!["+1 555 0100".into()],
            forms: Forms { numbers: NumberForm::International, ..Forms::default() },
            ..own_names()
        };
        let told = rejection(settings.clone(), &with(&[("from", "15550100")]));
        assert!(told.contains("no way to a customer") || told.contains("which number"), "{told}");
        let found = interpret(settings, &with(&[("phone", "15550100, 15550142, 15550143")]));
        let Outcome::Call(call) = found.outcome else { panic!("{found:?}") };
        assert_eq!(call.customer.phone.as_deref(), Some("+15550142"));
        assert!(found.warnings[0].reason.contains("names several people"), "{:?}", found.warnings);
    }

    #[test]
    fn an_invalid_email_is_left_out_only_where_the_customer_is_found_without_it() {
        let found = interpret(own_names(), &with(&[("email", "jo@nowhere")]));
        assert!(matches!(&found.outcome, Outcome::Call(call) if call.customer.email.is_none()), "{found:?}");
        assert_eq!(found.warnings.len(), 1);
        let lost = [("started_at", START), ("email", "jo@nowhere")];
        assert_eq!(rejection(own_names(), &lost), "email `jo@nowhere`: is not an e-mail address");
        let strict = MappingSettings { unknown: UnknownCaller::Reject, ..own_names() };
        assert!(rejection(strict, &with(&[("email", "jo@nowhere")])).starts_with("email `jo@nowhere`"));
    }

    #[test]
    fn a_field_that_the_service_would_refuse_is_left_out_with_a_warning() {
        let long = "x".repeat(47);
        let (name, start) = (("first_name", long.as_str()), ("started_at", START));
        let found =
            interpret(own_names(), &[start, ("customer_id", "4"), name, ("gender", "x"), ("age", "40")]);
        let Outcome::Call(call) = found.outcome else { panic!("{found:?}") };
        assert_eq!(call.customer.fields, [("age", "40".to_owned())]);
        let reasons: Vec<&str> = found.warnings.iter().map(|warning| warning.reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "`customer.first_name` is left out where it has not 1 to 40 characters",
                "`customer.gender` is left out where it is none of male, female, unknown",
            ]
        );
    }
}
