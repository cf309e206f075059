//! Telling of rows that are rejected after they were read: their files are read once more, so that the rows go into the
//! rejects file as they were.

use std::{cmp::Ordering, iter::Peekable, sync::Arc};

use super::{EventSink, ImportError, ImportEvent, RejectedContent, RejectedRow, raw_row, stage::fingerprint};
use crate::{
    call::{Position, stable_digest},
    checkpoint::{Checkpoint, CheckpointError, LateRows, Stager},
    source::{Reader, Record, SourceError, SourceSettings, expand},
};

/// Rows fetched at a time.
const PAGE: u32 = 1_000;

/// What was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) rejected: u64,
    pub(super) known: u64,
}

/// Whatever holds such rows, while loading and afterwards.
pub(super) trait HoldsLateRows {
    fn rows(&self) -> LateRows<'_>;
    /// Takes note of a rejected row by its fingerprint; whether an earlier run rejected it alike.
    fn note(&mut self, fingerprint: [u8; 16]) -> Result<bool, CheckpointError>;
}

impl HoldsLateRows for Stager<'_> {
    fn rows(&self) -> LateRows<'_> {
        self.late_rows()
    }

    fn note(&mut self, fingerprint: [u8; 16]) -> Result<bool, CheckpointError> {
        self.reject(fingerprint)
    }
}

impl HoldsLateRows for (&Checkpoint, i64) {
    fn rows(&self) -> LateRows<'_> {
        self.0.late_rows()
    }

    fn note(&mut self, fingerprint: [u8; 16]) -> Result<bool, CheckpointError> {
        self.0.note_rejection(fingerprint, self.1)
    }
}

/// Tells of every such row.
pub(super) fn tell(
    late: &mut impl HoldsLateRows,
    source: &SourceSettings,
    events: &dyn EventSink,
) -> Result<Told, ImportError> {
    let mut told = Told::default();
    for file in late.rows().files()? {
        let name: Arc<str> = Arc::from(file.as_str());
        let mut again = ReadAgain::open(&file, source);
        let mut after = (0, i64::MIN);
        loop {
            let page = late.rows().of_file(&file, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = (last.line, last.number);
            for row in page {
                let content = row.raw.as_deref().and_then(raw_row::read).map(RejectedContent::Cells);
                let content = content.or_else(|| again.find(row.line));
                let rejection = row.rejection;
                let codes = rejection.codes();
                let known = late.note(match &content {
                    Some(content) => fingerprint(content, &codes),
                    // Nothing but its place tells it from others.
                    None => {
                        let place = [row.line.to_be_bytes(), row.number.to_be_bytes()].concat();
                        stable_digest(&[codes.as_bytes(), file.as_bytes(), &place])
                    }
                })?;
                let content = content.unwrap_or(RejectedContent::Raw { headings: None, text: String::new() });
                told.rejected += 1;
                told.known += u64::from(known);
                let position = Position::new(Arc::clone(&name), row.line);
                let row = RejectedRow { position, content, rejection, known };
                events.emit(ImportEvent::Rejected(Box::new(row)));
            }
        }
    }
    Ok(told)
}

/// A file, read forward a second time. One that cannot be read any more yields nothing: the place is told all the same.
struct ReadAgain {
    reader: Option<Peekable<Reader>>,
}

impl ReadAgain {
    fn open(file: &str, source: &SourceSettings) -> Self {
        let input =
            if file == "-" { None } else { expand(&[file.to_owned()]).ok().and_then(|mut all| all.pop()) };
        let reader = input.and_then(|input| Reader::open(&input, source).ok());
        Self { reader: reader.map(Iterator::peekable) }
    }

    /// The record that begins at `line`; lines must be asked for in their order. Of several that begin there none is
    /// given, since nothing tells which is meant: their rows were kept when they were read.
    fn find(&mut self, line: u64) -> Option<RejectedContent> {
        let reader = self.reader.as_mut()?;
        let begins = |record: &Result<Record, SourceError>, at: Ordering| {
            record.as_ref().is_ok_and(|record| record.line().cmp(&line) == at)
        };
        while reader.next_if(|record| begins(record, Ordering::Less)).is_some() {}
        let found = reader.next_if(|record| begins(record, Ordering::Equal))?.ok()?;
        let mut others = 0;
        while reader.next_if(|record| begins(record, Ordering::Equal)).is_some() {
            others += 1;
        }
        (others == 0).then(|| match found {
            Record::Row(row) => RejectedContent::Cells(row.cells),
            Record::Broken(row) => RejectedContent::Raw { headings: row.headings, text: row.raw },
        })
    }
}
