//! What an export writes in a form that may be read in several ways, and how it is to be read.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

/// How values are read that do not say it themselves. What is left out is never guessed: such a value rejects its row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forms {
    /// What a bare number means as a time.
    pub epoch: EpochUnit,
    /// Which part of 03/04/2026 is the month.
    pub date_order: Option<DateOrder>,
    /// What a bare number means as a duration.
    pub duration: DurationUnit,
    /// What 12:34 means as a duration.
    pub short_clock: Option<ShortClock>,
    /// How phone numbers without a plus are read.
    pub numbers: NumberForm,
}

/// What a bare number means as a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EpochUnit {
    /// Seconds since 1970 in UTC.
    #[default]
    Seconds,
    /// Milliseconds since 1970 in UTC.
    Milliseconds,
    /// Microseconds since 1970 in UTC.
    Microseconds,
    /// Days since 30 December 1899 on the clock of a zone, as spreadsheets count them.
    Days,
}

/// Which comes first in a date of numbers whose year comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 12/31/2026.
    MonthFirst,
    /// 31/12/2026.
    DayFirst,
}

/// What a bare number means as a duration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DurationUnit {
    /// Seconds.
    #[default]
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Minutes.
    Minutes,
    /// Days, as spreadsheets count them.
    Days,
}

/// What a duration of two parts means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShortClock {
    /// Minutes and seconds.
    MinutesSeconds,
    /// Hours and minutes.
    HoursMinutes,
}

/// How phone numbers without a plus are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NumberForm {
    /// As they stand.
    #[default]
    AsWritten,
    /// They begin with the country code.
    International,
    /// As somebody in this country dials them.
    National(Country),
}

/// A country, as far as its phone numbers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country(Region);

/// Two letters that are no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is `{0}`: the two letters of a country, such as `US` or `DE`")]
pub struct UnknownCountry(String);

impl Country {
    /// By its two letters (ISO 3166).
    pub fn parse(code: &str) -> Result<Self, UnknownCountry> {
        let region = Region::from_code(code.trim()).ok().filter(|region| *region != Region::World);
        region
            .filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some())
            .map(Self)
            .ok_or_else(|| UnknownCountry(code.to_owned()))
    }

    /// The international form of `number` as it is dialled in this country; `None` where it is no number there.
    fn international(self, number: &str) -> Option<String> {
        let parsed = PHONE_NUMBER_UTIL.parse(number, Some(self.0)).ok()?;
        if !PHONE_NUMBER_UTIL.is_possible_number(&parsed) {
            return None;
        }
        Some(PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::E164).into_owned())
    }
}

/// The fewest digits that an international number has, its country code included.
const LEAST_INTERNATIONAL: usize = 8;

impl NumberForm {
    /// The number in `text` in the one form by which numbers are compared; none where there is none.
    pub fn read(self, text: &str) -> Option<String> {
        super::number::normalise_number(text).map(|number| self.complete(number))
    }

    /// `number`, which is [`super::number::normalise_number`]'s, with its country code where that can be told.
    pub(super) fn complete(self, number: String) -> String {
        if number.starts_with('+') {
            return number;
        }
        match self {
            // No country code begins with 0: it is a number as it is dialled somewhere.
            Self::International if number.len() >= LEAST_INTERNATIONAL && !number.starts_with('0') => {
                format!("+{number}")
            }
            Self::National(country) => country.international(&number).unwrap_or(number),
            Self::AsWritten | Self::International => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_gets_the_country_code_that_it_lacks() {
        let germany = NumberForm::National(Country::parse("de").unwrap());
        let states = NumberForm::National(Country::parse("US").unwrap());
        let cases = [
            (states, "2125550123", "+12125550123"),
            (states, "12125550123", "+12125550123"),
            (states, "0114930555123", "+4930555123"),
            (germany, "030555123", "+4930555123"),
            (germany, "0012125550123", "+12125550123"),
            (germany, "+12125550123", "+12125550123"),
            // An extension is no number of the country.
            (states, "101", "101"),
            (NumberForm::International, "15550100", "+15550100"),
            (NumberForm::International, "101", "101"),
            (NumberForm::International, "030555123", "030555123"),
            (NumberForm::International, "004930555123", "004930555123"),
            (NumberForm::AsWritten, "2125550123", "2125550123"),
        ];
        for (form, number, complete) in cases {
            assert_eq!(form.complete(number.to_owned()), complete, "{form:?} {number}");
        }
    }

    #[test]
    fn a_country_is_two_letters_that_have_numbers() {
        for code in ["", "USA", "XX", "001", "49", "Germany"] {
            let told = Country::parse(code).unwrap_err().to_string();
            assert!(told.contains("two letters"), "{told}");
        }
    }
}
