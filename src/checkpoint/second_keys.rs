//! What a call is known by beside its own key: the key of its group, where that is no call's id, and the keys and contents
//! of its legs. So a later run knows a record whose call was imported before, also where it comes alone.

use rusqlite::params;

use super::{CheckpointError, Stager, lineage, records::Group, recovery::SOURCE_NAME};
use crate::{
    call::{CallKey, Reference},
    policy::RequestState,
};

/// The call that a group is known as from an earlier run.
pub(super) struct KnownCall {
    /// Its number and its own key; none where it was found in the account and no row has told of it since.
    pub(super) stored: Option<(i64, CallKey)>,
    pub(super) landed: bool,
}

impl Stager<'_> {
    /// The call that stands for the group since an earlier run. One that was refused is none: it may stand anew, or another.
    pub(super) fn known_as(&self, group: &Group) -> Result<Option<KnownCall>, CheckpointError> {
        let mut keys = vec![group.root, group.alias];
        if self.any_known && group.rows > u64::from(group.has_root) {
            keys.extend(self.known_ids(group)?);
        }
        for key in keys {
            let known = self.known(key)?.filter(|known| known.state != Some(RequestState::Refused));
            if let Some(known) = known {
                let landed = known.state == Some(RequestState::Landed);
                return Ok(Some(KnownCall { stored: Some((known.call, known.key)), landed }));
            }
        }
        if !group.has_root && self.is_recovered(group)? {
            return Ok(Some(KnownCall { stored: None, landed: true }));
        }
        Ok(None)
    }

    /// The keys of its records' ids by which a call is known already.
    fn known_ids(&self, group: &Group) -> rusqlite::Result<Vec<CallKey>> {
        self.connection
            .prepare_cached(
                "SELECT records.key FROM temp.records JOIN call_keys ON call_keys.key = hidden(records.key)
                 WHERE root = ?1 AND named AND NOT gone AND NOT wrong ORDER BY is_root DESC, started_at, id",
            )?
            .query_map([group.root.to_bytes()], |row| Ok(CallKey::from_bytes(row.get(0)?)))?
            .collect()
    }

    /// Whether the account holds the group's call although no row has told of it yet.
    fn is_recovered(&self, group: &Group) -> Result<bool, CheckpointError> {
        let Some(name) = lineage::get(self.connection, SOURCE_NAME)? else { return Ok(false) };
        let reference = Reference::new(&name, Some(&group.value), group.root);
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM recovered WHERE reference = veiled(?1))")?
            .query_row([reference.as_str()], |row| row.get(0))?)
    }

    pub(super) fn any_unknown_leg(&self, group: &Group) -> rusqlite::Result<bool> {
        let mut records = self.connection.prepare_cached(
            "SELECT content FROM temp.records WHERE root = ?1 AND NOT gone AND (whole OR NOT is_root)",
        )?;
        let mut rows = records.query([group.root.to_bytes()])?;
        while let Some(row) = rows.next()? {
            if self.stored(CallKey::of_leg(group.alias, row.get(0)?))?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn alias(&self, key: CallKey, call: i64, call_key: Option<[u8; 16]>) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("INSERT INTO temp.aliases VALUES (?1, ?2, ?3, 0)")?
            .execute(params![key.to_bytes(), call, call_key])?;
        Ok(())
    }

    /// What names a leg by its id, in a later run and without its group, names its call.
    pub(super) fn take_over_ids(
        &self,
        group: &Group,
        call: i64,
        call_key: Option<[u8; 16]>,
    ) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO temp.aliases SELECT DISTINCT key, ?2, ?3, 1 FROM temp.records
                 WHERE root = ?1 AND named AND NOT wrong AND key IS NOT ?3",
            )?
            .execute(params![group.root.to_bytes(), call, call_key])?;
        Ok(())
    }

    /// Enters the second keys of the calls that are kept. A newer one replaces that of a call which was refused.
    pub(super) fn enter_aliases(&self) -> rusqlite::Result<()> {
        if self.records == 0 {
            return Ok(());
        }
        for (enter, is_own) in [("REPLACE", false), ("IGNORE", true)] {
            self.connection.execute(
                &format!(
                    "INSERT OR {enter} INTO call_keys (key, call)
                     SELECT hidden(aliases.key), call_keys.call FROM temp.aliases LEFT JOIN calls ON calls.id = aliases.call
                     JOIN call_keys ON call_keys.key = COALESCE(hidden(aliases.call_key),
                       CASE WHEN calls.forgotten = 1 THEN calls.key ELSE hidden(calls.key) END)
                     WHERE is_own = ?1 ORDER BY 1"
                ),
                [is_own],
            )?;
        }
        Ok(())
    }
}
