//! How fast calls land, over the last minute, and how long the rest takes at that speed.

use std::{collections::VecDeque, time::Duration};

/// How far back the speed looks. Calls land by the hundred, so that less would jump about.
const WINDOW: Duration = Duration::from_secs(60);

/// Counts calls over time; one sample a second is kept.
#[derive(Debug, Default)]
pub(super) struct Speed {
    /// When, and how many had landed by then. The first is the last one before the window.
    samples: VecDeque<(Duration, u64)>,
}

impl Speed {
    /// `landed` calls have landed by `now`.
    pub(super) fn note(&mut self, now: Duration, landed: u64) {
        let begun = self.samples.len() > 1;
        match self.samples.back_mut() {
            Some((at, count)) if begun && at.as_secs() == now.as_secs() => *count = landed,
            _ => self.samples.push_back((now, landed)),
        }
        while self.samples.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW) {
            self.samples.pop_front();
        }
    }

    /// Calls a minute; `None` before a second has passed.
    pub(super) fn a_minute(&self, now: Duration, landed: u64) -> Option<f64> {
        let (since, before) = *self.samples.front()?;
        let passed = now.checked_sub(since).filter(|passed| *passed >= Duration::from_secs(1))?;
        Some(as_f64(landed.saturating_sub(before)) * 60.0 / passed.as_secs_f64())
    }

    /// How long `left` calls take at the present speed; `None` where nothing lands.
    pub(super) fn time_left(&self, now: Duration, landed: u64, left: u64) -> Option<Duration> {
        let a_minute = self.a_minute(now, landed).filter(|speed| *speed > 0.0)?;
        Duration::try_from_secs_f64(as_f64(left) * 60.0 / a_minute).ok()
    }
}

/// Exact up to 2⁵³, which is more calls than were ever made.
#[expect(clippy::cast_precision_loss, reason = "a figure for a person")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn the_speed_is_that_of_the_last_minute() {
        let mut speed = Speed::default();
        speed.note(seconds(0), 0);
        assert_eq!(speed.a_minute(Duration::from_millis(500), 9), None);
        for second in 1..=100 {
            speed.note(seconds(second), second * 10);
        }
        assert_eq!(speed.a_minute(seconds(100), 1_000), Some(600.0));
        for second in 101..=170 {
            speed.note(seconds(second), 1_000 + (second - 100));
        }
        assert_eq!(speed.a_minute(seconds(170), 1_070), Some(60.0));
        assert_eq!(speed.time_left(seconds(170), 1_070, 90), Some(seconds(90)));
        assert!(speed.samples.len() <= 63, "{}", speed.samples.len());
    }

    #[test]
    fn nothing_landed_tells_no_time_left() {
        let mut speed = Speed::default();
        speed.note(seconds(0), 0);
        assert_eq!(speed.time_left(seconds(50), 0, 10), None);
    }
}
