//! The people of the account: customers, users; and its inboxes.

use serde::{Deserialize, Serialize};

/// A customer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The id.
    pub id: u64,
    /// The first name.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub first_name: Box<str>,
    /// The last name.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub last_name: Box<str>,
    /// E-mails, the first being the main one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Box<str>>,
    /// Phone numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<Box<str>>,
    /// The other fields that were given, by their names in the API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<(Box<str>, Box<str>)>,
    /// When it was made, in milliseconds since 1970.
    pub inserted_ms: i64,
}

impl Customer {
    /// A field of the details, by its name in the API.
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.iter().find(|(given, _)| &**given == name).map(|(_, value)| &**value)
    }
}

/// A user: an agent of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct User {
    /// The id.
    pub id: u64,
    /// The e-mail.
    pub email: String,
    /// The first name.
    #[serde(default)]
    pub first_name: String,
    /// The last name.
    #[serde(default)]
    pub last_name: String,
    /// Further e-mails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternate_emails: Vec<String>,
}

/// An inbox, which the API calls a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inbox {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// The e-mail.
    #[serde(default)]
    pub email: String,
}
