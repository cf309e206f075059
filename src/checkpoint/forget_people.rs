//! A person who must not come back: the data goes, and later rows are left out.
//!
//! Whom a row names is told by its customer's e-mail and number, both where it has both. Calls of the person that were sent
//! and whose fate is open keep their reference until it is known, since they may be in Help Scout and must not be taken for
//! somebody else's; what was not stored is then dropped instead of being sent again.

use std::fmt;

use rusqlite::Connection;

use super::{
    Checkpoint, CheckpointError, Forgotten,
    forget::kept,
    hiding, merge,
    secret::{Secret, hidden},
    staged_call::customer_key,
};
use crate::call::CustomerKey;

/// How a person is named.
#[derive(Clone, PartialEq, Eq)]
pub enum Person {
    /// By a phone number, in its normal form.
    Number(String),
    /// By an e-mail, in any letter case.
    Email(String),
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number(_) => "Number(…)",
            Self::Email(_) => "Email(…)",
        })
    }
}

impl Person {
    fn is(&self, email: Option<&str>, phone: Option<&str>) -> bool {
        match self {
            Self::Number(number) => phone == Some(number),
            Self::Email(own) => email.is_some_and(|email| email.to_lowercase() == own.trim().to_lowercase()),
        }
    }

    fn hash(&self, secret: Secret) -> [u8; 16] {
        match self {
            Self::Number(number) => secret.number(number),
            Self::Email(email) => secret.email(email),
        }
    }

    /// What a customer is known by who is known by this alone, also once nothing else is left of it.
    fn customer_key(&self) -> [u8; 16] {
        let key = match self {
            Self::Number(number) => CustomerKey::Phone(number.clone()),
            Self::Email(email) => CustomerKey::Email(email.trim().to_lowercase()),
        };
        customer_key(Some(&key))
    }
}

/// An open call that the service confirmed: it is compared with its text before it counts as landed.
const HELD: &str = "EXISTS (SELECT 1 FROM requests WHERE requests.id = calls.request AND carried IS NOT NULL
  AND resource IS NOT NULL)";
const OPEN: &str =
    "EXISTS (SELECT 1 FROM requests WHERE requests.id = calls.request AND carried IS NOT NULL)";

impl Checkpoint {
    /// Takes everything that is known of these people out of the file, their calls that wait included, and bars them.
    pub fn forget_people(&mut self, people: &[Person]) -> Result<Forgotten, CheckpointError> {
        self.forgetting(|c| {
            let secret = hiding::begin(c)?;
            find(c, people)?;
            let numbers = numbers_given_over(c)?;
            let imported = hiding::hide_landed(c, "customer IN temp.people")?;
            let in_flight = keep_references(c)?;
            let Dropped { calls: dropped, refused: dropped_refused, beside: dropped_beside } =
                drop_waiting(c)?;
            let customers = empty(c)?;
            empty_queues(c)?;
            hiding::clear_words(c)?;
            hiding::end_staged(c)?;
            let barred = bar(c, people, secret)?;
            bar(c, &numbers, secret)?;
            bar_keys_given_over(c)?;
            let kept = kept(c)?;
            Ok(Forgotten {
                imported,
                dropped,
                dropped_refused,
                dropped_beside,
                in_flight,
                customers,
                barred,
                kept,
            })
        })
    }
}

/// Gathers the customers who these people are, and the queues of their calls.
fn find(c: &Connection, people: &[Person]) -> Result<(), CheckpointError> {
    c.execute_batch(
        "DROP TABLE IF EXISTS temp.people; CREATE TEMP TABLE people (customer INTEGER PRIMARY KEY);
         DROP TABLE IF EXISTS temp.named_otherwise; CREATE TEMP TABLE named_otherwise (customer INTEGER PRIMARY KEY);
         DROP TABLE IF EXISTS temp.queues_of_people;
         DROP TABLE IF EXISTS temp.dropped; CREATE TEMP TABLE dropped (call INTEGER PRIMARY KEY);",
    )?;
    let mut enter = c.prepare("INSERT OR IGNORE INTO temp.people VALUES (?1)")?;
    let mut otherwise = c.prepare("INSERT OR IGNORE INTO temp.named_otherwise VALUES (?1)")?;
    let mut customers = c.prepare(
        "SELECT id, email, phone FROM customers WHERE email IS NOT NULL OR phone IS NOT NULL
         UNION ALL SELECT customer, email, phone FROM contacts",
    )?;
    let mut rows = customers.query([])?;
    while let Some(row) = rows.next()? {
        let (id, email, phone): (i64, Option<String>, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        if people.iter().any(|person| person.is(email.as_deref(), phone.as_deref())) {
            enter.execute([id])?;
        } else {
            otherwise.execute([id])?;
        }
    }
    for person in people {
        c.execute(
            "INSERT OR IGNORE INTO temp.people SELECT id FROM customers WHERE key = ?1",
            [hidden(c, person.customer_key())?],
        )?;
    }
    // A number whose calls were given to somebody is that person, and whoever has it is known by it.
    c.execute_batch(
        "INSERT OR IGNORE INTO temp.people SELECT same_as FROM customers WHERE id IN temp.people AND same_as IS NOT NULL;
         INSERT OR IGNORE INTO temp.people SELECT id FROM customers WHERE same_as IN temp.people;
         CREATE TEMP TABLE queues_of_people AS SELECT DISTINCT queue FROM calls WHERE customer IN temp.people;",
    )?;
    Ok(())
}

/// The numbers whose calls were given to these people: a call with such a number alone would be theirs again.
fn numbers_given_over(c: &Connection) -> rusqlite::Result<Vec<Person>> {
    c.prepare(
        "SELECT phone FROM customers WHERE id IN temp.people AND same_as IS NOT NULL AND phone IS NOT NULL",
    )?
    .query_map([], |row| row.get(0).map(Person::Number))?
    .collect()
}

/// Those of these numbers of which only a key is left, since they were forgotten before: they are barred by it. An e-mail
/// that leads to these people is entered too and bars nobody, since only numbers are looked up by their keys.
fn bar_keys_given_over(c: &Connection) -> rusqlite::Result<usize> {
    c.execute(
        "INSERT OR IGNORE INTO barred (hash)
           SELECT key FROM customers WHERE id IN temp.people AND same_as IS NOT NULL AND phone IS NULL",
        [],
    )
}

/// Calls in flight keep what finds them in Help Scout, and those that are compared there their text; how many there are.
fn keep_references(c: &Connection) -> rusqlite::Result<u64> {
    let open = c.execute(
        &format!("UPDATE calls SET forgotten = 2 WHERE forgotten = 0 AND customer IN temp.people AND {OPEN}"),
        [],
    )?;
    c.execute(
        &format!(
            "DELETE FROM texts WHERE call IN
               (SELECT id FROM calls WHERE customer IN temp.people AND forgotten = 2 AND NOT {HELD})"
        ),
        [],
    )?;
    c.execute("DELETE FROM raw_rows WHERE call IN (SELECT id FROM calls WHERE forgotten = 2)", [])?;
    Ok(open as u64)
}

/// Calls that were dropped, as in [`Forgotten`].
struct Dropped {
    calls: u64,
    refused: u64,
    beside: u64,
}

/// Drops the calls that wait or were refused, and what was asked for their sake. Which of a customer's names the row of a
/// call bore is not stored, so that all go: a call too many comes back with its file, one too few would be sent.
fn drop_waiting(c: &Connection) -> rusqlite::Result<Dropped> {
    c.execute(
        "INSERT INTO temp.dropped SELECT id FROM calls WHERE customer IN temp.people AND forgotten = 0",
        [],
    )?;
    c.execute("DELETE FROM requests WHERE kind = 2 AND carried IS NOT NULL AND customer IN temp.people", [])?;
    let (refused, beside) = c.query_row(
        "SELECT COUNT(*) FILTER (WHERE request IS NOT NULL),
           COUNT(*) FILTER (WHERE customer IN (SELECT customer FROM temp.named_otherwise))
         FROM calls WHERE id IN (SELECT call FROM temp.dropped)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(Dropped { calls: merge::drop_calls(c)?, refused, beside })
}

fn empty(c: &Connection) -> rusqlite::Result<u64> {
    let emptied = c.execute(
        &format!(
            "UPDATE customers SET email = NULL, phone = NULL, fields = '{{}}'
             WHERE id IN temp.people AND id NOT IN (SELECT customer FROM calls WHERE forgotten = 2 AND {HELD})
               AND (email IS NOT NULL OR phone IS NOT NULL OR fields <> '{{}}')"
        ),
        [],
    )?;
    c.execute(
        &format!(
            "DELETE FROM contacts WHERE customer IN temp.people
               AND customer NOT IN (SELECT customer FROM calls WHERE forgotten = 2 AND {HELD})"
        ),
        [],
    )?;
    Ok(emptied as u64)
}

/// A call in flight is found by its reference: a subject is needed only for other people's calls and to be compared.
fn empty_queues(c: &Connection) -> rusqlite::Result<()> {
    hiding::take_subjects(
        c,
        &format!(
            "id IN temp.queues_of_people
               AND id NOT IN (SELECT queue FROM calls WHERE forgotten = 0 OR (forgotten = 2 AND {HELD}))"
        ),
    )
}

fn bar(c: &Connection, people: &[Person], secret: Secret) -> rusqlite::Result<u64> {
    let mut bar = c.prepare("INSERT OR IGNORE INTO barred (hash) VALUES (?1)")?;
    people.iter().map(|person| Ok(bar.execute([person.hash(secret)])? as u64)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::{CallGroup, CallRecord, Leg, Moment},
        checkpoint::{
            Decision, RequestKind, StagedRecord, Standing,
            claims::tests::{found, recover},
            forget::tests::{holds, land, of},
            ledger::tests::{lose, request},
            stage::tests::{fresh, load},
        },
    };

    fn email(text: &str) -> Vec<Person> {
        vec![Person::Email(text.into())]
    }

    /// `of`, with a number of its own.
    fn by(person: &str, number: &str, id: &str) -> crate::call::Call {
        let mut call = of(person, id);
        call.customer.phone = Some(number.into());
        call
    }

    #[test]
    fn a_person_leaves_at_once_and_does_not_come_back() {
        let (_folder, mut checkpoint) = fresh();
        let rows =
            [by("ann", "+11", "a1"), by("bo", "+12", "b1"), by("ann", "+11", "a2"), by("bo", "+12", "b2")];
        load(&mut checkpoint, "a.csv", &rows, None);
        land(&checkpoint, 1..=2);
        let forgotten = checkpoint.forget_people(&email("ANN@example.com ")).unwrap();
        assert_eq!(
            (forgotten.imported, forgotten.dropped, forgotten.customers, forgotten.barred),
            (1, 1, 1, 1)
        );
        for words in ["ann@", "Name of ann", "note of ann", "a1", "+11"] {
            // Two letters may stand in a hash.
            assert!(words.len() < 4 || !holds(&checkpoint, words), "{words}");
        }
        assert!(holds(&checkpoint, "bo@example.com"));
        let again = load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!((again.barred, again.already_imported), (2, 1));
        assert_eq!(checkpoint.open_calls().unwrap(), 1, "the one that waits is bo's");
        assert!(!holds(&checkpoint, "ann@"));
        assert_eq!(checkpoint.forget_people(&email("ann@example.com")).unwrap().barred, 0, "already");
    }

    #[test]
    fn a_row_that_names_the_person_is_left_out_whatever_else_it_names() {
        let (_folder, mut checkpoint) = fresh();
        checkpoint.forget_people(&[Person::Number("+15550100".into())]).unwrap();
        let mut other = by("ann", "+1999", "2");
        let figures = load(&mut checkpoint, "a.csv", &[of("ann", "1"), other.clone()], None);
        assert_eq!(
            (figures.barred, checkpoint.open_calls().unwrap()),
            (1, 1),
            "the e-mail alone is not barred"
        );
        other.identity = of("x", "3").identity;
        other.customer.email = None;
        assert_eq!(load(&mut checkpoint, "b.csv", &[other], None).barred, 0);
    }

    #[test]
    fn a_person_who_calls_from_two_numbers_is_found_by_either() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [by("ann", "+15550111", "1"), by("ann", "+15550112", "2"), by("bo", "+15550113", "3")];
        load(&mut checkpoint, "a.csv", &rows, None);
        let forgotten = checkpoint.forget_people(&[Person::Number("+15550112".into())]).unwrap();
        assert_eq!((forgotten.dropped, checkpoint.open_calls().unwrap()), (2, 1));
        assert_eq!(forgotten.dropped_beside, 2, "which of the two each row named is not stored");
        let again = load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!((again.barred, checkpoint.open_calls().unwrap()), (1, 2), "the other one comes back");
        checkpoint.forget_people(&[Person::Number("+15550111".into())]).unwrap();
        assert!(!holds(&checkpoint, "+15550112") && !holds(&checkpoint, "ann@") && holds(&checkpoint, "bo@"));
        load(&mut checkpoint, "a.csv", &[by("bo", "+15550114", "4")], None);
        let last: i64 =
            checkpoint.connection.query_row("SELECT MAX(id) FROM calls", [], |row| row.get(0)).unwrap();
        land(&checkpoint, 3..=last);
        assert!(holds(&checkpoint, "+15550114"));
        checkpoint.forget_imported().unwrap();
        assert!(!holds(&checkpoint, "+15550114"), "what finds a person goes with the person");
    }

    #[test]
    fn a_person_who_was_forgotten_before_is_found_by_the_key() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[of("ann", "1")], None);
        land(&checkpoint, 1..=1);
        checkpoint.forget_imported().unwrap();
        // A call of the person waits again.
        load(&mut checkpoint, "b.csv", &[of("ann", "2")], None);
        let forgotten = checkpoint.forget_people(&email("ann@example.com")).unwrap();
        assert_eq!((forgotten.dropped, forgotten.dropped_refused, forgotten.dropped_beside), (1, 0, 0));
        assert!(!holds(&checkpoint, "ann@"));
    }

    #[test]
    fn the_records_of_a_barred_persons_call_are_left_out_together() {
        let (_folder, mut checkpoint) = fresh();
        checkpoint.forget_people(&email("ann@example.com")).unwrap();
        let record = |person: &str, id: &str, group: CallGroup| {
            let leg = Leg { started_at: Moment::from_epoch_seconds(0), told: id.into(), agent: None };
            let call = of(person, id);
            CallRecord {
                group,
                key: Some(call.identity.key),
                updated_at: None,
                leg,
                call: Ok(call),
                is_wrong: false,
            }
        };
        let of_group = |person: &str, id: &str| record(person, id, CallGroup::new("", person, false));
        let broken = |record: CallRecord| {
            let fault = crate::call::Fault::new(crate::call::FaultKind::Customer, "no customer");
            CallRecord { call: Err(crate::call::Rejection::one(fault)), ..record }
        };
        let mut wrong = StagedRecord::new(
            CallRecord { is_wrong: true, ..broken(record("cy", "5", CallGroup::new("", "5", false))) },
            100,
            None,
        );
        wrong.bar();
        let rows = [
            StagedRecord::new(of_group("ann", "1"), 100, None),
            StagedRecord::new(broken(of_group("ann", "2")), 100, None),
            StagedRecord::new(of_group("bo", "3"), 100, None),
            // A row that names no group, of a leg that another row names the group of.
            StagedRecord::new(record("ann", "4", CallGroup::new("", "4", true)), 100, None),
            StagedRecord::new(record("di", "4", CallGroup::new("", "7", false)), 100, None),
            wrong,
        ];
        let mut stager = checkpoint.stage(1).unwrap();
        let file = stager.file("a.csv").unwrap();
        let taken: Vec<bool> =
            (2..).zip(&rows).map(|(line, row)| stager.add_record(row, file, line).unwrap()).collect();
        assert_eq!(taken, [false, true, true, false, true, false]);
        let figures = stager.sort(None).unwrap();
        stager.keep(None).unwrap();
        assert_eq!((figures.barred, figures.astray, checkpoint.open_calls().unwrap()), (5, 0, 1));
        assert!(!holds(&checkpoint, "note of ann") && !holds(&checkpoint, "note of di"));
    }

    /// A checkpoint in which a call of ann and one of bo were sent in one request, whose answer is lost.
    async fn in_flight() -> (tempfile::TempDir, Checkpoint) {
        let (folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[by("ann", "+11", "crm-1"), by("bo", "+12", "crm-2")], None);
        let mut checkpoint = lose(checkpoint, request(RequestKind::Create, 1, &[1, 2])).await;
        let forgotten = checkpoint.forget_people(&email("ann@example.com")).unwrap();
        assert_eq!((forgotten.in_flight, forgotten.dropped), (1, 0));
        assert!(!holds(&checkpoint, "note of ann") && !holds(&checkpoint, "Name of ann"));
        assert!(!holds(&checkpoint, "ann@"), "not in the subject either");
        assert!(holds(&checkpoint, "crm-1"), "by what it is found in Help Scout");
        (folder, checkpoint)
    }

    #[tokio::test]
    async fn a_barred_call_in_flight_goes_when_it_has_landed() {
        let (_folder, mut checkpoint) = in_flight().await;
        checkpoint.resolve("crm-1", Decision::Landed(5)).unwrap();
        checkpoint.compact().unwrap();
        assert!(!holds(&checkpoint, "crm-1") && holds(&checkpoint, "crm-2"));
    }

    #[tokio::test]
    async fn a_barred_call_in_flight_that_was_not_stored_is_not_sent_again() {
        let (_folder, mut checkpoint) = in_flight().await;
        assert!(checkpoint.resolve("crm-1", Decision::Resend).unwrap().is_barred);
        assert!(!checkpoint.resolve("crm-2", Decision::Resend).unwrap().is_barred);
        assert_eq!(checkpoint.open_calls().unwrap(), 1);
        let calls: u64 =
            checkpoint.connection.query_row("SELECT COUNT(*) FROM calls", [], |row| row.get(0)).unwrap();
        assert_eq!(calls, 1);
        checkpoint.compact().unwrap();
        assert!(!holds(&checkpoint, "crm-1") && holds(&checkpoint, "crm-2"));
    }

    #[tokio::test]
    async fn a_barred_call_that_was_held_and_is_gone_takes_its_customer_along() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[by("ann", "+11", "crm-1")], None);
        land(&checkpoint, 1..=1);
        checkpoint
            .connection
            .execute("UPDATE requests SET state = 2, resource = 5, carried = x'0100000000000000'", [])
            .unwrap();
        assert_eq!(checkpoint.forget_people(&email("ann@example.com")).unwrap().in_flight, 1);
        assert!(holds(&checkpoint, "ann@"), "it is compared with what was made of it");
        super::super::delivery::not_stored(&checkpoint.connection, 901, true).unwrap();
        checkpoint.compact().unwrap();
        assert!(!holds(&checkpoint, "ann@"));
    }

    #[tokio::test]
    async fn a_barred_call_in_flight_that_a_recovery_finds_has_landed() {
        let (_folder, mut checkpoint) = in_flight().await;
        let recovery = recover(&mut checkpoint, &[found(501, &["Ref: crm-1", "Ref: crm-2"])]);
        assert_eq!((recovery.calls, checkpoint.open_calls().unwrap()), (2, 0));
        checkpoint.compact().unwrap();
        assert!(!holds(&checkpoint, "crm-1") && holds(&checkpoint, "crm-2"));
        assert_eq!(checkpoint.standing("", &["Ref: crm-1".into()]).unwrap(), Standing::Landed);
    }

    #[test]
    fn debug_output_names_nobody() {
        let people = [Person::Number("+1".into()), Person::Email("a@b".into())];
        assert_eq!(format!("{people:?}"), "[Number(…), Email(…)]");
    }
}
