//! Which rows were rejected, so that a run can say what is new. A rejection is never held against a row: it is judged
//! afresh each time.

use rusqlite::{Connection, params};

/// Takes note of a rejection; whether an earlier run made it too.
pub(super) fn note_rejection(
    connection: &Connection,
    fingerprint: [u8; 16],
    run: i64,
) -> rusqlite::Result<bool> {
    let first: i64 = connection
        .prepare_cached(
            "INSERT INTO known_rejections (fingerprint, run) VALUES (hidden(?1), ?2)
             ON CONFLICT DO UPDATE SET run = run RETURNING run",
        )?
        .query_row(params![fingerprint, run], |row| row.get(0))?;
    Ok(first != run)
}

#[cfg(test)]
mod tests {
    use crate::checkpoint::stage::tests::fresh;

    #[test]
    fn a_rejection_is_known_from_an_earlier_run_only() {
        let (_folder, checkpoint) = fresh();
        assert!(!checkpoint.note_rejection([1; 16], 1).unwrap());
        assert!(!checkpoint.note_rejection([1; 16], 1).unwrap());
        assert!(checkpoint.note_rejection([1; 16], 2).unwrap());
        assert!(!checkpoint.note_rejection([2; 16], 2).unwrap());
    }
}
