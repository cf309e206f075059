//! Which inbox of an account a setting names.

use std::collections::BTreeMap;

use crate::helpscout::Inbox;

/// The inboxes of an account, and the one for calls that name none.
#[derive(Debug)]
pub struct Inboxes {
    all: Vec<Inbox>,
    default: Option<String>,
    known_from: KnownFrom,
}

/// Where the inboxes are known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownFrom {
    /// The account was asked.
    Account,
    /// The sandbox of a rehearsal was: it knows the account by a file alone.
    Sandbox,
    /// This file, which `callport pull` wrote.
    File(String),
}

impl Inboxes {
    /// The `inboxes` of an account; `default` (id or name) is for calls that name none.
    pub fn new(inboxes: Vec<Inbox>, default: Option<String>, known_from: KnownFrom) -> Self {
        Self { all: inboxes, default, known_from }
    }

    /// Their names as people read them.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.all.iter().map(|inbox| inbox.name.as_str()).collect();
        names.join(", ")
    }

    /// The inbox that the configuration names by id or name; the default one, then the only one, where it names none. Else
    /// what is wrong.
    pub fn find(&self, named: &str) -> Result<u64, String> {
        let named = if named.is_empty() { self.default.as_deref().unwrap_or_default() } else { named };
        if named.is_empty() {
            return match self.all.as_slice() {
                [only] => Ok(only.id),
                _ => Err(self.none_named()),
            };
        }
        let by_id = named.parse().ok().and_then(|id: u64| self.all.iter().find(|inbox| inbox.id == id));
        let by_name = || self.all.iter().find(|inbox| inbox.name.to_lowercase() == named.to_lowercase());
        by_id.or_else(by_name).map(|inbox| inbox.id).ok_or_else(|| self.no_inbox(named))
    }

    /// What is wrong where two of `named` are one inbox: the calls of a customer would stand in two conversations there.
    pub fn named_twice(&self, named: &[String]) -> Option<String> {
        let mut known: BTreeMap<u64, &str> = BTreeMap::new();
        for name in named {
            let Ok(id) = self.find(name) else { continue };
            let first = *known.entry(id).or_insert(name);
            if first != name {
                return Some(format!(
                    "`{first}` and `{name}` are one inbox of the account: name it in one way in `[conversation.inboxes]`, so that \
                     a customer's calls stay together"
                ));
            }
        }
        None
    }

    fn none_named(&self) -> String {
        let only = "conversation.inbox may be left out only where the account has one inbox";
        let listed = self.listed();
        match &self.known_from {
            KnownFrom::File(file) => format!("{only}; by `{file}` it has {listed}{}", Self::ask_anew()),
            KnownFrom::Account | KnownFrom::Sandbox => format!("{only}; it has {listed}"),
        }
    }

    fn no_inbox(&self, named: &str) -> String {
        let listed = self.listed();
        match (&self.known_from, self.all.first()) {
            (KnownFrom::File(file), _) => {
                format!("the account has no inbox `{named}`; by `{file}` it has {listed}{}", Self::ask_anew())
            }
            // The name may be right.
            (KnownFrom::Sandbox, Some(inbox)) => format!(
                "the sandbox has no inbox `{named}`; it has {listed}: give it the account's inboxes in `account.json` \
                 (`--account`), or rehearse with one that it has, e.g. `--set conversation.inbox={}`",
                inbox.id
            ),
            _ => format!("the account has no inbox `{named}`; it has {listed}"),
        }
    }

    fn ask_anew() -> &'static str {
        " (`callport pull` asks the account anew)"
    }

    fn listed(&self) -> String {
        let shown: Vec<String> =
            self.all.iter().map(|inbox| format!("`{}` ({})", inbox.name, inbox.id)).collect();
        if shown.is_empty() { "none that this token may see".to_owned() } else { shown.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inboxes(inboxes: &[(u64, &str)], default: Option<&str>, known_from: KnownFrom) -> Inboxes {
        let inboxes = inboxes
            .iter()
            .map(|(id, name)| Inbox { id: *id, name: (*name).to_owned(), email: String::new() })
            .collect();
        Inboxes::new(inboxes, default.map(str::to_owned), known_from)
    }

    const TWO: &[(u64, &str)] = &[(86, "Sales"), (85, "Support")];

    #[test]
    fn an_inbox_is_found_by_id_or_name_or_because_it_is_the_only_one() {
        let two = inboxes(TWO, None, KnownFrom::Account);
        assert_eq!((two.find("85"), two.find("support")), (Ok(85), Ok(85)));
        assert!(two.find("").unwrap_err().contains("`Sales` (86), `Support` (85)"));
        assert!(two.find("Billing").unwrap_err().contains("no inbox `Billing`"));
        assert_eq!(inboxes(&[(85, "Support")], None, KnownFrom::Account).find(""), Ok(85));
        assert_eq!(inboxes(TWO, Some("Sales"), KnownFrom::Account).find(""), Ok(86));
    }

    #[test]
    fn two_spellings_of_one_inbox_are_told() {
        let two = inboxes(TWO, None, KnownFrom::Account);
        let twice = |named: &[&str]| {
            two.named_twice(&named.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(twice(&["85", "Sales", "85", "Billing"]), None);
        assert!(twice(&["Sales", "85", "support"]).unwrap().starts_with("`85` and `support` are one inbox"));
    }

    #[test]
    fn an_inbox_that_the_sandbox_lacks_is_told_as_the_sandboxs() {
        let told = inboxes(&[(85, "Support")], None, KnownFrom::Sandbox).find("Billing").unwrap_err();
        assert!(
            told.starts_with("the sandbox has no inbox `Billing`; it has `Support` (85): give it"),
            "{told}"
        );
        assert!(
            told.ends_with(
                "`account.json` (`--account`), or rehearse with one that it has, e.g. `--set conversation.inbox=85`"
            ),
            "{told}"
        );
    }

    #[test]
    fn what_a_file_says_names_the_file_and_how_it_is_made_anew() {
        let known = inboxes(TWO, None, KnownFrom::File("a/account.json".into()));
        for named in ["Billing", ""] {
            let told = known.find(named).unwrap_err();
            assert!(
                told.ends_with(
                    "; by `a/account.json` it has `Sales` (86), `Support` (85) (`callport pull` asks the account anew)"
                ),
                "{told}"
            );
        }
    }
}
