//! Rows that are rejected only after they were read: because another row has their id, or because the service refuses
//! their call. They are read again at the end, to be written back as they were.

use rusqlite::{Connection, params};

use super::{Checkpoint, CheckpointError, Stager, record_form};
use crate::call::{Fault, FaultKind, Rejection};

/// Such rows: each with a reason of one kind, or with faults of its own (see `record_form`), or with both. Its raw form is
/// here or with its call.
pub(super) const TABLE: &str = "
DROP TABLE IF EXISTS temp.late;
CREATE TEMP TABLE late (
  file INTEGER, line INTEGER, number INTEGER, kind TEXT, reason TEXT, faults TEXT, raw TEXT, call INTEGER,
  PRIMARY KEY (file, line, number)
) WITHOUT ROWID;
";

/// What tells the `count`-th conflict from other rows of its line: below zero, so that it is no call's number.
pub(super) fn number_of(count: u64) -> i64 {
    i64::try_from(count).map_or(i64::MIN, |count| -count)
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateRow {
    /// The line on which it begins.
    pub line: u64,
    /// Tells it from others that begin on the same line.
    pub number: i64,
    /// Why.
    pub rejection: Rejection,
    /// The row, where its input cannot be read again.
    pub raw: Option<String>,
}

/// The rows that are rejected after they were read, while loading or afterwards.
#[derive(Debug, Clone, Copy)]
pub struct LateRows<'a>(&'a Connection);

impl LateRows<'_> {
    /// The files with such rows.
    pub fn files(&self) -> Result<Vec<String>, CheckpointError> {
        Ok(self
            .0
            .prepare("SELECT path FROM files WHERE id IN (SELECT file FROM temp.late) ORDER BY id")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?)
    }

    /// Those of `file` behind the line and the number `after`, in this order, at most `most`.
    pub fn of_file(&self, file: &str, after: (u64, i64), most: u32) -> Result<Vec<LateRow>, CheckpointError> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT line, number, COALESCE(raw, (SELECT content FROM raw_rows WHERE call = late.call)), kind, reason,
                   faults
                 FROM temp.late
                 WHERE file = (SELECT id FROM files WHERE path = ?1) AND (line, number) > (?2, ?3)
                 ORDER BY line, number LIMIT ?4",
            )?
            .query_map(params![file, after.0, after.1, most], |row| {
                let (line, number, raw) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(LateRow { line, number, rejection: rejection(row)?, raw })
            })?
            .collect::<Result<_, _>>()?)
    }
}

fn rejection(row: &rusqlite::Row<'_>) -> rusqlite::Result<Rejection> {
    let (kind, reason, faults): (String, Option<String>, Option<String>) =
        (row.get(3)?, row.get(4)?, row.get(5)?);
    let mut faults = faults.map(|faults| record_form::read_faults(&faults)).unwrap_or_default();
    let kind = FaultKind::from_code(&kind).unwrap_or(FaultKind::Refused);
    faults.extend(reason.map(|reason| Fault::new(kind, reason)));
    Ok(Rejection { faults })
}

impl Checkpoint {
    /// Adds the calls that were refused in `run`.
    pub fn collect_refused(&self, run: i64) -> Result<(), CheckpointError> {
        self.connection.execute(
            "INSERT OR IGNORE INTO temp.late (file, line, number, kind, reason, call)
             SELECT calls.file, calls.line, calls.id, 'refused', requests.why, calls.id
             FROM requests JOIN calls ON calls.request = requests.id WHERE requests.state = 3 AND requests.run = ?1",
            [run],
        )?;
        Ok(())
    }

    /// They, and the rows that were rejected while loading.
    pub fn late_rows(&self) -> LateRows<'_> {
        LateRows(&self.connection)
    }

    /// Forgets them, once they are told.
    pub fn clear_late(&self) -> Result<(), CheckpointError> {
        Ok(self.connection.execute_batch("DELETE FROM temp.late")?)
    }
}

impl Stager<'_> {
    /// The rows that [`Stager::sort`] rejected.
    pub fn late_rows(&self) -> LateRows<'_> {
        LateRows(self.connection)
    }
}
