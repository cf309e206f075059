//! How long to wait before a request that is safe to repeat is sent again.

use std::time::Duration;

/// Exponential, capped, with jitter, so that many workers do not come back at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait.
    pub base: Duration,
    /// The longest wait of all.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(500), cap: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The wait before the repetition `attempt` (from 0), with `chance` between 0 and 1: between half of the full wait
    /// and the full wait.
    pub fn wait(self, attempt: u32, chance: f64) -> Duration {
        let full = self.base.saturating_mul(1 << attempt.min(16)).min(self.cap);
        full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_chance_takes_at_most_half() {
        let backoff = Backoff::default();
        let full: Vec<u128> = (0..8).map(|attempt| backoff.wait(attempt, 1.0).as_millis()).collect();
        assert_eq!(full, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(backoff.wait(1, 0.0), Duration::from_millis(500));
        assert_eq!(backoff.wait(u32::MAX, 1.0), backoff.cap);
    }
}
