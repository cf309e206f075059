//! A row of an export, as it was read.
//!
//! A CSV row keeps its cells in one buffer, because a million rows pass through and an allocation a cell would cost more
//! than reading them. A JSON row keeps its object whole, so that it can be written back as it was.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};

use super::Position;

/// The headings of a file, shared by its rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Headings {
    names: Vec<String>,
}

impl Headings {
    /// The headings in their order.
    pub fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// In their order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The column called `name`: to the letter, else the first that differs only in case and outer spaces.
    pub fn find(&self, name: &str) -> Option<usize> {
        let folded = name.trim().to_lowercase();
        self.names
            .iter()
            .position(|heading| heading == name)
            .or_else(|| self.names.iter().position(|heading| heading.trim().to_lowercase() == folded))
    }
}

/// One row with its place.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where the row begins.
    pub position: Position,
    /// What was read.
    pub cells: Cells,
}

/// The content of a row, by the form of its file.
#[derive(Debug, Clone)]
pub enum Cells {
    /// A row of a CSV file: one cell a heading, in the order of the headings.
    Csv {
        /// Shared by all rows of the file.
        headings: Arc<Headings>,
        /// All cells, one after another.
        text: String,
        /// Where each cell ends in `text`.
        ends: Vec<u32>,
    },
    /// An object of a JSONL file.
    Json(Map<String, Value>),
}

impl Cells {
    /// The cell of the `index`-th column of a CSV row.
    pub fn column(&self, index: usize) -> Option<&str> {
        let Self::Csv { text, ends, .. } = self else { return None };
        let end = *ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { ends[index - 1] as usize };
        text.get(start..end)
    }

    /// The value under `name`. In JSON `name` is a key, or a path of keys and indices joined by dots
    /// (`contact.emails.0.value`); `null` reads as nothing, and a number or truth word as its text.
    pub fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Csv { headings, .. } => self.column(headings.find(name)?).map(Cow::Borrowed),
            Self::Json(object) => json_value(object, name).and_then(json_text),
        }
    }

    /// Whether a CSV row has the column `name`, or a JSON row something under it, `null` included.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Csv { headings, .. } => headings.find(name).is_some(),
            Self::Json(object) => json_value(object, name).is_some(),
        }
    }

    /// The list under `name` of a JSON row, found as [`Self::value`] finds it; a text that looks like one is none.
    pub fn list(&self, name: &str) -> Option<&[Value]> {
        let Self::Json(object) = self else { return None };
        json_value(object, name)?.as_array().map(Vec::as_slice)
    }

    /// Every value under a path of a JSON row whose step `*` stands for all elements of a list or members of an object.
    pub fn each(&self, path: &str) -> Vec<Cow<'_, str>> {
        let Self::Json(object) = self else { return Vec::new() };
        let mut steps = path.split('.');
        let mut values: Vec<&Value> = steps.next().and_then(|step| object.get(step)).into_iter().collect();
        for step in steps {
            values = values.into_iter().flat_map(|value| members(value, step)).collect();
        }
        values.into_iter().filter_map(json_text).collect()
    }

    /// Every value with its heading, or in JSON with its path: the members of objects within objects too, lists of texts
    /// and numbers joined, lists of objects left out.
    pub fn leaves(&self) -> Vec<(String, Cow<'_, str>)> {
        match self {
            Self::Csv { .. } => {
                self.pairs().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }
            Self::Json(object) => {
                let mut leaves = Vec::new();
                leaves_of(object, "", &mut leaves);
                leaves
            }
        }
    }

    /// Every column with its value, in the order of the file.
    pub fn pairs(&self) -> Vec<(&str, Cow<'_, str>)> {
        match self {
            Self::Csv { headings, .. } => headings
                .names()
                .iter()
                .enumerate()
                .map(|(index, name)| (name.as_str(), Cow::Borrowed(self.column(index).unwrap_or_default())))
                .collect(),
            Self::Json(object) => object
                .iter()
                .map(|(name, value)| (name.as_str(), json_text(value).unwrap_or_default()))
                .collect(),
        }
    }
}

fn json_value<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(name) {
        return Some(value);
    }
    let mut steps = name.split('.');
    let mut value = object.get(steps.next()?)?;
    for step in steps {
        value = match value {
            Value::Object(inner) => inner.get(step)?,
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

fn leaves_of<'a>(object: &'a Map<String, Value>, prefix: &str, leaves: &mut Vec<(String, Cow<'a, str>)>) {
    for (name, value) in object {
        let path = format!("{prefix}{name}");
        match value {
            Value::Object(inner) => leaves_of(inner, &format!("{path}."), leaves),
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {}
            Value::Array(items) => {
                let texts: Vec<Cow<'_, str>> = items.iter().filter_map(json_text).collect();
                leaves.push((path, Cow::Owned(texts.join(", "))));
            }
            _ => leaves.push((path, json_text(value).unwrap_or_default())),
        }
    }
}

fn members<'a>(value: &'a Value, step: &str) -> Vec<&'a Value> {
    match (value, step) {
        (Value::Array(items), "*") => items.iter().collect(),
        (Value::Object(inner), "*") => inner.values().collect(),
        (Value::Array(items), _) => {
            step.parse::<usize>().ok().and_then(|at| items.get(at)).into_iter().collect()
        }
        (Value::Object(inner), _) => inner.get(step).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn json_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_row_has_may_be_null() {
        let json = Cells::Json(serde_json::from_str(r#"{"a":{"b":[{"c":null}]},"d.e":1}"#).unwrap());
        assert!(["a", "a.b.0.c", "d.e"].iter().all(|name| json.has(name)));
        assert!(["b", "a.b.1", "d"].iter().all(|name| !json.has(name)));
        let headings = Arc::new(Headings::new(vec!["Call ID".to_owned()]));
        let csv = Cells::Csv { headings, text: String::new(), ends: vec![0] };
        assert!(csv.has("call id") && !csv.has("call"));
    }

    fn csv(names: &[&str], cells: &[&str]) -> Cells {
        let mut ends = Vec::new();
        let mut text = String::new();
        for cell in cells {
            text.push_str(cell);
            ends.push(u32::try_from(text.len()).unwrap());
        }
        let headings = Arc::new(Headings::new(names.iter().map(ToString::to_string).collect()));
        Cells::Csv { headings, text, ends }
    }

    #[test]
    fn a_cell_is_found_by_its_heading_whatever_its_case() {
        let cells = csv(&["Call ID", "from"], &["7", "+15550100"]);
        assert_eq!(cells.value("call id").as_deref(), Some("7"));
        assert_eq!(cells.value("from").as_deref(), Some("+15550100"));
        assert_eq!(cells.value("to"), None);
    }

    #[test]
    fn a_json_value_is_found_by_a_path_and_a_number_keeps_its_digits() {
        let Value::Object(object) = serde_json::from_str(
            r#"{"id":12345678901234567890123,"user":{"emails":[{"v":"a@example.com"}]},"x":null}"#,
        )
        .unwrap() else {
            unreachable!("an object was written above")
        };
        let cells = Cells::Json(object);
        assert_eq!(cells.value("id").as_deref(), Some("12345678901234567890123"));
        assert_eq!(cells.value("user.emails.0.v").as_deref(), Some("a@example.com"));
        assert_eq!(cells.value("x"), None);
        assert_eq!(cells.value("user.name"), None);
        let leaves: Vec<String> =
            cells.leaves().into_iter().map(|(path, value)| format!("{path}={value}")).collect();
        assert_eq!(leaves, ["id=12345678901234567890123", "x="]);
        let object = serde_json::from_str(r#"{"tags":[{"name":"a"},{},{"name":"b"}],"x":[1,2]}"#).unwrap();
        let cells = Cells::Json(object);
        assert_eq!(cells.each("tags.*.name"), ["a", "b"]);
        assert_eq!((cells.each("x.*").join("+"), cells.each("x.name.*").len()), ("1+2".to_owned(), 0));
    }
}
