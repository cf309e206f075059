//! Rows that tell of calls which were recovered from the account: each takes its call over, so that it is not sent again.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    CheckpointError, Stager, lineage,
    recovery::{SOURCE_NAME, stand_in_key},
    secret,
};
use crate::call::{CallKey, Reference};

/// New calls looked at in one step.
const STEP: i64 = 20_000;

/// A new row and the recovered call that it tells of.
struct Claim {
    row: i64,
    recovered: i64,
}

/// Sets the new calls against those that were recovered (`amid`: also by parts of a line, where a user's own template puts
/// their references). To be done once their keys stand and before they are entered.
pub(super) fn claim(stager: &mut Stager<'_>, amid: bool) -> Result<(), CheckpointError> {
    let any: bool =
        stager.connection.query_row("SELECT EXISTS (SELECT 1 FROM recovered)", [], |row| row.get(0))?;
    let Some(name) = lineage::get(stager.connection, SOURCE_NAME)?.filter(|_| any) else { return Ok(()) };
    stager.connection.execute_batch(
        "DROP TABLE IF EXISTS temp.claimed; CREATE TEMP TABLE claimed (call INTEGER PRIMARY KEY);
         DROP TABLE IF EXISTS temp.grown; CREATE TEMP TABLE grown (queue INTEGER PRIMARY KEY);",
    )?;
    let mut after = stager.before;
    loop {
        let (claims, last) = next_claims(stager.connection, (&name, amid), after)?;
        for claim in claims {
            let changed = take_over(stager.connection, &claim)?;
            stager.figures.already_imported += 1;
            stager.figures.changed += u64::from(changed);
        }
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    stager.connection.execute("DELETE FROM recovered WHERE call IN temp.claimed", [])?;
    stager.drop_of_run()?;
    Ok(number_all_parts(stager.connection)?)
}

/// The claims among the next new calls behind `after`, and the last call that was looked at.
fn next_claims(
    c: &Connection,
    (source_name, amid): (&str, bool),
    after: i64,
) -> rusqlite::Result<(Vec<Claim>, Option<i64>)> {
    let mut calls =
        c.prepare_cached("SELECT id, key, source_id FROM calls WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let mut recovered =
        c.prepare_cached("SELECT call FROM recovered WHERE reference = veiled(?1) AND amid <= ?2")?;
    let (mut claims, mut last) = (Vec::new(), None);
    let mut rows = calls.query([after, STEP])?;
    while let Some(row) = rows.next()? {
        let (id, key, source_id): (i64, [u8; 16], Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        last = Some(id);
        let reference = Reference::new(source_name, source_id.as_deref(), CallKey::from_bytes(key));
        if let Some(call) =
            recovered.query_row(params![reference.as_str(), amid], |row| row.get(0)).optional()?
        {
            claims.push(Claim { row: id, recovered: call });
        }
    }
    Ok((claims, last))
}

/// The recovered call becomes the row's; whether the row tells of it otherwise than the account.
fn take_over(c: &Connection, claim: &Claim) -> rusqlite::Result<bool> {
    c.prepare_cached("INSERT INTO temp.dropped VALUES (?1)")?.execute([claim.row])?;
    let is_first =
        c.prepare_cached("INSERT OR IGNORE INTO temp.claimed VALUES (?1)")?.execute([claim.recovered])? == 1;
    if !is_first {
        // A second row of this run: it is compared with the first.
        return c
            .prepare_cached(
                "SELECT a.fingerprint <> b.fingerprint FROM calls AS a, calls AS b WHERE a.id = ?1 AND b.id = ?2",
            )?
            .query_row([claim.row, claim.recovered], |row| row.get(0));
    }
    let differs: bool = c
        .prepare_cached(
            "SELECT a.started_at <> b.started_at FROM calls AS a, calls AS b WHERE a.id = ?1 AND b.id = ?2",
        )?
        .query_row([claim.row, claim.recovered], |row| row.get(0))?;
    c.prepare_cached(
        "INSERT OR IGNORE INTO call_keys (key, call)
           SELECT hidden(key), ?2 FROM calls WHERE id = ?1
           UNION ALL SELECT shown(source_id, key), ?2 FROM calls WHERE id = ?1 AND shown(source_id, key) IS NOT NULL",
    )?
    .execute([claim.row, claim.recovered])?;
    give_customer(c, claim)?;
    give_conversation(c, claim)?;
    c.prepare_cached(
        "UPDATE calls SET (key, source_id, file, line, started_at, updated_at, queue, customer, size, fingerprint, forgotten)
           = (SELECT key, source_id, file, line, started_at, updated_at, queue, customer, size, fingerprint, forgotten
            FROM calls AS told WHERE told.id = ?1)
         WHERE id = ?2",
    )?
    .execute([claim.row, claim.recovered])?;
    Ok(differs)
}

/// The row's customer is the one whose thread was found: not to be made a second time.
fn give_customer(c: &Connection, claim: &Claim) -> rusqlite::Result<()> {
    c.prepare_cached(
        "UPDATE customers SET confirmed = 1, helpscout_id = CASE WHEN email IS NULL THEN COALESCE(helpscout_id,
           (SELECT found.helpscout_id FROM calls JOIN customers AS found ON found.id = calls.customer WHERE calls.id = ?2))
           ELSE helpscout_id END
         WHERE id = (SELECT customer FROM calls WHERE id = ?1)",
    )?
    .execute([claim.row, claim.recovered])?;
    Ok(())
}

/// The conversation goes to the row's queue, if no other row has claimed it.
fn give_conversation(c: &Connection, claim: &Claim) -> rusqlite::Result<()> {
    let (conversation, helpscout_id, key): (i64, u64, [u8; 16]) = c
        .prepare_cached(
            "SELECT conversations.id, conversations.helpscout_id, queues.key FROM calls
             JOIN requests ON requests.id = calls.request JOIN conversations ON conversations.id = requests.conversation
             JOIN queues ON queues.id = conversations.queue WHERE calls.id = ?1",
        )?
        .query_row([claim.recovered], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if key != secret::hidden(c, stand_in_key(helpscout_id))? {
        return Ok(());
    }
    c.prepare_cached(
        "UPDATE conversations SET queue = (SELECT queue FROM calls WHERE id = ?1) WHERE id = ?2",
    )?
    .execute([claim.row, conversation])?;
    c.prepare_cached("INSERT OR IGNORE INTO temp.grown SELECT queue FROM calls WHERE id = ?1")?
        .execute([claim.row])?;
    Ok(())
}

/// Numbers the parts of every queue that has got a conversation.
fn number_all_parts(c: &Connection) -> rusqlite::Result<()> {
    let queues: Vec<i64> = c
        .prepare("SELECT queue FROM temp.grown")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    queues.into_iter().try_for_each(|queue| number_parts(c, queue))
}

/// Parts are numbered in the order in which the conversations were made; the one that the rows name is the first.
pub(super) fn number_parts(c: &Connection, queue: i64) -> rusqlite::Result<()> {
    let parts: Vec<i64> = c
        .prepare_cached(
            "SELECT conversations.id FROM conversations JOIN queues ON queues.id = queue WHERE queue = ?1
             ORDER BY helpscout_id <> COALESCE(existing, -1), helpscout_id",
        )?
        .query_map([queue], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut number = c.prepare_cached("UPDATE conversations SET part = ?2 WHERE id = ?1")?;
    for (part, id) in (1_i64..).zip(parts) {
        number.execute(params![id, part])?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use crate::{
        call::Moment,
        checkpoint::{
            Checkpoint, FoundCall, FoundConversation, Lineage, Recovery,
            stage::tests::{call, fresh, load, nameless, twin_reference},
        },
    };

    pub(crate) fn found(id: u64, references: &[&str]) -> FoundConversation {
        let call = |(index, reference): (u64, &&str)| FoundCall {
            candidates: vec![(*reference).to_owned()],
            thread: id * 100 + index,
            created_at: Moment::from_epoch_seconds(1_600_000_000),
            customer: Some(77),
        };
        FoundConversation {
            id,
            threads: u32::try_from(references.len()).unwrap(),
            is_ours: true,
            calls: (0..).zip(references).map(call).collect(),
        }
    }

    pub(crate) fn recover(checkpoint: &mut Checkpoint, all: &[FoundConversation]) -> Recovery {
        let mut recovery = Recovery::default();
        let now = Moment::from_epoch_seconds(1_700_000_000).unwrap();
        checkpoint.begin_recovery("").unwrap();
        for one in all {
            checkpoint.take_found(1, now, one, &mut recovery).unwrap();
        }
        checkpoint.end_recovery(&Lineage::default()).unwrap();
        recovery
    }

    #[test]
    fn rows_that_tell_of_recovered_calls_are_not_sent_again_and_the_others_are() {
        let (_folder, mut checkpoint) = fresh();
        let recovery =
            recover(&mut checkpoint, &[found(501, &["Ref: 1", "Ref: 2"]), found(502, &["Ref: 3"])]);
        assert_eq!((recovery.conversations, recovery.calls, recovery.known), (2, 3, 0));
        let rows = [call("1", "a"), call("2", "b"), call("3", "c"), call("4", "d"), call("1", "a")];
        let figures = load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!((figures.already_imported, figures.changed), (4, 0));
        assert_eq!(checkpoint.open_calls().unwrap(), 1);
        let again = load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!((again.already_imported, again.repeats), (3, 1), "and they are known from then on");
        assert_eq!(checkpoint.open_calls().unwrap(), 1);
    }

    #[test]
    fn a_conversation_goes_to_the_queue_of_the_rows_that_claim_it() {
        let (_folder, mut checkpoint) = fresh();
        recover(&mut checkpoint, &[found(501, &["Ref: 1"]), found(502, &["Ref: 2"])]);
        load(&mut checkpoint, "a.csv", &[call("2", "b"), call("1", "a"), call("3", "c")], None);
        let queue: i64 = checkpoint
            .connection
            .query_row("SELECT queue FROM calls WHERE source_id = '3'", [], |row| row.get(0))
            .unwrap();
        let state = super::super::delivery::queue(&checkpoint.connection, queue).unwrap();
        let (first, newest) = (state.first.unwrap(), state.newest.unwrap());
        assert_eq!((first.helpscout_id, first.part), (501, 1));
        assert_eq!((newest.helpscout_id, newest.part), (502, 2));
    }

    #[test]
    fn calls_without_an_id_are_claimed_twin_by_twin() {
        let (_folder, mut checkpoint) = fresh();
        let second = twin_reference(2);
        recover(&mut checkpoint, &[found(501, &[second.as_str()])]);
        let rows = [nameless("x"), nameless("x"), nameless("x")];
        let figures = load(&mut checkpoint, "a.csv", &rows, None);
        assert_eq!(figures.already_imported, 1);
        assert_eq!(checkpoint.open_calls().unwrap(), 2);
    }

    #[test]
    fn an_old_copy_learns_which_of_its_calls_have_landed() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("1", "a"), call("2", "b"), call("3", "c")], None);
        let recovery = recover(&mut checkpoint, &[found(501, &["Ref: 1", "Ref: 2", "Ref: 9"])]);
        assert_eq!((recovery.calls, recovery.known), (3, 0));
        assert_eq!(checkpoint.open_calls().unwrap(), 1);
        let again = recover(&mut checkpoint, &[found(501, &["Ref: 1", "Ref: 2", "Ref: 9"])]);
        assert_eq!((again.calls, again.known), (0, 3), "a second look learns nothing new");
    }

    #[test]
    fn a_reference_that_two_threads_carry_is_told() {
        let (_folder, mut checkpoint) = fresh();
        let recovery =
            recover(&mut checkpoint, &[found(501, &["Ref: 1", "Ref: 1"]), found(502, &["Ref: 1"])]);
        assert_eq!(recovery.calls, 1);
        let twice: Vec<(u64, u64)> = recovery.twice.iter().map(|(_, a, b)| (*a, *b)).collect();
        assert_eq!(twice, [(50_100, 50_101), (50_100, 50_200)]);
    }

    #[test]
    fn what_was_recovered_is_there_when_the_file_is_opened_again() {
        let (folder, mut checkpoint) = fresh();
        recover(&mut checkpoint, &[found(501, &["Ref: 1"])]);
        drop(checkpoint);
        let mut checkpoint = Checkpoint::open(&folder.path().join("c")).unwrap();
        assert!(!checkpoint.has_sent_nothing().unwrap());
        let figures = load(&mut checkpoint, "a.csv", &[call("1", "a")], None);
        assert_eq!((figures.already_imported, checkpoint.open_calls().unwrap()), (1, 0));
    }

    /// As a conversation of Help Scout shows it: the call `99`, in whose notes somebody names the call `12`.
    fn notes_that_name_another(id: u64) -> FoundConversation {
        let text = "Inbound call\nthe same as yesterday:\nRef: 12\nRef: 99";
        let call = FoundCall {
            candidates: crate::call::Reference::candidates(text, "", false),
            thread: id * 100,
            created_at: Moment::from_epoch_seconds(1_600_000_000),
            customer: Some(77),
        };
        FoundConversation { id, threads: 1, is_ours: true, calls: vec![call] }
    }

    #[test]
    fn notes_that_name_another_call_do_not_recover_it() {
        let (_folder, mut checkpoint) = fresh();
        recover(&mut checkpoint, &[notes_that_name_another(501)]);
        load(&mut checkpoint, "a.csv", &[call("12", "a"), call("99", "b")], None);
        assert_eq!(checkpoint.open_calls().unwrap(), 1, "12 was never sent");
    }

    #[test]
    fn notes_that_name_another_call_do_not_recover_it_in_an_old_copy() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("12", "a"), call("99", "b")], None);
        recover(&mut checkpoint, &[notes_that_name_another(501)]);
        let waits: String = checkpoint
            .connection
            .query_row("SELECT source_id FROM calls WHERE request IS NULL", [], |row| row.get(0))
            .unwrap();
        assert_eq!(waits, "12", "99 is there, 12 was never sent");
    }

    #[test]
    fn a_recovery_does_not_accept_another_mapping_for_calls_that_wait() {
        let (_folder, mut checkpoint) = fresh();
        let of =
            |mapping: &str| Lineage { identity: "a".into(), mapping: mapping.into(), ..Lineage::default() };
        load(&mut checkpoint, "a.csv", &[call("1", "a"), call("2", "b")], None);
        super::lineage::keep(&checkpoint.connection, &of("before")).unwrap();
        let mut recovery = Recovery::default();
        checkpoint.begin_recovery("").unwrap();
        let now = Moment::from_epoch_seconds(1_700_000_000).unwrap();
        checkpoint.take_found(1, now, &found(501, &["Ref: 1"]), &mut recovery).unwrap();
        checkpoint.end_recovery(&of("now")).unwrap();
        assert!(
            checkpoint.check_lineage(&of("now"), false).is_err(),
            "call 2 was made with the mapping before"
        );
        assert_eq!(checkpoint.to_make_anew(&of("now")).unwrap(), ["a.csv"]);
    }

    #[test]
    fn a_recovery_without_the_zone_is_refused_and_does_not_lock_the_import_out() {
        let (_folder, checkpoint) = fresh();
        let of = |identity: &str| Lineage { identity: identity.into(), ..Lineage::default() };
        // The import that was refused has kept how it reads rows.
        super::lineage::keep(&checkpoint.connection, &of("source.time_zone = UTC")).unwrap();
        assert!(checkpoint.check_identity(&of("")).is_err());
        checkpoint.check_identity(&of("source.time_zone = UTC")).unwrap();
    }

    #[test]
    fn what_a_recovery_noted_that_was_killed_is_not_sent_again() {
        let (folder, mut checkpoint) = fresh();
        checkpoint.begin_recovery("").unwrap();
        let now = Moment::from_epoch_seconds(1_700_000_000).unwrap();
        checkpoint.take_found(1, now, &found(501, &["Ref: 1", "Ref: 2"]), &mut Recovery::default()).unwrap();
        drop(checkpoint);
        let mut checkpoint = Checkpoint::open(&folder.path().join("c")).unwrap();
        load(&mut checkpoint, "a.csv", &[call("1", "a"), call("2", "b")], None);
        assert_eq!(checkpoint.open_calls().unwrap(), 0);
    }
}
