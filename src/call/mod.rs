//! The nouns of the product: a row of an export, the call it tells of, the customer it belongs to.
//!
//! Everything here is plain data. Nothing reads a file, a clock or the network, so that every rule about a call can be
//! tried in a unit test.

mod customer;
mod field_rules;
mod key;
mod moment;
mod noun;
mod position;
mod record;
mod rejection;
mod row;

pub use customer::{Customer, CustomerKey, FoundBy};
pub use field_rules::{FIELD_RULES, FieldFault, FieldRule, Rule, check_field};
pub use key::{CallKey, Reference, stable_digest, text_fingerprint};
pub use moment::{ApiTime, CivilTime, LocalReading, Moment, Zone, ZoneFault};
pub use noun::{Call, Destination, Identity, REFERENCE_SLOT};
pub use position::Position;
pub use record::{AGENT_SLOT, CallGroup, CallRecord, LEGS_SLOT, Leg, MOST_LEGS, join_legs};
pub use rejection::{Fault, FaultKind, Rejection, Warning};
pub use row::{Cells, Headings, Row};
