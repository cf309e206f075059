//! A few calls that wait, as different from each other as they are few: a person who looks at three wants to see three
//! lines, three results, three years.
//!
//! A call does not keep its line and its result, only its text. Where a sample is asked for, each row's are noted beside the
//! file while rows are loaded, as digests; what does not wait in the end has no part in it.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::{Checkpoint, CheckpointError, PreviewedCall, Stager};
use crate::call::Moment;

/// So many kinds are told apart; a log in which nearly every call is of its own kind needs no more.
const MOST_KINDS: usize = 4_096;

const NOTES: &str = "CREATE TEMP TABLE IF NOT EXISTS kinds (
  file INTEGER NOT NULL, line INTEGER NOT NULL, fingerprint INTEGER NOT NULL, own_line INTEGER NOT NULL,
  result INTEGER NOT NULL, PRIMARY KEY (file, line, fingerprint)
) STRICT, WITHOUT ROWID";

/// The company's line and the result of a row's call, as digests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowKind {
    /// The line.
    pub own_line: i64,
    /// The result.
    pub result: i64,
}

/// What calls have in common that are alike to who looks: line, result and year.
type Kind = (i64, i64, i64);

/// The first calls of a kind, and how many there are.
#[derive(Debug, Default)]
struct Alike {
    count: u64,
    first: Vec<i64>,
}

impl Stager<'_> {
    /// Takes note of what the row at `line` of `file` tells, whose text has this fingerprint (none where rows are joined).
    pub fn note_kind(
        &mut self,
        file: i64,
        line: u64,
        fingerprint: Option<i64>,
        kind: RowKind,
    ) -> Result<(), CheckpointError> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO temp.kinds VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![file, line, fingerprint.unwrap_or_default(), kind.own_line, kind.result])?;
        Ok(())
    }

    /// Prepares for [`Stager::note_kind`].
    pub fn note_kinds(&mut self) -> Result<(), CheckpointError> {
        Ok(self.connection.execute_batch(NOTES)?)
    }
}

impl Checkpoint {
    /// Of the calls that wait `most`, spread over lines, results and years as far as their rows were noted; the earliest
    /// first.
    pub fn sample(&self, most: u32) -> Result<Vec<PreviewedCall>, CheckpointError> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let c = &self.connection;
        c.execute_batch(NOTES)?;
        let mut chosen = choose(&kinds(c, most as usize)?, most as usize);
        chosen.sort_unstable();
        let mut calls = chosen.iter().map(|id| previewed(c, *id)).collect::<Result<Vec<_>, _>>()?;
        calls.sort_by(|one, other| one.started_at.cmp(&other.started_at));
        Ok(calls)
    }
}

/// The calls that wait by their kinds, at most `most` of each by name.
fn kinds(c: &Connection, most: usize) -> rusqlite::Result<BTreeMap<Kind, Alike>> {
    let mut note = c.prepare(
        "SELECT own_line, result FROM temp.kinds WHERE file = ?1 AND line = ?2 ORDER BY fingerprint <> ?3 LIMIT 1",
    )?;
    let mut calls = c.prepare(
        "SELECT id, file, line, fingerprint, started_at FROM calls NOT INDEXED WHERE request IS NULL ORDER BY id",
    )?;
    let mut kinds: BTreeMap<Kind, Alike> = BTreeMap::new();
    let mut rows = calls.query([])?;
    while let Some(row) = rows.next()? {
        let place: (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let noted = note.query_row(params![place.0, place.1, place.2], |row| Ok((row.get(0)?, row.get(1)?)));
        let (own_line, result) = noted.optional()?.unwrap_or_default();
        let kind = (own_line, result, year(row.get(4)?));
        if kinds.len() >= MOST_KINDS && !kinds.contains_key(&kind) {
            continue;
        }
        let alike = kinds.entry(kind).or_default();
        alike.count += 1;
        if alike.first.len() < most {
            alike.first.push(row.get(0)?);
        }
    }
    Ok(kinds)
}

fn year(seconds: i64) -> i64 {
    let shown = Moment::from_epoch_seconds(seconds).map(|moment| moment.to_string()).unwrap_or_default();
    shown.split('-').next().and_then(|year| year.parse().ok()).unwrap_or_default()
}

/// In rounds, in each of which every kind gives one call: first what shows most that was not shown yet, of what shows as
/// much the rarer, and of what is as rare the one that comes first.
fn choose(kinds: &BTreeMap<Kind, Alike>, most: usize) -> Vec<i64> {
    let mut chosen = Vec::new();
    let mut shown: HashSet<(u8, i64)> = HashSet::new();
    for round in 0..most {
        let mut left: Vec<(&Kind, u64, i64)> = kinds
            .iter()
            .filter_map(|(kind, alike)| Some((kind, alike.count, *alike.first.get(round)?)))
            .collect();
        if left.is_empty() {
            break;
        }
        while chosen.len() < most && !left.is_empty() {
            let news = |kind: &Kind| parts(kind).iter().filter(|part| !shown.contains(*part)).count();
            let best = (0..left.len()).min_by_key(|index| {
                (std::cmp::Reverse(news(left[*index].0)), left[*index].1, left[*index].2)
            });
            let Some(best) = best else { break };
            let (kind, _, call) = left.swap_remove(best);
            shown.extend(parts(kind));
            chosen.push(call);
        }
    }
    chosen
}

fn parts((own_line, result, year): &Kind) -> [(u8, i64); 3] {
    [(0, *own_line), (1, *result), (2, *year)]
}

fn previewed(c: &Connection, id: i64) -> rusqlite::Result<PreviewedCall> {
    c.prepare_cached(
        "SELECT source_id, key, started_at, path, line, text FROM calls JOIN files ON files.id = file
         JOIN texts ON texts.call = calls.id WHERE calls.id = ?1",
    )?
    .query_row([id], PreviewedCall::of_row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::Call,
        checkpoint::{
            StagedCall,
            stage::tests::{call, fresh},
        },
    };

    /// Loads calls with their lines, results and years.
    fn load(checkpoint: &mut Checkpoint, calls: &[(&str, i64, i64, i64)], limit: Option<u64>) {
        let mut stager = checkpoint.stage(1).unwrap();
        stager.note_kinds().unwrap();
        let file = stager.file("a.csv").unwrap();
        for (line, (id, own_line, result, year)) in (2..).zip(calls) {
            let mut call: Call = call(id, &format!("text of {id}"));
            call.started_at = Moment::parse_api(&format!("{year}-06-01T00:00:00Z")).unwrap();
            call.destination = crate::call::Destination::Grouped {
                inbox: String::new(),
                group: (*id).to_owned(),
                subject: "Calls".into(),
            };
            let row = StagedCall::new(call, 100, None);
            let fingerprint = Some(row.fingerprint);
            stager.add(row, file, line).unwrap();
            let kind = RowKind { own_line: *own_line, result: *result };
            stager.note_kind(file, line, fingerprint, kind).unwrap();
        }
        stager.sort(limit).unwrap();
        stager.keep(None).unwrap();
    }

    fn sampled(checkpoint: &Checkpoint, most: u32) -> Vec<String> {
        checkpoint.sample(most).unwrap().into_iter().filter_map(|call| call.source_id).collect()
    }

    #[test]
    fn few_calls_show_as_many_lines_results_and_years_as_they_can() {
        let (_folder, mut checkpoint) = fresh();
        let mut calls: Vec<(&str, i64, i64, i64)> =
            vec![("a", 1, 1, 2021), ("b", 1, 1, 2021), ("c", 1, 1, 2021), ("d", 1, 1, 2021)];
        calls.extend([("e", 2, 1, 2021), ("f", 2, 2, 2020), ("g", 3, 3, 2019), ("h", 1, 2, 2021)]);
        load(&mut checkpoint, &calls, None);
        assert_eq!(sampled(&checkpoint, 3), ["g", "f", "e"], "the earliest first");
        assert_eq!(sampled(&checkpoint, 5), ["g", "f", "a", "e", "h"]);
        let all = sampled(&checkpoint, 20);
        assert_eq!(all.len(), 8, "then the kinds give their second ones");
        assert_eq!(sampled(&checkpoint, 0), [""; 0]);
        assert_eq!(sampled(&checkpoint, 6).len(), 6);
    }

    #[test]
    fn only_what_would_be_sent_is_shown_and_what_was_not_noted_is_of_one_kind() {
        let (_folder, mut checkpoint) = fresh();
        let calls = [("a", 1, 1, 2020), ("b", 2, 2, 2021), ("c", 3, 3, 2022)];
        load(&mut checkpoint, &calls[..1], None);
        checkpoint
            .connection
            .execute_batch(
                "INSERT INTO requests (id, kind, state, run, queue, sent_at) VALUES (7, 0, 1, 1, 1, 0);
                 UPDATE calls SET request = 7;",
            )
            .unwrap();
        load(&mut checkpoint, &calls, None);
        assert_eq!(sampled(&checkpoint, 9), ["b", "c"], "`a` was imported");
        checkpoint.connection.execute_batch("DELETE FROM temp.kinds").unwrap();
        assert_eq!(sampled(&checkpoint, 9), ["b", "c"]);
    }
}
