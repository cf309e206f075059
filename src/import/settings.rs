//! What the delivery of calls is told.

use std::time::Duration;

use crate::plan::{PackLimits, PlanRules, WhenAppending};

/// What conversations are made like, and what becomes of calls whose conversation does not take them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSettings {
    /// The status of a new conversation.
    pub status: ConversationStatus,
    /// The user's tags of a new conversation.
    pub tags: Vec<String>,
    /// The tag by which callport finds its conversations again.
    pub import_tag: String,
    /// Who a new conversation is assigned to.
    pub assign_to: AssignTo,
    /// Whether a create request carries up to 100 calls.
    pub pack: bool,
    /// A conversation has room, and a new one would cost less.
    pub when_appending: WhenAppending,
    /// A conversation holds as many threads as it may.
    pub when_full: WhenFull,
    /// The company's policy locks old conversations.
    pub when_locked: WhenLocked,
    /// The conversation was deleted.
    pub when_missing: WhenMissing,
}

impl Default for ConversationSettings {
    fn default() -> Self {
        Self {
            status: ConversationStatus::default(),
            tags: Vec::new(),
            import_tag: "callport".to_owned(),
            assign_to: AssignTo::default(),
            pack: true,
            when_appending: WhenAppending::default(),
            when_full: WhenFull::default(),
            when_locked: WhenLocked::default(),
            when_missing: WhenMissing::default(),
        }
    }
}

impl ConversationSettings {
    /// By what a plan is made.
    pub fn plan_rules(&self) -> PlanRules {
        PlanRules {
            limits: PackLimits::new(self.pack),
            appending: self.when_appending,
            full_rejects: self.when_full == WhenFull::Reject,
        }
    }
}

/// The status of a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConversationStatus {
    /// Done.
    #[default]
    Closed,
    /// To be worked on.
    Active,
    /// Waiting for the customer.
    Pending,
}

impl ConversationStatus {
    /// The service's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Active => "active",
            Self::Pending => "pending",
        }
    }
}

/// Who a conversation is assigned to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AssignTo {
    /// Nobody.
    #[default]
    Nobody,
    /// The agent whose calls it holds, where all are of one who is a user.
    Agent,
    /// The user with this e-mail.
    Email(String),
}

impl AssignTo {
    /// What is said where no user has the e-mail.
    pub(super) fn unknown(email: &str) -> String {
        format!("conversation.assign_to: no user of the account has the e-mail `{email}`")
    }
}

/// What becomes of calls whose conversation is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// They go on in a new conversation.
    #[default]
    Continue,
    /// They are rejected.
    Reject,
}

/// What becomes of calls whose conversation is locked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenLocked {
    /// They go on in a new conversation.
    #[default]
    Continue,
    /// They are rejected.
    Reject,
}

/// What becomes of calls whose conversation was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenMissing {
    /// They are rejected.
    #[default]
    Reject,
    /// They go into a new conversation.
    New,
}

/// How much of the account is used, and how long things are waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// The part of the account's limit to use: a fraction such as `0.8`, or a timetable such as `08:00,0.3 19:00,0.9` in
    /// the order of the day. Checked.
    pub share: String,
    /// How long a lost answer is waited for before its absence can be proven.
    pub settle: Duration,
    /// Without any success for so long, the run stops.
    pub give_up: Duration,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            share: "0.8".to_owned(),
            settle: Duration::from_secs(30),
            give_up: Duration::from_secs(15 * 60),
        }
    }
}

/// Everything that delivering needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverySettings {
    /// What conversations are made like.
    pub conversation: ConversationSettings,
    /// The inbox (id or name) of conversations whose rows name none; may be left out where the account has only one.
    pub inbox: Option<String>,
    /// The inboxes (ids or names) that a row may choose.
    pub inboxes: Vec<String>,
    /// `[source] name`: part of every reference.
    pub source_name: String,
    /// How long a lost answer is waited for before its absence can be proven.
    pub settle: Duration,
    /// Without any success for so long, the run stops.
    pub give_up: Duration,
    /// Whether an empty checkpoint may meet an account that already holds conversations with the import tag.
    pub share_tag: bool,
    /// Whether a user's own template may put a reference amid a line.
    pub amid: bool,
    /// What reading the first requests back may show otherwise than it was sent.
    pub accept: Vec<super::Field>,
    /// Whether a call is rejected whose agent is no user of the account.
    pub rejects_strangers: bool,
    /// Conversations worked on at the same time; found by itself where left out.
    pub workers: Option<usize>,
}
