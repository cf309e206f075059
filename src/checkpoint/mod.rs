//! The durable file: what was staged, what was sent, what came of it.
//!
//! One SQLite file. It stores calls, the conversations that they went to, and requests with their state: intents before
//! they leave, outcomes before they are told. It stores no plan: a plan is computed when it is needed, from what is here.
//!
//! * A call points at the request that carries it; a call without a request is *staged*. State lives on the request.
//! * [`Stager`] loads rows without an index on their keys, because keeping an index on random keys while loading costs
//!   three times as much; at the end they are sorted once and set against what is known.
//! * [`Ledger`] is the same file while calls are delivered: whatever waits is gathered and committed in one short blocking
//!   job, so that durability costs one flush for many workers.
//! * Write-ahead log and full synchronisation: an outcome that was told survives the loss of power. Network disks do not
//!   keep the promises that this rests on.
//!
//! The file beside it, `….lock`, is held while a run uses the checkpoint.

mod delivery;
mod error;
mod known_calls;
mod late;
mod ledger;
mod lineage;
mod lock;
mod merge;
mod open;
mod probe;
mod questions;
mod rejections;
mod rows;
mod schema;
mod stage;
mod staged_call;

pub use error::CheckpointError;
pub use late::LateRow;
pub use ledger::Ledger;
pub use lineage::{Account, Lineage};
pub use open::{Checkpoint, ReadOnlyCheckpoint};
pub use probe::{CommitMoment, CommitProbe};
pub use questions::{FileStatus, PlannedQueue, PreviewedCall, RunStatus, SheetCounts, Status, UndecidedCall};
pub use rows::{
    CarriedCall, ConversationRow, ConversationState, CustomerRow, Held, NewRequest, QueueStart, QueueState,
    RequestKind, UnknownRequest, WaitingCall,
};
pub use stage::{StagedFigures, Stager};
pub use staged_call::StagedCall;
