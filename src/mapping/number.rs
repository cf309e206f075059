//! Phone numbers, in the one form by which callers are compared.

/// What platforms write in place of the number of a caller who hid it.
const HIDDEN: &[&str] =
    &["anonymous", "unknown", "private", "restricted", "withheld", "blocked", "unavailable", "hidden"];

/// The number without spaces and marks, its leading `+` kept; `None` for a hidden caller or what has fewer than three
/// digits.
pub(super) fn normalise_number(text: &str) -> Option<String> {
    let text = text.trim();
    let text = match text.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest.trim(),
        _ => text,
    };
    if HIDDEN.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return None;
    }
    let mut number = String::with_capacity(text.len());
    for letter in text.chars() {
        let mark =
            matches!(letter, '-' | '(' | ')' | '.' | '/' | '\u{2010}'..='\u{2015}') || letter.is_whitespace();
        if !mark && (letter != '+' || number.is_empty()) {
            number.push(letter);
        }
    }
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    (digits >= 3).then_some(number)
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
            "+1/555\u{a0}0100",
            " +1\u{2011}555\u{2011}0100",
        ] {
            assert_eq!(normalise_number(text).as_deref(), Some("+15550100"), "{text}");
        }
        assert_eq!(normalise_number("0555 0100").as_deref(), Some("05550100"));
        assert_eq!(normalise_number("101").as_deref(), Some("101"));
    }

    #[test]
    fn a_hidden_caller_has_no_number() {
        for text in ["anonymous", "Restricted", "UNKNOWN", "", "-", "+", "12", "n/a", "tel:"] {
            assert_eq!(normalise_number(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_normal_number_stays_as_it_is(text in ".{0,20}") {
            if let Some(number) = normalise_number(&text) {
                proptest::prop_assert_eq!(normalise_number(&number), Some(number));
            }
        }
    }
}
