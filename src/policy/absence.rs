//! When a request whose answer was lost may be called absent.
//!
//! A look counts only if its listing was complete. One whose pages shifted while they were read is *unclear*: it proves
//! nothing, and where nearly all looks are so the request stays open.
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
    /// What it saw instead.
    pub saw: Saw,
}

/// What a look saw that did not find the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saw {
    /// A listing that shifted while it was read.
    Unclear,
    /// Everything else that is listed.
    Others {
        /// Whether something that we made more than `settle` after the attempt ended was among it.
        later_one: bool,
    },
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
    /// It cannot be told now: what is listed shifts too often.
    Unclear,
    /// It is not there.
    Proved {
        /// Whether only a wait stands in for a later one that is visible: worth a warning.
        by_waiting: bool,
    },
}

/// The wait where no lag was measured.
const UNMEASURED: Duration = Duration::from_secs(600);
/// So many unclear looks are enough.
const MOST_UNCLEAR: usize = 12;
/// The least time between two looks of which one was unclear.
const LEAST_GAP: Duration = Duration::from_secs(1);

/// A look at a complete listing.
#[derive(Debug, Clone, Copy)]
struct Clear {
    after: Duration,
    later_one: bool,
}

/// What follows from `looks` (in their order, all without a find).
pub fn next_look(evidence: Evidence, settle: Duration, looks: &[Look]) -> Absence {
    let clear: Vec<Clear> = looks.iter().filter_map(Look::clear).collect();
    let next = match (evidence, clear.as_slice()) {
        (_, []) => Absence::LookAgain(Duration::ZERO),
        (Evidence::Listing, [first, .., last]) if last.after >= first.after + settle => PROVED,
        (Evidence::Listing, [first, ..]) => Absence::LookAgain(first.after + settle),
        (Evidence::Index { longest_lag }, [.., last]) => of_index(longest_lag, settle, &clear, *last),
    };
    let (Absence::LookAgain(after), Some(last)) = (next, looks.last()) else { return next };
    if looks.len() - clear.len() >= MOST_UNCLEAR {
        return Absence::Unclear;
    }
    // The last one, if it was unclear, may have been due already.
    let is_due = after <= last.after;
    Absence::LookAgain(if is_due { last.after + (settle / 2).max(LEAST_GAP) } else { after })
}

impl Look {
    fn clear(&self) -> Option<Clear> {
        match self.saw {
            Saw::Unclear => None,
            Saw::Others { later_one } => Some(Clear { after: self.after, later_one }),
        }
    }
}

const PROVED: Absence = Absence::Proved { by_waiting: false };

fn of_index(longest_lag: Option<Duration>, settle: Duration, looks: &[Clear], last: Clear) -> Absence {
    let late = looks.iter().filter(|look| look.after >= settle).count();
    if late >= 2 && last.later_one {
        return PROVED;
    }
    let patience = longest_lag.map_or(UNMEASURED, |lag| lag.saturating_mul(10).max(settle * 2));
    if late >= 2 && last.after >= patience {
        return Absence::Proved { by_waiting: true };
    }
    if late == 0 {
        return Absence::LookAgain(settle);
    }
    // Often enough to end soon after the index has come that far, rarely enough to cost little of the limit. Only the time
    // since the first look counts: an attempt of last month is no reason to wait for a week.
    let looking = looks.first().map_or(Duration::ZERO, |first| last.after.saturating_sub(first.after));
    let gap = (settle / 2).max(looking / 4);
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

    fn look(seconds: u64, later_one: bool) -> Look {
        Look { after: Duration::from_secs(seconds), saw: Saw::Others { later_one } }
    }

    #[test]
    fn what_was_lost_long_ago_is_looked_for_twice_within_a_settle() {
        const MONTH: u64 = 30 * 86_400;
        let index = Evidence::Index { longest_lag: None };
        assert_eq!(
            next_look(index, SETTLE, &[look(MONTH, false)]),
            Absence::LookAgain(Duration::from_secs(MONTH + 15))
        );
        assert_eq!(
            next_look(index, SETTLE, &[look(MONTH, false), look(MONTH + 15, false)]),
            Absence::Proved { by_waiting: true }
        );
    }

    fn unclear(seconds: u64) -> Look {
        Look { after: Duration::from_secs(seconds), saw: Saw::Unclear }
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
    fn an_unclear_look_proves_nothing_and_is_repeated_soon() {
        assert_eq!(next_look(Evidence::Listing, SETTLE, &[unclear(1)]), seconds(16));
        assert_eq!(next_look(Evidence::Listing, SETTLE, &[unclear(1), look(16, false)]), seconds(46));
        let looks = [look(1, false), unclear(31)];
        assert_eq!(next_look(Evidence::Listing, SETTLE, &looks), seconds(46));
        assert_eq!(next_look(Evidence::Listing, SETTLE, &[looks[0], looks[1], look(46, false)]), PROVED);
        let index = Evidence::Index { longest_lag: None };
        assert_eq!(next_look(index, SETTLE, &[look(30, true), unclear(45)]), seconds(60));
    }

    #[test]
    fn what_shifts_for_ever_stays_open() {
        let mut looks = vec![look(0, false)];
        while let Absence::LookAgain(after) = next_look(Evidence::Listing, SETTLE, &looks) {
            looks.push(Look { after, saw: Saw::Unclear });
        }
        assert_eq!(next_look(Evidence::Listing, SETTLE, &looks), Absence::Unclear);
        assert_eq!(looks.len(), 1 + MOST_UNCLEAR);
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
        fn looking_ends(
            settle in 1_u64..120, lag in proptest::option::of(0_u64..600), append: bool, later_one: bool,
            unclear in proptest::collection::vec(0_usize..60, 0..20),
        ) {
            let settle = Duration::from_secs(settle);
            let evidence = if append {
                Evidence::Listing
            } else {
                Evidence::Index { longest_lag: lag.map(Duration::from_secs) }
            };
            let mut looks: Vec<Look> = Vec::new();
            for number in 0..100 {
                match next_look(evidence, settle, &looks) {
                    Absence::Proved { .. } => {
                        prop_assert!(looks.iter().filter(|look| look.saw != Saw::Unclear).count() >= 2);
                        prop_assert!(looks.last().unwrap().after >= settle);
                        prop_assert!(looks.last().unwrap().saw != Saw::Unclear);
                        return Ok(());
                    }
                    Absence::Unclear => {
                        prop_assert!(unclear.len() >= MOST_UNCLEAR);
                        return Ok(());
                    }
                    Absence::LookAgain(after) => {
                        prop_assert!(looks.last().is_none_or(|last| after > last.after));
                        let is_unclear = unclear.contains(&number);
                        let saw = if is_unclear { Saw::Unclear } else { Saw::Others { later_one } };
                        looks.push(Look { after, saw });
                    }
                }
            }
            prop_assert!(false, "never proved: {looks:?}");
        }
    }
}
