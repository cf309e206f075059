//! A value as it was written, made to fit its key's kind.

use std::time::Duration;

use toml::de::DeValue;

use super::key::Kind;

/// A value of the right kind; whether it makes sense is checked later.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(u64),
    Truth(bool),
    Texts(Vec<String>),
    Names(Vec<(String, String)>),
    Duration(Duration),
    /// The mark of a value that a person has still to fill in.
    Unfilled,
}

/// What stands for a value that `callport init` could not know.
pub(super) const UNFILLED: &str = "?";

/// Whether this is the mark of what is still to be filled in.
pub(super) fn is_open(text: &str) -> bool {
    text.trim() == UNFILLED
}

/// What was found where something else was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is {found}; {expected} is expected")]
pub(super) struct WrongKind {
    found: String,
    expected: Kind,
}

/// Reads `value` as `kind`.
pub(super) fn fit(kind: Kind, value: &DeValue<'_>) -> Result<Value, WrongKind> {
    let fitted = match (kind, value) {
        (_, DeValue::String(text)) if is_open(text) => Some(Value::Unfilled),
        (Kind::Feed, DeValue::String(text)) => Some(Value::Text(text.to_string())),
        (Kind::Text | Kind::NumberOrText | Kind::Name, DeValue::String(text)) => {
            Some(Value::Text(text.to_string()))
        }
        (Kind::Name, DeValue::Integer(_)) => unsigned(value).map(|id| Value::Text(id.to_string())),
        (Kind::NumberOrText, DeValue::Float(number)) => Some(Value::Text(number.to_string())),
        (Kind::NumberOrText, DeValue::Integer(number)) => Some(Value::Text(number.to_string())),
        (Kind::Integer, DeValue::Integer(_)) => unsigned(value).map(Value::Integer),
        (Kind::Truth, DeValue::Boolean(truth)) => Some(Value::Truth(*truth)),
        (Kind::Texts | Kind::Feed, DeValue::Array(items)) => items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .map(Value::Texts),
        (Kind::Map, DeValue::Table(table)) => table
            .iter()
            .map(|(name, value)| Some((name.get_ref().to_string(), value.get_ref().as_str()?.to_owned())))
            .collect::<Option<_>>()
            .map(Value::Names),
        (Kind::Names, DeValue::Table(table)) => table
            .iter()
            .map(|(name, value)| match fit(Kind::Name, value.get_ref()) {
                Ok(Value::Text(inbox)) => Some((name.get_ref().to_string(), inbox)),
                Ok(Value::Unfilled) => Some((name.get_ref().to_string(), UNFILLED.to_owned())),
                _ => None,
            })
            .collect::<Option<_>>()
            .map(Value::Names),
        (Kind::Duration, DeValue::String(text)) => parse_duration(text).map(Value::Duration),
        (Kind::OneOf(words), DeValue::String(text)) if words.contains(&text.as_ref()) => {
            Some(Value::Text(text.to_string()))
        }
        _ => None,
    };
    fitted.ok_or_else(|| WrongKind { found: describe(value), expected: kind })
}

/// Reads what was typed after `--set KEY=`: as TOML where that fits, else as a text, so that nobody quotes for TOML
/// within quotes for a shell. A list may be given by its only item.
pub(super) fn fit_typed(kind: Kind, typed: &str) -> Result<Value, WrongKind> {
    if let Ok(parsed) = DeValue::parse(typed)
        && let Ok(value) = fit(kind, parsed.get_ref())
    {
        return Ok(value);
    }
    let text = DeValue::String(typed.into());
    if kind == Kind::Texts && !typed.trim_start().starts_with('[') {
        return Ok(Value::Texts(vec![typed.to_owned()]));
    }
    fit(kind, &text)
}

fn unsigned(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(&number.as_str().replace(['_', '+'], ""), number.radix()).ok()
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => {
            let short: String = text.chars().take(60).collect();
            let mark = if short.len() < text.len() { "…" } else { "" };
            format!("the text `{short}{mark}`")
        }
        DeValue::Integer(number) => format!("the number `{number}`"),
        DeValue::Float(number) => format!("the number `{number}`"),
        DeValue::Boolean(truth) => format!("`{truth}`"),
        DeValue::Datetime(time) => format!("the time `{time}`"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// `500ms`, `30s`, `15m`, `2h`.
fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    match unit.trim_start() {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_needs_no_quotes() {
        assert_eq!(fit_typed(Kind::Name, "85"), Ok(Value::Text("85".into())));
        assert_eq!(fit_typed(Kind::Text, "85"), Ok(Value::Text("85".into())));
        assert_eq!(fit_typed(Kind::Text, "caller number"), Ok(Value::Text("caller number".into())));
        assert_eq!(fit_typed(Kind::Text, "\"quoted\""), Ok(Value::Text("quoted".into())));
        assert_eq!(fit_typed(Kind::NumberOrText, "0.5"), Ok(Value::Text("0.5".into())));
        assert_eq!(fit_typed(Kind::Truth, "false"), Ok(Value::Truth(false)));
        assert_eq!(fit_typed(Kind::Duration, "15m"), Ok(Value::Duration(Duration::from_secs(900))));
        assert_eq!(fit_typed(Kind::Texts, "a"), Ok(Value::Texts(vec!["a".into()])));
        assert_eq!(fit_typed(Kind::Texts, "['a', 'b']"), Ok(Value::Texts(vec!["a".into(), "b".into()])));
        assert_eq!(
            fit_typed(Kind::Names, "{ Sales = 85, Support = 'Help' }"),
            Ok(Value::Names(vec![("Sales".into(), "85".into()), ("Support".into(), "Help".into())]))
        );
    }

    #[test]
    fn a_wrong_kind_says_what_was_found_and_what_is_expected() {
        let told = |kind, typed| fit_typed(kind, typed).unwrap_err().to_string();
        assert_eq!(told(Kind::Truth, "maybe"), "is the text `maybe`; `true` or `false` is expected");
        assert_eq!(told(Kind::OneOf(&["csv"]), "xml"), "is the text `xml`; one of `csv` is expected");
        assert_eq!(told(Kind::Texts, "[1]"), "is the text `[1]`; a list of texts is expected");
        assert!(told(Kind::Duration, "30").contains("such as `\"30s\"`"));
        assert!(told(Kind::Integer, "-1").contains("a whole number from 0"));
    }

    #[test]
    fn a_span_of_time_needs_its_unit() {
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration(" 2 h"), Some(Duration::from_secs(7200)));
        for wrong in ["", "s", "-3s", "3", "3d", "1.5h", "99999999999999999999s"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
