//! The coordinator: hands queues to workers, as many at a time as there are places, until none is left.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
    time::MissedTickBehavior,
};

use super::{
    ImportError, ImportEvent,
    delivery::{Delivery, DeliveryParts},
    settle::SLACK,
    worker::{FETCH, Worker},
};
use crate::{
    checkpoint::{CheckpointError, Ledger, Openers, QueueStart, RequestKind},
    helpscout::Transport,
};

/// Queues that may be parked while what was lost is looked for.
const PARKED: usize = 256;
/// Queues are fetched until they hold so many calls.
const PAGE: usize = 512;

/// What a delivery made and what it warned of.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    pub(super) conversations: u64,
    pub(super) threads: u64,
    pub(super) customers: u64,
    pub(super) requests: u64,
    pub(super) units: u64,
    pub(super) throttled: u64,
    pub(super) warnings: Vec<String>,
    /// Why it ended before its end.
    pub(super) halted: Option<ImportError>,
}

/// Queues that wait for a worker, without holding them all in memory.
struct Feed {
    /// Queues with something open come first, and those that got calls from another.
    first: VecDeque<i64>,
    /// Those of `first` that the pages bring again.
    done_first: HashSet<i64>,
    page: VecDeque<QueueStart>,
    /// The page behind that one, fetched while workers begin with it, so that none waits for the file.
    ahead: Option<JoinHandle<Result<Vec<QueueStart>, CheckpointError>>>,
    after: i64,
    at_end: bool,
    /// One that found no place yet.
    held: Option<Beginning>,
}

/// A queue for a worker.
enum Beginning {
    /// One of those that come first: it begins with what the file says when its worker begins.
    Queue(i64),
    /// One of a page, with what the file said then. Nobody but a queue's own worker changes what is there, but for calls
    /// that join it; it comes first then.
    Start(Box<QueueStart>),
}

impl Beginning {
    fn queue(&self) -> i64 {
        match self {
            Self::Queue(id) => *id,
            Self::Start(start) => start.queue.id,
        }
    }
}

/// Sends all that waits.
pub(super) async fn deliver<T: Transport>(
    parts: DeliveryParts<T>,
    openers: Openers,
    mut again: mpsc::UnboundedReceiver<i64>,
) -> Result<Delivered, ImportError> {
    let shared = Arc::new(Delivery::new(parts));
    shared.ledger.mark_unknown().await?;
    if let Some((id, asked)) = shared.ledger.last_made().await?
        && let Some(at) = shared.by_service(asked, SLACK)
    {
        shared.conversations_made.note_earlier(id, at);
    }
    let mut feed = Feed::begin(shared.ledger.unknown_queues().await?);
    let mut coordinator = Coordinator {
        shared: Arc::clone(&shared),
        workers: JoinSet::new(),
        working: HashSet::new(),
        halted: None,
    };
    coordinator.settle_held().await;
    coordinator.open(openers, &mut feed).await;
    let mut pace = tokio::time::interval(Duration::from_secs(1));
    pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        while let Ok(queue) = again.try_recv() {
            feed.first.push_back(queue);
        }
        let next = match feed.next_if(coordinator.takes_more(), &shared.ledger, &coordinator.working).await {
            Ok(next) => next,
            // What is in flight is finished all the same.
            Err(error) => {
                coordinator.halt(error);
                None
            }
        };
        if next.is_none() && coordinator.workers.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            Some(ended) = coordinator.workers.join_next() => {
                coordinator.ended(ended);
                feed.give_back(next);
            }
            slot = shared.slots.take(), if next.is_some() => {
                if let Some(beginning) = next {
                    coordinator.begin(beginning, slot);
                }
            }
            _ = pace.tick() => {
                shared.tell_pace();
                feed.give_back(next);
            }
        }
    }
    Ok(coordinator.conclude())
}

impl Feed {
    fn begin(first: Vec<i64>) -> Self {
        Self {
            first: first.into(),
            done_first: HashSet::new(),
            page: VecDeque::new(),
            ahead: None,
            after: 0,
            at_end: false,
            held: None,
        }
    }

    /// The next queue, where one is wanted.
    async fn next_if(
        &mut self,
        is_wanted: bool,
        ledger: &Ledger,
        working: &HashSet<i64>,
    ) -> Result<Option<Beginning>, ImportError> {
        if is_wanted { self.next(ledger, working).await } else { Ok(None) }
    }

    /// The next queue that nobody works on.
    async fn next(
        &mut self,
        ledger: &Ledger,
        working: &HashSet<i64>,
    ) -> Result<Option<Beginning>, ImportError> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        for _ in 0..self.first.len() {
            let Some(queue) = self.first.pop_front() else { break };
            if !working.contains(&queue) {
                self.done_first.insert(queue);
                return Ok(Some(Beginning::Queue(queue)));
            }
            self.first.push_back(queue);
        }
        loop {
            while let Some(start) = self.page.pop_front() {
                self.fetch_ahead(ledger);
                let queue = start.queue.id;
                if !self.done_first.contains(&queue) && !working.contains(&queue) {
                    return Ok(Some(Beginning::Start(Box::new(start))));
                }
            }
            if self.at_end {
                return Ok(None);
            }
            self.fetch_ahead(ledger);
            self.turn_page().await?;
        }
    }

    fn fetch_ahead(&mut self, ledger: &Ledger) {
        if self.ahead.is_none() && !self.at_end {
            let (ledger, after) = (ledger.clone(), self.page.back().map_or(self.after, |last| last.queue.id));
            self.ahead = Some(tokio::spawn(async move { ledger.starts(after, PAGE, FETCH).await }));
        }
    }

    async fn turn_page(&mut self) -> Result<(), ImportError> {
        let Some(ahead) = self.ahead.take() else { return Ok(()) };
        let page =
            ahead.await.map_err(|failure| ImportError::Unexpected(format!("a task failed: {failure}")))??;
        self.page = page.into();
        match self.page.back() {
            Some(last) => self.after = last.queue.id,
            None => self.at_end = true,
        }
        Ok(())
    }

    /// A queue that found no place yet.
    fn give_back(&mut self, beginning: Option<Beginning>) {
        self.held = beginning.or(self.held.take());
    }
}

struct Coordinator<T: Transport> {
    shared: Arc<Delivery<T>>,
    workers: JoinSet<(i64, Result<(), ImportError>)>,
    working: HashSet<i64>,
    halted: Option<ImportError>,
}

impl<T: Transport> Coordinator<T> {
    fn takes_more(&self) -> bool {
        self.halted.is_none()
            && !self.shared.stop.is_cancelled()
            && self.workers.len() < self.shared.slots.open() + PARKED
    }

    /// What an earlier run read back otherwise than sent comes before everything else.
    async fn settle_held(&mut self) {
        if let Err(error) = self.try_settle_held().await {
            self.halt(error);
        }
    }

    async fn try_settle_held(&self) -> Result<(), ImportError> {
        let shared = &self.shared;
        for (kind, calls) in shared.ledger.proofs().await? {
            shared.proofs.note(kind, calls);
        }
        for request in shared.ledger.held_requests().await? {
            if let Some(queue) = request.queue {
                let slot = shared.slots.take().await;
                Worker::new(Arc::clone(shared), slot, queue).await?.settle_held(&request).await?;
            }
        }
        Ok(())
    }

    /// Those whose first writes prove what others do begin alone (see [`super::door`]).
    async fn open(&mut self, openers: Openers, feed: &mut Feed) {
        let shared = Arc::clone(&self.shared);
        let is_first = |kind, calls| shared.proofs.is_first(kind, calls);
        if let Some((queue, _)) = openers.create.filter(|(_, calls)| is_first(RequestKind::Create, *calls)) {
            self.open_with(queue, feed).await;
        }
        if let Some(queue) = openers.append.filter(|_| is_first(RequestKind::Append, 1)) {
            self.open_with(queue, feed).await;
        }
    }

    async fn open_with(&mut self, queue: i64, feed: &mut Feed) {
        let shared = Arc::clone(&self.shared);
        let slot = shared.slots.take().await;
        if !self.takes_more() || self.working.contains(&queue) {
            return;
        }
        feed.first.retain(|other| *other != queue);
        feed.done_first.insert(queue);
        shared.proofs.open(queue);
        self.begin(Beginning::Queue(queue), slot);
        while self.halted.is_none() && self.working.contains(&queue) {
            tokio::select! {
                biased;
                Some(ended) = self.workers.join_next() => self.ended(ended),
                () = shared.proofs.opened(queue) => break,
            }
        }
        shared.proofs.has_opened(queue);
    }

    fn halt(&mut self, error: ImportError) {
        if self.halted.is_none() {
            self.halted = Some(error);
            // The others finish what they have in flight.
            self.shared.stop.cancel();
        }
    }

    fn begin(&mut self, beginning: Beginning, slot: super::slots::Slot) {
        let queue = beginning.queue();
        self.working.insert(queue);
        let shared = Arc::clone(&self.shared);
        self.workers.spawn(async move {
            let worker = match beginning {
                Beginning::Start(start) => Ok(Worker::begin(shared, slot, *start)),
                Beginning::Queue(id) => Worker::new(shared, slot, id).await,
            };
            let outcome = match worker {
                Ok(worker) => worker.work().await,
                Err(error) => Err(error),
            };
            (queue, outcome)
        });
    }

    fn ended(&mut self, ended: Result<(i64, Result<(), ImportError>), tokio::task::JoinError>) {
        let error = match ended {
            Ok((queue, outcome)) => {
                self.working.remove(&queue);
                outcome.err()
            }
            Err(failure) => Some(ImportError::Unexpected(format!("a worker failed: {failure}"))),
        };
        if let Some(error) = error {
            self.halt(error);
        }
    }

    fn conclude(self) -> Delivered {
        use std::sync::atomic::Ordering::Relaxed;
        let (made, pace) = (&self.shared.made, self.shared.client.pace());
        let stopped = self.shared.stop.is_cancelled().then_some(ImportError::Stopped);
        Delivered {
            conversations: made.conversations.load(Relaxed),
            threads: made.threads.load(Relaxed),
            customers: made.customers.load(Relaxed),
            requests: pace.requests,
            units: pace.units,
            throttled: pace.throttled,
            warnings: self.shared.warnings(),
            halted: self.halted.or(stopped),
        }
    }
}

impl<T: Transport> Delivery<T> {
    fn tell_pace(&self) {
        let pace = self.client.pace();
        if let Some(limit) = pace.limit {
            self.events.emit(ImportEvent::Pace { limit, share: pace.share, used: pace.used_last_minute });
        }
    }
}
