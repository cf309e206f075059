//! Time: a second in UTC, and how a zone's wall clock reads it.
//!
//! Help Scout keeps whole seconds and takes exactly `YYYY-MM-DDThh:mm:ssZ` (help-scout-api.md §12). This is the only file
//! that names `chrono`, whose successor may be taken by changing this file alone.

use std::fmt;

use chrono::{DateTime, Datelike as _, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Timelike as _, Utc};
use chrono_tz::Tz;

/// A moment in UTC, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// The last second of the year 9999: what four digits of a year can say.
const LATEST: i64 = 253_402_300_799;
/// The first second of the year 0.
const EARLIEST: i64 = -62_167_219_200;

impl Moment {
    /// From seconds since 1970 in UTC; `None` outside the years 0 to 9999.
    pub fn from_epoch_seconds(seconds: i64) -> Option<Self> {
        (EARLIEST..=LATEST).contains(&seconds).then_some(Self(seconds))
    }

    /// Seconds since 1970 in UTC.
    pub fn epoch_seconds(self) -> i64 {
        self.0
    }

    /// This moment and `seconds` more (less, if negative), held within the years 0 to 9999.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds).clamp(EARLIEST, LATEST))
    }

    /// Reads the service's own form, `YYYY-MM-DDThh:mm:ssZ`.
    pub fn parse_api(text: &str) -> Option<Self> {
        let time = match read_form(text) {
            Some(time) => time,
            // Whatever else a service or a person makes of that form.
            None => NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ").ok()?,
        };
        Self::from_epoch_seconds(time.and_utc().timestamp())
    }

    /// In the service's own form, `YYYY-MM-DDThh:mm:ssZ`.
    pub fn to_api(self) -> ApiTime {
        let time = DateTime::<Utc>::from_timestamp(self.0, 0).unwrap_or_default();
        let mut form = FORM;
        // A moment lies within the years 0 to 9999.
        write_digits(&mut form[0..4], time.year().unsigned_abs());
        write_digits(&mut form[5..7], time.month());
        write_digits(&mut form[8..10], time.day());
        write_digits(&mut form[11..13], time.hour());
        write_digits(&mut form[14..16], time.minute());
        write_digits(&mut form[17..19], time.second());
        ApiTime(form)
    }
}

/// The service's form of a time, with nothing in it.
const FORM: [u8; 20] = *b"0000-00-00T00:00:00Z";

/// A moment in the service's form. Written by hand: every call has one, and a general formatter takes longer for it than
/// all else about its request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiTime([u8; 20]);

impl ApiTime {
    /// The text.
    pub fn as_str(&self) -> &str {
        // Digits and signs only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn write_digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
}

/// A time in exactly the service's form; `None` for every other, a leap second among them.
fn read_form(text: &str) -> Option<NaiveDateTime> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let fits = FORM.iter().zip(bytes).all(|(form, byte)| match form {
        b'0' => byte.is_ascii_digit(),
        sign => byte == sign,
    });
    let number = |place: &[u8]| place.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    if !fits {
        return None;
    }
    let year = i32::try_from(number(&bytes[0..4])).ok()?;
    NaiveDate::from_ymd_opt(year, number(&bytes[5..7]), number(&bytes[8..10]))?.and_hms_opt(
        number(&bytes[11..13]),
        number(&bytes[14..16]),
        number(&bytes[17..19]),
    )
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_api().as_str())
    }
}

/// A date and time of day as a wall clock shows it, without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilTime(NaiveDateTime);

impl CivilTime {
    /// `None` where the calendar has no such day or the clock no such time. Second 60 (a leap second) counts as none.
    pub fn new(year: i32, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, second).map(Self)
    }

    /// So many seconds after the midnight that begins 30 December 1899, where spreadsheets begin to count.
    pub fn of_spreadsheet(seconds: i64) -> Option<Self> {
        let origin = NaiveDate::from_ymd_opt(1899, 12, 30)?.and_hms_opt(0, 0, 0)?;
        origin.checked_add_signed(chrono::TimeDelta::try_seconds(seconds)?).map(Self)
    }

    /// Read with an offset of `seconds` east of UTC.
    pub fn at_offset(self, seconds: i32) -> Option<Moment> {
        Moment::from_epoch_seconds(self.0.and_utc().timestamp() - i64::from(seconds))
    }
}

/// A zone of the IANA database, such as `America/New_York`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

/// A name that tells no zone.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ZoneFault {
    /// The database does not hold it.
    #[error("unknown time zone `{0}`: an IANA name such as `America/New_York` or `Europe/Berlin`")]
    Unknown(String),
    /// The database holds it as an offset without summer time, and people mean clocks that have it.
    #[error(
        "time zone `{name}` has no summer time: name the place, such as `{place}`, or `{offset}` if the clock never changes"
    )]
    WithoutSummerTime {
        /// The name.
        name: &'static str,
        /// Where its clock is used in winter.
        place: &'static str,
        /// The same offset, said plainly.
        offset: &'static str,
    },
}

/// Abbreviations of winter time that the database knows as zones. `CET`, `EET`, `MET` and `WET` follow summer time there,
/// as `EST5EDT` and its like do, and are taken.
const WITHOUT_SUMMER_TIME: [(&str, &str, &str); 3] = [
    ("EST", "America/New_York", "Etc/GMT+5"),
    ("MST", "America/Denver", "Etc/GMT+7"),
    ("HST", "Pacific/Honolulu", "Etc/GMT+10"),
];

/// What a wall clock's time means in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalReading {
    /// One moment.
    Once(Moment),
    /// The clock was put forward over this time: read by the offset before and by the offset after the change.
    Skipped(Moment, Moment),
    /// The clock was put back: this time came twice.
    Repeated(Moment, Moment),
}

impl Zone {
    /// UTC itself.
    pub const UTC: Self = Self(Tz::UTC);

    /// By its IANA name.
    pub fn parse(name: &str) -> Result<Self, ZoneFault> {
        let text = name.trim();
        if let Some((name, place, offset)) =
            WITHOUT_SUMMER_TIME.into_iter().find(|(known, ..)| *known == text)
        {
            return Err(ZoneFault::WithoutSummerTime { name, place, offset });
        }
        text.parse().map(Self).map_err(|_| ZoneFault::Unknown(name.to_owned()))
    }

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What `time` on a clock of this zone means; `None` outside the years 0 to 9999.
    pub fn read(self, time: CivilTime) -> Option<LocalReading> {
        let moment = |time: DateTime<Tz>| Moment::from_epoch_seconds(time.timestamp());
        Some(match self.0.from_local_datetime(&time.0) {
            LocalResult::Single(one) => LocalReading::Once(moment(one)?),
            LocalResult::Ambiguous(first, second) => LocalReading::Repeated(moment(first)?, moment(second)?),
            LocalResult::None => {
                let (before, after) = self.around_gap(time)?;
                LocalReading::Skipped(before, after)
            }
        })
    }

    /// `moment` on a clock of this zone, with the zone's abbreviation or offset: `2026-03-29 03:30:00 CEST`.
    pub fn show(self, moment: Moment) -> String {
        let time = DateTime::<Utc>::from_timestamp(moment.0, 0).unwrap_or_default().with_timezone(&self.0);
        time.format("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// `moment` on a clock of this zone, in the form of `format` (strftime); `None` where the form is not valid.
    pub fn format(self, moment: Moment, format: &str) -> Option<String> {
        use std::fmt::Write as _;
        let time = DateTime::<Utc>::from_timestamp(moment.0, 0)?.with_timezone(&self.0);
        let mut text = String::new();
        write!(text, "{}", time.format(format)).ok()?;
        Some(text)
    }

    /// The two readings of a time that a change skipped. No zone has two changes within a day of each other.
    fn around_gap(self, time: CivilTime) -> Option<(Moment, Moment)> {
        use chrono::Offset as _;
        let day = chrono::TimeDelta::days(1);
        let offset_at = |utc: NaiveDateTime| self.0.offset_from_utc_datetime(&utc).fix().local_minus_utc();
        let before = time.at_offset(offset_at(time.0.checked_sub_signed(day)?))?;
        let after = time.at_offset(offset_at(time.0.checked_add_signed(day)?))?;
        Some((before, after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn civil(text: &str) -> CivilTime {
        CivilTime(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap())
    }

    #[test]
    fn a_moment_reads_back_what_it_writes() {
        let moment = Moment::from_epoch_seconds(1_490_916_601).unwrap();
        assert_eq!(moment.to_string(), "2017-03-30T23:30:01Z");
        assert_eq!(Moment::parse_api("2017-03-30T23:30:01Z"), Some(moment));
        assert_eq!(Moment::parse_api("2017-03-30T23:30:01.5Z"), None);
        assert_eq!(Moment::parse_api("2017-02-30T23:30:01Z"), None);
        for (seconds, text) in [
            (EARLIEST, "0000-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (LATEST, "9999-12-31T23:59:59Z"),
        ] {
            let moment = Moment::from_epoch_seconds(seconds).unwrap();
            assert_eq!((moment.to_string().as_str(), Moment::parse_api(text)), (text, Some(moment)));
        }
    }

    #[test]
    fn a_skipped_time_has_a_reading_on_each_side() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let Some(LocalReading::Skipped(before, after)) = berlin.read(civil("2026-03-29 02:30:00")) else {
            panic!("the clocks went forward at two")
        };
        assert_eq!(before.to_string(), "2026-03-29T01:30:00Z");
        assert_eq!(after.to_string(), "2026-03-29T00:30:00Z");
    }

    #[test]
    fn a_repeated_time_has_both_its_moments() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let Some(LocalReading::Repeated(first, second)) = berlin.read(civil("2026-10-25 02:30:00")) else {
            panic!("the clocks went back at three")
        };
        assert_eq!(second.epoch_seconds() - first.epoch_seconds(), 3600);
    }

    #[test]
    fn an_unknown_zone_is_named() {
        assert_eq!(Zone::parse("Mars/Base"), Err(ZoneFault::Unknown("Mars/Base".into())));
    }

    #[test]
    fn an_abbreviation_is_a_zone_only_where_it_follows_summer_time() {
        for (name, place, offset) in WITHOUT_SUMMER_TIME {
            let told = Zone::parse(&format!(" {name} ")).unwrap_err().to_string();
            assert!(told.contains(place) && told.contains(offset), "{told}");
            let (place, offset) = (Zone::parse(place).unwrap(), Zone::parse(offset).unwrap());
            assert_eq!(place.read(civil("2026-01-15 12:00:00")), offset.read(civil("2026-01-15 12:00:00")));
        }
        let moment = |zone: &str, time: &str| match Zone::parse(zone).unwrap().read(civil(time)) {
            Some(LocalReading::Once(moment)) => moment.epoch_seconds(),
            other => panic!("{zone} {other:?}"),
        };
        let (summer, winter) = ("2026-07-15 12:00:00", "2026-01-15 12:00:00");
        for zone in ["CET", "MET", "EET", "WET", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"] {
            assert_eq!(moment(zone, summer) - moment(zone, winter), 181 * 86_400 - 3600, "{zone}");
        }
        for zone in ["UTC", "GMT", "Etc/GMT", "Etc/GMT+5", "America/Phoenix"] {
            assert_eq!(moment(zone, summer) - moment(zone, winter), 181 * 86_400, "{zone}");
        }
    }
}
