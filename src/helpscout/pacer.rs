//! The pace: when the next request may leave.
//!
//! The service allows so many units a minute for the whole account; a read costs [`READ_UNITS`], a write
//! [`WRITE_UNITS`]. Whether its minute is fixed or sliding is not documented, and another program may use the same limit.
//! So units leave evenly. With a rate of `r` units a minute and a burst of `b`, no window of 60 seconds ever holds more
//! than `r + b` units; we take `r + b <= limit × share`, which keeps a fixed and a sliding minute alike, and at least one
//! percent of slack, so that requests which bunch up on their way do not cross the line there.
//!
//! What other clients of the account use is seen in what the service says is left, and left to them ([`room`]). A service
//! that states no limit shows it by what had passed before a refusal.
//!
//! The burst is small but, where much is allowed, not the least: a timer that fires late (they count in milliseconds) is caught up with instead
//! of lost. At hundreds of thousands of units a minute, as a local sandbox may allow, it grows with the rate for that
//! reason.
//!
//! A 429 closes a *gate* for all until the wait that the service states, and a second more, is over: gate, limiter and
//! gate again are one step under one lock, so nobody who was already waiting slips through. A change of the limit, which
//! the service states in its headers, takes effect at once for whoever waits. The limiter has no queue of its own, so
//! waiters stand in a fair line and only the first of them asks. All time is tokio's, so that tests may pause it.

use std::{
    fmt,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use super::Share;
use room::Room;

/// What a read costs.
pub const READ_UNITS: u32 = 1;
/// What a write costs.
pub const WRITE_UNITS: u32 = 2;

/// The most units asked of the limiter at once; no burst is smaller.
const STEP: u32 = WRITE_UNITS;
/// However small the share is, a unit leaves in so long: the limiter cannot count with much longer spans.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// A limit that a refusal showed, where the service states none, is believed for so long, and each time for twice as long.
const BELIEVED: Duration = Duration::from_secs(600);
const MINUTE: Duration = Duration::from_secs(60);
/// However few units a refusal seems to allow, so many a minute are tried.
const FEWEST: u32 = 10;
/// How long one waits at most before the timetable is looked at again.
const LONGEST_SLEEP: Duration = Duration::from_secs(20);

/// Lets requests leave at an even pace.
pub struct Pacer {
    /// The line: whoever holds it is the first.
    line: tokio::sync::Mutex<()>,
    /// Wakes the first in the line when the pace changed.
    changed: Notify,
    state: Mutex<State>,
    share: Share,
    minute_of_day: Box<dyn Fn() -> u32 + Send + Sync>,
    clock: PaceClock,
}

/// How the pace stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaceSnapshot {
    /// Units a minute that the service states, or that are assumed until it does; `None`: not limited.
    pub limit: Option<u32>,
    /// The limit as the service last stated it; `None` before it did.
    pub stated: Option<u32>,
    /// The part of them in use now.
    pub share: f64,
    /// Units let through in the last 60 seconds.
    pub used_last_minute: u32,
    /// Requests that were sent, without those for tokens, which cost nothing.
    pub requests: u64,
    /// Units let through.
    pub units: u64,
    /// Answers that asked to wait.
    pub throttled: u64,
    /// What the service last said was left of its minute.
    pub remaining: Option<u32>,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, PaceClock, NoOpMiddleware<Duration>>;

struct State {
    /// 0: not limited.
    limit: u32,
    stated: Option<u32>,
    share: f64,
    limiter: Option<Limiter>,
    closed_until: Option<Instant>,
    remaining: Option<u32>,
    last_minute: LastMinute,
    room: Room,
    /// What a refusal showed of a limit that the service does not state.
    shown: Option<Shown>,
    requests: u64,
    units: u64,
    throttled: u64,
}

/// A limit that nobody stated, as a refusal showed it.
#[derive(Debug, Clone, Copy)]
struct Shown {
    /// What was assumed before.
    assumed: u32,
    /// What was found.
    found: u32,
    at: Duration,
    /// How long it is believed.
    span: Duration,
}

impl Pacer {
    /// Paces by `share` of `assumed` units a minute until the service states its own limit; 0 does not pace until then.
    /// `minute_of_day` tells the local time, by which a timetable is read.
    pub fn new(assumed: u32, share: Share, minute_of_day: impl Fn() -> u32 + Send + Sync + 'static) -> Self {
        let clock = PaceClock { start: Instant::now() };
        let part = share.at(minute_of_day());
        let state = State {
            limit: assumed,
            stated: None,
            share: part,
            limiter: fresh_limiter(assumed, part, clock).map(|(limiter, _)| limiter),
            closed_until: None,
            remaining: None,
            last_minute: LastMinute::default(),
            room: Room::default(),
            shown: None,
            requests: 0,
            units: 0,
            throttled: 0,
        };
        Self {
            line: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            state: Mutex::new(state),
            share,
            minute_of_day: Box::new(minute_of_day),
            clock,
        }
    }

    /// Waits until `units` may be used. First come, first served; a wait that is dropped costs nothing.
    pub async fn permit(&self, units: u32) {
        let mut left = units;
        while left > 0 {
            let part = left.min(STEP);
            self.step(part).await;
            left -= part;
        }
    }

    /// Takes `units`, at most those of a write, if nobody waits and they may be used at once.
    pub fn permit_now(&self, units: u32) -> bool {
        let first = || self.line.try_lock().ok();
        self.pass_unlimited(units)
            || (units <= STEP && first().is_some_and(|_first| self.try_pass(units).is_ok()))
    }

    async fn step(&self, units: u32) {
        if self.pass_unlimited(units) {
            return;
        }
        let _first = self.line.lock().await;
        while let Err(wait) = self.try_pass(units) {
            tokio::select! {
                () = sleep(wait.min(LONGEST_SLEEP)) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// Passes by the line where nobody can be waiting: no limit, no closed gate.
    fn pass_unlimited(&self, units: u32) -> bool {
        let mut state = self.state();
        let free = state.limiter.is_none() && state.closed_until.is_none();
        if free {
            state.count(units, self.clock.now());
        }
        free
    }

    /// Gate, limiter and gate again, under one lock; or how long to wait.
    fn try_pass(&self, units: u32) -> Result<(), Duration> {
        // Only a timetable has to know what time it is.
        let minute = if self.share.is_timetable() { (self.minute_of_day)() } else { 0 };
        let part = self.share.at(minute);
        let mut state = self.state();
        if state.share.to_bits() != part.to_bits() {
            state.share = part;
            state.limiter = limiter(state.limit, part, self.clock);
        }
        if let Some(until) = state.closed_until {
            let wait = until.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                return Err(wait);
            }
            state.closed_until = None;
        }
        let now = self.clock.now();
        if let Some(shown) = state.shown
            && state.limit != shown.assumed
            && now >= shown.at + shown.span
        {
            state.limit = shown.assumed;
            state.limiter = limiter(shown.assumed, part, self.clock);
        }
        let limit = state.limit;
        if let (Some(limiter), Some(count)) = (&state.limiter, NonZeroU32::new(units)) {
            if let Some(wait) = state.room.wait(now, units, limit) {
                return Err(wait);
            }
            // No burst is smaller than a step, so the outer result is never an error.
            if let Ok(Err(not_yet)) = limiter.check_n(count) {
                return Err(not_yet.wait_time_from(now));
            }
            state.room.leaves(now, units);
            state.room.spread(now, units, limit);
        }
        state.count(units, now);
        Ok(())
    }

    /// Takes note of what the service states in the answer to a request that left at `left`: its limit a minute, and what
    /// is left of it.
    pub fn learn(&self, left: Instant, limit: Option<u32>, remaining: Option<u32>) {
        let mut state = self.state();
        if let (Some(limit), Some(remaining)) = (limit.filter(|limit| *limit > 0), remaining) {
            state.room.heard(self.clock.at(left), limit, remaining);
        }
        state.remaining = remaining.or(state.remaining);
        state.stated = limit.filter(|limit| *limit > 0).or(state.stated);
        let Some(limit) = limit.filter(|limit| *limit > 0 && *limit != state.limit) else { return };
        state.limit = limit;
        state.limiter = limiter(limit, state.share, self.clock);
        state.shown = None;
        drop(state);
        self.changed.notify_one();
    }

    /// A request that left at `left` was refused for the limit, with the `stated` wait. Where the service states no limit,
    /// what had passed shows it.
    pub(super) fn refused(&self, left: Instant, stated: Option<Duration>) {
        let (now, left) = (self.clock.now(), self.clock.at(left));
        let mut state = self.state();
        let is_news = state.shown.is_none_or(|shown| left > shown.at);
        if state.stated.is_some() || state.limit == 0 || !is_news {
            return;
        }
        // The wait ends when the minute begins anew, or its oldest units are a minute old: what left since then is all of
        // it. Without a wait, or with one that is always the same, it may have been less than what left in the last minute.
        let stated = stated.filter(|wait| *wait < MINUTE);
        let Some(from) = (left + stated.unwrap_or_default()).checked_sub(MINUTE) else {
            // What others used before us is not known.
            return;
        };
        let passed = state.room.ours_since(from, left).saturating_sub(u64::from(WRITE_UNITS));
        let passed = if stated.is_some() { passed } else { passed * 3 / 4 };
        let found = u32::try_from(passed).unwrap_or(u32::MAX).max(FEWEST);
        if found < state.limit {
            let (assumed, found, span) = match state.shown {
                // Where nothing better is known, what held before holds still.
                Some(shown) if state.limit == shown.assumed => {
                    let found = if stated.is_some() { found } else { shown.found };
                    (shown.assumed, found, shown.span * 2)
                }
                Some(shown) => (shown.assumed, found, shown.span),
                None => (state.limit, found, BELIEVED),
            };
            state.shown = Some(Shown { assumed, found, at: now, span });
            state.limit = found;
            state.limiter = limiter(found, state.share, self.clock);
        }
    }

    /// Lets nobody pass for `wait` from now on.
    pub fn close_gate(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut state = self.state();
        state.throttled += 1;
        state.closed_until = state.closed_until.max(Some(until));
    }

    /// Counts a request that was sent.
    pub(super) fn count_request(&self) {
        self.state().requests += 1;
    }

    /// How the pace stands.
    pub fn snapshot(&self) -> PaceSnapshot {
        let now = self.clock.now();
        let mut state = self.state();
        PaceSnapshot {
            limit: (state.limit > 0).then_some(state.limit),
            stated: state.stated,
            share: state.share,
            used_last_minute: state.last_minute.sum(now),
            requests: state.requests,
            units: state.units,
            throttled: state.throttled,
            remaining: state.remaining,
        }
    }

    /// Every change under the lock is complete in itself, so that a panic elsewhere leaves nothing half-done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pacer").field(&self.snapshot()).finish()
    }
}

impl State {
    fn count(&mut self, units: u32, now: Duration) {
        self.units += u64::from(units);
        self.last_minute.add(now, units);
    }
}

/// A limiter whose burst is used up: one that replaces another must not give a second burst away.
fn limiter(limit: u32, share: f64, clock: PaceClock) -> Option<Limiter> {
    let (limiter, burst) = fresh_limiter(limit, share, clock)?;
    let used_up = limiter.check_n(burst);
    debug_assert!(matches!(used_up, Ok(Ok(()))), "a new limiter holds its burst");
    Some(limiter)
}

/// A limiter and its burst; `None` where nothing is limited.
fn fresh_limiter(limit: u32, share: f64, clock: PaceClock) -> Option<(Limiter, NonZeroU32)> {
    if limit == 0 {
        return None;
    }
    let burst = NonZeroU32::new(burst(f64::from(limit) * share))?;
    let interval = Duration::try_from_secs_f64(60.0 / even_rate(limit, share)).unwrap_or(LONGEST_INTERVAL);
    let interval = interval.clamp(Duration::from_nanos(1), LONGEST_INTERVAL);
    Some((RateLimiter::direct_with_clock(Quota::with_period(interval)?.allow_burst(burst), clock), burst))
}

/// Units that leave at once at most, of so many `allowed` a minute.
fn burst(allowed: f64) -> u32 {
    STEP + whole(allowed / 250.0)
}

/// Units a minute that leave of `share` of `limit`, so that no minute holds more than that.
pub(super) fn even_rate(limit: u32, share: f64) -> f64 {
    let allowed = f64::from(limit) * share;
    // Where so little is allowed that a burst is most of it, half the allowance still leaves.
    (allowed * 0.99).min(allowed - f64::from(burst(allowed))).max(allowed / 2.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is meant"
)]
fn whole(number: f64) -> u32 {
    (number as u32).min(100_000)
}

/// governor's clock on tokio's, which tests can pause.
#[derive(Debug, Clone, Copy)]
struct PaceClock {
    start: Instant,
}

impl PaceClock {
    fn at(self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.start)
    }
}

impl Clock for PaceClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Units of the last 60 seconds, second by second.
struct LastMinute {
    second: u64,
    slots: [u32; 60],
}

impl Default for LastMinute {
    fn default() -> Self {
        Self { second: 0, slots: [0; 60] }
    }
}

impl LastMinute {
    fn add(&mut self, now: Duration, units: u32) {
        self.turn_to(now.as_secs());
        *self.slot(now.as_secs()) += units;
    }

    fn sum(&mut self, now: Duration) -> u32 {
        self.turn_to(now.as_secs());
        self.slots.iter().sum()
    }

    fn turn_to(&mut self, second: u64) {
        for passed in (self.second + 1..=second).rev().take(60) {
            *self.slot(passed) = 0;
        }
        self.second = self.second.max(second);
    }

    fn slot(&mut self, second: u64) -> &mut u32 {
        &mut self.slots[usize::try_from(second % 60).unwrap_or_default()]
    }
}

mod room;

#[cfg(test)]
mod tests;
