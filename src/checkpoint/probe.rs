//! Where a trial strikes a checkpoint: at the commits of the ledger, and at the size of the file.
//!
//! A program that dies between a commit and its telling, a disk that fills up and a file that turns read-only cannot be
//! had in a test by waiting for them. A probe stands where they would strike. No run sets one.

use super::{Checkpoint, CheckpointError};

/// A moment of one of the ledger's commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitMoment {
    /// Its jobs are done, and nothing is committed. An error here rolls all of them back, and each fails by it.
    Before,
    /// All of it is committed, and nobody knows. An error here is told to each job all the same.
    After,
}

/// Asked at each moment of each commit, in their order.
pub type CommitProbe = Box<dyn FnMut(CommitMoment) -> Result<(), CheckpointError> + Send>;

/// The probe of a checkpoint, if there is one.
#[derive(Default)]
pub(super) struct Probe(Option<CommitProbe>);

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Probe").field(&self.0.is_some()).finish()
    }
}

impl Probe {
    /// What the probe says.
    pub(super) fn ask(&mut self, moment: CommitMoment) -> Result<(), CheckpointError> {
        self.0.as_mut().map_or(Ok(()), |probe| probe(moment))
    }
}

impl Checkpoint {
    /// From now on `probe` is asked at each commit of the ledger.
    pub fn set_commit_probe(&mut self, probe: CommitProbe) {
        self.probe = Probe(Some(probe));
    }

    /// Lets the file grow by `pages` pages at most while it is open: then its disk is full.
    pub fn bound_growth(&self, pages: u32) -> Result<(), CheckpointError> {
        let count: u32 = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        let most = format!("PRAGMA max_page_count = {}", count.saturating_add(pages));
        Ok(self.connection.query_row(&most, [], |_| Ok(()))?)
    }
}
