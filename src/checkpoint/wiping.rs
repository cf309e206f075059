//! That what is forgotten is gone from the bytes of the file, too, and not only from its tables.
//!
//! Forgetting is one transaction, in which the database overwrites what it frees. Behind it the log is written back and cut
//! to nothing, and the file is written anew (`VACUUM`), so that no page and no gap within one holds what was there before.
//! Until that is done the file says so, and whoever opens it next does it: a kill in between leaves nothing half.

use rusqlite::{Connection, TransactionBehavior};

use super::{Checkpoint, CheckpointError, lineage, secret};

/// Stands in the file between the transaction and the end of writing it anew.
const DUE: &str = "wiping_due";

/// Says in the file that it is to be written anew.
pub(super) fn mark_due(c: &Connection) -> rusqlite::Result<()> {
    lineage::put(c, DUE, "yes")
}

impl Checkpoint {
    /// Does `work` in one transaction and wipes what it dropped. What is wiped stays counted even where the file cannot be
    /// written anew at once: then the same command does it again.
    pub(super) fn forgetting<V>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<V, CheckpointError>,
    ) -> Result<V, CheckpointError> {
        self.connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
        let done = self.in_one(work);
        // A secret that was made and rolled back must hide nothing.
        secret::install(&self.connection)?;
        let done = done?;
        self.wipe()?;
        Ok(done)
    }

    fn in_one<V>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<V, CheckpointError>,
    ) -> Result<V, CheckpointError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        mark_due(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Writes the file anew, and cuts its log to nothing.
    pub(super) fn wipe(&self) -> Result<(), CheckpointError> {
        self.cut_log()?;
        self.connection.execute_batch("VACUUM;")?;
        self.cut_log()?;
        lineage::remove(&self.connection, DUE)?;
        self.cut_log()
    }

    /// Does what a kill has left undone.
    pub(super) fn wipe_if_due(&self) -> Result<(), CheckpointError> {
        if self.is_wiping_due()? { self.wipe() } else { Ok(()) }
    }

    /// Whether something was dropped whose bytes are still in the file.
    pub(super) fn is_wiping_due(&self) -> Result<bool, CheckpointError> {
        Ok(lineage::get(&self.connection, DUE)?.is_some())
    }

    /// Somebody who reads the file (`status`) keeps its log; that is over in a moment.
    fn cut_log(&self) -> Result<(), CheckpointError> {
        let is_kept: bool =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if is_kept { Err(CheckpointError::InUse(self.path().to_owned())) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::stage::tests::{call, fresh, load};

    #[test]
    fn what_fails_leaves_everything_as_it_was() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("1", "x")], None);
        let failed = checkpoint.forgetting(|c| {
            crate::checkpoint::hiding::begin(c)?;
            c.execute("DELETE FROM calls", [])?;
            Err::<(), _>(CheckpointError::DiskFull)
        });
        assert!(matches!(failed, Err(CheckpointError::DiskFull)));
        let again = load(&mut checkpoint, "a.csv", &[call("1", "x")], None);
        assert_eq!((checkpoint.open_calls().unwrap(), again.repeats), (1, 0));
        assert!(secret::Secret::load(&checkpoint.connection).unwrap().is_none());
    }

    #[test]
    fn what_a_kill_left_undone_is_done_when_the_file_is_opened_again() {
        let (folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("1", "a long text that stands in the file")], None);
        checkpoint.in_one(|c| Ok(c.execute("DELETE FROM texts", [])?)).unwrap();
        drop(checkpoint);
        let path = folder.path().join("c");
        let checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(lineage::get(&checkpoint.connection, DUE).unwrap(), None);
        drop(checkpoint);
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(11).any(|bytes| bytes == b"a long text"));
    }
}
