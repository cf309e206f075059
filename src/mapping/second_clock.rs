//! A second clock of a row, which tells a wrong zone before the calls stand at the wrong hour.
//!
//! Some exports write a moment twice: as local time and in UTC, or as local time beside an id that holds epoch seconds. Two
//! clocks of one moment differ by a zone, which is a whole number of quarter hours, and by nothing where both are absolute.

use super::{
    field::Field,
    reading::Reading,
    time_form::{TimeFault, parse_time},
};
use crate::call::Zone;

const QUARTER: i64 = 900;
/// No zone is further from UTC.
const FURTHEST: i64 = 14 * 3_600;
/// A row may be written a little before or after what its other clock tells: a channel is there before its call.
const LAG: std::ops::RangeInclusive<i64> = -60..=120;

/// Warns where the start and the row's second clock cannot both be right. A row without one of them has nothing to compare.
pub(super) fn check_second_clock(reading: &mut Reading<'_>) {
    let (Some(start), Some(text)) = (reading.started_at, reading.text(Field::CLOCK)) else { return };
    let forms = reading.settings().forms;
    let absolute = parse_time(text, None, forms);
    let has_zone = absolute != Err(TimeFault::NoZone);
    let read = if has_zone { absolute } else { parse_time(text, Some(Zone::UTC), forms) };
    let Ok(clock) = read else {
        reading.warn("`call.clock` has values that are no time: they are compared with nothing");
        return;
    };
    let apart = start.epoch_seconds() - clock.moment.epoch_seconds();
    // Rounded so that the lag behind a whole number of quarter hours is left over.
    let quarters = (apart + LAG.start().abs()).div_euclid(QUARTER);
    let fits = LAG.contains(&(apart - quarters * QUARTER));
    if has_zone && fits && quarters != 0 && apart.abs() <= 2 * FURTHEST {
        let sign = if quarters > 0 { "later" } else { "earlier" };
        let minutes = quarters.abs() * 15;
        reading.warn(format!(
            "the start is {}:{:02} h {sign} than the row's other clock (`call.clock`) says: the zone of the times is likely \
             another than the one that is set",
            minutes / 60,
            minutes % 60,
        ));
    } else if !has_zone && (!fits || apart.abs() > FURTHEST) {
        reading.warn(
            "the start and the row's other clock (`call.clock`) are not a whole number of quarter hours, or more than 14 \
             hours, apart: one of them is not what it is taken for",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::mapping::interpret::tests::{interpret, own_names, with};

    /// What is said where the second clock of a call at `2026-03-30T14:05:09Z` says this.
    fn said(clock: &'static str) -> String {
        let found = interpret(own_names(), &with(&[("call_clock", clock)]));
        found.warnings.into_iter().map(|warning| warning.reason).collect()
    }

    #[test]
    fn an_absolute_clock_tells_a_wrong_zone_by_its_hours() {
        // 14:05:09, the same moment; 14:04:30 and 13:58: a later row of its call; nothing at all.
        for clock in ["1774879509", "1774879470", "1774879080", "2026-03-30T16:05:09+02:00", ""] {
            assert_eq!(said(clock), "", "{clock}");
        }
        assert!(said("1774883109").contains("1:00 h earlier"), "{}", said("1774883109"));
        assert!(said("1774859700").contains("5:30 h later"), "{}", said("1774859700"));
        assert_eq!(said("1600000000"), "", "years apart is no matter of zones");
    }

    #[test]
    fn a_local_clock_is_a_zone_apart_and_no_more() {
        for clock in ["2026-03-30 16:05:09", "2026-03-30 08:35:09", "2026-03-31 04:05:09"] {
            assert_eq!(said(clock), "", "{clock}");
        }
        for clock in ["2026-03-30 16:12:00", "2026-03-31 09:05:09"] {
            assert!(said(clock).contains("whole number of quarter hours"), "{clock}: {}", said(clock));
        }
    }

    #[test]
    fn what_is_no_time_is_told_and_rejects_nothing() {
        assert!(said("soon").contains("`call.clock` has values that are no time"));
        let none = interpret(own_names(), &with(&[("clock", "soon")]));
        assert!(none.warnings.is_empty(), "a column of that name may be anything");
    }
}
