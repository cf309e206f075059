//! One rejects file in the making: rows of one heading, or JSON objects.
//!
//! Whether a CSV file needs the column `callport_raw` is known only at its end, so its rows go to a nameless file first
//! and are copied once.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Seek, Write},
    path::Path,
};

use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use crate::{
    call::{Cells, Headings},
    import::{RejectedContent, RejectedRow},
    source::SourceSettings,
};

const OWN_PREFIX: &str = "callport_";
const FILE: &str = "callport_file";
const LINE: &str = "callport_line";
const REASON: &str = "callport_reason";
const RAW: &str = "callport_raw";

/// A rejects file of either form.
#[derive(Debug)]
pub(super) enum Part {
    Csv(Box<CsvPart>),
    Json(JsonPart),
}

impl Part {
    /// Whether rows under `headings` (`None`: JSON) belong here.
    pub(super) fn takes(&self, headings: Option<&Headings>) -> bool {
        match (self, headings) {
            (Self::Csv(part), Some(headings)) => kept(headings).map(|(_, name)| name).eq(&part.headings),
            (Self::Json(_), None) => true,
            _ => false,
        }
    }

    pub(super) fn is_json(&self) -> bool {
        matches!(self, Self::Json(_))
    }

    pub(super) fn add(&mut self, row: &RejectedRow) -> io::Result<()> {
        match self {
            Self::Csv(part) => part.add(row),
            Self::Json(part) => part.add(row),
        }
    }

    pub(super) fn finish(self, folder: &Path, path: &Path) -> io::Result<()> {
        match self {
            Self::Csv(part) => part.finish(folder, path),
            Self::Json(part) => persist(part.file, path),
        }
    }
}

/// The columns of the input, without those that an earlier rejects file added.
fn kept(headings: &Headings) -> impl Iterator<Item = (usize, &String)> {
    headings.names().iter().enumerate().filter(|(_, name)| !is_own(name))
}

fn is_own(name: &str) -> bool {
    name.trim_start().to_lowercase().starts_with(OWN_PREFIX)
}

/// What a rejects file begins with: it is UTF-8, which a byte-order mark says where the settings say otherwise.
fn mark(source: &SourceSettings) -> &'static [u8] {
    if source.encoding.is_some_and(|encoding| !encoding.is_utf8()) { b"\xef\xbb\xbf" } else { b"" }
}

/// Rows of one heading. In the nameless file the raw text stands last in every row.
#[derive(Debug)]
pub(super) struct CsvPart {
    headings: Vec<String>,
    delimiter: u8,
    skip_lines: u32,
    mark: &'static [u8],
    rows: csv::Writer<File>,
    any_raw: bool,
}

impl CsvPart {
    pub(super) fn new(folder: &Path, headings: &Headings, source: &SourceSettings) -> io::Result<Self> {
        let headings = kept(headings).map(|(_, name)| name.clone()).collect();
        let rows = csv::Writer::from_writer(tempfile::tempfile_in(folder)?);
        let delimiter = source.delimiter.unwrap_or(b',');
        let (skip_lines, mark) = (source.skip_lines, mark(source));
        Ok(Self { headings, delimiter, skip_lines, mark, rows, any_raw: false })
    }

    fn add(&mut self, row: &RejectedRow) -> io::Result<()> {
        let mut raw = "";
        match &row.content {
            RejectedContent::Cells(cells @ Cells::Csv { headings, .. }) => {
                for (index, _) in kept(headings) {
                    self.rows.write_field(cells.column(index).unwrap_or_default())?;
                }
            }
            RejectedContent::Cells(Cells::Json(_)) => {}
            RejectedContent::Raw { text, .. } => {
                raw = text;
                self.any_raw = true;
                for _ in &self.headings {
                    self.rows.write_field("")?;
                }
            }
        }
        self.rows.write_field(&*row.position.file)?;
        self.rows.write_field(row.position.line.to_string())?;
        self.rows.write_field(row.rejection.to_string())?;
        self.rows.write_field(raw)?;
        self.rows.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn finish(self, folder: &Path, path: &Path) -> io::Result<()> {
        let mut rows = self.rows.into_inner().map_err(csv::IntoInnerError::into_error)?;
        rows.rewind()?;
        let mut aside = NamedTempFile::new_in(folder)?;
        aside.write_all(self.mark)?;
        for _ in 0..self.skip_lines {
            aside.write_all(b"\n")?;
        }
        let mut out = csv::WriterBuilder::new().delimiter(self.delimiter).from_writer(aside);
        let width = self.headings.len() + 3 + usize::from(self.any_raw);
        let own = [FILE, LINE, REASON, RAW];
        out.write_record(self.headings.iter().map(String::as_str).chain(own).take(width))?;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(BufReader::new(rows));
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record)? {
            out.write_record(record.iter().take(width))?;
        }
        let aside = out.into_inner().map_err(csv::IntoInnerError::into_error)?;
        place(aside, path)
    }
}

/// JSON objects, one a line.
#[derive(Debug)]
pub(super) struct JsonPart {
    file: BufWriter<NamedTempFile>,
}

impl JsonPart {
    pub(super) fn new(folder: &Path, source: &SourceSettings) -> io::Result<Self> {
        let mut file = BufWriter::new(NamedTempFile::new_in(folder)?);
        file.write_all(mark(source))?;
        Ok(Self { file })
    }

    fn add(&mut self, row: &RejectedRow) -> io::Result<()> {
        let mut object = match &row.content {
            RejectedContent::Cells(Cells::Json(object)) => {
                let kept = object.iter().filter(|(name, _)| !is_own(name));
                kept.map(|(name, value)| (name.clone(), value.clone())).collect()
            }
            RejectedContent::Cells(Cells::Csv { .. }) => Map::new(),
            RejectedContent::Raw { text, .. } => Map::from_iter([(RAW.to_owned(), text.clone().into())]),
        };
        object.insert(FILE.to_owned(), (*row.position.file).into());
        object.insert(LINE.to_owned(), row.position.line.into());
        object.insert(REASON.to_owned(), row.rejection.to_string().into());
        serde_json::to_writer(&mut self.file, &Value::Object(object))?;
        self.file.write_all(b"\n")
    }
}

fn persist(file: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    place(file.into_inner().map_err(io::IntoInnerError::into_error)?, path)
}

fn place(aside: NamedTempFile, path: &Path) -> io::Result<()> {
    aside.as_file().sync_all()?;
    aside.persist(path)?;
    Ok(())
}
