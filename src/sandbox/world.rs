//! What the service holds, and the only ways in which it changes.
//!
//! A plain state machine: requests are judged against a [`World`] that they cannot touch; what they change is an
//! [`Event`], and [`World::apply`] is the only thing that changes it. So the journal is the list of events, and replaying
//! it is applying them. Nothing here reads a clock.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::conversation::{Conversation, Filler, Merge, Status, Thread};
use super::customer::{Customer, Inbox, User};

/// The next ids to be given. Those of conversations and threads are as large as the real service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// Of customers.
    pub(crate) customer: u64,
    /// Of conversations.
    pub(crate) conversation: u64,
    /// Of threads and attachments.
    pub(crate) thread: u64,
    /// The small number of conversations.
    pub(crate) number: u64,
}

impl Counters {
    const START: Self =
        Self { customer: 700_000_001, conversation: 2_600_000_001, thread: 7_900_000_001, number: 1 };
}

/// One change of the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// An inbox of the seed.
    InboxAdded(Inbox),
    /// A user of the seed.
    UserAdded(User),
    /// A customer was made.
    CustomerAdded(Customer),
    /// A customer was deleted.
    CustomerRemoved { id: u64 },
    /// A conversation was made, with its threads.
    ConversationAdded(Box<Conversation>),
    /// A thread was added.
    ThreadAdded { conversation: u64, thread: Thread },
    /// A conversation was deleted; it stays, marked.
    ConversationDeleted { id: u64, at_ms: i64 },
    /// Its tags were replaced.
    TagsPut { id: u64, tags: Vec<Box<str>>, at_ms: i64 },
    /// Its status was changed.
    StatusPut { id: u64, status: Status, at_ms: i64 },
    /// Its subject was changed.
    SubjectPut { id: u64, subject: Box<str>, at_ms: i64 },
    /// It was assigned or left unassigned.
    AssigneePut { id: u64, user: Option<u64>, at_ms: i64 },
    /// It was moved to another inbox.
    InboxPut { id: u64, inbox: u64, at_ms: i64 },
    /// The text of a thread was replaced.
    TextPut { conversation: u64, thread: u64, text: Box<str>, at_ms: i64 },
    /// One conversation was merged into another.
    Merged { from: u64, into: u64, at_ms: i64 },
    /// A policy locked it.
    Locked { id: u64 },
    /// A person added notes to it.
    NotesAdded { id: u64, notes: Filler, at_ms: i64 },
    /// It was reopened by what should not reopen it.
    Reopened { id: u64, at_ms: i64 },
    /// The next ids, in a compacted journal.
    CountersSet(Counters),
}

/// Everything that the service holds.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    inboxes: Vec<Inbox>,
    users: Vec<User>,
    customers: BTreeMap<u64, Customer>,
    /// E-mails in lower case; a customer may have several.
    by_email: HashMap<Box<str>, u64>,
    conversations: BTreeMap<u64, Conversation>,
    next: Counters,
}

impl World {
    /// A world without anything.
    pub(crate) fn empty() -> Self {
        Self {
            inboxes: Vec::new(),
            users: Vec::new(),
            customers: BTreeMap::new(),
            by_email: HashMap::new(),
            conversations: BTreeMap::new(),
            next: Counters::START,
        }
    }

    /// Inboxes in the order of the seed.
    pub fn inboxes(&self) -> &[Inbox] {
        &self.inboxes
    }

    /// Users in the order of the seed; the first is the token's owner.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The id of the token's owner.
    pub fn owner(&self) -> u64 {
        self.users.first().map_or(1, |user| user.id)
    }

    /// A user.
    pub fn user(&self, id: u64) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// A customer.
    pub fn customer(&self, id: u64) -> Option<&Customer> {
        self.customers.get(&id)
    }

    /// The customer with that e-mail, in any case.
    pub fn customer_by_email(&self, email: &str) -> Option<u64> {
        if email.bytes().any(|byte| byte.is_ascii_uppercase()) || !email.is_ascii() {
            return self.by_email.get(email.to_lowercase().as_str()).copied();
        }
        self.by_email.get(email).copied()
    }

    /// All customers by id.
    pub fn customers(&self) -> impl DoubleEndedIterator<Item = &Customer> {
        self.customers.values()
    }

    /// A conversation, deleted and merged ones too.
    pub fn conversation(&self, id: u64) -> Option<&Conversation> {
        self.conversations.get(&id)
    }

    /// All conversations by id, deleted and merged ones too.
    pub fn conversations(&self) -> impl DoubleEndedIterator<Item = &Conversation> {
        self.conversations.values()
    }

    /// The next ids.
    pub(crate) fn next(&self) -> Counters {
        self.next
    }

    /// Makes the change; `false`, and no change, if it names something that is not there.
    #[must_use]
    pub(crate) fn apply(&mut self, event: Event) -> bool {
        match event {
            Event::InboxAdded(inbox) => self.inboxes.push(inbox),
            Event::UserAdded(user) => self.users.push(user),
            Event::CustomerAdded(customer) => self.add_customer(customer),
            Event::CustomerRemoved { id } => return self.remove_customer(id),
            Event::ConversationAdded(conversation) => self.add_conversation(*conversation),
            Event::ThreadAdded { conversation, thread } => return self.add_thread(conversation, thread),
            Event::Merged { from, into, at_ms } => return self.merge(from, into, at_ms),
            Event::CountersSet(next) => self.next = next,
            Event::Locked { id } => {
                return self.conversations.get_mut(&id).map(|one| one.locked = true).is_some();
            }
            Event::NotesAdded { id, notes, at_ms } => {
                self.next.thread = self.next.thread.max(notes.first + u64::from(notes.count));
                return self.change(id, at_ms, |one| one.fillers.push(notes));
            }
            Event::Reopened { id, at_ms } => return self.change(id, at_ms, Conversation::reopen),
            Event::ConversationDeleted { id, at_ms } => {
                return self.change(id, at_ms, |one| one.deleted = true);
            }
            Event::TagsPut { id, tags, at_ms } => return self.change(id, at_ms, |one| one.tags = tags),
            Event::SubjectPut { id, subject, at_ms } => {
                return self.change(id, at_ms, |one| one.subject = subject);
            }
            Event::AssigneePut { id, user, at_ms } => {
                return self.change(id, at_ms, |one| one.assignee = user);
            }
            Event::InboxPut { id, inbox, at_ms } => return self.change(id, at_ms, |one| one.inbox = inbox),
            Event::StatusPut { id, status, at_ms } => {
                return self.change(id, at_ms, |one| {
                    one.closed = (status == Status::Closed).then(|| at_ms.div_euclid(1000));
                    one.status = status;
                });
            }
            Event::TextPut { conversation, thread, text, at_ms } => {
                let mut found = false;
                let known = self.change(conversation, at_ms, |one| {
                    if let Some(thread) = one.threads.iter_mut().find(|one| one.id == thread) {
                        thread.text = text;
                        found = true;
                    }
                });
                return known && found;
            }
        }
        true
    }

    fn change(&mut self, id: u64, at_ms: i64, change: impl FnOnce(&mut Conversation)) -> bool {
        self.conversations
            .get_mut(&id)
            .map(|conversation| {
                change(conversation);
                conversation.modified_ms = at_ms;
            })
            .is_some()
    }

    fn add_customer(&mut self, customer: Customer) {
        self.next.customer = self.next.customer.max(customer.id.saturating_add(1));
        for email in &customer.emails {
            // The first to have an e-mail keeps it, as a seed may name one twice.
            self.by_email.entry(email.to_lowercase().into()).or_insert(customer.id);
        }
        self.customers.insert(customer.id, customer);
    }

    fn remove_customer(&mut self, id: u64) -> bool {
        self.by_email.retain(|_, owner| *owner != id);
        self.customers.remove(&id).is_some()
    }

    fn add_conversation(&mut self, conversation: Conversation) {
        let newest = conversation.threads.iter().flat_map(thread_ids).max().unwrap_or(0);
        let filler =
            conversation.fillers.iter().map(|one| one.first + u64::from(one.count)).max().unwrap_or(0);
        self.next.thread = self.next.thread.max(newest.saturating_add(1)).max(filler);
        self.next.number = self.next.number.max(conversation.number.saturating_add(1));
        self.next.conversation = self.next.conversation.max(conversation.id.saturating_add(1));
        self.conversations.insert(conversation.id, conversation);
    }

    fn add_thread(&mut self, id: u64, thread: Thread) -> bool {
        let Some(conversation) = self.conversations.get_mut(&id) else { return false };
        if !thread.imported && thread.kind.reopens() && conversation.status != Status::Active {
            conversation.reopen();
        }
        self.next.thread =
            self.next.thread.max(thread_ids(&thread).max().unwrap_or(thread.id).saturating_add(1));
        conversation.modified_ms = thread.inserted_ms;
        conversation.threads.push(thread);
        true
    }

    /// The threads go along to the surviving conversation, as they do when a person merges two.
    fn merge(&mut self, from: u64, into: u64, at_ms: i64) -> bool {
        if from == into || !self.conversations.get(&into).is_some_and(Conversation::is_live) {
            return false;
        }
        let Some(merged) = self.conversations.get_mut(&from).filter(|one| one.is_live()) else {
            return false;
        };
        merged.merged = Some(Merge { into, at_ms: Some(at_ms) });
        let threads = std::mem::take(&mut merged.threads);
        let fillers = std::mem::take(&mut merged.fillers);
        self.change(into, at_ms, |survivor| {
            survivor.threads.extend(threads);
            survivor.threads.sort_by_key(|thread| thread.id);
            survivor.fillers.extend(fillers);
        })
    }

    /// The events that make this world out of an empty one.
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> {
        let inboxes = self.inboxes.iter().cloned().map(Event::InboxAdded);
        let users = self.users.iter().cloned().map(Event::UserAdded);
        let customers = self.customers.values().cloned().map(Event::CustomerAdded);
        let conversations =
            self.conversations.values().map(|one| Event::ConversationAdded(Box::new(one.clone())));
        let all = inboxes.chain(users).chain(customers).chain(conversations);
        all.chain(std::iter::once(Event::CountersSet(self.next)))
    }
}

/// The ids that a thread uses: its own and those of its files.
fn thread_ids(thread: &Thread) -> impl Iterator<Item = u64> {
    std::iter::once(thread.id).chain(thread.attachments.iter().map(|file| file.id))
}

#[cfg(test)]
mod tests {
    use super::super::seed::Seed;
    use super::*;
    use crate::sandbox::conversation::ThreadKind;

    fn seeded() -> World {
        let text = r#"{"customers":[{"id":456,"emails":["Jo@Example.com"]}],"conversations":[
            {"id":1,"inbox":85,"customer":456,"subject":"a","status":"closed","createdAt":"2019-05-01T10:00:00Z","threads":3},
            {"id":2,"inbox":85,"customer":456,"subject":"b","status":"active","createdAt":"2019-05-01T10:00:00Z","threads":4}]}"#;
        Seed::parse(text).unwrap().into_world()
    }

    fn phone(world: &World, imported: bool) -> Thread {
        Thread {
            id: world.next().thread,
            kind: ThreadKind::Phone,
            text: "hello".into(),
            customer: 456,
            created: 0,
            author: 1,
            inserted_ms: 5,
            imported,
            attachments: Box::default(),
        }
    }

    #[test]
    fn only_a_thread_that_is_not_imported_reopens() {
        let mut world = seeded();
        let thread = phone(&world, true);
        assert!(world.apply(Event::ThreadAdded { conversation: 1, thread }));
        assert_eq!(world.conversation(1).unwrap().status, Status::Closed);
        let thread = phone(&world, false);
        assert!(world.apply(Event::ThreadAdded { conversation: 1, thread }));
        let conversation = world.conversation(1).unwrap();
        assert_eq!(
            (conversation.status, conversation.closed, conversation.reopened),
            (Status::Active, None, 1)
        );
        assert_eq!(conversation.stored_threads(), 5);
    }

    #[test]
    fn a_merge_takes_the_threads_along_once() {
        let mut world = seeded();
        let thread = phone(&world, true);
        assert!(world.apply(Event::ThreadAdded { conversation: 1, thread }));
        assert!(world.apply(Event::Merged { from: 1, into: 2, at_ms: 9 }));
        assert_eq!(world.conversation(2).unwrap().stored_threads(), 8);
        assert_eq!(world.conversation(1).unwrap().stored_threads(), 0);
        assert!(!world.apply(Event::Merged { from: 1, into: 2, at_ms: 9 }), "it is merged already");
        assert!(!world.apply(Event::Merged { from: 2, into: 2, at_ms: 9 }), "not into itself");
    }

    #[test]
    fn ids_are_beyond_those_of_the_seed_and_large() {
        let world = seeded();
        assert!(world.next().thread > 7_900_000_007 && world.next().conversation > u64::from(u32::MAX) / 2);
    }

    #[test]
    fn customers_are_found_by_e_mail_in_any_case_until_removed() {
        let mut world = seeded();
        assert_eq!(world.customer_by_email("jo@EXAMPLE.com"), Some(456));
        assert!(world.apply(Event::CustomerRemoved { id: 456 }));
        assert_eq!(world.customer_by_email("jo@example.com"), None);
        assert!(!world.apply(Event::CustomerRemoved { id: 456 }));
    }

    #[test]
    fn an_event_for_nothing_is_refused() {
        let mut world = seeded();
        let thread = phone(&world, true);
        assert!(!world.apply(Event::ThreadAdded { conversation: 99, thread }));
        assert!(!world.apply(Event::Locked { id: 99 }));
        assert!(!world.apply(Event::TextPut { conversation: 1, thread: 5, text: "x".into(), at_ms: 0 }));
    }

    #[test]
    fn its_events_make_the_same_world_again() {
        let mut world = seeded();
        assert!(world.apply(Event::Merged { from: 1, into: 2, at_ms: 9 }));
        let mut again = World::empty();
        for event in world.events() {
            assert!(again.apply(event));
        }
        assert_eq!(again, world);
    }
}
