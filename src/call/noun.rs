//! A call, ready to be staged.

use super::{CallKey, Customer, Moment};

/// Stands in a text where the call's reference goes; control characters are removed from what is read, so that no
/// source can hold it. The reference of a call without an id is known only once its file is read to the end, because
/// calls that are alike are numbered.
pub const REFERENCE_SLOT: char = '\u{0}';

/// One call of the previous platform, interpreted: everything that the service will be told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What it is known by.
    pub identity: Identity,
    /// When it began.
    pub started_at: Moment,
    /// When the record last changed, in milliseconds since 1970: the newest wins where an id repeats.
    pub updated_at: Option<i64>,
    /// Whose history it belongs to.
    pub customer: Customer,
    /// The e-mail of the agent whose call it was, where the agent is known by one.
    pub agent: Option<String>,
    /// Where it goes.
    pub destination: Destination,
    /// The thread's text, HTML, with [`REFERENCE_SLOT`] where the reference goes.
    pub text: String,
}

/// What a call is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The id of the previous platform.
    pub id: Option<String>,
    /// Of the id; else of the content, where calls that are alike share it until they are numbered.
    pub key: CallKey,
}

/// Which conversation a call belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A conversation that exists in Help Scout.
    Existing(u64),
    /// A conversation that callport makes, shared by the calls of one inbox and group.
    Grouped {
        /// The inbox as the configuration names it (id or name); empty where there is only one.
        inbox: String,
        /// What the calls of one conversation share.
        group: String,
        /// The subject of a new conversation.
        subject: String,
    },
}
