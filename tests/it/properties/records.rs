//! What a file reads as, in a form that can be compared and counted.

use std::io;

use callport::{
    call::Cells,
    source::{Format, Reader, Record, SourceSettings},
};

/// The most bytes that a cell has, and that are held of a record.
pub(super) const CELL: usize = 1 << 20;
pub(super) const RECORD: usize = 4 << 20;

/// A whole file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) format: Option<Format>,
    pub(super) headings: Vec<String>,
    pub(super) records: Vec<(u64, Content)>,
    /// The trouble of the file as a whole, on opening or later.
    pub(super) trouble: Option<String>,
}

/// What a record holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Cells(Vec<String>),
    Object(String),
    Broken { raw: String, reason: String },
}

/// Gives at most so many bytes at a time.
struct Trickle {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
}

impl io::Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = &self.bytes[self.at..];
        let count = self.step.min(left.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}

/// Reads `bytes`, which arrive `step` at a time, to their end.
pub(super) fn read(bytes: &[u8], step: usize, settings: &SourceSettings) -> Reading {
    let mut found = Reading { format: None, headings: Vec::new(), records: Vec::new(), trouble: None };
    let trickle = Trickle { bytes: bytes.to_vec(), at: 0, step };
    let reader = match Reader::from_read("calls", trickle, settings) {
        Ok(reader) => reader,
        Err(error) => {
            found.trouble = Some(told(&error.to_string()));
            return found;
        }
    };
    found.format = Some(reader.format());
    found.headings = reader.headings().map(|headings| headings.names().to_vec()).unwrap_or_default();
    for record in reader {
        match record {
            Ok(record) => found.records.push(content(record)),
            Err(error) => {
                assert!(found.trouble.is_none(), "a file ends with its first trouble");
                found.trouble = Some(told(&error.to_string()));
            }
        }
    }
    found
}

/// Reads `bytes` at once and in parts, asserts that both give the same, and gives that. Where a file that is compressed
/// breaks off, how far it could be read depends on the parts.
pub(super) fn read_alike(bytes: &[u8], settings: &SourceSettings) -> Reading {
    let whole = read(bytes, usize::MAX, settings);
    let parts = read(bytes, 1 + bytes.len() % 13, settings);
    let broken_off = is_packed(bytes) && whole.trouble.is_some() && parts.trouble.is_some();
    if broken_off {
        let both = whole.records.len().min(parts.records.len());
        assert!(whole.records[..both] == parts.records[..both], "at once: {whole:#?}\nin parts: {parts:#?}");
        return whole;
    }
    assert!(whole == parts, "at once: {whole:#?}\nin parts: {parts:#?}");
    whole
}

fn content(record: Record) -> (u64, Content) {
    match record {
        Record::Row(row) => {
            let content = match &row.cells {
                Cells::Csv { ends, .. } => {
                    let cell = |index| row.cells.column(index).expect("a row has a text for each cell");
                    Content::Cells((0..ends.len()).map(|index| cell(index).to_owned()).collect())
                }
                Cells::Json(object) => Content::Object(serde_json::to_string(object).expect("JSON is text")),
            };
            (row.position.line, content)
        }
        Record::Broken(broken) => {
            let reason = told(&broken.fault.reason);
            (broken.position.line, Content::Broken { raw: broken.raw, reason })
        }
    }
}

/// A message, which is one line and not empty.
fn told(message: &str) -> String {
    assert!(!message.is_empty() && !message.contains('\n'), "{message:?}");
    message.to_owned()
}

/// The lines of a file, each without its end, which is LF, CRLF or CR, with where it begins.
pub(super) fn lines(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut lines = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let rest = &bytes[start..];
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        lines.push((start, &rest[..length]));
        let crlf = rest[length..].starts_with(b"\r\n");
        start += length + if crlf { 2 } else { 1 };
    }
    lines
}

/// Whether nothing stands on a line.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// How many lines end within `text`.
pub(super) fn line_ends(text: &str) -> usize {
    text.matches('\n').count() + text.matches('\r').count() - text.matches("\r\n").count()
}

/// Whether a file is compressed.
pub(super) fn is_packed(data: &[u8]) -> bool {
    matches!(data, [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// The content of a file without its byte-order mark; `None` if it is compressed or UTF-16.
pub(super) fn plain(data: &[u8]) -> Option<&[u8]> {
    let plain = !is_packed(data) && !data.starts_with(&[0xff, 0xfe]) && !data.starts_with(&[0xfe, 0xff]);
    plain.then(|| data.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(data))
}
