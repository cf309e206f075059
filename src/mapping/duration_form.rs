//! The forms in which an export may write how long a call took, and how it is shown.
//!
//! Seconds (a fraction is rounded to the nearest second) or `hh:mm:ss`, also with a fraction. `mm:ss` is refused, because
//! `12:34` may as well be hours and minutes.

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DurationFault {
    #[error("is not a duration: seconds or `hh:mm:ss` is needed")]
    Form,
    #[error("may be minutes and seconds or hours and minutes: seconds or `hh:mm:ss` is needed")]
    Ambiguous,
}

/// The longest duration in seconds, some decades: as many as a number of nine digits tells.
pub(super) const LONGEST: u64 = 999_999_999;

/// Reads a duration as seconds.
pub(super) fn parse_duration(text: &str) -> Result<u64, DurationFault> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = whole.split(':').collect();
    if !digits(fraction) || !parts.iter().all(|part| digits(part) && part.len() <= 9) {
        return Err(DurationFault::Form);
    }
    let number = |text: &str| text.parse::<u64>().map_err(|_| DurationFault::Form);
    let seconds = match parts[..] {
        [seconds] => number(seconds)?,
        [_, _] => return Err(DurationFault::Ambiguous),
        [hours, minutes, seconds] if minutes.len() == 2 && seconds.len() == 2 => {
            let (minutes, seconds) = (number(minutes)?, number(seconds)?);
            if minutes > 59 || seconds > 59 {
                return Err(DurationFault::Form);
            }
            number(hours)? * 3600 + minutes * 60 + seconds
        }
        _ => return Err(DurationFault::Form),
    };
    let rounded = seconds + u64::from(fraction.as_bytes().first().is_some_and(|digit| *digit >= b'5'));
    if rounded > LONGEST { Err(DurationFault::Form) } else { Ok(rounded) }
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
        ];
        for (text, seconds) in cases {
            assert_eq!(parse_duration(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn what_may_mean_two_things_is_refused() {
        assert_eq!(parse_duration("12:34"), Err(DurationFault::Ambiguous));
        for text in
            ["", "-5", "1:2:3", "00:61:00", "3 min", "1,5", "1.", ".5", "1:00:00:00", "9999999999", "+5"]
        {
            assert_eq!(parse_duration(text), Err(DurationFault::Form), "{text}");
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
            proptest::prop_assert_eq!(parse_duration(&clock), Ok(seconds));
            proptest::prop_assert_eq!(parse_duration(&seconds.to_string()), Ok(seconds));
        }
    }
}
