//! JSON as a tree that borrows from the body.
//!
//! A create request with a hundred calls is the sandbox's daily bread, so keys and plain texts are not copied. Values are
//! kept as written and judged later, since every fault of a body is to be told with its path, not only the first.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'b> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as written.
    Number(String),
    /// A text.
    Text(Cow<'b, str>),
    /// An array.
    Array(Vec<Json<'b>>),
    /// An object in its order.
    Object(Vec<(Cow<'b, str>, Json<'b>)>),
}

/// The key under which `serde_json` hands out a number whose digits are to be kept.
const NUMBER: &str = "$serde_json::private::Number";

impl<'b> Json<'b> {
    /// Reads a whole body.
    pub(crate) fn parse(body: &'b [u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// The member of that name unless it is null. The last of several counts.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.member(key).filter(|value| **value != Json::Null)
    }

    /// The member of that name, null too.
    pub(crate) fn member(&self, key: &str) -> Option<&Self> {
        let Json::Object(members) = self else { return None };
        members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    /// The value as shown in an error, shortened.
    pub(crate) fn shown(&self) -> String {
        match self {
            Json::Null => "null".to_owned(),
            Json::Bool(value) => value.to_string(),
            Json::Number(number) => number.clone(),
            Json::Text(text) => text.chars().take(80).collect(),
            Json::Array(_) => "[...]".to_owned(),
            Json::Object(_) => "{...}".to_owned(),
        }
    }
}

impl<'de: 'b, 'b> Deserialize<'de> for Json<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some(Key(key)) = map.next_key()? {
            if key == NUMBER {
                return Ok(Json::Number(map.next_value()?));
            }
            members.push((key, map.next_value()?));
        }
        Ok(Json::Object(members))
    }
}

struct Key<'b>(Cow<'b, str>);

impl<'de: 'b, 'b> Deserialize<'de> for Key<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyText)
    }
}

struct KeyText;

impl<'de> Visitor<'de> for KeyText {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Owned(value.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_texts_are_unescaped() {
        let json =
            Json::parse(br#"{"id": 2600000001, "f": 1.50, "t": "a\nb", "n": null, "l": [true]}"#).unwrap();
        assert_eq!(json.get("id"), Some(&Json::Number("2600000001".into())));
        assert_eq!(json.get("f"), Some(&Json::Number("1.50".into())));
        assert_eq!(json.get("t").unwrap().text(), Some("a\nb"));
        assert_eq!((json.get("n"), json.member("n")), (None, Some(&Json::Null)));
        assert_eq!(json.get("l"), Some(&Json::Array(vec![Json::Bool(true)])));
    }

    #[test]
    fn the_last_of_two_members_counts() {
        assert_eq!(Json::parse(br#"{"a":"1","a":"2"}"#).unwrap().get("a").unwrap().text(), Some("2"));
    }

    #[test]
    fn what_is_not_json_is_nothing() {
        assert_eq!(Json::parse(b"{\"a\":}"), None);
        assert_eq!(Json::parse(b""), None);
        assert_eq!(Json::parse(b"{} {}"), None);
        assert_eq!(Json::parse(b"{\"a\":\"\xff\"}"), None);
    }
}
