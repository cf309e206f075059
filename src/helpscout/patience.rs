//! How long reads are tried again.
//!
//! A read that failed for a passing reason is tried again after a wait that doubles, with chance in it so that workers do
//! not come back all at once, until nothing at all has succeeded for the time that the settings give. What succeeds
//! elsewhere counts: one unlucky request among many that pass is no reason to stop.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::ApiError;
use crate::policy::Backoff;

/// What a client tells while it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientNote {
    /// The service asked to wait: nothing leaves until then.
    Throttled {
        /// For how long.
        wait: Duration,
    },
    /// A read is tried again after a wait.
    Retrying {
        /// What happened.
        why: String,
        /// For how long it waits.
        wait: Duration,
    },
}

/// Listens to a client. Must not block: it is called between requests.
pub type NoteSink = Arc<dyn Fn(ClientNote) + Send + Sync>;

/// Waits, chance and the last success, shared by all requests of a client.
pub(super) struct Patience {
    start: Instant,
    /// Milliseconds since the start.
    last_success: AtomicU64,
    give_up: Duration,
    chance: Mutex<fastrand::Rng>,
    on_note: Option<NoteSink>,
    /// Ends waits; never cancelled unless somebody gave one.
    stop: CancellationToken,
}

impl Patience {
    pub(super) fn new(give_up: Duration, chance_seed: u64, on_note: Option<NoteSink>) -> Self {
        Self {
            start: Instant::now(),
            last_success: AtomicU64::new(0),
            give_up,
            chance: Mutex::new(fastrand::Rng::with_seed(chance_seed)),
            on_note,
            stop: CancellationToken::new(),
        }
    }

    pub(super) fn stop_with(&mut self, stop: CancellationToken) {
        self.stop = stop;
    }

    /// Comes back so long after waits were asked to end.
    pub(super) async fn stopped_for(&self, span: Duration) {
        self.stop.cancelled().await;
        sleep(span).await;
    }

    /// Something succeeded.
    pub(super) fn note_success(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_success.fetch_max(now, Ordering::Relaxed);
    }

    /// How long ago something last succeeded; before the first success, since the start.
    pub(super) fn since_success(&self) -> Duration {
        self.start.elapsed().saturating_sub(Duration::from_millis(self.last_success.load(Ordering::Relaxed)))
    }

    pub(super) fn tell(&self, note: ClientNote) {
        if let Some(listener) = &self.on_note {
            listener(note);
        }
    }

    /// Begins the attempts of one request.
    pub(super) fn begin(&self) -> Attempts<'_> {
        Attempts { patience: self, began: Instant::now(), made: 0 }
    }

    fn wait_after(&self, attempts: u32) -> Duration {
        let chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner).f64();
        Backoff::default().wait(attempts.saturating_sub(1), chance)
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("give_up", &self.give_up).finish_non_exhaustive()
    }
}

/// The attempts of one request.
#[derive(Debug)]
pub(super) struct Attempts<'a> {
    patience: &'a Patience,
    began: Instant,
    made: u32,
}

impl Attempts<'_> {
    /// An attempt failed: counts it, and says how much patience is left.
    pub(super) fn failed(&mut self, why: &str) -> Result<Duration, ApiError> {
        self.made += 1;
        // Idle time is no failure: it counts from the later of the last success and the first attempt.
        let without = self.patience.since_success().min(self.began.elapsed());
        let left = self.patience.give_up.saturating_sub(without);
        if left.is_zero() {
            let (attempts, elapsed) = (self.made, self.began.elapsed());
            return Err(ApiError::GaveUp { attempts, elapsed, why: why.to_owned() });
        }
        Ok(left)
    }

    /// An attempt failed: waits before the next, at least as long as the service asks.
    pub(super) async fn pause(&mut self, why: &str, at_least: Option<Duration>) -> Result<(), ApiError> {
        let left = self.failed(why)?;
        let wait = self.patience.wait_after(self.made).min(left).max(at_least.unwrap_or_default());
        self.patience.tell(ClientNote::Retrying { why: why.to_owned(), wait });
        tokio::select! {
            biased;
            () = self.patience.stop.cancelled() => Err(ApiError::Stopped),
            () = sleep(wait) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_ends_when_nothing_succeeded_for_the_given_time() {
        let patience = Patience::new(Duration::from_secs(900), 7, None);
        let start = Instant::now();
        let mut attempts = patience.begin();
        let error = loop {
            if let Err(error) = attempts.pause("reset", None).await {
                break error;
            }
        };
        assert_eq!(start.elapsed().as_secs(), 900);
        let ApiError::GaveUp { attempts, elapsed, why } = error else { panic!("{error}") };
        assert!((30..70).contains(&attempts), "{attempts}");
        assert_eq!((elapsed.as_secs(), why.as_str()), (900, "reset"));
    }

    #[tokio::test(start_paused = true)]
    async fn success_elsewhere_and_idle_time_renew_it() {
        let patience = Patience::new(Duration::from_secs(60), 7, None);
        tokio::time::advance(Duration::from_secs(600)).await;
        let mut attempts = patience.begin();
        assert!(attempts.failed("idle before").is_ok());
        tokio::time::advance(Duration::from_secs(50)).await;
        patience.note_success();
        tokio::time::advance(Duration::from_secs(50)).await;
        assert!(attempts.failed("others pass").is_ok());
        tokio::time::advance(Duration::from_secs(11)).await;
        assert!(attempts.failed("nobody passes").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stated_wait_is_kept_and_told() {
        let notes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&notes);
        let patience = Patience::new(
            Duration::from_secs(9),
            7,
            Some(Arc::new(move |note| sink.lock().unwrap().push(note))),
        );
        let start = Instant::now();
        patience.begin().pause("503", Some(Duration::from_secs(40))).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 40);
        let told = notes.lock().unwrap().pop();
        assert_eq!(told, Some(ClientNote::Retrying { why: "503".into(), wait: Duration::from_secs(40) }));
    }
}
