//! What an import would learn of the account before its first write, asked by who only checks.
//!
//! Nothing is changed, and everything that does not fit is told at once: an import would stop at the first.

use tokio_util::sync::CancellationToken;

use super::{
    AssignTo, DeliverySettings, ImportError, KnownAccount,
    agents::{self, Agents},
    connect::connect,
};
use crate::{
    checkpoint::Checkpoint,
    helpscout::{Client, Transport},
};

/// What the account tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The account as people read it.
    pub account: String,
    /// Whose token it is.
    pub user: String,
    /// Units a minute, as the service states it.
    pub limit: Option<u32>,
    /// Settings that do not fit the account; an import would be refused.
    pub faults: Vec<String>,
    /// What is said of agents who are no users.
    pub warnings: Vec<String>,
}

/// Asks the account, which must be the one that is `known`, whether it has the inboxes and the user that the settings and the
/// staged calls name.
pub async fn survey<T: Transport>(
    client: Client<T>,
    settings: &DeliverySettings,
    known: Option<&KnownAccount>,
    staged: &Checkpoint,
    stop: CancellationToken,
) -> Result<Survey, ImportError> {
    let client = client.with_stop(stop.clone());
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(ImportError::Stopped),
        survey = ask(&client, settings, known, staged) => survey,
    }
}

async fn ask<T: Transport>(
    client: &Client<T>,
    settings: &DeliverySettings,
    known: Option<&KnownAccount>,
    staged: &Checkpoint,
) -> Result<Survey, ImportError> {
    // What these name is looked for below, one by one.
    let mut unnamed = settings.clone();
    unnamed.inbox = None;
    unnamed.conversation.assign_to = AssignTo::Nobody;
    let connection = connect(client, &unnamed, None, known, false).await?;
    let default = settings.inbox.as_deref();
    let mut faults = Vec::new();
    let mut names = staged.planned_inboxes()?;
    names.extend(default.map(str::to_owned));
    names.extend(settings.inboxes.iter().cloned());
    names.sort_unstable();
    names.dedup();
    for name in names {
        // A call that names none goes to the default one, which is looked for by itself.
        if name.is_empty() && default.is_some() {
            continue;
        }
        match connection.inbox(&name) {
            Ok(_) => {}
            Err(ImportError::Setting(fault)) => faults.push(fault),
            Err(other) => return Err(other),
        }
    }
    faults.extend(connection.inboxes.named_twice(&settings.inboxes));
    if let AssignTo::Email(email) = &settings.conversation.assign_to
        && client.user_by_email(email).await?.is_none()
    {
        faults.push(AssignTo::unknown(email));
    }
    let agents = Agents::ask(client, staged, false).await?;
    let warnings = agents.strangers().into_iter().map(agents::stranger).collect();
    let (account, user) = (connection.shown(), connection.user);
    Ok(Survey { account, user, limit: client.pace().stated, faults, warnings })
}
