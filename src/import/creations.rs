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
    /// Whether a list has failed to show it before: when it is seen then, the lag is measured and not only bounded.
    missed: bool,
}

/// How many are remembered.
const REMEMBERED: usize = 4096;
/// How old one may be that is seen by the first look at it, to say how long the lag is at the most: an older one would only
/// make the wait longer than where nothing is known.
const TELLING: Duration = Duration::from_secs(60);
/// What stays hidden for longer is no proof of a lag: it was deleted or merged by a person.
const LONGEST_LAG: Duration = Duration::from_secs(6 * 60);

impl Creations {
    /// Takes note that `id` was made just now.
    pub(super) fn note(&self, id: u64) {
        let mut inner = self.lock();
        if inner.made.len() >= REMEMBERED {
            inner.made.pop_front();
        }
        inner.made.push_back(Creation { id, at: Instant::now(), seen: false, missed: false });
    }

    /// Takes note that an earlier run made `id`, asked for at `at`: it helps to measure the lag where this run has made
    /// nothing yet. To be called before [`Creations::note`].
    pub(super) fn note_earlier(&self, id: u64, at: Instant) {
        self.lock().made.push_front(Creation { id, at, seen: false, missed: false });
    }

    /// Whether one that was made after `then` is among those that `visible` says a list shows, which was asked for at
    /// `asked`. `visible` says nothing of those that the list does not reach back to.
    ///
    /// Measures the lag on the way. One that is seen for the first time proves a lag no longer than it is old; one that
    /// was seen before proves nothing by growing old. One that is hidden proves a lag at least so long, which can only
    /// lengthen what is known: alone it says nothing of how long the lag is.
    pub(super) fn later_one_visible(
        &self,
        then: Instant,
        asked: Instant,
        visible: impl Fn(u64) -> Option<bool>,
    ) -> bool {
        let now = Instant::now();
        let mut guard = self.lock();
        let inner = &mut *guard;
        let mut is_later_one = false;
        let mut hidden = Duration::ZERO;
        for creation in inner.made.iter_mut().rev() {
            let Some(is_visible) = visible(creation.id) else { continue };
            let age = (now - creation.at).min(LONGEST_LAG);
            if is_visible {
                is_later_one |= creation.at > then;
                if !creation.seen {
                    creation.seen = true;
                    if creation.missed || age <= TELLING {
                        inner.longest_lag = inner.longest_lag.max(Some(age));
                    }
                }
            } else if !creation.seen && creation.at < asked {
                creation.missed = true;
                hidden = hidden.max(age);
            }
        }
        inner.longest_lag = inner.longest_lag.map(|lag| lag.max(hidden));
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

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    impl Creations {
        /// A look that takes no time.
        fn look(&self, then: Instant, visible: impl Fn(u64) -> Option<bool>) -> bool {
            self.later_one_visible(then, Instant::now(), visible)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_one_counts_only_when_it_is_seen() {
        let creations = Creations::default();
        creations.note(1);
        pass(10).await;
        let then = Instant::now();
        pass(1).await;
        creations.note(2);
        pass(7).await;
        assert!(!creations.look(then, |id| Some(id == 1)));
        assert!(!creations.look(then, |_| None), "out of the list's reach");
        assert!(creations.look(then, |_| Some(true)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_lag_is_measured_when_one_is_first_seen() {
        let creations = Creations::default();
        let then = Instant::now();
        creations.note(1);
        pass(7).await;
        creations.look(then, |_| Some(false));
        assert_eq!(creations.longest_lag(), None, "that it is hidden says not how long the lag is");
        pass(2).await;
        creations.look(then, |_| Some(true));
        assert_eq!(creations.longest_lag(), Some(Duration::from_secs(9)));
        pass(1000).await;
        creations.look(then, |_| Some(true));
        assert_eq!(creations.longest_lag(), Some(Duration::from_secs(9)), "growing old proves nothing");
        creations.note(2);
        pass(20).await;
        creations.look(then, |id| Some(id == 1));
        assert_eq!(creations.longest_lag(), Some(Duration::from_secs(20)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_made_while_the_list_was_on_its_way_is_not_hidden() {
        let creations = Creations::default();
        let then = Instant::now();
        creations.note(1);
        pass(1).await;
        creations.look(then, |_| Some(true));
        let asked = Instant::now();
        pass(5).await;
        creations.note(2);
        pass(5).await;
        creations.later_one_visible(then, asked, |id| Some(id == 1));
        assert_eq!(creations.longest_lag(), Some(Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_old_when_it_is_looked_at_first_measures_nothing() {
        let creations = Creations::default();
        let then = Instant::now();
        creations.note(1);
        pass(300).await;
        creations.look(then, |_| Some(true));
        assert_eq!(creations.longest_lag(), None);
        creations.note(2);
        pass(100).await;
        creations.look(then, |id| Some(id == 1));
        pass(100).await;
        creations.look(then, |_| Some(true));
        assert_eq!(creations.longest_lag(), Some(Duration::from_secs(200)), "a look before had missed it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_deleted_one_is_not_taken_for_an_endless_lag() {
        let creations = Creations::default();
        let then = Instant::now();
        creations.note(1);
        creations.note(2);
        creations.look(then, |id| Some(id == 1));
        pass(100_000).await;
        assert!(!creations.look(Instant::now(), |id| Some(id == 1)));
        assert_eq!(creations.longest_lag(), Some(LONGEST_LAG));
    }
}
