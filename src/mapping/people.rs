//! People whom a list knows by their numbers and e-mails: the user's directory, or what `callport pull` wrote of the account.
//!
//! A number may be several people's (an office); they stay several. Entries that share an id or an e-mail are one person.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    fmt,
};

/// One person of a list.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Help Scout's id.
    pub id: Option<u64>,
    /// The e-mail by which Help Scout finds the person.
    pub email: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
}

impl Person {
    /// Whether Help Scout finds the person by this entry; a name alone leads nowhere.
    pub(super) fn is_a_way(&self) -> bool {
        self.id.is_some() || self.email.is_some()
    }

    /// What the person is told apart by.
    fn shown(&self) -> String {
        self.id.map(|id| id.to_string()).or_else(|| self.email.clone()).unwrap_or_default()
    }

    /// Takes what `other` knows more of the same person.
    fn learn(&mut self, other: Self) {
        self.id = self.id.or(other.id);
        self.email = self.email.take().or(other.email);
        self.first_name = self.first_name.take().or(other.first_name);
        self.last_name = self.last_name.take().or(other.last_name);
    }
}

/// What people are called and how they are reached stays out of logs.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One e-mail was given to two people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the e-mail `{email}` stands with the ids {first} and {second}: whose it is cannot be told")]
pub struct TwoPeople {
    email: String,
    first: u64,
    second: u64,
}

/// How people are known.
#[derive(Default)]
pub(super) struct Ways {
    pub(super) numbers: Vec<String>,
    pub(super) emails: Vec<String>,
    pub(super) ids: Vec<u64>,
}

/// Whom a number leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder<'p> {
    /// Nobody whom Help Scout could find; perhaps somebody's name.
    Nobody(Option<&'p Person>),
    One(&'p Person),
    /// The first of them, and how each is told apart.
    Several(&'p Person, String),
}

/// A list of people.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct People {
    all: Vec<Person>,
    /// Entries that have shown to be another's person.
    joined: HashMap<usize, usize>,
    by_id: HashMap<u64, usize>,
    /// In lower case.
    by_email: HashMap<String, usize>,
    /// In the form in which callers' numbers are compared.
    by_number: HashMap<String, Vec<usize>>,
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("People").field("count", &self.all.len()).finish_non_exhaustive()
    }
}

impl People {
    /// Enters a person with more e-mails than the one that the entry names, and with numbers as
    /// [`super::NumberForm::read`] gives them.
    pub fn add<'a>(
        &mut self,
        person: Person,
        more_emails: impl IntoIterator<Item = &'a str>,
        numbers: impl IntoIterator<Item = String>,
    ) -> Result<(), TwoPeople> {
        let mut emails: Vec<String> = more_emails.into_iter().map(str::to_lowercase).collect();
        emails.extend(person.email.as_deref().map(str::to_lowercase));
        let mut at = person.id.and_then(|id| self.by_id.get(&id)).map(|at| self.stand(*at));
        for email in &emails {
            let Some(known) = self.by_email.get(email).map(|at| self.stand(*at)) else { continue };
            if let (Some(first), Some(second)) = (self.all[known].id, person.id)
                && first != second
            {
                return Err(TwoPeople { email: email.clone(), first, second });
            }
            match at {
                Some(at) if at != known => self.join(known, at),
                _ => at = Some(known),
            }
        }
        let id = person.id;
        let at = if let Some(known) = at {
            self.all[known].learn(person);
            known
        } else {
            self.all.push(person);
            self.all.len() - 1
        };
        if let Some(id) = id {
            self.by_id.insert(id, at);
        }
        for email in emails {
            self.by_email.insert(email, at);
        }
        for number in numbers {
            match self.by_number.entry(number) {
                Entry::Vacant(vacant) => drop(vacant.insert(vec![at])),
                Entry::Occupied(mut known) if !known.get().contains(&at) => known.get_mut().push(at),
                Entry::Occupied(_) => {}
            }
        }
        Ok(())
    }

    /// Makes one person of two entries: `known` has shown to be `at`.
    fn join(&mut self, known: usize, at: usize) {
        let person = std::mem::take(&mut self.all[known]);
        self.all[at].learn(person);
        self.joined.insert(known, at);
    }

    /// Where the person of an entry stands now.
    fn stand(&self, mut at: usize) -> usize {
        while let Some(other) = self.joined.get(&at) {
            at = *other;
        }
        at
    }

    /// How many people it knows.
    pub fn len(&self) -> usize {
        self.all.len() - self.joined.len()
    }

    /// Whether it knows nobody.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whose number it is.
    pub(super) fn holder(&self, number: &str) -> Holder<'_> {
        let mut entries: Vec<usize> = Vec::new();
        for at in self.by_number.get(number).into_iter().flatten().map(|at| self.stand(*at)) {
            if !entries.contains(&at) {
                entries.push(at);
            }
        }
        let people = || entries.iter().map(|at| &self.all[*at]);
        let ways = || people().filter(|person| person.is_a_way());
        let mut found = ways();
        match (found.next(), found.next()) {
            (None, _) => Holder::Nobody(people().next().filter(|_| entries.len() == 1)),
            (Some(one), None) => Holder::One(one),
            (Some(first), Some(_)) => {
                let mut shown: Vec<String> = ways().take(MOST_SHOWN).map(Person::shown).collect();
                if found.nth(MOST_SHOWN - 2).is_some() {
                    shown.push("…".to_owned());
                }
                Holder::Several(first, shown.join(", "))
            }
        }
    }

    /// Numbers that several customers have.
    pub(super) fn shared_numbers(&self) -> Vec<String> {
        let is_shared = |number: &&String| matches!(self.holder(number), Holder::Several(..));
        self.by_number.keys().filter(is_shared).cloned().collect()
    }

    /// How this list knows the people who have one of these e-mails or ids, or alone one of these numbers.
    pub(super) fn named_by(
        &self,
        numbers: &HashSet<String>,
        emails: &HashSet<String>,
        ids: &HashSet<u64>,
    ) -> Ways {
        let alone = |entries: &[usize]| {
            let first = self.stand(*entries.first()?);
            entries.iter().all(|at| self.stand(*at) == first).then_some(first)
        };
        let by_email =
            self.by_email.iter().filter(|(email, _)| emails.contains(*email)).map(|(_, at)| self.stand(*at));
        let by_id = self.by_id.iter().filter(|(id, _)| ids.contains(id)).map(|(_, at)| self.stand(*at));
        let by_number = numbers.iter().filter_map(|number| alone(self.by_number.get(number)?));
        let people: HashSet<usize> = by_email.chain(by_id).chain(by_number).collect();
        let mut ways = Ways::default();
        if people.is_empty() {
            return ways;
        }
        let is_one = |at: &usize| people.contains(&self.stand(*at));
        ways.emails.extend(self.by_email.iter().filter(|(_, at)| is_one(at)).map(|(email, _)| email.clone()));
        ways.ids.extend(self.by_id.iter().filter(|(_, at)| is_one(at)).map(|(id, _)| *id));
        let of_one = |entries: &[usize]| alone(entries).is_some_and(|at| people.contains(&at));
        ways.numbers
            .extend(self.by_number.iter().filter(|(_, at)| of_one(at)).map(|(number, _)| number.clone()));
        ways
    }

    /// Whose e-mail it is.
    pub(super) fn of_email(&self, email: &str) -> Option<&Person> {
        if self.by_email.is_empty() {
            return None;
        }
        self.by_email.get(&email.to_lowercase()).map(|at| &self.all[self.stand(*at)])
    }
}

/// Of the people who share a number, how many a reason names.
const MOST_SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: u64, email: &str) -> Person {
        Person {
            id: (id > 0).then_some(id),
            email: (!email.is_empty()).then(|| email.to_owned()),
            ..Person::default()
        }
    }

    fn people(entries: &[(u64, &str, &str)]) -> People {
        let mut people = People::default();
        for (id, email, number) in entries {
            people.add(person(*id, email), [], [(*number).to_owned()]).unwrap();
        }
        people
    }

    #[test]
    fn entries_that_share_an_id_or_an_email_are_one_person() {
        let people = people(&[
            (0, "jo@example.com", "+15550100"),
            (456, "Jo@Example.com", "+15550101"),
            (456, "", "+15550102"),
        ]);
        assert_eq!(people.len(), 1);
        for number in ["+15550100", "+15550101", "+15550102"] {
            assert!(
                matches!(people.holder(number), Holder::One(jo) if *jo == person(456, "jo@example.com")),
                "{number}"
            );
        }
        assert_eq!(people.of_email("JO@example.com").and_then(|jo| jo.id), Some(456));
        let people = self::people(&[
            (5, "", "+15550100"),
            (0, "al@example.com", "+15550100"),
            (5, "al@example.com", ""),
        ]);
        assert!(matches!(people.holder("+15550100"), Holder::One(al) if *al == person(5, "al@example.com")));
        assert_eq!(people.holder("+15550199"), Holder::Nobody(None));
    }

    #[test]
    fn an_offices_number_keeps_its_people_apart() {
        let people = people(&[
            (0, "jo@example.com", "+15550100"),
            (7, "", "+15550100"),
            (7, "", "+15550100"),
            (0, "jo@example.com", "+15550101"),
        ]);
        let Holder::Several(first, shown) = people.holder("+15550100") else { panic!("two people") };
        assert_eq!((first.email.as_deref(), shown.as_str()), (Some("jo@example.com"), "jo@example.com, 7"));
        assert!(matches!(people.holder("+15550101"), Holder::One(_)));
    }

    #[test]
    fn a_name_alone_is_a_name_and_no_way() {
        let mut people = People::default();
        let named = Person { first_name: Some("Jo".into()), ..Person::default() };
        people.add(named.clone(), [], ["+15550100".to_owned(), "+15550101".to_owned()]).unwrap();
        people
            .add(Person { first_name: Some("Al".into()), ..Person::default() }, [], ["+15550101".to_owned()])
            .unwrap();
        assert_eq!(people.holder("+15550100"), Holder::Nobody(Some(&named)));
        assert_eq!(people.holder("+15550101"), Holder::Nobody(None), "two names are none");
        people.add(person(3, ""), [], ["+15550101".to_owned()]).unwrap();
        assert!(matches!(people.holder("+15550101"), Holder::One(three) if three.id == Some(3)));
    }

    #[test]
    fn one_email_with_two_ids_is_told() {
        let mut people = people(&[(4, "jo@example.com", "+15550100")]);
        let told = people.add(person(5, "Jo@example.com"), [], []).unwrap_err();
        assert_eq!(
            told.to_string(),
            "the e-mail `jo@example.com` stands with the ids 4 and 5: whose it is cannot be told"
        );
    }

    #[test]
    fn debug_output_masks_personal_data() {
        let shown =
            format!("{:?} {:?}", people(&[(4, "jo@example.com", "+15550100")]), person(4, "jo@example.com"));
        assert!(!shown.contains("jo@") && !shown.contains("+1555"), "{shown}");
    }
}
