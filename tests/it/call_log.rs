//! A call log made for a test: regular calls under callport's own column names.

use std::fmt::Write;

use callport::call::Moment;
use serde_json::{Value, json};

/// 1 January 2019.
const BEGIN: i64 = 1_546_300_800;

/// Calls in a row, an hour apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallLog {
    rows: Vec<String>,
}

impl CallLog {
    /// `calls` calls of `customers` customers in turn; their ids are `c0000`, `c0001`, ….
    pub(crate) fn of(calls: usize, customers: usize) -> Self {
        Self::numbered(0..calls, customers, |_| None)
    }

    /// The same, each customer's calls into the existing conversation of the same number in [`seed`].
    pub(crate) fn into_existing(calls: usize, customers: usize) -> Self {
        Self::numbered(0..calls, customers, |customer| Some(1_000 + customer))
    }

    /// Calls with these numbers.
    pub(crate) fn numbered(
        numbers: std::ops::Range<usize>,
        customers: usize,
        conversation: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let rows = numbers.map(|number| {
            let customer = number % customers;
            let conversation = conversation(customer).map(|id| id.to_string()).unwrap_or_default();
            let (started, seconds) = (started_at(number), 30 + number % 600);
            format!(
                "{},{started},{seconds},inbound,+155501{:02},+15550199,c{customer}@example.com,{conversation},\"note {number},\nsecond line\"",
                id(number),
                customer % 100
            )
        });
        Self { rows: rows.collect() }
    }

    /// With the calls of `other` behind.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        self
    }

    /// In another order, always the same one.
    pub(crate) fn shuffled(mut self) -> Self {
        let mut chance: u64 = 7;
        for last in (1..self.rows.len()).rev() {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let other = usize::try_from(chance >> 33).unwrap() % (last + 1);
            self.rows.swap(last, other);
        }
        self
    }

    pub(crate) fn csv(&self) -> String {
        let mut text =
            "id,started_at,duration,direction,from,to,customer.email,conversation_id,notes\n".to_owned();
        for row in &self.rows {
            writeln!(text, "{row}").unwrap();
        }
        text
    }

    /// The references of all calls, in order.
    pub(crate) fn references(&self) -> Vec<String> {
        let ids = self.rows.iter().map(|row| row.split(',').next().unwrap_or_default().to_owned());
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        ids
    }
}

/// The id of the call with this number.
pub(crate) fn id(number: usize) -> String {
    format!("c{number:04}")
}

/// When the call with this number began.
pub(crate) fn started_at(number: usize) -> String {
    let hours = i64::try_from(number).unwrap();
    Moment::from_epoch_seconds(BEGIN + 3_600 * hours).unwrap().to_string()
}

/// A world with one closed conversation of `threads` threads for each customer of [`CallLog::into_existing`].
pub(crate) fn seed(customers: usize, threads: usize) -> Value {
    let people = (0..customers).map(|n| json!({"id": 5_000 + n, "emails": [format!("c{n}@example.com")]}));
    let conversations = (0..customers).map(|n| {
        json!({
            "id": 1_000 + n, "inbox": 85, "customer": 5_000 + n, "subject": "Old", "status": "closed",
            "createdAt": "2018-05-01T10:00:00Z", "threads": threads,
        })
    });
    json!({
        "inboxes": [{"id": 85, "name": "Support", "email": "support@example.com"}],
        "customers": people.collect::<Vec<_>>(),
        "conversations": conversations.collect::<Vec<_>>(),
    })
}
