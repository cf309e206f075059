//! Files become rows.
//!
//! The way of a byte: [`expand`] finds the files, `stream` opens and decompresses one, `window` holds the stretch of it
//! that is being read, `sniff` tells what it is, `csv_rows` or `json_rows` cut it into records, and [`Reader`] hands these
//! out. Memory stays flat: no more than one record, at most 4 MiB, is held at a time.

mod csv_rows;
mod error;
mod input;
mod json_rows;
mod reader;
mod record;
mod sniff;
mod stream;
mod window;

pub use error::SourceError;
pub use input::{Input, expand};
pub use reader::Reader;
pub use record::{BrokenRow, Format, Record, SourceSettings};
