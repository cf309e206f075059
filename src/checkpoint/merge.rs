//! Setting the newly loaded calls against each other, once all are there.
//!
//! They are sorted by key (the database sorts in files, so that memory stays flat), and each run of equal keys is judged:
//! a row that says the same again is a repeat; one that says otherwise gives way to the newest where both say when they
//! were updated, and is rejected else.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::{CheckpointError, Stager, hiding, known_calls::Content, secret::Secret};
use crate::call::CallKey;

/// What judging needs of a newly loaded call.
#[derive(Debug, Clone)]
struct Loaded {
    id: i64,
    key: CallKey,
    file: i64,
    line: u64,
    content: Content,
    updated_at: Option<i64>,
    /// By what its fingerprint is hidden, where the call is forgotten.
    faded_by: Option<Secret>,
}

const LOADED: &str =
    "SELECT id, key, file, line, fingerprint, started_at, updated_at FROM calls WHERE id > ?1";

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Loaded> {
    Ok(Loaded {
        id: row.get(0)?,
        key: CallKey::from_bytes(row.get(1)?),
        file: row.get(2)?,
        line: row.get(3)?,
        content: Content { fingerprint: row.get(4)?, started_at: row.get(5)? },
        updated_at: row.get(6)?,
        faded_by: None,
    })
}

/// Numbers the new calls without an id that are alike within a file: the second, third, … get keys of their own. Across
/// files the same numbers meet again, so that the highest count stands.
pub(super) fn number_twins(stager: &mut Stager<'_>) -> Result<(), CheckpointError> {
    let mut renumbered: Vec<(i64, CallKey)> = Vec::new();
    {
        // Only keys that occur more than once; in most exports there are none.
        let mut alike = stager.connection.prepare(&format!(
            "{LOADED} AND source_id IS NULL AND key IN
               (SELECT key FROM calls WHERE id > ?1 AND source_id IS NULL GROUP BY key HAVING COUNT(*) > 1)
             ORDER BY key, id"
        ))?;
        let mut counts: HashMap<i64, u32> = HashMap::new();
        let mut current = None;
        for loaded in alike.query_map([stager.before], read)? {
            let loaded = loaded?;
            if current != Some(loaded.key) {
                counts.clear();
                current = Some(loaded.key);
            }
            let count = counts.entry(loaded.file).and_modify(|count| *count += 1).or_insert(1);
            if *count > 1 {
                renumbered.push((loaded.id, loaded.key.twin(*count)));
            }
        }
    }
    for (id, key) in renumbered {
        stager
            .connection
            .prepare_cached("UPDATE calls SET key = ?2 WHERE id = ?1")?
            .execute(params![id, key.to_bytes()])?;
    }
    Ok(())
}

/// Enters the keys of the new calls, and drops those that another one stands for.
///
/// The database enters them in the order of their keys, the first of equals; only where it left some out are these
/// judged one by one.
pub(super) fn merge(stager: &mut Stager<'_>) -> Result<(), CheckpointError> {
    let before = stager.before;
    let key = if stager.secret.is_some() { "hidden(key)" } else { "key" };
    let entered = stager.connection.execute(
        &format!(
            "INSERT OR IGNORE INTO call_keys (key, call) SELECT {key}, id FROM calls WHERE id > ?1 ORDER BY 1, 2"
        ),
        [before],
    )?;
    let new: usize =
        stager
            .connection
            .query_row("SELECT COUNT(*) FROM calls WHERE id > ?1", [before], |row| row.get(0))?;
    if entered != new {
        judge_equals(stager)?;
    }
    if stager.secret.is_some() {
        hiding::enter_shown(stager.connection, before)?;
    }
    Ok(())
}

fn judge_equals(stager: &mut Stager<'_>) -> Result<(), CheckpointError> {
    let mut conflicts: Vec<(Loaded, Loaded)> = Vec::new();
    let mut repeats = 0;
    {
        let connection = stager.connection;
        let key = if stager.secret.is_some() { "hidden(calls.key)" } else { "calls.key" };
        let mut equals = connection.prepare(&format!(
            "{LOADED} AND (SELECT call FROM call_keys WHERE call_keys.key = {key}) <> id ORDER BY key, id"
        ))?;
        let mut enter = connection.prepare("UPDATE call_keys SET call = ?2 WHERE key = ?1")?;
        let mut drop = connection.prepare("INSERT INTO temp.dropped VALUES (?1)")?;
        let mut winner: Option<Loaded> = None;
        for loaded in equals.query_map([stager.before], read)? {
            let loaded = loaded?;
            let known = match winner.take() {
                Some(known) if known.key == loaded.key => known,
                _ => entered(connection, loaded.key, stager.secret)?,
            };
            let before = known.id;
            let is_earlier = known.id <= stager.before;
            let (stays, goes) = judge(known, is_earlier, loaded, &mut repeats, &mut conflicts);
            drop.execute([goes])?;
            if stays.id != before {
                enter.execute(params![stager.hidden(stays.key.to_bytes()), stays.id])?;
            }
            winner = Some(stays);
        }
    }
    stager.figures.repeats += repeats;
    for (rejected, known) in conflicts {
        let raw: Option<String> = stager
            .connection
            .prepare_cached("SELECT content FROM raw_rows WHERE call = ?1")?
            .query_row([rejected.id], |row| row.get(0))
            .optional()?;
        stager.conflict((rejected.file, rejected.line), (known.file, known.line), raw.as_deref())?;
    }
    stager.drop_of_run()?;
    Ok(())
}

/// The call that stands for `key`.
fn entered(connection: &Connection, key: CallKey, secret: Option<Secret>) -> rusqlite::Result<Loaded> {
    connection
        .prepare_cached(
            "SELECT id, ?1, file, line, fingerprint, started_at, updated_at, forgotten FROM call_keys
             JOIN calls ON id = call WHERE call_keys.key = hidden(?1)",
        )?
        .query_row([key.to_bytes()], |row| {
            let is_forgotten = row.get::<_, i64>(7)? == 1;
            Ok(Loaded { faded_by: secret.filter(|_| is_forgotten), ..read(row)? })
        })
}

/// Which of two calls with one key stays, and the number of the one that goes. One of an earlier run never goes: it may have
/// been sent.
fn judge(
    known: Loaded,
    is_earlier: bool,
    other: Loaded,
    repeats: &mut u64,
    conflicts: &mut Vec<(Loaded, Loaded)>,
) -> (Loaded, i64) {
    if known.content == other.content.faded(known.faded_by) {
        *repeats += 1;
        // The newest of equals stands, so that it outdoes a record that says otherwise and was written between them.
        let is_newer = other.updated_at > known.updated_at && !is_earlier;
        return if is_newer { (other, known.id) } else { (known, other.id) };
    }
    match (known.updated_at, other.updated_at) {
        (Some(before), Some(now)) => {
            *repeats += 1;
            // Of records of one moment the last counts: so logs of events are written.
            if now >= before && !is_earlier { (other, known.id) } else { (known, other.id) }
        }
        _ => {
            let goes = other.id;
            conflicts.push((other, known.clone()));
            (known, goes)
        }
    }
}

/// Keeps at most `limit` of the new calls, in whole conversations in the order in which the input tells of them. Only
/// the first is cut, and only if it alone has more.
pub(super) fn keep_whole_conversations(stager: &mut Stager<'_>, limit: u64) -> Result<(), CheckpointError> {
    let before = stager.before;
    stager.connection.execute_batch(
        "DROP TABLE IF EXISTS temp.kept; CREATE TEMP TABLE kept (queue INTEGER PRIMARY KEY);",
    )?;
    let mut room = limit;
    let mut cut = None;
    {
        let mut queues = stager
            .connection
            .prepare("SELECT queue, COUNT(*) FROM calls WHERE id > ?1 GROUP BY queue ORDER BY MIN(id)")?;
        let mut rows = queues.query([before])?;
        while let Some(row) = rows.next()? {
            let (queue, count): (i64, u64) = (row.get(0)?, row.get(1)?);
            let is_first = room == limit;
            if count <= room || (is_first && limit > 0) {
                stager.connection.execute("INSERT INTO temp.kept VALUES (?1)", [queue])?;
                cut = (count > room).then_some(queue);
                room = room.saturating_sub(count);
            }
            if room == 0 {
                break;
            }
        }
    }
    stager.connection.execute(
        "INSERT INTO temp.dropped SELECT id FROM calls WHERE id > ?1 AND queue NOT IN temp.kept",
        [before],
    )?;
    if let Some(queue) = cut {
        stager.connection.execute(
            "INSERT INTO temp.dropped
               SELECT id FROM calls WHERE id > ?1 AND queue = ?2 ORDER BY started_at, key LIMIT -1 OFFSET ?3",
            params![before, queue, limit],
        )?;
    }
    // What joined a call goes with it.
    let legs = stager.legs_of_dropped()?;
    stager.figures.repeats -= legs;
    stager.figures.left_out = stager.drop_of_run()? + legs;
    Ok(())
}

/// Drops the calls that `temp.dropped` names, with their keys; how many there were.
pub(super) fn drop_calls(connection: &Connection) -> rusqlite::Result<u64> {
    let any: bool =
        connection.query_row("SELECT EXISTS (SELECT 1 FROM temp.dropped)", [], |row| row.get(0))?;
    if !any {
        return Ok(0);
    }
    connection.execute("DELETE FROM call_keys WHERE call IN temp.dropped", [])?;
    connection.execute("DELETE FROM raw_rows WHERE call IN temp.dropped", [])?;
    connection.execute("DELETE FROM texts WHERE call IN temp.dropped", [])?;
    let dropped = connection.execute("DELETE FROM calls WHERE id IN temp.dropped", [])?;
    connection.execute("DELETE FROM temp.dropped", [])?;
    Ok(dropped as u64)
}
