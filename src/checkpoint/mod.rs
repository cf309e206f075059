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
//! * What has landed can be forgotten: what is personal leaves the file, and keys stay as hashes under a secret of the file.
//!
//! The file beside it, `….lock`, is held while a run uses the checkpoint.

mod astray;
mod barring;
mod claims;
mod delivery;
mod error;
mod excluded;
mod forget;
mod forget_file;
mod forget_people;
mod found_by;
mod hiding;
mod known_calls;
mod late;
mod ledger;
mod lineage;
mod lock;
mod merge;
mod numbers;
mod open;
mod other_ways;
mod placement;
mod planned;
mod probe;
mod questions;
mod record_form;
mod records;
mod recovery;
mod rejections;
mod resolve;
mod rows;
mod sample;
mod schema;
mod second_keys;
mod secret;
mod stage;
mod staged_call;
mod staged_record;
mod standing;
mod unknown_callers;
mod unused;
mod waiting;
mod wiping;

pub use error::CheckpointError;
pub use forget::{Forgotten, Kept};
pub use forget_people::Person;
pub use late::{LateRow, LateRows};
pub use ledger::Ledger;
pub use lineage::{Account, Lineage, REHEARSAL};
pub use numbers::SharedNumbers;
pub use open::{Checkpoint, ReadOnlyCheckpoint};
pub use planned::{Openers, PlannedQueue};
pub use probe::{CommitMoment, CommitProbe};
pub use questions::{
    FileStatus, FoundByCounts, PlannedCustomers, PreviewedCall, RunStatus, SheetCounts, Status,
    UndecidedCall, UndecidedCustomer,
};
pub use recovery::{FoundCall, FoundConversation, Recovery};
pub use resolve::{Decision, Resolved};
pub use rows::{
    CarriedCall, ConversationRow, ConversationState, CustomerRow, Held, NewRequest, QueueStart, QueueState,
    RequestKind, UnknownRequest, WaitingCall,
};
pub use sample::RowKind;
pub use stage::{StagedFigures, Stager};
pub use staged_call::StagedCall;
pub use staged_record::StagedRecord;
pub use standing::Standing;
