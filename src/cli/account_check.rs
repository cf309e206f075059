//! What is set, against what `account.json` says of the account: found out by `check`, without the network.
//!
//! An import asks the account itself: the file may be old.

use std::path::Path;

use super::{
    failure::Failure,
    setup::{Setup, account_path},
};
use crate::{
    checkpoint::Checkpoint,
    helpscout::Inbox,
    import::{AssignTo, Inboxes, KnownFrom},
    mapping::UserEmails,
};

/// The e-mails of the account's users, where they are known.
pub(super) fn user_emails(setup: &Setup) -> Option<UserEmails> {
    let users = setup.account.as_ref()?.users()?;
    let emails = users.iter().flat_map(|user| std::iter::once(&user.email).chain(&user.alternate_emails));
    Some(emails.collect())
}

/// Every inbox that the configuration names, whether a row chose it or not.
fn named_inboxes(setup: &Setup) -> Vec<String> {
    let inbox = &setup.settings.mapping.inbox;
    inbox.inbox.iter().chain(inbox.chosen()).cloned().collect()
}

/// Refuses inboxes and users that the account does not have, all at once. `staged` knows whether a call names no inbox.
pub(super) fn compare(setup: &Setup, asked: Option<&Path>, staged: &Checkpoint) -> Result<(), Failure> {
    let (Some(account), Some(path)) = (&setup.account, account_path(&setup.paths, asked)) else {
        return Ok(());
    };
    let file = path.display().to_string();
    let mut faults = Vec::new();
    if let Some(inboxes) = account.inboxes() {
        let shown = inboxes.iter().map(|inbox| Inbox {
            id: inbox.id,
            name: inbox.name.clone(),
            email: inbox.email.clone(),
        });
        let default = setup.settings.mapping.inbox.inbox.clone();
        let has_default = default.is_some();
        let inboxes = Inboxes::new(shown.collect(), default, KnownFrom::File(file.clone()));
        let mut named = named_inboxes(setup);
        named.extend(staged.planned_inboxes()?);
        named.sort_unstable();
        named.dedup();
        // A call that names none goes to the default one, which is looked for by itself.
        named.retain(|name| !name.is_empty() || !has_default);
        faults.extend(named.iter().filter_map(|name| inboxes.find(name).err()));
        let chosen: Vec<String> = setup.settings.mapping.inbox.chosen().cloned().collect();
        faults.extend(inboxes.named_twice(&chosen));
    }
    if let (AssignTo::Email(email), Some(users)) =
        (&setup.settings.conversation.assign_to, user_emails(setup))
        && !users.has(email)
    {
        faults.push(format!(
            "conversation.assign_to: no user of the account has the e-mail `{email}`, by `{file}` (`callport pull` asks the \
             account anew)"
        ));
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::usage(faults.join("\n"))) }
}
