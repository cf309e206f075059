//! What people and plans ask of the file, read-only.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::{Checkpoint, CheckpointError, ReadOnlyCheckpoint, RequestKind, found_by, lineage};
use crate::call::{CallKey, FoundBy, Moment};

/// What `status` tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The account that it belongs to; none before a run has asked. A rehearsal's is [`super::REHEARSAL`].
    #[serde(skip)]
    pub account: Option<String>,
    /// Calls by state: staged, sending, imported, rejected, undecided.
    pub calls: std::collections::BTreeMap<String, u64>,
    /// Every run, the last one last.
    pub runs: Vec<RunStatus>,
    /// Every file that calls came from.
    pub files: Vec<FileStatus>,
    /// Conversations that calls went to.
    pub conversations: u64,
    /// Calls whose fate is open.
    pub undecided: Vec<UndecidedCall>,
    /// Customers whose fate is open.
    #[serde(skip)]
    pub undecided_customers: Vec<UndecidedCustomer>,
    /// The size of the file.
    pub checkpoint_bytes: u64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunStatus {
    /// Its name.
    pub run: String,
    /// When it began.
    pub started_at: String,
    /// When it ended in good order.
    pub finished_at: Option<String>,
    /// What its sheet said.
    pub sheet: Option<serde_json::Value>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileStatus {
    /// Its path.
    pub file: String,
    /// Its calls by state.
    pub calls: std::collections::BTreeMap<String, u64>,
}

/// One call whose fate is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UndecidedCall {
    /// The previous platform's id, else the call's key.
    pub call: String,
    /// Where its row stands.
    pub file: String,
    /// The line.
    pub line: u64,
    /// The conversation that it was added to; none where it was to make one.
    pub conversation: Option<u64>,
    /// When it was sent.
    pub sent_at: String,
    /// Why its fate is open.
    pub why: Option<String>,
    /// When the call began.
    #[serde(skip)]
    pub started_at: String,
    /// How many other calls were sent with it in one request.
    #[serde(skip)]
    pub beside: u64,
}

/// A customer's profile of which it is not known whether it was made: calls wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndecidedCustomer {
    /// The first call that waits, by the previous platform's id, else by its key.
    pub call: String,
    /// How many wait.
    pub calls: u64,
    /// When it was asked for.
    pub sent_at: String,
    /// Why its fate is open.
    pub why: Option<String>,
}

/// The rows of a run by what became of their calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SheetCounts {
    /// Landed.
    pub imported: u64,
    /// Refused.
    pub refused: u64,
    /// Sent, fate open.
    pub undecided: u64,
    /// Not sent.
    pub pending: u64,
}

/// A call that waits, as it will read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewedCall {
    /// The previous platform's id.
    pub source_id: Option<String>,
    /// Its key.
    pub key: CallKey,
    /// When it began.
    pub started_at: String,
    /// The file of its row.
    pub file: String,
    /// The line of its row.
    pub line: u64,
    /// Its text, with the slot for the reference.
    pub text: String,
}

/// The customers of the calls that wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlannedCustomers {
    /// Known to Help Scout by id or from an earlier run.
    pub known: u64,
    /// Those who are not.
    pub new: u64,
    /// Those of them who are made by a request of their own.
    pub made_by_request: u64,
    /// By what they were found.
    pub found_by: FoundByCounts,
}

/// By what the customers of the calls that wait were found. A customer counts by the surest way that any row gave; a number
/// that leads to somebody counts beside whom it leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FoundByCounts {
    /// Customers whose id a row gives.
    pub id: u64,
    /// Customers whose e-mail a row gives.
    pub email: u64,
    /// Customers whom the user's directory gives.
    pub directory: u64,
    /// Customers whom the account file gives.
    pub account: u64,
    /// Numbers of rows without an e-mail or an id, by which the checkpoint knew a customer.
    pub checkpoint: u64,
    /// Numbers of such rows with which only one e-mail came.
    pub only_email: u64,
    /// Customers who are a number and no more.
    pub nothing: u64,
}

const STATE: &str = "CASE requests.state WHEN 0 THEN 'sending' WHEN 1 THEN 'imported' WHEN 2 THEN 'undecided'
  WHEN 3 THEN 'rejected' ELSE 'staged' END";

impl ReadOnlyCheckpoint {
    /// Everything that `status` tells.
    pub fn status(&self) -> Result<Status, CheckpointError> {
        let c = &self.connection;
        let account = lineage::get(c, lineage::ACCOUNT)?;
        let mut status = Status { account, checkpoint_bytes: self.size(), ..Status::default() };
        for state in ["staged", "sending", "imported", "rejected", "undecided"] {
            status.calls.insert(state.to_owned(), 0);
        }
        for (path, state, count) in calls_by_file(c)? {
            *status.calls.entry(state.clone()).or_default() += count;
            match status.files.last_mut().filter(|file| file.file == path) {
                Some(file) => drop(file.calls.insert(state, count)),
                None => status.files.push(FileStatus { file: path, calls: [(state, count)].into() }),
            }
        }
        status.conversations = c.query_row("SELECT COUNT(*) FROM conversations", [], |row| row.get(0))?;
        status.runs = runs(c)?;
        status.undecided = undecided(c)?;
        status.undecided_customers = undecided_customers(c)?;
        Ok(status)
    }

    fn size(&self) -> u64 {
        let mut log = self.path().as_os_str().to_owned();
        log.push("-wal");
        [self.path(), std::path::Path::new(&log)]
            .iter()
            .filter_map(|path| path.metadata().ok())
            .map(|metadata| metadata.len())
            .sum()
    }
}

fn calls_by_file(c: &Connection) -> rusqlite::Result<Vec<(String, String, u64)>> {
    c.prepare(&format!(
        "SELECT files.path, {STATE} AS state, COUNT(*) FROM calls JOIN files ON files.id = calls.file
         LEFT JOIN requests ON requests.id = calls.request GROUP BY files.id, state ORDER BY files.id, state"
    ))?
    .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
    .collect()
}

fn runs(c: &Connection) -> rusqlite::Result<Vec<RunStatus>> {
    c.prepare("SELECT name, started_at, finished_at, sheet FROM runs ORDER BY id")?
        .query_map([], |row| {
            let sheet: Option<String> = row.get(3)?;
            Ok(RunStatus {
                run: row.get(0)?,
                started_at: shown(row.get(1)?),
                finished_at: row.get::<_, Option<i64>>(2)?.map(shown),
                sheet: sheet.and_then(|sheet| serde_json::from_str(&sheet).ok()),
            })
        })?
        .collect()
}

fn shown(seconds: i64) -> String {
    Moment::from_epoch_seconds(seconds).map(|moment| moment.to_string()).unwrap_or_default()
}

fn undecided(c: &Connection) -> rusqlite::Result<Vec<UndecidedCall>> {
    c.prepare(
        "SELECT calls.source_id, calls.key, files.path, calls.line,
           COALESCE(conversations.helpscout_id, CASE WHEN requests.kind = 0 THEN requests.resource END), requests.sent_at,
           requests.why, calls.started_at, LENGTH(requests.carried) / 8 - 1
         FROM requests JOIN calls ON calls.request = requests.id JOIN files ON files.id = calls.file
         LEFT JOIN conversations ON conversations.id = requests.conversation
         WHERE carried IS NOT NULL ORDER BY requests.id, calls.id",
    )?
    .query_map([], |row| {
        let id: Option<String> = row.get(0)?;
        Ok(UndecidedCall {
            call: id.unwrap_or(CallKey::from_bytes(row.get(1)?).to_string()),
            file: row.get(2)?,
            line: row.get(3)?,
            conversation: row.get(4)?,
            sent_at: shown(row.get(5)?),
            why: row.get(6)?,
            started_at: shown(row.get(7)?),
            beside: row.get(8)?,
        })
    })?
    .collect()
}

fn undecided_customers(c: &Connection) -> rusqlite::Result<Vec<UndecidedCustomer>> {
    c.prepare(
        "SELECT MIN(calls.id), calls.source_id, calls.key, COUNT(*), requests.sent_at, requests.why
         FROM requests JOIN calls ON calls.customer = requests.customer AND calls.request IS NULL
         WHERE carried IS NOT NULL AND requests.kind = 2 GROUP BY requests.id ORDER BY requests.id",
    )?
    .query_map([], |row| {
        let id: Option<String> = row.get(1)?;
        Ok(UndecidedCustomer {
            call: id.unwrap_or(CallKey::from_bytes(row.get(2)?).to_string()),
            calls: row.get(3)?,
            sent_at: shown(row.get(4)?),
            why: row.get(5)?,
        })
    })?
    .collect()
}

impl PreviewedCall {
    /// Of a row with its columns in the order of its fields.
    pub(super) fn of_row(row: &rusqlite::Row) -> rusqlite::Result<Self> {
        Ok(Self {
            source_id: row.get(0)?,
            key: CallKey::from_bytes(row.get(1)?),
            started_at: shown(row.get(2)?),
            file: row.get(3)?,
            line: row.get(4)?,
            text: row.get(5)?,
        })
    }
}

pub(super) fn open_calls(c: &Connection) -> rusqlite::Result<u64> {
    c.query_row(
        "SELECT (SELECT COUNT(*) FROM calls INDEXED BY calls_waiting WHERE request IS NULL)
           + (SELECT COALESCE(SUM(LENGTH(carried) / 8), 0) FROM requests WHERE carried IS NOT NULL)",
        [],
        |row| row.get(0),
    )
}

impl Checkpoint {
    /// Begins a run.
    pub fn begin_run(&self, name: &str, now: Moment) -> Result<i64, CheckpointError> {
        self.connection.execute(
            "INSERT INTO runs (name, started_at) VALUES (?1, ?2)",
            params![name, now.epoch_seconds()],
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Ends a run with its sheet, in JSON.
    pub fn end_run(&self, run: i64, now: Moment, sheet: &str) -> Result<(), CheckpointError> {
        self.connection.execute(
            "UPDATE runs SET finished_at = ?2, sheet = ?3 WHERE id = ?1",
            params![run, now.epoch_seconds(), sheet],
        )?;
        Ok(())
    }

    /// How many calls wait or are in flight.
    pub fn open_calls(&self) -> Result<u64, CheckpointError> {
        Ok(open_calls(&self.connection)?)
    }

    /// The inboxes of the calls that wait, as the configuration names them.
    pub fn planned_inboxes(&self) -> Result<Vec<String>, CheckpointError> {
        Ok(self
            .connection
            .prepare(
                "SELECT DISTINCT inbox FROM queues WHERE existing IS NULL
                   AND id IN (SELECT queue FROM calls INDEXED BY calls_waiting WHERE request IS NULL)",
            )?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?)
    }

    /// Whether a call that waits, or may wait again, has an agent who is known by an e-mail.
    pub fn has_planned_agents(&self) -> Result<bool, CheckpointError> {
        let is_so = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, bool>(0));
        // The first of these answers at once where no agent was ever named, the others where one waits.
        Ok(is_so("SELECT EXISTS (SELECT 1 FROM agents)")?
            && (is_so(
                "SELECT EXISTS (SELECT 1 FROM requests WHERE carried IS NOT NULL AND queue IS NOT NULL)",
            )? || is_so(
                "SELECT EXISTS (SELECT 1 FROM calls INDEXED BY calls_waiting WHERE request IS NULL AND agent IS NOT NULL)",
            )?))
    }

    /// Every agent who is known by an e-mail, with the number by which calls name the agent.
    pub fn agents(&self) -> Result<Vec<(i64, String)>, CheckpointError> {
        let mut agents = self.connection.prepare("SELECT id, email FROM agents ORDER BY id")?;
        let found = agents.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The kinds of request that are proved to do as the documents say, each with the most calls that one was proved with.
    pub fn proofs(&self) -> Result<Vec<(RequestKind, u32)>, CheckpointError> {
        Ok(super::delivery::proofs(&self.connection)?)
    }

    /// Whether no request was ever made from it.
    pub fn has_sent_nothing(&self) -> Result<bool, CheckpointError> {
        Ok(self.connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM requests)", [], |row| row.get(0))?)
    }

    /// What became of the calls that rows of this run told of: the new ones (behind `before`) and those known before
    /// that were open when their row was read.
    pub fn sheet_counts(&self, before: i64) -> Result<SheetCounts, CheckpointError> {
        let mut counts = SheetCounts::default();
        let queries = [
            format!(
                "SELECT {STATE} AS state, COUNT(*) FROM calls LEFT JOIN requests ON requests.id = calls.request
                 WHERE calls.id > {before} GROUP BY state"
            ),
            format!(
                "SELECT {STATE} AS state, COUNT(*) FROM temp.seen JOIN calls ON calls.id = seen.call
                 LEFT JOIN requests ON requests.id = calls.request WHERE seen.open = 1 GROUP BY state"
            ),
        ];
        for query in queries {
            let mut statement = self.connection.prepare(&query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (state, count): (String, u64) = (row.get(0)?, row.get(1)?);
                *match state.as_str() {
                    "imported" => &mut counts.imported,
                    "rejected" => &mut counts.refused,
                    "staged" => &mut counts.pending,
                    _ => &mut counts.undecided,
                } += count;
            }
        }
        Ok(counts)
    }

    /// Takes note of a rejection; whether an earlier run made it too.
    pub fn note_rejection(&self, fingerprint: [u8; 16], run: i64) -> Result<bool, CheckpointError> {
        Ok(super::rejections::note_rejection(&self.connection, fingerprint, run)?)
    }

    /// Customers of the calls that wait. By what they were found is told behind staging, in the same life of the checkpoint.
    pub fn planned_customers(&self) -> Result<PlannedCustomers, CheckpointError> {
        let mut planned = PlannedCustomers::default();
        // All calls are gone through once.
        let mut statement = self.connection.prepare(
            "SELECT found_by, confirmed, email IS NULL, helpscout_id IS NULL, COUNT(*) FROM customers
             WHERE id IN (SELECT customer FROM calls INDEXED BY calls_waiting WHERE request IS NULL) GROUP BY 1, 2, 3, 4",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (found_by, confirmed): (i64, bool) = (row.get(0)?, row.get(1)?);
            let (has_no_email, has_no_id, count): (bool, bool, u64) = (row.get(2)?, row.get(3)?, row.get(4)?);
            *if confirmed { &mut planned.known } else { &mut planned.new } += count;
            if !confirmed && has_no_email {
                planned.made_by_request += count;
            }
            planned.found_by.add(found_by::read(found_by), has_no_email && has_no_id, count);
        }
        self.add_numbers_led_on(&mut planned.found_by)?;
        Ok(planned)
    }

    /// Numbers count beside whom they led to.
    fn add_numbers_led_on(&self, counts: &mut FoundByCounts) -> rusqlite::Result<()> {
        let c = &self.connection;
        let noted: bool = c.query_row(
            "SELECT EXISTS (SELECT 1 FROM sqlite_temp_schema WHERE name = 'led_on')",
            [],
            |row| row.get(0),
        )?;
        if !noted || !c.query_row("SELECT EXISTS (SELECT 1 FROM temp.led_on)", [], |row| row.get(0))? {
            return Ok(());
        }
        let mut statement = c.prepare(
            "SELECT found_by, COUNT(*) FROM customers WHERE id IN (SELECT number FROM temp.led_on) AND found_by IN (?1, ?2)
               AND same_as IN (SELECT customer FROM calls INDEXED BY calls_waiting WHERE request IS NULL) GROUP BY 1",
        )?;
        let ways = [FoundBy::Checkpoint, FoundBy::OnlyEmail].map(found_by::stored);
        let mut rows = statement.query(ways)?;
        while let Some(row) = rows.next()? {
            counts.add(found_by::read(row.get(0)?), false, row.get(1)?);
        }
        Ok(())
    }
}

impl FoundByCounts {
    fn add(&mut self, found_by: FoundBy, is_number: bool, count: u64) {
        *match found_by {
            FoundBy::Id => &mut self.id,
            FoundBy::Email => &mut self.email,
            FoundBy::Directory => &mut self.directory,
            FoundBy::Account => &mut self.account,
            FoundBy::Checkpoint => &mut self.checkpoint,
            FoundBy::OnlyEmail => &mut self.only_email,
            // A customer of an older checkpoint, or one who was made by the number since.
            FoundBy::Nothing if !is_number => &mut self.checkpoint,
            FoundBy::Nothing => &mut self.nothing,
        } += count;
    }
}
