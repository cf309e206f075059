//! What delivering asks of the file and writes to it. Each function is one job of the [`super::Ledger`], within whose
//! transaction it runs.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    CarriedCall, CheckpointError, ConversationRow, ConversationState, CustomerRow, Held, NewRequest,
    QueueState, RequestKind, UnknownRequest, WaitingCall, hiding, lineage, wiping,
};
use crate::{
    call::{CallKey, FIELD_RULES, Moment},
    policy::{RequestEvent, RequestState},
};

/// Queues with a request whose fate is open.
pub(super) fn unknown_queues(c: &Connection) -> rusqlite::Result<Vec<i64>> {
    c.prepare_cached(
        "SELECT DISTINCT queue FROM requests WHERE carried IS NOT NULL AND state = 2 AND queue IS NOT NULL ORDER BY queue",
    )?
    .query_map([], |row| row.get(0))?
    .collect()
}

pub(super) fn queue(c: &Connection, id: i64) -> rusqlite::Result<QueueState> {
    let (existing, inbox, subject) = c
        .prepare_cached("SELECT existing, inbox, subject FROM queues WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let newest = conversation_where(c, "queue = ?1 ORDER BY part DESC, id DESC LIMIT 1", id)?;
    let first = match &newest {
        Some(_) => conversation_where(c, "queue = ?1 ORDER BY part, id LIMIT 1", id)?,
        None => None,
    };
    Ok(QueueState { id, existing, inbox, subject, newest, first })
}

/// The conversation that `which` selects by `id`, its only parameter.
fn conversation_where(c: &Connection, which: &str, id: i64) -> rusqlite::Result<Option<ConversationRow>> {
    c.prepare_cached(&format!(
        "SELECT id, part, helpscout_id, threads, state, inbox, subject FROM conversations WHERE {which}"
    ))?
    .query_row([id], conversation_row)
    .optional()
}

fn conversation_row(row: &Row<'_>) -> rusqlite::Result<ConversationRow> {
    Ok(ConversationRow {
        id: row.get(0)?,
        part: row.get(1)?,
        helpscout_id: row.get(2)?,
        threads: row.get(3)?,
        state: ConversationState::from_code(row.get(4)?).unwrap_or(ConversationState::Full),
        inbox: row.get(5)?,
        subject: row.get(6)?,
    })
}

pub(super) fn waiting_call(row: &Row<'_>) -> rusqlite::Result<WaitingCall> {
    Ok(WaitingCall {
        id: row.get(0)?,
        key: CallKey::from_bytes(row.get(1)?),
        source_id: row.get(2)?,
        started_at: moment(row.get(3)?),
        customer: row.get(4)?,
        agent: row.get(5)?,
        size: row.get(6)?,
        text: row.get::<_, Option<String>>(7)?.unwrap_or_default(),
    })
}

/// Seconds that were written by us are within the range of a moment.
fn moment(seconds: i64) -> Moment {
    Moment::from_epoch_seconds(0)
        .map_or_else(|| unreachable!("1970 is a year"), |epoch| epoch.plus_seconds(seconds))
}

pub(super) fn customer(c: &Connection, id: i64) -> rusqlite::Result<CustomerRow> {
    c.prepare_cached("SELECT helpscout_id, email, phone, fields, confirmed FROM customers WHERE id = ?1")?
        .query_row([id], |row| {
            let fields: String = row.get(3)?;
            let fields: HashMap<String, String> = serde_json::from_str(&fields).unwrap_or_default();
            Ok(CustomerRow {
                id,
                helpscout_id: row.get(0)?,
                email: row.get(1)?,
                phone: row.get(2)?,
                fields: FIELD_RULES
                    .iter()
                    .filter_map(|rule| Some((rule.name, fields.get(rule.name)?.clone())))
                    .collect(),
                confirmed: row.get(4)?,
            })
        })
}

/// Writes an intent: from now on its calls are in flight.
pub(super) fn intend(c: &Connection, request: &NewRequest) -> rusqlite::Result<i64> {
    let carried = encode_carried(&request.calls);
    c.prepare_cached(
        "INSERT INTO requests (kind, state, run, queue, conversation, customer, sent_at, dated, carried, mark)
         VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
           CASE WHEN ?1 = 0 THEN (SELECT COALESCE(MAX(helpscout_id), 0) FROM conversations) END)",
    )?
    .execute(params![
        request.kind.code(),
        request.run,
        request.queue,
        request.conversation,
        request.customer,
        request.sent_at.epoch_seconds(),
        request.dated,
        carried,
    ])?;
    let id = c.last_insert_rowid();
    point(c, &request.calls, Some(id))?;
    Ok(id)
}

fn point(c: &Connection, calls: &[i64], request: Option<i64>) -> rusqlite::Result<()> {
    let mut update = c.prepare_cached("UPDATE calls SET request = ?2 WHERE id = ?1")?;
    for call in calls {
        update.execute(params![call, request])?;
    }
    Ok(())
}

/// A request before its state changes.
struct OpenRequest {
    id: i64,
    state: RequestState,
    queue: Option<i64>,
    conversation: Option<i64>,
    customer: Option<i64>,
    resource: Option<u64>,
    carried: Option<Vec<u8>>,
}

fn open_request(c: &Connection, id: i64) -> rusqlite::Result<OpenRequest> {
    c.prepare_cached(
        "SELECT state, queue, conversation, customer, resource, carried FROM requests WHERE id = ?1",
    )?
    .query_row([id], |row| {
        Ok(OpenRequest {
            id,
            state: RequestState::from_code(row.get(0)?).unwrap_or(RequestState::Unknown),
            queue: row.get(1)?,
            conversation: row.get(2)?,
            customer: row.get(3)?,
            resource: row.get(4)?,
            carried: row.get(5)?,
        })
    })
}

/// The one place that changes a request's state, by the rule of `policy`. Where it lands, what it belongs to and made is
/// written as `request` says it.
fn advance(
    c: &Connection,
    request: &OpenRequest,
    event: RequestEvent,
    why: Option<&str>,
) -> Result<(), CheckpointError> {
    match request.state.after(event)? {
        Some(RequestState::Landed) => {
            c.prepare_cached(
                "UPDATE requests SET state = 1, carried = NULL, mark = NULL, why = NULL, conversation = ?2, resource = ?3
                 WHERE id = ?1",
            )?
            .execute(params![request.id, request.conversation, request.resource])?;
        }
        Some(next) => {
            c.prepare_cached("UPDATE requests SET state = ?2, why = COALESCE(?3, why) WHERE id = ?1")?
                .execute(params![request.id, next.code(), why])?;
        }
        None => {
            point(c, &decode_carried(request.carried.as_deref()), None)?;
            c.prepare_cached("DELETE FROM requests WHERE id = ?1")?.execute([request.id])?;
        }
    }
    Ok(())
}

/// Calls of people who were barred while they were in flight do not wait again, and nothing is kept for their sake.
fn drop_barred(c: &Connection, calls: &[i64]) -> rusqlite::Result<()> {
    let mut drop =
        c.prepare_cached("DELETE FROM calls WHERE id = ?1 AND forgotten = 2 RETURNING customer, queue")?;
    for call in calls {
        let dropped: Option<(i64, i64)> =
            drop.query_row([call], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((customer, queue)) = dropped else { continue };
        for table in ["texts", "raw_rows", "call_keys"] {
            c.execute(&format!("DELETE FROM {table} WHERE call = ?1"), [call])?;
        }
        hiding::empty_customers(c, &format!("id = {customer}"))?;
        hiding::empty_queues(c, &format!("id = {queue}"))?;
        // What is deleted still lies in free pages of the file.
        wiping::mark_due(c)?;
    }
    Ok(())
}

fn encode_carried(calls: &[i64]) -> Vec<u8> {
    calls.iter().flat_map(|id| id.to_le_bytes()).collect()
}

fn decode_carried(carried: Option<&[u8]>) -> Vec<i64> {
    carried
        .unwrap_or_default()
        .chunks_exact(8)
        .filter_map(|bytes| bytes.try_into().ok().map(i64::from_le_bytes))
        .collect()
}

/// A request landed.
pub(super) fn landed(c: &Connection, request: i64) -> Result<(), CheckpointError> {
    advance(c, &open_request(c, request)?, RequestEvent::Landed, None)
}

/// An append landed as the thread `thread`.
pub(super) fn appended(c: &Connection, request: i64, thread: Option<u64>) -> Result<(), CheckpointError> {
    let request = OpenRequest { resource: thread, ..open_request(c, request)? };
    advance(c, &request, RequestEvent::Landed, None)?;
    c.prepare_cached("UPDATE conversations SET threads = threads + 1 WHERE id = ?1")?
        .execute([request.conversation])?;
    Ok(())
}

/// A create landed as the conversation `helpscout_id` with `threads` calls; none where a merge has made that another
/// queue's meanwhile.
pub(super) fn created(
    c: &Connection,
    request: i64,
    helpscout_id: u64,
    threads: u32,
) -> Result<Option<ConversationRow>, CheckpointError> {
    let request = OpenRequest { resource: None, ..open_request(c, request)? };
    if let Some((_, known)) = conversation_of(c, helpscout_id)? {
        let request = OpenRequest { conversation: Some(known.id), ..request };
        advance(c, &request, RequestEvent::Landed, None)?;
        return Ok(None);
    }
    let part: u32 = c
        .prepare_cached("SELECT COALESCE(MAX(part), 0) + 1 FROM conversations WHERE queue = ?1")?
        .query_row([request.queue], |row| row.get(0))?;
    c.prepare_cached(
        "INSERT INTO conversations (queue, part, helpscout_id, threads, state, created_by) VALUES (?1, ?2, ?3, ?4, 0, ?5)",
    )?
    .execute(params![request.queue, part, helpscout_id, threads, request.id])?;
    let id = c.last_insert_rowid();
    advance(c, &OpenRequest { conversation: Some(id), ..request }, RequestEvent::Landed, None)?;
    Ok(Some(ConversationRow {
        id,
        part,
        helpscout_id,
        threads,
        state: ConversationState::Open,
        inbox: None,
        subject: None,
    }))
}

/// A customer was made as `helpscout_id`.
pub(super) fn customer_made(c: &Connection, request: i64, helpscout_id: u64) -> Result<(), CheckpointError> {
    let request = OpenRequest { resource: Some(helpscout_id), ..open_request(c, request)? };
    advance(c, &request, RequestEvent::Landed, None)?;
    c.prepare_cached("UPDATE customers SET helpscout_id = ?2, confirmed = 1 WHERE id = ?1")?
        .execute(params![request.customer, helpscout_id])?;
    Ok(())
}

/// Help Scout has these customers now.
pub(super) fn confirm(c: &Connection, customers: &[i64]) -> rusqlite::Result<()> {
    for id in customers {
        c.prepare_cached("UPDATE customers SET confirmed = 1 WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}

/// The answer to a request was lost, or (`stored`) did not say what was made.
pub(super) fn lost(c: &Connection, request: i64, why: &str, stored: bool) -> Result<(), CheckpointError> {
    advance(c, &open_request(c, request)?, RequestEvent::Lost, Some(why))?;
    c.prepare_cached("UPDATE requests SET stored = ?2 WHERE id = ?1")?.execute(params![request, stored])?;
    Ok(())
}

/// A request is stored and made `resource`, but does not count as landed yet.
pub(super) fn hold(
    c: &Connection,
    request: i64,
    resource: u64,
    held: Held,
    why: &str,
) -> Result<(), CheckpointError> {
    advance(c, &open_request(c, request)?, RequestEvent::Lost, Some(why))?;
    c.prepare_cached("UPDATE requests SET stored = ?2, resource = ?3 WHERE id = ?1")?.execute(params![
        request,
        held_code(held),
        resource
    ])?;
    Ok(())
}

fn held_code(held: Held) -> i64 {
    match held {
        Held::Unread => 1,
        Held::Differs => 2,
    }
}

fn held_from_code(code: i64) -> Held {
    if code == held_code(Held::Differs) { Held::Differs } else { Held::Unread }
}

/// What a request is, how it is held and what it made; none where it is not held.
pub(super) fn held(c: &Connection, request: i64) -> rusqlite::Result<Option<(RequestKind, Held, u64)>> {
    c.prepare_cached(
        "SELECT kind, stored, resource FROM requests WHERE id = ?1 AND carried IS NOT NULL AND resource IS NOT NULL",
    )?
    .query_row([request], |row| {
        let kind = RequestKind::from_code(row.get(0)?).unwrap_or(RequestKind::Refusal);
        Ok((kind, held_from_code(row.get(1)?), row.get(2)?))
    })
    .optional()
}

/// The requests that are held, in the order in which they left.
pub(super) fn held_requests(c: &Connection) -> rusqlite::Result<Vec<UnknownRequest>> {
    unknown(c, "resource IS NOT NULL AND ?1 = 0", 0)
}

/// The calls that an open request carries, as they were before they were sent.
pub(super) fn carried_by(c: &Connection, request: i64) -> rusqlite::Result<Vec<WaitingCall>> {
    let carried: Option<Vec<u8>> = c
        .prepare_cached("SELECT carried FROM requests WHERE id = ?1")?
        .query_row([request], |row| row.get(0))?;
    let mut call = c.prepare_cached(
        "SELECT id, key, source_id, started_at, customer, agent, size, (SELECT text FROM texts WHERE call = calls.id)
         FROM calls WHERE id = ?1",
    )?;
    decode_carried(carried.as_deref()).into_iter().map(|id| call.query_row([id], waiting_call)).collect()
}

/// The kinds of request that are proved to do as the documents say, each with the most calls that one was proved with.
pub(super) fn proofs(c: &Connection) -> rusqlite::Result<Vec<(RequestKind, u32)>> {
    let mut proved = Vec::new();
    for kind in [RequestKind::Create, RequestKind::Append] {
        if let Some(calls) = lineage::get(c, proof_name(kind))?.and_then(|calls| calls.parse().ok()) {
            proved.push((kind, calls));
        }
    }
    Ok(proved)
}

/// Takes note that a request of `calls` proved what its kind does.
pub(super) fn note_proof(c: &Connection, kind: RequestKind, calls: u32) -> rusqlite::Result<()> {
    lineage::put(c, proof_name(kind), &calls.to_string())
}

fn proof_name(kind: RequestKind) -> &'static str {
    if kind == RequestKind::Create { "proved_create" } else { "proved_append" }
}

/// A request was not stored: its calls wait again.
pub(super) fn not_stored(c: &Connection, request: i64, proved: bool) -> Result<(), CheckpointError> {
    let request = open_request(c, request)?;
    let event = if proved { RequestEvent::ProvedAbsent } else { RequestEvent::Withdrawn };
    advance(c, &request, event, None)?;
    Ok(drop_barred(c, &decode_carried(request.carried.as_deref()))?)
}

/// Calls that wait are refused, each for its reason.
pub(super) fn refuse(
    c: &Connection,
    run: i64,
    queue: i64,
    at: Moment,
    calls: &[(i64, String)],
) -> rusqlite::Result<()> {
    for (call, why) in calls {
        c.prepare_cached(
            "INSERT INTO requests (kind, state, run, queue, sent_at, why) VALUES (3, 3, ?1, ?2, ?3, ?4)",
        )?
        .execute(params![run, queue, at.epoch_seconds(), why])?;
        point(c, &[*call], Some(c.last_insert_rowid()))?;
    }
    Ok(())
}

/// Calls that were refused wait again (they were not at fault).
pub(super) fn unrefuse(c: &Connection, calls: &[i64]) -> rusqlite::Result<()> {
    for call in calls {
        c.prepare_cached(
            "DELETE FROM requests WHERE state = 3 AND id = (SELECT request FROM calls WHERE id = ?1)",
        )?
        .execute([call])?;
    }
    point(c, calls, None)
}

/// Gives an open call of `request` a request of its own, as open as that one; its number, and how many calls are left.
pub(super) fn set_apart(c: &Connection, request: i64, call: i64) -> Result<(i64, u64), CheckpointError> {
    let carried: Option<Vec<u8>> = c
        .prepare_cached("SELECT carried FROM requests WHERE id = ?1")?
        .query_row([request], |row| row.get(0))?;
    let others: Vec<i64> =
        decode_carried(carried.as_deref()).into_iter().filter(|other| *other != call).collect();
    if others.is_empty() {
        return Ok((request, 0));
    }
    c.execute("UPDATE requests SET carried = ?2 WHERE id = ?1", params![request, encode_carried(&others)])?;
    c.execute(
        "INSERT INTO requests (kind, state, run, queue, conversation, customer, sent_at, dated, mark, carried, why, stored)
         SELECT kind, state, run, queue, conversation, customer, sent_at, dated, mark, ?2, why, stored
         FROM requests WHERE id = ?1",
        params![request, encode_carried(&[call])],
    )?;
    let own = c.last_insert_rowid();
    point(c, &[call], Some(own))?;
    Ok((own, others.len() as u64))
}

/// An open request whose one call was found elsewhere than by itself ends; the call goes into another.
pub(super) fn set_aside(c: &Connection, request: i64) -> Result<(), CheckpointError> {
    c.execute("UPDATE requests SET state = 2 WHERE id = ?1 AND state = 0", [request])?;
    advance(c, &open_request(c, request)?, RequestEvent::ProvedAbsent, None)
}

/// What was in flight when an earlier run ended may be stored or not.
pub(super) fn mark_unknown(c: &Connection) -> rusqlite::Result<usize> {
    c.execute("UPDATE requests SET state = 2, why = 'the program ended before the answer was written down' WHERE carried IS NOT NULL AND state = 0", [])
}

/// The requests of `queue` whose fate is open, in the order in which they left.
pub(super) fn unknown_of_queue(c: &Connection, queue: i64) -> rusqlite::Result<Vec<UnknownRequest>> {
    unknown(c, "queue = ?1", queue)
}

/// The requests that make `customer` whose fate is open.
pub(super) fn unknown_of_customer(c: &Connection, customer: i64) -> rusqlite::Result<Vec<UnknownRequest>> {
    unknown(c, "customer = ?1", customer)
}

/// The index is named because the planner goes through all requests where only the customer is known.
fn unknown(c: &Connection, of: &str, id: i64) -> rusqlite::Result<Vec<UnknownRequest>> {
    let mut requests = c.prepare_cached(&format!(
        "SELECT id, kind, queue, conversation, customer, sent_at, mark, carried, stored, resource, why, dated
         FROM requests INDEXED BY requests_open WHERE carried IS NOT NULL AND state = 2 AND {of} ORDER BY id"
    ))?;
    let mut rows = requests.query([id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let carried: Option<Vec<u8>> = row.get(7)?;
        let conversation: Option<i64> = row.get(3)?;
        let (stored, resource): (i64, Option<u64>) = (row.get(8)?, row.get(9)?);
        found.push(UnknownRequest {
            id: row.get(0)?,
            kind: RequestKind::from_code(row.get(1)?).unwrap_or(RequestKind::Refusal),
            queue: row.get(2)?,
            conversation: conversation.map(|id| conversation_by_id(c, id)).transpose()?,
            customer: row.get(4)?,
            sent_at: moment(row.get(5)?),
            mark: row.get::<_, Option<u64>>(6)?.unwrap_or(0),
            calls: carried_calls(c, &decode_carried(carried.as_deref()))?,
            stored: stored > 0,
            resource,
            held: resource.map(|_| held_from_code(stored)),
            why: row.get(10)?,
            dated: row.get(11)?,
        });
    }
    Ok(found)
}

fn conversation_by_id(c: &Connection, id: i64) -> rusqlite::Result<ConversationRow> {
    conversation_where(c, "id = ?1", id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn carried_calls(c: &Connection, ids: &[i64]) -> rusqlite::Result<Vec<CarriedCall>> {
    let mut call = c.prepare_cached("SELECT key, source_id, started_at FROM calls WHERE id = ?1")?;
    ids.iter()
        .map(|id| {
            call.query_row([id], |row| {
                Ok(CarriedCall {
                    id: *id,
                    key: CallKey::from_bytes(row.get(0)?),
                    source_id: row.get(1)?,
                    started_at: moment(row.get(2)?),
                })
            })
        })
        .collect()
}

/// The queue and row of the conversation that Help Scout knows as `helpscout_id`.
pub(super) fn conversation_of(
    c: &Connection,
    helpscout_id: u64,
) -> rusqlite::Result<Option<(i64, ConversationRow)>> {
    c.prepare_cached(
        "SELECT id, part, helpscout_id, threads, state, inbox, subject, queue FROM conversations WHERE helpscout_id = ?1",
    )?
    .query_row([helpscout_id], |row| Ok((row.get(7)?, conversation_row(row)?)))
    .optional()
}

/// The queue of the rows that name `existing`.
pub(super) fn queue_of_existing(c: &Connection, existing: u64) -> rusqlite::Result<Option<i64>> {
    c.prepare_cached("SELECT id FROM queues WHERE existing = ?1")?
        .query_row([existing], |row| row.get(0))
        .optional()
}

/// Takes note of a conversation that was there before us.
pub(super) fn adopt_conversation(
    c: &Connection,
    queue: i64,
    helpscout_id: u64,
    threads: u32,
) -> rusqlite::Result<ConversationRow> {
    let part: u32 = c
        .prepare_cached("SELECT COALESCE(MAX(part), 0) + 1 FROM conversations WHERE queue = ?1")?
        .query_row([queue], |row| row.get(0))?;
    c.prepare_cached(
        "INSERT INTO conversations (queue, part, helpscout_id, threads, state) VALUES (?1, ?2, ?3, ?4, 0)",
    )?
    .execute(params![queue, part, helpscout_id, threads])?;
    conversation_by_id(c, c.last_insert_rowid())
}

/// Writes what is known of a conversation now.
pub(super) fn update_conversation(c: &Connection, row: &ConversationRow) -> rusqlite::Result<()> {
    c.prepare_cached(
        "UPDATE conversations SET helpscout_id = ?2, threads = ?3, state = ?4, inbox = ?5, subject = ?6 WHERE id = ?1",
    )?
    .execute(params![row.id, row.helpscout_id, row.threads, row.state.code(), row.inbox, row.subject])?;
    Ok(())
}

/// The calls of `from` that wait join those of `to`.
pub(super) fn join_queues(c: &Connection, from: i64, to: i64) -> rusqlite::Result<usize> {
    // A queue that was forgotten has no subject until calls wait in it again.
    c.prepare_cached(
        "UPDATE queues SET subject = (SELECT subject FROM queues WHERE id = ?1)
         WHERE id = ?2 AND existing IS NULL AND subject = ''",
    )?
    .execute([from, to])?;
    c.prepare_cached("UPDATE calls SET queue = ?2 WHERE queue = ?1 AND request IS NULL")?.execute([from, to])
}

/// The conversation that was made last, and when it was asked for by the service's clock; none where that is not known.
pub(super) fn last_made(c: &Connection) -> rusqlite::Result<Option<(u64, Moment)>> {
    c.prepare_cached(
        "SELECT helpscout_id, sent_at FROM conversations JOIN requests ON requests.id = created_by
         WHERE kind = 0 AND dated ORDER BY conversations.id DESC LIMIT 1",
    )?
    .query_row([], |row| Ok((row.get(0)?, moment(row.get(1)?))))
    .optional()
}

/// Which of these conversations of Help Scout we know.
pub(super) fn known_conversations(c: &Connection, ids: &[u64]) -> rusqlite::Result<Vec<u64>> {
    let mut known =
        c.prepare_cached("SELECT EXISTS (SELECT 1 FROM conversations WHERE helpscout_id = ?1)")?;
    let mut found = Vec::new();
    for id in ids {
        if known.query_row([id], |row| row.get(0))? {
            found.push(*id);
        }
    }
    Ok(found)
}

/// Which of these customers of Help Scout we made or know.
pub(super) fn knows_customer(c: &Connection, helpscout_id: u64) -> rusqlite::Result<bool> {
    c.query_row("SELECT EXISTS (SELECT 1 FROM customers WHERE helpscout_id = ?1)", [helpscout_id], |row| {
        row.get(0)
    })
}
