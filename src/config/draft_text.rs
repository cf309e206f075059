//! The lines of a configuration that is written for a person: pairs, comments, and marks of what is still open.

use std::fmt::Write as _;

use super::{
    key,
    value::{UNFILLED, Value},
};

/// The widest that a comment is.
const WIDTH: usize = 110;

/// `key = value`, where the value is TOML.
pub(super) fn pair(text: &mut String, key: &str, value: &str) {
    writeln!(text, "{key} = {value}").expect("a String takes every text");
}

/// A value that a person has to say.
pub(super) fn fill_in(text: &mut String, dotted: &str, why: &str) {
    comment(text, &format!("FILL IN: {why}."));
    let wanted = key::wanted(dotted);
    if !key::feeds_field(dotted) && !wanted.is_empty() {
        comment(text, &format!("Wanted is {wanted}."));
    }
    pair(text, key::last(dotted), &quoted(UNFILLED));
}

/// `words` with a full stop.
pub(super) fn sentence(words: &str) -> String {
    if words.ends_with('.') { words.to_owned() } else { format!("{words}.") }
}

/// A text as TOML that stands on one line, as a key must.
pub(super) fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for letter in value.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            _ if letter.is_control() => {
                write!(text, "\\u{:04X}", u32::from(letter)).expect("a String takes every text");
            }
            _ => text.push(letter),
        }
    }
    text.push('"');
    text
}

/// A value as TOML, on one line.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Truth(truth) => truth.to_string(),
        Value::Texts(texts) => format!("[{}]", listed(texts.iter().map(|text| quoted(text)))),
        Value::Names(entries) => {
            let entry = |(name, value): &(String, String)| format!("{} = {}", quoted(name), quoted(value));
            format!("{{ {} }}", listed(entries.iter().map(entry)))
        }
        Value::Duration(span) => quoted(&format!("{}ms", span.as_millis())),
        Value::Unfilled => quoted(UNFILLED),
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// A comment, folded so that it can be read beside its neighbours; TOML takes no control characters in it.
pub(super) fn comment(text: &mut String, words: &str) {
    let words = words.replace(char::is_control, " ");
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_value_reads_back_as_it_was() {
        use super::super::{key::Kind, value::fit_typed};
        for (kind, value) in [
            (Kind::Text, Value::Text("a \"b\"\\c".into())),
            (Kind::Text, Value::Text("'a'\r\n\t\u{1}\u{7f}\u{85}ä\"\"\"".into())),
            (Kind::Integer, Value::Integer(3)),
            (Kind::Truth, Value::Truth(false)),
            (Kind::Texts, Value::Texts(vec!["a, b".into(), "c".into()])),
            (Kind::Map, Value::Names(vec![("a = b".into(), "inbound".into()), ("*".into(), String::new())])),
            (Kind::Duration, Value::Duration(Duration::from_secs(90))),
            (Kind::Text, Value::Unfilled),
        ] {
            let text = written(&value);
            assert!(!text.contains(char::is_control), "{text}");
            assert_eq!(fit_typed(kind, &text), Ok(value));
        }
    }

    #[test]
    fn a_comment_is_one_whatever_it_tells_of() {
        let mut text = String::new();
        comment(&mut text, &format!("a\u{0}b\nc\u{1b}d {}", "word ".repeat(30)));
        assert!(
            text.starts_with("# a b c d word") && text.lines().all(|line| line.starts_with("# ")),
            "{text}"
        );
        assert!(toml::from_str::<toml::Table>(&text).unwrap().is_empty());
    }
}
