//! What an answer means and what to do now; pure, so that every answer of the service can be tried in a table.

mod answer;

pub use answer::{Answer, FieldError, Reply};
