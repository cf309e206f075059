//! Rows of which only a number tells whose call it is, where such rows are to be rejected (`customer.unknown`).
//!
//! It stands only at the end: the checkpoint or another row may know the number. Calls that an earlier run staged or sent
//! stay.

use rusqlite::params;

use super::{CheckpointError, Stager, numbers::UNKNOWN};

const REASON: &str = "the customer has a number but no id and no e-mail, and `customer.unknown` is `reject`";

/// What becomes of such calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnknownCallers {
    /// Help Scout is asked to make the customer.
    Kept,
    Rejected,
}

/// A call with legs: where it stands, and what it is among the records.
struct Led {
    root: [u8; 16],
    standing: i64,
    path: String,
    line: u64,
}

impl Stager<'_> {
    /// Rejects calls whose customer is nothing but a number at the end.
    pub fn reject_unknown_callers(&mut self) {
        self.unknown_callers = UnknownCallers::Rejected;
    }

    pub(super) fn refuse_unknown_callers(&mut self) -> Result<(), CheckpointError> {
        if self.unknown_callers == UnknownCallers::Kept {
            return Ok(());
        }
        self.connection.execute(
            &format!(
                "INSERT INTO temp.dropped SELECT id FROM calls
                 WHERE id > ?1 AND customer IN (SELECT id FROM customers WHERE {UNKNOWN})"
            ),
            [self.before],
        )?;
        self.connection.execute(
            "INSERT INTO temp.late (file, line, number, kind, reason, raw)
             SELECT file, line, id, 'customer', ?1, (SELECT content FROM raw_rows WHERE call = calls.id)
             FROM calls WHERE id IN temp.dropped",
            [REASON],
        )?;
        self.refuse_their_legs()?;
        self.figures.unknown_callers += self.drop_of_run()?;
        Ok(())
    }

    /// What joined such a call is rejected with it.
    fn refuse_their_legs(&mut self) -> Result<(), CheckpointError> {
        if self.records == 0 {
            return Ok(());
        }
        let led: Vec<Led> = self
            .connection
            .prepare(
                "SELECT root, standing, path, line FROM temp.leg_counts JOIN calls ON calls.id = call
                 JOIN files ON files.id = calls.file WHERE call IN temp.dropped",
            )?
            .query_map([], |row| {
                Ok(Led { root: row.get(0)?, standing: row.get(1)?, path: row.get(2)?, line: row.get(3)? })
            })?
            .collect::<Result<_, _>>()?;
        for Led { root, standing, path, line } in led {
            let reason = format!(
                "its call is told of by {path}:{line}, which is rejected: mend that row and take both"
            );
            let rejected = self
                .connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO temp.late (file, line, number, kind, reason, faults, raw)
                     SELECT file, line, content, 'astray', ?3, CASE WHEN whole THEN NULL ELSE body END, raw
                     FROM temp.records WHERE root = ?1 AND id <> ?2 AND NOT wrong AND gone <> 2",
                )?
                .execute(params![root, standing, reason])? as u64;
            self.figures.astray += rejected;
            self.figures.repeats -= rejected;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        call::{Call, CallGroup, CallKey, CallRecord, Leg},
        checkpoint::{
            Checkpoint, StagedCall, StagedFigures, StagedRecord,
            numbers::tests::of,
            stage::tests::{fresh, land, load},
        },
    };

    fn load_strictly(checkpoint: &mut Checkpoint, calls: &[Call]) -> StagedFigures {
        let mut stager = checkpoint.stage(1).unwrap();
        stager.reject_unknown_callers();
        let file = stager.file("a.csv").unwrap();
        for (line, call) in (2..).zip(calls) {
            stager.add(StagedCall::new(call.clone(), 100, Some("row".into())), file, line).unwrap();
        }
        let figures = stager.sort(None).unwrap();
        stager.keep(None).unwrap();
        figures
    }

    fn late(checkpoint: &Checkpoint) -> Vec<(u64, String)> {
        let rows = checkpoint.late_rows().of_file("a.csv", (0, i64::MIN), 99).unwrap();
        rows.into_iter().map(|row| (row.line, row.rejection.to_string())).collect()
    }

    #[test]
    fn a_row_is_rejected_only_where_nothing_knows_its_number() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [
            of("1", None, Some("+15550100")),
            of("2", None, Some("+15550101")),
            of("3", Some("jo@example.com"), Some("+15550100")),
        ];
        let figures = load_strictly(&mut checkpoint, &rows);
        assert_eq!((figures.unknown_callers, checkpoint.open_calls().unwrap()), (1, 2));
        let told = late(&checkpoint);
        assert!(
            told.len() == 1 && told[0].0 == 3 && told[0].1.contains("`customer.unknown` is `reject`"),
            "{told:?}"
        );
        let raw = &checkpoint.late_rows().of_file("a.csv", (0, i64::MIN), 9).unwrap()[0].raw;
        assert_eq!(raw.as_deref(), Some("row"));
        let sql = "SELECT COUNT(*) FROM customers WHERE phone = '+15550101'";
        let left: i64 = checkpoint.connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "nothing of it stays");
    }

    #[test]
    fn what_an_earlier_run_staged_sent_or_made_is_not_rejected() {
        let (_folder, mut checkpoint) = fresh();
        let known = [of("1", None, Some("+15550100")), of("2", None, Some("+15550101"))];
        load(&mut checkpoint, "a.csv", &known, None);
        let figures = load_strictly(&mut checkpoint, &known);
        assert_eq!((figures.unknown_callers, checkpoint.open_calls().unwrap()), (0, 2));
        land(&checkpoint);
        checkpoint
            .connection
            .execute("UPDATE customers SET helpscout_id = 7, confirmed = 1 WHERE id = 1", [])
            .unwrap();
        let more = [of("3", None, Some("+15550100")), of("4", None, Some("+15550102"))];
        let figures = load_strictly(&mut checkpoint, &more);
        assert_eq!((figures.unknown_callers, checkpoint.open_calls().unwrap()), (1, 1));
        assert_eq!(load_strictly(&mut checkpoint, &known).already_imported, 2);
    }

    #[test]
    fn legs_of_a_rejected_call_are_rejected_with_it() {
        let (_folder, mut checkpoint) = fresh();
        let mut stager = checkpoint.stage(1).unwrap();
        stager.reject_unknown_callers();
        let file = stager.file("a.csv").unwrap();
        for (line, id) in [(2, "a"), (3, "b"), (4, "c")] {
            let call = of(id, None, Some("+15550100"));
            let leg = Leg { started_at: Some(call.started_at), told: format!("leg {id}"), agent: None };
            let (group, key) = (CallGroup::new("", "a", false), Some(CallKey::from_id("", id)));
            let record = CallRecord { group, key, updated_at: None, leg, call: Ok(call), is_wrong: false };
            stager.add_record(&StagedRecord::new(record, 100, None), file, line).unwrap();
        }
        let figures = stager.sort(None).unwrap();
        stager.keep(None).unwrap();
        assert_eq!((figures.unknown_callers, figures.astray, figures.repeats), (1, 2, 0));
        let told = late(&checkpoint);
        assert!(told[0].1.contains("`customer.unknown`"), "{told:?}");
        assert!(
            told.len() == 3 && told[1..].iter().all(|(_, why)| why.contains("a.csv:2, which is rejected")),
            "{told:?}"
        );
        assert_eq!(checkpoint.open_calls().unwrap(), 0);
    }
}
