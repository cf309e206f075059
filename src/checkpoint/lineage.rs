//! Whose checkpoint it is: one account, one address, one way of reading rows.

use std::fmt;

use rusqlite::{Connection, OptionalExtension};

use super::{Checkpoint, CheckpointError};

/// The account and the API address of a rehearsal, wherever it is served.
pub const REHEARSAL: &str = "sandbox";

pub(super) const ACCOUNT: &str = "account";
const ADDRESS: &str = "api_url";

/// The account that a checkpoint belongs to: the company, not the person whose token it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Stable: `company:17`, or the inboxes' ids where the service does not name the company.
    pub id: String,
    /// The API's address.
    pub api_url: String,
}

impl Account {
    /// Whether it is a rehearsal's sandbox, wherever that is served.
    pub fn is_rehearsal(&self) -> bool {
        self.id == REHEARSAL
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at `{}`", self.id, self.api_url)
    }
}

/// How rows are read, in canonical texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lineage {
    /// What a call's identity depends on: it may never change once something was sent.
    pub identity: String,
    /// The rest of what shapes a call: it may change when the user says so.
    pub mapping: String,
    /// What of it calls without an id are known by: it may change only while none of these was sent.
    pub nameless: String,
}

impl Checkpoint {
    /// Takes `account` as the checkpoint's own, or refuses another.
    pub fn belong_to(&self, account: &Account) -> Result<(), CheckpointError> {
        self.check_address(&account.api_url)?;
        let path = self.path().display();
        match self.account()? {
            Some(known) if known != account.id => Err(CheckpointError::OtherLineage(format!(
                "the checkpoint `{path}` belongs to the account `{known}`, not to `{}`: use the checkpoint of this account, \
                 or name a new one with --checkpoint",
                account.id
            ))),
            _ => {
                put(&self.connection, ACCOUNT, &account.id)?;
                Ok(put(&self.connection, ADDRESS, &account.api_url)?)
            }
        }
    }

    /// Refuses another API address than the checkpoint's. The account is known only once it was asked; this is known before.
    pub fn check_address(&self, address: &str) -> Result<(), CheckpointError> {
        let Some(known) = get(&self.connection, ADDRESS)?.filter(|known| known != address) else {
            return Ok(());
        };
        let path = self.path().display();
        Err(CheckpointError::OtherLineage(if known == REHEARSAL {
            format!(
                "the checkpoint `{path}` is a rehearsal's, whose calls are in a sandbox and not at `{address}`: name a new one \
                 with --checkpoint, or move this one away"
            )
        } else if address == REHEARSAL {
            format!(
                "the checkpoint `{path}` belongs to the API address `{known}`, not to a sandbox: name a new one for the \
                 rehearsal with --checkpoint"
            )
        } else {
            format!(
                "the checkpoint `{path}` belongs to the API address `{known}`, not to `{address}`: use the checkpoint of \
                 this address, or name a new one with --checkpoint"
            )
        }))
    }

    /// The account that it belongs to, once a run has asked.
    pub fn account(&self) -> Result<Option<String>, CheckpointError> {
        Ok(get(&self.connection, ACCOUNT)?)
    }

    /// The same with its address.
    pub fn owner(&self) -> Result<Option<Account>, CheckpointError> {
        let (id, api_url) = (self.account()?, get(&self.connection, ADDRESS)?);
        Ok(id.zip(api_url).map(|(id, api_url)| Account { id, api_url }))
    }

    /// Compares how rows are read with the last run's: once something was sent, another identity is refused and another
    /// mapping needs `accepted`. What holds from now on is stored by [`super::Stager::keep`].
    pub fn check_lineage(&self, lineage: &Lineage, accepted: bool) -> Result<(), CheckpointError> {
        self.check_recovery()?;
        if self.has_sent_nothing()? {
            return Ok(());
        }
        self.check_identity(lineage)?;
        self.check_nameless(lineage)?;
        let path = self.path().display();
        match get(&self.connection, "mapping")? {
            Some(known) if known != lineage.mapping && !accepted => {
                let (waiting, files, landed) = self.concerned()?;
                Err(CheckpointError::OtherLineage(format!(
                    "the mapping has changed since the last run with `{path}`: {}; it concerns {waiting} that {} not sent \
                     yet{files}, while {landed} as it is: with --accept-mapping the calls not yet sent are made anew",
                    difference(&known, &lineage.mapping),
                    if waiting.starts_with("1 ") { "is" } else { "are" },
                )))
            }
            _ => Ok(()),
        }
    }

    /// Refuses another identity than the file's.
    pub fn check_identity(&self, lineage: &Lineage) -> Result<(), CheckpointError> {
        let path = self.path().display();
        if let Some(known) = get(&self.connection, "identity")?.filter(|known| *known != lineage.identity) {
            let mend = match self.account()?.as_deref() {
                Some(REHEARSAL) => "begin a new rehearsal with another --checkpoint, or without one",
                _ => "restore the setting",
            };
            return Err(CheckpointError::OtherLineage(format!(
                "what calls are known by has changed since `{path}` was made: {}; every call would be imported again: {mend}",
                difference(&known, &lineage.identity)
            )));
        }
        Ok(())
    }

    /// Refuses to know calls without an id by something else once one of them was sent.
    fn check_nameless(&self, lineage: &Lineage) -> Result<(), CheckpointError> {
        let Some(known) = get(&self.connection, "nameless")?.filter(|known| *known != lineage.nameless)
        else {
            return Ok(());
        };
        let was_sent: bool = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM calls WHERE source_id IS NULL AND request IS NOT NULL)",
            [],
            |row| row.get(0),
        )?;
        if !was_sent {
            return Ok(());
        }
        let path = self.path().display();
        Err(CheckpointError::OtherLineage(format!(
            "the calls without an id in `{path}` are known by their start, direction, numbers and duration, and how these \
             are read has changed: {}; every such call would be imported again: restore the setting",
            difference(&known, &lineage.nameless)
        )))
    }

    /// The calls that another mapping concerns, the files that they are from, and those that it leaves as they are.
    fn concerned(&self) -> Result<(String, String, String), CheckpointError> {
        let waiting: u64 = self.connection.query_row(
            "SELECT COUNT(*) FROM calls INDEXED BY calls_waiting WHERE request IS NULL",
            [],
            |row| row.get(0),
        )?;
        let all: u64 =
            self.connection.query_row("SELECT COUNT(DISTINCT call) FROM call_keys", [], |row| row.get(0))?;
        let files: Vec<String> = self.waiting_files()?.iter().map(|file| format!("`{file}`")).collect();
        let files = if files.is_empty() { String::new() } else { format!(" ({})", files.join(", ")) };
        let landed = match all.saturating_sub(waiting) {
            1 => "1 that was sent stays".to_owned(),
            sent => format!("{sent} that were sent stay"),
        };
        Ok((if waiting == 1 { "1 call".to_owned() } else { format!("{waiting} calls") }, files, landed))
    }

    /// The files that calls which wait are from.
    fn waiting_files(&self) -> Result<Vec<String>, CheckpointError> {
        Ok(self
            .connection
            .prepare(
                "SELECT path FROM files WHERE id IN (SELECT file FROM calls INDEXED BY calls_waiting
                 WHERE request IS NULL) ORDER BY id",
            )?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?)
    }

    fn reads_otherwise(&self, lineage: &Lineage) -> Result<bool, CheckpointError> {
        let differs = |name, now: &String| -> Result<bool, CheckpointError> {
            Ok(get(&self.connection, name)?.is_some_and(|known| known != *now))
        };
        Ok(differs("identity", &lineage.identity)? || differs("mapping", &lineage.mapping)?)
    }

    /// Drops what is staged where nothing was sent and rows are read otherwise now: it would be other calls.
    pub fn begin_anew(&self, lineage: &Lineage) -> Result<(), CheckpointError> {
        if self.has_sent_nothing()? && self.reads_otherwise(lineage)? {
            self.connection.execute_batch(
                "BEGIN IMMEDIATE; DELETE FROM calls; DELETE FROM call_keys; DELETE FROM texts; DELETE FROM raw_rows;
                 DELETE FROM queues; DELETE FROM customers; DELETE FROM contacts; COMMIT;",
            )?;
        }
        Ok(())
    }

    /// The files whose calls wait although the mapping has changed since they were staged: they must be read again, so
    /// that their calls are made anew.
    pub fn to_make_anew(&self, lineage: &Lineage) -> Result<Vec<String>, CheckpointError> {
        if !self.reads_otherwise(lineage)? {
            return Ok(Vec::new());
        }
        self.waiting_files()
    }
}

/// Stores how rows are read from now on.
pub(super) fn keep(connection: &Connection, lineage: &Lineage) -> rusqlite::Result<()> {
    put(connection, "identity", &lineage.identity)?;
    put(connection, "nameless", &lineage.nameless)?;
    put(connection, "mapping", &lineage.mapping)
}

/// The lines in which two canonical texts differ.
fn difference(before: &str, now: &str) -> String {
    let key = |line: &str| line.split(" = ").next().unwrap_or_default().to_owned();
    let value = |line: &str| line.split_once(" = ").map_or_else(String::new, |(_, value)| value.to_owned());
    let find = |text: &str, wanted: &str| text.lines().find(|line| key(line) == wanted).map(value);
    let mut keys: Vec<String> = before.lines().chain(now.lines()).map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    let shown =
        |value: Option<String>| value.map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"));
    keys.iter()
        .map(|key| (key, find(before, key), find(now, key)))
        .filter(|(_, before, now)| before != now)
        .map(|(key, before, now)| format!("{key} was {} and is {}", shown(before), shown(now)))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn get(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

pub(super) fn remove(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM meta WHERE name = ?1", [name])?;
    Ok(())
}

pub(super) fn put(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
        )?
        .execute([name, value])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> (tempfile::TempDir, Checkpoint) {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = Checkpoint::open(&folder.path().join("c")).unwrap();
        (folder, checkpoint)
    }

    fn account(id: &str, api_url: &str) -> Account {
        Account { id: id.into(), api_url: api_url.into() }
    }

    #[test]
    fn another_account_or_address_is_refused() {
        let (_folder, checkpoint) = checkpoint();
        checkpoint.belong_to(&account("company:1", "https://a")).unwrap();
        checkpoint.belong_to(&account("company:1", "https://a")).unwrap();
        let other = checkpoint.belong_to(&account("company:2", "https://a")).unwrap_err();
        assert!(other.to_string().contains("`company:1`, not to `company:2`"), "{other}");
        for (address, told) in [("https://b", "not to `https://b`"), (REHEARSAL, "not to a sandbox")] {
            let other = checkpoint.check_address(address).unwrap_err();
            assert!(other.to_string().contains(told), "{other}");
            assert!(checkpoint.belong_to(&account("company:1", address)).is_err());
        }
        let (_folder, rehearsed) = self::checkpoint();
        rehearsed.check_address("https://a").expect("nobody has it yet");
        rehearsed.belong_to(&account(REHEARSAL, REHEARSAL)).unwrap();
        let real = rehearsed.check_address("https://a").unwrap_err();
        assert!(real.to_string().contains("is a rehearsal's"), "{real}");
    }

    #[test]
    fn another_identity_is_refused_and_another_mapping_needs_a_word() {
        let (_folder, checkpoint) = checkpoint();
        let first = Lineage {
            identity: "source.name = a".into(),
            mapping: "call.notes = notes".into(),
            ..Lineage::default()
        };
        checkpoint.check_lineage(&first, false).unwrap();
        keep(&checkpoint.connection, &first).unwrap();
        let other_name = Lineage { identity: "source.name = b".into(), ..first.clone() };
        checkpoint.check_lineage(&other_name, false).expect("nothing was sent yet");
        checkpoint
            .connection
            .execute_batch("INSERT INTO requests (kind, state, run, sent_at) VALUES (0, 1, 1, 0)")
            .unwrap();
        let refused = checkpoint.check_lineage(&other_name, true).unwrap_err();
        assert!(refused.to_string().contains("source.name was `a` and is `b`"), "{refused}");
        let other_mapping = Lineage { mapping: "call.notes = remarks".into(), ..first };
        let refused = checkpoint.check_lineage(&other_mapping, false).unwrap_err();
        assert!(refused.to_string().contains("--accept-mapping"), "{refused}");
        checkpoint.check_lineage(&other_mapping, true).unwrap();
    }

    #[test]
    fn what_is_staged_is_dropped_where_nothing_was_sent_and_rows_read_otherwise() {
        use crate::checkpoint::stage::tests::{call, fresh, load};
        let (_folder, mut checkpoint) = fresh();
        let first = Lineage { identity: "a = 1".into(), mapping: "b = 1".into(), ..Lineage::default() };
        load(&mut checkpoint, "a.csv", &[call("1", "x")], None);
        keep(&checkpoint.connection, &first).unwrap();
        checkpoint.begin_anew(&first).unwrap();
        assert_eq!(checkpoint.open_calls().unwrap(), 1);
        let other = Lineage { mapping: "b = 2".into(), ..first };
        assert_eq!(checkpoint.to_make_anew(&other).unwrap(), ["a.csv"]);
        checkpoint.begin_anew(&other).unwrap();
        assert_eq!(checkpoint.open_calls().unwrap(), 0);
        load(&mut checkpoint, "a.csv", &[call("1", "x")], None);
        assert_eq!(checkpoint.open_calls().unwrap(), 1);
    }
}
