//! Calls of which only a number tells whose they are, given to the customer whose number it is.
//!
//! All rows must be there before it can be told: the number's only e-mail may stand in the last one, and so may a second
//! one. A customer whom an earlier run knew by the number outranks who is known by the input alone; where several are
//! known, the number stays a customer of its own. Only what no request was made for is given over, and nobody is reached
//! by way of another: who takes calls over has an e-mail or an id, and is never given over.
//!
//! What was given over is stored as `same_as` of the number's customer and of its queues, so that the number leads there
//! in every later run.

use rusqlite::{Connection, OptionalExtension, params};

use super::{CheckpointError, Stager, found_by, staged_call::group_key};
use crate::call::{Customer, CustomerKey, FoundBy};

/// Made for every run that stages.
///
/// * `named_anew`: numbers that only rows of this run tell of a customer whom an earlier one knew.
/// * `led_on`: numbers that led to somebody else in this run.
/// * `shared_numbers`: customers whose number several people have.
pub(super) const TABLES: &str = "
DROP TABLE IF EXISTS temp.named_anew; DROP TABLE IF EXISTS temp.led_on; DROP TABLE IF EXISTS temp.shared_numbers;
CREATE TEMP TABLE named_anew (phone TEXT, customer INTEGER, PRIMARY KEY (phone, customer)) WITHOUT ROWID;
CREATE TEMP TABLE led_on (number INTEGER PRIMARY KEY);
CREATE TEMP TABLE shared_numbers (number INTEGER PRIMARY KEY);
";

/// A customer who is a number and no more, and of whom nothing was asked.
pub(super) const UNKNOWN: &str = "helpscout_id IS NULL AND email IS NULL AND phone IS NOT NULL
  AND NOT confirmed AND NOT EXISTS (SELECT 1 FROM requests WHERE carried IS NOT NULL AND requests.customer = customers.id)";
/// Such a number that never led to anybody: its calls may be given over.
fn lone() -> String {
    format!("{UNKNOWN} AND same_as IS NULL")
}

/// Such a number that led to somebody who could not be named when its last call came (see [`Stager::follow`]). It never
/// leads to anybody else.
fn parted() -> String {
    format!("{UNKNOWN} AND same_as IS NOT NULL AND found_by = {}", found_by::stored(FoundBy::Nothing))
}

/// Somebody to whom calls may be given.
const NAMED: &str =
    "customers.same_as IS NULL AND (customers.email IS NOT NULL OR customers.helpscout_id IS NOT NULL)";

/// Numbers handled at a time.
const PAGE: u32 = 1_000;

/// Customers who stay known by a number alone, because several people have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedNumbers {
    /// How many.
    pub customers: u64,
    /// The file of the first call of one of them.
    pub file: String,
    /// The line of its row.
    pub line: u64,
}

impl Stager<'_> {
    /// Gives the calls of every number to the one customer who is known by it.
    pub(super) fn give_numbers_over(&mut self) -> Result<(), CheckpointError> {
        if !self.any_to_give()? {
            return Ok(());
        }
        self.find_people()?;
        self.choose()?;
        let any: bool =
            self.connection.query_row("SELECT EXISTS (SELECT 1 FROM temp.given)", [], |row| row.get(0))?;
        if any {
            self.move_queues()?;
            self.measure_names()?;
            self.connection.execute_batch(
                "UPDATE calls SET queue = COALESCE((SELECT target FROM temp.moves WHERE moves.queue = calls.queue), queue),
                   size = size + (SELECT more FROM temp.given WHERE number = customer),
                   customer = (SELECT other FROM temp.given WHERE number = customer)
                 WHERE customer IN (SELECT number FROM temp.given);
                 UPDATE customers SET (same_as, found_by) =
                   (SELECT other, found_by FROM temp.given WHERE number = customers.id)
                 WHERE id IN (SELECT number FROM temp.given);
                 INSERT OR IGNORE INTO temp.led_on SELECT number FROM temp.given;",
            )?;
        }
        self.connection.execute_batch(
            "DROP TABLE temp.lone; DROP TABLE temp.people; DROP TABLE temp.given; DROP TABLE IF EXISTS temp.moves;",
        )?;
        Ok(())
    }

    /// In most inputs there are not both, and nothing more is done.
    fn any_to_give(&self) -> rusqlite::Result<bool> {
        let any = |which: &str| -> rusqlite::Result<bool> {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM customers WHERE phone IS NOT NULL AND {which})");
            self.connection.query_row(&sql, [], |row| row.get(0))
        };
        let any_contact = || -> rusqlite::Result<bool> {
            self.connection
                .query_row("SELECT EXISTS (SELECT 1 FROM contacts WHERE phone <> '')", [], |row| row.get(0))
        };
        Ok(any(&parted())? || (any(&lone())? && (any(NAMED)? || any_contact()?)))
    }

    /// Who is known by the numbers that stand alone, and whether an earlier run knew it. A customer whom a run entered that
    /// was not kept has no call.
    fn find_people(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS temp.lone; DROP TABLE IF EXISTS temp.people; DROP TABLE IF EXISTS temp.present;
             CREATE TEMP TABLE lone (phone TEXT PRIMARY KEY, customer INTEGER) WITHOUT ROWID;
             INSERT OR IGNORE INTO temp.lone SELECT phone, id FROM customers WHERE {lone};
             CREATE TEMP TABLE people (phone TEXT, customer INTEGER, is_earlier INTEGER, PRIMARY KEY (phone, customer))
               WITHOUT ROWID;
             INSERT INTO temp.people SELECT phone, id, id <= {last_known} FROM customers
               WHERE {NAMED} AND phone IN (SELECT phone FROM temp.lone);
             INSERT OR IGNORE INTO temp.people
               SELECT contacts.phone, customer, customer <= {last_known} AND NOT EXISTS (SELECT 1 FROM temp.named_anew
                 WHERE named_anew.phone = contacts.phone AND named_anew.customer = contacts.customer)
               FROM contacts JOIN customers ON id = customer
               WHERE {NAMED} AND contacts.phone IN (SELECT phone FROM temp.lone);
             CREATE TEMP TABLE present (customer INTEGER PRIMARY KEY, first INTEGER);
             INSERT INTO temp.present SELECT customer, MIN(id) FROM calls
               WHERE customer IN (SELECT customer FROM temp.people) GROUP BY customer;
             UPDATE temp.people SET is_earlier = 0 WHERE is_earlier
               AND NOT (SELECT confirmed FROM customers WHERE id = customer)
               AND COALESCE((SELECT first FROM temp.present WHERE present.customer = people.customer) > {before}, 1);
             DELETE FROM temp.people WHERE NOT is_earlier AND customer NOT IN (SELECT customer FROM temp.present);
             DROP TABLE temp.present;",
            lone = lone(),
            last_known = self.last_customer,
            before = self.before,
        ))
    }

    /// Who gets the calls of each number: whom it led to before, where rows name that person again. A number of which a call was sent or refused keeps its own.
    fn choose(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS temp.given; DROP TABLE IF EXISTS temp.chosen;
             CREATE TEMP TABLE given (number INTEGER PRIMARY KEY, other INTEGER, found_by INTEGER, more INTEGER DEFAULT 0);
             CREATE TEMP TABLE chosen AS
               SELECT lone.customer AS number, SUM(is_earlier) AS earlier, COUNT(*) AS people,
                 COALESCE(MAX(CASE WHEN is_earlier THEN people.customer END), MAX(people.customer)) AS other
               FROM temp.people JOIN temp.lone ON lone.phone = people.phone GROUP BY people.phone;
             INSERT INTO temp.given (number, other, found_by)
               SELECT number, other, CASE earlier WHEN 1 THEN {checkpoint} ELSE {only_email} END FROM temp.chosen
               WHERE earlier = 1 OR people = 1;
             INSERT OR IGNORE INTO temp.shared_numbers
               SELECT number FROM temp.chosen WHERE number NOT IN (SELECT number FROM temp.given);
             DROP TABLE temp.chosen;
             INSERT INTO temp.given (number, other, found_by)
               SELECT id, same_as, {checkpoint} FROM customers
               WHERE {parted} AND same_as IN (SELECT id FROM customers WHERE {NAMED});
             DELETE FROM temp.given WHERE number IN (SELECT customer FROM calls
               WHERE request IS NOT NULL AND customer IN (SELECT number FROM temp.given));",
            parted = parted(),
            checkpoint = found_by::stored(FoundBy::Checkpoint),
            only_email = found_by::stored(FoundBy::OnlyEmail),
        ))
    }

    /// The queues that hold the calls of a number because they are grouped by customer lead to the other's.
    fn move_queues(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch(
            "DROP TABLE IF EXISTS temp.moves; DROP TABLE IF EXISTS temp.mixed;
             CREATE TEMP TABLE moves (queue INTEGER PRIMARY KEY, number INTEGER, target INTEGER);
             INSERT OR IGNORE INTO temp.moves (queue, number) SELECT queue, customer FROM calls
               WHERE customer IN (SELECT number FROM temp.given);
             CREATE TEMP TABLE mixed AS SELECT DISTINCT moves.queue FROM calls CROSS JOIN temp.moves
               ON moves.queue = calls.queue WHERE calls.customer <> moves.number;
             DELETE FROM temp.moves WHERE queue IN (SELECT queue FROM temp.mixed); DROP TABLE temp.mixed;",
        )?;
        let mut after = 0;
        loop {
            let page = self.moves(after)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.queue;
            for one in page {
                let group = CustomerKey::Phone(one.phone).canonical();
                if one.key != self.hidden(group_key(&one.inbox, &group)) {
                    continue;
                }
                let other = self.customer_by_id(one.other)?;
                let target = self.queue_of_customer(&other, &one.inbox, &one.subject)?;
                if let Some(target) = target.filter(|target| *target != one.queue) {
                    lead_on(self.connection, one.queue, target)?;
                }
            }
        }
    }

    fn moves(&self, after: i64) -> rusqlite::Result<Vec<Move>> {
        self.connection
            .prepare_cached(
                "SELECT moves.queue, other, phone, queues.key, inbox, subject FROM temp.moves
                 JOIN temp.given ON given.number = moves.number JOIN customers ON customers.id = moves.number
                 JOIN queues ON queues.id = moves.queue WHERE moves.queue > ?1 ORDER BY moves.queue LIMIT ?2",
            )?
            .query_map(params![after, PAGE], |row| {
                Ok(Move {
                    queue: row.get(0)?,
                    other: row.get(1)?,
                    phone: row.get(2)?,
                    key: row.get(3)?,
                    inbox: row.get(4)?,
                    subject: row.get(5)?,
                })
            })?
            .collect()
    }

    /// What naming the other takes more than an id, for the sizes of the calls.
    fn measure_names(&self) -> rusqlite::Result<()> {
        let mut after = 0;
        loop {
            let page: Vec<(i64, i64)> = self
                .connection
                .prepare_cached(
                    "SELECT number, other FROM temp.given WHERE number > ?1 ORDER BY number LIMIT ?2",
                )?
                .query_map(params![after, PAGE], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (number, other) in page {
                let more = self.more_to_name(other, &Customer::default())?;
                self.connection
                    .prepare_cached("UPDATE temp.given SET more = ?2 WHERE number = ?1")?
                    .execute(params![number, more])?;
            }
        }
    }

    /// Those whose calls stay with the number although people are known by it; none where there are none.
    pub fn shared_numbers(&self) -> Result<Option<SharedNumbers>, CheckpointError> {
        let any: bool =
            self.connection
                .query_row("SELECT EXISTS (SELECT 1 FROM temp.shared_numbers)", [], |row| row.get(0))?;
        if !any {
            return Ok(None);
        }
        let (customers, first): (u64, Option<i64>) = self.connection.query_row(
            "SELECT COUNT(DISTINCT customer), MIN(id) FROM calls
             WHERE request IS NULL AND customer IN (SELECT number FROM temp.shared_numbers)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(self
            .connection
            .query_row(
                "SELECT path, line FROM calls JOIN files ON files.id = file WHERE calls.id = ?1",
                [first],
                |row| Ok(SharedNumbers { customers, file: row.get(0)?, line: row.get(1)? }),
            )
            .optional()?)
    }
}

/// A queue that may be moved with the calls of its number.
struct Move {
    queue: i64,
    other: i64,
    phone: String,
    key: [u8; 16],
    inbox: String,
    subject: String,
}

fn lead_on(c: &Connection, queue: i64, target: i64) -> rusqlite::Result<()> {
    c.prepare_cached("UPDATE temp.moves SET target = ?2 WHERE queue = ?1")?.execute([queue, target])?;
    c.prepare_cached("UPDATE queues SET same_as = ?2, subject = '' WHERE id = ?1")?
        .execute([queue, target])?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        call::{Call, Destination},
        checkpoint::{
            Checkpoint, FoundByCounts, Person, StagedCall,
            stage::tests::{call, fresh, land, load},
        },
    };

    /// A call, grouped by its customer.
    pub(crate) fn of(id: &str, email: Option<&str>, phone: Option<&str>) -> Call {
        let customer = Customer {
            email: email.map(str::to_owned),
            phone: phone.map(str::to_owned),
            found_by: if email.is_some() { FoundBy::Email } else { FoundBy::Nothing },
            ..Customer::default()
        };
        by(id, customer)
    }

    pub(crate) fn by(id: &str, customer: Customer) -> Call {
        let group = customer.key().unwrap().canonical();
        let destination = Destination::Grouped { inbox: "85".into(), group, subject: format!("Calls {id}") };
        Call { customer, destination, ..call(id, id) }
    }

    const NUMBER: &str = "+15550100";

    fn jo(id: &str) -> Call {
        of(id, Some("Jo@example.com"), Some(NUMBER))
    }

    fn ann(id: &str) -> Call {
        of(id, Some("ann@example.com"), Some(NUMBER))
    }

    fn lone(id: &str) -> Call {
        of(id, None, Some(NUMBER))
    }

    fn account(id: &str) -> Call {
        let found_by = FoundBy::Account;
        by(id, Customer { id: Some(900), phone: Some(NUMBER.into()), found_by, ..Customer::default() })
    }

    /// Every call with its customer and the number of its queue.
    pub(crate) fn whose(checkpoint: &Checkpoint) -> Vec<(String, String, i64)> {
        checkpoint
            .connection
            .prepare(
                "SELECT source_id, COALESCE(LOWER(email), 'id ' || helpscout_id, phone, 'nobody'), queue
                 FROM calls JOIN customers ON customers.id = customer ORDER BY source_id",
            )
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    fn customers(checkpoint: &Checkpoint) -> Vec<String> {
        whose(checkpoint).into_iter().map(|(_, customer, _)| customer).collect()
    }

    fn queues(checkpoint: &Checkpoint) -> usize {
        whose(checkpoint).iter().map(|(_, _, queue)| *queue).collect::<std::collections::BTreeSet<_>>().len()
    }

    fn count(checkpoint: &Checkpoint, what: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {what}");
        checkpoint.connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_number_goes_to_the_only_e_mail_that_came_with_it() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [lone("1"), jo("2"), lone("3")];
        load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!((customers(&checkpoint), queues(&checkpoint)), (vec!["jo@example.com".to_owned(); 3], 1));
        let counts = checkpoint.planned_customers().unwrap().found_by;
        assert_eq!(counts, FoundByCounts { email: 1, only_email: 1, ..FoundByCounts::default() });
        let before = whose(&checkpoint);
        load(&mut checkpoint, "a.csv", &rows, None);
        load(&mut checkpoint, "b.csv", &[lone("4")], None);
        assert_eq!(whose(&checkpoint)[..3], before);
        assert_eq!((customers(&checkpoint)[3].as_str(), queues(&checkpoint)), ("jo@example.com", 1));
        let sizes: Vec<u32> = checkpoint
            .connection
            .prepare("SELECT size FROM calls ORDER BY source_id")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert!(sizes[0] > 100 && sizes[1] == 100 && sizes[3] == sizes[0], "{sizes:?}");
    }

    #[test]
    fn an_offices_number_stays_a_customer_of_its_own_and_glues_nobody() {
        let (_folder, mut checkpoint) = fresh();
        let mut stager = checkpoint.stage(1).unwrap();
        let file = stager.file("a.csv").unwrap();
        for (line, call) in (2..).zip([jo("1"), lone("2"), ann("3"), lone("4")]) {
            stager.add(StagedCall::new(call, 100, None), file, line).unwrap();
        }
        stager.sort(None).unwrap();
        let told = SharedNumbers { customers: 1, file: "a.csv".into(), line: 3 };
        assert_eq!(stager.shared_numbers().unwrap(), Some(told));
        stager.keep(None).unwrap();
        assert_eq!(customers(&checkpoint), ["jo@example.com", "+15550100", "ann@example.com", "+15550100"]);
        assert_eq!(queues(&checkpoint), 3);
        let counts = checkpoint.planned_customers().unwrap().found_by;
        assert_eq!(counts, FoundByCounts { email: 2, nothing: 1, ..FoundByCounts::default() });
    }

    #[test]
    fn who_is_known_by_a_number_before_outranks_who_comes_with_it() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[jo("1")], None);
        load(&mut checkpoint, "b.csv", &[ann("2"), lone("3")], None);
        assert_eq!(customers(&checkpoint)[2], "jo@example.com");
        assert_eq!(checkpoint.planned_customers().unwrap().found_by.checkpoint, 1);
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[jo("1"), ann("2")], None);
        load(&mut checkpoint, "b.csv", &[lone("3")], None);
        assert_eq!(customers(&checkpoint)[2], NUMBER);
    }

    #[test]
    fn an_earlier_customer_whom_only_this_input_names_with_the_number_is_one_of_the_inputs() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[of("0", Some("jo@example.com"), None)], None);
        load(&mut checkpoint, "b.csv", &[jo("1"), ann("2"), lone("3")], None);
        assert_eq!(customers(&checkpoint)[3], NUMBER);
    }

    #[test]
    fn a_number_of_which_something_was_sent_keeps_its_calls() {
        for sent in [
            "INSERT INTO requests (id, kind, state, run, sent_at) VALUES (9, 0, 1, 1, 0); UPDATE calls SET request = 9",
            "INSERT INTO requests (id, kind, state, run, customer, sent_at, carried) VALUES (9, 2, 2, 1, 1, 0, x'')",
            "UPDATE customers SET helpscout_id = 77, confirmed = 1",
        ] {
            let (_folder, mut checkpoint) = fresh();
            load(&mut checkpoint, "a.csv", &[lone("1")], None);
            checkpoint.connection.execute_batch(sent).unwrap();
            load(&mut checkpoint, "b.csv", &[jo("2"), lone("3")], None);
            let whose = whose(&checkpoint);
            assert_eq!(whose[2].2, whose[0].2, "{sent}");
            assert_ne!(whose[2].1, "jo@example.com", "{sent}");
        }
    }

    #[test]
    fn calls_that_wait_since_an_earlier_run_are_given_over_too() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[lone("1")], None);
        load(&mut checkpoint, "b.csv", &[jo("2")], None);
        assert_eq!((customers(&checkpoint), queues(&checkpoint)), (vec!["jo@example.com".to_owned(); 2], 1));
    }

    #[test]
    fn a_number_that_the_account_tells_of_later_stays_with_its_customer_and_its_conversation() {
        for is_forgotten in [false, true] {
            let (_folder, mut checkpoint) = fresh();
            load(&mut checkpoint, "a.csv", &[lone("1")], None);
            checkpoint
                .connection
                .execute("UPDATE customers SET helpscout_id = 900, confirmed = 1", [])
                .unwrap();
            land(&checkpoint);
            if is_forgotten {
                checkpoint.forget_imported().unwrap();
            }
            for run in ["2", "3"] {
                load(&mut checkpoint, "b.csv", &[account(run)], None);
            }
            let placed: Vec<(i64, i64)> = checkpoint
                .connection
                .prepare("SELECT customer, queue FROM calls")
                .unwrap()
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            assert_eq!(placed, [(1, 1); 3], "forgotten: {is_forgotten}");
            assert_eq!(checkpoint.planned_customers().unwrap().found_by.account, 1);
        }
    }

    #[test]
    fn a_number_that_waits_is_named_by_what_the_account_or_the_directory_tells() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[lone("1")], None);
        load(&mut checkpoint, "b.csv", &[account("2")], None);
        assert_eq!((customers(&checkpoint), queues(&checkpoint)), (vec!["id 900".to_owned(); 2], 1));
        let planned = checkpoint.planned_customers().unwrap();
        assert_eq!((planned.known, planned.new, planned.made_by_request), (1, 0, 0), "nobody is made");
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[lone("1")], None);
        let mut directory = jo("2");
        directory.customer.found_by = FoundBy::Directory;
        load(&mut checkpoint, "b.csv", &[directory, of("3", Some("jo@example.com"), None)], None);
        assert_eq!((customers(&checkpoint), queues(&checkpoint)), (vec!["jo@example.com".to_owned(); 3], 1));
    }

    #[test]
    fn a_number_beside_an_e_mail_is_no_way_to_another_person() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[lone("1")], None);
        land(&checkpoint);
        let mut named = jo("2");
        named.customer.id = Some(901);
        let named = by("2", named.customer);
        load(&mut checkpoint, "b.csv", &[named], None);
        assert_eq!((customers(&checkpoint)[0].as_str(), queues(&checkpoint)), (NUMBER, 2));
        // Nor is somebody with another id or another e-mail.
        checkpoint.connection.execute("UPDATE customers SET helpscout_id = 899 WHERE id = 1", []).unwrap();
        load(&mut checkpoint, "c.csv", &[account("3")], None);
        assert_eq!(customers(&checkpoint)[2], "id 900");
    }

    #[test]
    fn an_e_mail_whose_id_the_account_tells_later_stays_one_customer() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[jo("1")], None);
        let mut known = jo("2").customer;
        known.id = Some(900);
        load(&mut checkpoint, "b.csv", &[by("2", known)], None);
        load(&mut checkpoint, "c.csv", &[jo("3")], None);
        assert_eq!((customers(&checkpoint), queues(&checkpoint)), (vec!["jo@example.com".to_owned(); 3], 1));
        assert_eq!(count(&checkpoint, "customers WHERE helpscout_id = 900"), 1);
    }

    #[test]
    fn the_surest_way_that_any_row_gave_stands() {
        let (_folder, mut checkpoint) = fresh();
        let by_way = |id: &str, found_by| {
            let mut call = account(id);
            call.customer.found_by = found_by;
            call
        };
        load(
            &mut checkpoint,
            "a.csv",
            &[by_way("1", FoundBy::Account), by_way("2", FoundBy::Directory)],
            None,
        );
        assert_eq!(checkpoint.planned_customers().unwrap().found_by.directory, 1);
        load(&mut checkpoint, "b.csv", &[by_way("3", FoundBy::Account)], None);
        assert_eq!(checkpoint.planned_customers().unwrap().found_by.directory, 1);
    }

    #[test]
    fn a_conversation_that_is_not_grouped_by_the_customer_stays() {
        let (_folder, mut checkpoint) = fresh();
        let mut other = lone("1");
        other.destination =
            Destination::Grouped { inbox: "85".into(), group: "all".into(), subject: "All".into() };
        load(&mut checkpoint, "a.csv", &[other, jo("2")], None);
        assert_eq!((customers(&checkpoint), queues(&checkpoint)), (vec!["jo@example.com".to_owned(); 2], 2));
    }

    #[test]
    fn what_was_forgotten_still_leads_to_its_conversation_and_the_same_rows_add_nothing() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [lone("1"), jo("2")];
        load(&mut checkpoint, "a.csv", &rows, None);
        land(&checkpoint);
        checkpoint.forget_imported().unwrap();
        let again = load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!((again.already_imported, again.changed, checkpoint.open_calls().unwrap()), (2, 0, 0));
        load(&mut checkpoint, "b.csv", &[lone("3"), jo("4")], None);
        assert_eq!(customers(&checkpoint)[2..], ["jo@example.com", "jo@example.com"]);
        assert_eq!(count(&checkpoint, "(SELECT DISTINCT queue FROM calls)"), 1);
    }

    #[test]
    fn a_forgotten_customer_who_cannot_be_named_is_the_number_until_the_e_mail_comes_again() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[lone("1"), jo("2")], None);
        land(&checkpoint);
        checkpoint
            .connection
            .execute("UPDATE customers SET confirmed = 1 WHERE email IS NOT NULL", [])
            .unwrap();
        checkpoint.forget_imported().unwrap();
        load(&mut checkpoint, "b.csv", &[lone("3")], None);
        let named: i64 = checkpoint
            .connection
            .query_row(
                "SELECT COUNT(*) FROM calls JOIN customers ON customers.id = customer WHERE request IS NULL
                   AND phone IS NOT NULL AND NOT confirmed",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!((named, count(&checkpoint, "(SELECT DISTINCT queue FROM calls)")), (1, 1));
    }

    #[test]
    fn who_is_barred_by_a_number_is_found_where_its_calls_went() {
        for person in [Person::Number(NUMBER.into()), Person::Email("jo@example.com".into())] {
            let (_folder, mut checkpoint) = fresh();
            load(&mut checkpoint, "a.csv", &[lone("1"), jo("2")], None);
            land(&checkpoint);
            checkpoint.forget_imported().unwrap();
            load(&mut checkpoint, "b.csv", &[of("3", Some("jo@example.com"), None)], None);
            let forgotten = checkpoint.forget_people(std::slice::from_ref(&person)).unwrap();
            assert_eq!((forgotten.dropped, forgotten.barred), (1, 1), "{person:?}");
            for words in ["jo@", NUMBER] {
                assert!(!crate::checkpoint::forget::tests::holds(&checkpoint, words), "{person:?} {words}");
            }
        }
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[lone("1"), jo("2")], None);
        checkpoint.forget_people(&[Person::Email("jo@example.com".into())]).unwrap();
        assert_eq!(
            load(&mut checkpoint, "b.csv", &[lone("3")], None).barred,
            1,
            "the number is the person's"
        );
    }

    #[test]
    fn a_number_that_was_forgotten_before_its_person_was_barred_stays_out() {
        for number_comes_between in [false, true] {
            let (_folder, mut checkpoint) = fresh();
            load(&mut checkpoint, "a.csv", &[jo("1"), lone("2")], None);
            land_with_ids(&checkpoint);
            checkpoint.forget_imported().unwrap();
            if number_comes_between {
                load(&mut checkpoint, "b.csv", &[lone("3")], None);
                checkpoint.forget_file("b.csv").unwrap();
                assert!(!crate::checkpoint::forget::tests::holds(&checkpoint, NUMBER));
            }
            let forgotten = checkpoint.forget_people(&[Person::Email("jo@example.com".into())]).unwrap();
            assert_eq!(forgotten.barred, 1, "the number is the person's and does not count");
            let rows = [lone("6"), of("7", None, Some("+15550109"))];
            let figures = load(&mut checkpoint, "c.csv", &rows, None);
            assert_eq!((figures.barred, checkpoint.open_calls().unwrap()), (1, 1));
        }
    }

    /// All calls have landed, and Help Scout told the ids of those whom it made of a number.
    fn land_with_ids(checkpoint: &Checkpoint) {
        land(checkpoint);
        checkpoint
            .connection
            .execute_batch(
                "UPDATE customers SET confirmed = 1 WHERE id IN (SELECT customer FROM calls);
                 UPDATE customers SET helpscout_id = 700000000 + id WHERE email IS NULL AND phone IS NOT NULL
                   AND id IN (SELECT customer FROM calls);",
            )
            .unwrap();
    }

    /// A checkpoint in which the calls of the number went to jo, and everything was forgotten.
    fn given_and_forgotten() -> (tempfile::TempDir, Checkpoint) {
        let (folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[jo("1"), lone("2")], None);
        land_with_ids(&checkpoint);
        checkpoint.forget_imported().unwrap();
        (folder, checkpoint)
    }

    #[test]
    fn a_number_whose_person_was_forgotten_goes_to_nobody_else() {
        let (_folder, mut checkpoint) = given_and_forgotten();
        load(&mut checkpoint, "b.csv", &[ann("3"), lone("4")], None);
        let of_night = |checkpoint: &Checkpoint| whose(checkpoint)[2..].to_vec();
        let [(_, first, apart), (_, second, queue)] = &of_night(&checkpoint)[..] else { panic!() };
        assert_eq!((first.as_str(), second.as_str()), ("ann@example.com", NUMBER));
        assert!(apart != queue && *queue == whose_queue(&checkpoint, 1), "in the number's conversation");
        // Also in later runs, when Help Scout made a customer of it and jo is there again.
        land_with_ids(&checkpoint);
        load(&mut checkpoint, "c.csv", &[jo("5"), ann("6"), lone("7")], None);
        let last: Vec<String> = customers(&checkpoint)[4..].to_vec();
        assert_eq!(last[..2], ["jo@example.com", "ann@example.com"]);
        assert!(last[2].starts_with("id 7000"), "{last:?}");
        assert_eq!(whose_queue(&checkpoint, 7), *queue);
    }

    fn whose_queue(checkpoint: &Checkpoint, call: i64) -> i64 {
        let sql = "SELECT queue FROM calls WHERE id = ?1";
        checkpoint.connection.query_row(sql, [call], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_number_goes_to_its_forgotten_person_whom_the_input_names_again_wherever() {
        for rows in [[lone("3"), jo("4"), ann("5")], [ann("5"), jo("4"), lone("3")]] {
            let (_folder, mut checkpoint) = given_and_forgotten();
            load(&mut checkpoint, "b.csv", &rows, None);
            let last = whose(&checkpoint)[2..].to_vec();
            assert_eq!((last[0].1.as_str(), last[1].1.as_str()), ("jo@example.com", "jo@example.com"));
            assert!(last[0].2 == last[1].2 && last[2].1 == "ann@example.com" && last[2].2 != last[0].2);
        }
        // A call that waits goes along in a later run.
        let (_folder, mut checkpoint) = given_and_forgotten();
        load(&mut checkpoint, "b.csv", &[lone("3")], None);
        assert_eq!(customers(&checkpoint)[2], NUMBER);
        load(&mut checkpoint, "c.csv", &[jo("4")], None);
        assert_eq!(customers(&checkpoint)[2..], ["jo@example.com", "jo@example.com"]);
    }

    #[test]
    fn a_number_whose_person_was_forgotten_is_an_unknown_caller() {
        let (_folder, mut checkpoint) = given_and_forgotten();
        let mut stager = checkpoint.stage(2).unwrap();
        stager.reject_unknown_callers();
        let file = stager.file("b.csv").unwrap();
        for (line, call) in (2..).zip([ann("3"), lone("4")]) {
            stager.add(StagedCall::new(call, 100, None), file, line).unwrap();
        }
        assert_eq!(stager.sort(None).unwrap().unknown_callers, 1);
    }

    #[test]
    fn a_file_that_is_forgotten_leaves_what_leads_to_who_was_imported() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[lone("1"), jo("2")], None);
        land(&checkpoint);
        load(&mut checkpoint, "b.csv", &[of("3", Some("x@example.com"), Some("+15550101"))], None);
        load(&mut checkpoint, "b.csv", &[of("4", None, Some("+15550101"))], None);
        assert_eq!(count(&checkpoint, "customers WHERE same_as IS NOT NULL"), 2);
        checkpoint.forget_file("b.csv").unwrap();
        assert_eq!(count(&checkpoint, "customers WHERE same_as IS NOT NULL"), 1);
        assert_eq!(count(&checkpoint, "queues WHERE same_as IS NOT NULL"), 1);
        assert!(!crate::checkpoint::forget::tests::holds(&checkpoint, "+15550101"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// In whatever order the rows of a run come, everybody gets the same calls, and who shares a conversation is the same.
        #[test]
        fn who_gets_which_call_does_not_depend_on_the_order(
            rows in proptest::collection::vec((0_u8..3, proptest::option::of(0_u8..3)), 1..14),
            earlier in proptest::collection::vec((0_u8..3, proptest::option::of(0_u8..3)), 0..4),
            seed: u64,
        ) {
            let make = |prefix: &str, rows: &[(u8, Option<u8>)]| -> Vec<Call> {
                let call = |(index, (phone, email)): (usize, &(u8, Option<u8>))| {
                    let email = email.map(|email| format!("e{email}@example.com"));
                    of(&format!("{prefix}{index}"), email.as_deref(), Some(&format!("+1555010{phone}")))
                };
                rows.iter().enumerate().map(call).collect()
            };
            let (before, now) = (make("a", &earlier), make("b", &rows));
            let mut shuffled = now.clone();
            fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
            let mut outcomes = Vec::new();
            for rows in [&now, &shuffled] {
                let (_folder, mut checkpoint) = fresh();
                load(&mut checkpoint, "a.csv", &before, None);
                load(&mut checkpoint, "b.csv", rows, None);
                let first = whose(&checkpoint);
                load(&mut checkpoint, "b.csv", rows, None);
                prop_assert_eq!(&first, &whose(&checkpoint), "the same again changes nothing");
                // Whoever is one customer has one conversation, and nobody else is in it.
                let mut queues = std::collections::BTreeMap::new();
                for (_, customer, queue) in &first {
                    prop_assert_eq!(queues.entry(*queue).or_insert(customer.clone()), customer);
                }
                let people: std::collections::BTreeSet<&String> = queues.values().collect();
                prop_assert_eq!(people.len(), queues.len());
                outcomes.push(first.into_iter().map(|(call, who, _)| (call, who)).collect::<Vec<_>>());
            }
            prop_assert_eq!(&outcomes[0], &outcomes[1]);
        }
    }
}
