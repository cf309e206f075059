//! Customers and queues that this run entered for rows which were left out or rejected in the end: what is personal in them
//! must not stay.

use super::{CheckpointError, Stager, merge};

/// Made for every run that stages: the customers and queues of the calls that were dropped.
pub(super) const TABLES: &str = "
DROP TABLE IF EXISTS temp.parted_customers; DROP TABLE IF EXISTS temp.parted_queues;
CREATE TEMP TABLE parted_customers (id INTEGER PRIMARY KEY);
CREATE TEMP TABLE parted_queues (id INTEGER PRIMARY KEY);
";

impl Stager<'_> {
    /// Drops the calls that `temp.dropped` names, and takes note whose they were; how many there were.
    pub(super) fn drop_of_run(&self) -> rusqlite::Result<u64> {
        for (column, table) in [("customer", "parted_customers"), ("queue", "parted_queues")] {
            self.connection.execute(
                &format!(
                    "INSERT OR IGNORE INTO temp.{table} SELECT {column} FROM calls WHERE id IN temp.dropped"
                ),
                [],
            )?;
        }
        merge::drop_calls(self.connection)
    }

    /// Removes what no call needs of what this run entered.
    pub(super) fn remove_unused(&self) -> Result<(), CheckpointError> {
        let any: bool =
            self.connection
                .query_row("SELECT EXISTS (SELECT 1 FROM temp.parted_customers)", [], |row| row.get(0))?;
        if !any {
            return Ok(());
        }
        self.sort_out("customers", "customer", "parted_customers", self.last_customer)?;
        // Of those who stay, what only rows of this run told that are dropped.
        self.connection.execute_batch(
            "DELETE FROM contacts WHERE customer IN (SELECT id FROM temp.gone);
             DELETE FROM contacts WHERE customer IN (SELECT id FROM temp.idle) AND EXISTS (SELECT 1 FROM temp.named_anew
               WHERE named_anew.phone = contacts.phone AND named_anew.customer = contacts.customer);
             UPDATE customers SET same_as = NULL, found_by = 0 WHERE same_as IN (SELECT id FROM temp.gone);
             DELETE FROM customers WHERE id IN (SELECT id FROM temp.gone);",
        )?;
        self.sort_out("queues", "queue", "parted_queues", self.last_queue)?;
        self.connection.execute_batch(
            "UPDATE queues SET same_as = NULL WHERE same_as IN (SELECT id FROM temp.gone);
             DELETE FROM queues WHERE id IN (SELECT id FROM temp.gone);
             DROP TABLE temp.gone; DROP TABLE temp.idle;",
        )?;
        Ok(())
    }

    /// Tells which of the parted rows of `table` go, and which stay although no row of this run needs them; the keys that
    /// this run let lead to either are removed.
    fn sort_out(&self, table: &str, column: &str, parted: &str, last_known: i64) -> rusqlite::Result<()> {
        self.connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS temp.used; DROP TABLE IF EXISTS temp.gone; DROP TABLE IF EXISTS temp.idle;
             CREATE TEMP TABLE used (id INTEGER PRIMARY KEY, now INTEGER);
             INSERT INTO temp.used
               SELECT {column}, MAX(id > {before} OR id IN (SELECT call FROM temp.seen WHERE open)) FROM calls
               WHERE {column} IN (SELECT id FROM temp.{parted}) GROUP BY {column};
             CREATE TEMP TABLE gone AS SELECT id FROM temp.{parted}
               WHERE id > {last_known} AND id NOT IN (SELECT id FROM temp.used);
             CREATE TEMP TABLE idle AS SELECT id FROM temp.{parted}
               WHERE id NOT IN (SELECT id FROM temp.gone) AND id NOT IN (SELECT id FROM temp.used WHERE now);
             DELETE FROM {table} WHERE id > {last_known} AND same_as IN
               (SELECT id FROM temp.gone UNION ALL SELECT id FROM temp.idle);
             DROP TABLE temp.used;",
            before = self.before,
        ))
    }
}

#[cfg(test)]
mod tests {
    use crate::checkpoint::{
        Checkpoint,
        forget::tests::holds,
        numbers::tests::of,
        stage::tests::{fresh, land, load},
    };

    fn counts(checkpoint: &Checkpoint) -> (i64, i64, i64) {
        let sql = "SELECT (SELECT COUNT(*) FROM customers), (SELECT COUNT(*) FROM queues), (SELECT COUNT(*) FROM contacts)";
        checkpoint.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    }

    #[test]
    fn nothing_stays_of_people_whose_rows_a_limit_left_out() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [
            of("1", Some("jo@example.com"), Some("+15550100")),
            of("2", Some("ann@example.com"), Some("+15550101")),
            of("3", Some("ann@example.com"), Some("+15550102")),
            of("4", None, Some("+15550101")),
        ];
        load(&mut checkpoint, "a.csv", &rows, Some(1));
        assert_eq!(counts(&checkpoint), (1, 1, 0));
        assert!(holds(&checkpoint, "jo@") && checkpoint.open_calls().unwrap() == 1);
        load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!((counts(&checkpoint), checkpoint.open_calls().unwrap()), ((3, 3, 1), 4));
        land(&checkpoint);
        assert_eq!(load(&mut checkpoint, "a.csv", &rows, None).already_imported, 4);
    }

    #[test]
    fn who_was_known_before_stays_without_what_the_left_out_rows_told() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[of("1", Some("jo@example.com"), Some("+15550100"))], None);
        land(&checkpoint);
        let rows = [
            of("2", Some("ann@example.com"), None),
            of("3", Some("jo@example.com"), Some("+15550107")),
            of("4", None, Some("+15550100")),
        ];
        load(&mut checkpoint, "b.csv", &rows, Some(1));
        assert_eq!(counts(&checkpoint), (2, 2, 0));
        load(&mut checkpoint, "b.csv", &rows, None);
        assert_eq!(counts(&checkpoint), (3, 3, 1));
    }

    #[test]
    fn the_loser_of_two_rows_leaves_no_customer() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [
            of("1", Some("jo@example.com"), None),
            crate::call::Call { text: "other".into(), ..of("1", Some("ann@example.com"), None) },
        ];
        assert_eq!(load(&mut checkpoint, "a.csv", &rows, None).conflicts, 1);
        assert_eq!(counts(&checkpoint), (1, 1, 0));
    }
}
