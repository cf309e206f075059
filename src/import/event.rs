//! What an import tells while it works, as plain data. Whoever shows it (a bar, lines, JSON, the rejects file) listens;
//! the import does not know who does. "Imported" is told only after it is on disk.

use std::{path::PathBuf, time::Duration};

use crate::call::{Cells, Headings, Position, Rejection};
use std::sync::Arc;

/// Listens to an import. Must not block for long: it is called between requests.
pub trait EventSink: Send + Sync {
    /// Takes note of `event`.
    fn emit(&self, event: ImportEvent);
}

/// What happened.
#[derive(Debug, Clone)]
pub enum ImportEvent {
    /// Rows are being read; sent every few thousand rows.
    Reading {
        /// Data rows read so far.
        rows: u64,
        /// Bytes read so far, as they stand in the files.
        bytes: u64,
        /// Bytes of all files, where all are known.
        total_bytes: Option<u64>,
    },
    /// A row became no call.
    Rejected(Box<RejectedRow>),
    /// All rows are read; what is in the checkpoint now goes out.
    Staged(StageCount),
    /// The account is known and calls begin to leave.
    Connected {
        /// The company's name or what stands for it.
        account: String,
        /// Whose token it is.
        user: String,
    },
    /// Conversations are read back for a lost checkpoint.
    Recovering {
        /// Conversations that carry calls, so far.
        conversations: u64,
        /// Calls that count as imported now and did not before.
        calls: u64,
    },
    /// The account's customers are read.
    Pulling {
        /// Customers that are known so far, and that is on disk.
        customers: u64,
        /// Customers of the account, as far as it tells.
        total: u64,
    },
    /// Calls landed, and that is on disk.
    Landed {
        /// How many.
        calls: u64,
    },
    /// Calls were refused by the service, and that is on disk.
    Refused {
        /// How many.
        calls: u64,
    },
    /// An answer was lost; the conversation waits until it is known what came of the request.
    Lost {
        /// What the request carries.
        calls: u64,
        /// What happened.
        why: String,
    },
    /// What a lost request came to is known.
    Settled {
        /// What the request carries.
        calls: u64,
        /// Whether it had landed; otherwise it is proved absent and sent again.
        landed: bool,
    },
    /// The service asked to wait: nothing leaves until then.
    Throttled {
        /// For how long.
        wait: Duration,
    },
    /// The network or the service is away; the request is tried again after a wait.
    Retrying {
        /// What happened.
        why: String,
        /// For how long it waits.
        wait: Duration,
    },
    /// The pace changed or was measured; sent about once a second.
    Pace {
        /// Units a minute that the account allows, as far as it is known.
        limit: u32,
        /// The part of them that may be used.
        share: f64,
        /// Units used in the last minute.
        used: u32,
    },
    /// Something that a person should know, once for each reason.
    Warned {
        /// What.
        reason: String,
    },
    /// A person asked to stop; what is in flight is finished.
    Stopping,
}

/// A row that became no call, with everything needed to write it back.
#[derive(Debug, Clone)]
pub struct RejectedRow {
    /// Where it begins.
    pub position: Position,
    /// As it was read.
    pub content: RejectedContent,
    /// Why.
    pub rejection: Rejection,
    /// Whether an earlier run rejected it alike.
    pub known: bool,
}

/// A rejected row as it was read.
#[derive(Debug, Clone)]
pub enum RejectedContent {
    /// Its cells.
    Cells(Cells),
    /// Its text, where it does not fit the headings or is not JSON.
    Raw {
        /// The headings of its file, if it has any.
        headings: Option<Arc<Headings>>,
        /// The text, without its line end.
        text: String,
    },
}

/// What staging found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageCount {
    /// Data rows, without those that `--limit`, `--since` and `--until` leave out.
    pub rows: u64,
    /// Calls that will be sent, those of earlier runs included.
    pub to_send: u64,
    /// Rows whose call an earlier run imported, and repeats.
    pub already_imported: u64,
    /// Rows that `[source] skip` leaves out.
    pub skipped: u64,
    /// Rows that became no call.
    pub rejected: u64,
}

/// A warning with how often and where first.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WarningCount {
    /// What happened.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// The file of the first; empty where no row is concerned.
    pub file: String,
    /// The line of the first; 0 where no row is concerned.
    pub line: u64,
}

/// The result of an import; its names are those of `import --json`.
///
/// The sheet closes: `rows` is the sum of `imported`, `already_imported`, `skipped`, `rejected`, `undecided`, `pending`.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Sheet {
    /// The run's name.
    pub run: String,
    /// Data rows read in this run.
    pub rows: u64,
    /// Rows whose call this run imported.
    pub imported: u64,
    /// Rows whose call was there already, and repeats within the input.
    pub already_imported: u64,
    /// Rows left out by `[source] skip`.
    pub skipped: u64,
    /// Rows that became no call, or whose call the service refused.
    pub rejected: u64,
    /// Rows whose call was sent and whose fate is not known.
    pub undecided: u64,
    /// Rows whose call is not sent yet.
    pub pending: u64,
    /// How many of the rejected were rejected alike by an earlier run.
    pub rejected_before: u64,
    /// How many of the already imported now differ from what was imported.
    pub changed: u64,
    /// Calls of files not read in this run that were still open from earlier ones.
    pub carried_over: u64,
    /// Conversations that this run made.
    pub conversations_created: u64,
    /// Threads that this run made.
    pub threads_created: u64,
    /// Customers that this run made.
    pub customers_created: u64,
    /// Requests that left.
    pub requests: u64,
    /// What they cost of the account's limit.
    pub rate_units: u64,
    /// How many were answered with 429.
    pub throttled: u64,
    /// How long the run took.
    pub seconds: f64,
    /// Every reason once.
    pub warnings: Vec<WarningCount>,
    /// Where rejected rows went.
    pub rejects_file: Option<PathBuf>,
    /// The checkpoint's path.
    pub checkpoint: PathBuf,
}
