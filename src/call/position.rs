//! Where a row stands, so that every message can name a place that a person finds again.

use std::{fmt, sync::Arc};

/// File and physical line (from 1, the heading included) on which a row begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The path as the user gave it; `-` for standard input.
    pub file: Arc<str>,
    /// From 1.
    pub line: u64,
}

impl Position {
    /// The place in `file` at `line`.
    pub fn new(file: impl Into<Arc<str>>, line: u64) -> Self {
        Self { file: file.into(), line }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
