//! How many conversations are worked on at the same time.
//!
//! By Little's law, requests in flight = rate × latency. More would only wait for the pace with their intents on disk;
//! fewer would leave units unused. Half as many again, and one, make up for the unevenness of both.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most that is ever useful against one account.
const MOST: usize = 64;
/// How much a new measurement of the latency counts.
const WEIGHT: f64 = 0.1;

/// Places for workers, as many as are needed now.
#[derive(Debug)]
pub(super) struct Slots {
    semaphore: Arc<Semaphore>,
    open: AtomicUsize,
    most: usize,
    latency: Mutex<Option<f64>>,
}

/// A worker's place.
pub(super) type Slot = OwnedSemaphorePermit;

impl Slots {
    /// As many places as are found to be needed, at most as `workers` says.
    pub(super) fn new(workers: Option<usize>) -> Self {
        let most = workers.map_or(MOST, |asked| asked.clamp(1, MOST));
        let open = most.min(4);
        Self {
            semaphore: Arc::new(Semaphore::new(open)),
            open: AtomicUsize::new(open),
            most,
            latency: Mutex::new(None),
        }
    }

    /// Waits for a place.
    pub(super) async fn take(&self) -> Slot {
        // The semaphore is never closed.
        match Arc::clone(&self.semaphore).acquire_owned().await {
            Ok(slot) => slot,
            Err(_) => unreachable!("the semaphore of the slots is never closed"),
        }
    }

    /// How many places there are.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Takes note of how long a write took, and opens or closes places for writes at `rate` a second (`None`: as fast as
    /// they go).
    pub(super) fn measure(&self, latency: Duration, rate: Option<f64>) {
        let mut known = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        let now = latency.as_secs_f64();
        let smooth = known.map_or(now, |before| before + WEIGHT * (now - before));
        *known = Some(smooth);
        self.resize(needed(smooth, rate).min(self.most));
    }

    fn resize(&self, needed: usize) {
        let open = self.open();
        if needed > open {
            self.semaphore.add_permits(needed - open);
            self.open.store(needed, Ordering::Relaxed);
        } else if needed < open {
            let closed = self.semaphore.forget_permits(open - needed);
            self.open.store(open - closed, Ordering::Relaxed);
        }
    }
}

fn needed(latency: f64, rate: Option<f64>) -> usize {
    let Some(rate) = rate else { return MOST };
    let wanted = (rate * latency * 1.5).ceil() + 1.0;
    (2..=MOST).find(|places| *places as f64 >= wanted).unwrap_or(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_rate_and_latency_up_to_a_bound() {
        let slots = Slots::new(None);
        for _ in 0..100 {
            slots.measure(Duration::from_secs(5), Some(2.0));
        }
        assert_eq!(slots.open(), 16);
        for _ in 0..200 {
            slots.measure(Duration::from_millis(50), Some(2.0));
        }
        assert_eq!(slots.open(), 2);
        slots.measure(Duration::from_millis(50), None);
        assert_eq!(slots.open(), MOST);
    }

    #[test]
    fn a_number_that_was_asked_for_is_the_most() {
        let slots = Slots::new(Some(3));
        assert_eq!(slots.open(), 3);
        slots.measure(Duration::from_secs(60), None);
        assert_eq!(slots.open(), 3);
        let slots = Slots::new(Some(40));
        slots.measure(Duration::from_secs(60), None);
        assert_eq!(slots.open(), 40);
        for _ in 0..200 {
            slots.measure(Duration::from_millis(50), Some(2.0));
        }
        assert_eq!(slots.open(), 2, "no more than the pace asks for");
    }
}
