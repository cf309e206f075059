//! Cells without control characters.
//!
//! The service's JSON could carry them, people cannot read them, and one of them stands for the reference within a text
//! ([`crate::call::REFERENCE_SLOT`]). Line ends become LF on the way. Rows without any, nearly all, pass uncopied.

use std::borrow::Cow;

use serde_json::Value;

use crate::call::Cells;

/// The cells as they may go on, and whether anything but the form of a line end was taken from them.
pub(super) fn clean(cells: &Cells) -> (Cow<'_, Cells>, bool) {
    match cells {
        Cells::Csv { text, .. } if is_clean(text) => (Cow::Borrowed(cells), false),
        Cells::Csv { headings, text, ends } => {
            let mut cleaned = String::with_capacity(text.len());
            let mut new_ends = Vec::with_capacity(ends.len());
            let mut removed = false;
            for index in 0..ends.len() {
                removed |= clean_onto(cells.column(index).unwrap_or_default(), &mut cleaned);
                new_ends.push(u32::try_from(cleaned.len()).unwrap_or(u32::MAX));
            }
            let headings = headings.clone();
            (Cow::Owned(Cells::Csv { headings, text: cleaned, ends: new_ends }), removed)
        }
        Cells::Json(object) if object.values().all(is_clean_json) => (Cow::Borrowed(cells), false),
        Cells::Json(object) => {
            let mut object = object.clone();
            let removed = object.values_mut().fold(false, |removed, value| clean_json(value) | removed);
            (Cow::Owned(Cells::Json(object)), removed)
        }
    }
}

/// Whether there is surely nothing to do; a look at bytes without a branch, since every row is looked at.
fn is_clean(text: &str) -> bool {
    let suspicious = |byte: u8| matches!(byte, 0..=8 | 11..=31 | 0x7f | 0xc2);
    !text
        .as_bytes()
        .chunks(256)
        .any(|chunk| chunk.iter().fold(false, |found, byte| found | suspicious(*byte)))
}

fn is_clean_json(value: &Value) -> bool {
    match value {
        Value::String(text) => is_clean(text),
        Value::Array(items) => items.iter().all(is_clean_json),
        Value::Object(object) => object.values().all(is_clean_json),
        _ => true,
    }
}

fn clean_json(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let mut cleaned = String::with_capacity(text.len());
            let removed = clean_onto(text, &mut cleaned);
            *text = cleaned;
            removed
        }
        Value::Array(items) => items.iter_mut().fold(false, |removed, value| clean_json(value) | removed),
        Value::Object(object) => {
            object.values_mut().fold(false, |removed, value| clean_json(value) | removed)
        }
        _ => false,
    }
}

fn clean_onto(text: &str, cleaned: &mut String) -> bool {
    let mut removed = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' => {
                letters.next_if_eq(&'\n');
                cleaned.push('\n');
            }
            '\n' | '\t' => cleaned.push(letter),
            _ if letter.is_control() => removed = true,
            _ => cleaned.push(letter),
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::call::Headings;

    fn csv(cells: &[String]) -> Cells {
        let names = cells.iter().enumerate().map(|(index, _)| index.to_string()).collect();
        let mut text = String::new();
        let mut ends = Vec::new();
        for cell in cells {
            text.push_str(cell);
            ends.push(u32::try_from(text.len()).unwrap());
        }
        Cells::Csv { headings: Arc::new(Headings::new(names)), text, ends }
    }

    #[test]
    fn control_characters_go_and_line_ends_become_one() {
        let cells = csv(&["a\0b\u{85}".into(), "c\r\nd\re\tf\n".into(), "é\u{a0}".into()]);
        let (cleaned, removed) = clean(&cells);
        assert!(removed);
        let cleaned: Vec<String> = (0..3).map(|index| cleaned.column(index).unwrap().to_owned()).collect();
        assert_eq!(cleaned, ["ab", "c\nd\ne\tf\n", "é\u{a0}"]);
    }

    #[test]
    fn a_line_end_alone_is_worth_no_warning() {
        assert!(!clean(&csv(&["a\r\nb".into()])).1);
    }

    #[test]
    fn texts_deep_within_json_are_cleaned() {
        let Value::Object(object) = serde_json::json!({"a": {"b": ["x\u{1}", 5]}}) else { unreachable!() };
        let cells = Cells::Json(object);
        let (cleaned, removed) = clean(&cells);
        assert!(removed);
        assert_eq!(cleaned.value("a.b.0").as_deref(), Some("x"));
    }

    proptest! {
        #[test]
        fn what_was_cleaned_is_clean(cells in prop::collection::vec("[a\0\r\n\t\u{80}é]{0,9}", 0..6)) {
            let cells = csv(&cells);
            let (once, _) = clean(&cells);
            let (twice, removed) = clean(&once);
            prop_assert!(!removed);
            for index in 0..9 {
                let cell = once.column(index);
                let dirty = cell.is_some_and(|cell| cell.contains(['\0', '\r', '\u{80}']));
                prop_assert!(!dirty);
                prop_assert_eq!(cell, twice.column(index));
            }
        }
    }
}
