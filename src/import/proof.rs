//! The first create and the first append against an account are read back before anything else is sent.
//!
//! The documents are silent on points that a whole migration hangs on (help-scout-api.md §3, §17): whether a thread's time
//! is honoured within a create request, whether a hundred threads all arrive, who is shown as their author, whether an
//! imported thread leaves its conversation closed. So the first request of each kind flies alone, and what it made is
//! compared field by field. Where the service did otherwise the run stops, with one conversation to undo instead of
//! thousands. The proof is remembered in the checkpoint.
//!
//! The largest create comes first (see [`super::door`]): what it proves holds for the smaller ones, so that one is read
//! back and not one of each size.
//!
//! Until it is compared the request counts as open and is *held*: with what it made. What differs stays held, so that
//! every later run stops there too, until what was made is deleted in Help Scout (its calls wait again then), a person
//! accepts the difference or decides its calls one by one.

use std::sync::Arc;

use super::{
    ImportError, ImportEvent,
    compare::{Difference, Field, SentCall, SentConversation, differences_of_calls},
    delivery::Delivery,
    door::Pass,
    listing::all_threads,
    look::Listing,
    worker::{Next, Worker},
};
use crate::{
    call::{Moment, Reference},
    checkpoint::{Held, RequestKind, UnknownRequest, WaitingCall},
    helpscout::{ApiError, ConversationState as Found, Transport},
    import::ConversationStatus,
};

/// What reading back came to.
enum Readback {
    AsSent,
    /// A person merged or deleted the conversation meanwhile: the next request of its kind is read back.
    Unreadable,
    Differs(Vec<Difference>),
}

/// A create that was answered, with what it carried.
pub(super) struct FirstCreate<'a> {
    pub(super) request: i64,
    pub(super) conversation: u64,
    /// Whether that is the one which was made, and not one that its calls were merged into.
    pub(super) is_own: bool,
    pub(super) inbox: u64,
    pub(super) subject: &'a str,
    pub(super) calls: &'a [WaitingCall],
}

/// An append that was answered, with what it carried.
pub(super) struct FirstAppend<'a> {
    pub(super) request: i64,
    pub(super) conversation: u64,
    pub(super) thread: Option<u64>,
    pub(super) call: &'a WaitingCall,
    /// The conversation's status before.
    pub(super) status: Option<String>,
}

impl<T: Transport> Delivery<T> {
    /// Waits for the leave to send a write of this kind; `None` where a person asked to stop meanwhile.
    pub(super) async fn enter(&self, kind: RequestKind, calls: usize) -> Option<Pass> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            pass = self.proofs.enter(kind, calls) => Some(pass),
        }
    }

    /// Where a proof failed nobody passes any more: whoever waits at the door is told before it opens.
    fn shut_the_door(&self, proved: Result<(), ImportError>) -> Result<(), ImportError> {
        if proved.is_err() {
            self.stop.cancel();
        }
        proved
    }

    /// The differences that nobody accepts.
    fn unaccepted(&self, found: Vec<Difference>) -> Readback {
        let is_accepted = |field: Field| self.settings.accept.contains(&field);
        let left: Vec<Difference> =
            found.into_iter().filter(|difference| !is_accepted(difference.field)).collect();
        if left.is_empty() { Readback::AsSent } else { Readback::Differs(left) }
    }

    /// Reads an answered request back. Where it is not as it was sent, it stays held and the run stops.
    async fn conclude_proof(
        &self,
        kind: RequestKind,
        request: i64,
        made: u64,
        readback: Readback,
        story: Story<'_>,
    ) -> Result<(), ImportError> {
        match readback {
            Readback::AsSent => {
                let calls = u32::try_from(story.calls.len()).unwrap_or(u32::MAX);
                self.ledger.note_proof(kind, calls).await?;
                self.proofs.note(kind, calls);
                Ok(())
            }
            Readback::Unreadable => Ok(()),
            Readback::Differs(differences) => {
                let mut fields: Vec<&str> = differences.iter().map(|one| one.field.word()).collect();
                fields.sort_unstable();
                fields.dedup();
                let why = format!("{OTHERWISE}{}", fields.join(", "));
                self.ledger.hold(request, made, Held::Differs, why).await?;
                Err(ImportError::Refused(story.told(&differences, &fields)))
            }
        }
    }
}

/// How a held request that differs is described; the fields follow.
const OTHERWISE: &str = "read back otherwise than sent: ";
/// How a held request is described that is not compared yet.
const NOT_COMPARED: &str = "stored, and not read back yet";
/// Differences that are told.
const TOLD: usize = 4;

/// What the message on a difference needs to know.
struct Story<'a> {
    calls: &'a [SentCall],
    conversation: u64,
    thread: Option<u64>,
}

impl Story<'_> {
    fn told(&self, differences: &[Difference], fields: &[&str]) -> String {
        let place = self.conversation;
        let mut lines = vec![format!(
            "Help Scout does otherwise than its documents say, so the run stopped before anything else was sent. {} was \
             read back:",
            match self.thread {
                None => format!("the first conversation that it made, {place},"),
                Some(_) => format!("the first call that was added to a conversation ({place})"),
            }
        )];
        for difference in differences.iter().take(TOLD) {
            let whose = difference.call.and_then(|index| self.calls.get(index));
            let whose = whose.map_or("the conversation".to_owned(), |call| format!("`{}`", call.reference));
            lines.push(format!("  {whose}: {difference}"));
        }
        if differences.len() > TOLD {
            lines.push(format!("  and {} more", differences.len() - TOLD));
        }
        lines.push(undo(place, self.thread));
        if self.fails_by_packing_alone(differences) {
            lines.push(
                "its first call is right: with --set conversation.pack=false each request carries one call"
                    .to_owned(),
            );
        }
        lines.extend(acceptance(fields));
        lines.join("\n")
    }

    fn fails_by_packing_alone(&self, differences: &[Difference]) -> bool {
        self.calls.len() > 1 && differences.iter().all(|difference| difference.call.is_some_and(|at| at > 0))
    }
}

fn undo(conversation: u64, thread: Option<u64>) -> String {
    match thread {
        None => format!(
            "to undo it, delete conversation {conversation} in Help Scout and run the same command again: its calls are \
             sent anew"
        ),
        Some(0) => format!(
            "to undo it, delete the call's thread in conversation {conversation} of Help Scout and run the same command \
             again: the call is sent anew"
        ),
        Some(thread) => format!(
            "to undo it, delete thread {thread} in conversation {conversation} of Help Scout and run the same command \
             again: the call is sent anew"
        ),
    }
}

/// How a difference is accepted, where each of its fields may be.
fn acceptance(fields: &[&str]) -> Option<String> {
    let may_be = |word: &&str| Field::ACCEPTABLE.iter().any(|field| field.word() == *word);
    fields.iter().all(may_be).then(|| {
        let list: Vec<String> = fields.iter().map(|field| format!("'{field}'")).collect();
        let list = list.join(", ");
        format!("where that is as you want it, accept it: --set \"account.accept=[{list}]\"")
    })
}

impl<T: Transport> Worker<T> {
    /// Reads the first conversation back, once it is held.
    pub(super) async fn prove_create(&mut self, first: FirstCreate<'_>) -> Result<(), ImportError> {
        let shared = Arc::clone(&self.shared);
        let (request, made) = (first.request, first.conversation);
        let proved = match shared.ledger.hold(request, made, Held::Unread, NOT_COMPARED.to_owned()).await {
            Ok(()) => self.compare_create(first).await,
            Err(error) => Err(error.into()),
        };
        shared.shut_the_door(proved)
    }

    async fn compare_create(&mut self, first: FirstCreate<'_>) -> Result<(), ImportError> {
        let shared = Arc::clone(&self.shared);
        let calls = self.sent_calls(first.calls, shared.attribution(first.calls).user);
        let readback = match self.read_create(&first, &calls).await {
            Ok(readback) => readback,
            Err(ApiError::NotFound { .. }) => Readback::Unreadable,
            Err(error) => return Err(error.into()),
        };
        let story = Story { calls: &calls, conversation: first.conversation, thread: None };
        shared.conclude_proof(RequestKind::Create, first.request, first.conversation, readback, story).await
    }

    async fn read_create(&self, first: &FirstCreate<'_>, calls: &[SentCall]) -> Result<Readback, ApiError> {
        let shared = &self.shared;
        // Of a conversation that was merged only the calls are still ours.
        let (place, shown) = match shared.client.conversation(first.conversation).await? {
            Found::Found(shown) => (first.conversation, Some(shown).filter(|_| first.is_own)),
            Found::Moved(there) => (there.id, None),
            Found::Gone => return Ok(Readback::Unreadable),
        };
        let Some(threads) = all_threads(&shared.client, place).await? else {
            return Ok(Readback::Unreadable);
        };
        let sent = shown.as_ref().zip(self.sent_conversation(first));
        let mut found = sent.map_or_else(Vec::new, |(shown, sent)| sent.differences(shown));
        found.extend(differences_of_calls(calls, &threads));
        Ok(shared.unaccepted(found))
    }

    fn sent_conversation<'a>(&'a self, first: &FirstCreate<'a>) -> Option<SentConversation<'a>> {
        let settings = &self.shared.settings.conversation;
        let (oldest, newest) = (first.calls.first()?, first.calls.last()?);
        let assignee = self.shared.attribution(first.calls).assign_to;
        Some(SentConversation {
            inbox: first.inbox,
            subject: first.subject,
            status: settings.status.as_str(),
            created_at: oldest.started_at,
            closed_at: closed_at(settings.status, newest.started_at),
            tags: &self.shared.tags,
            assignee,
            customer: self.helpscout_customer(oldest),
        })
    }

    /// `user` is in whose name they were made, where that is not the token's owner.
    fn sent_calls(&self, calls: &[WaitingCall], user: Option<u64>) -> Vec<SentCall> {
        calls
            .iter()
            .map(|call| SentCall {
                reference: self.shared.reference_of(call),
                text: self.shared.text(call),
                created_at: call.started_at,
                customer: self.helpscout_customer(call),
                author: user.unwrap_or(self.shared.connection.user_id),
            })
            .collect()
    }

    fn helpscout_customer(&self, call: &WaitingCall) -> Option<u64> {
        self.customers.get(&call.customer)?.helpscout_id
    }

    /// Reads the first thread that was added back, once it is held.
    pub(super) async fn prove_append(&mut self, first: FirstAppend<'_>) -> Result<(), ImportError> {
        let shared = Arc::clone(&self.shared);
        let thread = first.thread.unwrap_or(0);
        let held = shared.ledger.hold(first.request, thread, Held::Unread, NOT_COMPARED.to_owned()).await;
        let proved = match held {
            Ok(()) => self.compare_append(first).await,
            Err(error) => Err(error.into()),
        };
        shared.shut_the_door(proved)
    }

    async fn compare_append(&mut self, first: FirstAppend<'_>) -> Result<(), ImportError> {
        let shared = Arc::clone(&self.shared);
        let calls = self.sent_calls(std::slice::from_ref(first.call), None);
        let readback = match self.read_append(&first, &calls).await {
            Ok(readback) => readback,
            Err(ApiError::NotFound { .. }) => Readback::Unreadable,
            Err(error) => return Err(error.into()),
        };
        let thread = first.thread.unwrap_or(0);
        let story = Story { calls: &calls, conversation: first.conversation, thread: Some(thread) };
        shared.conclude_proof(RequestKind::Append, first.request, thread, readback, story).await
    }

    async fn read_append(&self, first: &FirstAppend<'_>, calls: &[SentCall]) -> Result<Readback, ApiError> {
        let client = &self.shared.client;
        let Some(threads) = all_threads(client, first.conversation).await? else {
            return Ok(Readback::Unreadable);
        };
        let mut found = differences_of_calls(calls, &threads);
        if let Some(before) = &first.status
            && let Found::Found(now) = client.conversation(first.conversation).await?
            && now.status != *before
        {
            found.push(Difference::of_status(&now.status, before));
        }
        Ok(self.shared.unaccepted(found))
    }

    /// What an earlier run held: gone meanwhile, so that its calls wait again; or still there, and then compared now or
    /// as unacceptable as it was.
    pub(super) async fn settle_held(&mut self, request: &UnknownRequest) -> Result<Next, ImportError> {
        match request.kind {
            RequestKind::Create => self.settle_held_create(request).await,
            RequestKind::Append => self.settle_held_append(request).await,
            RequestKind::Customer | RequestKind::Refusal | RequestKind::Recovered => Ok(Next::Leave),
        }
    }

    async fn settle_held_create(&mut self, request: &UnknownRequest) -> Result<Next, ImportError> {
        let shared = Arc::clone(&self.shared);
        let Some(id) = request.resource else { return Ok(Next::Leave) };
        let calls = shared.ledger.carried_calls(request.id).await?;
        let place = match shared.client.conversation(id).await? {
            Found::Found(_) => Some(id),
            Found::Moved(there) => Some(there.id),
            Found::Gone => self.search_for(&calls).await?,
        };
        match place {
            Some(place) => self.still_differs(request, place, None)?,
            // It was to be deleted, and it is; where nobody was told so, it was stored and is a person's to delete.
            None if request.held == Some(Held::Differs) => return self.is_gone(request).await,
            None => {}
        }
        if let (Some(conversation), Some(Held::Unread)) = (place, request.held) {
            let (inbox, subject) = match shared.ledger.conversation_of(conversation).await? {
                // A recovery has noted it meanwhile.
                Some((queue, row)) if queue == self.queue.id => self.place_of_part(row.part).await?,
                _ => self.place().await?,
            };
            self.load_customers(&calls).await?;
            let (request, subject) = (request.id, subject.as_str());
            let is_own = conversation == id;
            let first = FirstCreate { request, conversation, is_own, inbox, subject, calls: &calls };
            self.compare_create(first).await?;
        }
        self.has_created(&calls, request.id, place.unwrap_or(id)).await
    }

    /// Where calls live whose conversation is not found by its id: merged so long ago that it leads nowhere.
    async fn search_for(&self, calls: &[WaitingCall]) -> Result<Option<u64>, ImportError> {
        let references: Vec<Reference> = calls.iter().map(|call| self.shared.reference_of(call)).collect();
        Ok(match self.shared.find_by_search(&references).await? {
            Some((place, Listing::Found(_))) => Some(place),
            _ => None,
        })
    }

    async fn settle_held_append(&mut self, request: &UnknownRequest) -> Result<Next, ImportError> {
        let shared = Arc::clone(&self.shared);
        let calls = shared.ledger.carried_calls(request.id).await?;
        let (Some(call), Some(row)) = (calls.first(), &request.conversation) else { return Ok(Next::Leave) };
        let place = match shared.client.conversation(row.helpscout_id).await? {
            Found::Found(there) | Found::Moved(there) => Some(there.id),
            Found::Gone => self.search_for(&calls).await?,
        };
        let Some(place) = place else {
            // It was stored; that its conversation is deleted since is a person's doing.
            let thread = request.resource.filter(|thread| *thread != 0);
            shared.ledger.appended(request.id, thread, Vec::new(), None).await?;
            self.one_landed(call.customer);
            return Ok(Next::GoOn);
        };
        let Some(threads) = all_threads(&shared.client, place).await? else { return Ok(Next::Leave) };
        let reference = shared.reference_of(call);
        let Some(thread) = super::look::carrier(&threads, &[reference]) else {
            return self.is_gone(request).await;
        };
        self.still_differs(request, place, Some(thread))?;
        if request.held == Some(Held::Unread) {
            self.load_customers(&calls).await?;
            let (request, thread) = (request.id, Some(thread));
            self.compare_append(FirstAppend { request, conversation: place, thread, call, status: None })
                .await?;
        }
        shared.ledger.appended(request.id, Some(thread), Vec::new(), None).await?;
        self.one_landed(call.customer);
        Ok(Next::GoOn)
    }

    /// What was made is deleted: its calls wait again.
    async fn is_gone(&mut self, request: &UnknownRequest) -> Result<Next, ImportError> {
        self.shared.ledger.not_stored(request.id, true).await?;
        let calls = request.calls.len() as u64;
        self.shared.events.emit(ImportEvent::Settled { calls, landed: false });
        Ok(Next::GoOn)
    }

    /// What differed before and is still there stops this run, too, unless each of its fields is accepted now.
    fn still_differs(
        &self,
        request: &UnknownRequest,
        conversation: u64,
        thread: Option<u64>,
    ) -> Result<(), ImportError> {
        if request.held != Some(Held::Differs) {
            return Ok(());
        }
        let why = request.why.as_deref().unwrap_or_default();
        let fields: Vec<&str> = why.trim_start_matches(OTHERWISE).split(", ").collect();
        let accepted = &self.shared.settings.accept;
        if fields.iter().all(|word| accepted.iter().any(|field| field.word() == *word)) {
            return Ok(());
        }
        let what = match thread {
            None => format!("conversation {conversation}, the first that was made,"),
            Some(thread) => {
                format!("thread {thread} of conversation {conversation}, the first that was added,")
            }
        };
        let mut lines = vec![format!("{what} was {why}; nothing else is sent while it is there")];
        lines.push(undo(conversation, thread));
        lines.extend(acceptance(&fields));
        Err(ImportError::Refused(lines.join("\n")))
    }

    async fn load_customers(&mut self, calls: &[WaitingCall]) -> Result<(), ImportError> {
        let ids = calls.iter().map(|call| call.customer).collect();
        for customer in self.shared.ledger.customers(ids).await? {
            self.customers.insert(customer.id, customer);
        }
        Ok(())
    }
}

fn closed_at(status: ConversationStatus, last: Moment) -> Option<Moment> {
    (status == ConversationStatus::Closed).then_some(last)
}
