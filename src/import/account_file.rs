//! `account.json`: what is known of an account, in the form that the sandbox takes as its seed.
//!
//! One thing a line, in the order of their ids where they are many, so that two files can be compared. It says when it was
//! made and whose account it is; it is written aside and renamed, so that whoever reads it finds all of it or the old one.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, BufWriter, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{
    call::Moment,
    helpscout::{Inbox, ListedCustomer, User},
};

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Whose {
    /// `company:17`, or the inboxes' ids where the service does not name the company.
    pub(super) id: String,
    /// The API's address.
    pub(super) api_url: String,
}

/// A customer as the file holds one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KnownCustomer {
    pub(super) id: u64,
    emails: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    first_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    last_name: String,
    phones: Vec<String>,
}

/// What people are called and how they are reached stays out of logs.
impl fmt::Debug for KnownCustomer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownCustomer").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Customers by their ids.
pub(super) type KnownCustomers = BTreeMap<u64, KnownCustomer>;

impl From<ListedCustomer> for KnownCustomer {
    fn from(listed: ListedCustomer) -> Self {
        let ListedCustomer { id, emails, first_name, last_name, phones, .. } = listed;
        Self { id, emails, first_name, last_name, phones }
    }
}

#[derive(Serialize)]
struct InboxLine<'a> {
    id: u64,
    name: &'a str,
    email: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserLine<'a> {
    id: u64,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    alternate_emails: &'a [String],
}

/// What the file holds beside the customers.
pub(super) struct AccountFile<'a> {
    pub(super) pulled_at: Moment,
    pub(super) whose: &'a Whose,
    pub(super) limit: Option<u32>,
    pub(super) inboxes: &'a [Inbox],
    /// The first owns the token: so does the first of a sandbox's world.
    pub(super) users: &'a [User],
}

impl AccountFile<'_> {
    /// Puts the file in place, readable by its owner only.
    pub(super) fn write(&self, path: &Path, customers: &KnownCustomers) -> io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let aside = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        let mut out = BufWriter::new(aside);
        self.write_to(&mut out, customers)?;
        let aside = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        aside.as_file().sync_all()?;
        aside.persist(path)?;
        Ok(())
    }

    fn write_to(&self, out: &mut impl Write, customers: &KnownCustomers) -> io::Result<()> {
        let text = |value: &str| serde_json::Value::from(value).to_string();
        writeln!(out, "{{\n  \"pulledAt\": {},", text(&self.pulled_at.to_string()))?;
        writeln!(out, "  \"account\": {},", serde_json::to_string(self.whose)?)?;
        if let Some(limit) = self.limit {
            writeln!(out, "  \"limit\": {limit},")?;
        }
        list(
            out,
            "inboxes",
            self.inboxes.iter().map(|Inbox { id, name, email }| InboxLine { id: *id, name, email }),
        )?;
        writeln!(out, ",")?;
        list(
            out,
            "users",
            self.users.iter().map(|User { id, email, first_name, last_name, alternate_emails }| UserLine {
                id: *id,
                email,
                first_name,
                last_name,
                alternate_emails,
            }),
        )?;
        writeln!(out, ",")?;
        list(out, "customers", customers.values())?;
        writeln!(out, "\n}}")
    }
}

/// `"name": [...]` with an entry a line.
fn list(out: &mut impl Write, name: &str, entries: impl Iterator<Item = impl Serialize>) -> io::Result<()> {
    write!(out, "  \"{name}\": [")?;
    let mut separator = "\n    ";
    for entry in entries {
        out.write_all(separator.as_bytes())?;
        serde_json::to_writer(&mut *out, &entry)?;
        separator = ",\n    ";
    }
    let end = if separator.starts_with(',') { "\n  ]" } else { "]" };
    out.write_all(end.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_a_thing_a_line_and_says_when_and_whose() {
        let customers: KnownCustomers = [(457, "", "+15550101"), (456, "Jo", "+15550100")]
            .into_iter()
            .map(|(id, first, phone)| {
                let (first_name, last_name) = (first.to_owned(), String::new());
                let emails = Vec::new();
                (id, KnownCustomer { id, emails, first_name, last_name, phones: vec![phone.to_owned()] })
            })
            .collect();
        let whose = Whose { id: "company:1".into(), api_url: "https://api.helpscout.net".into() };
        let inboxes = [Inbox { id: 85, name: "\"Support\"".into(), email: String::new() }];
        let file = AccountFile {
            pulled_at: Moment::parse_api("2026-11-25T07:00:00Z").unwrap(),
            whose: &whose,
            limit: Some(400),
            inboxes: &inboxes,
            users: &[],
        };
        let mut out = Vec::new();
        file.write_to(&mut out, &customers).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        {
          "pulledAt": "2026-11-25T07:00:00Z",
          "account": {"id":"company:1","apiUrl":"https://api.helpscout.net"},
          "limit": 400,
          "inboxes": [
            {"id":85,"name":"\"Support\"","email":""}
          ],
          "users": [],
          "customers": [
            {"id":456,"emails":[],"firstName":"Jo","phones":["+15550100"]},
            {"id":457,"emails":[],"phones":["+15550101"]}
          ]
        }
        "#);
    }
}
