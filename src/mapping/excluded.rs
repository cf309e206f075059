//! People whose calls must not be imported: `[source] exclude`.

use std::{collections::HashSet, fmt};

use super::{email::check_email, forms::NumberForm, reading::Reading};
use crate::{call::Customer, mapping::field::Field};

/// Numbers and e-mails of people whose rows are left out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Excluded {
    /// In the form in which callers' numbers are compared.
    numbers: HashSet<String>,
    /// In lower case.
    emails: HashSet<String>,
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

    /// Whether nobody is on the list.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.emails.is_empty()
    }

    /// Whether the list holds this number, in the form in which callers' numbers are compared, or this e-mail.
    pub fn holds(&self, number_or_email: &str) -> bool {
        self.numbers.contains(number_or_email) || self.holds_email(number_or_email)
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
                customer.email.as_deref().is_some_and(has_email)
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
    fn debug_output_masks_personal_data() {
        let shown = format!("{:?}", settings().excluded);
        assert!(!shown.contains("jo@") && !shown.contains("1555"), "{shown}");
    }
}
