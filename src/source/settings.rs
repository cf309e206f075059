//! What a reader is told.

use super::{Encoding, Pointer};

/// How files are read. What is left out is found by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSettings {
    /// CSV, JSONL or JSON.
    pub format: Option<Format>,
    /// How the bytes of a file without a byte-order mark are read as text.
    pub encoding: Option<Encoding>,
    /// The byte between the cells of a CSV file.
    pub delimiter: Option<u8>,
    /// Lines before the headings.
    pub skip_lines: u32,
    /// Records at the end that are no rows but totals; at most [`SKIP_LAST_LIMIT`].
    pub skip_last: usize,
    /// Whether a CSV file has a line of headings.
    pub header: bool,
    /// The names of a CSV file's columns in their order; they stand in place of its headings.
    pub columns: Vec<String>,
    /// How many of `columns` a row has at least; without it all.
    pub columns_at_least: Option<usize>,
    /// Where the records of a JSON document are; it makes each line of a JSONL file such a document.
    pub records: Option<Pointer>,
    /// Whether a document may lack them, as it may where a preset names them: it is then read as if nothing were named.
    pub records_if_there: bool,
    /// Columns whose blank cell means what stands above it.
    pub fill_down: Vec<String>,
    /// Whether a file may lack some of these columns, as it may where a preset names them.
    pub fill_down_if_there: bool,
}

/// The most records at the end of a file that can be left out.
pub const SKIP_LAST_LIMIT: usize = 100;

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            format: None,
            encoding: None,
            delimiter: None,
            skip_lines: 0,
            skip_last: 0,
            header: true,
            columns: Vec::new(),
            columns_at_least: None,
            records: None,
            records_if_there: false,
            fill_down: Vec::new(),
            fill_down_if_there: false,
        }
    }
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, or another delimiter.
    Csv,
    /// JSON objects, each on a line of its own.
    Jsonl,
    /// JSON documents: an array of objects, an object with such an array inside, or objects one after another.
    Json,
}
