//! Whose call it was: from the agent as a row names one to the e-mail by which the account knows its users.
//!
//! A name is looked up in the agents' directory; an e-mail stands for itself. Nothing is guessed: of a cell that names
//! several agents none is the call's own, and whoever matches nobody is told, or rejected, as the settings say.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    sync::Arc,
};

use super::{email::check_email, field::Field, reading::Reading};
use crate::call::FaultKind;

/// What is set of agents, and what is known of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AgentSettings {
    /// What becomes of a call whose agent matches nobody.
    pub unknown: UnknownAgent,
    /// Whether conversations are assigned to their agents.
    pub is_assigned: bool,
    /// The e-mails of agents by their names, where there is a directory.
    pub directory: Option<Arc<AgentDirectory>>,
    /// The e-mails of the account's users, where they are known.
    pub users: Option<Arc<UserEmails>>,
}

/// What becomes of a call whose agent matches nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownAgent {
    /// It goes in by nobody's name, with a warning.
    #[default]
    Warn,
    /// The row is rejected.
    Reject,
}

/// The e-mails of agents, by their names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AgentDirectory {
    emails: HashMap<String, String>,
}

/// Why a line cannot stand in the directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentFault {
    /// The name is blank.
    #[error("is empty: give the agent's name as the calls have it, or take the line out")]
    NoName,
    /// The address is blank.
    #[error("is empty: give the agent's e-mail, or take the line out")]
    NoEmail,
    /// The address is none.
    #[error("{0}: give the agent's e-mail as Help Scout has it")]
    BadEmail(String),
    /// The same name has another address further up.
    #[error("is another e-mail than the same name has further up: keep one line for each name")]
    OtherEmail,
}

impl AgentFault {
    /// Whether the name is at fault, and not the address.
    pub fn is_of_name(&self) -> bool {
        matches!(self, Self::NoName)
    }
}

impl AgentDirectory {
    /// Enters a line.
    pub fn add(&mut self, name: &str, email: &str) -> Result<(), AgentFault> {
        let (name, email) = (folded(name), email.trim().to_lowercase());
        if name.is_empty() {
            return Err(AgentFault::NoName);
        }
        if email.is_empty() {
            return Err(AgentFault::NoEmail);
        }
        check_email(&email).map_err(|fault| AgentFault::BadEmail(fault.to_string()))?;
        match self.emails.get(&name) {
            Some(known) if *known != email => Err(AgentFault::OtherEmail),
            Some(_) => Ok(()),
            None => {
                self.emails.insert(name, email);
                Ok(())
            }
        }
    }

    /// How many names it holds.
    pub fn len(&self) -> usize {
        self.emails.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.emails.is_empty()
    }

    fn email(&self, name: &str) -> Option<&str> {
        self.emails.get(&folded(name)).map(String::as_str)
    }
}

impl fmt::Debug for AgentDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentDirectory").field("names", &self.emails.len()).finish()
    }
}

/// The e-mails of the account's users.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserEmails(HashSet<String>);

impl UserEmails {
    /// Whether a user has `email`, whatever its letter case.
    pub fn has(&self, email: &str) -> bool {
        self.0.contains(&email.trim().to_lowercase())
    }
}

impl<T: AsRef<str>> FromIterator<T> for UserEmails {
    fn from_iter<I: IntoIterator<Item = T>>(emails: I) -> Self {
        Self(emails.into_iter().map(|email| email.as_ref().trim().to_lowercase()).collect())
    }
}

impl fmt::Debug for UserEmails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UserEmails").field(&self.0.len()).finish()
    }
}

impl AgentSettings {
    /// Whether a name that leads to nobody is worth a word: it is not to who has set nothing of agents.
    fn are_wanted(&self) -> bool {
        self.is_assigned || self.directory.is_some() || self.unknown == UnknownAgent::Reject
    }

    /// The e-mail of one agent, or nobody's.
    fn email(&self, agent: &str) -> Option<String> {
        let listed = self.directory.as_ref().and_then(|directory| directory.email(agent)).map(str::to_owned);
        listed.or_else(|| (agent.contains('@') && check_email(agent).is_ok()).then(|| agent.to_lowercase()))
    }

    /// Why an agent with this e-mail, if any, matches nobody.
    fn fault(&self, email: Option<&str>) -> Option<&'static str> {
        match email {
            None if !self.are_wanted() => None,
            None if self.directory.is_some() => {
                Some("is not in the directory: add the name with an e-mail to `agents.directory`")
            }
            None => Some("is no e-mail: set `agents.directory`, a file with the columns name and email"),
            Some(email) if self.users.as_ref().is_some_and(|users| !users.has(email)) => Some(
                "is no user of the account by `account.json`: mend the e-mail, or ask the account anew with `callport pull`",
            ),
            Some(_) => None,
        }
    }
}

/// The e-mail of the one agent whose call it was. Whoever matches nobody is noted as a warning or a fault of the row.
pub(super) fn agent_of(reading: &mut Reading<'_>) -> Option<String> {
    let (agent, settings) = (reading.text(Field::AGENT)?, &reading.settings().agents);
    // A million rows are read by those who set nothing of agents, too.
    if !settings.are_wanted() && !agent.contains('@') {
        return None;
    }
    let agent = agent.to_owned();
    let named = named_in(&agent, settings);
    for (name, email) in &named {
        let Some(reason) = settings.fault(email.as_deref()) else { continue };
        match settings.unknown {
            UnknownAgent::Reject => reading.refuse(FaultKind::Agent, Field::AGENT, reason),
            UnknownAgent::Warn => reading.warn(format!("the agent `{}` {reason}", shortened(name))),
        }
    }
    let people: BTreeSet<&Option<String>> = named.iter().map(|(_, email)| email).collect();
    let is_one = people.len() == 1;
    named.into_iter().next().and_then(|(_, email)| email).filter(|_| is_one)
}

/// The agents whom a cell names, each with an e-mail if there is one: the cell as a whole, else what stands between its
/// commas and semicolons where one of them at least is known. `Doe, Jane` is one agent until the directory knows a `Jane`.
fn named_in<'a>(agent: &'a str, settings: &AgentSettings) -> Vec<(&'a str, Option<String>)> {
    let whole = settings.email(agent);
    if whole.is_none() {
        let parts = agent.split([',', ';']).map(str::trim).filter(|part| !part.is_empty());
        let parts: Vec<_> = parts.map(|part| (part, settings.email(part))).collect();
        if parts.len() > 1 && parts.iter().any(|(_, email)| email.is_some()) {
            return parts;
        }
    }
    vec![(agent, whole)]
}

/// In lower case, each white space one blank.
fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Names stand in messages: a cell may hold more than one.
fn shortened(name: &str) -> String {
    const MOST: usize = 80;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{
        MappingSettings, Outcome,
        interpret::tests::{call, interpret, own_names, rejection, with},
    };

    fn directory() -> AgentDirectory {
        let mut directory = AgentDirectory::default();
        for (name, email) in [
            ("Ada  Agent", "Ada@example.com"),
            (" bo\u{a0}AGENT ", "bo@example.com"),
            ("Doe, Jane", "jane@example.com"),
        ] {
            directory.add(name, email).unwrap();
        }
        directory
    }

    fn settings(agents: AgentSettings) -> MappingSettings {
        MappingSettings { agents, ..own_names() }
    }

    fn with_directory() -> AgentSettings {
        AgentSettings { directory: Some(Arc::new(directory())), ..AgentSettings::default() }
    }

    /// The e-mail, and what was warned of.
    fn found(agents: &AgentSettings, agent: &'static str) -> (Option<String>, Vec<String>) {
        let found = interpret(settings(agents.clone()), &with(&[("agent", agent)]));
        let Outcome::Call(call) = found.outcome else { panic!("{found:?}") };
        assert_eq!(
            call.text.contains("Agent: "),
            !agent.trim().is_empty(),
            "the name stands in the text in any case"
        );
        (call.agent, found.warnings.into_iter().map(|warning| warning.reason).collect())
    }

    fn email(agents: &AgentSettings, agent: &'static str) -> Option<String> {
        let (email, warnings) = found(agents, agent);
        assert_eq!(warnings, Vec::<String>::new(), "{agent}");
        email
    }

    #[test]
    fn a_name_is_found_whatever_its_case_and_blanks() {
        let agents = with_directory();
        for name in ["Ada Agent", " ada  AGENT ", "ada\u{a0}agent"] {
            assert_eq!(email(&agents, name).as_deref(), Some("ada@example.com"), "{name}");
        }
        assert_eq!(email(&agents, "doe, jane").as_deref(), Some("jane@example.com"));
        assert_eq!(email(&agents, "BO@Example.com").as_deref(), Some("bo@example.com"), "an e-mail is one");
        assert_eq!(email(&agents, ""), None);
    }

    #[test]
    fn who_set_nothing_of_agents_hears_nothing() {
        let nothing = AgentSettings::default();
        assert_eq!(email(&nothing, "Ada Agent"), None);
        assert_eq!(email(&nothing, "ada@example.com").as_deref(), Some("ada@example.com"));
        let known = AgentSettings { users: Some(Arc::new(["ada@example.com"].iter().collect())), ..nothing };
        assert_eq!(email(&known, "Ada Agent"), None);
    }

    #[test]
    fn an_agent_who_matches_nobody_is_warned_of_by_name() {
        let (agent, told) = found(&with_directory(), "Cy Agent");
        assert_eq!(agent, None);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("the agent `Cy Agent` is not in the directory: add"), "{told:?}");
        let assigned = AgentSettings { is_assigned: true, ..AgentSettings::default() };
        let (_, told) = found(&assigned, "Cy Agent");
        assert!(told[0].starts_with("the agent `Cy Agent` is no e-mail: set `agents.directory`"), "{told:?}");
        let users = Some(Arc::new(["ADA@example.com"].iter().collect()));
        let known = AgentSettings { users, ..with_directory() };
        assert_eq!(email(&known, "Ada Agent").as_deref(), Some("ada@example.com"));
        // The account may have got the user since: the delivery asks it.
        let (agent, told) = found(&known, "Bo Agent");
        assert_eq!(agent.as_deref(), Some("bo@example.com"));
        assert!(
            told[0].starts_with("the agent `Bo Agent` is no user of the account by `account.json`"),
            "{told:?}"
        );
    }

    #[test]
    fn a_row_of_an_agent_who_matches_nobody_is_rejected_where_that_is_set() {
        let strict = AgentSettings { unknown: UnknownAgent::Reject, ..with_directory() };
        let told = rejection(settings(strict.clone()), &with(&[("agent", "Cy Agent")]));
        assert!(told.starts_with("agent `Cy Agent`: is not in the directory"), "{told}");
        assert!(call(settings(strict.clone()), &with(&[])).agent.is_none(), "who names no agent lacks none");
        assert_eq!(email(&strict, "Ada Agent").as_deref(), Some("ada@example.com"));
    }

    #[test]
    fn a_call_of_several_agents_is_nobodys() {
        let agents = with_directory();
        assert_eq!(email(&agents, "Ada Agent, bo agent"), None);
        assert_eq!(email(&agents, "ada@example.com;Ada Agent").as_deref(), Some("ada@example.com"));
        let (agent, told) = found(&agents, "Ada Agent, Cy Agent");
        assert!(agent.is_none() && told.len() == 1 && told[0].contains("`Cy Agent`"), "{told:?}");
        let (_, told) = found(&agents, "Poe, Pat");
        assert!(told.len() == 1 && told[0].contains("`Poe, Pat`"), "nobody of these is known: {told:?}");
    }

    #[test]
    fn a_line_of_the_directory_has_a_name_and_one_address() {
        let mut directory = directory();
        assert_eq!(directory.add("ADA agent", "ada@example.com"), Ok(()));
        assert_eq!(directory.len(), 3);
        assert_eq!(directory.add("Ada Agent", "a@example.com"), Err(AgentFault::OtherEmail));
        assert_eq!(directory.add(" ", "a@example.com"), Err(AgentFault::NoName));
        assert_eq!(directory.add("Di", " "), Err(AgentFault::NoEmail));
        let bad = directory.add("Di", "di@").unwrap_err();
        assert!(!bad.is_of_name() && bad.to_string().starts_with("is not an e-mail address: give"), "{bad}");
    }

    #[test]
    fn debug_output_shows_no_agent() {
        let users: UserEmails = ["ada@example.com"].iter().collect();
        let shown = format!("{:?} {users:?}", directory());
        assert_eq!(shown, "AgentDirectory { names: 3 } UserEmails(1)");
    }
}
