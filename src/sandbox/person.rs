//! What people do in Help Scout while a client works: without any request of the API, and at any time.

use super::conversation::Filler;
use super::world::{Event, World};

/// Most threads that a conversation holds.
const CAP: usize = 100;

/// An act of a person on a conversation. What is not there, or not live, is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonAct {
    /// Merges it into another one.
    Merge {
        /// What is merged.
        from: u64,
        /// Into which; `None` for a new one.
        into: Option<u64>,
    },
    /// Deletes it.
    Delete {
        /// Which.
        id: u64,
    },
    /// Locks it, as a policy does.
    Lock {
        /// Which.
        id: u64,
    },
    /// Adds notes to it, as far as there is room.
    Fill {
        /// Which.
        id: u64,
        /// How many.
        notes: u32,
    },
}

impl PersonAct {
    /// What changes by it.
    pub(crate) fn events(self, world: &World, now_ms: i64) -> Vec<Event> {
        let (Self::Merge { from: id, .. } | Self::Delete { id } | Self::Lock { id } | Self::Fill { id, .. }) =
            self;
        let Some(one) = world.conversation(id).filter(|one| one.is_live()) else { return Vec::new() };
        match self {
            Self::Lock { .. } => vec![Event::Locked { id }],
            Self::Delete { .. } => vec![Event::ConversationDeleted { id, at_ms: now_ms }],
            Self::Merge { into: Some(into), .. } => vec![Event::Merged { from: id, into, at_ms: now_ms }],
            Self::Merge { into: None, .. } => {
                let mut survivor = one.clone();
                survivor.id = world.next().conversation;
                survivor.number = world.next().number;
                survivor.inserted_ms = now_ms;
                survivor.threads.clear();
                survivor.fillers.clear();
                let into = survivor.id;
                vec![
                    Event::ConversationAdded(Box::new(survivor)),
                    Event::Merged { from: id, into, at_ms: now_ms },
                ]
            }
            Self::Fill { notes, .. } => {
                let room = u32::try_from(CAP.saturating_sub(one.stored_threads())).unwrap_or(0);
                if notes.min(room) == 0 {
                    return Vec::new();
                }
                let notes = Filler {
                    first: world.next().thread,
                    count: notes.min(room),
                    created: now_ms.div_euclid(1000),
                    customer: one.customer,
                    is_notes: true,
                };
                vec![Event::NotesAdded { id, notes, at_ms: now_ms }]
            }
        }
    }
}
