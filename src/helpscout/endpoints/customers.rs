//! Customers: the people whom calls are with.

use bytes::Bytes;
use http::Method;

use crate::{
    call::Moment,
    helpscout::{
        ApiError, Client, Transport,
        masked::masked_debug,
        target::{encoded, query_value},
        wire::{Customers, Listing, WireContact, WireCustomer},
    },
    policy::Reply,
};

/// A part of a list of customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerPage {
    /// The customers of this part.
    pub customers: Vec<ListedCustomer>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<String>,
}

/// A page of the list of all customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerListPage {
    /// The customers of this page.
    pub customers: Vec<ListedCustomer>,
    /// How many pages there are, where the service tells.
    pub pages: Option<u32>,
    /// Customers on all pages, where the service tells.
    pub total: Option<u64>,
}

/// A customer as a list shows one.
#[derive(Clone, PartialEq, Eq)]
pub struct ListedCustomer {
    /// Help Scout's id.
    pub id: u64,
    /// As the service writes it.
    pub created_at: Option<String>,
    /// The first name; empty where there is none.
    pub first_name: String,
    /// The last name; empty where there is none.
    pub last_name: String,
    /// Every number.
    pub phones: Vec<String>,
    /// Every e-mail.
    pub emails: Vec<String>,
}

masked_debug!(ListedCustomer { id, created_at });

impl<T: Transport> Client<T> {
    /// Customers created at `since` or later, from `cursor` on.
    pub async fn customers_created_since(
        &self,
        since: Moment,
        cursor: Option<&str>,
    ) -> Result<CustomerPage, ApiError> {
        let from = cursor.map(|cursor| format!("&cursor={}", encoded(cursor))).unwrap_or_default();
        let target = format!("/v3/customers?createdSince={}{from}", encoded(&since.to_string()));
        let listing: Listing<Customers> = self.read(&target).await?;
        let next =
            listing.links.and_then(|links| links.next).and_then(|next| query_value(&next.href, "cursor"));
        let customers = listing.embedded.map(|embedded| embedded.customers).unwrap_or_default();
        Ok(CustomerPage { customers: customers.into_iter().map(listed).collect(), next })
    }

    /// A page, from 1, of all customers, or of those that changed at `since` or later. The oldest stand first, so that who is
    /// added while the list is read comes behind everybody else and moves nobody.
    pub async fn customers(&self, page: u32, since: Option<Moment>) -> Result<CustomerListPage, ApiError> {
        let since = since.map(|since| format!("modifiedSince={}&", encoded(&since.to_string())));
        let since = since.unwrap_or_default();
        let target = format!("/v2/customers?{since}sortField=createdAt&sortOrder=asc&page={page}");
        let listing: Listing<Customers> = self.read(&target).await?;
        let pages = listing.page.as_ref().and_then(|page| page.total_pages);
        let total = listing.total();
        let customers = listing.embedded.map(|embedded| embedded.customers).unwrap_or_default();
        Ok(CustomerListPage { customers: customers.into_iter().map(listed).collect(), pages, total })
    }

    /// Makes a customer. The caller holds a permit.
    pub async fn create_customer(&self, body: Bytes) -> Reply {
        self.write(Method::POST, "/v2/customers", body).await
    }
}

fn listed(wire: WireCustomer) -> ListedCustomer {
    let contacts = wire.embedded.unwrap_or_default();
    let values = |entries: Vec<WireContact>| entries.into_iter().filter_map(|entry| entry.value).collect();
    ListedCustomer {
        id: wire.id,
        created_at: wire.created_at,
        first_name: wire.first_name.unwrap_or_default(),
        last_name: wire.last_name.unwrap_or_default(),
        phones: values(contacts.phones),
        emails: values(contacts.emails),
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
    async fn all_are_listed_oldest_first_with_what_the_service_tells_of_pages() {
        let first = r#"{"_embedded":{"customers":[{"id":456,"firstName":"Jo","lastName":null,"_embedded":{
            "emails":[{"value":"jo@example.com"}],"phones":[]}}]},"page":{"totalElements":51,"totalPages":2,"number":1}}"#;
        let wire = Scripted::in_order(vec![Ok(answered(200, first)), Ok(answered(200, "{}"))]);
        let client = client(&wire);
        let page = client.customers(1, None).await.unwrap();
        assert_eq!((page.pages, page.total), (Some(2), Some(51)));
        assert_eq!((page.customers[0].first_name.as_str(), page.customers[0].last_name.as_str()), ("Jo", ""));
        let since = Moment::parse_api("2026-01-01T00:00:00Z").unwrap();
        let page = client.customers(2, Some(since)).await.unwrap();
        assert_eq!((page.customers.len(), page.pages, page.total), (0, None, None));
        insta::assert_snapshot!(wire.asked().join("\n"), @"
        GET /v2/customers?sortField=createdAt&sortOrder=asc&page=1
        GET /v2/customers?modifiedSince=2026-01-01T00%3A00%3A00Z&sortField=createdAt&sortOrder=asc&page=2
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn the_cursor_is_taken_from_the_link_and_given_back() {
        let first = r#"{"_embedded":{"customers":[{"id":456,"createdAt":"2026-01-01T00:00:00Z","_embedded":{
            "emails":[{"id":1,"type":"work","value":"jo@example.com"}],
            "phones":[{"value":"+1 555 0100","type":"work"},{"type":"fax"}]}},{"id":457}]},
            "_links":{"next":{"href":"https://api.helpscout.net/v3/customers?createdSince=x&cursor=a%2Bb%3D%3D"}}}"#;
        let wire = Scripted::in_order(vec![Ok(answered(200, first)), Ok(answered(200, "{}"))]);
        let client = client(&wire);
        let since = Moment::parse_api("2026-01-01T00:00:00Z").unwrap();
        let page = client.customers_created_since(since, None).await.unwrap();
        assert_eq!(page.customers[0].phones, ["+1 555 0100"]);
        assert_eq!(page.customers[0].emails, ["jo@example.com"]);
        assert!(page.customers[1].phones.is_empty());
        assert_eq!(page.next.as_deref(), Some("a+b=="));
        assert!(!format!("{page:?}").contains("555"));
        let end = client.customers_created_since(since, page.next.as_deref()).await.unwrap();
        assert_eq!(end, CustomerPage { customers: vec![], next: None });
        assert_eq!(
            wire.asked()[1],
            "GET /v3/customers?createdSince=2026-01-01T00%3A00%3A00Z&cursor=a%2Bb%3D%3D"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_customer_is_made_by_one_post() {
        let wire = Scripted::in_order(vec![Ok(answered(201, ""))]);
        client(&wire).create_customer("{}".into()).await;
        assert_eq!(wire.asked(), ["POST /v2/customers"]);
    }
}
