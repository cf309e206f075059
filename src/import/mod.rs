//! The verbs of the program: stage, deliver, settle.

mod event;

pub use event::{EventSink, ImportEvent, RejectedContent, RejectedRow, Sheet, StageCount, WarningCount};
