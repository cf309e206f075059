//! A new conversation with up to a hundred calls.

use std::sync::{Arc, atomic::Ordering};

use super::{
    ConversationStatus, ImportError, ImportEvent,
    agents::Attribution,
    customers::Ready,
    gates::Gate,
    proof::FirstCreate,
    send::{Sent, Target},
    worker::{Next, Worker, denied, told, undocumented},
};
use crate::{
    checkpoint::{ConversationRow, RequestKind, WaitingCall},
    helpscout::{ConversationState as Found, NewConversation, NewThread, Transport},
    plan::{CREATE_CAP, part_subject},
    policy::{Blame, FieldError, Verdict, blame, signature},
};

impl<T: Transport> Worker<T> {
    /// Makes a conversation of the first `count` calls.
    pub(super) async fn create(&mut self, count: usize) -> Result<Next, ImportError> {
        let gates = match self.ready_all(count).await? {
            Ok(gates) => gates,
            Err(next) => return Ok(next),
        };
        let (inbox, subject) = self.place().await?;
        let Some(pass) = self.shared.enter(RequestKind::Create, count).await else { return Ok(Next::Leave) };
        let calls: Vec<WaitingCall> = self.calls.drain(..count.min(self.calls.len())).collect();
        let attribution = self.shared.attribution(&calls);
        let body = self.body(inbox, &subject, &calls, attribution)?;
        let mut request = self.shared.intent(RequestKind::Create);
        request.queue = Some(self.queue.id);
        request.calls = calls.iter().map(|call| call.id).collect();
        let size = body.len();
        let Sent::Answered { request, verdict, ended } =
            self.shared.send(request, Target::Create, body).await?
        else {
            return Ok(Next::Leave);
        };
        if let (true, Verdict::Landed { id: Some(conversation) }) = (pass.is_alone(), &verdict) {
            let (conversation, calls, subject) = (*conversation, calls.as_slice(), subject.as_str());
            let is_own = true;
            self.prove_create(FirstCreate { request, conversation, is_own, inbox, subject, calls }).await?;
        }
        // Settling takes its time, and others need not wait for it.
        drop(pass);
        let next = self.created(calls, (size, attribution), request, verdict, ended).await;
        drop(gates);
        next
    }

    /// Makes the customers of the first `count` calls ready; the gates to hold, or what follows where one is not.
    async fn ready_all(&mut self, count: usize) -> Result<Result<Vec<Gate>, Next>, ImportError> {
        let mut ids: Vec<i64> = self.calls.iter().take(count).map(|call| call.customer).collect();
        // In one order for all workers, so that no two wait for each other's gates.
        ids.sort_unstable();
        ids.dedup();
        let mut gates = Vec::new();
        for id in ids {
            match self.ready(id).await? {
                Ready::Yes(gate) => gates.extend(gate),
                Ready::NotNow => return Ok(Err(Next::Leave)),
                Ready::Refused(words) => {
                    let (refused, kept): (Vec<_>, Vec<_>) =
                        self.calls.drain(..).partition(|call| call.customer == id);
                    self.calls = kept.into();
                    self.refuse(refused.into_iter().map(|call| (call.id, words.clone())).collect()).await?;
                    return Ok(Err(Next::GoOn));
                }
            }
        }
        Ok(Ok(gates))
    }

    /// Inbox and subject of the queue's next conversation. A continuation of one that was there before us takes over
    /// what that one has.
    pub(super) async fn place(&mut self) -> Result<(u64, String), ImportError> {
        let part = self.queue.newest.as_ref().map_or(0, |row| row.part) + 1;
        self.place_of_part(part).await
    }

    /// The same of any of its conversations, from 1.
    pub(super) async fn place_of_part(&mut self, part: u32) -> Result<(u64, String), ImportError> {
        if let Some(first) = self.queue.first.clone().filter(|_| self.queue.existing.is_some())
            && first.subject.is_none()
            && let Found::Found(known) | Found::Moved(known) =
                self.shared.client.conversation(first.helpscout_id).await?
        {
            let row = ConversationRow { inbox: Some(known.inbox), subject: Some(known.subject), ..first };
            self.shared.ledger.update_conversation(row.clone()).await?;
            if self.queue.newest.as_ref().is_some_and(|newest| newest.id == row.id) {
                self.queue.newest = Some(row.clone());
            }
            self.queue.first = Some(row);
        }
        let known = [&self.queue.newest, &self.queue.first];
        let inbox = known.iter().find_map(|row| row.as_ref()?.inbox);
        let subject = known.iter().find_map(|row| row.as_ref()?.subject.clone());
        let inbox = match inbox {
            Some(inbox) => inbox,
            None => self.shared.connection.inbox(&self.queue.inbox)?,
        };
        let subject = subject
            .or_else(|| Some(self.queue.subject.clone()).filter(|subject| !subject.is_empty()))
            .unwrap_or_else(|| "Phone calls".to_owned());
        Ok((inbox, part_subject(&subject, part)))
    }

    fn body(
        &self,
        inbox: u64,
        subject: &str,
        calls: &[WaitingCall],
        attribution: Attribution,
    ) -> Result<bytes::Bytes, ImportError> {
        let texts: Vec<String> = calls.iter().map(|call| self.shared.text(call)).collect();
        let customers = calls
            .iter()
            .map(|call| Ok(self.customer(call.customer)?.reference()))
            .collect::<Result<Vec<_>, ImportError>>()?;
        let threads = calls
            .iter()
            .zip(&texts)
            .zip(&customers)
            .map(|((call, text), customer)| NewThread { text, customer, created_at: call.started_at })
            .collect();
        let (Some(first), Some(last)) = (calls.first(), calls.last()) else {
            return Err(ImportError::Unexpected("a conversation without calls".to_owned()));
        };
        let settings = &self.shared.settings.conversation;
        let status = settings.status.as_str();
        let mut conversation =
            NewConversation::new(inbox, subject, status, &customers[0], first.started_at, threads);
        conversation.closed_at = (settings.status == ConversationStatus::Closed).then_some(last.started_at);
        conversation.user = attribution.user;
        conversation.assign_to = attribution.assign_to;
        conversation.tags = &self.shared.tags;
        Ok(conversation.to_bytes())
    }

    async fn created(
        &mut self,
        calls: Vec<WaitingCall>,
        (size, attribution): (usize, Attribution),
        request: i64,
        verdict: Verdict,
        ended: tokio::time::Instant,
    ) -> Result<Next, ImportError> {
        let shared = Arc::clone(&self.shared);
        let count = calls.len() as u64;
        match verdict {
            Verdict::Landed { id: Some(id) } => return self.has_created(&calls, request, id).await,
            Verdict::Landed { id: None } => {
                let why = "made, but the service named no id".to_owned();
                shared.ledger.stored_somewhere(request, why.clone()).await?;
                shared.events.emit(ImportEvent::Lost { calls: count, why });
                return self.settle_now(request, ended).await;
            }
            Verdict::Unknown { why } => {
                shared.ledger.lost(request, why.clone()).await?;
                shared.events.emit(ImportEvent::Lost { calls: count, why });
                return self.settle_now(request, ended).await;
            }
            Verdict::Undocumented { why } => {
                shared.ledger.lost(request, why.clone()).await?;
                return Err(undocumented(&why));
            }
            _ => shared.ledger.not_stored(request, false).await?,
        }
        if let Some(user) = attribution.user
            && self.is_users_fault(user, &verdict).await?
        {
            self.put_back(calls);
            return Ok(Next::GoOn);
        }
        match verdict {
            Verdict::Denied { message } => Err(denied(&message)),
            Verdict::TooLarge if calls.len() > 1 => {
                shared.shrink_bodies(size);
                self.put_back(calls);
                Ok(Next::GoOn)
            }
            Verdict::TooLarge => {
                let why = "its text is too large for Help Scout".to_owned();
                self.refuse(calls.into_iter().map(|call| (call.id, why.clone())).collect()).await?;
                Ok(Next::GoOn)
            }
            Verdict::Refused { message, errors } => self.create_refused(calls, &message, &errors).await,
            Verdict::Missing { message } => self.create_refused(calls, &message, &[]).await,
            Verdict::Closed => self.create_refused(calls, "precondition failed (412)", &[]).await,
            // The rest never comes out of `send`, or was handled above.
            _ => Ok(Next::Leave),
        }
    }

    pub(super) async fn has_created(
        &mut self,
        calls: &[WaitingCall],
        request: i64,
        id: u64,
    ) -> Result<Next, ImportError> {
        let mut customers: Vec<i64> = calls.iter().map(|call| call.customer).collect();
        customers.sort_unstable();
        customers.dedup();
        let confirmed = self.unconfirmed(&customers);
        let threads = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        self.give_place_up();
        let row = self.shared.ledger.created(request, id, threads, confirmed).await?;
        self.shared.conversations_made.note(id);
        self.shared.made.conversations.fetch_add(1, Ordering::Relaxed);
        self.shared.note_accepted();
        // Merged into another queue's, or that into it: what follows here goes where it would have gone.
        if let Some(row) = row {
            self.queue.first.get_or_insert_with(|| row.clone());
            self.queue.newest = Some(row);
            self.touched = true;
        }
        self.has_landed(&customers, u64::from(threads));
        Ok(Next::GoOn)
    }

    /// Whether a create was refused for the user in whose name it was: one who may not be named, or is gone since this run
    /// began. From then on nothing is made in that name, so that no call is lost for it.
    async fn is_users_fault(&self, user: u64, verdict: &Verdict) -> Result<bool, ImportError> {
        let shared = &self.shared;
        let why = match verdict {
            Verdict::Refused { errors, .. } if names_user(errors) => errors
                .iter()
                .map(|error| format!("{} {}", error.path, error.message))
                .collect::<Vec<_>>()
                .join("; "),
            // It may as well be a customer who is not found.
            Verdict::Missing { .. } if !shared.client.users().await?.iter().any(|known| known.id == user) => {
                "the account has no such user any more".to_owned()
            }
            _ => return Ok(false),
        };
        shared.connection.agents.refuse(user);
        shared.warn(format!(
            "Help Scout does not take user {user} as whose calls they are: calls go in by nobody's name, their text names \
             the agent ({why})"
        ));
        Ok(true)
    }

    fn put_back(&mut self, calls: Vec<WaitingCall>) {
        for call in calls.into_iter().rev() {
            self.calls.push_front(call);
        }
    }

    /// Nothing is stored. A call that is named is dropped and the rest sent again; where none is named, fewer are tried,
    /// and what an accepted prefix leaves is appended one by one.
    async fn create_refused(
        &mut self,
        calls: Vec<WaitingCall>,
        message: &str,
        errors: &[FieldError],
    ) -> Result<Next, ImportError> {
        match blame(errors, calls.len()) {
            Blame::Request(words) => Err(ImportError::Refused(format!(
                "Help Scout refuses new conversations, which is not their calls' fault; nothing was rejected for it: \
                 {words} ({message})"
            ))),
            Blame::Calls(named) => {
                let refused = named
                    .iter()
                    .filter_map(|(index, words)| {
                        Some((calls.get(*index)?.id, format!("Help Scout refused it: {words}")))
                    })
                    .collect();
                self.refuse(refused).await?;
                let is_named = |index: usize| named.iter().any(|(known, _)| *known == index);
                let rest = calls.into_iter().enumerate().filter(|(index, _)| !is_named(*index));
                self.put_back(rest.map(|(_, call)| call).collect());
                Ok(Next::GoOn)
            }
            Blame::Unnamed if calls.len() > 1 => {
                self.accepted = calls.len() / 2;
                self.put_back(calls);
                Ok(Next::GoOn)
            }
            Blame::Unnamed => {
                let words = told(message, errors);
                let ids: Vec<i64> = calls.iter().map(|call| call.id).collect();
                self.refuse(ids.iter().map(|id| (*id, words.clone())).collect()).await?;
                self.shared.note_refused(self.queue.id, signature(message, errors), &ids, &words).await?;
                // The next one alone may be accepted, and then the rest is appended to it.
                self.accepted = self.accepted.clamp(1, CREATE_CAP);
                Ok(Next::GoOn)
            }
        }
    }
}

/// Whether errors blame nothing but who a conversation is made by or assigned to.
fn names_user(errors: &[FieldError]) -> bool {
    let is_of_user = |error: &FieldError| ["user", "assignTo"].contains(&error.path.as_str());
    !errors.is_empty() && errors.iter().all(is_of_user)
}
