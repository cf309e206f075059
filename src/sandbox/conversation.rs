//! A conversation and its threads, as the service keeps them.
//!
//! Texts are kept as they were sent; newlines become `<br>` only when they are shown. A million threads fit into memory
//! because a thread owns nothing but its text, and the filler of a seed is a count.

use serde::{Deserialize, Serialize};

/// What a thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThreadKind {
    /// A phone call.
    Phone,
    /// A note between agents.
    Note,
    /// A message of the customer.
    Customer,
    /// A chat.
    Chat,
    /// A reply to the customer.
    Reply,
}

impl ThreadKind {
    /// The word for it in a request.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "phone" => Self::Phone,
            "note" => Self::Note,
            "customer" => Self::Customer,
            "chat" => Self::Chat,
            "reply" => Self::Reply,
            _ => return None,
        })
    }

    /// The word for it in an answer, where a reply comes back as a message.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Note => "note",
            Self::Customer => "customer",
            Self::Chat => "chat",
            Self::Reply => "message",
        }
    }

    /// Whether an agent makes such a thread.
    pub(crate) fn is_by_user(self) -> bool {
        matches!(self, Self::Phone | Self::Note | Self::Reply)
    }

    /// Whether the body must name a customer.
    pub(crate) fn needs_customer(self) -> bool {
        matches!(self, Self::Phone | Self::Customer | Self::Chat)
    }

    /// Whether such a thread reopens a closed conversation, unless imported.
    pub(crate) fn reopens(self) -> bool {
        self != Self::Note
    }
}

/// A file at a thread; the data itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The id.
    pub id: u64,
    /// The file's name.
    pub name: String,
    /// The MIME type as given.
    pub mime: String,
    /// The size in bytes of the decoded data.
    pub size: usize,
}

/// One thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The id; rises with the time of insertion.
    pub id: u64,
    /// What it is.
    pub kind: ThreadKind,
    /// The text as sent.
    pub text: Box<str>,
    /// The customer; 0 for none.
    pub customer: u64,
    /// `createdAt`, seconds since 1970.
    pub created: i64,
    /// The user who made it, or the customer for kinds made by customers.
    pub author: u64,
    /// When the request came, in milliseconds since 1970.
    pub inserted_ms: i64,
    /// Whether it was imported.
    pub imported: bool,
    /// Files.
    #[serde(default, skip_serializing_if = "<[Attachment]>::is_empty")]
    pub attachments: Box<[Attachment]>,
}

/// What kind of conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConversationKind {
    /// By e-mail.
    Email,
    /// By chat.
    Chat,
    /// By phone.
    Phone,
}

/// The words for kinds of conversations.
pub(crate) const CONVERSATION_KINDS: &[&str] = &["email", "chat", "phone"];

impl ConversationKind {
    /// By its word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "email" => Self::Email,
            "chat" => Self::Chat,
            "phone" => Self::Phone,
            _ => return None,
        })
    }

    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Chat => "chat",
            Self::Phone => "phone",
        }
    }
}

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Open.
    Active,
    /// Closed.
    Closed,
    /// Waiting.
    Pending,
    /// Spam.
    Spam,
}

/// The words that a request may use for a status.
pub(crate) const STATUSES: &[&str] = &["active", "closed", "open", "pending", "spam"];

impl Status {
    /// By its word; `open` is read as active.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "active" | "open" => Self::Active,
            "closed" => Self::Closed,
            "pending" => Self::Pending,
            "spam" => Self::Spam,
            _ => return None,
        })
    }

    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Closed => "closed",
            Self::Pending => "pending",
            Self::Spam => "spam",
        }
    }
}

/// What a conversation was merged into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// The surviving conversation.
    pub into: u64,
    /// When, in milliseconds since 1970; `None` for a merge of the seed, which never grows old.
    pub at_ms: Option<i64>,
}

/// Threads of a seed, or notes that a person added: counted and listed, but without a text of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filler {
    /// The id of the first; the others follow.
    pub first: u64,
    /// How many.
    pub count: u32,
    /// `createdAt` of them all, seconds since 1970.
    pub created: i64,
    /// The customer of them all.
    pub customer: u64,
    /// Whether they are notes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_notes: bool,
}

/// One conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// The id.
    pub id: u64,
    /// The small number that people see.
    pub number: u64,
    /// What kind.
    pub kind: ConversationKind,
    /// The inbox.
    pub inbox: u64,
    /// The customer.
    pub customer: u64,
    /// The subject.
    pub subject: Box<str>,
    /// Where it stands.
    pub status: Status,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Whether a policy locks it against new threads.
    pub locked: bool,
    /// What it was merged into.
    pub merged: Option<Merge>,
    /// `createdAt`, seconds since 1970.
    pub created: i64,
    /// `closedAt`, seconds since 1970.
    pub closed: Option<i64>,
    /// The tags.
    pub tags: Vec<Box<str>>,
    /// The user who made it.
    pub author: u64,
    /// The user whom it is assigned to.
    pub assignee: Option<u64>,
    /// Whether it was imported.
    pub imported: bool,
    /// How often a thread reopened it after it was closed.
    pub reopened: u32,
    /// When it was last changed, in milliseconds since 1970.
    pub modified_ms: i64,
    /// When it was inserted, in milliseconds since 1970.
    pub inserted_ms: i64,
    /// Threads of the seed.
    pub fillers: Vec<Filler>,
    /// Threads made by requests, in order of insertion.
    pub threads: Vec<Thread>,
}

impl Conversation {
    /// Every stored thread, fillers and notes among them: what the cap counts.
    pub fn stored_threads(&self) -> usize {
        let filler: u64 = self.fillers.iter().map(|filler| u64::from(filler.count)).sum();
        usize::try_from(filler).unwrap_or(usize::MAX).saturating_add(self.threads.len())
    }

    /// What the field `threads` shows, which is not the number of stored ones: notes do not count.
    pub(crate) fn shown_threads(&self) -> usize {
        let by_people: u64 =
            self.fillers.iter().filter(|one| one.is_notes).map(|one| u64::from(one.count)).sum();
        let notes = self.threads.iter().filter(|thread| thread.kind == ThreadKind::Note).count();
        self.stored_threads() - notes - usize::try_from(by_people).unwrap_or(usize::MAX)
    }

    /// Whether requests can still reach it by its own id.
    pub fn is_live(&self) -> bool {
        !self.deleted && self.merged.is_none()
    }

    /// Makes it active again.
    pub(crate) fn reopen(&mut self) {
        self.reopened += u32::from(self.status == Status::Closed);
        self.status = Status::Active;
        self.closed = None;
    }

    /// Whether it was there and live at `at_ms`: what an index as it was then shows. A deleted one never changes again.
    pub(crate) fn was_live(&self, at_ms: i64) -> bool {
        self.inserted_ms <= at_ms
            && !(self.deleted && self.modified_ms <= at_ms)
            && self.merged.is_none_or(|merge| merge.at_ms.is_some_and(|merged_ms| merged_ms > at_ms))
    }
}
