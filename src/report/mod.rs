//! What people see of a run: progress, the rejects file, the summary, and what to do next.
//!
//! Everything here listens to what an import tells, or reads its result. Nothing decides anything about a call.

mod advice;
mod check;
mod count;
mod log_writer;
mod problems;
mod progress;
mod rejects;
mod rejects_part;
mod speed;
mod summary;

pub use advice::advice;
pub use check::{CheckResult, PlanFigures, plan_text};
pub use count::{counted, grouped, span};
pub use log_writer::LogWriter;
pub use problems::{Problem, ProblemGroup, ProblemList};
pub use progress::{Progress, ProgressForm};
pub use rejects::{RejectsError, RejectsFile};
pub use summary::summary;
