//! Which rows are left out because somebody whom they name must not come back (see [`super::forget_people`]).

use std::collections::HashSet;

use rusqlite::Connection;

use super::{Stager, staged_call::customer_key};
use crate::call::{Customer, CustomerKey};

/// The people whose rows are left out: few, or none.
pub(super) fn barred_people(connection: &Connection) -> rusqlite::Result<HashSet<[u8; 16]>> {
    connection.prepare("SELECT hash FROM barred")?.query_map([], |row| row.get(0))?.collect()
}

impl Stager<'_> {
    /// Whether rows that name this customer are left out.
    pub(super) fn bars(&self, customer: &Customer) -> bool {
        customer.email.as_deref().is_some_and(|email| self.bars_email(email))
            || customer.phone.as_deref().is_some_and(|phone| self.bars_number(phone))
    }

    /// Whether anybody is barred: without it nothing else need be asked.
    pub fn bars_anybody(&self) -> bool {
        !self.barred.is_empty()
    }

    /// Whether rows that name this e-mail are left out.
    pub fn bars_email(&self, email: &str) -> bool {
        self.bars_anybody() && self.secret.is_some_and(|secret| self.barred.contains(&secret.email(email)))
    }

    /// Whether rows that name this number, in its normal form, are left out. Of a number that was forgotten before its
    /// person was barred, the file held no more than the key of its customer.
    pub fn bars_number(&self, number: &str) -> bool {
        let key = || self.hidden(customer_key(Some(&CustomerKey::Phone(number.to_owned()))));
        self.bars_anybody()
            && self.secret.is_some_and(|secret| {
                self.barred.contains(&secret.number(number)) || self.barred.contains(&key())
            })
    }
}
