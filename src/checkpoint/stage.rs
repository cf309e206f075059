//! Loading calls into the checkpoint.
//!
//! A call that is known already (by its key) is looked up and set against what is stored; a new one is appended without an
//! index on its key. [`Stager::sort`] sorts the new ones once (see [`super::merge`]). Until then `meta.staged_to` names
//! the last finished call, and whatever lies behind it is dropped when the file is opened again: a crash while staging
//! leaves no half-known file.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Statement, params};

use super::{
    Checkpoint, CheckpointError, Lineage, StagedCall, barring, claims, late, lineage, merge, numbers,
    open::Keeping,
    placement::{KnownPlacements, Placement},
    records, rejections, schema,
    secret::Secret,
    unknown_callers::UnknownCallers,
    unused,
};
use crate::call::CallKey;

/// Rows between two commits: enough that a commit costs nothing beside them, few enough that the log stays small.
const ROWS_A_COMMIT: u32 = 20_000;

/// A call with the place of its row.
#[derive(Debug)]
pub(super) struct StagedRow {
    pub(super) staged: StagedCall,
    pub(super) file: i64,
    pub(super) line: u64,
}

/// What loading found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StagedFigures {
    /// Rows whose call an earlier run imported.
    pub already_imported: u64,
    /// Rows whose call an earlier row of this run told of.
    pub repeats: u64,
    /// How many of the already imported now differ.
    pub changed: u64,
    /// Rows rejected because an earlier row of this run has their id and other content.
    pub conflicts: u64,
    /// Rows rejected because they are records of a call that no row of this run stands for.
    pub astray: u64,
    /// Rows rejected because nothing but a number tells whose call it is.
    pub unknown_callers: u64,
    /// Rows of people who are barred.
    pub barred: u64,
    /// Rows that `--limit` left out.
    pub left_out: u64,
    /// The calls that this run made begin behind this one.
    pub before: i64,
}

/// From so many calls on, making the index of those that wait anew is quicker than keeping it up; and it is large enough
/// to be kept out of the log.
const MANY: u64 = 50_000;

/// The statements that every new call needs, held so that none is looked for a million times.
#[derive(Debug)]
struct Adding<'a> {
    call: Statement<'a>,
    text: Statement<'a>,
}

impl<'a> Adding<'a> {
    fn to(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            call: connection.prepare(
                "INSERT INTO calls
                   (key, source_id, file, line, started_at, updated_at, queue, customer, size, fingerprint, agent)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?,
            text: connection.prepare("INSERT INTO texts (call, text) VALUES (?1, ?2)")?,
        })
    }
}

/// Loads calls. Dropping it without [`Stager::keep`] leaves what was loaded to be discarded.
#[derive(Debug)]
pub struct Stager<'a> {
    pub(super) connection: &'a Connection,
    adding: Adding<'a>,
    keeping: Keeping,
    pub(super) figures: StagedFigures,
    run: i64,
    /// The last call of earlier runs.
    pub(super) before: i64,
    /// Calls loaded.
    added: u64,
    pub(super) any_known: bool,
    /// The last customer and the last queue of earlier runs.
    pub(super) last_customer: i64,
    pub(super) last_queue: i64,
    /// What becomes of calls that nothing but a number tells of.
    pub(super) unknown_callers: UnknownCallers,
    /// The records that came which may share their call with others.
    pub(super) records: u64,
    /// Whether a call without an id came.
    pub(super) any_nameless: bool,
    /// Whether a user's own template may put a reference amid a line.
    amid: bool,
    uncommitted: u32,
    pub(super) placements: KnownPlacements,
    agents: HashMap<String, i64>,
    /// By which keys are hidden, where something was forgotten.
    pub(super) secret: Option<Secret>,
    /// People whose rows are left out.
    pub(super) barred: HashSet<[u8; 16]>,
}

impl Checkpoint {
    /// Begins to load the calls of the run `run`.
    pub fn stage(&mut self, run: i64) -> Result<Stager<'_>, CheckpointError> {
        let (connection, keeping) = (&self.connection, self.keeping);
        if keeping == Keeping::Durable {
            connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 2000;")?;
        }
        connection.execute_batch(
            "DROP TABLE IF EXISTS temp.seen; DROP TABLE IF EXISTS temp.twins; DROP TABLE IF EXISTS temp.late;
             CREATE TEMP TABLE seen (
               call INTEGER PRIMARY KEY, file INTEGER, line INTEGER, fingerprint INTEGER, started_at INTEGER,
               updated_at INTEGER, open INTEGER, changed INTEGER
             );
             CREATE TEMP TABLE twins (key BLOB, file INTEGER, count INTEGER, PRIMARY KEY (key, file)) WITHOUT ROWID;
             DROP TABLE IF EXISTS temp.dropped; CREATE TEMP TABLE dropped (call INTEGER PRIMARY KEY);
             BEGIN IMMEDIATE;",
        )?;
        connection.execute_batch(late::TABLE)?;
        connection.execute_batch(records::TABLES)?;
        connection.execute_batch(numbers::TABLES)?;
        connection.execute_batch(unused::TABLES)?;
        let secret = Secret::load(connection)?;
        let barred = barring::barred_people(connection)?;
        let before = staged_to(connection)?;
        let any_known =
            connection.query_row("SELECT EXISTS (SELECT 1 FROM call_keys)", [], |row| row.get(0))?;
        let last = |table: &str| -> rusqlite::Result<i64> {
            connection.query_row(&format!("SELECT COALESCE(MAX(id), 0) FROM {table}"), [], |row| row.get(0))
        };
        let (last_customer, last_queue) = (last("customers")?, last("queues")?);
        Ok(Stager {
            connection,
            adding: Adding::to(connection)?,
            keeping,
            figures: StagedFigures { before, ..StagedFigures::default() },
            run,
            before,
            added: 0,
            any_known,
            last_customer,
            last_queue,
            unknown_callers: UnknownCallers::Kept,
            records: 0,
            any_nameless: false,
            amid: false,
            uncommitted: 0,
            placements: KnownPlacements::default(),
            agents: HashMap::new(),
            secret,
            barred,
        })
    }
}

impl Checkpoint {
    /// Takes back what a run has staged behind the call `before`: it was refused before its first request.
    pub fn unstage(&mut self, before: i64) -> Result<(), CheckpointError> {
        let transaction = self.connection.transaction()?;
        transaction.execute("INSERT INTO temp.dropped SELECT id FROM calls WHERE id > ?1", [before])?;
        merge::drop_calls(&transaction)?;
        lineage::put(&transaction, "staged_to", &before.to_string())?;
        Ok(transaction.commit()?)
    }
}

impl Stager<'_> {
    /// Takes note that texts are made by a user's own template, which may put the reference amid a line.
    pub fn by_own_template(&mut self) {
        self.amid = true;
    }

    /// The number by which rows of the file `path` are stored.
    pub fn file(&mut self, path: &str) -> Result<i64, CheckpointError> {
        self.connection.execute("INSERT INTO files (path) VALUES (?1) ON CONFLICT DO NOTHING", [path])?;
        Ok(self.connection.query_row("SELECT id FROM files WHERE path = ?1", [path], |row| row.get(0))?)
    }

    /// Takes note of a rejected row by its fingerprint (content and kinds of fault); whether an earlier run rejected it
    /// alike.
    pub fn reject(&mut self, fingerprint: [u8; 16]) -> Result<bool, CheckpointError> {
        Ok(rejections::note_rejection(self.connection, fingerprint, self.run)?)
    }

    /// Loads a call whose row begins at `line` of `file` (by [`Stager::file`]); `false` where its person is barred, so that
    /// the row is left out.
    pub fn add(&mut self, staged: StagedCall, file: i64, line: u64) -> Result<bool, CheckpointError> {
        if self.bars(&staged.call.customer) {
            self.figures.barred += 1;
            return Ok(false);
        }
        self.add_row(StagedRow { staged, file, line })?;
        Ok(true)
    }

    /// A key as the file holds it.
    pub(super) fn hidden(&self, key: [u8; 16]) -> [u8; 16] {
        self.secret.map_or(key, |secret| secret.key(key))
    }

    /// Loads a call; its number.
    pub(super) fn add_row(&mut self, row: StagedRow) -> Result<i64, CheckpointError> {
        let call = self.place(row)?;
        self.uncommitted += 1;
        if self.uncommitted >= ROWS_A_COMMIT {
            self.connection.execute_batch("COMMIT; BEGIN IMMEDIATE;")?;
            self.uncommitted = 0;
        }
        Ok(call)
    }

    fn place(&mut self, mut row: StagedRow) -> Result<i64, CheckpointError> {
        let identity = &mut row.staged.call.identity;
        self.any_nameless |= identity.id.is_none();
        if let Some(known) = self.known(identity.key)? {
            if identity.id.is_some() {
                self.see(&known, &row)?;
                return Ok(known.call);
            }
            let ordinal = next_twin(self.connection, identity.key, row.file)?;
            identity.key = identity.key.twin(ordinal);
            if let Some(known) = self.known(identity.key)? {
                self.see(&known, &row)?;
                return Ok(known.call);
            }
        }
        self.append(&row)
    }

    fn append(&mut self, row: &StagedRow) -> Result<i64, CheckpointError> {
        let Placement { queue, customer, more } = self.placement(&row.staged)?;
        let call = &row.staged.call;
        let agent = self.agent(call.agent.as_deref())?;
        self.adding.call.execute(params![
            call.identity.key.to_bytes(),
            call.identity.id,
            row.file,
            row.line,
            call.started_at.epoch_seconds(),
            call.updated_at,
            queue,
            customer,
            row.staged.size.saturating_add(more),
            row.staged.fingerprint,
            agent,
        ])?;
        let id = self.connection.last_insert_rowid();
        self.adding.text.execute(params![id, row.staged.call.text])?;
        self.keep_raw(id, &row.staged)?;
        self.added += 1;
        if self.added == MANY {
            self.connection.execute_batch("DROP INDEX IF EXISTS calls_waiting;")?;
        }
        Ok(id)
    }

    /// The number of an agent; one who is new is entered.
    pub(super) fn agent(&mut self, email: Option<&str>) -> rusqlite::Result<Option<i64>> {
        let Some(email) = email else { return Ok(None) };
        if let Some(known) = self.agents.get(email) {
            return Ok(Some(*known));
        }
        self.connection.execute("INSERT INTO agents (email) VALUES (?1) ON CONFLICT DO NOTHING", [email])?;
        let id =
            self.connection.query_row("SELECT id FROM agents WHERE email = ?1", [email], |row| row.get(0))?;
        self.agents.insert(email.to_owned(), id);
        Ok(Some(id))
    }

    fn keep_raw(&self, call: i64, staged: &StagedCall) -> Result<(), CheckpointError> {
        if let Some(raw) = &staged.raw {
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO raw_rows (call, content) VALUES (?1, ?2)")?
                .execute(params![call, raw])?;
        }
        Ok(())
    }

    /// Gives a call that was not sent (or was refused) its present content.
    pub(super) fn replace(&mut self, known: i64, row: &StagedRow) -> Result<(), CheckpointError> {
        let Placement { queue, customer, more } = self.placement(&row.staged)?;
        let call = &row.staged.call;
        let agent = self.agent(call.agent.as_deref())?;
        self.connection
            .prepare_cached(
                "UPDATE calls SET file = ?2, line = ?3, started_at = ?4, updated_at = ?5, queue = ?6, customer = ?7,
                   size = ?8, fingerprint = ?9, agent = ?10, request = NULL WHERE id = ?1",
            )?
            .execute(params![
                known,
                row.file,
                row.line,
                call.started_at.epoch_seconds(),
                call.updated_at,
                queue,
                customer,
                row.staged.size.saturating_add(more),
                row.staged.fingerprint,
                agent,
            ])?;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO texts (call, text) VALUES (?1, ?2)")?
            .execute(params![known, call.text])?;
        self.keep_raw(known, &row.staged)
    }

    /// Takes note that the row at a place (file and line) is rejected in favour of another. `raw` is the row where its input
    /// cannot be read again.
    pub(super) fn conflict(
        &mut self,
        (file, line): (i64, u64),
        (other, other_line): (i64, u64),
        raw: Option<&str>,
    ) -> Result<(), CheckpointError> {
        let path: String =
            self.connection.query_row("SELECT path FROM files WHERE id = ?1", [other], |row| row.get(0))?;
        let reason = format!(
            "its call is told of in other words by {path}:{other_line}: remove one of them, or map `updated_at` so that \
             the newest counts"
        );
        self.figures.conflicts += 1;
        self.connection
            .prepare_cached(
                "INSERT INTO temp.late (file, line, number, kind, reason, raw) VALUES (?1, ?2, ?3, 'conflict', ?4, ?5)",
            )?
            .execute(params![file, line, late::number_of(self.figures.conflicts), reason, raw])?;
        Ok(())
    }

    /// Sorts the new calls, settles repeats among them, and keeps at most `limit` new calls in whole conversations.
    /// Nothing counts before [`Stager::keep`].
    pub fn sort(&mut self, limit: Option<u64>) -> Result<StagedFigures, CheckpointError> {
        // Sorting takes as much memory again as the cache: it is made smaller, so that more rows do not take more memory.
        // Its thread beside has nothing else to do, since all rows are read by now.
        self.connection
            .execute_batch("PRAGMA cache_size = -3000; PRAGMA threads = 1; PRAGMA shrink_memory;")?;
        self.join_records()?;
        if self.any_nameless {
            merge::number_twins(self)?;
        }
        claims::claim(self, self.amid)?;
        merge::merge(self)?;
        self.give_numbers_over()?;
        self.refuse_unknown_callers()?;
        if let Some(limit) = limit {
            merge::keep_whole_conversations(self, limit)?;
        }
        self.remove_unused()?;
        self.enter_aliases()?;
        self.count_changes()?;
        Ok(self.figures)
    }

    /// Makes what was loaded and sorted count, and with it how rows were read.
    pub fn keep(self, lineage: Option<&Lineage>) -> Result<(), CheckpointError> {
        if let Some(lineage) = lineage {
            lineage::keep(self.connection, lineage)?;
        }
        let last: i64 =
            self.connection.query_row("SELECT COALESCE(MAX(id), 0) FROM calls", [], |row| row.get(0))?;
        // Calls of earlier runs may be gone: a number that is given out again counts as a new one.
        lineage::put(self.connection, "staged_to", &last.to_string())?;
        self.connection.execute_batch("COMMIT;")?;
        self.end()
    }

    /// Forgets what was loaded: nothing of this run is staged.
    pub fn discard(self) -> Result<(), CheckpointError> {
        // A disk that is full has ended it already.
        if !self.connection.is_autocommit() {
            // Without a journal nothing is taken back; what is dropped then is enough for a copy that is only counted.
            self.connection.execute_batch(match self.keeping {
                Keeping::Durable => "ROLLBACK;",
                Keeping::Scratch => "COMMIT;",
            })?;
        }
        discard_unfinished(self.connection)?;
        self.end()
    }

    /// Back to how calls are delivered.
    fn end(&self) -> Result<(), CheckpointError> {
        let is_durable = self.keeping == Keeping::Durable;
        // A new index would stand in the log and in the file for a while; a rollback journal holds no new pages. Where
        // somebody is reading, the log stays, and takes the space.
        let without_log = is_durable && self.added >= MANY && self.leave_log()?;
        self.connection.execute_batch(schema::WAITING_INDEX)?;
        if is_durable {
            let back =
                if without_log { "PRAGMA journal_mode = WAL" } else { "PRAGMA wal_checkpoint(TRUNCATE)" };
            let is_back = self.connection.query_row(back, [], |_| Ok(()));
            if !without_log {
                is_back?;
            }
            // Somebody who reads may be in the way of the log: it is taken into use when the file is opened next.
            // The log is opened by who reads next: from then on the file may lose its name.
            self.connection.query_row("SELECT EXISTS (SELECT 1 FROM meta)", [], |_| Ok(()))?;
            self.connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000;")?;
        }
        Ok(self.connection.execute_batch("PRAGMA cache_size = -16000; PRAGMA threads = 0;")?)
    }

    /// Folds the log into the file and does without it; whether that could be.
    fn leave_log(&self) -> Result<bool, CheckpointError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        // Without its name the file can only be written by way of the log; it is written back at the end.
        if !self.connection.path().is_some_and(|path| std::path::Path::new(path).is_file()) {
            return Ok(false);
        }
        // Without the log that is what keeps a file whole when the power fails.
        self.connection.execute_batch("PRAGMA synchronous = FULL;")?;
        let left: rusqlite::Result<String> =
            self.connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0));
        Ok(left.is_ok_and(|mode| mode == "delete"))
    }
}

/// How many rows of `file` have been like this one, itself included.
fn next_twin(connection: &Connection, key: CallKey, file: i64) -> rusqlite::Result<u32> {
    connection
        .prepare_cached(
            "INSERT INTO temp.twins (key, file, count) VALUES (?1, ?2, 1)
             ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
        )?
        .query_row(params![key.to_bytes(), file], |row| row.get(0))
}

pub(super) fn staged_to(connection: &Connection) -> rusqlite::Result<i64> {
    Ok(lineage::get(connection, "staged_to")?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Drops what a run loaded that ended before its loading did.
pub(super) fn discard_unfinished(connection: &Connection) -> rusqlite::Result<()> {
    let last = staged_to(connection)?;
    connection.execute("DELETE FROM raw_rows WHERE call > ?1", [last])?;
    connection.execute("DELETE FROM texts WHERE call > ?1", [last])?;
    connection.execute("DELETE FROM calls WHERE id > ?1", [last])?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::call::{Call, Customer, Destination, Identity, Moment, Reference};
    use proptest::prelude::*;

    pub(crate) fn fresh() -> (tempfile::TempDir, Checkpoint) {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = Checkpoint::open(&folder.path().join("c")).unwrap();
        (folder, checkpoint)
    }

    pub(crate) fn call(id: &str, text: &str) -> Call {
        let identity = Identity { id: Some(id.into()), key: CallKey::from_id("", id) };
        in_group(identity, "jo", text)
    }

    fn in_group(identity: Identity, group: &str, text: &str) -> Call {
        Call {
            identity,
            started_at: Moment::from_epoch_seconds(1_600_000_000).unwrap(),
            updated_at: None,
            customer: Customer { email: Some(format!("{group}@example.com")), ..Customer::default() },
            agent: None,
            destination: Destination::Grouped {
                inbox: String::new(),
                group: group.into(),
                subject: "Calls".into(),
            },
            text: text.into(),
        }
    }

    /// A call without an id: all of these are alike.
    pub(crate) fn nameless(text: &str) -> Call {
        in_group(Identity { id: None, key: nameless_key() }, "jo", text)
    }

    fn nameless_key() -> CallKey {
        let at = Moment::from_epoch_seconds(1_600_000_000).unwrap();
        CallKey::from_content("", at, "inbound", "1", "2", Some(3))
    }

    /// The reference of the `ordinal`-th of the calls that [`nameless`] makes.
    pub(crate) fn twin_reference(ordinal: u32) -> Reference {
        Reference::new("", None, nameless_key().twin(ordinal))
    }

    fn updated(call: Call, at: i64) -> Call {
        Call { updated_at: Some(at), ..call }
    }

    pub(crate) fn load(
        checkpoint: &mut Checkpoint,
        file: &str,
        calls: &[Call],
        limit: Option<u64>,
    ) -> StagedFigures {
        load_all(checkpoint, &[(file, calls)], limit)
    }

    fn load_all(checkpoint: &mut Checkpoint, files: &[(&str, &[Call])], limit: Option<u64>) -> StagedFigures {
        let mut stager = checkpoint.stage(1).unwrap();
        for (path, calls) in files {
            let file = stager.file(path).unwrap();
            for (line, call) in (2..).zip(*calls) {
                stager.add(StagedCall::new(call.clone(), 100, None), file, line).unwrap();
            }
        }
        let figures = stager.sort(limit).unwrap();
        stager.keep(None).unwrap();
        figures
    }

    pub(crate) fn texts(checkpoint: &Checkpoint) -> Vec<String> {
        let mut statement = checkpoint.connection.prepare("SELECT text FROM texts ORDER BY text").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// All calls that are there have landed.
    pub(crate) fn land(checkpoint: &Checkpoint) {
        checkpoint
            .connection
            .execute_batch(
                "INSERT OR IGNORE INTO requests (id, kind, state, run, sent_at) VALUES (9, 0, 1, 1, 0);
                 UPDATE calls SET request = 9;",
            )
            .unwrap();
    }

    #[test]
    fn the_same_file_again_stages_nothing_new() {
        let (_folder, mut checkpoint) = fresh();
        let calls = [call("1", "a"), call("2", "b"), nameless("c"), nameless("c")];
        load(&mut checkpoint, "a.csv", &calls, None);
        assert_eq!(checkpoint.open_calls().unwrap(), 4);
        let again = load(&mut checkpoint, "b.csv", &calls, None);
        assert_eq!(checkpoint.open_calls().unwrap(), 4);
        assert_eq!(
            checkpoint.sheet_counts(again.before).unwrap().pending,
            4,
            "its rows are the calls that wait"
        );
    }

    #[test]
    fn an_id_again_with_the_same_content_is_a_repeat_and_with_another_a_conflict() {
        for known in [false, true] {
            let (_folder, mut checkpoint) = fresh();
            if known {
                load(&mut checkpoint, "a.csv", &[call("1", "a")], None);
            }
            let figures =
                load(&mut checkpoint, "a.csv", &[call("1", "a"), call("1", "a"), call("1", "other")], None);
            assert_eq!((figures.repeats, figures.conflicts), (1, 1), "known before: {known}");
            assert_eq!(texts(&checkpoint), ["a"]);
            let late = checkpoint.late_rows().of_file("a.csv", (0, i64::MIN), 9).unwrap();
            assert_eq!((late.len(), late[0].line), (1, 4));
            assert_eq!(late[0].rejection.codes(), "conflict");
            assert!(late[0].rejection.to_string().contains("a.csv:2"), "{}", late[0].rejection);
        }
    }

    #[test]
    fn the_newest_wins_where_rows_say_when_they_were_updated() {
        for known in [false, true] {
            let (_folder, mut checkpoint) = fresh();
            if known {
                load(&mut checkpoint, "a.csv", &[updated(call("1", "old"), 1)], None);
            }
            let calls =
                [updated(call("1", "old"), 1), updated(call("1", "new"), 3), updated(call("1", "mid"), 2)];
            let figures = load(&mut checkpoint, "a.csv", &calls, None);
            assert_eq!((figures.repeats, figures.conflicts), (2, 0), "known before: {known}");
            assert_eq!(texts(&checkpoint), ["new"]);
        }
    }

    #[test]
    fn the_newest_of_equals_outdoes_what_was_written_between_them() {
        let copies = [updated(call("1", "x"), 1), updated(call("1", "x"), 10), updated(call("1", "y"), 5)];
        for known in 0..=2 {
            let (_folder, mut checkpoint) = fresh();
            load(&mut checkpoint, "a.csv", &copies[..known], None);
            let figures = load(&mut checkpoint, "a.csv", &copies[known.saturating_sub(1)..], None);
            assert_eq!((texts(&checkpoint), figures.conflicts), (vec!["x".to_owned()], 0), "{known}");
            land(&checkpoint);
            for rows in [&copies[2..], &copies[..]] {
                let figures = load(&mut checkpoint, "a.csv", rows, None);
                assert_eq!((figures.already_imported, figures.changed), (1, 0), "{known}");
            }
        }
        // A later run brings the newer copy of a call that landed.
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &copies[..1], None);
        land(&checkpoint);
        load(&mut checkpoint, "a.csv", &copies[1..2], None);
        assert_eq!(load(&mut checkpoint, "a.csv", &copies[2..], None).changed, 0);
    }

    #[test]
    fn rows_of_one_id_that_begin_at_other_times_are_no_repeats() {
        let later =
            || Call { started_at: Moment::from_epoch_seconds(1_600_000_060).unwrap(), ..call("1", "a") };
        for known in [false, true] {
            let (_folder, mut checkpoint) = fresh();
            if known {
                load(&mut checkpoint, "a.csv", &[call("1", "a")], None);
            }
            let figures = load(&mut checkpoint, "a.csv", &[call("1", "a"), later(), later()], None);
            assert_eq!((figures.repeats, figures.conflicts), (0, 2), "known before: {known}");
            land(&checkpoint);
            let figures = load(&mut checkpoint, "a.csv", &[call("1", "a"), later()], None);
            assert_eq!((figures.already_imported, figures.conflicts), (1, 1), "known before: {known}");
        }
    }

    #[test]
    fn calls_without_an_id_that_are_alike_are_counted_and_the_highest_count_of_a_file_stands() {
        let (_folder, mut checkpoint) = fresh();
        let two = [nameless("x"), nameless("x")];
        let three = [nameless("x"), nameless("x"), nameless("x")];
        let figures = load_all(&mut checkpoint, &[("a.csv", &two), ("b.csv", &three)], None);
        assert_eq!((checkpoint.open_calls().unwrap(), figures.repeats), (3, 2));
        let again = load_all(&mut checkpoint, &[("c.csv", &three), ("d.csv", &two)], None);
        assert_eq!((checkpoint.open_calls().unwrap(), again.repeats), (3, 2));
        let four = [nameless("x"), nameless("x"), nameless("x"), nameless("x")];
        load(&mut checkpoint, "e.csv", &four, None);
        assert_eq!(checkpoint.open_calls().unwrap(), 4);
    }

    #[test]
    fn a_call_that_waits_takes_the_content_of_its_newest_row() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("1", "before")], None);
        load(&mut checkpoint, "a.csv", &[call("1", "after")], None);
        assert_eq!(texts(&checkpoint), ["after"]);
    }

    #[test]
    fn a_call_that_landed_stays_as_it_is_and_a_difference_is_counted() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("1", "a"), call("2", "b")], None);
        land(&checkpoint);
        let figures = load(&mut checkpoint, "a.csv", &[call("1", "a"), call("2", "new words")], None);
        assert_eq!((figures.already_imported, figures.changed), (2, 1));
        assert_eq!(texts(&checkpoint), ["a", "b"]);
        checkpoint.compact().unwrap();
        let figures = load(&mut checkpoint, "a.csv", &[call("1", "a"), call("2", "new words")], None);
        assert_eq!((figures.already_imported, figures.changed), (2, 1), "also after the texts are gone");
    }

    #[test]
    fn records_that_a_newer_one_has_superseded_change_nothing() {
        let (_folder, mut checkpoint) = fresh();
        let rows =
            [updated(call("1", "old"), 5), updated(call("1", "new"), 7), updated(call("1", "last"), 7)];
        load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!(texts(&checkpoint), ["last"], "of two records of one moment the last counts");
        load(&mut checkpoint, "a.csv", &rows[..1], None);
        assert_eq!(texts(&checkpoint), ["last"], "an older record that comes later replaces nothing");
        land(&checkpoint);
        for order in [[0, 1, 2], [2, 0, 1], [1, 0, 2]] {
            let again = order.map(|index| rows[index].clone());
            let figures = load(&mut checkpoint, "a.csv", &again, None);
            let changed = u64::from(order[2] == 1);
            assert_eq!(
                (figures.already_imported, figures.repeats, figures.changed),
                (1, 2, changed),
                "{order:?}"
            );
        }
        let figures = load(&mut checkpoint, "a.csv", &[updated(call("1", "newer"), 8)], None);
        assert_eq!(figures.changed, 1);
    }

    #[test]
    fn a_refusal_is_never_sticky() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("1", "a")], None);
        checkpoint
            .connection
            .execute_batch(
                "INSERT INTO requests (id, kind, state, run, sent_at) VALUES (9, 3, 3, 1, 0);
                            UPDATE calls SET request = 9;",
            )
            .unwrap();
        assert_eq!(checkpoint.open_calls().unwrap(), 0);
        load(&mut checkpoint, "a.csv", &[call("1", "a")], None);
        assert_eq!(checkpoint.open_calls().unwrap(), 1);
    }

    #[test]
    fn what_a_run_loaded_that_ended_early_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        let mut checkpoint = Checkpoint::open(&path).unwrap();
        load(&mut checkpoint, "a.csv", &[call("1", "a")], None);
        let mut stager = checkpoint.stage(2).unwrap();
        let file = stager.file("b.csv").unwrap();
        stager.add(StagedCall::new(call("2", "b"), 1, None), file, 2).unwrap();
        stager.connection.execute_batch("COMMIT").unwrap();
        drop(stager);
        drop(checkpoint);
        let mut checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(texts(&checkpoint), ["a"]);
        let stager = checkpoint.stage(3).unwrap();
        stager.discard().unwrap();
        assert_eq!(checkpoint.open_calls().unwrap(), 1);
    }

    #[test]
    fn a_copy_to_try_things_on_is_loaded_and_discarded_like_the_original() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        let mut original = Checkpoint::open(&path).unwrap();
        load(&mut original, "a.csv", &[call("1", "a")], None);
        for is_kept in [true, false] {
            let copy = folder.path().join(is_kept.to_string());
            let mut copy = Checkpoint::scratch(&path, &copy).unwrap();
            let mut stager = copy.stage(2).unwrap();
            let file = stager.file("b.csv").unwrap();
            for id in ["1", "2"] {
                stager.add(StagedCall::new(call(id, "a"), 1, None), file, 2).unwrap();
            }
            stager.sort(None).unwrap();
            if is_kept { stager.keep(None) } else { stager.discard() }.unwrap();
            assert_eq!(copy.open_calls().unwrap(), if is_kept { 2 } else { 1 });
        }
        assert_eq!(original.open_calls().unwrap(), 1, "it is not touched");
    }

    #[test]
    fn a_limit_keeps_whole_conversations_and_cuts_only_a_first_that_is_too_long() {
        let of = |id: &str, group: &str| {
            in_group(Identity { id: Some(id.into()), key: CallKey::from_id("", id) }, group, id)
        };
        let calls = [of("1", "a"), of("2", "b"), of("3", "b"), of("4", "b"), of("5", "a"), of("6", "c")];
        for (limit, kept) in [
            (2, vec!["1", "5"]),
            (3, vec!["1", "5", "6"]),
            (5, vec!["1", "2", "3", "4", "5"]),
            (1, vec!["1"]),
        ] {
            let (_folder, mut checkpoint) = fresh();
            let figures = load(&mut checkpoint, "a.csv", &calls, Some(limit));
            assert_eq!(figures.left_out, 6 - limit, "limit {limit}");
            if limit > 1 {
                assert_eq!(texts(&checkpoint), kept, "limit {limit}");
            }
            let rest = load(&mut checkpoint, "a.csv", &calls, None);
            assert_eq!(
                (checkpoint.open_calls().unwrap(), rest.repeats),
                (6, 0),
                "the rest comes another time"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// However the same rows are spread over runs and in whatever order they come, the calls that wait are the same.
        #[test]
        fn what_waits_does_not_depend_on_the_order(
            ids in proptest::collection::vec(0_u8..12, 1..40),
            cuts in proptest::collection::vec(0_usize..40, 0..3),
            seed: u64,
        ) {
            let rows: Vec<Call> = ids.iter().map(|id| call(&id.to_string(), &id.to_string())).collect();
            let (_a, mut straight) = fresh();
            load(&mut straight, "a.csv", &rows, None);
            let mut shuffled = rows.clone();
            fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
            let (_b, mut spread) = fresh();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).chain([0, rows.len()]).collect();
            cuts.sort_unstable();
            for pair in cuts.windows(2) {
                load(&mut spread, "b.csv", &shuffled[pair[0]..pair[1]], None);
            }
            prop_assert_eq!(texts(&straight), texts(&spread));
        }
    }
}
