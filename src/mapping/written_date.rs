//! Dates as people and their programs write them: a weekday before them, slashes, month names, a twelve-hour clock.
//!
//! `Mon 6/8/2020 4:05:09 PM`, `Fri, 21 Aug 2026 09:00:06 +0000`, `2026/03/30 14:05`, `30-Mar-2026, 2:05 p.m.`. In a date of
//! numbers whose year comes last, month and day are told apart only where one of them cannot be a month, or by the order
//! that is set. A year of two digits may stand anywhere, and is read only where an order is set: then it comes last.

use super::{
    forms::DateOrder,
    time_form::{Cursor, Offset, TimeFault, Written},
};
use crate::call::CivilTime;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// The century of a year of two digits: no call of the last one is in an export.
const CENTURY: u32 = 2000;

/// Reads `text`; `order` tells the month from the day.
pub(super) fn parse(text: &str, order: Option<DateOrder>) -> Result<Written, TimeFault> {
    // Formatters put a narrow space before AM and PM.
    let plain;
    let text = if text.is_ascii() {
        text
    } else {
        plain = text.replace(['\u{202f}', '\u{a0}', '\u{2009}'], " ");
        &plain
    };
    let mut rest = Cursor(text.as_bytes());
    rest.weekday();
    let date = rest.written_date().ok_or(TimeFault::Form)?;
    let (year, month, day) = date.told_apart(order)?;
    if !rest.between() {
        return Err(TimeFault::DateAlone);
    }
    let ((hour, minute, second), millis) = rest.written_time()?;
    let offset = rest.zone()?;
    let year = i32::try_from(year).map_err(|_| TimeFault::Form)?;
    let civil = CivilTime::new(year, month, day, hour, minute, second).ok_or(TimeFault::Impossible)?;
    Ok(Written { civil, millis, offset })
}

/// A date as it is written.
enum Date {
    Known { year: Year, month: u32, day: u32 },
    YearLast { first: u32, second: u32, year: Year },
}

/// A year of four digits, or of two.
struct Year {
    number: u32,
    is_short: bool,
}

impl Date {
    fn told_apart(self, order: Option<DateOrder>) -> Result<(u32, u32, u32), TimeFault> {
        let (Self::Known { year, .. } | Self::YearLast { year, .. }) = &self;
        // `20-03-04` may begin with the year as well, and `21-Aug-26` too.
        if year.is_short && order.is_none() {
            return Err(TimeFault::DateOrder);
        }
        let (first, second, year) = match self {
            Self::Known { year, month, day } => return Ok((year.number, month, day)),
            Self::YearLast { first, second, year } => (first, second, year.number),
        };
        let month_first = match order {
            Some(order) => order == DateOrder::MonthFirst,
            None if first == second => true,
            None if first > 12 && second > 12 => return Err(TimeFault::Impossible),
            None if first <= 12 && second <= 12 => return Err(TimeFault::DateOrder),
            None => second > 12,
        };
        let (month, day) = if month_first { (first, second) } else { (second, first) };
        if month > 12 && day <= 12 {
            let order = if month_first { "the month first" } else { "the day first" };
            return Err(TimeFault::NotInOrder(order));
        }
        Ok((year, month, day))
    }
}

impl Cursor<'_> {
    fn spaces(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    /// A word of letters, if it begins one of `known` with at least three of them; which one it is, from 1.
    fn word_of(&mut self, known: &[&str]) -> Option<u32> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, rest) = self.0.split_at_checked(length)?;
        let begins =
            |full: &&str| full.as_bytes().get(..length).is_some_and(|start| start.eq_ignore_ascii_case(word));
        let index = (length >= 3).then(|| known.iter().position(begins)).flatten()?;
        self.0 = rest;
        self.eat(b".");
        u32::try_from(index + 1).ok()
    }

    fn weekday(&mut self) {
        self.spaces();
        if self.word_of(&WEEKDAYS).is_some() {
            self.eat(b",");
            self.spaces();
        }
    }

    /// A number of one to four digits, with how many they are.
    fn up_to_four(&mut self) -> Option<(u32, usize)> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = (1..=4).contains(&digits).then(|| self.number(digits)).flatten()?;
        Some((u32::try_from(number).ok()?, digits))
    }

    fn one_or_two(&mut self) -> Option<u32> {
        self.up_to_four().filter(|(_, digits)| *digits <= 2).map(|(number, _)| number)
    }

    fn year(&mut self) -> Option<Year> {
        match self.up_to_four()? {
            (number, 4) => Some(Year { number, is_short: false }),
            (number, 2) => Some(Year { number: CENTURY + number, is_short: true }),
            _ => None,
        }
    }

    fn written_date(&mut self) -> Option<Date> {
        if let Some(month) = self.word_of(&MONTHS) {
            self.spaces();
            let day = self.one_or_two()?;
            self.eat(b",");
            self.spaces();
            return Some(Date::Known { year: self.year()?, month, day });
        }
        let (first, digits) = self.up_to_four()?;
        let mark = self.eat(b"/.- ")?;
        self.spaces();
        if let Some(month) = self.word_of(&MONTHS) {
            self.eat(b"/- ,");
            self.spaces();
            return (digits <= 2).then_some(()).and(Some(Date::Known {
                year: self.year()?,
                month,
                day: first,
            }));
        }
        let second = (mark != b' ').then(|| self.one_or_two()).flatten()?;
        self.eat(&[mark])?;
        if digits == 4 {
            let year = Year { number: first, is_short: false };
            return Some(Date::Known { year, month: second, day: self.one_or_two()? });
        }
        Some(Date::YearLast { first, second, year: (digits <= 2).then(|| self.year()).flatten()? })
    }

    /// Passes what stands between date and time; whether anything follows.
    fn between(&mut self) -> bool {
        self.eat(b",");
        self.spaces();
        self.eat(b"Tt");
        !self.0.is_empty()
    }

    /// Hour, minute and second, and the thousandths.
    fn written_time(&mut self) -> Result<((u32, u32, u32), u16), TimeFault> {
        let (hour, minute, second, millis) = self.digits_of_time().ok_or(TimeFault::Form)?;
        self.spaces();
        self.clock_word();
        match self.half_of_day() {
            None => Ok(((hour, minute, second), millis)),
            Some(half) if (1..=12).contains(&hour) => Ok(((hour % 12 + half, minute, second), millis)),
            Some(_) => Err(TimeFault::Impossible),
        }
    }

    fn digits_of_time(&mut self) -> Option<(u32, u32, u32, u16)> {
        let hour = self.one_or_two()?;
        self.eat(b":")?;
        let minute = self.two()?;
        let second = if self.eat(b":").is_some() { self.two()? } else { 0 };
        Some((hour, minute, second, self.fraction()?))
    }

    /// Passes the German word for `o'clock`, which is no zone.
    fn clock_word(&mut self) {
        let Some((word, rest)) = self.0.split_at_checked(3) else { return };
        let ends = !rest.first().is_some_and(u8::is_ascii_alphanumeric);
        if ends && word.eq_ignore_ascii_case(b"Uhr") {
            self.0 = rest.trim_ascii_start();
        }
    }

    /// Hours to add for `AM`, `PM`, `a.m.` and the like.
    fn half_of_day(&mut self) -> Option<u32> {
        for (word, hours) in [("am", 0), ("a.m.", 0), ("pm", 12), ("p.m.", 12)] {
            let Some((start, rest)) = self.0.split_at_checked(word.len()) else { continue };
            let ends = !rest.first().is_some_and(u8::is_ascii_alphanumeric);
            if ends && start.eq_ignore_ascii_case(word.as_bytes()) {
                self.0 = rest;
                return Some(hours);
            }
        }
        None
    }

    fn zone(&mut self) -> Result<Offset, TimeFault> {
        self.spaces();
        // Mail programs name the zone once more in brackets.
        if let Some(at) =
            self.0.iter().position(|byte| *byte == b'(').filter(|at| *at > 0 && self.0.ends_with(b")"))
        {
            self.0 = self.0[..at].trim_ascii_end();
        }
        for word in [b"GMT", b"UTC"] {
            let signed = |rest: &[u8]| matches!(rest.first(), Some(b'+' | b'-'));
            if let Some(rest) = self.0.strip_prefix(word.as_slice()).filter(|rest| signed(rest)) {
                self.0 = rest;
            }
        }
        if !self.0.is_empty() && self.0.iter().all(u8::is_ascii_alphabetic) {
            let word = String::from_utf8_lossy(self.0).into_owned();
            return self.offset().ok_or(TimeFault::ZoneWord(word));
        }
        self.offset().ok_or(TimeFault::Form)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        call::Zone,
        mapping::{
            forms::{DateOrder, Forms},
            time_form::{TimeFault, parse_time},
        },
    };

    fn read_by(text: &str, date_order: Option<DateOrder>) -> Result<String, TimeFault> {
        let forms = Forms { date_order, ..Forms::default() };
        parse_time(text, Some(Zone::UTC), forms).map(|instant| instant.moment.to_string())
    }

    fn read(text: &str) -> Result<String, TimeFault> {
        read_by(text, None)
    }

    #[test]
    fn each_way_of_writing_a_date_is_read_as_one_moment() {
        for text in [
            "Fri, 21 Aug 2026 09:00:06",
            "Fri, 21 Aug 2026 09:00:06 +0000",
            "Fri, 21 Aug 2026 11:00:06 +0200 (CEST)",
            "21 August 2026 09:00:06 GMT",
            "Friday 8/21/2026 9:00:06 AM",
            "Fri 21.8.2026 09:00:06",
            "Aug 21, 2026, 9:00:06\u{202f}AM",
            "Aug. 21, 2026 9:00:06 a.m.",
            "21-Aug-2026 09:00:06",
            "2026/08/21 09:00:06",
            "2026/8/21 9:00:06.5",
            "2026-08-21 9:00:06 AM",
            "2026-8-21 9:00:06",
            "8/21/2026 5:00:06 AM GMT-04:00",
            "21.8.2026 09:00:06 Uhr",
            "2026-08-21 11:00:06 uhr +0200",
        ] {
            assert_eq!(read(text).as_deref(), Ok("2026-08-21T09:00:06Z"), "{text}");
        }
        assert_eq!(read("Sept 1, 2026 12:05 AM").as_deref(), Ok("2026-09-01T00:05:00Z"));
        assert_eq!(read("Mon 13/6/2022 12:05:09 PM").as_deref(), Ok("2022-06-13T12:05:09Z"));
        assert_eq!(read("3/3/2026 23:59").as_deref(), Ok("2026-03-03T23:59:00Z"));
    }

    #[test]
    fn month_and_day_are_never_guessed() {
        assert_eq!(read("03/04/2026 10:00"), Err(TimeFault::DateOrder));
        let (month, day) = (Some(DateOrder::MonthFirst), Some(DateOrder::DayFirst));
        assert_eq!(read_by("03/04/2026 10:00", month).as_deref(), Ok("2026-03-04T10:00:00Z"));
        assert_eq!(read_by("03/04/2026 10:00", day).as_deref(), Ok("2026-04-03T10:00:00Z"));
        assert_eq!(read_by("03/30/2026 10:00", day), Err(TimeFault::NotInOrder("the day first")));
        assert_eq!(read_by("30.03.2026 10:00", month), Err(TimeFault::NotInOrder("the month first")));
        assert_eq!(read("31/31/2026 10:00"), Err(TimeFault::Impossible));
    }

    #[test]
    fn a_year_of_two_digits_needs_the_order() {
        let (month, day) = (Some(DateOrder::MonthFirst), Some(DateOrder::DayFirst));
        for text in
            ["20-03-04 10:00", "8/21/26 09:00", "13.12.26 09:00", "21-Aug-26 09:00", "Aug 21, 26 09:00"]
        {
            assert_eq!(read(text), Err(TimeFault::DateOrder), "{text}");
        }
        assert!(TimeFault::DateOrder.to_string().contains("`day_first`"));
        assert_eq!(read_by("20-03-04 10:00", day).as_deref(), Ok("2004-03-20T10:00:00Z"));
        assert_eq!(read_by("20-03-04 10:00", month), Err(TimeFault::NotInOrder("the month first")));
        assert_eq!(read_by("8/21/26 09:00", month).as_deref(), Ok("2026-08-21T09:00:00Z"));
        assert_eq!(read_by("21-Aug-26 09:00", month).as_deref(), Ok("2026-08-21T09:00:00Z"));
        assert_eq!(read_by("Aug 21, 26 09:00", day).as_deref(), Ok("2026-08-21T09:00:00Z"));
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        assert_eq!(read("30 Feb 2026 10:00"), Err(TimeFault::Impossible));
        assert_eq!(read("8/21/2026 13:00 PM"), Err(TimeFault::Impossible));
        assert_eq!(read("8/21/2026 0:30 AM"), Err(TimeFault::Impossible));
        assert_eq!(read("8/21/2026"), Err(TimeFault::DateAlone));
        assert_eq!(read("21.8.2026 14:05 Uhr MESZ"), Err(TimeFault::ZoneWord("MESZ".into())));
        assert_eq!(read("21.8.2026 14:05 Uhrzeit"), Err(TimeFault::ZoneWord("Uhrzeit".into())));
        assert_eq!(read("8/21/2026 9:00 AM EST"), Err(TimeFault::ZoneWord("EST".into())));
        for text in [
            "8/21/2026 9",
            "8/21-2026 09:00",
            "Foo 21 2026 9:00",
            "21 Augur 2026 9:00",
            "8/21/2026 9:00 x3",
            "1/2",
        ] {
            assert_eq!(read(text), Err(TimeFault::Form), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_date_whose_year_is_short_is_read_in_the_order_alone(
            year in 0..100_u32, month in 1..13_u32, day in 1..29_u32, mark in "[/.-]",
        ) {
            let moment = format!("20{year:02}-{month:02}-{day:02}T10:00:00Z");
            for (order, first, second) in [(DateOrder::MonthFirst, month, day), (DateOrder::DayFirst, day, month)] {
                let text = format!("{first:02}{mark}{second}{mark}{year:02} 10:00");
                proptest::prop_assert_eq!(read(&text), Err(TimeFault::DateOrder));
                proptest::prop_assert_eq!(read_by(&text, Some(order)), Ok(moment.clone()));
            }
        }
    }
}
