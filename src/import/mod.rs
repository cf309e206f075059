//! The verbs of the program: stage, deliver, settle.
//!
//! [`import`] is the main job. Rows are read, interpreted and staged first, because whole conversations are only known
//! when the input is read; then a coordinator hands queues to workers. Within a queue calls are sent in order, one
//! request at a time, and each request is written down before it leaves and after it is answered. Everything is told as
//! plain events; who shows them is not known here.

mod account_file;
mod agents;
mod append;
mod clock;
mod compare;
mod connect;
mod create;
mod creations;
mod customers;
mod deliver;
mod delivery;
mod door;
mod error;
mod event;
mod gates;
mod guard;
mod inboxes;
mod joins;
mod known_account;
mod late;
mod listing;
mod look;
mod predict;
mod proof;
mod pull;
mod pull_part;
mod raw_row;
mod recover;
mod redirect;
mod run;
mod send;
mod settings;
mod settle;
mod slots;
mod stage;
mod survey;
mod worker;

pub use clock::Clock;
pub use compare::Field;
pub use error::ImportError;
pub use event::{EventSink, ImportEvent, RejectedContent, RejectedRow, Sheet, StageCount, WarningCount};
pub use inboxes::{Inboxes, KnownFrom};
pub use known_account::KnownAccount;
pub use predict::{Choice, Predicted, predict};
pub use pull::{PullError, PullJob, Pulled, pull};
pub use recover::{RecoverJob, Recovered, recover};
pub use run::{Ask, ImportJob, Imported, Prospect, import};
pub use settings::{
    AssignTo, ConversationSettings, ConversationStatus, DeliverySettings, LimitSettings, WhenFull,
    WhenLocked, WhenMissing,
};
pub use stage::{Reading, Staged, stage};
pub use survey::{Survey, survey};
