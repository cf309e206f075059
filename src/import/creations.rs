//! What this run made and when: the measure of how far the service's index has come.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Things of one sort that this run made.
#[derive(Debug, Default)]
pub(super) struct Creations {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The newest, with when their answers came; older ones say nothing about an index that has passed them.
    made: Vec<(u64, Instant)>,
    longest_lag: Option<Duration>,
}

/// How many are remembered.
const REMEMBERED: usize = 4096;

impl Creations {
    /// Takes note that `id` was made just now.
    pub(super) fn note(&self, id: u64) {
        let mut inner = self.lock();
        if inner.made.len() >= REMEMBERED {
            inner.made.drain(..REMEMBERED / 2);
        }
        inner.made.push((id, Instant::now()));
    }

    /// Whether one that was made after `then` is among those that `visible` says a list shows now. Measures the lag on
    /// the way: of those it does not show, the oldest is the proof of a lag at least that long; where it shows all, it
    /// lags at most by the age of the newest.
    pub(super) fn later_one_visible(&self, then: Instant, visible: impl Fn(u64) -> bool) -> bool {
        let now = Instant::now();
        let mut inner = self.lock();
        let oldest_hidden = inner.made.iter().find(|(id, _)| !visible(*id)).map(|(_, made)| now - *made);
        let newest = inner.made.last().map(|(_, made)| now - *made);
        if let Some(lag) = oldest_hidden.or(newest) {
            inner.longest_lag = Some(inner.longest_lag.map_or(lag, |known| known.max(lag)));
        }
        inner.made.iter().rev().take_while(|(_, made)| *made > then).any(|(id, _)| visible(*id))
    }

    /// The longest lag measured.
    pub(super) fn longest_lag(&self) -> Option<Duration> {
        self.lock().longest_lag
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_later_one_counts_only_when_it_is_seen_and_the_lag_is_measured() {
        let creations = Creations::default();
        creations.note(1);
        tokio::time::advance(Duration::from_secs(10)).await;
        let then = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!creations.later_one_visible(then, |id| id == 1));
        creations.note(2);
        tokio::time::advance(Duration::from_secs(7)).await;
        assert!(!creations.later_one_visible(then, |id| id == 1));
        assert_eq!(creations.longest_lag(), Some(Duration::from_secs(11)));
        assert!(creations.later_one_visible(then, |_| true));
    }
}
