//! The rejects file: rows that became no call, as they were read and with the reason, so that a person can mend them and
//! import the file itself.
//!
//! Rows of different headings cannot share a file, so each gets its own: `rejects.csv`, `rejects-2.csv`, … Everything is
//! written aside, readable by its owner only, and renamed at the end; a run that is killed leaves no half file, and a run
//! without a rejected row writes none. No file that is read in the same run is ever replaced.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use crate::{
    call::{Cells, Headings},
    import::{RejectedContent, RejectedRow},
    source::SourceSettings,
};

use super::rejects_part::{CsvPart, JsonPart, Part};

/// A rejects file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the rejected rows cannot be written to `{}`", .path.display())]
pub struct RejectsError {
    /// Where it should have gone.
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Gathers rejected rows; memory stays flat however many there are.
#[derive(Debug)]
pub struct RejectsFile {
    path: PathBuf,
    read: BTreeSet<PathBuf>,
    source: SourceSettings,
    parts: Vec<Part>,
    rows: u64,
}

impl RejectsFile {
    /// Rejected rows will go to `path`, or to its siblings. `read` are the files that this run reads. What a person said
    /// in `source` of the encoding, the delimiter and lines before the headings is followed, so that the same settings read the
    /// file again.
    pub fn new(path: PathBuf, read: &[PathBuf], source: &SourceSettings) -> Self {
        let read = read.iter().map(|path| real(path)).collect();
        Self { path, read, source: source.clone(), parts: Vec::new(), rows: 0 }
    }

    /// Takes a row.
    pub fn add(&mut self, row: &RejectedRow) -> Result<(), RejectsError> {
        self.rows += 1;
        let headings = match &row.content {
            RejectedContent::Cells(Cells::Csv { headings, .. }) => Some(headings.as_ref()),
            RejectedContent::Raw { headings, .. } => headings.as_deref(),
            RejectedContent::Cells(Cells::Json(_)) => None,
        };
        self.part(headings).and_then(|part| part.add(row)).map_err(|source| self.error(source))
    }

    /// How many rows came so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Files of an earlier run that stand where this run, which rejects no row, puts none. They are left: a person may have
    /// mended them.
    pub fn left_from_before(&self) -> Vec<PathBuf> {
        if self.rows > 0 {
            return Vec::new();
        }
        let mut paths = vec![with_form(&self.path, false), with_form(&self.path, true)];
        paths.dedup();
        paths.retain(|path| path.is_file() && !self.read.contains(&real(path)));
        paths
    }

    /// Puts the files in place and returns their paths; none where nothing was rejected.
    pub fn finish(mut self) -> Result<Vec<PathBuf>, RejectsError> {
        let mut paths = Vec::new();
        for part in std::mem::take(&mut self.parts) {
            let path = self.free_path(part.is_json());
            self.read.insert(real(&path));
            let written = folder(&path).and_then(|folder| replace(&path, |path| part.finish(&folder, path)));
            written.map_err(|source| RejectsError { path: path.clone(), source })?;
            paths.push(path);
        }
        Ok(paths)
    }

    fn part(&mut self, headings: Option<&Headings>) -> io::Result<&mut Part> {
        if let Some(index) = self.parts.iter().position(|part| part.takes(headings)) {
            return Ok(&mut self.parts[index]);
        }
        let folder = folder(&self.path)?;
        let part = match headings {
            Some(headings) => Part::Csv(Box::new(CsvPart::new(&folder, headings, &self.source)?)),
            None => Part::Json(JsonPart::new(&folder, &self.source)?),
        };
        self.parts.push(part);
        let last = self.parts.len() - 1;
        Ok(&mut self.parts[last])
    }

    /// The first path that is neither read nor written in this run.
    fn free_path(&self, json: bool) -> PathBuf {
        let path = with_form(&self.path, json);
        let mut free = path.clone();
        let mut number = 1;
        while self.read.contains(&real(&free)) {
            number += 1;
            free = numbered(&path, number);
        }
        free
    }

    fn error(&self, source: io::Error) -> RejectsError {
        RejectsError { path: self.path.clone(), source }
    }
}

/// Writes `path` anew. What was there and says otherwise is kept beside it, because a person may have mended it.
fn replace(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut kept = path.as_os_str().to_owned();
    kept.push(".bak");
    let kept = PathBuf::from(kept);
    let was_there = path.exists();
    if was_there {
        fs::rename(path, &kept)?;
    }
    if let Err(error) = write(path) {
        if was_there {
            fs::rename(&kept, path)?;
        }
        return Err(error);
    }
    if was_there && same(path, &kept)? {
        fs::remove_file(&kept)?;
    }
    Ok(())
}

fn same(one: &Path, other: &Path) -> io::Result<bool> {
    if fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::new(fs::File::open(one)?), BufReader::new(fs::File::open(other)?));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let length = left.len().min(right.len());
        if left[..length] != right[..length] {
            return Ok(false);
        }
        if length == 0 {
            return Ok(left.len() == right.len());
        }
        one.consume(length);
        other.consume(length);
    }
}

/// `path` with the ending of its form, unless a person chose an ending of their own.
fn with_form(path: &Path, json: bool) -> PathBuf {
    let ending = path.extension().and_then(|ending| ending.to_str());
    match (ending, json) {
        (Some("csv"), true) => path.with_extension("jsonl"),
        (Some("jsonl"), false) => path.with_extension("csv"),
        _ => path.to_owned(),
    }
}

/// `rejects-2.csv` for `rejects.csv`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

fn folder(path: &Path) -> io::Result<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::canonicalize(folder)
}

/// One name for one file, whether it is there yet or not.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    match (folder(path), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::call::{Fault, FaultKind, Position, Rejection};

    fn row(line: u64, content: RejectedContent) -> RejectedRow {
        let fault = Fault::of_value(FaultKind::Time, "start", "x", "no time");
        RejectedRow {
            position: Position::new("in.csv", line),
            content,
            rejection: Rejection::one(fault),
            known: false,
        }
    }

    fn headings(names: &[&str]) -> Arc<Headings> {
        Arc::new(Headings::new(names.iter().map(ToString::to_string).collect()))
    }

    fn cells(names: &[&str], cells: &[&str]) -> RejectedContent {
        let ends = cells.iter().scan(0, |end, cell| {
            *end += u32::try_from(cell.len()).unwrap();
            Some(*end)
        });
        let ends = ends.collect();
        RejectedContent::Cells(Cells::Csv { headings: headings(names), text: cells.concat(), ends })
    }

    fn raw(names: Option<&[&str]>, text: &str) -> RejectedContent {
        RejectedContent::Raw { headings: names.map(headings), text: text.to_owned() }
    }

    fn json(text: &str) -> RejectedContent {
        let serde_json::Value::Object(object) = serde_json::from_str(text).unwrap() else {
            panic!("the text is an object")
        };
        RejectedContent::Cells(Cells::Json(object))
    }

    /// Writes `rows` to `rejects.csv` in a new folder in which the files `read` are read.
    fn written(rows: &[RejectedRow], read: &[&str], source: &SourceSettings) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let read: Vec<PathBuf> = read.iter().map(|name| folder.path().join(name)).collect();
        let mut file = RejectsFile::new(folder.path().join("rejects.csv"), &read, source);
        for row in rows {
            file.add(row).unwrap();
        }
        let paths = file.finish().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), paths.len(), "nothing else is left behind");
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
    }

    #[test]
    fn a_row_stands_as_it_was_read_with_three_columns_more() {
        let content = cells(&["id", "callport_reason", "no,tes"], &["7", "old", "a\n\"b\", c"]);
        let files = written(&[row(9, content)], &[], &SourceSettings::default());
        let text = "id,\"no,tes\",callport_file,callport_line,callport_reason\n\
                    7,\"a\n\"\"b\"\", c\",in.csv,9,start `x`: no time\n";
        assert_eq!(files, [("rejects.csv".to_owned(), text.to_owned())]);
    }

    #[test]
    fn a_row_that_does_not_fit_stands_in_a_column_of_its_own_at_its_place() {
        let names: &[&str] = &["id", "notes"];
        let rows = [
            row(2, cells(names, &["1", "a"])),
            row(3, raw(Some(names), "2,b,c")),
            row(4, cells(names, &["3", "d"])),
        ];
        let files = written(&rows, &[], &SourceSettings::default());
        assert_eq!(
            files[0].1,
            "id,notes,callport_file,callport_line,callport_reason,callport_raw\n\
             1,a,in.csv,2,start `x`: no time,\n\
             ,,in.csv,3,start `x`: no time,\"2,b,c\"\n\
             3,d,in.csv,4,start `x`: no time,\n"
        );
    }

    #[test]
    fn the_file_is_read_again_by_the_same_settings() {
        let source = SourceSettings { delimiter: Some(b';'), skip_lines: 2, ..SourceSettings::default() };
        let files = written(&[row(4, cells(&["id", "n;o"], &["1", "a,b"]))], &[], &source);
        assert_eq!(
            files[0].1,
            "\n\nid;\"n;o\";callport_file;callport_line;callport_reason\n1;a,b;in.csv;4;start `x`: no time\n"
        );
    }

    #[test]
    fn it_is_utf8_whatever_the_encoding_of_the_input() {
        use crate::source::{Encoding, Reader, Record};
        let encoding = Encoding::named("windows-1252").ok();
        let source = SourceSettings { encoding, skip_lines: 1, header: false, ..SourceSettings::default() };
        let rows =
            [row(1, cells(&["column 1", "column 2"], &["J\u{fc}", ""])), row(2, json("{\"a\":\"\u{fc}\"}"))];
        let files = written(&rows, &[], &source);
        assert!(files[0].1.starts_with("\u{feff}\ncolumn 1,column 2,callport_file"));
        for (file, settings) in [(0, source.clone()), (1, SourceSettings { skip_lines: 0, ..source })] {
            let bytes = io::Cursor::new(files[file].1.clone());
            let mut again = Reader::from_read(&files[file].0, bytes, &settings).unwrap();
            let Some(Ok(Record::Row(row))) = again.next() else { panic!("a row") };
            assert!(row.cells.pairs()[0].1.ends_with('\u{fc}'), "{row:?}");
        }
    }

    #[test]
    fn json_rows_keep_their_keys_and_broken_ones_their_text() {
        let rows = [
            row(1, json(r#"{"id":12345678901234567890,"callport_line":3,"tags":["a"]}"#)),
            row(2, raw(None, "{broken")),
        ];
        let files = written(&rows, &[], &SourceSettings::default());
        let text = "{\"id\":12345678901234567890,\"tags\":[\"a\"],\"callport_file\":\"in.csv\",\"callport_line\":1,\
                    \"callport_reason\":\"start `x`: no time\"}\n\
                    {\"callport_raw\":\"{broken\",\"callport_file\":\"in.csv\",\"callport_line\":2,\
                    \"callport_reason\":\"start `x`: no time\"}\n";
        assert_eq!(files, [("rejects.jsonl".to_owned(), text.to_owned())]);
    }

    #[test]
    fn other_headings_go_to_another_file_and_none_that_is_read_is_replaced() {
        let rows = [
            row(2, cells(&["a"], &["1"])),
            row(2, cells(&["b"], &["1"])),
            row(3, cells(&["a"], &["2"])),
            row(1, json("{}")),
        ];
        let names = |read: &[&str]| {
            let files = written(&rows, read, &SourceSettings::default());
            files.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["rejects.csv", "rejects-2.csv", "rejects.jsonl"]);
        assert_eq!(
            names(&["rejects.csv", "./rejects.jsonl"]),
            ["rejects-2.csv", "rejects-3.csv", "rejects-2.jsonl"]
        );
    }

    #[test]
    fn without_a_rejected_row_there_is_no_file() {
        assert_eq!(written(&[], &[], &SourceSettings::default()), []);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mut file = RejectsFile::new(folder.path().join("r"), &[], &SourceSettings::default());
        file.add(&row(1, json("{}"))).unwrap();
        file.add(&row(1, cells(&["a"], &["1"]))).unwrap();
        for path in file.finish().unwrap() {
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600,
                "{}",
                path.display()
            );
        }
    }

    #[test]
    fn a_file_that_a_person_mended_is_kept_and_one_that_says_the_same_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.csv");
        let write = || {
            let mut rejects = RejectsFile::new(path.clone(), &[], &SourceSettings::default());
            rejects.add(&row(2, cells(&["a"], &["1"]))).unwrap();
            rejects.finish().unwrap();
            fs::read_to_string(&path).unwrap()
        };
        let kept = folder.path().join("rejects.csv.bak");
        let written = write();
        assert_eq!((write(), kept.exists()), (written.clone(), false));
        let mended = written.replace("no time", "mended!");
        #[expect(clippy::disallowed_methods, reason = "a person's editor")]
        fs::write(&path, &mended).unwrap();
        assert_eq!(write(), written);
        assert_eq!(fs::read_to_string(&kept).unwrap(), mended);
        let left = |read: &[PathBuf]| {
            RejectsFile::new(path.clone(), read, &SourceSettings::default()).left_from_before()
        };
        assert_eq!(left(&[]), std::slice::from_ref(&path));
        assert!(left(std::slice::from_ref(&path)).is_empty(), "it is what is read");
    }
}
