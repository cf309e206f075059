//! The forms in which an export may write a time.
//!
//! RFC 3339 with any offset (`T` or a space between), the same without an offset where a zone is set, a trailing ` UTC`,
//! a bare number by its unit, a date and time in 12 or 14 digits (`20260330140509`), and the forms of
//! [`super::written_date`]. Read by hand, because a million rows pass through.
//! Nothing is guessed: a time that could be read in two ways is a fault, and names the setting that decides.

use std::ops::RangeInclusive;

use super::{
    forms::{EpochUnit, Forms},
    written_date,
};
use crate::call::{CivilTime, LocalReading, Moment, Zone};

/// A moment with its thousandths, which only tell the newer of two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant {
    pub(super) moment: Moment,
    pub(super) millis: u16,
}

impl Instant {
    /// Milliseconds since 1970.
    pub(super) fn epoch_millis(self) -> i64 {
        self.moment.epoch_seconds() * 1000 + i64::from(self.millis)
    }
}

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TimeFault {
    #[error(
        "is not a time: `2026-03-30T14:05:00Z`, `2026-03-30 14:05:00` or a number since 1970 (`source.epoch`) is needed"
    )]
    Form,
    #[error("is a date without a time of day")]
    DateAlone,
    #[error(
        "is a number that is no time of the years 1990 to 2100, in seconds, milliseconds or microseconds since 1970"
    )]
    NoUnit,
    #[error("seems to be {0} since 1970: set `source.epoch` to `{1}`")]
    Unit(&'static str, &'static str),
    #[error("is a date or time that does not exist")]
    Impossible,
    #[error(
        "may have the month or the day first, or a year of two digits: set `source.date_order` to `month_first` or `day_first`"
    )]
    DateOrder,
    #[error("is no date with {0}: see `source.date_order`")]
    NotInOrder(&'static str),
    #[error("ends with `{0}`, which is no offset from UTC and may stand for several zones")]
    ZoneWord(String),
    #[error("has no offset from UTC: name its zone with `--time-zone`")]
    NoZone,
    #[error("was skipped when the clocks of `{zone}` went forward: {first} or {second} may be meant")]
    Skipped { zone: &'static str, first: String, second: String },
    #[error("came twice when the clocks of `{zone}` went back: {first} or {second} may be meant")]
    Repeated { zone: &'static str, first: String, second: String },
}

/// Reads a time; `zone` is that of times without an offset.
pub(super) fn parse_time(text: &str, zone: Option<Zone>, forms: Forms) -> Result<Instant, TimeFault> {
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match bytes.get(digits) {
        None => bare(text, digits, zone, forms.epoch),
        Some(b'.') if text.bytes().filter(|byte| *byte == b'.').count() == 1 => {
            bare(text, digits, zone, forms.epoch)
        }
        Some(b'-') if digits == 4 => match iso(text, zone) {
            Err(TimeFault::Form) => written_date::parse(text, forms.date_order)?.instant(zone),
            read => read,
        },
        _ => written_date::parse(text, forms.date_order)?.instant(zone),
    }
}

/// The seconds since 1970 that a bare number may tell: the years 1990 to 2100. Other numbers are ids, or dates in digits.
const PLAUSIBLE: RangeInclusive<i64> = 631_152_000..=4_133_980_799;
/// The most digits that a bare number has.
const MOST_DIGITS: usize = 17;

/// A number of `digits` digits before its fraction.
fn bare(text: &str, digits: usize, zone: Option<Zone>, unit: EpochUnit) -> Result<Instant, TimeFault> {
    if let Some(written) = compact(text, digits) {
        return written?.instant(zone);
    }
    if unit == EpochUnit::Days {
        return serial(text, zone);
    }
    if digits == 0 || digits > MOST_DIGITS {
        return Err(TimeFault::Form);
    }
    let mut cursor = Cursor(text.as_bytes());
    let number = cursor.number(digits).ok_or(TimeFault::Form)?;
    let fraction = cursor.fraction().filter(|_| cursor.0.is_empty()).ok_or(TimeFault::Form)?;
    // No number is plausible in two of them.
    let units =
        [(EpochUnit::Seconds, 1), (EpochUnit::Milliseconds, 1_000), (EpochUnit::Microseconds, 1_000_000)];
    let mut fitting = units.into_iter().filter(|(_, per_second)| PLAUSIBLE.contains(&(number / per_second)));
    let (found, per_second) = fitting.next().ok_or(TimeFault::NoUnit)?;
    if found != unit {
        return Err(match found {
            EpochUnit::Seconds => TimeFault::Unit("seconds", "s"),
            EpochUnit::Milliseconds => TimeFault::Unit("milliseconds", "ms"),
            _ => TimeFault::Unit("microseconds", "us"),
        });
    }
    let moment = Moment::from_epoch_seconds(number / per_second).ok_or(TimeFault::Impossible)?;
    let millis = match unit {
        EpochUnit::Seconds => fraction,
        _ => u16::try_from(number % per_second * 1_000 / per_second).unwrap_or_default(),
    };
    Ok(Instant { moment, millis })
}

/// `202603301405` and `20260330140509` are no plausible count in any unit, and may be nothing else than the time on a clock.
fn compact(text: &str, digits: usize) -> Option<Result<Written, TimeFault>> {
    if digits != 12 && digits != 14 {
        return None;
    }
    let mut cursor = Cursor(text.as_bytes());
    let year = i32::try_from(cursor.number(4)?).ok().filter(|year| (1990..=2100).contains(year))?;
    let (month, day, hour, minute) = (cursor.two()?, cursor.two()?, cursor.two()?, cursor.two()?);
    let second = if digits == 14 { cursor.two()? } else { 0 };
    let millis = cursor.fraction().filter(|_| cursor.0.is_empty())?;
    let civil = CivilTime::new(year, month, day, hour, minute, second).ok_or(TimeFault::Impossible);
    Some(civil.map(|civil| Written { civil, millis, offset: Offset::NotSaid }))
}

/// A spreadsheet's count of days, whose fraction is the time of day.
fn serial(text: &str, zone: Option<Zone>) -> Result<Instant, TimeFault> {
    const MOST_DAYS: f64 = 3_000_000.0;
    let days: f64 = text.parse().map_err(|_| TimeFault::Form)?;
    if !(0.0..MOST_DAYS).contains(&days) {
        return Err(TimeFault::Impossible);
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most MOST_DAYS of 86,400 s")]
    let seconds = (days * 86_400.0).round() as i64;
    let civil = CivilTime::of_spreadsheet(seconds).ok_or(TimeFault::Impossible)?;
    Written { civil, millis: 0, offset: Offset::NotSaid }.instant(zone)
}

fn iso(text: &str, zone: Option<Zone>) -> Result<Instant, TimeFault> {
    let mut cursor = Cursor(text.as_bytes());
    let date = cursor.date().ok_or(TimeFault::Form)?;
    if cursor.0.is_empty() {
        return Err(TimeFault::DateAlone);
    }
    let (time, millis) = cursor.time_of_day().ok_or(TimeFault::Form)?;
    let offset = cursor.offset().ok_or(TimeFault::Form)?;
    let civil =
        CivilTime::new(date.0, date.1, date.2, time.0, time.1, time.2).ok_or(TimeFault::Impossible)?;
    Written { civil, millis, offset }.instant(zone)
}

/// A date and time as they are written, with what is said of their zone.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) civil: CivilTime,
    pub(super) millis: u16,
    pub(super) offset: Offset,
}

impl Written {
    fn instant(self, zone: Option<Zone>) -> Result<Instant, TimeFault> {
        let moment = match self.offset {
            Offset::East(seconds) => self.civil.at_offset(seconds).ok_or(TimeFault::Impossible)?,
            Offset::NotSaid => local(self.civil, zone.ok_or(TimeFault::NoZone)?)?,
        };
        Ok(Instant { moment, millis: self.millis })
    }
}

fn local(civil: CivilTime, zone: Zone) -> Result<Moment, TimeFault> {
    let show = |moment: Moment| format!("{} ({moment})", zone.show(moment));
    match zone.read(civil).ok_or(TimeFault::Impossible)? {
        LocalReading::Once(moment) => Ok(moment),
        LocalReading::Skipped(first, second) => {
            Err(TimeFault::Skipped { zone: zone.name(), first: show(first), second: show(second) })
        }
        LocalReading::Repeated(first, second) => {
            Err(TimeFault::Repeated { zone: zone.name(), first: show(first), second: show(second) })
        }
    }
}

/// What a time says of its zone, in seconds east of UTC.
#[derive(Debug)]
pub(super) enum Offset {
    East(i32),
    NotSaid,
}

/// What is left to read.
pub(super) struct Cursor<'t>(pub(super) &'t [u8]);

impl Cursor<'_> {
    pub(super) fn eat(&mut self, wanted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        wanted.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    pub(super) fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number
            .iter()
            .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    }

    pub(super) fn two(&mut self) -> Option<u32> {
        self.number(2).and_then(|number| u32::try_from(number).ok())
    }

    fn date(&mut self) -> Option<(i32, u32, u32)> {
        let year = i32::try_from(self.number(4)?).ok()?;
        self.eat(b"-")?;
        let month = self.two()?;
        self.eat(b"-")?;
        Some((year, month, self.two()?))
    }

    fn time_of_day(&mut self) -> Option<((u32, u32, u32), u16)> {
        self.eat(b"Tt ")?;
        let hour = self.two()?;
        self.eat(b":")?;
        let minute = self.two()?;
        if self.eat(b":").is_none() {
            return Some(((hour, minute, 0), 0));
        }
        let second = self.two()?;
        Some(((hour, minute, second), self.fraction()?))
    }

    /// The thousandths of a fraction of any length; zero where there is none.
    pub(super) fn fraction(&mut self) -> Option<u16> {
        if self.eat(b".,").is_none() {
            return Some(0);
        }
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count).filter(|(digits, _)| !digits.is_empty())?;
        self.0 = rest;
        Some(
            (0..3)
                .fold(0, |sum, index| sum * 10 + digits.get(index).map_or(0, |byte| u16::from(byte - b'0'))),
        )
    }

    pub(super) fn offset(&mut self) -> Option<Offset> {
        let rest = self.0.trim_ascii_start();
        if rest.is_empty() {
            return Some(Offset::NotSaid);
        }
        if [b"Z".as_slice(), b"UTC", b"GMT"].iter().any(|word| rest.eq_ignore_ascii_case(word)) {
            return Some(Offset::East(0));
        }
        self.0 = rest;
        let sign = if self.eat(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.two()?;
        let minutes = match self.eat(b":") {
            None if self.0.is_empty() => 0,
            _ => self.two()?,
        };
        let valid = self.0.is_empty() && hours < 24 && minutes < 60;
        let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
        valid.then_some(Offset::East(sign * seconds))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, TimeFault> {
        parse_time(text, None, Forms::default()).map(|instant| instant.moment.to_string())
    }

    fn with_unit(epoch: EpochUnit) -> Forms {
        Forms { epoch, ..Forms::default() }
    }

    #[test]
    fn each_known_form_is_read_as_one_moment() {
        for text in [
            "2026-03-30T14:05:09Z",
            "2026-03-30t14:05:09z",
            "2026-03-30 14:05:09Z",
            "2026-03-30 14:05:09 UTC",
            "2026-03-30T14:05:09.999999999Z",
            "2026-03-30T16:05:09+02:00",
            "2026-03-30 16:05:09 +0200",
            "2026-03-30T12:35:09-01:30",
            "2026-03-30T15:05:09+01",
            "1774879509",
            "1774879509.25",
        ] {
            assert_eq!(read(text).as_deref(), Ok("2026-03-30T14:05:09Z"), "{text}");
        }
        assert_eq!(read("2026-03-30 14:05Z").as_deref(), Ok("2026-03-30T14:05:00Z"));
    }

    #[test]
    fn what_is_no_time_says_why() {
        assert_eq!(read("2022-02-30T10:00:00Z"), Err(TimeFault::Impossible));
        assert_eq!(read("2022-02-03T24:00:00Z"), Err(TimeFault::Impossible));
        assert_eq!(read("2022-02-03T10:00:60Z"), Err(TimeFault::Impossible));
        assert_eq!(read("2022-02-03"), Err(TimeFault::DateAlone));
        for text in ["2026-03-30T14:05:09+25:00", "yesterday", "-5", "1.5.20261", "", ".", &"1".repeat(18)] {
            assert_eq!(read(text), Err(TimeFault::Form), "{text}");
        }
        assert!(read("2026-03-30 14:05:09").unwrap_err().to_string().contains("`--time-zone`"));
    }

    #[test]
    fn a_time_without_an_offset_is_read_in_the_zone() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let read = |text: &str| {
            parse_time(text, Some(berlin), Forms::default()).map(|instant| instant.moment.to_string())
        };
        assert_eq!(read("2026-03-30 14:05:09").as_deref(), Ok("2026-03-30T12:05:09Z"));
        assert_eq!(read("2026-03-30T14:05:09Z").as_deref(), Ok("2026-03-30T14:05:09Z"));
        let skipped = read("2026-03-29 02:30:00").unwrap_err().to_string();
        for reading in
            ["2026-03-29 03:30:00 CEST (2026-03-29T01:30:00Z)", "01:30:00 CET (2026-03-29T00:30:00Z)"]
        {
            assert!(skipped.contains(reading), "{skipped}");
        }
        let repeated = read("2026-10-25 02:30:00").unwrap_err().to_string();
        for reading in ["02:30:00 CEST (2026-10-25T00:30:00Z)", "02:30:00 CET (2026-10-25T01:30:00Z)"] {
            assert!(repeated.contains(reading), "{repeated}");
        }
    }

    #[test]
    fn the_thousandths_are_kept_beside_the_second() {
        let millis = |text: &str, epoch| parse_time(text, None, with_unit(epoch)).unwrap().epoch_millis();
        assert_eq!(millis("1970-01-01T00:00:01.0459Z", EpochUnit::Seconds), 1045);
        assert_eq!(millis("1000000000.5", EpochUnit::Seconds), 1_000_000_000_500);
        assert_eq!(millis("1774879509123.9", EpochUnit::Milliseconds), 1_774_879_509_123);
        assert_eq!(millis("1774879509123456", EpochUnit::Microseconds), 1_774_879_509_123);
    }

    #[test]
    fn a_bare_number_is_read_by_its_unit_and_one_of_another_is_told() {
        let told = |text: &str, epoch| parse_time(text, None, with_unit(epoch)).unwrap_err().to_string();
        assert!(told("1774879509123", EpochUnit::Seconds).ends_with("set `source.epoch` to `ms`"));
        assert!(told("1774879509123456", EpochUnit::Milliseconds).ends_with("`us`"));
        assert!(told("1774879509", EpochUnit::Milliseconds).ends_with("`s`"));
        let days = |text: &str| {
            parse_time(text, Some(Zone::UTC), with_unit(EpochUnit::Days))
                .map(|instant| instant.moment.to_string())
        };
        assert_eq!(days("46111.586910").as_deref(), Ok("2026-03-30T14:05:09Z"));
        assert_eq!(days("2").as_deref(), Ok("1900-01-01T00:00:00Z"));
        assert_eq!(days("1e300"), Err(TimeFault::Form));
    }

    #[test]
    fn a_number_is_a_time_only_where_its_year_is_plausible() {
        for text in ["20260330", "123456789", "631151999", "4133980800", "212555012399", "99999999999999999"]
        {
            for epoch in [EpochUnit::Seconds, EpochUnit::Milliseconds, EpochUnit::Microseconds] {
                let read = parse_time(text, Some(Zone::UTC), with_unit(epoch));
                assert_eq!(read, Err(TimeFault::NoUnit), "{text} {epoch:?}");
            }
        }
        let limits = [("631152000", "1990-01-01T00:00:00Z"), ("4133980799", "2100-12-31T23:59:59Z")];
        for (text, moment) in limits {
            assert_eq!(read(text).as_deref(), Ok(moment));
        }
    }

    #[test]
    fn a_date_and_time_in_digits_is_read_in_the_zone() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let read = |text: &str, zone, epoch| {
            parse_time(text, zone, with_unit(epoch)).map(|instant| instant.moment.to_string())
        };
        for epoch in [EpochUnit::Seconds, EpochUnit::Milliseconds, EpochUnit::Microseconds, EpochUnit::Days] {
            let told = |text| read(text, Some(berlin), epoch);
            assert_eq!(told("202603301405").as_deref(), Ok("2026-03-30T12:05:00Z"));
            assert_eq!(told("20260330140509").as_deref(), Ok("2026-03-30T12:05:09Z"));
            assert_eq!(told("20260330140509.5").as_deref(), Ok("2026-03-30T12:05:09Z"));
            assert_eq!(told("202602301405"), Err(TimeFault::Impossible));
            assert_eq!(read("202603301405", None, epoch), Err(TimeFault::NoZone));
        }
        assert_eq!(
            read("2026033014", Some(berlin), EpochUnit::Milliseconds),
            Err(TimeFault::Unit("seconds", "s"))
        );
    }

    proptest! {
        #[test]
        fn every_plausible_second_is_read_back_as_a_bare_number(seconds in PLAUSIBLE) {
            let moment = Moment::from_epoch_seconds(seconds).unwrap();
            let read = |text: &str, epoch| parse_time(text, Some(Zone::UTC), with_unit(epoch)).map(|instant| instant.moment);
            let (s, ms, us) = (seconds.to_string(), format!("{seconds}999"), format!("{seconds}000001"));
            prop_assert_eq!(read(&s, EpochUnit::Seconds), Ok(moment));
            prop_assert_eq!(read(&ms, EpochUnit::Milliseconds), Ok(moment));
            prop_assert_eq!(read(&us, EpochUnit::Microseconds), Ok(moment));
            prop_assert_eq!(read(&ms, EpochUnit::Seconds), Err(TimeFault::Unit("milliseconds", "ms")));
            prop_assert_eq!(read(&us, EpochUnit::Seconds), Err(TimeFault::Unit("microseconds", "us")));
            prop_assert_eq!(read(&s, EpochUnit::Microseconds), Err(TimeFault::Unit("seconds", "s")));
            let digits: String = moment.to_string().chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(read(&digits, EpochUnit::Seconds), Ok(moment));
            let minutes = digits.get(..12).unwrap();
            prop_assert_eq!(read(minutes, EpochUnit::Milliseconds), Ok(moment.plus_seconds(-seconds.rem_euclid(60))));
        }

        #[test]
        fn every_second_is_read_back_in_every_form(seconds in 100_000_000..253_402_300_799_i64, minutes in -1439..1440_i32) {
            let moment = Moment::from_epoch_seconds(seconds).unwrap();
            let read = |text: &str, epoch| parse_time(text, None, with_unit(epoch)).map(|instant| instant.moment);
            prop_assert_eq!(read(&moment.to_string(), EpochUnit::Seconds), Ok(moment));
            let there = moment.plus_seconds(i64::from(minutes) * 60).to_string();
            let sign = if minutes < 0 { '-' } else { '+' };
            let offset = format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
            prop_assert_eq!(read(&there.replace('Z', &offset), EpochUnit::Seconds), Ok(moment));
            let bare = there.replace(['T', 'Z'], " ");
            prop_assert_eq!(read(&(bare + &offset), EpochUnit::Seconds), Ok(moment));
        }

        #[test]
        fn no_text_panics(text in "[0-9TZ:+. -]{0,30}|[0-9/ :APMarFi,]{0,25}|.{0,20}") {
            for epoch in [EpochUnit::Seconds, EpochUnit::Days] {
                drop(parse_time(&text, Some(Zone::UTC), with_unit(epoch)));
            }
        }
    }
}
