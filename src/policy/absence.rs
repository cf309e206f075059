//! When a request whose answer was lost may be called absent.
//!
//! *Append*: two complete listings of the conversation, `settle` apart, the first after the attempt ended, without it. The
//! thread list has no lag that anybody reported (help-scout-api.md §6).
//!
//! *Create* (of a conversation or a customer): list and search lag behind by a time that no document states (§7). At least
//! `settle` has passed since the attempt ended, something that we made later still (by more than `settle`, because a
//! request may be stored that late) is visible in the same list, so that the index has come that far, and two looks
//! missed it. Where nothing later was made, ten times the longest lag that this run
//! measured stands in for it, ten minutes where none was measured.
//!
//! The risk that remains: an index need not be monotonic, and a request may be committed later than all of this. Nothing
//! that the API offers closes that gap; the longer `settle`, the smaller it is.

use std::time::Duration;

/// One look for a request that did not find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How long after the attempt ended the look began.
    pub after: Duration,
    /// Whether something that we made more than `settle` after the attempt ended was visible in the same list.
    pub later_one_visible: bool,
}

/// What kind of look the request needs, and what is known of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// A listing without lag.
    Listing,
    /// A list that lags.
    Index {
        /// The longest lag measured in this run.
        longest_lag: Option<Duration>,
    },
}

/// What follows from the looks so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Not known yet: look again when so much has passed since the attempt ended.
    LookAgain(Duration),
    /// It is not there.
    Proved {
        /// Whether only a wait stands in for a later one that is visible: worth a warning.
        by_waiting: bool,
    },
}

/// The wait where no lag was measured.
const UNMEASURED: Duration = Duration::from_secs(600);

/// What follows from `looks` (in their order, all without a find).
pub fn next_look(evidence: Evidence, settle: Duration, looks: &[Look]) -> Absence {
    let Some(last) = looks.last() else { return Absence::LookAgain(Duration::ZERO) };
    match evidence {
        Evidence::Listing => {
            let due = looks[0].after + settle;
            if looks.len() >= 2 && last.after >= due { PROVED } else { Absence::LookAgain(due) }
        }
        Evidence::Index { longest_lag } => of_index(longest_lag, settle, looks, *last),
    }
}

const PROVED: Absence = Absence::Proved { by_waiting: false };

fn of_index(longest_lag: Option<Duration>, settle: Duration, looks: &[Look], last: Look) -> Absence {
    let late = looks.iter().filter(|look| look.after >= settle).count();
    let with_later_one = looks.iter().filter(|look| look.after >= settle && look.later_one_visible).count();
    if late >= 2 && with_later_one >= 1 && last.later_one_visible {
        return PROVED;
    }
    let patience = longest_lag.map_or(UNMEASURED, |lag| lag.saturating_mul(10).max(settle * 2));
    if late >= 2 && last.after >= patience {
        return Absence::Proved { by_waiting: true };
    }
    if late == 0 {
        return Absence::LookAgain(settle);
    }
    // Often enough to end soon after the index has come that far, rarely enough to cost little of the limit.
    let gap = (settle / 2).max(last.after / 4);
    let next = last.after + gap;
    Absence::LookAgain(if last.after < patience {
        next.min(patience.max(last.after + settle / 4))
    } else {
        next
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SETTLE: Duration = Duration::from_secs(30);

    fn look(seconds: u64, later_one_visible: bool) -> Look {
        Look { after: Duration::from_secs(seconds), later_one_visible }
    }

    fn seconds(seconds: u64) -> Absence {
        Absence::LookAgain(Duration::from_secs(seconds))
    }

    #[test]
    fn an_append_needs_two_listings_settle_apart() {
        assert_eq!(next_look(Evidence::Listing, SETTLE, &[]), seconds(0));
        assert_eq!(next_look(Evidence::Listing, SETTLE, &[look(1, false)]), seconds(31));
        assert_eq!(next_look(Evidence::Listing, SETTLE, &[look(1, false), look(20, false)]), seconds(31));
        assert_eq!(next_look(Evidence::Listing, SETTLE, &[look(1, false), look(31, false)]), PROVED);
    }

    #[test]
    fn a_create_needs_settle_two_looks_and_a_later_one_in_sight() {
        let index = Evidence::Index { longest_lag: None };
        assert_eq!(next_look(index, SETTLE, &[look(0, true)]), seconds(30));
        assert_eq!(next_look(index, SETTLE, &[look(0, true), look(30, true)]), seconds(45));
        assert_eq!(next_look(index, SETTLE, &[look(0, true), look(30, true), look(45, true)]), PROVED);
        assert_eq!(next_look(index, SETTLE, &[look(30, true), look(45, false)]), seconds(60));
    }

    #[test]
    fn without_a_later_one_only_a_long_wait_proves_it() {
        let index = Evidence::Index { longest_lag: None };
        let looks: Vec<Look> = (1..40).map(|n| look(n * 15, false)).collect();
        assert!(matches!(next_look(index, SETTLE, &looks), Absence::LookAgain(_)));
        let proved = Absence::Proved { by_waiting: true };
        assert_eq!(next_look(index, SETTLE, &[look(300, false), look(600, false)]), proved);
        let measured = Evidence::Index { longest_lag: Some(Duration::from_secs(8)) };
        assert_eq!(next_look(measured, SETTLE, &[look(30, false), look(80, false)]), proved);
        assert!(matches!(
            next_look(measured, SETTLE, &[look(30, false), look(79, false)]),
            Absence::LookAgain(_)
        ));
    }

    proptest! {
        /// Looking when it is told to comes to an end, and each look lies ahead of the last.
        #[test]
        fn looking_ends(settle in 1_u64..120, lag in proptest::option::of(0_u64..600), append: bool, seen: bool) {
            let settle = Duration::from_secs(settle);
            let evidence = if append {
                Evidence::Listing
            } else {
                Evidence::Index { longest_lag: lag.map(Duration::from_secs) }
            };
            let mut looks: Vec<Look> = Vec::new();
            for _ in 0..100 {
                match next_look(evidence, settle, &looks) {
                    Absence::Proved { .. } => {
                        prop_assert!(looks.len() >= 2);
                        prop_assert!(looks.last().unwrap().after >= settle);
                        return Ok(());
                    }
                    Absence::LookAgain(after) => {
                        prop_assert!(looks.last().is_none_or(|last| after > last.after));
                        looks.push(Look { after, later_one_visible: seen });
                    }
                }
            }
            prop_assert!(false, "never proved: {looks:?}");
        }
    }
}
