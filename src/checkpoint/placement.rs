//! Where a call belongs: the queue of its conversation, and its customer.
//!
//! Both are looked up by their keys. A key, once stored, leads to the same row for ever: where another took over what a
//! number alone was known by, and where the customer is known here by another way than counts now, it leads there by
//! `same_as` (see [`super::other_ways`]).

use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::{BuildHasherDefault, Hash, Hasher},
};

use rusqlite::{OptionalExtension, params};

use super::{CheckpointError, StagedCall, Stager, found_by};
use crate::call::{Customer, Destination, FoundBy};

/// Pairs that are kept in memory, one for each customer in a company of that many; beyond that all are looked up anew.
const MOST: usize = 220_000;

/// The numbers of a queue and a customer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placement {
    pub(super) queue: i64,
    pub(super) customer: i64,
    /// The bytes that naming this customer takes beyond what the row tells: a number leads to somebody who is named by
    /// e-mail.
    pub(super) more: u32,
}

/// A row of `customers` that a key leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) customer: i64,
    /// Whether the key is another's than the one by which the row was entered.
    pub(super) by_other_key: bool,
    /// Whether it is the customer who was made of a number that led elsewhere since.
    pub(super) by_made_number: bool,
}

impl Found {
    pub(super) fn by_own_key(customer: i64) -> Self {
        Self { customer, by_other_key: false, by_made_number: false }
    }
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
        let found = self.customer(staged)?;
        let queue = self.queue(staged, found)?;
        let more =
            if found.by_other_key { self.more_to_name(found.customer, &staged.call.customer)? } else { 0 };
        let placement = Placement { queue, customer: found.customer, more };
        if self.placements.0.len() >= MOST {
            self.placements.0.clear();
        }
        self.placements.0.insert(pair, placement);
        Ok(placement)
    }

    fn queue(&self, staged: &StagedCall, customer: Found) -> rusqlite::Result<i64> {
        let (existing, inbox, subject) = match &staged.call.destination {
            Destination::Existing(id) => (Some(*id), "", ""),
            Destination::Grouped { inbox, subject, .. } => (None, inbox.as_str(), subject.as_str()),
        };
        let key = self.hidden(staged.queue);
        let of_number =
            if customer.by_made_number { self.queue_of_made_number(staged, customer)? } else { None };
        let known = match of_number {
            Some(known) => Some(known),
            None => self.queue_by_key(key)?,
        };
        let known = match known {
            Some(known) => Some(known),
            None => self.queue_by_other_ways(staged, customer)?,
        };
        if let Some(id) = known {
            self.tell_queue_again(id, subject)?;
            return Ok(id);
        }
        let c = &self.connection;
        c.prepare_cached("INSERT INTO queues (key, existing, inbox, subject) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![key, existing, inbox, subject])?;
        Ok(c.last_insert_rowid())
    }

    /// The queue that a key, as the file holds it, leads to.
    pub(super) fn queue_by_key(&self, key: [u8; 16]) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT COALESCE(same_as, id) FROM queues WHERE key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()
    }

    fn customer(&self, staged: &StagedCall) -> rusqlite::Result<Found> {
        let (key, customer) = (self.hidden(staged.customer), &staged.call.customer);
        if let Some(found) = self.customer_of_made_number(customer)? {
            return Ok(found);
        }
        let known = self
            .connection
            .prepare_cached("SELECT id, same_as, found_by FROM customers WHERE key = ?1")?
            .query_row([key], |row| {
                Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?, found_by::read(row.get(2)?)))
            })
            .optional()?;
        let found = match known {
            Some((id, None, by)) => {
                self.note_surer_way(id, by, customer)?;
                Some(Found::by_own_key(id))
            }
            Some((id, Some(other), _)) => Some(self.follow(id, other, customer)?),
            None => self.customer_by_other_ways(key, customer)?,
        };
        if let Some(found) = found {
            self.tell_customer_again(found.customer, customer)?;
            if customer.id.is_some() || customer.email.is_some() || !found.by_other_key {
                self.note_contact(found.customer, customer)?;
            }
            return Ok(found);
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
        Ok(Found::by_own_key(self.connection.last_insert_rowid()))
    }

    /// The surest way that any row gave stands.
    pub(super) fn note_surer_way(
        &self,
        known: i64,
        by: FoundBy,
        customer: &Customer,
    ) -> rusqlite::Result<()> {
        if customer.found_by < by {
            self.connection
                .prepare_cached("UPDATE customers SET found_by = ?2 WHERE id = ?1")?
                .execute(params![known, found_by::stored(customer.found_by)])?;
        }
        Ok(())
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
    pub(super) fn tell_customer_again(&self, known: i64, customer: &Customer) -> rusqlite::Result<()> {
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
    pub(super) fn note_contact(&self, known: i64, customer: &Customer) -> rusqlite::Result<()> {
        let is_new = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO contacts (customer, email, phone) SELECT id, COALESCE(?2, ''), COALESCE(?3, '')
                 FROM customers WHERE id = ?1 AND (email IS NOT ?2 OR phone IS NOT ?3)",
            )?
            .execute(params![known, customer.email, customer.phone])?
            == 1;
        if let Some(phone) = customer.phone.as_deref().filter(|_| is_new && known <= self.last_customer) {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO temp.named_anew VALUES (?1, ?2)")?
                .execute(params![phone, known])?;
        }
        Ok(())
    }
}

/// Only tells rows of one run apart that name a customer differently.
fn contact_hash(customer: &Customer) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&customer.email, &customer.phone, customer.found_by).hash(&mut hasher);
    hasher.finish()
}

/// The optional fields as the file holds them.
pub(super) fn fields_of(customer: &Customer) -> String {
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
            let again = stager.placement(&call).unwrap();
            assert_eq!((again.queue, again.customer), (placement.queue, placement.customer), "known by now");
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
