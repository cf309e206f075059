//! A record that may share its call with others, on its way into the file: with all that can be worked out of it alone.

use super::record_form;
use crate::call::{CallGroup, CallKey, CallRecord, Leg, Moment, stable_digest};

/// One record, ready to be kept until the input is read to its end.
#[derive(Debug, Clone)]
pub struct StagedRecord {
    pub(super) group: CallGroup,
    pub(super) is_root: bool,
    /// Of its call, else of its id.
    pub(super) key: Option<CallKey>,
    /// Whether it has an id.
    pub(super) named: bool,
    pub(super) started_at: Option<Moment>,
    pub(super) updated_at: Option<i64>,
    pub(super) leg: Leg,
    pub(super) state: RecordState,
    /// Equal for records that say the same.
    pub(super) content: i64,
    /// Its call, else what is wrong with it.
    pub(super) body: String,
    /// The bytes of JSON that its thread takes without the lines of others.
    pub(super) size: u32,
    /// The row as it was read, where its input cannot be read again.
    pub(super) raw: Option<String>,
    /// Whether its row is known to name somebody who is barred, although it tells of no customer.
    pub(super) is_barred: bool,
}

/// What a record could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordState {
    /// A call: it has all that one needs.
    Whole,
    /// A leg of one.
    Lacking,
    /// Nothing: it is rejected whatever the others say.
    Wrong,
}

impl StagedRecord {
    /// Works out what the file needs of `record`, whose thread takes `size` bytes of JSON (0 where it is no whole call).
    /// `raw` is its row, where its input cannot be read again.
    pub fn new(record: CallRecord, size: u32, raw: Option<String>) -> Self {
        let is_root = record.is_root();
        let body = record_form::write(&record.call);
        let CallRecord { group, key, updated_at, leg, call, is_wrong } = record;
        let content = content_of(key, &leg, &body);
        let named = key.is_some();
        let key = key.or(call.as_ref().ok().map(|call| call.identity.key));
        let state = match call {
            Ok(_) => RecordState::Whole,
            Err(_) if is_wrong => RecordState::Wrong,
            Err(_) => RecordState::Lacking,
        };
        let started_at = leg.started_at;
        let is_barred = false;
        Self {
            group,
            is_root,
            key,
            named,
            started_at,
            updated_at,
            leg,
            state,
            content,
            body,
            size,
            raw,
            is_barred,
        }
    }

    /// Leaves the rows of its call out: its row names somebody who is barred.
    pub fn bar(&mut self) {
        self.is_barred = true;
    }
}

fn content_of(key: Option<CallKey>, leg: &Leg, body: &str) -> i64 {
    let key = key.map(CallKey::to_bytes);
    let start = leg.started_at.map(|moment| moment.epoch_seconds().to_be_bytes());
    let parts: [&[u8]; 5] = [
        key.as_ref().map_or(&[], |key| key.as_slice()),
        start.as_ref().map_or(&[], |start| start.as_slice()),
        leg.told.as_bytes(),
        leg.agent.as_deref().unwrap_or_default().as_bytes(),
        body.as_bytes(),
    ];
    let digest = stable_digest(&parts);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(bytes)
}
