//! Calls become requests; pure.
//!
//! A conversation's queue is worked off in order of time. A conversation that has room takes one call a request, because
//! the service has no other way to add to it; a new one takes up to a hundred in the request that creates it. Which of the
//! two is wanted is a setting. The same function decides in `check`, which only counts, and in `import`, which sends.

mod cost;
mod queue;

pub use cost::{Cost, Course, Naming, Outlet, Prediction, Write};
pub use queue::{
    APPEND_CAP, CREATE_CAP, DEFAULT_BODY_LIMIT, Newest, PackLimits, PlanRules, Step, WhenAppending,
    next_step, part_subject,
};
