//! A row whose call the checkpoint knows: from an earlier run, or from an earlier row of this one.

use rusqlite::{Connection, OptionalExtension, params};

use super::{CheckpointError, Stager, stage::StagedRow};
use crate::{call::CallKey, policy::RequestState};

/// The call that has this key.
pub(super) fn known(connection: &Connection, key: CallKey) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT call FROM call_keys WHERE key = ?1")?
        .query_row([key.to_bytes()], |row| row.get(0))
        .optional()
}

impl Stager<'_> {
    /// A row whose call the checkpoint knows.
    pub(super) fn see(&mut self, call: i64, row: &StagedRow) -> Result<(), CheckpointError> {
        let fingerprint = row.staged.fingerprint;
        let first = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO temp.seen VALUES (?1, ?2, ?3, ?4, ?5, 0)")?
            .execute(params![call, row.file, row.line, fingerprint, row.staged.call.updated_at])?
            == 1;
        if !first {
            return self.see_again(call, row, fingerprint);
        }
        let (state, known, started_at, place) = self.stored(call)?;
        let moved = state.is_none() && self.belongs_elsewhere(call, row)?;
        let differs = known != fingerprint || started_at != row.staged.call.started_at.epoch_seconds();
        match state {
            Some(RequestState::Landed) => {
                self.figures.already_imported += 1;
                self.figures.changed += u64::from(differs);
                return Ok(());
            }
            None if differs || moved || place != (row.file, row.line) => self.replace(call, row)?,
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
            if now > before {
                self.connection
                    .prepare_cached(
                        "UPDATE temp.seen SET fingerprint = ?2, updated_at = ?3, file = ?4, line = ?5 WHERE call = ?1",
                    )?
                    .execute(params![call, fingerprint, now, row.file, row.line])?;
                let (state, ..) = self.stored(call)?;
                if open && state.is_none() {
                    self.replace(call, row)?;
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

    #[expect(clippy::type_complexity, reason = "the columns of one query, taken apart at once")]
    fn stored(&self, call: i64) -> rusqlite::Result<(Option<RequestState>, i64, i64, (i64, u64))> {
        self.connection
            .prepare_cached(
                "SELECT state, fingerprint, started_at, file, line FROM calls LEFT JOIN requests ON requests.id = request
                 WHERE calls.id = ?1",
            )?
            .query_row([call], |row| {
                let state: Option<i64> = row.get(0)?;
                Ok((state.and_then(RequestState::from_code), row.get(1)?, row.get(2)?, (row.get(3)?, row.get(4)?)))
            })
    }
}
