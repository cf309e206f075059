//! One queue, worked off in order by one worker.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, atomic::Ordering},
};

use super::{
    ImportError, ImportEvent, WhenFull, WhenLocked,
    agents::{stranger, stranger_rejected},
    delivery::Delivery,
    redirect::Way,
    settle::Settled,
    slots::Slot,
};
use crate::{
    checkpoint::{
        ConversationRow, ConversationState, CustomerRow, QueueStart, QueueState, RequestKind, UnknownRequest,
        WaitingCall,
    },
    helpscout::{ApiError, Transport},
    plan::{APPEND_CAP, CREATE_CAP, Newest, PlanRules, Step, WhenAppending, next_step},
    policy::FieldError,
};

/// Calls fetched at a time: what the largest create takes.
pub(super) const FETCH: u32 = 100;

/// What follows for the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Its next call.
    GoOn,
    /// Nothing more in this run: it is done, its calls went elsewhere, or it has to wait.
    Leave,
}

/// Works off one queue.
pub(super) struct Worker<T: Transport> {
    pub(super) shared: Arc<Delivery<T>>,
    pub(super) slot: Option<Slot>,
    pub(super) queue: QueueState,
    pub(super) calls: VecDeque<WaitingCall>,
    /// Whether `calls` are all that wait, as far as was seen.
    all_here: bool,
    pub(super) customers: HashMap<i64, CustomerRow>,
    /// What earlier runs left open.
    unknown: Vec<UnknownRequest>,
    /// Whether it was made sure of that nothing is in the conversation which the rows name that is not known.
    looked: bool,
    /// Whether this run has seen how many threads the newest conversation holds.
    pub(super) touched: bool,
    /// The conversation that calls are added to: those that this was decided for follow.
    pub(super) filling: Option<i64>,
    /// At most so many calls in the next create: fewer after a refusal that named none.
    pub(super) accepted: usize,
}

impl<T: Transport> Worker<T> {
    /// A worker for the queue `id`, in its place.
    pub(super) async fn new(shared: Arc<Delivery<T>>, slot: Slot, id: i64) -> Result<Self, ImportError> {
        let start = shared.ledger.start(id, FETCH).await?;
        Ok(Self::begin(shared, slot, start))
    }

    /// A worker that begins with `start`, in its place.
    pub(super) fn begin(shared: Arc<Delivery<T>>, slot: Slot, start: QueueStart) -> Self {
        Self {
            shared,
            slot: Some(slot),
            queue: start.queue,
            all_here: start.calls.len() < CREATE_CAP,
            calls: start.calls.into(),
            customers: start.customers.into_iter().map(|customer| (customer.id, customer)).collect(),
            unknown: start.unknown,
            looked: false,
            touched: false,
            filling: None,
            accepted: CREATE_CAP,
        }
    }

    /// Works until nothing is left, or nothing can be done now.
    pub(super) async fn work(mut self) -> Result<(), ImportError> {
        if self.settle_open().await? == Next::Leave {
            return Ok(());
        }
        while !self.shared.stop.is_cancelled() {
            if self.calls.is_empty() {
                if self.all_here {
                    break;
                }
                self.fetch().await?;
                continue;
            }
            if self.step().await? == Next::Leave {
                break;
            }
            let (proofs, queue) = (&self.shared.proofs, self.queue.id);
            if proofs.is_opening(queue) && !self.is_next_a_first() {
                proofs.has_opened(queue);
            }
        }
        Ok(())
    }

    /// Whether the next write is one that is read back.
    fn is_next_a_first(&self) -> bool {
        let is_first = |kind, calls| self.shared.proofs.is_first(kind, calls);
        match self.next_step() {
            Step::Append => is_first(RequestKind::Append, 1),
            Step::Create(calls) => is_first(RequestKind::Create, calls),
            Step::Ask | Step::Done => false,
        }
    }

    /// What is in memory may be out of date: it is read again.
    async fn forget(&mut self) -> Result<(), ImportError> {
        self.calls.clear();
        self.all_here = false;
        self.customers.clear();
        self.queue = self.shared.ledger.queue(self.queue.id).await?;
        Ok(())
    }

    /// The last answer is in where nothing waits any more: it is only written down, and another may have the place.
    pub(super) fn give_place_up(&mut self) {
        if self.all_here && self.calls.is_empty() {
            self.slot = None;
        }
    }

    /// The calls that wait, as many as one request may carry.
    async fn fetch(&mut self) -> Result<(), ImportError> {
        self.calls = self.shared.ledger.waiting_calls(self.queue.id, FETCH).await?.into();
        self.all_here = self.calls.len() < CREATE_CAP;
        Ok(())
    }

    /// Looks for what earlier runs left open. A queue with a request that stays open waits as a whole.
    async fn settle_open(&mut self) -> Result<Next, ImportError> {
        for request in std::mem::take(&mut self.unknown) {
            if request.held.is_some() {
                return Ok(Next::Leave);
            }
            // Others need not wait until it is known.
            self.shared.proofs.has_opened(self.queue.id);
            let calls = request.calls.len() as u64;
            let why = "left open by an earlier run".to_owned();
            self.shared.events.emit(ImportEvent::Lost { calls, why });
            let ended = self.shared.ended_before(&request);
            let settled = self.shared.settle(&request, ended, &mut self.slot).await?;
            self.forget().await?;
            if settled == Settled::Open {
                return Ok(Next::Leave);
            }
        }
        Ok(Next::GoOn)
    }

    async fn step(&mut self) -> Result<Next, ImportError> {
        if !std::mem::replace(&mut self.looked, true) && self.look_into_named().await? == Next::Leave {
            return Ok(Next::Leave);
        }
        self.refuse_strangers().await?;
        while self.needs_more() {
            self.fetch().await?;
            self.refuse_strangers().await?;
        }
        // A refusal may have emptied the queue.
        if self.calls.is_empty() {
            return Ok(Next::GoOn);
        }
        if let Some(row) = self.filled_up() {
            return self.close(row, ConversationState::Full).await;
        }
        // What is made from here on is of this run.
        self.touched |= self.newest() == Newest::Absent;
        match self.next_step() {
            Step::Done => Ok(Next::GoOn),
            Step::Ask => self.touch().await,
            Step::Append => self.append().await,
            Step::Create(calls) => self.create(calls).await,
        }
    }

    /// Whether appends, a create or a refusal left fewer calls at hand than the next request is chosen from or may carry,
    /// and more wait behind them.
    fn needs_more(&self) -> bool {
        if self.all_here || self.calls.len() >= CREATE_CAP {
            return false;
        }
        let has_choice = self.rules().appending == WhenAppending::Cheap && self.newest() != Newest::Absent;
        has_choice || self.next_step() == Step::Create(self.calls.len())
    }

    /// Calls whose agents are no users are refused, where that is set; else they are warned of.
    async fn refuse_strangers(&mut self) -> Result<(), ImportError> {
        let shared = Arc::clone(&self.shared);
        let agents = &shared.connection.agents;
        let mut refused = Vec::new();
        self.calls.retain(|call| match agents.stranger_of(call) {
            None => true,
            Some(email) if agents.rejects_strangers() => {
                refused.push((call.id, stranger_rejected(email)));
                false
            }
            Some(email) => {
                shared.warn(stranger(email));
                true
            }
        });
        if refused.is_empty() { Ok(()) } else { self.refuse(refused).await }
    }

    fn next_step(&self) -> Step {
        let sizes: Vec<u32> = self.calls.iter().map(|call| call.size).collect();
        next_step(self.newest(), &sizes, self.rules())
    }

    /// By what the next request is chosen.
    fn rules(&self) -> PlanRules {
        let newest = self.queue.newest.as_ref();
        let is_named = self.queue.existing.is_some() && newest.is_none_or(|row| row.part == 1);
        let mut rules = self.shared.plan_rules().towards(is_named);
        rules.limits.calls = rules.limits.calls.min(self.accepted);
        let is_filling = newest.is_some_and(|row| self.filling == Some(row.id));
        // Behind a refusal that named no call the rest is added one by one, so that a history is not splintered.
        if is_filling || self.accepted < CREATE_CAP { rules.filling() } else { rules }
    }

    /// What is known of the conversation that would take the next call.
    fn newest(&self) -> Newest {
        match &self.queue.newest {
            None if self.queue.existing.is_some() && !self.touched => Newest::Unmet,
            Some(row) if row.state == ConversationState::Open && !self.touched => Newest::Unasked,
            Some(row) if row.state == ConversationState::Open => Newest::Holds(row.threads),
            _ => Newest::Absent,
        }
    }

    /// The conversation that the rows name, where this run has filled it and what does not fit is to be refused.
    fn filled_up(&self) -> Option<ConversationRow> {
        let newest = self.queue.newest.as_ref().filter(|row| row.part == 1 && self.touched)?;
        let refuses = self.shared.settings.conversation.when_full == WhenFull::Reject;
        let is_full = newest.state == ConversationState::Open && newest.threads >= APPEND_CAP;
        (is_full && refuses && self.queue.existing.is_some()).then(|| newest.clone())
    }

    /// Asks how many threads the conversation holds that takes the next call, if it was not made in this run.
    async fn touch(&mut self) -> Result<Next, ImportError> {
        self.touched = true;
        let helpscout_id = match (&self.queue.newest, self.queue.existing) {
            (Some(row), _) if row.state == ConversationState::Open => row.helpscout_id,
            (None, Some(existing)) => {
                if let Some((owner, _)) = self.shared.ledger.conversation_of(existing).await? {
                    return self.join(owner).await;
                }
                existing
            }
            _ => return Ok(Next::GoOn),
        };
        match self.shared.client.threads(helpscout_id, 1).await {
            Ok(page) => {
                let threads = u32::try_from(page.total).unwrap_or(u32::MAX);
                let known = self.queue.newest.as_ref().map_or(0, |row| row.threads);
                if self.refuse_unknown_calls(helpscout_id, page, known).await? == Next::Leave {
                    return Ok(Next::Leave);
                }
                let row = self.conversation(helpscout_id, threads).await?;
                self.seen_threads(row, threads).await
            }
            Err(ApiError::NotFound { .. }) => match self.redirect(helpscout_id).await? {
                Way::On => Ok(Next::GoOn),
                Way::Left => Ok(Next::Leave),
                Way::NotTheConversation => Err(ImportError::Refused(format!(
                    "conversation {helpscout_id} is there, but its threads are not found"
                ))),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The conversation that the rows name may hold calls, too, where the file knows only its continuation: after a
    /// recovery, which found that one by its tag.
    async fn look_into_named(&self) -> Result<Next, ImportError> {
        let (Some(newest), Some(existing)) = (&self.queue.newest, self.queue.existing) else {
            return Ok(Next::GoOn);
        };
        if newest.helpscout_id == existing || self.shared.ledger.conversation_of(existing).await?.is_some() {
            return Ok(Next::GoOn);
        }
        match self.shared.client.threads(existing, 1).await {
            Ok(page) => self.refuse_unknown_calls(existing, page, 0).await,
            Err(ApiError::NotFound { .. }) => Ok(Next::GoOn),
            Err(error) => Err(error.into()),
        }
    }

    /// The row of the conversation that takes the next call.
    pub(super) async fn conversation(
        &mut self,
        helpscout_id: u64,
        threads: u32,
    ) -> Result<ConversationRow, ImportError> {
        match &self.queue.newest {
            Some(row) => Ok(row.clone()),
            None => Ok(self.shared.ledger.adopt_conversation(self.queue.id, helpscout_id, threads).await?),
        }
    }

    async fn seen_threads(&mut self, mut row: ConversationRow, threads: u32) -> Result<Next, ImportError> {
        row.threads = threads;
        if threads >= APPEND_CAP {
            return self.close(row, ConversationState::Full).await;
        }
        self.keep(row).await?;
        Ok(Next::GoOn)
    }

    /// Writes what is known of the newest conversation.
    pub(super) async fn keep(&mut self, row: ConversationRow) -> Result<(), ImportError> {
        self.shared.ledger.update_conversation(row.clone()).await?;
        if self.queue.first.as_ref().is_none_or(|first| first.id == row.id) {
            self.queue.first = Some(row.clone());
        }
        self.queue.newest = Some(row);
        Ok(())
    }

    /// The newest conversation takes no more: the calls go on in a new one, or are refused, as configured.
    pub(super) async fn close(
        &mut self,
        mut row: ConversationRow,
        state: ConversationState,
    ) -> Result<Next, ImportError> {
        let is_named_by_rows = self.queue.existing.is_some() && row.part == 1;
        let conversation = row.helpscout_id;
        let settings = &self.shared.settings.conversation;
        let why = match state {
            ConversationState::Full if is_named_by_rows && settings.when_full == WhenFull::Reject => {
                format!(
                    "conversation {conversation} holds as many threads as it may (conversation.when_full)"
                )
            }
            ConversationState::Locked if settings.when_locked == WhenLocked::Reject => {
                format!(
                    "conversation {conversation} is locked by the company's policy (conversation.when_locked)"
                )
            }
            _ => {
                row.state = state;
                self.keep(row).await?;
                return Ok(Next::GoOn);
            }
        };
        // It stays open here: a later run judges its calls afresh, and must not take a closed one for a reason to go on
        // in a new conversation.
        self.keep(row).await?;
        self.refuse_queue(&why).await
    }

    /// Every call of the queue that waits is refused.
    pub(super) async fn refuse_queue(&mut self, why: &str) -> Result<Next, ImportError> {
        while !self.calls.is_empty() {
            let refused = self.calls.drain(..).map(|call| (call.id, why.to_owned())).collect();
            self.refuse(refused).await?;
            self.calls = self.shared.ledger.waiting_calls(self.queue.id, FETCH).await?.into();
        }
        Ok(Next::Leave)
    }

    /// Calls that wait are refused, each for its reason; they must be out of `self.calls`.
    pub(super) async fn refuse(&self, calls: Vec<(i64, String)>) -> Result<(), ImportError> {
        let count = calls.len() as u64;
        self.shared.ledger.refuse(self.shared.run, self.queue.id, self.shared.clock.now(), calls).await?;
        self.shared.events.emit(ImportEvent::Refused { calls: count });
        Ok(())
    }

    /// The calls go to another queue: its worker, or a new one, takes them.
    pub(super) async fn join(&mut self, owner: i64) -> Result<Next, ImportError> {
        self.calls.clear();
        self.shared.ledger.join_queues(self.queue.id, owner).await?;
        // Whoever listens has ended only if the run has.
        self.shared.again.send(owner).ok();
        Ok(Next::Leave)
    }

    /// Looks at once for what a lost answer left open. The queue's later calls wait for it.
    pub(super) async fn settle_now(
        &mut self,
        request: i64,
        ended: tokio::time::Instant,
    ) -> Result<Next, ImportError> {
        self.shared.proofs.has_opened(self.queue.id);
        let open = self.shared.ledger.unknown_of_queue(self.queue.id).await?;
        let Some(unknown) = open.into_iter().find(|open| open.id == request) else { return Ok(Next::GoOn) };
        let settled = self.shared.settle(&unknown, ended, &mut self.slot).await?;
        self.forget().await?;
        Ok(if settled == Settled::Open { Next::Leave } else { Next::GoOn })
    }

    /// What is told and counted after calls have landed, which is on disk.
    pub(super) fn has_landed(&mut self, customers: &[i64], calls: u64) {
        for id in customers {
            if let Some(customer) = self.customers.get_mut(id) {
                customer.confirmed = true;
            }
        }
        self.shared.made.threads.fetch_add(calls, Ordering::Relaxed);
        self.shared.events.emit(ImportEvent::Landed { calls });
    }

    pub(super) fn count_thread(&mut self) {
        let Some(newest) = &mut self.queue.newest else { return };
        newest.threads += 1;
        if let Some(first) = self.queue.first.as_mut().filter(|first| first.id == newest.id) {
            first.threads = newest.threads;
        }
    }
}

/// The words for a refused call.
pub(super) fn told(message: &str, errors: &[FieldError]) -> String {
    if errors.is_empty() {
        return format!("Help Scout refused it: {message}");
    }
    let faults: Vec<String> =
        errors.iter().map(|error| format!("{} {}", error.path, error.message)).collect();
    format!("Help Scout refused it: {}", faults.join("; "))
}

pub(super) fn denied(message: &str) -> ImportError {
    ImportError::Refused(format!("Help Scout denied access: {message}"))
}

pub(super) fn undocumented(why: &str) -> ImportError {
    ImportError::Refused(format!(
        "an answer that no document of Help Scout explains: {why}; what was sent with it is looked for by the next run"
    ))
}
