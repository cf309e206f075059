//! What befalls one life of the program beside the service's misfortunes.

use std::time::Duration;

use callport::{
    checkpoint::{CheckpointError, CommitMoment},
    sandbox::{PersonAct, World},
};

use super::in_process::Ending;

/// One life's lot. By default all is well and it comes to its own end.
#[derive(Debug, Clone, Default)]
pub(super) struct Fate {
    /// How it ends.
    pub(super) ending: Ending,
    /// After how long it is asked to stop.
    pub(super) asked_after: Option<Duration>,
    /// How its disk is.
    pub(super) disk: Disk,
    /// By how many seconds its clock is ahead.
    pub(super) clock_ahead: i64,
    /// How long nobody starts it again, beside a minute or two.
    pub(super) rest: Duration,
    /// What people do meanwhile.
    pub(super) people: Vec<Doing>,
}

impl From<Ending> for Fate {
    fn from(ending: Ending) -> Self {
        Self { ending, ..Self::default() }
    }
}

/// How the disk of the checkpoint is.
#[derive(Debug, Clone, Default)]
pub(super) enum Disk {
    /// Well.
    #[default]
    Well,
    /// The file may grow by so many pages.
    Bounded(u32),
    /// Some commits of the ledger fail.
    Fails {
        /// The first, from 1.
        from: u64,
        /// How many.
        commits: u64,
        /// Whether nothing is committed, or all of it is.
        at: CommitMoment,
        /// By what.
        how: Failure,
    },
}

/// Why a commit fails.
#[derive(Debug, Clone, Copy)]
pub(super) enum Failure {
    Full,
    ReadOnly,
    Broken,
}

impl Failure {
    pub(super) fn error(self) -> CheckpointError {
        let code = match self {
            Self::Full => rusqlite::ffi::SQLITE_FULL,
            Self::ReadOnly => rusqlite::ffi::SQLITE_READONLY,
            Self::Broken => rusqlite::ffi::SQLITE_IOERR,
        };
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None).into()
    }
}

/// What a person does, to conversations that chance picks when the time has come.
#[derive(Debug, Clone)]
pub(super) struct Doing {
    /// How long after the life began.
    pub(super) after: Duration,
    pub(super) what: What,
    /// Where the chance begins.
    pub(super) seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Merge,
    MergeIntoNew,
    /// Several into one another, one after another.
    MergeInChain,
    Delete,
    Lock,
    Fill(u32),
}

impl What {
    pub(super) fn merges(self) -> bool {
        matches!(self, Self::Merge | Self::MergeIntoNew | Self::MergeInChain)
    }
}

impl Doing {
    /// What it comes to in this world.
    pub(super) fn acts(&self, world: &World) -> Vec<PersonAct> {
        let mut chance = fastrand::Rng::with_seed(self.seed);
        let mut live: Vec<u64> =
            world.conversations().filter(|one| one.is_live()).map(|one| one.id).collect();
        chance.shuffle(&mut live);
        let merge = |pair: &[u64]| PersonAct::Merge { from: pair[0], into: Some(pair[1]) };
        let Some(&id) = live.first() else { return Vec::new() };
        match self.what {
            What::Merge => live.windows(2).take(1).map(merge).collect(),
            What::MergeInChain => live.windows(2).take(3).map(merge).collect(),
            What::MergeIntoNew => vec![PersonAct::Merge { from: id, into: None }],
            What::Delete => vec![PersonAct::Delete { id }],
            What::Lock => vec![PersonAct::Lock { id }],
            What::Fill(notes) => vec![PersonAct::Fill { id, notes }],
        }
    }
}
