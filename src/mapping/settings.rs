//! What a mapping is told.

use std::{collections::BTreeMap, sync::Arc};

use super::{agents::AgentSettings, excluded::Excluded, forms::Forms, people::People};
use crate::call::{Moment, Zone};

/// How rows are read as calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MappingSettings {
    /// `[source] name`: part of what a call is known by.
    pub source_name: String,
    /// What feeds each field, by the field's dotted name (`call.started_at`, `customer.email`, `conversation.id`).
    pub fields: BTreeMap<String, Feed>,
    /// Whether fields that `fields` leaves out are fed by columns that bear their names.
    pub by_own_names: bool,
    /// The zone of times without an offset.
    pub time_zone: Option<Zone>,
    /// How values are read that do not say it themselves.
    pub forms: Forms,
    /// Words that mean that nothing is given, whatever their case.
    pub nothing: Vec<String>,
    /// What the values of a field become, by the field's dotted name; `*` stands for every other value.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// The company's own numbers: never the customer's.
    pub own_numbers: Vec<String>,
    /// `[source] skip`: a template; where it renders to `true` the row is left out and counted as skipped.
    pub skip: Option<String>,
    /// Only calls that started at or after this moment.
    pub since: Option<Moment>,
    /// Only calls that started before this moment.
    pub until: Option<Moment>,
    /// Callers with a number but no id and no e-mail.
    pub unknown: UnknownCaller,
    /// The people of the user's directory.
    pub directory: Arc<People>,
    /// The customers of the account, as `callport pull` wrote them.
    pub account: Arc<People>,
    /// Numbers of several customers.
    pub ambiguous: Ambiguous,
    /// People whose calls must not be imported.
    pub excluded: Arc<Excluded>,
    /// Calls whose far end shows no number.
    pub hidden: HiddenCaller,
    /// Whose calls they are.
    pub agents: AgentSettings,
    /// `customer`, `call` or a template.
    pub group_by: String,
    /// The subject's template.
    pub subject: String,
    /// Which inbox.
    pub inbox: InboxSettings,
    /// The text's template; the default text where it is left out.
    pub text: Option<String>,
    /// What a reader must know of recording links, such as "needs a login".
    pub recording_caution: Option<String>,
}

/// Where the value of a field comes from: the first of these that gives one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feed {
    /// Columns' names (in JSON keys or paths) or templates.
    pub sources: Vec<String>,
    /// Whether a column may be missing from the file, as it may where a preset names it.
    pub may_be_absent: bool,
}

impl From<&str> for Feed {
    fn from(source: &str) -> Self {
        Self { sources: vec![source.to_owned()], may_be_absent: false }
    }
}

/// What becomes of a caller who has a number but no id and no e-mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownCaller {
    /// A customer is made.
    #[default]
    Create,
    /// The row is rejected.
    Reject,
}

/// What becomes of a caller whose number is several customers'.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ambiguous {
    /// The row is rejected.
    #[default]
    Reject,
    /// The first of them is taken: in the order of the directory, or of the account's ids.
    First,
}

/// What becomes of a caller who shows no number either.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HiddenCaller {
    /// The row is rejected.
    #[default]
    Reject,
    /// The call goes to this customer.
    Customer(u64),
}

/// Which inbox a new conversation belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboxSettings {
    /// Id or name; may be left out where the account has only one.
    pub inbox: Option<String>,
    /// The field of the call (`line`), column or template that chooses the inbox by `table`.
    pub by: Option<String>,
    /// Value to inbox (id or name).
    pub table: BTreeMap<String, String>,
    /// The inbox (id or name) of values that the table does not hold; such rows are rejected where it is left out.
    pub otherwise: Option<String>,
}

impl InboxSettings {
    /// The inboxes that a row may choose.
    pub fn chosen(&self) -> impl Iterator<Item = &String> {
        self.table.values().chain(&self.otherwise)
    }
}
