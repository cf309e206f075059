//! Who of the agents is a user of the account: a conversation is made in a user's name where all its calls are that one's.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use super::{AssignTo, ImportError};
use crate::{
    checkpoint::{Checkpoint, WaitingCall},
    helpscout::{Client, Transport, User},
};

/// The agents that the checkpoint knows.
#[derive(Debug, Default)]
pub(super) struct Agents {
    known: HashMap<i64, Agent>,
    /// Users whom the service did not take.
    refused: Mutex<HashSet<u64>>,
    /// Whether a call whose agent is no user is rejected.
    rejects_strangers: bool,
}

/// One agent, by an e-mail.
#[derive(Clone, PartialEq, Eq)]
enum Agent {
    User(u64),
    Stranger(String),
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => write!(f, "User({id})"),
            Self::Stranger(_) => f.write_str("Stranger(…)"),
        }
    }
}

/// In whose name a conversation is made, and who it is assigned to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Attribution {
    /// A user's id; `None` leaves it to the token's owner.
    pub(super) user: Option<u64>,
    /// A user's id; `None` assigns nobody.
    pub(super) assign_to: Option<u64>,
}

impl Agents {
    /// Asks the account for its users, if calls that may be sent have agents.
    pub(super) async fn ask<T: Transport>(
        client: &Client<T>,
        checkpoint: &Checkpoint,
        rejects_strangers: bool,
    ) -> Result<Self, ImportError> {
        if !checkpoint.has_planned_agents()? {
            return Ok(Self::default());
        }
        let users = by_email(&client.users().await?);
        let known = checkpoint.agents()?.into_iter().map(|(id, email)| {
            let user = users.get(&email.to_lowercase()).copied();
            (id, user.map_or(Agent::Stranger(email), Agent::User))
        });
        Ok(Self { known: known.collect(), refused: Mutex::default(), rejects_strangers })
    }

    /// The e-mails that are no user's.
    pub(super) fn strangers(&self) -> Vec<&str> {
        let mut strangers: Vec<&str> = self.known.values().filter_map(Agent::stranger).collect();
        strangers.sort_unstable();
        strangers
    }

    /// The e-mail of a call's agent who is no user.
    pub(super) fn stranger_of(&self, call: &WaitingCall) -> Option<&str> {
        self.known.get(&call.agent?)?.stranger()
    }

    /// Whether calls of such agents are rejected.
    pub(super) fn rejects_strangers(&self) -> bool {
        self.rejects_strangers
    }

    /// The user whose calls these are, each and all.
    pub(super) fn user_of(&self, calls: &[WaitingCall]) -> Option<u64> {
        let user = |call: &WaitingCall| match self.known.get(&call.agent?)? {
            Agent::User(id) => Some(*id),
            Agent::Stranger(_) => None,
        };
        let first = user(calls.first()?)?;
        // By the user, not the e-mail: one may have several.
        let is_all = calls.iter().all(|call| user(call) == Some(first));
        (is_all && !self.refused().contains(&first)).then_some(first)
    }

    /// In whose name a conversation of `calls` is made; `fixed` is who every conversation is assigned to.
    pub(super) fn attribution(
        &self,
        calls: &[WaitingCall],
        assign_to: &AssignTo,
        fixed: Option<u64>,
    ) -> Attribution {
        let user = self.user_of(calls);
        Attribution { user, assign_to: if *assign_to == AssignTo::Agent { user } else { fixed } }
    }

    /// From now on nothing is made in the name of `user`.
    pub(super) fn refuse(&self, user: u64) {
        self.refused().insert(user);
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, HashSet<u64>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Agent {
    fn stranger(&self) -> Option<&str> {
        match self {
            Self::User(_) => None,
            Self::Stranger(email) => Some(email),
        }
    }
}

/// What is said of an agent whose e-mail is no user's.
pub(super) fn stranger(email: &str) -> String {
    format!(
        "the agent `{email}` is no user of the account: calls go in by nobody's name, their text names the agent"
    )
}

/// Why the call of such an agent is rejected, where that is set.
pub(super) fn stranger_rejected(email: &str) -> String {
    format!("the agent `{email}` is no user of the account (agents.unknown = \"reject\")")
}

/// Users by their e-mails, of which one's first outranks another's further ones.
fn by_email(users: &[User]) -> HashMap<String, u64> {
    let mut known = HashMap::new();
    for user in users {
        known.entry(user.email.to_lowercase()).or_insert(user.id);
    }
    for user in users {
        for email in &user.alternate_emails {
            known.entry(email.to_lowercase()).or_insert(user.id);
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{CallKey, Moment};

    fn calls(agents: &[Option<i64>]) -> Vec<WaitingCall> {
        let call = |agent: &Option<i64>| WaitingCall {
            id: 1,
            key: CallKey::from_id("", "1"),
            source_id: None,
            started_at: Moment::from_epoch_seconds(0).unwrap(),
            customer: 1,
            agent: *agent,
            size: 1,
            text: String::new(),
        };
        agents.iter().map(call).collect()
    }

    fn agents() -> Agents {
        let known = [
            (1, Agent::User(7)),
            (2, Agent::User(8)),
            (3, Agent::Stranger("cy@example.com".into())),
            (4, Agent::User(7)),
        ];
        Agents { known: known.into(), ..Agents::default() }
    }

    #[test]
    fn only_calls_that_are_all_one_users_are_made_in_a_name() {
        let agents = agents();
        let user = |of: &[Option<i64>]| agents.user_of(&calls(of));
        assert_eq!(user(&[Some(1), Some(1)]), Some(7));
        assert_eq!(user(&[Some(1), Some(4)]), Some(7), "two e-mails of one user");
        for mixed in [&[Some(1), Some(2)][..], &[Some(1), None], &[None, Some(1)], &[Some(1), Some(3)]] {
            assert_eq!(user(mixed), None, "{mixed:?}");
        }
        for nobody in [&[Some(3)][..], &[None], &[Some(9)], &[]] {
            assert_eq!(user(nobody), None, "{nobody:?}");
        }
    }

    #[test]
    fn an_assignee_is_the_agent_or_who_is_set() {
        let agents = agents();
        let made = |of: &[Option<i64>], to: &AssignTo, fixed| {
            let made = agents.attribution(&calls(of), to, fixed);
            (made.user, made.assign_to)
        };
        assert_eq!(made(&[Some(1)], &AssignTo::Agent, None), (Some(7), Some(7)));
        assert_eq!(made(&[Some(1), None], &AssignTo::Agent, None), (None, None));
        assert_eq!(made(&[Some(1)], &AssignTo::Nobody, None), (Some(7), None));
        let email = AssignTo::Email("x@example.com".into());
        assert_eq!(made(&[Some(1)], &email, Some(5)), (Some(7), Some(5)));
    }

    #[test]
    fn a_user_whom_the_service_refused_lends_no_name_again() {
        let agents = agents();
        agents.refuse(7);
        assert_eq!(agents.user_of(&calls(&[Some(1)])), None);
        assert_eq!(agents.user_of(&calls(&[Some(2)])), Some(8));
    }

    #[test]
    fn strangers_are_told_by_their_e_mails() {
        let agents = agents();
        assert_eq!(agents.strangers(), ["cy@example.com"]);
        assert_eq!(agents.stranger_of(&calls(&[Some(3)])[0]), Some("cy@example.com"));
        for known in [Some(1), None, Some(9)] {
            assert_eq!(agents.stranger_of(&calls(&[known])[0]), None, "{known:?}");
        }
    }

    #[test]
    fn an_own_email_outranks_an_alternate_one() {
        let user = |id, email: &str, others: &[&str]| User {
            id,
            email: email.into(),
            first_name: String::new(),
            last_name: String::new(),
            alternate_emails: others.iter().map(ToString::to_string).collect(),
        };
        let users =
            [user(1, "a@example.com", &["B@example.com", "c@example.com"]), user(2, "b@Example.com", &[])];
        let known = by_email(&users);
        let of = |email: &str| known.get(email).copied();
        assert_eq!((of("b@example.com"), of("c@example.com"), of("d@example.com")), (Some(2), Some(1), None));
    }
}
