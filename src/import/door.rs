//! What is proved of requests, and the door that lets the first of a kind pass alone.
//!
//! Which request comes first is not left to chance. A queue whose first write is the largest create that any begins with
//! opens: it works alone until that is read back, which proves the smaller ones, too. The first of the queues that begin with
//! an append follows in the same way. So as much is read back as was predicted, however many workers there are.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, watch};

use crate::{
    checkpoint::{Checkpoint, CheckpointError, Openers, RequestKind},
    plan::{CREATE_CAP, PlanRules},
};

/// What is proved, and the door that lets a first request pass alone.
///
/// A create is proved for as many calls as one was read back with: that one call arrives says nothing of a hundred. One that
/// carries twice as many, or a hundred, is read back anew.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    /// Calls that a create was proved with; none: 0.
    create: AtomicU32,
    append: AtomicU32,
    door: Arc<RwLock<()>>,
    /// The queue that works alone because its next write is a first one.
    opening: watch::Sender<Option<i64>>,
}

/// The leave to send a write, held until its outcome is written down.
#[derive(Debug)]
pub(super) enum Pass {
    /// Everything is proved: nobody has to wait.
    Free,
    /// Beside others, but not beside a first one.
    Beside { _door: OwnedRwLockReadGuard<()> },
    /// The first of its kind: nothing else is on its way.
    Alone { _door: OwnedRwLockWriteGuard<()> },
}

impl Pass {
    pub(super) fn is_alone(&self) -> bool {
        matches!(self, Self::Alone { .. })
    }
}

impl Proofs {
    /// Takes note that requests of this kind with so many calls do as the documents say.
    pub(super) fn note(&self, kind: RequestKind, calls: u32) {
        if let Some(proof) = self.of(kind) {
            proof.fetch_max(calls, Ordering::AcqRel);
        }
    }

    /// Waits for the leave to send a write of so many calls.
    pub(super) async fn enter(&self, kind: RequestKind, calls: usize) -> Pass {
        let proved = |proof: &AtomicU32| proof.load(Ordering::Acquire);
        if proved(&self.create) >= MOST_CALLS && proved(&self.append) > 0 {
            return Pass::Free;
        }
        if self.is_first(kind, calls) {
            let door = Arc::clone(&self.door).write_owned().await;
            if self.is_first(kind, calls) {
                return Pass::Alone { _door: door };
            }
        }
        Pass::Beside { _door: Arc::clone(&self.door).read_owned().await }
    }

    /// Whether a write of so many calls is the first of its kind, and is to be read back.
    pub(super) fn is_first(&self, kind: RequestKind, calls: usize) -> bool {
        self.of(kind).is_some_and(|proof| must_be_proved(proof.load(Ordering::Acquire), calls))
    }

    /// From now on the queue works alone, until it has opened.
    pub(super) fn open(&self, queue: i64) {
        self.opening.send_replace(Some(queue));
    }

    /// Whether the queue works alone.
    pub(super) fn is_opening(&self, queue: i64) -> bool {
        *self.opening.borrow() == Some(queue)
    }

    /// The queue needs to be alone no longer: what it had to prove is proved, or will not be soon.
    pub(super) fn has_opened(&self, queue: i64) {
        self.opening.send_if_modified(|opening| opening.take_if(|known| *known == queue).is_some());
    }

    /// Waits until the queue has opened.
    pub(super) async fn opened(&self, queue: i64) {
        let mut opening = self.opening.subscribe();
        // The sender lives as long as this.
        opening.wait_for(|now| *now != Some(queue)).await.ok();
    }

    /// The kinds that are proved; a customer's profile hides nothing that a history hangs on.
    fn of(&self, kind: RequestKind) -> Option<&AtomicU32> {
        match kind {
            RequestKind::Create => Some(&self.create),
            RequestKind::Append => Some(&self.append),
            RequestKind::Customer | RequestKind::Refusal | RequestKind::Recovered => None,
        }
    }
}

/// The most calls that a create carries.
#[expect(clippy::cast_possible_truncation, reason = "a hundred")]
const MOST_CALLS: u32 = CREATE_CAP as u32;

/// Whether a request of `calls` is read back where one of `proved` was.
pub(super) fn must_be_proved(proved: u32, calls: usize) -> bool {
    let calls = u32::try_from(calls).unwrap_or(u32::MAX);
    calls > proved && (calls >= proved.saturating_mul(2) || calls >= MOST_CALLS)
}

/// Threads that a page of their list holds.
const THREADS_A_PAGE: u64 = 25;

/// What reading back a create of `calls` takes: the conversation, and its threads.
pub(super) fn create_proof_reads(calls: usize) -> u64 {
    1 + (calls as u64).div_ceil(THREADS_A_PAGE)
}

/// What reading back an append takes to a conversation that holds `threads`: its status before and after, and its threads.
pub(super) fn append_proof_reads(threads: u32) -> u64 {
    2 + (u64::from(threads) + 1).div_ceil(THREADS_A_PAGE)
}

/// The queues that open; none where everything is proved.
pub(super) fn openers(checkpoint: &Checkpoint, rules: PlanRules) -> Result<Openers, CheckpointError> {
    let proofs = checkpoint.proofs()?;
    let proved = |kind| proofs.iter().find(|(of, _)| *of == kind).map_or(0, |(_, calls)| *calls);
    let is_wanted = |kind, calls| must_be_proved(proved(kind), calls);
    checkpoint.openers(rules, is_wanted(RequestKind::Create, CREATE_CAP), is_wanted(RequestKind::Append, 1))
}
