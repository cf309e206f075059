//! A call on its way into the file. What can be worked out of it alone is worked out here, by whoever makes it, so that
//! the one who writes has only to write.

use crate::call::{Call, CustomerKey, Destination, stable_digest, text_fingerprint};

/// One call, with all that can be worked out of it before it is written.
#[derive(Debug, Clone)]
pub struct StagedCall {
    pub(super) call: Call,
    /// The bytes of JSON that its thread takes.
    pub(super) size: u32,
    /// The row as it was read, where its input cannot be read again.
    pub(super) raw: Option<String>,
    pub(super) fingerprint: i64,
    /// What its queue is known by.
    pub(super) queue: [u8; 16],
    /// What its customer is known by.
    pub(super) customer: [u8; 16],
}

impl StagedCall {
    /// Works out what the file needs of `call`, whose thread takes `size` bytes of JSON. `raw` is its row, where its
    /// input cannot be read again.
    pub fn new(call: Call, size: u32, raw: Option<String>) -> Self {
        let queue = match &call.destination {
            Destination::Existing(id) => stable_digest(&[b"existing", &id.to_be_bytes()]),
            Destination::Grouped { inbox, group, .. } => group_key(inbox, group),
        };
        let customer = customer_key(call.customer.key().as_ref());
        Self { fingerprint: text_fingerprint(&call.text), queue, customer, call, size, raw }
    }

    /// What its text is known by.
    pub fn fingerprint(&self) -> i64 {
        self.fingerprint
    }
}

/// What a customer is known by.
pub(super) fn customer_key(key: Option<&CustomerKey>) -> [u8; 16] {
    let canonical = key.map(CustomerKey::canonical).unwrap_or_default();
    stable_digest(&[b"customer", canonical.as_bytes()])
}

/// What the queue of a group in an inbox is known by.
pub(super) fn group_key(inbox: &str, group: &str) -> [u8; 16] {
    stable_digest(&[b"group", inbox.as_bytes(), group.as_bytes()])
}
