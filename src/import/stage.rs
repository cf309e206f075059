//! From files to staged calls.
//!
//! Three threads, each with one thing to do and a short line between them: one reads and parses, one interprets, one
//! writes. Memory stays flat: a few batches of rows are under way, however long the files.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use tokio_util::sync::CancellationToken;

use super::{
    EventSink, ImportError, ImportEvent, RejectedContent, RejectedRow, WarningCount,
    late::{self, Told},
    raw_row,
};
use crate::{
    call::{Call, Cells, Headings, Moment, Rejection, Row, stable_digest, text_fingerprint},
    checkpoint::{Checkpoint, Lineage, RowKind, StagedCall, StagedFigures, StagedRecord, Stager},
    helpscout::{CustomerRef, thread_size},
    mapping::{BoundMapping, Mapping, Outcome},
    source::{Input, Reader, Record, SourceError, SourceSettings},
};

/// Rows in a batch.
const BATCH: usize = 256;
/// Batches between two threads.
const LINE: usize = 8;
/// Rows between two words on how far the reading is.
const WORD: u64 = 16_384;
/// What is said of calls that an earlier run staged and that `source.exclude` drops.
const DROPPED: &str =
    "calls that waited from an earlier run are dropped: `source.exclude` names their people";
/// What is said of rows that are left out because of `callport forget`.
const BARRED: &str = "rows of people who are barred (`callport forget --number`, `--email`) are left out";
/// What is said of numbers that several people have.
const SHARED: &str = "a number that several customers are known by stays a customer of its own where a row gives nothing else: a \
  line in `customer.directory` says whose it is";
/// Reasons of warnings that are told apart.
const MOST_WARNINGS: usize = 1_000;
/// What stands for all others.
const MORE_WARNINGS: &str = "further warnings, of other reasons";
/// What a reference adds to a text, besides the source's name and the id.
const REFERENCE: usize = 24;

/// What is read and how.
#[derive(Debug)]
pub struct Reading {
    /// The files.
    pub inputs: Vec<Input>,
    /// How they are read.
    pub source: SourceSettings,
    /// How rows become calls.
    pub mapping: Mapping,
    /// `--limit`.
    pub limit: Option<u64>,
    /// `--strict`: with a rejected row nothing is staged.
    pub strict: bool,
    /// Whether a sample is asked for that is spread over lines, results and years.
    pub sampled: bool,
    /// No call can have begun after this.
    pub now: Moment,
    /// How rows are read, to be kept with what is staged.
    pub lineage: Lineage,
    /// What was left out of files beside the export, to be told with what is found in the rows.
    pub noted: Vec<WarningCount>,
}

/// What staging found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Staged {
    /// Data rows, without those left out.
    pub rows: u64,
    /// Rows that `[source] skip` leaves out.
    pub skipped: u64,
    /// Rows rejected so far.
    pub rejected: u64,
    /// How many of them an earlier run rejected alike.
    pub rejected_before: u64,
    /// What the checkpoint found.
    pub figures: StagedFigures,
    /// Every reason once.
    pub warnings: Vec<WarningCount>,
    /// Whether `--strict` forbids to go on: nothing was staged.
    pub forbidden: bool,
}

/// From the reader to the interpreter.
enum Read {
    File { name: Arc<str>, headings: Option<Arc<Headings>>, is_stream: bool },
    Records { records: Vec<Record>, bytes: u64 },
    Trouble(SourceError),
}

/// From the interpreter to the writer.
enum Judged {
    File(Arc<str>),
    Rows { rows: Vec<JudgedRow>, bytes: u64 },
    Trouble(ImportError),
}

struct JudgedRow {
    line: u64,
    warnings: Vec<String>,
    /// Where a sample is asked for.
    kind: Option<RowKind>,
    what: What,
}

enum What {
    Call(Box<StagedCall>),
    /// With whom its row may name, where it is rejected whatever others say of its call.
    Record(Box<StagedRecord>, Vec<String>),
    Skipped,
    LeftOut,
    /// With whom the row may name, where anybody is barred.
    Rejected {
        content: RejectedContent,
        rejection: Rejection,
        contacts: Vec<String>,
    },
}

/// Reads everything and stages it in `checkpoint`, within the run `run`.
pub fn stage(
    checkpoint: &mut Checkpoint,
    run: i64,
    reading: &Reading,
    events: &dyn EventSink,
    stop: &CancellationToken,
) -> Result<Staged, ImportError> {
    let mut stager = checkpoint.stage(run)?;
    if reading.mapping.has_own_text() {
        stager.by_own_template();
    }
    if reading.mapping.rejects_unknown() {
        stager.reject_unknown_callers();
    }
    if reading.sampled {
        stager.note_kinds()?;
    }
    let hints = Hints {
        bars: stager.bars_anybody(),
        settled: Arc::new(stager.settled_numbers(reading.mapping.shared_numbers())?),
    };
    let mut writer = Writer::new(stager, reading, events);
    let outcome = thread::scope(|scope| {
        let (read_to, read_from) = sync_channel(LINE);
        let (judged_to, judged_from) = sync_channel(LINE);
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let begun = named("read")
            .spawn_scoped(scope, move || read(&reading.inputs, &reading.source, &read_to))
            .and_then(|_| {
                named("judge").spawn_scoped(scope, move || judge(reading, &hints, &read_from, &judged_to))
            });
        match begun {
            Ok(_) => writer.take_all(&judged_from, stop),
            Err(error) => Err(ImportError::Unexpected(format!("a thread could not be started: {error}"))),
        }
    });
    match outcome {
        Ok(()) => writer.conclude(),
        Err(error) => {
            // What cannot be discarded now is when the checkpoint is opened again; why it is discarded is to be told.
            if let Err(failure) = writer.stager.discard() {
                tracing::debug!(%failure, "what was loaded could not be discarded");
            }
            Err(error)
        }
    }
}

/// The first thread. It ends early when nobody listens any more.
fn read(inputs: &[Input], settings: &SourceSettings, to: &SyncSender<Read>) {
    for input in inputs {
        if let Err(trouble) = read_file(input, settings, to) {
            drop(to.send(Read::Trouble(trouble)));
            return;
        }
    }
}

fn read_file(input: &Input, settings: &SourceSettings, to: &SyncSender<Read>) -> Result<(), SourceError> {
    let mut reader = Reader::open(input, settings)?;
    let is_stream = input.bytes().is_none();
    let begin = Read::File { name: Arc::clone(input.name()), headings: reader.headings(), is_stream };
    if to.send(begin).is_err() {
        return Ok(());
    }
    loop {
        let mut records = Vec::with_capacity(BATCH);
        for record in reader.by_ref().take(BATCH) {
            records.push(record?);
        }
        let is_last = records.len() < BATCH;
        if to.send(Read::Records { records, bytes: reader.bytes_read() }).is_err() || is_last {
            return Ok(());
        }
    }
}

/// What the checkpoint tells whoever interprets rows.
struct Hints {
    /// Whether anybody is barred.
    bars: bool,
    /// Numbers of several customers that earlier runs have settled.
    settled: Arc<HashSet<String>>,
}

/// The second thread.
fn judge(reading: &Reading, hints: &Hints, from: &Receiver<Read>, to: &SyncSender<Judged>) {
    let mut bound: Option<BoundFile> = None;
    for piece in from {
        let judged = match piece {
            Read::Trouble(trouble) => Judged::Trouble(Arc::new(trouble).into()),
            Read::File { name, headings, is_stream } => {
                match bind(&reading.mapping, &name, headings.as_ref()) {
                    Ok(mapping) => {
                        let mapping = mapping.with_settled(Arc::clone(&hints.settled));
                        let (has_lines, bars) = (headings.is_some(), hints.bars);
                        bound = Some(BoundFile { mapping, is_stream, has_lines, bars, last_line: None });
                        Judged::File(name)
                    }
                    Err(error) => Judged::Trouble(error),
                }
            }
            Read::Records { records, bytes } => {
                let Some(file) = &mut bound else { return };
                Judged::Rows { rows: file.judge(records, reading), bytes }
            }
        };
        if to.send(judged).is_err() {
            return;
        }
    }
}

fn bind(
    mapping: &Mapping,
    file: &str,
    headings: Option<&Arc<Headings>>,
) -> Result<BoundMapping, ImportError> {
    match headings {
        Some(headings) => {
            mapping.bind(headings).map_err(|faults| ImportError::Mapping { file: file.to_owned(), faults })
        }
        None => Ok(mapping.bind_json()),
    }
}

/// A file with the mapping that is bound to it.
struct BoundFile {
    mapping: BoundMapping,
    is_stream: bool,
    /// Whether each record has a line of its own: so it is in CSV.
    has_lines: bool,
    /// Whether anybody is barred, so that it must be known whom rejected rows name.
    bars: bool,
    /// On which the record before began.
    last_line: Option<u64>,
}

impl BoundFile {
    fn judge(&mut self, records: Vec<Record>, reading: &Reading) -> Vec<JudgedRow> {
        let mut records = records.into_iter().peekable();
        let mut judged = Vec::with_capacity(BATCH);
        while let Some(record) = records.next() {
            let line = record.line();
            // Of the last one it is not known what follows.
            let shares_line =
                self.last_line == Some(line) || records.peek().is_none_or(|next| next.line() == line);
            self.last_line = Some(line);
            let keeps_row = self.is_stream || (!self.has_lines && shares_line);
            judged.push(self.judge_one(record, reading, keeps_row));
        }
        judged
    }

    /// `keeps_row` where the row could not be found again, should it be rejected later.
    fn judge_one(&self, record: Record, reading: &Reading, keeps_row: bool) -> JudgedRow {
        let row = match record {
            Record::Row(row) => row,
            Record::Broken(broken) => {
                return JudgedRow {
                    line: broken.position.line,
                    warnings: Vec::new(),
                    kind: None,
                    what: What::Rejected {
                        content: RejectedContent::Raw { headings: broken.headings, text: broken.raw },
                        rejection: Rejection::one(broken.fault),
                        contacts: Vec::new(),
                    },
                };
            }
        };
        let interpretation = self.mapping.interpret(&row, reading.now);
        let Row { position, cells } = row;
        let kind = reading.sampled.then(|| kind_of(&self.mapping, &cells));
        let contacts = || if self.bars { self.mapping.contacts(&cells) } else { Vec::new() };
        let what = match interpretation.outcome {
            Outcome::Call(call) => {
                let size = size_of(&call, reading.mapping.source_name());
                let raw = keeps_row.then(|| raw_row::write(&cells));
                What::Call(Box::new(StagedCall::new(*call, size, raw)))
            }
            Outcome::Record(record) => {
                let size =
                    record.call.as_ref().map_or(0, |call| size_of(call, reading.mapping.source_name()));
                let raw = keeps_row.then(|| raw_row::write(&cells));
                let named = if record.is_wrong { contacts() } else { Vec::new() };
                What::Record(Box::new(StagedRecord::new(*record, size, raw)), named)
            }
            Outcome::Skipped => What::Skipped,
            Outcome::LeftOut => What::LeftOut,
            Outcome::Rejected(rejection) => {
                let contacts = contacts();
                What::Rejected { content: RejectedContent::Cells(cells), rejection, contacts }
            }
        };
        let warnings = interpretation.warnings.into_iter().map(|warning| warning.reason).collect();
        JudgedRow { line: position.line, warnings, kind, what }
    }
}

fn kind_of(mapping: &BoundMapping, cells: &Cells) -> RowKind {
    let [own_line, result] =
        mapping.line_and_status(cells).map(|value| value.map_or(0, |value| text_fingerprint(&value)));
    RowKind { own_line, result }
}

/// The third thread's: writes, counts and tells.
struct Writer<'a> {
    stager: Stager<'a>,
    reading: &'a Reading,
    events: &'a dyn EventSink,
    staged: Staged,
    warnings: BTreeMap<String, WarningCount>,
    file: (Arc<str>, i64),
    /// Where the first row of somebody who is barred stands.
    first_barred: Option<(Arc<str>, u64)>,
    /// Rows that are no calls and name such a person.
    barred_unread: u64,
    bytes_before: u64,
    bytes: u64,
    total_bytes: Option<u64>,
    said: u64,
}

impl<'a> Writer<'a> {
    fn new(stager: Stager<'a>, reading: &'a Reading, events: &'a dyn EventSink) -> Self {
        let total_bytes = reading.inputs.iter().map(Input::bytes).sum();
        Self {
            stager,
            reading,
            events,
            staged: Staged::default(),
            warnings: reading.noted.iter().map(|told| (told.reason.clone(), told.clone())).collect(),
            file: (Arc::from(""), 0),
            first_barred: None,
            barred_unread: 0,
            bytes_before: 0,
            bytes: 0,
            total_bytes,
            said: 0,
        }
    }

    fn take_all(&mut self, from: &Receiver<Judged>, stop: &CancellationToken) -> Result<(), ImportError> {
        for piece in from {
            if stop.is_cancelled() {
                return Err(ImportError::Stopped);
            }
            match piece {
                Judged::Trouble(error) => return Err(error),
                Judged::File(name) => {
                    let number = self.stager.file(&name)?;
                    self.file = (name, number);
                    self.bytes_before += self.bytes;
                    self.bytes = 0;
                }
                Judged::Rows { rows, bytes } => {
                    self.bytes = bytes;
                    for row in rows {
                        self.take(row)?;
                    }
                    self.say();
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, row: JudgedRow) -> Result<(), ImportError> {
        for reason in row.warnings {
            self.warn(reason, row.line);
        }
        match row.what {
            What::LeftOut => return Ok(()),
            What::Skipped => self.staged.skipped += 1,
            What::Call(call) => {
                let fingerprint = call.fingerprint();
                let is_taken = self.stager.add(*call, self.file.1, row.line)?;
                self.note_barred(is_taken, row.line);
                self.note_kind(row.line, Some(fingerprint), row.kind)?;
            }
            What::Record(mut record, contacts) => {
                if self.names_barred(&contacts) {
                    record.bar();
                }
                let is_taken = self.stager.add_record(&record, self.file.1, row.line)?;
                self.note_barred(is_taken, row.line);
                self.note_kind(row.line, None, row.kind)?;
            }
            What::Rejected { contacts, .. } if self.names_barred(&contacts) => {
                self.barred_unread += 1;
                self.note_barred(false, row.line);
            }
            What::Rejected { content, rejection, .. } => {
                let position = crate::call::Position::new(Arc::clone(&self.file.0), row.line);
                let known = self.stager.reject(fingerprint(&content, &rejection.codes()))?;
                self.count_rejected(known);
                let row = RejectedRow { position, content, rejection, known };
                self.events.emit(ImportEvent::Rejected(Box::new(row)));
            }
        }
        self.staged.rows += 1;
        Ok(())
    }

    fn note_barred(&mut self, is_taken: bool, line: u64) {
        if !is_taken {
            self.first_barred.get_or_insert_with(|| (Arc::clone(&self.file.0), line));
        }
    }

    fn note_kind(
        &mut self,
        line: u64,
        fingerprint: Option<i64>,
        kind: Option<RowKind>,
    ) -> Result<(), ImportError> {
        match kind {
            Some(kind) => Ok(self.stager.note_kind(self.file.1, line, fingerprint, kind)?),
            None => Ok(()),
        }
    }

    /// Whether a row that is no call names somebody who is barred by these: it is not written to the rejected rows either.
    fn names_barred(&self, contacts: &[String]) -> bool {
        let numbers = self.reading.mapping.number_form();
        contacts.iter().any(|value| {
            self.stager.bars_email(value)
                || numbers.read(value).is_some_and(|number| self.stager.bars_number(&number))
        })
    }

    /// The rows of people who are barred are skipped, and said to be so in one line.
    fn tell_barred(&mut self, count: u64) {
        self.staged.skipped += count;
        let Some((file, line)) = self.first_barred.take() else { return };
        let reason = BARRED.to_owned();
        let told = WarningCount { reason, count, file: file.to_string(), line };
        self.warnings.insert(BARRED.to_owned(), told);
    }

    /// Numbers that several people have are told in one line, counted in customers.
    fn tell_shared_numbers(&mut self) -> Result<(), ImportError> {
        if let Some(shared) = self.stager.shared_numbers()? {
            let reason = SHARED.to_owned();
            let told = WarningCount { reason, count: shared.customers, file: shared.file, line: shared.line };
            self.warnings.insert(SHARED.to_owned(), told);
        }
        Ok(())
    }

    /// Whoever is left out now may have calls that wait.
    fn drop_excluded(&mut self) -> Result<(), ImportError> {
        let excluded = Arc::clone(self.reading.mapping.excluded());
        if excluded.is_empty() {
            return Ok(());
        }
        let count = self.stager.drop_people(|id, email, number| excluded.holds(id, email, number))?;
        if count > 0 {
            let told = WarningCount { reason: DROPPED.to_owned(), count, file: String::new(), line: 0 };
            self.warnings.insert(DROPPED.to_owned(), told);
        }
        Ok(())
    }

    fn count_rejected(&mut self, known: bool) {
        self.staged.rejected += 1;
        self.staged.rejected_before += u64::from(known);
    }

    fn warn(&mut self, mut reason: String, line: u64) {
        // A reason may name an agent: memory stays flat whatever a column holds.
        if self.warnings.len() >= MOST_WARNINGS && !self.warnings.contains_key(&reason) {
            MORE_WARNINGS.clone_into(&mut reason);
        }
        let file = &self.file.0;
        self.warnings.entry(reason).and_modify(|known| known.count += 1).or_insert_with_key(|reason| {
            WarningCount { reason: reason.clone(), count: 1, file: file.to_string(), line }
        });
    }

    fn say(&mut self) {
        if self.staged.rows >= self.said + WORD {
            self.said = self.staged.rows;
            self.events.emit(ImportEvent::Reading {
                rows: self.staged.rows,
                bytes: self.bytes_before + self.bytes,
                total_bytes: self.total_bytes,
            });
        }
    }

    fn conclude(mut self) -> Result<Staged, ImportError> {
        tracing::debug!(rows = self.staged.rows, "all rows are loaded");
        let figures = self.stager.sort(self.reading.limit)?;
        tracing::debug!("the new calls are sorted");
        self.drop_excluded()?;
        self.staged.figures = figures;
        self.staged.rows -= figures.left_out;
        self.tell_barred(figures.barred + self.barred_unread);
        self.tell_shared_numbers()?;
        self.staged.warnings = std::mem::take(&mut self.warnings).into_values().collect();
        if figures.conflicts + figures.astray + figures.unknown_callers > 0 {
            let told: Told = late::tell(&mut self.stager, &self.reading.source, self.events)?;
            self.staged.rejected += told.rejected;
            self.staged.rejected_before += told.known;
        }
        self.staged.forbidden = self.reading.strict && self.staged.rejected > 0;
        if self.staged.forbidden {
            self.stager.discard()?;
        } else {
            self.stager.keep(Some(&self.reading.lineage))?;
        }
        tracing::debug!("the calls are staged");
        Ok(self.staged)
    }
}

/// What a row is rejected for, whatever its place: its content and the kinds of its faults.
pub(super) fn fingerprint(content: &RejectedContent, codes: &str) -> [u8; 16] {
    let mut parts: Vec<String> = Vec::new();
    match content {
        RejectedContent::Raw { text, .. } => parts.push(text.clone()),
        RejectedContent::Cells(cells) => {
            for (name, value) in cells.pairs().iter().filter(|(name, _)| !name.starts_with("callport_")) {
                parts.push((*name).to_owned());
                parts.push(value.to_string());
            }
        }
    }
    let mut bytes: Vec<&[u8]> = vec![codes.as_bytes()];
    bytes.extend(parts.iter().map(String::as_bytes));
    stable_digest(&bytes)
}

fn size_of(call: &Call, source_name: &str) -> u32 {
    let customer = match (&call.customer.id, &call.customer.email) {
        (Some(id), _) => CustomerRef::Id(*id),
        (None, Some(email)) => {
            CustomerRef::Email { email, fields: &call.customer.fields, phone: call.customer.phone.as_deref() }
        }
        (None, None) => CustomerRef::Id(u64::MAX),
    };
    let reference = REFERENCE + source_name.len() + call.identity.id.as_ref().map_or(0, String::len);
    u32::try_from(thread_size(&call.text, &customer) + reference).unwrap_or(u32::MAX)
}
