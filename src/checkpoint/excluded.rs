//! People whose calls wait from an earlier run and must not be imported any more.

use std::collections::HashSet;

use rusqlite::params;

use super::{CheckpointError, Stager, staged_call::customer_key};
use crate::call::CustomerKey;

impl Stager<'_> {
    /// Drops the calls of earlier runs that wait and that no row of this run told of, where `is_out` says so of the id, an
    /// e-mail or a number by which their customer is known; how many there were. Somebody who is known by several loses all of
    /// them: they come back when their file is read again, row by row. What nothing needs any more of these people goes too.
    pub fn drop_people(
        &mut self,
        is_out: impl Fn(Option<u64>, &str, &str) -> bool,
    ) -> Result<u64, CheckpointError> {
        self.connection.execute_batch(
            "DROP TABLE IF EXISTS temp.people_out; CREATE TEMP TABLE people_out (id INTEGER PRIMARY KEY);",
        )?;
        {
            let mut known = self.connection.prepare(
                "SELECT id, helpscout_id, COALESCE(email, ''), COALESCE(phone, '') FROM customers
                 UNION ALL SELECT customer, NULL, email, phone FROM contacts",
            )?;
            let mut note = self.connection.prepare("INSERT OR IGNORE INTO temp.people_out VALUES (?1)")?;
            let mut rows = known.query([])?;
            while let Some(row) = rows.next()? {
                let (email, phone): (String, String) = (row.get(2)?, row.get(3)?);
                if is_out(row.get(1)?, &email, &phone) {
                    note.execute([row.get::<_, i64>(0)?])?;
                }
            }
        }
        self.connection.execute(
            "INSERT OR IGNORE INTO temp.dropped SELECT id FROM calls
             WHERE customer IN (SELECT id FROM temp.people_out) AND request IS NULL AND id <= ?1
               AND id NOT IN (SELECT call FROM temp.seen)",
            params![self.before],
        )?;
        let dropped = self.drop_of_run()?;
        if dropped > 0 {
            self.connection.execute_batch(
                "CREATE TEMP TABLE leaving AS SELECT id FROM temp.people_out WHERE id NOT IN (SELECT customer FROM calls)
                   AND id NOT IN (SELECT customer FROM requests WHERE customer IS NOT NULL);
                 DELETE FROM contacts WHERE customer IN (SELECT id FROM temp.leaving);
                 DELETE FROM customers WHERE id IN (SELECT id FROM temp.leaving) OR same_as IN (SELECT id FROM temp.leaving);
                 DROP TABLE temp.leaving;
                 DELETE FROM queues WHERE id IN (SELECT id FROM temp.parted_queues)
                   AND id NOT IN (SELECT queue FROM calls) AND id NOT IN (SELECT queue FROM conversations)
                   AND id NOT IN (SELECT queue FROM requests WHERE queue IS NOT NULL);
                 DELETE FROM queues WHERE same_as IS NOT NULL AND same_as NOT IN (SELECT id FROM queues);",
            )?;
        }
        self.connection.execute_batch("DROP TABLE temp.people_out;")?;
        Ok(dropped)
    }

    /// Which of `numbers` lead to one customer by what earlier runs did.
    pub fn settled_numbers(&self, numbers: Vec<String>) -> Result<HashSet<String>, CheckpointError> {
        let mut settled = HashSet::new();
        if self.last_customer == 0 || numbers.is_empty() {
            return Ok(settled);
        }
        self.connection.execute_batch(
            "DROP TABLE IF EXISTS temp.asked; CREATE TEMP TABLE asked (phone TEXT PRIMARY KEY) WITHOUT ROWID;",
        )?;
        for number in numbers {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO temp.asked VALUES (?1)")?
                .execute([&number])?;
            let key = self.hidden(customer_key(Some(&CustomerKey::Phone(number.clone()))));
            let is_known: bool = self
                .connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM customers WHERE key = ?1)")?
                .query_row([key], |row| row.get(0))?;
            if is_known {
                settled.insert(number);
            }
        }
        let mut by_one = self.connection.prepare(
            "SELECT phone FROM (
               SELECT phone, id FROM customers WHERE same_as IS NULL AND (email IS NOT NULL OR helpscout_id IS NOT NULL)
               UNION SELECT contacts.phone, customer FROM contacts)
             WHERE phone IN (SELECT phone FROM temp.asked) GROUP BY phone HAVING COUNT(*) = 1",
        )?;
        for number in by_one.query_map([], |row| row.get(0))? {
            settled.insert(number?);
        }
        Ok(settled)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        call::Call,
        checkpoint::{
            StagedCall,
            stage::tests::{call, fresh, land, load, texts},
        },
    };

    fn of(id: &str, email: &str, phone: &str) -> Call {
        let mut call = call(id, id);
        call.customer.email = Some(email.to_owned());
        call.customer.phone = Some(phone.to_owned());
        call
    }

    #[test]
    fn what_waits_of_somebody_who_stays_out_is_dropped_unless_a_row_of_this_run_tells_of_it() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[of("1", "jo@example.com", "+15550100")], None);
        land(&checkpoint);
        let waiting = [
            of("2", "jo@example.com", "+15550101"),
            of("3", "jo@example.com", "+15550102"),
            of("4", "al@example.com", "+15550103"),
        ];
        load(&mut checkpoint, "b.csv", &waiting, None);
        let mut stager = checkpoint.stage(2).unwrap();
        let file = stager.file("c.csv").unwrap();
        for call in [waiting[1].clone(), of("5", "jo@example.com", "+15550102")] {
            stager.add(StagedCall::new(call, 1, None), file, 2).unwrap();
        }
        stager.sort(None).unwrap();
        assert_eq!(stager.drop_people(|_, _, phone| phone == "+15550100").unwrap(), 1);
        stager.keep(None).unwrap();
        assert_eq!(texts(&checkpoint), ["1", "3", "4", "5"]);
    }

    #[test]
    fn who_stays_out_leaves_nothing_and_the_next_calls_are_new_ones() {
        let (_folder, mut checkpoint) = fresh();
        load(
            &mut checkpoint,
            "a.csv",
            &[of("1", "al@example.com", "+15550101"), of("2", "jo@example.com", "+15550100")],
            None,
        );
        let mut stager = checkpoint.stage(2).unwrap();
        stager.sort(None).unwrap();
        assert_eq!(stager.drop_people(|_, email, _| email == "jo@example.com").unwrap(), 1);
        stager.keep(None).unwrap();
        let count = |checkpoint: &crate::checkpoint::Checkpoint, what: &str| -> i64 {
            checkpoint
                .connection
                .query_row(&format!("SELECT COUNT(*) FROM {what}"), [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!((count(&checkpoint, "customers"), count(&checkpoint, "queues")), (1, 1));
        let new = [of("3", "al@example.com", "+15550101"), of("4", "al@example.com", "+15550101")];
        let figures = load(&mut checkpoint, "b.csv", &new, Some(1));
        assert_eq!((figures.left_out, texts(&checkpoint).len()), (1, 2), "it is no earlier run's");
        assert_eq!(count(&checkpoint, "call_keys"), 2);
    }

    #[test]
    fn a_number_is_settled_where_earlier_runs_led_it_to_one_customer() {
        let (_folder, mut checkpoint) = fresh();
        let mut alone = of("1", "", "+15550100");
        alone.customer.email = None;
        let rows = [
            alone,
            of("2", "al@example.com", "+15550101"),
            of("3", "jo@example.com", "+15550102"),
            of("4", "al@example.com", "+15550102"),
        ];
        load(&mut checkpoint, "a.csv", &rows, None);
        let stager = checkpoint.stage(2).unwrap();
        let asked = (0..5).map(|last| format!("+1555010{last}")).collect();
        let mut settled: Vec<String> = stager.settled_numbers(asked).unwrap().into_iter().collect();
        settled.sort();
        assert_eq!(settled, ["+15550100", "+15550101"]);
    }
}
