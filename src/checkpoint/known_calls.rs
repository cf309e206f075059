//! A row whose call the checkpoint knows: from an earlier run, or from an earlier row of this one.

use rusqlite::{OptionalExtension, params};

use super::{CheckpointError, Stager, secret::Secret, stage::StagedRow};
use crate::{call::CallKey, policy::RequestState};

impl Stager<'_> {
    /// The call that has this key.
    pub(super) fn known(&self, key: CallKey) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT call FROM call_keys WHERE key = ?1")?
            .query_row([self.hidden(key.to_bytes())], |row| row.get(0))
            .optional()
    }

    /// A row whose call the checkpoint knows.
    pub(super) fn see(&mut self, call: i64, row: &StagedRow) -> Result<(), CheckpointError> {
        let fingerprint = row.staged.fingerprint;
        let first = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO temp.seen VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)")?
            .execute(params![call, row.file, row.line, fingerprint, row.staged.call.updated_at])?
            == 1;
        if !first {
            return self.see_again(call, row, fingerprint);
        }
        let stored = self.stored(call)?;
        let differs = stored.is_news(row);
        match stored.state {
            Some(RequestState::Landed) => {
                self.figures.already_imported += 1;
                return self.note_change(call, differs);
            }
            None if stored.is_newer_than(row) => {}
            None if differs
                || stored.place != (row.file, row.line)
                || self.belongs_elsewhere(call, row)? =>
            {
                self.replace(call, row)?;
            }
            Some(RequestState::Refused) => self.replace(call, row)?,
            None | Some(RequestState::Sending | RequestState::Unknown) => {}
        }
        self.connection.prepare_cached("UPDATE temp.seen SET open = 1 WHERE call = ?1")?.execute([call])?;
        Ok(())
    }

    /// A second row of this run with the id of a call that the checkpoint knew before.
    fn see_again(&mut self, call: i64, row: &StagedRow, fingerprint: i64) -> Result<(), CheckpointError> {
        let (seen, updated_at, open, file, line): (i64, Option<i64>, bool, i64, u64) = self
            .connection
            .prepare_cached(
                "SELECT fingerprint, updated_at, open, file, line FROM temp.seen WHERE call = ?1",
            )?
            .query_row([call], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
        if seen != fingerprint {
            let (Some(before), Some(now)) = (updated_at, row.staged.call.updated_at) else {
                return self.conflict(row.file, row.line, file, line);
            };
            // Of records of one moment the last counts: so logs of events are written.
            if now >= before {
                self.connection
                    .prepare_cached(
                        "UPDATE temp.seen SET fingerprint = ?2, updated_at = ?3, file = ?4, line = ?5 WHERE call = ?1",
                    )?
                    .execute(params![call, fingerprint, now, row.file, row.line])?;
                let stored = self.stored(call)?;
                match stored.state {
                    Some(RequestState::Landed) => self.note_change(call, stored.is_news(row))?,
                    None if open && !stored.is_newer_than(row) => self.replace(call, row)?,
                    _ => {}
                }
            }
        }
        self.figures.repeats += 1;
        Ok(())
    }

    /// Whether a call that waits would now go into another conversation or to another customer.
    fn belongs_elsewhere(&mut self, call: i64, row: &StagedRow) -> Result<bool, CheckpointError> {
        let now = (self.queue(&row.staged)?, self.customer(&row.staged)?);
        let stored: (i64, i64) = self
            .connection
            .prepare_cached("SELECT queue, customer FROM calls WHERE id = ?1")?
            .query_row([call], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(stored != now)
    }

    /// Whether what the input says of a call that landed is news: told by the row that counts, which the last one is.
    fn note_change(&self, call: i64, differs: bool) -> Result<(), CheckpointError> {
        self.connection
            .prepare_cached("UPDATE temp.seen SET changed = ?2 WHERE call = ?1")?
            .execute(params![call, differs])?;
        Ok(())
    }

    /// Counts the calls that landed and of which the input says something new.
    pub(super) fn count_changes(&mut self) -> Result<(), CheckpointError> {
        let changed: u64 =
            self.connection
                .query_row("SELECT COUNT(*) FROM temp.seen WHERE changed", [], |row| row.get(0))?;
        self.figures.changed += changed;
        Ok(())
    }

    fn stored(&self, call: i64) -> rusqlite::Result<Stored> {
        self.connection
            .prepare_cached(
                "SELECT state, fingerprint, started_at, updated_at, file, line, forgotten FROM calls
                 LEFT JOIN requests ON requests.id = request WHERE calls.id = ?1",
            )?
            .query_row([call], |row| {
                let state: Option<i64> = row.get(0)?;
                let is_forgotten = row.get::<_, i64>(6)? == 1;
                Ok(Stored {
                    state: state.and_then(RequestState::from_code),
                    fingerprint: row.get(1)?,
                    started_at: row.get(2)?,
                    updated_at: row.get(3)?,
                    place: (row.get(4)?, row.get(5)?),
                    faded_by: self.secret.filter(|_| is_forgotten),
                })
            })
    }
}

/// A call as the checkpoint holds it.
struct Stored {
    /// Of the request that carries it; none while it waits.
    state: Option<RequestState>,
    fingerprint: i64,
    started_at: i64,
    updated_at: Option<i64>,
    place: (i64, u64),
    /// By what its fingerprint is hidden, where the call is forgotten.
    faded_by: Option<Secret>,
}

impl Stored {
    /// Whether it was told by a newer record than `row`.
    fn is_newer_than(&self, row: &StagedRow) -> bool {
        matches!((self.updated_at, row.staged.call.updated_at), (Some(stored), Some(now)) if now < stored)
    }

    /// Whether `row` says something else, and not only because it is an older record.
    fn is_news(&self, row: &StagedRow) -> bool {
        let same_start = self.started_at == row.staged.call.started_at.epoch_seconds();
        let told = row.staged.fingerprint;
        let told = self.faded_by.map_or(told, |secret| secret.fingerprint(told));
        (self.fingerprint != told || !same_start) && !self.is_newer_than(row)
    }
}
