//! Threads of a conversation: what was said in it.

use bytes::Bytes;
use http::Method;

use crate::{
    helpscout::{
        ApiError, Client, Transport,
        masked::masked_debug,
        wire::{Listing, Threads, WireThread},
    },
    policy::Reply,
};

/// A page of a conversation's threads, newest first by their own time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadPage {
    /// Threads on all pages: what the cap of a conversation counts.
    pub total: u64,
    /// How many pages there are.
    pub pages: u32,
    /// Which of them this is, from 1.
    pub number: u32,
    /// The threads of this page.
    pub threads: Vec<Thread>,
}

/// A thread.
#[derive(Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its id; ids rise with the time of insertion.
    pub id: u64,
    /// `phone`, `note`, `lineitem`, …
    pub kind: String,
    /// HTML; line items have none.
    pub body: Option<String>,
    /// As the service writes it.
    pub created_at: Option<String>,
    /// Whose thread it is.
    pub customer_id: Option<u64>,
    /// Who is shown to have made it.
    pub author: Option<Author>,
}

/// Who is shown to have made a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// `user` or `customer`.
    pub kind: String,
    /// Of the user or of the customer.
    pub id: u64,
}

masked_debug!(Thread { id, kind, created_at });

impl<T: Transport> Client<T> {
    /// One page, from 1, of the threads of `conversation`.
    pub async fn threads(&self, conversation: u64, page: u32) -> Result<ThreadPage, ApiError> {
        let listing: Listing<Threads> =
            self.read(&format!("/v2/conversations/{conversation}/threads?page={page}")).await?;
        let (pages, total) = (listing.pages(), listing.total());
        let number = listing.page.and_then(|mark| mark.number).unwrap_or(page);
        let threads = listing.embedded.map(|embedded| embedded.threads).unwrap_or_default();
        let threads: Vec<Thread> = threads.into_iter().map(thread).collect();
        Ok(ThreadPage { total: total.unwrap_or(threads.len() as u64), pages, number, threads })
    }

    /// Adds a phone thread to `conversation`. The caller holds a permit.
    pub async fn append_phone(&self, conversation: u64, body: Bytes) -> Reply {
        self.write(Method::POST, &format!("/v2/conversations/{conversation}/phones"), body).await
    }
}

fn thread(wire: WireThread) -> Thread {
    Thread {
        id: wire.id,
        kind: wire.r#type.unwrap_or_default(),
        body: wire.body,
        created_at: wire.created_at,
        customer_id: wire.customer.and_then(|customer| customer.id),
        author: wire
            .created_by
            .and_then(|maker| Some(Author { kind: maker.r#type.unwrap_or_default(), id: maker.id? })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helpscout::{
        client::tests::client,
        scripted::{Scripted, answered},
    };

    #[tokio::test(start_paused = true)]
    async fn a_page_tells_what_the_whole_conversation_holds() {
        let body = r#"{"_embedded":{"threads":[
            {"id":7900000001,"type":"phone","body":"Hi<br>Ref: x","createdAt":"2019-05-01T10:00:00Z","customer":{"id":456}},
            {"id":7900000000,"type":"lineitem"}]},
            "page":{"size":25,"totalElements":27,"totalPages":2,"number":2}}"#;
        let wire = Scripted::in_order(vec![Ok(answered(200, body)), Ok(answered(404, ""))]);
        let client = client(&wire);
        let page = client.threads(123, 2).await.unwrap();
        assert_eq!((page.total, page.pages, page.number), (27, 2, 2));
        assert_eq!(page.threads[0].customer_id, Some(456));
        assert_eq!(page.threads[1].body, None);
        assert!(!format!("{page:?}").contains("Ref"));
        assert!(matches!(client.threads(124, 1).await, Err(ApiError::NotFound { .. })));
        assert_eq!(wire.asked()[0], "GET /v2/conversations/123/threads?page=2");
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_conversation_has_no_threads_and_nothing_counts_what_is_not_stated() {
        let one = r#"{"_embedded":{"threads":[{"id":1}]}}"#;
        let wire = Scripted::in_order(vec![Ok(answered(200, "{}")), Ok(answered(200, one))]);
        let client = client(&wire);
        let empty = ThreadPage { total: 0, pages: 1, number: 1, threads: vec![] };
        assert_eq!(client.threads(1, 1).await.unwrap(), empty);
        assert_eq!(client.threads(1, 1).await.unwrap().total, 1);
    }
}
