//! What reading a file yields, and what a reader is told.

use std::sync::Arc;

use crate::call::{Fault, Headings, Position, Row};

/// How files are read. What is left out is found by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSettings {
    /// CSV or JSONL.
    pub format: Option<Format>,
    /// The byte between the cells of a CSV file.
    pub delimiter: Option<u8>,
    /// Lines before the headings.
    pub skip_lines: u32,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, or another delimiter.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

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

/// The most bytes a cell may have.
pub(super) const CELL_LIMIT: usize = 1024 * 1024;

/// The most bytes that are held of a record.
pub(super) const RECORD_LIMIT: usize = 4 * 1024 * 1024;
