//! A file that was staged by mistake: its calls that were not sent go, and with them whoever is known only by them.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{Checkpoint, CheckpointError, Forgotten, forget::kept, hiding, merge};

impl Checkpoint {
    /// Drops the calls of the file `path` that wait or were refused; what was sent stays. The path may be written otherwise
    /// than when it was imported.
    pub fn forget_file(&mut self, path: &str) -> Result<Forgotten, CheckpointError> {
        let files = self.files_named(path)?;
        self.forgetting(|c| {
            let dropped = files.iter().map(|file| drop_unsent(c, *file)).sum::<rusqlite::Result<u64>>()?;
            let customers = drop_orphans(c)?;
            hiding::end_staged(c)?;
            Ok(Forgotten { dropped, customers, kept: kept(c)?, ..Forgotten::default() })
        })
    }

    /// More than one where the path was written in several ways.
    fn files_named(&self, path: &str) -> Result<Vec<i64>, CheckpointError> {
        let files: Vec<(i64, String)> = self
            .connection
            .prepare("SELECT id, path FROM files ORDER BY id")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let meant = full(path);
        let found = files.iter().filter(|(_, known)| known == path || full(known) == meant);
        let found: Vec<i64> = found.map(|(id, _)| *id).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let known: Vec<String> = files.iter().map(|(_, known)| format!("`{known}`")).collect();
        let known = if known.is_empty() { "of none".to_owned() } else { format!("of {}", known.join(", ")) };
        Err(CheckpointError::NoSuchFile(format!(
            "the checkpoint `{}` holds no calls of the file `{path}`, but {known}",
            self.path().display()
        )))
    }
}

/// The whole path, without what leads nowhere.
fn full(path: &str) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| Path::new(path).to_owned())
}

fn drop_unsent(c: &Connection, file: i64) -> rusqlite::Result<u64> {
    c.execute_batch(
        "DROP TABLE IF EXISTS temp.dropped; CREATE TEMP TABLE dropped (call INTEGER PRIMARY KEY);",
    )?;
    c.execute(
        "INSERT INTO temp.dropped SELECT calls.id FROM calls LEFT JOIN requests ON requests.id = request
         WHERE file = ?1 AND (request IS NULL OR state = 3)",
        [file],
    )?;
    let dropped = merge::drop_calls(c)?;
    c.execute("DELETE FROM files WHERE id = ?1 AND id NOT IN (SELECT file FROM calls)", [file])?;
    c.execute(
        "UPDATE requests SET why = NULL WHERE state = 3 AND id NOT IN
           (SELECT request FROM calls WHERE request IS NOT NULL)",
        [],
    )?;
    Ok(dropped)
}

/// Drops the customers and queues of which no call is left and which Help Scout does not know from here; how many customers
/// there were.
fn drop_orphans(c: &Connection) -> rusqlite::Result<u64> {
    c.execute(
        "DELETE FROM queues WHERE same_as IS NULL AND id NOT IN (SELECT queue FROM calls) AND id NOT IN (SELECT queue FROM conversations)
           AND id NOT IN (SELECT queue FROM requests WHERE queue IS NOT NULL AND state <> 3)",
        [],
    )?;
    let customers = c.execute(
        "DELETE FROM customers WHERE same_as IS NULL AND NOT confirmed AND id NOT IN (SELECT customer FROM calls)
           AND id NOT IN (SELECT customer FROM requests WHERE customer IS NOT NULL)",
        [],
    )?;
    // A number that led to somebody may have had calls of its own since.
    c.execute_batch(
        "UPDATE customers SET same_as = NULL WHERE same_as NOT IN (SELECT id FROM customers)
           AND (confirmed OR id IN (SELECT customer FROM calls)
             OR id IN (SELECT customer FROM requests WHERE customer IS NOT NULL));
         UPDATE customers SET phone = NULL, fields = '{}' WHERE same_as IS NOT NULL AND found_by = 0 AND NOT confirmed
           AND id NOT IN (SELECT customer FROM calls)
           AND id NOT IN (SELECT customer FROM requests WHERE customer IS NOT NULL);",
    )?;
    // What led to them goes with them.
    for table in ["queues", "customers"] {
        c.execute(
            &format!(
                "DELETE FROM {table} WHERE same_as IS NOT NULL AND same_as NOT IN (SELECT id FROM {table})"
            ),
            [],
        )?;
    }
    c.execute("DELETE FROM contacts WHERE customer NOT IN (SELECT id FROM customers)", [])?;
    Ok(customers as u64)
}

#[cfg(test)]
mod tests {
    use crate::checkpoint::{
        forget::tests::{holds, land, of},
        stage::tests::{fresh, load},
    };

    #[test]
    fn what_was_not_sent_goes_and_the_rest_stays() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[of("ann", "1"), of("bo", "2")], None);
        land(&checkpoint, 1..=1);
        load(&mut checkpoint, "b.csv", &[of("cy", "3")], None);
        let forgotten = checkpoint.forget_file("./a.csv").unwrap();
        assert_eq!((forgotten.dropped, forgotten.customers, forgotten.kept.staged), (1, 1, 1));
        assert!(holds(&checkpoint, "ann@") && holds(&checkpoint, "cy@") && !holds(&checkpoint, "bo@"));
        assert_eq!(checkpoint.forget_file("a.csv").unwrap().dropped, 0);
    }

    #[test]
    fn what_was_dropped_can_be_staged_again_also_where_its_number_is_given_out_again() {
        let (_folder, mut checkpoint) = fresh();
        for forget_first in [false, true] {
            if forget_first {
                checkpoint.forget_imported().unwrap();
            }
            load(&mut checkpoint, "a.csv", &[of("ann", "1"), of("bo", "2")], None);
            assert_eq!(checkpoint.forget_file("a.csv").unwrap().dropped, 2);
            load(&mut checkpoint, "b.csv", &[of("bo", "2"), of("bo", "3")], None);
            let again = load(&mut checkpoint, "b.csv", &[of("bo", "2")], None);
            assert_eq!((checkpoint.open_calls().unwrap(), again.repeats), (2, 0));
            assert_eq!(checkpoint.forget_file("b.csv").unwrap().dropped, 2);
        }
    }

    #[test]
    fn a_file_whose_path_was_written_in_two_ways_goes_as_one() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[of("ann", "1")], None);
        load(&mut checkpoint, "./a.csv", &[of("ann", "1"), of("bo", "2")], None);
        load(&mut checkpoint, "a.csv", &[of("cy", "3")], None);
        assert_eq!(checkpoint.forget_file("a.csv").unwrap().dropped, 3);
        assert_eq!(checkpoint.open_calls().unwrap(), 0);
    }

    #[test]
    fn a_file_that_is_not_known_is_refused_with_those_that_are() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[of("ann", "1")], None);
        let refused = checkpoint.forget_file("b.csv").unwrap_err();
        assert!(refused.to_string().contains("`b.csv`, but of `a.csv`"), "{refused}");
        assert!(refused.is_refusal());
    }
}
