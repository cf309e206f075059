//! A row whose call the checkpoint knows: from an earlier run, or from an earlier row of this one.

use rusqlite::{OptionalExtension, params};

use super::{CheckpointError, Stager, secret::Secret, stage::StagedRow};
use crate::{call::CallKey, policy::RequestState};

/// A call as the checkpoint holds it.
pub(super) struct Stored {
    pub(super) call: i64,
    /// Its own; it may have others.
    pub(super) key: CallKey,
    /// Of the request that carries it; none while it waits.
    pub(super) state: Option<RequestState>,
    content: Content,
    updated_at: Option<i64>,
    place: (i64, u64),
    /// By what its key and its fingerprint are hidden, where the call is forgotten.
    faded_by: Option<Secret>,
}

impl Stager<'_> {
    /// The call that has `key`, as its own or because it took over the record with it.
    pub(super) fn stored(&self, key: CallKey) -> rusqlite::Result<Option<Stored>> {
        self.connection
        .prepare_cached(
            "SELECT calls.id, calls.key, state, fingerprint, started_at, updated_at, file, line, forgotten
             FROM call_keys JOIN calls ON calls.id = call LEFT JOIN requests ON requests.id = request
             WHERE call_keys.key = ?1",
        )?
        .query_row([self.hidden(key.to_bytes())], |row| {
            let state: Option<i64> = row.get(2)?;
            let is_forgotten = row.get::<_, i64>(8)? == 1;
            Ok(Stored {
                call: row.get(0)?,
                key: CallKey::from_bytes(row.get(1)?),
                state: state.and_then(RequestState::from_code),
                content: Content { fingerprint: row.get(3)?, started_at: row.get(4)? },
                updated_at: row.get(5)?,
                place: (row.get(6)?, row.get(7)?),
                faded_by: self.secret.filter(|_| is_forgotten),
            })
        })
        .optional()
    }
}

/// What a call says, as far as it is compared: equal for rows that say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    /// Of the text.
    pub(super) fingerprint: i64,
    pub(super) started_at: i64,
}

impl Content {
    /// As the file holds it of a call that is forgotten.
    pub(super) fn faded(self, by: Option<Secret>) -> Self {
        let fingerprint = by.map_or(self.fingerprint, |secret| secret.fingerprint(self.fingerprint));
        Self { fingerprint, ..self }
    }
}

impl StagedRow {
    fn content(&self) -> Content {
        let Self { staged, .. } = self;
        Content { fingerprint: staged.fingerprint, started_at: staged.call.started_at.epoch_seconds() }
    }
}

impl Stager<'_> {
    /// The call that a row with this key tells of. A call that was refused lets go of the records that it took over.
    pub(super) fn known(&self, key: CallKey) -> rusqlite::Result<Option<Stored>> {
        if !self.any_known {
            return Ok(None);
        }
        let stored = self.stored(key)?;
        if stored.as_ref().is_none_or(|stored| !stored.has_let_go_of(key)) {
            return Ok(stored);
        }
        self.connection
            .prepare_cached("DELETE FROM call_keys WHERE key = ?1")?
            .execute([self.hidden(key.to_bytes())])?;
        Ok(None)
    }

    /// A row whose call the checkpoint knows.
    pub(super) fn see(&mut self, stored: &Stored, row: &StagedRow) -> Result<(), CheckpointError> {
        if !stored.is_own(row.staged.call.identity.key) {
            // It was told among the lines of its call.
            self.figures.repeats += 1;
            return Ok(());
        }
        let (call, content) = (stored.call, row.content());
        let first = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO temp.seen VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0)")?
            .execute(params![
                call,
                row.file,
                row.line,
                content.fingerprint,
                content.started_at,
                row.staged.call.updated_at
            ])?
            == 1;
        if !first {
            return self.see_again(stored, row);
        }
        self.note_newer_copy(stored, row)?;
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
    fn see_again(&mut self, stored: &Stored, row: &StagedRow) -> Result<(), CheckpointError> {
        let call = stored.call;
        let seen = self.seen(call)?;
        let (content, now) = (row.content(), row.staged.call.updated_at);
        let counts = match (seen.updated_at, now) {
            (before, now) if seen.content == content => now > before,
            // Of records of one moment the last counts: so logs of events are written.
            (Some(before), Some(now)) => now >= before,
            _ => return self.conflict((row.file, row.line), seen.place, row.staged.raw.as_deref()),
        };
        if counts {
            self.connection
                .prepare_cached(
                    "UPDATE temp.seen SET file = ?2, line = ?3, fingerprint = ?4, started_at = ?5, updated_at = ?6
                     WHERE call = ?1",
                )?
                .execute(params![call, row.file, row.line, content.fingerprint, content.started_at, now])?;
            self.note_newer_copy(stored, row)?;
            match stored.state {
                Some(RequestState::Landed) => self.note_change(call, stored.is_news(row))?,
                None if seen.open && !stored.is_newer_than(row) => self.replace(call, row)?,
                _ => {}
            }
        }
        self.figures.repeats += 1;
        Ok(())
    }

    fn seen(&self, call: i64) -> rusqlite::Result<Seen> {
        self.connection
            .prepare_cached(
                "SELECT file, line, fingerprint, started_at, updated_at, open FROM temp.seen WHERE call = ?1",
            )?
            .query_row([call], |row| {
                Ok(Seen {
                    place: (row.get(0)?, row.get(1)?),
                    content: Content { fingerprint: row.get(2)?, started_at: row.get(3)? },
                    updated_at: row.get(4)?,
                    open: row.get(5)?,
                })
            })
    }

    /// Where a row says again what is stored, and was written later: only what is newer than it is news from now on.
    fn note_newer_copy(&self, stored: &Stored, row: &StagedRow) -> rusqlite::Result<()> {
        let now = row.staged.call.updated_at;
        if stored.content == stored.content_of(row) && now > stored.updated_at {
            self.connection
                .prepare_cached("UPDATE calls SET updated_at = ?2 WHERE id = ?1")?
                .execute(params![stored.call, now])?;
        }
        Ok(())
    }

    /// Whether a call that waits would now go into another conversation, to another customer, or by another agent's name.
    fn belongs_elsewhere(&mut self, call: i64, row: &StagedRow) -> Result<bool, CheckpointError> {
        let now = self.placement(&row.staged)?;
        let agent = self.agent(row.staged.call.agent.as_deref())?;
        let stored: (i64, i64, Option<i64>) = self
            .connection
            .prepare_cached("SELECT queue, customer, agent FROM calls WHERE id = ?1")?
            .query_row([call], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(stored != (now.queue, now.customer, agent))
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
}

/// The row of this run that counts for a call which the checkpoint knew before.
struct Seen {
    place: (i64, u64),
    content: Content,
    updated_at: Option<i64>,
    /// Whether the call waits to be sent.
    open: bool,
}

impl Stored {
    /// Whether `key` is free although this call took its record over: it was refused.
    fn has_let_go_of(&self, key: CallKey) -> bool {
        !self.is_own(key) && self.state == Some(RequestState::Refused)
    }

    fn is_own(&self, key: CallKey) -> bool {
        self.key.to_bytes() == self.faded_by.map_or(key.to_bytes(), |secret| secret.key(key.to_bytes()))
    }

    /// What `row` says, as this call holds it.
    fn content_of(&self, row: &StagedRow) -> Content {
        row.content().faded(self.faded_by)
    }

    /// Whether it was told by a newer record than `row`.
    fn is_newer_than(&self, row: &StagedRow) -> bool {
        matches!((self.updated_at, row.staged.call.updated_at), (Some(stored), Some(now)) if now < stored)
    }

    /// Whether `row` says something else, and not only because it is an older record.
    fn is_news(&self, row: &StagedRow) -> bool {
        self.content != self.content_of(row) && !self.is_newer_than(row)
    }
}
