//! Telling of rows that are rejected after they were read: their files are read once more, so that the rows go into the
//! rejects file as they were.

use std::{cmp::Ordering, iter::Peekable, sync::Arc};

use super::{EventSink, ImportError, ImportEvent, RejectedContent, RejectedRow, raw_row, stage::fingerprint};
use crate::{
    call::Position,
    checkpoint::{Checkpoint, CheckpointError, LateRow, Stager},
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

/// Where such rows are kept, while loading and afterwards.
pub(super) trait LateRows {
    fn files(&self) -> Result<Vec<String>, CheckpointError>;
    fn rows(&self, file: &str, after: (u64, i64)) -> Result<Vec<LateRow>, CheckpointError>;
    fn note(&mut self, fingerprint: [u8; 16]) -> Result<bool, CheckpointError>;
}

impl LateRows for Stager<'_> {
    fn files(&self) -> Result<Vec<String>, CheckpointError> {
        self.late_files()
    }

    fn rows(&self, file: &str, after: (u64, i64)) -> Result<Vec<LateRow>, CheckpointError> {
        self.late_rows(file, after, PAGE)
    }

    fn note(&mut self, fingerprint: [u8; 16]) -> Result<bool, CheckpointError> {
        self.reject(fingerprint)
    }
}

impl LateRows for (&Checkpoint, i64) {
    fn files(&self) -> Result<Vec<String>, CheckpointError> {
        self.0.late_files()
    }

    fn rows(&self, file: &str, after: (u64, i64)) -> Result<Vec<LateRow>, CheckpointError> {
        self.0.late_rows(file, after, PAGE)
    }

    fn note(&mut self, fingerprint: [u8; 16]) -> Result<bool, CheckpointError> {
        self.0.note_rejection(fingerprint, self.1)
    }
}

/// Tells of every such row.
pub(super) fn tell(
    late: &mut impl LateRows,
    source: &SourceSettings,
    events: &dyn EventSink,
) -> Result<Told, ImportError> {
    let mut told = Told::default();
    for file in late.files()? {
        let name: Arc<str> = Arc::from(file.as_str());
        let mut again = ReadAgain::open(&file, source);
        let mut after = (0, i64::MIN);
        loop {
            let page = late.rows(&file, after)?;
            let Some(last) = page.last() else { break };
            after = (last.line, last.number);
            for row in page {
                let content = row.raw.as_deref().and_then(raw_row::read).map(RejectedContent::Cells);
                let content = content
                    .or_else(|| again.find(row.line))
                    .unwrap_or(RejectedContent::Raw { headings: None, text: String::new() });
                let rejection = row.rejection;
                let known = late.note(fingerprint(&content, &rejection.codes()))?;
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
    /// given, since nothing tells which is meant.
    fn find(&mut self, line: u64) -> Option<RejectedContent> {
        let reader = self.reader.as_mut()?;
        let begins = |record: &Result<Record, SourceError>, at: Ordering| {
            record.as_ref().is_ok_and(|record| line_of(record).cmp(&line) == at)
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

fn line_of(record: &Record) -> u64 {
    match record {
        Record::Row(row) => row.position.line,
        Record::Broken(row) => row.position.line,
    }
}
