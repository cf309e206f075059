//! What was asked of the sandbox, counted for tests and for the person who watches.

use std::collections::BTreeMap;

use super::route::{Method, RequestKind};

/// Counts since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Every request, refused ones and those for tokens too.
    pub requests: u64,
    /// Requests that may change something.
    pub writes: u64,
    /// Requests answered 429 by the limit.
    pub throttled: u64,
    /// Units used, by the minute since 1970.
    pub units: BTreeMap<i64, u64>,
    /// Requests by method and kind.
    pub by_kind: BTreeMap<(Method, RequestKind), u64>,
}

impl Tally {
    pub(crate) fn count(&mut self, method: Method, kind: RequestKind) {
        self.requests += 1;
        self.writes += u64::from(kind.is_write());
        *self.by_kind.entry((method, kind)).or_default() += 1;
    }

    pub(crate) fn use_units(&mut self, units: u32, now_ms: i64) {
        *self.units.entry(now_ms.div_euclid(60_000)).or_default() += u64::from(units);
    }

    /// Requests of one kind.
    pub fn of(&self, kind: RequestKind) -> u64 {
        self.by_kind.iter().filter(|((_, counted), _)| *counted == kind).map(|(_, count)| count).sum()
    }

    /// All units used.
    pub fn total_units(&self) -> u64 {
        self.units.values().sum()
    }
}

/// A thread that a request stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AcceptedThread {
    /// The thread.
    pub thread: u64,
    /// The conversation that holds it now.
    pub conversation: u64,
    /// Its text as sent.
    pub text: String,
    /// Whether it was imported.
    pub imported: bool,
    /// `createdAt`, seconds since 1970.
    pub created: i64,
    /// The customer; 0 for none.
    pub customer: u64,
}
