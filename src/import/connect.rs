//! The account before the first write: whose it is, which inboxes it has, who is meant by an e-mail.

use super::{AssignTo, DeliverySettings, ImportError, KnownAccount};
use crate::{
    checkpoint::Account,
    helpscout::{Client, Inbox, Transport},
};

/// What delivering needs to know of the account.
#[derive(Debug)]
pub(super) struct Connection {
    /// The account, as the checkpoint knows it.
    pub(super) account: Account,
    /// Whose token it is, for people.
    pub(super) user: String,
    /// The same, by the user's id.
    pub(super) user_id: u64,
    /// Who new conversations are assigned to.
    pub(super) assign_to: Option<u64>,
    /// Whether it is a sandbox, in a rehearsal.
    is_rehearsal: bool,
    inboxes: Vec<Inbox>,
    default_inbox: Option<String>,
}

/// Asks the account, which must be the one that is `known`. A checkpoint that `is_empty` is refused where the account holds imported conversations: they belong
/// to another checkpoint, without which they would be imported again.
pub(super) async fn connect<T: Transport>(
    client: &Client<T>,
    settings: &DeliverySettings,
    account: Option<&str>,
    known: Option<&KnownAccount>,
    is_empty: bool,
) -> Result<Connection, ImportError> {
    let me = client.me().await?;
    let inboxes = client.inboxes().await?;
    let is_rehearsal = account.is_some();
    let account = match account {
        // A rehearsal is served anywhere.
        Some(name) => Account { id: name.to_owned(), api_url: name.to_owned() },
        None => {
            Account { id: account_id(me.company_id, &inboxes), api_url: client.api_url().as_str().to_owned() }
        }
    };
    if let Some(known) = known.filter(|_| !is_rehearsal) {
        known.refuse_unless_of(&account)?;
    }
    let assign_to = match &settings.conversation.assign_to {
        AssignTo::Nobody => None,
        AssignTo::Email(email) => match client.user_by_email(email).await? {
            Some(user) => Some(user.id),
            None => return Err(ImportError::Setting(AssignTo::unknown(email))),
        },
    };
    let connection = Connection {
        account,
        user_id: me.id,
        user: if me.name.is_empty() { me.email } else { me.name },
        assign_to,
        is_rehearsal,
        inboxes,
        default_inbox: settings.inbox.clone(),
    };
    if let Some(inbox) = &settings.inbox {
        connection.inbox(inbox)?;
    }
    if is_empty && !settings.share_tag {
        refuse_others_imports(client, &settings.conversation.import_tag).await?;
    }
    Ok(connection)
}

async fn refuse_others_imports<T: Transport>(client: &Client<T>, tag: &str) -> Result<(), ImportError> {
    let there = client.conversations_by_tag(tag, 1).await?.total;
    if there == 0 {
        return Ok(());
    }
    Err(ImportError::Setting(format!(
        "the checkpoint is empty, but the account already holds imported conversations ({there} with the tag `{tag}`): \
         put the checkpoint back that they were imported with, or rebuild it with `callport recover`: otherwise calls may \
         be imported twice; where they are no import of these calls, allow it with --set account.share_tag=true"
    )))
}

/// The company, never the person; where the service does not name it, the inboxes stand for it.
pub(super) fn account_id(company: Option<u64>, inboxes: &[Inbox]) -> String {
    if let Some(company) = company {
        return format!("company:{company}");
    }
    let mut ids: Vec<u64> = inboxes.iter().map(|inbox| inbox.id).collect();
    ids.sort_unstable();
    let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
    format!("inboxes:{}", ids.join(","))
}

impl Connection {
    /// The account as people read it.
    pub(super) fn shown(&self) -> String {
        let names: Vec<&str> = self.inboxes.iter().map(|inbox| inbox.name.as_str()).collect();
        format!("{} ({})", self.account.id, names.join(", "))
    }

    /// The inbox that the configuration names by id or name; the default one, then the only one, where it names none.
    pub(super) fn inbox(&self, named: &str) -> Result<u64, ImportError> {
        let named = if named.is_empty() { self.default_inbox.as_deref().unwrap_or_default() } else { named };
        if named.is_empty() {
            return match self.inboxes.as_slice() {
                [only] => Ok(only.id),
                _ => Err(ImportError::Setting(format!(
                    "conversation.inbox may be left out only where the account has one inbox; it has {}",
                    self.listed()
                ))),
            };
        }
        let by_id = named.parse().ok().and_then(|id: u64| self.inboxes.iter().find(|inbox| inbox.id == id));
        let by_name = || self.inboxes.iter().find(|inbox| inbox.name.to_lowercase() == named.to_lowercase());
        by_id.or_else(by_name).map(|inbox| inbox.id).ok_or_else(|| self.no_inbox(named))
    }

    fn no_inbox(&self, named: &str) -> ImportError {
        let listed = self.listed();
        ImportError::Setting(match self.inboxes.first().filter(|_| self.is_rehearsal) {
            // It knows the account by the file alone, so the name may be right.
            Some(inbox) => format!(
                "the sandbox has no inbox `{named}`; it has {listed}: give it the account's inboxes in `account.json` \
                 (`--account`), or rehearse with one that it has, e.g. `--set conversation.inbox={}`",
                inbox.id
            ),
            None => format!("the account has no inbox `{named}`; it has {listed}"),
        })
    }

    fn listed(&self) -> String {
        let shown: Vec<String> =
            self.inboxes.iter().map(|inbox| format!("`{}` ({})", inbox.name, inbox.id)).collect();
        if shown.is_empty() { "none that this token may see".to_owned() } else { shown.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(inboxes: &[(u64, &str)], default_inbox: Option<&str>) -> Connection {
        let inboxes: Vec<Inbox> = inboxes
            .iter()
            .map(|(id, name)| Inbox { id: *id, name: (*name).to_owned(), email: String::new() })
            .collect();
        Connection {
            account: Account { id: account_id(None, &inboxes), api_url: String::new() },
            user: String::new(),
            user_id: 1,
            assign_to: None,
            is_rehearsal: false,
            inboxes,
            default_inbox: default_inbox.map(str::to_owned),
        }
    }

    #[test]
    fn an_inbox_is_found_by_id_or_name_or_because_it_is_the_only_one() {
        let two = connection(&[(86, "Sales"), (85, "Support")], None);
        assert_eq!(two.inbox("85").unwrap(), 85);
        assert_eq!(two.inbox("support").unwrap(), 85);
        assert!(two.inbox("").unwrap_err().to_string().contains("`Sales` (86), `Support` (85)"));
        assert!(two.inbox("Billing").unwrap_err().to_string().contains("no inbox `Billing`"));
        assert_eq!(connection(&[(85, "Support")], None).inbox("").unwrap(), 85);
        assert_eq!(connection(&[(86, "Sales"), (85, "Support")], Some("Sales")).inbox("").unwrap(), 86);
        assert_eq!(two.account.id, "inboxes:85,86");
    }

    #[test]
    fn an_inbox_that_the_sandbox_lacks_is_told_as_the_sandboxs() {
        let sandbox = Connection { is_rehearsal: true, ..connection(&[(85, "Support")], None) };
        let told = sandbox.inbox("Billing").unwrap_err().to_string();
        assert!(
            told.starts_with("the sandbox has no inbox `Billing`; it has `Support` (85): give it"),
            "{told}"
        );
        assert!(
            told.ends_with(
                "`account.json` (`--account`), or rehearse with one that it has, e.g. `--set \
                                conversation.inbox=85`"
            ),
            "{told}"
        );
    }

    #[test]
    fn the_company_stands_for_the_account_where_the_service_names_it() {
        assert_eq!(account_id(Some(17), &[]), "company:17");
    }
}
