//! Which customer of Help Scout a row's person is: by the user's directory, or by what is known of the account.
//!
//! The row's own id stands. Its e-mail stands too; where a list knows its id, the id is used, so that a customer's calls keep
//! together however rows name the person. A number alone leads to whom the directory names, else to whom the account does.

use super::{
    field::Field,
    people::{Holder, People, Person},
    reading::Reading,
    settings::{Ambiguous, MappingSettings},
};
use crate::call::{Customer, FIELD_RULES, FaultKind, FoundBy, check_field};

/// The customer whom `told`, the row's own word, leads to; `source` is the field that gives the number.
pub(super) fn look_up(
    told: &Customer,
    source: Option<Field>,
    reading: &mut Reading<'_>,
    settings: &MappingSettings,
) -> Customer {
    let mut customer = told.clone();
    if settings.directory.is_empty() && settings.account.is_empty() {
        return customer;
    }
    let person = match (told.id, &told.email, &told.phone) {
        (None, Some(email), _) => {
            customer.id = id_of_email(email, settings);
            [&settings.directory, &settings.account].into_iter().find_map(|list| list.of_email(email))
        }
        (None, None, Some(number)) => {
            by_number(number, source, reading, settings).map(|(person, found_by)| {
                customer.email.clone_from(&person.email);
                customer.id = person.id.or_else(|| id_of_email(person.email.as_deref()?, settings));
                // Whoever is only named is found by nothing yet.
                if person.is_a_way() {
                    customer.found_by = found_by;
                }
                person
            })
        }
        _ => None,
    };
    if let Some(person) = person {
        name(&mut customer, person);
    }
    customer
}

fn id_of_email(email: &str, settings: &MappingSettings) -> Option<u64> {
    let lists = [&settings.directory, &settings.account];
    lists.into_iter().find_map(|list| list.of_email(email)?.id)
}

/// Whether one of the lists leads from `number` to customers.
pub(super) fn is_known(number: &str, settings: &MappingSettings) -> bool {
    let leads = |list: &People| !matches!(list.holder(number), Holder::Nobody(_));
    leads(&settings.directory) || leads(&settings.account)
}

fn by_number<'s>(
    number: &str,
    source: Option<Field>,
    reading: &mut Reading<'_>,
    settings: &'s MappingSettings,
) -> Option<(&'s Person, FoundBy)> {
    let mut named = None;
    for (list, found_by) in [(&settings.directory, FoundBy::Directory), (&settings.account, FoundBy::Account)]
    {
        match list.holder(number) {
            Holder::One(person) => return Some((person, found_by)),
            Holder::Several(..) if found_by == FoundBy::Account && reading.is_settled(number) => {}
            Holder::Several(first, _) if settings.ambiguous == Ambiguous::First => {
                reading.warn(format!(
                    "numbers that {} gives to several customers lead to the first of them (`customer.ambiguous`)",
                    called(found_by)
                ));
                return Some((first, found_by));
            }
            Holder::Several(_, shown) => {
                let reason = format!(
                    "{} knows several customers with this number, `{shown}`: say in `customer.directory` whose it is, or \
                     set `customer.ambiguous` to `first`",
                    called(found_by)
                );
                reading.refuse(FaultKind::Customer, source.unwrap_or(Field::PHONE), reason);
                return None;
            }
            Holder::Nobody(person) => named = named.or(person),
        }
    }
    named.map(|person| (person, FoundBy::Nothing))
}

fn called(found_by: FoundBy) -> &'static str {
    if found_by == FoundBy::Directory { "the directory" } else { "the account" }
}

/// Names the customer where the row does not.
fn name(customer: &mut Customer, person: &Person) {
    if customer.field("firstName").or(customer.field("lastName")).is_some() {
        return;
    }
    let names = [("first_name", &person.first_name), ("last_name", &person.last_name)];
    for rule in FIELD_RULES {
        let given = names.iter().find(|(key, _)| *key == rule.key).and_then(|(_, value)| value.as_ref());
        if let Some(value) = given.filter(|value| check_field(rule.rule, value).is_ok()) {
            customer.fields.push((rule.name, value.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        call::{CallKey, CustomerKey, Destination, Moment},
        mapping::interpret::tests::{START, call, interpret, own_names, rejection, with},
    };

    fn people(entries: &[(u64, &str, &str, &str)]) -> Arc<People> {
        let mut people = People::default();
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        for (id, email, number, first_name) in entries {
            let person = Person {
                id: (*id > 0).then_some(*id),
                email: given(email),
                first_name: given(first_name),
                last_name: None,
            };
            people.add(person, [], given(number)).unwrap();
        }
        Arc::new(people)
    }

    fn settings() -> MappingSettings {
        MappingSettings {
            directory: people(&[
                (0, "jo@example.com", "+15550100", "Jo"),
                (12, "", "+15550101", ""),
                (0, "", "+15550102", "Al"),
                (0, "a@example.com", "+15550103", ""),
                (0, "b@example.com", "+15550103", ""),
                (0, "new@example.com", "+15550104", ""),
            ]),
            account: people(&[
                (456, "jo@example.com", "+15550105", "Johanna"),
                (457, "", "+15550101", ""),
                (458, "", "+15550102", ""),
                (459, "", "+15550106", "Kim"),
                (460, "", "+15550106", "Lee"),
            ]),
            ..own_names()
        }
    }

    fn found(more: &[(&'static str, &'static str)]) -> (CustomerKey, FoundBy) {
        let customer = call(settings(), &with(more)).customer;
        (customer.key().unwrap(), customer.found_by)
    }

    #[test]
    fn a_customer_is_found_by_the_row_then_the_directory_then_the_account() {
        let from = |number| [("from", number)];
        assert_eq!(found(&[("customer_id", "9"), ("from", "+15550100")]), (CustomerKey::Id(9), FoundBy::Id));
        assert_eq!(found(&[("email", "JO@example.com")]), (CustomerKey::Id(456), FoundBy::Email));
        let other = CustomerKey::Email("other@example.com".into());
        assert_eq!(found(&[("email", "other@example.com"), ("from", "+15550105")]), (other, FoundBy::Email));
        assert_eq!(
            found(&from("+15550100")),
            (CustomerKey::Id(456), FoundBy::Directory),
            "the account knows the e-mail"
        );
        assert_eq!(found(&from("+15550101")), (CustomerKey::Id(12), FoundBy::Directory));
        let new = CustomerKey::Email("new@example.com".into());
        assert_eq!(found(&from("+15550104")), (new, FoundBy::Directory));
        assert_eq!(found(&from("+15550105")), (CustomerKey::Id(456), FoundBy::Account));
        assert_eq!(
            found(&from("+15550102")),
            (CustomerKey::Id(458), FoundBy::Account),
            "a name alone is no way"
        );
        assert_eq!(found(&from("+15550199")), (CustomerKey::Phone("+15550199".into()), FoundBy::Nothing));
    }

    #[test]
    fn calls_of_one_customer_share_a_conversation_however_the_rows_name_them() {
        let group = |more: &[(&'static str, &'static str)]| match call(settings(), &with(more)).destination {
            Destination::Grouped { group, .. } => group,
            other @ Destination::Existing(_) => panic!("{other:?}"),
        };
        let by_email = group(&[("email", "jo@example.com"), ("from", "+15550142")]);
        assert_eq!(by_email, group(&[("from", "+15550100")]));
        assert_eq!(by_email, group(&[("from", "+15550105")]));
    }

    #[test]
    fn a_number_of_several_customers_is_told_or_leads_to_the_first() {
        let told = rejection(settings(), &with(&[("from", "+1 555-0103")]));
        assert_eq!(
            told,
            "from `+1 555-0103`: the directory knows several customers with this number, `a@example.com, b@example.com`: \
             say in `customer.directory` whose it is, or set `customer.ambiguous` to `first`"
        );
        assert!(rejection(settings(), &with(&[("from", "+15550106")])).contains("`459, 460`"));
        let first = MappingSettings { ambiguous: Ambiguous::First, ..settings() };
        let found = interpret(first.clone(), &with(&[("from", "+15550106")]));
        assert!(
            found.warnings[0].reason.contains("that the account gives to several"),
            "{:?}",
            found.warnings
        );
        assert_eq!(call(first, &with(&[("from", "+15550106")])).customer.id, Some(459));
    }

    #[test]
    fn what_is_known_of_a_person_names_them_where_the_row_does_not() {
        let named = |more: &[(&'static str, &'static str)]| {
            call(settings(), &with(more)).customer.field("firstName").map(str::to_owned)
        };
        assert_eq!(named(&[]).as_deref(), Some("Jo"));
        assert_eq!(named(&[("first_name", "Josephine")]).as_deref(), Some("Josephine"));
        let found = call(settings(), &with(&[]));
        assert_eq!(found.text, call(own_names(), &with(&[])).text, "a text tells what its row tells");
        let named_only = MappingSettings { account: Arc::default(), ..settings() };
        let al = call(named_only, &with(&[("from", "+15550102")])).customer;
        assert_eq!(
            (al.key(), al.field("firstName")),
            (Some(CustomerKey::Phone("+15550102".into())), Some("Al"))
        );
    }

    #[test]
    fn whom_a_number_leads_to_is_no_part_of_what_a_call_is_known_by() {
        let pairs = [("started_at", START), ("direction", "inbound"), ("phone", "+15550100")];
        let key = call(settings(), &pairs).identity.key;
        assert_eq!(key, call(own_names(), &pairs).identity.key);
        let start = Moment::parse_api(START).unwrap();
        assert_eq!(key, CallKey::from_content("old", start, "inbound", "phone:+15550100", "", None));
    }

    #[test]
    fn names_that_are_none_are_left_out() {
        for name in ["+1 555 0100", "ANONYMOUS"] {
            let found = interpret(own_names(), &with(&[("first_name", name)]));
            assert!(
                found.warnings[0].reason.contains("`customer.first_name` is left out where it is no name"),
                "{found:?}"
            );
        }
        let pairs =
            with(&[("first_name", "SPRINGFIELD"), ("last_name", "IL"), ("Caller City", "Springfield")]);
        assert_eq!(call(own_names(), &pairs).customer.fields, []);
    }

    #[test]
    fn an_invalid_email_is_left_out_where_a_list_knows_the_number() {
        let settings = MappingSettings { unknown: crate::mapping::UnknownCaller::Reject, ..settings() };
        assert_eq!(call(settings, &with(&[("email", "jo@nowhere")])).customer.id, Some(456));
    }
}
