//! Records that become part of no call: each is rejected alone, with its own reason.

use rusqlite::{OptionalExtension, params};

use super::{
    CheckpointError, Stager,
    records::{Group, StandingRecord},
};

impl Stager<'_> {
    /// Rows that name no group share their call with nobody: a second one with the same id and other content is at fault.
    pub(super) fn refuse_namesakes(
        &mut self,
        group: &Group,
        standing: &StandingRecord,
    ) -> Result<u64, CheckpointError> {
        let namesakes: Vec<i64> = self
            .connection
            .prepare_cached(
                "SELECT id FROM temp.records WHERE root = ?1 AND implied AND NOT gone AND id <> ?2",
            )?
            .query_map(params![group.root.to_bytes(), standing.id], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for id in &namesakes {
            let (place, raw): (_, Option<String>) = self
                .connection
                .prepare_cached("UPDATE temp.records SET gone = 2 WHERE id = ?1 RETURNING file, line, raw")?
                .query_row([id], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
            self.conflict(place, (standing.file, standing.line), raw.as_deref())?;
        }
        Ok(namesakes.len() as u64)
    }

    /// No record stands for the call: each is rejected.
    pub(super) fn send_astray(&mut self, group: &Group) -> Result<(), CheckpointError> {
        let reason = match self.broken_root(group)? {
            Some(place) => Some(format!(
                "its call is told of by {place}, which is rejected: mend that row and take both"
            )),
            // A row that is alone stands for its call by itself: what it lacks says enough.
            None if group.rows == 1 => None,
            None => Some(format!(
                "its call is not in the input: no row of the group `{}` (`call.group`) has all that a call needs",
                group.value
            )),
        };
        let mut rejected = self.reject_group(group, true, None)?;
        rejected += self.reject_group(group, false, reason.as_deref())?;
        // The rows of a file that is named twice have one place.
        self.figures.repeats += group.rows - rejected;
        Ok(())
    }

    fn broken_root(&self, group: &Group) -> rusqlite::Result<Option<String>> {
        self.connection
            .prepare_cached(
                "SELECT path, line FROM temp.records JOIN files ON files.id = file
                 WHERE root = ?1 AND is_root AND NOT whole AND NOT gone ORDER BY records.id LIMIT 1",
            )?
            .query_row([group.root.to_bytes()], |row| {
                Ok(format!("{}:{}", row.get::<_, String>(0)?, row.get::<_, u64>(1)?))
            })
            .optional()
    }

    /// Rejects the records that are wrong whatever the others say; how many rows they are.
    pub(super) fn reject_wrong(&mut self, group: &Group) -> rusqlite::Result<u64> {
        if !group.has_wrong {
            return Ok(0);
        }
        let root = group.root.to_bytes();
        let rejected = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO temp.late (file, line, number, kind, faults, raw)
                 SELECT file, line, content, 'astray', body, raw FROM temp.records WHERE root = ?1 AND wrong",
            )?
            .execute([root])? as u64;
        let rows: u64 = self
            .connection
            .prepare_cached("SELECT COUNT(*) FROM temp.records WHERE root = ?1 AND wrong")?
            .query_row([root], |row| row.get(0))?;
        self.figures.astray += rejected;
        // The rows of a file that is named twice have one place.
        self.figures.repeats += rows - rejected;
        Ok(rows)
    }

    /// Rejects the records whose id is the group's and that are no whole calls (`roots`), or the others; how many.
    pub(super) fn reject_group(
        &mut self,
        group: &Group,
        roots: bool,
        reason: Option<&str>,
    ) -> rusqlite::Result<u64> {
        let rejected = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO temp.late (file, line, number, kind, reason, faults, raw)
                 SELECT file, line, content, 'astray', ?3, CASE WHEN whole THEN NULL ELSE body END, raw FROM temp.records
                 WHERE root = ?1 AND (is_root AND NOT whole) = ?2 AND NOT wrong",
            )?
            .execute(params![group.root.to_bytes(), roots, reason])? as u64;
        self.figures.astray += rejected;
        Ok(rejected)
    }
}
