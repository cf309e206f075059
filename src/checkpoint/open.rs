//! Opening the file: new, known, or refused with the reason.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{CheckpointError, hiding, lock::Lock, probe::Probe, schema, secret};

/// Files up to this size are read through for damage when they are opened; larger ones only where they are used, so that
/// going on with a million calls begins at once.
const READ_THROUGH: u64 = 32 << 20;

/// Whether what is written must outlive a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    Durable,
    /// It is a copy that nobody needs afterwards.
    Scratch,
}

/// The checkpoint in use by this process: nobody else runs on it.
#[derive(Debug)]
pub struct Checkpoint {
    /// Declared before the lock: the database is closed before the lock is let go.
    pub(super) connection: Connection,
    pub(super) probe: Probe,
    path: PathBuf,
    /// Which file that is; none where it need not be looked after.
    identity: Option<(u64, u64)>,
    pub(super) keeping: Keeping,
    _lock: Option<Lock>,
}

impl Checkpoint {
    /// Opens the checkpoint at `path`, or makes a new one there.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let lock = Lock::take(path)?;
        if !path.exists() {
            create(path)?;
        }
        let version = inspect(path)?;
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        settle_in(&mut connection, version).map_err(|error| of_open(path, &error))?;
        let identity = identity(path);
        let checkpoint = Self {
            connection,
            probe: Probe::default(),
            path: path.to_owned(),
            identity,
            keeping: Keeping::Durable,
            _lock: Some(lock),
        };
        checkpoint.wipe_if_due()?;
        Ok(checkpoint)
    }

    /// A copy of the checkpoint at `path` (or a new one, if there is none) at `scratch`, to try things on: the original
    /// may be in use and is not touched. It keeps no journal and waits for no disk, since nothing is lost with it.
    pub fn scratch(path: &Path, scratch: &Path) -> Result<Self, CheckpointError> {
        if path.exists() {
            let original = ReadOnlyCheckpoint::open(path)?;
            let target = scratch.to_string_lossy().into_owned();
            original.connection.execute("VACUUM INTO ?1", [target]).map_err(|error| of_open(path, &error))?;
        } else {
            create(scratch)?;
        }
        let version = inspect(scratch)?;
        let mut connection = connect(scratch, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        settle_in(&mut connection, version)
            .and_then(|()| connection.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(())))
            .and_then(|()| connection.execute_batch("PRAGMA synchronous = OFF;"))
            .map_err(|error| of_open(scratch, &error))?;
        Ok(Self {
            connection,
            probe: Probe::default(),
            // Whatever is to be said is about the original.
            path: path.to_owned(),
            identity: None,
            keeping: Keeping::Scratch,
            _lock: None,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the checkpoint back where somebody has removed its file meanwhile, or beside its place where something else
    /// stands there now; what there is to say then. The system keeps an open file until it is closed.
    pub fn write_back_if_gone(&self) -> Result<Option<String>, CheckpointError> {
        if self.identity.is_none() || identity(&self.path) == self.identity {
            return Ok(None);
        }
        let unusable = |why: String| CheckpointError::Unusable { path: self.path.clone(), why };
        let folder =
            self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let aside = tempfile::Builder::new()
            .prefix(".callport-")
            .tempfile_in(folder)
            .map_err(|error| unusable(error.to_string()))?
            .into_temp_path();
        self.connection.execute("VACUUM INTO ?1", [aside.to_string_lossy()])?;
        let Err(taken) = aside.persist_noclobber(&self.path) else {
            return Ok(Some("the checkpoint was removed during the run and is written back".to_owned()));
        };
        let mut beside = self.path.as_os_str().to_owned();
        beside.push(".kept");
        let beside = PathBuf::from(beside);
        taken.path.persist(&beside).map_err(|error| unusable(error.to_string()))?;
        Ok(Some(format!(
            "something else was put in the place of the checkpoint during the run: what this run did is in `{}`, which \
             belongs in its place",
            beside.display()
        )))
    }

    /// Bounds the pages of the file that are held in memory. If that fails, more of them are.
    pub(super) fn hold_pages(&self, pages: u32) {
        self.connection.pragma_update(None, "cache_size", pages).ok();
    }

    /// Drops the texts that have landed and gives their space back to the disk.
    pub fn compact(&mut self) -> Result<(), CheckpointError> {
        // Writing the file anew holds as many again, and goes through it from front to back.
        self.hold_pages(1_000);
        let dropped = drop_landed_texts(&mut self.connection)?;
        hiding::sweep_barred(&mut self.connection)?;
        if self.is_wiping_due()? {
            return self.wipe();
        }
        if dropped > 0 {
            self.connection.execute_batch("VACUUM;")?;
        }
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

impl Drop for Checkpoint {
    /// Leaves one file behind: without a write-ahead log, which a reader could begin but not end.
    fn drop(&mut self) {
        self.connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).ok();
    }
}

/// Drops the texts and raw rows of calls that have landed; how many there were.
fn drop_landed_texts(connection: &mut Connection) -> rusqlite::Result<u64> {
    let dropped = if has_all_landed(connection)? {
        // Without a condition the database lets whole pages go instead of one text after another.
        connection.execute("DELETE FROM texts", [])? as u64
    } else {
        drop_some_texts(connection)?
    };
    connection.execute("DELETE FROM raw_rows WHERE call NOT IN (SELECT call FROM texts)", [])?;
    Ok(dropped)
}

fn has_all_landed(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM calls INDEXED BY calls_waiting WHERE request IS NULL)
           AND NOT EXISTS (SELECT 1 FROM requests WHERE state <> 1)",
        [],
        |row| row.get(0),
    )
}

/// In steps that keep the log small.
fn drop_some_texts(connection: &Connection) -> rusqlite::Result<u64> {
    const STEP: i64 = 50_000;
    let last: i64 = connection.query_row("SELECT COALESCE(MAX(id), 0) FROM calls", [], |row| row.get(0))?;
    let mut dropped = 0;
    let mut from = 0;
    while from <= last {
        let changed = connection.execute(
            "DELETE FROM texts WHERE call IN (SELECT calls.id FROM calls JOIN requests ON requests.id = request
               WHERE calls.id BETWEEN ?1 AND ?2 AND state = 1)",
            [from, from + STEP - 1],
        )?;
        dropped += changed as u64;
        from += STEP;
    }
    Ok(dropped)
}

/// The checkpoint as a reader sees it, also while a run uses it.
#[derive(Debug)]
pub struct ReadOnlyCheckpoint {
    pub(super) connection: Connection,
    path: PathBuf,
}

impl ReadOnlyCheckpoint {
    /// Opens the checkpoint at `path` for questions only.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        if !path.exists() {
            return Err(CheckpointError::Missing(path.to_owned()));
        }
        inspect(path)?;
        let connection = match dial(path, OpenFlags::SQLITE_OPEN_READ_ONLY) {
            Err(error) if is_half_written(&error) => {
                take_back_half_a_write(path)?;
                connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?
            }
            other => other.map_err(|error| of_open(path, &error))?,
        };
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether a run was killed while it took the write-ahead log into use or out of it, so that half a write stands in the file.
fn is_half_written(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

/// Who may only read cannot take it back: this is done as whoever opens the file to write does it.
fn take_back_half_a_write(path: &Path) -> Result<(), CheckpointError> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?
        .query_row("PRAGMA schema_version", [], |_| Ok(()))
        .map_err(|error| of_open(path, &error))
}

/// Makes the file aside and moves it into place, so that a crash leaves no file of 0 bytes.
fn create(path: &Path) -> Result<(), CheckpointError> {
    let unusable = |why: String| CheckpointError::Unusable { path: path.to_owned(), why };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let aside = tempfile::Builder::new()
        .prefix(".callport-")
        .tempfile_in(folder)
        .map_err(|error| unusable(error.to_string()))?
        .into_temp_path();
    let mut connection = connect(&aside, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::migrate(&mut connection, 0).map_err(|error| of_open(path, &error))?;
    connection.close().map_err(|(_, error)| of_open(path, &error))?;
    aside.persist_noclobber(path).map_err(|error| unusable(error.to_string()))
}

/// What the file's head says, before the database library touches it: its version, or why it is refused.
fn inspect(path: &Path) -> Result<i64, CheckpointError> {
    let unusable =
        |error: std::io::Error| CheckpointError::Unusable { path: path.to_owned(), why: error.to_string() };
    let mut head = Vec::with_capacity(100);
    File::open(path).map_err(unusable)?.take(100).read_to_end(&mut head).map_err(unusable)?;
    if head.is_empty() {
        return Err(CheckpointError::Empty(path.to_owned()));
    }
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(CheckpointError::Foreign(path.to_owned()));
    }
    let number = |at: usize| {
        head.get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok())
            .map(|bytes| i64::from(u32::from_be_bytes(bytes)))
    };
    let (Some(version), Some(application)) = (number(60), number(68)) else {
        return Err(CheckpointError::Damaged { path: path.to_owned(), why: "its head is cut short".into() });
    };
    if application != schema::APPLICATION_ID {
        return Err(CheckpointError::Foreign(path.to_owned()));
    }
    if version > schema::VERSION {
        return Err(CheckpointError::Newer { path: path.to_owned(), found: version, known: schema::VERSION });
    }
    Ok(version)
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, CheckpointError> {
    dial(path, access).map_err(|error| of_open(path, &error))
}

fn dial(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // An import that has read very many rows makes an index of them, during which nobody may read.
    let patience = if access.contains(OpenFlags::SQLITE_OPEN_READ_ONLY) { 60 } else { 10 };
    connection.busy_timeout(std::time::Duration::from_secs(patience))?;
    connection.execute_batch("PRAGMA cache_size = -16000;")?;
    // Without it every new value bound to a statement that may use a partial index has the statement compiled anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

fn settle_in(connection: &mut Connection, version: i64) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = FULL;")?;
    schema::migrate(connection, version)?;
    secret::install(connection)?;
    let size: i64 = connection.query_row(
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        [],
        |row| row.get(0),
    )?;
    if u64::try_from(size).unwrap_or(u64::MAX) <= READ_THROUGH {
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(rusqlite::Error::SqliteFailure(code, Some(verdict)));
        }
    }
    super::stage::discard_unfinished(connection)?;
    connection.execute_batch(schema::WAITING_INDEX)
}

/// What a failure while opening means: damage, or a file that cannot be used.
fn of_open(path: &Path, error: &rusqlite::Error) -> CheckpointError {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => {
            CheckpointError::Damaged { path: path.to_owned(), why: error.to_string() }
        }
        Some(ErrorCode::DiskFull) => CheckpointError::DiskFull,
        _ if CheckpointError::is_refused_write(error) => CheckpointError::WriteRefused,
        _ => CheckpointError::Unusable { path: path.to_owned(), why: error.to_string() },
    }
}

/// Which file a path leads to now; none where it leads to no file.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().filter(std::fs::Metadata::is_file).map(|file| (file.dev(), file.ino()))
}

/// Elsewhere an open file can neither be removed nor replaced.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<(u64, u64)> {
    path.is_file().then_some((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom, Write};

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn put(path: &Path, bytes: &[u8]) {
        File::create(path).unwrap().write_all(bytes).unwrap();
    }

    #[test]
    fn a_new_checkpoint_is_its_owners_alone_and_opens_again() {
        let folder = folder();
        let path = folder.path().join("c");
        drop(Checkpoint::open(&path).unwrap());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(Checkpoint::open(&path).unwrap().has_sent_nothing().unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_reader_may_look_while_a_run_uses_it_but_no_second_run_may() {
        let folder = folder();
        let path = folder.path().join("c");
        let _held = Checkpoint::open(&path).unwrap();
        assert!(matches!(Checkpoint::open(&path), Err(CheckpointError::InUse(_))));
        ReadOnlyCheckpoint::open(&path).unwrap();
    }

    #[test]
    fn a_look_takes_back_what_a_kill_has_half_written() {
        let folder = folder();
        let path = folder.path().join("c");
        drop(Checkpoint::open(&path).unwrap());
        let before = std::fs::read(&path).unwrap();
        // As it is amid a write: the journal holds what was there, the file what will be.
        let writer = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        writer
            .execute_batch(
                "PRAGMA cache_size = 1; BEGIN; INSERT INTO files (path) VALUES (hex(zeroblob(20000)));",
            )
            .unwrap();
        let journal = folder.path().join("c-journal");
        let kept = [&path, &journal].map(|file| std::fs::read(file).unwrap());
        drop(writer);
        #[expect(clippy::disallowed_methods, reason = "as a kill leaves it")]
        for (file, bytes) in [&path, &journal].into_iter().zip(&kept) {
            std::fs::write(file, bytes).unwrap();
        }
        assert!(ReadOnlyCheckpoint::open(&path).unwrap().status().unwrap().files.is_empty());
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert!(!journal.exists());
    }

    #[test]
    fn a_look_leaves_nothing_beside_the_checkpoint() {
        let folder = folder();
        let path = folder.path().join("c");
        drop(Checkpoint::open(&path).unwrap());
        ReadOnlyCheckpoint::open(&path).unwrap().status().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_sound_checkpoint_is_refused_by_its_name() {
        let folder = folder();
        let path = folder.path().join("c");
        assert!(matches!(ReadOnlyCheckpoint::open(&path), Err(CheckpointError::Missing(_))));
        put(&path, b"");
        assert!(matches!(Checkpoint::open(&path), Err(CheckpointError::Empty(_))));
        put(&path, b"id,from,to\n1,2,3\n");
        assert!(matches!(Checkpoint::open(&path), Err(CheckpointError::Foreign(_))));
        put(&path, b"SQLite format 3\0 and no more");
        assert!(matches!(Checkpoint::open(&path), Err(CheckpointError::Damaged { .. })));
    }

    #[test]
    fn a_damaged_page_is_noticed() {
        let folder = folder();
        let path = folder.path().join("c");
        drop(Checkpoint::open(&path).unwrap());
        let mut file = File::options().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(4096)).unwrap();
        file.write_all(&[0xff; 4096]).unwrap();
        drop(file);
        assert!(matches!(Checkpoint::open(&path), Err(CheckpointError::Damaged { .. })));
    }

    #[test]
    fn a_file_of_a_newer_callport_is_refused_and_left_alone() {
        let folder = folder();
        let path = folder.path().join("c");
        let checkpoint = Checkpoint::open(&path).unwrap();
        checkpoint.connection.pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
        drop(checkpoint);
        assert!(matches!(Checkpoint::open(&path), Err(CheckpointError::Newer { .. })));
    }

    #[test]
    fn a_file_of_every_released_version_opens_and_keeps_what_it_held() {
        let released: [&[u8]; 3] = [
            include_bytes!("../../fixtures/checkpoints/version-1.db"),
            include_bytes!("../../fixtures/checkpoints/version-2.db"),
            include_bytes!("../../fixtures/checkpoints/version-3.db"),
        ];
        assert_eq!(i64::try_from(released.len() + 1), Ok(schema::VERSION), "each version has its file");
        for bytes in released {
            let folder = folder();
            let path = folder.path().join("c");
            put(&path, bytes);
            let before = ReadOnlyCheckpoint::open(&path).unwrap().status().unwrap();
            let checkpoint = Checkpoint::open(&path).unwrap();
            assert_eq!(checkpoint.open_calls().unwrap(), 5);
            assert_eq!(checkpoint.account().unwrap().as_deref(), Some("company:1"));
            drop(checkpoint);
            let after = ReadOnlyCheckpoint::open(&path).unwrap().status().unwrap();
            assert_eq!((before.calls, before.undecided), (after.calls.clone(), after.undecided));
            let of = |state: &str| after.calls[state];
            assert_eq!((of("imported"), of("rejected"), of("undecided"), of("staged")), (3, 1, 1, 4));
            assert_eq!(inspect(&path).unwrap(), schema::VERSION);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_takes_the_place_of_a_checkpoint_is_left_alone_and_nothing_is_lost() {
        use crate::checkpoint::stage::tests::{call, load};
        let folder = folder();
        let path = folder.path().join("c");
        let mut checkpoint = Checkpoint::open(&path).unwrap();
        load(&mut checkpoint, "a.csv", &[call("1", "x")], None);
        std::fs::remove_file(&path).unwrap();
        put(&path, b"another file");
        let said = checkpoint.write_back_if_gone().unwrap().unwrap();
        assert!(said.contains("c.kept`"), "{said}");
        drop(checkpoint);
        assert_eq!(std::fs::read(&path).unwrap(), b"another file");
        let kept = Checkpoint::open(&folder.path().join("c.kept")).unwrap();
        assert_eq!(kept.open_calls().unwrap(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_checkpoint_that_somebody_removed_is_written_back() {
        use crate::checkpoint::stage::tests::{call, load};
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.path().join("c");
        let mut checkpoint = Checkpoint::open(&path).unwrap();
        load(&mut checkpoint, "a.csv", &[call("1", "x")], None);
        assert_eq!(checkpoint.write_back_if_gone().unwrap(), None);
        std::fs::remove_file(&path).unwrap();
        assert!(checkpoint.write_back_if_gone().unwrap().is_some());
        drop(checkpoint);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Checkpoint::open(&path).unwrap().open_calls().unwrap(), 1);
    }
}
