//! The records of a JSONL file: one object a line.

use std::{io, str, sync::Arc};

use serde_json::Value;

use crate::call::{Cells, Fault, FaultKind, Position, Row};

use super::{
    BrokenRow, Record,
    record::{CELL_LIMIT, RECORD_LIMIT},
    window::Window,
};

/// Cuts a window into records.
pub(super) struct JsonRows {
    window: Window,
    file: Arc<str>,
}

impl JsonRows {
    pub(super) fn new(window: Window, file: Arc<str>) -> Self {
        Self { window, file }
    }

    pub(super) fn line(&self) -> u64 {
        self.window.line()
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        while self.window.pass_blank_lines()? {
            let position = Position { file: Arc::clone(&self.file), line: self.window.line() };
            let length = self.window.line_length(RECORD_LIMIT)?;
            let line = &self.window.data()[..length.unwrap_or(RECORD_LIMIT)];
            let blank = length.is_some() && line.iter().all(u8::is_ascii_whitespace);
            let cells = match length {
                Some(_) => parse(line),
                None => Err(format!("is over {RECORD_LIMIT} bytes long")),
            };
            let record = match cells {
                Ok(cells) => Record::Row(Row { position, cells }),
                Err(reason) => broken(position, line, reason),
            };
            self.window.pass_line()?;
            if !blank {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }
}

fn parse(line: &[u8]) -> Result<Cells, String> {
    let line = str::from_utf8(line)
        .map_err(|_| "has bytes that are not UTF-8: save the file as UTF-8".to_owned())?;
    match serde_json::from_str(line) {
        // No cell of a shorter line is too long, so that few are measured.
        Ok(Value::Object(object)) if line.len() > CELL_LIMIT => match object.values().map(length).max() {
            Some(bytes) if bytes > CELL_LIMIT => {
                Err(format!("has a value of {bytes} bytes, at most {CELL_LIMIT} are read"))
            }
            _ => Ok(Cells::Json(object)),
        },
        Ok(Value::Object(object)) => Ok(Cells::Json(object)),
        Ok(_) => Err("is not a JSON object".to_owned()),
        Err(error) => Err(format!("is not valid JSON at column {}: {}", error.column(), words(&error))),
    }
}

/// The parser's words without its own count of lines, which is always one here.
fn words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    words.split(" at line ").next().unwrap_or_default().to_owned()
}

/// The bytes of a value as a cell: a text without its quotes, anything else as JSON.
fn length(value: &Value) -> usize {
    value.as_str().map_or_else(|| value.to_string().len(), str::len)
}

fn broken(position: Position, raw: &[u8], reason: String) -> Record {
    let raw = String::from_utf8_lossy(raw).into_owned();
    Record::Broken(BrokenRow {
        position,
        headings: None,
        raw,
        fault: Fault::new(FaultKind::Unreadable, reason),
    })
}
