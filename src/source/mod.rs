//! Files become rows.
//!
//! The way of a byte: [`expand`] finds the files, `stream` opens and decompresses one, `refuse` says what is no call log,
//! `encoding` makes UTF-8 of it, `window` holds the stretch of it that is being read, `sniff` tells its form, `csv_rows`,
//! `json_rows` or `json_documents` cut it into records, and [`Reader`] hands these out. Memory stays flat: no more than one
//! record, at most 4 MiB, is held at a time (and as many more as [`SourceSettings::skip_last`] says).

mod columns;
mod csv_quotes;
mod csv_rows;
mod encoding;
mod error;
mod fill_down;
mod input;
mod json_documents;
mod json_rows;
mod json_scan;
mod json_survey;
mod json_walk;
mod pointer;
mod reader;
mod record;
mod refuse;
mod settings;
mod sniff;
mod stream;
mod window;

pub use encoding::{Encoding, UnknownEncoding};
pub use error::SourceError;
pub use input::{Input, expand};
pub use pointer::{NoPointer, Pointer};
pub use reader::Reader;
pub use record::{BrokenRow, Record};
pub use settings::{Format, SKIP_LAST_LIMIT, SourceSettings};
