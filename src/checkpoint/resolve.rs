//! What a person decides of a call whose fate is open.
//!
//! A call at a time: a create carries many, and a person who looked for one has not looked for the others. The decided call
//! leaves its request and gets one of its own, which lands or is given up by the same rules as any other.

use rusqlite::{Connection, params};

use super::{Checkpoint, CheckpointError, Held, RequestKind, delivery};
use crate::{
    call::{CallKey, Moment},
    policy::RequestState,
};

/// A person's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The call is there, as this thread.
    Landed(u64),
    /// It is not there: it is to be sent again.
    Resend,
}

/// What a decision came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The previous platform's id, else the call's key.
    pub call: String,
    /// What was decided.
    pub decision: Decision,
    /// Whether its person is barred (see [`Checkpoint::forget_people`]): it is not sent again, whatever was decided.
    pub is_barred: bool,
    /// Other calls of the same request whose fate is still open.
    pub beside: u64,
    /// All calls whose fate is still open.
    pub undecided: u64,
}

/// A call as a person names it, with where it stands.
struct Named {
    id: i64,
    shown: String,
    request: Option<i64>,
    customer: i64,
    is_barred: bool,
}

impl Checkpoint {
    /// Decides the call that `status` shows as `name`.
    pub fn resolve(&mut self, name: &str, decision: Decision) -> Result<Resolved, CheckpointError> {
        let transaction = self.connection.transaction()?;
        delivery::mark_unknown(&transaction)?;
        let decided = resolve(&transaction, name, decision)?;
        transaction.commit()?;
        Ok(decided)
    }
}

fn resolve(c: &Connection, name: &str, decision: Decision) -> Result<Resolved, CheckpointError> {
    match open_call(c, name)? {
        Some((call, request)) => {
            let beside = decide(c, &call, request, decision)?;
            Ok(Resolved { beside, is_barred: call.is_barred, ..resolved(c, name, decision)? })
        }
        None => resolve_customer(c, name, decision),
    }
}

fn resolved(c: &Connection, name: &str, decision: Decision) -> Result<Resolved, CheckpointError> {
    let undecided = c.query_row(
        "SELECT COALESCE(SUM(LENGTH(carried) / 8), 0) FROM requests WHERE carried IS NOT NULL",
        [],
        |row| row.get(0),
    )?;
    Ok(Resolved { call: name.to_owned(), decision, is_barred: false, beside: 0, undecided })
}

/// The open call that is called `name`, and the request that carries it.
fn open_call(c: &Connection, name: &str) -> Result<Option<(Named, i64)>, CheckpointError> {
    let mut found = named(c, name, "request IN (SELECT id FROM requests WHERE carried IS NOT NULL)")?;
    if found.len() > 1 {
        return Err(CheckpointError::Undecidable(format!(
            "`{name}` stands for {} calls whose fate is open: name one by its key ({})",
            found.len(),
            found.iter().map(|call| call.shown.as_str()).collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(found.pop().and_then(|call| call.request.map(|request| (call, request))))
}

/// The calls that are called `name`, by id or key, among those that `which` selects.
fn named(c: &Connection, name: &str, which: &str) -> rusqlite::Result<Vec<Named>> {
    let range = CallKey::range_of_short(name);
    let (first, last) =
        range.map_or((None, None), |(first, last)| (Some(first.to_bytes()), Some(last.to_bytes())));
    c.prepare(&format!(
        "SELECT id, key, request, customer, forgotten = 2 FROM calls
         WHERE {which} AND (source_id = ?1 OR key BETWEEN ?2 AND ?3) ORDER BY id LIMIT 10"
    ))?
    .query_map(params![name, first, last], |row| {
        Ok(Named {
            id: row.get(0)?,
            shown: CallKey::from_bytes(row.get(1)?).to_string(),
            request: row.get(2)?,
            customer: row.get(3)?,
            is_barred: row.get(4)?,
        })
    })?
    .collect()
}

/// Decides an open call; how many others its request still carries. What was read back otherwise than sent is there: to send
/// it again would double it.
fn decide(c: &Connection, call: &Named, request: i64, decision: Decision) -> Result<u64, CheckpointError> {
    if decision == Decision::Resend
        && let Some(held) = delivery::held(c, request)?
    {
        return Err(CheckpointError::Undecidable(there_already(held)));
    }
    let (own, beside) = delivery::set_apart(c, request, call.id)?;
    match decision {
        Decision::Landed(thread) => delivery::appended(c, own, Some(thread))?,
        Decision::Resend => delivery::not_stored(c, own, true)?,
    }
    Ok(beside)
}

fn there_already((kind, held, made): (RequestKind, Held, u64)) -> String {
    let what = if kind == RequestKind::Create { "conversation" } else { "thread" };
    // An answer to an append need not name its thread.
    let id = Some(made).filter(|id| *id != 0).map(|id| format!(" {id}")).unwrap_or_default();
    let advice = match held {
        Held::Unread => "and was not read back yet: run the import, which does that".to_owned(),
        Held::Differs => format!(
            "and only differs from what was sent: delete that {what} there and run the import, and its calls are sent anew"
        ),
    };
    format!("to send the call again would double it: it is in Help Scout ({what}{id}) {advice}")
}

/// A call may wait for a customer's profile whose making is open: a person decides that it is made again.
fn resolve_customer(c: &Connection, name: &str, decision: Decision) -> Result<Resolved, CheckpointError> {
    let Some(call) = named(c, name, "1")?.into_iter().next() else {
        return Err(CheckpointError::Undecidable(format!(
            "the checkpoint knows no call `{name}`: `callport status` lists those that are undecided"
        )));
    };
    let open =
        if call.request.is_none() { delivery::unknown_of_customer(c, call.customer)? } else { Vec::new() };
    match (open.first(), decision) {
        (Some(request), Decision::Resend) => {
            delivery::not_stored(c, request.id, true)?;
            resolved(c, name, decision)
        }
        (Some(_), Decision::Landed(_)) => Err(CheckpointError::Undecidable(format!(
            "`{name}` was not sent: it waits for its customer's profile, whose making is undecided; --resend makes the \
             profile again"
        ))),
        (None, _) => Err(CheckpointError::Undecidable(format!(
            "`{name}` is not undecided: {}",
            standing_in_words(c, &call)?
        ))),
    }
}

fn standing_in_words(c: &Connection, call: &Named) -> rusqlite::Result<String> {
    let Some(request) = call.request else { return Ok("it waits to be sent".to_owned()) };
    let (state, sent_at): (i64, i64) =
        c.query_row("SELECT state, sent_at FROM requests WHERE id = ?1", [request], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let when = Moment::from_epoch_seconds(sent_at).map(|at| at.to_string()).unwrap_or_default();
    Ok(match RequestState::from_code(state) {
        Some(RequestState::Refused) => "it was refused, and the next import tries it again".to_owned(),
        _ => format!("it was imported at {when}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{
        NewRequest,
        ledger::tests::{lose, request},
        stage::tests::{call, fresh, load, nameless},
    };

    /// A checkpoint whose calls `1` to `3` were sent in one create and lost.
    async fn lost() -> (tempfile::TempDir, Checkpoint) {
        let (folder, mut checkpoint) = fresh();
        load(
            &mut checkpoint,
            "a.csv",
            &[call("1", "x"), call("2", "y"), call("3", "z"), nameless("n")],
            None,
        );
        (folder, lose(checkpoint, request(RequestKind::Create, 1, &[1, 2, 3])).await)
    }

    fn states(checkpoint: &Checkpoint) -> Vec<Option<i64>> {
        checkpoint
            .connection
            .prepare("SELECT state FROM calls LEFT JOIN requests ON requests.id = request ORDER BY calls.id")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    #[tokio::test]
    async fn a_decision_is_of_one_call_and_leaves_the_others_of_its_request_open() {
        let (_folder, mut checkpoint) = lost().await;
        let resolved = checkpoint.resolve("2", Decision::Landed(7_900_000_001)).unwrap();
        assert_eq!((resolved.beside, resolved.undecided), (2, 2));
        assert_eq!(states(&checkpoint), [Some(2), Some(1), Some(2), None]);
        let resolved = checkpoint.resolve("1", Decision::Resend).unwrap();
        assert_eq!((resolved.beside, resolved.undecided), (1, 1));
        assert_eq!(checkpoint.resolve("3", Decision::Resend).unwrap().undecided, 0);
        assert_eq!(states(&checkpoint), [None, Some(1), None, None]);
        assert_eq!(checkpoint.open_calls().unwrap(), 3);
        let empty: u64 = checkpoint
            .connection
            .query_row("SELECT COUNT(*) FROM requests WHERE state = 2", [], |row| row.get(0))
            .unwrap();
        assert_eq!(empty, 0, "no request without a call is left open");
    }

    #[tokio::test]
    async fn what_is_not_undecided_is_told_as_it_stands() {
        let (_folder, mut checkpoint) = lost().await;
        let said = |checkpoint: &mut Checkpoint, name: &str| {
            checkpoint.resolve(name, Decision::Resend).unwrap_err().to_string()
        };
        assert!(said(&mut checkpoint, "9").contains("knows no call `9`"));
        let nameless = CallKey::from_bytes(
            checkpoint
                .connection
                .query_row("SELECT key FROM calls WHERE source_id IS NULL", [], |row| row.get(0))
                .unwrap(),
        );
        assert!(said(&mut checkpoint, &nameless.to_string()).contains("waits to be sent"));
        checkpoint.resolve("1", Decision::Landed(5)).unwrap();
        let told = said(&mut checkpoint, "1");
        assert!(told.contains("`1` is not undecided: it was imported at 2023-11-14T"), "{told}");
    }

    #[tokio::test]
    async fn what_was_stored_and_is_held_is_not_sent_again_by_a_word() {
        for (held, advice) in [
            (Held::Unread, "run the import, which does that"),
            (Held::Differs, "delete that conversation there"),
        ] {
            let (_folder, mut checkpoint) = lost().await;
            let request: i64 = checkpoint
                .connection
                .query_row("UPDATE requests SET state = 0 RETURNING id", [], |row| row.get(0))
                .unwrap();
            delivery::hold(&checkpoint.connection, request, 501, held, "").unwrap();
            let told = checkpoint.resolve("2", Decision::Resend).unwrap_err().to_string();
            assert!(told.contains("(conversation 501)") && told.contains(advice), "{told}");
            assert_eq!(states(&checkpoint), [Some(2), Some(2), Some(2), None]);
            checkpoint.resolve("2", Decision::Landed(9)).unwrap();
        }
    }

    #[tokio::test]
    async fn a_customer_whose_making_is_open_is_made_again_by_a_persons_word() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("1", "x")], None);
        let made = NewRequest { queue: None, customer: Some(1), ..request(RequestKind::Customer, 1, &[]) };
        let mut checkpoint = lose(checkpoint, made).await;
        let landed = checkpoint.resolve("1", Decision::Landed(5)).unwrap_err().to_string();
        assert!(landed.contains("--resend makes the profile again"), "{landed}");
        checkpoint.resolve("1", Decision::Resend).unwrap();
        assert!(checkpoint.resolve("1", Decision::Resend).is_err(), "nothing is open any more");
    }
}
