//! A customer whom the checkpoint knows by another way than the one that counts now.
//!
//! What a customer is known by is the surest of the ways that a row gives. A later run may know a surer one: the account was
//! pulled meanwhile, or a directory was written, and rows that gave a number give an id now. The customer and the
//! conversation stay those of the key that was stored first; the new key is entered beside it and leads there.
//!
//! Nobody is taken for somebody else: a number that stands beside an e-mail may be an office's, so it is a way to the
//! customer only where it led to the customer.

use rusqlite::{OptionalExtension, Row, params};

use super::{
    StagedCall, Stager, found_by,
    placement::{Found, fields_of},
    staged_call::{customer_key, group_key},
};
use crate::call::{Customer, CustomerKey, Destination, FoundBy};

/// Naming a customer by id takes at least so many bytes of JSON in a staged call's size.
const NAMED_BY_ID: usize = r#"{"id":}"#.len();
/// What stands around the name and the number of somebody who is named by e-mail.
const AROUND_EMAIL: usize = r#"{"email":,"phone":}"#.len();

/// A customer as the file holds it.
pub(super) struct Known {
    pub(super) id: i64,
    key: [u8; 16],
    helpscout_id: Option<u64>,
    email: Option<String>,
    phone: Option<String>,
    found_by: FoundBy,
}

/// Whether Help Scout told the customer's id, or was asked to make it.
const MADE: &str = "(helpscout_id IS NOT NULL OR EXISTS
  (SELECT 1 FROM requests WHERE carried IS NOT NULL AND requests.customer = customers.id))";

const KNOWN: &str =
    "SELECT known.id, known.key, known.helpscout_id, known.email, known.phone, known.found_by";

fn read(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        id: row.get(0)?,
        key: row.get(1)?,
        helpscout_id: row.get(2)?,
        email: row.get(3)?,
        phone: row.get(4)?,
        found_by: found_by::read(row.get(5)?),
    })
}

impl Known {
    /// Whether this may be the person whom `customer` names: never one with another id, and by a number alone never one
    /// with another e-mail.
    fn may_be(&self, customer: &Customer, by_number: bool) -> bool {
        let same_email = match (&self.email, &customer.email) {
            (Some(known), Some(now)) => known.to_lowercase() == now.to_lowercase(),
            (known, _) => known.is_none(),
        };
        self.helpscout_id.is_none_or(|id| customer.id == Some(id)) && (same_email || !by_number)
    }
}

impl Stager<'_> {
    /// Whom the key of `customer`, whose row is `number`, leads to: `other`, who took its calls over.
    ///
    /// Somebody who was forgotten and whom Help Scout knows by an e-mail alone cannot be named until a row gives it again:
    /// till then the number stands for itself, in the same conversation, and once Help Scout made a customer of it, for
    /// good. It still leads to nobody else.
    pub(super) fn follow(&self, number: i64, other: i64, customer: &Customer) -> rusqlite::Result<Found> {
        let c = self.connection;
        let is_made = format!("SELECT {MADE} FROM customers WHERE id = ?1");
        if c.prepare_cached(&is_made)?.query_row([number], |row| row.get(0))? {
            return Ok(Found::by_own_key(number));
        }
        let (can_be_named, by): (bool, i64) = c
            .prepare_cached(
                "SELECT helpscout_id IS NOT NULL OR email IS NOT NULL OR EXISTS
                   (SELECT 1 FROM requests WHERE carried IS NOT NULL AND requests.customer = customers.id), found_by
                 FROM customers WHERE id = ?1",
            )?
            .query_row([other], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if !can_be_named && customer.id.is_none() && customer.email.is_none() {
            c.prepare_cached("UPDATE customers SET phone = ?2, fields = ?3, found_by = ?4 WHERE id = ?1")?
                .execute(params![
                    number,
                    customer.phone,
                    fields_of(customer),
                    found_by::stored(customer.found_by)
                ])?;
            return Ok(Found::by_own_key(number));
        }
        self.note_surer_way(other, found_by::read(by), customer)?;
        if customer.found_by != FoundBy::Id && customer.id.is_some() {
            self.tell_surer_way(other, customer)?;
        }
        c.prepare_cached("INSERT OR IGNORE INTO temp.led_on VALUES (?1)")?.execute([number])?;
        Ok(Found { customer: other, by_other_key: true, by_made_number: false })
    }

    /// The customer whom Help Scout made of the number that led a directory or the account to an e-mail, and to no id. One
    /// number has one profile: it stays that customer's, and so does its conversation. The e-mail does not lead there, since
    /// rows that give it may name somebody whom Help Scout knows by it.
    pub(super) fn customer_of_made_number(&self, customer: &Customer) -> rusqlite::Result<Option<Found>> {
        if self.last_customer == 0 || customer.id.is_some() || customer.email.is_none() {
            return Ok(None);
        }
        let Some((way, _)) = other_ways(customer).next() else { return Ok(None) };
        let found: Option<(i64, FoundBy)> = self
            .connection
            .prepare_cached(&format!(
                "SELECT id, found_by FROM customers WHERE key = ?1 AND email IS NULL AND {MADE}"
            ))?
            .query_row([self.hidden(customer_key(Some(&way)))], |row| {
                Ok((row.get(0)?, found_by::read(row.get(1)?)))
            })
            .optional()?;
        let Some((id, by)) = found else { return Ok(None) };
        self.note_surer_way(id, by, customer)?;
        self.tell_customer_again(id, &Customer { email: None, ..customer.clone() })?;
        self.note_contact(id, customer)?;
        Ok(Some(Found { customer: id, by_other_key: true, by_made_number: true }))
    }

    /// The customer of an earlier run who is known by another way that the row gives; the row's `key` leads there from now
    /// on.
    pub(super) fn customer_by_other_ways(
        &self,
        key: [u8; 16],
        customer: &Customer,
    ) -> rusqlite::Result<Option<Found>> {
        if self.last_customer == 0 || customer.found_by == FoundBy::Id {
            return Ok(None);
        }
        let Some(known) = self.known_otherwise(customer)? else { return Ok(None) };
        self.connection
            .prepare_cached(
                "INSERT INTO customers (key, fields, confirmed, found_by, same_as) VALUES (?1, '{}', 0, ?2, ?3)",
            )?
            .execute(params![key, found_by::stored(customer.found_by), known.id])?;
        self.note_surer_way(known.id, known.found_by, customer)?;
        self.tell_surer_way(known.id, customer)?;
        Ok(Some(Found { customer: known.id, by_other_key: true, by_made_number: false }))
    }

    fn known_otherwise(&self, customer: &Customer) -> rusqlite::Result<Option<Known>> {
        if let Some(id) = customer.id {
            let known = self
                .connection
                .prepare_cached(&format!(
                    "{KNOWN} FROM customers AS known WHERE helpscout_id = ?1
                     ORDER BY email IS NULL AND phone IS NULL, id LIMIT 1"
                ))?
                .query_row([id], read)
                .optional()?;
            if known.is_some() {
                return Ok(known);
            }
        }
        for (way, by_number) in other_ways(customer) {
            let key = self.hidden(customer_key(Some(&way)));
            let known = self.customer_by_key(key)?.filter(|known| known.may_be(customer, by_number));
            if known.is_some() {
                return Ok(known);
            }
        }
        Ok(None)
    }

    /// The customer that a key, as the file holds it, leads to.
    fn customer_by_key(&self, key: [u8; 16]) -> rusqlite::Result<Option<Known>> {
        self.connection
            .prepare_cached(&format!(
                "{KNOWN} FROM (SELECT CASE WHEN {MADE} THEN id ELSE COALESCE(same_as, id) END AS leads_to
                   FROM customers WHERE key = ?1)
                 JOIN customers AS known ON known.id = leads_to"
            ))?
            .query_row([key], read)
            .optional()
    }

    pub(super) fn customer_by_id(&self, id: i64) -> rusqlite::Result<Known> {
        self.connection
            .prepare_cached(&format!("{KNOWN} FROM customers AS known WHERE id = ?1"))?
            .query_row([id], read)
    }

    /// Somebody who was known by less is named by what is known now, unless Help Scout was asked for the customer: the
    /// answer tells who it is.
    fn tell_surer_way(&self, known: i64, customer: &Customer) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE customers SET helpscout_id = COALESCE(helpscout_id, ?2), email = COALESCE(email, ?3),
                   confirmed = confirmed OR ?2 IS NOT NULL
                 WHERE id = ?1 AND helpscout_id IS NULL AND NOT EXISTS
                   (SELECT 1 FROM requests WHERE carried IS NOT NULL AND requests.customer = ?1)",
            )?
            .execute(params![known, customer.id, customer.email])?;
        Ok(())
    }

    /// The queue of a call that is grouped by its customer, where that customer's calls stand together by another key: the
    /// call's own leads there from now on.
    pub(super) fn queue_by_other_ways(
        &self,
        staged: &StagedCall,
        found: Found,
    ) -> rusqlite::Result<Option<i64>> {
        let customer = &staged.call.customer;
        let Destination::Grouped { inbox, group, subject } = &staged.call.destination else {
            return Ok(None);
        };
        let has_other_ways = customer.found_by != FoundBy::Id && other_ways(customer).next().is_some();
        if self.last_customer == 0 || !(found.by_other_key || has_other_ways) {
            return Ok(None);
        }
        if customer.key().is_none_or(|key| key.canonical() != *group) {
            return Ok(None);
        }
        let known = self.customer_by_id(found.customer)?;
        let mut ways = self.ways_of(&known);
        for (way, _) in other_ways(customer) {
            // What leads to another customer leads to that one's conversation.
            let theirs = self.customer_by_key(self.hidden(customer_key(Some(&way))))?;
            if theirs.is_none_or(|theirs| theirs.id == known.id) {
                ways.push(way);
            }
        }
        let queue = match self.queue_of_ways(inbox, ways.into_iter())? {
            Some(queue) => queue,
            None if found.by_other_key => match self.ways_of(&known).first() {
                Some(way) => self.enter_queue(inbox, way, subject)?,
                None => return Ok(None),
            },
            None => return Ok(None),
        };
        self.connection
            .prepare_cached(
                "INSERT INTO queues (key, inbox, subject, same_as) SELECT ?1, ?2, '', ?3
                 WHERE NOT EXISTS (SELECT 1 FROM queues WHERE key = ?1)",
            )?
            .execute(params![self.hidden(staged.queue), inbox, queue])?;
        Ok(Some(queue))
    }

    /// The queue of a call whose customer is the one who was made of its number, where calls are grouped by customer.
    pub(super) fn queue_of_made_number(
        &self,
        staged: &StagedCall,
        found: Found,
    ) -> rusqlite::Result<Option<i64>> {
        match &staged.call.destination {
            Destination::Grouped { inbox, group, subject }
                if staged.call.customer.key().is_some_and(|key| key.canonical() == *group) =>
            {
                self.queue_of_customer(&self.customer_by_id(found.customer)?, inbox, subject)
            }
            _ => Ok(None),
        }
    }

    /// The queue in which the calls of `known` stand together in an inbox; it is entered with `subject` where there is none.
    pub(super) fn queue_of_customer(
        &self,
        known: &Known,
        inbox: &str,
        subject: &str,
    ) -> rusqlite::Result<Option<i64>> {
        let ways = self.ways_of(known);
        match (self.queue_of_ways(inbox, ways.iter().cloned())?, ways.first()) {
            (None, Some(way)) => self.enter_queue(inbox, way, subject).map(Some),
            (found, _) => Ok(found),
        }
    }

    fn queue_of_ways(
        &self,
        inbox: &str,
        ways: impl Iterator<Item = CustomerKey>,
    ) -> rusqlite::Result<Option<i64>> {
        for way in ways {
            let known = self.queue_by_key(self.hidden(group_key(inbox, &way.canonical())))?;
            if known.is_some() {
                return Ok(known);
            }
        }
        Ok(None)
    }

    fn enter_queue(&self, inbox: &str, way: &CustomerKey, subject: &str) -> rusqlite::Result<i64> {
        self.connection
            .prepare_cached("INSERT INTO queues (key, inbox, subject) VALUES (?1, ?2, ?3)")?
            .execute(params![self.hidden(group_key(inbox, &way.canonical())), inbox, subject])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// What leads to a customer whom the file knows, the one by which it was entered first. A number counts only where it is
    /// that one: beside an e-mail it may be an office's.
    fn ways_of(&self, known: &Known) -> Vec<CustomerKey> {
        let is_own = |way: &CustomerKey| self.hidden(customer_key(Some(way))) == known.key;
        let id = known.helpscout_id.map(CustomerKey::Id);
        let email = known.email.as_ref().map(|email| CustomerKey::Email(email.to_lowercase()));
        let phone = known.phone.clone().map(CustomerKey::Phone).filter(is_own);
        let mut ways: Vec<CustomerKey> = [id, email, phone].into_iter().flatten().collect();
        ways.sort_by_key(|way| !is_own(way));
        ways
    }

    /// The bytes that naming a customer takes beyond the size of a call whose row tells of a number only.
    pub(super) fn more_to_name(&self, id: i64, customer: &Customer) -> rusqlite::Result<u32> {
        if customer.id.is_some() || customer.email.is_some() {
            return Ok(0);
        }
        let (helpscout_id, email, phone, fields): (Option<u64>, Option<String>, Option<String>, String) =
            self.connection
                .prepare_cached("SELECT helpscout_id, email, phone, fields FROM customers WHERE id = ?1")?
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let (None, Some(email)) = (helpscout_id, email) else { return Ok(0) };
        let written = |text: &str| serde_json::to_string(text).map_or(text.len(), |json| json.len());
        let named = AROUND_EMAIL + written(&email) + phone.as_deref().map_or(0, written) + fields.len();
        Ok(u32::try_from(named.saturating_sub(NAMED_BY_ID)).unwrap_or(u32::MAX))
    }
}

/// The ways that a row gives beside the one that counts, with whether it is a number.
fn other_ways(customer: &Customer) -> impl Iterator<Item = (CustomerKey, bool)> {
    let email = customer.email.as_ref().filter(|_| customer.id.is_some());
    let email = email.map(|email| (CustomerKey::Email(email.to_lowercase()), false));
    let led_on = matches!(customer.found_by, FoundBy::Directory | FoundBy::Account);
    let is_beside = led_on && (customer.id.is_some() || customer.email.is_some());
    let phone = customer.phone.clone().filter(|_| is_beside).map(|phone| (CustomerKey::Phone(phone), true));
    email.into_iter().chain(phone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{
        Checkpoint,
        numbers::tests::{by, of, whose},
        stage::tests::{fresh, land, load},
    };

    const NUMBER: &str = "+15550100";

    /// A checkpoint in which Help Scout made a customer of the number.
    fn made() -> (tempfile::TempDir, Checkpoint) {
        let (folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[of("1", None, Some(NUMBER))], None);
        let made = "UPDATE customers SET helpscout_id = 700000001, confirmed = 1";
        checkpoint.connection.execute(made, []).unwrap();
        land(&checkpoint);
        (folder, checkpoint)
    }

    /// A call whose customer the directory told by the number.
    fn directory(call: &str, email: &str, id: Option<u64>) -> crate::call::Call {
        let (email, phone) = (Some(email.to_owned()), Some(NUMBER.to_owned()));
        by(call, Customer { id, email, phone, found_by: FoundBy::Directory, ..Customer::default() })
    }

    /// The numbers of each call's customer and queue.
    fn placed(checkpoint: &Checkpoint) -> Vec<(i64, i64)> {
        checkpoint
            .connection
            .prepare("SELECT customer, queue FROM calls ORDER BY source_id, id")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    #[test]
    fn a_number_of_which_a_customer_was_made_keeps_it_when_a_directory_tells_an_e_mail() {
        let rows = [directory("2", "jo@example.com", None), of("3", Some("jo@example.com"), None)];
        for (is_forgotten, order) in [(false, [0, 1]), (false, [1, 0]), (true, [0, 1]), (true, [1, 0])] {
            let (_folder, mut checkpoint) = made();
            if is_forgotten {
                checkpoint.forget_imported().unwrap();
            }
            let rows = order.map(|index| rows[index].clone());
            load(&mut checkpoint, "b.csv", &rows, None);
            let again = [directory("4", "jo@example.com", None), of("5", None, Some(NUMBER))];
            load(&mut checkpoint, "c.csv", &again, None);
            let placed = placed(&checkpoint);
            let of_number = [placed[0], placed[1], placed[3], placed[4]];
            assert_eq!(of_number, [(1, 1); 4], "forgotten: {is_forgotten}, {order:?}");
            assert!(placed[2].0 != 1 && placed[2].1 != 1, "the e-mail's own conversation: {placed:?}");
            let told = whose(&checkpoint);
            assert_eq!(told[2].1, "jo@example.com");
            assert_eq!(told[1].1, "id 700000001", "the profile is not renamed");
            let jo = crate::checkpoint::Person::Email("jo@example.com".into());
            assert_eq!(checkpoint.forget_people(&[jo]).unwrap().dropped, 4, "found by the e-mail");
        }
    }

    #[test]
    fn a_number_that_leads_to_somebody_else_now_takes_neither_the_customer_nor_the_conversation() {
        let (_folder, mut checkpoint) = made();
        load(&mut checkpoint, "b.csv", &[directory("2", "jo@example.com", Some(900))], None);
        assert_eq!(placed(&checkpoint), [(1, 1), (2, 2)]);
        // Nor where its calls were given to another e-mail.
        let (_folder, mut checkpoint) = fresh();
        let rows = [of("1", Some("ann@example.com"), Some(NUMBER)), of("2", None, Some(NUMBER))];
        load(&mut checkpoint, "a.csv", &rows, None);
        land(&checkpoint);
        load(&mut checkpoint, "b.csv", &[directory("3", "jo@example.com", None)], None);
        let placed = placed(&checkpoint);
        assert!(placed[0] == placed[1] && placed[2].0 != placed[0].0 && placed[2].1 != placed[0].1);
    }
}
