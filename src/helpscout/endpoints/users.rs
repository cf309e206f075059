//! Users: the people of the account, the token's owner among them.

use crate::helpscout::{
    ApiError, Client, Transport,
    masked::masked_debug,
    target::encoded,
    wire::{Listing, Users, WireUser},
};

/// The token's owner: whoever threads are attributed to where nobody else is named.
#[derive(Clone, PartialEq, Eq)]
pub struct Me {
    /// The user's id.
    pub id: u64,
    /// The user's e-mail.
    pub email: String,
    /// The user's name.
    pub name: String,
    /// The company's id, where the service tells it.
    pub company_id: Option<u64>,
}

/// A user.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: u64,
    /// The user's e-mail.
    pub email: String,
    /// The first name; empty where there is none.
    pub first_name: String,
    /// The last name; empty where there is none.
    pub last_name: String,
    /// Further e-mails.
    pub alternate_emails: Vec<String>,
}

masked_debug!(Me { id, company_id });
masked_debug!(User { id });

impl<T: Transport> Client<T> {
    /// Whose token it is.
    pub async fn me(&self) -> Result<Me, ApiError> {
        let user: WireUser = self.read("/v2/users/me").await?;
        let name = user.name();
        Ok(Me { id: user.id, email: user.email.unwrap_or_default(), name, company_id: user.company_id })
    }

    /// Every user, those who have not accepted their invitation too.
    pub async fn users(&self) -> Result<Vec<User>, ApiError> {
        let mut users = Vec::new();
        let mut number = 1;
        loop {
            let page: Listing<Users> = self.read(&format!("/v2/users?page={number}")).await?;
            let last = page.pages();
            let found = page.embedded.map(|embedded| embedded.users).unwrap_or_default();
            // A page with nothing on it is the last, whatever is said of further ones.
            let at_end = number >= last || found.is_empty();
            users.extend(found.into_iter().map(named));
            if at_end {
                return Ok(users);
            }
            number += 1;
        }
    }

    /// The user who has this e-mail, as the first or as another one.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, ApiError> {
        let mut alternate = None;
        let mut number = 1;
        loop {
            let target = format!("/v2/users?email={}&page={number}", encoded(email));
            let page: Listing<Users> = self.read(&target).await?;
            let last = page.pages();
            let users = page.embedded.map(|embedded| embedded.users).unwrap_or_default();
            // A page with nothing on it is the last, whatever is said of further ones.
            let at_end = number >= last || users.is_empty();
            for user in users {
                if user.email.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(email)) {
                    return Ok(Some(named(user)));
                }
                let others = user.alternate_emails.as_deref().unwrap_or_default();
                if alternate.is_none() && others.iter().any(|own| own.eq_ignore_ascii_case(email)) {
                    alternate = Some(named(user));
                }
            }
            if at_end {
                return Ok(alternate);
            }
            number += 1;
        }
    }
}

fn named(user: WireUser) -> User {
    User {
        id: user.id,
        email: user.email.unwrap_or_default(),
        first_name: user.first_name.unwrap_or_default(),
        last_name: user.last_name.unwrap_or_default(),
        alternate_emails: user.alternate_emails.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use crate::helpscout::{
        client::tests::client,
        scripted::{Scripted, answered},
    };

    #[tokio::test(start_paused = true)]
    async fn the_owner_of_the_token_is_told_with_or_without_a_company() {
        let wire = Scripted::in_order(vec![
            Ok(answered(
                200,
                r#"{"id":1,"email":"ada@example.com","firstName":"Ada","lastName":"Agent","companyId":7}"#,
            )),
            Ok(answered(200, r#"{"id":1}"#)),
        ]);
        let client = client(&wire);
        let me = client.me().await.unwrap();
        assert_eq!((me.id, me.name.as_str(), me.company_id), (1, "Ada Agent", Some(7)));
        assert!(!format!("{me:?}").contains("ada@"));
        assert_eq!(client.me().await.unwrap().company_id, None);
    }

    #[tokio::test(start_paused = true)]
    async fn all_users_are_listed() {
        let page = |id: u64| {
            let user =
                format!(r#"{{"id":{id},"email":"a{id}@example.com","firstName":"Ada","lastName":"Agent"}}"#);
            Ok(answered(200, &format!(r#"{{"_embedded":{{"users":[{user}]}},"page":{{"totalPages":2}}}}"#)))
        };
        let wire = Scripted::in_order(vec![page(1), page(2)]);
        let users = client(&wire).users().await.unwrap();
        assert_eq!(users.iter().map(|user| user.id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((users[1].first_name.as_str(), users[1].last_name.as_str()), ("Ada", "Agent"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_own_email_outranks_an_alternate_one_and_a_likeness_counts_nothing() {
        let users = r#"{"_embedded":{"users":[
            {"id":1,"email":"xjo@example.com"},
            {"id":2,"email":"b@example.com","alternateEmails":["JO@example.com"]},
            {"id":3,"email":"Jo@Example.com"}]}}"#;
        let wire = Scripted::in_order(vec![
            Ok(answered(200, users)),
            Ok(answered(200, users)),
            Ok(answered(200, r#"{"page":{"totalPages":0}}"#)),
        ]);
        let client = client(&wire);
        assert_eq!(client.user_by_email("jo@example.com").await.unwrap().unwrap().id, 3);
        assert_eq!(client.user_by_email("no@example.com").await.unwrap(), None);
        assert_eq!(client.user_by_email("j+o@example.com").await.unwrap(), None);
        assert_eq!(wire.asked()[2], "GET /v2/users?email=j%2Bo%40example.com&page=1");
    }
}
