//! The life of a request, and by it of the calls that it carries.
//!
//! ```text
//! (staged) ─ intent ─▶ Sending ─┬─ landed ──────────────▶ Landed
//!     ▲                         ├─ refused ─────────────▶ Refused
//!     │                         ├─ lost, or a crash ────▶ Unknown ─┬─ found ─▶ Landed
//!     └───── withdrawn ─────────┘                            │     └─ (undecided: looked for again by every run)
//!     └────────────────────── proved absent ─────────────────┘
//! ```
//!
//! A call is *staged* while no request carries it. This is the one function that changes a state; the checkpoint asks it
//! before it writes.

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestState {
    /// Its intent is on disk; it may be on the wire.
    Sending,
    /// It is stored by the service.
    Landed,
    /// It may be stored or not.
    Unknown,
    /// The service refused it, or a rule of ours did.
    Refused,
}

/// What happened to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestEvent {
    /// The service said, or reading back showed, that it is stored.
    Landed,
    /// The service said that it is not stored and will not be.
    Refused,
    /// No answer was read, or the program ended in between.
    Lost,
    /// Nothing can have arrived, or the service said to come again.
    Withdrawn,
    /// Reading back proved that it is not stored.
    ProvedAbsent,
}

/// A change that would lose a call or send it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request that is {from:?} cannot become {event:?}")]
pub struct IllegalChange {
    /// Where it stood.
    pub from: RequestState,
    /// What was claimed to have happened.
    pub event: RequestEvent,
}

impl RequestState {
    /// The state after `event`; `None` where the request ends and its calls are staged again.
    pub fn after(self, event: RequestEvent) -> Result<Option<Self>, IllegalChange> {
        use RequestEvent as Event;
        match (self, event) {
            (Self::Sending | Self::Unknown, Event::Landed) => Ok(Some(Self::Landed)),
            (Self::Sending, Event::Refused) => Ok(Some(Self::Refused)),
            (Self::Sending | Self::Unknown, Event::Lost) => Ok(Some(Self::Unknown)),
            (Self::Sending, Event::Withdrawn) | (Self::Unknown, Event::ProvedAbsent) => Ok(None),
            (from, event) => Err(IllegalChange { from, event }),
        }
    }

    /// As stored.
    pub fn code(self) -> i64 {
        match self {
            Self::Sending => 0,
            Self::Landed => 1,
            Self::Unknown => 2,
            Self::Refused => 3,
        }
    }

    /// From its stored form.
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Sending, Self::Landed, Self::Unknown, Self::Refused]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVENTS: [RequestEvent; 5] = [
        RequestEvent::Landed,
        RequestEvent::Refused,
        RequestEvent::Lost,
        RequestEvent::Withdrawn,
        RequestEvent::ProvedAbsent,
    ];

    proptest! {
        /// Whatever happens in whatever order: what landed stays so, and what may be stored is free to be sent again only
        /// after it was proved absent.
        #[test]
        fn no_path_loses_a_call_or_sends_it_twice(path in proptest::collection::vec(0_usize..5, 0..12)) {
            let mut state = Some(RequestState::Sending);
            let mut may_be_stored = false;
            for event in path.into_iter().map(|index| EVENTS[index]) {
                let Some(now) = state else { break };
                let Ok(next) = now.after(event) else { continue };
                prop_assert!(!matches!(now, RequestState::Landed | RequestState::Refused), "an end is an end");
                may_be_stored |= matches!(event, RequestEvent::Lost | RequestEvent::Landed);
                if next.is_none() {
                    prop_assert!(!may_be_stored || event == RequestEvent::ProvedAbsent);
                }
                if next == Some(RequestState::Refused) {
                    prop_assert!(!may_be_stored);
                }
                state = next;
            }
        }
    }

    #[test]
    fn states_read_back_as_stored() {
        for code in 0..4 {
            assert_eq!(RequestState::from_code(code).map(RequestState::code), Some(code));
        }
        assert_eq!(RequestState::from_code(4), None);
    }
}
