//! The records of a CSV file.
//!
//! Cells are cut by `csv-core`, the engine of the `csv` crate, and not by `csv::Reader`, because three things are needed
//! that only the engine gives: a bound on what a record may take, the bytes of a record as they were, and a way back. A
//! quote that is opened and never closed would otherwise swallow the file; here the line on which that record begins is
//! broken, and the lines after it are read as if nothing had been.

use std::{borrow::Cow, io, str, sync::Arc};

use csv_core::{ReadRecordResult, ReaderBuilder};

use crate::call::{Cells, Headings, Position, Row};

use super::{
    Record, SourceSettings,
    columns::{Columns, First},
    csv_quotes::{self, Quoting, after_quoted},
    record::{CELL_LIMIT, RECORD_LIMIT},
    window::{Window, is_line_end},
};

/// The bound for records of several lines where a record was already found to be unclosed: a file full of stray quotes
/// must not be read 4 MiB a line.
const SUSPECT_LIMIT: usize = 64 * 1024;

/// The bound where one after another is unclosed, each halving it: lines of which each closes the quote of the one before
/// and opens another must not be read 64 KiB a line either.
const LEAST_LIMIT: usize = 1024;

const AMBIGUOUS: &str = "has quotes that are not doubled and can be read in more than one way";

/// Cuts a window into records.
pub(super) struct CsvRows {
    window: Window,
    core: csv_core::Reader,
    delimiter: u8,
    text: Vec<u8>,
    ends: Vec<usize>,
    suspect_until: u64,
    suspect_limit: usize,
    file: Arc<str>,
    not_text: Arc<str>,
    columns: Columns,
}

/// What lies at the start of the window.
enum Scan {
    /// A record of so many bytes, with so many bytes of text in so many cells.
    Record { bytes: usize, text: usize, cells: usize },
    /// A record that is over the bound, or a quote that is never closed; so many bytes were looked at.
    Unclosed { bytes: usize, why: Unclosed },
}

/// The text of all cells and where each ends in it.
type Cut<'r> = (Cow<'r, [u8]>, Cow<'r, [usize]>);

/// Why a record is given up and its lines are read again.
#[derive(Clone, Copy)]
enum Unclosed {
    AtEnd,
    OverBound,
    Astray,
}

impl CsvRows {
    pub(super) fn new(window: Window, delimiter: u8, file: Arc<str>, not_text: Arc<str>) -> Self {
        let core = ReaderBuilder::new().delimiter(delimiter).build();
        let mut rows = Self {
            window,
            core,
            delimiter,
            text: vec![0; 4096],
            ends: vec![0; 64],
            suspect_until: 0,
            suspect_limit: SUSPECT_LIMIT,
            file,
            not_text,
            columns: Columns::default(),
        };
        rows.start_over();
        rows
    }

    pub(super) fn headings(&self) -> &Arc<Headings> {
        &self.columns.headings
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    pub(super) fn line(&self) -> u64 {
        self.window.line()
    }

    /// Finds what the columns are called, and passes the line that says so; `Ok(Err)` says why nothing does.
    pub(super) fn read_headings(&mut self, settings: &SourceSettings) -> io::Result<Result<(), String>> {
        loop {
            if !self.window.pass_blank_lines()? {
                return Ok(Err("has no headings".to_owned()));
            }
            let Some((first, bytes)) = self.first()? else { continue };
            return Ok(match Columns::decide(settings, first) {
                Err(reason) => Err(format!("has no headings: line {} {reason}", self.window.line())),
                Ok(decided) => {
                    self.columns = decided.columns;
                    if decided.is_heading {
                        self.window.pass(bytes);
                    }
                    self.start_over();
                    Ok(())
                }
            });
        }
    }

    /// The record at the start of the window, which stays there, with its length; `None`, and it is passed, if it is a
    /// line of white space.
    fn first(&mut self) -> io::Result<Option<(First, usize)>> {
        let scan = self.scan()?;
        let broken = |reason: &str| Ok(Some((First { cells: Err(reason.to_owned()), width: None }, 0)));
        let (bytes, text, cells) = match scan {
            Scan::Unclosed { why: Unclosed::OverBound, .. } => {
                return broken("is too long, or opens a quote that is not closed");
            }
            Scan::Unclosed { .. } => return broken("opens a quote that is never closed"),
            Scan::Record { bytes, text, cells } => (bytes, text, cells),
        };
        let raw = &self.window.data()[..bytes];
        if swallows_lines(raw, self.delimiter) {
            return broken("opens a quote that ends inside a cell of a later line");
        }
        if cells == 1 && raw.iter().all(u8::is_ascii_whitespace) {
            self.window.pass(bytes);
            return Ok(None);
        }
        let (text, ends) = match self.cells(raw, text, cells) {
            Ok(cells) => cells,
            Err(reason) => return broken(&reason),
        };
        let names = self.judge(&text, &ends).map(|text| {
            let begins = [0].into_iter().chain(ends.iter().copied());
            let cell = |(begin, end): (usize, &usize)| text.get(begin..*end).unwrap_or_default().to_owned();
            begins.zip(ends.iter()).map(cell).collect()
        });
        Ok(Some((First { cells: names, width: Some(ends.len()) }, bytes)))
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        while self.window.pass_blank_lines()? {
            if let Some(record) = self.read()? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// The record at the start of the window; `None` if it is a line of white space.
    fn read(&mut self) -> io::Result<Option<Record>> {
        let position = Position { file: Arc::clone(&self.file), line: self.window.line() };
        match self.scan()? {
            Scan::Record { bytes, .. } if swallows_lines(&self.window.data()[..bytes], self.delimiter) => {
                self.retreat(position, bytes, Unclosed::Astray).map(Some)
            }
            Scan::Record { bytes, text, cells } => {
                let record = self.record(position, bytes, text, cells);
                self.window.pass(bytes);
                Ok(record)
            }
            Scan::Unclosed { bytes, why } => self.retreat(position, bytes, why).map(Some),
        }
    }

    fn scan(&mut self) -> io::Result<Scan> {
        let mut limit = self.limit();
        let (mut bytes, mut text, mut cells) = (0, 0, 0);
        loop {
            if bytes == limit {
                if limit == RECORD_LIMIT || self.window.data()[..bytes].iter().any(|byte| is_line_end(*byte))
                {
                    return Ok(Scan::Unclosed { bytes, why: Unclosed::OverBound });
                }
                limit = RECORD_LIMIT;
            }
            let at_end = self.window.data().len() == bytes && !self.window.fill()?;
            let data = self.window.data();
            // A line end in place of the missing one ends the last record, unless it belongs to a cell.
            let input = if at_end { b"\n" } else { &data[bytes..data.len().min(limit)] };
            let (result, read, written, ended) =
                self.core.read_record(input, &mut self.text[text..], &mut self.ends[cells..]);
            if at_end && result == ReadRecordResult::InputEmpty {
                return Ok(Scan::Unclosed { bytes, why: Unclosed::AtEnd });
            }
            bytes += if at_end { 0 } else { read };
            text += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => {
                    return Ok(Scan::Record { bytes, text, cells });
                }
            }
        }
    }

    /// How many bytes a record of several lines may have here.
    fn limit(&mut self) -> usize {
        if self.window.offset() < self.suspect_until {
            return self.suspect_limit;
        }
        self.suspect_limit = SUSPECT_LIMIT;
        RECORD_LIMIT
    }

    fn record(&self, position: Position, bytes: usize, text: usize, cells: usize) -> Option<Record> {
        let raw = &self.window.data()[..bytes];
        if cells == 1 && raw.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let cells = self.cells(raw, text, cells);
        let judged = cells.and_then(|(text, ends)| {
            self.columns.check(ends.len())?;
            let text = self.judge(&text, &ends)?.to_owned();
            let mut ends: Vec<u32> = ends.iter().map(|end| u32::try_from(*end).unwrap_or(u32::MAX)).collect();
            self.columns.pad(&mut ends);
            Ok(Cells::Csv { headings: Arc::clone(&self.columns.headings), text, ends })
        });
        Some(match judged {
            Ok(cells) => Record::Row(Row { position, cells }),
            Err(reason) => self.broken(position, without_line_end(raw), reason),
        })
    }

    /// The cells of `raw`: as they were cut, or as they were meant where its quotes are placed wrongly.
    fn cells(&self, raw: &[u8], text: usize, cells: usize) -> Result<Cut<'_>, String> {
        let cut = || (Cow::Borrowed(&self.text[..text]), Cow::Borrowed(&self.ends[..cells]));
        let line = without_line_end(raw);
        if !line.contains(&b'"') || line.iter().any(|byte| is_line_end(*byte)) {
            return Ok(cut());
        }
        let quoting = csv_quotes::quoting(line, self.delimiter);
        if quoting == Quoting::Regular {
            return Ok(cut());
        }
        match csv_quotes::read(line, self.delimiter) {
            Some((text, ends)) if self.columns.check(ends.len()).is_ok() => Ok((text.into(), ends.into())),
            _ if quoting == Quoting::Stray => Err(AMBIGUOUS.to_owned()),
            _ => Ok(cut()),
        }
    }

    /// The text of all cells if it is text and none of them is too long.
    fn judge<'t>(&self, text: &'t [u8], ends: &[usize]) -> Result<&'t str, String> {
        if text.len() > CELL_LIMIT {
            let mut start = 0;
            for end in ends {
                if end - start > CELL_LIMIT {
                    return Err(format!(
                        "has a cell of {} bytes, at most {CELL_LIMIT} are read",
                        end - start
                    ));
                }
                start = *end;
            }
        }
        // Halves of a character in neighbouring cells would pass as one, were it not for the second look.
        match str::from_utf8(text) {
            Ok(valid) if ends.iter().all(|end| valid.is_char_boundary(*end)) => Ok(valid),
            _ => Err(self.not_text.to_string()),
        }
    }

    fn broken(&self, position: Position, raw: &[u8], reason: impl Into<String>) -> Record {
        let headings = &self.columns.headings;
        let headings = (!headings.names().is_empty()).then(|| Arc::clone(headings));
        Record::broken(position, headings, raw, reason)
    }

    /// Gives up the line on which an unclosed record begins, and goes back to the one after it.
    fn retreat(&mut self, position: Position, bytes: usize, why: Unclosed) -> io::Result<Record> {
        let looked_at = &self.window.data()[..bytes];
        let line = looked_at.iter().position(|byte| is_line_end(*byte));
        let reason = match (why, line) {
            (Unclosed::AtEnd, _) => "opens a quote that is never closed".to_owned(),
            (Unclosed::Astray, _) => "opens a quote that ends inside a cell of a later line".to_owned(),
            (Unclosed::OverBound, Some(_)) => {
                format!("opens a quote that is not closed within {bytes} bytes")
            }
            (Unclosed::OverBound, None) => format!("is over {RECORD_LIMIT} bytes long"),
        };
        let record = self.broken(position, &looked_at[..line.unwrap_or(bytes)], reason);
        if bytes <= self.suspect_limit && matches!(why, Unclosed::OverBound) {
            self.suspect_limit = (bytes / 2).max(LEAST_LIMIT);
        }
        self.suspect_until = self.suspect_until.max(self.window.offset() + bytes as u64);
        self.window.pass_line()?;
        self.start_over();
        Ok(record)
    }

    /// Forgets what was begun. The engine drops a byte-order mark from the first bytes it ever sees, so it is shown an
    /// empty line first: a mark at the start of a later line is content, however the bytes arrive.
    fn start_over(&mut self) {
        self.core.reset();
        self.core.read_record(b"\n", &mut [0; 4], &mut [0; 4]);
    }
}

fn without_line_end(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    raw.strip_suffix(b"\r").unwrap_or(raw)
}

/// Whether a record of several lines has a quote that closes in the middle of a cell: the mark of a stray quote that met
/// the opening quote of a later row, which makes one record of all rows between.
fn swallows_lines(raw: &[u8], delimiter: u8) -> bool {
    let raw = without_line_end(raw);
    if !raw.iter().any(|byte| is_line_end(*byte)) {
        return false;
    }
    let mut rest = raw;
    while let Some(first) = rest.first() {
        if *first == b'"' {
            rest = after_quoted(&rest[1..]);
            if rest.first().is_some_and(|byte| *byte != delimiter) {
                return true;
            }
        }
        let end = rest.iter().position(|byte| *byte == delimiter);
        rest = end.map_or(&[], |end| &rest[end + 1..]);
    }
    false
}
