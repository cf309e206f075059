//! One JSON record, and the records of a JSONL file: one object a line, or several.

use std::{io, str, sync::Arc};

use serde_json::Value;

use crate::call::{Cells, Position, Row};

use super::{
    Record,
    json_scan::objects,
    record::{CELL_LIMIT, RECORD_LIMIT},
    window::Window,
};

/// Cuts a window into records.
pub(super) struct JsonRows {
    window: Window,
    file: Arc<str>,
    not_text: Arc<str>,
    /// The lengths of the objects that are left on the line at the start of the window, the last one first.
    left: Vec<usize>,
}

impl JsonRows {
    pub(super) fn new(window: Window, file: Arc<str>, not_text: Arc<str>) -> Self {
        Self { window, file, not_text, left: Vec::new() }
    }

    pub(super) fn line(&self) -> u64 {
        self.window.line()
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        if let Some(length) = self.left.pop() {
            return self.one_of_several(length).map(Some);
        }
        while self.window.pass_blank_lines()? {
            let position = self.position();
            let length = self.window.line_length(RECORD_LIMIT)?;
            let line = &self.window.data()[..length.unwrap_or(RECORD_LIMIT)];
            if length.is_none() {
                let record = Record::broken(position, None, line, over_limit());
                self.window.pass_line()?;
                return Ok(Some(record));
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                self.window.pass_line()?;
                continue;
            }
            let parsed = parse(line, &self.not_text);
            if parsed.is_err()
                && let Some(ends) = objects(line)
            {
                self.left = lengths(&ends);
                let length = self.left.pop().unwrap_or_default();
                return self.one_of_several(length).map(Some);
            }
            let record = as_record(position, line, parsed);
            self.window.pass_line()?;
            return Ok(Some(record));
        }
        Ok(None)
    }

    fn position(&self) -> Position {
        Position { file: Arc::clone(&self.file), line: self.window.line() }
    }

    /// The object that stands with others on a line, which is left behind with the last of them.
    fn one_of_several(&mut self, length: usize) -> io::Result<Record> {
        let object = &self.window.data()[..length];
        let record = as_record(self.position(), object.trim_ascii(), parse(object, &self.not_text));
        if self.left.is_empty() {
            self.window.pass_line()?;
        } else {
            self.window.pass(length);
        }
        Ok(record)
    }
}

/// From where values end to how long each is with the blanks before it, the last one first.
fn lengths(ends: &[usize]) -> Vec<usize> {
    let begins = [0].into_iter().chain(ends.iter().copied());
    let mut lengths: Vec<usize> = ends.iter().zip(begins).map(|(end, begin)| end - begin).collect();
    lengths.reverse();
    lengths
}

/// The record that `text` is, which begins at `position`; `not_text` is said of bytes that are no text.
pub(super) fn record(position: Position, text: &[u8], not_text: &str) -> Record {
    let parsed = parse(text, not_text);
    as_record(position, text, parsed)
}

fn as_record(position: Position, text: &[u8], parsed: Result<Cells, Fault>) -> Record {
    match parsed {
        Ok(cells) => Record::Row(Row { position, cells }),
        Err(fault) => {
            let reason = fault.told(position.line);
            Record::broken(position, None, text, reason)
        }
    }
}

/// What is said of a record that is too long.
pub(super) fn over_limit() -> String {
    format!("is over {RECORD_LIMIT} bytes long")
}

/// Why a text is no record.
enum Fault {
    Told(String),
    Syntax(serde_json::Error),
}

impl Fault {
    /// In words, of a record that begins at `line`.
    fn told(self, line: u64) -> String {
        let error = match self {
            Self::Told(reason) => return reason,
            Self::Syntax(error) => error,
        };
        let words = error.to_string();
        // The parser's own place counts from the start of the record.
        let words = words.split(" at line ").next().unwrap_or_default();
        match error.line() as u64 {
            0 | 1 => format!("is not valid JSON at column {}: {words}", error.column()),
            below => {
                format!("is not valid JSON at line {}, column {}: {words}", line + below - 1, error.column())
            }
        }
    }
}

fn parse(text: &[u8], not_text: &str) -> Result<Cells, Fault> {
    let text = str::from_utf8(text).map_err(|_| Fault::Told(not_text.to_owned()))?;
    match serde_json::from_str(text) {
        // No cell of a shorter line is too long, so that few are measured.
        Ok(Value::Object(object)) if text.len() > CELL_LIMIT => match object.values().map(length).max() {
            Some(bytes) if bytes > CELL_LIMIT => {
                Err(Fault::Told(format!("has a value of {bytes} bytes, at most {CELL_LIMIT} are read")))
            }
            _ => Ok(Cells::Json(object)),
        },
        Ok(Value::Object(object)) => Ok(Cells::Json(object)),
        Ok(_) => Err(Fault::Told("is not a JSON object".to_owned())),
        Err(error) => Err(Fault::Syntax(error)),
    }
}

/// The bytes of a value as a cell: a text without its quotes, anything else as JSON.
fn length(value: &Value) -> usize {
    value.as_str().map_or_else(|| value.to_string().len(), str::len)
}
