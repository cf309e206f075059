//! A row of the user's directory: whose a number is.

use std::fmt;

use super::{
    email::check_email,
    forms::NumberForm,
    number::read_number,
    people::{People, Person, TwoPeople},
};

/// The columns of a directory; each may be missing.
pub const DIRECTORY_COLUMNS: [&str; 5] = ["phone", "email", "id", "first_name", "last_name"];

/// What a row of a directory says, by its columns; nothing where a cell is empty.
#[derive(Clone, Copy, Default)]
pub struct DirectoryRow<'r> {
    /// One number, or several with commas between them.
    pub phone: Option<&'r str>,
    /// The e-mail by which Help Scout finds the person.
    pub email: Option<&'r str>,
    /// Help Scout's id.
    pub id: Option<&'r str>,
    /// The first name.
    pub first_name: Option<&'r str>,
    /// The last name.
    pub last_name: Option<&'r str>,
}

/// A cell of a directory that cannot be used, and is left out.
#[derive(Clone, PartialEq, Eq)]
pub struct UnusedCell {
    /// Its column.
    pub column: &'static str,
    /// Its value.
    pub value: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Debug for DirectoryRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectoryRow").finish_non_exhaustive()
    }
}

/// Without the value, which may be a person's.
impl fmt::Debug for UnusedCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnusedCell")
            .field("column", &self.column)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl People {
    /// Enters a row of a directory, its numbers read as callers' are; what of it cannot be used.
    pub fn add_row(&mut self, row: DirectoryRow<'_>, form: NumberForm) -> Result<Vec<UnusedCell>, TwoPeople> {
        let mut unused = Vec::new();
        let mut refuse = |column, value: &str, reason: String| {
            unused.push(UnusedCell { column, value: value.to_owned(), reason });
        };
        let mut numbers = Vec::new();
        for text in row.phone.into_iter().flat_map(|cell| cell.split([',', ';'])).map(str::trim) {
            match read_number(text) {
                Ok(Some(number)) => numbers.push(form.complete(number)),
                Ok(None) if text.is_empty() => {}
                Ok(None) => refuse("phone", text, "is no phone number".to_owned()),
                Err(fault) => refuse("phone", text, fault.to_string()),
            }
        }
        let email = row.email.filter(|email| match check_email(email) {
            Ok(()) => true,
            Err(fault) => {
                refuse("email", email, fault.to_string());
                false
            }
        });
        let id = row.id.and_then(|text| {
            let digits = text.strip_suffix(".0").unwrap_or(text);
            let id = digits.parse().ok().filter(|id: &u64| *id > 0 && i64::try_from(*id).is_ok());
            if id.is_none() {
                refuse(
                    "id",
                    text,
                    "is not an id of Help Scout: a positive whole number is needed".to_owned(),
                );
            }
            id
        });
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let person = Person {
            id,
            email: owned(email),
            first_name: owned(row.first_name),
            last_name: owned(row.last_name),
        };
        self.add(person, [], numbers)?;
        Ok(unused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{Country, people::Holder};

    #[test]
    fn a_row_is_entered_under_each_of_its_numbers() {
        let mut people = People::default();
        let row = DirectoryRow {
            phone: Some("030 555123; +1 (555) 0100"),
            email: Some("jo@example.com"),
            id: Some("456.0"),
            ..DirectoryRow::default()
        };
        let form = NumberForm::National(Country::parse("DE").unwrap());
        assert_eq!(people.add_row(row, form), Ok(Vec::new()));
        for number in ["+4930555123", "+15550100"] {
            assert!(matches!(people.holder(number), Holder::One(jo) if jo.id == Some(456)), "{number}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_and_the_rest_is_entered() {
        let mut people = People::default();
        let row = DirectoryRow {
            phone: Some("reception, +15550100, 4.93E+11"),
            email: Some("jo@"),
            id: Some("C-17"),
            first_name: Some("Jo"),
            last_name: None,
        };
        let unused = people.add_row(row, NumberForm::AsWritten).unwrap();
        let told: Vec<(&str, &str)> = unused.iter().map(|cell| (cell.column, cell.value.as_str())).collect();
        assert_eq!(told, [("phone", "reception"), ("phone", "4.93E+11"), ("email", "jo@"), ("id", "C-17")]);
        assert!(matches!(people.holder("+15550100"), Holder::Nobody(Some(jo)) if jo.first_name.is_some()));
    }
}
