//! Why a file cannot be read, or not further.

use std::{io, sync::Arc};

/// The trouble of a whole file; what is wrong with one record is a [`super::BrokenRow`].
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Neither the command nor the configuration names a file.
    #[error("no file is given: name one, or set `[source] files`")]
    NothingGiven,
    /// A path that leads nowhere.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// A glob that matches no file.
    #[error("`{0}` matches no file")]
    NoMatch(String),
    /// A glob that is none.
    #[error("`{pattern}` is not a valid pattern: {reason}")]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A folder where a file is needed.
    #[error("`{0}` is a folder: name the files in it, such as `{0}/*.csv`")]
    Folder(String),
    /// A file without content.
    #[error("`{0}` is empty")]
    Empty(Arc<str>),
    /// The file may not be opened, or not even be looked at.
    #[error("`{name}` cannot be opened: {cause}")]
    Unopened {
        /// As given.
        name: String,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// Reading broke off.
    #[error("`{name}` cannot be read beyond line {line}: {cause}")]
    BrokenOff {
        /// As given.
        name: Arc<str>,
        /// The line at which it broke off.
        line: u64,
        /// The system's or the decompressor's answer.
        #[source]
        cause: io::Error,
    },
    /// The content is not what can be read.
    #[error("`{name}` {fault}")]
    Content {
        /// As given.
        name: Arc<str>,
        /// What it is, and what to do.
        fault: String,
    },
}

/// Why records come to an end before the file does; the reader adds the file's name.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It cannot be read further.
    Io(io::Error),
    /// It is not what can be read.
    Content(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
