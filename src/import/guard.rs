//! A checkpoint that the account contradicts is not sent from.
//!
//! A conversation that carries calls which the file takes for not sent was filled from a newer copy of the file, or from one
//! that is lost: sending would import them twice. Before anything leaves, the newest conversations with the import tag are
//! looked at that the file does not know; and before a call is added to a conversation, the threads that were not there
//! when the file knew it last. A thread list is current; the list by tag lags, so that what was made in the last minutes
//! before a copy was put back may show too late. Where calls go on in a new conversation because that is cheaper
//! (`conversation.when_appending`), the known one beside it is not asked; one that the rows name and the file has never asked
//! is, whatever follows.

use std::{collections::HashSet, path::Path};

use super::{
    DeliverySettings, ImportError,
    listing::{all_threads, all_threads_from},
    worker::{Next, Worker},
};
use crate::{
    call::Reference,
    checkpoint::{Checkpoint, Standing},
    helpscout::{ApiError, Client, Thread, ThreadPage, Transport},
    mapping::plain_text,
};

/// What may be references of calls in a thread: the calls of a source, and how its texts carry them.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReferenceForm<'a> {
    pub(super) source_name: &'a str,
    /// Whether a user's own template may put a reference amid a line.
    pub(super) amid: bool,
}

impl ReferenceForm<'_> {
    /// The candidates of a phone thread; what people write into notes counts for nothing.
    pub(super) fn candidates(self, thread: &Thread) -> Vec<String> {
        let is_call = thread.kind.is_empty() || thread.kind == "phone";
        let body = thread.body.as_deref().filter(|_| is_call);
        body.map_or_else(Vec::new, |body| {
            Reference::candidates(&plain_text(body), self.source_name, self.amid)
        })
    }
}

impl DeliverySettings {
    pub(super) fn reference_form(&self) -> ReferenceForm<'_> {
        ReferenceForm { source_name: &self.source_name, amid: self.amid }
    }
}

/// Refuses a checkpoint that is not empty where the newest imported conversations carry calls that it does not know to have
/// been sent.
pub(super) async fn refuse_old_copy<T: Transport>(
    client: &Client<T>,
    settings: &DeliverySettings,
    checkpoint: &mut Checkpoint,
) -> Result<(), ImportError> {
    let page = client.conversations_by_tag(&settings.conversation.import_tag, 1).await?;
    let ids: Vec<u64> = page.conversations.iter().map(|head| head.id).collect();
    let form = settings.reference_form();
    for id in checkpoint.strange_conversations(&ids)? {
        let threads = match all_threads(client, id).await {
            Ok(threads) => threads.unwrap_or_default(),
            Err(ApiError::NotFound { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        for thread in &threads {
            let candidates = form.candidates(thread);
            let Some(reference) = candidates.first() else { continue };
            match checkpoint.standing(form.source_name, &candidates)? {
                Standing::NotSent => return Err(contradiction(id, reference, checkpoint.path())),
                // Another checkpoint's calls, where a person says that there is one.
                Standing::Strange if settings.share_tag => {}
                Standing::Strange => return Err(strange(id, reference, checkpoint.path())),
                Standing::Open | Standing::Landed => {}
            }
        }
    }
    Ok(())
}

fn contradiction(conversation: u64, reference: &str, path: &Path) -> ImportError {
    ImportError::Contradicted(words(conversation, reference, path))
}

fn words(conversation: u64, reference: &str, path: &Path) -> String {
    format!(
        "conversation {conversation} of Help Scout holds the call `{reference}`, which the checkpoint `{}` does not know to \
         be imported: it is an older copy, or not the one that this account was imported with, or a person decided \
         (--resend) that the call is not there; going on would import calls twice",
        path.display()
    )
}

/// The calls of a conversation are not known at all: they may be another checkpoint's.
fn strange(conversation: u64, reference: &str, path: &Path) -> ImportError {
    let words = words(conversation, reference, path);
    ImportError::Contradicted(format!(
        "{words}; where another checkpoint imports into this account, too, allow it with --set account.share_tag=true"
    ))
}

impl<T: Transport> Worker<T> {
    /// Before a call is added to a conversation that holds more threads than the file knew of: none of them may be a call
    /// that waits here. `page` is the first of its listing. Where the listing cannot be read to its end nothing may be
    /// added in this run.
    pub(super) async fn refuse_unknown_calls(
        &self,
        helpscout_id: u64,
        page: ThreadPage,
        known: u32,
    ) -> Result<Next, ImportError> {
        if page.total <= u64::from(known) {
            return Ok(Next::GoOn);
        }
        let threads = match all_threads_from(&self.shared.client, helpscout_id, page).await {
            Ok(Some(threads)) => threads,
            Ok(None) => {
                self.shared.warn(format!(
                    "the threads of conversation {helpscout_id} do not stop changing while they are read: its calls wait \
                     for the next run"
                ));
                return Ok(Next::Leave);
            }
            // The append finds out where it went, and what is there is looked at then.
            Err(ApiError::NotFound { .. }) => return Ok(Next::GoOn),
            Err(error) => return Err(error.into()),
        };
        let form = self.shared.settings.reference_form();
        let mut seen = HashSet::new();
        let candidates: Vec<Vec<String>> = threads
            .iter()
            .map(|thread| form.candidates(thread))
            .filter(|candidates| candidates.first().is_some_and(|first| seen.insert(first.clone())))
            .collect();
        if candidates.is_empty() {
            return Ok(Next::GoOn);
        }
        let name = form.source_name.to_owned();
        match self.shared.ledger.first_not_sent(name, candidates).await? {
            Some(reference) => Err(contradiction(helpscout_id, &reference, &self.shared.checkpoint_path)),
            None => Ok(Next::GoOn),
        }
    }
}
