//! A lost checkpoint, rebuilt from the account: by the import tag, and by the references that calls carry.
//!
//! Every conversation with the tag is read, and every one that the file knows or that its rows name. What is found is
//! noted as imported, so that the next import adds only what is missing. The list by tag lags, so it is read again, with
//! `limits.settle` in between, until it shows nothing new. What was in flight when the file was lost may still come later:
//! the next import meets it as a contradiction and names this verb again.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    Clock, DeliverySettings, EventSink, ImportError, ImportEvent, connect::connect, guard::ReferenceForm,
    listing::all_threads,
};
use crate::{
    call::{Moment, Reference},
    checkpoint::{Checkpoint, FoundCall, FoundConversation, Lineage, Recovery},
    helpscout::{ApiError, Client, ConversationState as Found, Thread, Transport},
};

/// Conversations that are read at the same time.
const AT_A_TIME: usize = 8;
/// Conversations that are read before what they told is written down.
const CHUNK: usize = 256;

/// What a recovery is told.
#[derive(Debug)]
pub struct RecoverJob {
    /// By what calls are found, and how long is waited.
    pub delivery: DeliverySettings,
    /// How rows are read, to be kept with what is found.
    pub lineage: Lineage,
    /// The account's name in the checkpoint, where it is not asked of the service.
    pub account: Option<String>,
    /// The run's name.
    pub run: String,
    /// When it is.
    pub clock: Clock,
}

/// How a recovery ended.
#[derive(Debug)]
pub struct Recovered {
    /// What became known.
    pub recovery: Recovery,
    /// Requests that left.
    pub requests: u64,
    /// What they cost of the account's limit.
    pub units: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Why it ended before its end; what became known until then is kept.
    pub halted: Option<ImportError>,
}

/// Recovers. An `Err` means that the checkpoint was refused and nothing was changed.
pub async fn recover<T: Transport>(
    job: RecoverJob,
    checkpoint: Checkpoint,
    client: Client<T>,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
) -> Result<Recovered, ImportError> {
    let client = client.with_stop(stop.clone());
    checkpoint.check_address(job.account.as_deref().unwrap_or(client.api_url().as_str()))?;
    checkpoint.check_identity(&job.lineage)?;
    events.emit(ImportEvent::Recovering { conversations: 0, calls: 0 });
    let connection = connect(&client, &job.delivery, job.account.as_deref(), None, false).await?;
    checkpoint.belong_to(&connection.account)?;
    events.emit(ImportEvent::Connected { account: connection.shown(), user: connection.user.clone() });
    let run = checkpoint.begin_run(&job.run, job.clock.began())?;
    let amid = job.delivery.amid;
    let mut recoverer = Recoverer {
        client: Arc::new(client),
        job,
        checkpoint,
        events,
        stop,
        run,
        read: BTreeSet::new(),
        recovery: Recovery { amid, ..Recovery::default() },
    };
    let outcome = recoverer.work().await;
    recoverer.conclude(outcome)
}

struct Recoverer<T> {
    client: Arc<Client<T>>,
    job: RecoverJob,
    checkpoint: Checkpoint,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
    run: i64,
    /// Conversations that were read.
    read: BTreeSet<u64>,
    recovery: Recovery,
}

/// A conversation as it was read; none where it is gone.
type Reading = Result<Option<FoundConversation>, ImportError>;

impl<T: Transport> Recoverer<T> {
    async fn work(&mut self) -> Result<(), ImportError> {
        self.checkpoint.begin_recovery(&self.job.delivery.source_name)?;
        let known: Vec<u64> = self.checkpoint.known_places()?;
        let mut ours = self.list().await?;
        let mut places: BTreeSet<u64> = known.into_iter().chain(ours.iter().copied()).collect();
        places.extend(self.search().await?);
        loop {
            self.read_all(&places, &ours).await?;
            self.pause().await?;
            ours = self.list().await?;
            places = ours.difference(&self.read).copied().collect();
            if places.is_empty() {
                return Ok(());
            }
        }
    }

    fn conclude(self, outcome: Result<(), ImportError>) -> Result<Recovered, ImportError> {
        let Self { client, job, checkpoint, run, recovery, .. } = self;
        if outcome.is_ok() {
            checkpoint.end_recovery(&job.lineage)?;
            checkpoint.end_run(run, job.clock.now(), "{}")?;
        }
        let pace = client.pace();
        let halted = outcome.err();
        let (requests, units, elapsed) = (pace.requests, pace.units, job.clock.elapsed());
        Ok(Recovered { recovery, requests, units, elapsed, halted })
    }

    /// Every conversation with the import tag that the list shows now.
    async fn list(&self) -> Result<BTreeSet<u64>, ImportError> {
        let tag = &self.job.delivery.conversation.import_tag;
        let mut found = BTreeSet::new();
        for number in 1.. {
            self.check_stop()?;
            let page = self.client.conversations_by_tag(tag, number).await?;
            found.extend(page.conversations.iter().map(|head| head.id));
            if number >= page.pages {
                break;
            }
        }
        Ok(found)
    }

    /// Conversations that carry references of a source with a name, with the tag or without: those that people merged ours
    /// into.
    async fn search(&self) -> Result<BTreeSet<u64>, ImportError> {
        let mut found = BTreeSet::new();
        if self.job.delivery.source_name.trim().is_empty() {
            return Ok(found);
        }
        let phrase = Reference::prefix(&self.job.delivery.source_name);
        for number in 1.. {
            self.check_stop()?;
            let page = self.client.search_conversations(phrase.trim_end(), number).await?;
            found.extend(page.conversations.iter().map(|head| head.id));
            if number >= page.pages {
                break;
            }
        }
        Ok(found)
    }

    async fn pause(&self) -> Result<(), ImportError> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(ImportError::Stopped),
            () = tokio::time::sleep(self.job.delivery.settle) => Ok(()),
        }
    }

    fn check_stop(&self) -> Result<(), ImportError> {
        if self.stop.is_cancelled() { Err(ImportError::Stopped) } else { Ok(()) }
    }

    /// Reads `places`, those with the smallest ids first, and writes down what they tell in that order.
    async fn read_all(&mut self, places: &BTreeSet<u64>, ours: &BTreeSet<u64>) -> Result<(), ImportError> {
        let places: Vec<u64> = places.iter().copied().collect();
        for chunk in places.chunks(CHUNK) {
            let mut found = self.read_chunk(chunk, ours).await?;
            found.sort_unstable_by_key(|conversation| conversation.id);
            found.dedup_by_key(|conversation| conversation.id);
            let now = self.job.clock.now();
            for conversation in &found {
                self.checkpoint.take_found(self.run, now, conversation, &mut self.recovery)?;
            }
            self.read.extend(chunk);
            let (conversations, calls) = (self.recovery.conversations, self.recovery.calls);
            self.events.emit(ImportEvent::Recovering { conversations, calls });
        }
        Ok(())
    }

    async fn read_chunk(
        &self,
        chunk: &[u64],
        ours: &BTreeSet<u64>,
    ) -> Result<Vec<FoundConversation>, ImportError> {
        let mut found = Vec::new();
        let mut under_way = JoinSet::new();
        let mut next = chunk.iter();
        loop {
            while under_way.len() < AT_A_TIME
                && let Some(id) = next.next()
            {
                self.check_stop()?;
                let (client, id, is_ours) = (Arc::clone(&self.client), *id, ours.contains(id));
                // Parts of a line are noted in any case: the import may be told of a template that this was not.
                let (name, amid) = (self.job.delivery.source_name.clone(), true);
                under_way.spawn(async move {
                    read(&client, id, is_ours, ReferenceForm { source_name: &name, amid }).await
                });
            }
            match under_way.join_next().await {
                Some(Ok(read)) => found.extend(read?),
                Some(Err(failure)) => {
                    return Err(ImportError::Unexpected(format!("a reader failed: {failure}")));
                }
                None => return Ok(found),
            }
        }
    }
}

/// Reads the conversation `id`, or the one that it was merged into.
async fn read<T: Transport>(client: &Client<T>, id: u64, is_ours: bool, form: ReferenceForm<'_>) -> Reading {
    let mut place = id;
    loop {
        match all_threads(client, place).await {
            Ok(Some(threads)) => return Ok(Some(found(place, is_ours, &threads, form))),
            Ok(None) => {
                return Err(ImportError::Refused(format!(
                    "the threads of conversation {place} do not stop changing while they are read: try again when nobody \
                     works on it"
                )));
            }
            Err(ApiError::NotFound { .. }) => match client.conversation(place).await? {
                Found::Gone => return Ok(None),
                Found::Moved(there) => place = there.id,
                Found::Found(_) => {
                    return Err(ImportError::Refused(format!(
                        "conversation {place} is there, but its threads are not found"
                    )));
                }
            },
            Err(error) => return Err(error.into()),
        }
    }
}

fn found(id: u64, is_ours: bool, threads: &[Thread], form: ReferenceForm<'_>) -> FoundConversation {
    let mut calls: Vec<FoundCall> = threads
        .iter()
        .map(|thread| FoundCall {
            candidates: form.candidates(thread),
            thread: thread.id,
            created_at: thread.created_at.as_deref().and_then(Moment::parse_api),
            customer: thread.customer_id,
        })
        .filter(|call| !call.candidates.is_empty())
        .collect();
    calls.sort_unstable_by_key(|call| call.thread);
    FoundConversation { id, threads: u32::try_from(threads.len()).unwrap_or(u32::MAX), is_ours, calls }
}
