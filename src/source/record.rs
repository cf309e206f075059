//! What reading a file yields.

use std::sync::Arc;

use crate::call::{Cells, Fault, FaultKind, Headings, Position, Row};

/// One record of a file.
#[derive(Debug, Clone)]
pub enum Record {
    /// It could be read.
    Row(Row),
    /// It could not; the next one can.
    Broken(BrokenRow),
}

/// A record that does not fit its headings, is not JSON, or holds invalid bytes or a cell over the limit.
#[derive(Debug, Clone)]
pub struct BrokenRow {
    /// Where it begins.
    pub position: Position,
    /// The headings of its file, if it has any.
    pub headings: Option<Arc<Headings>>,
    /// Its text as it was, invalid bytes replaced, without its line end.
    pub raw: String,
    /// What is wrong.
    pub fault: Fault,
}

impl Record {
    /// A record that cannot be read, with its text and the reason.
    pub(super) fn broken(
        position: Position,
        headings: Option<Arc<Headings>>,
        raw: &[u8],
        reason: impl Into<String>,
    ) -> Self {
        let raw = String::from_utf8_lossy(raw).into_owned();
        let fault = Fault::new(FaultKind::Unreadable, reason);
        Self::Broken(BrokenRow { position, headings, raw, fault })
    }

    /// The line on which it begins.
    pub fn line(&self) -> u64 {
        match self {
            Self::Row(row) => row.position.line,
            Self::Broken(row) => row.position.line,
        }
    }

    /// Whether it comes from a rejects file.
    pub(super) fn was_rejected(&self) -> bool {
        match self {
            Self::Row(Row { cells: Cells::Json(object), .. }) => object.keys().any(|key| is_own(key)),
            Self::Row(Row { cells: Cells::Csv { headings, .. }, .. }) => has_own(headings),
            Self::Broken(broken) => broken.headings.as_deref().is_some_and(has_own),
        }
    }
}

/// Whether a column or key was added by a rejects file.
pub(super) fn is_own(name: &str) -> bool {
    name.trim_start().to_lowercase().starts_with("callport_")
}

/// Whether a file with these headings is a rejects file.
pub(super) fn has_own(headings: &Headings) -> bool {
    headings.names().iter().any(|name| is_own(name))
}

/// The most bytes a cell may have.
pub(super) const CELL_LIMIT: usize = 1024 * 1024;

/// The most bytes that are held of a record.
pub(super) const RECORD_LIMIT: usize = 4 * 1024 * 1024;
