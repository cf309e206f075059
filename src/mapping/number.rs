//! Phone numbers, in the one form by which callers are compared.

/// What platforms write in place of the number of a caller who hid it.
const HIDDEN: &[&str] =
    &["anonymous", "unknown", "private", "restricted", "withheld", "blocked", "unavailable", "hidden"];
/// Digits that a number behind a name has at least: fewer are an extension, or belong to the name.
const LEAST_BEHIND_NAME: usize = 7;
/// Digits that a number has at least.
const LEAST: usize = 3;

/// The number without spaces and marks, its leading `+` kept. `None` for a hidden caller, an extension that is named as
/// one, an address that is no number, or what has fewer than three digits.
pub(super) fn normalise_number(text: &str) -> Option<String> {
    let text = text.trim();
    // Nearly all are digits and marks; only words need a closer look.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+- ().".contains(&byte));
    let text = if is_plain { text } else { number_within(text)? };
    let mut number = String::with_capacity(text.len());
    for letter in text.chars() {
        let mark = is_mark(letter) || letter.is_whitespace();
        if !mark && (letter != '+' || number.is_empty()) {
            number.push(letter);
        }
    }
    (digits(&number) >= LEAST).then_some(number)
}

/// The number in what has words beside it.
fn number_within(text: &str) -> Option<&str> {
    let text = without_extension(address(within_brackets(text))?)?;
    if HIDDEN.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return None;
    }
    behind_name(text)
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
        return rest.split(['@', ';']).next().map(str::trim);
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
fn behind_name(text: &str) -> Option<&str> {
    let Some((at, letter)) = text.char_indices().rfind(|(_, letter)| letter.is_alphabetic()) else {
        return Some(text);
    };
    let rest = text.get(at + letter.len_utf8()..)?;
    (digits(rest) >= LEAST_BEHIND_NAME).then_some(rest)
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
        ] {
            assert_eq!(normalise_number(text).as_deref(), Some("+15550100"), "{text}");
        }
        assert_eq!(normalise_number("0555 0100").as_deref(), Some("05550100"));
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
        ] {
            assert_eq!(normalise_number(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_normal_number_stays_as_it_is(text in ".{0,20}|[0-9+ (ext)<>:;@-]{0,20}") {
            if let Some(number) = normalise_number(&text) {
                proptest::prop_assert_eq!(normalise_number(&number), Some(number));
            }
        }
    }
}
