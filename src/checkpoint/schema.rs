//! The form of the file, and how an older form becomes the present one.
//!
//! Migrations are only ever appended; a file's `user_version` says how many it has had. Each runs in one exclusive
//! transaction with the number it leaves.

use rusqlite::{Connection, TransactionBehavior};

/// Marks the file as ours in its header: `call` in ASCII.
pub(super) const APPLICATION_ID: i64 = 0x6361_6c6c;

/// From nothing to the present, in order.
const MIGRATIONS: &[&str] = &[FIRST, SECOND, THIRD, FOURTH];

/// The newest form.
pub(super) const VERSION: i64 = 4;

/// * `calls.request` is null while a call is staged.
/// * `texts` is a table of its own, so that whoever goes through all calls does not go through their texts, and so that
///   those that have landed can be dropped; `calls.fingerprint` stays.
/// * `call_keys` is a table of its own, so that loading does not keep it up row by row.
/// * `requests.carried` is there while the fate of a request is open, and says so in every question, because the index
///   on open requests is used only where a question repeats its condition. It holds the calls of a request whose fate is open (eight bytes each, little-endian), so that no
///   index on `calls.request` is needed for the millions that have landed. `stored` says that the service confirmed a
///   request without saying what it made: its absence is then never concluded.
/// * `queues.existing` is the conversation that the rows named; a conversation of another queue takes its calls over when
///   a redirect leads there.
const FIRST: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, started_at INTEGER NOT NULL, finished_at INTEGER, sheet TEXT
) STRICT;
CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE customers (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, helpscout_id INTEGER, email TEXT, phone TEXT,
  fields TEXT NOT NULL, confirmed INTEGER NOT NULL
) STRICT;
CREATE TABLE queues (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, existing INTEGER, inbox TEXT NOT NULL, subject TEXT NOT NULL
) STRICT;
CREATE TABLE conversations (
  id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, part INTEGER NOT NULL, helpscout_id INTEGER NOT NULL UNIQUE,
  threads INTEGER NOT NULL, state INTEGER NOT NULL, created_by INTEGER, inbox INTEGER, subject TEXT
) STRICT;
CREATE INDEX conversations_of_queue ON conversations (queue, part);
CREATE TABLE calls (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL, source_id TEXT, file INTEGER NOT NULL, line INTEGER NOT NULL,
  started_at INTEGER NOT NULL, updated_at INTEGER, queue INTEGER NOT NULL, customer INTEGER NOT NULL, request INTEGER,
  size INTEGER NOT NULL, fingerprint INTEGER NOT NULL
) STRICT;
CREATE TABLE texts (call INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE call_keys (key BLOB PRIMARY KEY, call INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE raw_rows (call INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT;
CREATE TABLE requests (
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, state INTEGER NOT NULL, run INTEGER NOT NULL, queue INTEGER,
  conversation INTEGER, customer INTEGER, sent_at INTEGER NOT NULL, resource INTEGER, mark INTEGER, carried BLOB, why TEXT,
  stored INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX requests_open ON requests (queue, customer) WHERE carried IS NOT NULL;
CREATE TABLE known_rejections (fingerprint BLOB PRIMARY KEY, run INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// * `requests.dated` says that `sent_at` is by the service's clock. Ours may jump between two runs; what is compared
///   across runs is compared by the service's.
/// * `recovered` holds calls that were found in the account without a row that tells of them, by the references that their
///   threads carry. The row that comes with such a reference takes the call over, and the entry goes. `amid` marks a part
///   of a line, which counts only where a user's own template may have put the reference there.
const SECOND: &str = "
ALTER TABLE requests ADD COLUMN dated INTEGER NOT NULL DEFAULT 0;
CREATE TABLE recovered (
  reference TEXT PRIMARY KEY, call INTEGER NOT NULL, amid INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// * `calls.forgotten` is 1 where what is personal has left the call (see [`super::forget`]), and 2 where it is to leave as
///   soon as the call's fate is known, because its person is barred.
/// * `barred` holds people whose rows are left out, as hashes under the file's secret.
/// * `contacts` holds how else rows named a customer than `customers` does (an e-mail or a number, empty where the row has
///   none), so that a person can be found by each.
const THIRD: &str = "
ALTER TABLE calls ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
CREATE TABLE barred (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE contacts (
  customer INTEGER NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL, PRIMARY KEY (customer, email, phone)
) STRICT, WITHOUT ROWID;
";

/// * `customers.found_by` says what led to the customer (see [`super::found_by`]), for the figures of `check`.
/// * `customers.same_as` and `queues.same_as` name the customer and the queue that took over what a number alone was known
///   by, once the number was found to be that customer's. A key, once stored, leads there for ever.
/// * `calls.agent` is the e-mail of whose call it was, where that person may be a user of the account.
const FOURTH: &str = "
ALTER TABLE customers ADD COLUMN found_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE customers ADD COLUMN same_as INTEGER;
CREATE INDEX customers_by_account ON customers (helpscout_id) WHERE helpscout_id IS NOT NULL;
ALTER TABLE queues ADD COLUMN same_as INTEGER;
CREATE TABLE agents (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE) STRICT;
ALTER TABLE calls ADD COLUMN agent INTEGER;
";

/// The index by which queues are worked off; it is dropped while rows are loaded. Size and customer are in it so
/// that a plan reads nothing else.
pub(super) const WAITING_INDEX: &str = "CREATE INDEX IF NOT EXISTS calls_waiting ON calls (queue, started_at, size, customer) WHERE request IS NULL";

/// Brings `connection` from the form `from` to the present one.
pub(super) fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    for (done, migration) in (0_i64..).zip(MIGRATIONS).filter(|(done, _)| *done >= from) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", done + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_counts_the_migrations() {
        assert_eq!(usize::try_from(VERSION), Ok(MIGRATIONS.len()));
    }
}
