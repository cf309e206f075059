//! Where a call belongs: the queue of its conversation, and its customer.

use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::{BuildHasherDefault, Hash, Hasher},
};

use rusqlite::{OptionalExtension, params};

use super::{CheckpointError, StagedCall, Stager, found_by};
use crate::call::{Customer, Destination};

/// Pairs that are kept in memory, one for each customer in a company of that many; beyond that all are looked up anew.
const MOST: usize = 220_000;

/// The numbers of a queue and a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) queue: i64,
    pub(super) customer: i64,
}

/// The placements of calls that were seen lately: one question for both instead of two to the database.
#[derive(Debug, Default)]
pub(super) struct KnownPlacements(HashMap<Pair, Placement, BuildHasherDefault<Digested>>);

/// The digests of queue and customer, folded into one that is as good, with how the row names the customer: another e-mail
/// or number is to be noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair(u64, u64);

impl Pair {
    fn of(staged: &StagedCall) -> Self {
        let halves = |digest: [u8; 16]| {
            let (high, low) = digest.split_at(8);
            [high, low].map(|half| half.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
        };
        let ([queue, more], [customer, rest]) = (halves(staged.queue), halves(staged.customer));
        // Turned, so that a queue and a customer of one digest do not cancel each other.
        Self(
            queue.rotate_left(1) ^ customer,
            more.rotate_left(1) ^ rest ^ contact_hash(&staged.call.customer),
        )
    }
}

impl Hash for Pair {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// A digest needs no further hashing.
#[derive(Debug, Default)]
struct Digested(u64);

impl Hasher for Digested {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |number, byte| number.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Stager<'_> {
    /// Where `staged` belongs; queue and customer are entered where they are new.
    pub(super) fn placement(&mut self, staged: &StagedCall) -> Result<Placement, CheckpointError> {
        let pair = Pair::of(staged);
        if let Some(placement) = self.placements.0.get(&pair) {
            return Ok(*placement);
        }
        let placement = Placement { queue: self.queue(staged)?, customer: self.customer(staged)? };
        if self.placements.0.len() >= MOST {
            self.placements.0.clear();
        }
        self.placements.0.insert(pair, placement);
        Ok(placement)
    }

    fn queue(&self, staged: &StagedCall) -> rusqlite::Result<i64> {
        let (key, c) = (self.hidden(staged.queue), &self.connection);
        let (existing, inbox, subject) = match &staged.call.destination {
            Destination::Existing(id) => (Some(*id), "", ""),
            Destination::Grouped { inbox, subject, .. } => (None, inbox.as_str(), subject.as_str()),
        };
        let known = c
            .prepare_cached("SELECT id FROM queues WHERE key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        if let Some(id) = known {
            self.tell_queue_again(id, subject)?;
            return Ok(id);
        }
        c.prepare_cached("INSERT INTO queues (key, existing, inbox, subject) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![key, existing, inbox, subject])?;
        Ok(c.last_insert_rowid())
    }

    fn customer(&self, staged: &StagedCall) -> rusqlite::Result<i64> {
        let (key, customer) = (self.hidden(staged.customer), &staged.call.customer);
        let known = self
            .connection
            .prepare_cached("SELECT id FROM customers WHERE key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        if let Some(id) = known {
            self.tell_customer_again(id, customer)?;
            self.note_contact(id, customer)?;
            return Ok(id);
        }
        self.connection
            .prepare_cached(
                "INSERT INTO customers (key, helpscout_id, email, phone, fields, confirmed, found_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                key,
                customer.id,
                customer.email,
                customer.phone,
                fields_of(customer),
                customer.id.is_some(),
                found_by::stored(customer.found_by),
            ])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// A queue that was forgotten gets its subject back with the calls that wait in it again.
    fn tell_queue_again(&self, queue: i64, subject: &str) -> rusqlite::Result<()> {
        if self.secret.is_some() {
            self.connection
                .prepare_cached("UPDATE queues SET subject = ?2 WHERE id = ?1 AND subject = ''")?
                .execute(params![queue, subject])?;
        }
        Ok(())
    }

    /// A customer who was forgotten is told of again by the row whose call waits: Help Scout is asked for the e-mail.
    fn tell_customer_again(&self, known: i64, customer: &Customer) -> rusqlite::Result<()> {
        if self.secret.is_some() {
            self.connection
                .prepare_cached(
                    "UPDATE customers SET email = ?2, phone = ?3, fields = ?4
                     WHERE id = ?1 AND email IS NULL AND phone IS NULL AND fields = '{}'",
                )?
                .execute(params![known, customer.email, customer.phone, fields_of(customer)])?;
        }
        Ok(())
    }

    /// A customer whom this row names otherwise than earlier ones is found by either: somebody who calls from two numbers.
    fn note_contact(&self, known: i64, customer: &Customer) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO contacts (customer, email, phone) SELECT id, COALESCE(?2, ''), COALESCE(?3, '')
                 FROM customers WHERE id = ?1 AND (email IS NOT ?2 OR phone IS NOT ?3)",
            )?
            .execute(params![known, customer.email, customer.phone])?;
        Ok(())
    }
}

/// Only tells rows of one run apart that name a customer differently.
fn contact_hash(customer: &Customer) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&customer.email, &customer.phone).hash(&mut hasher);
    hasher.finish()
}

/// The optional fields as the file holds them.
fn fields_of(customer: &Customer) -> String {
    let fields: HashMap<&str, &str> =
        customer.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    serde_json::to_string(&fields).unwrap_or_else(|_| "{}".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::stage::tests::{call, fresh};

    #[test]
    fn a_queue_may_have_several_customers_and_a_customer_several_queues() {
        let (_folder, mut checkpoint) = fresh();
        let mut stager = checkpoint.stage(1).unwrap();
        let mut of = |group: &str, email: &str| {
            let mut call = call("1", "x");
            call.customer.email = Some(email.to_owned());
            call.destination = Destination::Grouped {
                inbox: String::new(),
                group: group.to_owned(),
                subject: "Calls".into(),
            };
            let call = StagedCall::new(call, 1, None);
            let placement = stager.placement(&call).unwrap();
            assert_eq!(stager.placement(&call).unwrap(), placement, "known by now");
            (placement.queue, placement.customer)
        };
        let pairs = [
            ("a", "jo@example.com"),
            ("a", "ann@example.com"),
            ("b", "jo@example.com"),
            ("jo", "a@example.com"),
        ]
        .map(|(group, email)| of(group, email));
        assert_eq!(pairs, [(1, 1), (1, 2), (2, 1), (3, 3)]);
    }
}
