//! One look for a request whose answer was lost. Nothing is adopted by likeness: only the references of its calls count,
//! and for a customer the very number.

use std::{collections::HashSet, sync::atomic::Ordering};

use tokio::time::Instant;

use super::{ImportError, ImportEvent, delivery::Delivery};
use crate::{
    call::Reference,
    checkpoint::UnknownRequest,
    helpscout::{ApiError, ConversationState as Found, Thread, Transport},
    mapping::plain_text,
};

/// What a look saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It: the request is stored, and that is on disk.
    Landed,
    /// Not it.
    Missed {
        /// But something that we made after it, in the same list.
        later_one_visible: bool,
    },
    /// There is nowhere to look: the conversation is gone.
    Nowhere,
}

/// Pages may shift while they are read; so often a listing is begun anew.
const RESTARTS: u32 = 5;

impl<T: Transport> Delivery<T> {
    /// Looks for an append in its conversation, or in the one that it was merged into.
    pub(super) async fn look_in_conversation(&self, request: &UnknownRequest) -> Result<Seen, ImportError> {
        let (Some(row), Some(call)) = (&request.conversation, request.calls.first()) else {
            return Ok(Seen::Nowhere);
        };
        let references = [self.reference(call)];
        let found = match self.find_thread(row.helpscout_id, &references, None).await {
            Err(ApiError::NotFound { .. }) => match self.client.conversation(row.helpscout_id).await? {
                Found::Gone => return Ok(Seen::Nowhere),
                Found::Found(there) | Found::Moved(there) => {
                    self.find_thread(there.id, &references, None).await?
                }
            },
            other => other?,
        };
        let Some(thread) = found else { return Ok(Seen::Missed { later_one_visible: false }) };
        self.ledger.appended(request.id, Some(thread), Vec::new(), None).await?;
        self.landed(1);
        Ok(Seen::Landed)
    }

    /// The thread of `conversation` that carries one of `references`; at most so many `pages` are read, newest first.
    async fn find_thread(
        &self,
        conversation: u64,
        references: &[Reference],
        pages: Option<u32>,
    ) -> Result<Option<u64>, ApiError> {
        for _ in 0..RESTARTS {
            let first = self.client.threads(conversation, 1).await?;
            if let Some(found) = carrier(&first.threads, references) {
                return Ok(Some(found));
            }
            let mut last_total = first.total;
            for number in 2..=first.pages.min(pages.unwrap_or(u32::MAX)) {
                let page = self.client.threads(conversation, number).await?;
                if let Some(found) = carrier(&page.threads, references) {
                    return Ok(Some(found));
                }
                last_total = page.total;
            }
            if last_total == first.total {
                break;
            }
        }
        Ok(None)
    }

    /// Looks for a create by the import tag and by the first call's reference.
    pub(super) async fn look_for_conversation(
        &self,
        request: &UnknownRequest,
        ended: Instant,
    ) -> Result<Seen, ImportError> {
        let references: Vec<Reference> = request.calls.iter().map(|call| self.reference(call)).collect();
        let Some(first) = references.first() else { return Ok(Seen::Nowhere) };
        let asked = Instant::now();
        let (listed, shown) = self.newer_conversations(request.mark).await?;
        let known = self.known(&listed).await?;
        let unknown: Vec<u64> = listed.iter().copied().filter(|id| !known.contains(id)).collect();
        let mut found = self.which_carries(&unknown, &references).await?;
        if found.is_none() {
            // One that we know may carry it since a person merged what was made into it.
            let hits = self.client.search_conversations(first.as_str(), 1).await?.conversations;
            let hits: Vec<u64> = hits.iter().map(|head| head.id).filter(|id| !unknown.contains(id)).collect();
            found = self.which_carries(&hits, &references).await?;
        }
        let Some(id) = found else {
            let visible = |id: u64| (id > request.mark || shown.contains(&id)).then(|| shown.contains(&id));
            // A request may be stored as late as `settle` after its attempt: what was made before that says nothing.
            let then = ended + self.settings.settle;
            return Ok(Seen::Missed {
                later_one_visible: self.conversations_made.later_one_visible(then, asked, visible),
            });
        };
        let calls = request.calls.len();
        if self.known(&[id]).await?.is_empty() {
            let threads = u32::try_from(calls).unwrap_or(u32::MAX);
            self.ledger.created(request.id, id, threads, Vec::new()).await?;
        } else {
            // It is another's now: what follows in this queue goes into a new one.
            self.ledger.appended(request.id, None, Vec::new(), None).await?;
        }
        self.made.conversations.fetch_add(1, Ordering::Relaxed);
        self.landed(calls as u64);
        Ok(Seen::Landed)
    }

    /// The conversations with the import tag whose ids are greater than `mark`, newest first, and all that were on the
    /// pages with them.
    async fn newer_conversations(&self, mark: u64) -> Result<(Vec<u64>, HashSet<u64>), ImportError> {
        let tag = &self.settings.conversation.import_tag;
        let mut newer: Vec<u64> = Vec::new();
        let mut shown = HashSet::new();
        let mut number = 1;
        loop {
            let page = self.client.conversations_by_tag(tag, number).await?;
            let before = newer.len();
            for head in &page.conversations {
                if shown.insert(head.id) && head.id > mark {
                    newer.push(head.id);
                }
            }
            // A page without anything newer: what follows is older still.
            if newer.len() == before || number >= page.pages {
                return Ok((newer, shown));
            }
            number += 1;
        }
    }

    /// Those of `conversations` that we know.
    async fn known(&self, conversations: &[u64]) -> Result<HashSet<u64>, ImportError> {
        Ok(self.ledger.known_conversations(conversations.to_vec()).await?.into_iter().collect())
    }

    /// Which of `candidates`, or of what they were merged into, carries one of `references`.
    async fn which_carries(
        &self,
        candidates: &[u64],
        references: &[Reference],
    ) -> Result<Option<u64>, ImportError> {
        for candidate in candidates {
            let place = match self.find_thread(*candidate, references, None).await {
                Ok(Some(_)) => return Ok(Some(*candidate)),
                Ok(None) => continue,
                Err(ApiError::NotFound { .. }) => self.client.conversation(*candidate).await?,
                Err(error) => return Err(error.into()),
            };
            // It was merged between the list and the look.
            if let Found::Moved(survivor) = place
                && self.find_thread(survivor.id, references, None).await?.is_some()
            {
                return Ok(Some(survivor.id));
            }
        }
        Ok(None)
    }

    /// Looks for a customer that was made for its number.
    pub(super) async fn look_for_customer(
        &self,
        request: &UnknownRequest,
        ended: Instant,
    ) -> Result<Seen, ImportError> {
        let Some(id) = request.customer else { return Ok(Seen::Nowhere) };
        let phone = self.ledger.customers(vec![id]).await?.into_iter().next().and_then(|row| row.phone);
        let Some(phone) = phone.as_deref().map(digits) else { return Ok(Seen::Nowhere) };
        // The service's clock may be behind ours.
        let since = request.sent_at.plus_seconds(-300);
        let asked = Instant::now();
        let mut visible = HashSet::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.client.customers_created_since(since, cursor.as_deref()).await?;
            for customer in page.customers {
                visible.insert(customer.id);
                let has_number = customer.phones.iter().any(|known| digits(known) == phone);
                if has_number && !self.ledger.knows_customer(customer.id).await? {
                    self.ledger.customer_made(request.id, customer.id).await?;
                    return Ok(Seen::Landed);
                }
            }
            match page.next {
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => break,
            }
        }
        // The list reaches back to `since` only: of what was made before, nothing is to be seen.
        let oldest = visible.iter().min().copied().unwrap_or(u64::MAX);
        let seen = |id: u64| (id >= oldest).then(|| visible.contains(&id));
        let then = ended + self.settings.settle;
        Ok(Seen::Missed { later_one_visible: self.customers_made.later_one_visible(then, asked, seen) })
    }

    fn landed(&self, calls: u64) {
        self.made.threads.fetch_add(calls, Ordering::Relaxed);
        self.events.emit(ImportEvent::Landed { calls });
    }
}

pub(super) fn carrier(threads: &[Thread], references: &[Reference]) -> Option<u64> {
    threads.iter().find_map(|thread| {
        let plain = plain_text(thread.body.as_deref()?);
        references.iter().any(|reference| reference.is_in(&plain)).then_some(thread.id)
    })
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::CallKey;

    fn thread(id: u64, body: &str) -> Thread {
        Thread {
            id,
            kind: "phone".into(),
            body: Some(body.into()),
            created_at: None,
            customer_id: None,
            author: None,
        }
    }

    #[test]
    fn only_the_thread_with_the_very_reference_counts() {
        let reference = Reference::new("aircall", Some("12 & 3"), CallKey::from_id("aircall", "12 & 3"));
        let threads = [
            thread(1, "Inbound call<br>Ref: aircall 12 &amp; 34"),
            Thread { body: None, ..thread(2, "") },
            thread(3, "Inbound call<br />\nRef: aircall 12 &amp; 3"),
        ];
        assert_eq!(carrier(&threads, std::slice::from_ref(&reference)), Some(3));
        assert_eq!(carrier(&threads[..2], &[reference]), None);
    }

    #[test]
    fn numbers_are_compared_by_their_digits() {
        assert_eq!(digits("+1 (555) 01-00"), digits("+15550100"));
    }
}
