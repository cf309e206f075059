//! What the account tells of calls that the file does not know, or knows as not sent: the way back from a lost checkpoint
//! or from an old copy of one.
//!
//! A call that waits here and is found there has landed. A call that no row has told of yet is noted by the references that
//! its thread carries; the row that comes with such a reference takes it over while it is staged (`claims`), and with it the
//! conversation goes to the row's queue and the customer's id to the row's customer.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Checkpoint, CheckpointError, ConversationState, Lineage, NewRequest, RequestKind, Standing, claims,
    delivery, lineage, secret, stage,
    standing::{call_of_reference, state_standing},
};
use crate::{
    call::{CallKey, Moment, Reference, stable_digest},
    plan::APPEND_CAP,
    policy::RequestState,
};

/// The name under which calls stand that no row has told of.
const NO_FILE: &str = "(recovered from Help Scout)";
/// Stores `[source] name` of the references that were recovered.
pub(super) const SOURCE_NAME: &str = "recovered_source";
/// Stands in the file while a recovery has not come to its end.
const UNFINISHED: &str = "recovery_unfinished";

/// A conversation of the account that carries calls of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundConversation {
    /// Help Scout's id.
    pub id: u64,
    /// How many threads it holds.
    pub threads: u32,
    /// Whether it carries the import tag, so that callport made it.
    pub is_ours: bool,
    /// Its calls.
    pub calls: Vec<FoundCall>,
}

/// A thread that carries what may be a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCall {
    /// What may be its reference: the rest of the line first, then parts of it, as a user's own template may put it.
    pub candidates: Vec<String>,
    /// The thread's id.
    pub thread: u64,
    /// When it began, as the service has it.
    pub created_at: Option<Moment>,
    /// Help Scout's id of its customer.
    pub customer: Option<u64>,
}

/// What became known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whether a reference may be a part of a line, because a user's own template puts it there.
    pub amid: bool,
    /// Conversations that carry calls.
    pub conversations: u64,
    /// Calls that count as imported now and did not before.
    pub calls: u64,
    /// Calls that were known to have landed.
    pub known: u64,
    /// Calls whose fate is open; the next import looks for them.
    pub open: u64,
    /// References that two threads carry: the reference, and both threads.
    pub twice: Vec<(String, u64, u64)>,
}

impl Recovery {
    /// Whether no call of ours was found.
    pub fn is_nothing(&self) -> bool {
        self.calls + self.known + self.open == 0
    }
}

impl Checkpoint {
    /// Begins a recovery: gathers the references of all calls that the file knows.
    pub fn begin_recovery(&mut self, source_name: &str) -> Result<(), CheckpointError> {
        let transaction = self.connection.transaction()?;
        // Known from the first call on, so that rows find what was recovered however this ends.
        lineage::put(&transaction, SOURCE_NAME, source_name)?;
        lineage::put(&transaction, UNFINISHED, "yes")?;
        transaction.execute_batch(
            "DROP TABLE IF EXISTS temp.known;
             CREATE TEMP TABLE known (reference TEXT PRIMARY KEY, call INTEGER NOT NULL, thread INTEGER) WITHOUT ROWID;",
        )?;
        {
            let mut calls = transaction.prepare(
                "SELECT calls.id, calls.key, source_id FROM calls
                JOIN call_keys ON call_keys.call = calls.id WHERE forgotten <> 1",
            )?;
            let mut enter = transaction.prepare("INSERT OR IGNORE INTO temp.known VALUES (?1, ?2, NULL)")?;
            let mut rows = calls.query([])?;
            while let Some(row) = rows.next()? {
                let (id, key, source_id): (i64, [u8; 16], Option<String>) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                let reference = Reference::new(source_name, source_id.as_deref(), CallKey::from_bytes(key));
                enter.execute(params![reference.as_str(), id])?;
            }
            transaction.execute(
                "INSERT OR IGNORE INTO temp.known SELECT reference, call, NULL FROM recovered",
                [],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// The conversations that the file knows or that its rows name.
    pub fn known_places(&self) -> Result<Vec<u64>, CheckpointError> {
        Ok(self
            .connection
            .prepare(
                "SELECT helpscout_id FROM conversations UNION SELECT existing FROM queues WHERE existing IS NOT NULL",
            )?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?)
    }

    /// Takes note of a conversation's calls, within the run `run`. To be called in the order of conversations' ids, so that
    /// parts are numbered as they were made.
    pub fn take_found(
        &mut self,
        run: i64,
        now: Moment,
        found: &FoundConversation,
        recovery: &mut Recovery,
    ) -> Result<(), CheckpointError> {
        if found.calls.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        let source_name = lineage::get(&transaction, SOURCE_NAME)?.unwrap_or_default();
        let hides = secret::Secret::load(&transaction)?.is_some();
        let (landed, strange) = (Vec::new(), Vec::new());
        let mut taking = Taking { c: &transaction, source_name, hides, found, recovery, landed, strange };
        taking.sort_out()?;
        taking.write(run, now)?;
        recovery.conversations += 1;
        Ok(transaction.commit()?)
    }

    /// Ends a recovery that has seen everything. How rows are read is kept where the file does not know it yet: calls that
    /// wait in it were made by what it knows.
    pub fn end_recovery(&self, lineage: &Lineage) -> Result<(), CheckpointError> {
        if lineage::get(&self.connection, "identity")?.is_none() {
            lineage::keep(&self.connection, lineage)?;
        }
        lineage::remove(&self.connection, UNFINISHED)?;
        Ok(())
    }

    /// Refuses a file whose recovery has not come to its end: what it does not know of would be sent twice.
    pub(super) fn check_recovery(&self) -> Result<(), CheckpointError> {
        if lineage::get(&self.connection, UNFINISHED)?.is_none() {
            return Ok(());
        }
        Err(CheckpointError::Unrecovered(self.path().to_owned()))
    }
}

struct Taking<'a> {
    c: &'a Connection,
    source_name: String,
    /// Whether something was forgotten.
    hides: bool,
    found: &'a FoundConversation,
    recovery: &'a mut Recovery,
    /// Calls of the file that have landed after all.
    landed: Vec<i64>,
    /// Calls that no row has told of.
    strange: Vec<&'a FoundCall>,
}

impl Taking<'_> {
    fn sort_out(&mut self) -> Result<(), CheckpointError> {
        let found = self.found;
        for call in &found.calls {
            let Some((reference, id, before)) = self.known(call)? else {
                self.enter(call, 0)?;
                self.strange.push(call);
                self.recovery.calls += 1;
                continue;
            };
            if let Some(before) = before.filter(|before| *before != call.thread) {
                self.recovery.twice.push((reference, before, call.thread));
                continue;
            }
            self.c
                .prepare_cached("UPDATE temp.known SET thread = ?2 WHERE reference = ?1")?
                .execute(params![reference, call.thread])?;
            match self.standing(id)? {
                Standing::NotSent => {
                    self.landed.push(id);
                    self.recovery.calls += 1;
                }
                Standing::Open if self.let_go(id)? => {
                    self.landed.push(id);
                    self.recovery.calls += 1;
                }
                Standing::Open => self.recovery.open += 1,
                Standing::Landed | Standing::Strange => self.recovery.known += 1,
            }
        }
        Ok(())
    }

    /// Takes an open call out of its request, since it is here; `false` where the request is held: what it made is not
    /// what was sent, and that is for a person to see.
    fn let_go(&self, call: i64) -> Result<bool, CheckpointError> {
        let (request, is_held): (i64, bool) = self.c.query_row(
            "SELECT requests.id, requests.resource IS NOT NULL FROM calls JOIN requests ON requests.id = request
             WHERE calls.id = ?1",
            [call],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if is_held {
            return Ok(false);
        }
        let (own, _) = delivery::set_apart(self.c, request, call)?;
        delivery::set_aside(self.c, own)?;
        Ok(true)
    }

    /// The first candidate that is known: its reference, its call, and the thread that was found for it before.
    fn known(&self, call: &FoundCall) -> rusqlite::Result<Option<(String, i64, Option<u64>)>> {
        let mut known = self.c.prepare_cached("SELECT call, thread FROM temp.known WHERE reference = ?1")?;
        for reference in call.candidates.iter().take(if self.recovery.amid { usize::MAX } else { 1 }) {
            let found = known.query_row([reference], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            if let Some((id, thread)) = found {
                return Ok(Some((reference.clone(), id, thread)));
            }
            if let Some(id) = self.forgotten(reference)? {
                self.c
                    .prepare_cached("INSERT OR IGNORE INTO temp.known VALUES (?1, ?2, NULL)")?
                    .execute(params![reference, id])?;
                return Ok(Some((reference.clone(), id, None)));
            }
        }
        Ok(None)
    }

    /// The call of a reference that cannot be made from the file any more, because the call is forgotten.
    fn forgotten(&self, reference: &str) -> rusqlite::Result<Option<i64>> {
        if !self.hides {
            return Ok(None);
        }
        if let Some(call) = call_of_reference(self.c, &self.source_name, reference)? {
            return Ok(Some(call));
        }
        self.c
            .prepare_cached("SELECT call FROM recovered WHERE reference = veiled(?1)")?
            .query_row([reference], |row| row.get(0))
            .optional()
    }

    fn enter(&self, call: &FoundCall, id: i64) -> rusqlite::Result<()> {
        let mut enter = self.c.prepare_cached("INSERT OR REPLACE INTO temp.known VALUES (?1, ?2, ?3)")?;
        for reference in &call.candidates {
            enter.execute(params![reference, id, call.thread])?;
        }
        Ok(())
    }

    fn standing(&self, call: i64) -> rusqlite::Result<Standing> {
        // Found a moment ago in this very conversation.
        if call == 0 {
            return Ok(Standing::Landed);
        }
        let state: Option<i64> = self
            .c
            .prepare_cached(
                "SELECT state FROM calls LEFT JOIN requests ON requests.id = request WHERE calls.id = ?1",
            )?
            .query_row([call], |row| row.get(0))?;
        Ok(state_standing(state.and_then(RequestState::from_code)))
    }

    fn write(&mut self, run: i64, now: Moment) -> Result<(), CheckpointError> {
        if self.landed.is_empty() && self.strange.is_empty() {
            return Ok(());
        }
        let c = self.c;
        delivery::unrefuse(c, &self.landed)?;
        let conversation = self.conversation()?;
        let queue: i64 =
            c.query_row("SELECT queue FROM conversations WHERE id = ?1", [conversation], |row| row.get(0))?;
        let mut calls = self.landed.clone();
        for call in &self.strange {
            calls.push(self.note_strange(call, queue)?);
        }
        let request = delivery::intend(
            c,
            &NewRequest {
                kind: RequestKind::Recovered,
                run,
                queue: Some(queue),
                conversation: Some(conversation),
                customer: None,
                calls,
                sent_at: now,
                dated: false,
            },
        )?;
        delivery::landed(c, request)?;
        c.execute(
            "UPDATE conversations SET created_by = COALESCE(created_by, ?2) WHERE id = ?1 AND ?3",
            params![conversation, request, self.found.is_ours],
        )?;
        let last: i64 = c.query_row("SELECT COALESCE(MAX(id), 0) FROM calls", [], |row| row.get(0))?;
        Ok(lineage::put(c, "staged_to", &last.max(stage::staged_to(c)?).to_string())?)
    }

    /// The row of the conversation; a new one belongs to the queue of a call that is known, to the rows that name it, or to a
    /// queue that stands in until a row claims one of its calls.
    fn conversation(&self) -> Result<i64, CheckpointError> {
        let (c, found) = (self.c, self.found);
        if let Some((_, row)) = delivery::conversation_of(c, found.id)? {
            return Ok(row.id);
        }
        let of_call = self
            .landed
            .first()
            .map(|call| c.query_row("SELECT queue FROM calls WHERE id = ?1", [*call], |row| row.get(0)));
        let queue = match of_call.transpose()? {
            Some(queue) => queue,
            None => match delivery::queue_of_existing(c, found.id)? {
                Some(queue) => queue,
                None => stand_in(c, found.id)?,
            },
        };
        let mut row = delivery::adopt_conversation(c, queue, found.id, found.threads)?;
        if found.threads >= APPEND_CAP {
            row.state = ConversationState::Full;
            delivery::update_conversation(c, &row)?;
        }
        claims::number_parts(c, queue)?;
        Ok(row.id)
    }

    fn note_strange(&self, call: &FoundCall, queue: i64) -> Result<i64, CheckpointError> {
        let c = self.c;
        c.execute("INSERT INTO files (path) VALUES (?1) ON CONFLICT DO NOTHING", [NO_FILE])?;
        let reference = call.candidates.first().map(String::as_str).unwrap_or_default();
        c.prepare_cached(
            "INSERT INTO calls (key, source_id, file, line, started_at, queue, customer, size, fingerprint)
             VALUES (?1, ?2, (SELECT id FROM files WHERE path = ?3), 0, ?4, ?5, ?6, 0, 0)",
        )?
        .execute(params![
            stable_digest(&[b"recovered", reference.as_bytes()]),
            reference,
            NO_FILE,
            call.created_at.map_or(0, Moment::epoch_seconds),
            queue,
            customer(c, call.customer)?,
        ])?;
        let id = c.last_insert_rowid();
        for (index, reference) in call.candidates.iter().enumerate() {
            c.prepare_cached(
                "INSERT OR IGNORE INTO recovered (reference, call, amid) VALUES (veiled(?1), ?2, ?3)",
            )?
            .execute(params![reference, id, index > 0])?;
        }
        Ok(id)
    }
}

/// A queue for a conversation of which no row has told.
fn stand_in(c: &Connection, conversation: u64) -> rusqlite::Result<i64> {
    let key = secret::hidden(c, stand_in_key(conversation))?;
    c.execute(
        "INSERT INTO queues (key, existing, inbox, subject) VALUES (?1, NULL, '', '') ON CONFLICT DO NOTHING",
        [key],
    )?;
    c.query_row("SELECT id FROM queues WHERE key = ?1", [key], |row| row.get(0))
}

pub(super) fn stand_in_key(conversation: u64) -> [u8; 16] {
    stable_digest(&[b"recovered conversation", &conversation.to_be_bytes()])
}

/// A customer by Help Scout's id alone.
fn customer(c: &Connection, helpscout_id: Option<u64>) -> rusqlite::Result<i64> {
    let key = stable_digest(&[b"recovered customer", &helpscout_id.unwrap_or(0).to_be_bytes()]);
    let key = secret::hidden(c, key)?;
    c.execute(
        "INSERT INTO customers (key, helpscout_id, email, phone, fields, confirmed) VALUES (?1, ?2, NULL, NULL, '{}', 1)
         ON CONFLICT DO NOTHING",
        params![key, helpscout_id],
    )?;
    c.query_row("SELECT id FROM customers WHERE key = ?1", [key], |row| row.get(0))
}
