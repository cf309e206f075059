//! How the file stands to what the account holds: which references it knows, and as what.
//!
//! A conversation that carries calls of ours which the file takes for not sent contradicts it: the file is an older copy,
//! and sending would import them twice.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Checkpoint, CheckpointError};
use crate::{
    call::{CallKey, Reference},
    policy::RequestState,
};

/// What the file says of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It knows no such call.
    Strange,
    /// It waits, or was refused: as far as the file knows, the service does not have it.
    NotSent,
    /// It was sent and its fate is open.
    Open,
    /// It landed.
    Landed,
}

/// The first of `candidates` (see [`Reference::candidates`]) that the file knows, or that none of them is.
pub(super) fn standing(
    c: &Connection,
    source_name: &str,
    candidates: &[String],
) -> rusqlite::Result<Standing> {
    for reference in candidates {
        let known = of_reference(c, source_name, reference)?;
        if known != Standing::Strange {
            return Ok(known);
        }
    }
    Ok(Standing::Strange)
}

fn of_reference(c: &Connection, source_name: &str, reference: &str) -> rusqlite::Result<Standing> {
    if let Some(call) = call_of_reference(c, source_name, reference)? {
        return of_call(c, call);
    }
    let is_recovered: bool = c
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM recovered WHERE reference = veiled(?1))")?
        .query_row([reference], |row| row.get(0))?;
    Ok(if is_recovered { Standing::Landed } else { Standing::Strange })
}

/// The call that carries `reference`, also one that is forgotten.
pub(super) fn call_of_reference(
    c: &Connection,
    source_name: &str,
    reference: &str,
) -> rusqlite::Result<Option<i64>> {
    let prefix = Reference::prefix(source_name);
    let Some(rest) = reference.strip_prefix(&prefix) else { return Ok(None) };
    match call_by_key(c, CallKey::from_id(source_name, rest))? {
        Some(call) => Ok(Some(call)),
        None => call_by_shown(c, rest),
    }
}

fn call_by_key(c: &Connection, key: CallKey) -> rusqlite::Result<Option<i64>> {
    c.prepare_cached("SELECT call FROM call_keys WHERE key = hidden(?1)")?
        .query_row([key.to_bytes()], |row| row.get(0))
        .optional()
}

/// The call of which a reference shows `shown`: its key in short. Where keys are hidden they are in no order, and each such
/// call has a second one for this.
fn call_by_shown(c: &Connection, shown: &str) -> rusqlite::Result<Option<i64>> {
    let alias: Option<[u8; 16]> =
        c.prepare_cached("SELECT alias(?1)")?.query_row([shown], |row| row.get(0))?;
    if let Some(alias) = alias {
        return c
            .prepare_cached("SELECT call FROM call_keys WHERE key = ?1")?
            .query_row([alias], |row| row.get(0))
            .optional();
    }
    let Some((first, last)) = CallKey::range_of_short(shown) else { return Ok(None) };
    c.prepare_cached("SELECT call FROM call_keys WHERE key BETWEEN ?1 AND ?2 LIMIT 1")?
        .query_row(params![first.to_bytes(), last.to_bytes()], |row| row.get(0))
        .optional()
}

fn of_call(c: &Connection, call: i64) -> rusqlite::Result<Standing> {
    let state: Option<i64> = c
        .prepare_cached(
            "SELECT state FROM calls LEFT JOIN requests ON requests.id = request WHERE calls.id = ?1",
        )?
        .query_row([call], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(state_standing(state.and_then(RequestState::from_code)))
}

pub(super) fn state_standing(state: Option<RequestState>) -> Standing {
    match state {
        None | Some(RequestState::Refused) => Standing::NotSent,
        Some(RequestState::Sending | RequestState::Unknown) => Standing::Open,
        Some(RequestState::Landed) => Standing::Landed,
    }
}

impl Checkpoint {
    /// How the file stands to a call of Help Scout, by what may be its reference.
    pub fn standing(&self, source_name: &str, candidates: &[String]) -> Result<Standing, CheckpointError> {
        Ok(standing(&self.connection, source_name, candidates)?)
    }

    /// Which of these conversations of Help Scout the file does not know.
    pub fn strange_conversations(&self, ids: &[u64]) -> Result<Vec<u64>, CheckpointError> {
        let known = super::delivery::known_conversations(&self.connection, ids)?;
        Ok(ids.iter().copied().filter(|id| !known.contains(id)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::stage::tests::{call, fresh, load};

    #[test]
    fn a_reference_stands_as_its_call_does() {
        let (_folder, mut checkpoint) = fresh();
        load(
            &mut checkpoint,
            "a.csv",
            &[call("1", "a"), call("2", "b"), call("3", "c"), call("4", "d")],
            None,
        );
        checkpoint
            .connection
            .execute_batch(
                "INSERT INTO requests (id, kind, state, run, sent_at) VALUES (7, 0, 1, 1, 0), (8, 1, 2, 1, 0), (9, 3, 3, 1, 0);
                 UPDATE calls SET request = id + 5 WHERE id BETWEEN 2 AND 4;
                 INSERT INTO recovered VALUES ('Ref: from elsewhere', 9, 0);",
            )
            .unwrap();
        let standing = |reference: &str| checkpoint.standing("", &[reference.to_owned()]).unwrap();
        assert_eq!(standing("Ref: 1"), Standing::NotSent);
        assert_eq!(standing("Ref: 2"), Standing::Landed);
        assert_eq!(standing("Ref: 3"), Standing::Open);
        assert_eq!(standing("Ref: 4"), Standing::NotSent, "a refusal is none of the service's doing");
        assert_eq!(standing("Ref: 5"), Standing::Strange);
        assert_eq!(standing("Ref: from elsewhere"), Standing::Landed);
        let short = format!("Ref: {}", CallKey::from_id("", "2"));
        assert_eq!(standing(&short), Standing::Landed, "a key stands for its call");
        let several = ["Ref: 2) x".to_owned(), "Ref: 2".to_owned()];
        assert_eq!(checkpoint.standing("", &several).unwrap(), Standing::Landed);
    }
}
