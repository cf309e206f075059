//! The threads of a conversation, from a listing that was whole.
//!
//! Pages shift while they are read: where a thread goes, another may fall between two pages, and one that comes moves the
//! others on, so that one is seen twice. So a listing counts where its total never fell and as many different threads were
//! seen as there were when it began; any other is begun anew, a few times. Who takes what was not seen for absent asks for
//! more: that the total stayed as it was.

use std::collections::HashSet;

use crate::helpscout::{ApiError, Client, Thread, ThreadPage, Transport};

/// So often a listing is begun anew.
pub(super) const RESTARTS: u32 = 5;

/// What becomes of a listing that grew while it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// It counts: everything that was there when it began was seen.
    Counts,
    /// It is begun anew: everything is to be seen.
    BeginsAnew,
}

/// What reading a listing came to.
#[derive(Debug)]
pub(super) enum Walk<V> {
    /// It was read as far as to this.
    Found(V),
    /// It was read to its end: every thread, newest first by their own time.
    Whole(Vec<Thread>),
    /// Its pages did not stop shifting.
    Shifting,
}

impl<V> Walk<V> {
    fn whole(self) -> Option<Vec<Thread>> {
        if let Self::Whole(threads) = self { Some(threads) } else { None }
    }
}

/// The threads of `conversation`; none where its pages did not stop shifting.
pub(super) async fn all_threads<T: Transport>(
    client: &Client<T>,
    conversation: u64,
) -> Result<Option<Vec<Thread>>, ApiError> {
    Ok(walk(client, conversation, None, Growth::Counts, |_| None::<()>).await?.whole())
}

/// The same, where the first page was read already.
pub(super) async fn all_threads_from<T: Transport>(
    client: &Client<T>,
    conversation: u64,
    first: ThreadPage,
) -> Result<Option<Vec<Thread>>, ApiError> {
    Ok(walk(client, conversation, Some(first), Growth::Counts, |_| None::<()>).await?.whole())
}

/// Reads the threads of `conversation`, page by page, until `look` finds something on one. `first` is its first page, where
/// that was read already.
pub(super) async fn walk<T: Transport, V>(
    client: &Client<T>,
    conversation: u64,
    mut first: Option<ThreadPage>,
    growth: Growth,
    look: impl Fn(&[Thread]) -> Option<V>,
) -> Result<Walk<V>, ApiError> {
    for _ in 0..RESTARTS {
        let (mut threads, mut seen): (Vec<Thread>, HashSet<u64>) = Default::default();
        let (mut number, mut before) = (1, None);
        let is_whole = loop {
            let page = match first.take() {
                Some(first) => first,
                None => client.threads(conversation, number).await?,
            };
            if let Some(found) = look(&page.threads) {
                return Ok(Walk::Found(found));
            }
            let (there_at_first, total) = before.unwrap_or((page.total, page.total));
            if page.total < total || (growth == Growth::BeginsAnew && page.total > total) {
                break false;
            }
            before = Some((there_at_first, page.total));
            // Behind the last thread there is nothing, whatever the service says of its pages.
            let is_last = number >= page.pages || page.threads.is_empty();
            threads.extend(page.threads.into_iter().filter(|thread| seen.insert(thread.id)));
            if is_last {
                break threads.len() as u64 >= there_at_first;
            }
            number += 1;
        };
        if is_whole {
            return Ok(Walk::Whole(threads));
        }
    }
    Ok(Walk::Shifting)
}
