//! What an import told while it worked.

use std::sync::{Mutex, PoisonError};

use callport::import::{EventSink, ImportEvent};

/// Keeps what was told.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    events: Mutex<Vec<ImportEvent>>,
}

impl EventSink for Recorder {
    fn emit(&self, event: ImportEvent) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

impl Recorder {
    /// The lines of the rejected rows with the reasons, in the order told.
    pub(super) fn rejected(&self) -> Vec<(u64, String)> {
        self.gather(|event| match event {
            ImportEvent::Rejected(row) => Some((row.position.line, row.rejection.to_string())),
            _ => None,
        })
    }

    /// How many calls landed.
    pub(super) fn landed(&self) -> u64 {
        self.gather(|event| if let ImportEvent::Landed { calls } = event { Some(*calls) } else { None })
            .iter()
            .sum()
    }

    /// How many requests were lost.
    pub(super) fn lost(&self) -> usize {
        self.gather(|event| matches!(event, ImportEvent::Lost { .. }).then_some(())).len()
    }

    fn gather<T>(&self, pick: impl Fn(&ImportEvent) -> Option<T>) -> Vec<T> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(pick).collect()
    }
}
