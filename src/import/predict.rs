//! What an import will do and cost, from what is staged.
//!
//! It is exact where nothing strikes and the account is as the checkpoint knows it. Not known before it is asked, and so
//! taken for the least, are: the threads of conversations that rows name (their listing has 25 a page), those that people
//! added to ours since, inboxes of more than a page, users where `account.json` does not tell how many there are, and what
//! merges and deletions lead to. Calls of one second are ordered by their keys when they are sent and by their size here,
//! which tells only where a create is cut by its bytes.

use super::{
    AssignTo, DeliverySettings,
    door::{append_proof_reads, create_proof_reads, must_be_proved},
};
use crate::{
    checkpoint::{Checkpoint, CheckpointError, FoundByCounts, Openers, RequestKind},
    plan::{Cost, Course, Outlet, PlanRules, Prediction, WhenAppending, Write},
};

/// A request for who we are and one for the inboxes.
const CONNECT_READS: u64 = 2;
/// Users that a page of their list holds.
const USERS_A_PAGE: u64 = 50;

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
    /// What there is to choose.
    pub choice: Choice,
}

/// What the calls cost for which it makes a difference whether a conversation is filled or a new one made where that is
/// cheaper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// Which is chosen.
    pub chosen: WhenAppending,
    /// The conversations that would be filled.
    pub conversations: u64,
    /// Units where they are filled.
    pub fill_units: u64,
    /// Units where new ones are made.
    pub cheap_units: u64,
}

impl Choice {
    fn consider(&mut self, outlet: Outlet, sizes: &[u32], rules: PlanRules) {
        let units = |appending| {
            let mut alone = Prediction::default();
            alone.add_queue(outlet, sizes, PlanRules { appending, ..rules });
            alone.cost.units
        };
        let (fill, cheap) = (units(WhenAppending::Fill), units(WhenAppending::Cheap));
        if fill != cheap {
            self.conversations += 1;
            self.fill_units += fill;
            self.cheap_units += cheap;
        }
    }
}

/// Counts what delivering all that waits will do. One queue at a time is held in memory. `users` is how many the account
/// has, where that is known: all are asked for where calls have agents.
pub fn predict(
    checkpoint: &Checkpoint,
    delivery: &DeliverySettings,
    users: Option<usize>,
) -> Result<Predicted, CheckpointError> {
    let rules = delivery.conversation.plan_rules();
    let mut prediction = Prediction::default();
    let mut choice = Choice { chosen: rules.appending, ..Choice::default() };
    let mut firsts = Firsts::default();
    checkpoint.plan(|queue| {
        let course = prediction.add_queue(queue.outlet, &queue.sizes, rules);
        // What one create holds has nothing to be added to.
        if queue.outlet.threads.is_some() || course.second.is_some() {
            choice.consider(queue.outlet, &queue.sizes, rules);
        }
        firsts.consider(queue.id, course);
    })?;
    let customers = checkpoint.planned_customers()?;
    let mut cost = prediction.cost;
    cost.add_writes(customers.made_by_request);
    if prediction.calls > 0 {
        cost.add_reads(connect_reads(checkpoint, delivery)?);
        if checkpoint.has_planned_agents()? {
            cost.add_reads(users.map_or(1, |users| (users as u64).div_ceil(USERS_A_PAGE).max(1)));
        }
        cost.add_reads(firsts.proof_reads(&checkpoint.proofs()?));
    }
    Ok(Predicted {
        calls: prediction.calls,
        conversations: prediction.conversations,
        customers_known: customers.known,
        customers_new: customers.new,
        found_by: customers.found_by,
        cost,
        choice,
    })
}

/// What is asked before the first write.
fn connect_reads(checkpoint: &Checkpoint, delivery: &DeliverySettings) -> Result<u64, CheckpointError> {
    // What the account holds of earlier imports: of this checkpoint's, or where it has none of anybody's.
    let asks_for_imports = !(delivery.share_tag && checkpoint.has_sent_nothing()?);
    let asks_for_assignee = matches!(delivery.conversation.assign_to, AssignTo::Email(_));
    Ok(CONNECT_READS + u64::from(asks_for_imports) + u64::from(asks_for_assignee))
}

/// The first requests of each kind, which are read back.
#[derive(Debug, Default)]
struct Firsts {
    openers: Openers,
    /// How the writes begin of the queue that opens with a create.
    of_create: Course,
    /// Threads before the first append, of the queue that opens with one.
    of_append: Option<u32>,
    /// The first create and the first append of all that come behind something else.
    later_create: Option<usize>,
    later_append: Option<u32>,
}

impl Firsts {
    fn consider(&mut self, id: i64, course: Course) {
        let before = self.openers;
        self.openers.consider(id, course.first);
        if self.openers.create != before.create {
            self.of_create = course;
        }
        if self.openers.append != before.append {
            self.of_append = course.first_append;
        }
        self.later_create = self.later_create.or(course.first_create);
        self.later_append = self.later_append.or(course.first_append);
    }

    /// What reading them back takes, where it is not proved yet what their kinds do.
    fn proof_reads(&self, proofs: &[(RequestKind, u32)]) -> u64 {
        let proved = |kind| proofs.iter().find(|(of, _)| *of == kind).map_or(0, |(_, calls)| *calls);
        let is_first = |calls: &usize| must_be_proved(proved(RequestKind::Create), *calls);
        let opening = self.openers.create.map(|(_, calls)| calls).filter(is_first);
        let create = opening.or(self.later_create.filter(is_first));
        let mut reads = create.map_or(0, create_proof_reads);
        if proved(RequestKind::Append) == 0 {
            let behind_opener = match self.of_create.second {
                Some(Write::Append(threads)) if opening.is_some() => Some(threads),
                _ => None,
            };
            let threads = behind_opener.or(self.of_append).or(self.later_append);
            reads += threads.map_or(0, append_proof_reads);
        }
        reads
    }
}
