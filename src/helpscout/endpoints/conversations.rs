//! Conversations: what threads belong to.
//!
//! A conversation that was merged into another answers with a redirect for 60 days, later as if it had never been. Only
//! the id in a redirect is taken over, and asked for at the address that the token is meant for.

use bytes::Bytes;
use http::Method;

use crate::{
    helpscout::{
        ApiError, Client, Transport,
        masked::masked_debug,
        target::encoded,
        wire::{Conversations, Listing, WireConversation},
    },
    policy::Reply,
};

/// Redirects followed: the survivor of a merge may itself have been merged.
const HOPS: u32 = 5;

/// What became of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationState {
    /// It is there.
    Found(Conversation),
    /// It was merged; this is the conversation that lives on.
    Moved(Conversation),
    /// It was deleted, or merged more than 60 days ago.
    Gone,
}

/// A conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: u64,
    /// Its number in the account.
    pub number: u64,
    /// Its inbox.
    pub inbox: u64,
    /// Its subject.
    pub subject: String,
    /// `active`, `closed`, `pending`, …
    pub status: String,
    /// `published`, `deleted`, …
    pub state: String,
    /// Whose it is.
    pub customer_id: Option<u64>,
    /// The user whom it is assigned to.
    pub assignee: Option<u64>,
    /// As the service writes it.
    pub created_at: Option<String>,
    /// As the service writes it; none where it was never closed.
    pub closed_at: Option<String>,
    /// The names of its tags; none where the answer does not show them.
    pub tags: Option<Vec<String>>,
}

/// A page of a list of conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationPage {
    /// The conversations of this page.
    pub conversations: Vec<ConversationHead>,
    /// How many pages there are.
    pub pages: u32,
    /// Conversations on all pages.
    pub total: u64,
}

/// A conversation as a list shows one.
#[derive(Clone, PartialEq, Eq)]
pub struct ConversationHead {
    /// Its id.
    pub id: u64,
    /// Its number in the account; numbers rise with the time of insertion.
    pub number: u64,
    /// Its subject.
    pub subject: String,
    /// As the service writes it.
    pub created_at: Option<String>,
    /// Whose it is.
    pub customer_id: Option<u64>,
}

masked_debug!(Conversation { id, number, inbox, status, state });
masked_debug!(ConversationHead { id, number, created_at });

impl<T: Transport> Client<T> {
    /// The conversation `id`, or the one that it was merged into.
    pub async fn conversation(&self, id: u64) -> Result<ConversationState, ApiError> {
        let mut now = id;
        for _ in 0..=HOPS {
            let target = format!("/v2/conversations/{now}");
            match self.read::<WireConversation>(&target).await {
                Ok(wire) if wire.state.as_deref() == Some("deleted") => return Ok(ConversationState::Gone),
                Ok(wire) if now == id => return Ok(ConversationState::Found(conversation(wire))),
                Ok(wire) => return Ok(ConversationState::Moved(conversation(wire))),
                Err(ApiError::NotFound { .. }) => return Ok(ConversationState::Gone),
                Err(ApiError::Moved { location }) => now = self.survivor(target, &location)?,
                Err(other) => return Err(other),
            }
        }
        Err(redirected(format!("/v2/conversations/{id}"), format!("it redirects more than {HOPS} times")))
    }

    fn survivor(&self, target: String, location: &str) -> Result<u64, ApiError> {
        self.api_url().conversation_at(location).ok_or_else(|| {
            redirected(
                target,
                format!("it redirects to `{location}`, which is no conversation of this service"),
            )
        })
    }

    /// A page, from 1, of the conversations with `tag`, newest number first, closed ones included.
    pub async fn conversations_by_tag(&self, tag: &str, page: u32) -> Result<ConversationPage, ApiError> {
        let tag = encoded(tag);
        let target =
            format!("/v2/conversations?status=all&tag={tag}&sortField=number&sortOrder=desc&page={page}");
        self.read(&target).await.map(listed)
    }

    /// A page, from 1, of the conversations with a thread that holds `phrase`. The index lags: what is not found may be
    /// there.
    pub async fn search_conversations(&self, phrase: &str, page: u32) -> Result<ConversationPage, ApiError> {
        let phrase = phrase.replace('\\', "\\\\").replace('"', "\\\"");
        let query = format!("(body:\"{phrase}\")");
        let target = format!("/v2/conversations?status=all&query={}&page={page}", encoded(&query));
        self.read(&target).await.map(listed)
    }

    /// Makes a conversation with all its threads. The caller holds a permit.
    pub async fn create_conversation(&self, body: Bytes) -> Reply {
        self.write(Method::POST, "/v2/conversations", body).await
    }
}

fn redirected(target: String, why: String) -> ApiError {
    ApiError::Undocumented { status: 301, target, why, correlation: None }
}

fn conversation(wire: WireConversation) -> Conversation {
    Conversation {
        id: wire.id,
        number: wire.number.unwrap_or_default(),
        inbox: wire.mailbox_id.unwrap_or_default(),
        subject: wire.subject.unwrap_or_default(),
        status: wire.status.unwrap_or_default(),
        state: wire.state.unwrap_or_default(),
        customer_id: wire.primary_customer.and_then(|customer| customer.id),
        assignee: wire.assignee.and_then(|user| user.id),
        created_at: wire.created_at,
        closed_at: wire.closed_at,
        tags: wire.tags.map(|tags| tags.into_iter().filter_map(|tag| tag.tag).collect()),
    }
}

fn listed(listing: Listing<Conversations>) -> ConversationPage {
    let (pages, total) = (listing.pages(), listing.total());
    let found = listing.embedded.map(|embedded| embedded.conversations).unwrap_or_default();
    let conversations: Vec<_> = found
        .into_iter()
        .map(|wire| ConversationHead {
            id: wire.id,
            number: wire.number.unwrap_or_default(),
            subject: wire.subject.unwrap_or_default(),
            created_at: wire.created_at,
            customer_id: wire.primary_customer.and_then(|customer| customer.id),
        })
        .collect();
    ConversationPage { total: total.unwrap_or(conversations.len() as u64), conversations, pages }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helpscout::{
        WireResponse,
        client::tests::client,
        scripted::{Scripted, answered, with_headers},
    };

    fn found(id: u64) -> WireResponse {
        let body = format!(
            r##"{{"id":{id},"number":9,"threads":0,"status":"closed","state":"published","subject":"Old calls",
            "mailboxId":85,"primaryCustomer":{{"id":456}},"tags":[{{"id":1,"color":"#fff","tag":"vip"}}]}}"##
        );
        answered(200, &body)
    }

    fn moved(location: &str) -> WireResponse {
        with_headers(301, &[("location", location)], "")
    }

    #[tokio::test(start_paused = true)]
    async fn a_conversation_is_found_moved_or_gone() {
        let wire = Scripted::in_order(vec![
            Ok(found(123)),
            Ok(moved("https://api.helpscout.net/v2/conversations/124")),
            Ok(moved("/v2/conversations/125/")),
            Ok(found(125)),
            Ok(answered(404, "")),
            Ok(answered(200, r#"{"id":5,"state":"deleted"}"#)),
        ]);
        let client = client(&wire);
        let ConversationState::Found(conversation) = client.conversation(123).await.unwrap() else {
            panic!()
        };
        assert_eq!((conversation.inbox, conversation.customer_id), (85, Some(456)));
        assert_eq!(
            (conversation.subject.as_str(), conversation.tags),
            ("Old calls", Some(vec!["vip".to_owned()]))
        );
        let ConversationState::Moved(survivor) = client.conversation(123).await.unwrap() else { panic!() };
        assert_eq!(survivor.id, 125);
        assert_eq!(client.conversation(126).await, Ok(ConversationState::Gone));
        assert_eq!(client.conversation(5).await, Ok(ConversationState::Gone));
    }

    #[tokio::test(start_paused = true)]
    async fn a_redirect_to_another_host_is_never_followed() {
        for location in
            ["https://example.com/v2/conversations/5", "//example.com/v2/conversations/5", "/login"]
        {
            let wire = Scripted::in_order(vec![Ok(moved(location))]);
            let error = client(&wire).conversation(1).await.unwrap_err();
            assert!(
                matches!(&error, ApiError::Undocumented { why, .. } if why.contains(location)),
                "{error}"
            );
            assert_eq!(wire.asked(), ["GET /v2/conversations/1"]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn redirects_end_after_five_hops() {
        let wire = Scripted::by(|_| Ok(moved("/v2/conversations/2")));
        assert!(matches!(client(&wire).conversation(1).await, Err(ApiError::Undocumented { .. })));
        assert_eq!(wire.asked().len(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn lists_and_searches_include_closed_conversations_and_encode_what_they_are_given() {
        let page = r#"{"_embedded":{"conversations":[{"id":2600000001,"number":12,"subject":"S",
            "createdAt":"2019-05-01T10:00:00Z","primaryCustomer":{"id":4}}]},
            "page":{"size":25,"totalElements":26,"totalPages":2,"number":1}}"#;
        let wire = Scripted::in_order(vec![Ok(answered(200, page)), Ok(answered(200, "{}"))]);
        let client = client(&wire);
        let first = client.conversations_by_tag("phone & more", 1).await.unwrap();
        assert_eq!((first.pages, first.total, first.conversations[0].number), (2, 26, 12));
        assert_eq!(first.conversations[0].customer_id, Some(4));
        let none = client.search_conversations("Ref: a \"b\"", 2).await.unwrap();
        assert_eq!(none, ConversationPage { conversations: vec![], pages: 1, total: 0 });
        insta::assert_snapshot!(wire.asked().join("\n"), @"
        GET /v2/conversations?status=all&tag=phone%20%26%20more&sortField=number&sortOrder=desc&page=1
        GET /v2/conversations?status=all&query=%28body%3A%22Ref%3A%20a%20%5C%22b%5C%22%22%29&page=2
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn writes_go_where_the_documents_say() {
        let wire = Scripted::by(|_| Ok(answered(201, "")));
        let client = client(&wire);
        client.create_conversation("{}".into()).await;
        client.append_phone(123, "{}".into()).await;
        let expected = ["POST /v2/conversations", "POST /v2/conversations/123/phones"];
        assert_eq!(wire.asked(), expected);
    }
}
