//! Where a conversation went that is not found any more.

use super::{
    ImportError, WhenMissing,
    worker::{Next, Worker},
};
use crate::{
    checkpoint::{ConversationRow, ConversationState},
    helpscout::{ConversationState as Found, Transport},
};

/// What a 404 came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The queue goes on, with the survivor or a new conversation.
    On,
    /// The queue's calls were refused or went to another queue.
    Left,
    /// The conversation is there: what the request's body names does not exist.
    NotTheConversation,
}

impl<T: Transport> Worker<T> {
    /// Finds out why `helpscout_id` is not found.
    pub(super) async fn redirect(&mut self, helpscout_id: u64) -> Result<Way, ImportError> {
        match self.shared.client.conversation(helpscout_id).await? {
            Found::Found(_) => Ok(Way::NotTheConversation),
            Found::Gone => self.gone(helpscout_id).await,
            Found::Moved(survivor) => {
                if let Some(owner) = self.owner_of(survivor.id).await? {
                    return self.join_owner(helpscout_id, owner).await;
                }
                let page = self.shared.client.threads(survivor.id, 1).await?;
                let threads = u32::try_from(page.total).unwrap_or(u32::MAX);
                if self.refuse_unknown_calls(survivor.id, page, 0).await? == Next::Leave {
                    return Ok(Way::Left);
                }
                let row = self.conversation(survivor.id, threads).await?;
                self.keep(ConversationRow {
                    helpscout_id: survivor.id,
                    threads,
                    state: ConversationState::Open,
                    inbox: Some(survivor.inbox),
                    subject: Some(survivor.subject),
                    ..row
                })
                .await?;
                self.touched = true;
                Ok(Way::On)
            }
        }
    }

    /// The queue that the survivor belongs to: by a conversation that we know, or by the rows that name it.
    async fn owner_of(&self, survivor: u64) -> Result<Option<i64>, ImportError> {
        if let Some((queue, _)) = self.shared.ledger.conversation_of(survivor).await? {
            return Ok(Some(queue));
        }
        Ok(self.shared.ledger.queue_of_existing(survivor).await?)
    }

    async fn join_owner(&mut self, helpscout_id: u64, owner: i64) -> Result<Way, ImportError> {
        if owner == self.queue.id || !self.shared.joins.may_join(self.queue.id, owner) {
            // One of our own parts lives on in another: a new part takes what comes.
            self.close_gone(helpscout_id).await?;
            return Ok(Way::On);
        }
        self.join(owner).await?;
        Ok(Way::Left)
    }

    async fn gone(&mut self, helpscout_id: u64) -> Result<Way, ImportError> {
        if self.shared.settings.conversation.when_missing == WhenMissing::Reject {
            let why = format!(
                "conversation {helpscout_id} was deleted, or merged more than 60 days ago (conversation.when_missing)"
            );
            self.refuse_queue(&why).await?;
            return Ok(Way::Left);
        }
        self.close_gone(helpscout_id).await?;
        Ok(Way::On)
    }

    async fn close_gone(&mut self, helpscout_id: u64) -> Result<Next, ImportError> {
        let row = self.conversation(helpscout_id, 0).await?;
        self.close(row, ConversationState::Gone).await
    }
}
