//! The forms in which an export may write how long a call took, and how it is shown.
//!
//! A bare number by its unit ([`DurationUnit`]), rounded to the nearest second; `hh:mm:ss`, also with a fraction; ISO 8601
//! (`PT1H2M3S`). `12:34` may be minutes and seconds or hours and minutes, so that it is read only where [`ShortClock`]
//! says which.

use super::forms::{DurationUnit, Forms, ShortClock};

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DurationFault {
    #[error("is not a duration: a number (see `source.duration_unit`), `hh:mm:ss` or `PT1H2M3S` is needed")]
    Form,
    #[error(
        "may be minutes and seconds or hours and minutes: set `source.short_clock` to `mm:ss` or `hh:mm`"
    )]
    Ambiguous,
}

/// The longest duration in seconds, some decades: as many as a number of nine digits tells.
pub(super) const LONGEST: u64 = 999_999_999;

/// Reads a duration as seconds.
pub(super) fn parse_duration(text: &str, forms: Forms) -> Result<u64, DurationFault> {
    let seconds = if text.contains(':') {
        clock(text, forms.short_clock)?
    } else if text.starts_with(['P', 'p']) {
        iso(text).ok_or(DurationFault::Form)?
    } else {
        bare(text, forms.duration)?
    };
    if seconds > LONGEST { Err(DurationFault::Form) } else { Ok(seconds) }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn whole(text: &str) -> Result<u64, DurationFault> {
    if all_digits(text) && text.len() <= 9 {
        return text.parse().map_err(|_| DurationFault::Form);
    }
    Err(DurationFault::Form)
}

fn clock(text: &str, short: Option<ShortClock>) -> Result<u64, DurationFault> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !all_digits(fraction) {
        return Err(DurationFault::Form);
    }
    let parts: Vec<&str> = clock.split(':').collect();
    let sixty = |text: &str| match whole(text) {
        Ok(number) if text.len() == 2 && number < 60 => Ok(number),
        _ => Err(DurationFault::Form),
    };
    let seconds = match (&parts[..], short) {
        ([hours, minutes, seconds], _) => whole(hours)? * 3600 + sixty(minutes)? * 60 + sixty(seconds)?,
        ([minutes, seconds], Some(ShortClock::MinutesSeconds)) => whole(minutes)? * 60 + sixty(seconds)?,
        ([hours, minutes], Some(ShortClock::HoursMinutes)) if fraction == "0" => {
            whole(hours)? * 3600 + sixty(minutes)? * 60
        }
        ([first, second], None) if whole(first).is_ok() && whole(second).is_ok() => {
            return Err(DurationFault::Ambiguous);
        }
        _ => return Err(DurationFault::Form),
    };
    Ok(seconds + u64::from(fraction.as_bytes().first().is_some_and(|digit| *digit >= b'5')))
}

fn bare(text: &str, unit: DurationUnit) -> Result<u64, DurationFault> {
    if unit == DurationUnit::Seconds && all_digits(text) {
        return whole(text);
    }
    let number = decimal(text).ok_or(DurationFault::Form)?;
    let seconds = match unit {
        DurationUnit::Seconds => number,
        DurationUnit::Milliseconds => number / 1000.0,
        DurationUnit::Minutes => number * 60.0,
        DurationUnit::Days => number * 86_400.0,
    };
    to_seconds(seconds).ok_or(DurationFault::Form)
}

/// A number as spreadsheets and JSON write it: digits, a fraction, an exponent.
fn decimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    (all_digits(before) && all_digits(after) && all_digits(exponent)).then(|| text.parse().ok()).flatten()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within the bounds before")]
fn to_seconds(seconds: f64) -> Option<u64> {
    (0.0..=LONGEST as f64).contains(&seconds).then(|| seconds.round() as u64)
}

/// `P1DT2H3M4.5S`; years, months and weeks have no fixed place in the length of a call.
fn iso(text: &str) -> Option<u64> {
    let text = text.to_ascii_uppercase();
    let (days, time) = text.strip_prefix('P')?.split_once('T').unwrap_or((text.strip_prefix('P')?, ""));
    let mut seconds = 0.0;
    let mut parts = 0;
    for (part, units) in [(days, &[('D', 86_400.0)][..]), (time, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)])] {
        let mut rest = part;
        for (unit, worth) in units {
            if let Some((number, behind)) = rest.split_once(*unit) {
                seconds += decimal(number)? * worth;
                rest = behind;
                parts += 1;
            }
        }
        if !rest.is_empty() {
            return None;
        }
    }
    if parts == 0 { None } else { to_seconds(seconds) }
}

/// As a person reads it: `3 min 12 s`.
pub(super) fn show_duration(seconds: u64) -> String {
    let units = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let words: Vec<String> = units
        .iter()
        .filter(|(count, unit)| *count > 0 || (seconds == 0 && *unit == "s"))
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<u64, DurationFault> {
        parse_duration(text, Forms::default())
    }

    #[test]
    fn each_known_form_is_read_as_seconds() {
        let cases = [
            ("0", 0),
            ("192", 192),
            ("12.4", 12),
            ("12.5", 13),
            ("00:03:12", 192),
            ("1:00:00.7", 3601),
            ("100:00:00", 360_000),
            ("PT3S", 3),
            ("PT1H51M35S", 6695),
            ("P1DT0.5M", 86_430),
            ("pt1m1.5s", 62),
        ];
        for (text, seconds) in cases {
            assert_eq!(read(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn a_bare_number_is_read_by_its_unit() {
        let cases = [
            (DurationUnit::Milliseconds, "61499.6", 61),
            (DurationUnit::Milliseconds, "61500", 62),
            (DurationUnit::Minutes, "0.03", 2),
            (DurationUnit::Minutes, "5.0", 300),
            (DurationUnit::Days, "0.000069444446", 6),
            (DurationUnit::Days, "6.9444446E-05", 6),
            (DurationUnit::Days, "00:03:12", 192),
        ];
        for (duration, text, seconds) in cases {
            let forms = Forms { duration, ..Forms::default() };
            assert_eq!(parse_duration(text, forms), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn what_may_mean_two_things_is_read_only_as_told() {
        assert_eq!(read("12:34"), Err(DurationFault::Ambiguous));
        let told = |clock| Forms { short_clock: Some(clock), ..Forms::default() };
        assert_eq!(parse_duration("12:34", told(ShortClock::MinutesSeconds)), Ok(754));
        assert_eq!(parse_duration("90:05.5", told(ShortClock::MinutesSeconds)), Ok(5406));
        assert_eq!(parse_duration("12:34", told(ShortClock::HoursMinutes)), Ok(45_240));
        assert_eq!(parse_duration("12:34:56", told(ShortClock::HoursMinutes)), Ok(45_296));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "-5",
            "1:2:3",
            "00:61:00",
            "3 min",
            "1,5",
            "1.",
            ".5",
            "1:00:00:00",
            "9999999999",
            "+5",
            "inf",
            "NaN",
            "P",
            "PT",
            "PT5",
            "P1Y",
            "PT1S2M",
            "1e",
            "a:b",
            "1e400",
        ] {
            assert_eq!(read(text), Err(DurationFault::Form), "{text}");
        }
    }

    #[test]
    fn a_duration_is_shown_without_empty_units() {
        assert_eq!(show_duration(0), "0 s");
        assert_eq!(show_duration(192), "3 min 12 s");
        assert_eq!(show_duration(3600), "1 h");
        assert_eq!(show_duration(3605), "1 h 5 s");
    }

    proptest::proptest! {
        #[test]
        fn every_duration_is_read_back(seconds in 0..999_999_999_u64) {
            let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
            proptest::prop_assert_eq!(read(&clock), Ok(seconds));
            proptest::prop_assert_eq!(read(&seconds.to_string()), Ok(seconds));
            proptest::prop_assert_eq!(read(&format!("PT{seconds}S")), Ok(seconds));
            let ms = Forms { duration: DurationUnit::Milliseconds, ..Forms::default() };
            proptest::prop_assert_eq!(parse_duration(&format!("{seconds}000.0"), ms), Ok(seconds));
        }

        #[test]
        fn no_text_panics(text in "[0-9:.PTHMSDe+-]{0,20}|.{0,12}") {
            for duration in [DurationUnit::Seconds, DurationUnit::Days] {
                let forms = Forms {
                    duration,
                    short_clock: Some(ShortClock::MinutesSeconds),
                    ..Forms::default()
                };
                parse_duration(&text, forms).ok();
            }
        }
    }
}
