//! Forgetting: what is personal leaves the file, and what was imported stays known.
//!
//! * What a call, a customer or a conversation is known by stays, as a hash under a secret of the file (`secret`), so that
//!   the same export adds nothing and a later one goes on in the same conversations, with the same customers.
//! * What has landed loses its text, its row, its id and its customer's data. What waits or is undecided needs them, and
//!   keeps them until it has landed and somebody forgets again.
//! * A person's data goes at once (`forget_people`), a file's calls that were not sent with `forget_file`.
//! * How the bytes go is `wiping`'s.

use rusqlite::Connection;

use super::{Checkpoint, CheckpointError, hiding};

/// What was forgotten, and what is still there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Imported calls of which only a hidden key is left.
    pub imported: u64,
    /// Calls that were not imported and are dropped.
    pub dropped: u64,
    /// How many of them were refused; the others waited.
    pub dropped_refused: u64,
    /// How many of them are of customers whom rows also name otherwise: which of the two their own row named is not known.
    pub dropped_beside: u64,
    /// Calls of barred people that were sent and whose fate is open: they go as soon as it is known.
    pub in_flight: u64,
    /// Customers of whom only a hidden key and Help Scout's id are left.
    pub customers: u64,
    /// People who were not barred before.
    pub barred: u64,
    /// Calls whose data is still there.
    pub kept: Kept,
}

/// Calls whose data is still there, because they have not landed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Those that wait.
    pub staged: u64,
    /// Those that were sent and whose fate is open.
    pub undecided: u64,
    /// Those that were refused.
    pub rejected: u64,
}

impl Checkpoint {
    /// Takes what is personal from everything that has landed.
    pub fn forget_imported(&mut self) -> Result<Forgotten, CheckpointError> {
        self.forgetting(|c| {
            hiding::begin(c)?;
            let imported = hiding::hide_landed(c, "1")?;
            let customers = hiding::empty_customers(c, "1")?;
            hiding::empty_queues(c, "1")?;
            hiding::clear_words(c)?;
            Ok(Forgotten { imported, customers, kept: kept(c)?, ..Forgotten::default() })
        })
    }
}

/// Which calls' data is still there.
pub(super) fn kept(c: &Connection) -> rusqlite::Result<Kept> {
    c.query_row(
        "SELECT COUNT(*) FILTER (WHERE state IS NULL), COUNT(*) FILTER (WHERE state IN (0, 2)),
           COUNT(*) FILTER (WHERE state = 3)
         FROM calls LEFT JOIN requests ON requests.id = request WHERE forgotten <> 1",
        [],
        |row| Ok(Kept { staged: row.get(0)?, undecided: row.get(1)?, rejected: row.get(2)? }),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        call::Call,
        checkpoint::{
            Standing,
            claims::tests::{found, recover},
            stage::tests::{call, fresh, load, nameless, twin_reference},
        },
    };

    /// A call as `call` makes it, of another customer, in a conversation of its own, with a name and a number.
    pub(crate) fn of(person: &str, id: &str) -> Call {
        let mut call = call(id, &format!("note of {person} #{id}"));
        call.customer.email = Some(format!("{person}@Example.com"));
        call.customer.phone = Some("+15550100".into());
        call.customer.fields = vec![("firstName", format!("Name of {person}"))];
        call.destination = crate::call::Destination::Grouped {
            inbox: "85".into(),
            group: person.into(),
            subject: format!("Calls with {person}@example.com"),
        };
        call
    }

    /// Lets the calls with these numbers land in a conversation of their queue.
    pub(crate) fn land(checkpoint: &Checkpoint, calls: std::ops::RangeInclusive<i64>) {
        checkpoint
            .connection
            .execute_batch(&format!(
                "INSERT INTO requests (id, kind, state, run, queue, sent_at) SELECT 900 + queue, 0, 1, 1, queue, 0 FROM calls
                   WHERE id BETWEEN {0} AND {1} GROUP BY queue ON CONFLICT DO NOTHING;
                 INSERT INTO conversations (queue, part, helpscout_id, threads, state) SELECT queue, 1, 500 + queue, 1, 0
                   FROM calls WHERE id BETWEEN {0} AND {1} GROUP BY queue ON CONFLICT DO NOTHING;
                 UPDATE requests SET conversation =
                   (SELECT id FROM conversations WHERE conversations.queue = requests.queue) WHERE state = 1;
                 UPDATE calls SET request = 900 + queue WHERE id BETWEEN {0} AND {1};
                 UPDATE customers SET confirmed = 1 WHERE id IN (SELECT customer FROM calls WHERE id BETWEEN {0} AND {1});",
                calls.start(),
                calls.end()
            ))
            .unwrap();
    }

    /// Whether the file, its log included, holds these bytes.
    pub(crate) fn holds(checkpoint: &Checkpoint, words: &str) -> bool {
        let log = format!("{}-wal", checkpoint.path().display());
        [checkpoint.path().to_owned(), log.into()].iter().any(|path| {
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words.as_bytes()))
        })
    }

    fn count(checkpoint: &Checkpoint, what: &str) -> u64 {
        checkpoint
            .connection
            .query_row(&format!("SELECT COUNT(*) FROM {what}"), [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn what_has_landed_leaves_no_byte_and_the_same_rows_add_nothing() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [of("ann", "crm-1"), of("ann", "crm-2"), nameless("note of jo"), nameless("note of jo")];
        load(&mut checkpoint, "a.csv", &rows, None);
        land(&checkpoint, 1..=4);
        assert!(holds(&checkpoint, "ann@example.com"));
        let forgotten = checkpoint.forget_imported().unwrap();
        assert_eq!((forgotten.imported, forgotten.customers, forgotten.kept), (4, 2, Kept::default()));
        for words in ["ann", "crm-", "note of", "+1555", "jo@", "Calls with"] {
            assert!(!holds(&checkpoint, words), "{words}");
        }
        let again = load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!((again.already_imported, again.changed, again.repeats), (4, 0, 0));
        assert_eq!(checkpoint.open_calls().unwrap(), 0);
        assert!(!holds(&checkpoint, "ann@") && !holds(&checkpoint, "crm-"), "nor does it come back");
        let mut news = rows.clone();
        news[0].text.push('!');
        assert_eq!(load(&mut checkpoint, "a.csv", &news, None).changed, 1, "what is new is still told");
    }

    #[test]
    fn no_key_is_left_that_could_be_made_from_a_number_or_an_id() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [of("ann", "7"), nameless("x")];
        load(&mut checkpoint, "a.csv", &rows, None);
        land(&checkpoint, 1..=2);
        let keys = ["calls", "call_keys", "queues", "customers"].map(|table| {
            let sql = format!("SELECT hex(key) FROM {table}");
            let mut keys = checkpoint.connection.prepare(&sql).unwrap();
            keys.query_map([], |row| row.get(0)).unwrap().collect::<Result<Vec<String>, _>>().unwrap()
        });
        checkpoint.forget_imported().unwrap();
        let bytes = std::fs::read(checkpoint.path()).unwrap();
        for key in keys.concat() {
            let key = u128::from_str_radix(&key, 16).unwrap().to_be_bytes();
            // Six bytes are what a reference shows.
            assert!(!bytes.windows(6).any(|window| window == &key[..6]));
        }
    }

    #[test]
    fn what_waits_keeps_what_it_needs_and_its_reference() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[of("ann", "1"), of("bo", "2"), nameless("x")], None);
        land(&checkpoint, 1..=1);
        let key = |checkpoint: &Checkpoint| -> Vec<u8> {
            checkpoint
                .connection
                .query_row("SELECT key FROM calls WHERE id = 3", [], |row| row.get(0))
                .unwrap()
        };
        let before = key(&checkpoint);
        let forgotten = checkpoint.forget_imported().unwrap();
        assert_eq!((forgotten.imported, forgotten.kept.staged), (1, 2));
        assert!(holds(&checkpoint, "bo@example.com") && !holds(&checkpoint, "ann@example.com"));
        assert_eq!(key(&checkpoint), before, "its reference shows the key");
        let again = load(&mut checkpoint, "a.csv", &[of("bo", "2"), nameless("x")], None);
        assert_eq!((checkpoint.open_calls().unwrap(), again.repeats), (2, 0));
        land(&checkpoint, 2..=3);
        assert_eq!(checkpoint.forget_imported().unwrap().imported, 2);
        assert!(!holds(&checkpoint, "bo@example.com"));
        let again = load(&mut checkpoint, "a.csv", &[of("ann", "1"), of("bo", "2"), nameless("x")], None);
        assert_eq!((again.already_imported, again.changed), (3, 0), "nothing is hidden twice");
    }

    #[test]
    fn a_later_call_goes_to_the_same_customer_and_the_same_conversation() {
        let (_folder, mut checkpoint) = fresh();
        let by_number = |id: &str| {
            let mut call = of("ann", id);
            call.customer.email = None;
            call
        };
        load(&mut checkpoint, "a.csv", &[by_number("1")], None);
        land(&checkpoint, 1..=1);
        checkpoint.connection.execute("UPDATE customers SET helpscout_id = 77", []).unwrap();
        checkpoint.forget_imported().unwrap();
        load(&mut checkpoint, "b.csv", &[by_number("2")], None);
        assert_eq!((count(&checkpoint, "customers"), count(&checkpoint, "queues")), (1, 1));
        let queue = super::super::delivery::queue(&checkpoint.connection, 1).unwrap();
        assert_eq!(queue.newest.unwrap().helpscout_id, 501);
        assert_eq!(queue.subject, "Calls with ann@example.com", "a continuation needs it");
        let customer = super::super::delivery::customer(&checkpoint.connection, 1).unwrap();
        assert_eq!((customer.helpscout_id, customer.phone.as_deref()), (Some(77), Some("+15550100")));
        assert!(customer.confirmed);
    }

    #[test]
    fn the_account_still_knows_forgotten_calls_by_their_references() {
        let (_folder, mut checkpoint) = fresh();
        load(
            &mut checkpoint,
            "a.csv",
            &[call("1", "x"), call("7  8", "x"), nameless("x"), nameless("x")],
            None,
        );
        land(&checkpoint, 1..=4);
        checkpoint.forget_imported().unwrap();
        let second = twin_reference(2);
        for reference in ["Ref: 1", "Ref: 7 8", second.as_str()] {
            let standing = checkpoint.standing("", &[reference.to_owned()]).unwrap();
            assert_eq!(standing, Standing::Landed, "{reference}");
        }
        assert_eq!(checkpoint.standing("", &["Ref: 2".to_owned()]).unwrap(), Standing::Strange);
        let recovery = recover(&mut checkpoint, &[found(501, &["Ref: 1", second.as_str(), "Ref: 9"])]);
        assert_eq!((recovery.known, recovery.calls), (2, 1));
    }

    #[test]
    fn what_was_recovered_and_forgotten_is_claimed_by_its_row() {
        let (_folder, mut checkpoint) = fresh();
        let named = twin_reference(1);
        recover(&mut checkpoint, &[found(501, &["Ref: crm-1", named.as_str()])]);
        checkpoint.forget_imported().unwrap();
        assert!(!holds(&checkpoint, "crm-1") && !holds(&checkpoint, named.as_str()));
        let rows = [call("crm-1", "a"), nameless("b"), call("crm-2", "c")];
        let figures = load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!((figures.already_imported, figures.changed), (2, 0));
        assert_eq!((checkpoint.open_calls().unwrap(), count(&checkpoint, "recovered")), (1, 0));
        let queue = super::super::delivery::queue(&checkpoint.connection, 2).unwrap();
        assert_eq!(queue.newest.map(|row| row.helpscout_id), Some(501), "its conversation, too");
        let again = load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!((again.already_imported, checkpoint.open_calls().unwrap()), (2, 1));
    }

    #[test]
    fn a_rejection_stays_known() {
        let (_folder, mut checkpoint) = fresh();
        assert!(!checkpoint.note_rejection([1; 16], 1).unwrap());
        checkpoint.forget_imported().unwrap();
        assert!(checkpoint.note_rejection([1; 16], 2).unwrap());
        assert!(!checkpoint.note_rejection([2; 16], 2).unwrap());
    }
}
