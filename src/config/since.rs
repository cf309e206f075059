//! The forms of `--since` and `--until`: RFC 3339, a date, or a span before now.

use crate::call::{CivilTime, LocalReading, Moment, Zone};

/// Why a bound is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BoundFault {
    #[error(
        "`{0}` is no time: RFC 3339 (`2024-05-01T08:00:00Z`), a date (`2024-05-01`), or a span before now (`-2h`, `-7d`)"
    )]
    Form(String),
    #[error(
        "`{0}` is a date, and a date begins at another moment in every time zone: give `--time-zone` too"
    )]
    NoZone(String),
}

/// The moment that `text` means. A moment between two seconds counts as the later one: calls start at whole seconds, so
/// that both "at or after" and "before" come to the same.
pub(super) fn parse_bound(text: &str, zone: Option<Zone>, now: Moment) -> Result<Moment, BoundFault> {
    let text = text.trim();
    let no_form = || BoundFault::Form(text.to_owned());
    if let Some(span) = text.strip_prefix('-') {
        return span_seconds(span).map(|seconds| now.plus_seconds(-seconds)).ok_or_else(no_form);
    }
    if text.len() == 10 {
        let midnight = date(text).ok_or_else(no_form)?;
        let zone = zone.ok_or_else(|| BoundFault::NoZone(text.to_owned()))?;
        return match zone.read(midnight).ok_or_else(no_form)? {
            // Where the clock is put forward over midnight, the reading by the offset before is the change itself.
            LocalReading::Once(first)
            | LocalReading::Skipped(first, _)
            | LocalReading::Repeated(first, _) => Ok(first),
        };
    }
    rfc3339(text).ok_or_else(no_form)
}

fn span_seconds(span: &str) -> Option<i64> {
    let (number, unit) = span.split_at_checked(span.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    digits(number).and_then(|number| number.checked_mul(unit))
}

fn date(text: &str) -> Option<CivilTime> {
    let (year, month, day) = date_parts(text)?;
    CivilTime::new(year, month, day, 0, 0, 0)
}

fn date_parts(text: &str) -> Option<(i32, u32, u32)> {
    let mut parts = text.split('-');
    let mut next = |width: usize| parts.next().filter(|part| part.len() == width).and_then(digits);
    let (year, month, day) = (next(4)?, next(2)?, next(2)?);
    if parts.next().is_some() {
        return None;
    }
    Some((i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?))
}

fn rfc3339(text: &str) -> Option<Moment> {
    let (date, rest) = text.split_at_checked(10)?;
    let (year, month, day) = date_parts(date)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let mut parts = time.split(':').map(|part| (part.len() == 2).then(|| digits(part)).flatten());
    let mut next = || parts.next().flatten().and_then(|part| u32::try_from(part).ok());
    let civil = CivilTime::new(year, month, day, next()?, next()?, next()?)?;
    let (fraction, zone) = rest.split_at_checked(rest.find(['Z', 'z', '+', '-'])?)?;
    let after = if fraction.is_empty() {
        0
    } else {
        i64::from(digits_only(fraction.strip_prefix('.')?)?.bytes().any(|byte| byte != b'0'))
    };
    civil.at_offset(offset(zone)?).map(|moment| moment.plus_seconds(after))
}

fn offset(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let two =
        |part: &str, below: i64| (part.len() == 2).then(|| digits(part)).flatten().filter(|n| *n < below);
    i32::try_from(two(hours, 24)? * 3600 + two(minutes, 60)? * 60).ok().map(|seconds| sign * seconds)
}

fn digits(text: &str) -> Option<i64> {
    digits_only(text)?.parse().ok()
}

fn digits_only(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bound(text: &str, zone: Option<&str>) -> Result<String, String> {
        let now = Moment::parse_api("2026-11-22T12:00:00Z").unwrap();
        let zone = zone.map(|name| Zone::parse(name).unwrap());
        parse_bound(text, zone, now).map(|moment| moment.to_string()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn every_documented_form_is_read() {
        for (text, moment) in [
            ("2024-05-01T08:00:00Z", "2024-05-01T08:00:00Z"),
            ("2024-05-01t08:00:00+02:00", "2024-05-01T06:00:00Z"),
            ("2024-05-01 08:00:00.000-05:30", "2024-05-01T13:30:00Z"),
            ("2024-05-01T08:00:00.25Z", "2024-05-01T08:00:01Z"),
            ("-2h", "2026-11-22T10:00:00Z"),
            ("-7d", "2026-11-15T12:00:00Z"),
            ("-30m", "2026-11-22T11:30:00Z"),
        ] {
            assert_eq!(bound(text, None).as_deref(), Ok(moment), "{text}");
        }
    }

    #[test]
    fn a_date_is_its_first_moment_in_the_zone() {
        assert_eq!(bound("2024-05-01", Some("America/New_York")).as_deref(), Ok("2024-05-01T04:00:00Z"));
        assert_eq!(bound("2024-05-01", Some("UTC")).as_deref(), Ok("2024-05-01T00:00:00Z"));
        // In Cairo the clocks went from midnight to one on this day.
        assert_eq!(bound("2024-04-26", Some("Africa/Cairo")).as_deref(), Ok("2024-04-25T22:00:00Z"));
        assert!(bound("2024-05-01", None).unwrap_err().contains("give `--time-zone` too"));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "-",
            "-h",
            "-2y",
            "--2h",
            "-é",
            "yesterday",
            "2024-02-30",
            "2024-5-1",
            "2024-05-01T08:00:00",
            "2024-05-01T08:00:00+2",
            "2024-05-01T08:00:00+99:00",
            "2024-05-01T25:00:00Z",
            "-99999999999999999d",
        ] {
            assert!(bound(text, Some("UTC")).unwrap_err().contains("is no time"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9TZ:. dhé]{0,32}") {
            prop_assert!(bound(&text, Some("UTC")).map_or_else(|told| !told.is_empty(), |told| told.len() == 20));
        }
    }
}
