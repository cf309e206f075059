//! The time of day, without reading the computer's clock again.
//!
//! A computer's clock may jump, both ways. Here it is read once, by whoever begins a run; from then on time passes by
//! tokio's own measure, which never goes back, and which a test can drive.

use std::time::Duration;

use tokio::time::Instant;

use crate::call::Moment;

/// When it is.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Moment,
    origin: Instant,
}

impl Clock {
    /// A clock that shows `now`.
    pub fn starting_at(now: Moment) -> Self {
        Self { began: now, origin: Instant::now() }
    }

    /// When it was started.
    pub fn began(&self) -> Moment {
        self.began
    }

    /// What it shows.
    pub fn now(&self) -> Moment {
        self.began.plus_seconds(i64::try_from(self.origin.elapsed().as_secs()).unwrap_or(i64::MAX))
    }

    /// Since it was started.
    pub fn elapsed(&self) -> Duration {
        self.origin.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_goes_with_tokios_time() {
        let clock = Clock::starting_at(Moment::from_epoch_seconds(100).unwrap());
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now().epoch_seconds(), 190);
        assert_eq!(clock.began().epoch_seconds(), 100);
    }
}
