//! The world that a sandbox starts with: the form of `account.json`, with conversations beside it.

use serde::Deserialize;

use super::conversation::{Conversation, ConversationKind, Filler, Merge, Status};
use super::customer::{Customer, Inbox, User};
use super::error::SandboxError;
use super::world::{Event, World};
use crate::call::Moment;

/// A checked seed. The default holds inbox 85 "Support", one user and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Seed {
    world: World,
    limit: Option<u32>,
    pulled_at: Option<Moment>,
    account: Option<SeedAccount>,
    states_inboxes: bool,
    states_users: bool,
}

/// Whose account a seed shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SeedAccount {
    /// The company, or what stands for it.
    pub id: String,
    /// Where it was asked.
    pub api_url: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SeedFile {
    #[serde(rename = "pulledAt")]
    pulled_at: Option<String>,
    account: Option<SeedAccount>,
    limit: Option<u32>,
    inboxes: Vec<Inbox>,
    users: Vec<User>,
    customers: Vec<CustomerSeed>,
    conversations: Vec<ConversationSeed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CustomerSeed {
    id: u64,
    #[serde(default)]
    emails: Vec<Box<str>>,
    #[serde(default)]
    first_name: Option<Box<str>>,
    #[serde(default)]
    last_name: Option<Box<str>>,
    #[serde(default)]
    phones: Vec<Box<str>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ConversationSeed {
    id: u64,
    inbox: u64,
    customer: u64,
    subject: Box<str>,
    #[serde(default = "active")]
    status: String,
    created_at: String,
    #[serde(default)]
    threads: u32,
    #[serde(default)]
    locked: bool,
    #[serde(default)]
    merged_into: Option<u64>,
    #[serde(default = "published")]
    state: String,
}

fn active() -> String {
    "active".to_owned()
}

fn published() -> String {
    "published".to_owned()
}

impl Default for Seed {
    fn default() -> Self {
        let mut seed = Self {
            world: World::empty(),
            limit: None,
            pulled_at: None,
            account: None,
            states_inboxes: false,
            states_users: false,
        };
        seed.add(Event::InboxAdded(default_inbox()));
        seed.add(Event::UserAdded(default_user()));
        seed
    }
}

impl Seed {
    /// Reads the form of the contract. Without inboxes or users it has the default ones.
    pub fn parse(text: &str) -> Result<Self, SandboxError> {
        if !text.trim_start().starts_with('{') {
            return Err(SandboxError::Seed { line: 1, reason: "a JSON object is needed".to_owned() });
        }
        let file: SeedFile = serde_json::from_str(text)
            .map_err(|error| SandboxError::Seed { line: error.line(), reason: error.to_string() })?;
        let pulled_at = file.pulled_at.as_deref().map(pulled_at).transpose()?;
        let mut seed = Self {
            world: World::empty(),
            limit: file.limit,
            pulled_at,
            account: file.account,
            states_inboxes: !file.inboxes.is_empty(),
            states_users: !file.users.is_empty(),
        };
        let inboxes = if file.inboxes.is_empty() { vec![default_inbox()] } else { file.inboxes };
        let users = if file.users.is_empty() { vec![default_user()] } else { file.users };
        for inbox in inboxes {
            seed.add(Event::InboxAdded(inbox));
        }
        for user in users {
            seed.add(Event::UserAdded(user));
        }
        for customer in file.customers {
            seed.add_customer(customer)?;
        }
        let merges: Vec<(u64, u64)> =
            file.conversations.iter().filter_map(|one| Some((one.id, one.merged_into?))).collect();
        for conversation in file.conversations {
            seed.add_conversation(conversation)?;
        }
        for (from, into) in merges {
            if from == into || seed.world.conversation(into).is_none() {
                return Err(wrong(format!(
                    "conversation {from} is merged into `{into}`, which is no other conversation of the seed"
                )));
            }
        }
        Ok(seed)
    }

    /// The account's limit of units a minute, if the seed states one.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// When an account was asked for what the seed shows, where it shows an account.
    pub fn pulled_at(&self) -> Option<Moment> {
        self.pulled_at
    }

    /// Whose account the seed shows, where it says so.
    pub fn account(&self) -> Option<&SeedAccount> {
        self.account.as_ref()
    }

    /// The customers, in the order of their ids.
    pub fn customers(&self) -> impl Iterator<Item = &Customer> {
        self.world.customers()
    }

    /// The account's inboxes, where the seed states them.
    pub fn inboxes(&self) -> Option<&[Inbox]> {
        self.states_inboxes.then(|| self.world.inboxes())
    }

    /// The account's users, where the seed states them.
    pub fn users(&self) -> Option<&[User]> {
        self.states_users.then(|| self.world.users())
    }

    pub(crate) fn into_world(self) -> World {
        self.world
    }

    fn add(&mut self, event: Event) {
        let fits = self.world.apply(event);
        debug_assert!(fits, "a seed only adds");
    }

    fn add_customer(&mut self, seed: CustomerSeed) -> Result<(), SandboxError> {
        if seed.id == 0 || self.world.customer(seed.id).is_some() {
            return Err(wrong(format!("customer id `{}` is 0 or stands there twice", seed.id)));
        }
        self.add(Event::CustomerAdded(Customer {
            id: seed.id,
            first_name: seed.first_name.unwrap_or_default(),
            last_name: seed.last_name.unwrap_or_default(),
            emails: seed.emails,
            phones: seed.phones,
            ..Customer::default()
        }));
        Ok(())
    }

    fn add_conversation(&mut self, seed: ConversationSeed) -> Result<(), SandboxError> {
        let place = format!("conversation {}", seed.id);
        if seed.id == 0 || self.world.conversation(seed.id).is_some() {
            return Err(wrong(format!("{place}: the id is 0 or stands there twice")));
        }
        if !self.world.inboxes().iter().any(|inbox| inbox.id == seed.inbox) {
            return Err(wrong(format!("{place}: inbox `{}` is not among the inboxes", seed.inbox)));
        }
        if self.world.customer(seed.customer).is_none() {
            return Err(wrong(format!("{place}: customer `{}` is not among the customers", seed.customer)));
        }
        let created = Moment::parse_api(&seed.created_at).map(Moment::epoch_seconds).ok_or_else(|| {
            wrong(format!("{place}: `{}` is not of the form YYYY-MM-DDThh:mm:ssZ", seed.created_at))
        })?;
        let status = Status::parse(&seed.status).ok_or_else(|| {
            wrong(format!("{place}: status `{}` is not active, closed, pending or spam", seed.status))
        })?;
        if !matches!(seed.state.as_str(), "published" | "deleted") {
            return Err(wrong(format!("{place}: state `{}` is not published or deleted", seed.state)));
        }
        let next = self.world.next();
        let filler = Filler {
            first: next.thread,
            count: seed.threads,
            created,
            customer: seed.customer,
            is_notes: false,
        };
        self.add(Event::ConversationAdded(Box::new(Conversation {
            id: seed.id,
            number: next.number,
            kind: ConversationKind::Email,
            inbox: seed.inbox,
            customer: seed.customer,
            subject: seed.subject,
            status,
            deleted: seed.state == "deleted",
            locked: seed.locked,
            merged: seed.merged_into.map(|into| Merge { into, at_ms: None }),
            created,
            closed: (status == Status::Closed).then_some(created),
            tags: Vec::new(),
            author: self.world.owner(),
            assignee: None,
            imported: false,
            reopened: 0,
            modified_ms: created.saturating_mul(1000),
            inserted_ms: created.saturating_mul(1000),
            fillers: if seed.threads == 0 { Vec::new() } else { vec![filler] },
            threads: Vec::new(),
        })));
        Ok(())
    }
}

fn default_inbox() -> Inbox {
    Inbox { id: 85, name: "Support".into(), email: "support@example.com".into() }
}

fn default_user() -> User {
    User {
        id: 1,
        email: "agent@example.com".into(),
        first_name: "Ada".into(),
        last_name: "Agent".into(),
        alternate_emails: Vec::new(),
    }
}

fn pulled_at(text: &str) -> Result<Moment, SandboxError> {
    Moment::parse_api(text)
        .ok_or_else(|| wrong(format!("pulledAt: `{text}` is not of the form YYYY-MM-DDThh:mm:ssZ")))
}

fn wrong(reason: String) -> SandboxError {
    SandboxError::Seed { line: 0, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = r#"{
      "limit": 400,
      "inboxes": [{"id": 85, "name": "Support", "email": "support@example.com"}],
      "users": [{"id": 1, "email": "agent@example.com", "firstName": "Ada", "lastName": "Agent"}],
      "customers": [{"id": 456, "emails": ["jo@example.com"], "firstName": "Jo", "lastName": "Doe", "phones": ["+15550100"]}],
      "conversations": [
        {"id": 123, "inbox": 85, "customer": 456, "subject": "Old calls", "status": "closed", "createdAt": "2019-05-01T10:00:00Z",
         "threads": 97, "locked": false, "mergedInto": null, "state": "published"}
      ]
    }"#;

    #[test]
    fn the_contracts_seed_is_read_whole() {
        let seed = Seed::parse(CONTRACT).unwrap();
        assert_eq!(seed.limit(), Some(400));
        let world = seed.into_world();
        let conversation = world.conversation(123).unwrap();
        assert_eq!((conversation.stored_threads(), conversation.status), (97, Status::Closed));
        assert_eq!(world.customer_by_email("jo@example.com"), Some(456));
        assert_eq!(world.owner(), 1);
    }

    #[test]
    fn a_pulled_seed_tells_when_and_of_whom_it_is() {
        let text = r#"{"pulledAt":"2026-11-25T07:00:00Z","account":{"id":"company:1","apiUrl":"https://x"}}"#;
        let seed = Seed::parse(text).unwrap();
        assert_eq!(seed.pulled_at(), Moment::parse_api("2026-11-25T07:00:00Z"));
        assert_eq!(seed.account().unwrap().id, "company:1");
        assert_eq!(Seed::default().pulled_at(), None);
        let refused = Seed::parse(&text.replace("T07", " 07")).unwrap_err().to_string();
        assert!(refused.contains("pulledAt: `2026-11-25 07:00:00Z`"), "{refused}");
    }

    #[test]
    fn what_a_seed_leaves_out_is_not_known_of_the_account() {
        let text = r#"{"inboxes":[{"id":7,"name":"Sales"}],
            "users":[{"id":2,"email":"bo@example.com","alternateEmails":["b@example.com"]}]}"#;
        let seed = Seed::parse(text).unwrap();
        assert_eq!(seed.inboxes().map(|inboxes| inboxes[0].id), Some(7));
        assert_eq!(seed.users().map(|users| users[0].alternate_emails.len()), Some(1));
        let empty = Seed::parse("{}").unwrap();
        assert_eq!((empty.inboxes(), empty.users()), (None, None));
    }

    #[test]
    fn the_default_world_holds_one_inbox_and_one_user() {
        let world = Seed::default().into_world();
        assert_eq!((world.inboxes().len(), world.inboxes()[0].id, world.users().len()), (1, 85, 1));
        assert_eq!(Seed::parse("{}").unwrap(), Seed::default());
    }

    #[test]
    fn a_wrong_seed_says_where_and_what() {
        let message = |text: &str| Seed::parse(text).unwrap_err().to_string();
        assert!(
            message("{\n\"conversation\": []}").starts_with("seed, line 2: unknown field `conversation`")
        );
        let merged = CONTRACT.replace("null", "124");
        assert!(message(&merged).contains("merged into `124`"));
        assert!(message(&CONTRACT.replace("\"inbox\": 85", "\"inbox\": 86")).contains("inbox `86`"));
        assert!(message(&CONTRACT.replace("2019-05-01T10:00:00Z", "2019-05-01")).contains("2019-05-01"));
        assert!(message(&CONTRACT.replace("published", "gone")).contains("state `gone`"));
        assert!(message(&CONTRACT.replace("closed", "shut")).contains("status `shut`"));
    }
}
