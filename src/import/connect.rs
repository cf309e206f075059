//! The account before the first write: whose it is, which inboxes it has, who is meant by an e-mail.

use super::{AssignTo, DeliverySettings, ImportError, Inboxes, KnownAccount, KnownFrom, agents::Agents};
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
    /// Who of the agents is a user; nobody before the account is asked.
    pub(super) agents: Agents,
    pub(super) inboxes: Inboxes,
}

/// Asks the account, which must be the one that is `known`. A checkpoint that `is_empty` is refused where the account holds
/// imported conversations: they belong to another checkpoint, without which they would be imported again.
pub(super) async fn connect<T: Transport>(
    client: &Client<T>,
    settings: &DeliverySettings,
    account: Option<&str>,
    known: Option<&KnownAccount>,
    is_empty: bool,
) -> Result<Connection, ImportError> {
    let me = client.me().await?;
    let inboxes = client.inboxes().await?;
    // What a rehearsal knows of the account is what the file says.
    let is_rehearsal = account.is_some();
    let known_from = if is_rehearsal { KnownFrom::Sandbox } else { KnownFrom::Account };
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
        AssignTo::Nobody | AssignTo::Agent => None,
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
        agents: Agents::default(),
        inboxes: Inboxes::new(inboxes, settings.inbox.clone(), known_from),
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
        format!("{} ({})", self.account.id, self.inboxes.names())
    }

    /// The inbox that the configuration names.
    pub(super) fn inbox(&self, named: &str) -> Result<u64, ImportError> {
        self.inboxes.find(named).map_err(ImportError::Setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_company_stands_for_the_account_where_the_service_names_it() {
        let inbox = |id| Inbox { id, name: String::new(), email: String::new() };
        assert_eq!(account_id(Some(17), &[]), "company:17");
        assert_eq!(account_id(None, &[inbox(86), inbox(85)]), "inboxes:85,86");
    }
}
