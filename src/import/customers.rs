//! The customers that a request names, made ready before it leaves.

use std::sync::{Arc, atomic::Ordering};

use super::{
    ImportError, ImportEvent,
    gates::Gate,
    send::{Sent, Target},
    settle::Settled,
    worker::{Worker, denied, told, undocumented},
};
use crate::{
    checkpoint::{CustomerRow, RequestKind},
    helpscout::{CustomerRef, NewCustomer, Transport},
    policy::Verdict,
};

/// Whether a customer may be named.
#[derive(Debug)]
pub(super) enum Ready {
    /// It may; a gate is held where it is new and has to be named by one request at a time.
    Yes(Option<Gate>),
    /// The service does not take the customer.
    Refused(String),
    /// It is not known what came of making it, or a person asked to stop.
    NotNow,
}

impl CustomerRow {
    /// As a request names it. One without id and e-mail is made first, and has an id then.
    pub(super) fn reference(&self) -> CustomerRef<'_> {
        match (self.helpscout_id, &self.email) {
            (Some(id), _) => CustomerRef::Id(id),
            (None, Some(email)) => {
                CustomerRef::Email { email, fields: &self.fields, phone: self.phone.as_deref() }
            }
            (None, None) => CustomerRef::Id(0),
        }
    }

    fn must_be_made(&self) -> bool {
        self.helpscout_id.is_none() && self.email.is_none()
    }
}

impl<T: Transport> Worker<T> {
    /// A customer that was made ready.
    pub(super) fn customer(&self, id: i64) -> Result<&CustomerRow, ImportError> {
        self.customers
            .get(&id)
            .filter(|customer| !customer.must_be_made())
            .ok_or_else(|| ImportError::Unexpected(format!("customer {id} is named before it is ready")))
    }

    /// Those of `customers` that are confirmed by a request that lands.
    pub(super) fn unconfirmed(&self, customers: &[i64]) -> Vec<i64> {
        let open = |id: &&i64| self.customers.get(id).is_some_and(|customer| !customer.confirmed);
        customers.iter().filter(open).copied().collect()
    }

    /// Makes a customer ready: one known by number alone is made.
    pub(super) async fn ready(&mut self, id: i64) -> Result<Ready, ImportError> {
        if !self.customers.contains_key(&id) {
            self.reload_customer(id).await?;
        }
        if self.customers.get(&id).is_some_and(|customer| customer.confirmed) {
            return Ok(Ready::Yes(None));
        }
        let shared = Arc::clone(&self.shared);
        let gate = shared.gates.enter(id, &shared.slots, &mut self.slot).await;
        shared.gates.tidy();
        // Whoever held the gate before may have made the customer. One with an e-mail may be named again in any case.
        if self.customers.get(&id).is_some_and(|customer| !customer.must_be_made()) {
            return Ok(Ready::Yes(Some(gate)));
        }
        self.reload_customer(id).await?;
        let Some(customer) = self.customers.get(&id) else { return Ok(Ready::NotNow) };
        if customer.confirmed {
            return Ok(Ready::Yes(None));
        }
        self.make(id).await
    }

    async fn reload_customer(&mut self, id: i64) -> Result<(), ImportError> {
        for customer in self.shared.ledger.customers(vec![id]).await? {
            self.customers.insert(id, customer);
        }
        Ok(())
    }

    /// Makes a customer by number. Its gate is held.
    async fn make(&mut self, id: i64) -> Result<Ready, ImportError> {
        let shared = Arc::clone(&self.shared);
        for request in shared.ledger.unknown_of_customer(id).await? {
            shared.proofs.has_opened(self.queue.id);
            let ended = shared.ended_before(&request);
            match shared.settle(&request, ended, &mut self.slot).await? {
                Settled::Landed => return self.made(id).await,
                Settled::Absent => {}
                Settled::Open | Settled::Nowhere => return Ok(Ready::NotNow),
            }
        }
        loop {
            let Some(customer) = self.customers.get(&id) else { return Ok(Ready::NotNow) };
            let phone = customer.phone.clone().unwrap_or_default();
            let body = NewCustomer { phone: &phone, fields: &customer.fields }.to_bytes();
            let mut request = shared.intent(RequestKind::Customer);
            request.customer = Some(id);
            let Some(pass) = shared.enter(RequestKind::Customer, 1).await else { return Ok(Ready::NotNow) };
            let sent = shared.send(request, Target::Customer, body).await?;
            drop(pass);
            let Sent::Answered { request, verdict, ended } = sent else { return Ok(Ready::NotNow) };
            match verdict {
                Verdict::Landed { id: Some(made) } => {
                    shared.ledger.customer_made(request, made).await?;
                    shared.customers_made.note(made);
                    return self.made(id).await;
                }
                Verdict::Landed { id: None } => {
                    let why = "made, but the service named no id".to_owned();
                    shared.ledger.stored_somewhere(request, why).await?;
                }
                Verdict::Unknown { why } => {
                    shared.ledger.lost(request, why.clone()).await?;
                    shared.events.emit(ImportEvent::Lost { calls: 0, why });
                }
                Verdict::Undocumented { why } => {
                    shared.ledger.lost(request, why.clone()).await?;
                    return Err(undocumented(&why));
                }
                other => {
                    shared.ledger.not_stored(request, false).await?;
                    return match other {
                        Verdict::Refused { message, errors } => Ok(Ready::Refused(told(&message, &errors))),
                        Verdict::Missing { message } => Ok(Ready::Refused(told(&message, &[]))),
                        Verdict::Denied { message } => Err(denied(&message)),
                        _ => Ok(Ready::Refused("Help Scout does not take the customer".to_owned())),
                    };
                }
            }
            let open = shared.ledger.unknown_of_customer(id).await?;
            let Some(unknown) = open.into_iter().find(|open| open.id == request) else {
                return Ok(Ready::NotNow);
            };
            // Others go on meanwhile: what they make shows how far the service's lists have come.
            shared.proofs.has_opened(self.queue.id);
            match shared.settle(&unknown, ended, &mut self.slot).await? {
                Settled::Landed => return self.made(id).await,
                Settled::Absent => {}
                Settled::Open | Settled::Nowhere => return Ok(Ready::NotNow),
            }
        }
    }

    async fn made(&mut self, id: i64) -> Result<Ready, ImportError> {
        self.shared.made.customers.fetch_add(1, Ordering::Relaxed);
        self.reload_customer(id).await?;
        Ok(Ready::Yes(None))
    }
}
