//! How long units take at the pace.

use std::time::Duration;

use super::{Share, pacer::even_rate, share::DAY};

/// How long `units` take of an account's `limit` a minute (0: none) by `share`, from the local `second` of a day on, as
/// long as nobody else uses the account and the service answers.
pub fn time_for(units: u64, limit: u32, share: &Share, second: u32) -> Duration {
    if limit == 0 {
        return Duration::ZERO;
    }
    let a_minute = |at: u32| even_rate(limit, share.at(at % DAY));
    let (minute, begun) = (second / 60, f64::from(second % 60) / 60.0);
    if !share.is_timetable() {
        return minutes(units as f64 / a_minute(minute));
    }
    let a_day: f64 = (0..DAY).map(a_minute).sum();
    let days = (units as f64 / a_day).floor();
    // The minute that has begun is counted whole, with what would have left of it.
    let (mut left, mut passed) = (units as f64 - days * a_day + begun * a_minute(minute), 0);
    while left > a_minute(minute + passed) && passed < DAY {
        left -= a_minute(minute + passed);
        passed += 1;
    }
    minutes(days * f64::from(DAY) + f64::from(passed) - begun + left / a_minute(minute + passed))
}

fn minutes(count: f64) -> Duration {
    Duration::try_from_secs_f64(count * 60.0).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(units: u64, limit: u32, share: &str, second: u32) -> u64 {
        (time_for(units, limit, &Share::parse(share).unwrap(), second) + Duration::from_millis(500)).as_secs()
    }

    #[test]
    fn one_share_is_a_division() {
        // 316.8 units leave a minute of 320.
        assert_eq!(seconds(316_800, 400, "0.8", 0), 60_000);
        assert_eq!(seconds(0, 400, "0.8", 0), 0);
        assert_eq!(seconds(5, 0, "0.8", 0), 0);
    }

    #[test]
    fn a_timetable_is_followed_from_the_minute_on_over_days() {
        // 118 units a minute by day, where the burst is more than a hundredth, 356.4 by night.
        let table = "08:00,0.3 20:00,0.9";
        assert_eq!(seconds(1_180, 400, table, 9 * 3_600 + 20), 600);
        assert_eq!(seconds(1_180 + 3_564, 400, table, 20 * 3_600 - 600), 1_200);
        let a_day = 720 * 118 + 720 * 3_564 / 10;
        assert_eq!(seconds(3 * a_day + 1_180, 400, table, 9 * 3_600), 3 * 86_400 + 600);
    }

    #[test]
    fn a_next_to_nothing_of_a_share_is_a_long_time() {
        assert!(seconds(1_000_000, 1, "0.000000001", 0) > 1_000_000_000_000);
    }
}
