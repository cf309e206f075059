//! What this run made and when: the measure of how far the service's index has come.

use std::{
    collections::VecDeque,
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
    made: VecDeque<Creation>,
    longest_lag: Option<Duration>,
}

#[derive(Debug)]
struct Creation {
    id: u64,
    /// When its answer came.
    at: Instant,
    /// Whether a list has shown it.
    seen: bool,
}

/// How many are remembered.
const REMEMBERED: usize = 4096;
/// What stays hidden for longer is no proof of a lag: it was deleted or merged by a person.
const LONGEST_LAG: Duration = Duration::from_secs(6 * 60);

impl Creations {
    /// Takes note that `id` was made just now.
    pub(super) fn note(&self, id: u64) {
        let mut inner = self.lock();
        if inner.made.len() >= REMEMBERED {
            inner.made.pop_front();
        }
        inner.made.push_back(Creation { id, at: Instant::now(), seen: false });
    }

    /// Whether one that was made later than `margin` after `then` is among those that `visible` says a list shows now.
    /// `visible` says nothing of those that the list does not reach back to.
    ///
    /// Measures the lag on the way, by those made after `then`: one that is hidden proves a lag as long as it is old; one
    /// that is seen for the first time, a lag no longer than that. One that was seen before proves nothing by growing old.
    pub(super) fn later_one_visible(
        &self,
        then: Instant,
        margin: Duration,
        visible: impl Fn(u64) -> Option<bool>,
    ) -> bool {
        let now = Instant::now();
        let mut guard = self.lock();
        let inner = &mut *guard;
        let mut is_later_one = false;
        for creation in inner.made.iter_mut().rev().take_while(|creation| creation.at > then) {
            let Some(is_visible) = visible(creation.id) else { continue };
            is_later_one |= is_visible && creation.at > then + margin;
            if !creation.seen {
                let lag = (now - creation.at).min(LONGEST_LAG);
                inner.longest_lag = inner.longest_lag.max(Some(lag));
            }
            creation.seen |= is_visible;
        }
        is_later_one
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

    const NONE: Duration = Duration::ZERO;

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_one_counts_only_when_it_is_seen_and_the_lag_is_measured() {
        let creations = Creations::default();
        creations.note(1);
        pass(10).await;
        let then = Instant::now();
        pass(1).await;
        assert!(!creations.later_one_visible(then, NONE, |id| Some(id == 1)));
        assert_eq!(creations.longest_lag(), None, "what was made before says nothing");
        creations.note(2);
        pass(7).await;
        assert!(!creations.later_one_visible(then, NONE, |id| Some(id == 1)));
        assert_eq!(creations.longest_lag(), Some(Duration::from_secs(7)));
        assert!(creations.later_one_visible(then, NONE, |_| Some(true)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_seen_once_proves_no_lag_by_growing_old() {
        let creations = Creations::default();
        let then = Instant::now();
        pass(1).await;
        creations.note(1);
        pass(2).await;
        assert!(creations.later_one_visible(then, NONE, |_| Some(true)));
        pass(1000).await;
        assert!(creations.later_one_visible(then, NONE, |_| Some(true)));
        assert_eq!(creations.longest_lag(), Some(Duration::from_secs(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deleted_one_is_not_taken_for_an_endless_lag() {
        let creations = Creations::default();
        let then = Instant::now();
        pass(1).await;
        creations.note(1);
        pass(100_000).await;
        assert!(!creations.later_one_visible(then, NONE, |_| Some(false)));
        assert_eq!(creations.longest_lag(), Some(LONGEST_LAG));
    }

    #[tokio::test(start_paused = true)]
    async fn one_within_the_margin_or_out_of_the_lists_reach_is_no_later_one() {
        let creations = Creations::default();
        let then = Instant::now();
        pass(5).await;
        creations.note(1);
        assert!(!creations.later_one_visible(then, Duration::from_secs(30), |_| Some(true)));
        pass(30).await;
        creations.note(2);
        assert!(!creations.later_one_visible(then, Duration::from_secs(30), |_| None));
        assert!(creations.later_one_visible(then, Duration::from_secs(30), |_| Some(true)));
    }
}
