//! What is read: the service's JSON, as far as callport needs it.
//!
//! Everything that may be absent is optional, everything unknown is ignored. `_embedded` is absent where a list is empty.

use serde::Deserialize;

/// An envelope of a list.
#[derive(Deserialize)]
pub(super) struct Listing<E> {
    #[serde(rename = "_embedded")]
    pub(super) embedded: Option<E>,
    pub(super) page: Option<PageMark>,
    #[serde(rename = "_links")]
    pub(super) links: Option<Links>,
}

impl<E> Listing<E> {
    /// The pages there are; one where the envelope does not say.
    pub(super) fn pages(&self) -> u32 {
        self.page.as_ref().and_then(|page| page.total_pages).unwrap_or(1)
    }

    /// The items there are on all pages, where the envelope says.
    pub(super) fn total(&self) -> Option<u64> {
        self.page.as_ref().and_then(|page| page.total_elements)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageMark {
    pub(super) total_elements: Option<u64>,
    pub(super) total_pages: Option<u32>,
    pub(super) number: Option<u32>,
}

#[derive(Deserialize)]
pub(super) struct Links {
    pub(super) next: Option<Link>,
}

#[derive(Deserialize)]
pub(super) struct Link {
    pub(super) href: String,
}

#[derive(Deserialize)]
pub(super) struct Mailboxes {
    #[serde(default)]
    pub(super) mailboxes: Vec<WireMailbox>,
}

#[derive(Deserialize)]
pub(super) struct WireMailbox {
    pub(super) id: u64,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Users {
    #[serde(default)]
    pub(super) users: Vec<WireUser>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireUser {
    pub(super) id: u64,
    pub(super) email: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) company_id: Option<u64>,
    pub(super) alternate_emails: Option<Vec<String>>,
}

impl WireUser {
    /// The name as a person reads it.
    pub(super) fn name(&self) -> String {
        let parts = [self.first_name.as_deref(), self.last_name.as_deref()];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Deserialize)]
pub(super) struct Conversations {
    #[serde(default)]
    pub(super) conversations: Vec<WireConversation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireConversation {
    pub(super) id: u64,
    pub(super) number: Option<u64>,
    pub(super) subject: Option<String>,
    pub(super) status: Option<String>,
    pub(super) state: Option<String>,
    pub(super) mailbox_id: Option<u64>,
    pub(super) created_at: Option<String>,
    pub(super) closed_at: Option<String>,
    pub(super) assignee: Option<WirePerson>,
    pub(super) primary_customer: Option<WirePerson>,
    pub(super) tags: Option<Vec<WireTag>>,
}

#[derive(Deserialize)]
pub(super) struct WirePerson {
    pub(super) id: Option<u64>,
    pub(super) r#type: Option<String>,
}

/// Read back, a tag's name stands under `tag`.
#[derive(Deserialize)]
pub(super) struct WireTag {
    pub(super) tag: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Threads {
    #[serde(default)]
    pub(super) threads: Vec<WireThread>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireThread {
    pub(super) id: u64,
    pub(super) r#type: Option<String>,
    pub(super) body: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) created_by: Option<WirePerson>,
    pub(super) customer: Option<WirePerson>,
}

#[derive(Deserialize)]
pub(super) struct Customers {
    #[serde(default)]
    pub(super) customers: Vec<WireCustomer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireCustomer {
    pub(super) id: u64,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) created_at: Option<String>,
    #[serde(rename = "_embedded")]
    pub(super) embedded: Option<WireContacts>,
}

#[derive(Default, Deserialize)]
pub(super) struct WireContacts {
    #[serde(default)]
    pub(super) emails: Vec<WireContact>,
    #[serde(default)]
    pub(super) phones: Vec<WireContact>,
}

#[derive(Deserialize)]
pub(super) struct WireContact {
    pub(super) value: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_has_no_embedded_part() {
        let listing: Listing<Threads> =
            serde_json::from_str(r#"{"page":{"size":25,"totalElements":0,"totalPages":0,"number":1}}"#)
                .unwrap();
        assert!(listing.embedded.is_none() && listing.links.is_none());
        assert_eq!((listing.pages(), listing.total()), (0, Some(0)));
        let bare: Listing<Threads> = serde_json::from_str("{}").unwrap();
        assert_eq!((bare.pages(), bare.total()), (1, None));
    }

    #[test]
    fn nulls_and_unknown_keys_do_no_harm() {
        let user: WireUser =
            serde_json::from_str(r#"{"id":1,"email":null,"firstName":"Ada","lastName":"","mention":7}"#)
                .unwrap();
        assert_eq!(user.name(), "Ada");
        let thread: WireThread = serde_json::from_str(
            r#"{"id":7900000001,"type":"lineitem","action":{"text":"x"},"customer":{"id":null}}"#,
        )
        .unwrap();
        assert!(thread.body.is_none() && thread.customer.unwrap().id.is_none());
    }
}
