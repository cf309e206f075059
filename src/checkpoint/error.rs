//! What can be wrong with a checkpoint.

use std::{path::PathBuf, sync::Arc};

/// Why a checkpoint cannot be used, or a write to it failed. Cheap to clone: one failed commit concerns many who wait.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CheckpointError {
    /// Another run holds it.
    #[error("the checkpoint `{}` is in use by another run", .0.display())]
    InUse(PathBuf),
    /// It has no bytes.
    #[error("the checkpoint `{}` is empty (0 bytes): what it held is lost", .0.display())]
    Empty(PathBuf),
    /// It is some other file.
    #[error("`{}` is not a checkpoint of callport", .0.display())]
    Foreign(PathBuf),
    /// It is damaged.
    #[error("the checkpoint `{}` is damaged: {why}", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A newer callport wrote it.
    #[error("the checkpoint `{}` has version {found} of its form, this callport knows up to {known}", .path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The version found.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// It belongs to another account, address or mapping.
    #[error("{0}")]
    OtherLineage(String),
    /// A recovery of it was interrupted.
    #[error("the recovery of the checkpoint `{}` has not come to its end: calls that it has not seen yet would be imported \
             twice", .0.display())]
    Unrecovered(PathBuf),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    NoChance(String),
    /// It holds no calls of that file.
    #[error("{0}")]
    NoSuchFile(String),
    /// A person's decision does not fit what the file holds.
    #[error("{0}")]
    Undecidable(String),
    /// It is not there.
    #[error("there is no checkpoint `{}`", .0.display())]
    Missing(PathBuf),
    /// It cannot be opened, read or written.
    #[error("the checkpoint `{}` cannot be used: {why}", .path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The disk is full.
    #[error("the disk that holds the checkpoint is full")]
    DiskFull,
    /// A write was refused, although the disk may have space.
    #[error(
        "the checkpoint cannot grow: the limit on the size of files (`ulimit -f`) or the disk's quota is reached, or the \
         disk fails"
    )]
    WriteRefused,
    /// The database refused a statement.
    #[error("the checkpoint could not be read or written")]
    Sql(#[source] Arc<rusqlite::Error>),
    /// A change that would lose a call or send it twice; a fault of this program.
    #[error(transparent)]
    IllegalChange(#[from] crate::policy::IllegalChange),
    /// The ledger was closed while a job waited; a fault of this program.
    #[error("the checkpoint was closed while it was needed")]
    Closed,
}

impl From<rusqlite::Error> for CheckpointError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error().map(|failure| failure.extended_code) {
            Some(rusqlite::ffi::SQLITE_FULL) => Self::DiskFull,
            _ if Self::is_refused_write(&error) => Self::WriteRefused,
            _ => Self::Sql(Arc::new(error)),
        }
    }
}

impl CheckpointError {
    /// Whether the system refused a write for another reason than a full disk: the database library tells that one from all
    /// else that can be wrong with a write, and no more.
    pub(super) fn is_refused_write(error: &rusqlite::Error) -> bool {
        use rusqlite::ffi::{SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_WRITE};
        let code = error.sqlite_error().map(|failure| failure.extended_code);
        matches!(code, Some(SQLITE_IOERR_WRITE | SQLITE_IOERR_SHMSIZE))
    }

    /// The advice that goes with it.
    pub fn advice(&self) -> Option<String> {
        Some(match self {
            Self::InUse(_) => "wait for the other run to end".into(),
            Self::Unrecovered(_) => "run `callport recover` again: it may be interrupted as often as you like".into(),
            Self::Empty(path) | Self::Damaged { path, .. } => format!(
                "put the newest sound copy of `{}` back, or move it away and rebuild it with `callport recover`",
                path.display()
            ),
            Self::Foreign(_) => "name a checkpoint of callport with --checkpoint".into(),
            Self::Newer { .. } => "use the callport that wrote it, or a newer one".into(),
            Self::DiskFull => "make space and run the same command again: it goes on where it stopped".into(),
            Self::WriteRefused => {
                "raise the limit or make space, and run the same command again: it goes on where it stopped".into()
            }
            Self::Sql(_) if self.is_passing() => {
                "see that the disk and the checkpoint may be written, and run the same command again: it goes on where it \
                 stopped"
                    .into()
            }
            Self::Unusable { .. } => "see that the file and its folder may be written".into(),
            _ => return None,
        })
    }

    /// Whether the run stopped before its end and goes on when the cause is gone.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::DiskFull | Self::WriteRefused => true,
            Self::Sql(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    rusqlite::ErrorCode::SystemIoFailure
                        | rusqlite::ErrorCode::ReadOnly
                        | rusqlite::ErrorCode::CannotOpen
                        | rusqlite::ErrorCode::DatabaseBusy
                )
            ),
            _ => false,
        }
    }

    /// Whether the checkpoint itself was refused: nothing was sent.
    pub fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::DiskFull | Self::WriteRefused | Self::Sql(_) | Self::IllegalChange(_) | Self::Closed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32) -> CheckpointError {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None).into()
    }

    #[test]
    fn a_write_that_fails_passes_with_its_cause_and_says_what_to_do() {
        use rusqlite::ffi;
        assert!(matches!(of(ffi::SQLITE_FULL), CheckpointError::DiskFull));
        for code in [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE] {
            assert!(matches!(of(code), CheckpointError::WriteRefused), "{code}");
        }
        assert!(matches!(of(ffi::SQLITE_IOERR_FSYNC), CheckpointError::Sql(_)));
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_READONLY]
        {
            let error = of(code);
            assert!(error.is_passing() && !error.is_refusal(), "{code}");
            assert!(
                error.advice().is_some_and(|advice| advice.contains("run the same command again")),
                "{code}"
            );
        }
    }

    #[test]
    fn a_statement_that_is_wrong_does_not_pass() {
        let error = of(rusqlite::ffi::SQLITE_ERROR);
        assert!(!error.is_passing() && error.advice().is_none());
    }
}
