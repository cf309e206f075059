//! Every thread of a conversation, from a listing that was whole.
//!
//! Pages shift while they are read: somebody adds a thread, and what stood at the end of one page stands at the
//! beginning of the next, already passed. A listing counts only where every page told of the same total and as many
//! different threads as that were seen.

use std::collections::HashSet;

use crate::helpscout::{ApiError, Client, Thread, Transport};

/// So often a listing is begun anew.
const RESTARTS: u32 = 5;

/// The threads of `conversation`, newest first by their own time; none where its pages did not stop shifting.
pub(super) async fn all_threads<T: Transport>(
    client: &Client<T>,
    conversation: u64,
) -> Result<Option<Vec<Thread>>, ApiError> {
    for _ in 0..RESTARTS {
        let first = client.threads(conversation, 1).await?;
        let (total, pages) = (first.total, first.pages);
        let mut threads = first.threads;
        let mut is_steady = true;
        for number in 2..=pages {
            let page = client.threads(conversation, number).await?;
            is_steady &= page.total == total;
            threads.extend(page.threads);
        }
        let mut seen = HashSet::new();
        threads.retain(|thread| seen.insert(thread.id));
        if is_steady && threads.len() as u64 == total {
            return Ok(Some(threads));
        }
    }
    Ok(None)
}
