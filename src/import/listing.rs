//! The threads of a conversation, from a listing that was whole.
//!
//! Pages shift while they are read: where a thread goes, another may fall between two pages, and one that comes moves the
//! others on, so that one is seen twice. What is not seen proves something only if everything was seen. So a listing counts
//! where its total stayed as it was and so many different threads were seen; any other is begun anew, a few times.

use std::collections::HashSet;

use crate::helpscout::{ApiError, Client, Thread, ThreadPage, Transport};

/// So often a listing is begun anew.
pub(super) const RESTARTS: u32 = 5;

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
    Ok(walk(client, conversation, None, |_| None::<()>).await?.whole())
}

/// The same, where the first page was read already.
pub(super) async fn all_threads_from<T: Transport>(
    client: &Client<T>,
    conversation: u64,
    first: ThreadPage,
) -> Result<Option<Vec<Thread>>, ApiError> {
    Ok(walk(client, conversation, Some(first), |_| None::<()>).await?.whole())
}

/// Reads the threads of `conversation`, page by page, until `look` finds something on one. `first` is its first page, where
/// that was read already.
pub(super) async fn walk<T: Transport, V>(
    client: &Client<T>,
    conversation: u64,
    mut first: Option<ThreadPage>,
    look: impl Fn(&[Thread]) -> Option<V>,
) -> Result<Walk<V>, ApiError> {
    for _ in 0..RESTARTS {
        let (mut threads, mut seen): (Vec<Thread>, HashSet<u64>) = Default::default();
        let (mut number, mut total) = (1, None);
        let is_whole = loop {
            let page = match first.take() {
                Some(first) => first,
                None => client.threads(conversation, number).await?,
            };
            if let Some(found) = look(&page.threads) {
                return Ok(Walk::Found(found));
            }
            if *total.get_or_insert(page.total) != page.total {
                break false;
            }
            // Behind the last thread there is nothing, whatever the service says of its pages.
            let is_last = number >= page.pages || page.threads.is_empty();
            threads.extend(page.threads.into_iter().filter(|thread| seen.insert(thread.id)));
            if is_last {
                break threads.len() as u64 == page.total;
            }
            number += 1;
        };
        if is_whole {
            return Ok(Walk::Whole(threads));
        }
    }
    Ok(Walk::Shifting)
}
