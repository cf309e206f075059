//! The account's limit of units a minute.
//!
//! By the clock's minute as a rule, or over the last sixty seconds. A request that is refused uses nothing.

use std::collections::VecDeque;

const MINUTE_MS: i64 = 60_000;

/// What the limit says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is no limit, and no header tells of one.
    Unlimited,
    /// It may pass.
    Passed { limit: u32, remaining: u32 },
    /// It may not; one may try again after so many seconds.
    Refused { limit: u32, remaining: u32, retry_after: i64 },
}

/// The units used so far.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: u32,
    is_sliding: bool,
    used: u32,
    minute: i64,
    recent: VecDeque<(i64, u32)>,
}

impl Limiter {
    /// A limit of units a minute; 0 for none.
    pub(crate) fn new(limit: u32, is_sliding: bool) -> Self {
        Self { limit, is_sliding, used: 0, minute: i64::MIN, recent: VecDeque::new() }
    }

    /// Changes the limit; what is used stays used.
    pub(crate) fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// Asks for some units, and takes them if there are enough.
    pub(crate) fn take(&mut self, units: u32, now_ms: i64) -> Verdict {
        let limit = self.limit;
        if limit == 0 {
            return Verdict::Unlimited;
        }
        self.forget(now_ms);
        if self.used.saturating_add(units) > limit {
            let remaining = limit.saturating_sub(self.used);
            return Verdict::Refused { limit, remaining, retry_after: self.wait(units, now_ms) };
        }
        self.used += units;
        if self.is_sliding {
            self.recent.push_back((now_ms, units));
        }
        Verdict::Passed { limit, remaining: limit - self.used }
    }

    fn forget(&mut self, now_ms: i64) {
        if self.is_sliding {
            while let Some((_, units)) =
                self.recent.front().copied().filter(|(at, _)| *at <= now_ms - MINUTE_MS)
            {
                self.recent.pop_front();
                self.used -= units;
            }
        } else if self.minute != now_ms.div_euclid(MINUTE_MS) {
            self.minute = now_ms.div_euclid(MINUTE_MS);
            self.used = 0;
        }
    }

    /// Whole seconds until `units` may pass, at least one.
    fn wait(&self, units: u32, now_ms: i64) -> i64 {
        let until = if self.is_sliding {
            let mut left = self.used.saturating_add(units).saturating_sub(self.limit);
            let freed = self.recent.iter().find(|(_, units)| {
                left = left.saturating_sub(*units);
                left == 0
            });
            freed.map_or(now_ms, |(at, _)| *at) + MINUTE_MS
        } else {
            (self.minute + 1) * MINUTE_MS
        };
        ((until - now_ms + 999) / 1000).max(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fixed_minute_ends_with_the_clocks() {
        let mut limiter = Limiter::new(5, false);
        assert_eq!(limiter.take(2, 59_000), Verdict::Passed { limit: 5, remaining: 3 });
        assert_eq!(limiter.take(2, 59_100), Verdict::Passed { limit: 5, remaining: 1 });
        assert_eq!(limiter.take(2, 59_200), Verdict::Refused { limit: 5, remaining: 1, retry_after: 1 });
        assert_eq!(
            limiter.take(1, 59_300),
            Verdict::Passed { limit: 5, remaining: 0 },
            "a refusal uses nothing"
        );
        assert_eq!(limiter.take(2, 60_000), Verdict::Passed { limit: 5, remaining: 3 });
    }

    #[test]
    fn the_wait_is_up_to_the_next_minute() {
        let mut limiter = Limiter::new(1, false);
        limiter.take(1, 60_000);
        assert_eq!(limiter.take(1, 61_500), Verdict::Refused { limit: 1, remaining: 0, retry_after: 59 });
    }

    #[test]
    fn a_sliding_minute_frees_units_one_by_one() {
        let mut limiter = Limiter::new(4, true);
        limiter.take(2, 10_000);
        limiter.take(2, 30_000);
        assert_eq!(limiter.take(2, 60_000), Verdict::Refused { limit: 4, remaining: 0, retry_after: 10 });
        assert_eq!(limiter.take(2, 70_000), Verdict::Passed { limit: 4, remaining: 0 });
        assert_eq!(limiter.take(2, 89_999), Verdict::Refused { limit: 4, remaining: 0, retry_after: 1 });
        assert_eq!(limiter.take(2, 90_000), Verdict::Passed { limit: 4, remaining: 0 });
    }

    #[test]
    fn no_limit_says_nothing_and_a_limit_can_change() {
        let mut limiter = Limiter::new(0, false);
        assert_eq!(limiter.take(2, 0), Verdict::Unlimited);
        limiter.set_limit(2);
        assert_eq!(limiter.take(2, 0), Verdict::Passed { limit: 2, remaining: 0 });
        limiter.set_limit(1);
        assert!(matches!(limiter.take(1, 1), Verdict::Refused { limit: 1, remaining: 0, .. }));
    }

    proptest! {
        #[test]
        fn who_waits_as_told_passes(gaps in prop::collection::vec(0i64..20_000, 1..60), sliding: bool) {
            let mut limiter = Limiter::new(7, sliding);
            let mut now = 0;
            for gap in gaps {
                now += gap;
                if let Verdict::Refused { retry_after, .. } = limiter.take(2, now) {
                    now += retry_after * 1000;
                    let second = limiter.take(2, now);
                    prop_assert!(matches!(second, Verdict::Passed { .. }), "{:?}", second);
                }
            }
        }
    }
}
