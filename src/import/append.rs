//! One call more in a conversation that is there.
//!
//! Where the pace lets the next call follow at once, its intent is written in the same commit as the outcome before it:
//! one flush a call instead of two. Where it has to wait, no intent is written before its time, so that a crash leaves
//! as little as possible to be looked for.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    ImportError, ImportEvent,
    customers::Ready,
    door::Pass,
    proof::FirstAppend,
    redirect::Way,
    send::{Sent, Target},
    worker::{Next, Worker, denied, told, undocumented},
};
use crate::{
    checkpoint::{ConversationRow, ConversationState, NewRequest, RequestKind, WaitingCall},
    helpscout::{ConversationState as Found, NewPhoneThread, Transport, WRITE_UNITS},
    plan::APPEND_CAP,
    policy::Verdict,
};

/// A call with the request that carries it, not yet written down.
struct Prepared {
    call: WaitingCall,
    request: NewRequest,
    body: Bytes,
}

impl<T: Transport> Worker<T> {
    /// Adds the first call to the newest conversation, and those behind it for as long as they may follow at once.
    pub(super) async fn append(&mut self) -> Result<Next, ImportError> {
        let (Some(row), Some(call)) = (self.queue.newest.clone(), self.calls.front()) else {
            return Ok(Next::GoOn);
        };
        self.filling = Some(row.id);
        let gate = match self.ready(call.customer).await? {
            Ready::Yes(gate) => gate,
            Ready::Refused(words) => {
                let call = self.calls.pop_front();
                self.refuse(call.into_iter().map(|call| (call.id, words.clone())).collect()).await?;
                return Ok(Next::GoOn);
            }
            Ready::NotNow => return Ok(Next::Leave),
        };
        let Some(pass) = self.shared.enter(RequestKind::Append, 1).await else { return Ok(Next::Leave) };
        if pass.is_alone() {
            let next = self.append_first(row, pass).await;
            drop(gate);
            return next;
        }
        let Some(mut now) = self.prepare(&row)? else { return Ok(Next::GoOn) };
        if !self.shared.permitted().await {
            return Ok(Next::Leave);
        }
        let shared = Arc::clone(&self.shared);
        let mut request = shared.ledger.intend(now.request).await?;
        loop {
            let target = Target::Append(row.helpscout_id);
            let sent = shared.send_intended(request, target, now.body).await?;
            let Sent::Answered { verdict, ended, .. } = sent else { return Ok(Next::Leave) };
            let Verdict::Landed { id } = verdict else {
                // Settling takes its time, and others need not wait for it.
                drop(pass);
                let next = self.appended(row, now.call, request, verdict, ended).await;
                drop(gate);
                return next;
            };
            let customer = now.call.customer;
            let confirmed = self.unconfirmed(&[customer]);
            let follower = self.follower(&row, customer)?;
            let intent = follower.as_ref().map(|next| next.request.clone());
            if intent.is_none() {
                self.give_place_up();
            }
            let intended = shared.ledger.appended(request, id, confirmed, intent).await?;
            self.one_landed(customer);
            match (follower, intended) {
                (Some(next), Some(id)) => (now, request) = (next, id),
                _ => return Ok(Next::GoOn),
            }
        }
    }

    /// Adds the first call of all and reads it back, while nothing else is on its way.
    async fn append_first(&mut self, row: ConversationRow, pass: Pass) -> Result<Next, ImportError> {
        let shared = Arc::clone(&self.shared);
        let status = match shared.client.conversation(row.helpscout_id).await? {
            Found::Found(before) => Some(before.status),
            // The append itself finds out what became of it.
            Found::Moved(_) | Found::Gone => None,
        };
        let Some(first) = self.prepare(&row)? else { return Ok(Next::GoOn) };
        let target = Target::Append(row.helpscout_id);
        let Sent::Answered { request, verdict, ended } =
            shared.send(first.request, target, first.body).await?
        else {
            return Ok(Next::Leave);
        };
        if let Verdict::Landed { id: thread } = verdict {
            let (conversation, call) = (row.helpscout_id, &first.call);
            self.prove_append(FirstAppend { request, conversation, thread, call, status }).await?;
        }
        drop(pass);
        self.appended(row, first.call, request, verdict, ended).await
    }

    /// The first call, out of the queue, with its request; its customer is ready.
    fn prepare(&mut self, row: &ConversationRow) -> Result<Option<Prepared>, ImportError> {
        let Some(call) = self.calls.pop_front() else { return Ok(None) };
        let text = self.shared.text(&call);
        let customer = self.customer(call.customer)?.reference();
        let body = NewPhoneThread::new(&text, &customer, call.started_at).to_bytes();
        let mut request = self.shared.intent(RequestKind::Append);
        request.queue = Some(self.queue.id);
        request.conversation = Some(row.id);
        request.calls = vec![call.id];
        Ok(Some(Prepared { call, request, body }))
    }

    /// The next call, if it may follow the one before at once: there is room, its customer is known (by that one at the
    /// latest), nobody asked to stop, and the pace has a permit to give.
    fn follower(&mut self, row: &ConversationRow, confirmed: i64) -> Result<Option<Prepared>, ImportError> {
        let has_room = self.queue.newest.as_ref().is_some_and(|newest| newest.threads + 1 < APPEND_CAP);
        let is_ready = self.calls.front().is_some_and(|call| {
            call.customer == confirmed
                || self.customers.get(&call.customer).is_some_and(|customer| customer.confirmed)
        });
        if !has_room
            || !is_ready
            || self.shared.stop.is_cancelled()
            || !self.shared.client.permit_now(WRITE_UNITS)
        {
            return Ok(None);
        }
        self.prepare(row)
    }

    pub(super) fn one_landed(&mut self, customer: i64) {
        self.has_landed(&[customer], 1);
        self.count_thread();
        self.shared.note_accepted();
    }

    async fn appended(
        &mut self,
        row: ConversationRow,
        call: WaitingCall,
        request: i64,
        verdict: Verdict,
        ended: Instant,
    ) -> Result<Next, ImportError> {
        let shared = Arc::clone(&self.shared);
        match verdict {
            Verdict::Landed { id } => {
                let confirmed = self.unconfirmed(&[call.customer]);
                self.give_place_up();
                shared.ledger.appended(request, id, confirmed, None).await?;
                self.one_landed(call.customer);
                return Ok(Next::GoOn);
            }
            Verdict::Unknown { why } => {
                shared.ledger.lost(request, why.clone()).await?;
                shared.events.emit(ImportEvent::Lost { calls: 1, why });
                return self.settle_now(request, ended).await;
            }
            Verdict::Denied { message } => {
                shared.ledger.not_stored(request, false).await?;
                return Err(denied(&message));
            }
            Verdict::Undocumented { why } => {
                shared.ledger.lost(request, why.clone()).await?;
                return Err(undocumented(&why));
            }
            _ => shared.ledger.not_stored(request, false).await?,
        }
        match verdict {
            Verdict::Missing { message } => self.append_missing(row, call, &message).await,
            Verdict::Closed => self.append_closed(row, call).await,
            Verdict::TooLarge => self.refuse_one(call, "its text is too large for Help Scout").await,
            Verdict::Refused { message, errors } => self.refuse_one(call, &told(&message, &errors)).await,
            // The rest never comes out of `send`, or was handled above.
            _ => Ok(Next::Leave),
        }
    }

    async fn refuse_one(&mut self, call: WaitingCall, why: &str) -> Result<Next, ImportError> {
        self.refuse(vec![(call.id, why.to_owned())]).await?;
        Ok(Next::GoOn)
    }

    /// 404 on an append: the conversation is elsewhere or gone, or what the body names does not exist.
    async fn append_missing(
        &mut self,
        row: ConversationRow,
        call: WaitingCall,
        message: &str,
    ) -> Result<Next, ImportError> {
        self.calls.push_front(call);
        match self.redirect(row.helpscout_id).await? {
            Way::On => Ok(Next::GoOn),
            Way::Left => Ok(Next::Leave),
            Way::NotTheConversation => match self.calls.pop_front() {
                Some(call) => {
                    let why = format!("Help Scout does not know the customer that it names: {message}");
                    self.refuse_one(call, &why).await
                }
                None => Ok(Next::GoOn),
            },
        }
    }

    /// 412 on an append: full or locked; the count of its threads tells which.
    async fn append_closed(
        &mut self,
        mut row: ConversationRow,
        call: WaitingCall,
    ) -> Result<Next, ImportError> {
        self.calls.push_front(call);
        let threads = self.shared.client.threads(row.helpscout_id, 1).await?.total;
        row.threads = u32::try_from(threads).unwrap_or(u32::MAX);
        let state =
            if row.threads >= APPEND_CAP { ConversationState::Full } else { ConversationState::Locked };
        self.close(row, state).await
    }
}
