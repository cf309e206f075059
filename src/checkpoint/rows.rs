//! What workers see of the file: queues, conversations, calls, customers and requests, as plain data.

use crate::call::{CallKey, Moment};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// Makes a conversation with its calls.
    Create,
    /// Adds one call to a conversation.
    Append,
    /// Makes a customer.
    Customer,
    /// None was sent, or its calls are out of it: carries the reason why a call was refused.
    Refusal,
    /// Was sent by a checkpoint that is lost: stands for the calls that were found in one conversation.
    Recovered,
}

impl RequestKind {
    pub(super) fn code(self) -> i64 {
        self as i64
    }

    pub(super) fn from_code(code: i64) -> Option<Self> {
        [Self::Create, Self::Append, Self::Customer, Self::Refusal, Self::Recovered]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// What becomes of a conversation that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationState {
    /// Takes calls while it has room.
    Open,
    /// Holds as many threads as it may.
    Full,
    /// The company's policy locks it.
    Locked,
    /// It was deleted.
    Gone,
}

impl ConversationState {
    pub(super) fn code(self) -> i64 {
        self as i64
    }

    pub(super) fn from_code(code: i64) -> Option<Self> {
        [Self::Open, Self::Full, Self::Locked, Self::Gone].into_iter().find(|state| state.code() == code)
    }
}

/// A conversation of Help Scout that a queue fills or filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRow {
    /// Its number here.
    pub id: i64,
    /// Its place among the conversations of its queue, from 1.
    pub part: u32,
    /// Help Scout's id: the survivor's, after a merge.
    pub helpscout_id: u64,
    /// How many threads it holds, as far as we know.
    pub threads: u32,
    /// What becomes of it.
    pub state: ConversationState,
    /// The inbox, where Help Scout was asked.
    pub inbox: Option<u64>,
    /// The subject, where Help Scout was asked.
    pub subject: Option<String>,
}

/// A queue: the calls that share a conversation and its continuations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueState {
    /// Its number.
    pub id: i64,
    /// The conversation that the rows name.
    pub existing: Option<u64>,
    /// The inbox as the configuration names it.
    pub inbox: String,
    /// The subject of new conversations.
    pub subject: String,
    /// Its newest conversation.
    pub newest: Option<ConversationRow>,
    /// The subject and inbox of its first conversation, for continuations of one that existed.
    pub first: Option<ConversationRow>,
}

/// Everything that a worker begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStart {
    /// The queue.
    pub queue: QueueState,
    /// Its requests whose fate is open.
    pub unknown: Vec<UnknownRequest>,
    /// The first calls that wait.
    pub calls: Vec<WaitingCall>,
    /// The customers of these calls.
    pub customers: Vec<CustomerRow>,
}

/// A call that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingCall {
    /// Its number.
    pub id: i64,
    /// Its key.
    pub key: CallKey,
    /// The previous platform's id.
    pub source_id: Option<String>,
    /// When it began.
    pub started_at: Moment,
    /// Its customer's number here.
    pub customer: i64,
    /// Its agent's number here, where the agent is known by an e-mail.
    pub agent: Option<i64>,
    /// The bytes of JSON that its thread takes.
    pub size: u32,
    /// Its text, with the slot for the reference.
    pub text: String,
}

/// A customer, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRow {
    /// Its number here.
    pub id: i64,
    /// Help Scout's id.
    pub helpscout_id: Option<u64>,
    /// The e-mail.
    pub email: Option<String>,
    /// The number.
    pub phone: Option<String>,
    /// The other fields by the service's names.
    pub fields: Vec<(&'static str, String)>,
    /// Whether Help Scout is known to have the customer, so that two requests at a time may name it.
    pub confirmed: bool,
}

/// A request that is about to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest {
    /// What it does.
    pub kind: RequestKind,
    /// The run that sends it.
    pub run: i64,
    /// Whose calls it carries.
    pub queue: Option<i64>,
    /// The conversation that it adds to.
    pub conversation: Option<i64>,
    /// The customer that it makes.
    pub customer: Option<i64>,
    /// The calls that it carries, in order.
    pub calls: Vec<i64>,
    /// When.
    pub sent_at: Moment,
    /// Whether that is by the service's clock.
    pub dated: bool,
}

/// Why a request that is stored for certain counts as open all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// What it made was not read back yet.
    Unread,
    /// What it made is not what was sent.
    Differs,
}

/// A request whose fate is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRequest {
    /// Its number.
    pub id: i64,
    /// What it does.
    pub kind: RequestKind,
    /// Whose calls it carries.
    pub queue: Option<i64>,
    /// The conversation that it adds to.
    pub conversation: Option<ConversationRow>,
    /// The customer that it makes.
    pub customer: Option<i64>,
    /// When it left.
    pub sent_at: Moment,
    /// Whether that is by the service's clock.
    pub dated: bool,
    /// The greatest id of a conversation that we knew when it left: what it made has a greater one.
    pub mark: u64,
    /// What it carries, in order.
    pub calls: Vec<CarriedCall>,
    /// Whether the service confirmed it.
    pub stored: bool,
    /// What it made, where it is held: a conversation's id, or a thread's (0: not told).
    pub resource: Option<u64>,
    /// Why it is held, where it is.
    pub held: Option<Held>,
    /// Why its fate is open.
    pub why: Option<String>,
}

/// A call of a request whose fate is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedCall {
    /// Its number.
    pub id: i64,
    /// Its key.
    pub key: CallKey,
    /// The previous platform's id.
    pub source_id: Option<String>,
    /// When it began.
    pub started_at: Moment,
}
