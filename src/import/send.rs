//! One write, from its intent to a decisive answer.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{ImportError, ImportEvent, delivery::Delivery};
use crate::{
    checkpoint::{NewRequest, RequestKind},
    helpscout::{Transport, WRITE_UNITS},
    policy::{Backoff, Verdict, verdict},
};

/// What a write came to, once nothing that passes stands in its way.
#[derive(Debug)]
pub(super) enum Sent {
    /// The service answered, or the answer was lost; the request has the number, and its attempt ended then.
    Answered {
        /// Its number.
        request: i64,
        /// What it means.
        verdict: Verdict,
        /// When its last attempt ended.
        ended: Instant,
    },
    /// A person asked to stop before it left: nothing is in flight.
    Stopped,
}

impl<T: Transport> Delivery<T> {
    /// Waits for the pace; `false` where a person asked to stop meanwhile.
    pub(super) async fn permitted(&self) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = self.client.permit(WRITE_UNITS) => true,
        }
    }

    /// Writes the intent of `request` down and sends it. A limit that is used up and a network that is away are waited
    /// out: after both it is certain that nothing was stored.
    pub(super) async fn send(
        &self,
        request: NewRequest,
        target: Target,
        body: Bytes,
    ) -> Result<Sent, ImportError> {
        if !self.permitted().await {
            return Ok(Sent::Stopped);
        }
        let id = self.ledger.intend(request).await?;
        self.send_intended(id, target, body).await
    }

    /// Sends a request whose intent is on disk and for which a permit is held.
    pub(super) async fn send_intended(
        &self,
        id: i64,
        target: Target,
        body: Bytes,
    ) -> Result<Sent, ImportError> {
        let mut attempt = 0;
        let first = Instant::now();
        loop {
            let began = Instant::now();
            let reply = match target {
                Target::Create => self.client.create_conversation(body.clone()).await,
                Target::Append(conversation) => self.client.append_phone(conversation, body.clone()).await,
                Target::Customer => self.client.create_customer(body.clone()).await,
            };
            let ended = Instant::now();
            let wait = match verdict(&reply) {
                Verdict::Throttled { .. } => {
                    self.go_on_trying(id, first, "the rate limit is exceeded").await?;
                    Duration::ZERO
                }
                Verdict::NotSent { why } => {
                    self.go_on_trying(id, first, &why).await?;
                    let wait = Backoff::default().wait(attempt, self.chance());
                    self.events.emit(ImportEvent::Retrying { why, wait });
                    attempt += 1;
                    wait
                }
                verdict => {
                    self.slots.measure(ended - began, self.writes_a_second());
                    return Ok(Sent::Answered { request: id, verdict, ended });
                }
            };
            let go_on = tokio::select! {
                biased;
                () = self.stop.cancelled() => false,
                () = tokio::time::sleep(wait) => self.permitted().await,
            };
            if !go_on {
                self.ledger.not_stored(id, false).await?;
                return Ok(Sent::Stopped);
            }
        }
    }

    /// Withdraws the request `id` and ends the run where nothing has succeeded for too long since its `first` attempt:
    /// while nothing was tried, nothing could.
    async fn go_on_trying(&self, id: i64, first: Instant, why: &str) -> Result<(), ImportError> {
        let without = self.client.since_success().min(first.elapsed());
        if without < self.settings.give_up {
            return Ok(());
        }
        self.ledger.not_stored(id, false).await?;
        Err(ImportError::GaveUp { seconds: without.as_secs(), why: why.to_owned() })
    }

    /// The intent of a request of this run.
    pub(super) fn intent(&self, kind: RequestKind) -> NewRequest {
        let by_service = self.client.service_now();
        NewRequest {
            kind,
            run: self.run,
            queue: None,
            conversation: None,
            customer: None,
            calls: Vec::new(),
            sent_at: by_service.unwrap_or_else(|| self.clock.now()),
            dated: by_service.is_some(),
        }
    }
}

/// Where a write goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// A new conversation.
    Create,
    /// A new thread of this conversation.
    Append(u64),
    /// A new customer.
    Customer,
}
