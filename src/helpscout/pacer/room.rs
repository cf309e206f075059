//! What the account's minute has room for beside everybody else.
//!
//! With most answers the service states how many units are left of its minute (help-scout-api.md §2). What is gone of
//! them beyond our own units is somebody else's: the limit is the account's, and other programs use it, too. So long as
//! nobody does, the even pace alone holds, but for the minute after a limit was lowered.
//!
//! Whether the minute is fixed or sliding is not documented; it shows. In the last sixty seconds we used at least what a
//! sliding minute says is used; where it suddenly says much less, the minute is a fixed one and has just begun anew. From
//! then on units are counted from that moment, and the next minutes begin sixty seconds apart, unless they are seen to
//! begin otherwise.
//!
//! Two things follow. Nothing leaves for which there is surely no room, because a refusal closes the gate for all. And
//! beside a neighbour, what a fixed minute has left is shared: what the neighbour is likely to use until its end is left
//! to it, and the rest is spread evenly. In a sliding minute our units come back as evenly as they left.
//!
//! A sample tells how much had been used when its request *arrived*. Ours are counted by when they left, up to the request
//! that brought the sample: on their way they change places, and up to what is under way the difference may be off. What
//! is not clearly more than that is no neighbour.

use std::{collections::VecDeque, time::Duration};

use super::MINUTE;

/// How long our own units are remembered.
const MEMORY: Duration = Duration::from_secs(130);
/// Units that leave within so long are remembered together.
const GRAIN: Duration = Duration::from_millis(20);
/// Over how long a neighbour's pace is measured.
const LOOK_BACK: Duration = Duration::from_secs(12);
/// Fewer units of our own prove nothing about the kind of the minute.
const TELLING: u64 = 8;
/// A sample older than this may no longer hold anybody back in a minute of unknown kind: the next request finds out.
const STALE: Duration = Duration::from_secs(10);
/// How long around its time a minute's beginning may not show in a sample.
const GRACE: Duration = Duration::from_secs(5);
/// How much a new sample counts.
const WEIGHT: f64 = 0.2;
/// So many times the usual noise is kept free.
const NOISES: f64 = 2.5;
/// How long a wait is that nothing better is known of.
const SHORT: Duration = Duration::from_millis(200);
/// How long nobody looks again, at most: an answer may tell better meanwhile.
const LONG: Duration = Duration::from_secs(1);

/// Keeps account of the minute.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// When our units left, with how many had left by then.
    left: VecDeque<(Duration, u64)>,
    total: u64,
    last: Option<Sample>,
    /// When the fixed minute began that was last seen to begin.
    began: Option<Duration>,
    /// A neighbour's units so far, as samples showed them, by when.
    theirs: VecDeque<(Duration, f64)>,
    /// What was used of the fixed minute that was over last.
    used_before: u64,
    /// A neighbour's units of the fixed minutes that are over.
    theirs_before: f64,
    /// Beside a neighbour: before this nothing more leaves.
    next: Duration,
    /// A neighbour's units in the minute, with the noise of single samples taken out.
    steady: f64,
    /// By how many units a sample differs from the one before.
    noise: f64,
}

/// What one answer showed.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// When its request left.
    at: Duration,
    /// The limit that it told of.
    limit: u32,
    /// Units that had been used of the minute by everybody.
    used: u64,
    /// Units of ours that had left ever.
    ours: u64,
    /// Units of others in the minute; noise may make it negative.
    theirs: f64,
    /// When the fixed minute began that it was taken for one of.
    began: Option<Duration>,
}

impl Room {
    /// `units` leave now.
    pub(super) fn leaves(&mut self, now: Duration, units: u32) {
        self.total += u64::from(units);
        match self.left.back_mut() {
            Some((at, total)) if *at + GRAIN > now => *total = self.total,
            _ => self.left.push_back((now, self.total)),
        }
        while self.left.get(1).is_some_and(|(at, _)| *at + MEMORY < now) {
            self.left.pop_front();
        }
    }

    /// The answer to a request that left at `at`: of `limit` units `remaining` are left.
    pub(super) fn heard(&mut self, at: Duration, limit: u32, remaining: u32) {
        let is_older = |known: Duration| at < known;
        if self.last.is_some_and(|last| is_older(last.at)) || self.began.is_some_and(is_older) {
            return;
        }
        let (used, ours) = (u64::from(limit.saturating_sub(remaining)), self.left_by(at));
        // A limit that changed says nothing of the minute: what was used may be more than all of it.
        if self.last.is_none_or(|last| last.limit == limit) {
            self.notice_beginning(at, used, ours);
        }
        if self.is_of_minute_before(at, used, ours) {
            return;
        }
        let began = self.began.unwrap_or(at.saturating_sub(MINUTE));
        let theirs = used as f64 - self.ours_from(began, ours) as f64;
        if let Some(last) = self.last.filter(|last| last.began == self.began) {
            self.noise += WEIGHT * ((theirs - last.theirs).abs() - self.noise);
        }
        self.steady += WEIGHT * (theirs - self.steady);
        self.last = Some(Sample { at, limit, used, ours, theirs, began: self.began });
        match self.theirs.back_mut() {
            Some((seen, units)) if *seen + GRAIN > at => *units = self.theirs_before + theirs,
            _ => self.theirs.push_back((at, self.theirs_before + theirs)),
        }
        while self.theirs.front().is_some_and(|(seen, _)| *seen + MINUTE < at) {
            self.theirs.pop_front();
        }
    }

    /// How long nothing of `units` may leave for want of room; none where there is room.
    pub(super) fn wait(&self, now: Duration, units: u32, limit: u32) -> Option<Duration> {
        let last = self.last.filter(|last| now < last.at + MINUTE)?;
        let limit = f64::from(limit);
        let theirs = self.neighbours_rate(now, limit);
        let needed = f64::from(units);
        match self.began {
            Some(_) => {
                let end = self.base(now) + MINUTE;
                let (free, _) = self.free_until(end, now, last, limit, theirs);
                if free < needed {
                    return Some(end.saturating_sub(now).clamp(SHORT, LONG));
                }
                self.next.checked_sub(now).filter(|wait| theirs > 0.0 && !wait.is_zero())
            }
            None => {
                let ours = self.total - self.left_by(now.saturating_sub(MINUTE));
                let on_the_way = theirs * now.saturating_sub(last.at).as_secs_f64();
                let kept = if theirs > 0.0 { margin(limit) / 2.0 + on_the_way } else { 0.0 };
                let free = limit - ours as f64 - self.steady.max(0.0) - kept - NOISES * self.noise;
                (free < needed && now < last.at + STALE).then_some(SHORT)
            }
        }
    }

    /// `units` leave now beside a neighbour: what is left until the minute ends is spread.
    pub(super) fn spread(&mut self, now: Duration, units: u32, limit: u32) {
        let Some(last) = self.last.filter(|_| self.began.is_some()) else { return };
        let limit = f64::from(limit);
        let theirs = self.neighbours_rate(now, limit);
        if theirs <= 0.0 {
            return;
        }
        let end = self.base(now) + MINUTE;
        let (free, span) = self.free_until(end, now, last, limit, theirs);
        let gap = span.as_secs_f64() * f64::from(units) / free.max(f64::from(units));
        self.next = now.max(self.next) + Duration::from_secs_f64(gap);
    }

    /// Our units that left in the span before `at`.
    pub(super) fn ours_since(&self, from: Duration, at: Duration) -> u64 {
        self.left_by(at).saturating_sub(self.left_by(from))
    }

    /// What we may use until the fixed minute ends, and how long that is.
    fn free_until(
        &self,
        end: Duration,
        now: Duration,
        last: Sample,
        limit: f64,
        theirs: f64,
    ) -> (f64, Duration) {
        let span = end.saturating_sub(now);
        let began = end.saturating_sub(MINUTE);
        // A sample of a minute that is over tells nothing of this one.
        let (used, since) = if last.began == Some(began) {
            (last.used + self.total - last.ours, last.at)
        } else {
            (self.total - self.left_by(began), began)
        };
        let used = used as f64 + theirs * now.saturating_sub(since).as_secs_f64();
        let kept = if theirs > 0.0 {
            theirs * span.as_secs_f64() + margin(limit) + NOISES * self.noise
        } else {
            0.0
        };
        (limit - used - kept, span)
    }

    /// Units a second that others use; 0 where nobody is clearly there.
    fn neighbours_rate(&self, now: Duration, limit: f64) -> f64 {
        let (Some(last), Some((_, newest))) = (self.last, self.theirs.back()) else { return 0.0 };
        let under_way = (self.total - last.ours) as f64;
        let noise = margin(limit) + 4.0 + under_way / 2.0;
        let (in_a_minute, rate) = if self.began.is_some() {
            let oldest = self.theirs.front().map_or(*newest, |(_, units)| *units);
            let since = now.saturating_sub(LOOK_BACK);
            let recent = self.theirs.get(self.theirs.partition_point(|(seen, _)| *seen < since));
            let rate = recent.map_or(0.0, |(seen, units)| {
                let span = last.at.saturating_sub(*seen).as_secs_f64();
                if span > 1.0 { (newest - units) / span } else { 0.0 }
            });
            (newest - oldest, rate)
        } else {
            (self.steady, self.steady / MINUTE.as_secs_f64())
        };
        if in_a_minute > noise { rate.clamp(0.0, limit / MINUTE.as_secs_f64()) } else { 0.0 }
    }

    /// Whether the minute has begun anew since the last sample, or is seen not to be a fixed one.
    fn notice_beginning(&mut self, at: Duration, used: u64, ours: u64) {
        let of_minute = self.ours_from(at.saturating_sub(MINUTE), ours);
        let expected = self.began.map_or(of_minute, |began| self.ours_from(began, ours));
        if expected >= TELLING && used * 2 < expected {
            // Alone, what is used since the beginning is ours.
            let alone = self.when_left(ours.saturating_sub(used));
            self.begin(self.last.map_or(alone, |last| alone.max(last.at)).min(at));
            return;
        }
        if self.began.is_none_or(|began| at < began + MINUTE + GRACE) {
            return;
        }
        let base = self.base(at);
        let of_fixed = self.ours_from(base, ours);
        let is_as_sliding = of_minute >= 2 * TELLING && used * 5 >= of_minute * 4 && of_fixed * 2 < of_minute;
        self.begin(base);
        if is_as_sliding {
            self.began = None;
            self.theirs_before = 0.0;
            self.theirs.clear();
        }
    }

    /// Whether a sample left after the minute had begun, but arrived before.
    fn is_of_minute_before(&self, at: Duration, used: u64, ours: u64) -> bool {
        let Some(began) = self.began.filter(|began| at < *began + GRACE) else { return false };
        self.ours_from(began, ours) * 2 < used && used * 2 > self.used_before
    }

    fn begin(&mut self, at: Duration) {
        self.used_before = self.last.map_or(0, |last| last.used);
        self.steady = 0.0;
        self.began = Some(at);
        self.theirs_before = self.theirs.back().map_or(0.0, |(_, units)| *units);
    }

    /// When the minute of `at` began: a fixed one that is known, else sixty seconds ago.
    fn base(&self, at: Duration) -> Duration {
        let Some(began) = self.began.filter(|began| *began <= at) else { return at.saturating_sub(MINUTE) };
        let minutes =
            u32::try_from(at.saturating_sub(began).as_secs() / MINUTE.as_secs()).unwrap_or(u32::MAX);
        began + MINUTE * minutes
    }

    /// How many of `ours` left after `from`: none where that is later than the last of them.
    fn ours_from(&self, from: Duration, ours: u64) -> u64 {
        ours.saturating_sub(self.left_by(from))
    }

    /// Units of ours that had left by then.
    fn left_by(&self, at: Duration) -> u64 {
        let after = self.left.partition_point(|(left, _)| *left <= at);
        match after.checked_sub(1) {
            Some(index) => self.left[index].1,
            // What is forgotten had left before.
            None => self.left.front().map_or(self.total, |(_, total)| *total),
        }
    }

    /// When so many units of ours had left.
    fn when_left(&self, total: u64) -> Duration {
        let index = self.left.partition_point(|(_, left)| *left < total);
        self.left.get(index).map_or(Duration::ZERO, |(at, _)| *at)
    }
}

/// Kept free beside a neighbour, and below which nobody is taken for one.
fn margin(limit: f64) -> f64 {
    limit * 0.02
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u32 = 200;

    /// A service whose minute ends at `phase` seconds past each full one, or slides, with somebody else who uses so many
    /// units a second.
    struct Service {
        phase: Option<f64>,
        others: f64,
        /// Everybody's units, by when.
        used: Vec<(f64, f64)>,
    }

    impl Service {
        fn new(phase: Option<f64>, others: f64) -> Self {
            Self { phase, others, used: Vec::new() }
        }

        fn remaining(&self, at: f64) -> u32 {
            let from = match self.phase {
                Some(phase) => phase + ((at - phase) / 60.0).floor() * 60.0,
                None => at - 60.0,
            };
            let used: f64 = self.used.iter().filter(|(when, _)| *when > from).map(|(_, units)| units).sum();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
            let used = used.max(0.0) as u32;
            LIMIT.saturating_sub(used)
        }
    }

    /// A write every `gap` seconds for `seconds`, each answered at once; how long each had to wait in all.
    fn play(
        room: &mut Room,
        service: &mut Service,
        (from, seconds): (f64, f64),
        gap: f64,
    ) -> Vec<(f64, f64)> {
        let (mut at, mut waits) = (from, Vec::new());
        while at < from + seconds {
            let mut waited = 0.0;
            while let Some(wait) = room.wait(Duration::from_secs_f64(at), 2, LIMIT) {
                at += wait.as_secs_f64();
                waited += wait.as_secs_f64();
            }
            let now = Duration::from_secs_f64(at);
            room.leaves(now, 2);
            service.used.push((at, 2.0 + service.others * (gap + waited)));
            room.heard(now, LIMIT, service.remaining(at));
            room.spread(now, 2, LIMIT);
            waits.push((at, waited));
            at += gap;
        }
        waits
    }

    fn waited(waits: &[(f64, f64)]) -> f64 {
        waits.iter().map(|(_, waited)| waited).sum()
    }

    #[test]
    fn alone_nobody_waits_whatever_the_minute_is() {
        for phase in [Some(0.0), Some(37.0), None] {
            let (mut room, mut service) = (Room::default(), Service::new(phase, 0.0));
            let waits = play(&mut room, &mut service, (20.0, 600.0), 0.65);
            assert!(waited(&waits) < 0.001, "{phase:?}: {waits:?}");
            assert_eq!(room.began.is_some(), phase.is_some());
        }
    }

    #[test]
    fn what_a_neighbour_takes_is_left_to_it() {
        for phase in [Some(37.0), None] {
            let (mut room, mut service) = (Room::default(), Service::new(phase, 0.0));
            play(&mut room, &mut service, (0.0, 200.0), 0.7);
            service.others = 1.1;
            let waits = play(&mut room, &mut service, (200.0, 300.0), 0.7);
            // 134 of 200 are left, and writes of two come every 0.7 seconds if they may: 171 a minute.
            let ours = waits.iter().filter(|(at, _)| (260.0..500.0).contains(at)).count() * 2 / 4;
            assert!((118..=136).contains(&ours), "{phase:?}: {ours} a minute");
            assert!(room.neighbours_rate(Duration::from_secs(500), f64::from(LIMIT)) > 0.9);
            service.others = 0.0;
            let waits = play(&mut room, &mut service, (501.0, 240.0), 0.7);
            let late: Vec<_> = waits.into_iter().filter(|(at, _)| *at > 600.0).collect();
            assert!(waited(&late) < 0.001, "{phase:?}: {late:?}");
        }
    }

    #[test]
    fn a_lowered_limit_is_waited_for_until_the_minute_has_room() {
        let at = Duration::from_secs;
        let mut room = Room::default();
        for second in 0..60 {
            room.leaves(at(second), 4);
            room.heard(at(second), 400, 400 - 4 * (u32::try_from(second).unwrap() + 1));
        }
        assert_eq!(room.wait(at(60), 2, 400), None);
        assert!(room.wait(at(60), 2, 200).is_some(), "240 left in the last minute");
        assert_eq!(room.ours_since(at(9), at(59)), 200);
    }

    #[test]
    fn a_sample_that_comes_late_of_the_minute_before_is_no_neighbour() {
        let (mut room, mut service) = (Room::default(), Service::new(Some(0.0), 0.0));
        play(&mut room, &mut service, (0.0, 120.5), 0.61);
        let now = Duration::from_secs_f64(121.0);
        room.leaves(now, 2);
        room.heard(now, LIMIT, 4);
        assert_eq!(room.wait(now, 2, LIMIT), None);
        assert!(room.neighbours_rate(now, f64::from(LIMIT)) < 0.001);
    }

    #[test]
    fn a_sample_from_before_the_minute_that_is_known_tells_nothing_of_it() {
        let (mut room, mut service) = (Room::default(), Service::new(Some(0.0), 0.0));
        play(&mut room, &mut service, (0.0, 120.5), 0.65);
        for second in [185, 241] {
            room.leaves(Duration::from_secs(second), 2);
        }
        // The first answer after a long while is of the minute before, and an older one comes after it.
        room.heard(Duration::from_secs(241), LIMIT, 40);
        let before = room.last.map(|last| last.at);
        room.heard(Duration::from_secs(185), LIMIT, 100);
        assert_eq!(room.last.map(|last| last.at), before);
        assert_eq!(room.wait(Duration::from_secs(242), 2, LIMIT), None);
    }
}
