//! Inboxes, which the API's paths call mailboxes.

use crate::helpscout::{
    ApiError, Client, Transport,
    wire::{Listing, Mailboxes},
};

/// An inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
}

impl<T: Transport> Client<T> {
    /// Every inbox that the token's owner may see.
    pub async fn inboxes(&self) -> Result<Vec<Inbox>, ApiError> {
        let mut inboxes = Vec::new();
        let mut number = 1;
        loop {
            let page: Listing<Mailboxes> = self.read(&format!("/v2/mailboxes?page={number}")).await?;
            let last = page.pages();
            let found = page.embedded.map(|embedded| embedded.mailboxes).unwrap_or_default();
            // A page with nothing on it is the last, whatever is said of further ones.
            let at_end = number >= last || found.is_empty();
            inboxes.extend(found.into_iter().map(|mailbox| Inbox {
                id: mailbox.id,
                name: mailbox.name.unwrap_or_default(),
                email: mailbox.email.unwrap_or_default(),
            }));
            if at_end {
                return Ok(inboxes);
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::helpscout::{
        client::tests::client,
        scripted::{Scripted, answered},
    };

    #[tokio::test(start_paused = true)]
    async fn all_pages_are_read() {
        let page = |id: u64| {
            Ok(answered(
                200,
                &format!(
                    r#"{{"_embedded":{{"mailboxes":[{{"id":{id},"name":"Support","email":"s@example.com"}}]}},
                    "page":{{"size":1,"totalElements":2,"totalPages":2,"number":1}}}}"#
                ),
            ))
        };
        let wire = Scripted::in_order(vec![page(85), page(86)]);
        let inboxes = client(&wire).inboxes().await.unwrap();
        assert_eq!(inboxes.iter().map(|inbox| inbox.id).collect::<Vec<_>>(), [85, 86]);
        assert_eq!(inboxes[0].name, "Support");
        assert_eq!(wire.asked(), ["GET /v2/mailboxes?page=1", "GET /v2/mailboxes?page=2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_with_nothing_on_it_ends_pages_without_end() {
        let endless = r#"{"page":{"totalPages":4294967295}}"#;
        let wire = Scripted::by(move |_| Ok(answered(200, endless)));
        assert_eq!(client(&wire).inboxes().await.unwrap(), []);
        assert_eq!(client(&wire).user_by_email("jo@example.com").await.unwrap(), None);
        assert_eq!(wire.asked().len(), 2);
    }
}
