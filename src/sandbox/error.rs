//! What can go wrong when a sandbox is set up. A running one answers its requests instead.

use std::path::PathBuf;

/// Why the sandbox cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The seed is not of the documented form.
    #[error("seed, line {line}: {reason}")]
    Seed {
        /// The line, from 1; 0 if the fault lies in no single line.
        line: usize,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The fault script is not of the documented form.
    #[error("fault script, line {line}: {reason}")]
    Faults {
        /// The line, from 1.
        line: usize,
        /// What is wrong and what is known.
        reason: String,
    },
    /// The data file is damaged.
    #[error("{}, line {line}: {reason}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The data file cannot be read or written.
    #[error("{}: cannot {verb} the sandbox's data", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        verb: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The server stopped.
    #[error("the sandbox's server stopped")]
    Server(#[from] std::io::Error),
}
