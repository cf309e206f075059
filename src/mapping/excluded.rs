//! People whose calls must not be imported: `[source] exclude`.

use std::{collections::HashSet, fmt};

use super::{email::check_email, forms::NumberForm, people::People, reading::Reading};
use crate::{call::Customer, mapping::field::Field};

/// Numbers and e-mails of people whose rows are left out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Excluded {
    /// In the form in which callers' numbers are compared.
    numbers: HashSet<String>,
    /// In lower case.
    emails: HashSet<String>,
    /// Of people whom a list knows by one of these.
    ids: HashSet<u64>,
}

impl fmt::Debug for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Excluded")
            .field("count", &(self.numbers.len() + self.emails.len()))
            .finish_non_exhaustive()
    }
}

impl Excluded {
    /// Takes a cell of the list; whether it is an e-mail or a number, read as callers' numbers are.
    pub fn add(&mut self, cell: &str, form: NumberForm) -> bool {
        let cell = cell.trim();
        if check_email(cell).is_ok() {
            self.emails.insert(cell.to_lowercase());
            return true;
        }
        match form.read(cell) {
            Some(number) => {
                self.numbers.insert(number);
                true
            }
            None => false,
        }
    }

    /// Takes in how else `people` knows somebody of the list: the id, the other e-mails, and the numbers that are nobody
    /// else's. Whether that was more than was known.
    pub fn learn(&mut self, people: &People) -> bool {
        let before = self.numbers.len() + self.emails.len() + self.ids.len();
        let known = people.named_by(&self.numbers, &self.emails, &self.ids);
        self.numbers.extend(known.numbers);
        self.emails.extend(known.emails);
        self.ids.extend(known.ids);
        self.numbers.len() + self.emails.len() + self.ids.len() > before
    }

    /// Whether nobody is on the list.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.emails.is_empty()
    }

    /// Whether the list holds a customer by one of these; a number in the form in which callers' numbers are compared.
    pub fn holds(&self, id: Option<u64>, email: &str, number: &str) -> bool {
        id.is_some_and(|id| self.ids.contains(&id))
            || self.numbers.contains(number)
            || self.holds_email(email)
    }

    fn holds_email(&self, email: &str) -> bool {
        self.emails.contains(&email.to_lowercase())
    }

    /// Whether a row names somebody of the list in any of its numbers or its e-mail, or leads to such a person.
    pub(super) fn names(&self, reading: &Reading<'_>, customers: [&Customer; 2]) -> bool {
        if self.is_empty() {
            return false;
        }
        let form = reading.settings().forms.numbers;
        let given = reading
            .text(Field::PHONE)
            .into_iter()
            .flat_map(|text| text.split(", "))
            .filter_map(|text| form.read(text));
        let ends = [&reading.from_number, &reading.to_number];
        let ends = ends.into_iter().filter_map(|number| Some(form.complete(number.as_ref().ok()?.clone()?)));
        let has_number = |number: &str| self.numbers.contains(number);
        let has_email = |email: &str| self.holds_email(email);
        given.chain(ends).any(|number| has_number(&number))
            || reading.text(Field::EMAIL).is_some_and(has_email)
            || customers.iter().any(|customer| {
                customer.id.is_some_and(|id| self.ids.contains(&id))
                    || customer.email.as_deref().is_some_and(has_email)
                    || customer.phone.as_deref().is_some_and(has_number)
            })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::mapping::{
        MappingSettings, Outcome, People, Person,
        interpret::tests::{interpret, own_names, with},
    };

    fn settings() -> MappingSettings {
        let mut excluded = Excluded::default();
        for cell in ["+1 (555) 0100", " Jo@Example.com "] {
            assert!(excluded.add(cell, NumberForm::AsWritten), "{cell}");
        }
        assert!(!excluded.add("erased on request", NumberForm::AsWritten));
        MappingSettings { excluded: Arc::new(excluded), ..own_names() }
    }

    #[test]
    fn a_row_that_names_somebody_of_the_list_is_skipped_whatever_else_is_wrong_with_it() {
        for (rows, is_left_out) in [
            (with(&[]), true),
            (with(&[("started_at", "never")]), true),
            (with(&[("from", "+15550101"), ("to", "15550100")]), false),
            (with(&[("from", "+15550101"), ("to", "+15550100")]), true),
            (with(&[("from", "+15550101"), ("phone", "+15550102, +15550100")]), true),
            (with(&[("from", "+15550101"), ("email", "jo@example.com")]), true),
            (with(&[("from", "+15550101"), ("email", "al@example.com")]), false),
        ] {
            let found = interpret(settings(), &rows);
            assert_eq!(found.outcome == Outcome::Skipped, is_left_out, "{rows:?} {found:?}");
            assert_eq!(found.warnings.iter().any(|one| one.reason.contains("source.exclude")), is_left_out);
        }
    }

    #[test]
    fn a_number_that_leads_to_somebody_of_the_list_is_theirs() {
        let mut directory = People::default();
        let jo = Person { email: Some("jo@example.com".into()), ..Person::default() };
        directory.add(jo, [], ["+15550107".to_owned()]).unwrap();
        let settings = MappingSettings { directory: Arc::new(directory), ..settings() };
        assert_eq!(interpret(settings, &with(&[("from", "+15550107")])).outcome, Outcome::Skipped);
    }

    #[test]
    fn a_person_of_the_list_is_left_out_by_every_way_that_a_list_knows() {
        let mut account = People::default();
        let jo = Person { id: Some(456), email: Some("j@example.com".into()), ..Person::default() };
        account.add(jo, ["jo@example.com"], ["+15550107".to_owned(), "+15550108".to_owned()]).unwrap();
        let al = Person { id: Some(457), ..Person::default() };
        account.add(al, [], ["+15550108".to_owned()]).unwrap();
        let mut excluded = Excluded::default();
        excluded.add("jo@example.com", NumberForm::AsWritten);
        assert!(excluded.learn(&account) && !excluded.learn(&account));
        assert!(excluded.holds(Some(456), "", "") && excluded.holds(None, "J@example.com", ""));
        assert!(excluded.holds(None, "", "+15550107"));
        assert!(!excluded.holds(Some(457), "", "+15550108"), "an office's number is not the person's alone");
    }

    #[test]
    fn debug_output_masks_personal_data() {
        let shown = format!("{:?}", settings().excluded);
        assert!(!shown.contains("jo@") && !shown.contains("1555"), "{shown}");
    }
}
