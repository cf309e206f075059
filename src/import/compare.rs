//! What was sent set against what reading back shows, field by field.
//!
//! Only what an answer shows is compared: a field that it leaves out proves nothing. A field that differs has a name, by
//! which a person may accept it (`account.accept`); that a call is not there cannot be accepted.

use std::fmt;

use crate::{
    call::{Moment, Reference},
    helpscout::{Author, Conversation, Thread},
    mapping::plain_text,
};

/// A field that is compared, by the name that people use for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The conversation's inbox.
    Inbox,
    /// Its subject.
    Subject,
    /// Its status.
    Status,
    /// When it was closed.
    ClosedAt,
    /// Its tags.
    Tags,
    /// Who it is assigned to.
    Assignee,
    /// The customer, of the conversation or of a call.
    Customer,
    /// When the conversation or a call began.
    CreatedAt,
    /// What kind of thread a call is.
    Kind,
    /// What is said of a call.
    Text,
    /// Who is shown to have written it.
    Author,
    /// That the call is there at all, and once.
    Call,
}

impl Field {
    /// Those that a person may accept as the service has them.
    pub const ACCEPTABLE: [Self; 11] = [
        Self::Inbox,
        Self::Subject,
        Self::Status,
        Self::ClosedAt,
        Self::Tags,
        Self::Assignee,
        Self::Customer,
        Self::CreatedAt,
        Self::Kind,
        Self::Text,
        Self::Author,
    ];

    /// Its name in `account.accept`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Subject => "subject",
            Self::Status => "status",
            Self::ClosedAt => "closed_at",
            Self::Tags => "tags",
            Self::Assignee => "assignee",
            Self::Customer => "customer",
            Self::CreatedAt => "created_at",
            Self::Kind => "type",
            Self::Text => "text",
            Self::Author => "author",
            Self::Call => "calls",
        }
    }
}

/// A field that is not as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) field: Field,
    /// The place of the call in the request; none for the conversation.
    pub(super) call: Option<usize>,
    /// What is there and what was sent.
    what: String,
}

impl Difference {
    fn new(field: Field, call: Option<usize>, found: impl fmt::Display, sent: impl fmt::Display) -> Self {
        Self { field, call, what: format!("{} is {found}, sent was {sent}", field.word()) }
    }

    /// An append changed the status of its conversation.
    pub(super) fn of_status(now: &str, before: &str) -> Self {
        let what = format!("its conversation's status is {now} and was {before} before");
        Self { field: Field::Status, call: None, what }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// A conversation as it was sent.
#[derive(Debug)]
pub(super) struct SentConversation<'a> {
    pub(super) inbox: u64,
    pub(super) subject: &'a str,
    pub(super) status: &'a str,
    pub(super) created_at: Moment,
    pub(super) closed_at: Option<Moment>,
    pub(super) tags: &'a [String],
    pub(super) assignee: Option<u64>,
    pub(super) customer: Option<u64>,
}

/// A call as it was sent.
#[derive(Debug)]
pub(super) struct SentCall {
    pub(super) reference: Reference,
    /// HTML.
    pub(super) text: String,
    pub(super) created_at: Moment,
    pub(super) customer: Option<u64>,
    /// The user in whose name it was made: the token's owner where no other was named.
    pub(super) author: u64,
}

impl SentConversation<'_> {
    pub(super) fn differences(&self, shown: &Conversation) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut differs = |field, shown: String, sent: String| {
            found.push(Difference::new(field, None, shown, sent));
        };
        if shown.inbox != 0 && shown.inbox != self.inbox {
            differs(Field::Inbox, shown.inbox.to_string(), self.inbox.to_string());
        }
        if !shown.subject.is_empty() && plain_text(&shown.subject).trim() != self.subject.trim() {
            differs(Field::Subject, quoted(&shown.subject), quoted(self.subject));
        }
        if !shown.status.is_empty() && shown.status != self.status {
            differs(Field::Status, shown.status.clone(), self.status.to_owned());
        }
        if let Some(at) = shown.created_at.as_deref().filter(|at| is_other(at, self.created_at)) {
            differs(Field::CreatedAt, at.to_owned(), self.created_at.to_string());
        }
        if let (Some(at), Some(sent)) = (shown.closed_at.as_deref(), self.closed_at)
            && is_other(at, sent)
        {
            differs(Field::ClosedAt, at.to_owned(), sent.to_string());
        }
        if let Some(tags) = &shown.tags {
            let has = |tag: &&String| tags.iter().any(|known| known.to_lowercase() == tag.to_lowercase());
            let missing: Vec<&str> = self.tags.iter().filter(|tag| !has(tag)).map(String::as_str).collect();
            if !missing.is_empty() {
                differs(Field::Tags, quoted(&tags.join(", ")), quoted(&missing.join(", ")));
            }
        }
        if shown.assignee != self.assignee && !(shown.assignee.is_none() && self.assignee.is_some()) {
            differs(Field::Assignee, named(shown.assignee), named(self.assignee));
        }
        if let (Some(shown), Some(sent)) = (shown.customer_id, self.customer)
            && shown != sent
        {
            differs(Field::Customer, shown.to_string(), sent.to_string());
        }
        found
    }
}

/// What differs of `calls`, which are looked for among `threads` by their references.
pub(super) fn differences_of_calls(calls: &[SentCall], threads: &[Thread]) -> Vec<Difference> {
    let plain: Vec<(&Thread, String)> =
        threads.iter().filter_map(|thread| Some((thread, plain_text(thread.body.as_deref()?)))).collect();
    let mut found = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let own: Vec<&(&Thread, String)> =
            plain.iter().filter(|(_, text)| call.reference.is_in(text)).collect();
        match own.as_slice() {
            [] => found.push(Difference::new(Field::Call, Some(index), "not there", "one thread")),
            [(thread, text)] => call.compare(index, thread, text, &mut found),
            several => {
                let count = format!("there {} times", several.len());
                found.push(Difference::new(Field::Call, Some(index), count, "one thread"));
            }
        }
    }
    found
}

impl SentCall {
    fn compare(&self, index: usize, thread: &Thread, text: &str, found: &mut Vec<Difference>) {
        let mut differs = |field, shown: String, sent: String| {
            found.push(Difference::new(field, Some(index), shown, sent));
        };
        if let Some(at) = thread.created_at.as_deref().filter(|at| is_other(at, self.created_at)) {
            differs(Field::CreatedAt, at.to_owned(), self.created_at.to_string());
        }
        if !thread.kind.is_empty() && thread.kind != "phone" {
            differs(Field::Kind, thread.kind.clone(), "phone".to_owned());
        }
        let sent = plain_text(&self.text);
        if folded(text) != folded(&sent) {
            let (shown, sent) = from_first_difference(text, &sent);
            differs(Field::Text, quoted(&shown), quoted(&sent));
        }
        if let (Some(shown), Some(sent)) = (thread.customer_id, self.customer)
            && shown != sent
        {
            differs(Field::Customer, shown.to_string(), sent.to_string());
        }
        if let Some(Author { kind, id }) = &thread.author
            && (kind == "customer" || *id != self.author)
        {
            differs(Field::Author, format!("{kind} {id}"), format!("user {}", self.author));
        }
    }
}

/// Whether a time that the service writes is another than the one sent.
fn is_other(shown: &str, sent: Moment) -> bool {
    Moment::parse_api(shown) != Some(sent)
}

/// Without what the service may do to white space (help-scout-api.md §13).
fn folded(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Two texts from the first word on in which they differ, with two before it.
fn from_first_difference(shown: &str, sent: &str) -> (String, String) {
    let (shown, sent) = (folded(shown), folded(sent));
    let alike = shown.iter().zip(&sent).take_while(|(a, b)| a == b).count().saturating_sub(2);
    let rest = |words: &[&str]| {
        let rest = words.get(alike..).unwrap_or_default().join(" ");
        if alike > 0 { format!("… {rest}") } else { rest }
    };
    (rest(&shown), rest(&sent))
}

fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.lines().map(str::trim).collect::<Vec<_>>().join(" ⏎ ");
    if line.chars().count() <= MOST {
        return format!("`{line}`");
    }
    format!("`{}…`", line.chars().take(MOST).collect::<String>())
}

fn named(user: Option<u64>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| format!("user {user}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::CallKey;

    fn at(text: &str) -> Moment {
        Moment::parse_api(text).unwrap()
    }

    fn tags() -> Vec<String> {
        vec!["Phone-history".to_owned(), "callport".to_owned()]
    }

    fn sent(tags: &[String]) -> SentConversation<'_> {
        SentConversation {
            inbox: 85,
            subject: "Calls & more",
            status: "closed",
            created_at: at("2019-05-01T10:00:00Z"),
            closed_at: Some(at("2019-05-02T10:00:00Z")),
            tags,
            assignee: None,
            customer: Some(456),
        }
    }

    fn shown() -> Conversation {
        Conversation {
            id: 1,
            number: 1,
            inbox: 85,
            subject: "Calls &amp; more".into(),
            status: "closed".into(),
            state: "published".into(),
            customer_id: Some(456),
            assignee: None,
            created_at: Some("2019-05-01T10:00:00Z".into()),
            closed_at: Some("2019-05-02T10:00:00Z".into()),
            tags: Some(vec!["callport".into(), "phone-history".into()]),
        }
    }

    fn call(id: &str) -> SentCall {
        let reference = Reference::new("x", Some(id), CallKey::from_id("x", id));
        SentCall {
            text: format!("Inbound call\n1 &lt; 2\n{reference}"),
            reference,
            created_at: at("2019-05-01T10:00:00Z"),
            customer: Some(456),
            author: 7,
        }
    }

    fn thread(id: &str) -> Thread {
        Thread {
            id: 1,
            kind: "phone".into(),
            body: Some(format!("Inbound call<br />1 &lt; 2 <br>Ref: x {id}")),
            created_at: Some("2019-05-01T10:00:00Z".into()),
            customer_id: Some(456),
            author: Some(Author { kind: "user".into(), id: 7 }),
        }
    }

    fn words(found: &[Difference]) -> Vec<&'static str> {
        found.iter().map(|difference| difference.field.word()).collect()
    }

    #[test]
    fn what_came_as_it_was_sent_differs_in_nothing() {
        let tags = tags();
        assert_eq!(sent(&tags).differences(&shown()), []);
        assert_eq!(differences_of_calls(&[call("1"), call("2")], &[thread("2"), thread("1")]), []);
    }

    #[test]
    fn what_an_answer_leaves_out_proves_nothing() {
        let tags = tags();
        let bare = Conversation {
            inbox: 0,
            subject: String::new(),
            status: String::new(),
            customer_id: None,
            created_at: None,
            closed_at: None,
            tags: None,
            ..shown()
        };
        assert_eq!(sent(&tags).differences(&bare), []);
        let assigned = SentConversation { assignee: Some(3), ..sent(&tags) };
        assert_eq!(assigned.differences(&shown()), [], "an assignee may be left out");
        let bare =
            Thread { kind: String::new(), created_at: None, customer_id: None, author: None, ..thread("1") };
        assert_eq!(differences_of_calls(&[call("1")], &[bare]), []);
    }

    #[test]
    fn every_field_of_a_conversation_is_compared() {
        let tags = tags();
        let other = Conversation {
            inbox: 86,
            subject: "Other".into(),
            status: "active".into(),
            customer_id: Some(457),
            assignee: Some(9),
            created_at: Some("2026-05-01T10:00:00Z".into()),
            closed_at: Some("2026-05-01T10:00:00Z".into()),
            tags: Some(vec!["phone-history".into()]),
            ..shown()
        };
        let found = sent(&tags).differences(&other);
        let all = ["inbox", "subject", "status", "created_at", "closed_at", "tags", "assignee", "customer"];
        assert_eq!(words(&found), all);
        assert_eq!(found[0].to_string(), "inbox is 86, sent was 85");
        assert_eq!(found[6].to_string(), "assignee is user 9, sent was nobody");
    }

    #[test]
    fn every_field_of_a_call_is_compared() {
        let other = Thread {
            kind: "note".into(),
            body: Some("Inbound<br>Ref: x 1".into()),
            created_at: Some("2026-05-01T10:00:00Z".into()),
            customer_id: Some(457),
            author: Some(Author { kind: "customer".into(), id: 457 }),
            ..thread("1")
        };
        let found = differences_of_calls(&[call("1")], &[other]);
        assert_eq!(words(&found), ["created_at", "type", "text", "customer", "author"]);
        assert!(found.iter().all(|difference| difference.call == Some(0)));
        assert_eq!(
            found[2].to_string(),
            "text is `Inbound Ref: x 1`, sent was `Inbound call 1 < 2 Ref: x 1`"
        );
    }

    #[test]
    fn a_call_must_be_there_and_once() {
        let found = differences_of_calls(&[call("1"), call("2")], &[thread("2"), thread("2")]);
        assert_eq!(words(&found), ["calls", "calls"]);
        assert_eq!(found[0].to_string(), "calls is not there, sent was one thread");
        assert_eq!(found[1].to_string(), "calls is there 2 times, sent was one thread");
        assert!(!Field::ACCEPTABLE.contains(&Field::Call));
    }

    #[test]
    fn notes_that_name_another_call_of_the_request_are_no_second_thread_of_it() {
        let naming =
            SentCall { text: format!("Inbound call\nsee\nRef: x 1\n{}", call("2").reference), ..call("2") };
        let shown =
            Thread { body: Some("Inbound call<br>see<br>Ref: x 1<br>Ref: x 2".into()), ..thread("2") };
        assert_eq!(differences_of_calls(&[call("1"), naming], &[shown, thread("1")]), []);
    }

    #[test]
    fn a_difference_behind_the_sixtieth_letter_is_shown() {
        let long = "Inbound call from +1 555 0100 to +1 555 0199, 61 seconds, answered by Ada";
        let sent = SentCall { text: format!("{long}\nall is well\n{}", call("1").reference), ..call("1") };
        let shown = Thread { body: Some(format!("{long}<br>Ref: x 1")), ..thread("1") };
        let found = differences_of_calls(&[sent], &[shown]);
        let told = found[0].to_string();
        let (now, before) = told.split_once(", sent was ").unwrap();
        assert_ne!(now.trim_start_matches("text is "), before, "{told}");
    }
}
