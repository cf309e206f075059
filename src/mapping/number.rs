//! Phone numbers, in the one form by which callers are compared.
//!
//! A cell holds one number, or none (a hidden caller, an extension, an app), or something that may be a number and cannot be
//! read as one: that is told, because a call must not go to the wrong customer, nor count as one of a hidden caller.

/// What platforms write in place of the number of a caller who hid it.
pub(super) const HIDDEN: &[&str] =
    &["anonymous", "unknown", "private", "restricted", "withheld", "blocked", "unavailable", "hidden"];
/// Digits from which on something is taken for a whole number: fewer are an extension, or belong to a name.
const LEAST_WHOLE: usize = 7;
/// Digits that a number has at least.
const LEAST: usize = 3;
/// Digits that a number has at most, its country code included (E.164).
const MOST: usize = 15;

/// Why a cell that seems to hold a number cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NumberFault {
    #[error(
        "cannot be read as a phone number: 3 to 15 digits are needed, with or without a plus before them"
    )]
    Form,
    #[error("holds several phone numbers: one is needed")]
    Several,
    #[error("is a date and no phone number")]
    Date,
    #[error(
        "is a phone number whose last digits a spreadsheet has dropped: export it again with the column as text"
    )]
    Shortened,
}

/// What a cell says: a number, `None` where it holds none, or why it cannot be told.
pub(super) type NumberReading = Result<Option<String>, NumberFault>;

/// The number of [`read_number`], where there is one.
pub(super) fn normalise_number(text: &str) -> Option<String> {
    read_number(text).ok().flatten()
}

/// The number without spaces and marks, its leading `+` kept. `None` for a hidden caller, an extension that is named as
/// one, an address that is no number, or what has fewer than three digits.
pub(super) fn read_number(text: &str) -> NumberReading {
    let text = out_of_spreadsheet(text.trim());
    // Nearly all are digits and marks; only words need a closer look.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+- ().".contains(&byte));
    let text = if is_plain { Some(text) } else { number_within(text)? };
    let Some(text) = text.map(|text| text.trim_matches([',', ';', ' '])) else { return Ok(None) };
    if is_date(text) {
        return Err(NumberFault::Date);
    }
    let number = condensed(text)?;
    let digits = digits(&number);
    if digits < LEAST {
        return Ok(None);
    }
    let bare = number.strip_prefix('+').unwrap_or(&number);
    match bare.bytes().all(|byte| byte.is_ascii_digit()) {
        true if digits <= MOST => Ok(Some(number)),
        // `*98` and the like are services.
        false if digits < LEAST_WHOLE => Ok(None),
        _ => Err(if is_several(text) { NumberFault::Several } else { NumberFault::Form }),
    }
}

/// Without what keeps a spreadsheet from reading the text as a number (`'0301234567`, `="0301234567"`), and without the
/// fraction that one puts behind a number (`15550100.0`).
pub(super) fn out_of_spreadsheet(text: &str) -> &str {
    let formula = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"'));
    let text = formula.unwrap_or(text).trim_start_matches('\'').trim();
    let is_whole =
        |whole: &&str| whole.len() >= LEAST_WHOLE && whole.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_suffix(".0").filter(is_whole).unwrap_or(text)
}

/// The number in what has words or separators beside it.
fn number_within(text: &str) -> Result<Option<&str>, NumberFault> {
    if is_shortened(text) {
        return Err(NumberFault::Shortened);
    }
    let Some(text) = address(within_brackets(text)).and_then(without_extension) else { return Ok(None) };
    if HIDDEN.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Ok(None);
    }
    behind_name(text)
}

/// Whether it is a number as spreadsheets show long ones: `4.93E+11`.
fn is_shortened(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let all = |text: &str, known: &[u8]| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || known.contains(&byte))
    };
    all(mantissa, b".,") && all(exponent, b"") && exponent.len() <= 2
}

/// Whether it is a date of this century or the last: a number may have its marks, but hardly its years, months and days.
fn is_date(text: &str) -> bool {
    let mark = text.chars().find(|letter| !letter.is_ascii_digit());
    let Some(mark) = mark.filter(|mark| ['-', '/', '.'].contains(mark)) else { return false };
    let mut parts = text.split(mark);
    let (Some(first), Some(second), Some(third), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let is_year = |text: &str| text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    let up_to = |text: &str, most: u32| {
        text.len() <= 2 && text.parse().is_ok_and(|number: u32| (1..=most).contains(&number))
    };
    let is_day = |a: &str, b: &str| (up_to(a, 12) && up_to(b, 31)) || (up_to(a, 31) && up_to(b, 12));
    (is_year(first) && is_day(second, third)) || (is_year(third) && is_day(first, second))
}

/// Without spaces and marks.
fn condensed(text: &str) -> Result<String, NumberFault> {
    let mut number = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '+' if number.is_empty() => number.push('+'),
            // A second number begins.
            '+' if digits(&number) > 0 => return Err(NumberFault::Several),
            '+' => {}
            _ if is_mark(letter) || letter.is_whitespace() => {}
            _ => number.push(letter),
        }
    }
    Ok(number)
}

fn is_several(text: &str) -> bool {
    text.split([',', ';', '|', '\n']).filter(|part| digits(part) >= LEAST_WHOLE).count() > 1
}

fn is_mark(letter: char) -> bool {
    matches!(letter, '-' | '(' | ')' | '.' | '/' | '\u{2010}'..='\u{2015}')
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// The number of `"Name" <number>`.
fn within_brackets(text: &str) -> &str {
    let inner = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    inner.map_or(text, |(_, number)| number.trim())
}

/// What stands behind a scheme: the user of a SIP address, the number of `tel:`. A client of an app has none.
fn address(text: &str) -> Option<&str> {
    let Some((scheme, rest)) = text.split_once(':') else { return Some(text) };
    let is = |known: &str| scheme.trim().eq_ignore_ascii_case(known);
    if is("tel") {
        return rest.split(';').next().map(str::trim);
    }
    if is("sip") || is("sips") {
        // The digits of a name are no number.
        let user = rest.split(['@', ';']).next().map(str::trim);
        return user.filter(|user| !user.contains(char::is_alphabetic));
    }
    if is("client") { None } else { Some(text) }
}

/// The number before an extension; `None` where there is only the extension.
fn without_extension(text: &str) -> Option<&str> {
    let lower = |byte: &u8| byte.to_ascii_lowercase();
    let bytes: Vec<u8> = text.as_bytes().iter().map(lower).collect();
    let begins = |at: usize| {
        let rest = &bytes[at..];
        let word =
            ["extension", "ext.", "ext", "x"].into_iter().find(|word| rest.starts_with(word.as_bytes()));
        let behind = word.map(|word| rest[word.len()..].trim_ascii());
        behind.is_some_and(|behind| !behind.is_empty() && behind.iter().all(u8::is_ascii_digit))
    };
    let Some(at) = (0..bytes.len()).find(|at| begins(*at)) else { return Some(text) };
    let before = text.get(..at)?.trim_end_matches([' ', ',', ';', '\u{a0}']);
    (!before.is_empty()).then_some(before)
}

/// What follows the last letter, where letters stand before the number; `None` where too little follows.
fn behind_name(text: &str) -> Result<Option<&str>, NumberFault> {
    let Some((at, letter)) = text.char_indices().rfind(|(_, letter)| letter.is_alphabetic()) else {
        return Ok(Some(text));
    };
    let (name, rest) = text.split_at_checked(at + letter.len_utf8()).unwrap_or((text, ""));
    if digits(name) >= LEAST_WHOLE {
        // A number that has words behind it, or an id.
        return Err(NumberFault::Form);
    }
    Ok((digits(rest) >= LEAST_WHOLE).then_some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_one_form() {
        for text in [
            "+1 555 0100",
            "+1 (555) 01-00",
            "tel:+1.555.0100",
            "tel:+1-555-0100;ext=12",
            "sip:+15550100@pbx.example.com;transport=tls",
            "+1/555\u{a0}0100",
            " +1\u{2011}555\u{2011}0100",
            "\"Jo Doe\" <+15550100>",
            "Jo Doe +1 (555) 0100",
            "+1 555 0100 ext. 12",
            "+1 555 0100 x12",
            "+1 555 0100, Extension 12",
            "Doe, Jo,+1 555 0100",
            "+1 555 0100;",
            "'+1 555 0100",
            "=\"+1 555 0100\"",
        ] {
            assert_eq!(normalise_number(text).as_deref(), Some("+15550100"), "{text}");
        }
        assert_eq!(normalise_number("0555 0100").as_deref(), Some("05550100"));
        assert_eq!(normalise_number("15550100.0").as_deref(), Some("15550100"));
        assert_eq!(normalise_number("2015-55-0100").as_deref(), Some("2015550100"));
        assert_eq!(normalise_number("01.23.45.67.89").as_deref(), Some("0123456789"));
        assert_eq!(normalise_number("101").as_deref(), Some("101"));
        assert_eq!(normalise_number("sip:101@10.0.0.1").as_deref(), Some("101"));
    }

    #[test]
    fn a_hidden_caller_an_extension_and_an_app_have_no_number() {
        for text in [
            "anonymous",
            "Restricted",
            "UNKNOWN",
            "sip:anonymous@anonymous.invalid",
            "",
            "-",
            "+",
            "12",
            "n/a",
            "tel:",
            "Ext.10016",
            "ext 101",
            "x101",
            "client:alice7",
            "sip:alice@example.com",
            "Voicemail (120088)",
            "\"\" <>",
            "a, b",
            "*98",
            "sip:alice1234567@example.com",
        ] {
            assert_eq!(read_number(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_may_be_a_number_and_cannot_be_read_says_why() {
        for (text, fault) in [
            ("*67 555 0100", NumberFault::Form),
            ("5550100#", NumberFault::Form),
            ("+1 555 0100 (mobile)", NumberFault::Form),
            ("550e8400-e29b-41d4-a716-446655440000", NumberFault::Form),
            ("2026-03-30 14:05:09", NumberFault::Form),
            (&"5".repeat(16), NumberFault::Form),
            (&"5".repeat(53), NumberFault::Form),
            ("2026-03-30", NumberFault::Date),
            ("03/30/2026", NumberFault::Date),
            ("30.3.2026", NumberFault::Date),
            ("+1 555 0100, +1 555 0101", NumberFault::Several),
            ("+1 555 0100;+1 555 0101", NumberFault::Several),
            ("5550100, 5550101", NumberFault::Several),
            ("5550100;5550101", NumberFault::Several),
            ("+1 555 0100 / +1 555 0101", NumberFault::Several),
            ("+1 555 0100 or 555 0101", NumberFault::Form),
            ("4.93E+11", NumberFault::Shortened),
            ("4,93012E11", NumberFault::Shortened),
        ] {
            assert_eq!(read_number(text), Err(fault), "{text}");
        }
        assert!(NumberFault::Shortened.to_string().ends_with("export it again with the column as text"));
    }

    proptest::proptest! {
        #[test]
        fn a_normal_number_stays_as_it_is(text in ".{0,20}|[0-9+ (ext)<>:;@-]{0,20}|['=\",;*./0-9E+]{0,40}") {
            if let Some(number) = normalise_number(&text) {
                let bare = number.strip_prefix('+').unwrap_or(&number);
                proptest::prop_assert!((LEAST..=MOST).contains(&bare.len()), "{}", number);
                proptest::prop_assert!(bare.bytes().all(|byte| byte.is_ascii_digit()), "{}", number);
                proptest::prop_assert_eq!(normalise_number(&number), Some(number));
            }
        }
    }
}
