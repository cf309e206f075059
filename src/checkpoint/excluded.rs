//! People whose calls wait from an earlier run and must not be imported any more.

use rusqlite::params;

use super::{CheckpointError, Stager, merge};

impl Stager<'_> {
    /// Drops the calls of earlier runs that wait and that no row of this run told of, where `is_out` says so of an e-mail or a
    /// number by which their customer is known; how many there were. Somebody who is known by several loses all of them: they
    /// come back when their file is read again, row by row.
    pub fn drop_people(&mut self, is_out: impl Fn(&str) -> bool) -> Result<u64, CheckpointError> {
        {
            let mut known = self.connection.prepare(
                "SELECT id, COALESCE(email, ''), COALESCE(phone, '') FROM customers
                 UNION ALL SELECT customer, email, phone FROM contacts",
            )?;
            let mut drop = self.connection.prepare(
                "INSERT OR IGNORE INTO temp.dropped
                   SELECT id FROM calls
                   WHERE customer = ?1 AND request IS NULL AND id <= ?2 AND id NOT IN (SELECT call FROM temp.seen)",
            )?;
            let mut rows = known.query([])?;
            while let Some(row) = rows.next()? {
                let (customer, email, phone): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if is_out(&email) || is_out(&phone) {
                    drop.execute(params![customer, self.before])?;
                }
            }
        }
        Ok(merge::drop_calls(self.connection)?)
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
        assert_eq!(stager.drop_people(|text| text == "+15550100").unwrap(), 1);
        stager.keep(None).unwrap();
        assert_eq!(texts(&checkpoint), ["1", "3", "4", "5"]);
    }
}
