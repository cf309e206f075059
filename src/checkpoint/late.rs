//! Rows that are rejected only after they were read: because another row has their id, or because the service refuses
//! their call. They are read again at the end, to be written back as they were.

use rusqlite::{Connection, params};

use super::{Checkpoint, CheckpointError, record_form};
use crate::call::{Fault, FaultKind, Rejection};

/// Such rows: each with a reason of one kind, or with faults of its own (see `record_form`), or with both. Its raw form is
/// here or with its call.
pub(super) const TABLE: &str = "
DROP TABLE IF EXISTS temp.late;
CREATE TEMP TABLE late (
  file INTEGER, line INTEGER, kind TEXT, reason TEXT, faults TEXT, raw TEXT, call INTEGER, PRIMARY KEY (file, line)
) WITHOUT ROWID;
";

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateRow {
    /// The line on which it begins.
    pub line: u64,
    /// Why.
    pub rejection: Rejection,
    /// The row, where its input cannot be read again.
    pub raw: Option<String>,
}

pub(super) fn files(c: &Connection) -> rusqlite::Result<Vec<String>> {
    c.prepare("SELECT path FROM files WHERE id IN (SELECT file FROM temp.late) ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect()
}

pub(super) fn rows(c: &Connection, file: &str, after: u64, most: u32) -> rusqlite::Result<Vec<LateRow>> {
    c.prepare_cached(
        "SELECT line, COALESCE(raw, (SELECT content FROM raw_rows WHERE call = late.call)), kind, reason, faults
         FROM temp.late
         WHERE file = (SELECT id FROM files WHERE path = ?1) AND line > ?2 ORDER BY line LIMIT ?3",
    )?
    .query_map(params![file, after, most], |row| {
        Ok(LateRow { line: row.get(0)?, rejection: rejection(row)?, raw: row.get(1)? })
    })?
    .collect()
}

fn rejection(row: &rusqlite::Row<'_>) -> rusqlite::Result<Rejection> {
    let (kind, reason, faults): (String, Option<String>, Option<String>) =
        (row.get(2)?, row.get(3)?, row.get(4)?);
    let mut faults = faults.map(|faults| record_form::read_faults(&faults)).unwrap_or_default();
    let kind = FaultKind::from_code(&kind).unwrap_or(FaultKind::Refused);
    faults.extend(reason.map(|reason| Fault::new(kind, reason)));
    Ok(Rejection { faults })
}

impl Checkpoint {
    /// Adds the calls that were refused in `run`.
    pub fn collect_refused(&self, run: i64) -> Result<(), CheckpointError> {
        self.connection.execute(
            "INSERT OR IGNORE INTO temp.late (file, line, kind, reason, call)
             SELECT calls.file, calls.line, 'refused', requests.why, calls.id
             FROM requests JOIN calls ON calls.request = requests.id WHERE requests.state = 3 AND requests.run = ?1",
            [run],
        )?;
        Ok(())
    }

    /// The files with such rows.
    pub fn late_files(&self) -> Result<Vec<String>, CheckpointError> {
        Ok(files(&self.connection)?)
    }

    /// Such rows of `file` behind line `after`, by line, at most `most`.
    pub fn late_rows(&self, file: &str, after: u64, most: u32) -> Result<Vec<LateRow>, CheckpointError> {
        Ok(rows(&self.connection, file, after, most)?)
    }

    /// Forgets them, once they are told.
    pub fn clear_late(&self) -> Result<(), CheckpointError> {
        Ok(self.connection.execute_batch("DELETE FROM temp.late")?)
    }
}
