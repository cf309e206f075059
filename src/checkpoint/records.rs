//! Joining the records of a call.
//!
//! Records that may share a call are kept aside, in a temporary table, until all are there: only then is it known which of
//! them stands for the call. It goes on like any other row, with the lines of the others in its text; memory stays flat
//! however many there are, because the database sorts them in files.
//!
//! What was joined is entered in `call_keys` beside the call's own key (see [`super::second_keys`]).

use rusqlite::{OptionalExtension, params};

use super::{
    CheckpointError, StagedCall, StagedRecord, Stager, record_form, second_keys::KnownCall, stage::StagedRow,
    staged_record::RecordState,
};
use crate::call::{Call, CallKey, Leg, MOST_LEGS, Moment, join_legs};

/// Made for every run that stages; without records they stay empty.
///
/// * `records.gone`: another one says the same, or says it of the same id and is newer (1); or it is rejected alone (2).
/// * `records.barred`: it names somebody who is barred, so that the rows of its call are left out.
/// * `aliases`: second keys of calls, to be entered when it stands which calls are kept; `is_own` where it is the key of a
///   leg's id, which a call that has it keeps.
pub(super) const TABLES: &str = "
DROP TABLE IF EXISTS temp.records; DROP TABLE IF EXISTS temp.record_groups; DROP TABLE IF EXISTS temp.aliases;
DROP TABLE IF EXISTS temp.leg_counts;
CREATE TEMP TABLE records (
  id INTEGER PRIMARY KEY, root BLOB, alias BLOB, value TEXT, is_root INTEGER, implied INTEGER, key BLOB, named INTEGER,
  file INTEGER, line INTEGER, started_at INTEGER, updated_at INTEGER, content INTEGER, whole INTEGER, wrong INTEGER,
  size INTEGER, told TEXT, agent TEXT, body TEXT, raw TEXT, gone INTEGER DEFAULT 0,
  barred INTEGER
);
CREATE TEMP TABLE record_groups (id INTEGER PRIMARY KEY, root BLOB);
CREATE TEMP TABLE aliases (key BLOB, call INTEGER, call_key BLOB, is_own INTEGER);
CREATE TEMP TABLE leg_counts (call INTEGER PRIMARY KEY, legs INTEGER, root BLOB, standing INTEGER);
";

/// A row that names no group goes to the group of another with its id. Of the records of one id the newest stands, but no
/// leg stands for a whole call: each of the two looks at the first entry of its index. Groups are taken in the order in which
/// the input first tells of them.
const PREPARE: &str = "
CREATE INDEX temp.records_in_group ON records (key, id) WHERE named AND NOT implied;
UPDATE temp.records AS alone SET root = joined.root, alias = joined.alias, value = joined.value, is_root = 0
  FROM temp.records AS joined WHERE alone.implied AND joined.root <> alone.root AND joined.id = (
    SELECT id FROM temp.records WHERE named AND NOT implied AND key = alone.key ORDER BY id LIMIT 1);
DROP INDEX temp.records_in_group;
CREATE INDEX temp.records_by_key ON records (root, key, updated_at DESC, id DESC) WHERE NOT wrong;
CREATE INDEX temp.records_by_state ON records (root, key, updated_at DESC, id DESC) WHERE whole;
CREATE INDEX temp.records_by_content ON records (root, content);
UPDATE temp.records AS old SET gone = 1 WHERE named AND updated_at IS NOT NULL AND whole AND id <> (
  SELECT id FROM temp.records AS newest WHERE newest.root = old.root AND newest.key = old.key AND newest.whole
    ORDER BY updated_at DESC, id DESC LIMIT 1);
UPDATE temp.records AS old SET gone = 1 WHERE named AND updated_at IS NOT NULL AND NOT whole AND id <> (
  SELECT id FROM temp.records AS newest WHERE newest.root = old.root AND newest.key = old.key AND NOT newest.wrong
    ORDER BY updated_at DESC, id DESC LIMIT 1);
UPDATE temp.records AS again SET gone = 1 WHERE NOT gone AND EXISTS (
  SELECT 1 FROM temp.records AS first WHERE first.root = again.root AND first.content = again.content
    AND first.id < again.id AND NOT first.gone);
INSERT INTO temp.record_groups (root) SELECT root FROM temp.records GROUP BY root ORDER BY MIN(id);
";

/// Groups fetched at a time.
const PAGE: u32 = 1_000;

/// What joining needs of a group.
pub(super) struct Group {
    pub(super) root: CallKey,
    pub(super) alias: CallKey,
    pub(super) value: String,
    pub(super) rows: u64,
    /// Whether a record has the group as its id and is a whole call.
    pub(super) has_root: bool,
    /// Whether one has it as its id and is none.
    pub(super) has_broken_root: bool,
    /// Whether one is rejected whatever the others say.
    pub(super) has_wrong: bool,
    /// How many name somebody who is barred.
    barred: u64,
}

/// The record that stands for the call.
pub(super) struct StandingRecord {
    pub(super) id: i64,
    pub(super) key: CallKey,
    pub(super) named: bool,
    pub(super) implied: bool,
    pub(super) content: i64,
    pub(super) call: Call,
    pub(super) file: i64,
    pub(super) line: u64,
    pub(super) size: u32,
    pub(super) raw: Option<String>,
}

impl Stager<'_> {
    /// Keeps a record, whose row begins at `line` of `file`, until all are there.
    ///
    /// `false` where its person is barred: the rows of its call are left out.
    pub fn add_record(
        &mut self,
        record: &StagedRecord,
        file: i64,
        line: u64,
    ) -> Result<bool, CheckpointError> {
        let is_barred = self.bars_record(record);
        self.connection
            .prepare_cached(
                "INSERT INTO temp.records (root, alias, value, is_root, implied, key, named, file, line, started_at,
                   updated_at, content, whole, wrong, size, told, agent, body, raw, barred)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
            )?
            .execute(params![
                record.group.root.to_bytes(),
                record.group.alias.to_bytes(),
                record.group.value,
                record.is_root,
                record.group.implied,
                record.key.map(CallKey::to_bytes),
                record.named,
                file,
                line,
                record.started_at.map(Moment::epoch_seconds),
                record.updated_at,
                record.content,
                record.state == RecordState::Whole,
                record.state == RecordState::Wrong,
                record.size,
                record.leg.told,
                record.leg.agent,
                record.body,
                record.raw,
                is_barred,
            ])?;
        self.records += 1;
        Ok(!is_barred)
    }

    fn bars_record(&self, record: &StagedRecord) -> bool {
        record.is_barred
            || self.bars_anybody()
                && record_form::customer_of(&record.body).is_some_and(|customer| self.bars(&customer))
    }

    /// Makes calls of the records, and tells of those that no call is there for.
    pub(super) fn join_records(&mut self) -> Result<(), CheckpointError> {
        if self.records == 0 {
            return Ok(());
        }
        self.connection.execute_batch(PREPARE)?;
        let mut after = 0;
        loop {
            let page = self.groups(after)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (_, root) in page {
                self.join_group(root)?;
            }
        }
    }

    fn groups(&self, after: i64) -> rusqlite::Result<Vec<(i64, CallKey)>> {
        self.connection
            .prepare_cached("SELECT id, root FROM temp.record_groups WHERE id > ?1 ORDER BY id LIMIT ?2")?
            .query_map(params![after, PAGE], |row| Ok((row.get(0)?, CallKey::from_bytes(row.get(1)?))))?
            .collect()
    }

    fn join_group(&mut self, root: CallKey) -> Result<(), CheckpointError> {
        let mut group = self.group(root)?;
        if group.barred > 0 {
            self.figures.barred += group.rows;
            return Ok(());
        }
        group.rows -= self.reject_wrong(&group)?;
        if group.rows == 0 {
            return Ok(());
        }
        let call = self.known_as(&group)?;
        match (self.standing(&group, call.as_ref())?, call) {
            (Some(standing), call) => self.stand(&group, standing, call.is_some_and(|call| call.landed)),
            (None, Some(call)) => self.belongs_to_known(&group, &call),
            (None, None) => self.send_astray(&group),
        }
    }

    fn group(&self, root: CallKey) -> rusqlite::Result<Group> {
        self.connection
            .prepare_cached(
                "SELECT alias, value, COUNT(*), MAX(is_root AND whole AND NOT gone), MAX(is_root AND NOT whole AND NOT gone),
                   MAX(wrong), SUM(barred)
                 FROM temp.records WHERE root = ?1",
            )?
            .query_row([root.to_bytes()], |row| {
                Ok(Group {
                    root,
                    alias: CallKey::from_bytes(row.get(0)?),
                    value: row.get(1)?,
                    rows: row.get(2)?,
                    has_root: row.get(3)?,
                    has_broken_root: row.get(4)?,
                    has_wrong: row.get(5)?,
                    barred: row.get(6)?,
                })
            })
    }

    /// The record that stands for the group: the one with its id, else the earliest, else the first. Of a call that is known
    /// only its own row does; and where the row with the group's id is at fault, none, since mended it is another call.
    fn standing(
        &self,
        group: &Group,
        known: Option<&KnownCall>,
    ) -> Result<Option<StandingRecord>, CheckpointError> {
        if group.has_broken_root && !group.has_root {
            return Ok(None);
        }
        let only = known.map(|known| known.stored.map(|(_, key)| key.to_bytes()).unwrap_or_default());
        let found = self
            .connection
            .prepare_cached(
                "SELECT id, key, named, implied, content, file, line, size, raw, body, started_at, updated_at
                 FROM temp.records WHERE root = ?1 AND whole AND NOT gone AND (?2 IS NULL OR key = ?2 OR hidden(key) = ?2)
                 ORDER BY is_root DESC, started_at, id LIMIT 1",
            )?
            .query_row(params![group.root.to_bytes(), only], read_standing)
            .optional()?;
        Ok(found)
    }

    /// One record stands for the call, the others are its legs.
    fn stand(
        &mut self,
        group: &Group,
        standing: StandingRecord,
        has_landed: bool,
    ) -> Result<(), CheckpointError> {
        let conflicts = if standing.implied { self.refuse_namesakes(group, &standing)? } else { 0 };
        let legs = group.rows - 1 - conflicts;
        let StandingRecord { id, key, named, content, file, line, raw, mut call, mut size, .. } = standing;
        let lines = self.legs(group, id)?;
        let told = join_legs(&call.text, call.started_at, &lines.told, lines.more);
        size = size.saturating_add(json_size(&told)).saturating_sub(json_size(&call.text));
        call.text = told;
        let call = self.add_row(StagedRow { staged: StagedCall::new(call, size, raw), file, line })?;
        self.figures.repeats += legs;
        if legs > 0 {
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO temp.leg_counts VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![call, legs, group.root.to_bytes(), id])?;
        }
        let call_key = named.then(|| key.to_bytes());
        if key != group.root {
            self.alias(group.alias, call, call_key)?;
        }
        if !named {
            self.alias(CallKey::of_leg(group.alias, content), call, call_key)?;
        }
        if !has_landed {
            for content in lines.contents {
                self.alias(CallKey::of_leg(group.alias, content), call, call_key)?;
            }
        }
        Ok(self.take_over_ids(group, call, call_key)?)
    }

    /// The lines of a group's other records, in the order of time.
    fn legs(&self, group: &Group, standing: i64) -> rusqlite::Result<Lines> {
        let mut lines = Lines { told: Vec::new(), contents: Vec::new(), more: 0 };
        if group.rows == 1 {
            return Ok(lines);
        }
        let mut records = self.connection.prepare_cached(
            "SELECT started_at, told, agent, content FROM temp.records WHERE root = ?1 AND id <> ?2 AND NOT gone AND NOT wrong
             ORDER BY started_at IS NULL, started_at, told, content",
        )?;
        let mut rows = records.query(params![group.root.to_bytes(), standing])?;
        while let Some(row) = rows.next()? {
            if lines.told.len() == MOST_LEGS {
                lines.more += 1;
                continue;
            }
            let started_at: Option<i64> = row.get(0)?;
            lines.told.push(Leg {
                started_at: started_at.and_then(Moment::from_epoch_seconds),
                told: row.get(1)?,
                agent: row.get(2)?,
            });
            lines.contents.push(row.get(3)?);
        }
        Ok(lines)
    }

    /// Records of a call that an earlier run made, whose own row is not among them. What they add is not in its text.
    fn belongs_to_known(&mut self, group: &Group, call: &KnownCall) -> Result<(), CheckpointError> {
        let rejected = self.reject_group(group, true, None)?;
        // Of a call that was found in the account it is not known what is in its text.
        if let Some((number, _)) = call.stored {
            if self.any_unknown_leg(group)? {
                self.figures.changed += 1;
            }
            self.take_over_ids(group, number, None)?;
        }
        self.figures.repeats += group.rows - rejected;
        Ok(())
    }

    /// How many legs the calls have that `temp.dropped` names.
    pub(super) fn legs_of_dropped(&self) -> rusqlite::Result<u64> {
        self.connection.query_row(
            "SELECT COALESCE(SUM(legs), 0) FROM temp.leg_counts WHERE call IN temp.dropped",
            [],
            |row| row.get(0),
        )
    }
}

/// What the legs add to a text, and what each is known by.
struct Lines {
    told: Vec<Leg>,
    contents: Vec<i64>,
    more: u64,
}

fn read_standing(row: &rusqlite::Row<'_>) -> rusqlite::Result<StandingRecord> {
    let key = CallKey::from_bytes(row.get(1)?);
    let body: String = row.get(9)?;
    let impossible =
        |column| rusqlite::Error::InvalidColumnType(column, body.clone(), rusqlite::types::Type::Text);
    let started_at = Moment::from_epoch_seconds(row.get(10)?).ok_or_else(|| impossible(10))?;
    let call = record_form::read_call(&body, key, started_at, row.get(11)?).map_err(|_| impossible(9))?;
    Ok(StandingRecord {
        id: row.get(0)?,
        key,
        named: row.get(2)?,
        implied: row.get(3)?,
        content: row.get(4)?,
        call,
        file: row.get(5)?,
        line: row.get(6)?,
        size: row.get(7)?,
        raw: row.get(8)?,
    })
}

/// The bytes that `text` takes within JSON.
fn json_size(text: &str) -> u32 {
    let size = serde_json::to_string(text).map_or(text.len(), |json| json.len());
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        call::{CallGroup, CallRecord, Fault, FaultKind, Identity, Rejection},
        checkpoint::{
            Checkpoint, StagedFigures,
            claims::tests::{found, recover},
            stage::tests::{call, fresh, land, nameless, texts},
        },
    };

    const START: i64 = 1_600_000_000;

    fn start(seconds: i64) -> Moment {
        Moment::from_epoch_seconds(START + seconds).unwrap()
    }

    /// A whole record that begins so many seconds later.
    fn record(id: &str, group: &str, seconds: i64) -> CallRecord {
        let key = Some(CallKey::from_id("", id));
        let leg = Leg { started_at: Some(start(seconds)), told: format!("leg {id}"), agent: None };
        let call = Call { started_at: start(seconds), ..call(id, &format!("{id}\n\u{2}\u{1}\n\n\0")) };
        let group = CallGroup::new("", group, false);
        CallRecord { group, key, updated_at: None, leg, call: Ok(call), is_wrong: false }
    }

    /// The same without a customer.
    fn lacking(id: &str, group: &str, seconds: i64) -> CallRecord {
        let fault = Fault::new(FaultKind::Customer, "no customer");
        CallRecord { call: Err(Rejection::one(fault)), ..record(id, group, seconds) }
    }

    /// The same as a row that names no group has it.
    fn implied(id: &str, seconds: i64) -> CallRecord {
        CallRecord { group: CallGroup::new("", id, true), ..record(id, id, seconds) }
    }

    fn updated(record: CallRecord, at: i64) -> CallRecord {
        CallRecord { updated_at: Some(at), ..record }
    }

    /// The same as a row without an id has it.
    fn without_id(record: CallRecord) -> CallRecord {
        let identity = Identity { id: None, key: nameless("x").identity.key };
        let call = record.call.map(|call| Call { identity, ..call });
        CallRecord { key: None, call, ..record }
    }

    fn load(checkpoint: &mut Checkpoint, records: &[CallRecord], limit: Option<u64>) -> StagedFigures {
        let mut stager = checkpoint.stage(1).unwrap();
        let file = stager.file("a.csv").unwrap();
        for (line, record) in (2..).zip(records) {
            stager.add_record(&StagedRecord::new(record.clone(), 100, None), file, line).unwrap();
        }
        let figures = stager.sort(limit).unwrap();
        stager.keep(None).unwrap();
        figures
    }

    fn late(checkpoint: &Checkpoint) -> Vec<(u64, String)> {
        let rows = checkpoint.late_rows().of_file("a.csv", (0, i64::MIN), 99).unwrap();
        rows.into_iter().map(|row| (row.line, row.rejection.to_string())).collect()
    }

    #[test]
    fn the_row_with_the_groups_id_stands_and_the_others_are_its_lines_in_the_order_of_time() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [lacking("c", "a", 90), record("b", "a", -5), record("a", "a", 0), lacking("c", "a", 90)];
        let figures = load(&mut checkpoint, &rows, None);
        assert_eq!((figures.repeats, figures.astray, figures.conflicts), (3, 0, 0));
        let told = "a\nLegs:\n12:26:35 UTC · leg b\n12:28:10 UTC · leg c\n\n\0";
        assert_eq!(texts(&checkpoint), [told]);
        assert_eq!(checkpoint.sheet_counts(figures.before).unwrap().pending, 1);
    }

    #[test]
    fn rows_that_all_bear_the_groups_id_are_legs_of_the_earliest() {
        let (_folder, mut checkpoint) = fresh();
        let figures = load(&mut checkpoint, &[record("a", "a", 60), record("a", "a", 0)], None);
        assert_eq!((figures.repeats, figures.conflicts), (1, 0));
        assert_eq!(texts(&checkpoint), ["a\nLegs:\n12:27:40 UTC · leg a\n\n\0"]);
        let (_folder, mut checkpoint) = fresh();
        let rows = [updated(record("a", "a", 0), 1), updated(record("a", "a", 60), 2)];
        let figures = load(&mut checkpoint, &rows, None);
        assert_eq!((figures.repeats, texts(&checkpoint)), (1, vec!["a\n\0".to_owned()]), "the newest wins");
    }

    #[test]
    fn rows_that_name_no_group_are_joined_by_those_that_name_them_and_else_by_none() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [implied("a", 0), lacking("b", "a", 1), implied("c", 0), implied("c", 9)];
        let figures = load(&mut checkpoint, &rows, None);
        assert_eq!((figures.repeats, figures.conflicts), (1, 1));
        assert_eq!(texts(&checkpoint), ["a\nLegs:\n12:26:41 UTC · leg b\n\n\0", "c\n\0"]);
        assert!(late(&checkpoint)[0].1.contains("a.csv:4"), "{:?}", late(&checkpoint));
    }

    #[test]
    fn legs_whose_call_is_not_there_are_rejected_with_their_own_reasons() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [lacking("b", "a", 1), lacking("c", "a", 2), lacking("b", "a", 1)];
        let figures = load(&mut checkpoint, &rows, None);
        assert_eq!((figures.astray, figures.repeats), (3, 0));
        let told = late(&checkpoint);
        assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(told.iter().all(|(_, why)| why.starts_with("no customer; its call is not in")), "{told:?}");
        // A whole one stands where no better is there.
        load(&mut checkpoint, &[lacking("b", "a", 1), record("c", "a", 2)], None);
        assert_eq!(texts(&checkpoint), ["c\nLegs:\n12:26:41 UTC · leg b\n\n\0"]);
    }

    #[test]
    fn no_leg_stands_for_a_call_whose_row_is_at_fault() {
        for is_wrong in [false, true] {
            let (_folder, mut checkpoint) = fresh();
            let root = CallRecord { is_wrong, ..lacking("a", "a", 0) };
            let rows = [root.clone(), record("b", "a", 1)];
            let figures = load(&mut checkpoint, &rows, None);
            assert_eq!((figures.astray, figures.repeats), (2, 0));
            let told = late(&checkpoint);
            assert_eq!(told[0].1, "no customer");
            assert!(told[1].1.contains("told of by a.csv:2, which is rejected"), "{told:?}");
            let figures = load(&mut checkpoint, &[root, record("a", "a", 9), record("b", "a", 1)], None);
            let wrong = u64::from(is_wrong);
            assert_eq!((figures.astray, figures.repeats), (wrong, 2 - wrong), "another row stands");
        }
    }

    #[test]
    fn a_leg_that_comes_in_a_later_run_is_never_a_call_of_its_own() {
        // By its id (`a`), or by its group where that is no call's id (`s`).
        for group in ["a", "s"] {
            let (_folder, mut checkpoint) = fresh();
            let first = [record("a", group, 0), record("b", group, 5)];
            load(&mut checkpoint, &first, None);
            land(&checkpoint);
            let again = load(&mut checkpoint, &first, None);
            assert_eq!((again.already_imported, again.repeats, again.changed), (1, 1, 0), "{group}");
            let leg = load(&mut checkpoint, &first[1..], None);
            assert_eq!((leg.repeats, leg.changed), (1, 0), "{group}: it is in the call's text");
            let new = load(&mut checkpoint, &[record("c", group, 7), lacking("d", group, 8)], None);
            assert_eq!((new.repeats, new.changed, new.astray), (2, 1, 0), "{group}");
            let earlier = load(&mut checkpoint, &[record("0", group, -9)], None);
            assert_eq!((earlier.repeats, earlier.changed), (1, 1), "{group}");
            let all = load(&mut checkpoint, &[record("a", group, 0), record("c", group, 7)], None);
            assert_eq!((all.already_imported, all.repeats, all.changed), (1, 1, 1), "{group}");
            let calls: u64 =
                checkpoint.connection.query_row("SELECT COUNT(*) FROM calls", [], |row| row.get(0)).unwrap();
            assert_eq!(calls, 1, "{group}");
        }
    }

    #[test]
    fn a_leg_is_known_by_its_id_where_a_row_of_it_names_no_group() {
        for (group, is_forgotten) in [("a", false), ("s", false), ("a", true), ("s", true)] {
            let (_folder, mut checkpoint) = fresh();
            let rows = [implied("b", 5), record("a", group, 0), record("b", group, 5)];
            let figures = load(&mut checkpoint, &rows, None);
            assert_eq!((checkpoint.open_calls().unwrap(), figures.repeats), (1, 2), "{group}");
            land(&checkpoint);
            if is_forgotten {
                checkpoint.forget_imported().unwrap();
            }
            let again = load(&mut checkpoint, &rows, None);
            assert_eq!((again.already_imported, again.repeats, again.changed), (1, 2, 0), "{group}");
            let leg = load(&mut checkpoint, &rows[..1], None);
            assert_eq!((leg.repeats, checkpoint.open_calls().unwrap()), (1, 0), "{group}");
            let late = load(&mut checkpoint, &[lacking("c", group, 9)], None);
            assert_eq!((late.repeats, late.changed), (1, 1), "{group}");
            load(&mut checkpoint, &[implied("c", 9)], None);
            assert_eq!(checkpoint.open_calls().unwrap(), 0, "{group}");
        }
    }

    #[test]
    fn a_row_that_was_a_call_of_its_own_stays_one_when_its_group_comes() {
        for landed in [false, true] {
            let (_folder, mut checkpoint) = fresh();
            load(&mut checkpoint, &[implied("b", 5)], None);
            if landed {
                land(&checkpoint);
            }
            let rows = [record("a", "a", 0), record("b", "a", 5)];
            let figures = load(&mut checkpoint, &rows, None);
            let calls = u64::from(!landed);
            assert_eq!((figures.repeats, checkpoint.open_calls().unwrap()), (1, calls), "{landed}");
            land(&checkpoint);
            load(&mut checkpoint, &rows, None);
            load(&mut checkpoint, &rows[..1], None);
            assert_eq!(checkpoint.open_calls().unwrap(), 0);
        }
    }

    #[test]
    fn a_refused_call_lets_go_of_its_legs() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, &[record("a", "a", 0), record("b", "a", 5)], None);
        land(&checkpoint);
        checkpoint.connection.execute("UPDATE requests SET state = 3", []).unwrap();
        load(&mut checkpoint, &[implied("b", 5)], None);
        assert_eq!(texts(&checkpoint), ["a\nLegs:\n12:26:45 UTC · leg b\n\n\0", "b\n\0"]);
        assert_eq!(checkpoint.open_calls().unwrap(), 1);
    }

    #[test]
    fn a_call_without_an_id_is_known_by_its_group() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [without_id(record("a", "s", 0)), without_id(record("b", "t", 0)), lacking("c", "t", 3)];
        load(&mut checkpoint, &rows, None);
        assert_eq!(checkpoint.open_calls().unwrap(), 2);
        let again = load(&mut checkpoint, &rows, None);
        assert_eq!((checkpoint.open_calls().unwrap(), again.astray), (2, 0));
        land(&checkpoint);
        let again = load(&mut checkpoint, &rows, None);
        assert_eq!((again.already_imported + again.repeats, again.changed), (3, 0));
        let other = load(&mut checkpoint, &rows[2..], None);
        assert_eq!((other.repeats, other.changed), (1, 0));
    }

    #[test]
    fn a_call_that_waits_takes_its_legs_with_its_row() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, &[record("a", "a", 0)], None);
        load(&mut checkpoint, &[record("a", "a", 0), lacking("b", "a", 5)], None);
        assert_eq!(texts(&checkpoint), ["a\nLegs:\n12:26:45 UTC · leg b\n\n\0"]);
    }

    #[test]
    fn a_refused_call_gives_way_to_another_of_its_records() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, &[record("b", "a", 0)], None);
        land(&checkpoint);
        checkpoint.connection.execute("UPDATE requests SET state = 3", []).unwrap();
        load(&mut checkpoint, &[record("a", "a", 0)], None);
        assert_eq!(checkpoint.open_calls().unwrap(), 1);
        land(&checkpoint);
        checkpoint.connection.execute("UPDATE requests SET state = 1", []).unwrap();
        let leg = load(&mut checkpoint, &[lacking("c", "a", 4)], None);
        assert_eq!((leg.repeats, leg.changed), (1, 1));
    }

    #[test]
    fn a_call_that_was_recovered_keeps_its_legs_from_becoming_calls() {
        let (_folder, mut checkpoint) = fresh();
        recover(&mut checkpoint, &[found(501, &["Ref: a"])]);
        let leg = load(&mut checkpoint, &[record("b", "a", 1)], None);
        assert_eq!((checkpoint.open_calls().unwrap(), leg.repeats, leg.changed), (0, 1, 0));
        let both = [record("a", "a", 0), record("b", "a", 1)];
        let all = load(&mut checkpoint, &both, None);
        assert_eq!((checkpoint.open_calls().unwrap(), all.already_imported, all.repeats), (0, 1, 1));
        let leg = load(&mut checkpoint, &both[1..], None);
        assert_eq!((leg.repeats, leg.changed, checkpoint.open_calls().unwrap()), (1, 0, 0));
    }

    #[test]
    fn a_limit_leaves_out_a_call_with_its_legs() {
        let (_folder, mut checkpoint) = fresh();
        let rows = [record("a", "a", 0), record("x", "x", 5), record("y", "x", 6), record("b", "a", 1)];
        let figures = load(&mut checkpoint, &rows, Some(1));
        assert_eq!((figures.repeats, figures.left_out), (1, 2));
        let figures = load(&mut checkpoint, &rows, None);
        assert_eq!((checkpoint.open_calls().unwrap(), figures.repeats), (2, 2));
    }

    #[test]
    fn a_call_with_very_many_legs_stays_readable() {
        let (_folder, mut checkpoint) = fresh();
        let rows: Vec<CallRecord> = (0..300).map(|at| record(&at.to_string(), "0", at)).collect();
        load(&mut checkpoint, &rows, None);
        let text = &texts(&checkpoint)[0];
        assert!(text.contains("leg 100\nand 199 more\n"), "{text}");
    }

    /// The words of `text` that are calls: what stands before the slot, and in each line of a leg.
    fn ids_of(text: &str) -> BTreeSet<String> {
        let legs = text.lines().filter_map(|line| line.split_once("leg ")).map(|(_, id)| id.to_owned());
        text.lines().next().map(str::to_owned).into_iter().chain(legs).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// In whatever order the rows come, the calls, their texts and the figures are the same; every row is accounted for.
        #[test]
        fn what_is_joined_does_not_depend_on_the_order(
            shape in proptest::collection::vec((0_u8..5, 0_u8..12, 0_u8..4), 1..40),
            seed: u64,
        ) {
            let rows: Vec<CallRecord> = (0_i64..)
                .zip(&shape)
                .map(|(at, (group, id, kind))| {
                    let group = group.to_string();
                    // The same id in two groups is a conflict, of which the first row stays.
                    let id = if *id == 0 { group.clone() } else { format!("{group}.{id}") };
                    match kind {
                        0 => lacking(&id, &group, at),
                        1 => CallRecord { is_wrong: id == group, ..lacking(&id, &group, at) },
                        _ => record(&id, &group, at),
                    }
                })
                .collect();
            let (_a, mut straight) = fresh();
            let first = load(&mut straight, &rows, None);
            let mut shuffled = rows.clone();
            fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
            let (_b, mut other) = fresh();
            prop_assert_eq!(load(&mut other, &shuffled, None), first);
            prop_assert_eq!(texts(&straight), texts(&other));
            let waiting = straight.open_calls().unwrap();
            prop_assert_eq!(
                waiting + first.repeats + first.astray + first.conflicts,
                rows.len() as u64
            );
            for text in texts(&straight) {
                prop_assert!(!text.contains(['\u{1}', '\u{2}']), "{:?}", text);
                prop_assert!(!ids_of(&text).is_empty());
            }
            // Again nothing new is there, nor in a part of it where no leg waits for its call.
            land(&straight);
            load(&mut straight, &shuffled, None);
            if first.astray == 0 {
                load(&mut straight, &shuffled[shuffled.len() / 2..], None);
            }
            prop_assert_eq!(straight.open_calls().unwrap(), 0);
        }
    }
}
