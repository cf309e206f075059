//! Every thread of a conversation, from a listing that was whole.
//!
//! Pages shift while they are read. A thread that somebody adds moves the others on, so that one is seen twice; only where
//! one goes can another fall between two pages. So a listing counts where its total never fell and as many different
//! threads were seen as there were when it began; what is added meanwhile need not be among them.

use std::collections::HashSet;

use crate::helpscout::{ApiError, Client, Thread, ThreadPage, Transport};

/// So often a listing is begun anew.
const RESTARTS: u32 = 5;

/// The threads of `conversation`, newest first by their own time; none where its pages did not stop shifting.
pub(super) async fn all_threads<T: Transport>(
    client: &Client<T>,
    conversation: u64,
) -> Result<Option<Vec<Thread>>, ApiError> {
    let first = client.threads(conversation, 1).await?;
    all_threads_from(client, conversation, first).await
}

/// The same, where the first page was read already.
pub(super) async fn all_threads_from<T: Transport>(
    client: &Client<T>,
    conversation: u64,
    first: ThreadPage,
) -> Result<Option<Vec<Thread>>, ApiError> {
    let mut read = Some(first);
    for _ in 0..RESTARTS {
        let first = match read.take() {
            Some(first) => first,
            None => client.threads(conversation, 1).await?,
        };
        let there_at_first = first.total;
        let (mut total, mut pages) = (first.total, first.pages);
        let mut threads = first.threads;
        let (mut number, mut has_shrunk) = (1, false);
        while number < pages && !has_shrunk {
            number += 1;
            let page = client.threads(conversation, number).await?;
            has_shrunk = page.total < total;
            // Behind the last thread there is nothing, whatever the service says of its pages.
            (total, pages) = (page.total, if page.threads.is_empty() { number } else { page.pages });
            threads.extend(page.threads);
        }
        let mut seen = HashSet::new();
        threads.retain(|thread| seen.insert(thread.id));
        if !has_shrunk && threads.len() as u64 >= there_at_first {
            return Ok(Some(threads));
        }
    }
    Ok(None)
}
