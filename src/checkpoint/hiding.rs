//! How what is personal leaves calls, customers and queues, within the transaction of whoever forgets.

use rusqlite::{Connection, params};

use super::{CheckpointError, secret, secret::Secret, wiping};

/// A call whose request has landed.
const LANDED: &str = "EXISTS (SELECT 1 FROM requests WHERE requests.id = calls.request AND state = 1)";

/// The file's secret. Where it has none it gets one, and everything that is known by a key is known by a hidden one from
/// then on: calls that wait, too, so that there is one way to look something up and not two.
pub(super) fn begin(c: &Connection) -> Result<Secret, CheckpointError> {
    if let Some(secret) = Secret::load(c)? {
        return Ok(secret);
    }
    let secret = Secret::make(c)?;
    secret::install(c)?;
    c.execute_batch(
        "CREATE TABLE hidden_keys (key BLOB PRIMARY KEY, call INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         INSERT INTO hidden_keys (key, call) SELECT hidden(key), call FROM call_keys ORDER BY 1;
         DROP TABLE call_keys; ALTER TABLE hidden_keys RENAME TO call_keys;
         UPDATE queues SET key = hidden(key); UPDATE customers SET key = hidden(key);
         UPDATE known_rejections SET fingerprint = hidden(fingerprint);
         UPDATE recovered SET reference = veiled(reference);",
    )?;
    enter_shown(c, 0)?;
    Ok(secret)
}

/// Enters what references show of the calls behind `after`, where that is not their id.
pub(super) fn enter_shown(c: &Connection, after: i64) -> rusqlite::Result<()> {
    c.execute(
        "INSERT OR IGNORE INTO call_keys (key, call)
           SELECT shown(source_id, key), id FROM calls WHERE id > ?1 AND shown(source_id, key) IS NOT NULL",
        [after],
    )?;
    Ok(())
}

/// Hides by what the calls are known that have landed and that `which` selects; how many there were. An id becomes an empty
/// one, so that they still count as calls with an id.
pub(super) fn hide_landed(c: &Connection, which: &str) -> rusqlite::Result<u64> {
    let hidden = c.execute(
        &format!(
            "UPDATE calls SET key = hidden(key), source_id = CASE WHEN source_id IS NULL THEN NULL ELSE '' END, size = 0,
               fingerprint = faded(fingerprint), agent = NULL, forgotten = 1
             WHERE forgotten <> 1 AND ({which}) AND {LANDED}"
        ),
        [],
    )?;
    for table in ["texts", "raw_rows"] {
        c.execute(
            &format!("DELETE FROM {table} WHERE (SELECT forgotten FROM calls WHERE calls.id = call) = 1"),
            [],
        )?;
    }
    c.execute("DELETE FROM agents WHERE id NOT IN (SELECT agent FROM calls WHERE agent IS NOT NULL)", [])?;
    Ok(hidden as u64)
}

/// Empties the customers that `which` selects and that no call needs any more; how many there were.
pub(super) fn empty_customers(c: &Connection, which: &str) -> rusqlite::Result<u64> {
    let needless = format!(
        "({which}) AND id NOT IN (SELECT customer FROM calls WHERE forgotten <> 1)
           AND id NOT IN (SELECT customer FROM requests WHERE carried IS NOT NULL AND customer IS NOT NULL)"
    );
    let emptied = c.execute(
        &format!(
            "UPDATE customers SET email = NULL, phone = NULL, fields = '{{}}'
             WHERE (email IS NOT NULL OR phone IS NOT NULL OR fields <> '{{}}') AND {needless}"
        ),
        [],
    )?;
    c.execute(
        &format!("DELETE FROM contacts WHERE customer IN (SELECT id FROM customers WHERE {needless})"),
        [],
    )?;
    Ok(emptied as u64)
}

/// Takes the subjects from the queues that `which` selects and in which no call waits or is open. A conversation that was
/// there before is asked for its subject again when it is continued.
pub(super) fn empty_queues(c: &Connection, which: &str) -> rusqlite::Result<()> {
    take_subjects(
        c,
        &format!(
            "({which}) AND id NOT IN (SELECT queue FROM calls WHERE forgotten <> 1)
               AND id NOT IN (SELECT queue FROM requests WHERE carried IS NOT NULL AND queue IS NOT NULL)"
        ),
    )
}

/// Takes the subjects from the queues that `which` selects.
pub(super) fn take_subjects(c: &Connection, which: &str) -> rusqlite::Result<()> {
    c.execute_batch("DROP TABLE IF EXISTS temp.emptied;")?;
    c.execute(&format!("CREATE TEMP TABLE emptied AS SELECT id FROM queues WHERE {which}"), [])?;
    c.execute_batch(
        "UPDATE queues SET subject = '' WHERE id IN temp.emptied AND subject <> '';
         UPDATE conversations SET subject = NULL WHERE queue IN temp.emptied AND subject IS NOT NULL;
         DROP TABLE temp.emptied;",
    )
}

/// Takes away words that may name a person: those of the service about calls that are not refused any more, and the
/// warnings of earlier runs.
pub(super) fn clear_words(c: &Connection) -> rusqlite::Result<()> {
    c.execute(
        "UPDATE requests SET why = NULL WHERE why IS NOT NULL AND (state = 1 OR (state = 3 AND id NOT IN
           (SELECT request FROM calls WHERE request IS NOT NULL)))",
        [],
    )?;
    let sheets: Vec<(i64, String)> = c
        .prepare("SELECT id, sheet FROM runs WHERE sheet IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (run, sheet) in sheets {
        let sheet = serde_json::from_str(&sheet).map_or_else(|_| "{}".to_owned(), without_warnings);
        c.execute("UPDATE runs SET sheet = ?2 WHERE id = ?1", params![run, sheet])?;
    }
    Ok(())
}

fn without_warnings(mut sheet: serde_json::Value) -> String {
    if let Some(warnings) = sheet.get_mut("warnings") {
        *warnings = serde_json::Value::Array(Vec::new());
    }
    sheet.to_string()
}

/// The last call is the last that was staged, so that a number that is given out again counts as a new one.
pub(super) fn end_staged(c: &Connection) -> rusqlite::Result<()> {
    let last: i64 = c.query_row("SELECT COALESCE(MAX(id), 0) FROM calls", [], |row| row.get(0))?;
    super::lineage::put(c, "staged_to", &last.to_string())
}

/// Hides the calls of barred people whose fate was open when they were barred and that have landed since.
pub(super) fn sweep_barred(connection: &mut Connection) -> Result<(), CheckpointError> {
    if Secret::load(connection)?.is_none() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    transaction.execute_batch(&format!(
        "DROP TABLE IF EXISTS temp.swept; CREATE TEMP TABLE swept AS
           SELECT DISTINCT customer, queue FROM calls WHERE forgotten = 2 AND {LANDED};"
    ))?;
    let swept = hide_landed(&transaction, "forgotten = 2")?;
    if swept > 0 {
        empty_customers(&transaction, "id IN (SELECT customer FROM temp.swept)")?;
        empty_queues(&transaction, "id IN (SELECT queue FROM temp.swept)")?;
        clear_words(&transaction)?;
        wiping::mark_due(&transaction)?;
    }
    Ok(transaction.commit()?)
}
