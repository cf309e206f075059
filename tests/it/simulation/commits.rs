//! The ledger's commits in a trial: what strikes at them, and when they end.
//!
//! A commit runs on a thread of its own. Whether others' jobs come in time for the next one would be for the machine to
//! decide, and with it the story; so each waits until the program has nothing else to do.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use callport::checkpoint::{CheckpointError, CommitMoment, CommitProbe};

use super::{
    fate::{Disk, Fate},
    in_process::{Ending, Wire},
};

/// Whether the program waits for its commit and nothing else.
#[derive(Debug, Default)]
pub(super) struct Idle {
    is_idle: Mutex<bool>,
    changed: Condvar,
}

impl Idle {
    /// The runtime's thread has nothing to do, or has something again.
    pub(super) fn set(&self, is_idle: bool) {
        *self.is_idle.lock().unwrap_or_else(PoisonError::into_inner) = is_idle;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let held = self.is_idle.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(held, |is_idle| !*is_idle).unwrap_or_else(PoisonError::into_inner));
    }
}

/// The probe of one life.
pub(super) fn probe(fate: &Fate, wire: Arc<Wire>, idle: Arc<Idle>) -> CommitProbe {
    let (ending, disk) = (fate.ending, fate.disk.clone());
    let mut count = 0;
    Box::new(move |moment| {
        if moment == CommitMoment::Before {
            idle.wait();
            count += 1;
        }
        if matches!(ending, Ending::AtCommit(at, then) if at == count && then == moment) {
            wire.end();
        }
        // What the program does after its end is not to be seen anywhere.
        if wire.is_over() {
            return Err(CheckpointError::Closed);
        }
        match &disk {
            Disk::Fails { from, commits, at, how } if *at == moment => {
                if (*from..from.saturating_add(*commits)).contains(&count) {
                    return Err(how.error());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    })
}
