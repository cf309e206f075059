//! What all workers of a delivery share.

use std::{
    borrow::Cow,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Clock, DeliverySettings, EventSink, ImportError, ImportEvent, agents::Attribution, connect::Connection,
    creations::Creations, door::Proofs, gates::Gates, joins::Joins, look::Listed, slots::Slots,
};
use crate::{
    call::{REFERENCE_SLOT, Reference},
    checkpoint::{CarriedCall, Ledger, WaitingCall},
    helpscout::{Client, Transport},
    plan::{DEFAULT_BODY_LIMIT, PackLimits, PlanRules},
};

/// Shared by all workers.
pub(super) struct Delivery<T> {
    pub(super) client: Client<T>,
    pub(super) ledger: Ledger,
    pub(super) settings: DeliverySettings,
    pub(super) connection: Connection,
    pub(super) checkpoint_path: PathBuf,
    pub(super) clock: Clock,
    pub(super) events: Arc<dyn EventSink>,
    pub(super) stop: CancellationToken,
    pub(super) run: i64,
    pub(super) slots: Slots,
    pub(super) gates: Gates,
    pub(super) proofs: Proofs,
    pub(super) conversations_made: Creations,
    pub(super) customers_made: Creations,
    /// The last list of conversations in which something lost was looked for.
    pub(super) listed: tokio::sync::Mutex<Option<Listed>>,
    pub(super) made: Made,
    /// Queues that got calls while nobody worked on them.
    pub(super) again: mpsc::UnboundedSender<i64>,
    /// The import tag beside the user's.
    pub(super) tags: Vec<String>,
    /// The largest body that the service is known to take.
    body_limit: AtomicUsize,
    refusals: Mutex<Refusals>,
    pub(super) joins: Joins,
    warned: Mutex<Vec<String>>,
    chance: Mutex<fastrand::Rng>,
}

/// How many of each this run made.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) conversations: AtomicU64,
    pub(super) threads: AtomicU64,
    pub(super) customers: AtomicU64,
}

/// Conversations in a row whose creation was refused alike, without a success in between.
#[derive(Debug, Default)]
struct Refusals {
    signature: String,
    queues: Vec<i64>,
    calls: Vec<i64>,
}

/// So many conversations refused alike in a row are not the calls' fault.
const ALIKE: usize = 3;

/// What a delivery begins with.
pub(super) struct DeliveryParts<T> {
    pub(super) client: Client<T>,
    pub(super) ledger: Ledger,
    pub(super) settings: DeliverySettings,
    pub(super) connection: Connection,
    pub(super) checkpoint_path: PathBuf,
    pub(super) clock: Clock,
    pub(super) events: Arc<dyn EventSink>,
    pub(super) stop: CancellationToken,
    pub(super) run: i64,
    pub(super) again: mpsc::UnboundedSender<i64>,
    pub(super) chance_seed: u64,
}

impl<T: Transport> Delivery<T> {
    pub(super) fn new(parts: DeliveryParts<T>) -> Self {
        let conversation = &parts.settings.conversation;
        let mut tags = conversation.tags.clone();
        if !tags.contains(&conversation.import_tag) {
            tags.push(conversation.import_tag.clone());
        }
        Self {
            slots: Slots::new(parts.settings.workers),
            gates: Gates::default(),
            proofs: Proofs::default(),
            conversations_made: Creations::default(),
            customers_made: Creations::default(),
            listed: tokio::sync::Mutex::default(),
            made: Made::default(),
            tags,
            body_limit: AtomicUsize::new(DEFAULT_BODY_LIMIT),
            refusals: Mutex::default(),
            joins: Joins::default(),
            warned: Mutex::default(),
            chance: Mutex::new(fastrand::Rng::with_seed(parts.chance_seed)),
            client: parts.client,
            ledger: parts.ledger,
            settings: parts.settings,
            connection: parts.connection,
            checkpoint_path: parts.checkpoint_path,
            clock: parts.clock,
            events: parts.events,
            stop: parts.stop,
            run: parts.run,
            again: parts.again,
        }
    }

    /// By what the next request is chosen now.
    pub(super) fn plan_rules(&self) -> PlanRules {
        let rules = self.settings.conversation.plan_rules();
        let bytes = self.body_limit.load(Ordering::Relaxed);
        PlanRules { limits: PackLimits { bytes, ..rules.limits }, ..rules }
    }

    /// The service found a body of `bytes` too large: for this run half of it is the limit.
    pub(super) fn shrink_bodies(&self, bytes: usize) {
        self.body_limit.fetch_min(bytes / 2, Ordering::Relaxed);
    }

    /// The text of a call as it is sent.
    pub(super) fn text(&self, call: &WaitingCall) -> String {
        let reference = self.reference_of(call);
        let escaped = escaped(reference.as_str());
        let mut text = String::with_capacity(call.text.len() + escaped.len());
        let mut rest = call.text.as_str();
        while let Some((before, after)) =
            memchr::memchr(SLOT, rest.as_bytes()).and_then(|at| around(rest, at))
        {
            text.push_str(before);
            text.push_str(&escaped);
            rest = after;
        }
        text.push_str(rest);
        text
    }

    /// In whose name a conversation of `calls` is made, and who it is assigned to.
    pub(super) fn attribution(&self, calls: &[WaitingCall]) -> Attribution {
        let assign_to = &self.settings.conversation.assign_to;
        self.connection.agents.attribution(calls, assign_to, self.connection.assign_to)
    }

    /// By what a call that waits will be found again.
    pub(super) fn reference_of(&self, call: &WaitingCall) -> Reference {
        Reference::new(&self.settings.source_name, call.source_id.as_deref(), call.key)
    }

    /// By what a call is found again.
    pub(super) fn reference(&self, call: &CarriedCall) -> Reference {
        Reference::new(&self.settings.source_name, call.source_id.as_deref(), call.key)
    }

    /// Units a second that may be used, for writes of two.
    pub(super) fn writes_a_second(&self) -> Option<f64> {
        let pace = self.client.pace();
        pace.limit.map(|limit| f64::from(limit) * pace.share / 60.0 / 2.0)
    }

    /// A number between 0 and 1.
    pub(super) fn chance(&self) -> f64 {
        lock(&self.chance).f64()
    }

    /// Tells a warning, once for each reason.
    pub(super) fn warn(&self, reason: String) {
        let mut warned = lock(&self.warned);
        if !warned.contains(&reason) {
            warned.push(reason.clone());
            self.events.emit(ImportEvent::Warned { reason });
        }
    }

    /// What was warned of.
    pub(super) fn warnings(&self) -> Vec<String> {
        lock(&self.warned).clone()
    }

    /// A conversation was made: refusals are the calls' own fault.
    pub(super) fn note_accepted(&self) {
        *lock(&self.refusals) = Refusals::default();
    }

    /// Calls of `queue` were refused for a reason that no call was named for. After three conversations alike, all of
    /// them are cleared and the run stops.
    pub(super) async fn note_refused(
        &self,
        queue: i64,
        signature: String,
        calls: &[i64],
        words: &str,
    ) -> Result<(), ImportError> {
        let cleared = {
            let mut refusals = lock(&self.refusals);
            if refusals.signature != signature {
                *refusals = Refusals { signature, ..Refusals::default() };
            }
            if !refusals.queues.contains(&queue) {
                refusals.queues.push(queue);
            }
            refusals.calls.extend_from_slice(calls);
            if refusals.queues.len() < ALIKE {
                return Ok(());
            }
            std::mem::take(&mut refusals.calls)
        };
        self.ledger.unrefuse(cleared).await?;
        Err(ImportError::Refused(format!(
            "Help Scout refused {ALIKE} conversations in a row alike, which is not their calls' fault; nothing was \
             rejected for it: {words}"
        )))
    }
}

/// [`REFERENCE_SLOT`] as it stands in a text: one byte, found faster than a character.
const SLOT: u8 = {
    assert!(REFERENCE_SLOT.is_ascii());
    REFERENCE_SLOT as u8
};

/// What stands before and behind the byte `at`.
fn around(text: &str, at: usize) -> Option<(&str, &str)> {
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// As HTML has it; few references hold a character that it spells otherwise.
fn escaped(text: &str) -> Cow<'_, str> {
    if text.contains(['&', '<', '>']) {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").into()
    } else {
        text.into()
    }
}

fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
