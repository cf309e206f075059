//! What an answer means and what to do now; pure, so that every answer of the service can be tried in a table.
//!
//! The rule that everything here serves: a write whose answer was lost is *unknown*, not failed. It is never sent again
//! before reading back has proved it absent (help-scout-api.md §18, 'How the unknown is settled' in the design).

mod absence;
mod answer;
mod backoff;
mod blame;
mod lifecycle;
mod verdict;

pub use absence::{Absence, Evidence, Look, Saw, next_look};
pub use answer::{Answer, FieldError, Reply};
pub use backoff::Backoff;
pub use blame::{Blame, blame, signature};
pub use lifecycle::{IllegalChange, RequestEvent, RequestState};
pub use verdict::{Verdict, verdict};
