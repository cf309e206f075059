//! One look for a request whose answer was lost. Nothing is adopted by likeness: only the references of its calls count,
//! and for a customer the very number.
//!
//! What is not seen proves something only if everything was seen. Pages shift while they are read: where something above
//! them goes, one falls between two of them. A listing that may have lost one that way is begun anew, and after a few times
//! the look is unclear: it does not count, and another comes later.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
};

use tokio::time::Instant;

use super::{
    ImportError, ImportEvent,
    delivery::Delivery,
    listing::{Growth, RESTARTS, Walk, walk},
};
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
    /// Not it, but not everything that there is either.
    Unclear,
    /// There is nowhere to look: the conversation is gone.
    Nowhere,
}

/// What reading a list to its end came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing<V> {
    Found(V),
    Missed,
    Unclear,
}

/// So often a conversation that moved is followed.
const MOVES: u32 = 3;

impl<T: Transport> Delivery<T> {
    /// Looks for an append in its conversation, or in the one that it was merged into.
    pub(super) async fn look_in_conversation(&self, request: &UnknownRequest) -> Result<Seen, ImportError> {
        let (Some(row), Some(call)) = (&request.conversation, request.calls.first()) else {
            return Ok(Seen::Nowhere);
        };
        let references = [self.reference(call)];
        let found = match self.find_where_it_lives(row.helpscout_id, &references).await? {
            Some(found) => Some(found),
            // Merged so long ago that its id leads nowhere any more: the index may know where it lives.
            None => self.find_by_search(&references).await?,
        };
        match found {
            None => Ok(Seen::Nowhere),
            Some((_, Listing::Unclear)) => Ok(Seen::Unclear),
            Some((_, Listing::Missed)) => Ok(Seen::Missed { later_one_visible: false }),
            Some((_, Listing::Found(thread))) => {
                self.ledger.appended(request.id, Some(thread), Vec::new(), None).await?;
                self.landed(1);
                Ok(Seen::Landed)
            }
        }
    }

    /// The thread that carries the first of `references`, wherever the search finds it.
    pub(super) async fn find_by_search(
        &self,
        references: &[Reference],
    ) -> Result<Option<(u64, Listing<u64>)>, ApiError> {
        let Some(first) = references.first() else { return Ok(None) };
        for hit in self.client.search_conversations(first.as_str(), 1).await?.conversations {
            let found = self.find_where_it_lives(hit.id, references).await?;
            if matches!(found, Some((_, Listing::Found(_)))) {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The thread that carries one of `references`, in `conversation` or in the one that it was merged into, also while it
    /// was read; with the id of the one that was read. `None` where it was deleted.
    async fn find_where_it_lives(
        &self,
        conversation: u64,
        references: &[Reference],
    ) -> Result<Option<(u64, Listing<u64>)>, ApiError> {
        let mut now = conversation;
        for _ in 0..MOVES {
            match self.find_thread(now, references).await {
                Ok(listing) => return Ok(Some((now, listing))),
                Err(ApiError::NotFound { .. }) => match self.client.conversation(now).await? {
                    Found::Gone => return Ok(None),
                    Found::Found(there) | Found::Moved(there) => now = there.id,
                },
                Err(error) => return Err(error),
            }
        }
        Ok(Some((now, Listing::Unclear)))
    }

    /// The thread of `conversation` that carries one of `references`.
    async fn find_thread(
        &self,
        conversation: u64,
        references: &[Reference],
    ) -> Result<Listing<u64>, ApiError> {
        let look = |threads: &[Thread]| carrier(threads, references);
        Ok(match walk(&self.client, conversation, None, Growth::BeginsAnew, look).await? {
            Walk::Found(thread) => Listing::Found(thread),
            Walk::Whole(_) => Listing::Missed,
            Walk::Shifting => Listing::Unclear,
        })
    }

    /// Looks for a create by the import tag and by the first call's reference.
    pub(super) async fn look_for_conversation(
        &self,
        request: &UnknownRequest,
        ended: Instant,
    ) -> Result<Seen, ImportError> {
        let references: Vec<Reference> = request.calls.iter().map(|call| self.reference(call)).collect();
        let Some(first) = references.first() else { return Ok(Seen::Nowhere) };
        // One request finds it among all that there are, where the index has come that far; a list would be read page by page.
        let hits = self.client.search_conversations(first.as_str(), 1).await?.conversations;
        let hits: Vec<u64> = hits.iter().map(|head| head.id).collect();
        let mut found = self.which_carries(&hits, &references).await?;
        let (mut is_complete, mut asked, mut shown) = (true, Instant::now(), Arc::default());
        if !matches!(found, Listing::Found(_)) {
            let listed = self.newer_conversations(request.mark).await?;
            // What is known is another's, unless a person merged into it what was made: then the search finds it there.
            let ids: Vec<u64> = listed.newer.ids.iter().copied().filter(|id| *id > request.mark).collect();
            let known = self.known(&ids).await?;
            let is_open = |id: &u64| !known.contains(id) && !hits.contains(id);
            let unknown: Vec<u64> = ids.into_iter().filter(is_open).collect();
            found = match (found, self.which_carries(&unknown, &references).await?) {
                (Listing::Unclear, Listing::Missed) => Listing::Unclear,
                (_, listed) => listed,
            };
            (is_complete, asked, shown) = (listed.newer.is_complete, listed.asked, listed.newer);
        }
        let id = match found {
            Listing::Found(id) => id,
            Listing::Unclear => return Ok(Seen::Unclear),
            Listing::Missed if !is_complete => return Ok(Seen::Unclear),
            Listing::Missed => return Ok(self.missed_conversation(request, ended, asked, &shown.shown)),
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

    /// What a complete list of conversations proves that does not hold `request`.
    fn missed_conversation(
        &self,
        request: &UnknownRequest,
        ended: Instant,
        asked: Instant,
        shown: &HashSet<u64>,
    ) -> Seen {
        let visible = |id: u64| (id > request.mark || shown.contains(&id)).then(|| shown.contains(&id));
        // A request may be stored as late as `settle` after its attempt: what was made before that says nothing.
        let then = ended + self.settings.settle;
        let later_one_visible = self.conversations_made.later_one_visible(then, asked, visible);
        Seen::Missed { later_one_visible }
    }

    /// The conversations with the import tag whose ids are greater than `mark`, from a list that was asked for after this.
    /// Where many were lost at once, those who wait while one list is read share the next.
    async fn newer_conversations(&self, mark: u64) -> Result<Listed, ImportError> {
        let began = Instant::now();
        let mut last = self.listed.lock().await;
        if let Some(listed) = last.as_ref().filter(|listed| listed.asked >= began && listed.mark <= mark) {
            return Ok(listed.clone());
        }
        let asked = Instant::now();
        let newer = Arc::new(self.list_newer(mark).await?);
        Ok(last.insert(Listed { asked, mark, newer }).clone())
    }

    async fn list_newer(&self, mark: u64) -> Result<Newer, ImportError> {
        let tag = &self.settings.conversation.import_tag;
        let mut newer = Newer::default();
        for _ in 0..RESTARTS {
            newer = Newer::default();
            let (mut number, mut total) = (1, 0);
            loop {
                let page = self.client.conversations_by_tag(tag, number).await?;
                // What is new comes first and only moves the others on; where fewer are left, one may have moved back
                // onto a page that was read already.
                if page.total < total {
                    break;
                }
                total = page.total;
                for head in &page.conversations {
                    if newer.shown.insert(head.id) && head.id > mark {
                        newer.ids.push(head.id);
                    }
                }
                // A page without anything newer: what follows is older still.
                newer.is_complete =
                    number >= page.pages || page.conversations.iter().all(|head| head.id <= mark);
                if newer.is_complete {
                    return Ok(newer);
                }
                number += 1;
            }
        }
        Ok(newer)
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
    ) -> Result<Listing<u64>, ImportError> {
        let mut all = Listing::Missed;
        for candidate in candidates {
            match self.find_where_it_lives(*candidate, references).await? {
                Some((place, Listing::Found(_))) => return Ok(Listing::Found(place)),
                Some((_, Listing::Unclear)) => all = Listing::Unclear,
                Some((_, Listing::Missed)) | None => {}
            }
        }
        Ok(all)
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
        let mut cursors = HashSet::new();
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
                None => break,
                Some(next) if cursors.insert(next.clone()) => cursor = Some(next),
                // It leads back to where it was: there is no end to be seen.
                Some(_) => return Ok(Seen::Unclear),
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

/// A list of conversations as it was read.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// When its first page was asked for.
    asked: Instant,
    /// The mark down to which it was read.
    mark: u64,
    newer: Arc<Newer>,
}

/// Conversations of a list that are newer than a mark.
#[derive(Debug, Default)]
struct Newer {
    /// Their ids.
    ids: Vec<u64>,
    /// All that were on the pages with them.
    shown: HashSet<u64>,
    /// Whether none can be missing.
    is_complete: bool,
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

    #[test]
    fn notes_that_name_a_lost_call_are_not_its_thread() {
        let lost = Reference::new("", Some("12"), CallKey::from_id("", "12"));
        let other = thread(1, "Inbound call<br>the same as yesterday:<br>Ref: 12<br>Ref: 99");
        assert_eq!(carrier(&[other], &[lost]), None);
    }
}
