//! The part of the account's limit that may be used: one fraction, or a timetable of the day.

/// Minutes of a day.
pub(super) const DAY: u32 = 24 * 60;

/// One fraction, or which fraction holds from which minute of the day on.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// In order of the minute; never empty. Before the first, the last of the day before still holds.
    changes: Vec<(u32, f64)>,
}

/// Why a share is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Not a fraction.
    #[error("the share `{0}` is not a number above 0 and up to 1, such as `0.8`")]
    Fraction(String),
    /// Not an entry of a timetable.
    #[error("`{0}` is no entry of a timetable: `HH:MM,FRACTION`, such as `08:00,0.3 19:00,0.9`")]
    Entry(String),
    /// Two entries for one minute.
    #[error("the timetable says twice what holds from `{0}` on")]
    Twice(String),
}

impl Share {
    /// Reads `0.8` or `08:00,0.3 19:00,0.9`.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        let text = text.trim();
        if !text.contains([',', ':']) {
            return Ok(Self { changes: vec![(0, fraction(text)?)] });
        }
        let mut changes: Vec<(u32, f64)> = Vec::new();
        for entry in text.split_whitespace() {
            let (time, part) = entry.split_once(',').ok_or_else(|| ShareError::Entry(entry.to_owned()))?;
            let minute = minute_of(time).ok_or_else(|| ShareError::Entry(entry.to_owned()))?;
            if changes.iter().any(|(known, _)| *known == minute) {
                return Err(ShareError::Twice(time.to_owned()));
            }
            changes.push((minute, fraction(part)?));
        }
        changes.sort_by_key(|(minute, _)| *minute);
        Ok(Self { changes })
    }

    /// The same fraction at all times.
    pub fn always(part: f64) -> Result<Self, ShareError> {
        Self::parse(&part.to_string())
    }

    /// Whether it changes in the course of a day.
    pub fn is_timetable(&self) -> bool {
        self.changes.len() > 1
    }

    /// What holds at a minute of the local day.
    pub fn at(&self, minute_of_day: u32) -> f64 {
        let holding = self.changes.iter().rev().find(|(from, _)| *from <= minute_of_day);
        holding.or(self.changes.last()).map_or(1.0, |(_, part)| *part)
    }
}

fn fraction(text: &str) -> Result<f64, ShareError> {
    match text.parse::<f64>() {
        Ok(part) if part > 0.0 && part <= 1.0 => Ok(part),
        _ => Err(ShareError::Fraction(text.to_owned())),
    }
}

fn minute_of(time: &str) -> Option<u32> {
    let (hour, minute) = time.split_once(':')?;
    let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60).then_some(hour * 60 + minute).filter(|minute| *minute < DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fraction_holds_all_day() {
        let share = Share::parse(" 0.8 ").unwrap();
        assert!([0, 700, 1439].into_iter().all(|minute| share.at(minute).to_bits() == 0.8_f64.to_bits()));
        assert_eq!(Share::always(1.0), Share::parse("1"));
    }

    #[test]
    fn a_timetable_wraps_around_midnight_and_needs_no_order() {
        let share = Share::parse("19:00,0.9 08:00,0.3").unwrap();
        let at = |hour: u32, minute: u32| (share.at(hour * 60 + minute) * 10.0).round();
        let seen = [at(0, 0), at(7, 59), at(8, 0), at(18, 59), at(19, 0), at(23, 59)];
        assert_eq!(seen.map(|tenths| tenths.to_string()), ["9", "9", "3", "3", "9", "9"]);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for bad in ["0", "-0.1", "1.01", "NaN", "inf", "", "80%", "08:00,0 19:00,1", "08:00,2"] {
            assert!(matches!(Share::parse(bad), Err(ShareError::Fraction(_))), "{bad}");
        }
        for bad in ["08:00", "8:00,0.3", "24:00,0.3", "08:60,0.3", "08:00,0.3;19:00", "+8:00,0.5", "0,5"] {
            assert!(Share::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Share::parse("08:00,0.3 08:00,0.5"), Err(ShareError::Twice("08:00".into())));
    }
}
