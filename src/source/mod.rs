//! Files become rows.

mod record;

pub use record::{BrokenRow, Format, Record, SourceSettings};
