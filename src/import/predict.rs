//! What an import will do and cost, from what is staged.

use crate::{
    checkpoint::{Checkpoint, CheckpointError, FoundByCounts, RequestKind},
    plan::{Cost, PackLimits, Prediction},
};

/// A request for who we are, one for the inboxes, and one for what the account holds of earlier imports.
const CONNECT_READS: u64 = 3;
/// Users that a page of their list holds.
const USERS_A_PAGE: u64 = 50;
/// The first conversation is asked for, and its threads; more of them than a page holds cost more.
const CREATE_PROOF_READS: u64 = 2;
/// The same, and what its status was before.
const APPEND_PROOF_READS: u64 = 3;

/// What lies ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Predicted {
    /// Calls that will be sent.
    pub calls: u64,
    /// Conversations that will be made.
    pub conversations: u64,
    /// Customers that Help Scout has, as far as is known.
    pub customers_known: u64,
    /// Customers that will be made, unless Help Scout has them by their e-mail.
    pub customers_new: u64,
    /// By what customers were found.
    pub found_by: FoundByCounts,
    /// Requests and units.
    pub cost: Cost,
}

/// Counts what delivering all that waits will do. One queue at a time is held in memory. `users` is how many the account
/// has, where that is known: all are asked for where calls have agents.
pub fn predict(
    checkpoint: &Checkpoint,
    limits: PackLimits,
    users: Option<usize>,
) -> Result<Predicted, CheckpointError> {
    let mut prediction = Prediction::default();
    checkpoint.plan(|queue| prediction.add_queue(queue.threads, &queue.sizes, limits))?;
    let customers = checkpoint.planned_customers()?;
    let mut cost = prediction.cost;
    cost.add_writes(customers.made_by_request);
    if prediction.calls > 0 {
        cost.add_reads(CONNECT_READS);
    }
    if prediction.calls > 0 && checkpoint.has_planned_agents()? {
        cost.add_reads(users.map_or(1, |users| (users as u64).div_ceil(USERS_A_PAGE).max(1)));
    }
    let proved: Vec<RequestKind> = checkpoint.proofs()?.into_iter().map(|(kind, _)| kind).collect();
    if prediction.conversations > 0 && !proved.contains(&RequestKind::Create) {
        cost.add_reads(CREATE_PROOF_READS);
    }
    if prediction.appended > 0 && !proved.contains(&RequestKind::Append) {
        cost.add_reads(APPEND_PROOF_READS);
    }
    Ok(Predicted {
        calls: prediction.calls,
        conversations: prediction.conversations,
        customers_known: customers.known,
        customers_new: customers.new,
        found_by: customers.found_by,
        cost,
    })
}
