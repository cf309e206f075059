//! The queues that wait, as a plan needs them.

use std::ops::ControlFlow;

use rusqlite::Connection;

use super::{Checkpoint, CheckpointError, ConversationState, delivery};
use crate::plan::{CREATE_CAP, Naming, Newest, Outlet, PlanRules, Prediction, Step, Write, next_step};

/// What a queue that waits means for a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedQueue {
    /// Its number.
    pub id: i64,
    /// Where its calls go next, as far as is known.
    pub outlet: Outlet,
    /// What each call takes, in order.
    pub sizes: Vec<u32>,
}

/// The queues whose first writes are read back before others write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Openers {
    /// Of those whose first write is a create the one with the largest, and how many calls that carries. What it proves
    /// holds for all the others.
    pub create: Option<(i64, usize)>,
    /// The first of those whose first write adds to a conversation.
    pub append: Option<i64>,
}

impl Openers {
    /// Takes note of how the writes of the queue `id` begin; queues come in their order.
    pub fn consider(&mut self, id: i64, first: Option<Write>) {
        match first {
            Some(Write::Create(calls)) if self.create.is_none_or(|(_, most)| calls > most) => {
                self.create = Some((id, calls));
            }
            Some(Write::Append(_)) if self.append.is_none() => self.append = Some(id),
            _ => {}
        }
    }
}

impl Checkpoint {
    /// Tells `each` every queue that waits, one after another, for a plan.
    pub fn plan(&self, mut each: impl FnMut(PlannedQueue)) -> Result<(), CheckpointError> {
        let c = &self.connection;
        each_queue(c, usize::MAX, |id, sizes| {
            each(PlannedQueue { id, outlet: outlet(c, id)?, sizes: sizes.to_vec() });
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Who opens. Of a kind that is not wanted nobody is looked for, so that hardly more is read than is needed.
    pub fn openers(
        &self,
        rules: PlanRules,
        wants_create: bool,
        wants_append: bool,
    ) -> Result<Openers, CheckpointError> {
        let c = &self.connection;
        let mut openers = Openers::default();
        let wants_append = wants_append && has_outlets(c)?;
        if !wants_create && !wants_append {
            return Ok(openers);
        }
        each_queue(c, CREATE_CAP, |id, sizes| {
            let most = openers.create.map_or(0, |(_, most)| most);
            let at_most = match next_step(Newest::Absent, sizes, rules) {
                Step::Create(calls) => calls,
                Step::Done | Step::Ask | Step::Append => 0,
            };
            let seeks_append = wants_append && openers.append.is_none();
            if (wants_create && at_most > most) || seeks_append {
                openers.consider(id, Prediction::default().add_queue(outlet(c, id)?, sizes, rules).first);
            }
            let has_create = !wants_create || openers.create.is_some_and(|(_, most)| most >= CREATE_CAP);
            let has_append = !wants_append || openers.append.is_some();
            Ok(if has_create && has_append { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(openers)
    }
}

/// Tells `each` the queues that wait, in their order, with what each of their first calls takes, at most `most`.
fn each_queue(
    c: &Connection,
    most: usize,
    mut each: impl FnMut(i64, &[u32]) -> Result<ControlFlow<()>, CheckpointError>,
) -> Result<(), CheckpointError> {
    let mut calls = c.prepare(
        "SELECT queue, size FROM calls INDEXED BY calls_waiting WHERE request IS NULL ORDER BY queue, started_at, size",
    )?;
    let mut rows = calls.query([])?;
    let (mut current, mut sizes): (Option<i64>, Vec<u32>) = (None, Vec::new());
    while let Some(row) = rows.next()? {
        let (queue, size): (i64, u32) = (row.get(0)?, row.get(1)?);
        if let Some(id) = current.filter(|known| *known != queue) {
            if each(id, &sizes)?.is_break() {
                return Ok(());
            }
            sizes.clear();
        }
        current = Some(queue);
        if sizes.len() < most {
            sizes.push(size);
        }
    }
    match current {
        Some(id) => each(id, &sizes).map(|_| ()),
        None => Ok(()),
    }
}

/// Whether any queue may have a conversation that is there.
fn has_outlets(c: &Connection) -> rusqlite::Result<bool> {
    c.query_row(
        "SELECT EXISTS (SELECT 1 FROM conversations) OR EXISTS (SELECT 1 FROM queues WHERE existing IS NOT NULL)",
        [],
        |row| row.get(0),
    )
}

/// Where the calls of a queue go next: into its newest conversation, or the one that the rows name (what it holds is not
/// known before it is asked: taken as empty), or a new one.
fn outlet(c: &Connection, queue: i64) -> rusqlite::Result<Outlet> {
    let state = delivery::queue(c, queue)?;
    let names_one = state.existing.is_some();
    let is_open = |newest: &&super::ConversationRow| newest.state == ConversationState::Open;
    let lacks_look = match (&state.newest, state.existing) {
        (Some(newest), Some(existing)) if newest.helpscout_id != existing => {
            delivery::conversation_of(c, existing)?.is_none()
        }
        _ => false,
    };
    Ok(Outlet {
        threads: match &state.newest {
            Some(newest) => Some(newest).filter(is_open).map(|newest| newest.threads),
            None => state.existing.map(|_| 0),
        },
        naming: match &state.newest {
            None if names_one => Naming::Unmet,
            Some(newest) if names_one && newest.part == 1 => Naming::Met,
            _ => Naming::Unnamed,
        },
        lacks_look,
        lacks_place: names_one && state.first.is_none_or(|first| first.subject.is_none()),
    })
}
